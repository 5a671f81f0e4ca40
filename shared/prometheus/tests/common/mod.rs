//! What the tests share: a client of a fake, and recorded replies.
#![allow(dead_code, reason = "not every test file uses everything")]

use contract::Context;
use jiff::Timestamp;
use prometheus::Prometheus;
use testkit::recorded::{Recorded, Reply};
use upstream::{Limits, SourceConfig};

/// A client of the system at `url` that tries everything once.
pub(crate) fn client(url: &str) -> Prometheus {
    client_with(url, Limits { max_retries: 0, ..Limits::default() })
}

pub(crate) fn client_with(url: &str, limits: Limits) -> Prometheus {
    Prometheus::new(SourceConfig { url: url.to_owned(), ..SourceConfig::default() }, limits).unwrap()
}

pub(crate) fn cx() -> Context {
    Context::for_test("2026-11-21T00:27:00Z".parse().unwrap())
}

/// A moment as in the recordings.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// A fake that answers every request to one endpoint alike.
pub(crate) async fn fake(
    method: &str,
    path: &str,
    status: u16,
    content_type: &str,
    body: &[u8],
) -> (Recorded, Prometheus) {
    let backend = Recorded::start().await;
    backend.reply(Reply::to(method, path).status(status).content_type(content_type).bytes(body)).await;
    let client = client(&backend.url());
    (backend, client)
}

/// A fake that answers every request to one endpoint with a recorded reply.
pub(crate) async fn replay(method: &str, path: &str, file: &str) -> (Recorded, Prometheus) {
    fake(method, path, 200, "application/json", &recorded(file)).await
}

pub(crate) fn recorded(file: &str) -> Vec<u8> {
    let path = format!("{}/tests/recorded/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("failed to read {path}: {error}"))
}
