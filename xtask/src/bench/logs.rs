//! `cargo xtask bench logs`: how long logs-mcp takes for each tool over the demo's logs, which are a recording of some
//! 378,000 lines, and what memory that needs.

use std::error::Error;
use std::io::BufRead as _;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use testkit::rss::peak_rss_bytes;
use tokio::process::Command;
use world::{Options, World};

use super::child::{OverStdio, processor_seconds};
use super::report::{Figure, Goal, figures, median};
use super::subject::{result, tool_call};

const MB: f64 = 1e6;
/// Calls of each kind that are measured, after one that is not.
const TIMES: u32 = 9;
/// For a search of 200,000 lines.
const MOST_MS: f64 = 200.0;
/// All of the recording.
const WINDOW: &str = "2026-01-14T12:02:00Z/2026-01-14T14:32:00Z";

/// A word that many lines have, a phrase, a negation, one field, values of a field; then the other tools.
fn calls() -> Vec<(&'static str, Value)> {
    let search = |query: &str| ("search_logs", json!({"query": query, "time_range": WINDOW}));
    vec![
        search("timeout"),
        search("\"pool exhausted\""),
        search("connection AND NOT pool"),
        search("service.name:payment AND log.level:error"),
        ("search_logs", json!({"query": "*", "time_range": WINDOW, "group_by": "service.version"})),
        ("list_log_sources", json!({})),
        ("get_error_patterns", json!({"time_range": "1h"})),
        ("get_error_patterns", json!({"time_range": "30m", "service": "payment"})),
        ("get_log_volume_anomalies", json!({"time_range": "1h"})),
        ("correlate_logs_with_time", json!({"timestamp": "2026-01-14T14:02:15Z"})),
        ("extract_stack_traces", json!({"error_query": "*", "time_range": "1h"})),
    ]
}

/// Builds the server, generates the recording, measures, and prints the table.
pub(super) fn run() -> Result<(), Box<dyn Error>> {
    let program = super::build::release("logs-mcp")?;
    let directory = tempfile::tempdir()?;
    World::demo().write(directory.path(), &Options { logs: true, ..Options::default() })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}\n", super::conditions());
    let measured = runtime.block_on(measure(&program, directory.path()))?;
    println!("{}", figures(&measured));
    Ok(())
}

async fn measure(program: &Path, recording: &Path) -> Result<Vec<Figure>, Box<dyn Error>> {
    let state = tempfile::tempdir()?;
    let mut command = Command::new(program);
    command.env_clear().env("OBSERVABILITY_MCP_STATE", state.path()).env("USER", "bench");
    for class in ["CHEAP", "RANGE", "HEAVY"] {
        command.env(format!("LOGS_MCP__RATES__{class}__PER_MINUTE"), "100000000");
        command.env(format!("LOGS_MCP__RATES__{class}__BURST"), "10000000");
    }
    command.arg("--snapshot").arg(recording);
    let mut server = OverStdio::start(command)?;
    let mut measured = vec![Figure::new("lines", lines(&recording.join("logs"))? as f64, "", Goal::None)];
    for (index, (tool, arguments)) in calls().into_iter().enumerate() {
        let call = tool_call(tool, arguments.clone());
        let began = Instant::now();
        result(&server.ask(&call).await?, false)?;
        if index == 0 {
            let first = began.elapsed().as_secs_f64();
            measured.push(Figure::new("first answer, all files read", first, "s", Goal::None));
        }
        let (mut waits, used) = (Vec::new(), processor_seconds(server.pid()?)?);
        for _ in 0..TIMES {
            let began = Instant::now();
            result(&server.ask(&call).await?, false)?;
            waits.push(began.elapsed().as_secs_f64() * 1e3);
        }
        let used = (processor_seconds(server.pid()?)? - used) * 1e3 / f64::from(TIMES);
        let goal = if tool == "search_logs" { Goal::AtMost(MOST_MS) } else { Goal::None };
        measured.push(Figure::new(format!("{tool} {}", shown(&arguments)), median(waits), "ms", goal));
        measured.push(Figure::new("  processor time", used, "ms", Goal::None));
    }
    measured.push(Figure::new("peak RSS", peak_rss_bytes(server.pid()?) as f64 / MB, "MB", Goal::None));
    server.end().await?;
    Ok(measured)
}

/// Arguments but for the whole window, as a person would type them.
fn shown(arguments: &Value) -> String {
    let pairs = arguments.as_object().into_iter().flatten().filter(|(_, value)| *value != WINDOW);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    pairs.map(|(name, value)| format!("{name}={}", text(value))).collect::<Vec<_>>().join(" ")
}

/// Lines of all files of a directory.
fn lines(directory: &Path) -> Result<usize, Box<dyn Error>> {
    let mut lines = 0;
    for file in std::fs::read_dir(directory)? {
        let file = std::io::BufReader::new(std::fs::File::open(file?.path())?);
        lines += file.lines().count();
    }
    Ok(lines)
}
