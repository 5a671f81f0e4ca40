//! From streams to the answer.

use contract::{Answer, Cell, Cite, Context, Draft, Evidence, Finding, Next, Table, TimeRange, time_text};
use signal::SHAPE_BUCKETS;

use super::{
    gather::{Counted, Gathered, Judged, long, per_minute},
    rows::{Row, alike, ongoing, rows, together},
    words,
};
use crate::{
    analysis::volume::{Anomaly, Culprit, EXCESS, Kind, RATIO, blame},
    backend::Logs,
    model::{Role, Search},
    tools::asking::Service,
};

/// Rows of streams that are as usual, with `full`.
const USUAL_ROWS: usize = 20;
/// Rows of anomalies.
const ROWS: usize = 30;

pub(super) struct Picture<'a> {
    pub(super) cx: &'a Context,
    pub(super) store: &'a dyn Logs,
    pub(super) gathered: &'a Gathered,
    pub(super) full: bool,
}

pub(super) fn answer(picture: &Picture<'_>) -> Answer {
    let mut draft = Draft::new();
    let cites: Vec<Cite> =
        picture.gathered.counted.iter().map(|one| cite(picture, &mut draft, one)).collect();
    let Some(first) = cites.first().copied() else { return draft.conclude("Nothing was counted.") };
    let rows = rows(picture.gathered);
    pipeline(picture, &mut draft, &rows, first);
    causes(picture, &mut draft, &cites);
    table(picture, &mut draft, &rows, first);
    if picture.full {
        usual(picture, &mut draft, first);
    }
    caveats(picture, &mut draft);
    next(picture, &mut draft, &rows);
    draft.conclude(verdict(picture, &rows))
}

fn cite(picture: &Picture<'_>, draft: &mut Draft, counted: &Counted) -> Cite {
    let when = &picture.gathered.when;
    let conditions = picture.gathered.service.iter().map(Service::condition).collect();
    let search = Search { window: when.window(), text: None, conditions };
    let earlier = counted.earlier.iter().filter_map(|(name, _)| {
        when.earlier().into_iter().find(|(other, _)| other == name).map(|(_, window)| window)
    });
    let evidence = Evidence::new(picture.store.system(), counted.now.sent.as_str())
        .over(when.whole)
        .also_over(earlier.collect::<Vec<TimeRange>>())
        .every(when.step)
        .link(picture.store.link(&search));
    draft.cite(evidence)
}

/// The streams that the anomalies are of, in words.
fn name(picture: &Picture<'_>, judged: &Judged) -> String {
    match (&judged.value, &picture.gathered.service) {
        (Some((Role::Service, value)), _) => value.shown(60),
        (Some((role, value)), _) => format!("{} {}", words::role(*role), value.shown(60)),
        (None, Some(service)) => service.name.shown(60),
        (None, None) => "all services together".to_owned(),
    }
}

/// When it began and ended, as far as the window shows.
fn since(picture: &Picture<'_>, found: &Anomaly) -> String {
    time_text(picture.gathered.when.begins(found.from))
}

/// Many services that fall silent at once have one cause, and it is seldom the services.
fn pipeline(picture: &Picture<'_>, draft: &mut Draft, rows: &[Row<'_>], cite: Cite) {
    let quiet: Vec<&Row<'_>> = rows
        .iter()
        .filter(|(one, found)| {
            one.value.is_some() && matches!(found.kind, Kind::Silence | Kind::Drop) && ongoing(one, found)
        })
        .collect();
    let judged =
        picture.gathered.streams.iter().filter(|one| one.value.is_some() && !one.judgement.sparse).count();
    let Some((_, first)) = quiet.iter().min_by_key(|(_, found)| found.from) else { return };
    let together = quiet.iter().filter(|(_, found)| found.from.abs_diff(first.from) <= 2).count();
    if picture.gathered.service.is_none() && together >= 3 && together * 5 >= judged * 3 {
        let text = format!(
            "{together} of {judged} services went quiet at about the same time, {}: that looks like the way of the logs \
             (shipper, ingest, index) rather than the services",
            since(picture, first)
        );
        draft.finding(Finding::new(text, cite));
    }
}

/// What accounts for the anomalies of the service as a whole.
fn causes(picture: &Picture<'_>, draft: &mut Draft, cites: &[Cite]) {
    let gathered = picture.gathered;
    if gathered.service.is_none() {
        return;
    }
    let Some(whole) = gathered.streams.iter().find(|one| one.value.is_none()) else { return };
    let dimensions: Vec<_> = gathered.counted.iter().map(|one| &one.now.value).collect();
    for found in &whole.judgement.anomalies {
        let culprits = blame(found, &dimensions);
        let Some(first) = culprits.first() else { continue };
        let Some(cite) = cites.get(first.dimension) else { continue };
        let role = gathered.counted.get(first.dimension).map_or(Role::Level, |one| one.role);
        let told: Vec<String> = culprits.iter().take(3).map(|one| culprit(role, one)).collect();
        let text =
            format!("the {} since {} is {}", words::kind(found.kind), since(picture, found), told.join(", "));
        draft.finding(Finding::new(text, *cite));
    }
}

