//! Reading the records, and those around them where a trace was logged one line a record.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Context, Past, TimeRange, TimeSpec, ToolError, Untrusted};
use futures_util::future::{join, join_all};
use jiff::{SignedDuration, Timestamp};
use runtime::blocking;
use stacktrace::Application;

use super::{LONGEST, Request, USUAL};
use crate::{
    analysis::thrown::{Thrown, thrown, traces},
    backend::{Logs, Sources},
    model::{Condition, Layout, Level, Page, Record, Reply, Role, Sample, Search},
    tools::asking::{Absence, Service, Unlevelled, guessed_levels, unlevelled},
};

/// Records read.
const SAMPLE: usize = 2_000;
/// Records without a trace around which is looked.
const ANCHORS: usize = 12;
/// Records read around each.
const NEIGHBOURS: usize = 200;
/// How long before and after a record the rest of its trace can be, in seconds.
const BEFORE: i64 = 1;
const AFTER: i64 = 2;

/// What was asked for.
pub(super) struct Asked {
    /// As the caller wrote it.
    pub(super) query: String,
    pub(super) past: Past,
    pub(super) service: Option<Service>,
    pub(super) search: Search,
}

impl Asked {
    pub(super) fn of(cx: &Context, sources: &Sources, request: &Request) -> Result<Asked, ToolError> {
        let spec = request.time_range.as_ref().unwrap_or(&TimeSpec::Last(USUAL));
        let past = cx.past("time_range", spec, LONGEST)?;
        let service = Service::of(cx, sources, request.service.as_deref());
        let query = request.error_query.trim();
        let text = (query != "*").then(|| query.to_owned());
        // Everything is too much: then it is errors.
        let errors = text.is_none().then_some(Condition::AtLeast(Level::Error));
        let of_service = service.iter().map(Service::condition);
        let conditions = of_service.chain(errors).collect();
        let search = Search { window: past.window, text, conditions };
        Ok(Asked { query: query.to_owned(), past, service, search })
    }
}

/// Everything the answer is made of.
pub(super) struct Gathered<'a> {
    pub(super) asked: &'a Asked,
    pub(super) sample: Reply<Sample>,
    /// Records read, with traces put together from several in place of their first line.
    pub(super) records: Vec<Record>,
    pub(super) thrown: Vec<Thrown>,
    /// Records without a trace.
    pub(super) without: usize,
    /// Records of which the text is now a trace that was put together from records of one line.
    pub(super) joined: BTreeSet<usize>,
    /// Records that hold no whole trace and around which nothing was looked for: each may be a line of one.
    pub(super) unlooked: usize,
    /// What is to be said of a search by level.
    pub(super) guessed: Option<String>,
    /// Records that tell no level, where there are any and errors were asked for.
    pub(super) unlevelled: Option<Unlevelled>,
    /// Whether the window has no record at all, where no service was asked for.
    pub(super) is_empty: bool,
    /// When the service logs, where the window has no record of it.
    pub(super) absence: Option<Absence>,
    /// What could not be asked, and why.
    pub(super) failed: Vec<String>,
}

impl Gathered<'_> {
    /// Whether every record was read.
    pub(super) fn complete(&self) -> bool {
        self.sample.value.is_whole()
    }
}

