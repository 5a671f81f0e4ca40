//! What a listing of tools must be for every client.

use serde_json::Value;

/// Demands that the tools are listed within 12 KiB and are described, annotated as reads, and have schemas that no client
/// drops a server over.
pub fn check_reads(tools: &[Value]) {
    let listing = serde_json::to_string(tools).unwrap();
    assert!(listing.len() <= 12 * 1024, "tools/list is {} bytes", listing.len());
    for tool in tools {
        let name = tool["name"].as_str().unwrap();
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{name}");
        assert_eq!(tool["annotations"]["openWorldHint"], true, "{name}");
        assert!(tool["title"].as_str().is_some_and(|title| title != name), "{name}: a title for people");
        assert!(tool["description"].as_str().unwrap().len() > 100, "{name}: when to use it, what comes back");
        let hint = tool["_meta"]["anthropic/searchHint"].as_str();
        assert!(hint.is_some_and(|hint| !hint.is_empty()), "{name}");
        check_schema(name, &tool["inputSchema"]);
        let output = serde_json::to_string(&tool["outputSchema"]).unwrap();
        assert!(output.len() < 400 && !output.contains("$ref"), "{name}: {output}");
    }
}

fn check_schema(name: &str, schema: &Value) {
    assert_eq!(schema["type"], "object", "{name}");
    assert_eq!(schema["additionalProperties"], false, "{name}");
    let text = schema.to_string();
    for refused in ["$ref", "$defs", "anyOf", "oneOf", "allOf", "\"null\"", "nullable"] {
        assert!(!text.contains(refused), "{name}: {refused} in {text}");
    }
    for (argument, property) in schema["properties"].as_object().unwrap() {
        assert!(property["type"].is_string(), "{name}.{argument}: one type");
        assert!(
            property["description"].as_str().is_some_and(|text| text.len() > 10),
            "{name}.{argument}: described"
        );
    }
    assert!(schema["properties"].get("source").is_none(), "{name}: one source or none needs no `source`");
}
