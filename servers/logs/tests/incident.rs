//! The tools that find things out, over the demo's incident with its logs and over small ones. What is expected is what the
//! generator says it wrote, or counted in its files by the test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};
use testkit::{
    answer::rows,
    mcp::{Client, ToolReply},
};
use world::{Options, World};

use common::{connect, incident};

/// Records of payment's file (ECS) in a window whose message begins so, oldest first.
fn written(directory: &Path, begins: &str, window: (&str, &str)) -> Vec<Timestamp> {
    let text = std::fs::read_to_string(directory.join("logs/payment.ndjson")).unwrap();
    let (start, end): (Timestamp, Timestamp) = (window.0.parse().unwrap(), window.1.parse().unwrap());
    let moments = text.lines().filter_map(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        let at: Timestamp = record["@timestamp"].as_str().unwrap().parse().unwrap();
        let message = record["message"].as_str().unwrap();
        (message.starts_with(begins) && at >= start && at < end).then_some(at)
    });
    let mut moments: Vec<Timestamp> = moments.collect();
    moments.sort();
    moments
}

async fn ask(client: &Client, tool: &str, arguments: Value) -> ToolReply {
    let reply = client.call(tool, arguments).await;
    assert!(!reply.is_error, "{}", reply.text);
    assert!(reply.text.chars().count() <= 8_000, "{} characters", reply.text.chars().count());
    reply
}

/// The row whose cell `column` holds `part`.
fn row<'a>(rows: &'a [Vec<Value>], column: usize, part: &str) -> &'a [Value] {
    let found = rows.iter().find(|row| row[column].as_str().is_some_and(|text| text.contains(part)));
    found.unwrap_or_else(|| panic!("{part} in {rows:?}"))
}

#[tokio::test]
async fn the_demo_is_told_as_it_was_written() {
    let directory = tempfile::tempdir().unwrap();
    World::demo().write(directory.path(), &Options { logs: true, ..Options::default() }).unwrap();
    let client = connect(directory.path()).await;

    // 1. The new pattern comes first, with its true count and first moment, though not every record was read.
    let exhausted =
        written(directory.path(), "could not acquire", ("2026-01-14T14:02:00Z", "2026-01-14T14:32:00Z"));
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "30m"})).await;
    let first = &rows(&reply, "patterns")[0];
    assert_eq!((&first[0], &first[1]), (&json!("new"), &json!(exhausted.len())), "{}", reply.text);
    assert_eq!(first[4].as_str().unwrap().parse::<Timestamp>().unwrap(), exhausted[0]);
    assert_eq!((&first[6], &first[8]), (&json!("payment"), &json!("2.3.1")));

    // 2. What came just before it, with true moments: processes stopped and started, a version appeared.
    // Five records each among 28,000, whatever the moment.
    let around = ("2026-01-14T13:58:09Z", "2026-01-14T14:07:04Z");
    let mut last = None;
    for moment in ["14:02:04", "14:02:40", "14:03:09", "14:02:15"] {
        let arguments = json!({"timestamp": format!("2026-01-14T{moment}Z")});
        let reply = ask(&client, "correlate_logs_with_time", arguments).await;
        let told = rows(&reply, "patterns");
        for begins in [
            "received SIGTERM",
            "bye",
            "starting version",
            "configuration: DB_POOL_SIZE=10",
            "ready to serve",
        ] {
            let own = written(directory.path(), begins, around);
            let found = row(&told, 7, begins);
            assert!(found[0].as_str().unwrap().starts_with("new"), "{begins}: {}", reply.text);
            assert_eq!(found[6], json!(own.len()), "{begins}: {}", reply.text);
            assert_eq!(found[1].as_str().unwrap().parse::<Timestamp>().unwrap(), own[0], "{}", reply.text);
        }
        last = Some(reply);
    }
    let reply = last.unwrap();
    let start = written(directory.path(), "starting version", around)[0];
    assert!(
        reply.text.contains(&format!("version 2.3.1 of payment first logs at {start:.3}")),
        "{}",
        reply.text
    );
    assert!(reply.text.contains("get_recent_deployments(service=\"payment\""), "{}", reply.text);

    // 3. Who logs more than usual, and since when.
    let reply = ask(&client, "get_log_volume_anomalies", json!({"time_range": "1h"})).await;
    let found = &rows(&reply, "anomalies")[0];
    assert_eq!((&found[0], &found[1]), (&json!("payment"), &json!("spike")), "{}", reply.text);
    let since: Timestamp = found[7].as_str().unwrap().parse().unwrap();
    assert!(since.duration_since(exhausted[0]).abs().as_secs() <= 60, "{since}");

    // 4. What the generator throws, with its root cause below it.
    let arguments = json!({"error_query": "*", "service": "inventory", "time_range": "30m"});
    let reply = ask(&client, "extract_stack_traces", arguments).await;
    let found = row(&rows(&reply, "kinds of traces"), 2, "StockException").to_vec();
    assert_eq!(found[3], json!("org.postgresql.util.PSQLException"), "{}", reply.text);
}

