//! Who logs no more, who is only late, and when everything stopped: `get_log_volume_anomalies` and `search_logs` over small
//! incidents whose records are counted by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use common::volume::{anomalies, ask, every};

/// 30 records a minute of `web`, and of `cron` until 14:44:58.
fn with_cron(from: &str) -> String {
    let mut text = String::new();
    every(&mut text, "web", (from, common::NOW), 2);
    every(&mut text, "cron", (from, "2026-01-14T14:45:00Z"), 2);
    text
}

#[tokio::test]
async fn who_fell_silent_before_the_window_is_silent() {
    let text = with_cron("2026-01-14T14:00:00Z");
    let directory = common::incident(&[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    // The lead-in, 14:40 to 14:50, holds 150 records of it: 450 in the 15 minutes since it is silent.
    for arguments in [json!({"time_range": "10m"}), json!({"time_range": "10m", "service": "cron"})] {
        let reply = ask(&client, arguments).await;
        let verdict = "cron: silence since 2026-01-14T14:45:00Z: none of 450 (0 records, 450 expected)";
        assert!(reply.text.starts_with(verdict), "{}", reply.text);
        assert_eq!(anomalies(&reply)[0]["what"], "cron", "{}", reply.text);
    }
    // Nor is it usual when the lead-in, 14:50 to 14:55, holds none either.
    let reply = ask(&client, json!({"time_range": "5m", "service": "cron"})).await;
    let verdict = "No record of cron between 2026-01-14T14:55:00Z and 2026-01-14T15:00:00Z; \
                   its last record before is of 2026-01-14T14:44:58Z.";
    assert!(reply.text.starts_with(verdict), "{}", reply.text);
    let next = "get_log_volume_anomalies(service=\"cron\", time_range=\"2026-01-14T14:39:58Z/2026-01-14T15:00:00Z\")";
    assert!(reply.text.contains(next), "{}", reply.text);
    let shown = json!({"service": "cron", "time_range": "2026-01-14T14:39:58Z/2026-01-14T15:00:00Z"});
    let reply = ask(&client, shown).await;
    assert!(
        reply.text.starts_with("No record of cron since 2026-01-14T14:44:58Z: 451 are usual"),
        "{}",
        reply.text
    );
    // A service that nobody knows is no silence.
    let reply = ask(&client, json!({"time_range": "5m", "service": "nosuch"})).await;
    assert!(reply.text.contains("nor in the 30 days before; services that log: web."), "{}", reply.text);
    let reply = ask(&client, json!({"time_range": "5m", "service": "wbe"})).await;
    assert!(reply.text.contains("get_log_volume_anomalies(service=\"web\", time_range"), "{}", reply.text);
}

#[tokio::test]
async fn a_stop_of_everything_comes_first_in_windows_of_any_length() {
    // Six records a minute until 14:56:50; from 14:20 to 14:30 of `payment` thirty more.
    let mut text = String::new();
    every(&mut text, "web", ("2026-01-13T14:00:00Z", "2026-01-14T14:57:00Z"), 10);
    every(&mut text, "payment", ("2026-01-14T14:20:00Z", "2026-01-14T14:30:00Z"), 2);
    let directory = testkit::incident(("2026-01-13T14:00:00Z", common::NOW), &[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    let before = "Before that: payment: spike since 2026-01-14T14:20:00Z";
    // Steps of 60 s, of 10 m and of half an hour; 3 m 10 s without records, of which six a minute are usual.
    for (time_range, before) in [("1h", before), ("10h", before), ("24h", "")] {
        let reply = ask(&client, json!({"time_range": time_range})).await;
        let stop = "No record since 2026-01-14T14:56:50Z: 19 are usual in so long a time (3m10s).";
        let first = reply.text.lines().next().unwrap();
        assert!(first.starts_with(stop) && first.contains(before), "{}", reply.text);
        let next = "correlate_logs_with_time(timestamp=\"2026-01-14T14:56:50Z\"";
        assert!(reply.text.contains(next), "{}", reply.text);
    }
}

#[tokio::test]
async fn the_step_in_which_logs_stop_is_no_drop_and_rates_are_of_the_time_until_then() {
    // A record a second until 14:57:19: the step of that minute holds 20 of 60. `payment` logs 3 a minute before 14:40.
    let mut text = String::new();
    for service in ["ads", "cart", "web"] {
        every(&mut text, service, ("2026-01-14T13:00:00Z", "2026-01-14T14:57:20Z"), 1);
    }
    every(&mut text, "payment", ("2026-01-14T13:00:00Z", "2026-01-14T14:40:00Z"), 20);
    every(&mut text, "payment", ("2026-01-14T14:40:00Z", "2026-01-14T14:57:20Z"), 1);
    let directory = testkit::incident(("2026-01-14T13:00:00Z", common::NOW), &[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    let reply = ask(&client, json!({"time_range": "1h"})).await;
    assert!(reply.text.starts_with("No record since 2026-01-14T14:57:19Z:"), "{}", reply.text);
    let rows = anomalies(&reply);
    let kinds: Vec<(&str, &str)> =
        rows.iter().map(|row| (row["what"].as_str().unwrap(), row["kind"].as_str().unwrap())).collect();
    let expected = [("ads", "silence"), ("cart", "silence"), ("web", "silence"), ("payment", "spike")];
    assert_eq!(kinds, expected, "{}", reply.text);
    // 1,020 records in the 17 whole minutes of it.
    let spike = rows.last().unwrap();
    assert_eq!(
        (&spike["records"], spike["now per min"].as_f64()),
        (&json!(1020), Some(60.0)),
        "{}",
        reply.text
    );
    // Asked for by name, nothing is said of a drop either.
    let reply = ask(&client, json!({"time_range": "1h", "service": "cart"})).await;
    assert!(reply.text.contains("silence") && !reply.text.contains("drop"), "{}", reply.text);
}

#[tokio::test]
async fn of_a_window_that_ended_before_logs_went_on_no_stop_is_told_but_the_time_without() {
    let mut text = String::new();
    every(&mut text, "web", ("2026-01-14T11:00:00Z", "2026-01-14T14:20:00Z"), 10);
    every(&mut text, "web", ("2026-01-14T14:40:00Z", common::NOW), 10);
    let directory = testkit::incident(("2026-01-14T11:00:00Z", common::NOW), &[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    let reply = ask(&client, json!({"time_range": "2026-01-14T13:35:00Z/2026-01-14T14:35:00Z"})).await;
    let verdict = "No record between 2026-01-14T14:19:50Z and 2026-01-14T14:35:00Z: 91 are usual";
    assert!(reply.text.starts_with(verdict), "{}", reply.text);
}

#[tokio::test]
async fn a_window_without_any_record_is_told_with_the_last_one_before() {
    let mut text = String::new();
    every(&mut text, "web", ("2026-01-14T12:00:00Z", "2026-01-14T13:00:00Z"), 10);
    let directory = testkit::incident(("2026-01-14T12:00:00Z", common::NOW), &[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    let reply = ask(&client, json!({"time_range": "30m"})).await;
    let verdict = "No records at all between 2026-01-14T14:30:00Z and 2026-01-14T15:00:00Z: the last one is of \
                   2026-01-14T12:59:50Z.";
    assert!(reply.text.starts_with(verdict), "{}", reply.text);
    assert!(
        reply.text.contains("correlate_logs_with_time(timestamp=\"2026-01-14T12:59:50Z\""),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn who_fell_silent_before_the_lead_in_is_told_without_being_named() {
    let text = with_cron("2026-01-14T12:30:00Z");
    let directory = testkit::incident(("2026-01-14T12:30:00Z", common::NOW), &[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    // Window and lead-in, 14:50 to 15:00, hold none of `cron`; from 12:50 to 13:00 it logged 30 a minute.
    let reply = ask(&client, json!({"time_range": "5m"})).await;
    let verdict = "Every service logs as in the 5m before (150 records), but not as in \
                   2026-01-14T12:50:00Z/2026-01-14T13:00:00Z: cron none of 300. It changed before the window.";
    assert!(reply.text.starts_with(verdict), "{}", reply.text);
}

/// The same, each record stored so many seconds after it happened, as far as that was before now.
fn stored(text: &mut String, service: &str, (from, to): (&str, &str), step: i64, late: i64) {
    let now: Timestamp = common::NOW.parse().unwrap();
    let (mut at, to): (Timestamp, Timestamp) = (from.parse().unwrap(), to.parse().unwrap());
    while at < to && at + SignedDuration::from_secs(late) < now {
        let stored = at + SignedDuration::from_secs(late);
        writeln!(
            text,
            "{{\"@timestamp\":\"{at}\",\"event.ingested\":\"{stored}\",\"message\":\"served\",\"service\":{{\"name\":\"{service}\"}}}}"
        )
        .unwrap();
        at += SignedDuration::from_secs(step);
    }
}

#[tokio::test]
async fn a_stream_that_arrives_later_than_others_is_late_and_one_that_ended_is_silent() {
    // 20 services whose records arrive after a second log more than `latejob`, whose records arrive after 90: its last one is
    // of 14:58:28. `ended` wrote its last one then, `gone` two minutes earlier; that one was as late as `latejob`.
    let always = ("2026-01-14T13:00:00Z", common::NOW);
    let mut text = String::new();
    for number in 0..20 {
        stored(&mut text, &format!("svc-{number}"), always, 1, 1);
    }
    stored(&mut text, "latejob", always, 2, 90);
    stored(&mut text, "ended", ("2026-01-14T13:00:00Z", "2026-01-14T14:58:30Z"), 2, 1);
    stored(&mut text, "gone", ("2026-01-14T13:00:00Z", "2026-01-14T14:56:00Z"), 2, 90);
    let directory = testkit::incident(("2026-01-14T13:00:00Z", common::NOW), &[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    let reply = ask(&client, json!({"time_range": "10m"})).await;
    let rows = anomalies(&reply);
    let told: Vec<(&str, &str, &str)> = rows
        .iter()
        .map(|row| ["what", "kind", "change"].map(|name| row[name].as_str().unwrap()))
        .map(|[what, kind, change]| (what, kind, change))
        .collect();
    // Of 10 m in steps of 10 s, without the last one, `gone` lacks 23 steps of 5 records, `ended` 8.
    let silent = |what, records| (what, "silence", records);
    assert_eq!(told[0], ("latejob", "late", "95 % within 1m30s"), "{}", reply.text);
    assert_eq!(rows.len(), 3, "{}", reply.text);
    assert!(told.contains(&silent("gone", "none of 115")), "{}", reply.text);
    assert!(told.contains(&silent("ended", "none of 40")), "{}", reply.text);
    let late = "Records of latejob arrive late, 95 % within 1m30s: what is missing of latejob at the end is late, not silent.";
    assert!(reply.text.contains(late), "{}", reply.text);
    // Asked for by name, in a window shorter than its delay, it is late as well.
    let reply = ask(&client, json!({"time_range": "5m", "service": "latejob"})).await;
    assert!(!reply.text.contains("silence"), "{}", reply.text);
    // Whoever searches for its records of the last minute hears that they may still come; of one that ended he does not.
    for (service, more) in [
        ("latejob", "; 95 % of its records arrive within 1m30s, so newer ones may still come"),
        ("ended", ""),
    ] {
        let arguments = json!({"query": "*", "service": service, "time_range": "1m"});
        let reply = client.call("search_logs", arguments).await;
        let told = format!(
            "{service} logs nothing then: its last record before is of 2026-01-14T14:58:28Z{more}.\n"
        );
        assert!(reply.text.contains(&told), "{}", reply.text);
    }
    // Where nothing tells when records were stored nothing is said of that.
    let untold: String = text
        .lines()
        .map(|line| {
            let (before, rest) = line.split_once("\"event.ingested\":").unwrap();
            format!("{before}{}\n", rest.split_once(',').unwrap().1)
        })
        .collect();
    let directory = testkit::incident(("2026-01-14T13:00:00Z", common::NOW), &[("logs/all.ndjson", &untold)]);
    let client = common::connect(directory.path()).await;
    let reply = ask(&client, json!({"time_range": "10m"})).await;
    assert_eq!(anomalies(&reply).len(), 3, "{}", reply.text);
    assert!(anomalies(&reply).iter().all(|row| row["kind"] == "silence"), "{}", reply.text);
    assert!(!reply.text.contains("arrive"), "{}", reply.text);
}

#[tokio::test]
async fn how_late_records_arrive_is_told_by_those_that_were_stored_last() {
    // Of 15 records a second 3 arrive after 90 s: the newest 1,000 by time, those of 67 to 83 s, hold none of these.
    let always = ("2026-01-14T14:30:00Z", common::NOW);
    let mut text = String::new();
    for number in 0..15 {
        stored(&mut text, &format!("svc-{number}"), always, 1, if number < 3 { 90 } else { 1 });
    }
    let directory = common::incident(&[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    let reply = client.call("list_log_sources", json!({})).await;
    assert!(reply.text.contains("1s after they happened (median; 95 % within 1m30s)"), "{}", reply.text);
    // Where all that a source has is older than its delay, a search for anything says so.
    let late: String =
        text.lines().filter(|line| line.contains("svc-0")).map(|line| format!("{line}\n")).collect();
    let directory = common::incident(&[("logs/all.ndjson", &late)]);
    let client = common::connect(directory.path()).await;
    let reply = client.call("search_logs", json!({"query": "*", "time_range": "1m"})).await;
    let told = "Z. 95 % of all records arrive within 1m30s, so newer ones may still come.";
    assert!(reply.text.contains(told), "{}", reply.text);
}

#[tokio::test]
async fn a_service_that_arrives_after_more_than_window_and_lead_in_is_late() {
    let always = ("2026-01-14T13:00:00Z", common::NOW);
    let mut text = String::new();
    stored(&mut text, "web", always, 1, 1);
    // 20 minutes late: the last record is of 14:39:59, before the ten minutes of window and lead-in.
    stored(&mut text, "latejob", always, 1, 1200);
    let directory = testkit::incident(("2026-01-14T13:00:00Z", common::NOW), &[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    let reply = ask(&client, json!({"time_range": "5m", "service": "latejob"})).await;
    let late = "Records of latejob arrive late, 95 % within 20m: what is missing of latejob at the end is late, not silent.";
    assert!(reply.text.starts_with(late), "{}", reply.text);
}

#[tokio::test]
async fn a_few_records_before_the_window_are_told_as_few() {
    // Four records in a lead-in of an hour, and none in the window: nothing that could be called silence.
    let mut text = String::new();
    every(&mut text, "web", ("2026-01-14T12:00:00Z", common::NOW), 10);
    every(&mut text, "seldom", ("2026-01-14T13:00:00Z", "2026-01-14T13:40:00Z"), 600);
    let directory = testkit::incident(("2026-01-14T12:00:00Z", common::NOW), &[("logs/all.ndjson", &text)]);
    let client = common::connect(directory.path()).await;
    let reply = ask(&client, json!({"service": "seldom", "time_range": "1h"})).await;
    let told =
        "its last record before is of 2026-01-14T13:30:00Z. 4 records in the 1h before the window: too few";
    assert!(reply.text.contains(told), "{}", reply.text);
}
