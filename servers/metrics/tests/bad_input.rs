//! Every argument of every tool, wrong in every way: a tool error that says what to change, and nothing reaches
//! the backend.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/calls.rs"]
mod calls;
mod common;

use runtime::settings::{Rate, Rates};
use serde_json::{Value, json};
use testkit::recorded::Recorded;

use calls::good_calls;
use common::{connect, prometheus_at, source};

/// Ways to spoil one argument, given its schema; the expected part of the error.
fn spoiled(name: &str, property: &Value) -> Vec<(Value, String)> {
    let wrong_type = match property["type"].as_str().unwrap() {
        "string" => json!(7),
        _ => json!("seven"),
    };
    let mut cases =
        vec![(wrong_type, format!("`{name}`: invalid type")), (json!([]), format!("`{name}`: invalid type"))];
    if property["type"] == "string" {
        cases.extend([
            (json!(""), format!("`{name}`: is empty")),
            (json!(" \n"), format!("`{name}`: is empty")),
            (json!("x".repeat(1_000_000)), format!("`{name}`: is 1000000 bytes long; the limit is 8192")),
            (json!("up\u{0}"), format!("`{name}`: holds the control character U+0000")),
            (json!("\u{1b}[31mup"), format!("`{name}`: holds the control character U+001B")),
        ]);
    } else {
        cases.extend([
            (json!(-1), format!("`{name}`: invalid")),
            (json!(1e300), format!("`{name}`: invalid")),
        ]);
    }
    cases
}

#[tokio::test]
async fn every_argument_wrong_in_every_way_is_named_and_never_reaches_the_backend() {
    let backend = Recorded::start().await;
    let mut loaded = prometheus_at(&backend.url());
    loaded.config.prometheus.push(source("other", &backend.url()));
    loaded.config.alertmanager.push(source("am", &backend.url()));
    let often = Rate { per_minute: 60_000.try_into().unwrap(), burst: 10_000.try_into().unwrap() };
    loaded.settings.rates = Rates { cheap: often, range: often, heavy: often, write: often };
    let (client, _lines) = connect(&loaded, "2026-01-14T14:32:00Z").await;
    let mut tried = 0;
    for tool in client.list_tools().await {
        let name = tool["name"].as_str().unwrap();
        let (_, good) =
            good_calls().into_iter().find(|(known, _)| *known == name).expect("a good call in calls.rs");
        let properties = tool["inputSchema"]["properties"].as_object().unwrap();
        assert!(properties.contains_key("source"), "{name}: with two sources there is a choice");
        for (argument, property) in properties {
            for (value, expected) in spoiled(argument, property) {
                let mut arguments = good.clone();
                arguments[argument] = value;
                let reply = client.call(name, arguments).await;
                let shown: String = reply.text.chars().take(300).collect();
                assert!(
                    reply.is_error && reply.text.contains(&expected),
                    "{name}.{argument}: {shown}\nexpected {expected}"
                );
                assert!(
                    reply.text.len() < 3_000 && !reply.text.contains('\u{1b}'),
                    "{name}.{argument}: {shown}"
                );
                assert!(
                    reply.structured.unwrap()["error"]["remedy"].is_string(),
                    "{name}.{argument}: what to change"
                );
                tried += 1;
            }
            let mut arguments = good.clone();
            let misspelt = format!("{argument}s");
            arguments[&misspelt] = json!("x");
            let reply = client.call(name, arguments).await;
            assert!(
                reply.is_error && reply.text.contains(&format!("unknown argument `{misspelt}`")),
                "{}",
                reply.text
            );
            assert!(reply.text.contains(&format!("did you mean `{argument}`?")), "{}", reply.text);
        }
    }
    assert!(tried > 60, "{tried} cases");
    assert_eq!(backend.requests().len(), 0, "nothing reaches the backend: {:?}", backend.requests());
}

#[tokio::test]
async fn values_outside_the_grammar_say_what_the_grammar_is() {
    let backend = Recorded::start().await;
    let mut loaded = prometheus_at(&backend.url());
    loaded.config.prometheus.push(source("other", &backend.url()));
    let (client, _lines) = connect(&loaded, "2026-01-14T14:32:00Z").await;
    let cases = [
        (
            "query_metrics",
            json!({"promql": "up", "time_range": "yesterday"}),
            "use a duration back from now such as `30m`",
        ),
        ("query_metrics", json!({"promql": "up", "time_range": "now/now-1h"}), "swap the sides"),
        ("query_metrics", json!({"promql": "up", "time_range": "10000d"}), "narrow it"),
        ("query_metrics", json!({"promql": "up", "time_range": "1h", "step": "fast"}), "is not a duration"),
        ("query_metrics", json!({"promql": "up", "source": "mian"}), "sources: main, other"),
        ("query_metrics", json!({"promql": "up", "detail": "everything"}), "expected `concise` or `full`"),
        ("search_metrics", json!({"text": "up", "source": "nowhere"}), "sources: main, other"),
        (
            "list_firing_alerts",
            json!({"time_range": "tomorrow"}),
            "use a duration back from now such as `30m`",
        ),
    ];
    for (tool, arguments, expected) in cases {
        let reply = client.call(tool, arguments.clone()).await;
        assert!(reply.is_error && reply.text.contains(expected), "{tool} {arguments}: {}", reply.text);
        assert_eq!(reply.structured.unwrap()["error"]["kind"], "invalid_argument", "{tool} {arguments}");
    }
    assert_eq!(backend.requests().len(), 0);
}
