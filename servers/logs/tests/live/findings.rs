//! The same records asked for in four layouts on three systems, and as a recorded incident: what is found is the same.
//!
//! What may differ, and why, is all in [`findings`], [`Shipped::names_pods`], [`sources`] and [`many_values`]:
//! - evidence, its numbers, cursors, and how many queries of the evidence were left out: they are of the backend;
//! - how a sample was chosen; and over a sample what is told of the records that were read: places and the counts that say
//!   `of those read` in `correlate_logs_with_time`, what merged patterns differ in in `get_error_patterns`;
//! - a line of Fluent Bit goes on with the stack trace, which the other layouts keep in fields of their own;
//! - Serilog names no pod: its answers are those about a recorded incident that names none either;
//! - names and sizes of sources, fields of roles, levels as written;
//! - how many values a field has, where a cluster estimates it.

use serde_json::{Value, json};
use testkit::answer::rows;
use testkit::mcp::{Client, ToolReply};
use tokio::sync::OnceCell;

use crate::{
    cluster::Cluster,
    common,
    lines::{self, Line},
    shipped::Shipped,
};

#[tokio::test]
#[ignore = "needs the testbed"]
async fn opensearch_finds_what_the_recording_shows() {
    finds_what_the_recording_shows("opensearch").await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn elasticsearch_8_finds_what_the_recording_shows() {
    finds_what_the_recording_shows("elasticsearch").await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn elasticsearch_7_finds_what_the_recording_shows() {
    finds_what_the_recording_shows("elasticsearch7").await;
}

fn within(start: &str, end: &str) -> String {
    format!("2026-01-14T{start}:00Z/2026-01-14T{end}:00Z")
}

/// Calls whose whole findings are the same; so few rows each that none is left out for its length.
fn calls() -> Vec<(&'static str, Value)> {
    let (all, before, began) = (within("13:50", "14:20"), within("13:50", "14:00"), within("14:00", "14:04"));
    vec![
        ("search_logs", json!({"query": "*", "time_range": within("14:00", "14:10"), "limit": 5})),
        (
            "search_logs",
            json!({"query": "failed AND NOT order", "time_range": all, "level": "error", "limit": 5}),
        ),
        (
            "search_logs",
            json!({"query": "\"pool exhausted\"", "time_range": all, "service": "payment", "limit": 5}),
        ),
        ("search_logs", json!({"query": "*", "time_range": all, "group_by": "host"})),
        ("search_logs", json!({"query": "exhausted", "time_range": all, "service": "paymnt"})),
        ("get_error_patterns", json!({"time_range": began})),
        ("get_error_patterns", json!({"time_range": began, "service": "payment", "level": "all"})),
        ("get_error_patterns", json!({"time_range": within("14:00", "14:10"), "baseline": before})),
        ("correlate_logs_with_time", json!({"timestamp": "2026-01-14T14:02:45Z", "delta_minutes": 2})),
        (
            "correlate_logs_with_time",
            json!({"timestamp": "2026-01-14T14:02:45Z", "delta_minutes": 2, "service": "payment"}),
        ),
        ("get_log_volume_anomalies", json!({"time_range": all})),
        ("get_log_volume_anomalies", json!({"time_range": all, "service": "payment"})),
        ("extract_stack_traces", json!({"error_query": "*", "time_range": within("14:00", "14:03")})),
        ("extract_stack_traces", json!({"error_query": "failed", "time_range": began, "service": "web"})),
    ]
}

/// What every test compares with.
static EXPECTED: OnceCell<Expected> = OnceCell::const_new();

struct Expected {
    lines: Vec<Line>,
    /// The findings of each call in the recorded incident, and in one whose records name no pod.
    with_pods: Vec<Value>,
    without_pods: Vec<Value>,
}

impl Expected {
    async fn of_recordings() -> Expected {
        let lines = lines::lines();
        let (with_pods, without_pods) = (recording(&lines, true).await, recording(&lines, false).await);
        Expected { lines, with_pods, without_pods }
    }
}

async fn finds_what_the_recording_shows(system: &str) {
    let cluster = Cluster::alone(system).await;
    let Expected { lines, with_pods, without_pods } = EXPECTED.get_or_init(Expected::of_recordings).await;
    for shipped in Shipped::ALL {
        let index = shipped.load(&cluster, lines).await;
        let client = over(&cluster, &index).await;
        let expected = if shipped.names_pods() { with_pods } else { without_pods };
        for ((tool, arguments), expected) in calls().into_iter().zip(expected) {
            let reply = ask(&client, tool, arguments.clone()).await;
            let mut differ = Vec::new();
            differences(expected, &findings(&reply), "", &mut differ);
            assert!(
                differ.is_empty(),
                "{system} {shipped:?} {tool} {arguments} {differ:#?}
{}",
                reply.text
            );
        }
        counted(&client, lines).await;
        sources(&client, shipped, &index, lines).await;
        many_values(&client, lines).await;
    }
}

async fn over(cluster: &Cluster, index: &str) -> Client {
    // A minute later, for the last minute before now is left out where nothing tells how late records arrive.
    let now = lines::window().end() + jiff::SignedDuration::from_secs(60);
    common::connect_to(&common::elasticsearch_at(&cluster.url, index), &now.to_string()).await
}

async fn ask(client: &Client, tool: &str, arguments: Value) -> ToolReply {
    let reply = client.call(tool, arguments).await;
    assert!(!reply.is_error, "{tool}: {}", reply.text);
    reply
}

/// The findings of all calls in the recorded incident.
async fn recording(lines: &[Line], pods: bool) -> Vec<Value> {
    let directory = lines::recorded(lines, pods);
    let client = common::connect(directory.path()).await;
    let mut found = Vec::new();
    for (tool, arguments) in calls() {
        found.push(findings(&ask(&client, tool, arguments).await));
    }
    found
}

/// An answer without what is of the backend.
fn findings(reply: &ToolReply) -> Value {
    let mut answer = told(reply.structured.as_ref().unwrap());
    if let Some(coverage) = answer.get_mut("coverage").and_then(Value::as_object_mut) {
        coverage.remove("queries_omitted");
        if coverage.is_empty() {
            answer.as_object_mut().unwrap().remove("coverage");
        }
    }
    let caveats = answer.pointer("/coverage/caveats").map(Value::to_string).unwrap_or_default();
    let rows = answer.pointer_mut("/tables/0/rows").and_then(Value::as_array_mut);
    for row in rows.into_iter().flatten() {
        if caveats.contains("counts and first moments are of all records") {
            row[4] = Value::Null;
            if row[6].as_str().is_some_and(|records| records.ends_with("of those read")) {
                row[6] = json!("of those read");
            }
        }
        if caveats.contains("numbers without ≈ were counted") && row.get(11).is_some() {
            row[11] = Value::Null;
        }
    }
    answer
}

fn told(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let of_backend = |name: &str| matches!(name, "evidence" | "cursor" | "call_id");
            let kept = object.iter().filter(|(name, _)| !of_backend(name));
            Value::Object(kept.map(|(name, value)| (name.clone(), told(value))).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(told).collect()),
        Value::String(text) => {
            let text = text.replace(", evenly spaced in order of time", "");
            // A level is shown as it is written.
            let text = match text.starts_with("level ") {
                true => text.to_lowercase().replace("level warning", "level warn"),
                false => text,
            };
            let text = without(&text, ": the first ones of each of ", " equal slices of time");
            // How many of the first sample stay beside the second.
            let text = match text.contains("frequent patterns finds") {
                true => without(&without(&text, "patterns of ", " of "), "of those read`: ", " of "),
                false => text,
            };
            // Of a quotation its first line.
            let first = text.split_once("\\n").filter(|(first, _)| first.contains('«'));
            Value::String(first.map_or(text.clone(), |(first, _)| format!("{first}»")))
        }
        other => other.clone(),
    }
}

/// A text without what lies between these two parts of it, and without them.
fn without(text: &str, begin: &str, end: &str) -> String {
    let mut text = text.to_owned();
    while let Some((before, rest)) = text.split_once(begin) {
        let after = rest.split_once(end).map_or("", |(_, after)| after);
        text = format!("{before}{after}");
    }
    text
}

/// Where two answers differ, and what stands there.
fn differences(expected: &Value, found: &Value, path: &str, into: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            one.iter()
                .for_each(|(name, value)| differences(value, &other[name], &format!("{path}/{name}"), into));
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (place, (value, found)) in one.iter().zip(other).enumerate() {
                differences(value, found, &format!("{path}/{place}"), into);
            }
        }
        _ if expected == found => {}
        _ => into.push(format!("{path}: {expected} in the recording, here {found}")),
    }
}

