//! The client against recorded replies of real Alertmanagers (see `tests/recorded/README.md`) and, where none of
//! ours answers so, against replies written by hand after the source named next to them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod alerts;
mod failures;
mod silences;
mod status;

use alertmanager::{Alert, Alertmanager, Alerts};
use contract::{Context, Untrusted};
use testkit::recorded::{Recorded, Reply};
use upstream::{Limits, SourceConfig};

const GROUPS: &str = "/api/v2/alerts/groups";
const ALERTS: &str = "/api/v2/alerts";
const SILENCES: &str = "/api/v2/silences";
const STATUS: &str = "/api/v2/status";
const RECEIVERS: &str = "/api/v2/receivers";

/// Alertmanagers whose replies were recorded, from the oldest that is supported.
const VERSIONS: [&str; 3] = ["alertmanager-0.25.0", "alertmanager-0.28.1", "alertmanager-0.34.0"];

fn context() -> Context {
    Context::for_test("2026-11-21T00:45:00Z".parse().unwrap())
}

/// A source called `name`.
fn source(name: &str, url: &str) -> SourceConfig {
    SourceConfig { name: name.to_owned(), url: url.to_owned(), ..SourceConfig::default() }
}

/// An Alertmanager with the replicas `a`, `b` … at these URLs.
fn alertmanager(urls: &[&str]) -> Alertmanager {
    let names = ["a", "b", "c"];
    let sources = names.iter().zip(urls).map(|(name, url)| source(name, url)).collect();
    Alertmanager::new(sources, &Limits::default()).unwrap()
}

/// A replica that gives these replies.
async fn replica(replies: impl IntoIterator<Item = Reply>) -> Recorded {
    let replica = Recorded::start().await;
    for reply in replies {
        replica.reply(reply).await;
    }
    replica
}

/// A recorded reply.
fn file(path: &str, recorded: &str) -> Reply {
    Reply::to("GET", path).file(format!("tests/recorded/{recorded}"))
}

/// The alerts of one replica that answers this to a request for groups.
async fn alerts_of(groups: Reply) -> Alerts {
    let replica = replica([groups]).await;
    alertmanager(&[&replica.url()]).alerts(&context()).await.unwrap()
}

/// A URL where nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// The alert of this name; there must be one.
fn named<'a>(alerts: &'a Alerts, name: &str) -> &'a Alert {
    let mut found = alerts
        .alerts
        .iter()
        .filter(|alert| alert.label("alertname").is_some_and(|text| text.inside() == name));
    let alert = found.next().unwrap();
    assert!(found.next().is_none(), "several alerts are called {name}");
    alert
}

fn texts(texts: &[Untrusted]) -> Vec<&str> {
    texts.iter().map(Untrusted::inside).collect()
}
