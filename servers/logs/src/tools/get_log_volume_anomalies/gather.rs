//! Counting: in all and by value, now and earlier.

use std::{collections::BTreeMap, time::Duration};

use contract::{Context, Past, TimeRange, ToolError, Untrusted, duration_text, time_text};
use futures_util::future::join;
use jiff::Timestamp;
use runtime::blocking;

use super::{
    count::{Counted, Question},
    late::{Latecomer, Looked},
    when::When,
};
use crate::{
    analysis::volume::{self, Judgement, Stream, judge, judge_until, tells_usual},
    backend::Logs,
    model::{Condition, Freshness, Layout, Reply, Role, Search},
    tools::asking::{Service, awaits, begins},
};

/// How late records may arrive where none tells that, in seconds: what ships logs sends them in batches.
const UNTOLD_LAG: f64 = 60.0;
/// From so many seconds without any record on, it may be that none comes any more.
const STOPPED: f64 = 30.0;
/// Where records come from, the most telling first.
const PLACES: [Role; 3] = [Role::Pod, Role::Container, Role::Host];

/// One stream with what is said about it.
pub(super) struct Judged {
    /// The value, with its role; `None` for all records together.
    pub(super) value: Option<(Role, Untrusted)>,
    /// Lead-in and window.
    pub(super) counts: Vec<u64>,
    /// What is said about it.
    pub(super) judgement: Judgement,
}

/// Everything the answer is made of.
pub(super) struct Gathered {
    pub(super) now: Timestamp,
    pub(super) service: Option<Service>,
    pub(super) past: Past,
    pub(super) when: When,
    pub(super) freshness: Result<Reply<Freshness>, ToolError>,
    /// By service, or by level, place and version of one service. Never empty.
    pub(super) counted: Vec<Counted>,
    /// All records first, then values.
    pub(super) streams: Vec<Judged>,
    /// Streams whose records arrive late, the latest first.
    pub(super) late: Vec<Latecomer>,
    /// Since when nothing at all is logged, where much is usual.
    pub(super) stopped: Option<Stopped>,
    /// What could not be asked, and why.
    pub(super) failed: Vec<String>,
}

/// Records stopped before the end of what has arrived, perhaps within the last step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stopped {
    /// The last record.
    pub(super) last: Timestamp,
    /// How many are usual from then on.
    pub(super) expected: f64,
}

impl Gathered {
    /// The earlier windows in which something is recorded.
    pub(super) fn seasons(&self) -> Vec<&'static str> {
        let earlier = self.counted.first().map(|first| first.earlier.as_slice()).unwrap_or_default();
        let recorded = earlier.iter().filter(|(_, reply)| reply.value.total.iter().any(|count| *count > 0));
        recorded.map(|(name, _)| *name).collect()
    }

    /// Whether enough is recorded before the window to say what is usual.
    pub(super) fn knows_usual(&self) -> bool {
        let steps = self.streams.first().map_or(0, |all| all.counts.len());
        !self.seasons().is_empty() || tells_usual(self.when.first, steps.saturating_sub(self.when.first))
    }

    /// Whether what was read of the end of the window is perhaps not all.
    pub(super) fn is_partial(&self) -> bool {
        let fresh = self.freshness.as_ref().is_ok_and(|fresh| !fresh.partial.is_empty());
        fresh || self.counted.first().is_some_and(|one| !one.now.partial.is_empty())
    }

    /// Records in the window.
    pub(super) fn records(&self) -> u64 {
        self.streams.iter().take(1).flat_map(|one| one.counts.iter().skip(self.when.first)).sum()
    }
}

