//! Data streams and aliases.

use serde_json::{Value, json};

use crate::{
    answer::{Case, WINDOW, ecs_fields, expect, failure, index, mappings, over},
    cluster::{Cluster, SYSTEMS},
};

/// The archive of Elasticsearch's integration tests is without the module for data streams.
#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_data_stream_of_two_indices_is_one_source() {
    let system = "opensearch";
    let cluster = Cluster::alone(system).await;
    let template =
        json!({ "index_patterns": ["live-stream"], "data_stream": {}, "template": index(mappings()) });
    cluster.send("PUT", "/_index_template/live-stream", template).await;
    let (status, reply) = cluster.ask("DELETE", "/_data_stream/live-stream", "").await;
    assert!(matches!(status, 200 | 404), "{reply}");
    cluster.store("live-stream", (0..3).map(|second| failure(second, "cart"))).await;
    cluster.send("POST", "/live-stream/_rollover", Value::Null).await;
    cluster.store_from("live-stream", 3, (3..5).map(|second| failure(second, "cart"))).await;
    let cases = vec![
        (
            "list_log_sources",
            json!({}),
            json!({
                "verdict": "1 data stream with 5 records; 1 service logged in the last 24 h; fields of ECS; the newest record is of 2026-01-14T14:00:04Z.",
                "tables": {
                    "sources": [["live-stream", "data stream", 5, true, "2026-01-14T14:00:00Z", "2026-01-14T14:00:04Z", "green"]],
                    "fields by role": ecs_fields(5),
                    "services": [["cart", 5]],
                    "levels": [["error", 5]],
                },
                "caveats": null,
            }),
        ),
        (
            "search_logs",
            json!({"query": "*", "time_range": WINDOW, "limit": 3}),
            json!({
                "verdict": "5 records between 2026-01-14T14:00:00Z and 2026-01-14T14:10:00Z.",
                "tables": {
                    "lines": [
                        ["2026-01-14T14:00:04Z", "error", "cart", null, null, "«call 4 failed»", null],
                        ["2026-01-14T14:00:03Z", "error", "cart", null, null, "«call 3 failed»", null],
                        ["2026-01-14T14:00:02Z", "error", "cart", null, null, "«call 2 failed»", null],
                    ],
                },
                "caveats": ["lines: the newest 3 of 5 records"],
            }),
        ),
    ];
    expect(&over(&cluster, "live-stream").await, system, cases).await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn an_alias_to_a_part_of_an_index_is_told_as_that_part() {
    for system in SYSTEMS {
        let cluster = Cluster::alone(system).await;
        cluster.fresh_index("live-whole", index(mappings())).await;
        let services = ["pay", "user"];
        cluster.store("live-whole", (0..10).map(|second| failure(second, services[second % 2]))).await;
        let only = json!({ "index": "live-whole", "alias": "live-part", "filter": { "term": { "service.name": "pay" } } });
        cluster.send("POST", "/_aliases", json!({ "actions": [{ "add": only }] })).await;
        expect(&over(&cluster, "live-part").await, system, of_part()).await;
    }
}

fn of_part() -> Vec<Case> {
    vec![
        (
            "list_log_sources",
            json!({}),
            json!({
                "verdict": "1 alias with 5 records; 1 service logged in the last 24 h; fields of ECS; the newest record is of 2026-01-14T14:00:08Z.",
                "tables": {
                    "sources": [["live-part", "alias", 5, true, "2026-01-14T14:00:00Z", "2026-01-14T14:00:08Z", "green"]],
                    "fields by role": ecs_fields(5),
                    "services": [["pay", 5]],
                    "levels": [["error", 5]],
                },
                "caveats": null,
            }),
        ),
        (
            "search_logs",
            json!({"query": "*", "time_range": WINDOW, "limit": 3}),
            json!({
                "verdict": "5 records between 2026-01-14T14:00:00Z and 2026-01-14T14:10:00Z.",
                "tables": {
                    "lines": [
                        ["2026-01-14T14:00:08Z", "error", "pay", null, null, "«call 8 failed»", null],
                        ["2026-01-14T14:00:06Z", "error", "pay", null, null, "«call 6 failed»", null],
                        ["2026-01-14T14:00:04Z", "error", "pay", null, null, "«call 4 failed»", null],
                    ],
                },
                "caveats": ["lines: the newest 3 of 5 records"],
            }),
        ),
        (
            "search_logs",
            json!({"query": "*", "time_range": WINDOW, "group_by": "service"}),
            json!({
                "verdict": "5 records; 1 value of service, most often pay (5 records).",
                "tables": { "values": [["pay", 5, 100]] },
                "caveats": null,
            }),
        ),
    ]
}
