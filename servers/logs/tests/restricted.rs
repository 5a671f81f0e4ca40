//! Mandatory matchers: whatever is asked of a restricted source carries them, and what it can't limit is not asked.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/calls.rs"]
mod calls;
#[path = "common/cluster.rs"]
mod cluster;
mod common;

use serde_json::{Value, json};
use testkit::recorded::Seen;

use calls::good_calls;

/// Whether a search looks only at records of `payment`: by a filter of its own beside all others.
fn is_restricted(search: &Value) -> bool {
    let own = |filter: &Value| match &filter["term"]["service.name"] {
        Value::Object(term) => term["value"] == "payment",
        value => value == "payment",
    };
    let filters = |query: &Value| query["bool"]["filter"].as_array().cloned().unwrap_or_default();
    // Counts of patterns have the filters of their search one level below.
    filters(&search["query"]).iter().any(|filter| own(filter) || filters(filter).iter().any(own))
}

/// The searches of a request: its body, or every second line of one for several.
fn searches(seen: &Seen) -> Vec<Value> {
    let body = String::from_utf8_lossy(&seen.body).into_owned();
    let lines = body.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line.get("preference").is_none()).collect()
}

#[tokio::test]
async fn no_tool_asks_without_the_mandatory_matchers() {
    let backend = cluster::saying("zz9").await;
    let mut loaded = common::elasticsearch_at(&backend.url(), "logs-*");
    loaded.config.elasticsearch[0].required_matchers = vec!["service.name=\"payment\"".to_owned()];
    let client = common::connect_to(&loaded, common::NOW).await;
    let hostile = ["* OR service.name:web", "*) OR (service.name:web", "service.name:web"];
    let searching = hostile.map(|query| ("search_logs", json!({"query": query, "service": "web"})));
    for (tool, arguments) in good_calls().into_iter().chain(searching) {
        let before = backend.requests().len();
        client.call(tool, arguments.clone()).await;
        let asked = backend.requests().split_off(before);
        assert!(!asked.is_empty(), "{tool} {arguments}");
        for seen in asked {
            // Fields and names of indices are told of all records; sizes would be, too, and are not asked for.
            assert!(!seen.path.contains("_cat"), "{tool} {arguments}: {}", seen.path);
            for search in searches(&seen).iter().filter(|_| seen.method == "POST") {
                assert!(is_restricted(search), "{tool} {arguments}: {search}");
            }
        }
    }
}

#[tokio::test]
async fn a_matcher_that_cannot_be_read_stops_the_server_and_is_named() {
    let mut loaded = common::elasticsearch_at("http://127.0.0.1:1", "logs-*");
    loaded.config.elasticsearch[0].required_matchers = vec!["service.name=~\"pay.*\"".to_owned()];
    let error = logs_mcp::server(&loaded).err().unwrap().to_string();
    assert!(error.contains("required_matchers") && error.contains("main"), "{error}");
}
