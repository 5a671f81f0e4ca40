//! The reference of the configuration: every key with its type, default and meaning, from the schemas.

use std::{collections::BTreeMap, fs, path::Path};

use runtime::settings::Settings;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use crate::{Failure, cell, servers::Documented, text};

const WELL_KNOWN: &str = "
## Well-known variables
Each sets one key of one source of the list: the first that is named `main` or has no name. Where every source has
another name, or there is none, it adds one without a name at the end: `ALERTMANAGER_URL` then means one more replica.
An empty variable counts as unset. The variables of single keys (`METRICS_MCP__…`) are applied after these and win.

| variable | server | key |
|---|---|---|
";

/// Path, type, default and meaning of a key. After the name of a list stands `[]`.
type Key = [String; 4];

/// The keys of a token: its type has no schema. A test loads one of each.
const TOKEN: [[&str; 4]; 4] = [
    ["name", "text", "required", "Who holds the token: in audit records, and the key of the rate limits."],
    [
        "token_sha256",
        "text",
        "required",
        "What `sha256sum` says of the token; the token itself is never configured.",
    ],
    [
        "scopes",
        "list of texts",
        "required",
        "What the holder may do, such as `[\"metrics:read\"]` or `[\"*:read\"]`.",
    ],
    ["tenant", "text", "unset", "Recorded, and separates caches."],
];

/// What stands in for the name of a server in the variables of keys that all have.
const ANY: &str = "SERVER";

/// One table of the file: a section, or a list of sections.
struct Section {
    title: String,
    meaning: String,
    keys: Vec<Key>,
}

/// The reference in `docs/configuration.md`.
pub(crate) fn reference(servers: &[Documented]) -> String {
    let mut page = String::from(WELL_KNOWN);
    for server in servers {
        for known in server.well_known {
            let (variable, name) = (known.variable, server.about.name);
            page.push_str(&format!("| `{variable}` | `{name}` | `{}[].{}` |\n", known.list, known.key));
        }
    }
    for server in servers {
        page.push_str(&format!("\n## `{}`\n", server.about.name));
        sections_of(&server.schema).iter().for_each(|section| push(section, &server.prefix(), &mut page));
    }
    page.push_str("\n## All servers\nIn variables stands `METRICS_MCP` or `LOGS_MCP` for `SERVER`.\n");
    sections_of(&schema::<Settings>()).iter().for_each(|section| push(section, ANY, &mut page));
    page
}

fn push(section: &Section, prefix: &str, page: &mut String) {
    page.push_str(&format!("\n### {}\n", section.title));
    if !section.meaning.is_empty() {
        page.push_str(&format!("{}\n", section.meaning));
    }
    if !section.keys.is_empty() {
        page.push_str("\n| key, environment variable | type | default | meaning |\n|---|---|---|---|\n");
    }
    for [path, kind, default, meaning] in &section.keys {
        let variable = variable(prefix, path);
        page.push_str(&format!("| `{path}`<br>`{variable}` | {kind} | {default} | {meaning} |\n"));
    }
}

/// The table in the README: what all servers have, and where the rest is.
pub(crate) fn summary(servers: &[Documented]) -> String {
    let mut table = String::from("| key | default | meaning |\n|---|---|---|\n");
    for server in servers {
        for section in sections_of(&server.schema) {
            table.push_str(&format!(
                "| {} | | `{}`: {} |\n",
                section.title, server.about.name, section.meaning
            ));
        }
    }
    for section in sections_of(&schema::<Settings>()) {
        if section.keys.is_empty() {
            table.push_str(&format!("| {} | | {} |\n", section.title, section.meaning));
        }
        for [path, _, default, meaning] in &section.keys {
            table.push_str(&format!("| `{path}` | {default} | {meaning} |\n"));
        }
    }
    table
}

/// Each `toml` block of the documents that no server would load.
pub(crate) fn examples_that_do_not_load(root: &Path, servers: &[Documented]) -> Result<Vec<String>, Failure> {
    let scratch = tempfile::NamedTempFile::new()?;
    let mut problems = Vec::new();
    for name in ["README.md", "docs/configuration.md"] {
        for block in crate::read(root, name)?.split("```toml\n").skip(1) {
            fs::write(scratch.path(), block.split("```").next().unwrap_or_default())?;
            let told = servers.iter().map(|server| (server.loads)(Some(scratch.path()), &BTreeMap::new()));
            let told: Vec<Result<(), String>> = told.collect();
            if let (false, Some(Err(problem))) = (told.iter().any(Result::is_ok), told.first()) {
                problems.push(format!("a configuration in {name} does not load: {problem}"));
            }
        }
    }
    Ok(problems)
}

pub(crate) fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

