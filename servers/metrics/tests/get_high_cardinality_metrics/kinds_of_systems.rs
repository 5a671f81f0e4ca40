//! Replies in the manner of other systems. They are written here after the documented formats.

use metrics_mcp::Config;
use runtime::Loaded;
use serde_json::{Value, json};
use testkit::{
    mcp::ToolReply,
    recorded::{Recorded, Reply},
};

use crate::{
    TOOL, common,
    incident::{NOW, cell},
};

/// A moment of the hour, seconds since 1970; minute 30 is 14:02.
fn at(minute: i64) -> i64 {
    NOW.parse::<jiff::Timestamp>().unwrap().as_second() - 3_600 + 60 * minute
}

/// One metric of one service, whose ranges are answered with `result` and `more` beside it.
async fn system(metric: &str, kind: &str, result: Value, more: Value) -> Recorded {
    let backend = Recorded::start().await;
    let success = |data: Value| json!({"status": "success", "data": data}).to_string();
    for (path, data) in [
        ("metadata", json!({metric: [{"type": kind, "unit": "", "help": ""}]})),
        ("labels", json!(["__name__", "service"])),
        ("label/service/values", json!(["web"])),
    ] {
        backend.reply(Reply::to("GET", &format!("/api/v1/{path}")).text(&success(data))).await;
    }
    for label in ["namespace", "pod", "container", "deployment", "statefulset", "daemonset"] {
        let path = format!("/api/v1/label/{label}/values");
        backend.reply(Reply::to("GET", &path).text(&success(json!([])))).await;
    }
    let row = json!([{"metric": {"__name__": metric, "service": "web"}, "value": [at(60), "1"]}]);
    let census = success(json!({"resultType": "vector", "result": row}));
    backend.reply(Reply::to("POST", "/api/v1/query").text(&census)).await;
    let mut reply = json!({"status": "success", "data": {"resultType": "matrix", "result": result}});
    for (key, value) in more.as_object().unwrap() {
        reply[key] = value.clone();
    }
    backend.reply(Reply::to("POST", "/api/v1/query_range").text(&reply.to_string())).await;
    backend
}

async fn ask(backend: &Recorded) -> ToolReply {
    let (client, _) = common::connect(&common::prometheus_at(&backend.url()), NOW).await;
    client.call(TOOL, json!({"service": "web", "since": "2026-01-14T14:02:00Z"})).await
}

/// 2 until minute 30, then 9, every 15 s.
fn stepping(metric: &str) -> Value {
    let values: Vec<Value> =
        (0..240).map(|step| json!([at(0) + 15 * step, if step < 120 { "2" } else { "9" }])).collect();
    json!([{"metric": {"__name__": metric, "service": "web"}, "values": values}])
}

/// Each step 4 observations: until minute 30 in (0.5, 1], then in (4, 8].
#[tokio::test]
async fn native_histograms_are_judged_by_mean_and_percentile() {
    let mut histograms = Vec::new();
    for step in 0..240_i64 {
        let (slow, fast) = ((step - 120).max(0) * 4, step.min(120) * 4);
        let bucket = |left: &str, right: &str, count: i64| json!([0, left, right, count.to_string()]);
        let mut buckets = vec![bucket("0.5", "1", fast)];
        if slow > 0 {
            buckets.push(bucket("4", "8", slow));
        }
        let sum = fast as f64 * 0.75 + slow as f64 * 6.0;
        let histogram =
            json!({"count": (fast + slow).to_string(), "sum": sum.to_string(), "buckets": buckets});
        histograms.push(json!([at(0) + 15 * step, histogram]));
    }
    let result = json!([{"metric": {"__name__": "rpc_seconds", "service": "web"}, "histograms": histograms}]);
    let reply = ask(&system("rpc_seconds", "histogram", result, json!({})).await).await;
    assert_eq!(cell(&reply, 0, "metric"), "rpc_seconds", "{}", reply.text);
    // 95 % of the way through (0.5, 1] and (4, 8], exponentially: 0.5 × 2^0.95 = 0.9659 and 4 × 2^0.95 = 7.727.
    assert_eq!(cell(&reply, 0, "is"), "p95");
    assert_eq!((cell(&reply, 0, "before"), cell(&reply, 0, "after")), (json!(0.9659), json!(7.727)));
    assert_eq!(cell(&reply, 0, "goes with"), "1 more series of it", "its mean moved too");
    let query = "histogram_quantile(0.95, sum(rate(rpc_seconds{service=\"web\"}[2m])))";
    assert_eq!(cell(&reply, 0, "query"), query);
}

#[tokio::test]
async fn warnings_of_a_partial_answer_are_told() {
    let more = json!({"warnings": ["No StoreAPIs matched for this query", "store 10.0.0.7: unavailable"]});
    let reply = ask(&system("queue", "gauge", stepping("queue"), more).await).await;
    assert!(!reply.is_error && reply.text.contains("store 10.0.0.7: unavailable"), "{}", reply.text);
    assert_eq!(cell(&reply, 0, "metric"), "queue", "and what came is judged");
}

