//! `cargo xtask bench load`: what many calls, many at once and many connections do to one server.
//!
//! - [`endurance`]: calls one after another over HTTP; memory must not grow with their number.
//! - [`crowd`]: a thousand calls at once before a backend that takes two seconds, with the limits as they come and without.
//! - [`idle`]: ten thousand connections that say nothing any more, and more connections than the server may open files.
//!
//! On loopback, bounded by count, and at its end by itself.

mod crowd;
mod endurance;
mod idle;

use std::error::Error;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use super::report::{self, Figure};
use super::subject::Subject;
use super::{build, interrupted};

/// The arguments of `cargo xtask bench load`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Calls one after another.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=100_000_000))]
    calls: u32,
    /// Connections that say nothing any more.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    connections: u32,
    /// Measure a development build, which is quick to make: memory and counts mean something then, speed does not.
    #[arg(long)]
    dev: bool,
    /// Fail when a goal is missed, and print figures as `cargo xtask verify` reads them.
    #[arg(long)]
    check: bool,
    /// Measure this server instead of building it; set by the bench itself for its second process.
    #[arg(long, hide = true)]
    server: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let Some(program) = &args.server else { return again(args) };
    let subject = Subject { program: program.clone(), state: tempfile::tempdir()? };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figures = runtime.block_on(async {
        tokio::select! {
            done = measure(&subject, args) => done,
            stopped = interrupted() => stopped.map(|()| Vec::new()),
        }
    })?;
    println!("{}", report::figures(&figures));
    if args.check {
        figures.iter().for_each(|figure| println!("{}", figure.for_verify()));
        if figures.iter().any(Figure::is_missed) {
            return Err("meet every goal".into());
        }
    }
    Ok(())
}

/// Builds the server, and this program where speed is to mean something, and becomes the one that measures: with as many
/// files as it may open.
fn again(args: &Args) -> Result<(), Box<dyn Error>> {
    let (server, bench) = if args.dev {
        (build::dev("metrics-mcp")?, std::env::current_exe()?)
    } else {
        (build::release("metrics-mcp")?, build::release("xtask")?)
    };
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "ulimit -n \"$(ulimit -H -n)\"; exec \"$0\" \"$@\""])
        .arg(bench)
        .args(["bench", "load"]);
    command.args(["--calls", &args.calls.to_string(), "--connections", &args.connections.to_string()]);
    command.args(args.check.then_some("--check")).arg("--server").arg(server);
    Err(format!("start the bench: {}", command.exec()).into())
}

async fn measure(subject: &Subject, args: &Args) -> Result<Vec<Figure>, Box<dyn Error>> {
    println!("{}", super::conditions());
    let during = |what: &'static str| move |error: Box<dyn Error>| format!("measure {what}: {error}");
    let calls = endurance::measure(subject, args.calls as usize).await;
    let mut figures = calls.map_err(during("calls one after another"))?;
    figures.extend(crowd::measure(subject).await.map_err(during("calls at once"))?);
    let connections = idle::measure(subject, args.connections as usize).await;
    figures.extend(connections.map_err(during("idle connections"))?);
    Ok(figures)
}
