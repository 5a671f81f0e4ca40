//! Every call leaves exactly one closed audit record, whatever its outcome: a table over tools × outcomes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod fixture;

use std::time::Duration;

use serde_json::{Value, json};
use testkit::mcp::Era;

use fixture::{client, settings};

/// The records of calls (not of the log itself) in the order in which the calls ended.
fn calls(lines: &audit::Lines) -> Vec<Value> {
    let records =
        lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
    records.into_iter().filter(|record| record.get("event").is_none()).collect()
}

#[tokio::test]
async fn every_outcome_of_every_tool_leaves_exactly_one_record() {
    let outcomes = [
        (json!({}), "ok", "allow"),
        (json!({"detail": "full"}), "ok", "allow"),
        (json!({"end": "upstream"}), "upstream_error", "allow"),
        (json!({"end": "never"}), "timeout", "allow"),
        (json!({"end": "panic"}), "panic", "allow"),
        (json!({"ende": "well"}), "invalid", "allow"),
        (json!({"end": 5}), "invalid", "allow"),
    ];
    for era in [Era::Handshake, Era::Stateless] {
        for tool in ["look", "range", "dig"] {
            let settings = settings(1);
            let (mut client, lines) = client(&settings);
            client.connect(era).await;
            for (place, (arguments, outcome, decision)) in outcomes.iter().enumerate() {
                let reply = client.call(tool, arguments.clone()).await;
                assert_eq!(reply.is_error, *outcome != "ok", "{tool} {arguments}");
                let records = calls(&lines);
                assert_eq!(records.len(), place + 1, "{tool} {arguments}: one record a call");
                let record = records.last().unwrap();
                assert_eq!(record["outcome"], *outcome, "{tool} {arguments}");
                assert_eq!(record["decision"], *decision);
                assert_eq!(record["tool"], tool);
                assert_eq!(record["principal"], "tester");
                assert_eq!(record["transport"], "stdio");
                let structured = reply.structured.unwrap();
                assert_eq!(structured["call_id"], record["call_id"], "the answer's id finds the record");
                assert!(reply.text.ends_with(&format!("call {}", record["call_id"].as_str().unwrap())));
                assert!(!reply.text.contains("hunter2") && !structured.to_string().contains("hunter2"));
            }
        }
    }
}

