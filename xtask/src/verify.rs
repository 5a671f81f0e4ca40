//! `cargo xtask verify`: what protects an operator, checked in one go without any backend. Prints a table: check, figure,
//! goal.
//!
//! Each check is a command. It holds when the command succeeds; its figure is how many tests passed, or what the command
//! itself prints as `figure: NAME | VALUE | GOAL`. What needs a real backend is `cargo xtask test-live`; speed is
//! `cargo xtask bench`, a million calls `cargo xtask bench load`.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The arguments of `cargo xtask verify`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long each parser is fuzzed, in seconds.
    #[arg(long, default_value_t = 10)]
    fuzz_seconds: u32,
    /// Also make two release builds and compare them.
    #[arg(long)]
    reproduce: bool,
}

/// A check by its name, what it must show, and cargo's arguments.
struct Check {
    name: &'static str,
    goal: &'static str,
    cargo: Vec<String>,
}

/// One row of the table.
struct Row {
    name: String,
    figure: String,
    goal: String,
    holds: bool,
}

fn check(name: &'static str, goal: &'static str, cargo: &str) -> Check {
    Check { name, goal, cargo: cargo.split(' ').map(str::to_owned).collect() }
}

fn checks(args: &Args) -> Vec<Check> {
    let supply = if args.reproduce { "xtask supply-chain --reproduce" } else { "xtask supply-chain" };
    let fuzz = format!("xtask fuzz --seconds {}", args.fuzz_seconds);
    let all = "all pass";
    vec![
        check("conformance, both revisions", "100 % of required", "xtask conformance"),
        check(
            "the protocol's demands on the wire",
            all,
            "test --package metrics-mcp --test wire_protocol --test wire_http --test wire_stdio",
        ),
        check("arguments, queries and their estimates", all, "test --package metrics-mcp --lib"),
        check("what a query answers and refuses", all, "test --package metrics-mcp --test query_metrics"),
        check(
            "tokens given back in a query",
            all,
            "test --package metrics-mcp --package logs-mcp --test tokens",
        ),
        check(
            "load on the wire: slow, silent, deaf, storm",
            all,
            "test --package metrics-mcp --test wire_load",
        ),
        check(
            "clients of the stores, recorded incidents",
            all,
            "test --package prometheus --package alertmanager --package snapshot --package lucene",
        ),
        check(
            "answers, callers, patterns, stack traces",
            all,
            "test --package contract --package identity --package patterns --package stacktrace",
        ),
        check(
            "logs-mcp: backends, analyses, answers",
            all,
            "test --package logs-mcp --lib --test answers --test extract_stack_traces --test aliases --test incident --test search_logs --test large",
        ),
        check(
            "logs-mcp: the wire, bad input",
            all,
            "test --package logs-mcp --test wire_stdio --test wire_http --test bad_input",
        ),
        check("guard: one record for tools × outcomes", all, "test --package runtime"),
        check("confirmations by a person", all, "test --package conformance"),
        check("masking: laws, rules, vault", all, "test --package redact"),
        check(
            "masking: recall and precision",
            "floors in the test",
            "test --package redact --test corpus -- --nocapture",
        ),
        check(
            "masking: throughput",
            "printed",
            "run --release --quiet --package redact --example throughput",
        ),
        check(
            "hostile text in every field of every tool",
            all,
            "test --package metrics-mcp --test injection",
        ),
        check("the same of the stores of logs-mcp", all, "test --package logs-mcp --test injection"),
        check("audit: chain, rotation, torn tail, full disk", all, "test --package audit"),
        check("audit: kill -9 under load", all, "test --package metrics-mcp --test audit_kill"),
        check(
            "audit: speed of verifying",
            "≤ 30 s",
            "run --release --quiet --package audit --example verify_speed",
        ),
        check("the way out under a misbehaving backend", all, "test --package upstream"),
        check("25 faults × every tool", all, "test --package metrics-mcp --package logs-mcp --test faults"),
        check("mandatory matchers", all, "test --package metrics-mcp --package logs-mcp --test restricted"),
        check("bad input, peers' faults", all, "test --package metrics-mcp --test bad_input --test peers"),
        check(
            "no credential in anything emitted",
            all,
            "test --package metrics-mcp --package logs-mcp --test secrets",
        ),
        Check {
            name: "fuzzing every parser",
            goal: "no panic",
            cargo: fuzz.split(' ').map(str::to_owned).collect(),
        },
        // A development build and few calls: half a minute instead of a release build and five minutes.
        check(
            "load: memory, limits, idle connections",
            "printed",
            "xtask bench load --dev --calls 5000 --check",
        ),
        check("licences, bans, bill of materials", "clean", supply),
    ]
}

