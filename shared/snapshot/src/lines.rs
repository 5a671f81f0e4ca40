//! Lines of a file of any size, never more than one in memory, and none too long.

use std::{
    borrow::Cow,
    io::{BufRead, Read},
};

use crate::SnapshotError;

/// The longest line that is read, in bytes. Real lines of metrics are a few hundred.
pub(crate) const LONGEST_LINE: usize = 1024 * 1024;

/// Reads line by line, counting from 1.
pub(crate) struct Lines<'a, R> {
    file: &'a str,
    reader: R,
    buffer: Vec<u8>,
    number: u64,
}

impl<'a, R: BufRead> Lines<'a, R> {
    pub(crate) fn new(file: &'a str, reader: R) -> Lines<'a, R> {
        Lines { file, reader, buffer: Vec::new(), number: 0 }
    }

    /// The next line without its end, or `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, &str)>, SnapshotError> {
        if !self.advance()? {
            return Ok(None);
        }
        match std::str::from_utf8(&self.buffer) {
            // Some editors put a mark first.
            Ok(line) if self.number == 1 => Ok(Some((1, line.strip_prefix('\u{feff}').unwrap_or(line)))),
            Ok(line) => Ok(Some((self.number, line))),
            Err(error) => {
                let problem = format!("byte {} is not UTF-8: binary data?", error.valid_up_to() + 1);
                Err(SnapshotError::line(self.file, self.number, problem))
            }
        }
    }

    /// The next line of a text that people read: what is not UTF-8 in it is replaced, not refused.
    pub(crate) fn next_lossy(&mut self) -> Result<Option<(u64, Cow<'_, str>)>, SnapshotError> {
        Ok(self.advance()?.then(|| (self.number, String::from_utf8_lossy(&self.buffer))))
    }

    /// Reads the next line into the buffer; whether there was one.
    fn advance(&mut self) -> Result<bool, SnapshotError> {
        self.buffer.clear();
        self.number += 1;
        let limit = LONGEST_LINE as u64 + 1;
        let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut self.buffer);
        let read = read.map_err(|error| self.wrong(format!("can't be read on ({error})")))?;
        if read == 0 {
            return Ok(false);
        }
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        } else if self.buffer.len() > LONGEST_LINE {
            return Err(self.wrong(format!("is longer than {LONGEST_LINE} bytes: not a line of this format")));
        }
        if self.buffer.last() == Some(&b'\r') {
            self.buffer.pop();
        }
        Ok(true)
    }

    fn wrong(&self, problem: String) -> SnapshotError {
        SnapshotError::line(self.file, self.number, problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_and_ends_of_either_kind_removed() {
        let mut lines = Lines::new("f", &b"\xef\xbb\xbfa\r\n\nb"[..]);
        assert_eq!(lines.next().unwrap(), Some((1, "a")));
        assert_eq!(lines.next().unwrap(), Some((2, "")));
        assert_eq!(lines.next().unwrap(), Some((3, "b")));
        assert_eq!(lines.next().unwrap(), None);
    }

    #[test]
    fn a_line_of_100_mb_and_binary_junk_are_errors_not_memory() {
        let endless = std::io::BufReader::new(std::io::repeat(b'x').take(100_000_000));
        let mut lines = Lines::new("f", endless);
        assert_eq!(
            lines.next().unwrap_err().to_string(),
            "f line 1: is longer than 1048576 bytes: not a line of this format"
        );
        assert!(lines.buffer.capacity() <= 4 * LONGEST_LINE);
        let mut lines = Lines::new("f", &b"ok\n\xff\xfe\n"[..]);
        lines.next().unwrap();
        assert_eq!(lines.next().unwrap_err().to_string(), "f line 2: byte 1 is not UTF-8: binary data?");
    }
}
