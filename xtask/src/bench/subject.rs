//! metrics-mcp as the bench runs it, and the calls that are made.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::fixture;

/// The tool that is measured.
const TOOL: &str = "query_metrics";
const VERSION: &str = "2026-07-28";

/// The server's program and the directory of its audit log, which is a real file here as anywhere.
pub(super) struct Subject {
    pub(super) program: PathBuf,
    pub(super) state: TempDir,
}

impl Subject {
    /// The server with default settings but the rates, which would refuse nearly every call of a bench.
    pub(super) fn command(&self, prometheus: Option<&str>) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().env("OBSERVABILITY_MCP_STATE", self.state.path()).env("USER", "bench");
        for class in ["CHEAP", "RANGE", "HEAVY"] {
            command.env(format!("METRICS_MCP__RATES__{class}__PER_MINUTE"), "100000000");
            command.env(format!("METRICS_MCP__RATES__{class}__BURST"), "10000000");
        }
        if let Some(url) = prometheus {
            command.env("PROMETHEUS_URL", url);
        }
        command
    }
}

/// A `query_metrics` over the last hour of a recorded incident.
pub(super) fn over(promql: &str, window: &str) -> Value {
    call(json!({"promql": promql, "time_range": window}))
}

/// A call that is answered after one query of one moment.
pub(super) fn answered() -> Value {
    call(json!({"promql": "up"}))
}

/// The same, with a query and an id of its own for each number: no two can share a request to the backend, and all can
/// be sent over one connection.
pub(super) fn distinct(number: usize) -> Value {
    let mut call = call(json!({"promql": format!("up{{number!=\"{number}\"}}")}));
    if let Some(message) = call.as_object_mut() {
        message.insert("id".to_owned(), json!(number));
    }
    call
}

/// A call that ends inside the guard: its last argument can't be parsed. No backend is asked.
pub(super) fn refused() -> Value {
    call(json!({"promql": "up", "time_range": "soon"}))
}

/// A call that reads the whole [`fixture`].
pub(super) fn ranged() -> Value {
    call(
        json!({"promql": "sum by (pod) (queue_depth)", "time_range": fixture::WINDOW, "step": fixture::STEP}),
    )
}

/// The request for the list of tools.
pub(super) fn list() -> Value {
    message("tools/list", json!({}))
}

fn call(arguments: Value) -> Value {
    tool_call(TOOL, arguments)
}

/// A call of any tool.
pub(super) fn tool_call(tool: &str, arguments: Value) -> Value {
    message("tools/call", json!({"name": tool, "arguments": arguments}))
}

fn message(method: &str, mut params: Value) -> Value {
    if let Some(params) = params.as_object_mut() {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": VERSION,
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "0"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        params.insert("_meta".to_owned(), meta);
    }
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

/// A call as an HTTP request of the stateless era.
pub(super) fn post(address: SocketAddr, call: &Value) -> Vec<u8> {
    let body = call.to_string();
    let length = body.len();
    format!(
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {VERSION}\r\n\
         Mcp-Method: tools/call\r\nMcp-Name: {TOOL}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The result of a JSON-RPC reply, if it is one and is an error of the tool exactly when `refused` says so.
pub(super) fn result(reply: &str, refused: bool) -> Result<Value, Box<dyn std::error::Error>> {
    let mut reply: Value = serde_json::from_str(reply)?;
    let result = reply.get_mut("result").map(Value::take).unwrap_or_default();
    let is_error = result.get("isError").and_then(Value::as_bool).unwrap_or_default();
    if result.get("content").is_none() || is_error != refused {
        return Err(format!("measure a call: it was answered with {result}{reply}").into());
    }
    Ok(result)
}
