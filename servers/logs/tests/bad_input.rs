//! Every argument of every tool, wrong in every way: a tool error that says what to change, and nothing reaches
//! the backend.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

#[path = "common/calls.rs"]
mod calls;
mod common;

use serde_json::{Value, json};
use testkit::{mcp::Client, recorded::Recorded};

use calls::good_calls;
use common::{connect_to, elasticsearch_at, source};

/// Two sources, so that there is a choice.
async fn client(backend: &Recorded) -> Client {
    let mut loaded = elasticsearch_at(&backend.url(), "logs-*");
    loaded.config.opensearch.push(source("other", &backend.url()));
    connect_to(&loaded, common::NOW).await
}

#[tokio::test]
async fn every_argument_wrong_in_every_way_is_named_and_never_reaches_the_backend() {
    let backend = Recorded::start().await;
    let client = client(&backend).await;
    let tried = testkit::bad_input::every_argument_is_named(&client, &good_calls()).await;
    assert!(tried > 150, "{tried} cases");
    assert_eq!(backend.requests().len(), 0, "nothing reaches the backend: {:?}", backend.requests());
}

/// What is wrong with a value, and what to give instead.
fn wrong_values() -> Vec<(&'static str, Value, &'static str, &'static str)> {
    let error = "error_query";
    vec![
        (
            "search_logs",
            json!({"query": "*", "time_range": "yesterday"}),
            "time_range",
            "use a duration back from now",
        ),
        ("search_logs", json!({"query": "*", "time_range": "now/now-1h"}), "time_range", "swap the sides"),
        ("search_logs", json!({"query": "*", "time_range": "32d"}), "time_range", "narrow it"),
        ("search_logs", json!({"query": "*", "source": "mian"}), "source", "sources: main, other"),
        ("search_logs", json!({"query": "*", "level": "loud"}), "level", "one of trace, debug"),
        ("search_logs", json!({"query": "*", "limit": 0}), "limit", "between 1 and 100"),
        ("search_logs", json!({"query": "*", "limit": 101}), "limit", "between 1 and 100"),
        ("search_logs", json!({"query": "*", "detail": "all"}), "detail", "expected `concise` or `full`"),
        ("search_logs", json!({}), "query", "missing"),
        ("get_error_patterns", json!({"time_range": "8d"}), "time_range", "narrow it"),
        ("get_error_patterns", json!({"time_range": "1h", "baseline": "30m"}), "baseline", "overlaps"),
        ("get_error_patterns", json!({"limit": 51}), "limit", "between 1 and 50"),
        ("get_error_patterns", json!({"level": "info"}), "level", "expected one of"),
        ("get_log_volume_anomalies", json!({"time_range": "1m"}), "time_range", "too short"),
        ("get_log_volume_anomalies", json!({"time_range": "15d"}), "time_range", "narrow it"),
        ("correlate_logs_with_time", json!({"timestamp": "14:40"}), "timestamp", "RFC 3339"),
        ("correlate_logs_with_time", json!({"timestamp": "2030-01-01T00:00:00Z"}), "timestamp", "after now"),
        (
            "correlate_logs_with_time",
            json!({"timestamp": "now-5m", "delta_minutes": 0}),
            "delta_minutes",
            "1 and 60",
        ),
        (
            "correlate_logs_with_time",
            json!({"timestamp": "now-5m", "delta_minutes": 61}),
            "delta_minutes",
            "1 and 60",
        ),
        ("extract_stack_traces", json!({error: "*", "limit": 51}), "limit", "between 1 and 50"),
        ("extract_stack_traces", json!({"service": "x"}), error, "missing"),
        ("extract_stack_traces", json!({error: "*", "time_range": "8d"}), "time_range", "narrow it"),
        ("list_log_sources", json!({"source": "nowhere"}), "source", "sources: main, other"),
    ]
}

#[tokio::test]
async fn values_outside_the_grammar_say_what_the_grammar_is() {
    let backend = Recorded::start().await;
    let client = client(&backend).await;
    let mut wrong = Vec::new();
    for (tool, arguments, argument, expected) in wrong_values() {
        let reply = client.call(tool, arguments.clone()).await;
        let kind = reply.structured.as_ref().map(|structured| structured["error"]["kind"].clone());
        let says = reply.text.contains(expected) && reply.text.contains(&format!("`{argument}`"));
        if !reply.is_error || !says || kind != Some(json!("invalid_argument")) {
            wrong.push(format!("{tool} {arguments}: expected {expected:?}: {}", reply.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(backend.requests().len(), 0);
}
