//! Which label says that a series is of a service.

use serde_json::{Value, json};
use testkit::recorded::{Recorded, Reply};

use crate::world::{Store, ask, rows, success, vector};

async fn counted(backend: &Recorded, query: &str, count: u64) {
    let reply = Reply::to("POST", "/api/v1/query").form("query", query);
    backend.reply(reply.text(&success(&vector(&[(json!({}), count)])))).await;
}

/// The selectors that names were asked for with.
fn asked(backend: &Recorded) -> Vec<String> {
    let names = backend.requests().into_iter().filter(|seen| seen.path == "/api/v1/label/__name__/values");
    names.filter_map(|seen| seen.query("match[]").map(str::to_owned)).collect()
}

fn store(labels: &[&'static str], values: &[(&'static str, &[&'static str])]) -> Store {
    Store {
        labels: labels.to_vec(),
        values: values.iter().map(|(label, values)| (*label, values.to_vec())).collect(),
        rows: vec![(json!({"__name__": "r_total"}), 1)],
        ..Store::of(&["r_total"])
    }
}

#[tokio::test]
async fn of_several_labels_the_one_with_most_series_is_used_and_the_others_told() {
    let backend = store(
        &["service", "job", "app"],
        &[("service", &["cart"]), ("job", &["cart"]), ("app", &["my-cart"])],
    );
    let backend = backend.serve().await;
    counted(&backend, r#"count({service="cart"})"#, 36).await;
    counted(&backend, r#"count({job="cart"})"#, 40).await;
    let reply = ask(&backend, json!({"text": "r", "service": "cart"})).await;
    assert_eq!(asked(&backend), [r#"{job="cart"}"#]);
    let said =
        r#"several labels hold the service; used {job="cart"} (40 series), not {service="cart"} (36 series)"#;
    assert!(reply.text.contains(said), "{}", reply.text);
    assert_eq!(rows(&reply)[0][6], r#"sum(rate(r_total{job="cart"}[5m]))"#);
}

#[tokio::test]
async fn replicas_are_taken_together() {
    let backend = store(&["pod"], &[("pod", &["cart-7f-a", "cart-7f-b", "my-cart"])]).serve().await;
    let reply = ask(&backend, json!({"text": "r", "service": "cart"})).await;
    assert_eq!(asked(&backend), [r#"{pod=~"cart-.*"}"#]);
    assert!(
        reply.text.contains(r#"no label has exactly the value cart; taken for it: pod=~"cart-.*""#),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn case_and_parts_of_values_are_told_apart() {
    for (values, used) in [
        (&["Cart", "cart-a", "cart-b"][..], r#"{service="Cart"}"#),
        (&["shop/cart", "shop/cart-long"][..], r#"{service="shop/cart"}"#),
        (&["cart-canary"][..], r#"{service="cart-canary"}"#),
    ] {
        let backend = store(&["service"], &[("service", values)]).serve().await;
        let reply = ask(&backend, json!({"text": "r", "service": "cart"})).await;
        assert_eq!(asked(&backend), [used]);
        assert!(reply.text.contains("no label has exactly the value cart"), "{}", reply.text);
    }
}

#[tokio::test]
async fn a_service_is_a_value_whatever_is_in_it() {
    let backend = store(&["service"], &[("service", &[])]).serve().await;
    let reply = ask(&backend, json!({"text": "r", "service": "a\"} or {x=~\".*"})).await;
    assert!(!reply.is_error, "{}", reply.text);
    let looked =
        backend.requests().into_iter().find(|seen| seen.path == "/api/v1/label/service/values").unwrap();
    let selector = looked.query("match[]").unwrap().to_owned();
    let parsed = promql_parser::parser::parse(&selector).unwrap();
    let promql_parser::parser::Expr::VectorSelector(parsed) = parsed else { panic!("{selector}") };
    assert_eq!(parsed.matchers.matchers.len(), 1, "{selector}");
}

#[tokio::test]
async fn without_a_label_for_services_nothing_is_guessed() {
    let backend = store(&["zone"], &[]).serve().await;
    let reply = ask(&backend, json!({"text": "r", "service": "cart"})).await;
    assert!(
        reply.text.starts_with("Nothing was searched: none of the 1 labels here says which service"),
        "{}",
        reply.text
    );
    assert!(asked(&backend).is_empty());
}

#[tokio::test]
async fn nothing_of_a_service_offers_the_search_in_all() {
    let backend = store(&["service"], &[("service", &["cart"])]).serve().await;
    let in_labels = r#"{service=~"(?i)(.*[\\W_])?memory.*", service="cart"}"#;
    let reply = Reply::to("GET", "/api/v1/label/__name__/values").query("match[]", in_labels);
    backend.reply(reply.text(&success(&json!([])))).await;
    let reply = ask(&backend, json!({"text": "memory", "service": "cart"})).await;
    assert!(
        reply.text.starts_with(
            r#"None of 1 metric (1 name of series) of service="cart" of the last 24 h matches memory."#
        ),
        "{}",
        reply.text
    );
    let next: Vec<Value> = reply.structured.unwrap()["next"].as_array().unwrap().clone();
    assert_eq!(next[0]["arguments"], json!({"text": "memory"}));
}
