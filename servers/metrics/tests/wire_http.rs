//! The shipped binary over streamable HTTP, in both eras, and what it refuses.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/binary.rs"]
mod binary;
#[path = "common/calls.rs"]
mod calls;

use serde_json::{Value, json};
use testkit::{
    mcp::{Era, HttpReply, HttpRequest},
    proxy::{Fault, Misbehaving},
    wire::{Shipped, list_tools, meta},
};

use binary::PROGRAM;

const SHIPPED: Shipped = Shipped {
    program: PROGRAM,
    tools: &calls::TOOLS,
    url: "PROMETHEUS_URL",
    call: || ("query_metrics", json!({"promql": "up"})),
    unconfigured: &["no Prometheus is configured"],
};

fn code(reply: &HttpReply) -> Value {
    reply.json()["error"]["code"].clone()
}

#[tokio::test]
async fn both_eras_are_served_on_one_endpoint_without_sessions() {
    SHIPPED.serves_both_eras_over_http().await;
}

#[tokio::test]
async fn what_the_protocol_forbids_is_refused() {
    let served = PROGRAM.serve(&[]).await;
    let mcp = served.mcp();
    let body =
        |method: &str, params: Value| json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let post = |message: &Value, method: &str| {
        HttpRequest::post(message).header("MCP-Protocol-Version", "2026-07-28").header("Mcp-Method", method)
    };
    let cases: Vec<(&str, HttpRequest, u16, Value)> = vec![
        (
            "header and body differ",
            list_tools().without_header("Mcp-Method").header("Mcp-Method", "tools/call"),
            400,
            json!(-32020),
        ),
        ("no Mcp-Method", list_tools().without_header("Mcp-Method"), 400, json!(-32020)),
        ("no _meta", post(&body("tools/list", json!({})), "tools/list"), 400, json!(-32602)),
        ("unknown method", post(&body("no/such", json!({"_meta": meta()})), "no/such"), 404, json!(-32601)),
    ];
    for (what, request, status, expected) in cases {
        let reply = mcp.send(request).await;
        assert_eq!((reply.status, code(&reply)), (status, expected), "{what}: {}", reply.text());
    }
    let version =
        list_tools().without_header("MCP-Protocol-Version").header("MCP-Protocol-Version", "2099-01-01");
    assert_eq!(mcp.send(version).await.status, 400, "unknown version");
    assert_eq!(
        mcp.send(list_tools().without_header("Accept").header("Accept", "text/html")).await.status,
        406
    );
    for method in ["GET", "DELETE"] {
        assert_eq!(mcp.send(HttpRequest::new(method)).await.status, 405, "{method}");
    }
    let big = "x".repeat(300 * 1024);
    let large = body("tools/list", json!({"_meta": meta(), "big": big}));
    assert_eq!(mcp.send(post(&large, "tools/list")).await.status, 413, "over 256 KiB");
}

#[tokio::test]
async fn a_browser_elsewhere_and_a_rebound_name_get_nothing() {
    let served = PROGRAM.serve(&[]).await;
    let own = format!("http://127.0.0.1:{}", served.port);
    for (origin, status) in
        [("https://evil.example", 403), ("null", 403), ("http://127.0.0.1:1", 403), (own.as_str(), 200)]
    {
        assert_eq!(served.mcp().send(list_tools().header("Origin", origin)).await.status, status, "{origin}");
    }
    let rebound = list_tools().header("Host", "evil.example");
    assert_eq!(served.mcp().send(rebound).await.status, 403);
    let local = list_tools().header("Host", &format!("localhost:{}", served.port));
    assert_eq!(served.mcp().send(local).await.status, 200);
}

