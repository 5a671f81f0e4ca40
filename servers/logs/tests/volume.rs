//! `get_log_volume_anomalies` over small incidents whose records are counted by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::{
    answer::named_rows,
    mcp::{Client, ToolReply},
};

async fn ask(client: &Client, arguments: Value) -> ToolReply {
    let reply = client.call("get_log_volume_anomalies", arguments).await;
    assert!(!reply.is_error, "{}", reply.text);
    reply
}

fn anomalies(reply: &ToolReply) -> Vec<Value> {
    named_rows(reply.structured.as_ref().unwrap(), "anomalies")
}

/// A record of a service every `step` seconds from `from` up to `to`.
fn every(text: &mut String, service: &str, (from, to): (&str, &str), step: i64) {
    let (mut at, to): (Timestamp, Timestamp) = (from.parse().unwrap(), to.parse().unwrap());
    while at < to {
        writeln!(
            text,
            "{{\"@timestamp\":\"{at}\",\"log.level\":\"info\",\"message\":\"served\",\"service\":{{\"name\":\"{service}\"}}}}"
        )
        .unwrap();
        at += SignedDuration::from_secs(step);
    }
}

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
