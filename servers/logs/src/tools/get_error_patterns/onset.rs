//! When patterns began.

use std::time::Duration;

use contract::{Context, TimeRange};
use jiff::Timestamp;

use super::{
    gather::{Gathered, HEAD, of_service},
    judge::Row,
};
use crate::{
    analysis::{
        difference::{Class, from_the_start},
        volume::{Kind, LEAD_IN_KEPT, Stream, judge},
    },
    backend::Logs,
    model::{Condition, Histogram, Like, Page, Reply, Search},
    tools::asking,
};

/// Patterns whose onset is looked for in counts over time.
const ONSETS: usize = 4;
/// Steps of a window in which an onset is looked for.
const STEPS: u32 = 60;
/// Steps before the one in which an onset is seen that may hold the first records.
const BEFORE_SEEN: u32 = 3;
/// Where the window itself tells no onset it is looked for in this time before it, or in so many windows if that is longer.
const LEAD_IN: Duration = Duration::from_secs(7_200);
const LEAD_IN_WINDOWS: u32 = 4;

/// When a pattern began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Onset {
    /// Then.
    At(Timestamp),
    /// Before the window; when is not known.
    Before,
}

/// What the records alone say: a new pattern began with its first record, if the time directly before has none of it. Where
/// nothing directly before was looked at, a pattern that was there from the window's start began nobody knows when.
pub(super) fn of_records(row: &Row, gathered: &Gathered) -> Option<Onset> {
    if row.already {
        return Some(Onset::Before);
    }
    let (first, last) = row.portrait.span.filter(|_| row.class == Class::New)?;
    let window = gathered.asked.window;
    let is_known_before = gathered.before.iter().any(|one| one.window.end() == window.start());
    let from_the_start = from_the_start(row.now.all(), (first, last), window.start());
    Some(if !is_known_before && from_the_start { Onset::Before } else { Onset::At(first) })
}

/// When surging patterns began to surge, and since when those are there that were there before the window, by their counts
/// over time.
pub(super) async fn find(cx: &Context, store: &dyn Logs, gathered: &mut Gathered, rows: &mut [Row]) {
    let mut partial = Vec::new();
    let wanting = |row: &&mut Row| row.class == Class::Surging || row.onset == Some(Onset::Before);
    let mut lead_in = None;
    for row in rows.iter_mut().take(HEAD).filter(wanting).take(ONSETS) {
        let mut began = None;
        let near = with_window_before(gathered).filter(|_| !row.already);
        if let Some(near) = near {
            began = in_span(cx, store, gathered, (row, near), &mut partial).await;
        }
        if began.is_none() {
            if lead_in.is_none() {
                lead_in = Some(with_lead_in(cx, store, gathered).await);
            }
            if let Some(longer) = lead_in.flatten() {
                began = in_span(cx, store, gathered, (row, longer), &mut partial).await;
            }
        }
        // What doubled against the time just before did not begin before that.
        let began = began.filter(|began| near.is_none_or(|near| *began >= near.whole.start()));
        row.onset = began.map(Onset::At).or(row.onset);
    }
    gathered.now.sample.also(partial);
}

/// A lead-in with the window, in equal steps.
#[derive(Debug, Clone, Copy)]
struct Span {
    whole: TimeRange,
    step: Duration,
    /// Steps of the lead-in.
    before: usize,
}

impl Span {
    fn of(start: Timestamp, window: TimeRange, step: Duration) -> Option<Span> {
        let whole = TimeRange::new(start, window.end()).ok()?;
        let lead_in = window.start().duration_since(start).as_secs_f64();
        Some(Span { whole, step, before: (lead_in / step.as_secs_f64()) as usize })
    }
}

/// The window with the baseline directly before it.
fn with_window_before(gathered: &Gathered) -> Option<Span> {
    let window = gathered.asked.window;
    let before = gathered.before.iter().find(|one| one.window.end() == window.start())?;
    let step = Duration::from_secs((before.window.seconds() / f64::from(STEPS)).round().max(1.0) as u64);
    Span::of(before.window.start(), window, step)
}

