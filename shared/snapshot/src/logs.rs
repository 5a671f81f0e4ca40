//! `logs/`: JSON documents, one a line, and lines of text as programs, container runtimes and `kubectl logs` write them.
//!
//! In a file of text a record begins at a line that has a time of its own, and the lines after it that have none (stack
//! traces) belong to it. In a file without any time each line is a record, but for indented ones and the other lines of a
//! stack trace.

mod prefix;
mod text;

use std::io::BufRead;

use jiff::Timestamp;

use crate::{SnapshotError, directory::plain_name, lines::Lines};

/// One record of a file of logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord<'a> {
    /// The file, relative to the snapshot's directory.
    pub file: &'a str,
    /// The line it begins at, counted from 1.
    pub line: u64,
    /// A JSON object, or the text of its lines.
    pub text: &'a str,
    /// Whether it is a JSON object.
    pub is_document: bool,
    /// When it happened, if the line says so; of a document only what the container runtime put before it.
    pub at: Option<Timestamp>,
    /// The pod and container that `kubectl logs --prefix` names.
    pub origin: Option<(&'a str, &'a str)>,
}

/// How a file of logs is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Documents,
    Text,
}

/// What takes records; it may refuse one with a reason.
pub(crate) type Take<'t> = &'t mut dyn FnMut(&LogRecord<'_>) -> Result<(), String>;

/// How a file of this name is written; `None` when it is no file of logs.
pub(crate) fn form(name: &str) -> Option<Form> {
    match name.rsplit_once('.')?.1 {
        "ndjson" | "jsonl" => Some(Form::Documents),
        "log" | "txt" => Some(Form::Text),
        _ => None,
    }
}

/// Whether a file holds JSON documents, one a line, by its name.
#[must_use]
pub fn holds_documents(file: &str) -> bool {
    form(plain_name(file)) == Some(Form::Documents)
}

/// Whose logs a file holds, by its name: `logs/payment.log.gz` those of `payment`. Of a pod's name the hashes of its
/// replica set and of itself are left out.
#[must_use]
pub fn subject(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    let name = plain_name(name);
    let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
    without_hashes(name)
}

/// `payment-6d9f8c7b54-x2x4p` is `payment`.
fn without_hashes(name: &str) -> &str {
    let is_hash = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && text.bytes().any(|byte| byte.is_ascii_digit())
    };
    let of_pod = name
        .rsplit_once('-')
        .filter(|(_, own)| own.len() == 5 && own.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let Some((rest, _)) = of_pod else { return name };
    match rest.rsplit_once('-') {
        Some((workload, hash)) if is_hash(hash, 8..=10) => workload,
        _ => name,
    }
}

/// Reads one file.
pub(crate) fn read<R: BufRead>(
    file: &str,
    reader: R,
    now: Timestamp,
    take: Take<'_>,
) -> Result<(), SnapshotError> {
    if holds_documents(file) { documents(file, reader, take) } else { text::read(file, reader, now, take) }
}

fn documents<R: BufRead>(file: &str, reader: R, take: Take<'_>) -> Result<(), SnapshotError> {
    let mut lines = Lines::new(file, reader);
    while let Some((line, text)) = lines.next()? {
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let record = LogRecord { file, line, text, is_document: true, at: None, origin: None };
        let taken =
            if text.starts_with('{') { take(&record) } else { Err("is not a JSON object".to_owned()) };
        taken.map_err(|problem| SnapshotError::line(file, line, problem))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
