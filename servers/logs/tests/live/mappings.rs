//! Mappings that disagree, that are empty, or that have ten thousand fields.

use serde_json::{Value, json};

use crate::{
    answer::{Case, WINDOW, ecs_fields, expect, failure, index, mappings, others_say, over},
    cluster::{Cluster, SYSTEMS},
};

#[tokio::test]
#[ignore = "needs the testbed"]
async fn indices_that_disagree_about_types_are_read_alike() {
    for system in SYSTEMS {
        let cluster = Cluster::alone(system).await;
        disagreeing(&cluster).await;
        expect(&over(&cluster, "live-mixed-*").await, system, of_disagreeing()).await;
    }
}

/// Ten charges of which four failed, with levels as words and statuses as numbers; ten refunds of which three failed, with
/// levels as numbers of pino and statuses as words.
async fn disagreeing(cluster: &Cluster) {
    let keyword = json!({ "type": "keyword" });
    let of = |time: &str, level: &str, status: &str, service: &str| {
        json!({ "properties": {
            "@timestamp": { "type": time }, "message": { "type": "text" }, "log.level": { "type": level },
            "status": { "type": status }, "service": { "properties": { "name": { "type": service } } }, "host": { "properties": { "name": keyword } },
        }})
    };
    cluster.fresh_index("live-mixed-a", index(of("date", "keyword", "long", "keyword"))).await;
    cluster.fresh_index("live-mixed-b", index(of("date_nanos", "long", "keyword", "text"))).await;
    let record = |second: usize, level: Value, status: Value, what: &str| {
        json!({
            "@timestamp": format!("2026-01-14T14:00:{second:02}Z"), "message": format!("{what} {second} took long"),
            "log.level": level, "status": status, "service": { "name": "pay" }, "host": { "name": "n1" },
        })
    };
    let charges = (0..10).map(|second| match second {
        0..4 => record(second, json!("error"), json!(500), "failed charge"),
        _ => record(second, json!("info"), json!(200), "charge"),
    });
    let refunds = (10..20).map(|second| match second {
        10..13 => record(second, json!(50), json!("500"), "failed refund"),
        _ => record(second, json!(30), json!("200"), "refund"),
    });
    cluster.store("live-mixed-a", charges).await;
    cluster.store("live-mixed-b", refunds).await;
}

