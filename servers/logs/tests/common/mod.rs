//! A client over memory, connected to the real server over a recorded incident.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

use std::{path::Path, sync::Arc};

use contract::FixedClock;
use logs_mcp::Config;
use runtime::{Engine, Loaded};
use serde_json::Value;
use snapshot::Snapshot;
use testkit::mcp::{Client, Era, ToolReply};
use tokio_util::sync::CancellationToken;

/// The server over the recorded incident of a directory, at the recorded `now`.
pub async fn connect(directory: &Path) -> Client {
    let snapshot = Snapshot::open(directory).unwrap();
    let clock = Arc::new(FixedClock(snapshot.manifest().now));
    let loaded: Loaded<Config> = Loaded { snapshot: Some(Arc::new(snapshot)), ..Loaded::default() };
    let server = logs_mcp::server(&loaded).unwrap();
    let (engine, _) = Engine::in_memory(server, &loaded.settings, clock).unwrap();
    let (here, there) = tokio::io::duplex(1 << 20);
    let (their_reader, their_writer) = tokio::io::split(there);
    let (reader, writer) = tokio::io::split(here);
    tokio::task::spawn(async move {
        engine.serve_lines(their_reader, their_writer, "tester", CancellationToken::new()).await.unwrap();
    });
    let mut client = Client::over(reader, writer);
    client.connect(Era::Stateless).await;
    client
}

/// A recorded incident of an hour with these files of logs.
pub fn incident(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let manifest = "id = \"test\"\ntitle = \"A test\"\nnow = \"2026-01-14T15:00:00Z\"\n\
                    window = { start = \"2026-01-14T14:00:00Z\", end = \"2026-01-14T15:00:00Z\" }\n";
    std::fs::create_dir_all(directory.path().join("logs")).unwrap();
    std::fs::write(directory.path().join("snapshot.toml"), manifest).unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// The rows of a table of the structured answer.
pub fn rows(reply: &ToolReply, title: &str) -> Vec<Vec<Value>> {
    let structured = reply.structured.as_ref().unwrap_or_else(|| panic!("{}", reply.text));
    let tables = structured["tables"].as_array().unwrap_or_else(|| panic!("{}", reply.text));
    let table =
        tables.iter().find(|table| table["title"] == title).unwrap_or_else(|| panic!("{}", reply.text));
    table["rows"].as_array().unwrap().iter().map(|row| row.as_array().unwrap().clone()).collect()
}
