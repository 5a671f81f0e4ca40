//! A cluster that answers recorded frames, and checks of everything that reaches it.

mod compiled;
mod failures;
mod questions;
mod tokens;

use contract::Context;
use serde_json::{Value, json};
use testkit::recorded::{Recorded, Reply, Seen};
use upstream::{Limits, SourceConfig};

use super::{Adx, ENDPOINTS, MANAGEMENT, QUERY};
use crate::analysis::kql::{Allowed, check};
use crate::config::LogsConfig;
use crate::model::{Condition, Search};

/// 2026-01-14T15:00:00Z by `date -u -d`.
const NOW: i64 = 1_768_402_800;

fn context() -> Context {
    Context::for_test(jiff::Timestamp::from_second(NOW).unwrap())
}

fn search(text: Option<&str>, conditions: Vec<Condition>) -> Search {
    let at = |text: &str| text.parse().unwrap();
    let window = contract::TimeRange::new(at("2026-01-14T14:00:00Z"), at("2026-01-14T15:00:00Z")).unwrap();
    Search { window, text: text.map(str::to_owned), conditions }
}

/// The columns of the table that the collector of OpenTelemetry fills.
const COLUMNS: &[(&str, &str)] = &[
    ("Timestamp", "datetime"),
    ("TraceID", "string"),
    ("SpanID", "string"),
    ("SeverityText", "string"),
    ("SeverityNumber", "int"),
    ("Body", "string"),
    ("ResourceAttributes", "dynamic"),
    ("LogsAttributes", "dynamic"),
];

fn schema_reply(table: &str, columns: &[(&str, &str)]) -> String {
    let columns: Vec<Value> =
        columns.iter().map(|(name, of)| json!({ "Name": name, "Type": "", "CslType": of })).collect();
    let schema = json!({ "Name": table, "OrderedColumns": columns }).to_string();
    let names = ["TableName", "Schema", "DatabaseName", "Folder", "DocString"];
    let names: Vec<Value> =
        names.iter().map(|name| json!({ "ColumnName": name, "DataType": "String" })).collect();
    json!({ "Tables": [{ "TableName": "Table_0", "Columns": names, "Rows": [[table, schema, "db", "", ""]] }] }).to_string()
}

/// Frames with one result.
fn frames(columns: &[(&str, &str)], rows: Value) -> String {
    let columns: Vec<Value> =
        columns.iter().map(|(name, of)| json!({ "ColumnName": name, "ColumnType": of })).collect();
    json!([
        { "FrameType": "DataSetHeader", "IsProgressive": false, "Version": "v2.0" },
        { "FrameType": "DataTable", "TableId": 1, "TableKind": "PrimaryResult", "TableName": "PrimaryResult",
          "Columns": columns, "Rows": rows },
        { "FrameType": "DataSetCompletion", "HasErrors": false, "Cancelled": false },
    ])
    .to_string()
}

/// One record of the table.
fn record(at: &str, body: &str) -> Value {
    json!([at, "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "ERROR", 17, body,
        { "service.name": "checkout", "service.version": "2.3.1", "k8s.pod.name": "checkout-1" }, {}])
}

/// A cluster with one table of logs, which knows its schema and some records.
struct Fake {
    backend: Recorded,
    adx: Adx,
}

impl Fake {
    async fn start() -> Fake {
        Fake::configured(|_, _| {}).await
    }

