//! A client over memory, connected to the real server over a recorded incident or in front of a given backend.
#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test file uses its part of it")]
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

pub mod small;
pub mod volume;

use std::{path::Path, sync::Arc};

use contract::FixedClock;
use logs_mcp::{Config, LogsConfig};
use runtime::{
    Engine, Loaded,
    settings::{Rate, Rates},
};
use snapshot::Snapshot;
#[allow(unused_imports, reason = "each test file uses its part of it")]
pub use testkit::answer::rows;
use testkit::mcp::{Client, Era};
use tokio_util::sync::CancellationToken;
use upstream::SourceConfig;

/// When recorded incidents of a test end.
pub const NOW: &str = "2026-01-14T15:00:00Z";

/// The server over the recorded incident of a directory, at the recorded `now`.
pub async fn connect(directory: &Path) -> Client {
    let snapshot = Snapshot::open(directory).unwrap();
    let now = snapshot.manifest().now.to_string();
    let loaded = Loaded { snapshot: Some(Arc::new(snapshot)), ..Loaded::default() };
    connect_to(&loaded, &now).await
}

/// The server as set up, at a fixed moment (RFC 3339), for as many calls as a table has. Call ids come from a fixed seed, so
/// that answers are the same bytes each time.
pub async fn connect_to(loaded: &Loaded<Config>, now: &str) -> Client {
    let mut settings = loaded.settings.clone();
    let often = Rate { per_minute: 60_000.try_into().unwrap(), burst: 10_000.try_into().unwrap() };
    settings.rates = Rates { cheap: often, range: often, heavy: often, write: often };
    // A busy machine takes its time to read the demo's logs in a development build.
    settings.limits.call_deadline_seconds = 100;
    let clock = Arc::new(FixedClock(now.parse().unwrap()));
    let server = logs_mcp::server(loaded).unwrap();
    let (engine, _) = Engine::in_memory(server, &settings, clock).unwrap();
    let mut client = Client::over_memory(|reader, writer| async move {
        engine.serve_lines(reader, writer, "tester", CancellationToken::new()).await.unwrap();
    });
    client.connect(Era::Stateless).await;
    client
}

/// A source at `url` with this name.
pub fn source(name: &str, url: &str) -> SourceConfig {
    SourceConfig { name: name.to_owned(), url: url.to_owned(), ..SourceConfig::default() }
}

/// One Elasticsearch, of which these indices are read.
pub fn elasticsearch_at(url: &str, indices: &str) -> Loaded<Config> {
    let logs = LogsConfig { indices: vec![indices.to_owned()], ..LogsConfig::default() };
    let config = Config { elasticsearch: vec![source("main", url)], logs: vec![logs], ..Config::default() };
    Loaded { config, ..Loaded::default() }
}

/// A recorded incident of an hour with these files of logs.
pub fn incident(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = testkit::incident(("2026-01-14T14:00:00Z", NOW), files);
    std::fs::create_dir_all(directory.path().join("logs")).unwrap();
    directory
}
