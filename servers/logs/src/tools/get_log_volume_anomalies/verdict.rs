//! What happened, in one sentence.

use contract::{counted, time_text};

use super::{
    gather::Gathered,
    rows::{Row, alike, ongoing},
    show::{Picture, name, since},
    words,
};

pub(super) fn verdict(picture: &Picture<'_>, rows: &[Row<'_>]) -> String {
    let gathered = picture.gathered;
    let all = gathered.records();
    let Some((judged, worst)) = rows.first() else {
        return match gathered.late.first() {
            Some(_) => late(gathered),
            None => as_usual(picture, all),
        };
    };
    let what = format!(
        "{} since {}: {} ({} records, {:.0} expected){}",
        words::kind(worst.kind),
        since(picture, worst),
        words::change(worst),
        worst.count,
        worst.expected,
        if ongoing(judged, worst) { "" } else { ", now over" }
    );
    let more = alike(rows).len() - 1;
    let more = if more == 0 {
        String::new()
    } else {
        format!("; {}", counted(more as u64, "more anomaly", "more anomalies"))
    };
    let late = if gathered.late.is_empty() { String::new() } else { format!(" {}", late(gathered)) };
    format!("{}: {what}{more}.{late}", name(picture, judged))
}

fn late(gathered: &Gathered) -> String {
    let Some((name, worst)) = gathered.late.first() else { return String::new() };
    let more = match gathered.late.len() - 1 {
        0 => String::new(),
        more => format!(", and of {more} more"),
    };
    format!(
        "Records of {} arrive {} late since {}{more}: what is missing at the end is late, not silent.",
        name.shown(60),
        words::duration(worst.now),
        time_text(worst.since)
    )
}

fn as_usual(picture: &Picture<'_>, all: u64) -> String {
    let gathered = picture.gathered;
    let window = gathered.when.window();
    match &gathered.service {
        Some(service) if all == 0 => format!(
            "No record of {} between {} and {}, and none is usual then: a service that logs under another name, or never did.",
            service.name.shown(60),
            time_text(window.start()),
            time_text(window.end())
        ),
        _ if all > 0 && !gathered.knows_usual() => format!(
            "What is usual can't be told: nothing is recorded before {}. Within the window nothing stands out: {}{}.",
            time_text(gathered.when.whole.start()),
            counted(all, "record", "records"),
            gathered
                .service
                .as_ref()
                .map_or(String::new(), |service| format!(" of {}", service.name.shown(60))),
        ),
        Some(service) => format!("{} logs as usual: {all} records.", service.name.shown(60)),
        None if all == 0 => format!(
            "No records at all between {} and {}.",
            time_text(window.start()),
            time_text(window.end())
        ),
        None => {
            let judged = gathered.streams.len().saturating_sub(1);
            let judged = counted(judged as u64, "service", "services");
            match gathered.counted.iter().any(|one| one.cut) {
                true => format!("As usual: the {judged} that log most, and all {all} records together."),
                false => format!("Every service logs as usual: {all} records of {judged}."),
            }
        }
    }
}
