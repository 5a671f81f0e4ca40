//! An Azure Data Explorer that says one text wherever a text can stand.

use serde_json::{Value, json};
use testkit::recorded::{Recorded, Reply};

/// Rows, one every three minutes up to now.
const ROWS: i64 = 8;
/// 2026-01-14T15:00:00Z in seconds.
const NOW: i64 = 1_768_402_800;

/// Columns of records, and beside them those of every count: a reply to any query.
fn columns(text: &str) -> Vec<(String, &'static str)> {
    let named = [
        ("Timestamp", "datetime"),
        ("TraceID", "string"),
        ("SeverityText", "string"),
        ("Body", "string"),
        ("ResourceAttributes", "dynamic"),
        ("LogsAttributes", "dynamic"),
        (text, "string"),
        ("mcp_at", "datetime"),
        ("mcp_hash", "long"),
        ("n", "long"),
        ("slot", "long"),
        ("key", "string"),
        ("what", "string"),
        ("different", "long"),
        ("first_at", "datetime"),
        ("last_at", "datetime"),
        ("newest", "datetime"),
        ("half", "real"),
        ("most", "real"),
        ("service", "string"),
        ("level", "string"),
        ("pod", "string"),
        ("version", "string"),
    ];
    named.map(|(name, of)| (name.to_owned(), of)).to_vec()
}

fn moment(number: i64) -> String {
    let at = jiff::Timestamp::from_second(NOW - (ROWS - number) * 180);
    at.map(|at| at.to_string()).unwrap_or_default()
}

fn row(text: &str, number: i64) -> Value {
    let (at, is_odd) = (moment(number), number % 2 == 1);
    let either = |plain: &str| if is_odd { text.to_owned() } else { plain.to_owned() };
    let body = either(&format!("request {number} failed: {text}"));
    let resource = json!({"service.name": either("payment"), "service.version": text, "k8s.pod.name": text,
        "host.name": text, text: text});
    let attributes = json!({"exception.type": text, "exception.message": text, text: {text: text},
        "exception.stacktrace": format!("shop.Broken: {text}\n\tat shop.Pool.take(Pool.java:7)\nCaused by: {text}: {text}")});
    json!([
        at,
        either("4bf92f3577b34da6a3ce929d0e0e4736"),
        either("ERROR"),
        body,
        resource,
        attributes,
        text,
        at,
        number,
        // Little at first, in the lead-in and in the window, then much at the window's end.
        if number < ROWS - 2 { 6 } else { 600 },
        if number < ROWS - 2 { number * 15 } else { 110 + number },
        either("payment"),
        if number == 0 { "all" } else { "value" },
        2,
        moment(0),
        at,
        moment(ROWS - 1),
        0.5,
        1.5,
        either("payment"),
        either("ERROR"),
        text,
        text
    ])
}

/// A cluster whose good replies hold the text in every field, and that could not give all.
pub(crate) async fn explorer(text: &str) -> Recorded {
    let backend = Recorded::start().await;
    let listed: Vec<Value> = ["TableName", "DatabaseName", "Folder", "DocString"]
        .map(|name| json!({"ColumnName": name, "DataType": "String"}))
        .to_vec();
    let tables = json!({"Tables": [{"TableName": "Table_0", "Columns": listed, "Rows": [["OTelLogs", text, text, text]]}]});
    let of_records = columns(text).into_iter().take(7);
    let ordered: Vec<Value> = of_records
        .map(|(name, of)| json!({"Name": name, "Type": text, "CslType": of, "DocString": text}))
        .collect();
    let schema = json!({"Name": "OTelLogs", "OrderedColumns": ordered, "DocString": text}).to_string();
    let listed =
        ["TableName", "Schema", "DatabaseName"].map(|name| json!({"ColumnName": name, "DataType": "String"}));
    let schema = json!({"Tables": [{"TableName": "Table_0", "Columns": listed, "Rows": [["OTelLogs", schema, text]]}]});
    let columns: Vec<Value> =
        columns(text).into_iter().map(|(name, of)| json!({"ColumnName": name, "ColumnType": of})).collect();
    let rows: Vec<Value> = (0..ROWS).map(|number| row(text, number)).collect();
    let failure = json!({"error": {"code": text, "message": text, "@message": text, "@type": text, "@permanent": false}});
    let frames = |rows: &[Value]| {
        json!([
            {"FrameType": "DataSetHeader", "IsProgressive": false, "Version": "v2.0"},
            {"FrameType": "DataTable", "TableId": 1, "TableKind": "PrimaryResult", "TableName": text, "Columns": columns,
             "Rows": rows},
            {"FrameType": "DataSetCompletion", "HasErrors": true, "Cancelled": false, "OneApiErrors": [failure]},
        ])
        .to_string()
    };
    // Of windows that end on earlier days: a count of nothing.
    let mut nothing = row(text, 0);
    nothing[9] = json!(0);
    let query = || Reply::to("POST", "/v2/rest/query");
    let ends_on = |day: &str| query().body_has(&format!("\"query_datetimescope_to\":\"{day}"));
    let management = || Reply::to("POST", "/v1/rest/mgmt");
    for reply in [
        management().body_has("\".show tables\"").text(&tables.to_string()),
        management().text(&schema.to_string()),
        query().text(&frames(&rows)),
        ends_on("2026-01-13").text(&frames(&[nothing.clone()])),
        ends_on("2026-01-07").text(&frames(&[nothing])),
    ] {
        backend.reply(reply).await;
    }
    backend
}

/// One that refuses every request with the text in every part of its error.
pub(crate) async fn refusing(text: &str) -> Recorded {
    let inner = json!({"code": text, "@message": text});
    let error = json!({"error": {"code": text, "message": text, "@message": text, "@type": text, "@permanent": true,
        "@context": {"activityId": text}, "innererror": inner}});
    let backend = Recorded::start().await;
    for path in ["/v1/rest/mgmt", "/v2/rest/query"] {
        backend.reply(Reply::to("POST", path).status(400).text(&error.to_string())).await;
    }
    backend
}
