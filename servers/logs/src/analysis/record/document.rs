//! JSON documents as lists of dotted names and values.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

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
    let mut fields = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(text);
    Flat { name: String::new(), fields: &mut fields }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(fields)
}

/// The fields of one value of this name.
pub(crate) fn flatten(name: &str, value: &Value, fields: &mut Vec<(String, String)>) {
    // Reading what is read already can't fail.
    let _ = Flat { name: name.to_owned(), fields }.deserialize(value);
}

/// Puts the fields of a value of this name where they belong, without a tree of it in between. Without a name only an
/// object is taken.
struct Flat<'f> {
    name: String,
    fields: &'f mut Vec<(String, String)>,
}

impl Flat<'_> {
    fn take<E: Error>(self, value: String) -> Result<(), E> {
        if self.name.is_empty() {
            return Err(E::custom("is not an object"));
        }
        if self.fields.len() < MOST {
            self.fields.push((self.name, value));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Flat<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Flat<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.name.is_empty() { self.take(String::new()) } else { Ok(()) }
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.take(value.to_string())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.take(value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.take(value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.take(Number::from_f64(value).map_or_else(|| value.to_string(), |number| number.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.take(value.to_owned())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<(), E> {
        self.take(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        if self.name.is_empty() {
            return Err(A::Error::custom("is not an object"));
        }
        while self.fields.len() < MOST {
            let one = Flat { name: self.name.clone(), fields: &mut *self.fields };
            if values.next_element_seed(one)?.is_none() {
                return Ok(());
            }
        }
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        while let Some(key) = values.next_key::<String>()? {
            let name = if self.name.is_empty() { key } else { format!("{}.{key}", self.name) };
            if name.is_empty() || self.fields.len() >= MOST {
                values.next_value::<IgnoredAny>()?;
                continue;
            }
            values.next_value_seed(Flat { name, fields: &mut *self.fields })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn objects_become_dotted_names_and_lists_several_fields() {
        let expected = [("a.b", "1"), ("a.c", "x"), ("a.c", "2.5"), ("d", "true"), ("e.f.g", "-3")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let text = r#"{"a":{"b":1,"c":["x",2.5,null]},"d":true,"e":{"f":[{"g":-3}]},"h":null,"i":{},"j":[]}"#;
        assert_eq!(flattened(text), Some(expected));
        for text in ["[1]", "1", "\"x\"", "null", "true", "{\"a\":1", "{\"a\":1} x", ""] {
            assert_eq!(flattened(text), None, "{text}");
        }
    }

    #[test]
    fn a_document_of_too_many_fields_is_read_to_its_end() {
        let list = format!("{{\"a\":[{}],\"b\":{{\"c\":1}}}}", vec!["1"; 2_000].join(","));
        assert_eq!(flattened(&list).unwrap().len(), MOST);
    }

    /// The value as a tree, flattened by the definition.
    fn defined(name: &str, value: &Value, fields: &mut Vec<(String, String)>) {
        match value {
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) => fields.push((name.to_owned(), value.to_string())),
            Value::String(text) => fields.push((name.to_owned(), text.clone())),
            Value::Array(values) => values.iter().for_each(|value| defined(name, value, fields)),
            Value::Object(object) => {
                object.iter().for_each(|(key, value)| defined(&format!("{name}.{key}"), value, fields));
            }
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e300..1e300_f64).prop_map(Value::from),
            "\\PC{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("\\PC{1,3}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_document_is_read_as_its_tree_would_be(value in any_value()) {
            let text = format!("{{\"x\":{value}}}");
            // Numbers are read with the same small error both ways.
            let tree: Value = serde_json::from_str(&text).unwrap();
            let mut expected = Vec::new();
            defined("x", &tree["x"], &mut expected);
            prop_assert_eq!(&flattened(&text), &Some(expected.clone()));
            let mut fields = Vec::new();
            flatten("x", &tree["x"], &mut fields);
            prop_assert_eq!(fields, expected);
        }
    }

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
