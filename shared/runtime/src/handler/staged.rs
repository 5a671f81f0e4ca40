//! Requests that the conformance suite's fixtures answer. In a shipped server there are none, and what is not declared is
//! not answered: rmcp's defaults would answer with empty lists.

use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolResponse, GetPromptResponse, ReadResourceResponse},
    service::{RequestContext, SubscriptionContext},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use tokio::sync::broadcast::error::RecvError;

use super::{Handler, SERVER_INFO};
use crate::{
    confirm::Binding,
    exchange::{Exchange, is_modern},
    fixtures::{Changed, Round, Staged},
};

impl Handler {
    /// The fixtures' answer to a request that is no call of a tool.
    pub(super) async fn staged<T: DeserializeOwned>(
        &self,
        staged: &Staged,
        method: &'static str,
        params: impl Serialize,
        cx: &RequestContext<RoleServer>,
    ) -> Result<T, ErrorData> {
        let params = serde_json::to_value(params).map_err(internal)?;
        let text = |key: &str| params.get(key).and_then(Value::as_str).map(str::to_owned);
        let responses = params.get("inputResponses").and_then(Value::as_object).cloned();
        let exchange = Exchange::new(cx).answering(responses, text("requestState"));
        let name = text("name").or_else(|| text("uri")).unwrap_or_default();
        let arguments = params.get("arguments").and_then(Value::as_object).cloned().unwrap_or_default();
        let binding = Binding::new(self.about.name, method, &name, &self.principal(cx)?, &arguments);
        let confirmations = &self.guard.confirmations;
        let round = Round { exchange: &exchange, binding: &binding, confirmations, changes: &staged.changes };
        let mut result = staged.fixtures.answer(method, &params, &round).await;
        if let (Ok(Value::Object(result)), true) = (&mut result, is_modern(cx)) {
            self.sign(result);
        }
        typed(result.map_err(crate::fixtures::RpcError::into_error_data)?)
    }

    /// What every result of the new era has: `serverInfo`, and of which kind it is.
    pub(super) fn sign(&self, result: &mut Map<String, Value>) {
        result.entry("resultType").or_insert_with(|| Value::from("complete"));
        let meta = result.entry("_meta").or_insert_with(|| Value::Object(Map::new()));
        if let (Value::Object(meta), Ok(info)) = (meta, serde_json::to_value(self.me())) {
            meta.insert(SERVER_INFO.to_owned(), info);
        }
    }

    /// Passes changes of the lists on until the client goes away.
    pub(super) async fn announce(&self, staged: &Staged, context: &SubscriptionContext) {
        let mut changes = staged.changes.subscribe();
        loop {
            let change = tokio::select! {
                () = context.cancelled() => return,
                change = changes.recv() => change,
            };
            let sink = context.sink();
            // What the client did not ask for is refused by the sink.
            let _ = match change {
                Ok(Changed::Tools) => sink.notify_tool_list_changed().await,
                Ok(Changed::Prompts) => sink.notify_prompt_list_changed().await,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
        }
    }
}

/// A result of a call, of either kind.
pub(super) fn call_response(result: Value) -> Result<CallToolResponse, ErrorData> {
    Ok(if asks(&result) {
        CallToolResponse::InputRequired(typed(result)?)
    } else {
        CallToolResponse::Complete(typed(result)?)
    })
}

pub(super) fn prompt_response(result: Value) -> Result<GetPromptResponse, ErrorData> {
    Ok(if asks(&result) {
        GetPromptResponse::InputRequired(typed(result)?)
    } else {
        GetPromptResponse::Complete(typed(result)?)
    })
}

pub(super) fn resource_response(result: Value) -> Result<ReadResourceResponse, ErrorData> {
    Ok(if asks(&result) {
        ReadResourceResponse::InputRequired(typed(result)?)
    } else {
        ReadResourceResponse::Complete(typed(result)?)
    })
}

fn asks(result: &Value) -> bool {
    result.get("resultType").and_then(Value::as_str) == Some("input_required")
}

fn typed<T: DeserializeOwned>(result: Value) -> Result<T, ErrorData> {
    serde_json::from_value(result).map_err(internal)
}

fn internal(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(format!("a fixture's result is not what the protocol wants: {error}"), None)
}
