//! What a query may read.

use metrics_mcp::{Config, CostGuard, QueryLimits};
use runtime::Loaded;

use serde_json::{Value, json};
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

/// The server with another mode or limit.
fn guarded(world: &World, cost_guard: CostGuard, max_samples: u64) -> Loaded<Config> {
    let mut loaded = crate::common::prometheus_at(&world.0.url());
    loaded.config.queries = QueryLimits { cost_guard, max_samples, ..QueryLimits::default() };
    loaded
}

/// A reply of one series, of which the server says that it read 31,240 samples.
fn read(samples: u64) -> String {
    let mut reply = matrix(vec![json!({"metric": {"a": "b"}, "values": [[1_795_224_000, "1"]]})]);
    reply["data"]["stats"] = json!({"samples": {"totalQueryableSamples": samples, "peakSamples": 9}});
    reply.to_string()
}

#[tokio::test]
async fn what_was_read_is_said_beside_the_estimate() {
    // Read from 00:15 to 01:19:45, at 240 moments of 20 samples: 240 × 20 × 1,250 = 6 million.
    let world =
        World::new().await.counts("count(a)", "2026-11-21T01:19:45Z", 3_885, &[(json!({}), 1_250)]).await;
    let world = world.reply(Reply::to("POST", RANGE).text(&read(5_900_000))).await;
    let loaded = guarded(&world, CostGuard::Enforce, 10_000_000);
    let arguments = json!({"promql": "rate(a[5m])", "time_range": "1h"});
    let reply = world.call_with(loaded, NOW, arguments.clone()).await;
    has(&reply, "read 5.9 million samples; estimated 6 million");
    let sent = world.asked(RANGE).into_iter().find(|seen| seen.form("query") == Some("rate(a[5m])")).unwrap();
    assert_eq!(sent.form("stats"), Some("true"));
    // What could not be dear is not estimated, and still says what it read.
    let reply = world.call(NOW, json!({"promql": "sum(up)", "time_range": "1h"})).await;
    has(&reply, "read 5.9 million samples");
    assert!(!reply.text.contains("estimated"), "{}", reply.text);
}

/// Prometheus counts a native histogram by its size: the four series of this one as 67 samples (testbed, 3.15).
#[tokio::test]
async fn what_a_native_histogram_weighs_is_part_of_the_estimate() {
    let moments: Vec<Value> = (0..=12).map(|back| json!([1_795_223_985 - 324 * (12 - back), "4"])).collect();
    let mut counted = matrix(vec![json!({"metric": {}, "values": moments})]);
    counted["data"]["stats"] = json!({"samples": {"totalQueryableSamples": 13 * 67}});
    let count = Reply::to("POST", RANGE).form("query", "count(native_seconds)").text(&counted.to_string());
    let world = World::new().await.reply(count).await;
    let world = world.reply(Reply::to("POST", RANGE).text(&read(321_600))).await;
    let arguments = json!({"promql": "rate(native_seconds[5m])", "time_range": "1h"});
    let reply = world.call_with(guarded(&world, CostGuard::Shadow, 1_000_000), NOW, arguments).await;
    // 240 moments × 20 samples × 4 series × 67 ÷ 4.
    has(&reply, "read 321,600 samples; estimated 321,600");
}

#[tokio::test]
async fn in_the_shadow_everything_runs_and_what_would_have_been_done_is_said() {
    let world = World::new().await.counts("count(huge)", NOW, 30 * 86_400, &[(json!({}), 1_000)]).await;
    let world = world.file("POST", INSTANT, "up").await;
    let promql = "sum(rate(huge[30d]))";
    let loaded = guarded(&world, CostGuard::Shadow, 50_000_000);
    let reply = world.call_with(loaded, NOW, json!({ "promql": promql })).await;
    assert!(!reply.is_error, "{}", reply.text);
    has(
        &reply,
        "cost guard (shadow): would have been refused: this would read about 172.8 million samples (limit 50 million)",
    );
    assert_eq!(world.times_asked(promql), 1);

    let world = World::new().await;
    let world =
        world.counts("count(a)", "2026-11-20T23:59:00Z", 30 * 86_400 + 300, &[(json!({}), 10_000)]).await;
    let world = world.reply(Reply::to("POST", RANGE).text(&matrix(vec![]).to_string())).await;
    let loaded = guarded(&world, CostGuard::Shadow, 50_000_000);
    let arguments = json!({"promql": "rate(a[5m])", "time_range": "30d", "step": "5m"});
    let reply = world.call_with(loaded, "2026-11-21T00:00:00Z", arguments).await;
    has(&reply, "cost guard (shadow): would have run with step 3h instead of 5m, because it reads about");
    let sent = world.asked(RANGE).into_iter().find(|seen| seen.form("query") == Some("rate(a[5m])")).unwrap();
    assert_eq!(sent.form("step"), Some("300"));
}

