//! `cargo xtask docs`: writes the reference from the types, or checks that it is fresh.
//!
//! The generator is the example target `docs`, because it links the servers: that way the other commands compile,
//! and work, without them.

use std::error::Error;
use std::process::Command;

/// The arguments of `cargo xtask docs`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Change nothing; fail when a file is stale, or when the map misses an edge between crates.
    #[arg(long)]
    check: bool,
}

/// Run the generator.
pub(crate) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let mut generator = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    generator.args(["run", "--quiet", "--package", "xtask", "--example", "docs"]);
    if args.check {
        generator.args(["--", "--check"]);
    }
    let status = generator.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).status()?;
    if status.success() { Ok(()) } else { Err("have the reference as it should be (see above)".into()) }
}
