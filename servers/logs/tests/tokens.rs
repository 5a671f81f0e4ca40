//! A token that an answer showed, given back as an argument: the store is asked for the value, and nobody else sees it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use serde_json::json;

use common::{connect, incident};

const ADDRESS: &str = "ada.lovelace@example.com";

fn records() -> String {
    let line = |second: u8, who: &str| {
        format!(
            "{{\"@timestamp\":\"2026-01-14T14:40:0{second}Z\",\"log.level\":\"error\",\"service\":{{\"name\":\"login\"}},\
             \"message\":\"no account for {who}\",\"user\":{{\"password\":\"correct horse\"}}}}\n"
        )
    };
    [line(1, ADDRESS), line(2, "grace.hopper@example.com"), line(3, ADDRESS)].concat()
}

#[tokio::test]
async fn a_token_that_was_shown_is_searched_for_as_its_value_and_nothing_shows_it() {
    let directory = incident(&[("logs/all.ndjson", &records())]);
    let client = connect(directory.path()).await;
    let shown = client.call("search_logs", json!({"query": "account", "detail": "full"})).await;
    assert!(!shown.text.contains("example.com") && !shown.text.contains("correct horse"), "{}", shown.text);
    let at = shown.text.find("no account for <email:").unwrap() + "no account for ".len();
    let token = &shown.text[at..at + "<email:0000>".len()];

    // The newest record is Ada's; she has two of the three.
    let again = client.call("search_logs", json!({"query": token})).await;
    assert!(again.text.starts_with("2 records match"), "{}", again.text);
    assert!(again.text.contains(token) && !again.text.contains("example.com"), "{}", again.text);
    assert!(!again.structured.unwrap().to_string().contains("example.com"));
}

#[tokio::test]
async fn a_token_nobody_showed_is_refused() {
    let directory = incident(&[("logs/all.ndjson", &records())]);
    let client = connect(directory.path()).await;
    let calls = [
        ("search_logs", json!({"query": "<email:0a1b>"})),
        ("extract_stack_traces", json!({"error_query": "<email:0a1b>"})),
    ];
    for (tool, arguments) in calls {
        let reply = client.call(tool, arguments).await;
        assert!(reply.is_error && reply.text.contains("stands for nothing here"), "{}", reply.text);
    }
}
