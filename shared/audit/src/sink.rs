//! The log as a server holds it.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::{Entry, Facts};
use crate::chain::{Position, Sealer};
use crate::directory::{self, Opened};
use crate::error::AuditError;
use crate::key::Key;
use crate::output::{Output, Target};
use crate::queue::{Details, Queue, Span, Terms, start};
use crate::record::{Event, Record, SinkKind};

/// What time it is. Injected, so that records can be foreseen in tests.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What happens to reads while records cannot be written. Writes are always refused then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// They are refused.
    Refuse,
    /// They go on, and the process's own log has one error. Up to 8 MiB of records are kept until they can be
    /// written; those beyond are lost, and a control record says how many.
    Warn,
}

/// Where and how to write files.
#[derive(Debug, Clone)]
pub struct AuditConfig {
    /// Created with mode 0700 if missing.
    pub directory: PathBuf,
    /// Name of the server: in the records, and the beginning of file names.
    pub server: String,
    /// Seals the records.
    pub key: Key,
    /// A file is rotated before it grows beyond this many bytes.
    pub max_file_bytes: u64,
    /// What happens to reads while records cannot be written.
    pub on_failure: OnFailure,
}

impl AuditConfig {
    /// 100 MiB: about 100,000 records.
    pub const DEFAULT_MAX_FILE_BYTES: u64 = 100 * 1024 * 1024;
}

/// One log of one process. Clones write to the same one; dropping the last (entries hold one too) writes what is left
/// and gives up the file.
#[derive(Clone)]
pub struct Audit(Arc<Handle>);

impl Audit {
    /// Write to a file in a directory, going on where the last process stopped. See the crate's documentation for
    /// names, rotation and recovery.
    ///
    /// # Errors
    /// When no file can be had, or its end does not verify with this key.
    pub fn to_directory(config: AuditConfig, clock: Clock) -> Result<Self, AuditError> {
        let sealer = Sealer::new(&config.key);
        let Opened { file, tail, predecessor, is_half_rotated } =
            directory::open(&config.directory, &config.server, &sealer)?;
        let span = Span {
            stem: file.stem().to_owned(),
            max_bytes: config.max_file_bytes,
            first_sequence: tail.first_sequence,
            bytes: tail.kept_bytes,
            // How many there are beyond the first does not matter.
            lines: if tail.last.is_some() { 2 } else { 0 },
        };
        let at = tail.last.or(predecessor.as_ref().map(|(_, position)| *position));
        let terms = Terms {
            server: config.server,
            sealer,
            on_failure: config.on_failure,
            sink: SinkKind::Directory,
            clock,
        };
        let queue = Queue::new(terms, at, Some(span));
        if let Some((name, Position { mac, .. })) = predecessor {
            queue.control(Event::Rotated, Details { previous: Some((name, mac)), ..Details::default() });
        }
        if is_half_rotated {
            queue.rotate_now();
        }
        queue.control(Event::Started, Details::default());
        if tail.torn_bytes > 0 {
            let dropped_bytes = Some(tail.torn_bytes);
            queue.control(Event::Recovered, Details { dropped_bytes, ..Details::default() });
        }
        Self::over(queue, Target::File(file))
    }

    /// Write to a stream that cannot be read back, such as standard output (where nothing else uses it). Every process
    /// begins a new chain.
    ///
    /// # Errors
    /// When the writing thread cannot be started.
    pub fn to_writer(
        writer: Box<dyn Write + Send>,
        server: &str,
        key: &Key,
        on_failure: OnFailure,
        clock: Clock,
    ) -> Result<Self, AuditError> {
        let terms = Terms {
            server: server.to_owned(),
            sealer: Sealer::new(key),
            on_failure,
            sink: SinkKind::Stream,
            clock,
        };
        let queue = Queue::new(terms, None, None);
        queue.control(Event::Started, Details::default());
        Self::over(queue, Target::Stream(writer))
    }

    /// Keep the records in memory, for tests.
    ///
    /// # Errors
    /// When the writing thread cannot be started.
    pub fn in_memory(server: &str, key: &Key, clock: Clock) -> Result<(Self, Lines), AuditError> {
        let memory = Memory::default();
        let audit = Self::to_writer(Box::new(memory.clone()), server, key, OnFailure::Refuse, clock)?;
        Ok((audit.clone(), Lines { audit, memory }))
    }

    fn over(queue: Queue, target: Target) -> Result<Self, AuditError> {
        let queue = Arc::new(queue);
        start(&queue, Output::new(target))?;
        Ok(Self(Arc::new(Handle { queue })))
    }

    /// Open the record of a call, before anything about it is decided. For a write this waits until the sink has shown
    /// that it works and has room: some milliseconds, at worst 5 s.
    ///
    /// # Errors
    /// [`AuditError::Sink`] when the call must not go on for want of a working sink (it then has no record), and
    /// [`AuditError::Stopped`] after [`Audit::shutdown`].
    pub fn begin(&self, facts: Facts) -> Result<Entry, AuditError> {
        self.0.queue.admit(facts.effect)?;
        Ok(Entry::open(self.clone(), facts))
    }

    /// Wait until everything so far is on disk.
    ///
    /// # Errors
    /// [`AuditError::Sink`] when it is not, for now.
    pub fn flush(&self) -> Result<(), AuditError> {
        self.0.queue.settle(false)
    }

    /// Let no further call begin, write `stopped`, and wait until everything is on disk. Entries still open keep their
    /// right to a record after that.
    ///
    /// # Errors
    /// [`AuditError::Sink`] when something could not be written.
    pub fn shutdown(&self) -> Result<(), AuditError> {
        self.0.queue.stop();
        self.flush()
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.0.queue
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = self.0.queue.terms();
        formatter.debug_struct("Audit").field("server", &terms.server).field("sink", &terms.sink).finish()
    }
}

/// What the clones of an [`Audit`] share; its end is the end of the log.
struct Handle {
    queue: Arc<Queue>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.stop();
        let unwritten_bytes = self.queue.leave();
        if unwritten_bytes > 0 {
            let server = &self.queue.terms().server;
            tracing::error!(server, unwritten_bytes, "failed to write the last audit records");
        }
    }
}

/// What was written to [`Audit::in_memory`]. It holds the log open.
#[derive(Debug)]
pub struct Lines {
    audit: Audit,
    memory: Memory,
}

impl Lines {
    /// Everything so far, control records too, as the text that [`crate::verify_reader`] reads.
    pub fn text(&self) -> String {
        // Memory takes everything, so there is no error to see.
        let _ = self.audit.flush();
        String::from_utf8_lossy(&self.memory.lock()).into_owned()
    }

    /// The records of calls so far.
    pub fn records(&self) -> Vec<Record> {
        self.text().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

#[derive(Debug, Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