/// Asks the store.
///
/// # Errors
/// When the records can't be read.
pub(super) async fn gather<'a>(
    cx: &Context,
    store: &dyn Logs,
    asked: &'a Asked,
) -> Result<Gathered<'a>, ToolError> {
    let levels = join(guessed_levels(cx, store, &asked.search), unlevelled(cx, store, &asked.search));
    let (sample, (guessed, unlevelled)) = join(store.sample(cx, &asked.search, SAMPLE), levels).await;
    let sample = sample.map_err(|error| error.renamed("query", "error_query"))?;
    let (absence, is_empty) = match (sample.value.total.number(), &asked.service) {
        (0, Some(service)) => (absence(cx, store, asked.past.window, service).await, false),
        (0, None) => (None, is_empty(cx, store, asked.past.window).await),
        _ => (None, false),
    };
    let records = sample.value.records.clone();
    let (mut records, lonely) = blocking(move || with_lonely(records)).await;
    let mut failed = Vec::new();
    let (mut replaced, mut unlooked) = (Vec::new(), 0);
    if !lonely.is_empty() {
        let around = around(cx, store, &records, &lonely).await;
        // Where nothing was put together, records without a trace are no lines of one.
        let is_none = around.found.is_empty() && around.failed.is_none();
        unlooked = if is_none { 0 } else { lonely.len() - around.looked };
        failed.extend(around.failed);
        for (index, text) in around.found {
            if let Some(record) = records.get_mut(index) {
                record.message = cx.intake.text(&text);
                replaced.push(index);
            }
        }
    }
    let found = move || {
        let application = Application::default();
        let holds =
            |index: &usize| records.get(*index).is_some_and(|one| !traces(one, &application).is_empty());
        let joined: BTreeSet<usize> = replaced.into_iter().filter(holds).collect();
        let (thrown, without) = thrown(&records, &application);
        (records, thrown, without, joined)
    };
    let (records, thrown, without, joined) = blocking(found).await;
    Ok(Gathered {
        asked,
        sample,
        records,
        thrown,
        without,
        joined,
        unlooked,
        guessed,
        unlevelled,
        is_empty,
        absence,
        failed,
    })
}

/// Whether a window has no record at all; what can't be asked is not known to be empty.
async fn is_empty(cx: &Context, store: &dyn Logs, window: TimeRange) -> bool {
    let all = Search { window, text: None, conditions: Vec::new() };
    let total = store.total(cx, &all).await;
    total.is_ok_and(|reply| reply.partial.is_empty() && reply.value.number() == 0)
}

/// When the service logs, where the window has no record of it at all. That this can't be asked is no reason to fail.
async fn absence(cx: &Context, store: &dyn Logs, window: TimeRange, service: &Service) -> Option<Absence> {
    let only = Search { window, text: None, conditions: vec![service.condition()] };
    match store.total(cx, &only).await {
        Ok(reply) if reply.value.number() == 0 => Some(Absence::of(cx, store, window, service).await),
        _ => None,
    }
}

/// The records, and those that may be one line of a trace: without one, of a service of which more than half are so. The
/// services take turns, and each of them from its beginning to its end, so that the first ones are spread over both.
fn with_lonely(records: Vec<Record>) -> (Vec<Record>, Vec<usize>) {
    let application = Application::default();
    let mut services: BTreeMap<Option<Untrusted>, (usize, Vec<usize>)> = BTreeMap::new();
    for (index, record) in records.iter().enumerate() {
        let (all, bare) = services.entry(record.service.clone()).or_default();
        *all += 1;
        if traces(record, &application).is_empty() {
            bare.push(index);
        }
    }
    let lonely = services.into_values().filter(|(all, bare)| bare.len() * 2 > *all).map(|(_, bare)| bare);
    let lonely: Vec<Vec<usize>> = lonely.collect();
    let each = ANCHORS.div_ceil(lonely.len().max(1));
    (records, taking_turns(lonely.into_iter().map(|bare| spread(bare, each)).collect()))
}

/// `most` of these from the beginning to the end, then the others.
fn spread(all: Vec<usize>, most: usize) -> Vec<usize> {
    let chosen: BTreeSet<usize> = (0..most).map(|turn| turn * all.len() / most).collect();
    let (mut first, mut others): (Vec<_>, Vec<_>) =
        all.into_iter().enumerate().partition(|(place, _)| chosen.contains(place));
    first.append(&mut others);
    first.into_iter().map(|(_, index)| index).collect()
}

/// The first of each, then the second of each, and so on.
fn taking_turns(lists: Vec<Vec<usize>>) -> Vec<usize> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    (0..longest).flat_map(|turn| lists.iter().filter_map(move |list| list.get(turn).copied())).collect()
}

/// What was found around records.
struct Around {
    /// Around how many could be looked.
    looked: usize,
    /// The whole texts of traces of which they are a line, by the place of that record.
    found: Vec<(usize, String)>,
    failed: Option<String>,
}

