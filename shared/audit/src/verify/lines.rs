//! Lines of a file, one at a time, in one buffer.

use std::io::{self, BufRead, Read};

/// Far more than a record can have, so that a file without newlines doesn't fill the memory.
const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;

/// Reads line by line.
pub(crate) struct LineReader<R> {
    reader: R,
    buffer: Vec<u8>,
    number: u64,
}

/// What came next.
pub(crate) enum Advance {
    /// A line; [`LineReader::line`] has it.
    Line,
    /// So many bytes after the last newline.
    Torn(u64),
    /// Nothing.
    End,
}

impl<R: BufRead> LineReader<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), number: 0 }
    }

    /// Number of the current line, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Go back to counting from this number, after having read on.
    pub(crate) fn set_number(&mut self, number: u64) {
        self.number = number;
    }

    /// The current line without its newline.
    pub(crate) fn line(&self) -> &[u8] {
        &self.buffer
    }

    /// Go to the next line. One that is longer than any record arrives in pieces, none of which is a record.
    pub(crate) fn advance(&mut self) -> io::Result<Advance> {
        self.buffer.clear();
        let read = self.reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut self.buffer)? as u64;
        if read == 0 {
            return Ok(Advance::End);
        }
        if self.buffer.pop_if(|byte| *byte == b'\n').is_none() && read < MAX_LINE_BYTES {
            return Ok(Advance::Torn(read));
        }
        self.number += 1;
        Ok(Advance::Line)
    }
}
