//! The tools over a recorded incident: a directory in place of Prometheus and Alertmanager.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/calls.rs"]
mod calls;
mod common;

use contract::Clock;
use serde_json::{Value, json};
use testkit::mcp::{Client, ToolReply};

use common::{connect, incident, recorded};

const NOW: &str = "2026-01-14T14:32:00Z";

/// The counter grows by one a second, written each minute: `increase` over 10 m is
/// 600. The queue has 2 or 3 in it, from minute 40 on 40 or 41.
fn metrics() -> String {
    let end = contract::FixedClock(NOW.parse().unwrap()).now().as_second();
    let mut text = String::from(
        "# HELP shop_requests Requests served.\n# TYPE shop_requests counter\n# HELP shop_queue Waiting.\n# TYPE shop_queue gauge\n",
    );
    for minute in -10..60 {
        let at = end - (59 - minute) * 60;
        text.push_str(&format!("shop_requests_total{{service=\"web\"}} {} {at}\n", (minute + 10) * 60));
    }
    for minute in -10..60 {
        let at = end - (59 - minute) * 60;
        let waiting = if minute < 40 { 2 + minute.rem_euclid(2) } else { 40 + minute % 2 };
        text.push_str(&format!("shop_queue{{service=\"web\"}} {waiting} {at}\n"));
    }
    text.push_str("# EOF\n");
    text
}

const RULES: &str = "groups:\n- name: shop\n  interval: 1m\n  rules:\n  - alert: QueueLong\n    expr: shop_queue > 30\n    \
                     for: 5m\n    labels: {severity: critical}\n    annotations: {summary: \"{{ $labels.service }} waits\"}\n  \
                     - alert: Quiet\n    expr: rate(shop_requests_total[5m]) < 0.1\n";

async fn client(files: &[(&str, &str)]) -> (Client, tempfile::TempDir) {
    let directory = incident(NOW, files);
    let (client, _) = connect(&recorded(directory.path()), NOW).await;
    (client, directory)
}

async fn call(tool: &str, arguments: Value) -> ToolReply {
    let (client, _directory) = client(&[("metrics/a.om", &metrics()), ("metrics/rules.yml", RULES)]).await;
    client.call(tool, arguments).await
}

/// The queue jumps from 2 or 3 to 40 or 41 at minute 40, which is 14:13; the alert has held since then.
#[tokio::test]
async fn a_window_is_evaluated_and_cites_the_recording() {
    let reply = call("query_metrics", json!({"promql": "shop_queue", "time_range": "1h"})).await;
    assert!(!reply.is_error, "{}", reply.text);
    for part in ["since 2026-01-14T14:13:00Z", "snapshot \"test\"", "e1 shop_queue", "{service=web}"] {
        assert!(reply.text.contains(part), "{part}\n{}", reply.text);
    }
    // 60 requests a minute: increase() over ten minutes is 600, rate() 1 a second.
    let reply = call("query_metrics", json!({"promql": "increase(shop_requests_total[10m])"})).await;
    assert!(reply.text.contains("600"), "{}", reply.text);
}

#[tokio::test]
async fn rules_are_evaluated_as_of_the_recorded_moment() {
    let reply = call("list_firing_alerts", json!({})).await;
    for part in ["QueueLong", "2026-01-14T14:13:00Z", "web waits", "critical"] {
        assert!(reply.text.contains(part), "{part}\n{}", reply.text);
    }
    assert!(!reply.text.contains("Quiet"), "{}", reply.text);
}

/// Alerts are recorded while they are pending or fire, targets always: `up` tells a quiet time from one before the
/// recording. It has samples from 13:22 on.
#[tokio::test]
async fn what_fired_while_nothing_was_recorded_is_not_known_and_a_quiet_time_is_quiet() {
    let end = contract::FixedClock(NOW.parse().unwrap()).now().as_second();
    let mut up = String::from("# TYPE up gauge\n");
    (0..=70).for_each(|minute| up.push_str(&format!("up{{job=\"web\"}} 1 {}\n", end - (70 - minute) * 60)));
    up.push_str("# EOF\n");
    let (client, _directory) = client(&[("metrics/up.om", &up)]).await;
    for (window, said) in [
        ("2026-01-14T12:00:00Z/2026-01-14T12:30:00Z", "not known: ALERTS has no samples in this window"),
        (
            "2026-01-14T13:30:00Z/2026-01-14T14:00:00Z",
            "none fired between 2026-01-14T13:30:00Z and 2026-01-14T14:00:00Z",
        ),
    ] {
        let reply = client.call("list_firing_alerts", json!({"time_range": window})).await;
        assert!(reply.text.contains(said) && !reply.text.contains("none ended"), "{}", reply.text);
    }
}