fn of_disagreeing() -> Vec<Case> {
    vec![
        (
            "list_log_sources",
            json!({}),
            json!({
                "verdict": "2 indices with 20 records; fields of ECS; the newest record is of 2026-01-14T14:00:19Z.",
                "tables": {
                    "sources": [
                        ["live-mixed-a", "index", 10, true, "2026-01-14T14:00:00Z", "2026-01-14T14:00:09Z", "green"],
                        ["live-mixed-b", "index", 10, true, "2026-01-14T14:00:10Z", "2026-01-14T14:00:19Z", "green"],
                    ],
                    "fields by role": [
                        ["time", "@timestamp", "known name; in 20 of 20 recent records", null],
                        ["message", "message", "known name; in 20 of 20 recent records", null],
                        [
                            "level",
                            "log.level",
                            "ECS; in 20 of 20 recent records; indices disagree about its type",
                            null,
                        ],
                        [
                            "service",
                            "service.name",
                            "ECS; in 20 of 20 recent records; indices disagree about its type",
                            null,
                        ],
                        ["host", "host.name", "ECS; in 20 of 20 recent records", null],
                    ],
                },
                "caveats": [
                    "services could not be counted: `service`: indices disagree about the type of service.name: its values can't be counted together",
                    "levels could not be counted: `level`: indices disagree about the type of log.level: its values can't be counted together",
                ],
            }),
        ),
        // 4 charges and 3 refunds
        (
            "search_logs",
            json!({"query": "*", "time_range": WINDOW, "level": "error", "service": "PAY"}),
            json!({
                "verdict": "7 records of PAY between 2026-01-14T14:00:00Z and 2026-01-14T14:10:00Z.",
                "tables": {
                    "lines": [
                        ["2026-01-14T14:00:12Z", "error", "pay", "n1", null, "«failed refund 12 took long»", null],
                        ["2026-01-14T14:00:11Z", "error", "pay", "n1", null, "«failed refund 11 took long»", null],
                        ["2026-01-14T14:00:10Z", "error", "pay", "n1", null, "«failed refund 10 took long»", null],
                        ["2026-01-14T14:00:03Z", "error", "pay", "n1", null, "«failed charge 3 took long»", null],
                        ["2026-01-14T14:00:02Z", "error", "pay", "n1", null, "«failed charge 2 took long»", null],
                        ["2026-01-14T14:00:01Z", "error", "pay", "n1", null, "«failed charge 1 took long»", null],
                        ["2026-01-14T14:00:00Z", "error", "pay", "n1", null, "«failed charge 0 took long»", null],
                    ],
                },
                "caveats": ["lines: the newest 7 of 7 records"],
            }),
        ),
        (
            "search_logs",
            json!({"query": "status:500 AND failed", "time_range": WINDOW, "limit": 1}),
            json!({
                "verdict": "7 records match «status:500 AND failed» between 2026-01-14T14:00:00Z and 2026-01-14T14:10:00Z.",
                "tables": {
                    "lines": [["2026-01-14T14:00:12Z", "error", "pay", "n1", null, "«failed refund 12 took long»", null]],
                },
                "caveats": ["lines: the newest 1 of 7 records"],
            }),
        ),
        (
            "search_logs",
            json!({"query": "*", "time_range": WINDOW, "group_by": "status"}),
            of_uncountable("status"),
        ),
        (
            "search_logs",
            json!({"query": "*", "time_range": WINDOW, "group_by": "host"}),
            json!({
                "verdict": "20 records; 1 value of host, most often n1 (20 records).",
                "tables": { "values": [["n1", 20, 100]] },
                "caveats": null,
            }),
        ),
        (
            "get_error_patterns",
            json!({"time_range": WINDOW}),
            json!({
                "verdict": "7 records at warn or worse in 10m, 2 patterns: what is new or surging can't be told, as there is no baseline; most frequent: one in pay, 4 times (57 %): «failed charge <num> took long».",
                "tables": {
                    "patterns": [
                        [
                            "no baseline",
                            4,
                            0.4,
                            null,
                            null,
                            "error",
                            "pay",
                            "n1",
                            null,
                            "«failed charge <num> took long»",
                            "0d228db7ceecf9ab",
                        ],
                        [
                            "no baseline",
                            3,
                            0.3,
                            null,
                            null,
                            "error",
                            "pay",
                            "n1",
                            null,
                            "«failed refund <num> took long»",
                            "f3d5b54dcc895801",
                        ],
                    ],
                },
                "caveats": [
                    "patterns of all records of the window (7), counts exact",
                    "records from 2026-01-14T14:00:19Z on may not all have arrived: their counts may be too small, and fading and gone are judged by those before",
                ],
            }),
        ),
        ("get_log_volume_anomalies", json!({"time_range": WINDOW}), of_uncountable("service")),
    ]
}