#[tokio::test]
async fn refused_limited_cancelled_and_unknown_calls_are_recorded_too() {
    let (mut client, lines) = client(&settings(5));
    client.connect(Era::Stateless).await;

    let refused = client.call("secret", json!({})).await;
    assert!(refused.is_error && refused.text.contains("lacks the scope `fixture:admin`"), "{}", refused.text);

    let unknown = client.request("tools/call", json!({"name": "lok", "arguments": {}})).await;
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    assert!(unknown["error"]["message"].as_str().unwrap().contains("nearest: look"), "{unknown}");

    let pending = client.begin_call("look", json!({"end": "never"})).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.notify_cancelled(pending.id()).await;
    tokio::time::sleep(Duration::from_millis(100)).await;

    for _ in 0..10 {
        assert!(!client.call("dig", json!({})).await.is_error, "within the burst of ten");
    }
    let limited = client.call("dig", json!({})).await;
    let wait = limited.structured.as_ref().unwrap()["error"]["retry_after_seconds"].as_u64().unwrap();
    assert!((1..=3).contains(&wait), "one every three seconds: {wait}");

    let records = calls(&lines);
    let outcomes: Vec<&str> = records.iter().map(|record| record["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes[..3], ["refused", "invalid", "cancelled"]);
    assert_eq!(outcomes[13..], ["limited"]);
    let rules: Vec<&str> = records.iter().map(|record| record["rule"].as_str().unwrap()).collect();
    assert_eq!((rules[0], rules[1], rules[13]), ("scope", "unknown tool", "rate"));
    assert_eq!((&records[0]["decision"], &records[13]["decision"]), (&json!("refuse"), &json!("refuse")));
}

#[tokio::test]
async fn calls_in_flight_finish_after_the_end_of_input() {
    let (mut client, lines) = client(&settings(5));
    client.connect(Era::Handshake).await;
    let pending = client.begin_call("look", json!({"end": "slowly"})).await;
    client.close_input().await;
    let reply = pending.reply_within(Duration::from_secs(2)).await.expect("an answer after the end of input");
    assert_eq!(reply["result"]["structuredContent"]["verdict"], "3 rows");
    assert_eq!(calls(&lines).len(), 1);
}

#[tokio::test]
async fn a_slow_call_does_not_make_the_server_deaf() {
    // Peer fault 1: a blocking call kept a ping waiting for 29 s.
    let (mut client, _) = client(&settings(5));
    client.connect(Era::Handshake).await;
    let slow = client.begin_call("look", json!({"end": "slowly"})).await;
    let ping = tokio::time::timeout(Duration::from_millis(200), client.request("ping", json!({}))).await;
    assert!(ping.is_ok(), "a ping is answered while a call runs");
    assert!(slow.reply_within(Duration::from_secs(2)).await.is_some());
}

#[tokio::test]
async fn arguments_are_masked_in_the_record_and_fingerprinted_in_full() {
    let (mut client, lines) = client(&settings(5));
    client.connect(Era::Stateless).await;
    // The key says that it is a secret; a tool's name can be one too.
    let strange = json!({"name": "ghp_0123456789abcdefghijklmnopqrstuvwxyz", "arguments": {"password": "hunter2hunter2"}});
    client.request("tools/call", strange).await;
    client.call("look", json!({"end": "password=hunter2hunter2"})).await;
    let records = calls(&lines);
    assert!(!records.iter().any(|record| record.to_string().contains("hunter2")), "{records:?}");
    assert!(!records[0].to_string().contains("ghp_0123"), "{records:?}");
    let record = &records[1];
    // printf '{"end":"password=hunter2hunter2"}' | sha256sum
    assert_eq!(
        record["arguments_sha256"],
        "2add654f88fced14d03aae13b9d800e3f9b2ac27d98f723e3ec0a994c6291ee5"
    );
}

#[tokio::test]
async fn a_call_without_a_place_is_told_busy_and_recorded_as_refused_by_that_rule() {
    let mut settings = settings(5);
    settings.limits.max_calls_per_principal = 1;
    settings.limits.queue_milliseconds = 100;
    let (mut client, lines) = client(&settings);
    client.connect(Era::Stateless).await;
    let first = client.begin_call("look", json!({"end": "slowly"})).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let busy = client.call("look", json!({})).await;
    assert!(busy.is_error && busy.text.starts_with("busy: "), "{}", busy.text);
    assert!(first.reply_within(Duration::from_secs(2)).await.is_some());
    let records = calls(&lines);
    let (outcome, rule, decision) = (&records[0]["outcome"], &records[0]["rule"], &records[0]["decision"]);
    assert_eq!((outcome, rule, decision), (&json!("limited"), &json!("concurrency"), &json!("refuse")));
    assert_eq!(records[1]["decision"], "allow");
}

#[tokio::test]
async fn without_a_working_log_reads_go_on_only_when_the_operator_says_so_and_writes_never() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let mut settings = settings(5);
    settings.audit.directory = Some(file.join("audit"));
    let environment = [("OBSERVABILITY_MCP_STATE".to_owned(), directory.path().display().to_string())].into();
    let start = |settings: &_| {
        runtime::Engine::start(fixture::server(), settings, false, fixture::clock(), &environment)
    };
    assert!(start(&settings).is_err(), "by default nothing starts without a log");
    settings.audit.on_failure = runtime::settings::OnFailure::Warn;
    settings.tools.writes = true;
    let mut client = fixture::client_of(start(&settings).unwrap());
    client.connect(Era::Stateless).await;
    for _ in 0..3 {
        let read = client.call("look", json!({})).await;
        assert!(!read.is_error, "{}", read.text);
    }
    let write = client.call("change", json!({})).await;
    assert!(write.is_error && write.text.contains("can't be recorded in the audit log"), "{}", write.text);
}
