//! The backend over replies that real clusters gave to exactly these requests, and over clusters that are unwell.

mod answers;
mod faults;

mod live;
mod memory;
mod recorded;

use std::path::PathBuf;

use contract::{Context, Intake, TimeRange};
use jiff::Timestamp;
use redact::{Redactor, RedactorConfig, Vault};
use serde_json::Value;
use testkit::recorded::{Recorded, Reply as Canned, Seen};
use upstream::{Limits, SourceConfig};

use super::*;

/// The clusters that were asked.
const SYSTEMS: [&str; 3] = ["elasticsearch-7.17", "elasticsearch-8.19", "opensearch-2.19"];

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/elastic")
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The ten minutes of the recorded documents.
fn window() -> TimeRange {
    TimeRange::new(at("2026-01-14T14:00:00Z"), at("2026-01-14T14:10:00Z")).unwrap()
}

fn search(conditions: Vec<Condition>) -> Search {
    Search { window: window(), text: None, conditions }
}

fn cx() -> Context {
    let redactor = Redactor::new(RedactorConfig { key: [7; 32], enabled: true });
    let intake = Intake::new(redactor).remembering(Vault::new(), "anna".to_owned());
    Context { intake, ..Context::for_test(at("2026-01-14T14:10:00Z")) }
}

/// A call with time for many questions.
fn long_cx() -> Context {
    let deadline = std::time::Instant::now() + Duration::from_secs(600);
    Context { deadline, ..cx() }
}

fn store_at(url: String, indices: &[&str]) -> Elastic {
    let source = SourceConfig { url, ..SourceConfig::default() };
    let logs = LogsConfig {
        indices: indices.iter().map(|name| (*name).to_owned()).collect(),
        ..LogsConfig::default()
    };
    Elastic::new(Kind::Elasticsearch, source, &logs, Limits { max_retries: 0, ..Limits::default() }).unwrap()
}

/// A store before a cluster that gives these replies, by method and path and in this order.
struct Fake {
    backend: Recorded,
    store: Elastic,
    cx: Context,
    /// Names of the requests that are to be made.
    names: Vec<String>,
}

impl Fake {
    async fn new(replies: Vec<Canned>) -> Fake {
        let backend = Recorded::start().await;
        for reply in replies {
            backend.reply(reply).await;
        }
        let store = store_at(backend.url(), &["logs-*"]);
        Fake { backend, store, cx: cx(), names: Vec::new() }
    }

    /// Over what a system answered: to the questions for the mapping, then to these.
    async fn over(system: &str, names: &[&str]) -> Fake {
        Fake::over_all(system, &[&["fields", "first", "recent", "each_index"], names].concat()).await
    }

    async fn over_all(system: &str, names: &[&str]) -> Fake {
        let reply = |name: &&str| status_of(name, to(name).text(&reply_of(system, name)).at_most(1));
        let mut fake = Fake::new(names.iter().map(reply).collect()).await;
        fake.names = names.iter().map(|name| (*name).to_owned()).collect();
        fake
    }

    /// The requests were those whose replies were recorded.
    fn asked(&self) {
        let seen = self.backend.requests();
        for (seen, name) in seen.iter().zip(&self.names) {
            let path = directory().join("requests").join(name);
            assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), written(seen), "{name}");
        }
        assert_eq!(seen.len(), self.names.len());
    }
}

/// With `UPDATE_REQUESTS=1` the requests become those whose replies `record.sh` records.
impl Drop for Fake {
    fn drop(&mut self) {
        if std::env::var_os("UPDATE_REQUESTS").is_none() {
            return;
        }
        let requests = directory().join("requests");
        std::fs::create_dir_all(&requests).unwrap();
        for (seen, name) in self.backend.requests().iter().zip(&self.names) {
            std::fs::write(requests.join(name), written(seen)).unwrap();
        }
    }
}

/// What a system answered to the request of this name; while requests are updated, which is before they are recorded, an
/// answer without anything in it.
fn reply_of(system: &str, name: &str) -> String {
    let path = directory().join(system).join(format!("{name}.json"));
    match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(_) if std::env::var_os("UPDATE_REQUESTS").is_some() => {
            r#"{"_shards":{"total":1},"hits":{"hits":[]}}"#.to_owned()
        }
        Err(error) => panic!("no reply is recorded in {}: {error}", path.display()),
    }
}

#[test]
#[should_panic(expected = "no reply is recorded")]
fn a_reply_that_was_never_recorded_is_no_empty_one() {
    reply_of(SYSTEMS[0], "nothing");
}

fn status_of(name: &str, reply: Canned) -> Canned {
    if name == "syntax" { reply.status(400) } else { reply }
}

/// A reply to the request of this name.
fn to(name: &str) -> Canned {
    match name {
        "fields" => Canned::to("GET", "/logs-*/_field_caps"),
        "resolve" => Canned::to("GET", "/_resolve/index/logs-*"),
        "cat" => Canned::to("GET", "/_cat/indices/logs-*"),
        "slices" => Canned::to("POST", "/logs-*/_msearch"),
        _ => Canned::to("POST", "/logs-*/_search"),
    }
}

/// Method and path, then the body, without what differs from run to run.
fn written(seen: &Seen) -> String {
    let query: Vec<String> = seen.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sent = String::from_utf8_lossy(&seen.body);
    let lines = sent.lines().map(|line| {
        let mut body: Value = serde_json::from_str(line).unwrap();
        if let Some(timeout) = body.get_mut("timeout") {
            assert!(timeout.as_str().unwrap().ends_with("ms"));
            *timeout = json!("10s");
        }
        format!("{body}\n")
    });
    format!("{} {}?{}\n{}", seen.method, seen.path, query.join("&"), lines.collect::<String>())
}
