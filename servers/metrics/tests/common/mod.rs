//! A client over memory, connected to the real server in front of a given backend.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of it")]
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::sync::Arc;

use contract::FixedClock;
use metrics_mcp::Config;
use runtime::{Engine, Loaded};
use testkit::mcp::{Client, Era};
use tokio_util::sync::CancellationToken;
use upstream::SourceConfig;

/// A source at `url` with this name.
pub fn source(name: &str, url: &str) -> SourceConfig {
    SourceConfig { name: name.to_owned(), url: url.to_owned(), ..SourceConfig::default() }
}

/// One Prometheus and no Alertmanager, default limits.
pub fn prometheus_at(url: &str) -> Loaded<Config> {
    let config = Config { prometheus: vec![source("main", url)], ..Config::default() };
    Loaded { config, ..Loaded::default() }
}

/// The server as set up, at a fixed moment (RFC 3339), and the audit log behind it. Call ids come from a fixed
/// seed, so that answers are the same bytes each time.
pub async fn connect(loaded: &Loaded<Config>, now: &str) -> (Client, audit::Lines) {
    let clock = Arc::new(FixedClock(now.parse().unwrap()));
    let server = metrics_mcp::server(loaded).unwrap();
    let (engine, lines) = Engine::in_memory(server, &loaded.settings, clock).unwrap();
    let mut client = Client::over_memory(|reader, writer| async move {
        engine.serve_lines(reader, writer, "tester", CancellationToken::new()).await.unwrap();
    });
    client.connect(Era::Stateless).await;
    (client, lines)
}

/// A recorded incident in a directory of its own, with these further files (name, text). `now` and the window's end are
/// the same moment; the window begins 30 days before it.
pub fn incident(now: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
    let end: jiff::Timestamp = now.parse().unwrap();
    let start = end - jiff::SignedDuration::from_hours(30 * 24);
    testkit::incident((&start.to_string(), now), files)
}

/// The server over a recorded incident.
pub fn recorded(directory: &std::path::Path) -> Loaded<Config> {
    let snapshot = snapshot::Snapshot::open(directory).unwrap();
    Loaded { snapshot: Some(Arc::new(snapshot)), ..Loaded::default() }
}
