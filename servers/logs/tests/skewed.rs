//! `get_error_patterns` before a cluster in whose window one pattern floods for most of the time, so that a record that was
//! read in the flood stands for many more than one read after it. Figures are counted by hand.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::answer::named_rows;
use testkit::mcp::ToolReply;
use testkit::recorded::{Recorded, Reply};

use common::{NOW, connect_to, elasticsearch_at};

const CAPS: &str = r#"{"indices":["logs-a"],"fields":{
    "@timestamp":{"date":{"type":"date","searchable":true,"aggregatable":true}},
    "message":{"text":{"type":"text","searchable":true,"aggregatable":false}},
    "log.level":{"keyword":{"type":"keyword","searchable":true,"aggregatable":true}}}}"#;
/// The window and its baseline, as requests write them.
const WINDOW: &str = r#""gte":"2026-01-14T14:00:00Z""#;
const BASELINE: &str = r#""gte":"2026-01-14T13:00:00Z""#;
/// Slices of 90 s: 27 hold the flood, of 3,700 records each, and 13 follow it. Fifteen records of `steady` are in each.
const SLICES: i64 = 40;
const FLOODED: i64 = 27;
const FLOOD: i64 = 3_700;
const STEADY: i64 = 15;
const ALL: i64 = FLOODED * FLOOD + SLICES * STEADY;

fn at(clock: &str) -> Timestamp {
    format!("2026-01-14T{clock}Z").parse().unwrap()
}

/// The `number`th of records that are `milliseconds` apart.
fn hit(from: Timestamp, milliseconds: i64, number: i64, message: &str) -> Value {
    let at = from + SignedDuration::from_millis(milliseconds * number);
    json!({ "_index": "logs-a", "_id": format!("{at}"), "sort": [at.as_millisecond(), number],
        "_source": { "@timestamp": at.to_string(), "log.level": "error", "message": message } })
}

fn found(total: i64, hits: Vec<Value>) -> Value {
    json!({ "timed_out": false, "_shards": { "total": 1, "failed": 0 },
        "hits": { "total": { "value": total, "relation": "eq" }, "hits": hits } })
}

/// Counts in steps from a moment.
fn over_time(from: Timestamp, counts: impl Iterator<Item = i64>) -> Value {
    let bucket = |(place, count): (usize, i64)| {
        let key = from.as_millisecond() + 90_000 * i64::try_from(place).unwrap();
        json!({ "key": key, "doc_count": count })
    };
    let mut reply = found(0, vec![]);
    reply["aggregations"] =
        json!({ "time": { "buckets": counts.enumerate().map(bucket).collect::<Vec<_>>() } });
    reply
}

/// The first 140 records of a slice of the flood, 24 ms apart: the first one of `steady`, six seconds before the next, is
/// among them in 15 of 27. After the flood all fifteen are read.
fn slice(place: i64) -> Value {
    let from = at("14:00:00") + SignedDuration::from_secs(90 * place);
    if place >= FLOODED {
        return found(STEADY, (0..STEADY).map(|number| hit(from, 6_000, number, "disk is slow")).collect());
    }
    let says = |number: i64| if number == 139 && place % 9 < 5 { "disk is slow" } else { "bank is down" };
    found(FLOOD + STEADY, (0..140).map(|number| hit(from, 24, number, says(number))).collect())
}

fn search() -> Reply {
    Reply::to("POST", "/logs-*/_search")
}

