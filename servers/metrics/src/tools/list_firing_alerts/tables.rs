//! The tables: what fires, what is held back, what waits, what ended.

use contract::{Cell, Cite, Draft, Table, Untrusted, significant};

use super::{
    picture::{Cites, EndedFamily, Picture},
    words,
};
use crate::{
    analysis::alerts::{OneAlert, Severity, families::Family},
    model::{DeliveryState, Labels},
};

/// Characters of one annotation in a full row.
const ANNOTATION: usize = 300;
/// Receivers of a row.
const RECEIVERS: usize = 4;
/// What is said to hold a family back.
const HOLDERS: usize = 3;

/// The column that is there only when alerts of a family began at different times.
const NEWEST: &str = "newest";

/// One kind of alerts, and how a family of it becomes a row.
struct Kind<'a> {
    what: &'static str,
    families: &'a [Family<'a>],
    cite: Option<Cite>,
    columns: &'static [&'static str],
    row: fn(&Picture<'_>, &Family<'_>) -> Vec<Cell>,
}

/// Adds the tables that have rows, at most `rows` each.
pub(super) fn add(draft: &mut Draft, picture: &Picture<'_>, cites: &Cites, rows: usize) {
    let cite = cites.alerts();
    let delivered = cites.delivered.or(cite);
    for kind in [
        Kind { what: "firing", families: &picture.firing, cite, columns: &FIRING, row: firing },
        Kind {
            what: "suppressed",
            families: &picture.suppressed,
            cite: delivered,
            columns: &SUPPRESSED,
            row: suppressed,
        },
        Kind { what: "pending", families: &picture.pending, cite, columns: &PENDING, row: pending },
    ] {
        let Some(cite) = kind.cite.filter(|_| !kind.families.is_empty()) else { continue };
        let apart = kind.families.iter().take(rows).any(|family| family.newest().is_some());
        let mut columns = Columns::new(kind.columns, picture.full, apart);
        if picture.full {
            columns.shown.push("annotations");
        }
        let mut table = Table::new(&title(kind.what, picture), &columns.shown, cite);
        for family in kind.families.iter().take(rows) {
            let mut cells = columns.of((kind.row)(picture, family));
            if picture.full {
                cells.push(Cell::text(annotations(&family.first.annotations)));
            }
            table.row(cells);
        }
        finish(draft, table, kind.families.len(), rows);
    }
    if let Some(cite) = cites.history.filter(|_| !picture.ended.is_empty()) {
        let columns = Columns::new(&ENDED, picture.full, false);
        let mut table = Table::new(&title("ended", picture), &columns.shown, cite);
        picture.ended.iter().take(rows).for_each(|family| table.row(columns.of(ended(family))));
        finish(draft, table, picture.ended.len(), rows);
    }
}

fn title(what: &str, picture: &Picture<'_>) -> String {
    format!("{what} {}", if picture.full { "alerts" } else { "families" })
}

fn finish(draft: &mut Draft, mut table: Table, seen: usize, rows: usize) {
    table.seen(seen as u64);
    let more_rows = if seen > rows { "a larger limit, " } else { "" };
    table.see_more(format!("{more_rows}detail=\"full\" or service=… shows them"));
    draft.table(table);
}

/// The columns of a table: a row that is one alert has no number of alerts, and nothing in it varies.
struct Columns {
    shown: Vec<&'static str>,
    kept: Vec<bool>,
}

