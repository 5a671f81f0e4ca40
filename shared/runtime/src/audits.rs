//! The commands about audit logs.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
};

use audit::{Key, Summary, Use, summarize, verify};

use crate::{Loaded, cli::Failure, engine, state};

/// Says whether a log is as it was written.
pub(crate) fn verify_log<Config>(
    loaded: &Loaded<Config>,
    file: &Path,
    key_file: Option<PathBuf>,
    environment: &BTreeMap<String, String>,
) -> Result<bool, Failure> {
    let mut settings = loaded.settings.clone();
    settings.audit.key_file = key_file.or(settings.audit.key_file);
    let key = match (&settings.audit.key_file, state::directory(environment)) {
        // A new key would fit no log.
        (None, Some(state)) => Key::load(&state)?,
        (_, state) => engine::audit_key(&settings, state.as_deref())?,
    };
    let report = verify(file, &key, None);
    let mut out = io::stdout();
    match report {
        Ok(report) => {
            print_report(&mut out, &report)?;
            Ok(true)
        }
        Err(error) => {
            writeln!(out, "NOT VALID: {error}")?;
            Ok(false)
        }
    }
}

fn print_report(out: &mut impl Write, report: &audit::Report) -> io::Result<()> {
    writeln!(
        out,
        "valid: {} calls, {} control records, {} files",
        report.records, report.controls, report.files
    )?;
    for (which, mark) in [("first", &report.first), ("last ", &report.last)] {
        if let Some(mark) = mark {
            writeln!(out, "{which} record {} of {}, mac {}", mark.sequence, mark.time, mark.mac)?;
        }
    }
    if report.dropped_bytes + report.torn_tail_bytes + report.lost_records > 0 {
        writeln!(
            out,
            "{} bytes of torn records were cut off by restarts, {} follow the last record; {} records were lost while \
             the log could not be written",
            report.dropped_bytes, report.torn_tail_bytes, report.lost_records
        )?;
    }
    for file in &report.earlier_files {
        writeln!(out, "not given, and comes before: {file}")?;
    }
    writeln!(out, "note the last record elsewhere: a chain can't show that its end was cut off")
}

/// Adds up a log.
pub(crate) fn report(tools: &[&str], file: &Path, json: bool) -> Result<bool, Failure> {
    let summary = summarize(file).map_err(|error| format!("{} can't be read: {error}", file.display()))?;
    let mut out = io::stdout();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&summary)?)?;
        return Ok(true);
    }
    write!(out, "{}", written(&summary, tools))?;
    Ok(true)
}

/// For people: a table of tools, one of callers, and what nobody used.
fn written(summary: &Summary, tools: &[&str]) -> String {
    let (Some(first), Some(last)) = (&summary.first, &summary.last) else {
        return "no calls\n".to_owned();
    };
    let mut text = format!("{} calls from {first} to {last}\n", summary.all.calls);
    for (title, all) in [("tool", &summary.tools), ("principal", &summary.principals)] {
        let header = ["calls", "p50 ms", "p95 ms", "bytes out", "requests", "bytes read", "masked"];
        let width = all.keys().map(|name| name.chars().count()).chain([title.len()]).max().unwrap_or(0);
        text.push_str(&format!("\n{title:<width$}"));
        header.iter().for_each(|name| text.push_str(&format!("  {name:>10}")));
        text.push_str("  outcomes\n");
        let mut rows: Vec<(&String, &Use)> = all.iter().collect();
        rows.sort_by(|one, other| other.1.calls.cmp(&one.1.calls).then(one.0.cmp(other.0)));
        rows.iter().for_each(|(name, used)| text.push_str(&row(name, width, used)));
    }
    let unused: Vec<&str> = tools.iter().copied().filter(|tool| !summary.tools.contains_key(*tool)).collect();
    if !unused.is_empty() {
        text.push_str(&format!("\nnever called: {}\n", unused.join(", ")));
    }
    text
}

fn row(name: &str, width: usize, used: &Use) -> String {
    let outcomes: Vec<String> =
        used.outcomes.iter().map(|(outcome, count)| format!("{} {count}", outcome.name())).collect();
    // Names come from callers: what could disturb a terminal is escaped.
    let name = name.escape_debug().to_string();
    format!(
        "{name:<width$}  {:>10}  {:>10.1}  {:>10.1}  {:>10}  {:>10}  {:>10}  {:>10}  {}\n",
        used.calls,
        used.p50_ms,
        used.p95_ms,
        used.bytes_out,
        used.upstream_requests,
        used.upstream_bytes,
        used.masked,
        outcomes.join(", ")
    )
}
