//! Each tool over ten thousand services, a thousand patterns of errors and a record of nearly a MiB (longer lines of files
//! are refused), and over a cluster with a record of 5 MB: both renderings stay within 8,000 characters, and the culprit is
//! in them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/calls.rs"]
mod calls;
mod common;

use std::{collections::BTreeSet, fmt::Write as _};

use jiff::{SignedDuration, Timestamp};
use logs_mcp::LogsConfig;
use serde_json::{Value, json};
use testkit::{
    answer::fits,
    recorded::{Recorded, Reply},
};

const START: &str = "2026-01-14T13:00:00Z";
/// Two hours, in seconds.
const LENGTH: i64 = 7_200;
/// When the culprit begins to fail: 14:40:00.
const ONSET: i64 = 6_000;
const SERVICES: i64 = 10_000;
const PATTERNS: usize = 1_000;
/// Its stack trace and message.
const CULPRIT: &str = "shop.PoolExhausted: no connection left\\n\\tat shop.culprit.Pool.take(Pool.java:77)";

/// Four records of each of ten thousand services, spread over two hours; three of each of a thousand kinds of warnings,
/// likewise; a record of 1 MB; and from 14:40 on an error a second of the service `culprit`, which before that said once a
/// minute that it is well.
fn logs() -> String {
    let start: Timestamp = START.parse().unwrap();
    let mut text = String::new();
    let mut say = |second: i64, level: &str, service: &str, message: &str, more: &str| {
        let at = start + SignedDuration::from_secs(second);
        writeln!(
            text,
            "{{\"@timestamp\":\"{at}\",\"log.level\":\"{level}\",\"service\":{{\"name\":\"{service}\"}},\"message\":\"{message}\"{more}}}"
        )
        .unwrap();
    };
    for number in 0..SERVICES * 4 {
        let service = format!("svc-{:05}", number % SERVICES);
        say(number * LENGTH / (SERVICES * 4), "info", &service, "request served", "");
    }
    for number in 0..PATTERNS * 3 {
        let second = (number as i64) * LENGTH / (PATTERNS as i64 * 3);
        // Values are what makes the filters of patterns dear.
        let values = "4 of 17 in 9 ms at 10.0.0.1 ".repeat(4);
        let (one, other) = (word(number % PATTERNS), word(number % PATTERNS * 7 + 3));
        let message = format!("{one} gave up on {other} {values}");
        say(second, "warn", &format!("svc-{:05}", number % 500), &message, "");
    }
    say(5_000, "error", "dumper", &format!("dump {}", "payload of a request ".repeat(49_000)), "");
    for second in 0..LENGTH {
        if second % 60 == 0 {
            say(second, "info", "culprit", "all is well", "");
        }
        if second >= ONSET {
            let trace = format!(",\"error\":{{\"stack_trace\":\"{CULPRIT}\"}}");
            say(second, "error", "culprit", "charge failed: no connection left in the pool", &trace);
        }
    }
    text
}

/// A word of its own for each number, of letters alone: what holds a digit is a value.
fn word(number: usize) -> String {
    let letter = |place: usize| char::from(b"bcdfghjklmnpqrst"[number / place % 16]);
    format!("{}a{}o{}u{}i", letter(1), letter(16), letter(256), letter(4_096))
}

/// An Elasticsearch whose newest record is an error of 5 MB with a stack trace at its end, after one that is short.
async fn cluster() -> Recorded {
    let backend = Recorded::start().await;
    let text =
        |message: &str| json!({"message": message, "log": {"level": "error"}, "service": {"name": "dumper"}});
    let huge = format!("dump {}", "payload of a request ".repeat(250_000));
    let hits: Vec<Value> =
        [(1_768_402_000_000_i64, text(&huge)), (1_768_401_900_000, text("could not write the dump"))]
            .into_iter()
            .map(|(at, mut source)| {
                source["@timestamp"] = json!(Timestamp::from_millisecond(at).unwrap().to_string());
                json!({"_index": "logs-a", "_id": at.to_string(), "_source": source, "sort": [at, 1]})
            })
            .collect();
    let of = |kind: &str, countable: bool| json!({kind: {"type": kind, "searchable": true, "aggregatable": countable}});
    let fields = json!({"indices": ["logs-a"], "fields": {"@timestamp": of("date", true), "message": of("text", false),
        "log.level": of("keyword", true), "service.name": of("keyword", true)}});
    let over_time = json!({"buckets": [{"key": 1_768_402_000_000_i64, "doc_count": 2}]});
    let shards = json!({"total": 1, "failed": 0});
    let counts = json!({"_shards": shards, "hits": {"total": {"value": 2, "relation": "eq"}}, "aggregations": {
        "time": over_time, "missing": {"doc_count": 0}, "indices": {"buckets": []}, "patterns": {"buckets": [{"doc_count": 1}, {"doc_count": 1}]},
        "field0": {"doc_count": 2, "distinct": {"value": 1}, "values": {"buckets": [{"key": "dumper", "doc_count": 2, "time": over_time}]}}}});
    let mut records = counts.clone();
    records["hits"]["hits"] = json!(hits);
    let names = json!({"indices": [{"name": "logs-a"}]});
    let search = || Reply::to("POST", "/logs-*/_search");
    for reply in [
        Reply::to("GET", "/logs-*/_field_caps").text(&fields.to_string()),
        Reply::to("GET", "/_resolve/index/logs-*").text(&names.to_string()),
        Reply::to("GET", "/_cat/indices/logs-*").text("[]"),
        search().body_has("\"size\":0").text(&counts.to_string()),
        search().text(&records.to_string()),
        Reply::to("POST", "/logs-*/_msearch").text(&json!({"responses": [records]}).to_string()),
    ] {
        backend.reply(reply).await;
    }
    backend
}

