//! Reading a recorded incident: a directory of standard formats that stock tools write and the real systems load.
//!
//! ```text
//! snapshot.toml                      id, title, now, window = { start, end }: the only file that must be there
//! metrics/*.om                       OpenMetrics text with timestamps
//! metrics/rules.yml                  Prometheus rules
//! alertmanager/{groups,silences,status}.json   replies of the v2 API
//! logs/*.ndjson                      one JSON document a line
//! logs/*.log                         lines of text, with or without `kubectl logs --timestamps`, `--prefix`
//! ```
//!
//! Files may be compressed (`.gz`, `.zst`). What is unknown is ignored and listed; what is broken is one error that
//! names file and line. Nothing here knows PromQL, MCP or a clock: a snapshot's `now` is in its manifest.

mod check;
mod directory;
mod error;
mod exposition;
mod lines;
mod logs;
mod manifest;
mod moment;
mod openmetrics;
mod rules;

pub use check::CheckLine;
pub use directory::{FoundFile, Kind, Snapshot};
pub use error::SnapshotError;
pub use logs::{LogRecord, holds_documents, subject};
pub use manifest::{Manifest, Window};
pub use moment::{leading_moment, moment};
pub use openmetrics::{Metadata, Recorded, RecordedSeries};
pub use rules::{RecordedGroup, RecordedRule};
