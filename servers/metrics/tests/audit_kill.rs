//! The audit log of a server that is killed (`kill -9`) while a thousand calls are under way.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

#[path = "common/binary.rs"]
mod binary;

use std::collections::BTreeSet;

use binary::PROGRAM;
use serde_json::{Value, json};
use testkit::mcp::Era;

const CLIENTS: usize = 50;
const CALLS: usize = 20;

/// Rates and places that let a thousand calls in at once.
const WIDE: [(&str, &str); 5] = [
    // Nobody reads its standard error here.
    ("RUST_LOG", "off"),
    ("METRICS_MCP__RATES__CHEAP__PER_MINUTE", "100000000"),
    ("METRICS_MCP__RATES__CHEAP__BURST", "1000000"),
    ("METRICS_MCP__LIMITS__MAX_CALLS", "2000"),
    ("METRICS_MCP__LIMITS__MAX_CALLS_PER_PRINCIPAL", "2000"),
];

fn verify(state: &tempfile::TempDir) -> (bool, String) {
    let log = state.path().join("audit");
    let output = PROGRAM.command(state, &[]).args(["audit", "verify"]).arg(log).output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_before_a_kill_is_recorded_and_the_next_start_goes_on() {
    let mut served = PROGRAM.serve(&WIDE).await;
    let mut sessions = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = served.client();
        client.connect(Era::Stateless).await;
        sessions.push(tokio::task::spawn(async move {
            let calls: Vec<(&str, Value)> = (0..CALLS).map(|_| ("list_firing_alerts", json!({}))).collect();
            client.call_concurrently(&calls).await.len()
        }));
    }
    // Not before records are being written: then the kill falls into the middle of the rest.
    while audited_whole(&served.state) == 0 && !sessions.iter().all(tokio::task::JoinHandle::is_finished) {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    served.process.kill().unwrap();
    served.process.wait().unwrap();
    // Answers that never come are not waited for.
    sessions.iter().for_each(tokio::task::JoinHandle::abort);

    let state = &served.state;
    let (valid, said) = verify(state);
    assert!(valid, "a torn end is no flaw: {said}");
    let before = audited_whole(state);
    let output = PROGRAM.command(state, &[]).args(["call", "list_firing_alerts"]).output().unwrap();
    assert!(!output.status.success(), "nothing is configured");
    let (valid, said) = verify(state);
    assert!(valid, "{said}");
    let after = PROGRAM.audited(state);
    assert_eq!(after.len(), before + 1, "{said}");
    let ids: BTreeSet<&str> = after.iter().map(|record| record["call_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), after.len(), "no call has two records");
}

/// Whole records; the last line may be torn.
fn audited_whole(state: &tempfile::TempDir) -> usize {
    let bytes = std::fs::read(state.path().join("audit/metrics-mcp.jsonl")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let whole = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    whole.filter(|record| record.get("event").is_none()).count()
}