impl Columns {
    fn new(all: &[&'static str], full: bool, apart: bool) -> Columns {
        let keep = |name: &str| (!full || of_one_alert(name)) && (apart || name != NEWEST);
        let kept: Vec<bool> = all.iter().map(|name| keep(name)).collect();
        let shown = all.iter().copied().filter(|name| keep(name)).collect();
        Columns { shown, kept }
    }

    /// The cells of the columns that are shown.
    fn of(&self, cells: Vec<Cell>) -> Vec<Cell> {
        let kept = self.kept.iter().zip(cells).filter(|(kept, _)| **kept);
        kept.map(|(_, cell)| cell).collect()
    }
}

fn of_one_alert(column: &str) -> bool {
    !matches!(column, "n" | "varies")
}

const FIRING: [&str; 11] =
    ["severity", "alert", "n", "since", NEWEST, "for", "value", "state", "labels", "varies", "receivers"];

fn firing(_: &Picture<'_>, family: &Family<'_>) -> Vec<Cell> {
    let mut cells = head(family);
    cells.extend([
        since(family.first),
        Cell::time(family.newest().map(words::second)),
        wait(family),
        value(family),
        Cell::text(state(family)),
        Cell::text(words::shared(&family.spread)),
        Cell::text(words::varying(&family.spread)),
        receivers(family),
    ]);
    cells
}

const SUPPRESSED: [&str; 11] = [
    "severity",
    "alert",
    "n",
    "since",
    NEWEST,
    "value",
    "state",
    "held back by",
    "labels",
    "varies",
    "receivers",
];

fn suppressed(picture: &Picture<'_>, family: &Family<'_>) -> Vec<Cell> {
    let mut cells = head(family);
    cells.extend([
        since(family.first),
        Cell::time(family.newest().map(words::second)),
        value(family),
        Cell::text(state(family)),
        Cell::text(holders(picture, family)),
        Cell::text(words::shared(&family.spread)),
        Cell::text(words::varying(&family.spread)),
        receivers(family),
    ]);
    cells
}

const PENDING: [&str; 10] =
    ["severity", "alert", "n", "pending since", NEWEST, "for", "fires in", "value", "labels", "varies"];

fn pending(picture: &Picture<'_>, family: &Family<'_>) -> Vec<Cell> {
    let mut cells = head(family);
    cells.extend([
        since(family.first),
        Cell::time(family.newest().map(words::second)),
        wait(family),
        Cell::text(fires_in(picture, family)),
        value(family),
        Cell::text(words::shared(&family.spread)),
        Cell::text(words::varying(&family.spread)),
    ]);
    cells
}

const ENDED: [&str; 9] =
    ["severity", "alert", "n", "first seen", "last seen", "episodes", "fired about", "labels", "varies"];

fn ended(family: &EndedFamily<'_>) -> Vec<Cell> {
    let first = family.members.iter().map(|one| (one.first, !one.began_before)).min();
    let first = first
        .map(|(first, inside)| format!("{}{}", if inside { "" } else { "before " }, words::moment(first)));
    // Of several alerts the longest, because their sum would say nothing.
    let longest = family.members.iter().map(|one| one.seconds).max_by(f64::total_cmp);
    let most = if family.members.len() > 1 { "at most " } else { "" };
    let mut cells = opening(&family.latest.severity, &family.latest.labels, family.members.len());
    cells.extend([
        first.map_or(Cell::Missing, Cell::Text),
        Cell::Time(words::second(family.latest.last)),
        Cell::Count(family.members.iter().map(|one| one.episodes).sum()),
        longest.map_or(Cell::Missing, |seconds| Cell::Text(format!("{most}{}", words::length(seconds)))),
        Cell::text(words::shared(&family.spread)),
        Cell::text(words::varying(&family.spread)),
    ]);
    cells
}

fn head(family: &Family<'_>) -> Vec<Cell> {
    opening(&family.first.severity, &family.first.labels, family.members.len())
}

fn opening(severity: &Severity, labels: &Labels, members: usize) -> Vec<Cell> {
    vec![
        severity.word().map_or(Cell::Missing, |word| Cell::Quoted(word.clone(), 40)),
        Cell::Text(words::name(labels)),
        Cell::Count(members as u64),
    ]
}

fn since(alert: &OneAlert<'_>) -> Cell {
    Cell::time(alert.since.map(words::second))
}

/// `for` of the rules.
fn wait(family: &Family<'_>) -> Cell {
    let mut lengths: Vec<f64> = family
        .members
        .iter()
        .filter_map(|alert| alert.rule.map(|(_, alerting)| alerting.for_seconds))
        .collect();
    lengths.sort_by(f64::total_cmp);
    lengths.dedup();
    Cell::text(lengths.into_iter().map(words::length).collect::<Vec<_>>().join(", "))
}

/// The value, or the least and the greatest of several.
fn value(family: &Family<'_>) -> Cell {
    let mut values: Vec<f64> = family.members.iter().filter_map(|alert| alert.value).collect();
    let told = values.len();
    values.retain(|value| !value.is_nan());
    let unclear = told - values.len();
    values.sort_by(f64::total_cmp);
    let range = match (values.first(), values.last()) {
        (Some(&least), Some(&greatest)) if least == greatest && unclear == 0 => return Cell::Number(least),
        (Some(&least), Some(&greatest)) if least == greatest => significant(least),
        (Some(&least), Some(&greatest)) => format!("{} to {}", significant(least), significant(greatest)),
        _ => String::new(),
    };
    match (unclear, range.is_empty()) {
        (0, _) => Cell::text(range),
        // The client can't tell a NaN from a value that was left out.
        (_, true) => Cell::Text("NaN or not told".to_owned()),
        (_, false) => Cell::Text(format!("{range}, {unclear} NaN or not told")),
    }
}

fn state(family: &Family<'_>) -> String {
    let mut state = family.first.state();
    let kept = family.members.iter().filter(|alert| alert.only_kept()).count();
    if kept > 0 {
        state.push_str(&format!(", {kept} only kept firing: the expression no longer holds"));
    }
    let unprocessed = |alert: &&&OneAlert<'_>| {
        alert.delivered.is_some_and(|alert| alert.status.state == DeliveryState::Unprocessed)
    };
    let fresh = family.members.iter().filter(unprocessed).count();
    if fresh > 0 {
        state.push_str(&format!(", {fresh} not yet judged by Alertmanager"));
    }
    state
}

