//! Clusters that are unwell, forbid things, or hold odd mappings.

use contract::ErrorKind;
use proptest::prelude::*;
use testkit::proxy::{Fault, Misbehaving};

use super::*;
use crate::model::Level;

const CAPS: &str = r#"{"indices":["logs-a"],"fields":{
    "@timestamp":{"date":{"type":"date","searchable":true,"aggregatable":true}},
    "message":{"text":{"type":"text","searchable":true,"aggregatable":false}},
    "service.name":{"keyword":{"type":"keyword","searchable":true,"aggregatable":true}},
    "log.level":{"keyword":{"type":"keyword","searchable":true,"aggregatable":true}}}}"#;
const NOTHING: &str =
    r#"{"_shards":{"total":1,"failed":0},"hits":{"total":{"value":0,"relation":"eq"},"hits":[]}}"#;

/// A cluster with these fields and no recent record, and these replies after that.
async fn cluster(caps: &str, replies: Vec<Canned>) -> Fake {
    let first = [to("fields").text(caps), to("recent").text(NOTHING).at_most(1)];
    Fake::new(first.into_iter().chain(replies).collect()).await
}

pub(super) async fn cluster_of_logs(replies: Vec<Canned>) -> Fake {
    cluster(CAPS, replies).await
}

#[tokio::test]
async fn what_a_cluster_could_not_read_is_told_beside_the_count() {
    let timed_out = r#"{"timed_out":true,"_shards":{"total":3,"failed":0},"hits":{"total":{"value":41,"relation":"eq"},"hits":[]}}"#;
    let red = r#"{"timed_out":false,"_shards":{"total":3,"failed":1,"failures":[{"shard":2,"index":"logs-a","node":null,
        "reason":{"type":"no_shard_available_action_exception","reason":null}}]},"hits":{"total":{"value":41,"relation":"eq"},"hits":[]}}"#;
    for (reply, said) in [(timed_out, "time limit"), (red, "1 of 3 shards did not answer")] {
        let fake = cluster(CAPS, vec![to("total").text(reply)]).await;
        let reply = fake.store.total(&fake.cx, &search(vec![])).await.unwrap();
        assert_eq!(reply.value, Total::AtLeast(41));
        assert!(reply.partial.len() == 1 && reply.partial[0].contains(said), "{:?}", reply.partial);
    }
}

#[tokio::test]
async fn nothing_searched_is_no_zero() {
    let none = r#"{"_shards":{"total":0,"failed":0},"hits":{"total":{"value":0,"relation":"eq"},"hits":[]}}"#;
    let fake = cluster(CAPS, vec![to("total").text(none)]).await;
    let error = fake.store.total(&fake.cx, &search(vec![])).await.unwrap_err();
    assert!(error.to_string().contains("no open index matches logs-*"), "{error}");

    let missing =
        r#"{"error":{"type":"index_not_found_exception","reason":"no such index [logs-*]"},"status":404}"#;
    let names = r#"{"indices":[{"name":"logstash-1","attributes":["open"]}],"aliases":[],"data_streams":[]}"#;
    let fake = Fake::new(vec![
        to("fields").status(404).text(missing),
        Canned::to("GET", "/_resolve/index/*").text(names),
    ])
    .await;
    let error = fake.store.total(&fake.cx, &search(vec![])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConfigured);
    // What is not configured to be logs is no caller's business, not even by name.
    assert!(!format!("{error:?}").contains("logstash-1"), "{error:?}");
    assert_eq!(fake.backend.requests().len(), 1);
}

