//! JSON documents as lists of dotted names and values.

use serde_json::Value;

/// Fields that are read of one document; real ones have some dozens.
const MOST: usize = 1000;

/// Whether a text may be a JSON document.
pub(crate) fn is_document(text: &str) -> bool {
    let text = text.trim();
    text.len() > 2 && text.starts_with('{') && text.ends_with('}')
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
