//! `cargo xtask bench mine`: the log pattern miner on generated logs with known templates.
//!
//! The measurement is the example target `mine` of `patterns`, because it needs drain3, which nothing else does. It is
//! built in release mode: it measures speed, too.

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

/// The arguments of `cargo xtask bench mine`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Lines of each kind of software.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    lines: u32,
    /// The seed. The miner was tuned on seed 1.
    #[arg(long, default_value_t = 10_000)]
    seed: u64,
    /// Also write the report there.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Show what is wrong in the groups of one system, or of `tuning`, all that the miner was tuned on.
    #[arg(long)]
    show: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--release", "--package", "patterns", "--example", "mine", "--"]);
    command.args([args.lines.to_string(), args.seed.to_string()]);
    match &args.out {
        Some(path) => command.arg(std::path::absolute(path)?),
        None => command.arg("-"),
    };
    command.args(&args.show);
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let status = command.current_dir(root).status().map_err(|error| format!("start cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("measure the miner: {status}").into()) }
}
