//! How much memory the shipped binary takes while each tool answers: before an index `big` of a million records of 2 KB and
//! one `huge` of records of 5 MB, made by `recorded/elastic/load.py` (some minutes, so it is no part of the live tests).
//!
//! ```sh
//! cargo xtask testbed up opensearch
//! servers/logs/tests/recorded/elastic/load.py http://127.0.0.1:PORT
//! CLUSTER_URL=http://127.0.0.1:PORT cargo test -p logs-mcp --test memory -- --ignored --nocapture
//! ```
//! `LOGS_MCP=target/release/logs-mcp` measures another binary than the one that cargo has just built.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

use serde_json::{Value, json};
use testkit::mcp::{Client, Era};
use testkit::rss::{file_rss_bytes, peak_rss_bytes};

/// The target, in bytes: of a release the whole peak, of any other build the peak less its program, which is several times
/// as large.
const MOST: u64 = 64_000_000;
/// The second half of `big`, so that the first is what it is compared with; and all of `huge`.
const SECOND_HALF: &str = "2026-01-14T12:58:00Z/2026-01-14T13:56:00Z";
const BEGINNING: &str = "2026-01-14T12:00:00Z/2026-01-14T12:30:00Z";

/// Every tool, with what makes it read most.
fn calls(window: &str) -> Vec<(&'static str, Value)> {
    let (moment, _) = window.split_once('/').unwrap();
    vec![
        ("list_log_sources", json!({})),
        ("search_logs", json!({"query": "failed", "time_range": window, "limit": 100, "detail": "full"})),
        ("search_logs", json!({"query": "*", "time_range": window, "group_by": "service"})),
        ("get_error_patterns", json!({"time_range": window, "level": "all", "limit": 50, "detail": "full"})),
        ("get_log_volume_anomalies", json!({"time_range": window, "detail": "full"})),
        ("correlate_logs_with_time", json!({"timestamp": moment, "delta_minutes": 30, "detail": "full"})),
        (
            "extract_stack_traces",
            json!({"error_query": "*", "time_range": window, "limit": 50, "detail": "full"}),
        ),
    ]
}

/// A fresh process for each call, and one for all of them.
#[tokio::test]
#[ignore = "needs CLUSTER_URL with the indices of load.py"]
async fn no_tool_takes_more_than_64_mb() {
    println!("{:<26} {:<6} {:>14} {:>18}  answer", "tool", "index", "peak RSS, MB", "less the program");
    let mut worst = 0;
    for (index, window) in [("big", SECOND_HALF), ("huge", BEGINNING)] {
        let mut all = Session::start(index).await;
        for (tool, arguments) in calls(window) {
            let mut alone = Session::start(index).await;
            let answer = alone.call(tool, arguments.clone()).await;
            worst = worst.max(alone.show(tool, index, &answer));
            all.call(tool, arguments).await;
        }
        // Told, but not held to the target: what the allocator keeps of earlier calls is in it.
        all.show("all of them, one process", index, "");
    }
    assert!(worst <= MOST, "{} MB", mb(worst));
}

fn mb(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

/// The binary over stdio.
struct Session {
    client: Client,
    _state: tempfile::TempDir,
}

impl Session {
    async fn start(index: &str) -> Session {
        let url = std::env::var("CLUSTER_URL").expect("CLUSTER_URL is set");
        let program = std::env::var("LOGS_MCP").unwrap_or_else(|_| env!("CARGO_BIN_EXE_logs-mcp").to_owned());
        let state = tempfile::tempdir().unwrap();
        let mut command = std::process::Command::new(program);
        command.env_clear().env("OBSERVABILITY_MCP_STATE", state.path()).env("USER", "tester");
        command.env("RUST_LOG", "off").env("OPENSEARCH_URL", url);
        command.env("LOGS_MCP__LOGS__0__INDICES", format!("[\"{index}\"]"));
        // An unoptimised binary on a busy machine is to end, too.
        command.env("LOGS_MCP__LIMITS__CALL_DEADLINE_SECONDS", "120");
        command.env("LOGS_MCP__UPSTREAM__UPSTREAM_TIMEOUT_SECONDS", "60");
        let mut client = Client::spawn(command);
        client.connect(Era::Stateless).await;
        Session { client, _state: state }
    }

    /// The first line of the answer.
    async fn call(&self, tool: &str, arguments: Value) -> String {
        let reply = self.client.call(tool, arguments.clone()).await;
        assert!(!reply.is_error, "{tool} {arguments}: {}", reply.text);
        reply.text.lines().next().unwrap_or_default().to_owned()
    }

    /// A row of the table; what is to be compared with the target.
    fn show(&mut self, tool: &str, index: &str, answer: &str) -> u64 {
        let pid = self.client.child().pid();
        let peak = peak_rss_bytes(pid);
        let taken = peak.saturating_sub(file_rss_bytes(pid));
        let answer: String = answer.chars().take(120).collect();
        println!("{tool:<26} {index:<6} {:>14} {:>18}  {answer}", mb(peak), mb(taken));
        if std::env::var_os("LOGS_MCP").is_some() { peak } else { taken }
    }
}
