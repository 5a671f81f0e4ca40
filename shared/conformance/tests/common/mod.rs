//! The test server over memory, with a state directory that its processes share.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use conformance::Flags;
use contract::SystemClock;
use runtime::{Engine, settings::Settings};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::mcp::{Client, Era};
use tokio_util::sync::CancellationToken;

/// What clients say about themselves when they can put a form to a person.
pub fn can_ask() -> Value {
    json!({"elicitation": {"form": {}}})
}

pub fn yes() -> Value {
    json!({"action": "accept", "content": {"confirm": true}})
}

pub fn no() -> Value {
    json!({"action": "decline"})
}

/// One installation: its flags, and its state directory.
pub struct Stage {
    pub flags: Arc<Flags>,
    pub state: TempDir,
    settings: Settings,
}

impl Stage {
    /// With changes offered, as often as a test likes.
    pub fn new() -> Stage {
        let mut stage = Stage::limited();
        stage.settings.rates.write = stage.settings.rates.cheap;
        stage
    }

    /// With changes offered, at their usual rate.
    pub fn limited() -> Stage {
        let mut stage = Stage::reading_only();
        stage.settings.tools.writes = true;
        stage
    }

    /// As an operator gets it who sets nothing.
    pub fn reading_only() -> Stage {
        let state = tempfile::tempdir().unwrap();
        Stage { flags: Arc::default(), state, settings: Settings::default() }
    }

    /// A client of a process of its own.
    pub async fn client(&self, user: &str, era: Era, capabilities: Value) -> Talking {
        let environment: BTreeMap<String, String> =
            [("OBSERVABILITY_MCP_STATE".to_owned(), self.state.path().display().to_string())].into();
        let server = conformance::plain(Arc::clone(&self.flags));
        let engine =
            Engine::start(server, &self.settings, false, Arc::new(SystemClock), &environment).unwrap();
        let user = user.to_owned();
        let client = Client::over_memory(|reader, writer| async move {
            engine.serve_lines(reader, writer, &user, CancellationToken::new()).await.unwrap();
        });
        let mut client = client.with_capabilities(capabilities);
        client.connect(era).await;
        Talking(client)
    }

    /// A client that can put a form to a person.
    pub async fn asking_client(&self, user: &str, era: Era) -> Talking {
        self.client(user, era, can_ask()).await
    }

    /// The records of calls on disk, in their order.
    pub fn records(&self) -> Vec<Value> {
        let mut files: Vec<_> = std::fs::read_dir(self.state.path().join("audit"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        let text: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
        let all = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        all.filter(|record| record.get("event").is_none()).collect()
    }
}

/// A client, and what it says in the course of a confirmation.
pub struct Talking(pub Client);

impl Deref for Talking {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

impl Talking {
    /// Calls, is asked, and returns the state and the message.
    pub async fn asked(&self, tool: &str, arguments: Value) -> (String, String) {
        let reply = self.request("tools/call", json!({"name": tool, "arguments": arguments})).await;
        let result = &reply["result"];
        assert_eq!(result["resultType"], "input_required", "{reply}");
        let asked = result["inputRequests"].as_object().unwrap();
        assert_eq!(asked.keys().collect::<Vec<_>>(), ["confirm"]);
        let message = asked["confirm"]["params"]["message"].as_str().unwrap();
        (result["requestState"].as_str().unwrap().to_owned(), message.to_owned())
    }

    /// Calls again, with an answer.
    pub async fn answer(&self, tool: &str, arguments: Value, state: &str, answer: Value) -> Value {
        let extra = json!({"inputResponses": {"confirm": answer}, "requestState": state});
        self.retry(tool, arguments, extra).await
    }

    /// Calls with these further parameters.
    pub async fn retry(&self, tool: &str, arguments: Value, extra: Value) -> Value {
        let mut params = json!({"name": tool, "arguments": arguments});
        params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        self.request("tools/call", params).await
    }
}
