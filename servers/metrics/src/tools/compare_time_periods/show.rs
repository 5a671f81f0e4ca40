//! The answer: verdict, what moved the total, totals, label sets.

use contract::{Answer, Cell, Cite, Draft, Finding, Table, significant, time_text};
use jiff::Timestamp;

use super::{
    Call,
    divide::{Divided, How, SUM},
    findings, next,
    overview::{Overview, SERIES},
    subject::Metric,
    windows::Layout,
};
use crate::{
    analysis::{
        baseline::{ENOUGH, told},
        comparison::{Compared, Fate, Pair, Side, compare, rank},
        ranking::{Grid, common, rest},
    },
    model::Labels,
};

/// Everything an answer is made of.
pub(super) struct Shown<'c> {
    pub(super) call: &'c Call<'c>,
    pub(super) metric: &'c Metric<'c>,
    pub(super) layout: Layout,
    pub(super) overview: &'c Overview,
    pub(super) divided: &'c Divided,
    /// The moments of the window in question.
    pub(super) grid: Grid,
    /// Each measure in total, in the order asked; the number of series last.
    pub(super) totals: Vec<Compared>,
    /// The parts, those that moved most first.
    pub(super) rows: Vec<Compared>,
    /// Labels that all parts share.
    pub(super) shared: Labels,
}

/// Whether the window begins with what is different: then its start says nothing about when that began.
pub(super) fn began_before(one: &Compared) -> bool {
    one.fate == Fate::Measured && one.onset.is_some_and(|place| place <= 1)
}

impl Shown<'_> {
    /// What rows and totals rest on.
    pub(super) fn cite(&self) -> Cite {
        self.divided.cite.unwrap_or(self.overview.cite)
    }

    /// The total that the verdict is about: of a histogram its 95th percentile, of a summary the quantile that moved
    /// most.
    pub(super) fn main(&self) -> Option<&Compared> {
        let first = self.totals.first()?;
        let p95 = self.totals.iter().find(|one| one.measure == "p95" && one.fate != Fate::TooLittle);
        let same = self.totals.iter().filter(|one| one.measure == first.measure);
        p95.or_else(|| same.reduce(|best, one| if one.score > best.score { one } else { best }))
    }

    /// The moment of a place in the window in question.
    pub(super) fn moment(&self, place: usize) -> Option<Timestamp> {
        (place < self.grid.count()).then(|| crate::analysis::ranking::moment(self.grid.second(place)))
    }

    pub(super) fn onset(&self, one: &Compared) -> Option<Timestamp> {
        self.moment(match one.fate {
            Fate::Appeared(place) if place > 0 => place,
            Fate::Vanished(after) if after > 0 => after - 1,
            Fate::Appeared(_) | Fate::Vanished(_) => return None,
            Fate::Measured | Fate::TooLittle => one.onset.filter(|_| !began_before(one))?,
        })
    }

    /// Since when, for a sentence; where it was so from the first moment on, that is all that is known.
    pub(super) fn since(&self, one: &Compared) -> String {
        match (self.onset(one), self.moment(0)) {
            (Some(at), _) => format!(" since {}", time_text(at)),
            (None, Some(start)) if began_before(one) => {
                format!(" (already when the window began, {})", time_text(start))
            }
            _ => String::new(),
        }
    }

    /// What a row is called: its own labels, and what it measures where there are several measures.
    pub(super) fn named(&self, one: &Compared) -> String {
        let own = rest(&one.labels, &self.shared);
        let labels = if own.is_empty() { one.labels.text() } else { own.text() };
        if self.measures() > 1 { format!("{} of {labels}", one.measure) } else { labels }
    }

    pub(super) fn measures(&self) -> usize {
        let mut names: Vec<&str> = self.rows.iter().map(|one| one.measure.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.len()
    }
}

