//! The demo's incident with its logs: what is counted is what its generator says it wrote.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::answer::rows;
use world::{Options, World};

use crate::common::connect;

fn truth(directory: &std::path::Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(directory.join("truth.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn counts_are_those_of_the_generator_and_nothing_planted_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    World::demo().write(directory.path(), &Options { logs: true, ..Options::default() }).unwrap();
    let truth = truth(directory.path());
    let logs = &truth["logs"];
    let client = connect(directory.path()).await;
    let window = "24h";

    // records by service: one file a service
    let reply = client
        .call("search_logs", json!({"query": "*", "time_range": window, "group_by": "service", "limit": 100}))
        .await;
    assert!(!reply.is_error, "{}", reply.text);
    let counted: BTreeMap<String, u64> = rows(&reply, "values")
        .iter()
        .map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_u64().unwrap()))
        .collect();
    let written: BTreeMap<String, u64> = logs["files"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(file, told)| {
            let service = file.trim_start_matches("logs/").split('.').next().unwrap();
            (service.to_owned(), told["records"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(counted, written);

    // errors and worse of each service
    let mut errors: BTreeMap<&str, u64> = BTreeMap::new();
    for pattern in logs["patterns"].as_array().unwrap() {
        let count = pattern["before_onset"].as_u64().unwrap() + pattern["after_onset"].as_u64().unwrap();
        // Redis has one mark for warnings and for what is worse.
        let tells = pattern["service"] != "redis";
        if tells && matches!(pattern["level"].as_str().unwrap(), "error" | "fatal") {
            *errors.entry(pattern["service"].as_str().unwrap()).or_default() += count;
        }
    }
    let arguments =
        json!({"query": "*", "level": "error", "time_range": window, "group_by": "service", "limit": 100});
    let reply = client.call("search_logs", arguments).await;
    let found = rows(&reply, "values");
    let found: BTreeMap<&str, u64> =
        found.iter().map(|row| (row[0].as_str().unwrap(), row[1].as_u64().unwrap())).collect();
    assert_eq!(found, errors);

    for planted in logs["planted"].as_array().unwrap() {
        let arguments = json!({"query": "*", "time_range": window, "level": "warn", "limit": 100, "detail": "full",
            "service": planted["service"]});
        if planted["masked_by_default"] == true {
            let reply = client.call("search_logs", arguments).await;
            let value = planted["value"].as_str().unwrap();
            let secret = value.lines().nth(1).unwrap_or(value);
            assert!(
                !reply.text.contains(secret) && !reply.structured.unwrap().to_string().contains(secret),
                "{planted}"
            );
        }
    }
}