fn culprit(role: Role, culprit: &Culprit) -> String {
    let share = (culprit.explains * 100.0).round();
    let share = if share > 100.0 { "all of it".to_owned() } else { format!("{share:.0} % of it") };
    match &culprit.value {
        Some(value) => format!("{} {} ({share})", words::role(role), value.shown(60)),
        None => format!("records without a {} told ({share})", words::role(role)),
    }
}

fn table(picture: &Picture<'_>, draft: &mut Draft, rows: &[Row<'_>], cite: Cite) {
    let late = &picture.gathered.late;
    if rows.is_empty() && late.is_empty() {
        return;
    }
    let columns =
        ["what", "kind", "now per min", "usual per min", "change", "since", "until", "shape of the window"];
    let mut table = Table::new("anomalies", &columns, cite);
    for (name, late) in late {
        let change = match late.before {
            Some(before) => format!("{} late ({} before)", duration(late.now), duration(before)),
            None => format!("{} late", duration(late.now)),
        };
        let cells = [
            Cell::text(name.shown(60)),
            Cell::text("late"),
            Cell::Missing,
            Cell::Missing,
            Cell::text(change),
        ];
        table.row([cells.to_vec(), vec![Cell::Time(late.since), Cell::text("still so")]].concat());
    }
    let groups = alike(rows);
    for group in groups.iter().take(ROWS) {
        let Some((judged, found)) = group.first().copied() else { continue };
        let when = &picture.gathered.when;
        let steps = found.to - found.from;
        let until = match ongoing(judged, &found) {
            true => Cell::text("still so"),
            false => Cell::Time(when.begins(found.to)),
        };
        let found = together(group, found);
        table.row(vec![
            Cell::text(names(picture, group, judged)),
            Cell::text(words::kind(found.kind)),
            Cell::Number(per_minute(found.count as f64, steps, when.step)),
            Cell::Number(per_minute(found.expected, steps, when.step)),
            Cell::text(words::change(&found)),
            Cell::Time(when.begins(found.from)),
            until,
            Cell::text(shape(judged, when.first)),
        ]);
    }
    table.seen((rows.len() + late.len()) as u64);
    table.see_more("name a service, or a shorter time_range");
    draft.table(table);
}

/// The first of them, and how many more.
fn names(picture: &Picture<'_>, group: &[Row<'_>], first: &Judged) -> String {
    match group.len() {
        1 => name(picture, first),
        several => format!("{} and {} more", name(picture, first), several - 1),
    }
}

fn shape(judged: &Judged, first: usize) -> String {
    let values = judged.counts.iter().skip(first).map(|count| *count as f64);
    signal::shape(&values.collect::<Vec<f64>>(), SHAPE_BUCKETS)
}

/// The streams of which nothing is to be said.
fn usual(picture: &Picture<'_>, draft: &mut Draft, cite: Cite) {
    let when = &picture.gathered.when;
    let quiet: Vec<&Judged> =
        picture.gathered.streams.iter().filter(|one| one.judgement.anomalies.is_empty()).collect();
    if quiet.is_empty() {
        return;
    }
    let mut table =
        Table::new("usual streams", &["what", "now per min", "usual per min", "shape of the window"], cite);
    for judged in quiet.iter().take(USUAL_ROWS) {
        let window = judged.counts.iter().skip(when.first);
        let steps = judged.counts.len().saturating_sub(when.first);
        let sum: u64 = window.sum();
        table.row(vec![
            Cell::text(name(picture, judged)),
            Cell::Number(per_minute(sum as f64, steps, when.step)),
            Cell::Number(per_minute(judged.judgement.expected, steps, when.step)),
            Cell::text(shape(judged, when.first)),
        ]);
    }
    table.seen(quiet.len() as u64);
    draft.table(table);
}

fn caveats(picture: &Picture<'_>, draft: &mut Draft) {
    let gathered = picture.gathered;
    let when = &gathered.when;
    gathered.service.iter().for_each(|service| service.caveat(draft));
    gathered.past.caveat("time_range").into_iter().for_each(|cut| draft.caveat(cut));
    draft.caveat(format!(
        "told is what at least doubles or halves (×{RATIO}) and differs by {EXCESS} records or more; steps of {}",
        long(when.step)
    ));
    draft.caveat(baseline(gathered));
    if !when.left_out.is_zero() {
        draft.caveat(format!(
            "the last {} of the window are left out: their records may still arrive",
            long(when.left_out)
        ));
    }
    match &gathered.freshness {
        Ok(fresh) => freshness(picture, draft, fresh),
        Err(error) => draft.caveat(format!("how late records arrive is not known: {error}")),
    }
    let sparse = gathered.streams.iter().filter(|one| one.judgement.sparse && one.value.is_some()).count();
    if sparse > 0 {
        draft.caveat(format!(
            "{} too little to notice a drop",
            words::counted(sparse, "stream has", "streams have")
        ));
    }
    for counted in &gathered.counted {
        let replies = std::iter::once(&counted.now).chain(counted.earlier.iter().map(|(_, reply)| reply));
        replies.flat_map(|reply| &reply.partial).for_each(|text| draft.caveat(text.clone()));
    }
    gathered.failed.iter().for_each(|text| draft.caveat(text.clone()));
}

