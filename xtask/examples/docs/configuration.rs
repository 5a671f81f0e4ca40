//! The reference of the configuration: every key with its type, default and meaning, from the schemas.

use std::{collections::BTreeMap, fs, path::Path};

use metrics_mcp::Config;
use runtime::{ServerConfig, settings::Settings};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use crate::{Failure, cell};

const SERVER: &str = "metrics-mcp";

const WELL_KNOWN: &str = "
## Well-known variables
Each sets one key of the source named `main`, which need not be in the file.

| variable | key |
|---|---|
";

/// The keys of a token: its type is kept out of schemas. A test loads one of each.
const TOKEN: [(&str, &str, &str, &str); 4] = [
    ("name", "text", "required", "Who holds the token: in audit records, and the key of the rate limits."),
    (
        "token_sha256",
        "text",
        "required",
        "`printf %s \"$TOKEN\" \\| sha256sum`; the token itself is never configured.",
    ),
    (
        "scopes",
        "list of texts",
        "required",
        "What the holder may do, such as `[\"metrics:read\"]`, `[\"*:read\"]`.",
    ),
    ("tenant", "text", "unset", "Recorded, and separates caches."),
];

/// One key an operator may set.
struct Key {
    /// Its path; a list has `[]` after its name.
    path: String,
    kind: String,
    default: String,
    meaning: String,
}

/// One table of the file: a section, or a list of sections.
struct Section {
    title: String,
    meaning: String,
    keys: Vec<Key>,
}

/// The reference in `docs/configuration.md`.
pub(crate) fn reference() -> String {
    let mut page = String::from(WELL_KNOWN);
    for known in Config::WELL_KNOWN {
        page.push_str(&format!("| `{}` | `{}[].{}` |\n", known.variable, known.list, known.key));
    }
    for section in sections() {
        page.push_str(&format!("\n## {}\n{}\n", section.title, section.meaning));
        if !section.keys.is_empty() {
            page.push_str("\n| key, environment variable | type | default | meaning |\n|---|---|---|---|\n");
        }
        for key in &section.keys {
            let Key { path, kind, default, meaning } = key;
            page.push_str(&format!(
                "| `{path}`<br>`{}` | {kind} | {default} | {meaning} |\n",
                variable(path)
            ));
        }
    }
    page
}

/// The table in the README.
pub(crate) fn summary() -> String {
    let mut table = String::from("| key | default | meaning |\n|---|---|---|\n");
    for key in sections().into_iter().flat_map(|section| section.keys) {
        table.push_str(&format!("| `{}` | {} | {} |\n", key.path, key.default, key.meaning));
    }
    table
}

/// Each `toml` block of the documents that the server itself would refuse.
pub(crate) fn examples_that_do_not_load(root: &Path) -> Result<Vec<String>, Failure> {
    let scratch = tempfile::NamedTempFile::new()?;
    let mut problems = Vec::new();
    for name in ["README.md", "docs/configuration.md", "SECURITY.md"] {
        for block in crate::read(root, name)?.split("```toml\n").skip(1) {
            fs::write(scratch.path(), block.split("```").next().unwrap_or_default())?;
            if let Err(error) = runtime::load::<Config>(SERVER, Some(scratch.path()), &BTreeMap::new()) {
                problems.push(format!("a configuration in {name} does not load: {}", error.problem));
            }
        }
    }
    Ok(problems)
}

fn sections() -> Vec<Section> {
    let mut all = sections_of(&schema::<Config>());
    all.extend(sections_of(&schema::<Settings>()));
    all
}

fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

fn sections_of(schema: &Value) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut before: Option<(String, &Value)> = None;
    for (name, section) in properties(schema) {
        let (path, title, fields) = match section.get("items") {
            Some(item) => (format!("{name}[]"), format!("`[[{name}]]`"), item),
            None => (name.clone(), format!("`[{name}]`"), section),
        };
        let (mut keys, mut meaning) = (Vec::new(), meaning(section));
        match &before {
            Some((same, known)) if *known == fields => {
                meaning.push_str(&format!(" The keys are those of {same}."))
            }
            _ => collect(&path, fields, None, &mut keys),
        }
        before = Some((title.clone(), fields));
        sections.push(Section { title, meaning, keys });
    }
    sections
}

/// Every key below `path`. `given` is what the section above has there when nothing is set.
fn collect(path: &str, schema: &Value, given: Option<&Value>, keys: &mut Vec<Key>) {
    let required = schema.get("required").and_then(Value::as_array);
    for (name, property) in properties(schema) {
        let path = format!("{path}.{name}");
        if path == "auth.tokens" {
            keys.extend(TOKEN.map(|(name, kind, default, meaning)| {
                key(&format!("{path}[].{name}"), kind, default, meaning)
            }));
            continue;
        }
        let inner = without_null(property);
        let default = given.and_then(|given| given.get(name)).or_else(|| property.get("default"));
        if inner.get("properties").is_some() {
            collect(&path, inner, default, keys);
            continue;
        }
        let is_required = required.is_some_and(|names| names.iter().any(|known| known == name));
        let default = match default {
            None if is_required => "required".to_owned(),
            default => default.map_or_else(|| "unset".to_owned(), shown),
        };
        let path = if kind(inner) == "table" { format!("{path}.NAME") } else { path };
        keys.push(key(&path, &kind(inner), &default, &meaning(property)));
    }
}

