//! Whole answers about small invented incidents.

use logs_mcp::Config;
use runtime::Loaded;
use serde_json::{Map, Value, json};
use testkit::mcp::{Client, ToolReply};

use crate::{cluster::Cluster, common};

/// The records of the invented incidents are of the first minute of this window.
pub(crate) const WINDOW: &str = "2026-01-14T14:00:00Z/2026-01-14T14:10:00Z";
const NOW: &str = "2026-01-14T14:10:00Z";

/// A tool, its arguments, and all that it must say.
pub(crate) type Case = (&'static str, Value, Value);

/// Mappings of the invented records.
pub(crate) fn mappings() -> Value {
    json!({ "properties": {
        "@timestamp": { "type": "date" }, "message": { "type": "text" }, "log.level": { "type": "keyword" },
        "service": { "properties": { "name": { "type": "keyword" } } },
    }})
}

/// How the roles are told of that many of these records.
pub(crate) fn ecs_fields(records: usize) -> Value {
    let row = |role: &str, field: &str, why: &str| {
        json!([role, field, format!("{why}; in {records} of {records} recent records"), null])
    };
    json!([
        row("time", "@timestamp", "known name"),
        row("message", "message", "known name"),
        row("level", "log.level", "ECS"),
        row("service", "service.name", "ECS"),
    ])
}

/// An index of one shard with these mappings.
pub(crate) fn index(mappings: Value) -> Value {
    json!({ "settings": { "number_of_shards": 1, "number_of_replicas": 0 }, "mappings": mappings })
}

/// A failure of a service in this second of the window.
pub(crate) fn failure(second: usize, service: &str) -> Value {
    json!({
        "@timestamp": format!("2026-01-14T14:00:{second:02}Z"), "message": format!("call {second} failed"),
        "log.level": "error", "service": { "name": service },
    })
}

/// The server over these indices, at the window's end.
pub(crate) async fn over(cluster: &Cluster, indices: &str) -> Client {
    with(&common::elasticsearch_at(&cluster.url, indices)).await
}

/// The server as set up, at the window's end.
pub(crate) async fn with(loaded: &Loaded<Config>) -> Client {
    common::connect_to(loaded, NOW).await
}

/// Asks, and demands that these are the whole answers.
pub(crate) async fn expect(client: &Client, system: &str, cases: Vec<Case>) {
    for (tool, arguments, expected) in cases {
        let reply = client.call(tool, arguments.clone()).await;
        assert_eq!(told(&reply), expected, "{system} {tool} {arguments}\n{}", reply.text);
    }
}

/// Asks the tools that read many records at once, and demands that each answers with these words in it, or refuses with
/// them.
pub(crate) async fn others_say(client: &Client, system: &str, refused: bool, words: &str) {
    for (tool, arguments) in [
        ("get_error_patterns", json!({"time_range": WINDOW})),
        ("get_log_volume_anomalies", json!({"time_range": WINDOW})),
        ("correlate_logs_with_time", json!({"timestamp": "2026-01-14T14:00:10Z"})),
        ("extract_stack_traces", json!({"error_query": "failed", "time_range": WINDOW})),
    ] {
        let reply = client.call(tool, arguments).await;
        assert_eq!(reply.is_error, refused, "{system} {tool}: {}", reply.text);
        assert!(reply.text.contains(words), "{words}: {system} {tool}: {}", reply.text);
    }
}

/// All that an answer says, but evidence, suggestions, baselines, and the bytes that an index takes.
pub(crate) fn told(reply: &ToolReply) -> Value {
    if reply.is_error {
        let lines = reply.text.lines().filter(|line| !line.starts_with("call "));
        return json!({ "error": lines.collect::<Vec<_>>() });
    }
    let answer = reply.structured.as_ref().unwrap();
    let tables = answer["tables"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows = |table: &Value| {
        let mut rows = table["rows"].clone();
        if table["title"] == "sources" {
            rows.as_array_mut().unwrap().iter_mut().for_each(|row| row[3] = json!(row[3].is_number()));
        }
        (table["title"].as_str().unwrap().to_owned(), rows)
    };
    // What came before the window is not what these incidents are about.
    let of_window = |caveat: &&Value| !caveat.as_str().unwrap().contains("baseline");
    let caveats = answer["coverage"]["caveats"].as_array();
    let caveats = caveats.map(|caveats| caveats.iter().filter(of_window).cloned().collect::<Vec<_>>());
    json!({
        "verdict": answer["verdict"],
        "tables": tables.iter().map(rows).collect::<Map<_, _>>(),
        "caveats": caveats,
    })
}
