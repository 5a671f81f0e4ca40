//! `cargo xtask bench accuracy-metrics` and `accuracy-logs`: how well what was planted is found.
//!
//! The measurements are the example targets `accuracy` and `accuracy_logs`, because they link a server; as with `docs`, the
//! other commands compile without them.

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

/// The arguments of both.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Incidents of each kind.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=1000))]
    seeds: u32,
    /// The first seed. Methods were tuned on seeds below 1000.
    #[arg(long, default_value_t = 10_000)]
    from: u64,
    /// Also write the report there.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Runs the measurement of this name.
pub(super) fn run(example: &str, args: &Args) -> Result<(), Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--release", "--package", "xtask", "--example", example, "--"]);
    // A fast program, not a small one.
    command.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    command.args([args.seeds.to_string(), args.from.to_string()]);
    command.args(&args.out);
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let status = command.current_dir(root).status().map_err(|error| format!("start cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("measure the accuracy: {status}").into()) }
}
