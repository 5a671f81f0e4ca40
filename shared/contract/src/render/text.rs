//! The text form: what a person reads in a terminal, and a model whose client drops structured content.

use std::fmt::Write as _;

use super::{ShownError, fit::Fitted, seal::sealed};
use crate::{CallId, Cell, Cite, Evidence, Next, duration_text, significant, time_text};

pub(super) fn answer(fitted: &Fitted<'_>, call_id: &CallId) -> String {
    let mut out = String::new();
    line(&mut out, &fitted.verdict);
    for finding in &fitted.findings.shown {
        line(&mut out, &finding.text);
    }
    for table in &fitted.tables {
        if table.table.seen == 0 {
            continue;
        }
        line(&mut out, &format!("\n{} ({})", table.table.title, table.table.cite));
        line(&mut out, &table.table.columns.join(" | "));
        for row in &table.rows {
            line(&mut out, &row.text);
        }
    }
    out.push('\n');
    evidence(&mut out, fitted);
    coverage(&mut out, fitted);
    for (place, next) in fitted.next.shown.iter().enumerate() {
        line(&mut out, &format!("{}{}", if place == 0 { "next: " } else { "      " }, next.text));
    }
    let _ = write!(out, "call {call_id}");
    out
}

pub(super) fn error(shown: &ShownError<'_>, call_id: &CallId) -> String {
    let mut out = String::new();
    line(&mut out, &format!("{}: {}", shown.kind.name(), shown.problem));
    if !shown.remedy.is_empty() {
        line(&mut out, &shown.remedy);
    }
    if !shown.nearest.is_empty() {
        line(&mut out, &format!("nearest: {}", shown.nearest.join(", ")));
    }
    if let Some(wait) = shown.retry_after {
        line(&mut out, &format!("retry after {} s", wait.as_secs_f64().ceil()));
    }
    for call in &shown.next {
        line(&mut out, &format!("try: {}", next(call)));
    }
    let _ = write!(out, "call {call_id}");
    out
}

pub(super) fn row(cells: &[Cell]) -> String {
    cells.iter().map(cell).collect::<Vec<_>>().join(" | ")
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Missing => "-".to_owned(),
        Cell::Text(text) => sealed(text).into_owned(),
        Cell::Quoted(text, cap) => text.shown(*cap),
        Cell::Number(value) => significant(*value),
        Cell::Count(count) => count.to_string(),
        Cell::Time(time) => time_text(*time),
    }
}

pub(super) fn finding(statement: &str, cites: &[Cite], omitted: usize) -> String {
    let mut cites: Vec<String> = cites.iter().map(Cite::to_string).collect();
    if omitted > 0 {
        cites.push(format!("{omitted} more omitted"));
    }
    format!("- {statement} ({})", cites.join(", "))
}

pub(super) fn next(next: &Next) -> String {
    let arguments: Vec<String> =
        next.arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let server = next.server.as_ref().map_or(String::new(), |server| format!(" on {server}"));
    let why = if next.why.is_empty() { String::new() } else { format!(": {}", next.why) };
    format!("{}({}){server}{why}", next.tool, arguments.join(", "))
}

/// What several pieces of evidence share: source, window, step.
pub(super) fn evidence_header(evidence: &Evidence) -> String {
    let mut out = format!("evidence [{}", evidence.source);
    if let Some(window) = evidence.window {
        let _ = write!(out, ", {window}");
    }
    for window in &evidence.also {
        let _ = write!(out, " and {window}");
    }
    if let Some(at) = evidence.at {
        let _ = write!(out, ", at {}", time_text(at));
    }
    if let Some(step) = evidence.step {
        let _ = write!(out, ", step {}", duration_text(step.as_secs_f64()));
    }
    out.push(']');
    out
}

fn evidence(out: &mut String, fitted: &Fitted<'_>) {
    let mut last = String::new();
    for (cite, evidence) in &fitted.evidence.shown {
        let header = evidence_header(evidence);
        if header != last {
            line(out, &header);
        }
        last = header;
        line(out, &format!(" {cite} {}", evidence.query));
        if let Some(link) = &evidence.link {
            line(out, &format!("    {link}"));
        }
    }
    let omitted = fitted.evidence.omitted();
    if omitted > 0 {
        let queries = if omitted == 1 { "query" } else { "queries" };
        line(out, &format!(" {omitted} more {queries} omitted; ask for detail=\"full\""));
    }
}

fn coverage(out: &mut String, fitted: &Fitted<'_>) {
    let mut parts = Vec::new();
    let cut = fitted.tables.iter().filter(|table| table.omitted() > 0 || table.table.more);
    parts.extend(cut.map(|table| {
        let how = &table.table.see_more;
        let how = if how.is_empty() { String::new() } else { format!(" ({how})") };
        let (title, seen, shown) = (&table.table.title, table.table.seen, table.rows.len());
        match table.table.more {
            true => format!("{title}: {shown} shown, there are more{how}"),
            false => format!("{shown} of {seen} {title} shown, {} omitted{how}", table.omitted()),
        }
    }));
    if parts.is_empty() && fitted.tables.iter().any(|table| table.table.seen > 0) {
        parts.push("all rows shown".to_owned());
    }
    if fitted.findings.omitted > 0 {
        parts.push(format!("{} findings omitted", fitted.findings.omitted));
    }
    parts.extend(fitted.caveats.shown.iter().map(|caveat| caveat.text.clone()));
    if fitted.caveats.omitted > 0 {
        parts.push(format!("{} more caveats omitted; ask for detail=\"full\"", fitted.caveats.omitted));
    }
    if !parts.is_empty() {
        line(out, &format!("coverage: {}", parts.join("; ")));
    }
    if fitted.next.omitted > 0 {
        line(out, &format!("{} suggested calls omitted", fitted.next.omitted));
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}
