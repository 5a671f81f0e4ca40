//! JSON documents as lists of dotted names and values.

use serde_json::Value;

/// Fields that are read of one document; real ones have some dozens.
const MOST: usize = 1000;

/// Whether a text may be a JSON document that says something; `{Message}` of Serilog's templates is none.
pub(crate) fn is_document(text: &str) -> bool {
    let inside = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim_start().starts_with('"'))
}

/// The fields of a JSON object in its order; `None` where it is none. Objects become dotted names, lists become several
/// fields of one name as search engines see them, `null` becomes nothing.
pub(crate) fn flattened(text: &str) -> Option<Vec<(String, String)>> {
    let value: Value = serde_json::from_str(text).ok()?;
    let object = value.as_object()?;
    let mut fields = Vec::new();
    for (name, value) in object {
        flatten(name, value, &mut fields);
    }
    Some(fields)
}

/// The fields of one value of this name.
pub(crate) fn flatten(name: &str, value: &Value, fields: &mut Vec<(String, String)>) {
    if fields.len() >= MOST {
        return;
    }
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => fields.push((name.to_owned(), value.to_string())),
        Value::String(text) => fields.push((name.to_owned(), text.clone())),
        Value::Array(values) => values.iter().for_each(|value| flatten(name, value, fields)),
        Value::Object(object) => {
            for (key, value) in object {
                flatten(&format!("{name}.{key}"), value, fields);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_or_set_is_no_document() {
        for (text, is) in [
            (r#"{"a":1}"#, true),
            (" {\n \"a\": 1 }\n", true),
            ("{Message}", false),
            ("{} done {}", false),
            ("{}", false),
            ("{", false),
        ] {
            assert_eq!(is_document(text), is, "{text}");
        }
    }
}
