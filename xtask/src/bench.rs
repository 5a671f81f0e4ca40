//! `cargo xtask bench`: how fast, small and frugal metrics-mcp is, beside its goals and two baselines, in one run.
//!
//! 1. Cargo builds the server and this program in release mode ([`build`]). This process becomes the second: a load
//!    generator that is not optimised would measure itself.
//! 2. Over stdio ([`single`]): start, memory, the listing, and what becomes of one large reply.
//! 3. With `--recorded`, instead of the rest: a recorded incident beside the real Prometheus ([`recorded`]).
//! 4. With `--tools`, instead of the rest: each tool over ten thousand series in the real Prometheus, and under faults
//!    ([`tools`]).
//! 5. Over HTTP ([`compare`]): ours, bare axum and bare rmcp ([`baselines`]) in turn, before an instant backend
//!    ([`fake`]), under a load generator of our own ([`load`]).
//!
//! `cargo xtask bench load` ([`strain`]) is about endurance instead of speed; `cargo xtask bench logs` ([`logs`]) is about
//! another server.
//!
//! Everything is on loopback, bounded by count and time, and ends with this process. Figures are not tests: a goal
//! that is missed is shown, and fails nothing. Only what can't be measured does.

mod accuracy;
mod baselines;
mod build;
mod child;
mod compare;
mod contender;
mod fake;
mod fixture;
mod http1;
mod load;
mod logs;
mod mine;
mod proxy;
mod recorded;
mod report;
mod single;
mod strain;
mod subject;
mod summary;
mod tools;
mod wide;

use std::error::Error;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

pub(crate) use baselines::{Args as BaselineArgs, axum, rmcp};
use compare::Effort;
use report::number;
use subject::Subject;

/// The arguments of `cargo xtask bench`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// How often each server is measured in turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Milliseconds of each server, each way, in each round.
    #[arg(long, default_value_t = 1_500, value_parser = clap::value_parser!(u32).range(50..=60_000))]
    milliseconds: u32,
    /// Only a recorded incident beside the real Prometheus; needs the running testbed.
    #[arg(long)]
    recorded: bool,
    /// Only each tool's own work beside decoding, over ten thousand series; needs the running testbed.
    #[arg(long, conflicts_with = "recorded")]
    tools: bool,
    /// Measure this server instead of building it; set by the bench itself for its second process.
    #[arg(long, hide = true)]
    server: Option<PathBuf>,
}

/// Benches of something else than speed.
#[derive(clap::Subcommand)]
enum What {
    /// How well get_high_cardinality_metrics finds the faulty metric, on generated incidents.
    AccuracyMetrics(accuracy::Args),
    /// How well the logs server tells what was planted into generated logs: new errors, surges, silence, slow ingest.
    AccuracyLogs(accuracy::Args),
    /// A million calls, a thousand at once, ten thousand idle connections: memory, and what happens at the limits.
    Load(strain::Args),
    /// How long each tool of the logs server takes over the demo's logs.
    Logs,
    /// How well and how fast the log pattern miner works on generated logs, beside the crate drain3.
    Mine(mine::Args),
}

/// Builds, measures, and prints the tables.
pub(crate) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    match &args.what {
        Some(What::AccuracyMetrics(args)) => return accuracy::run("accuracy", args),
        Some(What::AccuracyLogs(args)) => return accuracy::run("accuracy_logs", args),
        Some(What::Load(args)) => return strain::run(args),
        Some(What::Logs) => return logs::run(),
        Some(What::Mine(args)) => return mine::run(args),
        None => {}
    }
    let effort =
        Effort { rounds: args.rounds as usize, time: Duration::from_millis(u64::from(args.milliseconds)) };
    match args.server {
        Some(program) => {
            let subject = Subject { program, state: tempfile::tempdir()? };
            // One thread, so that the load generator takes no more of the processors than it must.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let only = (args.recorded, args.tools);
            runtime.block_on(async {
                tokio::select! { done = measure(&subject, effort, only) => done, stopped = interrupted() => stopped }
            })
        }
        None => {
            let server = build::release("metrics-mcp")?;
            let bench = build::release("xtask")?;
            let (rounds, milliseconds) = (args.rounds.to_string(), args.milliseconds.to_string());
            let mut command = Command::new(bench);
            command.arg("bench");
            command.args(args.recorded.then_some("--recorded")).args(args.tools.then_some("--tools"));
            command.args(["--rounds", &rounds, "--milliseconds", &milliseconds, "--server"]).arg(server);
            // Replaces this process: who stops it stops the bench.
            Err(format!("start the release build: {}", command.exec()).into())
        }
    }
}

async fn measure(
    subject: &Subject,
    effort: Effort,
    (only_recorded, only_tools): (bool, bool),
) -> Result<(), Box<dyn Error>> {
    println!("{}", conditions());
    if only_tools {
        println!("{}", tools::measure(subject).await?);
        return Ok(());
    }
    let milliseconds = number(effort.time.as_secs_f64() * 1e3);
    println!("Medians of {} rounds of {milliseconds} ms. MB = 10⁶ bytes.\n", effort.rounds);
    if only_recorded {
        let (figures, table) = recorded::measure(subject).await?;
        println!("{}\n{table}", report::figures(&figures));
        return Ok(());
    }
    let mut figures = single::start(subject).await?;
    figures.extend(single::idle(subject).await?);
    figures.extend(single::peaks(subject).await?);
    figures.extend(single::digest(subject).await?);
    let compared = compare::run(subject, effort).await?;
    figures.splice(0..0, compared.figures);
    println!("{}\n{}", report::figures(&figures), compared.table);
    Ok(())
}

/// What else there is to know of the figures of this run.
fn conditions() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let averages = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let busy = averages.split(' ').next().unwrap_or("unknown");
    format!(
        "{processors} processors, which the server shares with what asks it and what it asks.\nLoad average before the \
         run: {busy}. Other programs slow everything down: then only ratios and differences mean much."
    )
}

/// Ends the bench, and with it everything that it started, when someone asks it to.
async fn interrupted() -> Result<(), Box<dyn Error>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    Err("measure everything: it was interrupted".into())
}
