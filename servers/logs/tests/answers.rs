//! Whole answers of every tool, read before they were kept: as it goes, empty, with all details, and what a bad argument is
//! told. [`world`] says what was logged; each number was checked against the files it writes (`KEEP_WORLD=1` keeps them).
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

#[path = "common/calls.rs"]
mod calls;
mod common;
#[path = "answers/world.rs"]
mod world;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::answer::{both, fits};

/// What is asked, by the name of the golden answer.
fn questions() -> Vec<(&'static str, &'static str, Value)> {
    let nobody = "2026-01-14T11:00:00Z/2026-01-14T12:00:00Z";
    vec![
        ("sources", "list_log_sources", json!({})),
        ("sources_bad", "list_log_sources", json!({"source": "elsewhere"})),
        ("search", "search_logs", json!({"query": "\"pool exhausted\"", "limit": 3})),
        ("search_values", "search_logs", json!({"query": "*", "group_by": "service", "time_range": "30m"})),
        ("search_empty_field", "search_logs", json!({"query": "htpp.status:500"})),
        ("search_empty_window", "search_logs", json!({"query": "*", "time_range": nobody})),
        ("search_empty_service", "search_logs", json!({"query": "pool", "service": "paymnt"})),
        (
            "search_full",
            "search_logs",
            json!({"query": "exhausted", "level": "error", "limit": 2, "detail": "full"}),
        ),
        ("search_bad", "search_logs", json!({"query": "status:[1 TO", "time_range": "20m"})),
        ("patterns", "get_error_patterns", json!({"time_range": "20m"})),
        ("patterns_empty_service", "get_error_patterns", json!({"service": "paymnt"})),
        ("patterns_empty_window", "get_error_patterns", json!({"time_range": nobody})),
        (
            "patterns_full",
            "get_error_patterns",
            json!({"service": "payment", "time_range": "20m", "detail": "full"}),
        ),
        ("patterns_bad", "get_error_patterns", json!({"time_range": "1h", "baseline": "30m"})),
        ("volume", "get_log_volume_anomalies", json!({"time_range": "30m"})),
        ("volume_empty", "get_log_volume_anomalies", json!({"time_range": nobody})),
        (
            "volume_full",
            "get_log_volume_anomalies",
            json!({"service": "web", "time_range": "30m", "detail": "full"}),
        ),
        ("volume_bad", "get_log_volume_anomalies", json!({"time_range": "2m"})),
        ("moment", "correlate_logs_with_time", json!({"timestamp": "2026-01-14T14:40:00Z"})),
        ("moment_empty", "correlate_logs_with_time", json!({"timestamp": "2026-01-14T11:30:00Z"})),
        (
            "moment_full",
            "correlate_logs_with_time",
            json!({"timestamp": "2026-01-14T14:40:00Z", "delta_minutes": 2, "detail": "full"}),
        ),
        ("moment_bad", "correlate_logs_with_time", json!({"timestamp": "14:40"})),
        ("traces", "extract_stack_traces", json!({"error_query": "*"})),
        ("traces_empty", "extract_stack_traces", json!({"error_query": "exhausted"})),
        ("traces_full", "extract_stack_traces", json!({"error_query": "reserve", "detail": "full"})),
        ("traces_bad", "extract_stack_traces", json!({"error_query": "a OR OR b"})),
    ]
}

#[tokio::test]
async fn golden_answers_of_every_tool() {
    let directory = world::write();
    let client = common::connect(directory.path()).await;
    let asked: BTreeSet<&str> = questions().into_iter().map(|(_, tool, _)| tool).collect();
    assert_eq!(asked.into_iter().collect::<Vec<_>>(), calls::TOOLS, "every tool");
    let mut different = Vec::new();
    for (name, tool, arguments) in questions() {
        let reply = client.call(tool, arguments.clone()).await;
        assert_eq!(reply.is_error, name.ends_with("_bad"), "{name}: {}", reply.text);
        fits(&reply, if arguments["detail"] == "full" { 24_000 } else { 8_000 });
        // Both forms of an answer as it goes; of the others the text, which has the same facts.
        let text = if name.contains('_') { reply.text.clone() } else { both(&reply) };
        // All that changed are told, not only the first.
        let kept = std::panic::catch_unwind(|| {
            insta::with_settings!({description => format!("{tool} {arguments}"), omit_expression => true}, {
                insta::assert_snapshot!(name, text);
            });
        });
        different.extend(kept.is_err().then_some(name));
    }
    if std::env::var_os("KEEP_WORLD").is_some() {
        eprintln!("{}", directory.keep().display());
    }
    assert!(different.is_empty(), "{different:?}");
}
