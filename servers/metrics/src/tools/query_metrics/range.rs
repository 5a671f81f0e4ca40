//! The answer about a window.

use std::ops::Range;

use contract::{Answer, Cell, Cite, Context, Draft, Table, duration_text, significant, time_text};
use jiff::Timestamp;
use signal::Direction;

use super::{
    question::{Question, When},
    suggest,
    words::{are_moments, head, label_cell, named, value_cell, value_text},
};
use crate::{
    analysis::ranking::{Judged, Track, common, covered, judge, rank, story, tracks},
    backend::Metrics,
    model::{Labels, Series},
    tools::exemplars::{self, Moved},
};

/// Series whose points are shown with `detail: full`, and points of each at most.
const WITH_POINTS: usize = 3;
const MOST_POINTS: usize = 250;

/// One row a series, those that moved most first.
pub(super) async fn matrix(
    asked: (&Context, &dyn Metrics),
    mut draft: Draft,
    cite: Cite,
    question: &Question<'_>,
    series: Vec<Series>,
) -> Answer {
    let grid = match question.when {
        When::At(_) => None,
        When::Over { grid, .. } => Some(grid),
    };
    let step = grid.map(|grid| i64::try_from(grid.step().as_millis()).unwrap_or(i64::MAX));
    let tracks = tracks(series, grid);
    let within = covered(&tracks);
    let judged: Vec<Judged> = tracks.iter().map(|track| judge(track, &within, step)).collect();
    let ranked: Vec<Ranked<'_>> = rank(&tracks, &judged)
        .into_iter()
        .filter_map(|place| {
            let (track, judged) = (tracks.get(place)?, judged.get(place)?);
            let is_moment = are_moments(question, &track.labels, track.values.iter().copied().flatten());
            Some(Ranked { track, judged, is_moment })
        })
        .collect();
    let shared = common(ranked.iter().map(|one| &one.track.labels));

    remarks(&mut draft, &ranked);
    let verdict = verdict(&mut draft, cite, question, &ranked, &shared, &within);
    draft.table(table(cite, question, &ranked, &shared));
    if question.full {
        draft.table(points(cite, &ranked, question.limit));
    }
    let labels: Vec<&Labels> = ranked.iter().map(|one| &one.track.labels).collect();
    let first = ranked.first().map(|one| (one.track, one.onset()));
    suggest::after_window(&mut draft, question, first, &labels, &shared);
    if let (Some(tree), Some(first), When::Over { past, .. }) =
        (&question.reading.tree, ranked.first(), question.when)
    {
        let (labels, onset, is_native) = (&first.track.labels, first.onset(), first.track.is_p95);
        let moved = Moved { tree, window: past, labels, onset, is_native, plain: true };
        exemplars::hand_over(asked.0, asked.1, &mut draft, moved).await;
    }
    suggest::grouped(&mut draft, question, &labels, question.limit);
    draft.conclude(verdict)
}

/// A track with its judgement, in the order of relevance.
struct Ranked<'t> {
    track: &'t Track,
    judged: &'t Judged,
    /// Whether its values are moments.
    is_moment: bool,
}

impl Ranked<'_> {
    fn onset(&self) -> Option<Timestamp> {
        self.track.moment(self.judged.moved.onset?)
    }

    fn shown(&self, value: f64) -> String {
        value_text(value, self.is_moment)
    }

    fn cell(&self, value: Option<f64>) -> Cell {
        value.map_or(Cell::Missing, |value| value_cell(value, self.is_moment))
    }

    /// Whether none of its samples is a number.
    fn is_without_numbers(&self) -> bool {
        self.judged.summary.is_none() && self.judged.present > 0
    }

    fn last_seen(&self) -> Option<Timestamp> {
        self.track.moment(self.judged.last?.0)
    }
}

