//! Two hours of three services, small enough to be counted by hand.
//!
//! - `payment` (ECS, one file): a charge every 10 s; a webhook retried every 2 min; at 14:38:00 pod `payment-7d9f-a` starts
//!   version 2.3.1 and from then on all is of it; from 14:40:05 on, every 10 s, its pool is exhausted: 120 times in all, each
//!   with a trace of its own and one of five users.
//! - `inventory` (ECS, one file): a stock check every 20 s; from 13:00:30 on, every 4 min, an exception with its cause.
//! - `web` (plain text): a request every 5 s, until it falls silent at 14:45.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

const START: &str = "2026-01-14T13:00:00Z";
const LENGTH: i64 = 7_200;
/// 14:38:00 and 14:40:05 and 14:45:00, in seconds from the start.
const DEPLOYED: i64 = 5_880;
const EXHAUSTED: i64 = 6_005;
const SILENT: i64 = 6_300;

const STACK: &str = "shop.StockException: cannot reserve sku-7\n\tat shop.inventory.Stock.reserve(Stock.java:88)\n\t\
at shop.inventory.Api.handle(Api.java:31)\nCaused by: org.postgresql.util.PSQLException: deadlock detected\n\t\
at org.postgresql.core.v3.QueryExecutorImpl.receive(QueryExecutorImpl.java:2725)\n\t\
at shop.inventory.Store.update(Store.java:52)\n\t... 2 more";

/// The recorded incident in a directory of its own.
pub(crate) fn write() -> tempfile::TempDir {
    let files =
        [("logs/payment.ndjson", payment()), ("logs/inventory.ndjson", inventory()), ("logs/web.log", web())];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    testkit::incident((START, crate::common::NOW), &files)
}

fn at(second: i64) -> Timestamp {
    START.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_secs(second)
}

fn record(second: i64, level: &str, service: (&str, &str), pod: &str, message: &str, more: Value) -> String {
    let (name, version) = service;
    let mut record = json!({"@timestamp": at(second).to_string(), "log.level": level, "message": message,
        "service": {"name": name, "version": version}, "kubernetes": {"pod": {"name": pod}}});
    if let (Some(record), Value::Object(more)) = (record.as_object_mut(), more) {
        record.extend(more);
    }
    format!("{record}\n")
}

fn payment() -> String {
    let mut text = String::new();
    for second in 0..LENGTH {
        let version = if second < DEPLOYED { "2.3.0" } else { "2.3.1" };
        let pod = if second < DEPLOYED { "payment-5c44-z" } else { "payment-7d9f-a" };
        let mut say = |level: &str, message: &str, more: Value| {
            text.push_str(&record(second, level, ("payment", version), pod, message, more));
        };
        if second % 10 == 0 {
            say("info", &format!("charge {} ok in {} ms", 70_000 + second, 20 + second % 7), json!({}));
        }
        if second % 120 == 60 {
            say("warn", "retrying webhook https://hooks.example/a attempt 2", json!({}));
        }
        if second == DEPLOYED {
            say("info", "starting version 2.3.1", json!({}));
        }
        if second >= EXHAUSTED && second % 10 == 5 {
            let number = (second - EXHAUSTED) / 10;
            let message = format!(
                "could not acquire connection from pool orders after 1500 ms: pool exhausted (size=10, waiting={})",
                30 + number
            );
            let more = json!({"trace": {"id": format!("4bf92f3577b34da6a3ce929d0e0e{number:04x}")},
                "user": {"id": format!("u{}", number % 5)}});
            say("error", &message, more);
        }
    }
    text
}

fn inventory() -> String {
    let mut text = String::new();
    let service = ("inventory", "1.9.4");
    for second in 0..LENGTH {
        if second % 20 == 0 {
            text.push_str(&record(second, "info", service, "inventory-1", "stock checked", json!({})));
        }
        if second % 240 == 30 {
            let error = json!({"error": {"type": "shop.StockException", "message": "cannot reserve sku-7", "stack_trace": STACK}});
            text.push_str(&record(second, "error", service, "inventory-1", "cannot reserve sku-7", error));
        }
    }
    text
}

fn web() -> String {
    let mut text = String::new();
    for second in (0..SILENT).step_by(5) {
        writeln!(text, "{} INFO GET /cart 200 in {} ms", at(second), 10 + second % 11).unwrap();
    }
    text
}