/// `QueueLong` fires from 14:18 on, but `ALERTS` was not recorded, while `up` was.
#[tokio::test]
async fn alerts_that_fire_by_the_rules_but_were_not_recorded_are_no_quiet_time() {
    let end = contract::FixedClock(NOW.parse().unwrap()).now().as_second();
    let mut up = String::from("# TYPE up gauge\n");
    (0..=70).for_each(|minute| up.push_str(&format!("up{{job=\"web\"}} 1 {}\n", end - (70 - minute) * 60)));
    up.push_str("# EOF\n");
    let files = [("metrics/a.om", metrics().as_str()), ("metrics/up.om", &up), ("metrics/rules.yml", RULES)]
        .map(|(name, text)| (name, text.to_owned()));
    let (client, _directory) = client(&files.each_ref().map(|(name, text)| (*name, text.as_str()))).await;
    let reply = client.call("list_firing_alerts", json!({"time_range": "1h"})).await;
    for part in ["is not known: ALERTS has no samples", "by the rules are not in ALERTS"] {
        assert!(reply.text.contains(part), "{part}\n{}", reply.text);
    }
}

#[tokio::test]
async fn names_types_and_labels_come_from_the_files() {
    let reply = call("search_metrics", json!({"text": "requests"})).await;
    for part in ["shop_requests_total", "counter", "«Requests served.»", "service: web"] {
        assert!(reply.text.contains(part), "{part}\n{}", reply.text);
    }
}

#[tokio::test]
async fn what_the_evaluator_does_not_know_is_named() {
    for (promql, expected) in [
        ("info(shop_queue)", "the function info() is not available on recorded data; use a live source"),
        ("sum(shop_queue", "promql"),
    ] {
        let reply = call("query_metrics", json!({"promql": promql})).await;
        assert!(reply.is_error && reply.text.contains(expected), "{}", reply.text);
    }
}

#[tokio::test]
async fn a_broken_file_is_an_error_of_the_call_with_file_and_line() {
    let (client, _directory) = client(&[("metrics/a.om", "shop_queue nonsense 1\n# EOF\n")]).await;
    for (tool, arguments) in calls::good_calls() {
        let reply = client.call(tool, arguments).await;
        assert!(reply.text.contains("metrics/a.om line 1"), "{tool}: {}", reply.text);
        assert!(!reply.text.contains("proxy or login page"), "{tool}: {}", reply.text);
        let remedy =
            "`metrics-mcp snapshot check DIR` names the first fault of each file; mend or leave out the file";
        assert!(!reply.is_error || reply.text.contains(remedy), "{tool}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_broken_recorded_reply_of_alertmanager_is_to_be_mended_too() {
    let files = [("metrics/a.om", metrics()), ("alertmanager/groups.json", "{\"a\": 1}".to_owned())];
    let (client, _directory) = client(&files.each_ref().map(|(name, text)| (*name, text.as_str()))).await;
    let reply = client.call("list_firing_alerts", json!({})).await;
    for part in ["alertmanager/groups.json", "mend or leave out the file"] {
        assert!(reply.text.contains(part), "{part}\n{}", reply.text);
    }
    assert!(!reply.text.contains("proxy or login page"), "{}", reply.text);
}

#[tokio::test]
async fn an_empty_recording_answers_that_there_is_nothing_and_never_a_zero() {
    let (client, _directory) = client(&[]).await;
    for (tool, arguments) in calls::good_calls() {
        let reply = client.call(tool, arguments).await;
        assert!(!reply.text.contains("internal error"), "{tool}: {}", reply.text);
    }
    let reply = client.call("query_metrics", json!({"promql": "up"})).await;
    assert!(reply.text.contains("not a zero"), "{}", reply.text);
}
