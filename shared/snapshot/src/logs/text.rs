//! Files of text: which lines are one record.

use std::io::BufRead;

use jiff::Timestamp;

use super::{LogRecord, Take, prefix};
use crate::{SnapshotError, lines::Lines};

/// A record of more lines, or bytes, goes on in another one.
const MOST_LINES: usize = 2_000;
const MOST_BYTES: usize = 1024 * 1024;

/// How lines of stack traces begin that are not indented.
const OF_TRACES: [&str; 13] = [
    "Caused by",
    "Suppressed:",
    "... ",
    "Traceback (most",
    "During handling of",
    "The above exception",
    "goroutine ",
    "created by ",
    "}",
    ")",
    "--- End of",
    "stack backtrace:",
    "note: ",
];

pub(super) fn read<R: BufRead>(
    file: &str,
    reader: R,
    now: Timestamp,
    take: Take<'_>,
) -> Result<(), SnapshotError> {
    let mut lines = Lines::new(file, reader);
    let mut joining = Joining { file, now, take, open: None, is_timed: false };
    while let Some((number, line)) = lines.next_lossy()? {
        joining.line(number, &line)?;
    }
    joining.close()
}

/// A record that may go on.
#[derive(Default)]
struct Open {
    line: u64,
    lines: usize,
    text: String,
    at: Option<Timestamp>,
    origin: Option<(String, String)>,
    is_document: bool,
    /// Whether the container runtime cut the last line.
    is_cut: bool,
}

struct Joining<'a, 't> {
    file: &'a str,
    now: Timestamp,
    take: Take<'t>,
    open: Option<Open>,
    /// Whether a line of this file has had a time of the program's own.
    is_timed: bool,
}

impl Joining<'_, '_> {
    fn line(&mut self, number: u64, line: &str) -> Result<(), SnapshotError> {
        let line = prefix::apart(line);
        let is_document = is_document(line.own);
        let own =
            if is_document || is_of_trace(line.own) { None } else { prefix::own_moment(line.own, self.now) };
        self.is_timed |= own.is_some();
        let begins = is_document || own.is_some() || !(self.is_timed || is_of_trace(line.own));
        if let Some(open) = &mut self.open
            && open.goes_on(&line, begins)
        {
            if !open.is_cut {
                open.text.push('\n');
            }
            open.text.push_str(line.own);
            open.lines += 1;
            open.is_cut = line.is_cut;
            return Ok(());
        }
        self.close()?;
        if line.own.trim().is_empty() {
            return Ok(());
        }
        self.open = Some(Open {
            line: number,
            lines: 1,
            text: line.own.to_owned(),
            at: line.written.or(own),
            origin: line.origin.map(|(pod, container)| (pod.to_owned(), container.to_owned())),
            is_document,
            is_cut: line.is_cut,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), SnapshotError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let record = LogRecord {
            file: self.file,
            line: open.line,
            text: open.text.trim_end(),
            is_document: open.is_document,
            at: open.at,
            origin: open.origin.as_ref().map(|(pod, container)| (pod.as_str(), container.as_str())),
        };
        (self.take)(&record).map_err(|problem| SnapshotError::line(self.file, open.line, problem))
    }
}

impl Open {
    /// Whether a line belongs to this record.
    fn goes_on(&self, line: &prefix::Line<'_>, begins: bool) -> bool {
        let own = self.origin.as_ref().map(|(pod, container)| (pod.as_str(), container.as_str()));
        if own != line.origin || self.lines >= MOST_LINES || self.text.len() + line.own.len() > MOST_BYTES {
            return false;
        }
        // The last line of a trace of Python names what was raised, and is not indented.
        let ends_traceback = || {
            let last = self.text.rsplit('\n').next().unwrap_or_default();
            self.text.contains("Traceback (most recent") && last.starts_with(' ') && !is_document(line.own)
        };
        self.is_cut || (!self.is_document && (!begins || ends_traceback()))
    }
}

fn is_of_trace(line: &str) -> bool {
    line.trim().is_empty()
        || line.starts_with('\t')
        || line.starts_with("  ")
        || OF_TRACES.iter().any(|beginning| line.starts_with(beginning))
}

fn is_document(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('{')
        && line.ends_with('}')
        && serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok()
}
