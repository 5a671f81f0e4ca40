//! Systems that answer in part, refuse, or are down.

use serde_json::{Value, json};
use testkit::{
    mcp::ToolReply,
    proxy::{Fault, Misbehaving},
    recorded::{Recorded, Reply},
};

use crate::{
    common::{connect, prometheus_at, source},
    world::{NOW, contains, now},
};

const RANGE: &str = "/api/v1/query_range";
const INSTANT: &str = "/api/v1/query";

/// One container at 50 MiB (or 50 cores: the same numbers serve both), every 3 h for 30 days.
fn matrix() -> Value {
    let values: Vec<Value> = (0..=240).map(|at| json!([now() - (240 - at) * 10_800, "52428800"])).collect();
    json!({"resultType": "matrix", "result": [{"metric": {"namespace": "shop", "container": "checkout"}, "values": values}]})
}

fn vector() -> Value {
    let one = |stat: &str| {
        let labels =
            json!({"namespace": "shop", "container": "checkout", "stat": stat, "resource": "memory"});
        json!({"metric": labels, "value": [now(), if stat == "limit" { "104857600" } else { "52428800" }]})
    };
    let all: Vec<Value> = ["p50", "p95", "p99", "max", "limit"].map(one).to_vec();
    json!({"resultType": "vector", "result": all})
}

fn success(data: Value) -> String {
    json!({"status": "success", "data": data}).to_string()
}

/// What counts replicas: by the names of pods and by the container's name.
const COUNTS: [&str; 2] = [
    "count by (namespace, container) (group by (namespace, pod, container) (container_memory_working_set_bytes{pod=~\"checkout(-[b-df-hj-np-tv-xz24-9]{5,10}|-[0-9]+){0,2}\", container!~\"|POD\"}))",
    "count by (namespace, container) (group by (namespace, pod, container) (container_memory_working_set_bytes{container=\"checkout\"}))",
];

fn counted(replicas: &str) -> Value {
    let values: Vec<Value> = (0..=24).map(|at| json!([now() - 60 - (24 - at) * 108_000, replicas])).collect();
    json!({"resultType": "matrix", "result": [{"metric": {"namespace": "shop", "container": "checkout"}, "values": values}]})
}

/// Answers every query, each reply dressed by `dress`.
async fn backend_with(dress: impl Fn(Value) -> String) -> Recorded {
    let backend = Recorded::start().await;
    backend.reply(Reply::to("POST", RANGE).text(&dress(matrix()))).await;
    backend.reply(Reply::to("POST", INSTANT).text(&dress(vector()))).await;
    for query in COUNTS {
        backend.reply(Reply::to("POST", RANGE).form("query", query).text(&dress(counted("2")))).await;
    }
    backend
}

async fn backend() -> Recorded {
    backend_with(success).await
}

async fn ask(backend: &Recorded, arguments: Value) -> ToolReply {
    let (client, _lines) = connect(&prometheus_at(&backend.url()), NOW).await;
    client.call("get_capacity_trend", arguments).await
}

#[tokio::test]
async fn a_partial_answer_of_thanos_is_told() {
    let warned = |data: Value| {
        json!({"status": "success", "data": data, "warnings": ["No StoreAPIs matched for this query"]})
            .to_string()
    };
    let backend = backend_with(warned).await;
    let reply = ask(&backend, json!({"service": "checkout", "resource": "memory"})).await;
    contains(
        &reply,
        &[
            "at most 50 of 100 MiB, 50 % of its limit",
            "warning from prometheus \"main\": «No StoreAPIs matched for this query»",
        ],
    );
    assert_eq!(reply.text.matches("No StoreAPIs matched").count(), 1, "once: {}", reply.text);
}

#[tokio::test]
async fn victoriametrics_says_that_a_reply_is_partial() {
    let partial = |data: Value| json!({"status": "success", "isPartial": true, "data": data}).to_string();
    let backend = backend_with(partial).await;
    let reply = ask(&backend, json!({"service": "checkout", "resource": "memory"})).await;
    contains(&reply, &["at most 50 of 100 MiB", "not every storage node answered"]);
}

/// The words of Mimir 2.15's `err-mimir-max-chunks-per-query`
/// (<https://grafana.com/docs/mimir/latest/manage/mimir-runbooks/>).
const MIMIR: &str = r#"{"status":"error","errorType":"execution","error":"the query exceeded the maximum number of chunks (limit: 2000000 chunks) (err-mimir-max-chunks-per-query). Consider reducing the time range"}"#;

#[tokio::test]
async fn what_mimir_refuses_is_read_at_moments_and_that_is_told() {
    let backend = backend().await;
    let memory = "max_over_time(max by (namespace, container) (container_memory_working_set_bytes{container=\"checkout\"})[3h:5m])";
    backend.reply(Reply::to("POST", RANGE).form("query", memory).status(422).text(MIMIR)).await;
    let reply = ask(&backend, json!({"service": "checkout", "resource": "memory"})).await;
    assert!(!reply.is_error, "{}", reply.text);
    contains(
        &reply,
        &[
            "at most 50 of 100 MiB",
            "read at moments only, because the whole was refused",
            "err-mimir-max-chunks-per-query",
            "peaks between are not seen",
        ],
    );
}

