//! `cargo xtask fuzz`: every parser of outside bytes, for longer than in an ordinary test run.

use std::error::Error;
use std::process::Command;

/// The arguments of `cargo xtask fuzz`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long each target is fuzzed, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// Runs the tests that are called `fuzz_…`, which read how long from the environment.
pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    cargo.args(["test", "--workspace", "--quiet", "--no-fail-fast", "fuzz_", "--", "--nocapture"]);
    cargo.env("FUZZ_SECONDS", args.seconds.to_string());
    if cargo.status()?.success() { Ok(()) } else { Err("find nothing (the inputs are above)".into()) }
}
