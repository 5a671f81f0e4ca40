//! From raw arguments to a request: whatever is wrong is named, with what to change, before any backend is asked.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{ErrorKind, ToolError, nearest};

/// No argument is longer than this many bytes; PromQL that people write is far shorter.
pub const LONGEST_ARGUMENT: usize = 8_192;

/// Parses the arguments of one call; `schema` is [`crate::schema::input`] of the request type, made once.
///
/// # Errors
/// `invalid_argument`, naming the argument: unknown (with the nearest known name), missing, empty, too long,
/// holding control characters, or of the wrong type.
pub fn parse<Request: DeserializeOwned>(
    schema: &Map<String, Value>,
    arguments: Map<String, Value>,
) -> Result<Request, ToolError> {
    check(schema, &arguments)?;
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
        let field = error.path().to_string();
        let problem = in_words(error.into_inner().to_string());
        ToolError::invalid(&field, &problem).remedy(describe(schema, &field))
    })
}

/// A problem without the names that Rust has for numbers.
fn in_words(problem: String) -> String {
    const WHOLE: [&str; 8] = ["u8", "u16", "u32", "u64", "usize", "i32", "i64", "isize"];
    match problem.rsplit_once("expected ") {
        Some((before, kind)) if WHOLE.contains(&kind) => format!("{before}expected a whole number"),
        Some((before, "f64")) => format!("{before}expected a number"),
        _ => problem,
    }
}

/// Everything that can be said from the schema alone.
fn check(schema: &Map<String, Value>, arguments: &Map<String, Value>) -> Result<(), ToolError> {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let known: Vec<&str> = properties.keys().map(String::as_str).collect();
    for name in arguments.keys() {
        if !properties.contains_key(name) {
            return Err(unknown(name, &known));
        }
    }
    let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for name in required.iter().filter_map(Value::as_str) {
        if arguments.get(name).is_none_or(Value::is_null) {
            return Err(ToolError::invalid(name, "is missing").remedy(describe(schema, name)));
        }
    }
    for (name, value) in arguments {
        check_text(name, value).map_err(|error| error.remedy(describe(schema, name)))?;
    }
    Ok(())
}

fn unknown(name: &str, known: &[&str]) -> ToolError {
    let name: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    let alike = nearest(&name, known.iter().copied(), 1);
    let meant = alike.first().map_or(String::new(), |first| format!("did you mean `{first}`? "));
    ToolError::new(
        ErrorKind::InvalidArgument,
        format!("unknown argument `{name}`"),
        format!("{meant}known arguments: {}", known.join(", ")),
    )
    .nearest(alike)
}

fn check_text(name: &str, value: &Value) -> Result<(), ToolError> {
    match value {
        Value::String(text) if text.trim().is_empty() => Err(ToolError::invalid(name, "is empty")),
        Value::String(text) if text.len() > LONGEST_ARGUMENT => Err(ToolError::invalid(
            name,
            &format!("is {} bytes long; the limit is {LONGEST_ARGUMENT}", text.len()),
        )),
        Value::String(text) => {
            match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
                Some(found) => Err(ToolError::invalid(
                    name,
                    &format!("holds the control character U+{:04X}; send printable text", u32::from(found)),
                )),
                None => Ok(()),
            }
        }
        Value::Array(items) if items.len() > 100 => {
            Err(ToolError::invalid(name, &format!("holds {} items; the limit is 100", items.len())))
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_text(name, item)),
        _ => Ok(()),
    }
}

/// What the argument is for, in the words of its schema.
fn describe(schema: &Map<String, Value>, field: &str) -> String {
    let property = schema.get("properties").and_then(|properties| properties.get(field));
    let text = |key: &str| property.and_then(|p| p.get(key)).and_then(Value::as_str);
    match (text("type"), text("description")) {
        (Some(kind), Some(description)) => format!("`{field}` ({kind}): {description}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::{Detail, TimeSpec, schema};

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsing is looked at")]
    struct Request {
        /// A PromQL expression.
        promql: String,
        /// A window such as `1h`.
        time_range: Option<TimeSpec>,
        /// How many rows.
        limit: Option<u32>,
        /// How much to say.
        detail: Option<Detail>,
    }

    fn refusal(arguments: Value) -> String {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        match parse::<Request>(&schema::input::<Request>(), arguments) {
            Ok(request) => panic!("accepted: {request:?}"),
            Err(error) => format!("{error} | {}", error.parts().remedy),
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_what_to_change() {
        let cases = [
            (
                json!({"promql": "up", "timerange": "1h"}),
                "unknown argument `timerange` | did you mean `time_range`?",
            ),
            (json!({}), "`promql`: is missing | `promql` (string): A PromQL expression."),
            (json!({"promql": null}), "`promql`: is missing"),
            (json!({"promql": "  "}), "`promql`: is empty"),
            (json!({"promql": 5}), "`promql`: invalid type: integer `5`, expected a string"),
            (json!({"promql": "x".repeat(1_000_000)}), "`promql`: is 1000000 bytes long; the limit is 8192"),
            (json!({"promql": "up\u{0}"}), "`promql`: holds the control character U+0000"),
            (
                json!({"promql": "up", "time_range": "soon"}),
                "`time_range`: `soon` is not a time range; use a duration",
            ),
            (
                json!({"promql": "up", "limit": -1}),
                "`limit`: invalid value: integer `-1`, expected a whole number",
            ),
            (
                json!({"promql": "up", "limit": "abc"}),
                "`limit`: invalid type: string \"abc\", expected a whole number | `limit` (integer): How many rows.",
            ),
            (
                json!({"promql": "up", "detail": "all"}),
                "`detail`: unknown variant `all`, expected `concise` or `full`",
            ),
        ];
        for (arguments, expected) in cases {
            let text = refusal(arguments);
            assert!(text.starts_with(expected), "{text}\nexpected {expected}");
        }
    }

    #[test]
    fn null_is_the_same_as_left_out() {
        let Value::Object(arguments) = json!({"promql": "up", "limit": null}) else { unreachable!() };
        assert!(parse::<Request>(&schema::input::<Request>(), arguments).is_ok());
    }
}