#[tokio::test]
async fn a_name_that_nobody_has_is_told_with_those_near_to_it() {
    let line = r#"{"@timestamp":"2026-01-14T14:40:01Z","log.level":"error","message":"no","service":{"name":"payment"}}"#;
    let directory = incident(&[("logs/all.ndjson", &format!("{line}\n"))]);
    let client = connect(directory.path()).await;
    let reply = ask(&client, "get_error_patterns", json!({"service": "paymnt"})).await;
    assert!(reply.text.contains("nearest of 1 service: payment"), "{}", reply.text);
}

#[tokio::test]
async fn a_service_that_logs_at_other_times_is_given_no_other_name() {
    // `cron` until 12:00:01 and from 14:50:01 on; `front` all the time.
    let line = |service: &str, at: &str| {
        format!(
            "{{\"@timestamp\":\"{at}\",\"log.level\":\"error\",\"message\":\"no\",\"service\":{{\"name\":\"{service}\"}}}}\n"
        )
    };
    let front = (0..60).map(|minute| line("front", &format!("2026-01-14T14:{minute:02}:01Z")));
    let cron = ["2026-01-14T12:00:01Z", "2026-01-14T14:50:01Z"].map(|at| line("cron", at));
    let text: String = front.chain(cron).collect();
    let directory = testkit::incident(("2026-01-14T12:00:00Z", common::NOW), &[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let window = "2026-01-14T14:30:00Z/2026-01-14T14:40:00Z";
    for (tool, mut arguments) in [
        ("get_error_patterns", json!({"time_range": window})),
        ("correlate_logs_with_time", json!({"timestamp": "2026-01-14T14:35:00Z", "delta_minutes": 5})),
        ("extract_stack_traces", json!({"error_query": "*", "time_range": window})),
        ("search_logs", json!({"query": "*", "time_range": window})),
        ("get_log_volume_anomalies", json!({"time_range": window})),
    ] {
        arguments["service"] = json!("cron");
        let known = ask(&client, tool, arguments.clone()).await.text;
        assert!(known.contains("last record of cron before: 2026-01-14T12:00:01Z"), "{tool}: {known}");
        assert!(!known.contains("front") && !known.contains("nothing before"), "{tool}: {known}");
        arguments["service"] = json!("fromt");
        let mistyped = ask(&client, tool, arguments).await.text;
        let near = "no record is of a service fromt; nearest of 1 service: front";
        assert!(mistyped.contains(near) && mistyped.contains("service=\"front\""), "{tool}: {mistyped}");
    }
}

#[tokio::test]
async fn a_name_is_looked_for_beyond_a_window_without_any_record() {
    let line = r#"{"@timestamp":"2026-01-14T14:01:01Z","log.level":"error","message":"no","service":{"name":"payment"}}"#;
    let directory = incident(&[("logs/all.ndjson", &format!("{line}\n"))]);
    let client = connect(directory.path()).await;
    let reply = ask(&client, "get_error_patterns", json!({"service": "paymnt", "time_range": "10m"})).await;
    let near = "no record is of a service paymnt; nearest of 1 service: payment";
    assert!(reply.text.contains(near), "{}", reply.text);
}

#[tokio::test]
async fn before_the_first_record_nothing_is_usual() {
    // One record a second from 14:30 on: before that the store holds nothing, which is no rate of zero.
    let line = |second: i64| {
        let at = Timestamp::from_second(1_768_401_000 + second).unwrap();
        format!(
            "{{\"@timestamp\":\"{at}\",\"log.level\":\"error\",\"message\":\"charge {second} failed\",\"service\":{{\"name\":\"payment\"}}}}\n"
        )
    };
    let text: String = (0..1_800).map(line).collect();
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "20m"})).await;
    assert_eq!(rows(&reply, "patterns")[0][0], "steady", "{}", reply.text);
    assert!(
        reply.text.contains("of which nothing before 2026-01-14T14:30:00Z is recorded"),
        "{}",
        reply.text
    );
    let reply = ask(&client, "get_log_volume_anomalies", json!({"time_range": "20m"})).await;
    assert!(reply.text.starts_with("Every service logs as usual"), "{}", reply.text);
}

#[tokio::test]
async fn bad_arguments_are_refused_with_what_to_give_instead() {
    let directory = incident(&[]);
    let client = connect(directory.path()).await;
    for (tool, arguments, part) in [
        ("get_error_patterns", json!({"limit": 0}), "0 is not between 1 and 50"),
        ("get_error_patterns", json!({"time_range": "30d"}), "time_range"),
        ("get_error_patterns", json!({"time_range": "30m", "baseline": "10m"}), "overlaps the window"),
        ("get_log_volume_anomalies", json!({"time_range": "1m"}), "too short"),
        ("correlate_logs_with_time", json!({"timestamp": "yesterday"}), "timestamp"),
        ("correlate_logs_with_time", json!({"timestamp": "2030-01-01T00:00:00Z"}), "is after now"),
        (
            "correlate_logs_with_time",
            json!({"timestamp": "now-5m", "delta_minutes": 90}),
            "not between 1 and 60",
        ),
        ("extract_stack_traces", json!({}), "error_query"),
    ] {
        let reply = client.call(tool, arguments.clone()).await;
        assert!(reply.is_error && reply.text.contains(part), "{tool} {arguments}: {}", reply.text);
    }
}
