//! Clients that can't ask: a person approves in a terminal, with the real binary.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

mod common;

use std::{
    io::Write,
    net::TcpListener,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::mcp::{Client, Era, HttpClient};

const PROGRAM: &str = env!("CARGO_BIN_EXE_conformance-mcp");

fn command(state: &TempDir, user: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().env("OBSERVABILITY_MCP_STATE", state.path()).env("USER", user);
    command.env("CONFORMANCE_MCP__TOOLS__WRITES", "true").env("CONFORMANCE_MCP__PLAIN", "true");
    command
}

async fn client(state: &TempDir, user: &str, era: Era) -> Client {
    let mut client = Client::spawn(command(state, user));
    client.connect(era).await;
    client
}

/// `approve` in a terminal (of util-linux's `script`), with `typed` typed into it.
fn approve(state: &TempDir, code: &str, typed: &str) -> Output {
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &format!("{PROGRAM} approve {code}"), "/dev/null"]);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("OBSERVABILITY_MCP_STATE", state.path()).env("USER", "bob");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // util-linux's `script` must be there.
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{typed}").unwrap();
    child.wait_with_output().unwrap()
}

/// The code in a refusal.
fn code(text: &str) -> String {
    let (_, rest) = text.split_once("approval, code ").unwrap_or_else(|| panic!("no code in {text}"));
    rest.split_whitespace().next().unwrap().to_owned()
}

async fn waiting(client: &Client, arguments: Value) -> String {
    let reply = client.call("set_flag", arguments).await;
    assert!(reply.is_error && reply.text.starts_with("denied: nothing was changed"), "{}", reply.text);
    code(&reply.text)
}

#[tokio::test]
async fn a_person_in_a_terminal_lets_one_call_through() {
    let state = tempfile::tempdir().unwrap();
    for era in Era::ALL {
        let client = client(&state, "ana", era).await;
        let on = json!({"name": format!("{era:?}"), "on": true});
        let first = waiting(&client, on.clone()).await;
        assert_eq!(waiting(&client, on.clone()).await, first, "it waits under one code");

        let shown = approve(&state, &first, "approve");
        let said = String::from_utf8(shown.stdout).unwrap();
        assert!(shown.status.success(), "{said}");
        assert!(said.contains("wants to run set_flag for ana"), "{said}");
        assert!(said.contains("is off and would be on."), "{said}");
        // The user's rate for changes is two at once: a new process begins with all of it.
        let client = self::client(&state, "ana", era).await;
        let done = client.call("set_flag", on.clone()).await;
        // The flags are the process's own, so the preview is what it was.
        assert!(!done.is_error && done.text.contains("is on."), "{}", done.text);
        let again = self::client(&state, "ana", era).await.call("set_flag", on).await;
        assert_ne!(code(&again.text), first, "the approval is used up");
    }
}

#[tokio::test]
async fn anything_but_the_word_approves_nothing() {
    let state = tempfile::tempdir().unwrap();
    let on = json!({"name": "beta", "on": true});
    let first = waiting(&client(&state, "ana", Era::Stateless).await, on.clone()).await;
    for typed in ["", "y", "yes", "approved", "no"] {
        let output = approve(&state, &first, typed);
        assert!(!output.status.success(), "{typed:?}");
    }
    assert_eq!(waiting(&client(&state, "ana", Era::Stateless).await, on).await, first);
    for unknown in ["2222-3333", "../../etc", "''"] {
        assert!(!approve(&state, unknown, "approve").status.success(), "{unknown}");
    }
}

#[tokio::test]
async fn approval_needs_a_terminal() {
    let state = tempfile::tempdir().unwrap();
    let on = json!({"name": "beta", "on": true});
    let first = waiting(&client(&state, "ana", Era::Stateless).await, on.clone()).await;
    let mut child = command(&state, "bob")
        .args(["approve", &first])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended already.
    let _ = writeln!(child.stdin.take().unwrap(), "approve");
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("needs a person at a terminal"));
    assert_eq!(waiting(&client(&state, "ana", Era::Stateless).await, on).await, first);
}

#[tokio::test]
async fn an_approval_is_for_one_caller_and_one_set_of_arguments() {
    let state = tempfile::tempdir().unwrap();
    let on = json!({"name": "beta", "on": true});
    let first = waiting(&client(&state, "ana", Era::Stateless).await, on.clone()).await;
    assert!(approve(&state, &first, "approve").status.success());
    let eve = client(&state, "eve", Era::Stateless).await;
    assert_ne!(waiting(&eve, on.clone()).await, first, "another caller waits");
    let ana = client(&state, "ana", Era::Stateless).await;
    assert_ne!(waiting(&ana, json!({"name": "gamma", "on": true})).await, first, "other arguments wait");
    assert!(!ana.call("set_flag", on).await.is_error, "ana's own goes through");
}

