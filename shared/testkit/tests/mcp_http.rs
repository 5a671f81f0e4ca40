//! The client over HTTP, against scripted bytes and a backend that never answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly, and a scripted peer is a task"
)]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::mcp::{Client, Era, HttpClient, HttpRequest};
use testkit::proxy::{Fault, Misbehaving};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const SOON: Duration = Duration::from_secs(5);

/// A server that answers one connection after another with these bytes, and returns what it was sent.
async fn scripted(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let peer = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 64 << 10];
            // The client writes a request in one go, and loopback delivers it so.
            let length = stream.read(&mut request).await.unwrap();
            requests.push(String::from_utf8(request[..length].to_vec()).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        requests
    });
    (url, peer)
}

fn json_answer(status: &str, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn result(id: i64, result: Value) -> String {
    json_answer("200 OK", &json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

fn header_lines(request: &str) -> Vec<&str> {
    request.split("\r\n\r\n").next().unwrap().lines().skip(1).collect()
}

#[tokio::test]
async fn a_stateless_call_names_method_and_tool_in_its_headers() {
    let (url, peer) = scripted(vec![result(1, json!({})), result(2, json!({"content": []}))]).await;
    let mut client = Client::over_http(HttpClient::new(&url).with_header("Authorization", "Bearer t"));
    client.connect(Era::Stateless).await;
    client.call("delete", json!({"name": "x"})).await;

    let requests = peer.await.unwrap();
    assert!(requests[0].starts_with("POST /mcp HTTP/1.1\r\n"), "{}", requests[0]);
    assert!(header_lines(&requests[0]).contains(&"Mcp-Method: server/discover"));
    assert!(!requests[0].contains("Mcp-Name"));
    for line in [
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        "MCP-Protocol-Version: 2026-07-28",
        "Mcp-Method: tools/call",
        "Mcp-Name: delete",
        "Authorization: Bearer t",
        "Connection: close",
    ] {
        assert!(header_lines(&requests[1]).contains(&line), "{line} is missing: {}", requests[1]);
    }
}

#[tokio::test]
async fn the_handshake_over_http_names_the_version_once_it_is_agreed() {
    let accepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned();
    let welcome = result(1, json!({"protocolVersion": "2025-11-25"}));
    let (url, peer) = scripted(vec![welcome, accepted, result(2, json!({"tools": []}))]).await;
    let mut client = Client::over_http(HttpClient::new(&url));
    client.connect(Era::Handshake).await;
    client.list_tools().await;

    let requests = peer.await.unwrap();
    assert!(!requests[0].contains("MCP-Protocol-Version"), "{}", requests[0]);
    assert!(requests[1].contains("notifications/initialized"));
    for request in &requests[1..] {
        assert!(header_lines(request).contains(&"MCP-Protocol-Version: 2025-11-25"), "{request}");
        assert!(!request.contains("Mcp-Method"), "{request}");
    }
}

#[tokio::test]
async fn a_protocol_error_is_handed_over_whatever_its_status() {
    let error = json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32020, "message": "mismatch"}});
    let (url, _peer) = scripted(vec![json_answer("400 Bad Request", &error)]).await;
    let reply = Client::over_http(HttpClient::new(&url)).request("ping", Value::Null).await;
    assert_eq!(reply["error"]["code"], -32020);
}

#[tokio::test]
#[should_panic(expected = "HTTP 403")]
async fn an_answer_that_is_no_message_fails_the_test_with_its_status() {
    let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nbad host\n";
    let (url, _peer) = scripted(vec![refusal.to_owned()]).await;
    Client::over_http(HttpClient::new(&url)).request("ping", Value::Null).await;
}

#[tokio::test]
async fn an_event_stream_gives_its_notifications_and_then_the_reply() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let priming = "id: 0\nretry: 3000\ndata:\n\n";
    let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}});
    let reply = json!({"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": "fünf"}]}});
    let (url, _peer) = scripted(vec![format!("{head}{priming}data: {progress}\n\ndata: {reply}\n\n")]).await;

    let client = Client::over_http(HttpClient::new(&url));
    assert_eq!(client.call("count", json!({})).await.text, "fünf");
    assert_eq!(client.next_incoming(SOON).await.expect("the progress"), progress);
}

