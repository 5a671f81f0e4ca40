//! Each fault of a backend × each tool: an honest answer or error within the deadline, the process alive, and its
//! peak memory bounded.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/binary.rs"]
mod binary;
#[path = "common/calls.rs"]
mod calls;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use testkit::{
    mcp::Era,
    proxy::{Fault, Misbehaving},
    rss::{file_rss_bytes, peak_rss_bytes},
};

use binary::{audited, over_stdio};
use calls::good_calls;

const DEADLINE: Duration = Duration::from_secs(3);
/// 64 MiB less the 16 MiB that pages of a release's program take at most; a test's program is larger.
const MAX_ANONYMOUS: u64 = 48 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_gives_every_tool_an_honest_error_in_time() {
    for fault in Fault::ALL {
        // A few at a time: most faults are waiting, and each has a process of its own.
        for some in good_calls().chunks(4) {
            join_all(some.iter().map(|(tool, arguments)| one(fault, tool, arguments.clone()))).await;
        }
    }
}

async fn one(fault: Fault, tool: &str, arguments: serde_json::Value) {
    let backend = Misbehaving::start(fault);
    let state = tempfile::tempdir().unwrap();
    let url = backend.url();
    let environment = [
        ("PROMETHEUS_URL", url.as_str()),
        ("ALERTMANAGER_URL", url.as_str()),
        ("METRICS_MCP__LIMITS__CALL_DEADLINE_SECONDS", "3"),
        ("METRICS_MCP__UPSTREAM__UPSTREAM_TIMEOUT_SECONDS", "2"),
    ];
    let what = format!("{fault:?} × {tool} {arguments}");
    let mut client = over_stdio(&state, &environment);
    client.connect(Era::Stateless).await;
    let began = Instant::now();
    let reply = client.call(tool, arguments).await;
    let took = began.elapsed();
    assert!(took < DEADLINE + Duration::from_millis(700), "{what}: took {took:?}");
    assert!(reply.is_error, "{what}: a failed backend is no success: {}", reply.text);
    let structured = reply.structured.unwrap();
    let kind = structured["error"]["kind"].as_str().unwrap();
    let too_large = matches!(fault, Fault::HugeBody | Fault::GzipBomb) && kind == "too_expensive";
    assert!(too_large || ["upstream", "timeout"].contains(&kind), "{what}: {kind}");
    assert!(
        reply.text.contains("\"main\"") || kind == "timeout" || too_large,
        "{what}: names the system: {}",
        reply.text
    );
    assert!(
        structured["error"]["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()),
        "{what}: a remedy"
    );
    assert!(reply.text.len() < 4_000, "{what}: no raw body in the answer: {} bytes", reply.text.len());
    assert_eq!(backend.redirect_hits(), 0, "{what}: redirects are not followed");
    // Alive: it still answers, and its memory stayed bounded.
    assert_eq!(client.list_tools().await.len(), calls::TOOLS.len(), "{what}");
    let pid = client.child().pid();
    let peak = peak_rss_bytes(pid) - file_rss_bytes(pid);
    assert!(peak <= MAX_ANONYMOUS, "{what}: {} MiB besides its program", peak / 1024 / 1024);
    // Peer fault 2: a process that trickling kept alive needed SIGTERM after the end of input.
    client.close_input().await;
    let status = client.child().exit_within(Duration::from_secs(2)).await;
    assert!(status.is_some_and(|status| status.success()), "{what}: ends with its input: {status:?}");
    let records = audited(&state);
    assert_eq!(records.len(), 1, "{what}: one record");
    assert!(!records[0]["upstream"].as_array().unwrap().is_empty(), "{what}: what was sent is recorded");
    assert_ne!(records[0]["outcome"], json!("ok"), "{what}");
}
