//! `get_log_volume_anomalies` over small incidents whose records are counted by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use serde_json::{Value, json};
use testkit::answer::named_rows;

use common::volume::{anomalies, ask, every};

#[tokio::test]
async fn of_more_services_than_one_list_holds_only_those_that_fell_silent_are_silent() {
    // 60 services with a record a minute, today and yesterday. Which of them log most changes by the day: today the first ten
    // miss the last minute of the lead-in, yesterday the last ten did. And svc-30 stops at 14:30.
    let mut text = String::new();
    for number in 0..60 {
        let service = format!("svc-{number:02}");
        for (day, less) in [("2026-01-14", number < 10), ("2026-01-13", number >= 50)] {
            let from = format!("{day}T13:00:00Z");
            every(&mut text, &service, (&from, &format!("{day}T13:{}:00Z", if less { 58 } else { 59 })), 60);
            let to = if number == 30 && day == "2026-01-14" { "14:30:00" } else { "15:00:00" };
            every(&mut text, &service, (&format!("{day}T14:00:00Z"), &format!("{day}T{to}Z")), 60);
        }
    }
    let directory = testkit::incident(("2026-01-13T13:00:00Z", common::NOW), &[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    let reply = ask(&client, json!({"time_range": "1h"})).await;
    let rows = anomalies(&reply);
    assert_eq!(rows.len(), 1, "{}", reply.text);
    assert_eq!((&rows[0]["what"], &rows[0]["kind"]), (&json!("svc-30"), &json!("silence")), "{}", reply.text);
    assert_eq!((&rows[0]["records"], &rows[0]["since"]), (&json!(0), &json!("2026-01-14T14:30:00Z")));
    assert!(reply.text.contains("judged one by one are the 60 services that log most"), "{}", reply.text);
}

#[tokio::test]
async fn time_before_the_first_record_is_neither_silence_nor_a_baseline() {
    // A record every 10 s from 14:00 on, the first of all; from 14:40 on four times as many.
    let mut steady = String::new();
    every(&mut steady, "payment", ("2026-01-14T14:00:00Z", common::NOW), 10);
    let mut spike = steady.clone();
    for _ in 0..3 {
        every(&mut spike, "payment", ("2026-01-14T14:40:00Z", common::NOW), 10);
    }
    let told = "judged is 2026-01-14T14:00:00Z/2026-01-14T15:00:00Z: before that nothing at all is recorded";
    for time_range in ["2h", "4h", "6h", "24h"] {
        let directory = common::incident(&[("logs/all.ndjson", &spike)]);
        let client = common::connect(directory.path()).await;
        let reply = ask(&client, json!({"time_range": time_range})).await;
        let rows = anomalies(&reply);
        assert_eq!(rows.len(), 1, "{time_range}: {}", reply.text);
        assert_eq!((&rows[0]["kind"], &rows[0]["records"]), (&json!("spike"), &json!(480)), "{}", reply.text);
        assert_eq!(rows[0]["since"], "2026-01-14T14:40:00Z", "{}", reply.text);
        assert!(reply.text.contains(told), "{}", reply.text);

        let directory = common::incident(&[("logs/all.ndjson", &steady)]);
        let client = common::connect(directory.path()).await;
        let reply = ask(&client, json!({"time_range": time_range})).await;
        let verdict = "What is usual can't be told: nothing is recorded before 2026-01-14T14:00:00Z. \
                       Within the window nothing stands out: 360 records.";
        assert!(reply.text.starts_with(verdict), "{time_range}: {}", reply.text);
        assert!(reply.text.contains(told), "{}", reply.text);
    }
}

#[tokio::test]
async fn a_beginning_that_is_left_out_for_whole_steps_is_not_called_unrecorded() {
    // 30.5 h are 30 steps of an hour and 30 m; a record a minute from before the window on.
    let mut text = String::new();
    every(&mut text, "payment", ("2026-01-11T00:00:00Z", common::NOW), 60);
    let directory = testkit::incident(("2026-01-11T00:00:00Z", common::NOW), &[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    let reply = ask(&client, json!({"time_range": "2026-01-13T05:30:00Z/2026-01-14T12:00:00Z"})).await;
    let told = "judged is 2026-01-13T06:00:00Z/2026-01-14T12:00:00Z: the 30m before it are left out, as steps are whole";
    assert!(reply.text.contains(told) && !reply.text.contains("nothing at all"), "{}", reply.text);
}

#[tokio::test]
async fn a_store_that_held_records_earlier_was_silent_when_it_holds_none() {
    // Yesterday and the day before as every day; today nothing before 14:30.
    let mut text = String::new();
    every(&mut text, "payment", ("2026-01-13T10:00:00Z", "2026-01-13T16:00:00Z"), 10);
    every(&mut text, "payment", ("2026-01-14T14:30:00Z", common::NOW), 10);
    let directory = testkit::incident(("2026-01-13T10:00:00Z", common::NOW), &[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    let reply = ask(&client, json!({"time_range": "1h"})).await;
    assert_eq!(anomalies(&reply)[0]["kind"], "silence", "{}", reply.text);
}

#[tokio::test]
async fn many_records_without_a_baseline_are_not_too_few() {
    let mut text = String::new();
    for service in ["payment", "web"] {
        every(&mut text, service, ("2026-01-14T14:00:00Z", common::NOW), 1);
    }
    let directory = common::incident(&[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    let reply = ask(&client, json!({"time_range": "1h", "detail": "full"})).await;
    assert!(!reply.text.contains("too little to notice a drop"), "{}", reply.text);
    assert!(reply.text.contains("nothing is told that lasts for more than half of it"), "{}", reply.text);
    let usual = named_rows(reply.structured.as_ref().unwrap(), "usual streams");
    assert_eq!(
        (&usual[1]["what"], &usual[1]["records"]),
        (&json!("payment"), &json!(3600)),
        "{}",
        reply.text
    );
    assert_eq!((&usual[1]["usual"], &usual[1]["usual per min"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn an_incident_that_runs_since_before_the_lead_in_is_not_usual() {
    // 6 a minute, and from 14:00 on 60: at 15:00 the last ten minutes are as the ten before.
    let mut text = String::new();
    every(&mut text, "web", ("2026-01-14T12:00:00Z", common::NOW), 10);
    every(&mut text, "payment", ("2026-01-14T12:00:00Z", "2026-01-14T14:00:00Z"), 10);
    every(&mut text, "payment", ("2026-01-14T14:00:00Z", common::NOW), 1);
    let directory = testkit::incident(("2026-01-14T12:00:00Z", common::NOW), &[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    for (arguments, who, more) in [
        (json!({"time_range": "10m"}), "Every service", ""),
        (json!({"time_range": "10m", "service": "payment"}), "payment", ", and 1 more"),
    ] {
        let reply = ask(&client, arguments).await;
        let all = if who == "payment" { 600 } else { 660 };
        let verdict = format!(
            "{who} logs as in the 10m before ({all} records), but not as in 2026-01-14T12:40:00Z/2026-01-14T13:00:00Z: \
             payment ×10{more}."
        );
        assert!(reply.text.starts_with(&verdict), "{}", reply.text);
        assert!(
            reply.text.contains("payment: 1200 records since 2026-01-14T14:40:00Z, 120 in as long"),
            "{}",
            reply.text
        );
        assert!(
            reply.text.contains("time_range=\"2026-01-14T13:00:00Z/2026-01-14T15:00:00Z\""),
            "{}",
            reply.text
        );
    }
    // What is suggested finds when it began.
    let reply = ask(&client, json!({"time_range": "2026-01-14T13:00:00Z/2026-01-14T15:00:00Z"})).await;
    assert_eq!(anomalies(&reply)[0]["since"], "2026-01-14T14:00:00Z", "{}", reply.text);
    // Nothing older is recorded: that is told.
    let late: String =
        text.lines().filter(|line| line.contains("2026-01-14T14:")).map(|line| format!("{line}\n")).collect();
    let directory = common::incident(&[("logs/all.ndjson", &late)]);
    let client = common::connect(directory.path()).await;
    let reply = ask(&client, json!({"time_range": "10m"})).await;
    assert!(reply.text.starts_with("Every service logs as usual"), "{}", reply.text);
    assert!(
        reply.text.contains("nothing older than that is recorded: what already ran in it looks usual"),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn a_pod_that_starts_within_a_step_is_told_once() {
    // One pod starts 20 seconds before the minute in which the other one starts; each logs a record a second.
    let pod = |text: &mut String, pod: &str, (from, to): (&str, &str), step: i64| {
        let mut own = String::new();
        every(&mut own, "payment", (from, to), step);
        let named = format!("\"kubernetes\":{{\"pod\":{{\"name\":\"{pod}\"}}}},\"service\"");
        text.push_str(&own.replace("\"service\"", &named));
    };
    let mut text = String::new();
    pod(&mut text, "old", ("2026-01-14T13:00:00Z", common::NOW), 1);
    pod(&mut text, "new-a", ("2026-01-14T14:29:40Z", common::NOW), 1);
    pod(&mut text, "new-b", ("2026-01-14T14:30:00Z", common::NOW), 1);
    let directory = testkit::incident(("2026-01-14T13:00:00Z", common::NOW), &[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    let reply = ask(&client, json!({"time_range": "1h", "service": "payment"})).await;
    let rows = anomalies(&reply);
    let pods: Vec<&Value> = rows.iter().filter(|row| row["what"].as_str().unwrap().contains("pod")).collect();
    assert_eq!(pods.len(), 1, "{}", reply.text);
    assert_eq!(
        (&pods[0]["what"], &pods[0]["records"]),
        (&json!("pod new-b and 1 more"), &json!(3620)),
        "{}",
        reply.text
    );
    assert_eq!((&pods[0]["since"], &pods[0]["until"]), (&json!("2026-01-14T14:29:00Z"), &json!("still so")));
}

#[tokio::test]
async fn the_shape_of_a_search_begins_with_the_first_record_of_the_store() {
    // 24 steps of 5 minutes; records from 14:00 on, and of `pool` from 14:30 on.
    let mut text = String::new();
    every(&mut text, "payment", ("2026-01-14T14:00:00Z", common::NOW), 10);
    every(&mut text, "pool", ("2026-01-14T14:30:00Z", common::NOW), 10);
    let directory = common::incident(&[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    let arguments = json!({"query": "*", "service": "pool", "time_range": "2h"});
    let reply = client.call("search_logs", arguments).await;
    let told = "since 2026-01-14T14:00:00Z, before which nothing at all is recorded: 000000999999 (0 is 0, 9 is 30 in 5m)";
    assert!(reply.text.contains(told), "{}", reply.text);
}