/// When the first of the family would fire.
fn fires_in(picture: &Picture<'_>, family: &Family<'_>) -> String {
    let left = family.members.iter().filter_map(|alert| {
        let since = alert.since?.as_millisecond() as f64 / 1000.0;
        let (_, alerting) = alert.rule?;
        Some(since + alerting.for_seconds - picture.now.as_millisecond() as f64 / 1000.0)
    });
    match left.min_by(f64::total_cmp) {
        None => String::new(),
        Some(left) if left <= 0.0 => "the next evaluation".to_owned(),
        Some(left) => words::length(left),
    }
}

fn receivers(family: &Family<'_>) -> Cell {
    let names = family.members.iter().filter_map(|alert| alert.delivered).flat_map(|alert| &alert.receivers);
    Cell::text(words::listed(names.map(|name| name.shown(words::NAME)), RECEIVERS))
}

fn holders(picture: &Picture<'_>, family: &Family<'_>) -> String {
    let statuses = || family.members.iter().filter_map(|alert| alert.delivered).map(|alert| &alert.status);
    let silences =
        statuses().flat_map(|status| &status.silenced_by).map(|id| format!("silence {}", short(id)));
    let inhibitors = statuses().flat_map(|status| &status.inhibited_by).map(|fingerprint| {
        let known = picture.by_fingerprint(fingerprint);
        known.map_or_else(|| format!("alert {fingerprint}, which is not among the alerts"), words::alert)
    });
    let intervals =
        statuses().flat_map(|status| &status.muted_by).map(|name| format!("interval {}", name.shown(60)));
    words::listed(silences.chain(inhibitors).chain(intervals), HOLDERS)
}

/// The beginning of a silence's id; findings have it in full.
pub(super) fn short(id: &str) -> &str {
    id.split_once('-').map_or(id, |(first, _)| first)
}

fn annotations(all: &Labels) -> String {
    let each = all.iter().map(|(name, value)| format!("{}: {}", name.shown(40), value.shown(ANNOTATION)));
    each.collect::<Vec<_>>().join("; ")
}

/// An annotation by any of these names.
pub(super) fn annotation<'a>(alert: &'a OneAlert<'_>, names: &[&str]) -> Option<&'a Untrusted> {
    names.iter().find_map(|name| alert.annotations.get(name)).filter(|value| !value.inside().is_empty())
}
