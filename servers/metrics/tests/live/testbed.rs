//! The testbed, asked past the server under test, and sessions with the shipped binary in front of it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

use std::{process::Command, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{
    answer::named_rows,
    mcp::{Client, Era, HttpClient, HttpRequest, ToolReply},
};

use crate::binary;

/// Nobody listens on the discard port, and nobody may without being root.
pub(crate) const NOBODY: &str = "http://127.0.0.1:9";

/// The largest answer, in characters, of each rendering.
const CONCISE: usize = 8_000;
const FULL: usize = 24_000;

/// The URL of a process of the testbed. Whoever runs these tests wants an answer: without it they fail.
pub(crate) fn url(name: &str) -> String {
    let variable = format!("TESTBED_{}_URL", name.to_uppercase().replace('-', "_"));
    std::env::var(&variable).unwrap_or_else(|_| panic!("{variable} is not set: run `cargo xtask test-live`"))
}

/// The server's configuration for the newer Prometheus and both Alertmanagers.
pub(crate) fn everything() -> Vec<(&'static str, String)> {
    vec![
        ("PROMETHEUS_URL", url("prometheus")),
        ("ALERTMANAGER_URL", url("alertmanager")),
        ("METRICS_MCP__ALERTMANAGER__1__NAME", "second".to_owned()),
        ("METRICS_MCP__ALERTMANAGER__1__URL", url("alertmanager-2")),
    ]
}

/// A session with the shipped binary over stdio. End it with [`Session::end`].
pub(crate) struct Session {
    client: Client,
    state: TempDir,
    calls: u64,
}

impl Session {
    pub(crate) async fn start(configuration: &[(&str, String)]) -> Session {
        let configuration: Vec<(&str, &str)> =
            configuration.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let state = tempfile::tempdir().unwrap();
        let mut client = binary::PROGRAM.over_stdio(&state, &configuration);
        client.connect(Era::Stateless).await;
        Session { client, state, calls: 0 }
    }

    pub(crate) async fn tool_names(&self) -> Vec<String> {
        let tools = self.client.list_tools().await;
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    /// A call, whatever comes of it; what comes is never too long.
    pub(crate) async fn call(&mut self, tool: &str, arguments: Value) -> ToolReply {
        let limit = if arguments["detail"] == "full" { FULL } else { CONCISE };
        self.calls += 1;
        let reply = self.client.call(tool, arguments).await;
        let structured = reply.structured.as_ref().unwrap().to_string();
        for rendering in [&reply.text, &structured] {
            let length = rendering.chars().count();
            assert!(length <= limit, "{length} characters: {rendering}");
        }
        reply
    }

    /// A call of which the whole reply message is wanted.
    pub(crate) async fn call_raw(&mut self, tool: &str, arguments: Value) -> Value {
        self.calls += 1;
        self.client.request("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// A call that must be answered.
    pub(crate) async fn answer(&mut self, tool: &str, arguments: Value) -> Answer {
        let reply = self.call(tool, arguments).await;
        assert!(!reply.is_error, "{}", reply.text);
        Answer { structured: reply.structured.unwrap(), text: reply.text }
    }

    /// Closes the input, upon which the server ends by itself; its audit log then has every call and verifies.
    pub(crate) async fn end(mut self) {
        self.client.close_input().await;
        let status = self.client.child().exit_within(Duration::from_secs(5)).await;
        assert!(status.unwrap().success());
        let log = self.state.path().join("audit/metrics-mcp.jsonl");
        let verified =
            binary::PROGRAM.command(&self.state, &[]).args(["audit", "verify"]).arg(log).output().unwrap();
        let said = String::from_utf8(verified.stdout).unwrap();
        assert!(verified.status.success(), "{said}");
        assert!(said.starts_with(&format!("valid: {} calls,", self.calls)), "{said}");
    }
}

/// What a tool answered.
pub(crate) struct Answer {
    pub(crate) structured: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn verdict(&self) -> &str {
        self.structured["verdict"].as_str().unwrap()
    }

    /// The rows of the table of this title, as objects by column name. Empty when there is no such table.
    pub(crate) fn rows(&self, title: &str) -> Vec<Value> {
        named_rows(&self.structured, title)
    }

    /// What `coverage` says about the table of this title: seen, shown, omitted.
    pub(crate) fn coverage(&self, title: &str) -> [u64; 3] {
        let counts = &self.structured["coverage"][title];
        ["seen", "shown", "omitted"]
            .map(|count| counts[count].as_u64().unwrap_or_else(|| panic!("{}", self.text)))
    }

    /// All caveats as one text.
    pub(crate) fn caveats(&self) -> String {
        self.structured["coverage"]["caveats"].to_string()
    }
}

/// What a process of the testbed itself answers to a GET.
pub(crate) async fn get(name: &str, path: &str) -> Value {
    HttpClient::new(&url(name)).send(HttpRequest::new("GET").path(path)).await.json()
}

/// What a Prometheus of the testbed itself answers to an instant query.
pub(crate) async fn ask(name: &str, promql: &str) -> Value {
    let encoded: String = promql.bytes().map(|byte| format!("%{byte:02X}")).collect();
    get(name, &format!("/api/v1/query?query={encoded}")).await
}

/// The value of the only series that a Prometheus of the testbed itself answers with.
pub(crate) async fn value(name: &str, promql: &str) -> f64 {
    let reply = ask(name, promql).await;
    let result = reply["data"]["result"].as_array().unwrap();
    assert_eq!(result.len(), 1, "{reply}");
    result[0]["value"][1].as_str().unwrap().parse().unwrap()
}

/// When the load generator started, in seconds since 1970: its peculiarities are told from then on.
pub(crate) async fn load_started() -> f64 {
    value("prometheus", "max(process_start_time_seconds{job=\"load\"})").await
}

/// Runs a command of the binary; whether it succeeded, and what it printed.
pub(crate) fn run(configuration: &[(&str, String)], arguments: &[&str]) -> (bool, String) {
    let state = tempfile::tempdir().unwrap();
    let mut command: Command = binary::PROGRAM.command(&state, &[]);
    command.envs(configuration.iter().map(|(name, value)| (*name, value))).args(arguments);
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}
