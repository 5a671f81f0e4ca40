//! Stores and series that are not as one would wish: partly down, partial, limited, young, restarted.

use serde_json::json;
use testkit::{mcp::ToolReply, recorded::Reply};

use crate::{
    common,
    world::{INSTANT, NOW, RANGE, World, has, matrix},
};

#[tokio::test]
async fn of_three_sources_the_one_that_is_down_is_named_and_the_others_answer() {
    let world = World::new().await.file("POST", INSTANT, "up").await;
    let mut loaded = common::prometheus_at(&world.0.url());
    loaded.config.prometheus.push(common::source("eu", "http://127.0.0.1:1"));
    loaded.config.prometheus.push(common::source("us", &world.0.url()));
    for source in ["main", "us"] {
        let reply = world.call_with(loaded.clone(), NOW, json!({"promql": "up", "source": source})).await;
        assert!(!reply.is_error, "{}", reply.text);
        has(&reply, "not asked: ");
    }
    let reply = world.call_with(loaded, NOW, json!({"promql": "up", "source": "eu"})).await;
    assert!(reply.is_error);
    has(&reply, "prometheus \"eu\"");
    assert!(!reply.text.contains("not a zero"), "{}", reply.text);
}

/// The words are those of Thanos' querier when a store does not answer and partial responses are allowed.
#[tokio::test]
async fn a_partial_reply_of_thanos_is_said_to_be_partial() {
    let mut partial = matrix(vec![json!({"metric": {"a": "b"}, "values": [[1_795_224_000, "1"]]})]);
    partial["warnings"] = json!([
        "receive series from Addr: 10.0.0.7:10901 LabelSets: {replica=\"b\"} MinTime: 0 MaxTime: 9: rpc error: code = \
         Unavailable desc = connection error"
    ]);
    let world = World::new().await.reply(Reply::to("POST", RANGE).text(&partial.to_string())).await;
    let reply = world.call(NOW, json!({"promql": "up", "time_range": "1h"})).await;
    has(&reply, "warning from prometheus \"main\": «receive series from Addr: 10.0.0.7:10901");
}

#[tokio::test]
async fn a_limit_of_mimir_or_victoria_metrics_is_a_query_that_reads_too_much() {
    let mimir = json!({"status": "error", "errorType": "execution", "error": "the query exceeded the maximum number of \
        series (limit: 100000 series) (err-mimir-max-series-per-query). Consider reducing the time range"});
    let victoria = json!({"status": "error", "errorType": "422", "error": "cannot select more than \
        -search.maxSamplesPerQuery=1000000000 samples; possible solutions: increase the -search.maxSamplesPerQuery"});
    for (body, limit) in [(mimir, "Mimir's limit of series"), (victoria, "a limit of VictoriaMetrics")] {
        let world =
            World::new().await.reply(Reply::to("POST", RANGE).status(422).text(&body.to_string())).await;
        let reply = world.call(NOW, json!({"promql": "rate(up[5m])", "time_range": "1h"})).await;
        assert!(reply.text.starts_with("too_expensive: ") && reply.text.contains(limit), "{}", reply.text);
    }
}

/// VictoriaMetrics says so with `isPartial`, and tells nothing of samples.
#[tokio::test]
async fn a_partial_reply_of_victoria_metrics_is_said_to_be_partial() {
    let mut partial = matrix(vec![json!({"metric": {"a": "b"}, "values": [[1_795_224_000, "1"]]})]);
    partial["isPartial"] = json!(true);
    partial["stats"] = json!({"seriesFetched": "1", "executionTimeMsec": 3});
    let world = World::new().await.reply(Reply::to("POST", RANGE).text(&partial.to_string())).await;
    let reply = world.call(NOW, json!({"promql": "up", "time_range": "1h"})).await;
    has(&reply, "the reply is partial (isPartial): not every storage node answered");
    assert!(!reply.text.contains("samples;") && !reply.text.contains("read "), "{}", reply.text);
}

/// Answers from a recorded incident that ends at `NOW`: a counter of one a second that starts anew after half an hour,
/// and a gauge that is only there for the last twenty minutes.
async fn recorded(arguments: serde_json::Value) -> ToolReply {
    let end = NOW.parse::<jiff::Timestamp>().unwrap().as_second();
    let mut text = "# TYPE served counter\n".to_owned();
    for minute in 0..=70 {
        let served = if minute < 40 { minute * 60 } else { (minute - 40) * 60 };
        text.push_str(&format!("served_total{{pod=\"a\"}} {served} {}\n", end - (70 - minute) * 60));
    }
    text.push_str("# TYPE queue gauge\n");
    for minute in 50..=70 {
        text.push_str(&format!("queue{{pod=\"a\"}} {} {}\n", minute % 3, end - (70 - minute) * 60));
    }
    text.push_str("# EOF\n");
    let directory = common::incident(NOW, &[("metrics/a.om", &text)]);
    let (client, _) = common::connect(&common::recorded(directory.path()), NOW).await;
    client.call("query_metrics", arguments).await
}

#[tokio::test]
async fn a_counter_that_starts_anew_is_no_fall_of_its_rate() {
    let reply = recorded(json!({"promql": "rate(served_total[5m])", "time_range": "1h", "step": "1m"})).await;
    let row = &reply.structured.as_ref().unwrap()["tables"][0]["rows"][0];
    let columns = reply.structured.as_ref().unwrap()["tables"][0]["columns"].clone();
    let at = |name: &str| columns.as_array().unwrap().iter().position(|column| column == name).unwrap();
    // 60 a minute is one a second. Where it starts anew at 0, the 60 since the last sample before are unknown: of five
    // samples four distances, so four fifths at least.
    assert_eq!(row[at("median")], 1);
    assert!((0.6..=1.0).contains(&row[at("min")].as_f64().unwrap()), "{}", reply.text);
    // As it is, it is only added up: the rate is suggested.
    let reply = recorded(json!({"promql": "served_total", "time_range": "1h", "step": "1m"})).await;
    has(&reply, "next: query_metrics(promql=\"rate(served_total[5m])\"");
}

#[tokio::test]
async fn a_window_of_which_only_a_part_has_samples_says_since_when() {
    let reply = recorded(json!({"promql": "queue", "time_range": "1h", "step": "1m"})).await;
    // 20 minutes before 01:20.
    has(&reply, "first sample 2026-11-21T01:00:00Z");
    let reply =
        recorded(json!({"promql": "queue", "time_range": "2026-11-21T00:20:00Z/2026-11-21T00:50:00Z"})).await;
    has(&reply, "This is not a zero.");
    has(&reply, "queue has 1 series now: its samples begin after the window");
}

#[tokio::test]
async fn the_parts_of_an_empty_ratio_are_named_over_a_recording_too() {
    let promql = "sum(rate(served_total{pod=\"a\"}[5m])) / sum(queue > 100)";
    let reply = recorded(json!({ "promql": promql })).await;
    has(&reply, "the empty part is queue > 100; sum(rate(served_total{pod=\"a\"}[5m])) has 1 series");
    has(&reply, "nothing passes `… > 100`: the highest value of queue is 1 ");
    has(
        &reply,
        "it computes: ratio of: sum of rate per second over 5m of served_total{pod=\"a\"} ÷ sum of queue, only where > 100",
    );
}
