//! `cargo xtask world`: another recorded incident.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use clap::builder::PossibleValuesParser;
use world::{Fault, Options, World};

/// The arguments of `cargo xtask world`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What goes wrong; `demo` is the incident of the demo, whatever the seed.
    #[arg(long, value_parser = PossibleValuesParser::new(kinds()))]
    fault: String,
    /// Another seed is another victim, onset, amount, other red herrings and noise.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Directory to write to.
    #[arg(long)]
    out: PathBuf,
    /// Title instead of the incident's own.
    #[arg(long)]
    title: Option<String>,
    /// Write metrics as .om.gz: a twentieth of the size, but promtool needs them unpacked.
    #[arg(long)]
    compress: bool,
    /// Write logs as well.
    #[arg(long)]
    logs: bool,
}

const DEMO: &str = "demo";

fn kinds() -> impl Iterator<Item = &'static str> {
    [DEMO].into_iter().chain(Fault::ALL.map(Fault::name))
}

/// Generates the world, writes it and says what was written.
pub(crate) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let world = match Fault::from_name(&args.fault) {
        Some(fault) => World::incident(fault, args.seed),
        None => World::demo(),
    };
    let options = Options { title: args.title, compress: args.compress, logs: args.logs };
    let written = world
        .write(&args.out, &options)
        .map_err(|error| format!("write the recording to {}: {error}", args.out.display()))?;
    for (name, bytes) in &written.files {
        println!("{bytes:>12}  {name}");
    }
    println!(
        "{} series, {} samples in {:.1} s: {}",
        written.series,
        written.samples,
        started.elapsed().as_secs_f64(),
        args.out.display()
    );
    Ok(())
}
