//! `metrics/`: what Prometheus would have recorded.

mod capacity;
mod clients;
mod databases;
mod durations;
mod kubernetes;
mod pools;
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

pub(crate) use pools::telling;

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
        servers::emit(target, &mut sheet);
        clients::emit(target, &mut sheet);
        pools::emit(target, &mut sheet);
        runtimes::emit(target, &mut sheet);
        databases::emit(target, &mut sheet);
        let usage = if target.first == 0 { month.next() } else { None };
        let cpu_before = usage.and_then(|usage| usage.cpu.last()).copied().unwrap_or(0.0);
        kubernetes::emit(target, cpu_before, &mut sheet);
    }
    kubernetes::emit_cluster(world, &mut sheet);
    sheet
}
