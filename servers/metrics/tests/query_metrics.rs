//! `query_metrics` through the whole server, over recorded and generated replies.
//!
//! `tests/recorded/query` was taken from the testbed's Prometheus 3.15 on 2026-11-21 (testbed/README.md says what the
//! load generator does; ports are replaced): the moment 01:20:00Z, the workers from 00:33:10Z every 5 s up to
//! 00:35:09Z, `app_build_info` from 00:33:10Z every 10 s up to 00:36:09Z; files called `query_*` and `range_*` are those
//! of `testbed/recorded/prometheus-3`. How each golden answer was checked by hand stands at its test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;
#[path = "query_metrics/cost.rs"]
mod cost;
#[path = "query_metrics/empty.rs"]
mod empty;
#[path = "query_metrics/odd.rs"]
mod odd;
#[path = "query_metrics/together.rs"]
mod together;
#[path = "query_metrics/values.rs"]
mod values;
#[path = "query_metrics/world.rs"]
mod world;

use serde_json::json;
use testkit::{answer::both, recorded::Reply};

use world::{INSTANT, NAMES, NOW, RANGE, World, has};

/// Checked with `jq` on up.json: five series, `payment-db` at 0, the others at 1; no label is common but the name.
#[tokio::test]
async fn golden_an_instant_query_says_what_is_rare_first() {
    let world = World::new().await.file("POST", INSTANT, "up").await;
    insta::assert_snapshot!(both(&world.call(NOW, json!({"promql": "up"})).await));
}

/// Checked with `jq` on native.json: `.histogram[1].count` and `.sum` of both handlers, mean = sum ÷ count. The
/// quantiles are those Prometheus gives for the same moment: histogram_quantile(0.5, …) is 0.0066296 and 0.00043681,
/// (0.95, …) 0.018277 and 0.0038726, (0.99, …) 0.030967 and 0.012684.
#[tokio::test]
async fn golden_native_histograms_are_summed_up() {
    let world = World::new().await.file("POST", INSTANT, "native").await;
    let promql = "prometheus_http_request_duration_seconds{handler=~\"/metrics|/api/v1/query\"}";
    insta::assert_snapshot!(both(&world.call(NOW, json!({ "promql": promql })).await));
}

/// Checked with a short Python program on workers.json (statistics.median, min, max, last of each series): w07 is six
/// times as slow from 00:33:30 on, 20 s after the generator's start; nothing else changes.
#[tokio::test]
async fn golden_over_a_window_the_series_that_moved_comes_first() {
    let world = World::new().await.file("POST", RANGE, "workers").await;
    let arguments = json!({"promql": "worker_latency_seconds{worker=~\"w0.|w1.\"}", "time_range": "2m", "step": "5s",
        "limit": 4});
    let reply = world.call("2026-11-21T00:35:10Z", arguments).await;
    insta::assert_snapshot!(both(&reply));
    let asked = world.asked(RANGE);
    // 00:33:10Z is 1795221190 and 00:35:05Z 1795221305, the ends of the evidence; 00:35:10Z, the end that was asked for,
    // is left out, because windows are half-open.
    let sent = ["start", "end", "step"].map(|name| asked[0].form(name).unwrap().to_owned());
    assert_eq!(sent, ["1795221190", "1795221305", "5"]);
}

/// Checked by eye on version.json: 1.4.0 has points from 00:33:20 to 00:34:00, 1.5.0 from 00:34:10 to 00:36:00.
#[tokio::test]
async fn golden_full_detail_adds_points_and_what_ended_and_began() {
    let world = World::new().await.file("POST", RANGE, "version").await;
    let arguments = json!({"promql": "app_build_info", "time_range": "3m", "step": "10s", "detail": "full"});
    insta::assert_snapshot!(both(&world.call("2026-11-21T00:36:10Z", arguments).await));
}

/// The metric and the label value are misspelt. Counts as in nearest.json; the values are those of services.json.
#[tokio::test]
async fn golden_an_empty_result_says_why_and_what_exists() {
    let world =
        World::new().await.file("POST", RANGE, "query_vector_empty").await.file("GET", NAMES, "names").await;
    let world =
        world.query_file("count(http_request_total{service=\"chekout\"})", "query_vector_empty").await;
    let world = world.file("GET", "/api/v1/label/service/values", "services").await;
    let world = world
        .query_file(
            "count by (__name__) ({__name__=~\"http_requests_total|prometheus_http_requests_total\"})",
            "nearest",
        )
        .await;
    let arguments =
        json!({"promql": "sum(rate(http_request_total{service=\"chekout\"}[5m]))", "time_range": "30m"});
    insta::assert_snapshot!(both(&world.call(NOW, arguments).await));
}