/// Asks the store.
///
/// # Errors
/// When not even the records of the window can be counted.
pub(super) async fn gather(
    cx: &Context,
    store: &dyn Logs,
    past: Past,
    service: Option<Service>,
) -> Result<Gathered, ToolError> {
    let asked = past.window;
    let conditions: Vec<Condition> = service.iter().map(Service::condition).collect();
    let search = |window| Search { window, text: None, conditions: conditions.clone() };
    let recent = search(asked);
    let (layout, freshness) = join(store.layout(cx), store.freshness(cx, &recent)).await;
    let layout = layout?.value;
    let when = window(cx, store, asked, freshness.as_ref().ok().map(|fresh| &fresh.value)).await?;
    let now = search(when.whole);
    let before: Vec<(&str, Search)> =
        when.earlier().into_iter().map(|(name, window)| (name, search(window))).collect();
    let mut failed = Vec::new();
    let question = Question { cx, store, step: when.step, now: &now, earlier: &before };
    let counted = by_roles(question, &roles(&layout, service.is_some()), &mut failed).await?;
    let (streams, counted) = judged(counted, when.first, None).await;
    let looked = Looked { cx, store, asked, when: &when, service: service.as_ref() };
    let late = match &freshness {
        // Nothing tells when records were stored.
        Ok(Reply { value: Freshness { newest: Some(_), lag_seconds: None, .. }, .. }) => Vec::new(),
        _ => looked.latecomers(counted.first(), &streams, &mut failed).await,
    };
    // One part that is late explains nothing of the whole.
    let of_service = late.iter().filter(|late| {
        service.as_ref().is_some_and(|service| late.of == (Role::Service, service.name.clone()))
    });
    let of_service: Vec<&Latecomer> = of_service.collect();
    let fresh = freshness.as_ref().ok().map(|fresh| &fresh.value);
    let stopped = fresh.and_then(|fresh| stopped(&when, cx.now, (fresh, &of_service), counted.first()?));
    let (streams, counted) = match stopped {
        Some(Stopped { last, .. }) => judged(counted, when.first, Some(when.step_of(last) + 1)).await,
        None => (streams, counted),
    };
    Ok(Gathered { now: cx.now, service, past, when, freshness, counted, streams, late, stopped, failed })
}

/// The steps of the asked window, as far as records are there and have arrived.
async fn window(
    cx: &Context,
    store: &dyn Logs,
    asked: TimeRange,
    fresh: Option<&Freshness>,
) -> Result<When, ToolError> {
    let untold = if store.is_live() { UNTOLD_LAG } else { 0.0 };
    // What even the newest records lack is left out; a stream that arrives later than they do is told as late.
    let lag = fresh.and_then(|fresh| fresh.newest_lag_seconds).unwrap_or(untold);
    let lag = Duration::try_from_secs_f64(lag.clamp(0.0, asked.seconds() / 2.0)).unwrap_or_default();
    let when = When::of(asked, cx.now, lag)
        .ok_or_else(|| ToolError::invalid("time_range", "has no step whose records have all arrived"))?;
    Ok(match begins(cx, store, when.whole, when.step).await? {
        Some(first) if first > asked.start() => When::of(since(asked, first)?, cx.now, lag)
            .ok_or_else(|| {
                let problem =
                    format!("holds almost nothing: nothing is recorded before {}", time_text(first));
                ToolError::invalid("time_range", &problem).remedy("ask again in some minutes")
            })?
            .recorded_since(first),
        Some(first) => when.recorded_since(first),
        None => when,
    })
}

/// Counts by each role; seasons are asked for the first one only, as the others only say what accounts for a change.
async fn by_roles(
    question: Question<'_>,
    roles: &[Role],
    failed: &mut Vec<String>,
) -> Result<Vec<Counted>, ToolError> {
    let mut counted = Vec::new();
    for (place, role) in roles.iter().enumerate() {
        let earlier = if place == 0 { question.earlier } else { &[] };
        match (Question { earlier, ..question }).by(*role, failed).await {
            Ok(one) => counted.push(one),
            Err(error) if counted.is_empty() => return Err(error),
            Err(error) => {
                failed
                    .push(format!("records by {} could not be counted: {error}", super::words::role(*role)));
            }
        }
    }
    Ok(counted)
}

/// What is said of all streams, on a thread where it may take its time.
async fn judged(counted: Vec<Counted>, window: usize, end: Option<usize>) -> (Vec<Judged>, Vec<Counted>) {
    blocking(move || (streams(&counted, window, end), counted)).await
}

