//! What is said a few times among tens of thousands of usual lines: found by a second reading, over a recorded incident and
//! before a cluster, and what is told where that reading fails. Figures are counted by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::{
    answer::named_rows,
    mcp::ToolReply,
    recorded::{Recorded, Reply},
};

use common::{NOW, connect, connect_to, elasticsearch_at};

/// Five minutes around it are looked at, and the hour before those.
const MOMENT: &str = "2026-01-14T14:40:00Z";

/// What two services always say, each as often as any other; the number is a value.
fn usual(number: i64) -> (&'static str, String) {
    match number % 6 {
        0 => ("web", format!("rendered the start page in {number} ms")),
        1 => ("web", "cache warmed".to_owned()),
        2 => ("web", format!("session {number} of a guest began")),
        3 => ("orders", format!("took order {number} of a customer")),
        4 => ("orders", format!("order {number} went to the warehouse for packing")),
        _ => ("orders", format!("queue has {number} parcels waiting for a driver")),
    }
}

/// 60,000 usual records around the moment and 7,200 in the hour before. Among them five of each: a setting that only these
/// ten minutes have, a line that only `web` is used to say, and one that the hour before has five times too.
fn logs() -> String {
    let mut text = String::new();
    let mut say = |at: Timestamp, service: &str, message: &str| {
        writeln!(
            text,
            "{{\"@timestamp\":\"{at}\",\"log.level\":\"info\",\"service\":{{\"name\":\"{service}\"}},\"message\":\"{message}\"}}"
        )
        .unwrap();
    };
    let at = |clock: &str, milliseconds: i64| {
        let start: Timestamp = format!("2026-01-14T{clock}Z").parse().unwrap();
        start + SignedDuration::from_millis(milliseconds)
    };
    for number in 0..7_200 {
        let (service, message) = usual(number);
        say(at("13:35:00", number * 500), service, &message);
    }
    for number in 0..60_000 {
        let (service, message) = usual(number);
        say(at("14:35:00", number * 10), service, &message);
    }
    for number in 0..5 {
        say(at("14:38:00.123", number * 7_000), "orders", "configuration: POOL=10");
        say(at("14:39:00.123", number * 7_000), "orders", "cache warmed");
        say(at("14:37:00.123", number * 7_000), "orders", "checkpoint written");
        say(at("13:50:00.123", number * 7_000), "orders", "checkpoint written");
    }
    text
}

async fn around(client: &testkit::mcp::Client) -> (ToolReply, Vec<Value>) {
    let reply = client.call("correlate_logs_with_time", json!({ "timestamp": MOMENT })).await;
    assert!(!reply.is_error, "{}", reply.text);
    testkit::answer::fits(&reply, 8_000);
    let rows = match reply.text.contains("\npatterns (") {
        true => named_rows(reply.structured.as_ref().unwrap(), "patterns"),
        false => Vec::new(),
    };
    (reply, rows)
}

#[tokio::test]
async fn five_new_records_among_sixty_thousand_are_found_with_their_true_count_and_first_moment() {
    let directory = testkit::incident(("2026-01-14T13:35:00Z", NOW), &[("logs/all.ndjson", &logs())]);
    let client = connect(directory.path()).await;
    let (reply, rows) = around(&client).await;
    let told: Vec<(&str, &str, &Value, &str)> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or_default();
            (text("class"), text("pattern"), &row["records"], text("first"))
        })
        .collect();
    let five = json!(5);
    let expected = [
        ("new", "«configuration: POOL=10»", &five, "2026-01-14T14:38:00.123Z"),
        ("new", "«cache warmed»", &five, "2026-01-14T14:39:00.123Z"),
    ];
    assert_eq!(
        told.iter().filter(|row| row.0 == "new").copied().collect::<Vec<_>>(),
        expected,
        "{}",
        reply.text
    );
    assert!(!reply.text.contains("checkpoint written"), "{}", reply.text);
    // Six patterns of 10,000 each leave three times five.
    let read = "(4000 of 60015, evenly spaced in order of time; of 15 that none of 6 frequent patterns finds: every record)";
    assert!(reply.text.contains(read), "{}", reply.text);
    assert!(
        reply.text.contains("missed only where the filter of a frequent one finds it too"),
        "{}",
        reply.text
    );

    // The same records by pattern: six of 10,000, and three of five.
    let arguments = json!({ "time_range": "2026-01-14T14:35:00Z/2026-01-14T14:45:00Z", "level": "all" });
    let reply = client.call("get_error_patterns", arguments).await;
    let rows = named_rows(reply.structured.as_ref().unwrap(), "patterns");
    let mut counts: Vec<&Value> = rows.iter().map(|row| &row["count"]).collect();
    counts.sort_by_key(|count| count.as_u64());
    let (five, many) = (json!(5), json!(10_000));
    assert_eq!(counts, [vec![&five; 3], vec![&many; 6]].concat(), "{}", reply.text);
    assert!(reply.text.contains(read), "{}", reply.text);
}

const CAPS: &str = r#"{"indices":["logs-a"],"fields":{
    "@timestamp":{"date":{"type":"date","searchable":true,"aggregatable":true}},
    "message":{"text":{"type":"text","searchable":true,"aggregatable":false}}}}"#;
const AROUND: &str = r#""gte":"2026-01-14T14:35:00Z""#;
/// How a request for the records begins that are not of the one frequent pattern.
const APART: &str = r#""must_not":[{"bool":{"filter":[{"match_phrase":{"message":"bank is up"}}]}}]"#;

fn hits(from: &str, message: &str, number: i64) -> Vec<Value> {
    let start: Timestamp = from.parse().unwrap();
    let hit = |number: i64| {
        let at = start + SignedDuration::from_secs(number);
        json!({ "_index": "logs-a", "_id": at.to_string(), "sort": [at.as_millisecond(), number],
            "_source": { "@timestamp": at.to_string(), "message": message } })
    };
    (0..number).map(hit).collect()
}