fn baseline(gathered: &Gathered) -> String {
    let Some(first) = gathered.counted.first() else { return String::new() };
    let recorded = first.earlier.iter().filter(|(_, reply)| reply.value.total.iter().any(|count| *count > 0));
    let names: Vec<&str> = recorded.map(|(name, _)| *name).collect();
    if names.is_empty() && gathered.when.first == 0 {
        return "nothing is recorded before the window: usual is the rest of it".to_owned();
    }
    if names.is_empty() {
        return format!(
            "usual is the {} before the window: nothing is recorded at the same time of day earlier",
            long(gathered.when.step * u32::try_from(gathered.when.first).unwrap_or(u32::MAX))
        );
    }
    format!("usual is the same time {} earlier, at today's level", names.join(" and "))
}

/// A length of time that is not negative, in words; clocks differ.
fn duration(seconds: f64) -> String {
    contract::duration_text(seconds.max(0.0).round())
}

fn freshness(picture: &Picture<'_>, draft: &mut Draft, fresh: &crate::model::Reply<crate::model::Freshness>) {
    // Whoever stores the time of the event twice tells nothing about arriving.
    if let Some((median, p95)) = fresh.value.lag_seconds.filter(|(_, p95)| *p95 >= 1.0) {
        draft.caveat(format!(
            "records arrive {} after they happened (median; 95 % within {})",
            duration(median),
            duration(p95)
        ));
    }
    let newest = fresh.value.newest;
    let behind = newest.map(|newest| picture.gathered.past.window.end().duration_since(newest).as_secs_f64());
    if let (Some(newest), Some(behind)) = (newest, behind)
        && behind > 2.0 * picture.gathered.when.step.as_secs_f64()
    {
        draft.caveat(format!("the newest record of the window is of {}", time_text(newest)));
    }
}

fn next(picture: &Picture<'_>, draft: &mut Draft, rows: &[Row<'_>]) {
    let Some((judged, found)) = rows.first() else {
        let call = Next::call("get_error_patterns", "whether what is logged changed, though not how much");
        draft.next(
            with_service(picture, call, None).with("time_range", picture.gathered.past.window.to_string()),
        );
        return;
    };
    let when = &picture.gathered.when;
    let named = match &judged.value {
        Some((Role::Service, value)) => value.plain(),
        _ => None,
    };
    let onset = when.begins(found.from);
    match found.kind {
        Kind::Spike => {
            let window = TimeRange::new(onset, when.begins(found.to)).unwrap_or(when.window());
            let call = Next::call("get_error_patterns", "what the additional records say");
            draft.next(with_service(picture, call, named).with("time_range", window.to_string()));
        }
        Kind::Silence | Kind::Drop => {
            let call = Next::call("correlate_logs_with_time", "what was logged just before it went quiet");
            draft.next(
                with_service(picture, call, named)
                    .with("timestamp", time_text(onset))
                    .with("delta_minutes", 5),
            );
            let call =
                Next::call("get_service_golden_signals", "whether it still serves, or only logs nothing");
            draft.next(with_service(picture, call, named).on("metrics"));
        }
    }
    if picture.gathered.service.is_none()
        && let Some(service) = named
    {
        let call = Next::call("get_log_volume_anomalies", "which level, pod or version accounts for it");
        let call = call.with("service", service).with("time_range", picture.gathered.past.window.to_string());
        draft.next(call);
    }
}

fn with_service(picture: &Picture<'_>, call: Next, named: Option<&str>) -> Next {
    let own = picture.gathered.service.as_ref().and_then(|service| service.name.plain());
    match own.or(named) {
        Some(service) => call.with("service", service),
        None => call,
    }
}

fn verdict(picture: &Picture<'_>, rows: &[Row<'_>]) -> String {
    let gathered = picture.gathered;
    let all: u64 =
        gathered.streams.iter().take(1).flat_map(|one| one.counts.iter().skip(gathered.when.first)).sum();
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
    let more = rows.len() - 1;
    let more = if more == 0 {
        String::new()
    } else {
        format!("; {}", words::counted(more, "more anomaly", "more anomalies"))
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
        duration(worst.now),
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
        Some(service) => format!("{} logs as usual: {all} records.", service.name.shown(60)),
        None if all == 0 => format!(
            "No records at all between {} and {}.",
            time_text(window.start()),
            time_text(window.end())
        ),
        None => {
            let judged = gathered.streams.len().saturating_sub(1);
            format!(
                "Every service logs as usual: {all} records of {}.",
                words::counted(judged, "service", "services")
            )
        }
    }
}
