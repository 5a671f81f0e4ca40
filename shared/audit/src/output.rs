//! Where sealed lines go. Only the writing thread comes here.

use std::collections::VecDeque;
use std::io::{self, Write};

use crate::directory::AuditFile;

/// What to do next, in order.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// Write these whole lines.
    Lines(Vec<u8>),
    /// Give the current file this name and go on in a new one.
    Rotate {
        /// The name.
        archive: String,
    },
}

/// A sink and what it has not taken yet. After an error nothing is forgotten: the next attempt goes on at the very
/// byte, so that a full disk leaves a whole chain once there is room again.
pub(crate) struct Output {
    target: Target,
    waiting: VecDeque<Chunk>,
}

/// A sink.
pub(crate) enum Target {
    /// A file in the audit directory.
    File(AuditFile),
    /// Something that only takes bytes.
    Stream(Box<dyn Write + Send>),
}

impl Output {
    pub(crate) fn new(target: Target) -> Self {
        Self { target, waiting: VecDeque::new() }
    }

    pub(crate) fn add(&mut self, chunks: VecDeque<Chunk>) {
        self.waiting.extend(chunks);
    }

    /// Bytes not yet taken by the sink.
    pub(crate) fn waiting_bytes(&self) -> usize {
        let length = |chunk: &Chunk| if let Chunk::Lines(bytes) = chunk { bytes.len() } else { 0 };
        self.waiting.iter().map(length).sum()
    }

    /// Write everything and make it durable; with `probe`, also find out whether there is room for more.
    pub(crate) fn settle(&mut self, probe: bool) -> io::Result<()> {
        if let Target::File(file) = &self.target {
            file.check_in_place()?;
        }
        while let Some(chunk) = self.waiting.front_mut() {
            match chunk {
                Chunk::Lines(bytes) => write_out(&mut self.target, bytes)?,
                Chunk::Rotate { archive } => rotate(&mut self.target, archive),
            }
            self.waiting.pop_front();
        }
        match &mut self.target {
            Target::File(file) => {
                file.sync()?;
                if probe { file.probe_space() } else { Ok(()) }
            }
            Target::Stream(stream) => stream.flush(),
        }
    }
}

/// Write all of it. What was written before an error is taken out of `bytes`.
fn write_out(target: &mut Target, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        let taken = match target {
            Target::File(file) => file.write(rest),
            Target::Stream(stream) => stream.write(rest),
        };
        let error = match taken {
            Ok(0) => io::Error::from(io::ErrorKind::WriteZero),
            Ok(count) => {
                written += count;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        bytes.drain(..written);
        return Err(error);
    }
    Ok(())
}

/// A file that cannot be rotated still takes records, so this is no failure of the sink.
fn rotate(target: &mut Target, archive: &str) {
    if let Target::File(file) = target
        && let Err(error) = file.rotate(archive)
    {
        tracing::warn!(%error, archive, "failed to rotate the audit file; it goes on growing");
    }
}
