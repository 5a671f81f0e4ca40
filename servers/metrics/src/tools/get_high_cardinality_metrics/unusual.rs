//! The answer about one service: what left its usual range, the first to move first.

use std::time::Duration;

use contract::{
    Answer, Cell, Cite, Draft, Finding, Next, Table, TimeRange, ToolError, duration_text, significant,
    time_text,
};
use jiff::Timestamp;
use signal::{SHAPE_BUCKETS, shape};

use super::{
    Look,
    gather::{Gathered, gather},
    series::Scopes,
    words::{is_passing, labels, moved, named, query, unit, value_text, what},
};
use crate::analysis::unusual::{
    moment::{Known, Split},
    ranking::{CERTAIN, Ranked, Story, UNUSUAL, rank_steadily, stories},
    score::Verdict,
    signals::Signal,
};

/// Metrics named in the verdict.
const NAMED: usize = 3;
/// Metrics with the same story that a row names.
const WITH: usize = 3;
/// A shorter baseline, in seconds, tells nothing about what is usual.
const SHORT: f64 = 600.0;
/// Moments and metrics of the order of events.
const MOMENTS: usize = 4;
const OF_MOMENT: usize = 5;

pub(super) async fn answer(
    look: &Look<'_>,
    service: &str,
    scopes: &Scopes,
    mut draft: Draft,
) -> Result<Answer, ToolError> {
    let gathered = gather(look, scopes, None, &mut draft).await?;
    look.guard.caveats().into_iter().for_each(|caveat| draft.caveat(caveat));
    let Some(cite) = gathered.cites.first().copied() else {
        return Ok(draft.conclude("Nothing was read."));
    };
    let (ranked, split) = rank_steadily(&gathered.signals, split(&gathered));
    let shown = Shown { look, scopes, gathered: &gathered, split: &split };
    let stories = stories(&ranked, &gathered.signals, &split);
    let given = look.cx.intake.text(service);
    let service = given.shown(80);
    draft.caveat(format!("series of {service}: {}", scopes.shown()));
    draft.caveat(baseline(&shown));
    if gathered.signals.is_empty() {
        let window = gathered.when.ends();
        return Ok(draft.conclude(format!(
            "{service} has no series between {} and {}, so nothing was judged. This is not a zero.",
            time_text(window.start()),
            time_text(window.end())
        )));
    }
    let verdict = verdict(&shown, &service, &stories);
    if !stories.is_empty() {
        draft.finding(all_cites(order_of_events(&shown, &stories), cite, &gathered.cites));
        draft.table(table(&shown, &stories, cite));
    }
    next(&shown, &mut draft, &stories, given.plain());
    Ok(draft.conclude(verdict))
}

/// What the parts of the answer are written from.
pub(super) struct Shown<'a> {
    pub(super) look: &'a Look<'a>,
    pub(super) scopes: &'a Scopes,
    pub(super) gathered: &'a Gathered,
    pub(super) split: &'a Split,
}

impl Shown<'_> {
    fn signal(&self, ranked: &Ranked) -> Option<&Signal> {
        self.gathered.signals.get(ranked.signal)
    }

    /// `db_pool_size{pool=main} 50 → 10`.
    fn told(&self, ranked: &Ranked) -> Option<String> {
        let signal = self.signal(ranked)?;
        let name = named(self.look.cx, self.scopes, signal);
        Some(format!("{name} {}", moved(signal, &ranked.verdict)))
    }

    fn moment(&self, place: usize) -> Option<Timestamp> {
        self.gathered.when.moment(place)
    }
}

fn split(gathered: &Gathered) -> Split {
    let when = gathered.when;
    let signals: Vec<&Signal> = gathered.signals.iter().collect();
    let inferred = || Split::inferred(&signals, when.grid().count(), when.pace().step);
    when.given().unwrap_or_else(inferred)
}

/// What the values were held against, and how the time is known.
pub(super) fn baseline(shown: &Shown<'_>) -> String {
    let text = |place: usize| shown.moment(place).map_or(String::new(), time_text);
    let split = shown.split;
    let how = match split.known {
        Known::Given => format!("start given: {}", text(split.at)),
        Known::Inferred => format!(
            "start inferred: the signals together changed at {} (give `since` when you know better)",
            text(split.at)
        ),
        Known::Unsteady => format!(
            "the baseline was not steady itself: what was there before {} is held against the rest",
            text(split.at)
        ),
        Known::Untold => {
            "no common start found: the last third of the window is held against the rest (give `since` when you know)"
                .to_owned()
        }
    };
    let lead_in = shown.gathered.when.lead_in.map_or(String::new(), |start| {
        format!(
            "; read from {} on: a lead-in before the window, which begins at {}",
            time_text(shown.gathered.when.ends().start()),
            time_text(start)
        )
    });
    let pace = shown.gathered.when.pace();
    let (step, span) = (duration_text(pace.step), duration_text(pace.step * pace.span as f64));
    let baseline = times(shown);
    format!("{how}; baseline {baseline}, every {step}, rates over {span}{lead_in}")
}