#[tokio::test]
async fn with_tokens_only_their_holders_call_and_only_what_their_scopes_allow() {
    // printf %s reader-token | sha256sum; printf %s stranger-token | sha256sum
    let reader = "METRICS_MCP__AUTH__TOKENS__0__";
    let other = "METRICS_MCP__AUTH__TOKENS__1__";
    let names: Vec<String> = [reader, other]
        .iter()
        .flat_map(|prefix| ["NAME", "TOKEN_SHA256", "SCOPES"].map(|key| format!("{prefix}{key}")))
        .collect();
    let values =
        ["oncall-bot", READER_SHA256, "[\"metrics:read\"]", "stranger", STRANGER_SHA256, "[\"logs:read\"]"];
    let environment: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(values).collect();
    let served = PROGRAM.serve(&environment).await;

    let none = served.mcp().send(list_tools()).await;
    assert_eq!((none.status, none.header("www-authenticate")), (401, Some("Bearer")));
    let wrong = served.mcp().send(list_tools().header("Authorization", "Bearer nonsense")).await;
    assert_eq!(
        (wrong.status, wrong.header("www-authenticate")),
        (401, Some("Bearer error=\"invalid_token\""))
    );
    assert!(!wrong.text().contains("nonsense"), "a token is never echoed");

    let mut client =
        testkit::mcp::Client::over_http(served.mcp().with_header("Authorization", "Bearer reader-token"));
    client.connect(Era::Stateless).await;
    assert_eq!(client.list_tools().await.len(), calls::TOOLS.len());
    client.call("query_metrics", json!({"promql": "up"})).await;
    let mut client =
        testkit::mcp::Client::over_http(served.mcp().with_header("Authorization", "Bearer stranger-token"));
    client.connect(Era::Stateless).await;
    assert_eq!(client.list_tools().await.len(), 0, "only what it may call is listed");
    let refused = client.call("query_metrics", json!({"promql": "up"})).await;
    assert!(refused.is_error && refused.text.contains("lacks the scope `metrics:read`"), "{}", refused.text);
    let records = PROGRAM.audited_soon(&served.state, 2).await;
    let seen: Vec<_> =
        records.iter().map(|r| (r["principal"].as_str().unwrap(), r["outcome"].as_str().unwrap())).collect();
    assert_eq!(seen, [("oncall-bot", "upstream_error"), ("stranger", "refused")]);
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(served.get(path).await.status, 200, "{path} needs no token");
    }
}

const READER_SHA256: &str = "ba5005a40cf5212e4ac0190104cc127edab013294bb71279a975b27a80982d45";
const STRANGER_SHA256: &str = "4f503e9b31172d52ac2323e5345520fed2361069a5ccdc217bf6690390443d0a";

#[test]
fn an_address_that_others_can_reach_needs_tokens() {
    let state = tempfile::tempdir().unwrap();
    let output = PROGRAM.command(&state, &[]).args(["serve", "--http", "0.0.0.0:0"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("without auth.tokens anyone who reaches it could call"),
        "{said}"
    );
}

#[tokio::test]
async fn probes_tell_what_calls_have_shown_and_ask_no_backend() {
    let backend = Misbehaving::start(Fault::Status502Plain);
    let served = PROGRAM.serve(&[("PROMETHEUS_URL", &backend.url())]).await;
    assert_eq!((served.get("/livez").await.status, served.get("/readyz").await.status), (200, 200));
    assert_eq!(served.get("/readyz").await.text(), "prometheus \"main\": not asked yet\n");
    assert_eq!(backend.connections(), 0, "a probe asks no backend");
    let mut client = served.client();
    client.connect(Era::Stateless).await;
    assert!(client.call("query_metrics", json!({"promql": "up"})).await.is_error);
    let ready = served.get("/readyz").await;
    assert_eq!((ready.status, ready.text().as_str()), (503, "prometheus \"main\": down (HTTP 502)\n"));
    let metrics = served.get("/metrics").await.text();
    assert!(
        metrics.contains("mcp_tool_calls_total{tool=\"query_metrics\",outcome=\"upstream\"} 1"),
        "{metrics}"
    );
    assert!(metrics.ends_with("# EOF\n"));
}

#[tokio::test]
async fn a_client_that_goes_away_stops_the_request_to_the_backend_within_200_ms() {
    SHIPPED.stops_for_a_client_that_is_gone().await;
}

#[tokio::test]
async fn sigterm_finishes_what_runs_and_ends_with_success() {
    SHIPPED.finishes_on_sigterm_over_http().await;
}
