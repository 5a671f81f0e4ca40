//! `cargo xtask test-live`: the tests that need real backends, and two MCP clients that are not ours.
//!
//! 1. The testbed is brought up; what runs already is used as it is and keeps running afterwards.
//! 2. The clients are installed into the cache ([`clients`]), the servers are built.
//! 3. It waits until the testbed shows what the tests look for ([`readiness`]).
//! 4. `tests/live.rs` of every crate, `live` of the stores of logs, and what compares with the real Prometheus or with Microsoft's parser of KQL, then Python's fastmcp, then the MCP inspector ([`inspector`]) against the
//!    real binary over stdio and HTTP in both eras of the protocol; Prometheus scrapes its metrics; at the end
//!    the audit log that these sessions left is verified.
//!
//! Nothing is skipped: what can't be run counts as failed.

pub(crate) mod clients;
mod inspector;
mod outcome;
pub(crate) mod readiness;
mod served;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use crate::testbed::cache::{Cache, Endpoints};
use crate::testbed::{self, programs};
use clients::Clients;
use outcome::{Outcome, Report};
use served::Served;

/// How long Prometheus may take to notice a new target and to scrape it.
const SCRAPED_WITHIN: Duration = Duration::from_secs(20);

/// What the clients are to find in a server: `testbed/clients/SERVER.json`.
#[derive(Deserialize)]
struct Expected {
    server: String,
    /// Every tool, in the order listed, with a call that must succeed.
    calls: Vec<Call>,
    /// A call that must end as an error of the tool.
    refused: Call,
}

/// One call of a tool.
#[derive(Deserialize)]
struct Call {
    tool: String,
    arguments: Value,
}

/// The server under test, as every client gets it.
struct Subject {
    program: PathBuf,
    expected_file: PathBuf,
    expected: Expected,
    /// Its whole configuration.
    environment: BTreeMap<String, String>,
    /// Where the sessions' audit logs go; empty at the start.
    state: PathBuf,
}

/// Runs everything, shows a summary, and fails if anything failed.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let cache = Cache::open()?;
    let started = testbed::start_what_is_missing(&cache)?;
    let report = with_testbed(&cache);
    if !started.is_empty() {
        println!("stopping what this run started");
        testbed::stop_again(&cache, &started)?;
    }
    let report = report?;
    println!("\n{report}");
    if report.failed() == 0 { Ok(()) } else { Err("pass the live tests".into()) }
}

fn with_testbed(cache: &Cache) -> Result<Report, Box<dyn Error>> {
    let mut report = Report::default();
    let endpoints = cache.endpoints()?;
    let clients = Clients::install(cache)?;
    run_to_end(cargo().args(["build", "--quiet", "--package", "metrics-mcp"]), "build the server")?;
    let waited = readiness::wait(&endpoints)?;
    println!("the testbed shows everything the tests look for (waited {} s)", waited.as_secs());

    report.add("cargo test --test live --test equal --test testbed", |outcome| {
        rust_tests(cache, &endpoints, outcome)
    });
    report.add("kql guard beside microsoft's parser", |outcome| {
        outcome.count_output_of(&mut crate::kql::comparison(cache)?)
    });
    let subject = metrics_mcp(cache, &endpoints)?;
    let mut served = Served::start(&subject)?;
    report.add("python fastmcp", |outcome| python(&clients, &subject, &served, outcome));
    report.add("mcp inspector", |outcome| inspector::run(&clients, &subject, &served, outcome));
    report.add("scraped by prometheus", |outcome| scraped(cache, &endpoints, &served, outcome));
    report.add("stop and audit log", |outcome| stop_and_verify(&mut served, &subject, outcome));
    Ok(report)
}

/// Tests that need the testbed, all of which are ignored otherwise: `tests/live.rs` of every crate, the evaluator beside
/// the real Prometheus (`equal`), generated incidents in the real Prometheus (`testbed`).
fn rust_tests(cache: &Cache, endpoints: &Endpoints, outcome: &mut Outcome) -> Result<(), Box<dyn Error>> {
    let mut command = cargo();
    command.args(["test", "--workspace", "--test", "live", "--test", "equal", "--test", "testbed"]);
    command.args(["--no-fail-fast", "--", "--ignored"]);
    // For a test that lets Prometheus scrape a server of its own.
    command.env("TESTBED_TARGETS", cache.targets());
    for (name, running) in endpoints {
        let name = name.to_uppercase().replace('-', "_");
        command.env(format!("TESTBED_{name}_URL"), &running.url);
    }
    if let Some(prometheus) = endpoints.get("prometheus") {
        // For tests that load a world of their own into one.
        command.env("PROMETHEUS_PROGRAM", &prometheus.program);
    }
    outcome.count_output_of(&mut command)?;
    // Beside the code: a store's trait is no one else's.
    let mut stores = cargo();
    stores.args(["test", "--package", "logs-mcp", "--lib", "--no-fail-fast", "live::", "--", "--ignored"]);
    outcome.count_output_of(&mut stores)
}