/// `START to END` of the baseline.
fn times(shown: &Shown<'_>) -> String {
    let text = |place: usize| shown.moment(place).map_or(String::new(), time_text);
    let before = &shown.split.before;
    format!("{} to {}", text(before.start), text(before.end.saturating_sub(1)))
}

/// What the absence of departures rests on, for the same sentence.
pub(super) fn held_against(shown: &Shown<'_>) -> String {
    let seconds = shown.split.before.len() as f64 * shown.gathered.when.pace().step;
    let short = if seconds < SHORT { ", which is too short to tell" } else { "" };
    format!("its baseline, {}{short}; what began before that can't be seen", times(shown))
}

/// The same call over a longer time.
pub(super) fn longer(shown: &Shown<'_>) -> Option<Next> {
    let when = shown.gathered.when;
    let next = Next::call("get_high_cardinality_metrics", "whether it began before the baseline")
        .with("time_range", when.longer?.to_string());
    let next = match when.since {
        Some(since) => next.with("since", time_text(since)),
        None => next,
    };
    Some(shown.look.of_source(next))
}

/// When it moved, in a sentence, after a space; empty where it did not stay away.
pub(super) fn since(shown: &Shown<'_>, ranked: &Ranked) -> String {
    let onset = ranked.verdict.onset.and_then(|place| shown.moment(place));
    onset.map_or(String::new(), |onset| {
        let before = if shown.gathered.when.is_before_window(onset) { ", before the window" } else { "" };
        format!(" at {}{before}", time_text(onset))
    })
}

fn verdict(shown: &Shown<'_>, service: &str, stories: &[Story]) -> String {
    let metrics = shown.gathered.metrics;
    let Some(first) = stories.first() else {
        return format!(
            "No metric of {service} left its usual range: {} signals of {metrics} names of series were judged, none by {} \
             spreads of {}.",
            shown.gathered.signals.len(),
            significant(UNUSUAL),
            held_against(shown),
        );
    };
    let told: Vec<String> = stories.iter().take(NAMED).filter_map(|story| shown.told(&story.lead)).collect();
    let (head, rest) =
        told.split_first().map_or((String::new(), Vec::new()), |(head, rest)| (head.clone(), rest.to_vec()));
    let rest = if rest.is_empty() { String::new() } else { format!("; then {}", rest.join("; ")) };
    let count = stories.iter().map(|story| 1 + story.with.len()).sum::<usize>();
    let inferred = match shown.split.known {
        Known::Given => "",
        Known::Inferred => " (start inferred)",
        Known::Untold => " (start unknown)",
        Known::Unsteady => " (the baseline was not steady)",
    };
    let since = since(shown, &first.lead);
    let since = if since.is_empty() { since } else { format!(",{since}") };
    let metrics_left = if count == 1 { "1 metric" } else { &format!("{count} metrics") };
    format!(
        "{metrics_left} of {service} left the usual range{inferred}; first{since}: {head}, score {}{rest}.",
        score(first.lead.verdict.score)
    )
}

/// What moved when, in the order of time: certain departures only.
fn order_of_events(shown: &Shown<'_>, stories: &[Story]) -> String {
    let mut moments: Vec<(usize, Vec<&Ranked>)> = Vec::new();
    let members = stories.iter().flat_map(|story| std::iter::once(&story.lead).chain(&story.with));
    for one in members.filter(|one| one.verdict.score >= CERTAIN && one.verdict.onset.is_some()) {
        match moments.iter_mut().find(|(cohort, _)| *cohort == one.cohort) {
            Some((_, list)) => list.push(one),
            None => moments.push((one.cohort, vec![one])),
        }
    }
    if moments.is_empty() {
        return format!("nothing moved by {} spreads: all of it may be chance", significant(CERTAIN));
    }
    moments.sort_by_key(|(cohort, _)| *cohort);
    let told = |(_, list): &(usize, Vec<&Ranked>)| {
        let first = list.iter().filter_map(|one| one.verdict.onset).min()?;
        let at = shown.moment(first).map_or(String::new(), time_text);
        let names: Vec<String> = list
            .iter()
            .take(OF_MOMENT)
            .filter_map(|one| {
                let own = one.verdict.onset.filter(|onset| *onset != first);
                let own = own.and_then(|onset| shown.moment(onset));
                let own = own.map_or(String::new(), |own| format!(" ({})", time_text(own)));
                Some(shown.told(one)? + &own)
            })
            .collect();
        let more = list.len().saturating_sub(OF_MOMENT);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Some(format!("at {at} {}{more}", names.join(", ")))
    };
    let texts: Vec<String> = moments.iter().take(MOMENTS).filter_map(told).collect();
    let later = moments.len().saturating_sub(MOMENTS);
    let later = if later > 0 { format!("; {later} later moments are in the table") } else { String::new() };
    format!("moved together, the first first: {}{later}", texts.join("; then "))
}