fn found(total: i64, hits: &[Value]) -> Value {
    let bucket = json!({ "key": 1_768_401_300_000_i64, "doc_count": total });
    json!({ "timed_out": false, "_shards": { "total": 1, "failed": 0 },
        "hits": { "total": { "value": total, "relation": "eq" }, "hits": hits },
        "aggregations": { "time": { "buckets": [bucket] }, "patterns": { "buckets": [{ "doc_count": total }] } } })
}

fn search() -> Reply {
    Reply::to("POST", "/logs-*/_search")
}

/// A cluster with 60,000 records of one pattern around the moment and in the hour before; what it answers to the request for
/// the others is up to the test.
async fn cluster(apart: Vec<Reply>) -> Recorded {
    let backend = Recorded::start().await;
    let usual = hits("2026-01-14T14:35:00Z", "bank is up", 100);
    let replies = [
        Reply::to("GET", "/logs-*/_field_caps").text(CAPS),
        search().text(&found(60_000, &hits("2026-01-14T13:35:00Z", "bank is up", 2)).to_string()),
        // The pattern that the hour before has none of.
        search().body_has(r#""patterns":{"#).text(&found(0, &[]).to_string()),
        search().body_has(r#""patterns":{"#).body_has(AROUND).text(&found(5, &[]).to_string()),
        Reply::to("POST", "/logs-*/_msearch")
            .text(&json!({ "responses": [found(60_000, &usual)] }).to_string()),
    ];
    for reply in apart.into_iter().chain(replies) {
        backend.reply(reply).await;
    }
    backend
}

async fn ask(apart: Vec<Reply>) -> (ToolReply, Vec<Value>, usize) {
    let backend = cluster(apart).await;
    let (reply, rows) = around(&connect_to(&elasticsearch_at(&backend.url(), "logs-*"), NOW).await).await;
    assert!(backend.unmatched().is_empty(), "{:?}", backend.unmatched());
    let bodies = backend.requests().into_iter().map(|seen| String::from_utf8_lossy(&seen.body).into_owned());
    (reply, rows, bodies.filter(|body| body.contains(APART)).count())
}

fn to_apart() -> Reply {
    search().body_has(APART).body_has(AROUND)
}

#[tokio::test]
async fn a_cluster_is_asked_once_more_for_what_no_frequent_pattern_finds() {
    let seldom = found(5, &hits("2026-01-14T14:38:00Z", "ready to serve", 5));
    let (reply, rows, asked) = ask(vec![to_apart().text(&seldom.to_string())]).await;
    assert_eq!(
        (rows[0]["class"].as_str(), &rows[0]["records"]),
        (Some("new (start)"), &json!(5)),
        "{}",
        reply.text
    );
    let read = "105 of 60000 around the moment (100 of 60000: the first ones of each of 1 equal slices of time; \
                of 5 that none of 1 frequent patterns finds: every record)";
    assert!(reply.text.contains(read), "{}", reply.text);
    // How many they are over time, and the records.
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn where_the_rest_can_not_be_read_apart_the_answer_says_so_and_stands_by_the_first_reading() {
    let mut red = found(5, &hits("2026-01-14T14:38:00Z", "ready to serve", 5));
    red["_shards"] = json!({ "total": 5, "failed": 1, "failures": [] });
    let few = found(9_000, &hits("2026-01-14T14:38:00Z", "ready to serve", 5));
    let many = found(60_000, &hits("2026-01-14T14:38:00Z", "ready to serve", 5));
    let slices = json!({ "responses": [few] }).to_string();
    let slices = Reply::to("POST", "/logs-*/_msearch").body_has(APART).text(&slices);
    for (apart, why) in [
        (vec![to_apart().status(503).text("{}")], "HTTP 503"),
        (vec![to_apart().text(&red.to_string())], "1 of 5 shards did not answer"),
        // As if a filter found nothing there.
        (vec![to_apart().text(&many.to_string())], "left 60000 of 60000"),
        // 5 of 9,000 are less than 100 of 60,000.
        (vec![to_apart().text(&few.to_string()), slices], "of 9000 that are left too few"),
    ] {
        // As often as before.
        let filters = search().body_has(r#""patterns":{"#);
        let usual = [(filters.clone().body_has(AROUND), 60_000), (filters, 360_000)];
        let usual = usual.map(|(filters, number)| filters.text(&found(number, &[]).to_string()));
        let (reply, rows, _) = ask(usual.into_iter().chain(apart).collect()).await;
        let told = format!("{why}: {}", reply.text);
        assert!(rows.is_empty() && !reply.text.contains("ready to serve"), "{told}");
        let parts = [
            "could not be read apart: ",
            why,
            "100 of 60000 around the moment",
            "a seldom pattern can be missed",
        ];
        assert!(parts.iter().all(|part| reply.text.contains(part)), "{told}");
    }
}

#[tokio::test]
async fn where_too_many_are_left_they_are_a_sample_and_the_answer_says_so() {
    let many = found(9_000, &hits("2026-01-14T14:38:00Z", "ready to serve", 50));
    let again = json!({ "responses": [many] }).to_string();
    let slices = Reply::to("POST", "/logs-*/_msearch").body_has(APART).text(&again);
    let (reply, _, _) = ask(vec![to_apart().text(&many.to_string()), slices]).await;
    let read = "of 9000 that none of 1 frequent patterns finds: 50 of 9000: the first ones of each of 1 equal slices";
    assert!(
        reply.text.contains(read) && reply.text.contains("a seldom pattern can be missed"),
        "{}",
        reply.text
    );
}