#[tokio::test]
async fn over_a_record_of_5_megabytes_every_answer_is_of_8000_characters_at_most_and_says_what_was_cut() {
    let backend = cluster().await;
    let client = common::connect_to(&common::elasticsearch_at(&backend.url(), "logs-*"), common::NOW).await;
    for (tool, arguments) in calls::good_calls() {
        let reply = client.call(tool, arguments.clone()).await;
        if std::env::var_os("SHOW").is_some() {
            eprintln!("{tool} {arguments}\n{}\n", reply.text);
        }
        assert!(!reply.is_error, "{tool} {arguments}: {}", reply.text);
        fits(&reply, 8_000);
        if tool == "search_logs" && arguments["group_by"].is_null() {
            for part in ["«dump payload of a request", "could not write the dump", "the beginning was read"]
            {
                assert!(reply.text.contains(part), "{part:?} is not in {}", reply.text);
            }
        }
    }
    assert!(backend.unmatched().is_empty(), "{:?}", backend.unmatched());
}

#[tokio::test]
async fn what_follows_from_an_answer_is_asked_of_the_same_source() {
    let backend = cluster().await;
    let mut loaded = common::elasticsearch_at(&backend.url(), "logs-*");
    loaded.config.elasticsearch.push(common::source("second", &backend.url()));
    let second = LogsConfig { source: "second".to_owned(), ..loaded.config.logs[0].clone() };
    loaded.config.logs.push(second);
    let client = common::connect_to(&loaded, common::NOW).await;
    for (tool, mut arguments) in calls::good_calls() {
        arguments["source"] = json!("second");
        let reply = client.call(tool, arguments.clone()).await;
        assert!(!reply.is_error, "{tool} {arguments}: {}", reply.text);
        assert!(reply.text.contains("source main was not searched"), "{tool} {arguments}: {}", reply.text);
        let structured = reply.structured.unwrap();
        let next = structured["next"].as_array().unwrap();
        let own: Vec<&Value> = next.iter().filter(|call| call["server"].is_null()).collect();
        assert!(!own.is_empty(), "{tool} {arguments}: {}", reply.text);
        for call in own {
            assert_eq!(call["arguments"]["source"], "second", "{tool} {arguments}: {call}");
        }
        let others = next.iter().filter(|call| !call["server"].is_null());
        others.for_each(|call| assert!(call["arguments"]["source"].is_null(), "{call}"));
        // Who names no source is told of none: the first answers again.
        arguments.as_object_mut().unwrap().remove("source");
        let reply = client.call(tool, arguments.clone()).await;
        assert!(reply.text.contains("source second was not searched"), "{tool} {arguments}: {}", reply.text);
        assert!(!reply.text.contains("source="), "{tool} {arguments}: {}", reply.text);
    }
}

/// A call of each tool, and what must be in its answer.
fn questions() -> Vec<(&'static str, Value, &'static [&'static str])> {
    vec![
        ("list_log_sources", json!({}), &["44321", "10002", "culprit"]),
        (
            "search_logs",
            json!({"query": "*", "time_range": "2h", "group_by": "service"}),
            &["culprit", "10002 different values"],
        ),
        (
            "search_logs",
            json!({"query": "*", "time_range": "15m", "level": "error"}),
            &["900 records", "no connection left"],
        ),
        (
            "search_logs",
            json!({"query": "*", "service": "dumper", "time_range": "2h"}),
            &["dump payload", "1 record"],
        ),
        (
            "search_logs",
            json!({"query": "*", "service": "dumper", "time_range": "2h", "detail": "full"}),
            &["dump payload"],
        ),
        (
            "get_error_patterns",
            json!({"time_range": "20m"}),
            &["charge failed: no connection left", "culprit", "1200"],
        ),
        ("get_log_volume_anomalies", json!({"time_range": "30m"}), &["culprit", "2026-01-14T14:4"]),
        (
            "correlate_logs_with_time",
            json!({"timestamp": "2026-01-14T14:40:00Z"}),
            &["charge failed", "culprit"],
        ),
        (
            "extract_stack_traces",
            json!({"error_query": "*", "time_range": "20m"}),
            &["shop.PoolExhausted", "1200"],
        ),
    ]
}

#[tokio::test]
async fn over_ten_thousand_services_every_answer_is_of_8000_characters_at_most_with_the_culprit_in_it() {
    let directory = testkit::incident((START, common::NOW), &[("logs/all.ndjson", &logs())]);
    let client = common::connect(directory.path()).await;
    let asked: BTreeSet<&str> = questions().into_iter().map(|(tool, _, _)| tool).collect();
    assert_eq!(asked.into_iter().collect::<Vec<_>>(), calls::TOOLS, "every tool");
    let mut wrong = Vec::new();
    for (tool, arguments, parts) in questions() {
        let reply = client.call(tool, arguments.clone()).await;
        if std::env::var_os("SHOW").is_some() {
            eprintln!("{tool} {arguments}\n{}\n", reply.text);
        }
        assert!(!reply.is_error, "{tool} {arguments}: {}", reply.text);
        fits(&reply, if arguments["detail"] == "full" { 24_000 } else { 8_000 });
        let structured = reply.structured.unwrap().to_string();
        for form in [&reply.text, &structured] {
            let missing: Vec<_> = parts.iter().filter(|part| !form.contains(**part)).collect();
            if !missing.is_empty() {
                wrong.push(format!("{tool} {arguments}: without {missing:?}\n{form}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
