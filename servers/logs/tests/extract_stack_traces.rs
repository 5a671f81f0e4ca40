//! `extract_stack_traces` through the whole server. Figures are counted by hand.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use serde_json::json;
use testkit::answer::rows;

use common::{connect, incident};

/// Three traces of two kinds in three of four records.
const RECORDS: &str = r#"{"@timestamp":"2026-01-14T14:40:01Z","log.level":"error","service":{"name":"cart"},"message":"java.lang.IllegalStateException: no\n\tat shop.Cart.pay(Cart.java:7)"}
{"@timestamp":"2026-01-14T14:40:02Z","log.level":"error","service":{"name":"cart"},"message":"java.lang.IllegalStateException: no\n\tat shop.Cart.pay(Cart.java:7)"}
{"@timestamp":"2026-01-14T14:40:03Z","log.level":"error","service":{"name":"cart"},"message":"java.lang.NullPointerException: id\n\tat shop.Stock.take(Stock.java:9)"}
{"@timestamp":"2026-01-14T14:40:04Z","log.level":"error","service":{"name":"cart"},"message":"gave up"}
"#;

async fn ask(arguments: serde_json::Value) -> testkit::mcp::ToolReply {
    let directory = incident(&[("logs/all.ndjson", RECORDS)]);
    connect(directory.path()).await.call("extract_stack_traces", arguments).await
}

#[tokio::test]
async fn the_verdict_tells_how_many_traces_of_how_many_kinds_in_how_many_records() {
    let reply = ask(json!({"error_query": "*"})).await;
    let verdict = "3 stack traces of 2 kinds, in 3 of the 4 records that match; most often (2×) \
                   java.lang.IllegalStateException in ";
    assert!(reply.text.starts_with(verdict), "{}", reply.text);
    let counts: Vec<_> = rows(&reply, "kinds of traces").iter().map(|row| row[0].clone()).collect();
    assert_eq!(counts, [json!(2), json!(1)], "{}", reply.text);
    let none = ask(json!({"error_query": "gave"})).await;
    assert!(none.text.starts_with("No stack trace in the 1 record that matches."), "{}", none.text);
}

#[tokio::test]
async fn a_syntax_error_names_the_argument_of_this_tool() {
    let reply = ask(json!({"error_query": "a AND ("})).await;
    assert!(reply.is_error && reply.text.contains("`error_query`: "), "{}", reply.text);
    assert!(!reply.text.contains("`query`"), "{}", reply.text);
}

#[tokio::test]
async fn what_is_estimated_from_a_sample_is_marked_and_its_first_record_is_not_called_the_first() {
    // 1,600 of one kind, then 800 of another, a second apart; five of six are read: 1,334 and 666 that stand for 1.2 each.
    let begin: jiff::Timestamp = "2026-01-14T14:00:00Z".parse().unwrap();
    let record = |number: i64| {
        let at = begin + jiff::SignedDuration::from_secs(number);
        let thrown = if number < 1_600 {
            "java.lang.IllegalStateException: no\\n\\tat shop.Cart.pay(Cart.java:7)"
        } else {
            "java.lang.NullPointerException: id\\n\\tat shop.Stock.take(Stock.java:9)"
        };
        format!("{{\"@timestamp\":\"{at}\",\"log.level\":\"error\",\"message\":\"{thrown}\"}}\n")
    };
    let records: String = (0..2_400).map(record).collect();
    let directory = incident(&[("logs/all.ndjson", &records)]);
    let client = connect(directory.path()).await;
    let reply = client.call("extract_stack_traces", json!({"error_query": "*"})).await;
    let kinds = rows(&reply, "kinds of traces");
    assert_eq!((&kinds[0][0], &kinds[1][0]), (&json!("≈1601"), &json!("≈799")), "{}", reply.text);
    assert_eq!(kinds[1][6], "≤ 2026-01-14T14:26:40Z", "{}", reply.text);
    assert!(reply.text.contains("most often (≈1601×)"), "{}", reply.text);
    assert!(!reply.text.contains("correlate_logs_with_time"), "{}", reply.text);
}

#[tokio::test]
async fn of_traces_of_one_line_a_record_no_two_services_are_mixed_and_what_was_not_looked_around_is_told() {
    // Fifteen times two services write a traceback of four lines at once, line by line in turn.
    let begin: jiff::Timestamp = "2026-01-14T14:00:00Z".parse().unwrap();
    let lines = |service: &str, line: i64| match line {
        0 => "Traceback (most recent call last):".to_owned(),
        1 => format!("  File \\\"/app/{service}.py\\\", line 7, in {service}_run"),
        2 => "    parse(row)".to_owned(),
        _ => "ValueError: no number".to_owned(),
    };
    let record = |number: i64| {
        let (time, line, service) = (number / 8, number % 8 / 2, ["cart", "stock"][number as usize % 2]);
        let at = begin + jiff::SignedDuration::from_millis(time * 60_000 + number % 8);
        let said = lines(service, line);
        format!(
            "{{\"@timestamp\":\"{at}\",\"log.level\":\"error\",\"service\":{{\"name\":\"{service}\"}},\"message\":\"{said}\"}}\n"
        )
    };
    let records: String = (0..15 * 8).map(record).collect();
    let directory = incident(&[("logs/all.ndjson", &records)]);
    let client = connect(directory.path()).await;
    // Around twelve is looked: six of each service.
    // A line that only announces a trace is none.
    let reply = client.call("extract_stack_traces", json!({"error_query": "Traceback"})).await;
    assert!(reply.text.contains("ValueError") && !reply.text.contains("without a type"), "{}", reply.text);
    let reply = client.call("extract_stack_traces", json!({"error_query": "ValueError"})).await;
    let verdict = "At least 12 stack traces of 2 kinds, in 12 of the 30 records that match; ";
    assert!(reply.text.starts_with(verdict), "{}", reply.text);
    let kinds = rows(&reply, "kinds of traces");
    let mut services: Vec<&str> = kinds.iter().map(|kind| kind[8].as_str().unwrap()).collect();
    for (kind, service) in kinds.iter().zip(&services) {
        assert_eq!(kind[0], json!("≥ 6"), "{}", reply.text);
        assert!(kind[7].as_str().unwrap().starts_with("≥ 2026-01-14T14:1"), "{}", reply.text);
        assert!(kind[5].as_str().unwrap().contains(&format!("{service}_run")), "{}", reply.text);
    }
    services.sort_unstable();
    assert_eq!(services, ["cart", "stock"]);
    let told = "18 of them hold no whole stack trace; around 18 of these nothing was looked for";
    assert!(reply.text.contains(told) && !reply.text.contains("counts are exact"), "{}", reply.text);
}
