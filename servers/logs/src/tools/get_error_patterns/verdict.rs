//! The sentence that an answer begins with.

use contract::{counted, duration_text, time_text};

use super::{
    judge::Row,
    onset::Onset,
    show::{ALREADY, Picture},
};
use crate::{
    analysis::difference::Class,
    model::Level,
    tools::asking::{Absence, Service, share},
};

/// Characters of a pattern.
const PATTERN: usize = 160;

pub(super) fn verdict(picture: &Picture<'_>) -> String {
    let gathered = picture.gathered;
    let whose = Service::whose(gathered.asked.service.as_ref());
    let level = match gathered.asked.floor.level() {
        Some(level) => format!("records at {} or worse", level.name()),
        None => "records".to_owned(),
    };
    let all = gathered.now.sample.value.total;
    if all.number() == 0 {
        return nothing(picture, &whose, &level);
    }
    let length = duration_text(gathered.asked.window.seconds());
    let stopped = gathered.asked.stopped.as_ref().map_or(String::new(), |told| format!(" {told}"));
    let sum = format!("{} {level}{whose} in {length}", all.told());
    let patterns =
        counted(picture.rows.iter().filter(|row| row.is_there()).count() as u64, "pattern", "patterns");
    let found = match picture.rows.first() {
        Some(first) if matches!(first.class, Class::New | Class::Surging) => {
            format!("{sum}: {}.", moved(picture, first, &patterns))
        }
        Some(first) if first.class == Class::Unknown => format!(
            "{sum}, {patterns}: what is new or surging can't be told, as there is no baseline; most frequent: one{}.",
            one(picture, first)
        ),
        _ => format!("{sum}, {patterns}: nothing new, nothing surging."),
    };
    found + &stopped
}

/// What is new or surging, the first of it, and a new one that is worse than the first though of fewer records.
fn moved(picture: &Picture<'_>, first: &Row, patterns: &str) -> String {
    let with = |class: Class| picture.rows.iter().filter(move |row| row.class == class);
    let (new, surging) = (with(Class::New).count(), with(Class::Surging).count());
    let lead =
        if first.matters { "; most of all a" } else { ", none by more than a handful of records; first a" };
    let level = |row: &Row| row.portrait.level;
    let worst = with(Class::New).max_by_key(|row| (level(row), row.now.all()));
    let worst = worst.filter(|row| level(row) >= Some(Level::Error) && level(row) > level(first));
    let also = worst.map_or(String::new(), |row| {
        format!("; also new, at {}: one{}", level(row).map_or("", Level::name), one(picture, row))
    });
    let class = first.class.name();
    format!("{new} new and {surging} surging of {patterns}{lead} {class} one{}{also}", one(picture, first))
}

/// Whose it is, since when, how often, and its text.
fn one(picture: &Picture<'_>, row: &Row) -> String {
    let gathered = picture.gathered;
    let share = share(row.now.all(), gathered.now.sample.value.total.number());
    let since = match row.onset {
        Some(Onset::At(onset)) => format!(" since {}", time_text(onset)),
        Some(Onset::Before) => format!(" ({ALREADY})"),
        None => String::new(),
    };
    let service = match (&gathered.asked.service, &row.service) {
        (None, Some(service)) => format!(" in {}", service.shown(60)),
        _ => String::new(),
    };
    let estimated = if row.now.is_exact() { "" } else { "≈" };
    let times = counted(row.now.all(), "time", "times");
    let text = picture.cx.intake.text(&row.text).shown(PATTERN);
    format!("{service}{since}, {estimated}{times} ({share}): {text}")
}

fn nothing(picture: &Picture<'_>, whose: &str, level: &str) -> String {
    let gathered = picture.gathered;
    let (start, end) = (time_text(gathered.asked.window.start()), time_text(gathered.asked.window.end()));
    let before: u64 = gathered.before.iter().map(|one| one.sample.value.total.number()).sum();
    let gone = if before > 0 { format!("; {before} {level} in the baselines") } else { String::new() };
    match gathered.now.recorded {
        0 => match gathered.absence.as_ref().and_then(Absence::told) {
            Some(told) => format!("No record of any level{whose} between {start} and {end}; {told}{gone}."),
            None if before > 0 => format!("No record of any level{whose} between {start} and {end}{gone}."),
            None => format!("No record of any level{whose} between {start} and {end}: nothing can be said."),
        },
        recorded => match gathered.unlevelled {
            // None could have been found.
            Some(none) if none.is_all() => format!("{}{gone}.", none.told(whose)),
            Some(none) => format!("No {level}{whose} found, and {}{gone}.", none.told("")),
            None => format!(
                "No {level}{whose} among {} of the window{gone}.",
                counted(recorded, "record", "records")
            ),
        },
    }
}