fn verdict(
    draft: &mut Draft,
    cite: Cite,
    question: &Question<'_>,
    ranked: &[Ranked<'_>],
    shared: &Labels,
    within: &Range<usize>,
) -> String {
    let when = match question.when {
        When::At(at) => format!(" up to {}", time_text(at)),
        When::Over { past, .. } => format!(" over {}", duration_text(past.seconds().round())),
    };
    let head = head(draft, cite, question, ranked.len(), shared);
    let Some(first) = ranked.first() else { return head };
    let head = format!("{head}{when}{}", gaps(first.track, within));
    let score = score_text(first.judged.moved.score);
    if first.judged.moved.onset.is_none() {
        return format!("{head}: {}.", unmoved(ranked, first, shared));
    }
    let story = story(first.track, first.judged).text(&|value| first.shown(value));
    if ranked.len() == 1 {
        return format!("{head}: {story} (score {score}){}.", last(first));
    }
    let (count, moved) = moved(ranked);
    let which = if count == 1 { ":" } else { ", most of all" };
    format!("{head}: {moved}{which} {}, {story} (score {score}).", named(&first.track.labels, shared))
}

/// Where no series moved: at least whether one rises or falls all the time.
fn unmoved(ranked: &[Ranked<'_>], first: &Ranked<'_>, shared: &Labels) -> String {
    let steadily = |(from, to): (f64, f64)| {
        let goes = if to > from { "rises" } else { "falls" };
        let (from, to) = (first.shown(from), first.shown(to));
        format!("{goes} steadily {from} → {to} (typical values at first and at last)")
    };
    if ranked.iter().all(Ranked::is_without_numbers) {
        let all = if ranked.len() == 1 { "its" } else { "all" };
        let native = ranked.iter().all(|one| one.track.is_p95);
        let why = if native { ": no observations" } else { "" };
        return format!("{all} values are NaN/Inf{why}");
    }
    if let [only] = ranked {
        return match only.judged.trend {
            Some(trend) => format!("it {}{}", steadily(trend), last(only)),
            None => format!("it did not move beyond its usual spread{}", level(only)),
        };
    }
    let Some(trend) = first.judged.trend else {
        let score = score_text(first.judged.moved.score);
        let odd = match without_numbers(ranked) {
            0 => String::new(),
            count => format!("; {count} have only NaN/Inf values"),
        };
        return format!("no series moved beyond its usual spread (highest score {score}){odd}");
    };
    let count = drifting(ranked);
    let name = named(&first.track.labels, shared);
    let verb = if count == 1 { "drifts" } else { "drift" };
    format!("no series changed suddenly, but {count} of them {verb}: {name} {}", steadily(trend))
}

fn drifting(ranked: &[Ranked<'_>]) -> usize {
    ranked.iter().filter(|one| one.judged.trend.is_some()).count()
}

fn without_numbers(ranked: &[Ranked<'_>]) -> usize {
    ranked.iter().filter(|one| one.is_without_numbers()).count()
}

/// What no series has samples for, when it is more than a late sample.
fn gaps(track: &Track, within: &Range<usize>) -> String {
    const LATE: usize = 3;
    let mut text = String::new();
    if within.start >= LATE
        && let Some(first) = track.moment(within.start)
    {
        text.push_str(&format!(", none with samples before {}", time_text(first)));
    }
    if track.at.len().saturating_sub(within.end) >= LATE
        && let Some(last) = within.end.checked_sub(1).and_then(|last| track.moment(last))
    {
        text.push_str(&format!(", none with samples after {}", time_text(last)));
    }
    text
}

/// How many series moved, and how they moved.
fn moved(ranked: &[Ranked<'_>]) -> (usize, String) {
    let count = |wanted: &[Direction]| {
        let is_it = |one: &&Ranked<'_>| one.onset().is_some() && wanted.contains(&one.judged.moved.direction);
        ranked.iter().filter(is_it).count()
    };
    let moved = count(&[Direction::Up, Direction::Down, Direction::Flat]);
    let (appeared, vanished) = (count(&[Direction::Appeared]), count(&[Direction::Vanished]));
    let mut parts = Vec::new();
    match moved {
        0 => {}
        1 => parts.push("1 moved beyond its usual spread".to_owned()),
        _ => parts.push(format!("{moved} moved beyond their usual spread")),
    }
    if appeared > 0 {
        parts.push(format!("{appeared} appeared"));
    }
    if vanished > 0 {
        parts.push(format!("{vanished} vanished"));
    }
    let drifting = drifting(ranked);
    if drifting > 0 {
        parts.push(format!("{drifting} drifted steadily"));
    }
    (moved + appeared + vanished + drifting, parts.join(", "))
}

fn level(one: &Ranked<'_>) -> String {
    let Some(all) = one.judged.summary else { return String::new() };
    let number = |value| one.shown(value);
    format!(" (median {}, {} to {}){}", number(all.median), number(all.min), number(all.max), last(one))
}

fn last(one: &Ranked<'_>) -> String {
    one.judged.last.map_or(String::new(), |(_, value)| format!(", last {}", one.shown(value)))
}

/// Cut, not rounded: 2.96 is below the 3 from which on a series counts as moved.
fn score(score: f64) -> f64 {
    (score * 10.0).floor() / 10.0
}

fn score_text(value: f64) -> String {
    significant(if value < 10.0 { score(value) } else { value.floor() })
}

/// What holds for several rows and would be a column of its own otherwise.
fn remarks(draft: &mut Draft, ranked: &[Ranked<'_>]) {
    let native = ranked.iter().filter(|one| one.track.is_p95).count();
    if native > 0 {
        draft.caveat(format!(
            "{native} of {} series are native histograms, shown by their 95th percentile (without rate() in the query: \
             of all observations since their start)",
            ranked.len()
        ));
    }
    let is_empty = |one: &&Ranked<'_>| one.track.is_p95 && one.judged.not_finite > 0;
    let empty = ranked.iter().filter(is_empty).count();
    if empty > 0 {
        let samples: usize = ranked.iter().filter(is_empty).map(|one| one.judged.not_finite).sum();
        draft.caveat(format!(
            "{samples} samples of {empty} native histograms are there, but without observations to take a percentile of: \
             shown as NaN, left out of median, min, max, score and shape"
        ));
    }
    let odd = ranked.iter().filter(|one| !one.track.is_p95 && one.judged.not_finite > 0).count();
    if odd > 0 {
        let of = ranked.len();
        draft.caveat(format!(
            "NaN or infinite values in {odd} of {of} series, left out of median, min, max, score and shape"
        ));
    }
}

/// A column: its name and what stands in it for a series.
type Column<'c> = (&'static str, Box<dyn Fn(&Ranked<'_>) -> Cell + 'c>);

fn table(cite: Cite, question: &Question<'_>, ranked: &[Ranked<'_>], shared: &Labels) -> Table {
    let shown: Vec<&Ranked<'_>> = ranked.iter().take(question.limit).collect();
    // Columns as few as carry facts: one that is missing in every row is left out.
    let columns: Vec<Column<'_>> = columns(question, ranked, shared)
        .into_iter()
        .filter(|(_, cell)| shown.iter().any(|one| cell(one) != Cell::Missing))
        .collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut table = Table::new("series", &names, cite);
    for one in shown {
        table.row(columns.iter().map(|(_, cell)| cell(one)).collect());
    }
    table.seen(ranked.len() as u64);
    table.see_more("less moved; a higher limit, a narrower query or an aggregation");
    table
}

fn columns<'c>(question: &Question<'_>, ranked: &[Ranked<'_>], shared: &'c Labels) -> Vec<Column<'c>> {
    let full = question.full;
    let incomplete = ranked.iter().any(|one| one.judged.present < one.track.values.len());
    vec![
        ("labels", Box::new(|one| label_cell(&one.track.labels, shared))),
        ("median", Box::new(|one| one.cell(one.judged.summary.map(|all| all.median)))),
        ("min", Box::new(|one| one.cell(one.judged.summary.map(|all| all.min)))),
        ("min at", Box::new(move |one| extreme(one, full, |all| all.min_at))),
        ("max", Box::new(|one| one.cell(one.judged.summary.map(|all| all.max)))),
        ("max at", Box::new(move |one| extreme(one, full, |all| all.max_at))),
        ("last", Box::new(|one| one.cell(one.judged.last.map(|(_, value)| value)))),
        (
            "ended, last seen",
            Box::new(|one| Cell::time(one.judged.has_ended.then(|| one.last_seen()).flatten())),
        ),
        ("score", Box::new(|one| Cell::Number(score(one.judged.moved.score)))),
        ("onset", Box::new(|one| Cell::time(one.onset()))),
        ("shape", Box::new(|one| Cell::text(one.judged.shape.as_str()))),
        (
            "samples",
            Box::new(move |one| {
                let of = one.track.values.len();
                if incomplete { Cell::Text(format!("{} of {of}", one.judged.present)) } else { Cell::Missing }
            }),
        ),
    ]
}

fn extreme(one: &Ranked<'_>, full: bool, place: impl Fn(signal::Summary) -> usize) -> Cell {
    let at = one.judged.summary.map(place).and_then(|place| one.track.moment(place));
    Cell::time(at.filter(|_| full))
}

/// The points of the first few series that have a row: one row a moment, the latest moments when there are too many.
fn points(cite: Cite, ranked: &[Ranked<'_>], rows: usize) -> Table {
    let first: Vec<&Ranked<'_>> = ranked.iter().take(WITH_POINTS.min(rows)).collect();
    let mut moments: Vec<i64> = first.iter().flat_map(|one| one.track.at.iter().copied()).collect();
    moments.sort_unstable();
    moments.dedup();
    let names: Vec<String> = (1..=first.len()).map(|place| format!("value of row {place}")).collect();
    let columns: Vec<&str> = ["time"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let mut table = Table::new("points", &columns, cite);
    for at in moments.iter().skip(moments.len().saturating_sub(MOST_POINTS)) {
        let value = |one: &&Ranked<'_>| {
            let place = one.track.at.binary_search(at).ok();
            one.cell(place.and_then(|place| one.track.values.get(place).copied().flatten()))
        };
        let mut row = vec![Cell::time(Timestamp::from_millisecond(*at).ok())];
        row.extend(first.iter().map(value));
        table.row(row);
    }
    table.seen(moments.len() as u64);
    table.see_more("a larger step or a shorter time_range");
    table
}