fn python(
    clients: &Clients,
    subject: &Subject,
    served: &Served,
    outcome: &mut Outcome,
) -> Result<(), Box<dyn Error>> {
    let mut command = Command::new(&clients.python);
    command.arg(programs::testbed_dir().join("clients/fastmcp_client.py"));
    command.arg("--program").arg(&subject.program);
    command.arg("--expected").arg(&subject.expected_file);
    command.arg("--state").arg(subject.state.join("fastmcp"));
    command.arg("--url").arg(&served.mcp);
    command.args(
        subject.environment.iter().flat_map(|(name, value)| ["--env".to_owned(), format!("{name}={value}")]),
    );
    outcome.count_output_of(&mut command)
}

/// Our own metrics page, read by a real Prometheus.
fn scraped(
    cache: &Cache,
    endpoints: &Endpoints,
    served: &Served,
    outcome: &mut Outcome,
) -> Result<(), Box<dyn Error>> {
    let prometheus = endpoints.get("prometheus").ok_or("find prometheus among the endpoints")?;
    cache.write_target(testbed::METRICS_MCP, &served.address)?;
    let instance = &served.address;
    let arrived = readiness::within(SCRAPED_WITHIN, || {
        readiness::value(&prometheus.url, &format!("max(up{{job=\"metrics-mcp\",instance=\"{instance}\"}})"))
            == Some(1.0)
    });
    // Before the server stops, or it would be reported as down.
    cache.remove_target(testbed::METRICS_MCP)?;
    outcome.check("prometheus reads /metrics", arrived);
    Ok(())
}

fn stop_and_verify(
    served: &mut Served,
    subject: &Subject,
    outcome: &mut Outcome,
) -> Result<(), Box<dyn Error>> {
    outcome.check("the HTTP server ends by itself after SIGTERM, with code 0", served.stop()?);
    let log = served.state.join(format!("audit/{}.jsonl", subject.expected.server));
    let mut verify = Command::new(&subject.program);
    verify.env_clear().env("OBSERVABILITY_MCP_STATE", &served.state).args(["audit", "verify"]).arg(log);
    outcome.check("its audit log verifies", verify.status()?.success());
    Ok(())
}

/// `metrics-mcp` in front of everything the testbed has.
fn metrics_mcp(cache: &Cache, endpoints: &Endpoints) -> Result<Subject, Box<dyn Error>> {
    let url = |name: &str| {
        let running = endpoints.get(name).ok_or_else(|| format!("find {name} among the endpoints"));
        running.map(|running| running.url.clone())
    };
    let environment = BTreeMap::from([
        ("PROMETHEUS_URL".to_owned(), url("prometheus")?),
        ("METRICS_MCP__PROMETHEUS__1__NAME".to_owned(), "old".to_owned()),
        ("METRICS_MCP__PROMETHEUS__1__URL".to_owned(), url("prometheus-old")?),
        ("ALERTMANAGER_URL".to_owned(), url("alertmanager")?),
        ("METRICS_MCP__ALERTMANAGER__1__NAME".to_owned(), "second".to_owned()),
        ("METRICS_MCP__ALERTMANAGER__1__URL".to_owned(), url("alertmanager-2")?),
    ]);
    let expected_file = programs::testbed_dir().join("clients/metrics-mcp.json");
    let expected = serde_json::from_slice(&fs::read(&expected_file)?)?;
    let state = cache.run_dir("test-live");
    if state.exists() {
        fs::remove_dir_all(&state)?;
    }
    Ok(Subject { program: built("metrics-mcp")?, expected_file, expected, environment, state })
}

/// A program that cargo has just built: it lies beside this one.
pub(crate) fn built(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let program = own.parent().unwrap_or(Path::new(".")).join(name);
    if program.exists() { Ok(program) } else { Err(format!("find {}", program.display()).into()) }
}

/// The cargo that runs this program, in this repository.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    command
}

/// Runs a command that must succeed, and says how long it took.
pub(crate) fn run_to_end(command: &mut Command, what: &str) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let status =
        command.status().map_err(|error| format!("{what}: {}: {error}", command.get_program().display()))?;
    if !status.success() {
        return Err(format!("{what}: {} ended with {status}", command.get_program().display()).into());
    }
    println!("{what}: done in {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}