#[tokio::test]
async fn switched_off_nothing_is_estimated_and_nothing_looked_up() {
    let world = World::new().await.file("POST", INSTANT, "up").await;
    let loaded = guarded(&world, CostGuard::Off, 1);
    let reply = world.call_with(loaded, NOW, json!({"promql": "sum(rate({__name__=~\".+\"}[30d]))"})).await;
    assert!(!reply.is_error && !reply.text.contains("cost guard"), "{}", reply.text);
    assert_eq!(world.0.requests().len(), 1);
}

/// Every one of these hides what it reads from some guard: from one that walks as the parser's own walker does, that
/// looks only at the end of the window, at the first few selectors, at names, or at what it can parse.
#[tokio::test]
async fn known_ways_around_a_guard_are_refused() {
    let names = |count: usize| (0..count).map(|one| format!("m{one:03}")).collect::<Vec<_>>();
    let many =
        names(70).iter().map(|name| format!("max_over_time({name}[30d])")).collect::<Vec<_>>().join(" + ");
    let everything = vec!["{__name__=~\".+\"}"; 60].join(" or ");
    let queries = [
        "topk(scalar(sum(rate(huge[30d]))), up)",
        "quantile(scalar(count(rate(huge[30d]))) / 1e9, up)",
        "count_values(\"v\", rate(huge[30d]))",
        "limitk(scalar(sum(rate(huge[30d]))), up)",
        "max_over_time(max_over_time(rate(huge[1h])[1d:1m])[7d:1h])",
        "max_over_time(sum(rate(huge[5m]))[30d:10s])",
        "rate(huge[30d] offset 5m)",
        "rate(huge[30d] @ 1795000000)",
        "rate(huge[30d] @ end() offset -1h)",
        "max_over_time(rate(huge[5m] @ 5)[30d:1s])",
        "up + on () group_left () sum(rate(huge[30d]))",
        "up and on () (vector(1) unless on () sum(rate(huge[30d])))",
        "clamp_max(up, scalar(sum(rate(huge[30d]))))",
        "histogram_quantile(scalar(sum(rate(huge[30d]))), up)",
        "label_replace(rate(huge[30d]), \"a\", \"$1\", \"b\", \"(.*)\")",
        "label_join(sum(rate(huge[30d])), \"a\", \",\")",
        "sort_by_label(rate(huge[30d]), \"a\")",
        "absent_over_time(huge[30d])",
        "-(-(+rate(huge[30d])))",
        "rate(huge[30d]) # rate(tiny[1m])",
        "sum(rate(\n# comment (\nhuge # ) [1s]\n[30d]))",
        "rate({__name__=\"huge\"}[30d])",
        "rate({\"huge\"}[30d])",
        "rate({\"huge.with.dots\"}[30d])",
        "rate({__name__=~\"hug.\"}[30d])",
        "rate({__name__=~\".+\"}[30d])",
        "rate({job=~\".+\",instance!=\"\"}[30d])",
        "rate({job=\"a\" or job=\"b\"}[30d])",
        "rate(vanished[30d])",
        "rate(huge[720h])",
        "rate(huge[2592000000ms])",
        // What can't be read here, by its ranges.
        "rate(huge[30d] anchored)",
        "max_over_time(rate(huge[1h] anchored)[1d:1s])",
        "huge default rate(huge[30d])",
        "rate(huge[5m * 8640])",
        "rate(huge[5m + 30d])",
        "sum_over_time(huge[1d:1s] keep_metric_names)",
        "WITH (x = huge[30d]) rate(x)",
        &many,
        &format!("max_over_time(({everything})[30m:15s])"),
    ];
    for promql in queries {
        let world = World::new().await;
        let world = world.reply(counting(promql)).await;
        let reply = world.call(NOW, json!({ "promql": promql })).await;
        assert!(reply.text.starts_with("too_expensive: "), "{promql}: {}", reply.text);
        assert_eq!(world.times_asked(promql), 0, "{promql}");
    }
}

/// A store in which every selector has 2,000 series; what is called `vanished` had them until ten days ago.
fn counting(promql: &str) -> Reply {
    let now = NOW.parse::<jiff::Timestamp>().unwrap().as_second();
    let vanished = promql.contains("vanished");
    // At every hour, so that whatever moments are asked for are among them or near.
    let hours = (0..24 * 40).map(|hour| now - hour * 3_600).filter(|at| !vanished || *at < now - 10 * 86_400);
    let mut values: Vec<Value> = hours.map(|at| json!([at, "2000"])).collect();
    values.reverse();
    let mut rows: Vec<Value> =
        (0..64).map(|one| json!({"metric": {"selector": one.to_string()}, "values": values})).collect();
    rows.push(json!({"metric": {}, "values": values}));
    Reply::to("POST", RANGE).text(&matrix(rows).to_string())
}
