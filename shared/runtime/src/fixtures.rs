//! A narrow way past the answer contract, for the conformance suite's fixtures and for nothing else.
//!
//! The suite asks for tools that return pictures, for resources, for prompts with attachments: things that our servers
//! never have, on purpose. `shared/conformance` writes them as plain JSON behind this trait; calls of its tools go
//! through the guard and the transports like any other. No shipped server may implement it (docs/decisions/0011).

use std::{future::Future, pin::Pin, sync::Arc};

use contract::{Card, Context, ToolError};
use rmcp::{ErrorData, model::ErrorCode};
use serde_json::{Map, Value};
use tokio::sync::broadcast;

use crate::{
    call::Call,
    confirm::{Binding, Confirmations, LIFETIME, Unsealed},
    exchange::Exchange,
    registry::{Done, Previewing, Runnable, Running},
};

/// A JSON-RPC error.
#[derive(Debug, Clone, PartialEq)]
pub struct RpcError {
    /// Such as -32602.
    pub code: i32,
    /// For people.
    pub message: String,
    /// `null` for none.
    pub data: Value,
}

impl RpcError {
    pub(crate) fn into_error_data(self) -> ErrorData {
        let data = (!self.data.is_null()).then_some(self.data);
        ErrorData::new(ErrorCode(self.code), self.message, data)
    }
}

/// A result in time, as JSON that goes to the client as it is.
pub type Answered<'a> = Pin<Box<dyn Future<Output = Result<Value, RpcError>> + Send + 'a>>;

/// Fixtures in the protocol's own words.
pub trait Fixtures: Send + Sync + 'static {
    /// The tools, each with the schema of its arguments. They read, whatever they do.
    fn tools(&self) -> Vec<(Card, Map<String, Value>)>;

    /// What the server declares: a `ServerCapabilities` object.
    fn capabilities(&self) -> Value;

    /// Answers a request: `tools/call` (of one of [`Fixtures::tools`]), `prompts/list`, `prompts/get`,
    /// `resources/list`, `resources/templates/list`, `resources/read`, `resources/subscribe`,
    /// `resources/unsubscribe`, `completion/complete`, `logging/setLevel`.
    fn answer<'a>(&'a self, method: &'a str, params: &'a Value, round: &'a Round<'a>) -> Answered<'a>;
}

/// Which list has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// That of tools.
    Tools,
    /// That of prompts.
    Prompts,
}

/// The fixtures and who listens to their changes.
pub(crate) struct Staged {
    pub(crate) fixtures: Arc<dyn Fixtures>,
    pub(crate) changes: broadcast::Sender<Changed>,
}

impl Staged {
    pub(crate) fn new(fixtures: Arc<dyn Fixtures>) -> Arc<Staged> {
        Arc::new(Staged { fixtures, changes: broadcast::channel(16).0 })
    }

    /// The tools, for the registry.
    pub(crate) fn tools(self: &Arc<Self>) -> Vec<Box<dyn Runnable>> {
        let tool = |(card, schema)| Box::new(Staging { card, schema, staged: Arc::clone(self) });
        self.fixtures.tools().into_iter().map(|tool_of| tool(tool_of) as Box<dyn Runnable>).collect()
    }
}

/// One request, as a fixture sees it.
pub struct Round<'a> {
    pub(crate) exchange: &'a Exchange,
    pub(crate) binding: &'a Binding,
    pub(crate) confirmations: &'a Confirmations,
    pub(crate) changes: &'a broadcast::Sender<Changed>,
}

impl Round<'_> {
    /// Whether the client speaks 2026-07-28 or newer.
    #[must_use]
    pub fn is_modern(&self) -> bool {
        self.exchange.modern
    }

    /// Whether the client declared this capability, such as `sampling`.
    #[must_use]
    pub fn client_can(&self, capability: &str) -> bool {
        let declared = serde_json::to_value(&self.exchange.capabilities).unwrap_or_default();
        declared.get(capability).is_some()
    }

    /// `inputResponses`.
    #[must_use]
    pub fn responses(&self) -> &Map<String, Value> {
        &self.exchange.responses
    }

    /// The request's `_meta`.
    #[must_use]
    pub fn meta(&self) -> &Value {
        &self.exchange.meta
    }

    /// Seals a state for this request, as confirmations are sealed.
    ///
    /// # Errors
    /// When the machine gives no random numbers.
    pub fn seal(&self, content: &str) -> Result<String, RpcError> {
        let sealed = self.confirmations.seal.seal(content, &self.binding.text());
        sealed.map_err(|message| RpcError { code: -32603, message, data: Value::Null })
    }

    /// The content of the state that came with this request, used up by this; `None` when none came.
    ///
    /// # Errors
    /// -32602 when it is not ours, not for this request, too old or used.
    pub fn open(&self) -> Result<Option<String>, RpcError> {
        let Some(state) = &self.exchange.state else { return Ok(None) };
        let refused = |message: &str| {
            Err(RpcError { code: -32602, message: format!("requestState {message}"), data: Value::Null })
        };
        match self.confirmations.seal.open(state, &self.binding.text()) {
            Unsealed::Ours { note, content } => match self.confirmations.seal.claim(&note) {
                Ok(true) => Ok(Some(content)),
                _ => refused("was used already"),
            },
            Unsealed::Expired => refused("is too old"),
            Unsealed::Foreign => refused("was not made for this request"),
        }
    }

    /// Sends the client a request of the server's own (handshake era only) and waits for its result.
    ///
    /// # Errors
    /// When the client can't be asked, or answers with an error.
    pub async fn ask(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let asked = self.exchange.ask(method, params, LIFETIME).await;
        asked.map_err(|message| RpcError { code: -32603, message, data: Value::Null })
    }

    /// Sends the client a notification.
    pub async fn tell(&self, method: &str, params: Value) {
        if let Err(error) = self.exchange.tell(method, params).await {
            tracing::debug!(error, method, "a notification could not be sent");
        }
    }

    /// Tells everyone who listens that a list has changed.
    pub fn changed(&self, list: Changed) {
        // Nobody need listen.
        let _ = self.changes.send(list);
    }
}

/// One tool of the fixtures, for the registry.
struct Staging {
    card: Card,
    schema: Map<String, Value>,
    staged: Arc<Staged>,
}

impl Runnable for Staging {
    fn card(&self) -> Card {
        self.card
    }

    fn unlisted(&self) -> &'static [&'static str] {
        &[]
    }

    fn schema(&self) -> Map<String, Value> {
        self.schema.clone()
    }

    fn has_output_schema(&self) -> bool {
        false
    }

    fn preview<'a>(
        &'a self,
        _: &'a Context,
        _: &'a Map<String, Value>,
        _: Map<String, Value>,
    ) -> Previewing<'a> {
        Box::pin(async { Err(ToolError::new(contract::ErrorKind::Internal, "fixtures change nothing", "")) })
    }

    fn run<'a>(
        &'a self,
        _: &'a Context,
        _: &'a Map<String, Value>,
        call: &'a Call,
        confirmations: &'a Confirmations,
        binding: &'a Binding,
    ) -> Running<'a> {
        Box::pin(async move {
            let params = serde_json::json!({"name": call.tool, "arguments": call.arguments});
            let round =
                Round { exchange: &call.exchange, binding, confirmations, changes: &self.staged.changes };
            Ok(Done::Written(self.staged.fixtures.answer("tools/call", &params, &round).await))
        })
    }
}
