//! `get_capacity_trend` over recorded months whose numbers are known by construction, and over replies of systems that
//! answer in part or refuse.
//!
//! Native histograms play no part: nothing that is read here (cAdvisor, kube-state-metrics, process and node metrics)
//! has that form.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "get_capacity_trend/all.rs"]
mod all;
mod common;
#[path = "get_capacity_trend/odd.rs"]
mod odd;
#[path = "get_capacity_trend/replies.rs"]
mod replies;
#[path = "get_capacity_trend/world.rs"]
mod world;

use serde_json::json;

use world::{DAY, MIB, Month, ask, business_hours, contains, leak};

/// 30 days of four replicas: CPU 0.1 cores for 14 hours of each day, 0.2 for 8, 0.4 for 2; memory from 200 MiB, 4 MiB more
/// each day.
fn checkout() -> Month {
    let mut month = Month::default();
    for pod in ["checkout-5d8f7c9b6d-x2x4p", "checkout-5d8f7c9b6d-k8r2m"] {
        month.container("checkout", pod, 30, business_hours, leak);
        month.bounds("checkout", pod, (1.0, 2.0), (384.0, 400.0));
    }
    month
}

#[tokio::test]
async fn usage_trend_and_requests_are_what_the_month_was_made_of() {
    let reply = ask(&checkout(), json!({"service": "checkout"})).await;
    contains(
        &reply,
        &[
            // 200 + 30 × 4 = 320 of 400 MiB; 80 MiB at 4 MiB a day are 20 days, and 120 in 30.
            "checkout: memory is nearest to its limit: at most 320 of 400 MiB, 80 % of its limit over 30d, rising 120 \
             MiB in 30 d",
            "usual highs reach that in 20 d (20 to 20 d)",
            "where it is killed",
            // 14 of 24 hours are more than half of the day, 2 of 24 more than 5 %.
            "checkout | 0.1 | 0.4 | 0.4 | 0.4 | 1 | 2 | 40 | 20 | 2 |",
            // 0.4 × 1.15 = 0.46.
            "checkout CPU request could be 0.46 cores instead of 1 core: p99 of its busiest replica 0.4, + 15 %; frees \
             0.54 cores × 2 replicas",
            // 1 ÷ 0.46 = 2.17.
            "no HPA that targets a percentage of its CPU request was seen; one would see utilisation = usage ÷ request \
             grow ×2.17 (1 ÷ 0.46)",
            "a lower request is safe only if load and replicas stay as they were",
            "season of day and week removed",
        ],
    );
    // Memory rises: (320 + 120) × 1.15 is beyond the request, so no lower one is suggested.
    assert!(!reply.text.contains("memory request could be"), "{}", reply.text);
    let structured = reply.structured.unwrap();
    assert!(reply.text.len() <= 8_000 && structured.to_string().len() <= 8_000);
}

#[tokio::test]
async fn an_autoscaler_of_a_percentage_is_computed_through() {
    let mut month = checkout();
    month.autoscaler("shop", "scale-checkout", "checkout", 70.0, (1.0, 10.0, 2.0));
    let reply = ask(&month, json!({"service": "checkout", "resource": "cpu"})).await;
    contains(
        &reply,
        &[
            // 0.4 of 1 core: 40 %, 2 × 40 ÷ 70 = 1.1; of 0.46: 87 %, 2 × 87 ÷ 70 = 2.5; 70 × 1 ÷ 0.46 = 152.
            "HPA scale-checkout targets 70 % of the cpu request (1 to 10 replicas): in busy hours (p95 of the mean \
             replica) 0.4 ÷ 1 = 40 %, ⌈2 × 40 ÷ 70⌉ → 2 replicas; with the lower request 0.4 ÷ 0.46 = 87 %, ⌈2 × 87 ÷ \
             70⌉ → 3 replicas. A target of 152 % keeps them as they are",
        ],
    );
    assert!(!reply.text.contains("rows of memory"), "only CPU was asked for: {}", reply.text);
}

#[tokio::test]
async fn throttling_is_told_and_makes_a_lower_request_unsafe() {
    let mut month = checkout();
    // In a quarter of all periods.
    month.throttled("checkout", "checkout-5d8f7c9b6d-x2x4p", 0.25);
    let reply = ask(&month, json!({"service": "checkout"})).await;
    contains(
        &reply,
        &[
            "CPU held back by limits over 30d: checkout in 25 % of periods",
            "checkout CPU: no lower request is suggested, it was held back in 25 % of periods",
        ],
    );
    assert!(!reply.text.contains("CPU request could be"), "{}", reply.text);
}

#[tokio::test]
async fn counters_that_start_anew_change_nothing() {
    let mut month = Month::default();
    month.restarts_every(2 * DAY);
    month.container("checkout", "checkout-5d8f7c9b6d-x2x4p", 30, business_hours, |_| 300.0 * MIB);
    month.bounds("checkout", "checkout-5d8f7c9b6d-x2x4p", (1.0, 2.0), (512.0, 512.0));
    let reply = ask(&month, json!({"service": "checkout", "resource": "cpu"})).await;
    contains(&reply, &["checkout | 0.1 | 0.4 | 0.4 | 0.4 | 1 | 2 | 40 | 20 | 1 |"]);
    contains(&reply, &["without a trend"]);
}

#[tokio::test]
async fn pods_that_replaced_others_are_one_history() {
    let mut month = Month::default();
    // 15 days each.
    month.during("checkout", "checkout-5d8f7c9b6d-x2x4p", (30, 15), business_hours, leak);
    month.during("checkout", "checkout-7c5d4b8f9f-k8r2m", (15, 0), business_hours, leak);
    month.bounds("checkout", "checkout-7c5d4b8f9f-k8r2m", (1.0, 2.0), (384.0, 400.0));
    let reply = ask(&month, json!({"service": "checkout"})).await;
    contains(&reply, &["at most 320 of 400 MiB", "usual highs reach that in 20 d", "over 30d"]);
    assert!(!reply.text.contains("shorter than asked"), "{}", reply.text);
}

#[tokio::test]
async fn containers_beside_the_main_one_have_rows_of_their_own() {
    let mut month = checkout();
    month.container("istio-proxy", "checkout-5d8f7c9b6d-x2x4p", 30, |_| 0.05, |_| 90.0 * MIB);
    month.bounds("istio-proxy", "checkout-5d8f7c9b6d-x2x4p", (0.1, 2.0), (128.0, 100.0));
    let reply = ask(&month, json!({"service": "checkout"})).await;
    // 90 of 100 is more than 80 of 100, but checkout would be at 110 in a month.
    contains(&reply, &["checkout: memory is nearest to its limit: at most 320 of 400 MiB", "istio-proxy"]);
}
