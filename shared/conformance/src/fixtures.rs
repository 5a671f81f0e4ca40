//! The suite's fixtures: what it calls them, and what it wants back.

mod asking;
mod content;
mod prompts;
mod resources;
mod telling;

use std::sync::atomic::{AtomicUsize, Ordering};

use contract::{Card, Cost, Effect};
use runtime::{Answered, Fixtures, Round, RpcError};
use serde_json::{Map, Value, json};

/// What every fixture gives back.
type Result<T = Value> = std::result::Result<T, RpcError>;

/// Severities of log messages, the mildest first.
const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// All fixtures.
#[derive(Debug, Default)]
pub(crate) struct Suite {
    /// What `logging/setLevel` set, as a position in [`LEVELS`].
    level: AtomicUsize,
}

impl Fixtures for Suite {
    fn tools(&self) -> Vec<(Card, Map<String, Value>)> {
        let plain = json!({"type": "object", "properties": {}, "additionalProperties": false});
        let words = |name: &str| json!({"type": "object", "properties": {name: {"type": "string", "description": "A text."}}, "required": [name]});
        let schema = |name: &str| match name {
            "json_schema_2020_12_tool" => content::rich_schema(),
            "test_sampling" => words("prompt"),
            "test_elicitation" => words("message"),
            "test_x_mcp_header" => json!({"type": "object", "properties": {
                "region": {"type": "string", "description": "A text.", "x-mcp-header": "Region"}}}),
            _ => plain.clone(),
        };
        TOOLS.iter().filter_map(|name| Some((card(name), schema(name).as_object()?.clone()))).collect()
    }

    fn capabilities(&self) -> Value {
        json!({
            "tools": {"listChanged": true},
            "prompts": {"listChanged": true},
            "resources": {"subscribe": true, "listChanged": true},
            "completions": {},
            "logging": {}
        })
    }

    fn answer<'a>(&'a self, method: &'a str, params: &'a Value, round: &'a Round<'a>) -> Answered<'a> {
        Box::pin(async move {
            match method {
                "tools/call" => self.call(params, round).await,
                "prompts/list" => Ok(prompts::list()),
                "prompts/get" => prompts::get(params, round),
                "resources/list" => Ok(resources::list()),
                "resources/templates/list" => Ok(resources::templates()),
                "resources/read" => resources::read(text(params, "uri")),
                "resources/subscribe" | "resources/unsubscribe" => Ok(json!({})),
                "completion/complete" => Ok(
                    json!({"completion": {"values": ["paris", "park", "party"], "total": 3, "hasMore": false}}),
                ),
                "logging/setLevel" => self.set_level(text(params, "level")),
                _ => Err(RpcError { code: -32601, message: method.to_owned(), data: Value::Null }),
            }
        })
    }
}

impl Suite {
    async fn call(&self, params: &Value, round: &Round<'_>) -> Result {
        let arguments = params.get("arguments").cloned().unwrap_or_default();
        let name = text(params, "name");
        match name {
            "test_sampling" => telling::sampling(round, text(&arguments, "prompt")).await,
            "test_elicitation" => telling::elicitation(round, text(&arguments, "message")).await,
            "test_elicitation_sep1034_defaults" => telling::form(round, telling::defaults()).await,
            "test_elicitation_sep1330_enums" => telling::form(round, telling::enums()).await,
            "test_tool_with_progress" => telling::progress(round).await,
            "test_tool_with_logging" | "test_logging_tool" => {
                telling::logging(round, self.lets_through("info")).await
            }
            "test_trigger_tool_change" | "test_trigger_prompt_change" => Ok(telling::change(round, name)),
            _ => match content::result(name) {
                Some(result) => Ok(result),
                None => asking::call(name, round),
            },
        }
    }

    fn set_level(&self, level: &str) -> Result {
        let Some(position) = LEVELS.iter().position(|known| *known == level) else {
            return Err(invalid("no such level"));
        };
        self.level.store(position, Ordering::Relaxed);
        Ok(json!({}))
    }

    fn lets_through(&self, level: &str) -> bool {
        LEVELS.iter().position(|known| *known == level) >= Some(self.level.load(Ordering::Relaxed))
    }
}

const TOOLS: [&str; 28] = [
    "json_schema_2020_12_tool",
    "test_audio_content",
    "test_elicitation",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_embedded_resource",
    "test_error_handling",
    "test_image_content",
    "test_input_required_result_capabilities",
    "test_input_required_result_elicitation",
    "test_input_required_result_list_roots",
    "test_input_required_result_multi_round",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_request_state",
    "test_input_required_result_sampling",
    "test_input_required_result_tampered_state",
    "test_logging_tool",
    "test_missing_capability",
    "test_multiple_content_types",
    "test_reconnection",
    "test_sampling",
    "test_simple_text",
    "test_streaming_elicitation",
    "test_tool_with_logging",
    "test_tool_with_progress",
    "test_trigger_prompt_change",
    "test_trigger_tool_change",
    "test_x_mcp_header",
];

const fn card(name: &'static str) -> Card {
    Card {
        name,
        title: "A fixture",
        description: "A fixture of the MCP conformance suite.",
        search_hint: "fixture",
        effect: Effect::Read,
        cost: Cost::Cheap,
        scope: "conformance:read",
    }
}

/// A member that is a text, or nothing.
fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A result of one text.
fn said(text: impl Into<String>) -> Value {
    json!({"content": [{"type": "text", "text": text.into()}]})
}

/// A result that says that the tool failed.
fn failed(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}], "isError": true})
}

fn invalid(message: impl Into<String>) -> RpcError {
    RpcError { code: -32602, message: message.into(), data: Value::Null }
}
