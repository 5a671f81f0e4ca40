//! The end of an existing file: where its chain stands, and what of it a killed process left unfinished.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use serde::de::IgnoredAny;

use crate::chain::{Line, Position, Sealer, chain_start};

const FIRST_GUESS_BYTES: u64 = 64 * 1024;
/// The last line, the one before it if the last is torn, the one before that for its mac; and a newline before them.
const NEWLINES_NEEDED: usize = 4;

/// How a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Its last whole record; `None` if there is none.
    pub(crate) last: Option<Position>,
    /// Sequence number of its first record; 0 if there is none.
    pub(crate) first_sequence: u64,
    /// Bytes up to the end of the last whole record.
    pub(crate) kept_bytes: u64,
    /// Bytes after that.
    pub(crate) torn_bytes: u64,
}

/// Why a file cannot be continued.
#[derive(Debug)]
pub(crate) enum TailError {
    /// It cannot be read.
    Io(io::Error),
    /// It can, and this is wrong with it.
    Wrong(&'static str),
}

impl From<io::Error> for TailError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Read the end of a file and check that its last record follows the one before it. Only the end, because a start
/// must not take longer when there is more history; [`crate::verify()`] reads all.
pub(crate) fn read_tail(file: &mut File, sealer: &Sealer) -> Result<Tail, TailError> {
    let length = file.metadata()?.len();
    let region = last_lines(file, length)?;
    let whole = region.iter().rposition(|byte| *byte == b'\n').map_or(0, |last_newline| last_newline + 1);
    let mut lines = region.get(..whole).unwrap_or_default().split_inclusive(|byte| *byte == b'\n').rev();

    let mut torn_bytes = region.len() - whole;
    let mut last = lines.next();
    if let Some(unreadable) = last.filter(|line| !is_readable(line)) {
        torn_bytes += unreadable.len();
        last = lines.next();
    }
    let torn_bytes = torn_bytes as u64;
    let kept_bytes = length - torn_bytes;
    let Some(last) = last else {
        return Ok(Tail { last: None, first_sequence: 0, kept_bytes, torn_bytes });
    };
    let position = checked_position(last, lines.next(), sealer).map_err(TailError::Wrong)?;
    Ok(Tail { last: Some(position), first_sequence: first_sequence(file)?, kept_bytes, torn_bytes })
}

fn checked_position(last: &[u8], before: Option<&[u8]>, sealer: &Sealer) -> Result<Position, &'static str> {
    let line = Line::parse(without_newline(last)).ok_or("more than its last line is not a record")?;
    let base = match before {
        Some(before) => {
            Line::parse(without_newline(before)).ok_or("its last but one line is not a record")?.mac
        }
        None => chain_start(without_newline(last)).ok_or("its beginning is missing")?.base,
    };
    if !line.follows(&base, sealer) {
        return Err("its last record does not verify with this key");
    }
    Ok(line.position())
}

fn first_sequence(file: &mut File) -> Result<u64, TailError> {
    file.seek(SeekFrom::Start(0))?;
    let mut first = Vec::new();
    BufReader::new(file).read_until(b'\n', &mut first)?;
    let line =
        Line::parse(without_newline(&first)).ok_or(TailError::Wrong("its first line is not a record"))?;
    Ok(line.sequence)
}

/// So much of the end of a file that it holds [`NEWLINES_NEEDED`], or all of it.
fn last_lines(file: &mut File, length: u64) -> io::Result<Vec<u8>> {
    let mut wanted = FIRST_GUESS_BYTES;
    loop {
        let start = length.saturating_sub(wanted);
        let mut region = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.by_ref().take(length - start).read_to_end(&mut region)?;
        if region.len() as u64 != length - start {
            return Err(io::Error::other("the file changed while it was read"));
        }
        let newlines = region.iter().filter(|byte| **byte == b'\n').count();
        if start == 0 || newlines >= NEWLINES_NEEDED {
            return Ok(region);
        }
        wanted *= 2;
    }
}

fn is_readable(line: &[u8]) -> bool {
    let line = without_newline(line);
    Line::parse(line).is_some() && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}

fn without_newline(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}
