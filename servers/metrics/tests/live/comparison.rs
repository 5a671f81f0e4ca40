//! `compare_time_periods` in front of a real Prometheus that scrapes itself, an Alertmanager and the load generator.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::testbed::{Answer, Session, everything, load_started, url, value};

/// Waits until the load has been scraped for this long, in seconds since its start.
async fn scraped_for(seconds: f64) {
    let patience = Instant::now() + Duration::from_secs(120);
    let until = load_started().await + seconds;
    while value("prometheus", "vector(time())").await < until {
        assert!(Instant::now() < patience, "the load is not {seconds} s old after two minutes");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Two stretches of 20 s that follow each other, the later one ending a few seconds ago so that it is scraped.
async fn two_stretches() -> (String, String) {
    // What both windows, and the rates at their first moments, look back on.
    scraped_for(80.0).await;
    let now = value("prometheus", "vector(time())").await.floor();
    (format!("{}/{}", now - 25.0, now - 5.0), format!("{}/{}", now - 45.0, now - 25.0))
}

async fn compare(session: &mut Session, metric: &str, extra: Value) -> Answer {
    let (later, earlier) = two_stretches().await;
    let mut arguments = json!({"metric": metric, "window1": later, "window2": earlier});
    for (name, value) in extra.as_object().into_iter().flatten() {
        arguments[name] = value.clone();
    }
    session.answer("compare_time_periods", arguments).await
}

fn total(answer: &Answer, measure: &str) -> Value {
    let rows = answer.rows("totals");
    let found = rows.iter().find(|row| row["measure"] == measure);
    found.unwrap_or_else(|| panic!("{measure} in {}", answer.text)).clone()
}

fn median(row: &Value) -> f64 {
    row["median now"].as_f64().unwrap_or_else(|| panic!("{row}"))
}

/// Prometheus exposes the latencies of its own requests as a native histogram, and with `always_scrape_classic_histograms`
/// also in classic buckets. Both hold the same observations: the rates are equal, and the quantile of the fine form lies
/// in the bucket (up to 0.1 s, as Prometheus' source has it) in which the coarse one interpolates.
#[tokio::test]
#[ignore = "needs the testbed"]
async fn both_forms_of_one_histogram_agree() {
    let mut session = Session::start(&everything()).await;
    let selector = "{handler=\"/metrics\"}";
    let (later, earlier) = two_stretches().await;
    let mut ask = async |name: &str| {
        let metric = format!("{name}{selector}");
        let arguments = json!({"metric": metric, "window1": later, "window2": earlier});
        session.answer("compare_time_periods", arguments).await
    };
    let native = ask("prometheus_http_request_duration_seconds").await;
    let classic = ask("prometheus_http_request_duration_seconds_bucket").await;

    assert!(native.caveats().contains("histogram (classic, native) → quantiles"), "{}", native.text);
    assert!(
        native.structured["evidence"].to_string().contains("histogram_count(sum(rate("),
        "{}",
        native.text
    );
    assert!(classic.structured["evidence"].to_string().contains("sum by (le)"), "{}", classic.text);
    for side in ["median before", "median now"] {
        let of = |answer: &Answer| total(answer, "rate")[side].as_f64().unwrap();
        assert!((of(&native) / of(&classic) - 1.0).abs() < 0.001, "{}\n{}", native.text, classic.text);
        for quantile in ["p50", "p95"] {
            let fine = total(&native, quantile)[side].as_f64().unwrap();
            let coarse = total(&classic, quantile)[side].as_f64().unwrap();
            assert!(
                fine > 0.0 && fine <= 0.1 && coarse > 0.0 && coarse <= 0.1,
                "{quantile}: {fine}, {coarse}"
            );
        }
    }
    session.end().await;
}

/// Both windows lie after the only change of the load, so its rates are what the generator makes of them.
#[tokio::test]
#[ignore = "needs the testbed"]
async fn the_steady_load_is_steady_and_its_services_are_compared_with_each_other() {
    let mut session = Session::start(&everything()).await;
    let answer = compare(&mut session, "http_requests_total", json!({})).await;
    // 25 + 20 + 12 + 60 requests a second.
    assert!((median(&total(&answer, "rate")) / 117.0 - 1.0).abs() < 0.1, "{}", answer.text);
    let (later, _) = two_stretches().await;
    let arguments =
        json!({"metric": "http_requests_total", "window1": later, "window2": later, "by": "service"});
    let answer = session.answer("compare_time_periods", arguments).await;
    let rows = answer.rows("label values");
    let web = rows.iter().find(|row| row["labels"].to_string().contains("web")).unwrap();
    // The median of the others is that of 25, 20 and 12.
    assert!((web["median"].as_f64().unwrap() / 60.0 - 1.0).abs() < 0.1, "{web}");
    assert!((web["median of the others"].as_f64().unwrap() / 20.0 - 1.0).abs() < 0.15, "{web}");
    session.end().await;
}

/// The worker that slows down 20 s after the load's start, between the 10 s before and the 20 s after.
#[tokio::test]
#[ignore = "needs the testbed"]
async fn the_one_worker_of_84_that_slowed_down_is_blamed() {
    let mut session = Session::start(&everything()).await;
    scraped_for(45.0).await;
    let began = load_started().await.ceil();
    let window = |from: f64, to: f64| format!("{}/{}", began + from, began + to);
    let arguments = json!({"metric": "worker_latency_seconds", "window1": window(22.0, 40.0), "window2": window(6.0, 19.0)});
    let answer = session.answer("compare_time_periods", arguments).await;
    let first = &answer.rows("label sets")[0];
    assert!(first["labels"].to_string().contains("w07"), "{}", answer.text);
    let (before, now) = (first["median before"].as_f64().unwrap(), first["median now"].as_f64().unwrap());
    assert!((now / before - 6.0).abs() < 0.6, "{first}");
    session.end().await;
}

/// Two real exporters besides the load: Prometheus' own gauges and an Alertmanager's counters.
#[tokio::test]
#[ignore = "needs the testbed"]
async fn real_exporters_are_compared_on_both_prometheus() {
    for name in ["prometheus", "prometheus-old"] {
        let mut session = Session::start(&[("PROMETHEUS_URL", url(name))]).await;
        for (metric, kind) in [
            ("go_goroutines", "gauge → its value"),
            ("process_cpu_seconds_total", "counter → its rate"),
            ("up", "gauge, by its name → its value"),
        ] {
            let answer = compare(&mut session, metric, json!({})).await;
            assert!(answer.caveats().contains(kind) || metric == "up", "{}", answer.text);
            assert!(!answer.rows("totals").is_empty(), "{}", answer.text);
        }
        let answer = compare(&mut session, "go_gc_duration_seconds", json!({})).await;
        assert!(answer.caveats().contains("summary → its quantiles"), "{}", answer.text);
        session.end().await;
    }
}
