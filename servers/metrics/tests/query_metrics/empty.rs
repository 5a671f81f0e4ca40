//! Results without a series, and why.

use serde_json::json;
use testkit::recorded::Reply;

use crate::world::{INSTANT, NAMES, NOW, RANGE, World, first_line, has, matrix, vector};

/// A Prometheus that knows http_requests_total, queue_depth and up, and answers every query with nothing.
async fn nothing() -> World {
    let world = World::new().await.file("GET", NAMES, "names").await;
    let world = world
        .file("POST", INSTANT, "query_vector_empty")
        .await
        .file("POST", RANGE, "query_vector_empty")
        .await;
    let world = world.file("GET", "/api/v1/label/service/values", "services").await;
    world.file("GET", "/api/v1/label/code/values", "codes").await
}

/// The index has no series that matches this selector, although it has the metric.
async fn without(world: World, selector: &str) -> World {
    world
        .reply(
            Reply::to("GET", NAMES).query("match[]", selector).text("{\"status\":\"success\",\"data\":[]}"),
        )
        .await
}

#[tokio::test]
async fn an_unknown_label_value_has_its_nearest_and_a_regular_expression_its_sign() {
    let selector = "http_requests_total{service=\"chekout\", code=\"5..\"}";
    let world = without(nothing().await, selector).await;
    let reply = world
        .call(NOW, json!({"promql": "sum(rate(http_requests_total{service=\"chekout\",code=\"5..\"}[5m]))"}))
        .await;
    has(&reply, "no value of label service on http_requests_total fits service=");
    has(&reply, "; nearest: checkout");
    has(
        &reply,
        "compares the whole text on http_requests_total; as a regular expression, with =~, it matches",
    );
    has(
        &reply,
        "next: query_metrics(promql=\"sum(rate(http_requests_total{service=\\\"checkout\\\",code=~\\\"5..\\\"}[5m]))\")",
    );
    assert!(world.0.requests().len() <= 7);
}

#[tokio::test]
async fn values_that_resemble_nothing_are_listed() {
    let world = without(nothing().await, "http_requests_total{service=\"zzz\"}").await;
    let reply = world.call(NOW, json!({"promql": "http_requests_total{service=\"zzz\"}"})).await;
    has(&reply, "of its 4 values: cart, checkout, payment, web");
}

#[tokio::test]
async fn a_label_that_does_not_exist_is_named_with_those_that_do() {
    let world = without(nothing().await, "http_requests_total{svc=\"checkout\"}").await;
    let world = world
        .reply(Reply::to("GET", "/api/v1/label/svc/values").text("{\"status\":\"success\",\"data\":[]}"))
        .await;
    let world = world.file("GET", "/api/v1/labels", "labels").await;
    let reply = world.call(NOW, json!({"promql": "http_requests_total{svc=\"checkout\"}"})).await;
    has(
        &reply,
        "there is no label svc on http_requests_total; its labels: code, instance, job, method, route, service",
    );
}

#[tokio::test]
async fn labels_that_exist_one_by_one_but_not_together() {
    let world = without(nothing().await, "http_requests_total{service=\"cart\", code=\"503\"}").await;
    let reply =
        world.call(NOW, json!({"promql": "http_requests_total{service=\"cart\",code=\"503\"}"})).await;
    has(&reply, "no series has all the labels of http_requests_total{service=");
}

#[tokio::test]
async fn samples_that_ended_have_a_last_moment_and_a_window() {
    // The last half hour with a sample ends at 00:50:00Z (1795222200); its last sample is at 1795222187.
    let piece = matrix(vec![json!({"metric": {}, "values": [[1_795_220_400, "1"], [1_795_222_200, "1"]]})]);
    let pieces =
        Reply::to("POST", RANGE).form("query", "count(present_over_time(up[30m]))").text(&piece.to_string());
    let world = nothing().await.reply(pieces).await;
    let world = world.rows("max(max_over_time(timestamp(up)[30m:15s]))", &[(json!({}), "1795222187")]).await;
    let reply = world.call(NOW, json!({"promql": "up"})).await;
    has(&reply, "up exists, but has no current sample; last seen about 2026-11-21T00:49:47Z");
    has(
        &reply,
        "next: query_metrics(promql=\"up\", time_range=\"2026-11-21T00:19:47Z/2026-11-21T00:54:47Z\"): when there were samples",
    );
}

#[tokio::test]
async fn a_sample_too_brief_for_its_moment_is_still_found() {
    let piece = matrix(vec![json!({"metric": {}, "values": [[1_795_222_200, "1"]]})]);
    let pieces =
        Reply::to("POST", RANGE).form("query", "count(present_over_time(up[30m]))").text(&piece.to_string());
    let world = nothing().await.reply(pieces).await;
    let reply = world.call(NOW, json!({"promql": "up"})).await;
    has(&reply, "last seen between 2026-11-21T00:20:00Z and 2026-11-21T00:50:00Z");
}

#[tokio::test]
async fn samples_that_begin_after_the_window_are_mentioned() {
    let world = nothing().await;
    let now = Reply::to("POST", INSTANT).form("query", "count(up)").form("time", "1795224000");
    let world = world
        .reply(now.text(&vector(vec![json!({"metric": {}, "value": [1_795_224_000, "5"]})]).to_string()))
        .await;
    let reply = world.call(NOW, json!({"promql": "up", "time_range": "now-5h/now-4h"})).await;
    has(&reply, "no sample in this window; none before it either, back to ");
    has(&reply, "up has 5 series now: its samples begin after the window");
}

