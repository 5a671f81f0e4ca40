//! The shipped binary over stdio, in both eras.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/binary.rs"]
mod binary;
#[path = "common/calls.rs"]
mod calls;

use std::{io::Write, process::Stdio, time::Duration};

use serde_json::{Value, json};
use testkit::{mcp::Era, wire::Shipped};

use binary::PROGRAM;

const SHIPPED: Shipped = Shipped {
    program: PROGRAM,
    tools: &calls::TOOLS,
    url: "PROMETHEUS_URL",
    call: || ("query_metrics", json!({"promql": "up"})),
    unconfigured: &["no Prometheus is configured", "PROMETHEUS_URL"],
};

#[tokio::test]
async fn a_server_without_any_backend_lists_everything_and_says_what_to_configure() {
    SHIPPED.starts_without_any_backend().await;
}

#[tokio::test]
async fn the_prompt_is_real_and_its_arguments_are_filled_in() {
    let state = tempfile::tempdir().unwrap();
    let mut client = PROGRAM.over_stdio(&state, &[]);
    client.connect(Era::Stateless).await;
    let prompts = client.list_prompts().await;
    assert_eq!(prompts[0]["name"], "investigate_service");
    let prompt = client.get_prompt("investigate_service", json!({"service": "checkout"})).await;
    let text = prompt["messages"][0]["content"]["text"].as_str().unwrap();
    assert!(
        text.contains("list_firing_alerts(service=\"checkout\"") && text.contains("(not given)"),
        "{text}"
    );
    let missing = client.request("prompts/get", json!({"name": "investigate_service"})).await;
    assert_eq!(missing["error"]["code"], -32602);
    assert!(missing["error"]["message"].as_str().unwrap().contains("`service` is missing"), "{missing}");
    for method in ["resources/list", "resources/templates/list", "no/such"] {
        assert_eq!(client.request(method, json!({})).await["error"]["code"], -32601, "{method}");
    }
}

#[tokio::test]
async fn every_tool_is_described_annotated_and_has_a_schema_every_client_accepts() {
    let state = tempfile::tempdir().unwrap();
    let mut client = PROGRAM.over_stdio(&state, &[]);
    client.connect(Era::Stateless).await;
    testkit::listing::check_reads(&client.list_tools().await);
}

#[tokio::test]
async fn the_listing_is_the_same_each_time() {
    let state = tempfile::tempdir().unwrap();
    let mut listings = Vec::new();
    for _ in 0..2 {
        let mut client = PROGRAM.over_stdio(&state, &[]);
        client.connect(Era::Stateless).await;
        listings.push(client.request("tools/list", json!({})).await["result"]["tools"].to_string());
    }
    assert_eq!(listings[0], listings[1]);
}

#[tokio::test]
async fn lines_piped_in_are_answered_and_the_process_ends_by_itself() {
    let state = tempfile::tempdir().unwrap();
    let mut process = PROGRAM
        .command(&state, &[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "pipe", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "query_metrics", "arguments": {"promql": "up"}, "_meta": meta}});
    let mut stdin = process.stdin.take().unwrap();
    writeln!(stdin, "{call}").unwrap();
    drop(stdin);
    let output = tokio::task::spawn_blocking(move || process.wait_with_output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 1, "the protocol and nothing else");
    assert_eq!(lines[0]["result"]["structuredContent"]["error"]["kind"], "not_configured");
    let records = PROGRAM.audited(&state);
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["client"], "pipe 0");
}

#[tokio::test]
async fn a_line_that_is_no_message_is_answered_with_an_error_and_the_next_one_is_served() {
    let overlong = "x".repeat((16 << 20) + 1);
    // First of all junk, before any message has come.
    let (one, two) = (list_tools(1), list_tools(2));
    let lines = ["hello", &one, "{\"jsonrpc\":", "{}", "[]", "\u{0}\u{1b}", &overlong, &two];
    let replies = replies_to(format!("{}\n\r\n", lines.join("\n"))).await;
    let answered: Vec<&Value> = replies.iter().filter(|reply| reply["result"].is_object()).collect();
    let ids: Vec<&Value> = answered.iter().map(|reply| &reply["id"]).collect();
    assert_eq!(ids, [&json!(1), &json!(2)], "both requests are served");
    let refused: Vec<&Value> = replies.iter().filter(|reply| reply["error"].is_object()).collect();
    assert!(refused.iter().all(|reply| reply.get("id") == Some(&Value::Null)), "{refused:?}");
    let codes: Vec<i64> = refused.iter().map(|reply| reply["error"]["code"].as_i64().unwrap()).collect();
    assert_eq!(codes, [-32700, -32700, -32600, -32600, -32700, -32600]);
}