#[tokio::test]
async fn what_victoriametrics_says_besides_is_no_trouble() {
    let more = json!({"isPartial": false, "stats": {"seriesFetched": "1", "executionTimeMsec": 3}});
    let reply = ask(&system("queue", "gauge", stepping("queue"), more).await).await;
    assert_eq!(cell(&reply, 0, "metric"), "queue", "{}", reply.text);
    assert_eq!((cell(&reply, 0, "before"), cell(&reply, 0, "after")), (json!(2), json!(9)));
}

#[tokio::test]
async fn a_limit_of_mimir_is_told_and_no_empty_answer() {
    let backend = system("queue", "gauge", json!([]), json!({})).await;
    let refused = json!({
        "status": "error",
        "errorType": "execution",
        "error": "the query exceeded the maximum number of chunks (limit: 2000000 chunks) (err-mimir-max-chunks-per-query)"
    });
    let refused = Reply::to("POST", "/api/v1/query_range").status(422).text(&refused.to_string());
    // Each range query has this step; a reply that asks for it comes before the one that asks for nothing.
    backend.reply(refused.form("step", "30")).await;
    let reply = ask(&backend).await;
    assert!(reply.is_error, "{}", reply.text);
    assert!(reply.text.contains("err-mimir-max-chunks-per-query"), "{}", reply.text);
}

/// Of three sources the second is down: the first answers and says whom it did not ask; asked by name, the second's
/// failure is an error that names it.
#[tokio::test]
async fn a_source_that_is_down_does_not_hide_the_others() {
    let good = system("queue", "gauge", stepping("queue"), json!({})).await;
    let other = system("queue", "gauge", stepping("queue"), json!({})).await;
    // Nothing listens on the port of discard.
    let sources = [("eu", good.url()), ("us", "http://127.0.0.1:9".to_owned()), ("asia", other.url())];
    let prometheus = sources.iter().map(|(name, url)| common::source(name, url)).collect();
    let config = Config { prometheus, ..Config::default() };
    let (client, _) = common::connect(&Loaded { config, ..Loaded::default() }, NOW).await;
    let reply = client.call(TOOL, json!({"service": "web", "since": "2026-01-14T14:02:00Z"})).await;
    assert!(
        !reply.is_error && reply.text.contains("not asked: us, asia (argument source)"),
        "{}",
        reply.text
    );
    let reply = client.call(TOOL, json!({"service": "web", "source": "us"})).await;
    assert!(reply.is_error && reply.text.contains("\"us\""), "{}", reply.text);
    let reply = client.call(TOOL, json!({"service": "web", "source": "asia"})).await;
    assert!(!reply.is_error, "{}", reply.text);
}

/// A Mimir or Thanos has no statistics of its database: series are counted.
#[tokio::test]
async fn without_statistics_of_the_store_series_are_counted() {
    let backend = system("queue", "gauge", stepping("queue"), json!({})).await;
    let missing = Reply::to("GET", "/api/v1/status/tsdb")
        .status(404)
        .content_type("text/plain")
        .text("404 page not found");
    backend.reply(missing).await;
    let (client, _) = common::connect(&common::prometheus_at(&backend.url()), NOW).await;
    let reply = client.call(TOOL, json!({"mode": "cardinality"})).await;
    assert!(
        !reply.is_error && reply.text.contains("no statistics of the store, so series were counted"),
        "{}",
        reply.text
    );
    assert_eq!(cell(&reply, 0, "metric"), "queue");
}

/// The store's statistics still have 30 of the 10 that are left, as a head block does until it is cut.
#[tokio::test]
async fn churn_of_all_is_told_beside_the_stores_own_statistics() {
    let backend = Recorded::start().await;
    let counted = |path: &str, body: Value| Reply::to("GET", path).text(&body.to_string());
    let of = |count: u64| {
        let row = json!({"metric": {"__name__": "busy"}, "value": [1768401120, count.to_string()]});
        json!({"status": "success", "data": {"resultType": "vector", "result": [row]}}).to_string()
    };
    let statistics = json!({"status": "success", "data": {
        "headStats": {"numSeries": 40}, "seriesCountByMetricName": [{"name": "busy", "value": 30}],
        "labelValueCountByLabelName": [], "memoryInBytesByLabelName": [], "seriesCountByLabelValuePair": []}});
    backend.reply(counted("/api/v1/status/tsdb", statistics)).await;
    backend.reply(counted("/api/v1/labels", json!({"status": "success", "data": ["__name__"]}))).await;
    let query =
        |promql: &str, count| Reply::to("POST", "/api/v1/query").form("query", promql).text(&of(count));
    backend.reply(query("count by (__name__) ({__name__=~\"busy\"})", 10)).await;
    backend.reply(query("count by (__name__) (last_over_time({__name__=~\"busy\"}[1h]))", 32)).await;
    let (client, _) = common::connect(&common::prometheus_at(&backend.url()), NOW).await;
    let reply = client.call(TOOL, json!({"mode": "cardinality"})).await;
    assert_eq!((cell(&reply, 0, "series"), cell(&reply, 0, "seen in window")), (json!(30), json!(32)));
    // 1 − 10 ÷ 32 in percent, to four digits.
    assert_eq!(cell(&reply, 0, "churn %"), json!(68.75), "{}", reply.text);
    assert!(reply.text.contains("last_over_time(…[1h])"), "cited: {}", reply.text);
}