/// What is said of a field whose values can't be counted, by the name it is asked for.
fn of_uncountable(name: &str) -> Value {
    let field = if name == "service" { "service.name" } else { name };
    json!({ "error": [
        format!("invalid_argument: `{name}`: indices disagree about the type of {field}: its values can't be counted together"),
        "count by another field; an operator narrows [[logs]] indices to those that agree",
    ]})
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn an_index_without_fields_is_no_zero() {
    for system in SYSTEMS {
        let cluster = Cluster::alone(system).await;
        cluster.fresh_index("live-empty", index(json!({}))).await;
        cluster.fresh_index("live-filled", index(mappings())).await;
        cluster.store("live-filled", (0..5).map(|second| failure(second, "pay"))).await;
        let client = over(&cluster, "live-empty").await;
        expect(&client, system, of_empty()).await;
        others_say(&client, system, true, NO_TIME).await;
        // Beside another one it is no hindrance.
        expect(&over(&cluster, "live-empty,live-filled").await, system, of_empty_and_filled()).await;
    }
}

const NO_TIME: &str = "no field says when a record happened, so no window can be chosen";

fn of_empty() -> Vec<Case> {
    let no_field = |role: &str| {
        format!("no field was found for {role}: an operator names it in [logs.fields] of the configuration")
    };
    let sources = json!({
        "verdict": "1 index with 0 records; no known convention of fields.",
        "tables": { "sources": [["live-empty", "index", 0, true, null, null, "green"]] },
        "caveats": [
            no_field("time"), no_field("message"), no_field("level"), no_field("service"),
            "services could not be counted: `service`: no field of these indices says it",
            "levels could not be counted: `level`: no field of these indices says it",
            format!("how late records arrive is not known: {NO_TIME}"),
            format!("first and last records are not told: {NO_TIME}"),
        ],
    });
    let error = json!({ "error": [
        format!("not_configured: {NO_TIME}"),
        "an operator names a field of type date in [[logs]] fields.time, and the indices that hold logs in [[logs]] indices; \
         list_log_sources shows what is there",
    ]});
    vec![
        ("list_log_sources", json!({}), sources),
        ("search_logs", json!({"query": "*", "time_range": WINDOW}), error),
    ]
}

fn of_empty_and_filled() -> Vec<Case> {
    vec![
        (
            "list_log_sources",
            json!({}),
            json!({
                "verdict": "2 indices with 5 records; 1 service logged in the last 24 h; fields of ECS; the newest record is of 2026-01-14T14:00:04Z.",
                "tables": {
                    "sources": [
                        ["live-empty", "index", 0, true, null, null, "green"],
                        ["live-filled", "index", 5, true, "2026-01-14T14:00:00Z", "2026-01-14T14:00:04Z", "green"],
                    ],
                    "fields by role": ecs_fields(5),
                    "services": [["pay", 5]],
                    "levels": [["error", 5]],
                },
                "caveats": null,
            }),
        ),
        (
            "search_logs",
            json!({"query": "*", "time_range": WINDOW, "limit": 1}),
            json!({
                "verdict": "5 records between 2026-01-14T14:00:00Z and 2026-01-14T14:10:00Z.",
                "tables": { "lines": [["2026-01-14T14:00:04Z", "error", "pay", null, null, "«call 4 failed»", null]] },
                "caveats": ["lines: the newest 1 of 5 records"],
            }),
        ),
    ]
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn ten_thousand_fields_are_no_hindrance() {
    for system in SYSTEMS {
        let cluster = Cluster::alone(system).await;
        let mut mappings = mappings();
        for number in 0..10_000 {
            mappings["properties"][format!("field_{number}")] = json!({ "type": "keyword" });
        }
        let mut wide = index(mappings);
        wide["settings"]["index.mapping.total_fields.limit"] = json!(11_000);
        cluster.fresh_index("live-wide", wide).await;
        let record = |second: usize| {
            let mut record = failure(second, "pay");
            record[format!("field_{}", second * 400)] = json!(format!("value {}", second % 3));
            record
        };
        cluster.store("live-wide", (0..20).map(record)).await;
        let client = over(&cluster, "live-wide").await;
        expect(&client, system, of_wide()).await;
        others_say(&client, system, false, "20 records").await;
    }
}

fn of_wide() -> Vec<Case> {
    vec![
        (
            "list_log_sources",
            json!({}),
            json!({
                "verdict": "1 index with 20 records; 1 service logged in the last 24 h; fields of ECS; the newest record is of 2026-01-14T14:00:19Z.",
                "tables": {
                    "sources": [["live-wide", "index", 20, true, "2026-01-14T14:00:00Z", "2026-01-14T14:00:19Z", "green"]],
                    "fields by role": ecs_fields(20),
                    "services": [["pay", 20]],
                    "levels": [["error", 20]],
                },
                "caveats": null,
            }),
        ),
        (
            "search_logs",
            json!({"query": "failed AND field_400:\"value 1\"", "time_range": WINDOW}),
            json!({
                "verdict": "1 record match «failed AND field_400:\"value 1\"» between 2026-01-14T14:00:00Z and 2026-01-14T14:10:00Z.",
                "tables": { "lines": [["2026-01-14T14:00:01Z", "error", "pay", null, null, "«call 1 failed»", null]] },
                "caveats": ["lines: the newest 1 of 1 record"],
            }),
        ),
        (
            "search_logs",
            json!({"query": "*", "time_range": WINDOW, "group_by": "field_400"}),
            json!({
                "verdict": "20 records; 1 value of field_400, most often «value 1» (1 record).",
                "tables": { "values": [["«value 1»", 1, 5]] },
                "caveats": ["19 records without field_400"],
            }),
        ),
        (
            "search_logs",
            json!({"query": "*", "time_range": WINDOW, "group_by": "feild_400"}),
            json!({
                "error": [
                    "invalid_argument: `feild_400`: no field of these indices has this name",
                    "list_log_sources shows the fields of each role",
                    "nearest: field_400, field_1400, field_2400, field_3400, field_4000",
                ],
            }),
        ),
    ]
}