fn key(path: &str, kind: &str, default: &str, meaning: &str) -> Key {
    Key {
        path: path.to_owned(),
        kind: kind.to_owned(),
        default: default.to_owned(),
        meaning: meaning.to_owned(),
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// The schema itself, of something that may be left out.
fn without_null(schema: &Value) -> &Value {
    let choices = schema.get("anyOf").and_then(Value::as_array);
    let chosen = choices.and_then(|choices| {
        choices.iter().find(|choice| choice.get("type").is_none_or(|kind| kind != "null"))
    });
    chosen.unwrap_or(schema)
}

fn meaning(schema: &Value) -> String {
    cell(schema.get("description").and_then(Value::as_str).unwrap_or_default())
}

/// The type of a value in the words of an operator.
pub(crate) fn kind(schema: &Value) -> String {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words
            .iter()
            .map(|word| format!("`{}`", word.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(" or ");
    }
    let of_type = |kind: &Value| match kind.as_str() {
        Some("integer") => "number",
        Some("boolean") => "true or false",
        Some("array") => "list",
        Some("object") => "table",
        _ => "text",
    };
    let named = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().find(|kind| *kind != "null").map_or("text", of_type),
        Some(kind) => of_type(kind),
        None => "text",
    };
    match schema.get("items") {
        Some(item) => format!("{named} of {}s", kind(item)),
        None => named.to_owned(),
    }
}

fn shown(default: &Value) -> String {
    match default {
        Value::Null => "unset".to_owned(),
        Value::String(text) if text.is_empty() => "unset".to_owned(),
        Value::String(text) => format!("`{text}`"),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Object(fields) if fields.is_empty() => "none".to_owned(),
        other => format!("`{other}`"),
    }
}

/// `prometheus[].url` is `METRICS_MCP__PROMETHEUS__0__URL` for the first of the list.
fn variable(path: &str) -> String {
    let prefix = SERVER.replace('-', "_");
    format!("{prefix}__{}", path.replace("[]", "__0").replace('.', "__")).to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_sets_the_key_beside_it() {
        for key in sections().into_iter().flat_map(|section| section.keys) {
            let value = BTreeMap::from([(variable(&key.path), "{ not = 'a value of any key' }".to_owned())]);
            let told = runtime::load::<Config>(SERVER, None, &value)
                .err()
                .map_or_else(String::new, |error| error.problem);
            assert!(!told.contains("unknown"), "{}: {told}", key.path);
        }
    }

    #[test]
    fn a_token_has_these_keys_and_no_others() {
        let given = |name: &str| {
            (
                variable(&format!("auth.tokens[].{name}")),
                if name == "scopes" { "[\"a:b\"]" } else { "x" }.to_owned(),
            )
        };
        let all: BTreeMap<String, String> = TOKEN.iter().map(|(name, ..)| given(name)).collect();
        assert_eq!(runtime::load::<Config>(SERVER, None, &all).unwrap().settings.auth.tokens.len(), 1);
        for (name, _, default, _) in TOKEN {
            let fewer = all
                .iter()
                .filter(|(known, _)| **known != given(name).0)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            assert_eq!(
                runtime::load::<Config>(SERVER, None, &fewer).is_err(),
                default == "required",
                "{name}"
            );
        }
    }

    #[test]
    fn defaults_are_those_of_a_server_without_configuration() {
        let keys: BTreeMap<String, String> = sections()
            .into_iter()
            .flat_map(|section| section.keys)
            .map(|key| (key.path, key.default))
            .collect();
        let loaded = runtime::load::<Config>(SERVER, None, &BTreeMap::new()).unwrap();
        let number = |path: &str| keys[path].trim_matches('`').parse::<u64>().unwrap();
        assert_eq!(number("limits.max_calls"), loaded.settings.limits.max_calls as u64);
        assert_eq!(number("rates.heavy.burst"), u64::from(loaded.settings.rates.heavy.burst.get()));
        assert_eq!(number("upstream.max_reply_bytes"), loaded.settings.upstream.max_reply_bytes as u64);
        assert_eq!(number("queries.max_samples"), loaded.config.queries.max_samples);
        assert_eq!(keys["audit.on_failure"], "`refuse`");
        assert_eq!(keys["prometheus[].basic.username"], "required");
        assert_eq!(keys["http.address"], "unset");
    }
}
