//! `cargo xtask demo`: a short investigation of a recorded incident, by real calls to real server processes.
//!
//! 1. The incident is generated into `demo/checkout-incident` (about a second; the same bytes each time).
//! 2. Each server that exists starts as a child process over stdio, with `--snapshot`.
//! 3. The calls of [`script`] are made over MCP; each is shown with the answer as a model gets it.
//! 4. The audit logs are verified.
//!
//! The calls are written down beforehand, so that the demo needs no model; a model finds them in the `next` lines.

mod readme;
mod script;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::mcp::{Client, Era};
use world::{Options, World};

pub(crate) use script::SERVERS;
use script::{STEPS, Step};

/// The arguments of `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write the verdicts into README.md, between its markers.
    #[arg(long)]
    write: bool,
    /// Fail when README.md shows other verdicts.
    #[arg(long)]
    check: bool,
}

/// One call that was made.
pub(crate) struct Played {
    /// As a person would write it down: `tool(argument="value")`.
    call: String,
    why: &'static str,
    text: String,
}

/// Plays the investigation.
pub(crate) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let incident = root.join("demo/checkout-incident");
    let began = Instant::now();
    let options = Options { compress: true, logs: true, ..Options::default() };
    World::demo().write(&incident, &options)?;
    let shown = incident.strip_prefix(&root).unwrap_or(&incident).display().to_string();
    println!("recorded incident in {shown}, generated in {:.1} s\n", began.elapsed().as_secs_f64());

    let programs = build(&root)?;
    let state = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let played = runtime.block_on(play(&programs, &incident, state.path()))?;
    verify(&programs, state.path())?;
    println!("{}", script::goodbye(&shown));
    let verdicts = readme::section(&played);
    match (args.write, args.check) {
        (true, _) => readme::write(&root, &verdicts),
        (_, true) => readme::check(&root, &verdicts),
        _ => Ok(()),
    }
}

/// Builds the servers; their programs lie beside this one.
fn build(root: &Path) -> Result<Vec<(&'static str, PathBuf)>, Box<dyn Error>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--quiet"]);
    for server in SERVERS {
        cargo.args(["--package", server]);
    }
    if !cargo.status()?.success() {
        return Err("build the servers".into());
    }
    let own = std::env::current_exe()?;
    let beside = own.parent().ok_or("find this program's directory")?;
    Ok(SERVERS.iter().map(|server| (*server, beside.join(server))).collect())
}

async fn play(
    programs: &[(&'static str, PathBuf)],
    incident: &Path,
    state: &Path,
) -> Result<Vec<Played>, Box<dyn Error>> {
    let mut clients = Vec::new();
    for (server, program) in programs {
        let mut command = Command::new(program);
        // Nothing of the environment but a name for the audit log: what is shown is what anyone gets.
        command.env_clear().env("OBSERVABILITY_MCP_STATE", state).env("USER", "demo");
        command.arg("--snapshot").arg(incident);
        let mut client = Client::spawn(command);
        client.connect(Era::Stateless).await;
        let tools: Vec<String> = client.list_tools().await.iter().map(name).collect();
        println!("{server} over stdio: {}\n", tools.join(", "));
        clients.push((*server, client));
    }
    let mut played = Vec::new();
    for step in STEPS {
        let client = clients.iter().find(|(server, _)| *server == step.server);
        let (_, client) = client.ok_or_else(|| format!("find {} among the servers", step.server))?;
        played.push(make(client, step).await?);
    }
    for (server, mut client) in clients {
        client.close_input().await;
        let ended = client.child().exit_within(Duration::from_secs(10)).await;
        if !ended.is_some_and(|status| status.success()) {
            return Err(format!("see {server} end well").into());
        }
    }
    Ok(played)
}

fn name(tool: &serde_json::Value) -> String {
    tool.get("name").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

async fn make(client: &Client, step: &Step) -> Result<Played, Box<dyn Error>> {
    let call = script::written(step);
    println!("── {}\n▶ {call}", step.why);
    let began = Instant::now();
    let reply = client.call(step.tool, script::arguments(step)).await;
    let took = began.elapsed();
    for line in reply.text.lines() {
        println!("  {line}");
    }
    println!("  ({} bytes in {:.0} ms)\n", reply.text.len(), took.as_secs_f64() * 1000.0);
    if reply.is_error {
        return Err(format!("get an answer to {call}").into());
    }
    Ok(Played { call, why: step.why, text: reply.text })
}

/// Every call must have left its record.
fn verify(programs: &[(&'static str, PathBuf)], state: &Path) -> Result<(), Box<dyn Error>> {
    for (server, program) in programs {
        let log = state.join(format!("audit/{server}.jsonl"));
        let mut command = Command::new(program);
        command.env_clear().env("OBSERVABILITY_MCP_STATE", state).args(["audit", "verify"]).arg(log);
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let calls = STEPS.iter().filter(|step| step.server == *server).count();
        println!("── {server} audit verify\n  {}\n", said.trim().replace('\n', "\n  "));
        if !output.status.success() || !said.starts_with(&format!("valid: {calls} calls")) {
            return Err(format!("find {calls} calls in the audit log of {server}").into());
        }
    }
    Ok(())
}