fn table(shown: &Shown<'_>, stories: &[Story], cite: Cite) -> Table {
    let columns = [
        "metric",
        "labels",
        "is",
        "before",
        "after",
        "unit",
        "score",
        "onset",
        "shape",
        "goes with",
        "query",
    ];
    let mut table = Table::new("metrics", &columns, cite);
    for story in stories.iter().take(shown.look.limit) {
        let Some(signal) = shown.signal(&story.lead) else { continue };
        let verdict = &story.lead.verdict;
        let cx = shown.look.cx;
        let own = labels(cx, shown.scopes, signal);
        let (promql, is_plain) = query(shown.look, shown.scopes, signal);
        let number =
            |value: Option<f64>| value.map(|value| if unit(signal) == "%" { value * 100.0 } else { value });
        table.row(vec![
            Cell::Quoted(cx.intake.text(&signal.metric), 200),
            if own.is_empty() { Cell::Missing } else { Cell::Text(own) },
            Cell::text(what(signal)),
            Cell::number(number(verdict.before)),
            Cell::number(number(verdict.after)),
            Cell::text(unit(signal)),
            Cell::Text(scored(verdict)),
            Cell::time(verdict.onset.and_then(|place| shown.moment(place))),
            Cell::text(shape(&signal.values, SHAPE_BUCKETS)),
            Cell::text(goes_with(shown, story)),
            Cell::Text(shown.look.lookup().guarded(promql, is_plain)),
        ]);
    }
    table.seen(stories.len() as u64);
    table.see_more("a higher limit, or detail: full");
    table
}

/// Other metrics with the same story, in full, and how many label sets of its own.
fn goes_with(shown: &Shown<'_>, story: &Story) -> String {
    let mut parts: Vec<String> = story.with.iter().take(WITH).filter_map(|one| shown.told(one)).collect();
    let more = story.with.len().saturating_sub(WITH);
    if more > 0 {
        parts.push(format!("{more} more metrics"));
    }
    if story.alike > 0 {
        parts.push(format!("{} more series of it", story.alike));
    }
    parts.join(", ")
}

/// `80 down`.
pub(super) fn scored(verdict: &Verdict) -> String {
    let passing = if is_passing(verdict) { ", for a moment" } else { "" };
    format!("{} {}{passing}", score(verdict.score), direction(verdict.direction))
}

fn direction(direction: signal::Direction) -> &'static str {
    match direction {
        signal::Direction::Up => "up",
        signal::Direction::Down => "down",
        signal::Direction::Appeared => "appeared",
        signal::Direction::Vanished => "vanished",
        signal::Direction::Flat => "flat",
    }
}

/// To one digit after the point, cut: what is below a limit must not look as if it had reached it.
pub(super) fn score(score: f64) -> String {
    significant((score * 10.0).floor() / 10.0)
}

/// A statement that rests on all replies.
pub(super) fn all_cites(statement: String, first: Cite, cites: &[Cite]) -> Finding {
    let others = cites.iter().filter(|cite| **cite != first);
    others.fold(Finding::new(statement, first), |finding, cite| finding.and(*cite))
}

fn next(shown: &Shown<'_>, draft: &mut Draft, stories: &[Story], service: Option<&str>) {
    let Some(first) = stories.first() else {
        if let (Some(next), Some(service)) = (longer(shown), service) {
            draft.next(next.with("service", service));
        }
        return;
    };
    let Some(signal) = shown.signal(&first.lead) else { return };
    let window = shown.gathered.when.window.to_string();
    if let (promql, true) = query(shown.look, shown.scopes, signal) {
        let next = Next::call("query_metrics", "the first to move, alone").with("promql", promql);
        let step = duration_text(shown.gathered.when.pace().step);
        draft.next(shown.look.of_source(next.with("time_range", window.as_str()).with("step", step)));
    }
    let Some(around) = first.lead.verdict.onset.and_then(|place| around(shown, place)) else { return };
    let mut alerts =
        Next::call("list_firing_alerts", "what fired then").with("time_range", around.to_string());
    let changes = Next::call("get_recent_deployments", "what changed before it").on("infra");
    if let Some(service) = service {
        alerts = alerts.with("service", service);
    }
    draft.next(alerts);
    draft.next(changes.with("time_range", around.to_string()));
}

/// A quarter of an hour before a moment, and ten minutes after it as far as that is past.
fn around(shown: &Shown<'_>, place: usize) -> Option<TimeRange> {
    let onset = shown.moment(place)?;
    let start = onset.checked_sub(Duration::from_secs(900)).ok()?;
    let end = onset.checked_add(Duration::from_secs(600)).ok()?.min(shown.look.cx.now);
    TimeRange::new(start, end.max(onset)).ok()
}

/// The values of a verdict in words, for other answers.
pub(super) fn change(signal: &Signal, ranked: &Ranked) -> (Cell, Cell) {
    let cell =
        |value: Option<f64>| value.map_or(Cell::Missing, |value| Cell::Text(value_text(signal, value)));
    (cell(ranked.verdict.before), cell(ranked.verdict.after))
}
