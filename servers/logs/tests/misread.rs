//! Answers of which a reader in a hurry would take the wrong thing, over small incidents whose records are counted by hand.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::json;

use common::{
    connect, incident,
    small::{ask, at, every, line, next_call, patterns},
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
    let of_all = [
        "120 of 120 records of payment have no known level: not judged",
        "120 of 120 records have no known level",
    ];
    let mut some = text.clone();
    every(&mut some, ("14:50:00", "15:00:00"), 20, "info", "charge done");
    let of_some = [
        "No records at warn or worse of payment found, and 120 of 150 records have no known level",
        "120 of 150",
    ];
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
            "No record of paymnt around 2026-01-14T14:40:00Z, nor in the 47m before; nearest of 1 service: payment.",
        ),
        (
            "extract_stack_traces",
            traces,
            "No record of paymnt between 2026-01-14T14:40:00Z and 2026-01-14T15:00:00Z; nearest of 1 service: payment.",
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

/// A record of pay on this pod.
fn on_pod(text: &mut String, at: Timestamp, pod: &str, message: &str) {
    writeln!(
        text,
        "{{\"@timestamp\":\"{at}\",\"log.level\":\"info\",\"message\":\"{message}\",\"service\":{{\"name\":\"pay\"}},\"kubernetes\":{{\"pod\":{{\"name\":\"{pod}\"}}}}}}"
    )
    .unwrap();
}

#[tokio::test]
async fn where_a_pattern_began_is_the_place_of_its_first_record() {
    // All records are read: b stops first, then a twice.
    let mut text = String::new();
    every(&mut text, ("13:40:00", "15:00:00"), 10, "info", "charge done");
    for (second, pod) in [(1, "pay-b"), (2, "pay-a"), (3, "pay-a")] {
        on_pod(&mut text, at(&format!("14:39:0{second}")), pod, "received SIGTERM, finishing requests");
    }
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let arguments = json!({"timestamp": "2026-01-14T14:40:00Z"});
    let reply = ask(&client, "correlate_logs_with_time", arguments.clone()).await;
    assert_eq!(patterns(&reply)[0]["where"], "pay-b +1", "{}", reply.text);

    // Every other of 8,000 records is read, and of five stops one after the other the first or the second: either way all
    // five are counted, and no pod is called the first that was not. Lines without a word can't be left out by a filter;
    // where the others can, every stop is read.
    let mut seen = std::collections::BTreeSet::new();
    let two = ["5 places, 20 % pay-0", "pay-0 +4"];
    for (usual, shift, expected) in
        [("--", 0, &two[..]), ("--", 1, &two), ("charge done", 0, &two[1..]), ("charge done", 1, &two[1..])]
    {
        let mut text = String::new();
        every(&mut text, ("13:40:00", "14:35:00"), 2, "info", usual);
        for number in 0..8_000_i64 {
            let when = at("14:35:00") + jiff::SignedDuration::from_millis(number * 70);
            match number - 3_000 - shift {
                pod @ 0..5 => {
                    on_pod(&mut text, when, &format!("pay-{pod}"), "received SIGTERM, finishing requests")
                }
                _ => line(&mut text, when, "info", usual),
            }
        }
        let directory = incident(&[("logs/all.ndjson", &text)]);
        let client = connect(directory.path()).await;
        let reply = ask(&client, "correlate_logs_with_time", arguments.clone()).await;
        let row = &patterns(&reply)[0];
        assert_eq!(row["records"], 5, "{}", reply.text);
        let told = row["where"].as_str().unwrap();
        assert!(expected.contains(&told), "{usual} {shift}: {}", reply.text);
        seen.insert((usual, told.to_owned()));
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[tokio::test]
async fn the_half_that_is_suggested_is_of_the_time_that_is_recorded() {
    let mut text = String::new();
    every(&mut text, ("14:30:00", "15:00:00"), 10, "error", "bank is slow");
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    // Of the hour that is asked for the second half is recorded; of that the second half begins at 14:45.
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "1h"})).await;
    let next = next_call(&reply, "get_error_patterns").unwrap();
    assert_eq!(next["time_range"], "2026-01-14T14:45:00Z/2026-01-14T15:00:00Z", "{}", reply.text);
}

#[tokio::test]
async fn a_pattern_without_records_is_none_of_the_window_unless_it_is_gone() {
    // In the window before: two of one pattern, too few to be missed, and 60 of another, which are. In the window: 60.
    let mut text = String::new();
    every(&mut text, ("14:20:00", "15:00:00"), 20, "error", "bank is slow");
    every(&mut text, ("14:20:00", "14:40:00"), 600, "error", "disk is full");
    every(&mut text, ("14:20:00", "14:40:00"), 20, "error", "cache is cold");
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "20m"})).await;
    let verdict = "60 records at warn or worse in 20m, 1 pattern: nothing new, nothing surging.";
    assert_eq!(reply.text.lines().next().unwrap(), verdict, "{}", reply.text);
    let told: Vec<_> =
        patterns(&reply).iter().map(|row| (row["class"].clone(), row["pattern"].clone())).collect();
    let expected = [("steady", "«bank is slow»"), ("gone", "«cache is cold»")];
    assert_eq!(told, expected.map(|(class, pattern)| (json!(class), json!(pattern))), "{}", reply.text);
    // Nobody says where these records are from, and no comma stands for that.
    assert!(reply.text.contains("example of 1 (2026-01-14T14:40:00Z): "), "{}", reply.text);
}

#[tokio::test]
async fn where_nothing_at_all_is_logged_any_more_it_is_asked_since_when() {
    let mut text = String::new();
    every(&mut text, ("13:40:00", "14:30:00"), 10, "error", "bank is slow");
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    // Neither the ten minutes asked for nor those before hold a record; those an hour earlier, from 13:40, do.
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "10m"})).await;
    let next = next_call(&reply, "get_log_volume_anomalies").unwrap();
    assert_eq!(next["time_range"], "2026-01-14T13:40:00Z/2026-01-14T15:00:00Z", "{}", reply.text);
    let reply = ask(&client, "get_log_volume_anomalies", next.clone()).await;
    assert!(reply.text.starts_with("No record since 2026-01-14T14:29:50Z:"), "{}", reply.text);
}

#[tokio::test]
async fn stack_traces_are_suggested_where_there_are_some() {
    for (message, expected) in [
        ("pool exhausted", false),
        ("pool exhausted\\njava.lang.IllegalStateException: no\\n\\tat shop.Cart.pay(Cart.java:7)", true),
    ] {
        let mut text = String::new();
        every(&mut text, ("14:50:00", "15:00:00"), 5, "error", message);
        let directory = incident(&[("logs/all.ndjson", &text)]);
        let client = connect(directory.path()).await;
        let reply = ask(&client, "get_error_patterns", json!({"time_range": "10m"})).await;
        assert!(next_call(&reply, "search_logs").is_some(), "{}", reply.text);
        assert_eq!(next_call(&reply, "extract_stack_traces").is_some(), expected, "{}", reply.text);
    }
}
