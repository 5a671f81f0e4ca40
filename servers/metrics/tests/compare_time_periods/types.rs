//! Each type of metric is asked for as it wants to be.

use serde_json::json;

use crate::world::{MINUTE, Metric, World, counted, last_hour, noise, seasonal};

/// Whether the fault lasts: from 20 minutes before now.
fn is_faulty(at: i64) -> bool {
    at > -20 * MINUTE
}

/// A classic histogram of 20 requests a second: all of them within 0.1 s; while faulty, on the route /orders, half of
/// them between 1 and 2 s.
fn latency() -> Metric {
    let mut metric = Metric::of("histogram", "request_seconds");
    for (route, seed) in [("/orders", 1), ("/cart", 2)] {
        let is_slow = move |at: i64| route == "/orders" && is_faulty(at);
        for (le, share_slow) in [("0.05", 0.25), ("0.1", 0.5), ("1.0", 0.5), ("2.0", 1.0), ("+Inf", 1.0)] {
            let share = if le == "0.05" { 0.5 } else { 1.0 };
            let rate =
                move |at: i64| (20.0 + 0.1 * noise(at, seed)) * if is_slow(at) { share_slow } else { share };
            let name = format!("request_seconds_bucket{{route=\"{route}\",le=\"{le}\"}}");
            metric = metric.series(&name, &seasonal(), 15, counted(rate));
        }
        let name = format!("request_seconds_count{{route=\"{route}\"}}");
        metric = metric.series(&name, &seasonal(), 15, counted(move |at| 20.0 + 0.1 * noise(at, seed)));
        let sum = move |at: i64| 20.0 * if is_slow(at) { 0.775 } else { 0.05 };
        metric = metric.series(
            &format!("request_seconds_sum{{route=\"{route}\"}}"),
            &seasonal(),
            15,
            counted(sum),
        );
    }
    metric
}

/// By hand: 95 % of observations spread evenly over 0 to 0.1 lie below 0.095. While faulty, of /orders half lie
/// between 1 and 2: the 95th percentile is 1 + (0.95 − 0.5) ÷ 0.5 = 1.9; of both routes together a quarter: 1.8.
#[tokio::test]
async fn a_classic_histogram_is_compared_by_quantiles_and_rate_and_its_mean_is_blamed_on_a_route() {
    let world = World::of(&[latency()]).await;
    for metric in ["request_seconds", "request_seconds_bucket"] {
        let answer = world.compare(last_hour(metric)).await;
        let totals = answer.rows("totals");
        let measures: Vec<&str> = totals.iter().map(|row| row["measure"].as_str().unwrap()).collect();
        assert_eq!(measures, ["p50", "p95", "p99", "rate", "series"], "{}", answer.text);
        let p95 = &totals[1];
        assert!((p95["median before"].as_f64().unwrap() - 0.095).abs() < 0.001, "{p95}");
        assert!((p95["since onset"].as_f64().unwrap() - 1.8).abs() < 0.01, "{p95}");
        assert!(
            totals[3].get("onset").is_none_or(serde_json::Value::is_null),
            "the rate is steady: {}",
            answer.text
        );
        assert!(answer.verdict().starts_with(&format!("p95 of {metric} rose")), "{}", answer.text);
        assert!(answer.verdict().contains("route=/orders"), "{}", answer.text);
        let first = &answer.rows("label sets")[0];
        assert_eq!((&first["labels"], &first["measure"]), (&json!("{route=/orders}"), &json!("p95")));
        assert!((first["since onset"].as_f64().unwrap() - 1.9).abs() < 0.01, "{first}");
        assert!(
            answer.findings().contains("which label value moved it: route=/orders (mean 0.05"),
            "{}",
            answer.findings()
        );
        answer.says("histogram (classic) → quantiles and rate of its observations over 60 s");
    }
}