/// Runs all checks, also after one that failed.
pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let mut rows = Vec::new();
    for check in checks(args) {
        let began = Instant::now();
        println!("=== {}: cargo {}", check.name, check.cargo.join(" "));
        let found = perform(&check)?;
        println!("=== {:.0} s", began.elapsed().as_secs_f64());
        rows.extend(found);
    }
    println!("\n{}", table(&rows));
    let failed = rows.iter().filter(|row| !row.holds).count();
    println!("verify: {} checks hold, {failed} do not", rows.len() - failed);
    if failed == 0 { Ok(()) } else { Err("have every check hold".into()) }
}

/// Runs one check; what it prints is passed on.
fn perform(check: &Check) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).args(&check.cargo);
    let mut process = command.stdout(Stdio::piped()).spawn()?;
    let (mut passed, mut failed, mut figures) = (0_u64, 0_u64, Vec::new());
    let output = process.stdout.take().ok_or("read what a check prints")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        if let Some((tests, failures)) = totals(&line) {
            passed += tests;
            failed += failures;
        }
        figures.extend(line.strip_prefix("figure: ").map(str::to_owned));
    }
    let holds = process.wait()?.success();
    let own =
        if passed + failed > 0 { format!("{passed} passed, {failed} failed") } else { "done".to_owned() };
    let figure = if holds { own } else { format!("FAILED ({own})") };
    let mut rows = vec![Row { name: check.name.to_owned(), figure, goal: check.goal.to_owned(), holds }];
    for figure in figures {
        let mut parts = figure.split(" | ").map(|part| part.trim().to_owned());
        let mut next = || parts.next().unwrap_or_default();
        // Whether a figure meets its goal is for the command to say, by how it ends.
        rows.push(Row { name: format!("  {}", next()), figure: next(), goal: next(), holds });
    }
    Ok(rows)
}

/// Tests that passed and failed, of one of cargo's closing lines.
fn totals(line: &str) -> Option<(u64, u64)> {
    let rest = line.strip_prefix("test result: ")?;
    let count = |word: &str| {
        let (before, _) = rest.split_once(word)?;
        before.trim().rsplit(' ').next()?.parse().ok()
    };
    Some((count(" passed")?, count(" failed")?))
}

fn table(rows: &[Row]) -> String {
    let width = |of: fn(&Row) -> &str| rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0);
    let (name, figure, goal) = (width(|row| &row.name), width(|row| &row.figure), width(|row| &row.goal));
    let line = |row: &Row| {
        let holds = if row.holds { "holds" } else { "DOES NOT HOLD" };
        format!("| {:<name$} | {:<figure$} | {:<goal$} | {holds} |\n", row.name, row.figure, row.goal)
    };
    let head = format!(
        "| {:<name$} | {:<figure$} | {:<goal$} |  |\n|{}|{}|{}|---|\n",
        "check",
        "figure",
        "goal",
        "-".repeat(name + 2),
        "-".repeat(figure + 2),
        "-".repeat(goal + 2)
    );
    head + &rows.iter().map(line).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_lines_of_cargo_are_counted() {
        let line =
            "test result: ok. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(totals(line), Some((12, 3)));
        assert_eq!(totals("test result: FAILED. 0 passed; 1 failed; 0 ignored"), Some((0, 1)));
        assert_eq!(totals("running 3 tests"), None);
    }
}
