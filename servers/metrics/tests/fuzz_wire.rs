//! Requests with anything in their head and body, to the shipped binary over HTTP, and lines over stdio. Whatever comes, the
//! process lives on and still answers. `cargo xtask fuzz` runs these for longer.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/binary.rs"]
mod binary;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    process::Stdio,
    time::Duration,
};

use binary::PROGRAM;
use testkit::fuzz::fuzz;

const CALL: &str = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"query_metrics\",\"arguments\":{\"promql\":\"up\"},\
                    \"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientInfo\":\
                    {\"name\":\"f\",\"version\":\"1\"},\"io.modelcontextprotocol/clientCapabilities\":{}}}}";

/// One exchange; what comes back, or nothing when the server closed.
fn exchange(port: u16, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let _ = stream.write_all(request);
    let _ = stream.shutdown(Shutdown::Write);
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    reply
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fuzz_http_requests() {
    let mut served = PROGRAM.serve(&[("RUST_LOG", "off")]).await;
    let port = served.port;
    let post = format!(
        "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nAccept: application/json, \
         text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: query_metrics\r\n\
         Authorization: Bearer x\r\nOrigin: http://127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{CALL}",
        CALL.len()
    );
    let get = format!("GET /readyz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    let words = [
        "\r\n",
        "Host: ",
        "Origin: null",
        "Authorization: Bearer ",
        "Mcp-Method: ",
        "Mcp-Name: ",
        "=?base64?",
        "?=",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked\r\n",
        "MCP-Protocol-Version: 9999-99-99\r\n",
        "[::1]",
        "%00",
    ];
    tokio::task::spawn_blocking(move || {
        fuzz("http requests", &[post.as_bytes(), get.as_bytes()], &words, |input| {
            let reply = exchange(port, input);
            assert!(reply.is_empty() || reply.starts_with(b"HTTP/1."), "{}", reply.escape_ascii());
        });
    })
    .await
    .unwrap();
    assert!(served.process.try_wait().unwrap().is_none(), "the server died");
    assert_eq!(served.get("/livez").await.status, 200);
}

#[test]
fn fuzz_stdio_lines() {
    let state = tempfile::tempdir().unwrap();
    let mut process = PROGRAM
        .command(&state, &[("RUST_LOG", "off")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let input = std::cell::RefCell::new(process.stdin.take().unwrap());
    let output = process.stdout.take().unwrap();
    // Answers are read as they come, or the pipe fills up and the server waits.
    let (told, last) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            let line = line.unwrap();
            assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{line}");
            if line.contains("\"the-end\"") {
                told.send(()).unwrap();
            }
        }
    });
    input.borrow_mut().write_all(format!("{CALL}\n").as_bytes()).unwrap();
    let words = [
        "\"id\":",
        "null",
        "\"method\":\"tools/list\"",
        "\"params\":[]",
        "{}",
        "\"jsonrpc\":\"1.0\"",
        "1e400",
        "\\ud800",
    ];
    fuzz("stdio lines", &[CALL.as_bytes()], &words, |line| {
        let line: Vec<u8> = line.iter().copied().filter(|byte| *byte != b'\n').collect();
        let mut input = input.borrow_mut();
        input.write_all(&line).unwrap();
        input.write_all(b"\n").unwrap();
    });
    let end = CALL.replace("\"id\":1", "\"id\":\"the-end\"");
    input.borrow_mut().write_all(format!("{end}\n").as_bytes()).unwrap();
    assert!(last.recv_timeout(Duration::from_secs(60)).is_ok(), "no answer after all that");
    drop(input);
    assert!(process.wait().unwrap().success());
    reader.join().unwrap();
}
