//! What answers say besides counts: how many records tell no level, and where a person sees them.

use contract::{Budget, CallId, Detail, Tool};
use runtime::Aliases;

use super::{faults::cluster_of_logs, *};
use crate::{
    backend::Sources,
    model::Level,
    tools::{asking::guessed_levels, search_logs::SearchLogs},
};

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

/// A full reply about freshness: records of one moment that were stored so many milliseconds later.
fn stored_after(late: i64) -> String {
    let at = self::at("2026-01-14T14:05:00Z").as_millisecond();
    let hit = json!({ "_index": "logs-a", "_id": "1", "fields": {
        "@timestamp": [at.to_string()], "event.ingested": [(at + late).to_string()] } });
    json!({ "_shards": { "total": 1, "failed": 0 }, "hits": { "hits": vec![hit; 200] } }).to_string()
}

#[tokio::test]
async fn how_late_records_arrive_is_asked_of_those_that_were_stored_last() {
    let backend = Recorded::start().await;
    let date = json!({ "date": { "type": "date", "searchable": true, "aggregatable": true } });
    let fields = json!({ "indices": ["logs-a"], "fields": { "@timestamp": date, "event.ingested": date } });
    backend.reply(to("fields").text(&fields.to_string())).await;
    // A question about the fields, then the newest records, then those stored last.
    backend.reply(to("recent").text(&counted(0)).at_most(1)).await;
    backend.reply(to("freshness").text(&stored_after(500)).at_most(1)).await;
    backend.reply(to("freshness").text(&stored_after(90_000))).await;
    let store = store_at(backend.url(), &["logs-*"]);
    let reply = store.freshness(&cx(), &search(vec![])).await.unwrap();
    assert_eq!((reply.value.lag_seconds, reply.value.newest_lag_seconds), (Some((90.0, 90.0)), Some(0.5)));
    let body: Value = serde_json::from_slice(&backend.requests().last().unwrap().body).unwrap();
    assert_eq!(body["sort"], json!([{ "event.ingested": { "order": "desc", "unmapped_type": "date" } }]));
    // What was stored later is no part of what the window's end looked like.
    let before_end = json!({ "lt": "2026-01-14T14:10:00Z", "format": "strict_date_optional_time" });
    let filters = body["query"]["bool"]["filter"].as_array().unwrap();
    assert!(filters.contains(&json!({ "range": { "event.ingested": before_end } })), "{body}");
}

#[tokio::test]
async fn what_no_pattern_finds_is_asked_for_beside_the_window() {
    let fake = cluster_of_logs(vec![to("total").text(&counted(3))]).await;
    let like = |text: &str| Condition::Like(Like { fragments: vec![text.to_owned(), "ms".to_owned()] });
    let bad = Condition::Is(Role::Level, "error".to_owned());
    let any = Condition::Any(vec![Condition::All(vec![bad, like("took")]), like("it's")]);
    let none = search(vec![Condition::Not(Box::new(any))]);
    assert_eq!(fake.store.total(&fake.cx, &none).await.unwrap().value.number(), 3);
    let requests = fake.backend.requests();
    let body: Value = serde_json::from_slice(&requests.last().unwrap().body).unwrap();
    let phrases = |text: &str| json!({ "bool": { "filter": [{ "match_phrase": { "message": text } }, { "match_phrase": { "message": "ms" } }] } });
    let filters = body["query"]["bool"]["filter"].as_array().unwrap();
    assert!(filters.len() == 2 && filters[0]["range"].is_object(), "{body}");
    let not = &filters[1]["bool"]["must_not"][0]["bool"];
    assert_eq!(not["minimum_should_match"], 1, "{body}");
    assert_eq!(not["should"][0]["bool"]["filter"][1], phrases("took"), "{body}");
    assert!(not["should"][0]["bool"]["filter"][0].to_string().contains("log.level"), "{body}");
    assert_eq!(not["should"][1], phrases("it's"), "{body}");
}

#[tokio::test]
async fn who_does_not_search_by_level_is_told_nothing_and_asks_nothing() {
    let fake = cluster_of_logs(vec![]).await;
    assert_eq!(guessed_levels(&fake.cx, &fake.store, &search(vec![])).await, None);
    assert!(fake.backend.requests().is_empty());
}

#[tokio::test]
async fn evidence_links_to_the_page_where_one_is_configured() {
    for (ui_url, linked) in [(Some("https://kibana.example/"), true), (None, false)] {
        let backend = Recorded::start().await;
        let fields = r#"{"indices":["logs-a"],"fields":{"@timestamp":{"date":{"type":"date","searchable":true,"aggregatable":true}},
            "message":{"text":{"type":"text","searchable":true,"aggregatable":false}}}}"#;
        backend.reply(to("fields").text(fields)).await;
        backend.reply(to("total").text(&counted(1))).await;
        let source =
            SourceConfig { url: backend.url(), ui_url: ui_url.map(str::to_owned), ..SourceConfig::default() };
        let logs = LogsConfig { indices: vec!["logs-*".to_owned()], ..LogsConfig::default() };
        let store = Elastic::new(Kind::Elasticsearch, source, &logs, Limits::default()).unwrap();
        let sources = Arc::new(Sources::new(vec![Arc::new(store)], Aliases::default()));
        let request = serde_json::from_value(json!({ "query": "timeout", "time_range": "10m" })).unwrap();
        let answer = SearchLogs { sources }.answer(&cx(), request).await.unwrap();
        let call_id = CallId("7f3a91c2".to_owned());
        let text = contract::render::answer(&answer, &call_id, Budget::for_detail(Detail::Full)).text;
        let link = "https://kibana.example/app/discover#/?_g=(filters:!(),time:(from:'2026-01-14T14:00:00Z',\
                    to:'2026-01-14T14:10:00Z'))&_a=(query:(language:lucene,query:'(timeout)'))";
        assert_eq!(text.contains(link), linked, "{text}");
    }
}
