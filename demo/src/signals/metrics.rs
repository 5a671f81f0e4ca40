//! `metrics/`: what Prometheus would have recorded.

mod capacity;
mod clients;
mod databases;
mod durations;
mod kubernetes;
mod neighbour;
mod nodes;
mod pools;
mod probes;
pub(crate) mod rules;
mod runtimes;
mod servers;
pub(crate) mod sheet;
mod target;

use std::io;

use crate::World;
use crate::data::Series;

use super::Directory;
use rules::Raised;
use sheet::Sheet;
use target::Target;

pub(crate) use nodes::exporter;
pub(crate) use pools::{telling, telling_of_leak};
pub(crate) use probes::name as certificate;

/// Writes `metrics/` and returns every alert there was.
pub(crate) fn write(world: &World, directory: &mut Directory) -> io::Result<Vec<Raised>> {
    let (sheet, raised) = recorded(world);
    directory.metrics("metrics/shop.om", &sheet)?;
    directory.metrics("metrics/capacity.om", &capacity::sheet(world))?;
    let mut text = Vec::new();
    rules::write(&mut text)?;
    directory.file("metrics/rules.yml", &text)?;
    Ok(raised)
}

/// All series of the files, those of the month first.
pub(crate) fn series(world: &World, with_month: bool) -> Vec<Series> {
    let month = if with_month { capacity::sheet(world).into_series() } else { Vec::new() };
    month.into_iter().chain(recorded(world).0.into_series()).collect()
}

/// All that is scraped and what rules make of it, and every alert there was.
fn recorded(world: &World) -> (Sheet, Vec<Raised>) {
    let mut sheet = sheet(world);
    let raised = rules::evaluate(world, &mut sheet);
    (sheet, raised)
}

/// All that is scraped.
fn sheet(world: &World) -> Sheet {
    let mut sheet = Sheet::default();
    let targets = Target::all(world);
    // In the order of the month's replicas; pods of a new deployment start from nothing.
    let mut month = world.month.replicas.iter();
    for target in &targets {
        let read = target.read();
        let own = Target { steps: &read, ..*target };
        servers::emit(&own, &mut sheet);
        clients::emit(&own, &mut sheet);
        pools::emit(&own, &mut sheet);
        runtimes::emit(&own, &mut sheet);
        databases::emit(&own, &mut sheet);
        let usage = if target.first == 0 { month.next() } else { None };
        let cpu_before = usage.and_then(|usage| usage.cpu.last()).copied().unwrap_or(0.0);
        kubernetes::emit(target, cpu_before, &mut sheet);
    }
    kubernetes::emit_cluster(world, &mut sheet);
    nodes::emit(world, &mut sheet);
    neighbour::emit(world, &mut sheet);
    probes::emit(world, &mut sheet);
    sheet
}
