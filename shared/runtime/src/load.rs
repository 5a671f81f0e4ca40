//! Configuration: defaults, then the file, then the environment. Every key of the file is also an environment
//! variable: `METRICS_MCP__AUDIT__DIRECTORY` is `audit.directory`, `METRICS_MCP__PROMETHEUS__0__URL` the `url` of
//! the first `[[prometheus]]`. The names users know from other tools (`PROMETHEUS_URL`) are a table of the server.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use contract::nearest;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use snapshot::Snapshot;
use thiserror::Error;
use toml::{Table, Value};

use crate::settings::Settings;

/// A well-known environment variable of a server, and the key it sets on the source named `main`.
#[derive(Debug, Clone, Copy)]
pub struct WellKnown {
    /// Name of the variable.
    pub variable: &'static str,
    /// The list of sources, such as `prometheus`.
    pub list: &'static str,
    /// Key of the source; dots go deeper, such as `basic.username`.
    pub key: &'static str,
}

/// What a server adds to the shared settings.
pub trait ServerConfig: DeserializeOwned + JsonSchema + Default + Clone + Send + Sync + 'static {
    /// Environment variables with names of their own.
    const WELL_KNOWN: &'static [WellKnown];

    /// Whether the server has tools that change something: then a person can `approve` calls of them in a terminal.
    const WRITES: bool = false;

    /// Fields that hold the time of documents of logs in a recorded incident, where an operator names them.
    fn times_of_logs(&self, _incident: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Why the configuration can't be used. Never holds a value, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {problem}")]
pub struct LoadError {
    /// File, or environment variable, and key.
    pub place: String,
    /// What is wrong and what to change.
    pub problem: String,
}

fn wrong(place: impl Into<String>, problem: impl Into<String>) -> LoadError {
    LoadError { place: place.into(), problem: problem.into() }
}

/// Everything an operator set.
#[derive(Debug, Clone, Default)]
pub struct Loaded<Config> {
    /// For any server.
    pub settings: Settings,
    /// For this server.
    pub config: Config,
    /// A recorded incident that takes the place of all sources (`--snapshot`).
    pub snapshot: Option<Arc<Snapshot>>,
}

/// Reads the file (if any) and the environment.
///
/// # Errors
/// Names the file or variable and the key, what is wrong and the nearest known key; never a value.
pub fn load<Config: ServerConfig>(
    server: &str,
    file: Option<&Path>,
    environment: &BTreeMap<String, String>,
) -> Result<Loaded<Config>, LoadError> {
    let mut table = match file {
        Some(path) => read(path)?,
        None => Table::new(),
    };
    let place = file.map_or("environment".to_owned(), |path| path.display().to_string());
    for known in Config::WELL_KNOWN {
        if let Some(value) = environment.get(known.variable).filter(|value| !value.is_empty()) {
            set_well_known(&mut table, known, value)?;
        }
    }
    let prefix = format!("{}__", server.to_uppercase().replace('-', "_"));
    for (variable, value) in environment {
        if let Some(path) = variable.strip_prefix(&prefix) {
            let steps: Vec<String> = path.split("__").map(str::to_lowercase).collect();
            set(&mut table, &steps, scalar(value)).map_err(|problem| wrong(variable, problem))?;
        }
    }
    let (shared, own) = split::<Config>(&place, table)?;
    Ok(Loaded { settings: typed(&place, shared)?, config: typed(&place, own)?, snapshot: None })
}

fn read(path: &Path) -> Result<Table, LoadError> {
    let place = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| wrong(&place, format!("can't be read ({error})")))?;
    // The parser's own message quotes the line, which may hold a secret: only the place of it is told.
    text.parse::<Table>().map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        wrong(format!("{place} line {line}"), format!("is not TOML: {}", error.message()))
    })
}

