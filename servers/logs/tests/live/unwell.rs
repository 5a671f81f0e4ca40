//! Clusters that are unwell: red, short of memory, too slow.

use serde_json::{Value, json};

use crate::{
    answer::{Case, WINDOW, ecs_fields, expect, failure, index, mappings, others_say, over, told, with},
    cluster::{Cluster, SYSTEMS},
    common,
};

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_red_index_beside_a_healthy_one_is_told() {
    for system in SYSTEMS {
        let cluster = Cluster::alone(system).await;
        cluster.fresh_index("live-red-well", index(mappings())).await;
        cluster.store("live-red-well", (0..5).map(|second| failure(second, "pay"))).await;
        let (status, reply) = cluster.ask("DELETE", "/live-red-dead", "").await;
        assert!(matches!(status, 200 | 404), "{reply}");
        let mut nowhere = index(mappings());
        nowhere["settings"]["number_of_shards"] = json!(2);
        // No node has this attribute, so no shard is ever assigned.
        nowhere["settings"]["index.routing.allocation.require.rack"] = json!("none");
        cluster.send("PUT", "/live-red-dead?wait_for_active_shards=0", nowhere).await;
        let both = over(&cluster, "live-red-*").await;
        expect(&both, system, of_red_and_healthy()).await;
        others_say(&both, system, false, MISSING).await;
        let red = over(&cluster, "live-red-dead").await;
        expect(&red, system, of_red(system)).await;
        // The cluster's own health is what the testbed asks for.
        cluster.send("DELETE", "/live-red-dead", Value::Null).await;
    }
}

const MISSING: &str = "2 of 3 shards did not answer; their records are missing: no copy of a shard is assigned, so its index is red";

fn of_red_and_healthy() -> Vec<Case> {
    vec![
        (
            "list_log_sources",
            json!({}),
            json!({
                "verdict": "2 indices; 1 service logged in the last 24 h; fields of ECS; the newest record is of 2026-01-14T14:00:04Z.",
                "tables": {
                    "sources": [
                        ["live-red-dead", "index", null, false, null, null, "red"],
                        ["live-red-well", "index", 5, true, "2026-01-14T14:00:00Z", "2026-01-14T14:00:04Z", "green"],
                    ],
                    "fields by role": ecs_fields(5),
                    "services": [["pay", 5]],
                    "levels": [["error", 5]],
                },
                "caveats": [MISSING],
            }),
        ),
        (
            "search_logs",
            json!({"query": "*", "time_range": WINDOW, "limit": 1}),
            json!({
                "verdict": "at least 5 records between 2026-01-14T14:00:00Z and 2026-01-14T14:10:00Z.",
                "tables": { "lines": [["2026-01-14T14:00:04Z", "error", "pay", null, null, "«call 4 failed»", null]] },
                "caveats": ["lines: the newest 1 of at least 5 records", MISSING],
            }),
        ),
        (
            "search_logs",
            json!({"query": "nobody", "time_range": WINDOW}),
            json!({
                "verdict": "No record was found between 2026-01-14T14:00:00Z and 2026-01-14T14:10:00Z. None of at least 5 records matches. It may be no zero: see coverage.",
                "tables": {  },
                "caveats": [MISSING],
            }),
        ),
        (
            "get_error_patterns",
            json!({"time_range": WINDOW}),
            json!({
                "verdict": "at least 5 records at warn or worse in 10m, 1 pattern: what is new or surging can't be told, as there is no baseline; most frequent: one in pay, ≈5 times (100 %): «call <num> failed».",
                "tables": {
                    "patterns": [
                        [
                            "no baseline",
                            "≈5",
                            "≈0.5005",
                            null,
                            null,
                            "error",
                            "pay",
                            null,
                            null,
                            "«call <num> failed»",
                            "44189c3b09013fa6",
                        ],
                    ],
                },
                "caveats": [
                    "patterns of 5 of at least 5 records of the window (every record that could be seen); numbers without ≈ were counted in full by the pattern's filter; a seldom pattern can be missed",
                    "records from 2026-01-14T14:00:04Z on may not all have arrived: their counts may be too small, and fading and gone are judged by those before",
                    format!("some patterns could not be counted in full: {MISSING}"),
                    MISSING,
                ],
            }),
        ),
    ]
}