#[tokio::test]
async fn one_bucket_and_the_count_of_a_histogram_are_counters() {
    let world = World::of(&[latency()]).await;
    let answer = world.compare(last_hour("request_seconds_count")).await;
    answer.says("part of a histogram (classic) → its rate over 60 s");
    assert!((answer.rows("totals")[0]["median now"].as_f64().unwrap() - 40.0).abs() < 0.2, "{}", answer.text);
    let answer = world.compare(last_hour("request_seconds_bucket{le=\"1.0\"}")).await;
    answer.says("bucket of a histogram (classic) → its rate over 60 s");
    // 20 + 20 before, 10 + 20 since.
    assert!(
        (answer.rows("totals")[0]["since onset"].as_f64().unwrap() - 30.0).abs() < 0.3,
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn a_summary_is_compared_by_the_worst_targets_quantiles_and_its_rate() {
    let mut metric = Metric::of("summary", "gc_seconds");
    for (pod, seed) in [("a", 1), ("b", 2)] {
        for (quantile, usual) in [("0.5", 0.01), ("0.99", 0.05)] {
            let value = move |at: i64| {
                let slow = if pod == "b" && quantile == "0.99" && is_faulty(at) { 10.0 } else { 1.0 };
                Some(usual * slow * (1.0 + 0.01 * noise(at, seed)))
            };
            metric = metric.series(
                &format!("gc_seconds{{pod=\"{pod}\",quantile=\"{quantile}\"}}"),
                &seasonal(),
                15,
                value,
            );
        }
        metric =
            metric.series(&format!("gc_seconds_count{{pod=\"{pod}\"}}"), &seasonal(), 15, counted(|_| 2.0));
        metric =
            metric.series(&format!("gc_seconds_sum{{pod=\"{pod}\"}}"), &seasonal(), 15, counted(|_| 0.02));
    }
    let world = World::of(&[metric]).await;
    let answer = world.compare(last_hour("gc_seconds")).await;
    assert!(answer.verdict().starts_with("quantiles {quantile=0.99} of gc_seconds rose"), "{}", answer.text);
    let worst = answer.row("totals", "quantile=0.99");
    assert!((worst["since onset"].as_f64().unwrap() - 0.5).abs() < 0.01, "{worst}");
    assert_eq!(answer.rows("label sets")[0]["labels"], "{pod=b, quantile=0.99}");
    answer.says("summary → its quantiles, and the rate of its observations over 60 s");
}

/// By hand: 0.2 of 25.2 requests a second before, 8.2 of 33.2 since.
#[tokio::test]
async fn an_expression_is_compared_as_it_stands() {
    let world = World::of(&[crate::requests()]).await;
    let ratio = "sum(rate(http_requests_total{code=\"500\"}[1m])) / sum(rate(http_requests_total[1m]))";
    let answer = world.compare(last_hour(ratio)).await;
    let total = &answer.rows("totals")[0];
    assert!((total["median before"].as_f64().unwrap() - 0.2 / 25.2).abs() < 0.001, "{total}");
    assert!((total["since onset"].as_f64().unwrap() - 8.2 / 33.2).abs() < 0.01, "{total}");
    answer.says("PromQL as it stands");
    assert!(answer.rows("label sets").is_empty(), "one series is the total: {}", answer.text);

    let by_code = world.compare(last_hour("sum by (code) (rate(http_requests_total[1m]))")).await;
    assert_eq!(by_code.rows("label sets")[0]["labels"], "{code=500}");
    assert!(by_code.verdict().contains("code=500"), "{}", by_code.text);
    let total = &by_code.rows("totals")[0];
    assert!((total["median before"].as_f64().unwrap() - 25.2).abs() < 0.3, "sums add up: {total}");
}

#[tokio::test]
async fn a_level_that_does_not_add_up_is_averaged() {
    let mut metric = Metric::of("gauge", "disk_used_ratio");
    for (disk, level) in [("a", 0.4), ("b", 0.6)] {
        let value = move |at: i64| Some(level + 0.01 * noise(at, 3));
        metric = metric.series(&format!("disk_used_ratio{{disk=\"{disk}\"}}"), &seasonal(), 15, value);
    }
    let world = World::of(&[metric]).await;
    let answer = world.compare(last_hour("disk_used_ratio")).await;
    assert!((answer.rows("totals")[0]["median now"].as_f64().unwrap() - 0.5).abs() < 0.01, "{}", answer.text);
}

#[tokio::test]
async fn what_can_not_be_compared_says_what_to_change() {
    let world = World::of(&[crate::requests()]).await;
    for (metric, expected) in [
        ("rate(http_requests_total[$__rate_interval])", "rate(http_requests_total[1m])"),
        ("http_requests_total[5m]", "leave the range in [ ] out"),
        ("\"text\"", "is a text"),
        ("sum(", "refuses it"),
    ] {
        let reply = world.call(last_hour(metric)).await;
        assert!(reply.is_error && reply.text.contains(expected), "{metric}: {}", reply.text);
        assert_eq!(reply.structured.unwrap()["error"]["kind"], "invalid_argument", "{metric}");
    }
}