#[tokio::test]
async fn an_index_without_a_mapping_says_that_it_has_no_time() {
    let fake = cluster(r#"{"indices":["logs-a"],"fields":{}}"#, vec![]).await;
    let error = fake.store.total(&fake.cx, &search(vec![])).await.unwrap_err();
    assert!(error.to_string().contains("no field says when"), "{error}");
    assert!(error.advice().contains("fields.time"), "{}", error.advice());
}

#[tokio::test]
async fn ten_thousand_fields_are_read_and_none_is_searched_by_default() {
    let mut caps: Value = serde_json::from_str(CAPS).unwrap();
    for number in 0..10_000 {
        caps["fields"][format!("labels.field_{number}")] =
            json!({ "keyword": { "type": "keyword", "searchable": true, "aggregatable": true } });
    }
    let fake = cluster(&caps.to_string(), vec![to("total").text(NOTHING)]).await;
    let search = Search { text: Some("timeout".to_owned()), ..search(vec![]) };
    fake.store.total(&fake.cx, &search).await.unwrap();
    let body: Value = serde_json::from_slice(&fake.backend.requests()[2].body).unwrap();
    let text = &body["query"]["bool"]["filter"][1]["query_string"];
    assert_eq!(text["fields"], json!(["message"]));
    assert_eq!((&text["allow_leading_wildcard"], &text["lenient"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn a_user_who_may_only_read_is_told_what_is_not_seen() {
    let denied = r#"{"error":{"root_cause":[],"type":"security_exception","reason":"action [indices:monitor/stats] is unauthorized for user [reader]"},"status":403}"#;
    let names = r#"{"indices":[{"name":"logs-a","attributes":["open"]}],"aliases":[],"data_streams":[]}"#;
    let spans = r#"{"_shards":{"total":1,"failed":0},"hits":{"total":{"value":3,"relation":"eq"},"hits":[]},"aggregations":
        {"indices":{"buckets":[{"key":"logs-a","doc_count":3,"first":{"value":1768399200000.0},"last":{"value":1768399260000.0}}]}}}"#;
    let fake = cluster(
        CAPS,
        vec![to("resolve").text(names), to("cat").status(403).text(denied), to("spans").text(spans)],
    )
    .await;
    let reply = fake.store.sources(&fake.cx).await.unwrap();
    assert!(
        reply.partial[0].starts_with("sizes and health are not told")
            && reply.partial[0].contains("HTTP 403")
    );
    assert_eq!((reply.value[0].records, reply.value[0].bytes), (Some(3), None));

    let fake = Fake::new(vec![to("fields").status(403).text(denied)]).await;
    let error = fake.store.total(&fake.cx, &search(vec![])).await.unwrap_err();
    assert!(
        error.to_string().contains("HTTP 403") && error.advice().contains("view_index_metadata"),
        "{error}"
    );
}

#[tokio::test]
async fn a_cluster_that_hides_its_version_still_passes_the_check() {
    use runtime::Probe;
    for status in [405, 403] {
        let fake = cluster(
            CAPS,
            vec![
                Canned::to("GET", "/").status(status).text(r#"{"error":"Incorrect HTTP method for uri [/] and method [GET], allowed: [DELETE]","status":405}"#),
                to("resolve").text(r#"{"indices":[{"name":"logs-a"}]}"#),
                to("cat").text("[]"),
                to("total").text(NOTHING),
            ],
        )
        .await;
        let probe = ElasticProbe(Arc::new(store_at(fake.backend.url(), &["logs-*"])));
        let lines = probe.check(&fake.cx).await;
        assert!(lines.iter().all(|line| line.works), "{lines:?}");
        assert!(lines[0].found.contains(&format!("HTTP {status}")), "{lines:?}");
        assert!(fake.backend.unmatched().is_empty());
    }
}

#[tokio::test]
async fn a_cluster_out_of_memory_is_left_alone_for_as_long_as_it_says() {
    let breaker =
        r#"{"error":{"type":"circuit_breaking_exception","reason":"[parent] Data too large"},"status":429}"#;
    let fake = cluster(CAPS, vec![to("total").status(429).text(breaker).header("retry-after", "7")]).await;
    let error = fake.store.total(&fake.cx, &search(vec![])).await.unwrap_err();
    assert_eq!((error.kind(), error.wait()), (ErrorKind::Upstream, Some(Duration::from_secs(7))));
    assert!(error.to_string().contains("HTTP 429") && error.advice().contains("narrower"), "{error}");
}

#[tokio::test]
async fn a_page_too_large_to_read_is_asked_for_in_smaller_ones_and_a_huge_record_without_its_text() {
    let hit = |id: &str, second: u8, message: &str| {
        let time = format!("2026-01-14T14:00:0{second}Z");
        let sort = [1_768_399_200_000_i64 + i64::from(second) * 1000, 1];
        json!({ "_index": "logs-a", "_id": id, "_source": { "@timestamp": time, "message": message }, "sort": sort })
    };
    let answer = |hits: Vec<Value>| {
        json!({ "_shards": { "total": 1, "failed": 0 }, "hits": { "total": { "value": 9, "relation": "eq" }, "hits": hits } }).to_string()
    };
    let huge = "x".repeat(9 * 1024 * 1024);
    let fake = cluster(
        CAPS,
        vec![
            to("page").text(&answer(vec![hit("1", 1, &huge)])).at_most(1),
            to("page")
                .text(&answer(vec![hit("1", 1, "short"), hit("2", 2, "short"), hit("3", 3, "short")]))
                .at_most(1),
        ],
    )
    .await;
    let page = Page { limit: 8, oldest_first: true, after: None };
    let reply = fake.store.page(&fake.cx, &search(vec![]), &page).await.unwrap();
    assert_eq!((reply.value.records.len(), reply.value.next.is_some()), (2, true));
    assert!(reply.partial[0].contains("a page holds 2 of the 8"), "{:?}", reply.partial);

    let fake = cluster(
        CAPS,
        vec![
            to("page").text(&answer(vec![hit("1", 1, &huge)])).at_most(2),
            to("page").text(&answer(vec![json!({ "_index": "logs-a", "_id": "1", "_source": { "@timestamp": "2026-01-14T14:00:01Z" }, "sort": [1, 1] })])),
        ],
    )
    .await;
    let page = Page { limit: 1, oldest_first: true, after: None };
    let reply = fake.store.page(&fake.cx, &search(vec![]), &page).await.unwrap();
    assert_eq!(reply.value.records.len(), 1);
    assert!(reply.partial[0].contains("without message and stack trace"), "{:?}", reply.partial);
    let short: Value = serde_json::from_slice(&fake.backend.requests().last().unwrap().body).unwrap();
    assert!(!short["_source"]["includes"].as_array().unwrap().contains(&json!("message")));
}

#[tokio::test]
async fn every_search_is_bounded_and_names_the_call() {
    let fake = cluster(CAPS, vec![to("total").text(NOTHING)]).await;
    let search = search(vec![Condition::AtLeast(Level::Warn)]);
    fake.store.total(&fake.cx, &search).await.unwrap();
    let _ = fake.store.page(&fake.cx, &search, &Page { limit: 5, oldest_first: false, after: None }).await;
    let _ = fake.store.top(&fake.cx, &search, &Key::Role(Role::Service), 5).await;
    let _ = fake.store.freshness(&fake.cx, &search).await;
    for seen in fake.backend.requests().iter().filter(|seen| seen.method == "POST") {
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        for bound in ["timeout", "size", "track_total_hits", "_source", "query"] {
            assert!(body.get(bound).is_some(), "{bound}: {body}");
        }
        for bound in ["max_concurrent_shard_requests", "request_cache"] {
            assert!(seen.query(bound).is_some(), "{bound}: {seen:?}");
        }
        assert!(seen.headers.contains(&("x-opaque-id".to_owned(), fake.cx.call_id.0.clone())), "{seen:?}");
    }
}

#[tokio::test]
async fn a_token_that_was_shown_is_its_value_for_the_cluster_and_a_token_in_evidence() {
    let fake = cluster(CAPS, vec![to("total").text(NOTHING)]).await;
    let token = fake.cx.intake.text("ada.l@example.com").inside().to_owned();
    let search = Search { text: Some(format!("login AND {token}")), ..search(vec![]) };
    let reply = fake.store.total(&fake.cx, &search).await.unwrap();
    assert!(reply.sent.contains(&token) && !reply.sent.contains("ada.l"), "{}", reply.sent);
    let body: Value = serde_json::from_slice(&fake.backend.requests()[2].body).unwrap();
    assert_eq!(
        body["query"]["bool"]["filter"][1]["query_string"]["query"],
        "login AND \"ada.l@example.com\""
    );
}

#[tokio::test]
async fn every_fault_is_an_error_that_names_the_cluster() {
    for fault in Fault::ALL {
        let backend = Misbehaving::start(fault);
        let source = SourceConfig { url: backend.url(), ..SourceConfig::default() };
        let limits = Limits { max_retries: 0, upstream_timeout_seconds: 1, ..Limits::default() };
        let store = Elastic::new(Kind::OpenSearch, source, &LogsConfig::default(), limits).unwrap();
        let error = store.total(&cx(), &search(vec![])).await.unwrap_err();
        assert!(error.to_string().contains("opensearch \"main\""), "{fault:?}: {error}");
        assert!(!error.advice().is_empty(), "{fault:?}: {error}");
        assert_eq!(backend.redirect_hits(), 0);
    }
}

#[test]
fn matchers_that_limit_a_source_are_in_every_query() {
    let source = SourceConfig {
        url: "http://127.0.0.1:1".to_owned(),
        required_matchers: vec!["service.name=\"web\"".to_owned()],
        ..SourceConfig::default()
    };
    let store =
        Elastic::new(Kind::Elasticsearch, source.clone(), &LogsConfig::default(), Limits::default()).unwrap();
    assert_eq!(store.mandatory, [Condition::Field("service.name".to_owned(), "web".to_owned())]);
    for matcher in ["service.name=~\"web\"", "service.name!=\"web\"", "service.name", "a=\"b\" or c=\"d\""] {
        let source = SourceConfig { required_matchers: vec![matcher.to_owned()], ..source.clone() };
        assert!(
            Elastic::new(Kind::Elasticsearch, source, &LogsConfig::default(), Limits::default()).is_err(),
            "{matcher}"
        );
    }
}

fn condition() -> impl Strategy<Value = Condition> {
    let text =
        || prop_oneof!["\\PC{0,20}", "[./?#%&\"\\\\{}:*-]{0,12}", Just("../../_delete_by_query".to_owned())];
    prop_oneof![
        text().prop_map(|value| Condition::Is(Role::Service, value)),
        (text(), text()).prop_map(|(name, value)| Condition::Field(name, value)),
        prop::collection::vec(text(), 0..3).prop_map(|fragments| Condition::Like(Like { fragments })),
        text().prop_map(|value| Condition::Any(vec![Condition::Is(Role::Trace, value), Condition::Untold])),
        prop::collection::vec(text(), 0..3).prop_map(|fragments| {
            let of_pattern = Condition::All(vec![Condition::Untold, Condition::Like(Like { fragments })]);
            Condition::Not(Box::new(Condition::Any(vec![of_pattern])))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is searched for, only paths of the allow-list are asked, and the range is beside the text.
    #[test]
    fn no_path_outside_the_allow_list_is_ever_asked(
        text in prop::option::of("\\PC{0,40}"),
        after in prop::option::of("[0-9a-f./?%-]{0,30}"),
        field in "\\PC{0,20}",
        conditions in prop::collection::vec(condition(), 0..3),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let any = r#"{"_shards":{"total":1},"hits":{"total":{"value":90,"relation":"eq"},"hits":[]},"responses":[],
                "aggregations":{"time":{"buckets":[{"key":1768399200000,"doc_count":90}]}}}"#;
            let fake = Fake::new(vec![
                to("fields").text(CAPS), to("recent").text(any), to("slices").text(any),
                to("resolve").text("{}"), to("cat").text("[]"),
            ]).await;
            let search = Search { window: window(), text, conditions };
            let (store, cx) = (&fake.store, &fake.cx);
            let likes = [Like { fragments: vec![field.clone()] }];
            let key = Key::Field(field);
            let _ = store.total(cx, &search).await;
            let _ = store.histogram(cx, &search, Duration::from_secs(60), Some((&key, 3))).await;
            let _ = store.top(cx, &search, &key, 3).await;
            let _ = store.page(cx, &search, &Page { limit: 3, oldest_first: false, after }).await;
            let _ = store.sample(cx, &search, 20).await;
            let _ = store.tallies(cx, &search, &likes).await;
            let _ = store.freshness(cx, &search).await;
            let _ = store.sources(cx).await;
            assert!(fake.backend.unmatched().is_empty(), "{:?}", fake.backend.unmatched());
            for seen in fake.backend.requests() {
                let path = seen.path.replace("logs-*", "{}");
                let allowed = endpoints::ALL.iter().any(|endpoint| endpoint.to_string() == format!("{} {path}", seen.method));
                assert!(allowed, "{} {path}", seen.method);
                if path == "/{}/_search" && seen.query("request_cache").is_some() {
                    let body = String::from_utf8_lossy(&seen.body).into_owned();
                    let of_metadata = body.contains("\"_index\"") || body.contains("unmapped_type") && !body.contains("_seq_no");
                    assert!(of_metadata || body.contains("\"gte\":\"2026-01-14T14:00:00Z\""), "{body}");
                }
            }
        });
    }
}
