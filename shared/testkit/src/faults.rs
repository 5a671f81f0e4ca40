//! Each fault of a backend × each call of a shipped binary.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::Value;

use crate::mcp::Era;
use crate::program::Program;
use crate::proxy::{Fault, Misbehaving};
use crate::rss::{file_rss_bytes, peak_rss_bytes};

const DEADLINE: Duration = Duration::from_secs(3);
/// 64 MiB less the 16 MiB that pages of a release's program take at most; a test's program is larger.
const MAX_ANONYMOUS: u64 = 48 * 1024 * 1024;

/// Demands of every call in front of every fault an honest error within the deadline that names the source `main`, no
/// redirect followed, the process alive, its memory bounded, its end with its input, and one record. `urls` are the
/// variables that hold the backend's URL.
pub async fn every_fault_is_told(program: Program, urls: &[&str], calls: &[(&str, Value)]) {
    for fault in Fault::ALL {
        // A few at a time: most faults are waiting, and each has a process of its own.
        for some in calls.chunks(4) {
            join_all(some.iter().map(|(tool, arguments)| one(program, urls, fault, tool, arguments))).await;
        }
    }
}

async fn one(program: Program, urls: &[&str], fault: Fault, tool: &str, arguments: &Value) {
    let backend = Misbehaving::start(fault);
    let state = tempfile::tempdir().unwrap();
    let url = backend.url();
    let limits = ["LIMITS__CALL_DEADLINE_SECONDS", "UPSTREAM__UPSTREAM_TIMEOUT_SECONDS"];
    let [deadline, timeout] = limits.map(|limit| program.variable(limit));
    let mut environment: Vec<(&str, &str)> = urls.iter().map(|name| (*name, url.as_str())).collect();
    environment.extend([(deadline.as_str(), "3"), (timeout.as_str(), "2")]);
    let what = format!("{fault:?} × {tool} {arguments}");
    let mut client = program.over_stdio(&state, &environment);
    client.connect(Era::Stateless).await;
    let tools = client.list_tools().await.len();
    let began = Instant::now();
    let reply = client.call(tool, arguments.clone()).await;
    let took = began.elapsed();
    assert!(took < DEADLINE + Duration::from_millis(700), "{what}: took {took:?}");
    assert!(reply.is_error, "{what}: a failed backend is no success: {}", reply.text);
    let structured = reply.structured.unwrap();
    let kind = structured["error"]["kind"].as_str().unwrap();
    let too_large = matches!(fault, Fault::HugeBody | Fault::GzipBomb) && kind == "too_expensive";
    assert!(too_large || ["upstream", "timeout"].contains(&kind), "{what}: {kind}");
    let names_it = reply.text.contains("\"main\"") || kind == "timeout" || too_large;
    assert!(names_it, "{what}: names the system: {}", reply.text);
    let remedy = structured["error"]["remedy"].as_str();
    assert!(remedy.is_some_and(|remedy| !remedy.is_empty()), "{what}: a remedy");
    assert!(reply.text.len() < 4_000, "{what}: no raw body in the answer: {} bytes", reply.text.len());
    assert_eq!(backend.redirect_hits(), 0, "{what}: redirects are not followed");
    // Alive: it still answers, and its memory stayed bounded.
    assert_eq!(client.list_tools().await.len(), tools, "{what}");
    let pid = client.child().pid();
    let peak = peak_rss_bytes(pid) - file_rss_bytes(pid);
    assert!(peak <= MAX_ANONYMOUS, "{what}: {} MiB besides its program", peak / 1024 / 1024);
    // Peer fault 2: a process that trickling kept alive needed SIGTERM after the end of input.
    client.close_input().await;
    let status = client.child().exit_within(Duration::from_secs(2)).await;
    assert!(status.is_some_and(|status| status.success()), "{what}: ends with its input: {status:?}");
    let records = program.audited(&state);
    assert_eq!(records.len(), 1, "{what}: one record");
    assert!(!records[0]["upstream"].as_array().unwrap().is_empty(), "{what}: what was sent is recorded");
    assert_ne!(records[0]["outcome"], "ok", "{what}");
}
