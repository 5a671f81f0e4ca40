//! Months with holes, and worlds without Kubernetes.

use serde_json::json;

use crate::world::{MIB, Month, ask, business_hours, contains, leak, now};

const POD: &str = "checkout-5d8f7c9b6d-x2x4p";

#[tokio::test]
async fn nothing_measured_is_not_zero_usage() {
    let mut month = Month::default();
    month.gauge("up", &[("job", "checkout")], (1, 0), |_| 1.0);
    let reply = ask(&month, json!({"service": "checkout"})).await;
    contains(&reply, &["checkout is known (job=\"checkout\")", "That is not zero usage"]);
    let reply = ask(&month, json!({})).await;
    contains(&reply, &["Nothing can be said about capacity", "That is not zero usage"]);
}

#[tokio::test]
async fn an_unknown_service_is_answered_with_the_nearest() {
    let mut month = Month::default();
    month.container("checkout", POD, 1, business_hours, leak);
    let reply = ask(&month, json!({"service": "chekout"})).await;
    contains(&reply, &["nothing was measured", "checkout", "get_capacity_trend(service=\"checkout\")"]);
}

#[tokio::test]
async fn a_history_of_three_days_says_so_and_suggests_nothing() {
    let mut month = Month::default();
    month.container("checkout", POD, 3, business_hours, |_| 100.0 * MIB);
    month.bounds("checkout", POD, (2.0, 4.0), (1_024.0, 1_024.0));
    let reply = ask(&month, json!({"service": "checkout"})).await;
    contains(
        &reply,
        &[
            "(all there is of 30d)",
            "history is shorter than asked: it begins at 2026-01-11T",
            "checkout CPU: no lower request is suggested, 3 d of history hold no whole week",
            "season of the day removed, not of the week everywhere",
        ],
    );
    assert!(!reply.text.contains("could be"), "{}", reply.text);
}

#[tokio::test]
async fn a_service_that_ended_ten_days_ago_is_shown_as_it_was() {
    let mut month = Month::default();
    month.during("checkout", POD, (30, 10), business_hours, leak);
    month.bounds_at("checkout", POD, (12, 10), (1.0, 2.0), (384.0, 400.0));
    // Something goes on, so that the end is the service's and not the recording's.
    month.gauge("up", &[("job", "other")], (30, 0), |_| 1.0);
    let reply = ask(&month, json!({"service": "checkout"})).await;
    contains(
        &reply,
        &[
            "ended before the window did, shown as it was: checkout at 2026-01-0",
            // 20 days × 4 MiB.
            "at most 280 of 400 MiB",
        ],
    );
}

#[tokio::test]
async fn only_the_second_half_of_the_window_has_samples() {
    let mut month = Month::default();
    month.container("checkout", POD, 15, business_hours, leak);
    month.bounds("checkout", POD, (1.0, 2.0), (384.0, 400.0));
    let reply = ask(&month, json!({"service": "checkout"})).await;
    contains(
        &reply,
        &["over 15 d (all there is of 30d)", "usual highs reach that in 20 d", "at most 320 of"],
    );
}

#[tokio::test]
async fn values_that_are_no_numbers_are_left_out_and_counted() {
    let mut month = Month::default();
    let broken = now() - 10 * 86_400;
    // A whole day of NaN.
    let memory = move |at: i64| if (broken..broken + 86_400).contains(&at) { f64::NAN } else { 100.0 * MIB };
    month.container("checkout", POD, 30, business_hours, memory);
    month.bounds("checkout", POD, (1.0, 2.0), (200.0, 200.0));
    let reply = ask(&month, json!({"service": "checkout", "resource": "memory"})).await;
    contains(
        &reply,
        &["values are NaN or infinite, and left out", "at most 100 of 200 MiB, 50 % of its limit"],
    );
    assert!(!reply.text.contains("| NaN"), "{}", reply.text);
}

#[tokio::test]
async fn without_limits_the_request_is_what_usage_is_held_against() {
    let mut month = Month::default();
    month.container("checkout", POD, 30, |_| 0.75, |_| 100.0 * MIB);
    let labels = [
        ("namespace", "shop"),
        ("pod", POD),
        ("container", "checkout"),
        ("resource", "cpu"),
        ("unit", "core"),
    ];
    month.gauge("kube_pod_container_resource_requests", &labels, (1, 0), |_| 0.5);
    let reply = ask(&month, json!({"service": "checkout"})).await;
    contains(
        &reply,
        &[
            "CPU is beyond its request: p95 0.75 of 0.5 cores, 150 % of its request",
            // 0.75 × 1.15 = 0.8625.
            "checkout CPU request is too low: p99 of its busiest replica 0.75 is beyond the 0.5 cores requested; 0.87 \
             cores would hold it",
            "no request or limit is seen for 1 of 2 rows",
            "throttling is not seen",
        ],
    );
}

#[tokio::test]
async fn without_kubernetes_the_processes_tell_and_their_hosts_are_the_limit() {
    let mut month = Month::default();
    let process = [("job", "checkout"), ("instance", "10.0.0.7:8080")];
    month.counter("process_cpu_seconds_total", &process, (30, 0), business_hours);
    month.gauge("process_resident_memory_bytes", &process, (30, 0), leak);
    month.gauge(
        "node_memory_MemTotal_bytes",
        &[("job", "node"), ("instance", "10.0.0.7:9100")],
        (30, 0),
        |_| 400.0 * MIB,
    );
    for cpu in ["0", "1"] {
        let labels = [("job", "node"), ("instance", "10.0.0.7:9100"), ("cpu", cpu), ("mode", "idle")];
        month.counter("node_cpu_seconds_total", &labels, (1, 0), |_| 0.9);
    }
    let reply = ask(&month, json!({"service": "checkout"})).await;
    contains(
        &reply,
        &[
            "checkout: memory is nearest to its host: at most 320 of 400 MiB, 80 % of its host",
            "all its host has",
            "no container metrics (cAdvisor) were found",
            "checkout | 0.1 | 0.4 | 0.4 | 0.4 | 2 |",
        ],
    );
    assert!(!reply.text.contains("request could be"), "{}", reply.text);
}

#[tokio::test]
async fn an_hour_is_too_short_for_a_trend_and_half_an_hour_for_an_answer() {
    let mut month = Month::default();
    month.container("checkout", POD, 1, business_hours, leak);
    let reply = ask(&month, json!({"service": "checkout", "time_range": "6h"})).await;
    contains(&reply, &["too short for a trend", "over 6h"]);
}
