//! `search_metrics` through the whole server, over recorded and generated replies.
//!
//! `tests/recorded/search` holds what a real Prometheus 3 replied; its README says how it was taken. The golden
//! answers were checked by hand against those files with `jq`: how many names there are and how they fold into
//! metrics, the sums of `.value[1]` by `.metric.__name__` (series), the distinct values of each label, type and
//! help of the metadata. The figures are written at each test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;
#[path = "search_metrics/large.rs"]
mod large;
#[path = "search_metrics/odd.rs"]
mod odd;
#[path = "search_metrics/services.rs"]
mod services;
#[path = "search_metrics/world.rs"]
mod world;

use serde_json::json;

use world::{ask, pretty, recorded, rows};

/// 34 names: 25 metrics, because `http_request_duration_seconds` has 3 names, `prometheus_http_request_duration_seconds`
/// 4, `go_gc_duration_seconds` and `prometheus_engine_query_duration_seconds` 3 each, all others 1.
#[tokio::test]
async fn words_find_metrics_by_their_names_and_other_words_for_them() {
    let backend = recorded().await;
    let reply = ask(&backend, json!({"text": "latency", "limit": 5})).await;
    assert!(backend.unmatched().is_empty(), "{:?}", backend.unmatched());
    insta::assert_snapshot!("latency_text", reply.text);
    insta::assert_snapshot!("latency_json", pretty(&reply));
}

#[tokio::test]
async fn a_word_that_is_a_service_narrows_series_labels_and_examples() {
    let backend = recorded().await;
    let reply = ask(&backend, json!({"text": "checkout latency"})).await;
    assert!(backend.unmatched().is_empty(), "{:?}", backend.unmatched());
    insta::assert_snapshot!("checkout_latency_text", reply.text);
}

#[tokio::test]
async fn a_service_narrows_the_search() {
    let backend = recorded().await;
    let reply = ask(&backend, json!({"text": "errors", "service": "payment"})).await;
    assert!(backend.unmatched().is_empty(), "{:?}", backend.unmatched());
    insta::assert_snapshot!("errors_of_payment_text", reply.text);
}

#[tokio::test]
async fn a_word_found_nowhere_else_is_looked_for_in_all_labels() {
    let backend = recorded().await;
    let reply = ask(&backend, json!({"text": "emails", "limit": 3})).await;
    assert!(backend.unmatched().is_empty(), "{:?}", backend.unmatched());
    insta::assert_snapshot!("emails_text", reply.text);
}

#[tokio::test]
async fn names_that_need_quotes_have_an_example_with_quotes() {
    let reply = ask(&recorded().await, json!({"text": "queue age"})).await;
    assert_eq!(rows(&reply)[0][6], r#"max by ("queue.name") ({"queue.oldest.message.age"})"#);
    let next = &reply.structured.as_ref().unwrap()["next"][0];
    assert_eq!(next["arguments"]["promql"], r#"max by ("queue.name") ({"queue.oldest.message.age"})"#);
}

#[tokio::test]
async fn full_detail_adds_values_and_the_names_of_series() {
    let name = "prometheus_http_request_duration_seconds_bucket";
    let reply = ask(&recorded().await, json!({"text": name, "limit": 2, "detail": "full"})).await;
    insta::assert_snapshot!("full_text", reply.text);
}

#[tokio::test]
async fn what_nothing_matches_says_what_was_tried_and_what_is_near() {
    let backend = recorded().await;
    let reply = ask(&backend, json!({"text": "flurb latncy"})).await;
    assert!(backend.unmatched().is_empty(), "{:?}", backend.unmatched());
    insta::assert_snapshot!("nothing_text", reply.text);
    assert!(!reply.is_error);
}

#[tokio::test]
async fn an_unknown_service_is_no_empty_answer() {
    let backend = recorded().await;
    let reply = ask(&backend, json!({"text": "up", "service": "chekout"})).await;
    assert!(backend.unmatched().is_empty(), "{:?}", backend.unmatched());
    insta::assert_snapshot!("unknown_service_text", reply.text);
    insta::assert_snapshot!("unknown_service_json", pretty(&reply));
}

#[tokio::test]
async fn every_recorded_example_parses() {
    let backend = recorded().await;
    for arguments in [json!({"text": "latency", "limit": 5}), json!({"text": "emails", "limit": 3})] {
        for row in rows(&ask(&backend, arguments).await) {
            let example = row[6].as_str().unwrap();
            assert!(promql_parser::parser::parse(example).is_ok(), "{example}");
        }
    }
}

#[tokio::test]
async fn the_same_question_has_the_same_answer_byte_for_byte() {
    let backend = recorded().await;
    let one = ask(&backend, json!({"text": "latency", "limit": 5})).await;
    let other = ask(&backend, json!({"text": "latency", "limit": 5})).await;
    assert_eq!((one.text, one.structured), (other.text, other.structured));
}

#[tokio::test]
async fn wrong_arguments_are_refused_before_anything_is_asked() {
    let backend = recorded().await;
    for (arguments, said) in [
        (json!({}), "`text`: is missing"),
        (json!({"text": " "}), "`text`: is empty"),
        (json!({"text": "up", "limit": 0}), "`limit`: 0 is not between 1 and 50"),
        (json!({"text": "up", "limit": 51}), "`limit`: 51 is not between 1 and 50"),
        (json!({"text": "x".repeat(201)}), "`text`: is 201 characters long"),
        (json!({"text": "up", "service": "x".repeat(201)}), "`service`: is 201 characters long"),
        (json!({"text": "up", "srevice": "a"}), "did you mean `service`?"),
    ] {
        let reply = ask(&backend, arguments).await;
        assert!(reply.is_error && reply.text.contains(said), "{}", reply.text);
    }
    assert!(backend.requests().is_empty());
}
