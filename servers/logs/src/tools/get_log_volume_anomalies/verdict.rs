//! What happened, in one sentence.

use contract::{counted, duration_text, time_text};

use super::{
    before::{Before, Then},
    gather::{Gathered, Stopped, long},
    rows::{Row, alike, ongoing, silent},
    show::{Picture, called, name, since},
    words,
};
use crate::tools::asking::{Absent, Service};

/// A window ends now that ended fewer seconds ago.
const RECENT: f64 = 60.0;

pub(super) fn verdict(picture: &Picture<'_>, rows: &[Row<'_>]) -> String {
    let gathered = picture.gathered;
    if let Some(stopped) = gathered.stopped {
        return stop(picture, rows, stopped);
    }
    let late = if gathered.late.is_empty() { String::new() } else { format!(" {}", late(gathered)) };
    match worst(picture, rows) {
        Some(worst) => format!("{worst}{late}"),
        None if !late.is_empty() => late.trim_start().to_owned(),
        None => as_usual(picture, gathered.records()),
    }
}

/// The worst row, and how many more there are.
fn worst(picture: &Picture<'_>, rows: &[Row<'_>]) -> Option<String> {
    let (judged, worst) = rows.first()?;
    let what = format!(
        "{} since {}: {} ({}, {:.0} expected){}",
        words::kind(worst.kind),
        since(picture, worst),
        words::change(worst),
        counted(worst.count, "record", "records"),
        worst.expected,
        if ongoing(picture.gathered, judged, worst) { "" } else { ", now over" }
    );
    let more = match alike(picture.gathered, rows).len() - 1 {
        0 => String::new(),
        more => format!("; {}", counted(more as u64, "more anomaly", "more anomalies")),
    };
    Some(format!("{}: {what}{more}.", name(picture, judged)))
}

/// That nothing is logged any more comes first, then what was before.
fn stop(picture: &Picture<'_>, rows: &[Row<'_>], stopped: Stopped) -> String {
    let gathered = picture.gathered;
    let whose = Service::whose(gathered.service.as_ref());
    let length = gathered.when.settled.duration_since(stopped.last).as_secs_f64();
    let (last, end) = (time_text(stopped.last), gathered.past.window.end());
    // Of what came after a window that ended long ago nothing is known.
    let when = match gathered.now.duration_since(end).as_secs_f64() < RECENT {
        true => format!("since {last}"),
        false => format!("between {last} and {}", time_text(end)),
    };
    let partly = if gathered.is_partial() { ", as far as could be read (see coverage)" } else { "" };
    let stop = format!(
        "No record{whose} {when}{partly}: {:.0} are usual in so long a time ({}).",
        stopped.expected,
        duration_text(length.round())
    );
    let before: Vec<Row<'_>> =
        rows.iter().filter(|(judged, found)| !silent(gathered, judged, found)).copied().collect();
    match worst(picture, &before) {
        Some(worst) => format!("{stop} Before that: {worst}"),
        None => stop,
    }
}

fn late(gathered: &Gathered) -> String {
    let Some(worst) = gathered.late.first() else { return String::new() };
    let more = match gathered.late.len() - 1 {
        0 => String::new(),
        more => format!(", and of {more} more"),
    };
    let only_late: Vec<String> =
        gathered.late.iter().filter(|one| one.is_only_late).map(|one| words::value(&one.of)).collect();
    let missing = match only_late.as_slice() {
        [] => String::new(),
        [one] => format!(": what is missing of {one} at the end is late, not silent"),
        [one, rest @ ..] => {
            format!(": what is missing of {one} and {} more at the end is late, not silent", rest.len())
        }
    };
    format!("Records of {} {}{more}{missing}.", words::value(&worst.of), worst.told())
}

fn as_usual(picture: &Picture<'_>, all: u64) -> String {
    let gathered = picture.gathered;
    let window = gathered.when.window();
    let (start, end) = (time_text(window.start()), time_text(window.end()));
    match (&gathered.service, picture.before) {
        (Some(service), before) if all == 0 => {
            format!(
                "No record of {} between {start} and {end}{}",
                service.name.shown(60),
                absent(gathered, before)
            )
        }
        (None, before) if all == 0 => match before.last() {
            Some(last) => {
                format!(
                    "No records at all between {start} and {end}: the last one is of {}.",
                    time_text(last)
                )
            }
            None => format!("No records at all between {start} and {end}."),
        },
        (service, _) if !gathered.knows_usual() => format!(
            "What is usual can't be told: nothing is recorded before {}. Within the window nothing stands out: {}{}.",
            time_text(gathered.when.whole.start()),
            counted(all, "record", "records"),
            service.as_ref().map_or(String::new(), |service| format!(" of {}", service.name.shown(60))),
        ),
        (_, Before::Then(then)) if !then.differ.is_empty() => ran_before(picture, then, all),
        (Some(service), _) => {
            format!("{} logs as usual: {}.", service.name.shown(60), counted(all, "record", "records"))
        }
        (None, _) => {
            let judged = gathered.streams.len().saturating_sub(1);
            let judged = counted(judged as u64, "service", "services");
            let records = counted(all, "record", "records");
            match gathered.counted.iter().any(|one| one.cut) {
                true => format!("As usual: the {judged} that log most, and all {records} together."),
                false => format!("Every service logs as usual: {records} of {judged}."),
            }
        }
    }
}

/// Of a service without records: since when, as far as is known.
fn absent(gathered: &Gathered, before: &Before) -> String {
    let Before::Absent(absence) = before else { return ".".to_owned() };
    let last = match (&absence.found, absence.told()) {
        (Absent::Before(_), Some(told)) if absence.awaited.is_some() => return format!(": {told}."),
        (Absent::Before(last), _) => time_text(*last),
        (Absent::After(_), Some(told)) => return format!(", nor in the 30 days before: {told}."),
        (_, Some(told)) => return format!(", nor in the 30 days before; {told}."),
        (_, None) => return ".".to_owned(),
    };
    let lead_in: u64 =
        gathered.streams.iter().take(1).flat_map(|all| all.counts.iter().take(gathered.when.first)).sum();
    match lead_in {
        0 => format!("; its last record before is of {last}."),
        few => format!(
            "; its last record before is of {last}. {} in the {} before the window: too few, or too bursty, to tell whether that is usual.",
            counted(few, "record", "records"),
            long(gathered.when.lead_in())
        ),
    }
}

/// What is as in the time just before, and was another way longer ago.
fn ran_before(picture: &Picture<'_>, then: &Then, all: u64) -> String {
    let gathered = picture.gathered;
    let Some((value, found)) = then.differ.first() else { return String::new() };
    let (who, verb) = match &gathered.service {
        Some(service) => (service.name.shown(60), "logs"),
        None if gathered.counted.iter().any(|one| one.cut) => {
            ("The services that log most".to_owned(), "log")
        }
        None => ("Every service".to_owned(), "logs"),
    };
    let differs = called(picture, value.as_ref());
    let more = match then.differ.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!(
        "{who} {verb} as in the {} before ({}), but not as in {}: {differs} {}{more}. It changed before the window.",
        long(gathered.when.lead_in()),
        counted(all, "record", "records"),
        then.window,
        words::change(found),
    )
}
