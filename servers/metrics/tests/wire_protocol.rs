//! What the protocol demands of every request, on the shipped binary over HTTP: codes and statuses, one by one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/binary.rs"]
mod binary;

use serde_json::{Value, json};
use testkit::mcp::{HttpReply, HttpRequest};

use binary::PROGRAM;

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CLIENT: &str = "io.modelcontextprotocol/clientInfo";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

fn meta() -> Value {
    json!({VERSION: "2026-07-28", CLIENT: {"name": "wire", "version": "0"}, CAPABILITIES: {}})
}

fn without(key: &str) -> Value {
    let mut meta = meta();
    meta.as_object_mut().unwrap().remove(key);
    meta
}

/// A request of 2026-07-28 with this `_meta`, and the headers that go with it.
fn request(method: &str, mut params: Value, meta: Value) -> HttpRequest {
    params["_meta"] = meta;
    let message = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
    HttpRequest::post(&message).header("MCP-Protocol-Version", "2026-07-28").header("Mcp-Method", method)
}

fn call(arguments: Value) -> HttpRequest {
    request("tools/call", json!({"name": "query_metrics", "arguments": arguments}), meta())
}

/// Status, code of the error, and the id that came back.
fn refusal(reply: &HttpReply) -> (u16, Value, Value) {
    let body = reply.json();
    (reply.status, body["error"]["code"].clone(), body["id"].clone())
}

#[tokio::test]
async fn each_part_of_meta_that_is_demanded_is_missed() {
    let served = PROGRAM.serve(&[]).await;
    for method in ["tools/list", "server/discover", "prompts/list"] {
        for key in [VERSION, CAPABILITIES] {
            let reply = served.mcp().send(request(method, json!({}), without(key))).await;
            assert_eq!(
                refusal(&reply),
                (400, json!(-32602), json!(7)),
                "{method} without {key}: {}",
                reply.text()
            );
        }
        let reply = served.mcp().send(request(method, json!({}), json!({}))).await;
        assert_eq!(refusal(&reply), (400, json!(-32602), json!(7)), "{method} with an empty _meta");
        let reply = served.mcp().send(request(method, json!({}), without(CLIENT))).await;
        assert_eq!(reply.status, 200, "{method}: a client need not give its name: {}", reply.text());
    }
}

#[tokio::test]
async fn an_unknown_version_is_refused_with_those_that_are_known() {
    let served = PROGRAM.serve(&[]).await;
    for version in ["2099-01-01", "2024-11-05", "v999.0.0", "2026-07-28 "] {
        let mut asked = meta();
        asked[VERSION] = json!(version);
        let unknown = request("tools/list", json!({}), asked)
            .without_header("MCP-Protocol-Version")
            .header("MCP-Protocol-Version", version.trim());
        let reply = served.mcp().send(unknown).await;
        if version.trim() != version {
            // A header's blanks are not part of its value; the body's are.
            assert_eq!(refusal(&reply), (400, json!(-32020), json!(7)), "{}", reply.text());
            continue;
        }
        assert_eq!(refusal(&reply), (400, json!(-32022), json!(7)), "{version}: {}", reply.text());
        let data = &reply.json()["error"]["data"];
        assert_eq!(data["supported"], json!(["2025-11-25", "2026-07-28"]));
        assert_eq!(data["requested"], version);
    }
}

#[tokio::test]
async fn headers_that_contradict_the_body_are_refused() {
    let served = PROGRAM.serve(&[]).await;
    let named = |name: &str| call(json!({"promql": "up"})).header("Mcp-Name", name);
    let other_version = |version: &str| {
        request("tools/list", json!({}), meta())
            .without_header("MCP-Protocol-Version")
            .header("MCP-Protocol-Version", version)
    };
    let method = |method: &str| {
        request("tools/list", json!({}), meta()).without_header("Mcp-Method").header("Mcp-Method", method)
    };
    let cases = [
        ("another tool in Mcp-Name", named("search_metrics")),
        ("a tool's name in other letters", named("QUERY_METRICS")),
        ("no Mcp-Name", call(json!({"promql": "up"}))),
        ("another method", method("prompts/list")),
        ("a method in other letters", method("TOOLS/LIST")),
        ("no method", request("tools/list", json!({}), meta()).without_header("Mcp-Method")),
        // A client's known bug: the old version in the header, the new one in the body.
        ("the old version in the header", other_version("2025-11-25")),
        (
            "no version in the header",
            request("tools/list", json!({}), meta()).without_header("MCP-Protocol-Version"),
        ),
    ];
    for (what, request) in cases {
        let reply = served.mcp().send(request).await;
        assert_eq!(refusal(&reply), (400, json!(-32020), json!(7)), "{what}: {}", reply.text());
    }
    let good = [named("query_metrics"), named("  query_metrics  ")];
    for request in good {
        let reply = served.mcp().send(request).await;
        assert_eq!(reply.status, 200, "blanks around a header's value are not part of it: {}", reply.text());
    }
}