/// Shared keys to the one side, the server's own to the other, unknown ones refused.
fn split<Config: ServerConfig>(place: &str, table: Table) -> Result<(Table, Table), LoadError> {
    let shared_keys = keys::<Settings>();
    let own_keys = keys::<Config>();
    let mut shared = Table::new();
    let mut own = Table::new();
    for (key, value) in table {
        if shared_keys.contains(&key) {
            shared.insert(key, value);
        } else if own_keys.contains(&key) {
            own.insert(key, value);
        } else {
            let known: Vec<&str> = shared_keys.iter().chain(&own_keys).map(String::as_str).collect();
            let meant = nearest(&key, known.iter().copied(), 1);
            let hint = meant.first().map_or(String::new(), |name| format!("did you mean `{name}`? "));
            let shown: String = key.escape_default().take(60).collect();
            return Err(wrong(place, format!("unknown key `{shown}`; {hint}known: {}", known.join(", "))));
        }
    }
    Ok((shared, own))
}

fn keys<T: JsonSchema>() -> Vec<String> {
    let schema = contract::schema::input::<T>();
    let properties = schema.get("properties").and_then(serde_json::Value::as_object);
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

fn typed<T: DeserializeOwned>(place: &str, table: Table) -> Result<T, LoadError> {
    serde_path_to_error::deserialize(table).map_err(|error| {
        let key = error.path().to_string();
        // serde quotes the offending value; all but the expectation is dropped, because it may be a secret.
        let message = error.inner().message().to_owned();
        wrong(format!("{place} key `{key}`"), without_value(&message))
    })
}

/// `invalid type: string "hunter2", expected u32` becomes `invalid type, expected u32`.
fn without_value(message: &str) -> String {
    let head = message.split(':').next().unwrap_or_default();
    match message.rsplit_once(", expected ") {
        Some((_, expected)) if message.starts_with("invalid") => format!("{head}, expected {expected}"),
        _ => message.lines().next().unwrap_or_default().to_owned(),
    }
}

/// Numbers and booleans as such, `[a, b]` as a list, everything else as text.
fn scalar(text: &str) -> Value {
    let parsed = format!("value = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    match parsed {
        Some(value @ (Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Array(_))) => value,
        _ => Value::String(text.to_owned()),
    }
}

/// Sets the value at the end of `steps`; a number as a step is the position in a list.
fn set(table: &mut Table, steps: &[String], value: Value) -> Result<(), String> {
    let Some((first, rest)) = steps.split_first() else { return Ok(()) };
    if first.is_empty() {
        return Err("has an empty step between its double underscores".to_owned());
    }
    let Some((second, deeper)) = rest.split_first() else {
        table.insert(first.clone(), value);
        return Ok(());
    };
    if let Ok(position) = second.parse::<usize>() {
        let list = table.entry(first.clone()).or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(items) = list else { return Err(format!("`{first}` is not a list")) };
        if position > items.len() {
            return Err(format!("position {position} leaves a gap; the next free one is {}", items.len()));
        }
        if position == items.len() {
            items.push(Value::Table(Table::new()));
        }
        if deeper.is_empty() {
            if let Some(item) = items.get_mut(position) {
                *item = value;
            }
            return Ok(());
        }
        return match items.get_mut(position) {
            Some(Value::Table(inner)) => set(inner, deeper, value),
            _ => Err(format!("item {position} of `{first}` is not a section")),
        };
    }
    match table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new())) {
        Value::Table(inner) => set(inner, rest, value),
        _ => Err(format!("`{first}` is not a section")),
    }
}

/// Sets a key of the source named `main` (or the first without a name), adding it when there is none.
fn set_well_known(table: &mut Table, known: &WellKnown, value: &str) -> Result<(), LoadError> {
    let list = table.entry(known.list).or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(items) = list else {
        return Err(wrong(known.list, "must be a list of sections, written as [[name]]"));
    };
    let is_main = |item: &Value| item.get("name").and_then(Value::as_str).is_none_or(|name| name == "main");
    let position = match items.iter().position(is_main) {
        Some(position) => position,
        None => {
            items.push(Value::Table(Table::new()));
            items.len() - 1
        }
    };
    let Some(Value::Table(source)) = items.get_mut(position) else {
        return Err(wrong(known.list, "must be a list of sections, written as [[name]]"));
    };
    let steps: Vec<String> = known.key.split('.').map(str::to_owned).collect();
    set(source, &steps, Value::String(value.to_owned())).map_err(|problem| wrong(known.variable, problem))
}

#[cfg(test)]
mod tests;
