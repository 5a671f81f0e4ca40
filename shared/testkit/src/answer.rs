//! Parts of an answer, and what holds for each.

use serde_json::Value;

use crate::mcp::ToolReply;

/// Both forms of an answer, as a golden answer keeps them.
pub fn both(reply: &ToolReply) -> String {
    let structured = serde_json::to_string_pretty(reply.structured.as_ref().unwrap()).unwrap();
    format!("{}\n\n{structured}", reply.text)
}

/// Demands that both forms have at most so many characters.
#[track_caller]
pub fn fits(reply: &ToolReply, limit: usize) {
    let structured = reply.structured.as_ref().map(Value::to_string).unwrap_or_default();
    for form in [&reply.text, &structured] {
        let length = form.chars().count();
        assert!(length <= limit, "{length} characters, allowed {limit}: {form}");
    }
}

/// The table of this title in a structured answer, if there is one.
pub fn table<'a>(structured: &'a Value, title: &str) -> Option<&'a Value> {
    structured["tables"].as_array()?.iter().find(|table| table["title"] == title)
}

/// Its rows as arrays of cells. Panics without such a table.
#[track_caller]
pub fn rows(reply: &ToolReply, title: &str) -> Vec<Vec<Value>> {
    let table = reply.structured.as_ref().and_then(|structured| table(structured, title));
    let table = table.unwrap_or_else(|| panic!("no table {title:?} in {}", reply.text));
    table["rows"].as_array().unwrap().iter().map(|row| row.as_array().unwrap().clone()).collect()
}

/// Its rows as objects by column name. None without such a table.
pub fn named_rows(structured: &Value, title: &str) -> Vec<Value> {
    let Some(table) = table(structured, title) else { return Vec::new() };
    let columns = table["columns"].as_array().unwrap();
    let named = |row: &Value| {
        let cells = columns.iter().zip(row.as_array().unwrap());
        cells.map(|(column, cell)| (column.as_str().unwrap().to_owned(), cell.clone())).collect()
    };
    table["rows"].as_array().unwrap().iter().map(named).map(Value::Object).collect()
}