/// Its replies to this input, with which standard input ends.
async fn replies_to(input: String) -> Vec<Value> {
    let state = tempfile::tempdir().unwrap();
    let mut process = PROGRAM
        .command(&state, &[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let output = tokio::task::spawn_blocking(move || {
        std::thread::scope(|scope| {
            // Standard input is closed at the end.
            scope.spawn(move || stdin.write_all(input.as_bytes()).unwrap());
            process.wait_with_output().unwrap()
        })
    });
    let output = output.await.unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn list_tools(id: u8) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/list", "params": {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "pipe", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {}}}})
    .to_string()
}

#[tokio::test]
async fn the_end_of_input_ends_the_last_line() {
    let (one, two) = (list_tools(1), list_tools(2));
    for (input, ids) in [(one.clone(), vec![1]), (format!("{one}\n{two}"), vec![1, 2])] {
        let replies = replies_to(input).await;
        assert!(replies.iter().all(|reply| reply["result"]["tools"].is_array()), "{replies:?}");
        // Requests are answered side by side, so either may come first.
        let mut answered: Vec<u64> = replies.iter().map(|reply| reply["id"].as_u64().unwrap()).collect();
        answered.sort_unstable();
        assert_eq!(answered, ids);
    }
    let refused = |replies: &[Value]| -> Vec<i64> {
        replies.iter().map(|reply| reply["error"]["code"].as_i64().unwrap()).collect()
    };
    assert_eq!(refused(&replies_to("{\"jsonrpc\":".to_owned()).await), [-32700], "cut off, and told once");
    assert_eq!(refused(&replies_to("x".repeat((16 << 20) + 1)).await), [-32600], "overlong, and told once");
}

#[tokio::test]
async fn sigterm_ends_it_with_success_and_the_audit_log_verifies() {
    SHIPPED.ends_on_sigterm_with_a_log_that_verifies().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_call_stops_the_request_to_the_backend_within_200_ms() {
    SHIPPED.stops_what_is_cancelled().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_very_long_name_costs_no_time() {
    let backend = testkit::recorded::Recorded::start().await;
    let names: Vec<String> = (0..9_900).map(|n| format!("\"{}_{n}\"", "x".repeat(60))).collect();
    let body = format!(r#"{{"status":"success","data":[{}]}}"#, names.join(","));
    let empty = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    backend.reply(testkit::recorded::Reply::to("POST", "/api/v1/query").text(empty)).await;
    backend.reply(testkit::recorded::Reply::to("GET", "/api/v1/label/__name__/values").text(&body)).await;
    let state = tempfile::tempdir().unwrap();
    let mut client = PROGRAM.over_stdio(&state, &[("PROMETHEUS_URL", &backend.url())]);
    client.connect(Era::Handshake).await;
    let long = client.begin_call("query_metrics", json!({"promql": "x".repeat(8_100)})).await;
    let ping = tokio::time::timeout(Duration::from_secs(2), client.request("ping", json!({}))).await;
    assert!(ping.is_ok(), "peer fault 1: deaf while it computes");
    assert!(long.reply_within(Duration::from_secs(5)).await.is_some(), "an answer well before the deadline");
}

#[tokio::test]
async fn an_operator_can_rule_out_a_tool_by_name() {
    let state = tempfile::tempdir().unwrap();
    let mut client = PROGRAM.over_stdio(&state, &[("METRICS_MCP__TOOLS__DENY", "[\"query_metrics\"]")]);
    client.connect(Era::Stateless).await;
    let names: Vec<Value> = client.list_tools().await.into_iter().map(|tool| tool["name"].clone()).collect();
    let left: Vec<&str> = calls::TOOLS.into_iter().filter(|name| *name != "query_metrics").collect();
    assert_eq!(names, left);
    let reply =
        client.request("tools/call", json!({"name": "query_metrics", "arguments": {"promql": "up"}})).await;
    assert_eq!(reply["error"]["code"], -32602);
}

#[test]
fn mistakes_in_the_configuration_are_named_on_stderr() {
    let state = tempfile::tempdir().unwrap();
    let cases = [
        (
            vec![("PROMETHEUS_URL", "ftp://x")],
            "`url` of source \"main\": the scheme must be http or https, not ftp",
        ),
        (vec![("PROMETHEUS_URL", "http://u:hunter2@x")], "holds credentials; move them to `basic`"),
        (
            vec![("METRICS_MCP__LIMITS__MAX_CALLS", "many")],
            "key `limits.max_calls`: invalid type, expected usize",
        ),
    ];
    for (environment, expected) in cases {
        let output = PROGRAM.command(&state, &environment).arg("tools").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(expected), "{said}\nexpected {expected}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
