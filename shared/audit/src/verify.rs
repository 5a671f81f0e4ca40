//! Reading a log back: is every record what was written, where it was written?

mod diagnosis;
pub(crate) mod lines;
mod walk;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::chain::Position;
use crate::directory::{is_same_file, parse_name};
use crate::key::Key;
use lines::LineReader;
use walk::Walk;

pub(crate) const READ_BYTES: usize = 1024 * 1024;

/// What a verified log contains.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Records of calls.
    pub records: u64,
    /// Control records.
    pub controls: u64,
    /// Files read.
    pub files: u64,
    /// Chains that begin here: one for each file name without `.from-…`, one for each process on a stream.
    pub segments: u64,
    /// The first record read.
    pub first: Option<Mark>,
    /// The last record read. Note it elsewhere: nothing else shows that the end is missing.
    pub last: Option<Mark>,
    /// Bytes after the last newline: a record being written, or torn by the death of its process.
    pub torn_tail_bytes: u64,
    /// Bytes of torn records that restarts cut off.
    pub dropped_bytes: u64,
    /// Records that were lost while the sink did not work.
    pub lost_records: u64,
    /// Rotated files that come before the first one read, and were not given.
    pub earlier_files: Vec<String>,
}

/// A record's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// Its position in the chain.
    pub sequence: u64,
    /// As it stands in the record.
    pub time: String,
    /// Hexadecimal.
    pub mac: String,
}

/// A record that somebody noted earlier, and that must still be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Its position in the chain.
    pub sequence: u64,
    /// Hexadecimal.
    pub mac: String,
}

/// Why a log can't be trusted, at the first place where it can't.
#[derive(Debug, thiserror::Error)]
#[error("verify {}line {line}: {what}", file.as_ref().map(|file| format!("{}, ", file.display())).unwrap_or_default())]
pub struct VerifyError {
    /// Which file; `None` for a reader.
    pub file: Option<PathBuf>,
    /// Which line, counted from 1; 0 if none could be read.
    pub line: u64,
    /// What is wrong there. Everything before it is as it was written.
    pub what: Flaw,
}

/// What can be wrong with a line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    /// It does not have the form of a record.
    #[error("is not an audit record of version 1")]
    NotARecord,
    /// Its content, or its mac, is not what was written.
    #[error("record {sequence} was modified, or forged")]
    Modified {
        /// What it should be.
        sequence: u64,
    },
    /// Neither the first nor the second line verifies.
    #[error(
        "does not verify with this key, nor does the next: it was written with another, or both were changed"
    )]
    WrongKey,
    /// Records are not there.
    #[error("records {from} to {to} are missing before this one (or its sequence number was changed)")]
    Missing {
        /// First missing.
        from: u64,
        /// Last missing.
        to: u64,
    },
    /// A record stands further down.
    #[error("record {expected} should be here, and is in line {found_in_line}")]
    OutOfOrder {
        /// Which record.
        expected: u64,
        /// Where it is.
        found_in_line: u64,
    },
    /// There was a record of this sequence before.
    #[error("record {sequence} is here a second time (or its sequence number was changed)")]
    Repeated {
        /// Which record.
        sequence: u64,
    },
    /// The lines before and after it fit together without it.
    #[error("record {sequence} was inserted")]
    Inserted {
        /// What it calls itself.
        sequence: u64,
    },
    /// The file begins in the middle.
    #[error("is not the beginning of a file: what came before is missing")]
    BeginningMissing,
    /// A rotated file is not the one this goes on from.
    #[error("does not go on from the file before it: a file, or the end of one, is missing")]
    Unlinked,
    /// A record noted earlier is not there.
    #[error("the noted record {sequence} is not here: the end was cut off, or the log replaced")]
    NotedMissing {
        /// Which record.
        sequence: u64,
    },
}

/// Check a file, or all `*.jsonl` files of a directory: rotated files must then go on from each other without a gap.
/// Only a torn end is tolerated. With `noted`, that record must be there as well.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(path: &Path, key: &Key, noted: Option<&Noted>) -> Result<Report, VerifyError> {
    let mut walk = Walk::new(key, noted);
    if !path.is_dir() {
        let end = verify_file(&mut walk, path, None)?;
        return walk.finish().map_err(|what| VerifyError::new(path, end.lines, what));
    }
    let files = files_in_order(path).map_err(|error| VerifyError::new(path, 0, Flaw::Unreadable(error)))?;
    let mut ends: BTreeMap<String, Position> = BTreeMap::new();
    for (stem, file) in files {
        let end = verify_file(&mut walk, &file, ends.get(&stem).copied())?;
        ends.extend(end.at.map(|at| (stem, at)));
    }
    walk.finish().map_err(|what| VerifyError::new(path, 0, what))
}

/// Check what a reader gives, such as the standard output of a server that was collected. Where a process was killed,
/// give the output of one process at a time: a torn line is only tolerated at the end.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify_reader(reader: impl BufRead, key: &Key, noted: Option<&Noted>) -> Result<Report, VerifyError> {
    let mut walk = Walk::new(key, noted);
    let mut lines = LineReader::new(reader);
    let checked = walk.chain(&mut lines, None).and_then(|_| walk.finish());
    checked.map_err(|what| VerifyError { file: None, line: lines.number(), what })
}

/// How a file ended.
struct End {
    at: Option<Position>,
    lines: u64,
}

fn verify_file(walk: &mut Walk, path: &Path, before: Option<Position>) -> Result<End, VerifyError> {
    let file = File::open(path).map_err(|error| VerifyError::new(path, 0, Flaw::Unreadable(error)))?;
    let mut lines = LineReader::new(BufReader::with_capacity(READ_BYTES, file));
    match walk.chain(&mut lines, before) {
        Ok(at) => Ok(End { at, lines: lines.number() }),
        Err(what) => Err(VerifyError::new(path, lines.number(), what)),
    }
}

impl VerifyError {
    fn new(file: &Path, line: u64, what: Flaw) -> Self {
        Self { file: Some(file.to_owned()), line, what }
    }
}

/// The file, or the logs of the directory, in the order of their chains.
pub(crate) fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    Ok(files_in_order(path)?.into_iter().map(|(_, file)| file).collect())
}

/// The logs in a directory by stem, each in the order of its chain. A file in the middle of rotation has two names,
/// and is read once.
fn files_in_order(directory: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some((stem, first)) = parse_name(&name) {
            files.push((stem.to_owned(), first.unwrap_or(u64::MAX), path.clone()));
        }
    }
    files.sort();
    let mut kept: Vec<(String, PathBuf)> = Vec::new();
    for (stem, _, path) in files {
        let is_other_name = match kept.last() {
            Some((_, before)) if cfg!(unix) => is_same_file(&fs::metadata(before)?, &fs::metadata(&path)?),
            Some(_) | None => false,
        };
        if !is_other_name {
            kept.push((stem, path));
        }
    }
    Ok(kept)
}