/// The window with a longer time before it, as far as that is recorded.
async fn with_lead_in(cx: &Context, store: &dyn Logs, gathered: &Gathered) -> Option<Span> {
    let window = gathered.asked.window;
    let length = LEAD_IN.max(Duration::from_secs_f64(window.seconds()) * LEAD_IN_WINDOWS);
    let lead_in = TimeRange::new(window.start().checked_sub(length).ok()?, window.start()).ok()?;
    let known = asking::recorded(cx, store, lead_in).await.ok().flatten()?;
    let step =
        Duration::from_secs(((known.seconds() + window.seconds()) / f64::from(4 * STEPS)).ceil() as u64);
    Span::of(known.start(), window, step.max(Duration::from_secs(1)))
}

async fn in_span(
    cx: &Context,
    store: &dyn Logs,
    gathered: &Gathered,
    (row, span): (&Row, Span),
    partial: &mut Vec<String>,
) -> Option<Timestamp> {
    let counts = match counts_read(gathered, row, span) {
        Some(counts) => counts,
        None => {
            let like = row.like.as_ref()?;
            let search = of_service(gathered, span.whole, row.service.as_ref());
            let reply = counts_asked(cx, store, search, like, span.step).await?;
            partial.extend(reply.partial);
            reply.value.total
        }
    };
    let judged = judge(&Stream { counts: &counts, window: span.before, earlier: &[] });
    let spike = judged.anomalies.iter().find(|found| found.kind == Kind::Spike)?;
    // At the first step that a stretch may begin with it may have begun earlier as well.
    let is_seen = spike.from as f64 > span.before as f64 * LEAD_IN_KEPT + 1.0;
    let spike = Some(spike).filter(|_| is_seen)?;
    let begins =
        span.whole.start().checked_add(span.step.checked_mul(u32::try_from(spike.from).ok()?)?).ok()?;
    // The first few records may be too few to be seen in counts.
    let some = begins.checked_sub(span.step * BEFORE_SEEN).ok()?.max(span.whole.start());
    let step = TimeRange::new(some, begins.checked_add(span.step).ok()?).ok()?;
    // A step's begin is no moment of its own: not told to the millisecond.
    let second = Timestamp::from_second(begins.as_second()).unwrap_or(begins);
    Some(first_in(cx, store, gathered, (row, step)).await.unwrap_or(second))
}

/// The first record of a new pattern about the step in which it began: of one that surges that record is none of note.
async fn first_in(
    cx: &Context,
    store: &dyn Logs,
    gathered: &Gathered,
    (row, step): (&Row, TimeRange),
) -> Option<Timestamp> {
    let like = row.like.as_ref().filter(|_| row.class == Class::New)?;
    let mut search = of_service(gathered, step, row.service.as_ref());
    search.conditions.push(Condition::Like(like.clone()));
    let page = Page { limit: 1, oldest_first: true, after: None };
    store.page(cx, &search, &page).await.ok()?.value.records.first()?.at
}

/// Counts of the records that were read, where those are all of the span.
fn counts_read(gathered: &Gathered, row: &Row, span: Span) -> Option<Vec<u64>> {
    let start = span.whole.start();
    let before = gathered.before.iter().zip(&row.mined.before);
    let (looked, own) = before.into_iter().find(|(one, _)| {
        one.window.start() == start && one.window.end() == gathered.asked.window.start() && one.complete()
    })?;
    let steps = (span.whole.seconds() / span.step.as_secs_f64()).ceil() as usize;
    let mut counts = vec![0; steps];
    let now = gathered.now.complete().then_some((&gathered.now, &row.mined.now))?;
    for (looked, own) in [now, (looked, own)] {
        let moments = own.iter().filter_map(|index| looked.records().get(*index)?.at);
        for at in moments {
            let place = (at.duration_since(start).as_secs_f64() / span.step.as_secs_f64()).floor();
            if let Some(count) = counts.get_mut(place.max(0.0) as usize) {
                *count += 1;
            }
        }
    }
    Some(counts)
}

async fn counts_asked(
    cx: &Context,
    store: &dyn Logs,
    mut search: Search,
    like: &Like,
    step: Duration,
) -> Option<Reply<Histogram>> {
    search.conditions.push(Condition::Like(like.clone()));
    store.histogram(cx, &search, step, None).await.ok()
}
