//! What a log says about the use of a server: calls by tool, caller and outcome, how long they took, how much they told.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use serde::Serialize;

use crate::record::{Outcome, Record};
use crate::verify::lines::{Advance, LineReader};
use crate::verify::{READ_BYTES, files};

/// The calls of a log, added up.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// All calls.
    pub all: Use,
    /// By the tool's name as it was called.
    pub tools: BTreeMap<String, Use>,
    /// By who called.
    pub principals: BTreeMap<String, Use>,
    /// When the first of these calls began: RFC 3339, UTC, milliseconds.
    pub first: Option<String>,
    /// When the last of them began.
    pub last: Option<String>,
    /// Lines that are no records of calls of this version: the log's own, and what a later release wrote.
    pub other_lines: u64,
}

/// Calls added up.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Use {
    /// How many.
    pub calls: u64,
    /// How they ended.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Bytes of their answers.
    pub bytes_out: u64,
    /// Requests to other systems.
    pub upstream_requests: u64,
    /// Bytes read from other systems.
    pub upstream_bytes: u64,
    /// Values masked in their answers.
    pub masked: u64,
    /// Median duration in milliseconds (nearest rank).
    pub p50_ms: f64,
    /// 95th percentile of the durations in milliseconds (nearest rank).
    pub p95_ms: f64,
    #[serde(skip)]
    durations: Vec<f32>,
}

/// Adds up the calls of a file, or of all logs in a directory. Whether the log is as it was written is for
/// [`crate::verify`] to say.
///
/// # Errors
/// When a file can't be read.
pub fn summarize(path: &Path) -> io::Result<Summary> {
    let mut summary = Summary::default();
    for file in files(path)? {
        let mut lines = LineReader::new(BufReader::with_capacity(READ_BYTES, File::open(file)?));
        while let Advance::Line = lines.advance()? {
            summary.line(lines.line());
        }
    }
    summary.finish();
    Ok(summary)
}

impl Summary {
    fn line(&mut self, line: &[u8]) {
        let Ok(record) = serde_json::from_slice::<Record>(line) else {
            self.other_lines += 1;
            return;
        };
        // All are written alike, so their order as text is that of time.
        let time = format!("{:.3}", record.time);
        if self.first.as_ref().is_none_or(|first| time < *first) {
            self.first = Some(time.clone());
        }
        if self.last.as_ref().is_none_or(|last| time > *last) {
            self.last = Some(time);
        }
        self.all.add(&record);
        self.tools.entry(record.tool.clone()).or_default().add(&record);
        self.principals.entry(record.principal.clone()).or_default().add(&record);
    }

    fn finish(&mut self) {
        let parts = self.tools.values_mut().chain(self.principals.values_mut());
        parts.chain([&mut self.all]).for_each(Use::finish);
    }
}

impl Use {
    fn add(&mut self, record: &Record) {
        self.calls += 1;
        *self.outcomes.entry(record.outcome).or_default() += 1;
        self.bytes_out += record.bytes_out;
        self.upstream_requests += record.upstream.len() as u64;
        self.upstream_bytes += record.upstream.iter().map(|call| call.bytes).sum::<u64>();
        self.masked += record.masked;
        self.durations.push(record.duration_ms as f32);
    }

    fn finish(&mut self) {
        self.durations.sort_by(f32::total_cmp);
        self.p50_ms = nearest_rank(&self.durations, 50);
        self.p95_ms = nearest_rank(&self.durations, 95);
        self.durations = Vec::new();
    }
}

/// The smallest value that at least `percent` of all are not above; 0 of none.
fn nearest_rank(sorted: &[f32], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().map_or(0.0, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let hundred: Vec<f32> = (1..=100_u8).map(f32::from).collect();
        for (values, percent, expected) in [
            (&hundred[..], 50, 50.0),
            (&hundred[..], 95, 95.0),
            (&hundred[..1], 95, 1.0),
            (&hundred[..3], 50, 2.0),
            (&[], 50, 0.0),
        ] {
            assert!(
                (nearest_rank(values, percent) - expected).abs() < f64::EPSILON,
                "{percent} of {values:?}"
            );
        }
    }
}