    async fn configured(change: impl FnOnce(&mut SourceConfig, &mut LogsConfig)) -> Fake {
        let backend = Recorded::start().await;
        let mut source = SourceConfig { url: backend.url(), ..SourceConfig::default() };
        let mut logs = LogsConfig { database: "observability".to_owned(), ..LogsConfig::default() };
        change(&mut source, &mut logs);
        let tables = json!({ "Tables": [{ "TableName": "Table_0",
            "Columns": [{ "ColumnName": "TableName", "DataType": "String" }], "Rows": [["OTelLogs"], ["Numbers"]] }] });
        backend
            .reply(Reply::to("POST", MANAGEMENT.path).body_has("\".show tables\"").text(&tables.to_string()))
            .await;
        for (table, columns) in [("OTelLogs", COLUMNS), ("Numbers", &[("n", "long")][..])] {
            let command = format!(".show table [\\\"{table}\\\"] schema as json");
            let reply =
                Reply::to("POST", MANAGEMENT.path).body_has(&command).text(&schema_reply(table, columns));
            backend.reply(reply).await;
        }
        let recent = json!([
            record("2026-01-14T14:59:59.1234567Z", "pool exhausted"),
            record("2026-01-14T14:59:58Z", "ok")
        ]);
        let recent = frames(COLUMNS, recent);
        let take = "\\n[\\\"OTelLogs\\\"]\\n| take p0\"";
        backend.reply(Reply::to("POST", QUERY.path).body_has(take).text(&recent)).await;
        let adx = Adx::new(source, &logs, Limits { max_retries: 0, ..Limits::default() }).unwrap();
        Fake { backend, adx }
    }

    /// Answers queries with this in their text.
    async fn answers(&self, part: &str, body: &str) {
        self.backend.reply(Reply::to("POST", QUERY.path).body_has(part).text(body)).await;
    }

    /// The last request's body.
    fn last(&self) -> Value {
        serde_json::from_slice(&self.backend.requests().last().unwrap().body).unwrap()
    }
}

impl Drop for Fake {
    /// Whatever a test was about: nothing may reach a cluster that could do anything but read.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.backend
                .requests()
                .iter()
                .filter(|seen| !seen.path.contains("oauth2"))
                .for_each(assert_reads_only);
        }
    }
}

fn assert_reads_only(seen: &Seen) {
    assert!(ENDPOINTS.iter().any(|endpoint| endpoint.path == seen.path) && seen.method == "POST", "{seen:?}");
    assert_eq!(seen.header("x-ms-client-request-id"), Some("logs-mcp;00000000"));
    assert_eq!(seen.header("x-ms-app"), Some("logs-mcp"));
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(body["db"], "observability");
    let options = &body["properties"]["Options"];
    for option in [
        "request_readonly",
        "request_readonly_hardline",
        "request_callout_disabled",
        "request_external_data_disabled",
        "request_external_table_disabled",
        "request_remote_entities_disabled",
        "request_sandboxed_execution_disabled",
    ] {
        assert_eq!(options[option], true, "{option}");
    }
    for option in [
        "servertimeout",
        "query_take_max_records",
        "truncationmaxrecords",
        "truncationmaxsize",
        "max_memory_consumption_per_query_per_node",
        "query_results_cache_max_age",
    ] {
        assert!(!options[option].is_null(), "{option}");
    }
    let text = body["csl"].as_str().unwrap();
    if seen.path == MANAGEMENT.path {
        let name =
            text.strip_prefix(".show table [\"").and_then(|rest| rest.strip_suffix("\"] schema as json"));
        assert!(text == ".show tables" || name.is_some_and(|name| !name.contains('"')), "{text}");
        return;
    }
    assert!(!options["query_now"].is_null());
    assert_is_one_query(text, &body["properties"]["Parameters"]);
}

/// The text declares exactly the parameters that it is sent with, and is otherwise a query that a caller might send.
fn assert_is_one_query(text: &str, parameters: &Value) {
    let parameters = parameters.as_object().unwrap();
    let (declared, rest) = match text.strip_prefix("declare query_parameters(") {
        Some(rest) => rest.split_once(");\n").unwrap(),
        None => ("", text),
    };
    let names: Vec<&str> =
        declared.split(", ").filter_map(|one| one.split(": ").next()).filter(|one| !one.is_empty()).collect();
    assert_eq!(names, parameters.keys().collect::<Vec<_>>(), "{text}");
    let rest = match rest.strip_prefix("restrict access to (") {
        Some(rest) => rest.split_once(");\n").unwrap().1,
        None => rest,
    };
    check(rest, &Allowed::default()).unwrap_or_else(|refusal| panic!("{refusal}\n{rest}"));
}
