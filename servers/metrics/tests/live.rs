//! The shipped binary in front of real systems: Prometheus 3 and 2, two Alertmanagers, invented load. What is
//! expected comes from `testbed/README.md`, from the load's parameters, or from the systems asked past the server.
//! `cargo xtask test-live` runs these tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "live/alerts.rs"]
mod alerts;
#[path = "common/binary.rs"]
mod binary;
#[path = "live/blocks.rs"]
mod blocks;
#[path = "live/capacity.rs"]
mod capacity;
mod common;
#[path = "live/comparison.rs"]
mod comparison;
#[path = "live/cost.rs"]
mod cost;
#[path = "live/exemplars.rs"]
mod exemplars;
#[path = "live/exporters.rs"]
mod exporters;
#[path = "live/golden.rs"]
mod golden;
#[path = "common/queries.rs"]
mod queries;
#[path = "live/recorded.rs"]
mod recorded;
#[path = "live/restricted.rs"]
mod restricted;
#[path = "live/testbed.rs"]
mod testbed;
#[path = "live/unusual.rs"]
mod unusual;

use serde_json::{Value, json};
use testbed::{Answer, NOBODY, Session, ask, everything, load_started, run, url, value};

/// Requests per second of the load's services.
const TRAFFIC: [(&str, f64); 4] = [("cart", 25.0), ("checkout", 20.0), ("payment", 12.0), ("web", 60.0)];

