//! The shipped binary over stdio, in both eras. What all servers share on the wire is proved more fully by metrics-mcp.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/binary.rs"]
mod binary;
#[path = "common/calls.rs"]
mod calls;

use std::time::Duration;

use serde_json::json;
use testkit::{mcp::Client, mcp::Era, wire::Shipped};

use binary::PROGRAM;

const SHIPPED: Shipped = Shipped {
    program: PROGRAM,
    tools: &calls::TOOLS,
    url: "ELASTICSEARCH_URL",
    call: || ("search_logs", json!({"query": "*"})),
    unconfigured: &["no store of logs is configured", "ELASTICSEARCH_URL", "OPENSEARCH_URL", "ADX_URL"],
};

#[tokio::test]
async fn a_server_without_any_backend_lists_everything_and_says_what_to_configure() {
    SHIPPED.starts_without_any_backend().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_call_stops_the_request_to_the_backend_within_200_ms() {
    SHIPPED.stops_what_is_cancelled().await;
}

#[tokio::test]
async fn sigterm_ends_it_with_success_and_the_audit_log_verifies() {
    SHIPPED.ends_on_sigterm_with_a_log_that_verifies().await;
}

#[tokio::test]
async fn every_tool_is_described_annotated_and_has_a_schema_every_client_accepts() {
    let state = tempfile::tempdir().unwrap();
    let mut client = PROGRAM.over_stdio(&state, &[]);
    client.connect(Era::Stateless).await;
    testkit::listing::check_reads(&client.list_tools().await);
    let prompts = client.list_prompts().await;
    assert_eq!(prompts[0]["name"], "investigate_errors");
    let prompt = client.get_prompt("investigate_errors", json!({"service": "checkout"})).await;
    let text = prompt["messages"][0]["content"]["text"].as_str().unwrap();
    assert!(text.contains("get_error_patterns(service=\"checkout\""), "{text}");
}

#[tokio::test]
async fn a_recorded_incident_is_answered_and_the_call_recorded() {
    let line = r#"{"@timestamp":"2026-01-14T14:40:01Z","log.level":"error","message":"no","service":{"name":"payment"}}"#;
    let window = ("2026-01-14T14:00:00Z", "2026-01-14T15:00:00Z");
    let directory = testkit::incident(window, &[("logs/all.ndjson", line)]);
    let state = tempfile::tempdir().unwrap();
    let mut command = PROGRAM.command(&state, &[]);
    command.arg("--snapshot").arg(directory.path());
    let mut client = Client::spawn(command);
    client.connect(Era::Stateless).await;
    let reply = client.call("search_logs", json!({"query": "no", "service": "payment"})).await;
    assert!(!reply.is_error && reply.text.starts_with("1 record of payment "), "{}", reply.text);
    client.close_input().await;
    assert!(client.child().exit_within(Duration::from_secs(5)).await.unwrap().success());
    let records = PROGRAM.audited(&state);
    let [record] = records.as_slice() else { panic!("one record: {records:?}") };
    let told = [&record["tool"], &record["outcome"], &record["server"], &record["transport"]];
    assert_eq!(told, ["search_logs", "ok", "logs-mcp", "stdio"], "{record}");
    assert_eq!(record["call_id"], reply.structured.unwrap()["call_id"]);
}
