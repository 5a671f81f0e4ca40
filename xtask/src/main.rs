//! The project's own commands: `cargo xtask NAME`.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a developer's command line")]

mod bench;
mod conformance;
mod demo;
mod docs;
mod fuzz;
mod kql;
mod live;
mod mine;
mod supply;
mod testbed;
mod verify;
mod world;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Investigate a recorded incident by real MCP calls to the servers: the newcomer's first command.
    Demo(demo::Args),
    /// Measure metrics-mcp beside its goals, bare axum and bare rmcp, in release builds. Takes about three minutes.
    Bench(bench::Args),
    /// A baseline of the bench: axum alone.
    #[command(hide = true)]
    BenchAxum(bench::BaselineArgs),
    /// A baseline of the bench: rmcp alone.
    #[command(hide = true)]
    BenchRmcp(bench::BaselineArgs),
    /// Start, stop and show the real backends that the live tests use.
    Testbed(testbed::Args),
    /// Write the reference (configuration, tools) from the types.
    Docs(docs::Args),
    /// Run the MCP conformance suite in both revisions against the real runtime, and print a table. Needs npm.
    Conformance(conformance::Args),
    /// Print for each line of a text file its stage-1 identity, its merged pattern's identity and that pattern's template,
    /// separated by tabs.
    Mine(mine::Args),
    /// Generate a recorded incident.
    World(world::Args),
    /// Fuzz every parser of outside bytes: time ranges, PromQL, OpenMetrics, replies, audit files, requests.
    Fuzz(fuzz::Args),
    /// Compare the guard of KQL with Microsoft's own parser on 24,000 generated and hostile texts. Needs npm.
    KqlOracle,
    /// Check licences, write a software bill of materials of each server, and compare two builds.
    SupplyChain(supply::Args),
    /// Check all that protects an operator, without any backend, and print a table: check, figure, goal.
    Verify(verify::Args),
    /// Bring the testbed up if needed and run all tests that need it, with independent MCP clients.
    TestLive,
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: failed to {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Demo(args) => demo::run(args),
        Command::Bench(args) => bench::run(args),
        Command::BenchAxum(args) => bench::axum(&args),
        Command::BenchRmcp(args) => bench::rmcp(&args),
        Command::Testbed(args) => testbed::run(args),
        Command::Docs(args) => docs::run(args),
        Command::Conformance(args) => conformance::run(args),
        Command::Mine(args) => mine::run(&args),
        Command::World(args) => world::run(args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::KqlOracle => kql::run(),
        Command::SupplyChain(args) => supply::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::TestLive => live::run(),
    }
}