/// The whole answer.
pub(super) fn answer(
    call: &Call<'_>,
    metric: &Metric<'_>,
    layout: Layout,
    overview: &Overview,
    divided: Divided,
    mut draft: Draft,
) -> Answer {
    let end = end_of(overview.pairs.iter().chain(&divided.pairs));
    let judge = |pairs: &[Pair]| -> Vec<Compared> {
        let kept = pairs.iter().filter(|pair| pair.measure != SUM);
        kept.filter_map(|pair| compare(pair, metric.resolution(&pair.measure, layout), end, layout.late()))
            .collect()
    };
    let all = judge(&divided.pairs);
    let rows: Vec<Compared> = rank(&all).into_iter().filter_map(|place| all.get(place).cloned()).collect();
    let totals = if overview.is_total && !call.windows.is_within {
        in_order(metric, layout, judge(&overview.pairs))
    } else if let [only] = rows.as_slice() {
        vec![only.clone()]
    } else {
        Vec::new()
    };
    let shown = Shown {
        call,
        metric,
        layout,
        overview,
        divided: &divided,
        grid: layout.grid(call.windows.now),
        shared: common(rows.iter().map(|one| &one.labels)),
        totals,
        rows,
    };
    caveats(&shown, &mut draft);
    let blamed = findings::blamed(&shown);
    let verdict = findings::verdict(&shown, &blamed);
    findings::all(&shown, &blamed, &mut draft);
    if !shown.totals.is_empty() {
        draft.table(totals_table(&shown));
    }
    if shown.rows.len() > 1 || shown.totals.is_empty() {
        draft.table(rows_table(&shown));
    }
    next::add(&shown, &mut draft);
    draft.conclude(verdict)
}

/// The place after the last at which anything has a sample.
fn end_of<'p>(pairs: impl Iterator<Item = &'p Pair>) -> usize {
    let last = |pair: &Pair| pair.now.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let lasts = pairs.map(|pair| (last(pair), pair.now.len()));
    match lasts.reduce(|one, other| (one.0.max(other.0), one.1.max(other.1))) {
        // Nothing at all now: then all of it is missing.
        Some((0, length)) => length.max(usize::MAX / 2),
        Some((end, _)) => end,
        None => 0,
    }
}

/// The totals in the order of the questions, the number of series last.
fn in_order(metric: &Metric<'_>, layout: Layout, mut all: Vec<Compared>) -> Vec<Compared> {
    let asked = metric.measures(crate::analysis::transform::Grouping::Total, layout);
    let place = |one: &Compared| {
        let known = asked.iter().position(|measure| measure.name == one.measure);
        known.unwrap_or(if one.measure == SERIES { asked.len() } else { asked.len() + 1 })
    };
    all.sort_by_key(place);
    all
}

/// No window has anything.
pub(super) fn nothing(call: &Call<'_>, metric: &Metric<'_>, overview: &Overview, mut draft: Draft) -> Answer {
    let windows: Vec<String> = overview.rejected.iter().map(|(one, _)| one.window.to_string()).collect();
    let also = if windows.is_empty() { String::new() } else { format!(" nor in {}", windows.join(", ")) };
    let source = match overview.source_has {
        (_, Some(false)) => ", and the source has no samples of any target then either",
        _ => "",
    };
    let verdict = format!(
        "No series matched {} in {}{also}{source}. This is not a zero.",
        metric.title(),
        call.windows.now
    );
    draft.finding(Finding::new(
        "nothing was found to compare: neither a level nor a change is known",
        overview.cite,
    ));
    next::after_nothing(call, metric, &mut draft);
    draft.conclude(verdict)
}

fn caveats(shown: &Shown<'_>, draft: &mut Draft) {
    let (overview, call) = (shown.overview, shown.call);
    draft.caveat(format!("asked for: {}", shown.metric.transform(shown.layout)));
    if !call.windows.is_within {
        let rejected: Vec<String> = (overview.rejected.iter())
            .map(|(one, share)| format!("{} has {} of its samples", told(&[*one]), percent(*share)))
            .collect();
        let rejected =
            if rejected.is_empty() { String::new() } else { format!(" ({})", rejected.join("; ")) };
        draft.caveat(format!("baseline: {}{rejected}", told(&overview.chosen)));
    }
    match &shown.divided.how {
        How::Few(labels) => draft.caveat(format!(
            "about {} series are too many to pull, so they were grouped by the source, by {} (the labels with the fewest \
             values, each on its own)",
            shown.metric.series.map_or("too many".to_owned(), |series| crate::analysis::promql::about(series as f64)),
            labels.iter().map(|name| call.cx.intake.text(name).shown(60)).collect::<Vec<_>>().join(", ")
        )),
        How::NotAtAll => draft.caveat("in total only: the series are too many to pull, and no label divides them well"),
        How::Each | How::By(_) => {}
    }
    if call.windows.is_within && shown.rows.iter().any(|one| one.measure == "rate") {
        draft.caveat(
            "rates depend on how much traffic each value gets: compare quantiles or a ratio to judge quality",
        );
    }
    counted_caveats(shown, draft);
    call.guard.caveats().into_iter().for_each(|caveat| draft.caveat(caveat));
}

