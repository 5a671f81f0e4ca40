//! An Elasticsearch, and a recorded incident, that say one text wherever a text can stand; and clusters that are unwell.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of it")]
#![allow(clippy::indexing_slicing, reason = "tests fail loudly")]

use serde_json::{Value, json};
use testkit::recorded::{Recorded, Reply};

/// 2026-01-14T15:00:00Z in milliseconds.
const NOW_MS: i64 = 1_768_402_800_000;
/// Records, one every three minutes up to now.
const RECORDS: i64 = 8;

/// An Elasticsearch whose good replies hold the text in every field.
pub async fn saying(text: &str) -> Recorded {
    changed(text, |_, _| {}).await
}

/// The same with other fields, or with another answer to every search.
pub async fn changed(text: &str, change: impl FnOnce(&mut Value, &mut Value)) -> Recorded {
    let backend = Recorded::start().await;
    let (mut fields, mut search) = (fields(text), search(text));
    change(&mut fields, &mut search);
    let several = json!({"took": 1, "responses": vec![&search; 2]}).to_string();
    let names = json!({
        "indices": [{"name": text, "attributes": ["open"]}, {"name": "logs-a", "attributes": [text]}],
        "aliases": [{"name": format!("alias: {text}"), "indices": [text]}],
        "data_streams": [{"name": format!("stream: {text}"), "backing_indices": [text], "timestamp_field": text}],
    });
    let sizes = json!([{"index": text, "health": text, "docs.count": "24", "pri.store.size": "1000"},
        {"index": "logs-a", "health": text, "docs.count": "24", "pri.store.size": "1000"}]);
    for (method, path, body) in [
        ("GET", "/logs-*/_field_caps", fields.to_string()),
        ("GET", "/_resolve/index/logs-*", names.to_string()),
        ("GET", "/_cat/indices/logs-*", sizes.to_string()),
        ("POST", "/logs-*/_search", search.to_string()),
        ("POST", "/logs-*/_msearch", several),
    ] {
        backend.reply(Reply::to(method, path).text(&body)).await;
    }
    backend
}

/// One that refuses every request with the text in every part of its error.
pub async fn refusing(text: &str, status: u16) -> Recorded {
    let reason =
        json!({"type": text, "reason": text, "index": text, "caused_by": {"type": text, "reason": text}});
    let error = json!({"root_cause": [reason], "type": text, "reason": text,
        "failed_shards": [{"shard": 0, "index": text, "node": text, "reason": reason}]});
    failing(status, "application/json", &json!({"error": error, "status": status}).to_string()).await
}

/// One that answers every request with this.
pub async fn failing(status: u16, content_type: &str, body: &str) -> Recorded {
    let backend = Recorded::start().await;
    for (method, path) in [
        ("GET", "/logs-*/_field_caps"),
        ("GET", "/_resolve/index/logs-*"),
        ("GET", "/_cat/indices/logs-*"),
        ("POST", "/logs-*/_search"),
        ("POST", "/logs-*/_msearch"),
    ] {
        let reply = Reply::to(method, path).status(status).content_type(content_type);
        backend.reply(reply.text(body)).await;
    }
    backend
}

/// A recorded incident with the text in every field of its documents, and in lines of text.
pub fn recorded(text: &str) -> tempfile::TempDir {
    let documents: String = (0..RECORDS).map(|number| format!("{}\n", document(text, number))).collect();
    let lines: String = (0..RECORDS)
        .map(|number| format!("{} ERROR worker {number} said: {text}\n", moment(number)))
        .collect();
    let window = ("2026-01-14T14:00:00Z", "2026-01-14T15:00:00Z");
    testkit::incident(window, &[("logs/all.ndjson", &documents), ("logs/plain.log", &lines)])
}

fn moment(number: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(NOW_MS - (RECORDS - number) * 180_000);
    at.map(|at| at.to_string()).unwrap_or_default()
}

