//! Reading the records, and those around them where a trace was logged one line a record.

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
    tools::asking::{Near, Service, Unlevelled, guessed_levels, services_like, unlevelled},
};

/// Records read.
const SAMPLE: usize = 2_000;
/// Records without a trace around which is looked.
const ANCHORS: usize = 6;
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
    /// Traces that were put together from records of one line.
    pub(super) joined: usize,
    /// Records that hold no whole trace and around which nothing was looked for: each may be a line of one.
    pub(super) unlooked: usize,
    /// What is to be said of a search by level.
    pub(super) guessed: Option<String>,
    /// Records that tell no level, where there are any and errors were asked for.
    pub(super) unlevelled: Option<Unlevelled>,
    /// Names of services near to one of which the window holds nothing.
    pub(super) near: Near,
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
    let near = match sample.value.total.number() {
        0 => near_to_unknown(cx, store, asked).await,
        _ => Near::default(),
    };
    let records = sample.value.records.clone();
    let (mut records, bare) = blocking(move || with_bare(records)).await;
    let mut failed = Vec::new();
    let mut replaced = Vec::new();
    let mut unlooked = 0;
    if bare.len() * 2 > records.len() {
        match store.layout(cx).await {
            Ok(layout) => {
                let (looked, found) = around(cx, store, &layout.value, &records, &bare).await;
                // Where nothing was put together, records without a trace are no lines of one.
                unlooked = if found.is_empty() { 0 } else { bare.len() - looked };
                for (index, text) in found {
                    if let Some(record) = records.get_mut(index) {
                        record.message = cx.intake.text(&text);
                        replaced.push(index);
                    }
                }
            }
            Err(error) => failed.push(format!("records around those found could not be read: {error}")),
        }
    }
    let found = move || {
        let application = Application::default();
        let own = replaced.iter().filter_map(|index| records.get(*index));
        let joined = own.filter(|record| !traces(record, &application).is_empty()).count();
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
        near,
        failed,
    })
}

/// Services with names near to the one that was asked for, where the window has no record of it at all. That this can't be
/// asked is no reason to fail.
async fn near_to_unknown(cx: &Context, store: &dyn Logs, asked: &Asked) -> Near {
    let Some(service) = &asked.service else { return Near::default() };
    let window = asked.past.window;
    let only = Search { window, text: None, conditions: vec![service.condition()] };
    match store.total(cx, &only).await {
        Ok(reply) if reply.value.number() == 0 => {
            services_like(cx, store, window, service.name.inside()).await.unwrap_or_default()
        }
        _ => Near::default(),
    }
}

/// The records, and which of them have no trace.
fn with_bare(records: Vec<Record>) -> (Vec<Record>, Vec<usize>) {
    let application = Application::default();
    let all = records.iter().enumerate();
    let bare = all.filter(|(_, record)| traces(record, &application).is_empty()).map(|(index, _)| index);
    let bare = bare.collect();
    (records, bare)
}

/// Around how many records was looked, and the whole texts of traces of which they are a line, by the place of that record.
async fn around(
    cx: &Context,
    store: &dyn Logs,
    layout: &Layout,
    records: &[Record],
    bare: &[usize],
) -> (usize, Vec<(usize, String)>) {
    let place =
        [Role::Pod, Role::Container, Role::Host].into_iter().find(|role| !layout.of(*role).is_empty());
    // Evenly spread: the first ones are often lines of the same trace, and of one service.
    let spread = bare.iter().step_by(bare.len().div_ceil(ANCHORS).max(1));
    let near = spread.filter_map(|index| {
        let record = records.get(*index)?;
        let window = near(record.at?)?;
        let place = place
            .zip(record.place.as_ref())
            .map(|(role, place)| Condition::Is(role, place.inside().to_owned()));
        let service =
            record.service.iter().map(|name| Condition::Is(Role::Service, name.inside().to_owned()));
        Some((*index, Search { window, text: None, conditions: place.into_iter().chain(service).collect() }))
    });
    let near: Vec<(usize, Search)> = near.take(ANCHORS).collect();
    let looked = near.len();
    let page = Page { limit: NEIGHBOURS, oldest_first: true, after: None };
    let read = join_all(near.iter().map(|(_, search)| store.page(cx, search, &page))).await;
    let found = near.into_iter().zip(read).filter_map(|((index, _), reply)| {
        Some((index, records.get(index)?.clone(), reply.ok()?.value.records))
    });
    let found: Vec<(usize, Record, Vec<Record>)> = found.collect();
    let told = move |(index, own, neighbours): (usize, Record, Vec<Record>)| {
        Some((index, whole(&neighbours, &own)?))
    };
    (looked, blocking(move || found.into_iter().filter_map(told).collect()).await)
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
