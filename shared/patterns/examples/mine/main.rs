//! How well and how fast the log pattern miner works on generated logs, beside the crate drain3. Run by
//! `cargo xtask bench mine`; arguments: lines of each system, seed, file of the report or `-`, and a system whose wrong
//! groups are shown.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a developer's command line"
)]

mod filters;
mod generate;
mod miners;
mod report;
mod score;
mod values;

use std::error::Error;

use generate::{Line, System};
use miners::{drain, first_stage_alone, ours};
use report::Report;
use score::{Mined, score};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, usual: u64| arguments.get(place).map_or(Ok(usual), |text| text.parse());
    let (count, seed) = (number(0, 2_000)? as usize, number(1, 10_000)?);
    let shown = arguments.get(3);
    let mut report = Report::new(count, seed);
    for system in System::all() {
        let lines = system.lines(count, seed);
        if shown.is_some_and(|name| *name == system.name || (name == "tuning" && !system.held_out)) {
            show(&system, &lines, false);
            show(&system, &lines, true);
        }
        measure(&system, &lines, &mut report)?;
    }
    let text = report.text();
    println!("{text}");
    if let Some(path) = arguments.get(2).filter(|path| *path != "-") {
        std::fs::write(path, &text)?;
    }
    Ok(())
}

fn measure(system: &System, lines: &[Line], report: &mut Report) -> Result<(), Box<dyn Error>> {
    let truth: Vec<usize> = lines.iter().map(|line| line.template).collect();
    let templates = system.templates();
    let views: [Vec<&str>; 2] = [
        lines.iter().map(|line| line.message.as_str()).collect(),
        lines.iter().map(|line| line.whole.as_str()).collect(),
    ];
    for (view, whole) in views.iter().zip([false, true]) {
        let mined: [Mined; 4] =
            [ours(view, true), ours(view, false), drain(view, false)?, drain(view, true)?];
        report.add(
            system,
            whole,
            view,
            mined.map(|mined| (score(&mined, &truth, &templates), mined.seconds)),
        );
    }
    report.first_stage(first_stage_alone(&views[1]));
    report.filters(filters::check(&views[0], !system.held_out));
    Ok(())
}

/// Prints what is wrong in the groups of a system, for tuning.
fn show(system: &System, lines: &[Line], whole: bool) {
    println!("--- {}, whole lines: {whole}", system.name);
    let view = |line: &'_ Line| if whole { line.whole.clone() } else { line.message.clone() };
    let texts: Vec<String> = lines.iter().map(view).collect();
    let messages: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mined = ours(&messages, true);
    let templates = system.templates();
    let mut seen = std::collections::BTreeMap::<usize, std::collections::BTreeSet<u64>>::new();
    let mut back = std::collections::BTreeMap::<u64, std::collections::BTreeSet<usize>>::new();
    for (line, group) in lines.iter().zip(&mined.groups) {
        seen.entry(line.template).or_default().insert(*group);
        back.entry(*group).or_default().insert(line.template);
    }
    for (template, groups) in seen {
        let wrong_text = groups
            .iter()
            .any(|group| score::normal(&mined.templates[group]) != score::normal(&templates[template]));
        if groups.len() > 1 || groups.iter().any(|group| back[group].len() > 1) {
            println!("GROUP {}: {}", system.name, templates[template]);
        } else if wrong_text && !whole {
            println!("TEXT  {}: {}", system.name, templates[template]);
        } else {
            continue;
        }
        groups
            .iter()
            .take(6)
            .for_each(|group| println!("      {} {}", back[group].len(), mined.templates[group]));
    }
}