#[tokio::test]
async fn methods_that_are_not_there_are_not_found() {
    let served = PROGRAM.serve(&[]).await;
    let absent = [
        "no/such",
        // Of the old era only.
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        // Not declared, so not there.
        "resources/list",
        "resources/templates/list",
        "completion/complete",
        "subscriptions/listen",
    ];
    for method in absent {
        let params = match method {
            "logging/setLevel" => json!({"level": "info"}),
            // In its own form, with parameters, it is the handshake of the old era, which is served too.
            "initialize" => json!({}),
            "completion/complete" => {
                json!({"ref": {"type": "ref/prompt", "name": "x"}, "argument": {"name": "a", "value": "b"}})
            }
            "subscriptions/listen" => json!({"notifications": {"toolsListChanged": true}}),
            _ => json!({}),
        };
        let reply = served.mcp().send(request(method, params, meta())).await;
        assert_eq!(refusal(&reply), (404, json!(-32601), json!(7)), "{method}: {}", reply.text());
    }
    let declared = served.mcp().send(request("server/discover", json!({}), meta())).await.json();
    let capabilities = declared["result"]["capabilities"].as_object().unwrap();
    assert_eq!(capabilities.keys().collect::<Vec<_>>(), ["prompts", "tools"], "what is there is declared");
}

#[tokio::test]
async fn an_unknown_tool_is_the_protocols_own_error_and_bad_arguments_are_the_tools() {
    let served = PROGRAM.serve(&[]).await;
    let unknown = request("tools/call", json!({"name": "query_metric", "arguments": {}}), meta());
    let reply = served.mcp().send(unknown.header("Mcp-Name", "query_metric")).await;
    assert_eq!(reply.json()["error"]["code"], -32602, "{}", reply.text());
    let reply = served.mcp().send(call(json!({"promq": "up"})).header("Mcp-Name", "query_metrics")).await;
    assert_eq!((reply.status, &reply.json()["result"]["isError"]), (200, &json!(true)));
}

#[tokio::test]
async fn only_post_is_served_and_only_json() {
    let served = PROGRAM.serve(&[]).await;
    for method in ["GET", "DELETE", "PUT", "PATCH", "OPTIONS"] {
        let reply = served.mcp().send(HttpRequest::new(method)).await;
        assert_eq!(reply.status, 405, "{method}");
    }
    let list = || request("tools/list", json!({}), meta());
    let html = list().without_header("Content-Type").header("Content-Type", "text/html");
    assert_eq!(served.mcp().send(html).await.status, 415);
    let garbage = list().body("{\"jsonrpc\": ");
    assert!([400, 415].contains(&served.mcp().send(garbage).await.status));
    let accept = list().without_header("Accept").header("Accept", "text/html");
    assert_eq!(served.mcp().send(accept).await.status, 406);
}

#[tokio::test]
async fn a_request_of_256_kib_is_read_and_one_byte_more_is_not() {
    let served = PROGRAM.serve(&[]).await;
    let sized = |bytes: usize| {
        let params = |fill: usize| {
            let mut params = json!({"name": "query_metrics", "arguments": {"promql": "x".repeat(fill)}});
            params["_meta"] = meta();
            json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params})
        };
        let fill = bytes - params(0).to_string().len();
        let message = params(fill);
        assert_eq!(message.to_string().len(), bytes);
        HttpRequest::post(&message)
            .header("MCP-Protocol-Version", "2026-07-28")
            .header("Mcp-Method", "tools/call")
            .header("Mcp-Name", "query_metrics")
    };
    let reply = served.mcp().send(sized(256 * 1024)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(served.mcp().send(sized(256 * 1024 + 1)).await.status, 413);
}

#[tokio::test]
async fn a_tool_that_needs_nothing_of_the_client_runs_for_one_that_can_do_nothing() {
    // -32021 is for tools that need a capability; no tool of this server does. (The code itself is tested where a tool
    // needs one: in the conformance suite, `test_missing_capability`.)
    let served = PROGRAM.serve(&[]).await;
    let reply = served.mcp().send(call(json!({"promql": "up"})).header("Mcp-Name", "query_metrics")).await;
    assert_eq!((reply.status, &reply.json()["result"]["resultType"]), (200, &json!("complete")));
}

#[tokio::test]
async fn every_endpoint_checks_whose_name_it_is_called_by() {
    let served = PROGRAM.serve(&[]).await;
    let list = || request("tools/list", json!({}), meta());
    for (header, value, status) in [
        ("Host", "evil.example", 403),
        ("Host", "evil.example:80", 403),
        ("Host", "127.0.0.1.evil.example", 403),
        ("Origin", "https://evil.example", 403),
        ("Origin", "null", 403),
        ("Origin", "http://127.0.0.1.evil.example", 403),
        ("Origin", "http://localhost.evil.example", 403),
        ("Origin", "", 403),
    ] {
        let request = list().without_header(header).header(header, value);
        assert_eq!(served.mcp().send(request).await.status, status, "{header}: {value}");
    }
}