fn counted_caveats(shown: &Shown<'_>, draft: &mut Draft) {
    let of = shown.rows.len();
    let little = shown.rows.iter().filter(|one| one.fate == Fate::TooLittle).count();
    if little > 0 && of > 1 {
        draft.caveat(format!(
            "{little} of {of} rows have less than {} of their samples in a window: not enough data, no change is claimed",
            percent(ENOUGH)
        ));
    }
    let incomplete = shown.rows.iter().chain(&shown.totals).any(|one| coverage(one) != Cell::Missing);
    if !incomplete && of > 0 {
        draft.caveat("every expected sample is there, in both windows");
    }
    let odd = shown.rows.iter().filter(|one| one.not_finite > 0).count();
    if odd > 0 {
        draft.caveat(format!("NaN or infinite values in {odd} of {of} rows, left out of all numbers"));
    }
    let steady = shown.rows.iter().filter(|one| one.steady_before && one.fate == Fate::Measured).count();
    if steady > 0 {
        draft.caveat(format!(
            "{steady} of {of} rows did not vary before, so they have no effect size; onset is then by at least 3 % of the \
             median{}",
            if shown.metric.subject.is_some() { ", or 3 events in a rate's window" } else { "" }
        ));
    }
    if shown.overview.native {
        draft.caveat("native histograms are shown by their 95th percentile");
    }
}

fn totals_table(shown: &Shown<'_>) -> Table {
    let has_labels = shown.totals.iter().any(|one| !one.labels.is_empty());
    let title = if shown.totals.len() == 1 && !shown.overview.is_total { "series in full" } else { "totals" };
    let columns = columns(shown, has_labels, true);
    table(title, shown.overview.cite, &shown.totals, columns)
}

fn rows_table(shown: &Shown<'_>) -> Table {
    let limit = shown.call.limit;
    let rows: Vec<Compared> = shown.rows.iter().take(limit).cloned().collect();
    let title = if matches!(shown.divided.how, How::Each) { "label sets" } else { "label values" };
    let mut table = table(title, shown.cite(), &rows, columns(shown, true, false));
    table.seen(shown.rows.len() as u64);
    table.see_more("moved less; a higher limit, detail=full, or a narrower metric");
    table
}

/// A column: its name and what stands in it.
type Column<'c> = (&'static str, Box<dyn Fn(&Compared) -> Cell + 'c>);

/// A table of the columns in which anything stands.
fn table(title: &str, cite: Cite, rows: &[Compared], columns: Vec<Column<'_>>) -> Table {
    let filled: Vec<Column<'_>> =
        columns.into_iter().filter(|(_, cell)| rows.iter().any(|one| cell(one) != Cell::Missing)).collect();
    let names: Vec<&str> = filled.iter().map(|(name, _)| *name).collect();
    let mut table = Table::new(title, &names, cite);
    for one in rows {
        table.row(filled.iter().map(|(_, cell)| cell(one)).collect());
    }
    table
}

