//! Mandatory matchers as Prometheus itself understands what is sent: its parser is not ours.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use serde_json::{Value, json};
use testkit::recorded::{Recorded, Reply};

use crate::{blocks::Prometheus, common, queries::anything};

/// Selectors of an expression as Prometheus' `parse_query` shows it, and those among them without the matcher.
fn without_matcher(node: &Value, selectors: &mut usize, without: &mut Vec<Value>) {
    match node {
        Value::Object(fields) => {
            let kind = node["type"].as_str().unwrap_or_default();
            if matches!(kind, "vectorSelector" | "matrixSelector") {
                *selectors += 1;
                let wanted = json!({"type": "=", "name": "namespace", "value": "team-a"});
                if !node["matchers"].as_array().is_some_and(|matchers| matchers.contains(&wanted)) {
                    without.push(node.clone());
                }
            }
            fields.values().for_each(|value| without_matcher(value, selectors, without));
        }
        Value::Array(items) => items.iter().for_each(|item| without_matcher(item, selectors, without)),
        _ => {}
    }
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn prometheus_finds_the_mandatory_matcher_in_every_selector_of_what_is_sent() {
    let prometheus = Prometheus::over("# TYPE x gauge\nx{namespace=\"team-a\"} 1 1700000000\n# EOF\n").await;
    let backend = Recorded::start().await;
    let nothing = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    backend.reply(Reply::to("POST", "/api/v1/query").text(nothing)).await;
    let mut loaded = common::prometheus_at(&backend.url());
    loaded.config.prometheus[0].required_matchers = vec!["namespace=\"team-a\"".to_owned()];
    loaded.settings.rates.range.per_minute = std::num::NonZeroU32::MAX;
    loaded.settings.rates.range.burst = std::num::NonZeroU32::MAX;
    let (client, _) = common::connect(&loaded, "2026-11-21T01:20:00Z").await;
    let mut runner = TestRunner::deterministic();
    for _ in 0..1_000 {
        let promql = anything().new_tree(&mut runner).unwrap().current();
        if promql.trim().is_empty() {
            continue;
        }
        client.call("query_metrics", json!({ "promql": promql })).await;
    }
    let (mut read, mut refused, mut selectors) = (0, 0, 0);
    for seen in backend.requests() {
        let carried = seen.query.iter().chain(&seen.form);
        for (_, query) in carried.filter(|(name, _)| matches!(name.as_str(), "query" | "match[]")) {
            let parsed = prometheus.ask("parse_query", &[("query", query)]).await;
            if parsed["status"] != "success" {
                // What it can't read it does not run.
                refused += 1;
                continue;
            }
            read += 1;
            let mut without = Vec::new();
            without_matcher(&parsed["data"], &mut selectors, &mut without);
            assert!(without.is_empty(), "{query}: {without:?}");
        }
    }
    println!("{read} queries with {selectors} selectors read by Prometheus, {refused} not read by it");
    assert!(read > 500 && selectors > 500, "{read} queries, {selectors} selectors");
}
