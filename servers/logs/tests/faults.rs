//! Each fault of a backend × each tool: an honest answer or error within the deadline, the process alive, and its
//! peak memory bounded. Then clusters that answer, but are unwell: what is partial is told, and what is refused is told with
//! the system, the status and what helps.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/binary.rs"]
mod binary;
#[path = "common/calls.rs"]
mod calls;
#[path = "common/cluster.rs"]
mod cluster;
mod common;

use serde_json::{Value, json};
use testkit::{mcp::ToolReply, recorded::Recorded};

use calls::good_calls;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_gives_every_tool_an_honest_error_in_time() {
    testkit::faults::every_fault_is_told(binary::PROGRAM, &["OPENSEARCH_URL"], &good_calls()).await;
}

/// What every tool answers in front of a cluster.
async fn ask(backend: &Recorded) -> Vec<(String, ToolReply)> {
    let client = common::connect_to(&common::elasticsearch_at(&backend.url(), "logs-*"), common::NOW).await;
    let mut replies = Vec::new();
    for (tool, arguments) in good_calls() {
        let reply = client.call(tool, arguments.clone()).await;
        testkit::answer::fits(&reply, 8_000);
        replies.push((format!("{tool} {arguments}"), reply));
    }
    replies
}

#[tokio::test]
async fn what_a_cluster_could_not_read_is_told_by_every_tool() {
    let whole = json!({"total": 5, "failed": 0});
    let red = json!({"total": 5, "failed": 1, "failures": [{"shard": 2, "index": "logs-a", "node": null,
        "reason": {"type": "no_shard_available_action_exception", "reason": null}}]});
    for (timed_out, shards, said) in [
        (true, whole, "the search was stopped at its time limit"),
        (false, red, "1 of 5 shards did not answer; their records are missing"),
    ] {
        let backend = cluster::changed("zz9", |_, search| {
            search["timed_out"] = json!(timed_out);
            search["_shards"] = shards;
        });
        for (what, reply) in ask(&backend.await).await {
            assert!(!reply.is_error && reply.text.contains(said), "{what}: {said}: {}", reply.text);
            let structured = reply.structured.unwrap();
            assert!(structured["coverage"]["caveats"].to_string().contains(said), "{what}: {structured}");
        }
    }
}

#[tokio::test]
async fn what_a_cluster_refuses_is_told_by_every_tool_with_status_and_remedy() {
    let error = |of: &str, reason: &str| json!({"type": of, "reason": reason, "root_cause": []});
    for (status, error, remedy) in [
        (429, error("circuit_breaking_exception", "[parent] Data too large"), "narrower time_range"),
        (503, error("search_phase_execution_exception", "all shards failed"), "red"),
        (403, error("security_exception", "action is unauthorized for user [reader]"), "view_index_metadata"),
        (401, error("security_exception", "unable to authenticate user [reader]"), "view_index_metadata"),
        (404, error("index_not_found_exception", "no such index [logs-*]"), "[[logs]] indices"),
    ] {
        let body = json!({"error": error, "status": status}).to_string();
        let backend = cluster::failing(status, "application/json", &body).await;
        for (what, reply) in ask(&backend).await {
            let told = format!("{what}: HTTP {status}: {}", reply.text);
            assert!(reply.is_error && reply.text.contains("elasticsearch \"main\""), "{told}");
            assert!(reply.text.contains(&format!("HTTP {status}")), "{told}");
            let advice = reply.structured.unwrap()["error"]["remedy"].clone();
            assert!(advice.as_str().is_some_and(|advice| advice.contains(remedy)), "{told}");
        }
    }
}

#[tokio::test]
async fn an_index_without_a_mapping_is_told_by_every_tool() {
    let backend = cluster::changed("zz9", |fields, search| {
        fields["fields"] = json!({});
        search["hits"] = json!({"total": {"value": 0, "relation": "eq"}, "hits": Vec::<Value>::new()});
    });
    for (what, reply) in ask(&backend.await).await {
        // What there is can be listed all the same.
        let lists = what.starts_with("list_log_sources");
        let says_it = reply.text.contains("no field says when") && reply.text.contains("fields.time");
        assert!(reply.is_error != lists && (lists || says_it), "{what}: {}", reply.text);
    }
}