/// Whether records stopped after the last one, and none of them may still come.
fn stopped(
    when: &When,
    now: Timestamp,
    (fresh, late): (&Freshness, &[&Latecomer]),
    counted: &Counted,
) -> Option<Stopped> {
    let last = fresh.newest?;
    let missing = now.duration_since(last).as_secs_f64();
    if awaits(fresh, missing) || late.iter().any(|one| one.explains(missing, when.step.as_secs_f64())) {
        return None;
    }
    let seconds = Some(when.settled.duration_since(last).as_secs_f64()).filter(|gap| *gap >= STOPPED)?;
    let counts = &counted.now.value.total;
    // What was counted after the newest record that came back is not nothing.
    if counts.iter().skip(when.step_of(last) + 1).any(|count| *count > 0) {
        return None;
    }
    let earlier = earlier(counted);
    let stream = Stream { counts, window: when.first, earlier: &earlier };
    let expected = volume::stopped(&stream, seconds / when.step.as_secs_f64())?;
    Some(Stopped { last, expected })
}

/// The part of a window from a moment in it, in whole seconds.
fn since(asked: TimeRange, first: Timestamp) -> Result<TimeRange, ToolError> {
    let second = Timestamp::from_second(first.as_second()).unwrap_or(first);
    TimeRange::new(second.max(asked.start()), asked.end())
        .map_err(|error| ToolError::invalid("time_range", &error.to_string()))
}

/// By what records are counted.
fn roles(layout: &Layout, one_service: bool) -> Vec<Role> {
    let known = |role: &Role| !layout.of(*role).is_empty();
    let place = PLACES.into_iter().find(known);
    if !one_service {
        // Where nothing tells services, by what else tells records apart.
        let first = [Some(Role::Service), place].into_iter().flatten().find(known);
        return vec![first.unwrap_or(Role::Level)];
    }
    let roles = [Some(Role::Level), place, Some(Role::Version)];
    let roles: Vec<Role> = roles.into_iter().flatten().filter(known).collect();
    if roles.is_empty() { vec![Role::Level] } else { roles }
}

/// All records, then each value of the first key, and of the others what has no season. Where nothing is recorded from a step
/// on, that is its `end`.
fn streams(counted: &[Counted], window: usize, end: Option<usize>) -> Vec<Judged> {
    let mut streams = Vec::new();
    let judged = |value, counts: &[u64], earlier: &[Vec<u64>]| Judged {
        value,
        counts: counts.to_vec(),
        judgement: match end {
            Some(end) => judge_until(&Stream { counts, window, earlier }, end),
            None => judge(&Stream { counts, window, earlier }),
        },
    };
    for (place, one) in counted.iter().enumerate() {
        if place == 0 {
            streams.push(judged(None, &one.now.value.total, &earlier(one)));
        }
        for (value, (counts, earlier)) in by_value(one) {
            streams.push(judged(Some((one.role, value)), &counts, &earlier));
        }
    }
    streams
}

/// All records in the earlier windows.
fn earlier(one: &Counted) -> Vec<Vec<u64>> {
    one.earlier.iter().map(|(_, reply)| reply.value.total.clone()).collect()
}

/// Counts of each value, now and in the earlier windows of which they are known.
fn by_value(one: &Counted) -> BTreeMap<Untrusted, (Vec<u64>, Vec<Vec<u64>>)> {
    let now = one.now.value.by.iter();
    let mut all: BTreeMap<Untrusted, (Vec<u64>, Vec<Vec<u64>>)> =
        now.map(|(value, counts)| (value.clone(), (counts.clone(), Vec::new()))).collect();
    for (value, counts) in one.earlier.iter().flat_map(|(_, reply)| &reply.value.by) {
        if let Some((_, earlier)) = all.get_mut(value) {
            earlier.push(counts.clone());
        }
    }
    all
}

/// Records per minute.
pub(super) fn per_minute(records: f64, steps: usize, step: Duration) -> f64 {
    let minutes = steps as f64 * step.as_secs_f64() / 60.0;
    if minutes > 0.0 { records / minutes } else { 0.0 }
}

/// A length of time, in words.
pub(super) fn long(length: Duration) -> String {
    duration_text(length.as_secs_f64())
}
