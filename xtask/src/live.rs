//! `cargo xtask test-live`: the tests that need real backends, and two MCP clients that are not ours.
//!
//! 1. The testbed is brought up; what runs already is used as it is and keeps running afterwards.
//! 2. The clients are installed into the cache ([`clients`]), the servers are built.
//! 3. It waits until the testbed shows what the tests look for ([`readiness`]).
//! 4. `tests/live.rs` of every crate, `live` of the stores of logs, and what compares with the real Prometheus or with Microsoft's parser of KQL, then Python's fastmcp, then the MCP inspector ([`inspector`]) against the
//!    real binaries ([`subject`]) over stdio and HTTP in both eras of the protocol; Prometheus scrapes metrics-mcp's metrics; at the end
//!    the audit log that these sessions left is verified.
//!
//! Nothing is skipped: what can't be run counts as failed.

pub(crate) mod clients;
mod inspector;
mod outcome;
pub(crate) mod readiness;
mod served;
mod subject;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::testbed::cache::{Cache, Endpoints};
use crate::testbed::{self, programs};
use clients::Clients;
use outcome::{Outcome, Report};
use served::Served;
use subject::Subject;

/// How long Prometheus may take to notice a new target and to scrape it.
const SCRAPED_WITHIN: Duration = Duration::from_secs(20);

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
    for server in ["metrics-mcp", "logs-mcp"] {
        run_to_end(cargo().args(["build", "--quiet", "--package", server]), &format!("build {server}"))?;
    }
    let waited = readiness::wait(&endpoints)?;
    println!("the testbed shows everything the tests look for (waited {} s)", waited.as_secs());

    report.add("cargo test --test live --test equal --test testbed", |outcome| {
        rust_tests(cache, &endpoints, outcome)
    });
    report.add("kql guard beside microsoft's parser", |outcome| {
        outcome.count_output_of(&mut crate::kql::comparison(cache)?)
    });
    for subject in [subject::metrics_mcp(cache, &endpoints)?, subject::logs_mcp(cache, &endpoints)?] {
        let server = &subject.expected.server;
        let mut served = Served::start(&subject)?;
        report.add(&format!("{server}: python fastmcp"), |outcome| {
            python(&clients, &subject, &served, outcome)
        });
        report.add(&format!("{server}: mcp inspector"), |outcome| {
            inspector::run(&clients, &subject, &served, outcome)
        });
        if server == testbed::METRICS_MCP {
            report.add("scraped by prometheus", |outcome| scraped(cache, &endpoints, &served, outcome));
        }
        report.add(&format!("{server}: stop and audit log"), |outcome| {
            stop_and_verify(&mut served, &subject, outcome)
        });
    }
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
