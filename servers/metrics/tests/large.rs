//! Each tool over ten thousand series: both renderings stay within 8,000 characters, and the culprit is in them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/calls.rs"]
mod calls;
mod common;

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::{Value, json};

const NOW: &str = "2026-01-14T14:32:00Z";
const LONGEST: usize = 8_000;
/// Of 200 services with 50 pods each.
const CULPRIT: usize = 123;

/// Queues of 40 to 62 messages, memory of 200 to 222 of 320 MiB, ten requests a second of which one in a hundred fails.
/// From 14:12 on the culprit's queues hold 500 more, its pods take 90 MiB more, and half of its requests fail.
fn metrics() -> String {
    let end = NOW.parse::<jiff::Timestamp>().unwrap().as_second();
    let mut families = [
        "# TYPE queue_depth gauge\n".to_owned(),
        "# TYPE container_memory_working_set_bytes gauge\n".to_owned(),
        "# TYPE kube_pod_container_resource_limits gauge\n".to_owned(),
        "# TYPE http_requests counter\n".to_owned(),
    ];
    for service in 0..200 {
        let since = |at: i64| if service == CULPRIT { (at - end + 1_200).max(0) } else { 0 };
        for pod in 0..50 {
            // Letters as Kubernetes takes them for the ends of names.
            let ending = |place: usize| char::from(b"bcdfghjk"[pod / place % 8]);
            let name = format!("svc-{service:03}-7c5d4b8f9f-xxx{}{}", ending(8), ending(1));
            let labels = format!("service=\"svc-{service:03}\",pod=\"{name}\"");
            let container = format!("namespace=\"shop\",pod=\"{name}\",container=\"svc-{service:03}\"");
            for minute in 0..=65 {
                let at = end - 3_900 + minute * 60;
                let noise = (minute as usize * 37 + service * 11 + pod * 7) % 23;
                let queue = 40 + noise + if since(at) > 0 { 500 } else { 0 };
                writeln!(families[0], "queue_depth{{{labels}}} {queue} {at}").unwrap();
                if minute % 5 == 0 {
                    let bytes = (200 + noise + if since(at) > 0 { 90 } else { 0 }) << 20;
                    writeln!(families[1], "container_memory_working_set_bytes{{{container}}} {bytes} {at}")
                        .unwrap();
                }
            }
            let limit = "resource=\"memory\",unit=\"byte\"";
            let bytes = 320 << 20;
            writeln!(families[2], "kube_pod_container_resource_limits{{{container},{limit}}} {bytes} {end}")
                .unwrap();
        }
        for (code, share) in [("200", 0.99), ("500", 0.01)] {
            for minute in 0..=65 {
                let at = end - 3_900 + minute * 60;
                let moved = if code == "500" { 4.9 } else { -4.9 } * since(at) as f64;
                let count = (minute * 60) as f64 * 10.0 * share + moved;
                writeln!(
                    families[3],
                    "http_requests_total{{service=\"svc-{service:03}\",code=\"{code}\"}} {count} {at}"
                )
                .unwrap();
            }
        }
    }
    families.concat() + "# EOF\n"
}

/// One alert for each pod, and another one for each pod of the culprit.
const RULES: &str = "groups:\n- name: queues\n  interval: 1m\n  rules:\n  \
                     - alert: QueueNotEmpty\n    expr: queue_depth > 0\n    labels: {severity: warning}\n  \
                     - alert: QueueFull\n    expr: queue_depth > 400\n    labels: {severity: critical}\n";

/// A call of each tool, and what must be in its answer: the culprit, and that ten thousand were seen.
fn questions() -> Vec<(&'static str, Value, &'static [&'static str])> {
    vec![
        ("query_metrics", json!({"promql": "queue_depth"}), &["svc-123", "10000 series"]),
        (
            "query_metrics",
            json!({"promql": "queue_depth", "time_range": "40m"}),
            &["svc-123", "10000 series"],
        ),
        ("search_metrics", json!({"text": "queue depth"}), &["queue_depth", "10000"]),
        (
            "compare_time_periods",
            json!({"metric": "queue_depth", "window1": "15m", "window2": "now-50m/now-30m"}),
            &["svc-123", "10,000 series"],
        ),
        ("get_high_cardinality_metrics", json!({}), &["worst svc-123", "of 200 services"]),
        ("get_high_cardinality_metrics", json!({"service": "svc-123"}), &["queue_depth", "2026-01-14T14:1"]),
        (
            "get_high_cardinality_metrics",
            json!({"mode": "cardinality"}),
            &["container_memory", "10000", "pod"],
        ),
        ("get_service_golden_signals", json!({"time_range": "20m"}), &["worst: svc-123", "of 200 services"]),
        ("get_service_golden_signals", json!({"service": "svc-123", "time_range": "20m"}), &["failing 50 %"]),
        (
            "get_capacity_trend",
            json!({"resource": "memory", "time_range": "1h"}),
            &["Of 200 containers, svc-123's memory is nearest to its limit"],
        ),
        ("list_firing_alerts", json!({}), &["QueueFull", "svc-123", "10050 alerts"]),
    ]
}

#[tokio::test]
async fn over_ten_thousand_series_every_answer_is_of_8000_characters_at_most_with_the_culprit_in_it() {
    let files = [("metrics/a.om", metrics()), ("metrics/rules.yml", RULES.to_owned())];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let directory = common::incident(NOW, &files);
    let (client, _) = common::connect(&common::recorded(directory.path()), NOW).await;
    let asked: BTreeSet<&str> = questions().into_iter().map(|(tool, _, _)| tool).collect();
    assert_eq!(asked.into_iter().collect::<Vec<_>>(), calls::TOOLS, "every tool");
    let mut wrong = Vec::new();
    for (tool, arguments, parts) in questions() {
        let reply = client.call(tool, arguments.clone()).await;
        assert!(!reply.is_error, "{tool} {arguments}: {}", reply.text);
        let structured = reply.structured.unwrap().to_string();
        for form in [&reply.text, &structured] {
            let length = form.chars().count();
            let missing: Vec<_> = parts.iter().filter(|part| !form.contains(**part)).collect();
            if length > LONGEST || !missing.is_empty() {
                wrong.push(format!("{tool} {arguments}: {length} characters, without {missing:?}\n{form}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
