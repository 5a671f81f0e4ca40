//! What is wrong with a snapshot, and where.

use std::fmt;

/// Characters of a problem, or of a file's name.
const LONGEST: usize = 300;

/// One fault of one file. `Display` reads `metrics/checkout.om line 12: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotError {
    /// The file, relative to the snapshot's directory.
    pub file: String,
    /// The line, counted from 1, where there is one.
    pub line: Option<u64>,
    /// What is wrong and what to change.
    pub problem: String,
}

impl SnapshotError {
    pub(crate) fn file(file: &str, problem: impl Into<String>) -> SnapshotError {
        SnapshotError { file: short(file), line: None, problem: short(&problem.into()) }
    }

    pub(crate) fn line(file: &str, line: u64, problem: impl Into<String>) -> SnapshotError {
        SnapshotError { file: short(file), line: Some(line), problem: short(&problem.into()) }
    }
}

/// One line of bounded length: parsers quote what they could not read, however much of it there is.
fn short(text: &str) -> String {
    let mut shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = shown.clone().take(LONGEST).collect();
    if shown.nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{} line {line}: {}", self.file, self.problem),
            None => write!(f, "{}: {}", self.file, self.problem),
        }
    }
}

impl std::error::Error for SnapshotError {}