/// Looks around the first of these records.
async fn around(cx: &Context, store: &dyn Logs, records: &[Record], lonely: &[usize]) -> Around {
    let unread = |error| Some(format!("records around those found could not be read: {error}"));
    let layout = match store.layout(cx).await {
        Ok(reply) => reply.value,
        Err(error) => return Around { looked: 0, found: Vec::new(), failed: unread(error) },
    };
    let near = searches(&layout, records, lonely);
    let page = Page { limit: NEIGHBOURS, oldest_first: true, after: None };
    let read = join_all(near.iter().map(|(_, search)| store.page(cx, search, &page))).await;
    let (mut found, mut failed) = (Vec::new(), None);
    for ((index, _), reply) in near.into_iter().zip(read) {
        match (records.get(index), reply) {
            (Some(own), Ok(reply)) => found.push((index, own.clone(), reply.value.records)),
            (_, Err(error)) => failed = unread(error),
            (None, _) => {}
        }
    }
    let looked = found.len();
    let told = move |(index, own, neighbours): (usize, Record, Vec<Record>)| {
        Some((index, whole(&neighbours, &own)?))
    };
    let found = blocking(move || found.into_iter().filter_map(told).collect()).await;
    Around { looked, found, failed }
}

/// For what is looked around the first of these records: the same service and place at about the same time.
fn searches(layout: &Layout, records: &[Record], lonely: &[usize]) -> Vec<(usize, Search)> {
    let place =
        [Role::Pod, Role::Container, Role::Host].into_iter().find(|role| !layout.of(*role).is_empty());
    let near = lonely.iter().filter_map(|index| {
        let record = records.get(*index)?;
        let window = near(record.at?)?;
        let place = place
            .zip(record.place.as_ref())
            .map(|(role, place)| Condition::Is(role, place.inside().to_owned()));
        let service =
            record.service.iter().map(|name| Condition::Is(Role::Service, name.inside().to_owned()));
        Some((*index, Search { window, text: None, conditions: place.into_iter().chain(service).collect() }))
    });
    near.take(ANCHORS).collect()
}

fn near(at: Timestamp) -> Option<TimeRange> {
    let start = at.checked_sub(SignedDuration::from_secs(BEFORE)).ok()?;
    let end = at.checked_add(SignedDuration::from_secs(AFTER)).ok()?;
    TimeRange::new(start, end).ok()
}

/// The text that holds the line of `own` once lines of one trace are put together, if they are several.
fn whole(neighbours: &[Record], own: &Record) -> Option<String> {
    let inside =
        |text: &Option<Untrusted>| text.as_ref().map_or(String::new(), |text| text.inside().to_owned());
    let name = |record: &Record| format!("{} {}", inside(&record.service), inside(&record.place));
    let streams: Vec<String> = neighbours.iter().map(name).collect();
    let lines: Vec<stacktrace::Record<'_>> = neighbours
        .iter()
        .zip(&streams)
        .map(|(record, stream)| stacktrace::Record {
            stream,
            order: record.at.map_or(0, Timestamp::as_microsecond),
            text: record.message.inside(),
        })
        .collect();
    let joined = stacktrace::rejoin(&lines);
    let holds = |indices: &[usize]| {
        indices.iter().any(|index| {
            neighbours.get(*index).is_some_and(|one| one.message == own.message && one.at == own.at)
        })
    };
    let mut found = joined.iter().skip_while(|one| !holds(&one.records));
    let first = found.next()?;
    if first.records.len() > 1 {
        return Some(first.text.clone());
    }
    // A line that announces the trace in the record after it.
    let next = found.next().filter(|next| next.records.len() > 1)?;
    Some(format!("{}\n{}", first.text, next.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_take_turns_and_each_is_looked_at_from_its_beginning_to_its_end() {
        assert_eq!(spread((0..9).collect(), 3), [0, 3, 6, 1, 2, 4, 5, 7, 8]);
        assert_eq!(spread(vec![4, 7], 3), [4, 7]);
        assert_eq!(taking_turns(vec![vec![1, 2, 3], vec![], vec![7, 8]]), [1, 7, 2, 8, 3]);
    }
}
