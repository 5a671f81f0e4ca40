//! Records without a level field: a cluster finds them by words, and answers say how many they are.

use super::{faults::cluster_of_logs, *};
use crate::{model::Level, tools::asking::guessed_levels};

fn counted(number: u64) -> String {
    format!(
        r#"{{"_shards":{{"total":1,"failed":0}},"hits":{{"total":{{"value":{number},"relation":"eq"}},"hits":[]}}}}"#
    )
}

#[tokio::test]
async fn how_many_records_tell_no_level_is_asked_and_told() {
    for (untold, said) in [(0, None), (7, Some("7 of the records have no level field"))] {
        let fake = cluster_of_logs(vec![to("total").text(&counted(untold))]).await;
        let by_level = search(vec![Condition::AtLeast(Level::Error)]);
        let told = guessed_levels(&fake.cx, &fake.store, &by_level).await;
        assert_eq!(told.is_some(), said.is_some(), "{told:?}");
        assert!(told.unwrap_or_default().starts_with(said.unwrap_or_default()));
        let body: Value = serde_json::from_slice(&fake.backend.requests()[2].body).unwrap();
        let filters = body["query"]["bool"]["filter"].as_array().unwrap();
        let no_level = json!({ "bool": { "must_not": [{ "exists": { "field": "log.level" } }] } });
        assert!(filters.contains(&no_level), "{body}");
        assert!(filters.len() == 3, "the window, the level, and none told: {body}");
    }
}

#[tokio::test]
async fn who_does_not_search_by_level_is_told_nothing_and_asks_nothing() {
    let fake = cluster_of_logs(vec![]).await;
    assert_eq!(guessed_levels(&fake.cx, &fake.store, &search(vec![])).await, None);
    assert!(fake.backend.requests().is_empty());
}
