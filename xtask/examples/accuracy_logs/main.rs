//! How well `logs-mcp` finds what was planted into generated logs: class, onset, service. Run by
//! `cargo xtask bench accuracy-logs`; arguments: cases of each kind, first seed, file of the report.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a developer's command line"
)]

mod ask;
mod plant;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::time::Instant;

use plant::{Incident, case};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, usual: u64| arguments.get(place).map_or(Ok(usual), |text| text.parse());
    let (seeds, from) = (number(0, 25)?, number(1, 10_000)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let begun = Instant::now();
    let mut all: BTreeMap<Incident, Vec<ask::Found>> = BTreeMap::new();
    let mut records = 0;
    for incident in Incident::ALL {
        for seed in from..from + seeds {
            let case = case(incident, seed);
            records += case.records;
            let found = runtime.block_on(ask::found(&case));
            if !found.right() {
                eprintln!("{} {seed}: {:?}\n{found:?}\n{}\n", incident.name(), case.truth, found.verdict);
            }
            all.entry(incident).or_default().push(found);
        }
        eprintln!("{}: {seeds} cases, {:.0} s so far", incident.name(), begun.elapsed().as_secs_f64());
    }
    let report = report(&all, seeds, from, records);
    println!("{report}");
    if let Some(path) = arguments.get(2) {
        std::fs::write(path, &report)?;
    }
    Ok(())
}

fn report(all: &BTreeMap<Incident, Vec<ask::Found>>, seeds: u64, from: u64, records: usize) -> String {
    let mut text = format!(
        "{} cases, seeds {from} to {}, {} records a case on average\n\n\
         | incident | class right, first row | class right, first three rows | service right | onset error, median | 90 % within | other rows new or surging |\n\
         |---|---|---|---|---|---|---|\n",
        all.values().map(Vec::len).sum::<usize>(),
        from + seeds - 1,
        records / all.values().map(Vec::len).sum::<usize>().max(1),
    );
    for (incident, found) in all {
        let share = |is: fn(&ask::Found) -> bool| {
            format!("{} of {}", found.iter().filter(|one| is(one)).count(), found.len())
        };
        let mut errors: Vec<f64> = found.iter().filter_map(|one| one.onset_error).collect();
        errors.sort_by(f64::total_cmp);
        let at = |q: f64| {
            let place = ((errors.len() as f64 * q) as usize).min(errors.len().saturating_sub(1));
            errors.get(place).map_or("-".to_owned(), |error| format!("{error:.0} s"))
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            incident.name(),
            share(|one| one.rank == Some(1)),
            share(|one| one.rank.is_some_and(|rank| rank <= 3)),
            share(|one| one.service),
            at(0.5),
            at(0.9),
            found.iter().map(|one| one.others).sum::<usize>(),
        );
    }
    text
}
