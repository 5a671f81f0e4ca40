//! What every shipped binary does on the wire, over stdio and over HTTP.

use std::time::Duration;

use serde_json::{Value, json};

use crate::mcp::{Era, HttpRequest};
use crate::program::{Program, terminate};
use crate::proxy::{Fault, Misbehaving};

/// How soon a request to a backend must end once nobody wants its answer.
const AT_ONCE: Duration = Duration::from_millis(200);

/// A shipped server.
#[derive(Debug, Clone, Copy)]
pub struct Shipped {
    /// Its binary.
    pub program: Program,
    /// Every tool, in the order in which they are listed.
    pub tools: &'static [&'static str],
    /// The variable that holds a backend's URL.
    pub url: &'static str,
    /// A call that asks that backend.
    pub call: fn() -> (&'static str, Value),
    /// What is said when nothing is configured.
    pub unconfigured: &'static [&'static str],
}

impl Shipped {
    /// Over stdio and in both eras: without any backend everything is listed, and a call says what to configure.
    pub async fn starts_without_any_backend(&self) {
        for era in Era::ALL {
            let state = tempfile::tempdir().unwrap();
            let mut client = self.program.over_stdio(&state, &[]);
            let welcome = client.connect(era).await;
            assert!(welcome["instructions"].as_str().unwrap().len() <= 2_048);
            let capabilities = &welcome["capabilities"];
            assert!(capabilities["tools"].is_object() && capabilities["prompts"].is_object(), "{welcome}");
            assert!(capabilities.get("resources").is_none(), "what is not there is not declared");
            let info = match era {
                Era::Handshake => &welcome["serverInfo"],
                Era::Stateless => &welcome["_meta"]["io.modelcontextprotocol/serverInfo"],
            };
            assert_eq!(info["name"], self.program.name());
            // All crates of the workspace have one version.
            assert_eq!(info["version"], env!("CARGO_PKG_VERSION"), "our version, not the SDK's");
            let tools = client.list_tools().await;
            let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
            assert_eq!(names, self.tools);
            let (tool, arguments) = (self.call)();
            let reply = client.call(tool, arguments).await;
            let missing: Vec<_> =
                self.unconfigured.iter().filter(|part| !reply.text.contains(**part)).collect();
            assert!(reply.is_error && missing.is_empty(), "{missing:?} not in {}", reply.text);
            assert_eq!(reply.structured.unwrap()["error"]["kind"], "not_configured");
        }
    }

    /// Over stdio: a cancelled call stops its request to the backend at once.
    pub async fn stops_what_is_cancelled(&self) {
        let backend = Misbehaving::start(Fault::AcceptAndHang);
        for era in Era::ALL {
            let state = tempfile::tempdir().unwrap();
            let mut client = self.program.over_stdio(&state, &[(self.url, &backend.url())]);
            client.connect(era).await;
            let before = backend.connections();
            let (tool, arguments) = (self.call)();
            let pending = client.begin_call(tool, arguments).await;
            assert!(backend.requests_within(before + 1, Duration::from_secs(5)).await);
            client.notify_cancelled(pending.id()).await;
            assert!(backend.closed_within(AT_ONCE).await.is_some(), "{era:?}");
        }
    }

    /// Over stdio: SIGTERM ends it with success; its audit log verifies, and does not once it was altered.
    pub async fn ends_on_sigterm_with_a_log_that_verifies(&self) {
        let state = tempfile::tempdir().unwrap();
        let mut client = self.program.over_stdio(&state, &[]);
        client.connect(Era::Handshake).await;
        let (tool, arguments) = (self.call)();
        client.call(tool, arguments).await;
        terminate(client.child().pid());
        let status = client.child().exit_within(Duration::from_secs(5)).await.expect("it ends");
        assert!(status.success(), "{status}");
        let log = state.path().join(format!("audit/{}.jsonl", self.program.name()));
        let verified = || {
            let output =
                self.program.command(&state, &[]).args(["audit", "verify"]).arg(&log).output().unwrap();
            (output.status.success(), String::from_utf8(output.stdout).unwrap())
        };
        let (valid, said) = verified();
        assert!(valid && said.starts_with("valid: 1 calls"), "{said}");
        let altered = std::fs::read_to_string(&log).unwrap().replace(tool, &format!("{tool}z"));
        std::fs::write(&log, altered).unwrap();
        let (valid, said) = verified();
        assert!(!valid && said.starts_with("NOT VALID"), "{said}");
    }

