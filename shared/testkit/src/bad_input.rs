//! Every argument of every tool, wrong in every way.

use serde_json::{Value, json};

use crate::mcp::Client;

/// Spoils each argument of each listed tool in turn, beside the others of its good call: the error must name the argument,
/// show nothing of a terminal sequence, be short, and say what to change; and of a misspelt one which was meant. Returns
/// how many calls that were.
pub async fn every_argument_is_named(client: &Client, good_calls: &[(&str, Value)]) -> usize {
    let mut tried = 0;
    for tool in client.list_tools().await {
        let name = tool["name"].as_str().unwrap();
        let good = good_calls.iter().find(|(known, _)| *known == name);
        let (_, good) = good.unwrap_or_else(|| panic!("no good call of {name}"));
        for (argument, property) in tool["inputSchema"]["properties"].as_object().unwrap() {
            for (value, expected) in spoiled(argument, property) {
                one(client, name, with(good, argument, value), &format!("`{argument}`: {expected}")).await;
                tried += 1;
            }
            let misspelt = format!("{argument}s");
            let reply = client.call(name, with(good, &misspelt, json!("x"))).await;
            for said in [format!("unknown argument `{misspelt}`"), format!("did you mean `{argument}`?")] {
                assert!(reply.is_error && reply.text.contains(&said), "{}", reply.text);
            }
        }
    }
    tried
}

async fn one(client: &Client, tool: &str, arguments: Value, expected: &str) {
    let reply = client.call(tool, arguments).await;
    let shown: String = reply.text.chars().take(300).collect();
    assert!(reply.is_error && reply.text.contains(expected), "{tool}: {shown}\nexpected {expected}");
    assert!(reply.text.len() < 3_000 && !reply.text.contains('\u{1b}'), "{tool}: {shown}");
    let structured = reply.structured.unwrap();
    assert!(structured["error"]["remedy"].is_string(), "{tool}: what to change: {structured}");
}

fn with(good: &Value, argument: &str, value: Value) -> Value {
    let mut arguments = good.clone();
    arguments[argument] = value;
    arguments
}

/// Ways to spoil one argument, given its schema, and what the error must say of it.
fn spoiled(name: &str, property: &Value) -> Vec<(Value, &'static str)> {
    let kind = property["type"].as_str().unwrap_or_else(|| panic!("`{name}` has one type: {property}"));
    let wrong_type = if kind == "string" { json!(7) } else { json!("seven") };
    let mut cases = vec![(wrong_type, "invalid type"), (json!([]), "invalid type")];
    if kind == "string" {
        cases.extend([
            (json!(""), "is empty"),
            (json!(" \n"), "is empty"),
            (json!("x".repeat(1_000_000)), "is 1000000 bytes long; the limit is 8192"),
            (json!("up\u{0}"), "holds the control character U+0000"),
            (json!("\u{1b}[31mup"), "holds the control character U+001B"),
        ]);
    } else {
        cases.extend([(json!(-1), "invalid"), (json!(1e300), "invalid")]);
    }
    cases
}