#[tokio::test]
async fn from_moments_no_lower_request_is_suggested() {
    let bounds = "label_replace(max by (namespace, container, resource) (kube_pod_container_resource_requests{container=\"checkout\", resource=~\"cpu|memory\"}), \"stat\", \"request\", \"\", \"\") or label_replace(max by (namespace, container, resource) (kube_pod_container_resource_limits{container=\"checkout\", resource=~\"cpu|memory\"}), \"stat\", \"limit\", \"\", \"\")";
    let asked = |stat: &str, bytes: &str| {
        let labels =
            json!({"namespace": "shop", "container": "checkout", "stat": stat, "resource": "memory"});
        json!({"metric": labels, "value": [now(), bytes]})
    };
    // 50 MiB are used of 200 requested.
    let both = json!({"resultType": "vector", "result": [asked("request", "209715200"), asked("limit", "209715200")]});
    let memory = "max_over_time(max by (namespace, container) (container_memory_working_set_bytes{container=\"checkout\"})[3h:5m])";
    for is_refused in [false, true] {
        let backend = backend().await;
        backend.reply(Reply::to("POST", INSTANT).form("query", bounds).text(&success(both.clone()))).await;
        if is_refused {
            backend.reply(Reply::to("POST", RANGE).form("query", memory).status(422).text(MIMIR)).await;
        }
        let reply = ask(&backend, json!({"service": "checkout", "resource": "memory"})).await;
        let suggested = "checkout memory request could be 64 MiB instead of 200 MiB";
        let refused = "no lower request is suggested, usage was read only at 241 moments";
        let seen = "no start needs more than was seen: the highest of memory at moments 5m apart";
        for (text, is_there) in [(suggested, !is_refused), (seen, !is_refused), (refused, is_refused)] {
            assert_eq!(reply.text.contains(text), is_there, "{text}\n{}", reply.text);
        }
        assert_eq!(reply.text.contains("request could be"), !is_refused, "{}", reply.text);
    }
}

#[tokio::test]
async fn what_mimir_refuses_altogether_is_an_error() {
    let backend = Recorded::start().await;
    backend.reply(Reply::to("POST", RANGE).status(422).text(MIMIR)).await;
    let reply = ask(&backend, json!({"service": "checkout"})).await;
    assert!(reply.is_error && reply.text.contains("err-mimir-max-chunks-per-query"), "{}", reply.text);
}

#[tokio::test]
async fn requests_that_can_not_be_read_leave_usage() {
    let backend = backend().await;
    let refused = r#"{"status":"error","errorType":"execution","error":"no"}"#;
    let bounds = "label_replace(max by (namespace, container, resource) (kube_pod_container_resource_requests{container=\"checkout\", resource=~\"cpu|memory\"}), \"stat\", \"request\", \"\", \"\") or label_replace(max by (namespace, container, resource) (kube_pod_container_resource_limits{container=\"checkout\", resource=~\"cpu|memory\"}), \"stat\", \"limit\", \"\", \"\")";
    backend.reply(Reply::to("POST", INSTANT).form("query", bounds).status(422).text(refused)).await;
    let reply = ask(&backend, json!({"service": "checkout", "resource": "memory"})).await;
    contains(&reply, &["at most 50 MiB, no request or limit is seen", "requests and limits are not known"]);
}

#[tokio::test]
async fn of_three_sources_the_one_that_is_down_is_an_error_and_the_others_answer() {
    let backend = backend().await;
    let down = Misbehaving::start(Fault::Status500Html);
    let mut loaded = prometheus_at(&backend.url());
    loaded.config.prometheus.push(source("down", &down.url()));
    loaded.config.prometheus.push(source("third", &backend.url()));
    let (client, _lines) = connect(&loaded, NOW).await;
    let with = |source: &str| json!({"service": "checkout", "resource": "memory", "source": source});
    let reply = client.call("get_capacity_trend", with("down")).await;
    assert!(reply.is_error && reply.text.contains("prometheus \"down\" answered HTTP 500"), "{}", reply.text);
    let reply = client.call("get_capacity_trend", with("third")).await;
    contains(
        &reply,
        &["at most 50 of 100 MiB", "not asked: main, down (argument source)", "source=\"third\""],
    );
}

#[tokio::test]
async fn what_reads_too_much_at_every_step_is_refused_with_a_shorter_call() {
    let backend = Recorded::start().await;
    backend.reply(Reply::to("POST", RANGE).text(&success(counted("900000")))).await;
    backend.reply(Reply::to("POST", INSTANT).text(&success(vector()))).await;
    let reply = ask(&backend, json!({"service": "checkout"})).await;
    assert!(reply.is_error, "{}", reply.text);
    contains(&reply, &["usage of 900000 series over 30d would read about", "try: get_capacity_trend("]);
    assert_eq!(reply.structured.unwrap()["error"]["kind"], "too_expensive");
}
