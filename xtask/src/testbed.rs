//! `cargo xtask testbed`: real backends on loopback, for the live tests and for trying things by hand.
//!
//! Everything lives in a cache directory outside the checkout ([`cache`]); programs are built or fetched
//! there once ([`programs`]); what is started, with which arguments, is in [`backends`]; starting and
//! stopping a process safely is in [`process`]. The load generator is this very program ([`load`]).

mod backends;
pub(crate) mod cache;
mod exposition;
pub(crate) mod http;
mod load;
mod process;
pub(crate) mod programs;
mod search;
mod traffic;

use std::error::Error;

use clap::{Subcommand, ValueEnum};

use cache::Cache;

/// The server under development as Prometheus finds it; it is not ours to start or stop.
pub(crate) const METRICS_MCP: &str = "metrics-mcp";

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
        /// What to start; everything but the search clusters when left out.
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
    /// OpenSearch 2.19; only when named.
    #[value(name = "opensearch")]
    OpenSearch,
    /// Elasticsearch 8.19; only when named.
    Elasticsearch,
    /// Elasticsearch 7.17; only when named.
    #[value(name = "elasticsearch7")]
    Elasticsearch7,
    /// Elasticsearch 8.19 that asks who is there; only when named.
    ElasticsearchSecured,
}

impl Backend {
    /// The processes of this backend, as they are named in the endpoints file.
    fn processes(self) -> &'static [&'static str] {
        match self {
            Backend::Load => &["load"],
            Backend::Alertmanager => &["alertmanager", "alertmanager-2"],
            Backend::PrometheusOld => &["prometheus-old"],
            Backend::Prometheus => &["prometheus"],
            Backend::OpenSearch => &["opensearch"],
            Backend::Elasticsearch => &["elasticsearch"],
            Backend::Elasticsearch7 => &["elasticsearch7"],
            Backend::ElasticsearchSecured => &["elasticsearch-secured"],
        }
    }

    /// Whether it takes so much memory that it is started only when it is named.
    fn is_large(self) -> bool {
        use Backend::{Elasticsearch, Elasticsearch7, ElasticsearchSecured, OpenSearch};
        matches!(self, OpenSearch | Elasticsearch | Elasticsearch7 | ElasticsearchSecured)
    }
}

/// Run one `testbed` command.
pub(crate) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    match args.action {
        Action::Up { names, metrics_mcp } => {
            let all_but_large = names.is_empty();
            let mut backends = chosen(names);
            backends.retain(|backend| !(all_but_large && backend.is_large()));
            up(&backends, metrics_mcp)
        }
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
    start_all(&cache, backends)?;

    status(backends)?;
    println!("endpoints: {}", cache.endpoints_file().display());
    Ok(())
}

fn down(backends: &[Backend]) -> Result<(), Box<dyn Error>> {
    let cache = Cache::open()?;
    let _only_one_at_a_time = cache.lock()?;

    // The reverse of starting: who asks goes before who is asked.
    for name in backends.iter().rev().flat_map(|backend| backend.processes()) {
        stop(&cache, name)?;
    }
    if backends.contains(&Backend::Prometheus) {
        cache.remove_target(METRICS_MCP)?;
    }
    Ok(())
}

fn stop(cache: &Cache, name: &str) -> Result<(), Box<dyn Error>> {
    let mut endpoints = cache.endpoints()?;
    let Some(running) = endpoints.remove(name) else { return Ok(()) };
    let outcome = process::stop(&running)?;
    cache.remove_target(name)?;
    cache.write_endpoints(&endpoints)?;
    println!("{name}: {outcome}");
    Ok(())
}

/// For the live tests: starts what does not run, and says what that was, in the order of starting.
pub(crate) fn start_what_is_missing(cache: &Cache) -> Result<Vec<&'static str>, Box<dyn Error>> {
    let _only_one_at_a_time = cache.lock()?;
    let before = cache.endpoints()?;

    let runs = |name: &str| before.get(name).is_some_and(process::is_ours);
    let backends = Backend::value_variants();
    let missing = backends.iter().flat_map(|backend| backend.processes()).filter(|name| !runs(name));
    let missing = missing.copied().collect();
    start_all(cache, backends)?;
    Ok(missing)
}

fn start_all(cache: &Cache, backends: &[Backend]) -> Result<(), Box<dyn Error>> {
    // Programs first: building one may take minutes, and what the load does early on must be seen by Prometheus.
    backends.iter().try_for_each(|backend| backends::prepare(cache, *backend))?;
    backends.iter().try_for_each(|backend| backends::start(cache, *backend))
}

/// For the live tests: stops what [`start_what_is_missing`] started.
pub(crate) fn stop_again(cache: &Cache, started: &[&str]) -> Result<(), Box<dyn Error>> {
    let _only_one_at_a_time = cache.lock()?;
    started.iter().rev().try_for_each(|name| stop(cache, name))
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
    fn naming_nothing_chooses_everything_with_prometheus_after_what_it_scrapes() {
        let mut all = chosen(vec![]);
        assert_eq!(all.len(), 8);

        all.retain(|backend| !backend.is_large());
        assert_eq!(all.last(), Some(&Backend::Prometheus));
    }

    #[test]
    fn a_name_given_twice_is_chosen_once_and_in_starting_order() {
        let names = vec![Backend::Prometheus, Backend::Load, Backend::Prometheus];

        assert_eq!(chosen(names), [Backend::Load, Backend::Prometheus]);
    }
}
