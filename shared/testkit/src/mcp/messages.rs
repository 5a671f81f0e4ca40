//! The form of messages in both eras. Pure.

use serde_json::{Map, Value, json};

/// The key prefix of the protocol's own entries in `_meta`.
const META: &str = "io.modelcontextprotocol/";

/// A revision of the protocol, of the two kinds there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// 2025-11-25: `initialize`, `notifications/initialized`, then plain requests.
    Handshake,
    /// 2026-07-28: no handshake; every request says version, client and capabilities in `params._meta`.
    Stateless,
}

impl Era {
    /// Both, for tests that go through them.
    pub const ALL: [Self; 2] = [Self::Handshake, Self::Stateless];

    /// The revision's date, as it stands in messages and headers.
    pub fn version(self) -> &'static str {
        match self {
            Self::Handshake => "2025-11-25",
            Self::Stateless => "2026-07-28",
        }
    }
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolReply {
    /// Whether the result says `isError`.
    pub is_error: bool,
    /// The text blocks, a line break between two.
    pub text: String,
    /// `structuredContent`, if there is any.
    pub structured: Option<Value>,
    /// The whole result object.
    pub raw: Value,
}

impl ToolReply {
    pub(super) fn of(result: Value) -> Self {
        let blocks = result["content"].as_array().map(Vec::as_slice).unwrap_or_default();
        let texts: Vec<&str> = blocks.iter().filter_map(|block| block["text"].as_str()).collect();
        Self {
            is_error: result["isError"] == json!(true),
            text: texts.join("\n"),
            structured: result.get("structuredContent").cloned(),
            raw: result,
        }
    }
}

/// What a client says about itself.
pub(super) fn client_info() -> Value {
    json!({"name": "testkit", "version": "0"})
}

/// A request, completed with what the era asks of each. Entries of `_meta` that `params` has already are
/// kept. Without an era nothing is added.
pub(super) fn request(era: Option<Era>, capabilities: &Value, id: i64, method: &str, params: Value) -> Value {
    let mut message = json!({"jsonrpc": "2.0", "id": id, "method": method});
    if era == Some(Era::Stateless) {
        message["params"] = with_meta(params, capabilities);
    } else if !params.is_null() {
        message["params"] = params;
    }
    message
}

fn with_meta(params: Value, capabilities: &Value) -> Value {
    let mut params = if params.is_null() { json!({}) } else { params };
    let own = [
        ("protocolVersion", json!(Era::Stateless.version())),
        ("clientInfo", client_info()),
        ("clientCapabilities", capabilities.clone()),
    ];
    let fields = params.as_object_mut().expect("params that are an object");
    let meta = fields.entry("_meta").or_insert_with(|| Value::Object(Map::new()));
    let meta = meta.as_object_mut().expect("_meta that is an object");
    for (key, value) in own {
        meta.entry(format!("{META}{key}")).or_insert(value);
    }
    params
}

/// A notification.
pub(super) fn notification(method: &str, params: Value) -> Value {
    let mut message = json!({"jsonrpc": "2.0", "method": method});
    if !params.is_null() {
        message["params"] = params;
    }
    message
}

/// The headers that go with a message over HTTP, besides those that every POST has.
pub(super) fn headers(era: Option<Era>, message: &Value) -> Vec<(String, String)> {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let method = message["method"].as_str().unwrap_or_default();
    let Some(era) = era else { return Vec::new() };
    let version = header("MCP-Protocol-Version", era.version());
    match era {
        // The version is agreed by the reply to this very request.
        Era::Handshake if method == "initialize" => Vec::new(),
        Era::Handshake => vec![version],
        Era::Stateless => {
            let mut headers = vec![version, header("Mcp-Method", method)];
            headers.extend(name_of(method, &message["params"]).map(|name| header("Mcp-Name", name)));
            headers
        }
    }
}

fn name_of<'a>(method: &str, params: &'a Value) -> Option<&'a str> {
    match method {
        "tools/call" | "prompts/get" => params["name"].as_str(),
        "resources/read" => params["uri"].as_str(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stateless_request_carries_version_client_and_capabilities() {
        let message = request(
            Some(Era::Stateless),
            &json!({"elicitation": {"form": {}}}),
            3,
            "tools/list",
            Value::Null,
        );
        assert_eq!(
            message,
            json!({"jsonrpc": "2.0", "id": 3, "method": "tools/list", "params": {"_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "testkit", "version": "0"},
                "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}}})
        );
    }

    #[test]
    fn meta_of_the_caller_is_kept() {
        let own =
            json!({"_meta": {"progressToken": 1, "io.modelcontextprotocol/protocolVersion": "2099-01-01"}});
        let meta = request(Some(Era::Stateless), &json!({}), 1, "ping", own)["params"]["_meta"].clone();
        assert_eq!(meta["progressToken"], 1);
        assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2099-01-01");
        assert_eq!(meta["io.modelcontextprotocol/clientCapabilities"], json!({}));
    }

    #[test]
    fn a_request_of_the_handshake_era_is_plain() {
        let message = request(Some(Era::Handshake), &json!({}), 2, "tools/list", Value::Null);
        assert_eq!(message, json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}));
    }

    #[test]
    fn stateless_headers_name_the_method_and_its_object() {
        let named = |method: &str, params: Value| {
            let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
            let headers = headers(Some(Era::Stateless), &message);
            headers.into_iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
        };
        let version = "MCP-Protocol-Version: 2026-07-28";
        assert_eq!(named("tools/list", json!({})), [version, "Mcp-Method: tools/list"]);
        assert_eq!(
            named("tools/call", json!({"name": "delete"})),
            [version, "Mcp-Method: tools/call", "Mcp-Name: delete"]
        );
        assert_eq!(named("resources/read", json!({"uri": "k8s://a"}))[2], "Mcp-Name: k8s://a");
    }

    #[test]
    fn the_handshake_itself_names_no_version_in_its_headers() {
        let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize"});
        let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
        assert_eq!(headers(Some(Era::Handshake), &initialize), []);
        let expected = ("MCP-Protocol-Version".to_owned(), "2025-11-25".to_owned());
        assert_eq!(headers(Some(Era::Handshake), &list), [expected]);
    }

    #[test]
    fn a_tool_reply_joins_text_blocks_and_tells_an_error() {
        let raw = json!({"content": [{"type": "text", "text": "a"}, {"type": "image", "data": ""}, {"type": "text", "text": "b"}],
            "structuredContent": {"n": 1}, "isError": true});
        let reply = ToolReply::of(raw.clone());
        assert_eq!((reply.is_error, reply.text.as_str()), (true, "a\nb"));
        assert_eq!((reply.structured, reply.raw), (Some(json!({"n": 1})), raw));
        assert!(!ToolReply::of(json!({"content": []})).is_error);
    }
}
