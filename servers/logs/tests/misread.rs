//! Answers of which a reader in a hurry would take the wrong thing, over small incidents whose records are counted by hand.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

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