/// A cluster with both windows. How it answers filters of patterns is up to the test.
async fn cluster(filters: Vec<Reply>) -> Recorded {
    let backend = Recorded::start().await;
    let first = vec![hit(at("13:00:00"), 6_000, 0, "disk is slow")];
    let baseline: Vec<Value> =
        (0..600).map(|number| hit(at("13:00:00"), 6_000, number, "disk is slow")).collect();
    let counts = (0..SLICES).map(|place| STEADY + if place < FLOODED { FLOOD } else { 0 });
    let slices: Vec<Value> = (0..SLICES).map(slice).collect();
    let replies = [
        Reply::to("GET", "/logs-*/_field_caps").text(CAPS),
        search().body_has(WINDOW).text(&found(ALL, vec![]).to_string()),
        search().body_has(BASELINE).text(&found(600, vec![]).to_string()),
        search().body_has(BASELINE).body_has(r#""size":2"#).text(&found(600, first).to_string()),
        search().body_has(BASELINE).body_has(r#""size":1001"#).text(&found(600, baseline).to_string()),
        search()
            .body_has(WINDOW)
            .body_has("date_histogram")
            .text(&over_time(at("14:00:00"), counts).to_string()),
        search()
            .body_has(BASELINE)
            .body_has("date_histogram")
            .text(&over_time(at("13:00:00"), (0..SLICES).map(|_| STEADY)).to_string()),
        Reply::to("POST", "/logs-*/_msearch").text(&json!({ "responses": slices }).to_string()),
        search().text(&found(0, vec![]).to_string()),
    ];
    for reply in filters.into_iter().chain(replies) {
        backend.reply(reply).await;
    }
    backend
}

/// To the filters of patterns in one of the windows.
fn to_filters(window: &str) -> Reply {
    search().body_has(window).body_has(r#""patterns":{"#).body_has("filters")
}

async fn ask(backend: &Recorded) -> ToolReply {
    let client = connect_to(&elasticsearch_at(&backend.url(), "logs-*"), NOW).await;
    let arguments = json!({ "time_range": "1h", "level": "error",
        "baseline": "2026-01-14T13:00:00Z/2026-01-14T14:00:00Z" });
    let reply = client.call("get_error_patterns", arguments).await;
    assert!(!reply.is_error, "{}", reply.text);
    reply
}

fn row(reply: &ToolReply, pattern: &str) -> Value {
    let rows = named_rows(reply.structured.as_ref().unwrap(), "patterns");
    let quoted = format!("«{pattern}»");
    rows.into_iter().find(|row| row["pattern"] == quoted).unwrap_or_else(|| panic!("{}", reply.text))
}

#[tokio::test]
async fn a_record_counts_as_many_as_its_slice_of_the_window_has_for_each_that_was_read() {
    let failing = [WINDOW, BASELINE].map(|window| to_filters(window).status(500).text("{}"));
    let reply = ask(&cluster(failing.to_vec()).await).await;
    // 15 of the flood that stand for 3,715 ÷ 140 each and 195 for themselves: 398 + 195, where 600 are true. In the last half
    // as in the whole ten are there each minute, as in the baseline.
    let steady = row(&reply, "disk is slow");
    assert_eq!((&steady["class"], &steady["count"]), (&json!("steady"), &json!("≈593")), "{}", reply.text);
    // 27 · 140 − 15 that stand for 26.5 each: 99,907, where 99,900 are true.
    assert_eq!(row(&reply, "bank is down")["count"], "≈99907", "{}", reply.text);
}

/// What filters answer: the flood and `steady`, or as many of them as there are.
fn counted(timed_out: bool, counts: [i64; 2]) -> String {
    let mut reply = found(0, vec![]);
    reply["timed_out"] = json!(timed_out);
    let buckets: Vec<Value> = counts.iter().map(|count| json!({ "doc_count": count })).collect();
    reply["aggregations"] = json!({ "patterns": { "buckets": buckets } });
    reply.to_string()
}

#[tokio::test]
async fn a_count_that_was_stopped_half_way_is_none_and_makes_nothing_new() {
    // The baseline has 600 of `steady`; its count is stopped when it has found none.
    let filters = [
        to_filters(WINDOW).text(&counted(false, [99_900, 600])),
        to_filters(BASELINE).text(&counted(true, [0, 0])),
    ];
    let reply = ask(&cluster(filters.to_vec()).await).await;
    let steady = row(&reply, "disk is slow");
    assert_eq!((&steady["class"], &steady["count"]), (&json!("steady"), &json!("≈593")), "{}", reply.text);
    assert!(
        reply.text.contains("some patterns could not be counted in full: the search was stopped"),
        "{}",
        reply.text
    );

    // Counted in full they are told so.
    let filters = [
        to_filters(WINDOW).text(&counted(false, [99_900, 600])),
        to_filters(BASELINE).text(&counted(false, [0, 600])),
    ];
    let reply = ask(&cluster(filters.to_vec()).await).await;
    let steady = row(&reply, "disk is slow");
    assert_eq!((&steady["class"], &steady["count"]), (&json!("steady"), &json!(600)), "{}", reply.text);
    assert_eq!(row(&reply, "bank is down")["count"], 99_900);
}
