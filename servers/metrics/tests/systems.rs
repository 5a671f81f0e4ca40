//! Other systems than Prometheus, and several of them, before the tools whose own tests leave that to this table:
//! replies of VictoriaMetrics that are partial, a limit of Mimir, three sources of which the first is down. Replies are
//! written after the documented formats.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use metrics_mcp::Config;
use runtime::Loaded;
use serde_json::{Value, json};
use testkit::{
    mcp::ToolReply,
    recorded::{Recorded, Reply},
};

const NOW: &str = "2026-01-14T14:32:00Z";

/// Calls that send at least one query.
fn calls() -> Vec<(&'static str, Value)> {
    vec![
        ("get_service_golden_signals", json!({})),
        ("get_service_golden_signals", json!({"service": "web"})),
        ("get_high_cardinality_metrics", json!({})),
        ("get_high_cardinality_metrics", json!({"service": "web"})),
        ("get_high_cardinality_metrics", json!({"mode": "cardinality"})),
        ("get_high_cardinality_metrics", json!({"mode": "cardinality", "service": "web"})),
        ("search_metrics", json!({"text": "requests"})),
        ("list_firing_alerts", json!({"time_range": "1h"})),
    ]
}

/// A store with one counter of one service, which answers each query in the same manner.
async fn store() -> Recorded {
    let backend = Recorded::start().await;
    let values = |label: &str| match label {
        "__name__" => json!(["http_requests_total"]),
        "service" => json!(["web"]),
        _ => json!([]),
    };
    for label in [
        "__name__",
        "service",
        "job",
        "app",
        "namespace",
        "pod",
        "container",
        "deployment",
        "statefulset",
        "daemonset",
    ] {
        let path = format!("/api/v1/label/{label}/values");
        backend.reply(Reply::to("GET", &path).text(&success(values(label)))).await;
    }
    for (path, data) in [
        ("labels", json!(["__name__", "code", "service"])),
        ("metadata", json!({"http_requests_total": [{"type": "counter", "unit": "", "help": "Requests."}]})),
        ("rules", json!({"groups": []})),
    ] {
        backend.reply(Reply::to("GET", &format!("/api/v1/{path}")).text(&success(data))).await;
    }
    backend
}

fn success(data: Value) -> String {
    json!({"status": "success", "data": data}).to_string()
}

/// What a query gives: one series that counts up, beside `more`.
async fn answers(backend: &Recorded, more: &Value) {
    let now = NOW.parse::<jiff::Timestamp>().unwrap().as_second();
    let labels = json!({"__name__": "http_requests_total", "service": "web", "code": "200"});
    let points: Vec<Value> =
        (0..=480).map(|step| json!([now - 7_200 + 15 * step, (step * 15).to_string()])).collect();
    for (path, kind, series) in [
        ("query", "vector", json!({"metric": labels, "value": [now, "7"]})),
        ("query_range", "matrix", json!({"metric": labels, "values": points})),
    ] {
        let mut reply = json!({"status": "success", "data": {"resultType": kind, "result": [series]}});
        for (name, value) in more.as_object().unwrap() {
            reply[name] = value.clone();
        }
        backend.reply(Reply::to("POST", &format!("/api/v1/{path}")).text(&reply.to_string())).await;
    }
}

async fn call(loaded: &Loaded<Config>, tool: &str, arguments: Value) -> ToolReply {
    let (client, _) = common::connect(loaded, NOW).await;
    client.call(tool, arguments).await
}

#[tokio::test]
async fn that_a_reply_of_victoriametrics_is_partial_reaches_the_reader() {
    let backend = store().await;
    answers(&backend, &json!({"isPartial": true, "stats": {"seriesFetched": "1"}})).await;
    for (tool, arguments) in calls() {
        let reply = call(&common::prometheus_at(&backend.url()), tool, arguments.clone()).await;
        assert!(!reply.is_error, "{tool} {arguments}: {}", reply.text);
        assert!(reply.text.contains("not every storage node answered"), "{tool} {arguments}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_limit_of_mimir_is_an_error_or_a_caveat_and_never_a_quiet_answer() {
    let backend = store().await;
    let error = "the query exceeded the maximum number of chunks (limit: 2000000 chunks) (err-mimir-max-chunks-per-query)";
    let refused = json!({"status": "error", "errorType": "execution", "error": error}).to_string();
    for path in ["/api/v1/query", "/api/v1/query_range"] {
        backend.reply(Reply::to("POST", path).status(422).text(&refused)).await;
    }
    for (tool, arguments) in calls() {
        let reply = call(&common::prometheus_at(&backend.url()), tool, arguments.clone()).await;
        let told = reply.text.contains("err-mimir-max-chunks-per-query");
        // What can't even be counted is not sent.
        let refused = reply.is_error && reply.text.contains("could not be counted");
        assert!(told || refused, "{tool} {arguments}: {}", reply.text);
    }
}

/// Nothing listens on the port of discard.
#[tokio::test]
async fn of_three_sources_the_one_that_is_down_is_named_and_another_answers() {
    let backend = store().await;
    answers(&backend, &json!({})).await;
    let sources =
        [("main", "http://127.0.0.1:9".to_owned()), ("second", backend.url()), ("third", backend.url())];
    let prometheus = sources.iter().map(|(name, url)| common::source(name, url)).collect();
    let loaded = Loaded { config: Config { prometheus, ..Config::default() }, ..Loaded::default() };
    for (tool, arguments) in calls() {
        let reply = call(&loaded, tool, arguments.clone()).await;
        assert!(reply.is_error && reply.text.contains("\"main\""), "{tool} {arguments}: {}", reply.text);
        let mut asked = arguments.clone();
        asked["source"] = json!("second");
        let reply = call(&loaded, tool, asked).await;
        assert!(!reply.is_error, "{tool} {arguments}: {}", reply.text);
        let told = ["not asked: main, third", "source main was not asked", "source main was not searched"]
            .iter()
            .any(|part| reply.text.contains(part));
        assert!(told, "{tool} {arguments}: the others are named: {}", reply.text);
        let next = reply.structured.as_ref().unwrap()["next"].as_array().cloned().unwrap_or_default();
        for one in next.iter().filter(|one| one["server"].is_null()) {
            let goes_on = one["arguments"]["source"] == "second" || one["tool"] == "list_firing_alerts";
            assert!(goes_on, "{tool} {arguments}: the next call asks the same source: {one}");
        }
    }
}
