//! The structured form: columns once, rows as arrays, keys in the order of the contract.

use serde_json::{Map, Value, json};

use super::{ShownError, fit::Fitted, seal::sealed};
use crate::{CallId, Cell, Cite, Evidence, Next, duration_text, json_number, time_text};

pub(super) fn answer(fitted: &Fitted<'_>, call_id: &CallId) -> Value {
    let mut out = Map::new();
    out.insert("verdict".to_owned(), fitted.verdict.as_str().into());
    put_list(
        &mut out,
        "findings",
        fitted.findings.shown.iter().map(|finding| finding.value.clone()).collect(),
    );
    put_list(
        &mut out,
        "tables",
        fitted.tables.iter().filter(|table| table.table.seen > 0).map(table).collect(),
    );
    put_list(
        &mut out,
        "evidence",
        fitted.evidence.shown.iter().map(|(cite, item)| evidence(*cite, item)).collect(),
    );
    let coverage = coverage(fitted);
    if !coverage.is_empty() {
        out.insert("coverage".to_owned(), Value::Object(coverage));
    }
    put_list(&mut out, "next", fitted.next.shown.iter().map(|next| next.value.clone()).collect());
    out.insert("call_id".to_owned(), call_id.0.as_str().into());
    Value::Object(out)
}

pub(super) fn error(shown: &ShownError<'_>, call_id: &CallId) -> Value {
    let mut detail = Map::new();
    detail.insert("kind".to_owned(), shown.kind.name().into());
    if !shown.remedy.is_empty() {
        detail.insert("remedy".to_owned(), shown.remedy.as_str().into());
    }
    put_list(&mut detail, "nearest", shown.nearest.iter().map(|name| name.as_str().into()).collect());
    if let Some(wait) = shown.retry_after {
        detail.insert("retry_after_seconds".to_owned(), json_number(wait.as_secs_f64().ceil()));
    }
    put_list(&mut detail, "try", shown.next.iter().map(|call| next(call)).collect());
    json!({ "verdict": shown.problem, "error": detail, "call_id": call_id.0 })
}

fn table(fitted: &super::fit::FittedTable<'_>) -> Value {
    json!({
        "title": fitted.table.title,
        "evidence": fitted.table.cite.to_string(),
        "columns": fitted.table.columns,
        "rows": fitted.rows.iter().map(|row| row.value.clone()).collect::<Vec<_>>(),
    })
}

pub(super) fn row(cells: &[Cell]) -> Value {
    Value::Array(cells.iter().map(cell).collect())
}

fn cell(cell: &Cell) -> Value {
    match cell {
        Cell::Missing => Value::Null,
        Cell::Text(text) => sealed(text).into(),
        Cell::Quoted(text, cap) => text.shown(*cap).into(),
        Cell::Number(value) => json_number(*value),
        Cell::Count(count) => (*count).into(),
        Cell::Time(time) => time_text(*time).into(),
    }
}

pub(super) fn finding(statement: &str, cites: &[Cite], omitted: usize) -> Value {
    let cites: Vec<String> = cites.iter().map(Cite::to_string).collect();
    if omitted == 0 {
        return json!({ "statement": statement, "evidence": cites });
    }
    json!({ "statement": statement, "evidence": cites, "evidence_omitted": omitted })
}

pub(super) fn evidence(cite: Cite, evidence: &Evidence) -> Value {
    let mut out = Map::new();
    out.insert("id".to_owned(), cite.to_string().into());
    out.insert("source".to_owned(), evidence.source.as_str().into());
    out.insert("query".to_owned(), evidence.query.as_str().into());
    if let Some(window) = evidence.window {
        out.insert("window".to_owned(), window.to_string().into());
    }
    put_list(&mut out, "also_over", evidence.also.iter().map(|window| window.to_string().into()).collect());
    if let Some(at) = evidence.at {
        out.insert("at".to_owned(), time_text(at).into());
    }
    if let Some(step) = evidence.step {
        out.insert("step".to_owned(), duration_text(step.as_secs_f64()).into());
    }
    if let Some(link) = &evidence.link {
        out.insert("link".to_owned(), link.as_str().into());
    }
    Value::Object(out)
}

pub(super) fn next(next: &Next) -> Value {
    let mut out = Map::new();
    if let Some(server) = &next.server {
        out.insert("server".to_owned(), server.as_str().into());
    }
    out.insert("tool".to_owned(), next.tool.as_str().into());
    out.insert("arguments".to_owned(), Value::Object(next.arguments.clone()));
    if !next.why.is_empty() {
        out.insert("why".to_owned(), next.why.as_str().into());
    }
    Value::Object(out)
}

fn coverage(fitted: &Fitted<'_>) -> Map<String, Value> {
    let mut out = Map::new();
    for table in &fitted.tables {
        let mut counts = Map::new();
        counts.insert("seen".to_owned(), table.table.seen.into());
        counts.insert("shown".to_owned(), table.rows.len().into());
        counts.insert("omitted".to_owned(), table.omitted().into());
        if table.table.more {
            counts.insert("more".to_owned(), true.into());
        }
        if (table.omitted() > 0 || table.table.more) && !table.table.see_more.is_empty() {
            counts.insert("to_see_omitted".to_owned(), table.table.see_more.as_str().into());
        }
        out.insert(table.table.title.clone(), Value::Object(counts));
    }
    for (name, omitted) in [
        ("findings_omitted", fitted.findings.omitted),
        ("queries_omitted", fitted.evidence.omitted()),
        ("caveats_omitted", fitted.caveats.omitted),
        ("next_omitted", fitted.next.omitted),
    ] {
        if omitted > 0 {
            out.insert(name.to_owned(), omitted.into());
        }
    }
    put_list(&mut out, "caveats", fitted.caveats.shown.iter().map(|caveat| caveat.value.clone()).collect());
    out
}

fn put_list(out: &mut Map<String, Value>, name: &str, items: Vec<Value>) {
    if !items.is_empty() {
        out.insert(name.to_owned(), Value::Array(items));
    }
}