/// What stands first is what stands in the lines themselves.
async fn counted(client: &Client, lines: &[Line]) {
    let reply = ask(
        client,
        "get_error_patterns",
        json!({"time_range": within("14:00", "14:04"), "service": "payment"}),
    )
    .await;
    let end = "2026-01-14T14:04:00Z".parse().unwrap();
    let exhausted = || {
        lines.iter().filter(|line| line.at < end && line.message.starts_with("could not acquire connection"))
    };
    let since = contract::time_text(exhausted().next().unwrap().at);
    let first = &rows(&reply, "patterns")[0];
    assert_eq!(
        (&first[0], &first[1], &first[4]),
        (&json!("new"), &json!(exhausted().count()), &json!(since)),
        "{}",
        reply.text
    );
}

/// Names of sources and fields, and levels as written, are the layout's; numbers are those of the lines.
async fn sources(client: &Client, shipped: Shipped, index: &str, lines: &[Line]) {
    let reply = ask(client, "list_log_sources", json!({})).await;
    let sources = rows(&reply, "sources");
    let ends = [lines.first(), lines.last()].map(|line| json!(contract::time_text(line.unwrap().at)));
    assert_eq!(sources.len(), 1, "{}", reply.text);
    assert_eq!((&sources[0][0], &sources[0][2]), (&json!(index), &json!(lines.len())), "{}", reply.text);
    assert_eq!((&sources[0][4], &sources[0][5], &sources[0][6]), (&ends[0], &ends[1], &json!("green")));
    let fields = rows(&reply, "fields by role");
    for (role, field) in shipped.fields() {
        let found = fields.iter().find(|row| row[0] == role).map_or(&Value::Null, |row| &row[1]);
        assert_eq!(found, field, "{shipped:?} {role} {}", reply.text);
    }
    let services = rows(&reply, "services");
    for row in &services {
        let of_service = lines.iter().filter(|line| line.service == row[0]).count();
        assert_eq!(row[1], of_service, "{}", reply.text);
    }
    assert_eq!(services.len(), 3);
    let levels = rows(&reply, "levels");
    for level in ["info", "warn", "error"] {
        let written = shipped.written(level);
        let of_level = lines.iter().filter(|line| line.level == level).count();
        assert!(
            levels.contains(&vec![json!(written), json!(of_level)]),
            "{shipped:?} {written} {of_level} {}",
            reply.text
        );
    }
    // The observed time of OpenTelemetry is that of the event here: nothing tells when a record was stored.
    assert!(!reply.text.contains("after they happened"), "{}", reply.text);
    assert!(!reply.text.contains("holds JSON documents"), "{}", reply.text);
}

/// A cluster estimates how many values there are of a field that has tens of thousands: the answer says so.
async fn many_values(client: &Client, lines: &[Line]) {
    let arguments =
        json!({"query": "*", "time_range": within("13:50", "14:20"), "group_by": "trace", "limit": 3});
    let reply = ask(client, "search_logs", arguments).await;
    let traces: std::collections::BTreeSet<_> = lines.iter().filter_map(|line| line.trace.as_ref()).collect();
    let verdict = reply.structured.as_ref().unwrap()["verdict"].as_str().unwrap();
    let told = verdict.split("about ").nth(1).unwrap_or_else(|| panic!("{verdict}"));
    let estimate: f64 = told.split(' ').next().unwrap().parse().unwrap();
    assert!((estimate / traces.len() as f64 - 1.0).abs() < 0.05, "{verdict} {}", traces.len());
    assert!(reply.text.contains("is an estimate"), "{}", reply.text);
}