fn of_red(system: &str) -> Vec<Case> {
    let problem = match system {
        // It leaves such an index out instead of refusing.
        "opensearch" => "upstream: elasticsearch \"main\": live-red-dead exists, but no shard of it answers",
        _ => {
            "upstream: elasticsearch \"main\" refused it (HTTP 503): «index [live-red-dead] has no active shard copy»"
        }
    };
    let remedy = "no copy of these shards is available (the index is red): tell the cluster's operator; other indices may answer";
    let error = json!({ "error": [problem, remedy] });
    vec![
        ("list_log_sources", json!({}), error.clone()),
        ("search_logs", json!({"query": "*", "time_range": WINDOW}), error),
    ]
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_cluster_short_of_memory_refuses_and_the_answer_says_so() {
    for system in SYSTEMS {
        let cluster = Cluster::alone(system).await;
        cluster.fresh_index("live-short", index(mappings())).await;
        cluster.store("live-short", (0..5).map(|second| failure(second, "pay"))).await;
        let client = over(&cluster, "live-short").await;
        let limit = |limit: Value| json!({ "transient": { "indices.breaker.request.limit": limit } });
        cluster.send("PUT", "/_cluster/settings", limit(json!("1b"))).await;
        let lines = client.call("search_logs", json!({"query": "*", "time_range": WINDOW, "limit": 1})).await;
        let volume = client.call("get_log_volume_anomalies", json!({"time_range": WINDOW})).await;
        cluster.send("PUT", "/_cluster/settings", limit(Value::Null)).await;
        // The lines need no memory for counting, the volume does.
        let refusal = |caveat: &Value| {
            let said = caveat.as_str().unwrap();
            assert!(said.contains("refused it (HTTP 429): «[request] Data too large"), "{system}: {said}");
        };
        let mut told_lines = told(&lines);
        refusal(&told_lines["caveats"][0].take());
        let expected = json!({
            "verdict": "5 records between 2026-01-14T14:00:00Z and 2026-01-14T14:10:00Z.",
            "tables": { "lines": [["2026-01-14T14:00:04Z", "error", "pay", null, null, "«call 4 failed»", null]] },
            "caveats": [null, "lines: the newest 1 of 5 records"],
        });
        assert_eq!(told_lines, expected, "{system}: {}", lines.text);
        let error = &told(&volume)["error"];
        refusal(&error[0]);
        let remedy =
            "the cluster is short of memory or threads: wait, then ask for a narrower time_range or service";
        assert_eq!(error[1], remedy, "{system}: {}", volume.text);
    }
}

const SEGMENTS: usize = 120;
const OF_SEGMENT: usize = 40;

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_search_that_the_cluster_stops_half_way_is_no_total() {
    for system in SYSTEMS {
        let cluster = Cluster::alone(system).await;
        slow(&cluster).await;
        let mut loaded = common::elasticsearch_at(&cluster.url, "live-slow");
        // It tells the cluster to stop after four fifths of this.
        loaded.settings.upstream.upstream_timeout_seconds = 5;
        let client = with(&loaded).await;
        let arguments = json!({"query": laborious(), "time_range": WINDOW, "limit": 2});
        let reply = client.call("search_logs", arguments).await;
        let answer = told(&reply);
        let verdict = answer["verdict"].as_str().unwrap_or_else(|| panic!("{system}: {}", reply.text));
        let found = verdict.strip_prefix("at least ").and_then(|rest| rest.split(' ').next());
        let found: usize = found.unwrap_or_else(|| panic!("{system}: {verdict}")).parse().unwrap();
        // All that match are those that say `first`; it was stopped before the last one.
        assert!(found < SEGMENTS * OF_SEGMENT / 4, "{system}: {verdict}");
        let expected = json!([
            format!("lines: the newest 2 of at least {found} records"),
            "the search was stopped at its time limit: what it had found by then is told, there is more",
        ]);
        assert_eq!(answer["caveats"], expected, "{system}: {}", reply.text);
    }
}

/// Records in many small segments: a cluster looks at the clock between them. One of four says `first`.
async fn slow(cluster: &Cluster) {
    let mut slow = index(mappings());
    slow["settings"]["refresh_interval"] = json!("-1");
    slow["settings"]["merge.policy.segments_per_tier"] = json!(500);
    slow["settings"]["merge.policy.floor_segment"] = json!("1b");
    slow["settings"]["merge.policy.max_merged_segment"] = json!("2kb");
    cluster.fresh_index("live-slow", slow).await;
    let text = "a b ".repeat(200);
    let record = |number: usize| {
        let said = if number.is_multiple_of(4) { "first" } else { "other" };
        json!({ "@timestamp": 1_768_399_200_000_usize + number, "message": format!("{text}c {said}"), "log.level": "info" })
    };
    for segment in 0..SEGMENTS {
        let first = segment * OF_SEGMENT;
        cluster.store_from("live-slow", first, (first..first + OF_SEGMENT).map(record)).await;
    }
}

/// Phrases that no record holds, each with a gap and of words that occur hundreds of times: milliseconds a record.
fn laborious() -> String {
    let letters = |number: usize| -> String {
        (0..6).map(|bit| if number >> bit & 1 == 0 { 'a' } else { 'b' }).collect()
    };
    let runs = (0..64).map(letters).filter(|letters| letters.contains("aaa") || letters.contains("bbb"));
    let phrase = |letters: String| {
        let words: Vec<String> = letters.chars().map(String::from).collect();
        format!("\"{} c\"~1 OR ", words.join(" "))
    };
    format!("{}first", runs.map(phrase).collect::<String>())
}
