//! Input schemas as every client accepts them: flat, closed, no references, no unions, no nullables.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

/// The input schema of a request type.
///
/// Clients drop whole servers over `$ref`, `anyOf` or array-valued `type`, so an optional field is simply one
/// that is not in `required`.
#[must_use]
pub fn input<Request: JsonSchema>() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<Request>().to_value();
    let Value::Object(mut root) = schema else { return Map::new() };
    root.remove("title");
    root.remove("description");
    root.insert("additionalProperties".to_owned(), Value::Bool(false));
    if let Some(Value::Object(properties)) = root.get_mut("properties") {
        for property in properties.values_mut() {
            flatten(property);
        }
    }
    root
}

/// Removes what an `Option` field adds, and the noise no client reads.
fn flatten(property: &mut Value) {
    let Value::Object(fields) = property else { return };
    if let Some(Value::Array(choices)) = fields.remove("anyOf") {
        let not_null =
            choices.into_iter().find(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if let Some(Value::Object(inner)) = not_null {
            for (key, value) in inner {
                fields.entry(key).or_insert(value);
            }
        }
    }
    if let Some(Value::Array(types)) = fields.get("type") {
        let first = types.iter().find(|name| *name != "null").cloned();
        fields.insert("type".to_owned(), first.unwrap_or_else(|| Value::from("string")));
    }
    if let Some(Value::Array(values)) = fields.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    for noise in ["format", "default", "minimum", "maximum", "title"] {
        if fields.get(noise).is_some_and(|value| noise != "minimum" && noise != "maximum" || value == 0) {
            fields.remove(noise);
        }
    }
    if let Some(items) = fields.get_mut("items") {
        flatten(items);
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::{Detail, TimeSpec};

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Request {
        /// What to ask.
        promql: String,
        /// When.
        time_range: Option<TimeSpec>,
        /// How many.
        limit: Option<u32>,
        /// How much.
        detail: Option<Detail>,
        /// By which.
        by: Option<Vec<String>>,
    }

    #[test]
    fn a_request_becomes_a_flat_closed_schema() {
        assert_eq!(
            Value::Object(input::<Request>()),
            json!({
                "type": "object",
                "properties": {
                    "promql": {"description": "What to ask.", "type": "string"},
                    "time_range": {"description": "When.", "type": "string"},
                    "limit": {"description": "How many.", "type": "integer"},
                    "detail": {"description": "How much.", "type": "string", "enum": ["concise", "full"]},
                    "by": {"description": "By which.", "type": "array", "items": {"type": "string"}}
                },
                "additionalProperties": false,
                "required": ["promql"]
            })
        );
    }
}