#[tokio::test]
async fn golden_a_rejected_query_shows_where_and_what_helps() {
    let reply = Reply::to("POST", INSTANT).status(400).file("tests/recorded/query/query_error_parse.json");
    let world = World::new().await.reply(reply).await;
    insta::assert_snapshot!(both(
        &world.call(NOW, json!({"promql": "sum(rate(http_requests_total[1m])"})).await
    ));
}

/// 95,000 series × 8,640 points × (300 s ÷ 60 s) = 4,104,000,000; with a step of 12 h 95,000 × 60 × 5 = 28,500,000.
/// Of the usual windows, 6 h fits: 72 points × 5 × 95,000 = 34,200,000; 12 h would be 68,400,000.
#[tokio::test]
async fn golden_a_query_that_reads_too_much_is_refused_with_cheaper_ones() {
    // Read from 23:54 thirty days before to 23:59.
    let (count, span) = ("count(http_requests_total)", 30 * 86_400 + 300);
    let world = World::new().await.counts(count, "2026-11-20T23:59:00Z", span, &[(json!({}), 95_000)]).await;
    let world = world.rows("max(count_over_time(up[5m]))", &[(json!({}), "5")]).await;
    let promql = "sum(rate(http_requests_total[5m]))";
    let arguments = json!({"promql": promql, "time_range": "30d", "step": "5m"});
    let reply = world.call("2026-11-21T00:00:00Z", arguments).await;
    insta::assert_snapshot!(both(&reply));
    assert_eq!(world.times_asked(promql), 0, "it must not be sent");
}

#[tokio::test]
async fn warnings_and_infos_always_reach_the_reader() {
    let world = World::new().await.file("POST", INSTANT, "query_infos").await;
    let reply = world.call(NOW, json!({"promql": "rate(queue_depth[30s])"})).await;
    has(&reply, "info from prometheus \"main\": «PromQL info: metric might not be a counter");
    let world = World::new().await.file("POST", INSTANT, "query_warnings").await;
    let reply = world.call(NOW, json!({"promql": "histogram_quantile(2, x)"})).await;
    has(
        &reply,
        "warning from prometheus \"main\": «PromQL warning: quantile value should be between 0 and 1",
    );
    has(&reply, ": all at +Inf.");
}

