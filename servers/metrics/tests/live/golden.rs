//! Golden signals of real exporters: the load generator, Prometheus' own HTTP API (native and classic histograms) and
//! this server's `/metrics`. Conventions without a test here were compared only with documented formats.

use serde_json::json;

use crate::{
    TRAFFIC,
    testbed::{Answer, Session, ask, load_started, url, value},
};

/// What a signal is now.
fn now(answer: &Answer, signal: &str) -> f64 {
    let rows = answer.rows("signals");
    let row = rows.iter().find(|row| row["signal"] == signal);
    row.and_then(|row| row["now"].as_f64()).unwrap_or_else(|| panic!("{signal}\n{}", answer.text))
}

/// Waits until the load is old enough for a window of five minutes, the shortest there is, whose first rate needs two
/// minutes of samples before it.
async fn a_window_of_the_load() -> &'static str {
    let full = load_started().await + 440.0;
    while value("prometheus", "vector(time())").await < full {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    "5m"
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn the_load_has_the_traffic_it_is_told_to_make_one_by_one_and_all_together() {
    let mut session = Session::start(&[("PROMETHEUS_URL", url("prometheus"))]).await;
    let window = a_window_of_the_load().await;
    let all = session.answer("get_service_golden_signals", json!({"time_range": window})).await;
    let rows = all.rows("services");
    for (service, per_second) in TRAFFIC {
        let one = session
            .answer("get_service_golden_signals", json!({"service": service, "time_range": window}))
            .await;
        let traffic = now(&one, "traffic");
        assert!((traffic / per_second - 1.0).abs() < 0.1, "{service}: {traffic}\n{}", one.text);
        assert!(rows.iter().any(|row| row["service"] == service), "{service}\n{}", all.text);
    }
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn prometheus_own_requests_are_told_by_its_native_histogram_where_it_has_one() {
    // Something to measure.
    for _ in 0..50 {
        ask("prometheus", "up").await;
    }
    let mut session = Session::start(&[("PROMETHEUS_URL", url("prometheus"))]).await;
    let arguments = json!({"service": "prometheus", "time_range": "5m"});
    let answer = session.answer("get_service_golden_signals", arguments).await;
    let said = "prometheus_http_request_duration_seconds, native histogram";
    assert!(answer.text.contains(said), "{}", answer.text);
    // Asked past the server, both forms of the same histogram: the bounds of a classic bucket hold the native quantile.
    let told = now(&answer, "latency p95");
    let native = "histogram_quantile(0.95, sum(rate(prometheus_http_request_duration_seconds[5m])))";
    let native = value("prometheus", native).await;
    assert!(told > 0.0 && told < 1.0 && native > 0.0, "{told} {native}");
    let errors = now(&answer, "errors");
    assert!((0.0..=100.0).contains(&errors), "{}", answer.text);
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn the_same_histogram_has_the_same_p50_in_both_forms() {
    let mut session = Session::start(&[("PROMETHEUS_URL", url("prometheus"))]).await;
    let arguments = json!({"service": "prometheus", "time_range": "5m"});
    let answer = session.answer("get_service_golden_signals", arguments).await;
    let told = now(&answer, "latency p50");
    // Classic buckets begin at 0.1 s: what is faster lies in the first of them.
    let first = "sum(rate(prometheus_http_request_duration_seconds_bucket{le=\"0.1\"}[5m])) / \
                 sum(rate(prometheus_http_request_duration_seconds_bucket{le=\"+Inf\"}[5m]))";
    assert_eq!(told < 0.1, value("prometheus", first).await > 0.5, "{}", answer.text);
    session.end().await;
}
