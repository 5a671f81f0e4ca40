//! `cargo xtask conformance`: the MCP conformance suite against the real runtime, in both revisions of the protocol.
//!
//! 1. The suite and the Node it needs are installed into the cache, as `testbed/conformance` asks, once.
//! 2. `conformance-mcp` (fixtures behind the real runtime, test only) is built and started on a free loopback port.
//! 3. The scenarios that each revision requires are run ([`verdicts`] reads what they found). All must pass: one that was
//!    not run has failed. What is not required (extensions, pending scenarios) is run by the suite too, and shown.
//! 4. Scenarios that need no fixtures are run against the shipped binary as well.
//! 5. The server is stopped, and the audit log it left is verified.
//!
//! Everything found is under `target/conformance/`.

mod verdicts;

use std::error::Error;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::live::{self, clients, readiness};
use crate::testbed::{cache::Cache, http};
use verdicts::Verdicts;

/// The revisions that are served, as the suite names its sets of requirements.
const REVISIONS: [&str; 2] = ["2026-07-28", "2025-11-25"];
/// Of 2026-07-28, what every server can be asked without fixtures.
const SHIPPED: [&str; 4] =
    ["tools-list", "prompts-list", "dns-rebinding-protection", "http-header-validation"];
const READY_WITHIN: Duration = Duration::from_secs(10);
const STOPPED_WITHIN: Duration = Duration::from_secs(15);

/// The arguments of `cargo xtask conformance`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the findings go; emptied first. `target/conformance` when left out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// The programs of the suite.
struct Suite {
    node: PathBuf,
    script: PathBuf,
    requirements: PathBuf,
}

/// Runs everything, shows a table, and fails below 100 % of what is required.
pub(crate) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let suite = install(&Cache::open()?)?;
    live::run_to_end(
        live::cargo().args(["build", "--quiet", "--package", "conformance", "--package", "metrics-mcp"]),
        "build the servers",
    )?;
    let out = match args.out {
        Some(out) => std::path::absolute(out)?,
        None => {
            live::built("conformance-mcp")?.ancestors().nth(2).unwrap_or(Path::new(".")).join("conformance")
        }
    };
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    fs::create_dir_all(&out)?;

    let mut all = Vec::new();
    let mut server = Served::start("conformance-mcp", &out)?;
    for revision in REVISIONS {
        let found = out.join(revision);
        suite.check(&server, &["--requirements", revision], &found)?;
        let required =
            verdicts::required(&fs::read_to_string(suite.requirements.join(format!("{revision}.yaml")))?);
        all.push((format!("{revision} required"), Verdicts::read(&found, &required)?));
    }
    server.stop_and_verify()?;

    let mut shipped = Served::start("metrics-mcp", &out)?;
    let found = out.join("metrics-mcp");
    for scenario in SHIPPED {
        suite.check(&shipped, &["--scenario", scenario, "--spec-version", "2026-07-28"], &found)?;
    }
    shipped.stop_and_verify()?;
    all.push(("metrics-mcp itself".to_owned(), Verdicts::read(&found, &SHIPPED.map(str::to_owned))?));

    let table = verdicts::table(&all);
    println!("\n{table}");
    fs::write(out.join("report.md"), format!("```text\n{table}\n```\n"))?;
    let failed: Vec<String> = all.iter().flat_map(|(set, found)| found.problems(set)).collect();
    println!("findings are in {}; took {:.0} s", out.display(), started.elapsed().as_secs_f64());
    if failed.is_empty() {
        println!("conformance: 100 % of what both revisions require");
        return Ok(());
    }
    failed.iter().for_each(|problem| println!("FAILED {problem}"));
    Err("conform to the protocol (see above)".into())
}

fn install(cache: &Cache) -> Result<Suite, Box<dyn Error>> {
    let manifests = ["package.json", "package-lock.json", ".npmrc"];
    let place = clients::installed(cache, "conformance", "conformance", &manifests, clients::npm_ci)?;
    let package = place.join("node_modules/@modelcontextprotocol/conformance");
    Ok(Suite {
        node: clients::node(&place),
        script: package.join("dist/index.js"),
        requirements: package.join("requirements"),
    })
}

impl Suite {
    /// Runs scenarios; what they found is read from files, because the exit code counts what is not required too.
    fn check(&self, server: &Served, which: &[&str], found: &Path) -> Result<(), Box<dyn Error>> {
        fs::create_dir_all(found)?;
        let log = File::options().create(true).append(true).open(found.join("suite.log"))?;
        let mut command = Command::new(&self.node);
        command.arg(&self.script).args(["server", "--url", &format!("{}/mcp", server.url)]);
        command.args(which).arg("-o").arg(found).stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log).status()?;
        Ok(())
    }
}

/// A server on a port of its own; killed when dropped.
struct Served {
    name: &'static str,
    program: PathBuf,
    process: Child,
    url: String,
    state: PathBuf,
}

impl Served {
    fn start(name: &'static str, out: &Path) -> Result<Served, Box<dyn Error>> {
        let program = live::built(name)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let state = out.join(format!("{name}.state"));
        let prefix = name.to_uppercase().replace('-', "_");
        let process = Command::new(&program)
            .args(["serve", "--http", &address])
            .env_clear()
            .env("OBSERVABILITY_MCP_STATE", &state)
            // The suite calls more often than a person's assistant.
            .env(format!("{prefix}__RATES__CHEAP__PER_MINUTE"), "60000")
            .env(format!("{prefix}__RATES__CHEAP__BURST"), "1000")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stderr(File::create(out.join(format!("{name}.log")))?)
            .spawn()?;
        let url = format!("http://{address}");
        let served = Served { name, program, process, url, state };
        let ready = readiness::within(READY_WITHIN, || {
            http::get(&served.url, "/livez").is_ok_and(|reply| reply.status == 200)
        });
        if ready { Ok(served) } else { Err(format!("start {name} on {address}").into()) }
    }

    fn stop_and_verify(&mut self) -> Result<(), Box<dyn Error>> {
        Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status()?;
        let mut status = None;
        readiness::within(STOPPED_WITHIN, || {
            status = self.process.try_wait().ok().flatten();
            status.is_some()
        });
        if !status.is_some_and(|status| status.success()) {
            return Err(format!("stop {} in good order", self.name).into());
        }
        let mut verify = Command::new(&self.program);
        verify.env_clear().env("OBSERVABILITY_MCP_STATE", &self.state).args(["audit", "verify"]);
        verify.arg(self.state.join(format!("audit/{}.jsonl", self.name))).stdout(Stdio::null());
        if verify.status()?.success() {
            Ok(())
        } else {
            Err(format!("verify the audit log of {}", self.name).into())
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Both fail when it has ended already, as it should have.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