#[tokio::test]
async fn a_comparison_that_nothing_passes_says_how_near_it_came() {
    let world = nothing().await.query_file("count(queue_depth)", "count_queues").await;
    let world = world.query_file("max(queue_depth)", "highest").await;
    let reply = world.call(NOW, json!({"promql": "queue_depth > 100000"})).await;
    has(
        &reply,
        "queue_depth has 5 series; nothing passes `… > 100000`: the highest value of queue_depth is 156 at 2026-11-21T01:20:00Z",
    );
}

#[tokio::test]
async fn two_sides_without_equal_labels_and_absence_are_explained() {
    let world = nothing().await.query_file("count(queue_depth)", "count_queues").await;
    let world = world.rows("count(up)", &[(json!({}), "5")]).await;
    let cases = [
        ("up and queue_depth", "up has 5 series, queue_depth has 5 series; `and` left none"),
        ("up / queue_depth", "no two of both sides of `/` have equal labels"),
        ("absent(up)", "up has 5 series; absent() answers only while there are none"),
    ];
    for (promql, expected) in cases {
        has(&world.call(NOW, json!({ "promql": promql })).await, expected);
    }
}

#[tokio::test]
async fn a_range_too_short_for_two_samples_is_found() {
    let world = nothing().await.query_file("count(queue_depth)", "count_queues").await;
    // Ten samples in ten minutes: one a minute.
    let world = world.rows("max(count_over_time(queue_depth[10m]))", &[(json!({}), "10")]).await;
    let reply = world.call(NOW, json!({"promql": "rate(queue_depth[30s])"})).await;
    has(
        &reply,
        "rate() needs two samples, and [30s] of queue_depth does not always hold two: they are about 1m apart",
    );
    has(&reply, "next: query_metrics(promql=\"rate(queue_depth[4m])\"): with a range of 4m");
}

#[tokio::test]
async fn nothing_similar_leads_to_a_search() {
    let reply = nothing().await.call(NOW, json!({"promql": "zzz_qqq"})).await;
    has(&reply, "metric zzz_qqq does not exist, nor one with a similar name");
    has(&reply, "next: search_metrics(text=\"zzz qqq\"): finds metrics by words");
}

#[tokio::test]
async fn look_ups_that_fail_say_nothing_and_claim_nothing() {
    let world = World::new().await.file("POST", RANGE, "query_vector_empty").await;
    let reply = world.call(NOW, json!({"promql": "up > 5", "time_range": "1h"})).await;
    assert!(!reply.is_error);
    assert_eq!(
        first_line(&reply),
        "No series matched up > 5 between 2026-11-21T00:20:00Z and 2026-11-21T01:19:45Z. This is not a zero."
    );
    assert!(!reply.text.contains("does not exist"), "{}", reply.text);
}

#[tokio::test]
async fn an_explanation_does_not_drown_in_a_long_name() {
    let long = "z".repeat(8_192);
    let reply = nothing().await.call(NOW, json!({ "promql": long })).await;
    has(&reply, &format!("metric {}… does not exist, nor one with a similar name", "z".repeat(100)));
}

#[tokio::test]
async fn the_empty_part_of_an_expression_is_named_and_what_it_computes() {
    let world = nothing().await.query_file("count(queue_depth)", "count_queues").await;
    let world = world.rows("count(up)", &[(json!({}), "5")]).await;
    let parts = "label_replace(count(sum(queue_depth) > 500), \"part\", \"0\", \"\", \"\") or \
                 label_replace(count(sum by (job) (up)), \"part\", \"1\", \"\", \"\") or \
                 label_replace(count(sum(queue_depth)), \"part\", \"2\", \"\", \"\")";
    let world = world.rows(parts, &[(json!({"part": "1"}), "2"), (json!({"part": "2"}), "1")]).await;
    let world = world.rows("max(sum(queue_depth))", &[(json!({}), "120")]).await;
    let reply =
        world.call(NOW, json!({"promql": "(sum(queue_depth) > 500) / on () sum by (job) (up)"})).await;
    has(
        &reply,
        "the empty part is sum(queue_depth) > 500; sum by (job) (up) has 2 series, sum(queue_depth) has 1 series",
    );
    has(&reply, "nothing passes `… > 500`: the highest value of sum(queue_depth) is 120");
    has(
        &reply,
        "it computes: ratio of: (sum of queue_depth, only where > 500) ÷ with the same () sum by (job) of up",
    );
}

#[tokio::test]
async fn parts_that_have_series_but_none_together_are_said_to() {
    let world = nothing().await.query_file("count(queue_depth)", "count_queues").await;
    let world = world.rows("count(up)", &[(json!({}), "5")]).await;
    let parts = "label_replace(count(sum by (queue) (queue_depth)), \"part\", \"0\", \"\", \"\") or \
                 label_replace(count(sum by (job) (up)), \"part\", \"1\", \"\", \"\")";
    let world = world.rows(parts, &[(json!({"part": "0"}), "5"), (json!({"part": "1"}), "2")]).await;
    let reply = world.call(NOW, json!({"promql": "sum by (queue) (queue_depth) / sum by (job) (up)"})).await;
    has(
        &reply,
        "each part has series, together they have none: sum by (queue) (queue_depth) has 5 series, sum by (job) (up) has 2",
    );
    has(&reply, "no two of both sides of `/` have equal labels");
}
