//! What is wrong with a snapshot, and where.

use std::fmt;

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
        SnapshotError { file: file.to_owned(), line: None, problem: problem.into() }
    }

    pub(crate) fn line(file: &str, line: u64, problem: impl Into<String>) -> SnapshotError {
        SnapshotError { file: file.to_owned(), line: Some(line), problem: problem.into() }
    }
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
