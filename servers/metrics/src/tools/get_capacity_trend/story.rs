//! Phrases about a row.

use contract::{duration_text, significant, time_text};
use jiff::Timestamp;

use super::{days, find::Found, measure::Measured};
use crate::analysis::capacity::{Bound, DAY, Place, Population, Resource, Row};

/// A limit further away than this is not told: nobody knows.
const FURTHEST: f64 = 365.0 * DAY;

/// Missing moments at the end that are no more than a late sample.
const LATE: usize = 2;

/// What a row is about: `checkout`, or `shop/checkout` where there are several namespaces.
pub(super) fn name(found: &Found, place: &Place) -> String {
    let part = |index: usize| place.get(index).cloned().flatten().map(|text| text.shown(60));
    match &found.population {
        Population::Processes(_) => part(0).unwrap_or_else(|| "without a job".to_owned()),
        Population::Containers(_) => {
            let container = part(1).unwrap_or_default();
            match (several_namespaces(found), part(0)) {
                (true, Some(namespace)) => format!("{namespace}/{container}"),
                _ => container,
            }
        }
        Population::Workloads(_) => {
            let (workload, container) = (part(1).unwrap_or_default(), part(2).unwrap_or_default());
            let mut text = match (several_namespaces(found), part(0)) {
                (true, Some(namespace)) => format!("{namespace}/{workload}"),
                _ => workload.clone(),
            };
            if container != workload {
                text.push_str(&format!("/{container}"));
            }
            text
        }
    }
}

/// Whether rows are of several namespaces.
pub(super) fn several_namespaces(found: &Found) -> bool {
    let mut all: Vec<_> = found.replicas.keys().filter_map(|place| place.first()).collect();
    all.dedup();
    found.population.has_containers() && all.len() > 1
}

/// A value with its unit: `0.19 cores`, `363 MiB`.
pub(super) fn amount(resource: Resource, value: f64) -> String {
    let number = number(resource, value);
    let unit = if resource == Resource::Cpu && number == "1" { "core" } else { resource.unit() };
    format!("{number} {unit}")
}

/// A value in the unit that is shown, to three digits.
pub(super) fn number(resource: Resource, value: f64) -> String {
    significant(rounded(resource.shown(value), 3))
}

/// Usage is not known to more digits than these.
pub(super) fn rounded(value: f64, digits: i32) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let decimals = digits - 1 - value.abs().log10().floor() as i32;
    if decimals <= 0 {
        return value.round();
    }
    let scale = 10.0_f64.powi(decimals.min(9));
    (value * scale).round() / scale
}

/// A share in percent: `71 %`, `0.4 %`.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let text =
        if percent >= 10.0 { format!("{percent:.0}") } else { significant((percent * 10.0).round() / 10.0) };
    format!("{text} %")
}

/// What a row's usage is held against, as a word.
pub(super) fn bound(bound: Bound) -> &'static str {
    match bound {
        Bound::Request => "request",
        Bound::Limit => "limit",
        Bound::Host => "host",
    }
}

/// What a row is about: `CPU`, `memory`.
pub(super) fn about(row: &Row) -> &'static str {
    match row.resource {
        Resource::Cpu => "CPU",
        Resource::Memory => "memory",
    }
}

/// `rising 8.2 MiB in 30 d (6.1 to 10)`; `None` without a trend.
pub(super) fn moves(row: &Row) -> Option<String> {
    let per_day = row.per_day()?;
    let goes = if per_day > 0.0 { "rising" } else { "falling" };
    Some(format!("{goes} {} in 30 d ({})", amount(row.resource, per_day.abs() * 30.0), interval(row)?))
}

/// The interval of the change in 30 days: `6.1 to 10`.
pub(super) fn interval(row: &Row) -> Option<String> {
    let trend = row.trend?;
    let month = |slope: f64| significant(rounded(row.resource.shown(slope * 30.0 * DAY / row.step), 2));
    let (low, high) = match trend.high < 0.0 {
        // Of a fall the smaller one first, without its sign.
        true => (month(-trend.high), month(-trend.low)),
        false => (month(trend.low), month(trend.high)),
    };
    Some(format!("{low} to {high}"))
}

/// When it is full: `36 d (30 to 46 d)`, `now`; `None` when that is too far away to say.
pub(super) fn full_in(row: &Row) -> Option<String> {
    let reaches = row.reaches()?;
    if reaches.samples == 0.0 {
        return Some("now".to_owned());
    }
    if reaches.samples > FURTHEST {
        return None;
    }
    let latest = match reaches.latest.filter(|latest| *latest <= FURTHEST) {
        Some(latest) => days(latest),
        None => "more than a year".to_owned(),
    };
    let earliest = days(reaches.earliest);
    let earliest = earliest.trim_end_matches(" d");
    Some(format!("{} ({earliest} to {latest})", days(reaches.samples)))
}

/// How much of what: `at most 363 of 512 MiB, 71 % of its limit`.
pub(super) fn fill(row: &Row) -> String {
    let Some(telling) = row.telling() else { return "not measured".to_owned() };
    let how = match row.resource {
        Resource::Memory => "at most",
        Resource::Cpu => "p95",
    };
    let used = number(row.resource, telling);
    match (row.ceiling(), row.used()) {
        (Some(ceiling), Some(share)) => format!(
            "{how} {used} of {}, {} of its {}",
            amount(row.resource, ceiling.value),
            percent(share),
            bound(ceiling.bound)
        ),
        _ => format!("{how} {used} {}, no request or limit is seen", row.resource.unit()),
    }
}

/// The seconds of history there are in any row.
pub(super) fn history(measured: &Measured) -> f64 {
    measured.rows.iter().map(|row| row.history).fold(0.0, f64::max)
}

/// The first moment with a value in any row, when it is later than a step or two after the window's start.
pub(super) fn begins(measured: &Measured) -> Option<Timestamp> {
    let first = |row: &Row| row.track.iter().position(|value| value.is_finite());
    let first = measured.rows.iter().filter_map(first).min()?;
    (first > LATE).then(|| Timestamp::from_second(measured.grid.second(first)).ok()).flatten()
}

/// How long a row's history is, where it begins later than a step or two after the window's start.
pub(super) fn shorter(row: &Row) -> Option<String> {
    let first = row.track.iter().position(|value| value.is_finite())?;
    let length = match row.history {
        // One moment tells that there was something within a step.
        length if length < row.step => format!("less than {}", duration_text(row.step)),
        length if length < DAY => duration_text(length),
        length => days(length),
    };
    (first > LATE).then_some(length)
}

/// When a row's usage ended, when that is before the window's end.
pub(super) fn ended(measured: &Measured, row: &Row) -> Option<String> {
    let last = row.track.iter().rposition(|value| value.is_finite())?;
    if row.track.len().saturating_sub(last + 1) < LATE {
        return None;
    }
    Timestamp::from_second(measured.grid.second(last)).ok().map(time_text)
}
