//! Alerts of the real Prometheus and both real Alertmanagers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::testbed::{Answer, NOBODY, Session, everything, get, load_started, url};

#[tokio::test]
#[ignore = "needs the testbed"]
async fn firing_pending_silenced_inhibited_and_muted_alerts_are_all_there_and_joined() {
    let mut session = Session::start(&everything()).await;
    let answer = session.answer("list_firing_alerts", json!({"detail": "full"})).await;

    let firing = answer.rows("firing alerts");
    let named = |rows: &[Value], name: &str, label: &str| {
        let found = rows.iter().find(|row| row["alert"] == name && row["labels"].to_string().contains(label));
        found.unwrap_or_else(|| panic!("no {name} with {label} in {}", answer.text)).clone()
    };
    let down = named(&firing, "InstanceDown", "payment-db");
    assert_eq!(down["severity"], "critical");
    // From Alertmanager alone, and from the rules alone: one row has both.
    assert!(down["receivers"].to_string().contains("on-call"), "{down}");
    assert_eq!(down["for"], "3s");
    named(&firing, "HighErrorRate", "checkout");
    let queues = firing.iter().filter(|row| row["alert"] == "QueueDepthHigh").count();
    assert_eq!(queues, 4, "{}", answer.text);

    let held = answer.rows("suppressed alerts");
    let silence = get("alertmanager", "/api/v2/silences").await[0]["id"].as_str().unwrap().to_owned();
    let silenced = named(&held, "QueueDepthHigh", "exports")["held back by"].to_string();
    assert!(
        silenced.contains(silence.split('-').next().unwrap()) && answer.text.contains(&silence),
        "{}",
        answer.text
    );
    assert!(answer.text.contains("exports are migrated this week"), "{}", answer.text);
    let inhibited = named(&held, "HighErrorRate", "payment")["held back by"].to_string();
    assert!(inhibited.contains("InstanceDown"), "{inhibited}");
    let muted = named(&held, "NightlyReportLate", "batch")["held back by"].to_string();
    assert!(muted.contains("always"), "{muted}");

    let pending = answer.rows("pending alerts");
    assert_eq!(named(&pending, "ErrorBudgetSlowBurn", "checkout")["for"], "1d");
    for said in
        ["https://runbooks.example.com/platform/InstanceDown", "up == 0", "cluster=testbed", "Watchdog"]
    {
        assert!(answer.text.contains(said), "{said} in {}", answer.text);
    }
    assert!(answer.text.contains("worker:latency_share"), "the broken rule in {}", answer.text);
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn the_concise_list_counts_what_alertmanager_counts() {
    let mut session = Session::start(&everything()).await;
    let answer = session.answer("list_firing_alerts", json!({})).await;
    let real = get("alertmanager", "/api/v2/alerts/groups").await;
    let alerts: Vec<&Value> =
        real.as_array().unwrap().iter().flat_map(|group| group["alerts"].as_array().unwrap()).collect();
    let is_held = |alert: &&&Value| {
        ["silencedBy", "inhibitedBy", "mutedBy"].iter().any(|by| alert["status"][by] != json!([]))
    };
    let held = identities(alerts.iter().filter(is_held).copied());
    let counted: u64 = answer.rows("suppressed families").iter().map(|row| row["n"].as_u64().unwrap()).sum();

    assert_eq!(counted, held.len() as u64, "{}", answer.text);
    assert!(answer.verdict().contains(&format!("{counted} more suppressed")), "{}", answer.verdict());
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn what_fired_and_ended_is_listed_for_a_window() {
    let mut session = Session::start(&everything()).await;
    let began = load_started().await.round();
    // The cache restarts at 90 seconds, and the alert about it fires until 20 seconds later.
    let window = format!("{}/{}", began + 60.0, began + 118.0);
    let fires_again = |answer: &Answer| firing_now(answer).contains(&"CacheRestarted".to_owned());
    let mut answer = session.answer("list_firing_alerts", json!({"time_range": window})).await;
    // It does so every 90 seconds, and what fires now has not ended.
    while fires_again(&answer) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        answer = session.answer("list_firing_alerts", json!({"time_range": window})).await;
    }

    let ended = answer.rows("ended families");
    assert!(ended.iter().any(|row| row["alert"] == "CacheRestarted"), "{}", answer.text);
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn with_one_alertmanager_gone_the_other_answers_and_the_gap_is_said() {
    let mut configuration = everything();
    configuration.pop();
    configuration.push(("METRICS_MCP__ALERTMANAGER__1__URL", NOBODY.to_owned()));
    let mut session = Session::start(&configuration).await;
    let answer = session.answer("list_firing_alerts", json!({})).await;

    assert!(answer.caveats().contains("second"), "{}", answer.text);
    let held = answer.rows("suppressed families");
    for name in ["QueueDepthHigh", "HighErrorRate", "NightlyReportLate"] {
        assert!(held.iter().any(|row| row["alert"] == name), "{name} in {}", answer.text);
    }
    session.end().await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn without_any_alertmanager_the_rules_are_listed_and_the_rest_is_unknown_not_none() {
    for name in ["prometheus", "prometheus-old"] {
        let mut session = Session::start(&[("PROMETHEUS_URL", url(name))]).await;
        let answer = session.answer("list_firing_alerts", json!({})).await;

        assert!(
            answer.rows("firing families").iter().any(|row| row["alert"] == "InstanceDown"),
            "{}",
            answer.text
        );
        assert!(answer.rows("pending families").iter().any(|row| row["alert"] == "ErrorBudgetSlowBurn"));
        assert!(answer.rows("suppressed families").is_empty());
        assert!(
            answer.verdict().contains("unknown") && answer.caveats().contains("ALERTMANAGER_URL"),
            "{}",
            answer.text
        );
        session.end().await;
    }
}

/// Names of the alerts that fire and are not held back.
fn firing_now(answer: &Answer) -> Vec<String> {
    let rows = answer.rows("firing families");
    rows.iter().map(|row| row["alert"].as_str().unwrap().to_owned()).collect()
}

/// Alerts stand in several groups when several routes take them: once each.
fn identities<'a>(alerts: impl Iterator<Item = &'a Value>) -> BTreeSet<&'a str> {
    alerts.map(|alert| alert["fingerprint"].as_str().unwrap()).collect()
}