/// A record: the text in each field, in some of them as a part.
fn document(text: &str, number: i64) -> Value {
    let is_odd = number % 2 == 1;
    let trace = if is_odd { text } else { "4bf92f3577b34da6a3ce929d0e0e4736" };
    json!({
        "@timestamp": moment(number),
        "event": {"ingested": moment(number), "id": text},
        "message": if is_odd { text.to_owned() } else { format!("request {number} failed: {text}") },
        "log": {"level": if number % 5 == 0 { text } else { "error" }},
        "service": {"name": if is_odd { text } else { "payment" }, "version": text},
        "host": {"name": text},
        "kubernetes": {"pod": {"name": text}, "namespace": text, "container": {"name": text}},
        "trace": {"id": trace},
        "span": {"id": text},
        "error": {
            "type": text,
            "message": text,
            "stack_trace": format!("shop.Broken: {text}\n\tat shop.Pool.take(Pool.java:7)\nCaused by: {text}: {text}\n\t\
                at {text}({text}:9)\n\t... 1 more"),
        },
        "labels": {text: text},
        text: text,
    })
}

/// What is told of fields, the text among their names.
fn fields(text: &str) -> Value {
    let of = |kind: &str, countable: bool| json!({kind: {"type": kind, "searchable": true, "aggregatable": countable}});
    let mut fields = json!({"@timestamp": of("date", true), "event.ingested": of("date", true),
    "message": of("text", false), "error.message": of("text", false), "error.stack_trace": of("text", false),
    text: of("keyword", true), format!("labels.{text}"): {
        text: {"type": text, "searchable": true, "aggregatable": true, "indices": [text]},
        "keyword": {"type": "keyword", "searchable": true, "aggregatable": true, "indices": ["logs-a"]},
    }});
    for name in [
        "log.level",
        "service.name",
        "service.version",
        "host.name",
        "kubernetes.pod.name",
        "error.type",
        "kubernetes.namespace",
        "kubernetes.container.name",
        "trace.id",
        "span.id",
        "event.id",
    ] {
        fields[name] = of("keyword", true);
    }
    json!({"indices": [text, "logs-a"], "fields": fields})
}

/// The answer to any search: every kind of count, every record, and what could not be read.
fn search(text: &str) -> Value {
    let hits: Vec<Value> = (0..RECORDS)
        .map(|number| {
            let at = NOW_MS - (RECORDS - number) * 180_000;
            json!({"_index": if number % 2 == 0 { text } else { "logs-a" }, "_id": format!("{number} {text}"),
                "_source": document(text, number), "sort": [at, number],
                "fields": {"@timestamp": [at.to_string()], "event.ingested": [(at + 900).to_string()]}})
        })
        .collect();
    let over_time: Vec<Value> = (0..RECORDS)
        .map(
            |number| json!({"key": NOW_MS - (RECORDS - number) * 180_000, "doc_count": 1 + 30 * (number / 6)}),
        )
        .collect();
    let over_time = json!({"buckets": over_time});
    let values = json!([{"key": text, "doc_count": 90, "time": over_time}, {"key": "payment", "doc_count": 54, "time": over_time}]);
    let of_field = json!({"doc_count": 144, "distinct": {"value": 2}, "values": {"sum_other_doc_count": 0, "buckets": values}});
    let role = json!({"doc_count": 144, "missing": {"doc_count": 0}, "field0": of_field});
    let pattern = json!({"doc_count": 12, "first": {"value": NOW_MS - 600_000}, "last": {"value": NOW_MS - 60_000},
        "service": role, "level": role, "pod": role, "container": role, "host": role, "version": role});
    let of_index =
        json!({"doc_count": 24, "first": {"value": NOW_MS - 1_440_000}, "last": {"value": NOW_MS - 60_000}});
    let index = |name: &str| {
        let mut one = of_index.clone();
        one["key"] = json!(name);
        one["some"] = json!({"hits": {"hits": [hits[0].clone()]}});
        one
    };
    json!({
        "took": 1, "timed_out": false,
        "_shards": {"total": 5, "successful": 4, "failed": 1, "failures": [
            {"shard": 0, "index": text, "node": text, "reason": {"type": text, "reason": text}}]},
        "hits": {"total": {"value": 144, "relation": "eq"}, "hits": hits},
        "aggregations": {"time": over_time, "field0": of_field, "missing": {"doc_count": 3},
            "indices": {"buckets": [index(text), index("logs-a")]}, "patterns": {"buckets": vec![pattern; 20]}},
        "status": 200,
    })
}
