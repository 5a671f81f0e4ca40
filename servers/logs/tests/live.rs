//! The server in front of real clusters of the testbed: OpenSearch 2.19, Elasticsearch 8.19 and 7.17.
//! `cargo xtask test-live` runs these tests.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

#[path = "live/answer.rs"]
mod answer;
#[path = "live/cluster.rs"]
mod cluster;
mod common;
#[path = "live/findings.rs"]
mod findings;
#[path = "live/lines.rs"]
mod lines;
#[path = "live/mappings.rs"]
mod mappings;
#[path = "live/names.rs"]
mod names;
#[path = "live/reader.rs"]
mod reader;
#[path = "live/shipped.rs"]
mod shipped;
#[path = "live/unwell.rs"]
mod unwell;
