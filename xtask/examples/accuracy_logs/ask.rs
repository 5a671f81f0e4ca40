//! Asks the server about a case, as a client would, and compares the answer with what is true.

use std::sync::Arc;

use contract::FixedClock;
use logs_mcp::Config;
use runtime::{Engine, Loaded};
use serde_json::{Value, json};
use testkit::mcp::{Client, Era};
use tokio_util::sync::CancellationToken;

use crate::plant::{Case, Incident};

/// How an answer compares.
#[derive(Debug)]
pub(crate) struct Found {
    /// The row, from 1, that tells what was planted with the right class.
    pub(crate) rank: Option<usize>,
    /// Whether that row, or else the first one, names the service.
    pub(crate) service: bool,
    /// Seconds between the onset told and the true one.
    pub(crate) onset_error: Option<f64>,
    /// Other rows that are called new or surging, of an answer of patterns: nothing else was planted.
    pub(crate) others: usize,
    /// For who reads a wrong one.
    pub(crate) verdict: String,
}

impl Found {
    pub(crate) fn right(&self) -> bool {
        self.rank == Some(1) && self.service
    }
}

/// The answer to the question that a case asks.
pub(crate) async fn found(case: &Case) -> Found {
    let directory = recorded(case);
    let client = connect(directory.path(), case).await;
    match case.truth.incident {
        Incident::NewError => patterns(&client, case, "new").await,
        Incident::Surge => patterns(&client, case, "surging").await,
        Incident::Silence => volume(&client, case, &["silence", "drop"]).await,
        Incident::SlowIngest => volume(&client, case, &["late"]).await,
    }
}

fn recorded(case: &Case) -> tempfile::TempDir {
    let now = case.truth.now;
    let start = now - jiff::SignedDuration::from_hours(8 * 24);
    testkit::incident((&start.to_string(), &now.to_string()), &[("logs/all.ndjson", &case.ndjson)])
}

async fn connect(directory: &std::path::Path, case: &Case) -> Client {
    let snapshot = Some(Arc::new(snapshot::Snapshot::open(directory).unwrap()));
    let loaded: Loaded<Config> = Loaded { snapshot, ..Loaded::default() };
    let server = logs_mcp::server(&loaded).unwrap();
    let (engine, _lines) =
        Engine::in_memory(server, &loaded.settings, Arc::new(FixedClock(case.truth.now))).unwrap();
    let mut client = Client::over_memory(|reader, writer| async move {
        engine.serve_lines(reader, writer, "bench", CancellationToken::new()).await.unwrap();
    });
    client.connect(Era::Stateless).await;
    client
}

/// The first table of an answer: rows as (column, value).
fn rows(structured: &Value) -> Vec<Vec<(String, String)>> {
    let table = &structured["tables"][0];
    let columns: Vec<String> = table["columns"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|name| name.as_str().unwrap_or_default().to_owned())
        .collect();
    let cells = |row: &Value| -> Vec<(String, String)> {
        let values = row.as_array().into_iter().flatten().map(|cell| match cell {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        columns.iter().cloned().zip(values).collect()
    };
    table["rows"].as_array().into_iter().flatten().map(cells).collect()
}

fn cell<'a>(row: &'a [(String, String)], column: &str) -> &'a str {
    row.iter().find(|(name, _)| name == column).map_or("", |(_, value)| value)
}

async fn patterns(client: &Client, case: &Case, class: &str) -> Found {
    let reply = client.call("get_error_patterns", json!({"time_range": "1h"})).await;
    let rows = rows(&reply.structured.clone().unwrap_or_default());
    let is_it = |row: &&Vec<(String, String)>| {
        // A number and its unit are one value.
        let text = case.truth.words.replace("{} ms", "{}");
        let mut words =
            text.split(['{', '}', '<', '>', '=', '(', ')']).map(str::trim).filter(|word| word.len() > 3);
        words.all(|word| cell(row, "pattern").contains(word)) && cell(row, "class") == class
    };
    compared(case, &rows, "service", |row| is_it(&row), reply.text)
}

async fn volume(client: &Client, case: &Case, kinds: &[&str]) -> Found {
    let mut arguments = json!({"time_range": "1h"});
    if case.truth.pod.is_some() {
        arguments["service"] = json!(case.truth.service);
    }
    let reply = client.call("get_log_volume_anomalies", arguments).await;
    let rows = rows(&reply.structured.clone().unwrap_or_default());
    let column = "what";
    let is_it = |row: &&Vec<(String, String)>| {
        let named = case.truth.pod.as_ref().unwrap_or(&case.truth.service);
        kinds.contains(&cell(row, "kind")) && cell(row, column).contains(named.as_str())
    };
    compared(case, &rows, column, |row| is_it(&row), reply.text)
}

fn compared(
    case: &Case,
    rows: &[Vec<(String, String)>],
    column: &str,
    is_it: impl Fn(&Vec<(String, String)>) -> bool,
    text: String,
) -> Found {
    let place = rows.iter().position(is_it);
    let told = place.or((!rows.is_empty()).then_some(0)).and_then(|place| rows.get(place));
    let since = told.and_then(|row| cell(row, "since").parse::<jiff::Timestamp>().ok());
    let onset_error =
        place.and(since).map(|since| since.duration_since(case.truth.onset).as_secs_f64().abs());
    let named = told.is_some_and(|row| cell(row, column).contains(&case.truth.service));
    let is_alarm = |row: &[(String, String)]| matches!(cell(row, "class"), "new" | "surging");
    let others = rows.iter().enumerate().filter(|(at, row)| Some(*at) != place && is_alarm(row)).count();
    Found {
        rank: place.map(|place| place + 1),
        service: named,
        onset_error,
        others,
        verdict: text.chars().take(600).collect(),
    }
}
