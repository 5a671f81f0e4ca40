//! All workloads: the nearest to its end first, however many there are.

use serde_json::json;

use crate::world::{MIB, Month, ask, business_hours, contains, leak, now};

#[tokio::test]
async fn the_workload_that_will_be_full_soonest_comes_first() {
    let mut month = Month::default();
    for (workload, pod, memory, limit) in [
        ("cart", "cart-5d8f7c9b6d-x2x4p", 100.0, 400.0),
        ("kafka", "kafka-0", 300.0, 340.0),
        ("web", "web-7c5d4b8f9f-k8r2m", 10.0, 100.0),
    ] {
        month.container(workload, pod, 30, business_hours, move |_| memory * MIB);
        month.bounds(workload, pod, (1.0, 2.0), (limit, limit));
    }
    // 80 % full and rising: before kafka, which is 88 % full and stays so.
    month.container("checkout", "checkout-5d8f7c9b6d-x2x4p", 30, business_hours, leak);
    month.bounds("checkout", "checkout-5d8f7c9b6d-x2x4p", (1.0, 2.0), (384.0, 400.0));
    let reply = ask(&month, json!({})).await;
    contains(
        &reply,
        &[
            "Of 4 containers, checkout's memory is nearest to its limit: at most 320 of 400 MiB, 80 % of its limit over 30d",
            // CPU of all four; memory of cart, 100 × 1.15 → 120 instead of 400, and web, 10 × 1.15 → 16 instead of 100:
            // 280 + 84 MiB. Kafka's 300 × 1.15 is about its 340, checkout's rises.
            "Full within a year: 1; requests too low: 0, nearly: 1, that could be lower: 6.",
            "all 6 lower requests together free 2.16 cores and 364 MiB",
            "get_capacity_trend(service=\"checkout\")",
        ],
    );
    let table = reply.structured.unwrap()["tables"].clone();
    let workloads: Vec<&str> =
        table[0]["rows"].as_array().unwrap().iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!(workloads, ["checkout", "kafka", "cart", "web"]);
}

#[tokio::test]
async fn a_workload_that_is_new_has_its_own_history_and_not_the_windows() {
    let mut month = Month::default();
    month.container("checkout", "checkout-5d8f7c9b6d-x2x4p", 30, business_hours, |_| 100.0 * MIB);
    month.bounds("checkout", "checkout-5d8f7c9b6d-x2x4p", (1.0, 2.0), (384.0, 400.0));
    let labels = [("namespace", "shop"), ("pod", "fresh-7c5d4b8f9f-k8r2m"), ("container", "fresh")];
    for sample in 0..=24 {
        let at = now() - 7_200 + sample * 300;
        month.sample("gauge", "container_memory_working_set_bytes", &labels, 95.0 * MIB, at);
    }
    month.bounds("fresh", "fresh-7c5d4b8f9f-k8r2m", (1.0, 2.0), (90.0, 100.0));
    let reply = ask(&month, json!({})).await;
    // 30 days in at most 120 moments are 6 hours apart: no more is known of two hours.
    contains(
        &reply,
        &["95 % of its limit over less than 6h (all there is of 30d)", " | less than 6h | ", "checkout | "],
    );
    let reply = ask(&month, json!({"time_range": "6h"})).await;
    // Of the moments 5 minutes apart, the last at 23:59, the first that sees the sample of 22:00 is that of 22:04.
    contains(&reply, &["95 % of its limit over 1h55m (all there is of 6h)"]);
}

#[tokio::test]
async fn the_culprit_among_ten_thousand_series_is_in_an_answer_of_8000_characters() {
    let mut month = Month::default();
    for pod in 0..10_000 {
        let (workload, name) = (format!("svc-{pod:05}"), format!("svc-{pod:05}-5d8f7c9b6d-x2x4p"));
        let labels = [("namespace", "shop"), ("pod", name.as_str()), ("container", workload.as_str())];
        let used = if pod == 7_777 { 99.0 } else { 10.0 + f64::from(pod % 40) };
        for sample in 0..8 {
            let at = now() - 2_100 + sample * 300;
            month.sample("gauge", "container_memory_working_set_bytes", &labels, used * MIB, at);
        }
        let labels = [labels.as_slice(), &[("resource", "memory"), ("unit", "byte")]].concat();
        month.sample("gauge", "kube_pod_container_resource_limits", &labels, 100.0 * MIB, now());
    }
    let reply = ask(&month, json!({"resource": "memory", "time_range": "30m"})).await;
    contains(
        &reply,
        &[
            "Of 10000 containers, svc-07777's memory is nearest to its limit: at most 99 of 100 MiB, 99 % of its limit",
        ],
    );
    let structured = reply.structured.unwrap();
    assert!(reply.text.len() <= 8_000 && structured.to_string().len() <= 8_000);
    assert_eq!(structured["tables"][0]["rows"][0][0], "svc-07777");
    assert_eq!(structured["coverage"]["rows of memory in MiB"]["seen"], 10_000);
}
