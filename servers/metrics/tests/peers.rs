//! The ten faults that were measured with peers, each impossible here. The numbers are those of the list:
//! 1 deaf while a call blocks · 2 held by a trickle · 3 a huge reply passed on as success · 4 start-up waits for the
//! backend · 5 text on stdout inside the protocol · 6 a failed backend as success, or raw · 7 "read-only" tools that
//! write · 8 unknown arguments ignored · 9 the SDK's version, empty prompts and resources · 10 a listing of schemas.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/binary.rs"]
mod binary;
#[path = "common/calls.rs"]
mod calls;

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{
    mcp::Era,
    proxy::{Fault, Misbehaving},
    recorded::{Recorded, Reply},
    rss::peak_rss_bytes,
};

use binary::PROGRAM;
use calls::good_calls;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_fault_1_a_ping_is_answered_at_once_while_queries_hang() {
    let backend = Misbehaving::start(Fault::AcceptAndHang);
    let state = tempfile::tempdir().unwrap();
    let mut client = PROGRAM.over_stdio(&state, &[("PROMETHEUS_URL", &backend.url())]);
    client.connect(Era::Handshake).await;
    let mut slow = Vec::new();
    for (tool, arguments) in good_calls() {
        slow.push(client.begin_call(tool, arguments).await);
    }
    assert!(backend.requests_within(1, Duration::from_secs(2)).await);
    let asked = Instant::now();
    client.request("ping", json!({})).await;
    assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());
    for pending in &slow {
        client.notify_cancelled(pending.id()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_fault_2_a_trickling_backend_is_cut_at_the_deadline_and_the_process_ends_with_its_input() {
    let backend = Misbehaving::start(Fault::Trickle);
    let state = tempfile::tempdir().unwrap();
    let environment = [
        ("PROMETHEUS_URL", backend.url()),
        ("METRICS_MCP__UPSTREAM__UPSTREAM_TIMEOUT_SECONDS", "1".to_owned()),
    ];
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut client = PROGRAM.over_stdio(&state, &environment);
    client.connect(Era::Stateless).await;
    let asked = Instant::now();
    let reply = client.call("query_metrics", json!({"promql": "up"})).await;
    assert!(reply.is_error && reply.text.contains("did not answer within 1s"), "{}", reply.text);
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    client.close_input().await;
    assert!(client.child().exit_within(Duration::from_secs(2)).await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_fault_3_a_100_mb_reply_is_an_error_and_costs_less_than_64_mib() {
    let backend = Misbehaving::start(Fault::HugeBody);
    let state = tempfile::tempdir().unwrap();
    let mut client = PROGRAM.over_stdio(&state, &[("PROMETHEUS_URL", &backend.url())]);
    client.connect(Era::Stateless).await;
    let reply = client.call("query_metrics", json!({"promql": "up", "time_range": "1h"})).await;
    assert!(
        reply.is_error && reply.text.contains("the reply is larger than 8388608 bytes"),
        "{}",
        reply.text
    );
    assert!(
        reply.text.contains("aggregate") && reply.text.contains("try: query_metrics("),
        "what to do: {}",
        reply.text
    );
    let peak = peak_rss_bytes(client.child().pid());
    assert!(peak <= 64 * 1024 * 1024, "peak RSS {} MiB", peak / 1024 / 1024);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_fault_4_start_up_waits_for_no_backend() {
    let backend = Misbehaving::start(Fault::AcceptAndHang);
    let state = tempfile::tempdir().unwrap();
    let mut client = PROGRAM
        .over_stdio(&state, &[("PROMETHEUS_URL", &backend.url()), ("ALERTMANAGER_URL", &backend.url())]);
    client.connect(Era::Stateless).await;
    assert_eq!(client.list_tools().await.len(), calls::TOOLS.len());
    assert_eq!(backend.connections(), 0, "a backend is reached on first use");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_fault_5_stdout_is_the_protocol_and_nothing_else() {
    let backend = Misbehaving::start(Fault::Status500Html);
    let state = tempfile::tempdir().unwrap();
    let environment = [("PROMETHEUS_URL", backend.url()), ("RUST_LOG", "trace".to_owned())];
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut client = PROGRAM.over_stdio(&state, &environment);
    client.connect(Era::Stateless).await;
    for (tool, arguments) in good_calls() {
        // The client panics on a line that is no JSON-RPC message.
        client.call(tool, arguments).await;
    }
    assert!(client.strays().is_empty(), "{:?}", client.strays());
    assert!(!client.child().stderr().is_empty(), "the log is on stderr");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_fault_6_a_failed_backend_is_an_error_that_names_it_without_its_raw_words() {
    let backend = Misbehaving::start(Fault::Status500Html);
    let state = tempfile::tempdir().unwrap();
    let mut client = PROGRAM.over_stdio(&state, &[("PROMETHEUS_URL", &backend.url())]);
    client.connect(Era::Stateless).await;
    for (tool, arguments) in good_calls() {
        let reply = client.call(tool, arguments).await;
        assert!(reply.is_error, "{tool}: {}", reply.text);
        assert!(reply.text.contains("prometheus \"main\" answered HTTP 500"), "{tool}: {}", reply.text);
        assert!(!reply.text.to_lowercase().contains("<html"), "{tool}: {}", reply.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_fault_7_nothing_but_allow_listed_reads_reaches_a_backend() {
    let backend = Recorded::start().await;
    let state = tempfile::tempdir().unwrap();
    let mut client = PROGRAM
        .over_stdio(&state, &[("PROMETHEUS_URL", &backend.url()), ("ALERTMANAGER_URL", &backend.url())]);
    client.connect(Era::Stateless).await;
    let hostile = [
        "../../-/reload",
        "/-/quit",
        "http://evil.example/",
        "up\"} or {__name__=\"x",
        "%2e%2e%2f-/quit",
        "?x=y#z",
    ];
    let data = |data: &serde_json::Value| json!({"status": "success", "data": data}).to_string();
    let with = |plain: &[&str]| json!([plain, hostile.as_slice()].concat());
    for (path, texts) in [
        ("labels", with(&["__name__", "job", "service"])),
        ("label/__name__/values", with(&["up"])),
        ("label/service/values", with(&["checkout"])),
        ("label/job/values", with(&["checkout"])),
    ] {
        backend.reply(Reply::to("GET", &format!("/api/v1/{path}")).text(&data(&texts))).await;
    }
    let rows: Vec<_> = hostile
        .iter()
        .map(|text| json!({"metric": {"__name__": text, "service": text}, "value": [1, "1"]}))
        .collect();
    let vector = json!({"resultType": "vector", "result": rows});
    backend.reply(Reply::to("POST", "/api/v1/query").text(&data(&vector))).await;
    for text in hostile {
        client.call("query_metrics", json!({"promql": text})).await;
        client.call("query_metrics", json!({"promql": "up", "time_range": "1h"})).await;
        client.call("search_metrics", json!({"text": text, "service": text})).await;
        client.call("search_metrics", json!({"text": text})).await;
        client.call("search_metrics", json!({"text": "chekout"})).await;
        client.call("list_firing_alerts", json!({"service": text, "time_range": "1h"})).await;
    }
    let seen = backend.requests();
    for path in ["label/__name__/values", "label/service/values", "label/job/values", "metadata"] {
        assert!(seen.iter().any(|request| request.path == format!("/api/v1/{path}")), "{path} was not asked");
    }
    let carried = |request: &testkit::recorded::Seen| {
        hostile.iter().any(|text| request.form("query").is_some_and(|query| query.contains(text)))
    };
    assert!(seen.iter().any(carried), "no look-up carried hostile text");
    for request in seen {
        let label_values = request.path.starts_with("/api/v1/label/")
            && request.path.ends_with("/values")
            && request.path.matches('/').count() == 5;
        let allowed = [
            "/api/v1/query",
            "/api/v1/query_range",
            "/api/v1/metadata",
            "/api/v1/series",
            "/api/v1/labels",
            "/api/v1/rules",
            "/api/v1/status/tsdb",
            "/api/v1/status/buildinfo",
            "/api/v2/alerts/groups",
            "/api/v2/alerts",
            "/api/v2/silences",
            "/api/v2/status",
            "/api/v2/receivers",
        ];
        assert!(
            label_values || allowed.contains(&request.path.as_str()),
            "{} {}",
            request.method,
            request.path
        );
        let reads = request.method == "GET"
            || (request.method == "POST" && request.path.starts_with("/api/v1/query"));
        assert!(reads, "{} {}", request.method, request.path);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_fault_8_an_unknown_argument_is_refused_with_the_nearest_known_one() {
    let state = tempfile::tempdir().unwrap();
    let mut client = PROGRAM.over_stdio(&state, &[]);
    client.connect(Era::Stateless).await;
    for (tool, mut arguments) in good_calls() {
        arguments["detial"] = json!("full");
        let reply = client.call(tool, arguments).await;
        let expected = "unknown argument `detial`";
        assert!(
            reply.is_error && reply.text.contains(expected) && reply.text.contains("did you mean `detail`?"),
            "{tool}: {}",
            reply.text
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_fault_9_the_version_is_ours_prompts_are_real_and_resources_are_not_claimed() {
    let state = tempfile::tempdir().unwrap();
    let mut client = PROGRAM.over_stdio(&state, &[]);
    let welcome = client.connect(Era::Handshake).await;
    assert_eq!(welcome["serverInfo"]["name"], "metrics-mcp");
    assert_eq!(welcome["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(!client.list_prompts().await.is_empty());
    assert!(welcome["capabilities"].get("resources").is_none());
    assert_eq!(client.request("resources/list", json!({})).await["error"]["code"], -32601);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_fault_10_output_schemas_are_a_small_part_of_a_small_listing() {
    let state = tempfile::tempdir().unwrap();
    let mut client = PROGRAM.over_stdio(&state, &[]);
    client.connect(Era::Stateless).await;
    let tools = client.list_tools().await;
    let listing = serde_json::to_string(&tools).unwrap().len();
    let output: usize = tools.iter().map(|tool| tool["outputSchema"].to_string().len()).sum();
    assert!(listing <= 12 * 1024, "{listing} bytes");
    assert!(output * 8 < listing, "{output} of {listing} bytes are output schemas");
}

/// A backend that answers one instant query, so that a call can succeed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_a_healthy_backend_is_a_success() {
    let backend = Recorded::start().await;
    let body = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1768401120,"1"]}]}}"#;
    backend.reply(Reply::to("POST", "/api/v1/query").text(body)).await;
    let state = tempfile::tempdir().unwrap();
    let mut client = PROGRAM.over_stdio(&state, &[("PROMETHEUS_URL", &backend.url())]);
    client.connect(Era::Stateless).await;
    let reply = client.call("query_metrics", json!({"promql": "up"})).await;
    assert!(!reply.is_error, "{}", reply.text);
}