#[tokio::test]
async fn concurrent_calls_over_http_are_matched_to_their_answers() {
    let answers = [1, 2].map(|id| result(id, json!({"content": [{"type": "text", "text": id.to_string()}]})));
    let (url, _peer) = scripted(answers.to_vec()).await;
    let client = Client::over_http(HttpClient::new(&url));
    // The script answers the connections in the order they come, which is that of the calls.
    let replies = client.call_concurrently(&[("a", json!({})), ("b", json!({}))]).await;
    assert_eq!(replies.iter().map(|reply| reply.text.as_str()).collect::<Vec<_>>(), ["1", "2"]);
}

#[tokio::test]
async fn cancelling_or_dropping_a_stateless_request_closes_its_connection() {
    for by_notice in [true, false] {
        let server = Misbehaving::start(Fault::AcceptAndHang);
        let mut client = Client::over_http(HttpClient::new(&server.url()));
        // Discovery is never answered; what counts is that the era is set.
        let connecting = tokio::time::timeout(Duration::from_millis(50), client.connect(Era::Stateless));
        connecting.await.expect_err("nothing is answered");
        let pending = client.begin_call("sleep", json!({})).await;
        assert!(server.requests_within(2, SOON).await);

        let asked = Instant::now();
        if by_notice {
            client.notify_cancelled(pending.id()).await;
        } else {
            drop(pending);
        }
        let closed = server.closed_within(SOON).await.expect("a closed connection");
        assert!(
            closed.duration_since(asked) < Duration::from_millis(200),
            "{:?}",
            closed.duration_since(asked)
        );
    }
}

#[tokio::test]
async fn a_raw_request_is_sent_as_it_is() {
    let empty = "HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n".to_owned();
    let (url, peer) = scripted(vec![empty.clone(), empty.clone(), empty]).await;
    let client = HttpClient::new(&url);

    let request = HttpRequest::new("GET").path("/livez").header("host", "evil.example").header("X-A", "1");
    let reply = client.send(request.header("X-A", "2")).await;
    assert_eq!((reply.status, reply.header("allow"), reply.body.len()), (405, Some("POST"), 0));
    let bare = HttpRequest::post(&json!([])).without_header("ACCEPT");
    client.send(bare).await;
    client.send_bytes(b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n").await;

    let requests = peer.await.unwrap();
    let expected =
        "GET /livez HTTP/1.1\r\nConnection: close\r\nhost: evil.example\r\nX-A: 1\r\nX-A: 2\r\n\r\n";
    assert_eq!(requests[0], expected);
    assert!(!requests[1].contains("Accept:"), "{}", requests[1]);
    assert!(requests[1].contains("Content-Length: 2\r\n") && requests[1].ends_with("\r\n\r\n[]"));
    assert_eq!(requests[2], "BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n");
}

#[tokio::test]
async fn a_chunked_answer_is_put_together() {
    // The example of Wikipedia's article on chunked transfer encoding, with an extension and a trailer added.
    let chunks = "4\r\nWiki\r\n7;a=b\r\npedia i\r\nB\r\nn \r\nchunks.\r\n0\r\nX-Trailer: 1\r\n\r\n";
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (url, _peer) = scripted(vec![format!("{head}{chunks}")]).await;
    assert_eq!(HttpClient::new(&url).send(HttpRequest::new("GET")).await.text(), "Wikipedia in \r\nchunks.");
}

#[tokio::test]
#[should_panic(expected = "ended 991 bytes early")]
async fn a_body_that_is_cut_off_is_no_answer() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"a\":1,\"b".to_owned();
    let (url, _peer) = scripted(vec![cut]).await;
    HttpClient::new(&url).send(HttpRequest::new("GET")).await;
}
