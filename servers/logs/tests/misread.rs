//! Answers of which a reader in a hurry would take the wrong thing, over small incidents whose records are counted by hand.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::json;

use common::{
    connect, incident,
    small::{ask, at, every, line, next_call},
};

#[tokio::test]
async fn records_without_a_level_are_not_judged_and_no_all_clear() {
    // Text without a word for a level: 120 lines. Then 30 at info besides.
    let mut text = String::new();
    for second in (at("14:50:00").as_second()..at("15:00:00").as_second()).step_by(5) {
        let at = Timestamp::from_second(second).unwrap();
        writeln!(
            text,
            "{{\"@timestamp\":\"{at}\",\"message\":\"connection refused\",\"service\":{{\"name\":\"payment\"}}}}"
        )
        .unwrap();
    }
    let of_all = ["120 of 120 records of payment have no level: not judged", "120 of 120 records have no level"];
    let mut some = text.clone();
    every(&mut some, ("14:50:00", "15:00:00"), 20, "info", "charge done");
    let of_some = ["No records at warn or worse of payment found, and 120 of 150 records have no level", "120 of 150"];
    for (text, parts) in [(&text, of_all), (&some, of_some)] {
        let directory = incident(&[("logs/all.ndjson", text)]);
        let client = connect(directory.path()).await;
        let arguments = json!({"time_range": "10m", "service": "payment"});
        let reply = ask(&client, "get_error_patterns", arguments).await;
        assert!(reply.text.starts_with(parts[0]), "{}", reply.text);
        assert!(reply.text.lines().any(|line| line.starts_with("coverage") && line.contains(parts[1])));
        let next = next_call(&reply, "get_error_patterns").unwrap();
        assert_eq!((&next["level"], &next["service"]), (&json!("all"), &json!("payment")), "{}", reply.text);
        let arguments = json!({"error_query": "*", "time_range": "10m"});
        let reply = ask(&client, "extract_stack_traces", arguments).await;
        assert!(reply.text.lines().next().unwrap().contains(parts[1]), "{}", reply.text);
        assert_eq!(next_call(&reply, "get_error_patterns").unwrap()["level"], "all", "{}", reply.text);
    }
}

#[tokio::test]
async fn a_service_that_nobody_is_called_is_told_by_every_tool_with_the_one_that_was_meant() {
    let mut text = String::new();
    every(&mut text, ("13:50:00", "15:00:00"), 30, "error", "charge failed");
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let moment = json!({"timestamp": "2026-01-14T14:40:00Z", "delta_minutes": 3, "service": "paymnt"});
    let traces = json!({"error_query": "failed", "time_range": "20m", "service": "paymnt"});
    for (tool, arguments, verdict) in [
        (
            "correlate_logs_with_time",
            moment,
            "No record of paymnt around 2026-01-14T14:40:00Z, nor in the 47m before; services that log: payment.",
        ),
        (
            "extract_stack_traces",
            traces,
            "No record of paymnt between 2026-01-14T14:40:00Z and 2026-01-14T15:00:00Z; services that log: payment.",
        ),
    ] {
        let reply = ask(&client, tool, arguments.clone()).await;
        assert_eq!(reply.text.lines().next().unwrap(), verdict, "{}", reply.text);
        assert!(!reply.text.contains("what is new can't be told"), "{}", reply.text);
        let next = next_call(&reply, tool).unwrap_or_else(|| panic!("{}", reply.text));
        assert_eq!(next["service"], "payment");
        for name in ["timestamp", "delta_minutes", "error_query"] {
            assert_eq!(next.get(name), arguments.get(name), "{name}: {}", reply.text);
        }
    }
    // A service that logs, and has nothing that matches, is a zero and no wrong name.
    let arguments = json!({"error_query": "refused", "time_range": "20m", "service": "payment"});
    let reply = ask(&client, "extract_stack_traces", arguments).await;
    assert!(reply.text.starts_with("No record of payment matches between"), "{}", reply.text);
    assert_eq!(next_call(&reply, "extract_stack_traces"), None);
}

#[tokio::test]
async fn the_service_that_stopped_is_what_to_look_at_next() {
    let mut text = String::new();
    every(&mut text, ("13:30:00", "15:00:00"), 10, "info", "charge done");
    line(&mut text, at("14:38:00"), "info", "received SIGTERM, finishing requests in flight");
    let other = "{\"@timestamp\":\"2026-01-14T14:39:00Z\",\"log.level\":\"fatal\",\"message\":\"disk is full\",\"service\":{\"name\":\"cart\"}}\n";
    text.push_str(other);
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let arguments = json!({"timestamp": "2026-01-14T14:40:00Z"});
    let reply = ask(&client, "correlate_logs_with_time", arguments.clone()).await;
    assert!(reply.text.starts_with("2 patterns are new around"), "{}", reply.text);
    let next = next_call(&reply, "correlate_logs_with_time").unwrap();
    assert_eq!(
        next,
        json!({"timestamp": "2026-01-14T14:40:00Z", "delta_minutes": 5, "service": "payment"}),
        "{}",
        reply.text
    );
    // There it is not suggested again, and one is one.
    let reply = ask(&client, "correlate_logs_with_time", next).await;
    assert!(reply.text.starts_with("1 pattern is new around"), "{}", reply.text);
    assert_eq!(next_call(&reply, "correlate_logs_with_time"), None);
}