    /// Over HTTP: both eras on one endpoint, as JSON, without sessions, each call recorded.
    pub async fn serves_both_eras_over_http(&self) {
        let served = self.program.serve(&[]).await;
        let (tool, arguments) = (self.call)();
        for era in Era::ALL {
            let mut client = served.client();
            client.connect(era).await;
            assert_eq!(client.list_tools().await.len(), self.tools.len(), "{era:?}");
            let reply = client.call(tool, arguments.clone()).await;
            assert!(reply.is_error && reply.text.contains(self.unconfigured[0]), "{}", reply.text);
        }
        let reply = served.mcp().send(list_tools()).await;
        assert_eq!(reply.status, 200);
        let content_type = reply.header("content-type").unwrap();
        assert!(content_type.starts_with("application/json"), "JSON, not an event stream: {content_type}");
        assert_eq!(reply.header("mcp-session-id"), None, "sessions leak memory");
        let result = &reply.json()["result"];
        assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], self.program.name());
        assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(300_000), &json!("private")));
        assert_eq!(result["resultType"], "complete");
        let records = self.program.audited_soon(&served.state, 2).await;
        assert_eq!(records.len(), 2, "{records:?}");
        assert!(records.iter().all(|record| record["transport"] == "http" && record["tool"] == tool));
    }

    /// Over HTTP: a client that goes away stops the request to the backend at once, which is recorded.
    pub async fn stops_for_a_client_that_is_gone(&self) {
        let backend = Misbehaving::start(Fault::AcceptAndHang);
        let served = self.program.serve(&[(self.url, &backend.url())]).await;
        let (tool, arguments) = (self.call)();
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments, "_meta": meta()}});
        let request = HttpRequest::post(&call)
            .header("MCP-Protocol-Version", "2026-07-28")
            .header("Mcp-Method", "tools/call")
            .header("Mcp-Name", tool);
        let mcp = served.mcp();
        let gone = tokio::time::timeout(Duration::from_millis(700), mcp.send(request));
        assert!(gone.await.is_err(), "the backend hangs, so there is no answer yet");
        assert!(backend.closed_within(AT_ONCE).await.is_some(), "the connection to the backend is closed");
        let records = self.program.audited_soon(&served.state, 1).await;
        let [record] = records.as_slice() else { panic!("one record of the call: {records:?}") };
        assert_eq!(record["outcome"], "cancelled");
        assert_eq!(record["upstream"][0]["outcome"], "cancelled", "what was sent is recorded: {record}");
    }

    /// Over HTTP: SIGTERM ends an idle server at once, and one with a call after its grace, which is recorded.
    pub async fn finishes_on_sigterm_over_http(&self) {
        let backend = Misbehaving::start(Fault::AcceptAndHang);
        let mut idle = self.program.serve(&[]).await;
        idle.terminate();
        assert!(idle.exit_within(Duration::from_secs(1)).expect("an idle server ends at once").success());

        let grace = self.program.variable("HTTP__SHUTDOWN_GRACE_SECONDS");
        let mut served = self.program.serve(&[(self.url, &backend.url()), (&grace, "1")]).await;
        let mut client = served.client();
        client.connect(Era::Stateless).await;
        let (tool, arguments) = (self.call)();
        let pending = client.begin_call(tool, arguments).await;
        assert!(backend.requests_within(1, Duration::from_secs(2)).await);
        served.terminate();
        assert!(served.exit_within(Duration::from_secs(4)).expect("it ends after the grace").success());
        drop(pending);
        let records = self.program.audited(&served.state);
        assert_eq!((records.len(), &records[0]["outcome"]), (1, &json!("cancelled")));
    }
}

/// What each request of 2026-07-28 says about its client.
pub fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "wire", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {}
    })
}

/// A complete request of 2026-07-28, to be spoiled by a test.
pub fn list_tools() -> HttpRequest {
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta()}});
    HttpRequest::post(&message)
        .header("MCP-Protocol-Version", "2026-07-28")
        .header("Mcp-Method", "tools/list")
}
