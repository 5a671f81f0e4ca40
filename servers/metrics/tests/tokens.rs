//! A token that an answer showed, given back as an argument: the backend gets the value, and nobody else does.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use common::{connect, prometheus_at};
use serde_json::json;
use testkit::recorded::{Recorded, Reply};

const NOW: &str = "2026-01-14T14:32:00Z";
const ADDRESS: &str = "ada.lovelace@example.com";

/// A store in which one customer is slow.
async fn backend() -> Recorded {
    let backend = Recorded::start().await;
    let body = json!({"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": {"__name__": "slow_requests", "customer": ADDRESS, "password": "correct horse"},
         "value": [1_768_401_120, "7"]}]}});
    backend.reply(Reply::to("POST", "/api/v1/query").text(&body.to_string())).await;
    backend
}

#[tokio::test]
async fn a_token_that_was_shown_reaches_the_backend_as_its_value_and_nothing_else_shows_it() {
    let backend = backend().await;
    let (client, lines) = connect(&prometheus_at(&backend.url()), NOW).await;
    let shown = client.call("query_metrics", json!({"promql": "slow_requests"})).await;
    assert!(!shown.text.contains(ADDRESS), "{}", shown.text);
    let at = shown.text.find("<email:").unwrap_or_else(|| panic!("{}", shown.text));
    let token = &shown.text[at..at + "<email:0000>".len()];

    let promql = format!("slow_requests{{customer=\"{token}\"}}");
    let again = client.call("query_metrics", json!({"promql": promql})).await;
    assert!(!again.is_error, "{}", again.text);
    let sent = backend.requests().into_iter().filter_map(|seen| seen.form("query").map(str::to_owned));
    let sent: Vec<String> = sent.collect();
    assert!(sent.contains(&format!("slow_requests{{customer=\"{ADDRESS}\"}}")), "{sent:?}");
    // The evidence can be run again as it stands, with the token.
    assert!(again.text.contains(token) && !again.text.contains(ADDRESS), "{}", again.text);
    assert!(!again.structured.unwrap().to_string().contains(ADDRESS));
    assert!(!lines.text().contains(ADDRESS), "the audit log");
}

#[tokio::test]
async fn a_token_nobody_showed_is_refused_before_anything_is_sent() {
    let backend = backend().await;
    let (client, _) = connect(&prometheus_at(&backend.url()), NOW).await;
    let reply =
        client.call("query_metrics", json!({"promql": "slow_requests{customer=\"<email:0a1b>\"}"})).await;
    assert!(reply.is_error && reply.text.contains("stands for nothing here"), "{}", reply.text);
    assert_eq!(backend.requests(), []);
}

/// The label's name says that its value is a secret, whatever it looks like.
#[tokio::test]
async fn the_value_of_a_label_called_password_is_masked_as_a_whole() {
    let backend = backend().await;
    let (client, _) = connect(&prometheus_at(&backend.url()), NOW).await;
    let reply = client.call("query_metrics", json!({"promql": "slow_requests"})).await;
    assert!(!reply.text.contains("correct") && !reply.text.contains("horse"), "{}", reply.text);
}

#[tokio::test]
async fn an_operators_own_class_is_masked_and_a_wrong_rule_is_named_at_the_start() {
    let backend = backend().await;
    let mut loaded = prometheus_at(&backend.url());
    loaded.settings.masking.allow = vec!["*@example.com".to_owned()];
    loaded.settings.masking.custom =
        vec![runtime::settings::OwnClass { name: "metric".to_owned(), pattern: "slow_[a-z]+".to_owned() }];
    let (client, _) = connect(&loaded, NOW).await;
    let reply =
        client.call("query_metrics", json!({"promql": "sum by (__name__, customer) (slow_requests)"})).await;
    assert!(reply.text.contains(ADDRESS) && reply.text.contains("<metric:"), "{}", reply.text);

    loaded.settings.masking.custom[0].pattern = "(".to_owned();
    let server = metrics_mcp::server(&loaded).unwrap();
    let clock = std::sync::Arc::new(contract::FixedClock(NOW.parse().unwrap()));
    let Err(error) = runtime::Engine::in_memory(server, &loaded.settings, clock) else { panic!("it starts") };
    assert!(error.to_string().contains("masking rule `metric`"), "{error}");
}
