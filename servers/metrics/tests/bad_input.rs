//! Every argument of every tool, wrong in every way: a tool error that says what to change, and nothing reaches
//! the backend.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/calls.rs"]
mod calls;
mod common;

use runtime::settings::{Rate, Rates};
use serde_json::json;
use testkit::recorded::Recorded;

use calls::good_calls;
use common::{connect, prometheus_at, source};

#[tokio::test]
async fn every_argument_wrong_in_every_way_is_named_and_never_reaches_the_backend() {
    let backend = Recorded::start().await;
    let mut loaded = prometheus_at(&backend.url());
    loaded.config.prometheus.push(source("other", &backend.url()));
    loaded.config.alertmanager.push(source("am", &backend.url()));
    let often = Rate { per_minute: 60_000.try_into().unwrap(), burst: 10_000.try_into().unwrap() };
    loaded.settings.rates = Rates { cheap: often, range: often, heavy: often, write: often };
    let (client, _lines) = connect(&loaded, "2026-01-14T14:32:00Z").await;
    let tried = testkit::bad_input::every_argument_is_named(&client, &good_calls()).await;
    assert!(tried > 60, "{tried} cases");
    assert_eq!(backend.requests().len(), 0, "nothing reaches the backend: {:?}", backend.requests());
}

#[tokio::test]
async fn values_outside_the_grammar_say_what_the_grammar_is() {
    let backend = Recorded::start().await;
    let mut loaded = prometheus_at(&backend.url());
    loaded.config.prometheus.push(source("other", &backend.url()));
    let (client, _lines) = connect(&loaded, "2026-01-14T14:32:00Z").await;
    let cases = [
        (
            "query_metrics",
            json!({"promql": "up", "time_range": "yesterday"}),
            "use a duration back from now such as `30m`",
        ),
        ("query_metrics", json!({"promql": "up", "time_range": "now/now-1h"}), "swap the sides"),
        ("query_metrics", json!({"promql": "up", "time_range": "10000d"}), "narrow it"),
        ("query_metrics", json!({"promql": "up", "time_range": "1h", "step": "fast"}), "is not a duration"),
        ("query_metrics", json!({"promql": "up", "source": "mian"}), "sources: main, other"),
        ("query_metrics", json!({"promql": "up", "detail": "everything"}), "expected `concise` or `full`"),
        ("search_metrics", json!({"text": "up", "source": "nowhere"}), "sources: main, other"),
        (
            "list_firing_alerts",
            json!({"time_range": "tomorrow"}),
            "use a duration back from now such as `30m`",
        ),
    ];
    for (tool, arguments, expected) in cases {
        let reply = client.call(tool, arguments.clone()).await;
        assert!(reply.is_error && reply.text.contains(expected), "{tool} {arguments}: {}", reply.text);
        assert_eq!(reply.structured.unwrap()["error"]["kind"], "invalid_argument", "{tool} {arguments}");
    }
    assert_eq!(backend.requests().len(), 0);
}