fn columns<'c>(shown: &'c Shown<'_>, with_labels: bool, is_total: bool) -> Vec<Column<'c>> {
    let several = is_total && shown.overview.is_total || shown.measures() > 1;
    let within = shown.call.windows.is_within;
    let has_baseline = within || !shown.overview.chosen.is_empty();
    let both = |pick: fn(Side) -> f64| move |one: &Compared| arrow(one.before.map(pick), one.now.map(pick));
    let labels = move |one: &Compared| {
        let own = if is_total { one.labels.clone() } else { rest(&one.labels, &shown.shared) };
        if own.is_empty() || !with_labels { Cell::Missing } else { Cell::Text(own.text()) }
    };
    vec![
        ("labels", Box::new(labels)),
        (
            "measure",
            Box::new(move |one| if several { Cell::text(one.measure.as_str()) } else { Cell::Missing }),
        ),
        ("note", Box::new(move |one| note(one, has_baseline))),
        (
            if within { "median of the others" } else { "median before" },
            Box::new(|one| Cell::number(one.before.map(|side| side.median))),
        ),
        (
            if within { "median" } else { "median now" },
            Box::new(|one| Cell::number(one.now.map(|side| side.median))),
        ),
        ("change", Box::new(|one| Cell::number(one.change))),
        ("relative", Box::new(|one| one.change.map_or(Cell::Missing, |_| Cell::text(relative(one))))),
        ("onset", Box::new(move |one| Cell::time(shown.onset(one).filter(|_| !within)))),
        ("since onset", Box::new(move |one| Cell::number(one.level.filter(|_| !within)))),
        ("effect", Box::new(|one| Cell::number(one.effect.map(tenths)))),
        ("KS", Box::new(|one| Cell::number(one.ks.map(|distance| (distance * 100.0).round() / 100.0)))),
        ("mean", Box::new(both(|side| side.mean))),
        ("p95", Box::new(both(|side| side.p95))),
        ("max", Box::new(both(|side| side.max))),
        ("last", Box::new(both(|side| side.last))),
        ("coverage", Box::new(coverage)),
    ]
}

/// What kind of row it is, where it is no ordinary one. Never a growth out of nothing.
fn note(one: &Compared, has_baseline: bool) -> Cell {
    match one.fate {
        Fate::Appeared(_) if !has_baseline => Cell::text("no baseline"),
        Fate::Appeared(_) => Cell::text("appeared"),
        Fate::Vanished(_) => Cell::text("vanished"),
        Fate::TooLittle => Cell::text("not enough data"),
        Fate::Measured => Cell::Missing,
    }
}

/// Coverage where it is not complete.
fn coverage(one: &Compared) -> Cell {
    let (before, now) = one.covered;
    if before >= 0.995 && now >= 0.995 {
        return Cell::Missing;
    }
    Cell::Text(format!("{} → {}", percent(before), percent(now)))
}

fn arrow(before: Option<f64>, now: Option<f64>) -> Cell {
    let text = |value: Option<f64>| value.map_or("-".to_owned(), significant);
    if before.is_none() && now.is_none() {
        return Cell::Missing;
    }
    Cell::Text(format!("{} → {}", text(before), text(now)))
}

/// The change as people say it: `+60 %`, `×3.2`, `from 0`.
pub(super) fn relative(one: &Compared) -> String {
    match (one.relative, one.before, one.now) {
        (Some(share), _, _) if share.abs() < 1.0 => {
            let sign = if share >= 0.0005 {
                "+"
            } else if share <= -0.0005 {
                "−"
            } else {
                ""
            };
            format!("{sign}{}", percent(share.abs()))
        }
        (Some(_), Some(before), Some(now)) if now.median / before.median > 0.0 => {
            format!("×{}", significant(tenths(now.median / before.median)))
        }
        (Some(share), ..) => format!(
            "{}{} %",
            if share >= 0.0 { "+" } else { "−" },
            significant((share.abs() * 100.0).round())
        ),
        (None, ..) if one.change == Some(0.0) => "0 %".to_owned(),
        (None, ..) => "from 0".to_owned(),
    }
}

pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let rounded = if percent.abs() < 10.0 { (percent * 10.0).round() / 10.0 } else { percent.round() };
    format!("{} %", significant(rounded))
}

/// One digit after the point, for what is an estimate anyway.
pub(super) fn tenths(value: f64) -> f64 {
    if value.abs() < 100.0 { (value * 10.0).round() / 10.0 } else { value.round() }
}
