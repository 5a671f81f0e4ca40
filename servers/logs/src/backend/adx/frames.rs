//! Replies: the frames of `/v2/rest/query`, whole or in fragments, and the tables of `/v1/rest/mgmt`.
//!
//! A reply with HTTP 200 can still be a failure, in part or as a whole: rows that are errors, `HasErrors`, `OneApiErrors`,
//! `Cancelled`, or frames that end before the last one.

use serde::Deserialize;
use serde_json::Value;

/// A table of a reply.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Table {
    /// Name and type of each column.
    pub(super) columns: Vec<(String, String)>,
    /// Values by column.
    pub(super) rows: Vec<Vec<Value>>,
}

impl Table {
    /// The place of a column.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|(column, _)| column == name)
    }

    /// A value of a row.
    pub(super) fn value<'t>(&self, row: &'t [Value], name: &str) -> Option<&'t Value> {
        row.get(self.column(name)?).filter(|value| !value.is_null())
    }
}

/// What a reply holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Frames {
    /// The tables with kind `PrimaryResult`, in order.
    pub(super) primary: Vec<Table>,
    /// What went wrong within it.
    pub(super) failures: Vec<Failure>,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// Such as `LimitsExceeded`.
    pub(super) code: String,
    /// In the server's words.
    pub(super) message: String,
    /// Whether asking again the same way is of no use.
    pub(super) permanent: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Frame {
    frame_type: String,
    table_id: i64,
    table_kind: String,
    table_fragment_type: String,
    columns: Vec<Column>,
    rows: Vec<Value>,
    has_errors: bool,
    cancelled: bool,
    one_api_errors: Vec<Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Column {
    column_name: String,
    column_type: String,
    data_type: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct OldReply {
    tables: Vec<Frame>,
}

/// Reads the frames of a query.
///
/// # Errors
/// What is wrong with the reply, to read after "answered with".
pub(super) fn of_query(body: &[u8]) -> Result<Frames, String> {
    let frames: Vec<Frame> = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let mut found = Frames::default();
    let mut open: Vec<(i64, Table)> = Vec::new();
    let mut complete = false;
    for frame in frames {
        match frame.frame_type.as_str() {
            "DataTable" if frame.table_kind == "PrimaryResult" => {
                let mut table = Table { columns: columns(frame.columns), rows: Vec::new() };
                add(&mut table, frame.rows, &mut found.failures);
                found.primary.push(table);
            }
            "TableHeader" if frame.table_kind == "PrimaryResult" => {
                open.push((frame.table_id, Table { columns: columns(frame.columns), rows: Vec::new() }));
            }
            "TableFragment" => {
                if let Some((_, table)) = open.iter_mut().find(|(id, _)| *id == frame.table_id) {
                    if frame.table_fragment_type == "DataReplace" {
                        table.rows.clear();
                    }
                    add(table, frame.rows, &mut found.failures);
                }
            }
            "TableCompletion" => {
                found.failures.extend(frame.one_api_errors.iter().map(failure));
                if let Some(place) = open.iter().position(|(id, _)| *id == frame.table_id) {
                    found.primary.push(open.remove(place).1);
                }
            }
            "DataSetCompletion" => {
                complete = true;
                completed(&frame, &mut found.failures);
            }
            _ => {}
        }
    }
    if !complete {
        found.failures.push(plain("Incomplete", "the reply ends before its last frame"));
    }
    found.primary.extend(open.into_iter().map(|(_, table)| table));
    found.failures.dedup();
    Ok(found)
}

/// What the last frame says of the whole.
fn completed(frame: &Frame, failures: &mut Vec<Failure>) {
    failures.extend(frame.one_api_errors.iter().map(failure));
    if frame.cancelled {
        failures.push(plain("Cancelled", "the query was cancelled on the cluster"));
    }
    if frame.has_errors && failures.is_empty() {
        failures.push(plain("HasErrors", "the cluster says that the result has errors, not which"));
    }
}

/// Reads the first table of a management reply.
///
/// # Errors
/// As [`of_query`].
pub(super) fn of_management(body: &[u8]) -> Result<Table, String> {
    let reply: OldReply = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let Some(first) = reply.tables.into_iter().next() else { return Err("no table".to_owned()) };
    let mut table = Table { columns: columns(first.columns), rows: Vec::new() };
    let mut failures = Vec::new();
    add(&mut table, first.rows, &mut failures);
    match failures.into_iter().next() {
        Some(failure) => Err(format!("an error ({})", failure.code)),
        None => Ok(table),
    }
}

/// What an error body says: `{"error": {"code": …, "@message": …, "innererror": …}}`.
pub(super) fn of_error(body: &[u8]) -> Option<Failure> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get("error").filter(|error| error.is_object())?;
    Some(failure(&body))
}

fn unreadable(error: &serde_json::Error) -> String {
    // Never the message: it may quote a value.
    format!("something else than frames (line {}, column {})", error.line(), error.column())
}

fn columns(columns: Vec<Column>) -> Vec<(String, String)> {
    let of = |column: Column| {
        let of_type = if column.column_type.is_empty() { column.data_type } else { column.column_type };
        (column.column_name, of_type)
    };
    columns.into_iter().map(of).collect()
}

/// A row that is an object is no row but an error.
fn add(table: &mut Table, rows: Vec<Value>, failures: &mut Vec<Failure>) {
    for row in rows {
        match row {
            Value::Array(values) => table.rows.push(values),
            Value::Object(object) => match object.get("OneApiErrors").and_then(Value::as_array) {
                Some(errors) => failures.extend(errors.iter().map(failure)),
                None => failures.push(failure(&Value::Object(object))),
            },
            _ => failures.push(plain("Row", "a row of the reply can't be read")),
        }
    }
}

fn failure(error: &Value) -> Failure {
    let error = error.get("error").unwrap_or(error);
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    // The innermost says most.
    let mut inner = error;
    while let Some(next) = inner.get("innererror").filter(|next| next.is_object()) {
        inner = next;
    }
    let message = text(inner, "@message").or_else(|| text(error, "@message"));
    let message = message.or_else(|| text(inner, "message")).or_else(|| text(error, "message"));
    Failure {
        code: text(error, "code").unwrap_or_else(|| "unknown".to_owned()),
        message: message.unwrap_or_default(),
        permanent: error.get("@permanent").and_then(Value::as_bool).unwrap_or(true),
    }
}

fn plain(code: &str, message: &str) -> Failure {
    Failure { code: code.to_owned(), message: message.to_owned(), permanent: true }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The frames of a real cluster, as the test data of Microsoft's client for Go has them, shortened.
    const FRAGMENTS: &str = r#"[{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0","IsFragmented":true,"ErrorReportingPlacement":"EndOfTable"}
,{"FrameType":"DataTable","TableId":0,"TableKind":"QueryProperties","TableName":"@ExtendedProperties","Columns":[{"ColumnName":"TableId","ColumnType":"int"}],"Rows":[[1]]}
,{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","TableName":"AllDataTypes","Columns":[{"ColumnName":"vdate","ColumnType":"datetime"},{"ColumnName":"vobj","ColumnType":"dynamic"}]}
,{"FrameType":"TableFragment","TableFragmentType":"DataAppend","TableId":1,"Rows":[["2020-03-04T14:05:01.3109965Z",{"moshe":"value"}],[null,null]]}
,{"FrameType":"TableCompletion","TableId":1,"RowCount":2}
,{"FrameType":"DataTable","TableId":2,"TableKind":"QueryCompletionInformation","TableName":"QueryCompletionInformation","Columns":[],"Rows":[["x"]]}
,{"FrameType":"DataSetCompletion","HasErrors":false,"Cancelled":false}]"#;

    fn query(frames: Value) -> Frames {
        of_query(frames.to_string().as_bytes()).unwrap()
    }

    fn table(rows: Value) -> Value {
        json!({ "FrameType": "DataTable", "TableId": 1, "TableKind": "PrimaryResult",
            "Columns": [{ "ColumnName": "n", "ColumnType": "long" }], "Rows": rows })
    }

    fn end() -> Value {
        json!({ "FrameType": "DataSetCompletion", "HasErrors": false, "Cancelled": false })
    }

    #[test]
    fn fragments_become_one_table() {
        let found = of_query(FRAGMENTS.as_bytes()).unwrap();
        assert_eq!(found.failures, []);
        assert_eq!(found.primary.len(), 1);
        assert_eq!(found.primary[0].rows.len(), 2);
        let row = &found.primary[0].rows[0];
        assert_eq!(found.primary[0].value(row, "vobj"), Some(&json!({ "moshe": "value" })));
    }

    #[test]
    fn progressive_fragments_replace_what_came_before() {
        let fragment = |kind: &str, rows: Value| {
            json!({ "FrameType": "TableFragment", "TableFragmentType": kind,
            "TableId": 7, "Rows": rows })
        };
        let found = query(json!([
            { "FrameType": "TableHeader", "TableId": 7, "TableKind": "PrimaryResult", "Columns": [] },
            fragment("DataReplace", json!([[1], [2]])),
            { "FrameType": "TableProgress", "TableId": 7, "TableProgress": 50.0 },
            fragment("DataReplace", json!([[3]])),
            fragment("DataAppend", json!([[4]])),
            { "FrameType": "TableCompletion", "TableId": 7, "RowCount": 2 },
            end(),
        ]));
        assert_eq!(found.primary[0].rows, [[json!(3)], [json!(4)]]);
    }

    #[test]
    fn errors_within_a_success_are_found_wherever_they_stand() {
        let error = json!({ "error": { "code": "LimitsExceeded", "message": "Request is invalid",
            "@message": "Query execution has exceeded the allowed limits (80DA0003)", "@permanent": false } });
        let expected = |failures: &[Failure]| {
            assert_eq!(failures.len(), 1);
            assert_eq!(failures[0].code, "LimitsExceeded");
            assert!(failures[0].message.contains("80DA0003") && !failures[0].permanent);
        };
        expected(&query(json!([table(json!([[1], { "OneApiErrors": [error] }])), end()])).failures);
        expected(
            &query(json!([table(json!([[1]])), { "FrameType": "DataSetCompletion", "HasErrors": true,
            "OneApiErrors": [error] }]))
            .failures,
        );
        expected(
            &query(json!([{ "FrameType": "TableCompletion", "TableId": 1, "OneApiErrors": [error] }, end()]))
                .failures,
        );
        for (frame, code) in [
            (json!({ "FrameType": "DataSetCompletion", "HasErrors": true }), "HasErrors"),
            (json!({ "FrameType": "DataSetCompletion", "Cancelled": true }), "Cancelled"),
            (json!({ "FrameType": "DataSetHeader" }), "Incomplete"),
        ] {
            assert_eq!(query(json!([table(json!([[1]])), frame])).failures[0].code, code);
        }
    }

    #[test]
    fn the_innermost_error_speaks() {
        let body = json!({ "error": { "code": "BadRequest_SemanticError", "message": "Request is invalid and cannot be executed.",
            "@message": "outer", "innererror": { "code": "SEM0100", "@message": "'where' operator: Failed to resolve column" } } });
        let found = of_error(body.to_string().as_bytes()).unwrap();
        assert_eq!(
            (found.code.as_str(), found.message.as_str()),
            ("BadRequest_SemanticError", "'where' operator: Failed to resolve column")
        );
        assert_eq!(of_error(b"<html>"), None);
        assert_eq!(of_error(br#"{"error":"text"}"#), None);
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        for body in ["", "<html></html>", "{}", "[1]", "null", "[{\"FrameType\":5}]"] {
            assert!(of_query(body.as_bytes()).is_err(), "{body}");
        }
        assert!(of_management(b"{}").is_err());
        let tables = json!({ "Tables": [{ "TableName": "Table_0", "Columns": [{ "ColumnName": "TableName", "DataType": "String" }],
            "Rows": [["Logs"]] }] });
        assert_eq!(of_management(tables.to_string().as_bytes()).unwrap().rows, [[json!("Logs")]]);
    }

    #[test]
    fn fuzz_adx_frames() {
        testkit::fuzz::fuzz(
            "adx frames",
            &[FRAGMENTS.as_bytes()],
            &["OneApiErrors", "Rows", "[", "{"],
            |bytes| {
                let _ = (of_query(bytes), of_management(bytes), of_error(bytes));
            },
        );
    }
}