#[tokio::test]
async fn the_approval_and_both_calls_are_in_the_audit_log_which_verifies() {
    let state = tempfile::tempdir().unwrap();
    let on = json!({"name": "beta", "on": true});
    let first = waiting(&client(&state, "ana", Era::Stateless).await, on.clone()).await;
    assert!(approve(&state, &first, "approve").status.success());
    let client = client(&state, "ana", Era::Stateless).await;
    assert!(!client.call("set_flag", on).await.is_error);
    let log = state.path().join("audit/conformance-mcp.jsonl");
    let records: Vec<Value> = std::fs::read_to_string(&log)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|record| record.get("event").is_none())
        .collect();
    let told: Vec<[&str; 4]> = records
        .iter()
        .map(|record| ["principal", "transport", "rule", "outcome"].map(|key| record[key].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ["ana", "stdio", "confirmation pending", "refused"],
            ["bob", "cli", &format!("approved {first} for ana"), "ok"],
            ["ana", "stdio", "approved in a terminal by bob", "ok"],
        ]
    );
    let print = &records[0]["arguments_sha256"];
    assert!(records.iter().all(|record| record["arguments_sha256"] == *print), "the same arguments");
    drop(client);
    let verified = command(&state, "bob").args(["audit", "verify"]).arg(&log).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// The binary serving HTTP; killed when dropped.
struct Served(Child, u16);

impl Served {
    async fn start(state: &TempDir) -> Served {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = command(state, "ana")
            .args(["serve", "--http", &format!("127.0.0.1:{port}")])
            // printf %s ana-token | sha256sum; printf %s eve-token | sha256sum
            .env("CONFORMANCE_MCP__AUTH__TOKENS__0__NAME", "ana")
            .env("CONFORMANCE_MCP__AUTH__TOKENS__0__TOKEN_SHA256", ANA_SHA256)
            .env("CONFORMANCE_MCP__AUTH__TOKENS__0__SCOPES", "[\"conformance:*\"]")
            .env("CONFORMANCE_MCP__AUTH__TOKENS__1__NAME", "eve")
            .env("CONFORMANCE_MCP__AUTH__TOKENS__1__TOKEN_SHA256", EVE_SHA256)
            .env("CONFORMANCE_MCP__AUTH__TOKENS__1__SCOPES", "[\"conformance:*\"]")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let patience = Instant::now() + Duration::from_secs(10);
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(Instant::now() < patience, "the server does not listen");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Served(child, port)
    }

    async fn client(&self, token: &str, era: Era, capabilities: Value) -> common::Talking {
        let http = HttpClient::new(&format!("http://127.0.0.1:{}/mcp", self.1))
            .with_header("Authorization", &format!("Bearer {token}"));
        let mut client = Client::over_http(http).with_capabilities(capabilities);
        client.connect(era).await;
        common::Talking(client)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const ANA_SHA256: &str = "fdb19af2cd8f3f7de8c00cbdd4c4838366cbe4fa2e7ae38ba7f5847e75ad4bb5";
const EVE_SHA256: &str = "90623e5477a896ff088b7223109b65c9f6931b8889a22170c72f733462dd3bac";

#[tokio::test]
async fn over_http_a_yes_is_bound_to_the_holder_of_the_token() {
    let state = tempfile::tempdir().unwrap();
    let served = Served::start(&state).await;
    let on = json!({"name": "beta", "on": true});
    let ana = served.client("ana-token", Era::Stateless, common::can_ask()).await;
    let eve = served.client("eve-token", Era::Stateless, common::can_ask()).await;
    let (sealed, message) = ana.asked("set_flag", on.clone()).await;
    assert!(message.contains("for ana"), "{message}");
    let stolen = eve.answer("set_flag", on.clone(), &sealed, common::yes()).await;
    assert_eq!(stolen["result"]["isError"], true, "{stolen}");
    let done = ana.answer("set_flag", on, &sealed, common::yes()).await;
    assert_eq!(done["result"]["structuredContent"]["verdict"], "beta is on.", "{done}");
}

#[tokio::test]
async fn over_http_nobody_waits_for_an_answer_that_can_not_come() {
    let state = tempfile::tempdir().unwrap();
    let served = Served::start(&state).await;
    let waits = |reply: &Value| {
        let text = reply["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{reply}"));
        assert!(text.contains("waits for a person's approval"), "{text}");
    };
    let call = json!({"name": "set_flag", "arguments": {"name": "beta", "on": true}});
    // Without a session an old-era client can't be asked, whatever it has declared, or declares again in its request.
    let old = served.client("ana-token", Era::Handshake, common::can_ask()).await;
    waits(&old.request("tools/call", call.clone()).await);
    let mut claiming = call.clone();
    claiming["_meta"] = json!({"io.modelcontextprotocol/clientCapabilities": common::can_ask()});
    waits(&old.request("tools/call", claiming).await);
    // A client that can only open links can't show a form.
    let links = json!({"elicitation": {"url": {}}});
    let new = served.client("eve-token", Era::Stateless, links).await;
    waits(&new.request("tools/call", call).await);
}