#[tokio::test]
#[ignore = "needs the testbed"]
async fn check_has_a_working_line_for_every_source() {
    let mut configuration = everything();
    configuration.push(("METRICS_MCP__PROMETHEUS__1__NAME", "old".to_owned()));
    configuration.push(("METRICS_MCP__PROMETHEUS__1__URL", url("prometheus-old")));

    let (succeeded, printed) = run(&configuration, &["check"]);

    assert!(succeeded, "{printed}");
    for wanted in [
        "\"main\": build info: Prometheus 3.",
        "\"old\": build info: Prometheus 2.",
        "\"second\": status: 0.28.1",
    ] {
        let line = printed.lines().find(|line| line.contains(wanted));
        assert!(line.is_some_and(|line| line.starts_with("ok ")), "{wanted} in {printed}");
    }
    assert!(!printed.contains("FAILED"), "{printed}");
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn check_fails_and_says_so_when_one_of_two_sources_is_not_there() {
    let (succeeded, printed) =
        run(&[("PROMETHEUS_URL", url("prometheus")), ("ALERTMANAGER_URL", NOBODY.to_owned())], &["check"]);

    assert!(!succeeded && printed.contains("FAILED  alertmanager"), "{printed}");
    assert!(printed.contains("ok      prometheus"), "{printed}");
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn an_instant_query_gives_what_the_load_does_on_both_prometheus() {
    for name in ["prometheus", "prometheus-old"] {
        let mut session = Session::start(&[("PROMETHEUS_URL", url(name))]).await;
        let promql = "sum by (service) (rate(http_requests_total[1m]))";
        let answer = session.answer("query_metrics", json!({"promql": promql})).await;

        let rows = answer.rows("series");
        assert_eq!(rows.len(), TRAFFIC.len(), "{}", answer.text);
        for (service, per_second) in TRAFFIC {
            let row = rows.iter().find(|row| row["labels"].to_string().contains(service)).unwrap();
            let found = row["value"].as_f64().unwrap();
            // Scrapes are not exactly a second apart, and rate() extrapolates to the edges of its window.
            assert!((found / per_second - 1.0).abs() < 0.1, "{service}: {found}, not {per_second}");
        }
        assert_eq!(answer.structured["evidence"][0]["query"], promql);
        session.end().await;
    }
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn the_one_worker_of_84_that_slowed_down_is_the_first_row_with_its_onset() {
    let mut session = Session::start(&everything()).await;
    let began = load_started().await;
    // From a few seconds before the slow-down, when it is scraped already, at the distance of the scrapes.
    let window = format!("{}/{}", began.ceil() + 12.0, began.ceil() + 80.0);
    let arguments = json!({"promql": "worker_latency_seconds", "time_range": window, "step": "1s"});
    let answer = session.answer("query_metrics", arguments).await;

    assert_eq!(answer.coverage("series")[0], 84);
    let first = &answer.rows("series")[0];
    assert!(
        first["labels"].to_string().contains("w07") && answer.verdict().contains("w07"),
        "{}",
        answer.text
    );
    // It becomes six times as slow 20 seconds after the start. Noise is 3 % to either side.
    let ratio = first["max"].as_f64().unwrap() / first["min"].as_f64().unwrap();
    assert!((5.6..6.5).contains(&ratio), "{ratio}");
    let onset: f64 = seconds(first["onset"].as_str().unwrap());
    assert!((20.0..=23.0).contains(&(onset - began)), "onset {} s after the start", onset - began);
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn native_and_classic_histograms_of_one_thing_agree_within_a_bucket() {
    let mut session = Session::start(&everything()).await;
    // How far apart the scrapes of a job lie that is scraped every five seconds.
    let native = "prometheus_target_interval_length_histogram_seconds{interval=\"5s\"}";
    let classic = "prometheus_target_interval_length_histogram_seconds_bucket{interval=\"5s\"}";
    let p95 = async |session: &mut Session, promql: &str, column: &str, table: &str| {
        let answer = session.answer("query_metrics", json!({"promql": promql})).await;
        answer.rows(table)[0][column].as_f64().unwrap_or_else(|| panic!("{}", answer.text))
    };

    let of_native = format!("histogram_quantile(0.95, sum(rate({native}[1m])))");
    let of_native = p95(&mut session, &of_native, "value", "series").await;
    let of_classic = format!("histogram_quantile(0.95, sum by (le) (rate({classic}[1m])))");
    let of_classic = p95(&mut session, &of_classic, "value", "series").await;
    // Our own reading of the buckets, where the result is a histogram.
    let ours = p95(&mut session, &format!("sum(rate({native}[1m]))"), "p95", "native histograms").await;

    // Buckets of a native histogram are at most a tenth wide; the classic one has bounds at 1 and 10.
    assert!((4.5..=5.5).contains(&of_native), "{of_native}");
    assert!((1.0..=10.0).contains(&of_classic), "{of_classic}");
    assert!((ours / of_native - 1.0).abs() < 0.1, "{ours}, but {of_native} by Prometheus");
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn native_histograms_of_the_old_prometheus_are_understood_too() {
    let mut session = Session::start(&[("PROMETHEUS_URL", url("prometheus-old"))]).await;
    let native = "prometheus_target_interval_length_histogram_seconds{interval=\"5s\",instance=~\".+\"}";
    let answer = session.answer("query_metrics", json!({"promql": format!("sum(rate({native}[1m]))")})).await;

    let p95 = answer.rows("native histograms")[0]["p95"].as_f64().unwrap();
    assert!((4.5..=5.5).contains(&p95), "{}", answer.text);
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn an_unknown_metric_and_an_unknown_label_value_are_explained_with_the_nearest() {
    let mut session = Session::start(&everything()).await;
    let misspelt = session.answer("query_metrics", json!({"promql": "rate(http_request_total[5m])"})).await;
    assert!(
        misspelt.text.contains("http_requests_total") && misspelt.text.contains("not a zero"),
        "{}",
        misspelt.text
    );
    assert!(misspelt.rows("series").is_empty());

    let promql = "http_requests_total{service=\"chekout\"}";
    let value = session.answer("query_metrics", json!({"promql": promql, "time_range": "1m"})).await;
    assert!(value.text.contains("chekout") && value.text.contains("checkout"), "{}", value.text);
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_rejected_query_comes_back_with_the_place_that_prometheus_names() {
    for (name, promql) in [
        ("prometheus", "sum(rate(http_requests_total[5m])"),
        ("prometheus-old", "sum(rate(http_requests_total[5m])"),
        ("prometheus", "up +\n  * 2"),
    ] {
        let refusal = ask(name, promql).await;
        let said = refusal["error"].as_str().unwrap();
        // `invalid parameter "query": 1:34: parse error: unclosed left parenthesis`
        let place = said.split(": parse error").next().unwrap().rsplit(' ').next().unwrap();
        let (line, column) = place.split_once(':').unwrap();

        let mut session = Session::start(&[("PROMETHEUS_URL", url(name))]).await;
        let reply = session.call("query_metrics", json!({"promql": promql})).await;
        assert!(reply.is_error, "{}", reply.text);
        assert!(reply.text.contains(&format!("line {line}, column {column}")), "{said}; {}", reply.text);
        session.end().await;
    }
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn what_prometheus_remarks_reaches_the_reader() {
    let promql = "rate(queue_depth[1m])";
    let told = ask("prometheus", promql).await;
    let info = told["infos"][0].as_str().unwrap();

    let mut session = Session::start(&everything()).await;
    let answer = session.answer("query_metrics", json!({"promql": promql})).await;
    let essence = info.split(':').next_back().unwrap().split('"').next().unwrap().trim();
    assert!(answer.caveats().contains(essence), "{info} in {}", answer.text);
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn values_that_are_no_numbers_are_shown_as_such() {
    let mut session = Session::start(&everything()).await;
    let ratio = session.answer("query_metrics", json!({"promql": "cache_hit_ratio"})).await;
    assert_eq!(ratio.rows("series").len(), 2);
    assert!(ratio.text.contains("NaN") && ratio.text.contains("0.93"), "{}", ratio.text);

    let budget = session.answer("query_metrics", json!({"promql": "request_budget_seconds"})).await;
    assert!(budget.text.contains("+Inf") && budget.text.contains('5'), "{}", budget.text);
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_query_that_would_read_too_much_is_refused_with_the_true_number_of_series() {
    let mut configuration = everything();
    configuration.push(("METRICS_MCP__QUERIES__MAX_SAMPLES", "100".to_owned()));
    let mut session = Session::start(&configuration).await;
    let arguments = json!({"promql": "rate(http_requests_total[30s])", "time_range": "30s", "step": "15s"});
    let refused = session.call("query_metrics", arguments).await;

    // 9 routes with 4 codes each. The samples of each are not asserted: their distance is estimated over five
    // minutes, which a fresh testbed has not lived.
    assert!(
        refused.is_error && refused.text.contains("36 series of http_requests_total"),
        "{}",
        refused.text
    );
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn search_finds_a_metric_by_words_with_type_series_and_labels() {
    let mut session = Session::start(&everything()).await;
    let answer = session.answer("search_metrics", json!({"text": "http requests served"})).await;

    let found = metric_row(&answer, "http_requests_total");
    assert!(found.contains("counter") && found.contains("36"), "{found}");
    for label in ["service", "code", "route", "method"] {
        assert!(found.contains(label), "{label} in {found}");
    }
    let series = value("prometheus", "count(http_requests_total)").await;
    assert!((series - 36.0).abs() < 0.5, "the load has changed: {series} series");
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_name_that_needs_quotes_is_found_and_its_example_runs() {
    let mut session = Session::start(&everything()).await;
    let answer = session.answer("search_metrics", json!({"text": "age of the oldest message"})).await;
    assert!(metric_row(&answer, "queue.oldest.message.age").contains("queue.name"), "{}", answer.text);

    let promql = "{\"queue.oldest.message.age\"}";
    let ages = session.answer("query_metrics", json!({"promql": promql})).await;
    assert_eq!(ages.rows("series").len(), 5, "{}", ages.text);
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn only_allowed_tools_are_listed_and_run() {
    let mut configuration = everything();
    configuration.push(("METRICS_MCP__TOOLS__ALLOW", "[\"search_metrics\"]".to_owned()));
    let mut session = Session::start(&configuration).await;

    assert_eq!(session.tool_names().await, ["search_metrics"]);
    let refused = session.call_raw("query_metrics", json!({"promql": "up"})).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    session.answer("search_metrics", json!({"text": "up"})).await;
    session.end().await;
}

/// The row about this metric, in whatever table it stands, as text.
fn metric_row(answer: &Answer, metric: &str) -> String {
    let tables = answer.structured["tables"].as_array().unwrap().iter();
    let rows = tables.flat_map(|table| table["rows"].as_array().unwrap());
    let of_metric = |row: &&Value| row.as_array().unwrap().iter().any(|cell| cell == metric);
    rows.clone()
        .find(of_metric)
        .unwrap_or_else(|| panic!("no row of {metric} in {}", answer.text))
        .to_string()
}

/// Seconds since 1970 of a moment in RFC 3339.
fn seconds(moment: &str) -> f64 {
    moment.parse::<jiff::Timestamp>().unwrap().as_duration().as_secs_f64()
}
