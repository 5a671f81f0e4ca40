//! `cargo xtask testbed`: real backends on loopback, for the live tests and for trying things by hand.
//!
//! Everything lives in a cache directory outside the checkout ([`cache`]); programs are built or fetched
//! there once ([`programs`]); what is started, with which arguments, is in [`backends`]; starting and
//! stopping a process safely is in [`process`]. The load generator is this very program ([`load`]).

mod backends;
mod cache;
mod exposition;
mod http;
mod load;
mod process;
mod programs;
mod traffic;

use std::error::Error;

use clap::{Subcommand, ValueEnum};

use cache::Cache;

/// The server under development as Prometheus finds it; it is not ours to start or stop.
const METRICS_MCP: &str = "metrics-mcp";

/// The arguments of `cargo xtask testbed`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Start what is not running yet, and write the endpoints file. The first time builds take minutes.
    Up {
        /// What to start; everything when left out.
        names: Vec<Backend>,
        /// Let Prometheus also scrape a metrics-mcp that serves HTTP on this loopback port.
        #[arg(long, value_name = "PORT")]
        metrics_mcp: Option<u16>,
    },
    /// Stop what `up` started, and nothing else.
    Down {
        /// What to stop; everything when left out.
        names: Vec<Backend>,
    },
    /// Show what runs, where, and whether it is ready.
    Status {
        /// What to show; everything when left out.
        names: Vec<Backend>,
    },
    /// Serve the load generator's metrics in the foreground (what `up load` starts).
    #[command(hide = true)]
    ServeLoad {
        /// The loopback port to listen on.
        #[arg(long)]
        port: u16,
    },
}

/// A backend as one names it on the command line. The order is the order of starting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Backend {
    /// A load generator: four services' metrics, invented but deterministic.
    Load,
    /// Two Alertmanagers that form one cluster.
    Alertmanager,
    /// Debian's Prometheus 2.x: an old version to test against.
    PrometheusOld,
    /// Prometheus 3.x.
    Prometheus,
}

impl Backend {
    /// The processes of this backend, as they are named in the endpoints file.
    fn processes(self) -> &'static [&'static str] {
        match self {
            Backend::Load => &["load"],
            Backend::Alertmanager => &["alertmanager", "alertmanager-2"],
            Backend::PrometheusOld => &["prometheus-old"],
            Backend::Prometheus => &["prometheus"],
        }
    }
}

/// Run one `testbed` command.
pub(crate) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    match args.action {
        Action::Up { names, metrics_mcp } => up(&chosen(names), metrics_mcp),
        Action::Down { names } => down(&chosen(names)),
        Action::Status { names } => status(&chosen(names)),
        Action::ServeLoad { port } => load::serve(port),
    }
}

/// The named backends once each in starting order, or all of them when none is named.
fn chosen(mut names: Vec<Backend>) -> Vec<Backend> {
    if names.is_empty() {
        names = Backend::value_variants().to_vec();
    }
    names.sort_unstable();
    names.dedup();
    names
}

fn up(backends: &[Backend], metrics_mcp: Option<u16>) -> Result<(), Box<dyn Error>> {
    let cache = Cache::open()?;
    let _only_one_at_a_time = cache.lock()?;

    if let Some(port) = metrics_mcp {
        cache.write_target(METRICS_MCP, &format!("127.0.0.1:{port}"))?;
    }
    for backend in backends {
        backends::start(&cache, *backend)?;
    }

    status(backends)?;
    println!("endpoints: {}", cache.endpoints_file().display());
    Ok(())
}

fn down(backends: &[Backend]) -> Result<(), Box<dyn Error>> {
    let cache = Cache::open()?;
    let _only_one_at_a_time = cache.lock()?;

    // The reverse of starting: who asks goes before who is asked.
    for name in backends.iter().rev().flat_map(|backend| backend.processes()) {
        let mut endpoints = cache.endpoints()?;
        let Some(running) = endpoints.remove(*name) else { continue };
        let outcome = process::stop(&running)?;
        cache.remove_target(name)?;
        cache.write_endpoints(&endpoints)?;
        println!("{name}: {outcome}");
    }
    if backends.contains(&Backend::Prometheus) {
        cache.remove_target(METRICS_MCP)?;
    }
    Ok(())
}

fn status(backends: &[Backend]) -> Result<(), Box<dyn Error>> {
    let cache = Cache::open()?;
    let endpoints = cache.endpoints()?;

    for name in backends.iter().flat_map(|backend| backend.processes()) {
        match endpoints.get(*name) {
            None => println!("{name:<16} stopped"),
            Some(running) => {
                let health = backends::health(running);
                println!("{name:<16} {health:<10} {} pid {}", running.url, running.pid);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn naming_nothing_chooses_everything_with_prometheus_last() {
        let all = chosen(vec![]);

        assert_eq!(all.len(), 4);
        assert_eq!(all.last(), Some(&Backend::Prometheus));
    }

    #[test]
    fn a_name_given_twice_is_chosen_once_and_in_starting_order() {
        let names = vec![Backend::Prometheus, Backend::Load, Backend::Prometheus];

        assert_eq!(chosen(names), [Backend::Load, Backend::Prometheus]);
    }
}