fn sections_of(schema: &Value) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut before: Option<(String, &Value)> = None;
    for (name, section) in properties(schema) {
        if is_key(section) {
            let key = [
                name.clone(),
                kind(section),
                shown(section.get("default")),
                cell(text(section, "description")),
            ];
            sections.push(Section { title: format!("`{name}`"), meaning: String::new(), keys: vec![key] });
            continue;
        }
        let (path, title, fields) = match section.get("items") {
            Some(item) => (format!("{name}[]"), format!("`[[{name}]]`"), item),
            None => (name.clone(), format!("`[{name}]`"), section),
        };
        let (mut keys, mut meaning) = (Vec::new(), cell(text(section, "description")));
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

/// Whether it is set itself and holds no keys.
fn is_key(section: &Value) -> bool {
    section.get("items").is_none() && section.get("properties").is_none()
}

/// Every key below `path`. `given` is what the section above has there when nothing is set.
fn collect(path: &str, schema: &Value, given: Option<&Value>, keys: &mut Vec<Key>) {
    for (name, property) in properties(schema) {
        let path = format!("{path}.{name}");
        let inner = without_null(property);
        let default = given.and_then(|given| given.get(name)).or_else(|| property.get("default"));
        if path == "auth.tokens" {
            let full = |key: [&str; 4]| key.map(str::to_owned);
            keys.extend(
                TOKEN.map(full).map(|[name, kind, default, meaning]| {
                    [format!("{path}[].{name}"), kind, default, meaning]
                }),
            );
        } else if inner.get("properties").is_some() {
            collect(&path, inner, default, keys);
        } else {
            let kind = kind(inner);
            let path = if kind == "table" { format!("{path}.NAME") } else { path };
            let is_required = default.is_none() && crate::requires(schema, name);
            let default = if is_required { "required".to_owned() } else { shown(default) };
            keys.push([path, kind, default, cell(text(property, "description"))]);
        }
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// The schema itself, of something that may be left out.
fn without_null(schema: &Value) -> &Value {
    let mut choices = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    choices.find(|choice| text(choice, "type") != "null").unwrap_or(schema)
}

/// The type of a value in the words of an operator.
fn kind(schema: &Value) -> String {
    let words: Vec<&str> = schema
        .get("enum")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !words.is_empty() {
        return format!("`{}`", words.join("` or `"));
    }
    let several =
        schema.get("type").and_then(Value::as_array).and_then(|kinds| kinds.first()).and_then(Value::as_str);
    match several.unwrap_or(text(schema, "type")) {
        "integer" => "number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => "list of texts".to_owned(),
        "object" => "table".to_owned(),
        _ => "text".to_owned(),
    }
}

fn shown(default: Option<&Value>) -> String {
    match default {
        None | Some(Value::Null) => "unset".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "unset".to_owned(),
        Some(Value::String(text)) => format!("`{text}`"),
        Some(Value::Array(items)) if items.is_empty() => "none".to_owned(),
        Some(other) => format!("`{other}`"),
    }
}

/// `prometheus[].url` is `METRICS_MCP__PROMETHEUS__0__URL` for the first of the list.
fn variable(prefix: &str, path: &str) -> String {
    format!("{prefix}__{}", path.replace("[]", "__0").replace('.', "__")).to_uppercase()
}

#[cfg(test)]
mod tests {
    use metrics_mcp::Config;

    use super::*;
    use crate::servers;

    fn load(environment: &BTreeMap<String, String>) -> Result<runtime::Loaded<Config>, runtime::LoadError> {
        runtime::load::<Config>("metrics-mcp", None, environment)
    }

    /// Each key of a server with the variable that is told for it.
    fn keys(server: &Documented) -> Vec<Key> {
        let all = sections_of(&server.schema).into_iter().chain(sections_of(&schema::<Settings>()));
        all.flat_map(|section| section.keys).collect()
    }

    #[test]
    fn every_variable_sets_the_key_beside_it() {
        for server in servers::all() {
            let prefix = server.prefix();
            for [path, ..] in keys(&server) {
                let value =
                    BTreeMap::from([(variable(&prefix, &path), "not a value of any number".to_owned())]);
                let told = (server.loads)(None, &value).err().unwrap_or_default();
                assert!(!told.contains("unknown field") && !told.contains("unknown key"), "{path}: {told}");
            }
            let unknown = BTreeMap::from([(variable(&prefix, "http.adress"), "x".to_owned())]);
            assert!((server.loads)(None, &unknown).is_err(), "or this shows nothing");
        }
    }

    #[test]
    fn a_token_has_these_keys_and_needs_the_required_ones() {
        let value = |name: &str| if name == "scopes" { "[\"a:b\"]".to_owned() } else { "x".to_owned() };
        let named = |name| variable("METRICS_MCP", &format!("auth.tokens[].{name}"));
        let given = TOKEN.map(|[name, ..]| (named(name), value(name)));
        assert_eq!(load(&given.clone().into()).unwrap().settings.auth.tokens.len(), 1);
        for (left_out, [name, _, default, _]) in TOKEN.iter().enumerate() {
            let others = given.iter().enumerate().filter(|(index, _)| *index != left_out);
            let fewer = others.map(|(_, pair)| pair.clone()).collect();
            assert_eq!(load(&fewer).is_err(), *default == "required", "{name}");
        }
    }

    #[test]
    fn defaults_are_those_of_a_server_without_configuration() {
        let [metrics, _] = servers::all();
        let all = keys(&metrics).into_iter();
        let shown: BTreeMap<String, String> = all.map(|[path, _, default, _]| (path, default)).collect();
        let number = |path: &str| shown[path].trim_matches('`').parse::<u64>().unwrap();
        let loaded = load(&BTreeMap::new()).unwrap();
        assert_eq!(number("limits.max_calls"), loaded.settings.limits.max_calls as u64);
        assert_eq!(number("rates.heavy.burst"), u64::from(loaded.settings.rates.heavy.burst.get()));
        assert_eq!(number("upstream.max_reply_bytes"), loaded.settings.upstream.max_reply_bytes as u64);
        assert_eq!(number("queries.max_samples"), loaded.config.queries.max_samples);
        assert_eq!(shown["audit.on_failure"], "`refuse`");
        assert_eq!(shown["prometheus[].basic.username"], "required");
        assert_eq!(shown["http.address"], "unset");
    }
}
