//! A cluster of the testbed, spoken to past the server under test.

use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::mcp::{HttpClient, HttpRequest};
use tokio::sync::{Mutex, MutexGuard};

/// Documents of one request.
const AT_ONCE: usize = 2_000;

/// The systems that every test asks.
pub(crate) const SYSTEMS: [&str; 3] = ["opensearch", "elasticsearch", "elasticsearch7"];

/// Who has each system to itself.
static TURNS: [Mutex<()>; 3] = [const { Mutex::const_new(()) }; 3];

/// A cluster of the testbed.
pub(crate) struct Cluster {
    pub(crate) url: String,
    /// `Basic …`, where it wants to know who asks.
    authorization: Option<&'static str>,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Cluster {
    /// The system of this name once no other test asks it: some change what holds for the whole cluster.
    pub(crate) async fn alone(name: &str) -> Cluster {
        let place = SYSTEMS.iter().position(|system| *system == name).unwrap();
        Cluster { _turn: Some(TURNS[place].lock().await), ..Cluster::of(name) }
    }

    /// The same, asked as somebody.
    #[allow(dead_code, reason = "the tests beside the backend ask as nobody")]
    pub(crate) fn asked_as(self, authorization: &'static str) -> Cluster {
        Cluster { authorization: Some(authorization), ..self }
    }

    /// The system of this name. Fails when it is not up: whoever asks for these tests wants an answer.
    pub(crate) fn of(name: &str) -> Cluster {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let testbed = variable("OBSERVABILITY_MCP_TESTBED").unwrap_or_else(|| {
            let home = || variable("HOME").unwrap().join(".cache");
            variable("XDG_CACHE_HOME").unwrap_or_else(home).join("observability-mcp/testbed")
        });
        let file = testbed.join("run/endpoints.json");
        let text = std::fs::read(&file)
            .unwrap_or_else(|error| panic!("the testbed is not up: {}: {error}", file.display()));
        let endpoints: Value = serde_json::from_slice(&text).unwrap();
        let url = endpoints[name]["url"].as_str().unwrap_or_else(|| panic!("{name} is not up"));
        Cluster { url: url.to_owned(), authorization: None, _turn: None }
    }

    /// Any request, whatever comes of it: status and body.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: impl Into<Vec<u8>>) -> (u16, Value) {
        let kind = if path.contains("/_bulk") { "application/x-ndjson" } else { "application/json" };
        let request = HttpRequest::new(method).path(path).header("content-type", kind).body(body);
        let request = match self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        };
        let reply = HttpClient::new(&self.url).send(request).await;
        let body = if reply.body.is_empty() { Value::Null } else { reply.json() };
        (reply.status, body)
    }

    /// A request that must succeed.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, reply) = self.ask(method, path, body).await;
        assert!(status < 300, "{method} {path}: {status} {reply}");
        reply
    }

    /// An index without anything of an earlier run in it.
    pub(crate) async fn fresh_index(&self, index: &str, body: Value) {
        let (status, reply) = self.ask("DELETE", &format!("/{index}"), "").await;
        assert!(matches!(status, 200 | 404), "{index}: {reply}");
        self.send("PUT", &format!("/{index}"), body).await;
    }

    /// Stores documents, each under its place, and makes them visible.
    pub(crate) async fn store(&self, index: &str, documents: impl Iterator<Item = Value>) {
        self.store_from(index, 0, documents).await;
    }

    /// The same from this place on.
    pub(crate) async fn store_from(&self, index: &str, first: usize, documents: impl Iterator<Item = Value>) {
        let documents: Vec<Value> = documents.collect();
        for (chunk, some) in documents.chunks(AT_ONCE).enumerate() {
            let mut body = String::new();
            for (place, document) in some.iter().enumerate() {
                let id = (first + chunk * AT_ONCE + place).to_string();
                // Data streams want it so.
                body.push_str(&format!("{}\n{document}\n", json!({ "create": { "_id": id } })));
            }
            let (_, reply) = self
                .ask("POST", &format!("/{index}/_bulk?filter_path=errors,error,items.*.error"), body)
                .await;
            assert_eq!(reply["errors"], false, "{reply}");
        }
        self.send("POST", &format!("/{index}/_refresh"), Value::Null).await;
    }

    /// How many documents an index has; `None` when there is no such index.
    pub(crate) async fn count(&self, index: &str) -> Option<u64> {
        let (status, reply) = self.ask("GET", &format!("/{index}/_count"), "").await;
        if status == 404 { None } else { reply["count"].as_u64() }
    }
}