#[tokio::test]
async fn a_backend_that_is_down_is_no_empty_result() {
    let world = World::new().await;
    let loaded = common::prometheus_at("http://127.0.0.1:1");
    for arguments in [json!({"promql": "up"}), json!({"promql": "rate(up[5m])", "time_range": "1h"})] {
        let reply = world.call_with(loaded.clone(), NOW, arguments).await;
        assert!(reply.is_error);
        has(&reply, "prometheus \"main\"");
        assert!(!reply.text.contains("not a zero"), "{}", reply.text);
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_argument_is_said_before_anyone_is_asked() {
    let world = World::new().await;
    let deep = format!("{}1{}", "(".repeat(70), ")".repeat(70));
    let cases = [
        (json!({"promql": deep}), "`promql`: its brackets are nested 70 deep; the limit is 64"),
        (json!({"promql": "up", "limit": 0}), "`limit`: is 0; use 1 to 200"),
        (json!({"promql": "up", "limit": 201}), "`limit`: is 201; the most is 200"),
        (json!({"promql": "up", "step": "1m"}), "`step`: makes sense only with a time_range"),
        (
            json!({"promql": "up", "time_range": "1h", "step": "1500ms"}),
            "`step`: `1500ms` is not a whole number of seconds",
        ),
        (json!({"promql": "up", "time_range": "1h", "step": "soon"}), "`step`: `soon` is not a duration"),
        (
            json!({"promql": "up", "time_range": "7d", "step": "1s"}),
            "the smallest step for this window is 55s",
        ),
        (
            json!({"promql": "up", "time_range": "93d"}),
            "`time_range`: the window is 93d long and this tool reads at most 92d",
        ),
        (
            json!({"promql": "up", "time_range": "2027-01-01T00:00:00Z/2027-01-02T00:00:00Z"}),
            "`time_range`: begins after now",
        ),
        (json!({"promql": "up", "source": "mian"}), "`source`: no source of this name"),
        (
            json!({"promql": "rate(a[$__rate_interval])", "time_range": "6h"}),
            "try: query_metrics(promql=\"rate(a[2m15s])\", time_range=\"6h\"): the same, filled in",
        ),
        (json!({"promql": "a{b=\"x\"} * $factor"}), "put the values of $factor into the query"),
    ];
    for (arguments, expected) in cases {
        let reply = world.call(NOW, arguments.clone()).await;
        assert!(reply.is_error, "{arguments}");
        has(&reply, expected);
    }
    assert_eq!(world.0.requests(), []);
}

#[tokio::test]
async fn a_window_is_aligned_and_the_answer_says_how() {
    let world = World::new().await.file("POST", RANGE, "workers").await;
    let arguments =
        json!({"promql": "x", "time_range": "2026-11-21T00:33:07Z/2026-11-21T00:35:03Z", "step": "10s"});
    let reply = world.call(NOW, arguments).await;
    has(
        &reply,
        "evaluated every 10s from 2026-11-21T00:33:00Z to 2026-11-21T00:35:00Z, both included; asked from 2026-11-21T00:33:07Z",
    );
    has(&reply, "2026-11-21T00:33:00Z/2026-11-21T00:35:00Z");
    let reply = world.call("2026-11-21T00:35:00Z", json!({"promql": "x", "time_range": "2m"})).await;
    assert!(!reply.text.contains("asked from"), "{}", reply.text);
    let future = json!({"promql": "x", "time_range": "2026-11-21T00:33:00Z/2026-11-21T02:00:00Z"});
    let reply = world.call("2026-11-21T00:35:00Z", future).await;
    has(&reply, "to 2026-11-21T02:00:00Z, which is after now");
}

#[tokio::test]
async fn a_dialect_is_sent_and_said_not_to_be_analysed() {
    let world = World::new().await.rows("up default 0", &[(json!({}), "1")]).await;
    let reply = world.call(NOW, json!({"promql": "up default 0"})).await;
    has(
        &reply,
        "not analysed: this server's reader of PromQL does not know all of the query; the source decides",
    );
    let reply = world.call(NOW, json!({"promql": "rate(up[30d]) default 0", "time_range": "30d"})).await;
    assert!(reply.is_error);
    has(&reply, "this query could not be analysed");
}

#[tokio::test]
async fn several_sources_are_named() {
    let world = World::new().await.file("POST", INSTANT, "up").await;
    let mut loaded = common::prometheus_at(&world.0.url());
    loaded.config.prometheus.push(common::source("eu", "http://127.0.0.1:1"));
    let reply = world.call_with(loaded, NOW, json!({"promql": "up", "source": "main"})).await;
    has(&reply, "not asked: eu (argument source)");
    has(&reply, "next: query_metrics(promql=\"up\", source=\"main\", time_range=\"1h\")");
}

#[tokio::test]
async fn a_missing_range_is_put_in() {
    let body = json!({"status": "error", "errorType": "bad_data", "error": "invalid parameter \"query\": 1:10: parse error: expected type range vector in call to function \"rate\", got instant vector"});
    let world =
        World::new().await.reply(Reply::to("POST", INSTANT).status(400).text(&body.to_string())).await;
    let reply = world.call(NOW, json!({"promql": "sum(rate(a{b=\"c\"}))"})).await;
    has(&reply, "add a range in brackets");
    has(&reply, "try: query_metrics(promql=\"sum(rate(a{b=\\\"c\\\"}[5m]))\"): with a range of five minutes");
}

#[tokio::test]
async fn a_limit_of_the_backend_is_not_blamed_on_the_expression() {
    let reply = Reply::to("POST", RANGE).status(400).file("tests/recorded/query/range_error_points.json");
    let world = World::new().await.reply(reply).await;
    let reply = world.call(NOW, json!({"promql": "up", "time_range": "1h"})).await;
    assert!(reply.text.starts_with("too_expensive: "), "{}", reply.text);
    let execution =
        Reply::to("POST", INSTANT).status(422).file("tests/recorded/query/query_error_execution.json");
    let world = World::new().await.reply(execution).await;
    let reply = world.call(NOW, json!({"promql": "queue_depth * on() queue_depth"})).await;
    has(&reply, "both sides have several series for the same labels");
}
