//! What a query may read.

use serde_json::json;
use testkit::recorded::Reply;

use crate::world::{INSTANT, NOW, RANGE, World, has, matrix};

/// How dense samples are: those of the targets, and of the one metric.
const DENSITY: &str = "label_replace(max(count_over_time(up[5m])), \"selector\", \"0\", \"\", \"\") or \
     label_replace(sum(count_over_time(a[10m])), \"selector\", \"1\", \"\", \"\")";

#[tokio::test]
async fn what_reads_too_much_at_a_given_step_runs_with_a_coarser_one_and_says_so() {
    let span = 30 * 86_400 + 300;
    let world =
        World::new().await.counts("count(a)", "2026-11-20T23:59:00Z", span, &[(json!({}), 10_000)]).await;
    // One sample a minute: 10,000 series have 100,000 of them in ten minutes.
    let world =
        world.rows(DENSITY, &[(json!({"selector": "0"}), "5"), (json!({"selector": "1"}), "100000")]).await;
    let world = world.reply(Reply::to("POST", RANGE).text(&matrix(vec![]).to_string())).await;
    let arguments = json!({"promql": "rate(a[5m])", "time_range": "30d", "step": "5m"});
    // From 23:59 to 23:59: 10,000 × 8,641 × 5 = 432,050,000; every 3 h it is about 12,000,000.
    let reply = world.call("2026-11-21T00:00:00Z", arguments).await;
    has(&reply, "step 3h instead of 5m: that would read about 432.1 million samples (limit 50 million)");
    let sent = world.asked(RANGE).into_iter().find(|seen| seen.form("query") == Some("rate(a[5m])")).unwrap();
    assert_eq!(sent.form("step"), Some("10800"));
}

#[tokio::test]
async fn an_aggregations_parameter_does_not_hide_what_it_reads() {
    let counts = "label_replace(count(huge), \"selector\", \"0\", \"\", \"\") or label_replace(count(up), \"selector\", \"1\", \"\", \"\")";
    let world = World::new().await;
    let rows = [(json!({"selector": "0"}), 1_000), (json!({"selector": "1"}), 3)];
    let world = world.counts(counts, NOW, 30 * 86_400, &rows).await;
    let reply = world.call(NOW, json!({"promql": "topk(scalar(sum(rate(huge[30d]))), up)"})).await;
    assert!(reply.is_error);
    // 1,000 series × 30 d ÷ 15 s = 172.8 million.
    has(
        &reply,
        "this would read about 172.8 million samples (limit 50 million): 1,000 series of huge × 172,800 samples each (one every 15s)",
    );
    has(
        &reply,
        "try: query_metrics(promql=\"topk(scalar(sum(rate(huge[7d]))), up)\"): reads about 40.3 million samples",
    );
}

#[tokio::test]
async fn a_query_that_seems_dear_is_refused_when_its_series_cannot_be_counted() {
    let count = Reply::to("POST", RANGE).form("query", "count(a)").status(503).text("overloaded");
    let world = World::new().await.reply(count).await;
    let world = world.reply(Reply::to("POST", RANGE).text(&matrix(vec![]).to_string())).await;
    let reply = world.call(NOW, json!({"promql": "max_over_time(a[1d])", "time_range": "7d"})).await;
    assert!(reply.text.starts_with("too_expensive: "), "{}", reply.text);
    has(&reply, "the series of a could not be counted; with 1,000 it is");
    assert_eq!(world.times_asked("max_over_time(a[1d])"), 0, "it must not be sent");
    // Of what seems cheap it is said only: 169 moments of an hour × 240 × 1,000 = 40,560,000.
    let reply =
        world.call(NOW, json!({"promql": "max_over_time(a[1h])", "time_range": "7d", "step": "1h"})).await;
    assert!(!reply.is_error, "{}", reply.text);
    has(&reply, "the series of a could not be counted, so what this reads was not bounded beforehand");
}

#[tokio::test]
async fn usual_queries_need_no_look_up() {
    let world = World::new().await.file("POST", RANGE, "workers").await.file("POST", INSTANT, "up").await;
    for arguments in [
        json!({"promql": "up", "time_range": "1h"}),
        json!({"promql": "rate(a[1m])", "time_range": "1h"}),
        json!({"promql": "sum(rate(a[1h])) / sum(rate(b[1h]))"}),
    ] {
        world.call(NOW, arguments).await;
    }
    assert_eq!(world.0.requests().len(), 3);
}

#[tokio::test]
async fn a_reply_that_is_too_large_is_asked_for_again_with_fewer_points() {
    let large = "x".repeat(9_000_000);
    let first = Reply::to("POST", RANGE).text(&large).at_most(1);
    let second = Reply::to("POST", RANGE).file("tests/recorded/query/workers.json");
    let world = World::new().await.reply(first).await.reply(second).await;
    let reply = world.call("2026-11-21T01:20:00Z", json!({"promql": "x", "time_range": "1h"})).await;
    has(&reply, "60 points a series instead of 240: the whole reply is larger than 8388608 bytes");
    let steps: Vec<Option<String>> =
        world.asked(RANGE).iter().map(|seen| seen.form("step").map(str::to_owned)).collect();
    assert_eq!(steps, [Some("15".to_owned()), Some("60".to_owned())]);

    let world = World::new().await.reply(Reply::to("POST", INSTANT).text(&large)).await;
    let reply = world.call(NOW, json!({"promql": "x"})).await;
    assert!(reply.is_error);
    has(&reply, "the reply is larger than 8388608 bytes: too many series");
    has(&reply, "try: query_metrics(promql=\"topk(20, x)\"): the 20 largest");
}

#[tokio::test]
async fn a_range_of_all_there_is_is_estimated_even_at_one_moment() {
    let count = "count({__name__=~\".+\"})";
    let world = World::new().await.counts(count, NOW, 3_600, &[(json!({}), 500_000)]).await;
    let reply = world.call(NOW, json!({"promql": "sum(rate({__name__=~\".+\"}[1h]))"})).await;
    // 500,000 series × 3,600 s ÷ 15 s.
    has(&reply, "this would read about 120 million samples (limit 50 million): 500,000 series");
}
