//! Time in which nothing is recorded, or has not arrived, is no time without errors: `get_error_patterns` and
//! `correlate_logs_with_time` over small incidents whose records are counted by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::json;

use common::{
    connect, incident,
    small::{ask, at, every, next_call, patterns},
};

#[tokio::test]
async fn a_rate_is_over_the_time_that_is_recorded() {
    let mut text = String::new();
    every(&mut text, ("14:30:00", "15:00:00"), 10, "error", "bank is slow");
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    // Of the hour that is asked for half is recorded: 180 records in 30 minutes are 6 a minute.
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "1h"})).await;
    let row = &patterns(&reply)[0];
    assert_eq!((&row["count"], &row["per min"]), (&json!(180), &json!(6)), "{}", reply.text);
    for part in
        ["180 records at warn or worse in 30m", "nothing before 2026-01-14T14:30:00Z is recorded: the window"]
    {
        assert!(reply.text.contains(part), "{part}: {}", reply.text);
    }
}

#[tokio::test]
async fn before_the_first_record_no_moment_has_a_time_before() {
    let mut text = String::new();
    every(&mut text, ("14:52:00", "15:00:00"), 5, "info", "charge done");
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    // 12 records in the minute before and 84 in seven minutes are the same rate; over an hour 12 would be few.
    let reply = ask(&client, "correlate_logs_with_time", json!({"timestamp": "2026-01-14T14:58:00Z"})).await;
    for part in [
        "Nothing in the logs around 2026-01-14T14:58:00Z is new: 84 records, all of patterns that the 1m before had too.",
        "nothing between 2026-01-14T13:53:00Z and 2026-01-14T14:52:00Z is recorded: the time before is only 1m long",
    ] {
        assert!(reply.text.contains(part), "{part}: {}", reply.text);
    }
    // Nothing at all before 14:50.
    let reply = ask(&client, "correlate_logs_with_time", json!({"timestamp": "2026-01-14T14:55:00Z"})).await;
    let verdict = "96 records around 2026-01-14T14:55:00Z, but nothing is recorded in the 1h before: what is new can't be told.";
    assert!(reply.text.starts_with(verdict), "{}", reply.text);
}

#[tokio::test]
async fn what_has_not_arrived_yet_is_not_fading() {
    // Each record is stored 8 minutes after it happened, or it is not known when: of the last ten minutes two are there.
    // Another service's records are there at once, or there is none.
    for (ingested, others) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut text = String::new();
        for second in (at("14:30:00").as_second()..at("14:52:00").as_second()).step_by(5) {
            let [at, stored] = [0, 480].map(|late| Timestamp::from_second(second + late).unwrap());
            let stored = if ingested { format!("\"event.ingested\":\"{stored}\",") } else { String::new() };
            writeln!(
                text,
                "{{\"@timestamp\":\"{at}\",{stored}\"log.level\":\"error\",\"message\":\"bank is slow\",\"service\":{{\"name\":\"pay\"}}}}"
            )
            .unwrap();
        }
        for minute in (30..60).filter(|_| others) {
            writeln!(text, "{{\"@timestamp\":\"2026-01-14T14:{minute}:59Z\",\"message\":\"up\",\"service\":{{\"name\":\"web\"}}}}")
                .unwrap();
        }
        let directory = incident(&[("logs/all.ndjson", &text)]);
        let client = connect(directory.path()).await;
        let reply = ask(&client, "get_error_patterns", json!({"time_range": "10m", "service": "pay"})).await;
        // 24 of two minutes, 120 of ten.
        let row = &patterns(&reply)[0];
        assert_eq!((&row["class"], &row["count"]), (&json!("steady"), &json!(24)), "{}", reply.text);
        // Where every record is known to be 8 minutes late, more may come; else nothing comes any more.
        let told = match others || ingested {
            true => "records from 2026-01-14T14:5",
            false => {
                "Nothing of any service is recorded between 2026-01-14T14:51:55Z and 2026-01-14T15:00:00Z."
            }
        };
        assert!(reply.text.contains(told), "{}", reply.text);
        // 24 in 1 m 56 s, to the next whole second.
        let rate = row["per min"].as_f64().unwrap();
        assert!(others || ingested || (rate - 24.0 * 60.0 / 116.0).abs() < 0.01, "{}", reply.text);
    }
}

#[tokio::test]
async fn of_a_service_that_stopped_the_last_record_is_told_and_its_lines_are_looked_for_where_they_are() {
    let mut text = String::new();
    every(&mut text, ("14:40:00", "14:49:00"), 10, "error", "bank is slow");
    let web = "\"message\":\"up\",\"service\":{\"name\":\"web\"}";
    (40..60).for_each(|minute| {
        writeln!(text, "{{\"@timestamp\":\"2026-01-14T14:{minute}:59Z\",{web}}}").unwrap()
    });
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "10m", "service": "payment"})).await;
    let verdict = "No record of any level of payment between 2026-01-14T14:50:00Z and 2026-01-14T15:00:00Z; its last \
                   record before is of 2026-01-14T14:48:50Z; 54 records at warn or worse in the baselines.";
    assert!(reply.text.starts_with(verdict), "{}", reply.text);
    assert_eq!(
        next_call(&reply, "search_logs").unwrap()["time_range"],
        "2026-01-14T13:48:50Z/2026-01-14T14:48:51Z"
    );
    // Without the service the pattern is gone, and its lines are those of the window before.
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "10m"})).await;
    assert_eq!(patterns(&reply)[0]["class"], "gone", "{}", reply.text);
    assert_eq!(
        next_call(&reply, "search_logs").unwrap()["time_range"],
        "2026-01-14T14:40:00Z/2026-01-14T14:50:00Z"
    );
}
