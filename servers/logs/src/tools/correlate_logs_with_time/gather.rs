//! Reading the records around the moment, those of the time before, and those that share an id.

use std::{sync::Arc, time::Duration};

use contract::{Context, TimeRange, ToolError, Untrusted};
use futures_util::future::join;
use jiff::{SignedDuration, Timestamp};

use super::{
    Request,
    judge::{self, NewVersion, Row},
};
use crate::{
    analysis::anchor::{Anchor, anchor},
    backend::{Logs, Sources},
    model::{Condition, Level, Like, Page, Record, Reply, Role, Sample, Search},
    tools::{
        asking::{Absence, Service, recorded},
        recount::{Wanted, finds_only_its_own, tallies},
        rest::{Rest, with_rest},
    },
};

/// Records read around the moment, and of the time before.
const AROUND: usize = 4_000;
const BEFORE: usize = 4_000;
/// The time before is at least as long, so that what happens every quarter of an hour is not new.
const LEAST_BEFORE: Duration = Duration::from_secs(3_600);
/// From this share on the time before counts as recorded.
const RECORDED: f64 = 0.98;
/// Patterns that are counted in full. What is seldom looks new by a sample of the time before, so they are many.
pub(super) const VERIFIED: usize = 60;
/// Versions that are told.
const VERSIONS: usize = 3;
/// Errors on each side of the moment among which one with an id is looked for.
const NEAR: usize = 10;
/// Records of a sequence.
const SEQUENCE: usize = 30;

/// What was asked for.
pub(super) struct Asked {
    pub(super) at: Timestamp,
    pub(super) minutes: u32,
    pub(super) around: TimeRange,
    pub(super) before: TimeRange,
    /// When that was to begin, where nothing is recorded for a notable time from then on.
    pub(super) cut: Option<Timestamp>,
    pub(super) service: Option<Service>,
}

impl Asked {
    pub(super) fn of(
        cx: &Context,
        sources: &Sources,
        at: Timestamp,
        minutes: u32,
        request: &Request,
    ) -> Result<Asked, ToolError> {
        let outside = || ToolError::invalid("timestamp", "lies outside the calendar");
        let delta = SignedDuration::from_mins(i64::from(minutes));
        let start = at.checked_sub(delta).map_err(|_| outside())?;
        let end = at.checked_add(delta).map_err(|_| outside())?.min(cx.now);
        let around = TimeRange::new(start, end).map_err(|_| outside())?;
        let length = LEAST_BEFORE.max(Duration::from_secs(u64::from(minutes) * 240));
        let begin = start.checked_sub(length).map_err(|_| outside())?;
        let before = TimeRange::new(begin, start).map_err(|_| outside())?;
        let service = Service::of(cx, sources, request.service.as_deref());
        Ok(Asked { at, minutes, around, before, cut: None, service })
    }

    /// The time before as far as anything is recorded in it; as it was where nothing is.
    ///
    /// # Errors
    /// When that can't be asked.
    pub(super) async fn where_recorded(self, cx: &Context, store: &dyn Logs) -> Result<Asked, ToolError> {
        let known = recorded(cx, store, self.before).await?;
        Ok(match known.filter(|known| known.seconds() < RECORDED * self.before.seconds()) {
            Some(before) => Asked { cut: Some(self.before.start()), before, ..self },
            None => self,
        })
    }

    pub(super) fn search(&self, window: TimeRange) -> Search {
        let conditions = self.service.iter().map(Service::condition).collect();
        Search { window, text: None, conditions }
    }

    /// Of one of the services that were found.
    fn search_of(&self, window: TimeRange, service: Option<&Untrusted>) -> Search {
        let mut search = self.search(window);
        let is_one = self.service.as_ref().is_some_and(|asked| !asked.is_several());
        if let (Some(service), false) = (service, is_one) {
            search.conditions.push(Condition::Is(Role::Service, service.inside().to_owned()));
        }
        search
    }
}

/// The records that share an id with the one nearest to the moment.
pub(super) struct Sequence {
    pub(super) anchor: Anchor,
    pub(super) reply: Reply<Sample>,
}

/// Everything the answer is made of.
pub(super) struct Gathered {
    pub(super) asked: Asked,
    pub(super) around: Reply<Sample>,
    pub(super) before: Reply<Sample>,
    /// How those around the moment were read that no frequent pattern finds.
    pub(super) rest: Rest,
    pub(super) sequence: Option<Sequence>,
    /// When the service logs, where neither window has a record of it.
    pub(super) absence: Option<Absence>,
    /// What could not be asked, and why.
    pub(super) failed: Vec<String>,
}

impl Gathered {
    /// Whether every record of both windows was read.
    pub(super) fn complete(&self) -> bool {
        [&self.around, &self.before].iter().all(|reply| reply.value.is_whole())
    }
}

/// Asks the store.
///
/// # Errors
/// When one of the two windows can't be read: nothing could be called new then.
pub(super) async fn gather(
    cx: &Context,
    shared: &Arc<dyn Logs>,
    asked: Asked,
) -> Result<Gathered, ToolError> {
    let store = shared.as_ref();
    let (around, before) = (asked.search(asked.around), asked.search(asked.before));
    let (around, before) = join(store.sample(cx, &around, AROUND), store.sample(cx, &before, BEFORE)).await;
    let (around, before) = (around?, before?);
    let (around, rest) = with_rest(cx, shared, &asked.search(asked.around), around, AROUND).await;
    let mut failed = Vec::new();
    let mut sequence = None;
    let anchor = nearest_error(cx, store, &asked).await;
    if let Some(anchor) = anchor.or_else(|| nearest(&around.value.records, asked.at)) {
        match follow(cx, store, &asked, &anchor).await {
            Ok(reply) => sequence = Some(Sequence { anchor, reply }),
            Err(error) => failed.push(format!("the records with the same id could not be read: {error}")),
        }
    }
    let whole = TimeRange::new(asked.before.start(), asked.around.end()).ok();
    let absence = match (&asked.service, around.value.total.number() + before.value.total.number()) {
        (Some(service), 0) => Some(Absence::of(cx, store, whole.unwrap_or(asked.around), service).await),
        _ => None,
    };
    Ok(Gathered { asked, around, before, rest, sequence, absence, failed })
}

/// Counts the most telling patterns in every record of both windows, where the samples are not everything: what was not
/// among the records that were read is not new for that, and the first one that was read is not the first one. The rest is
/// judged by how many were read.
pub(super) async fn verify(cx: &Context, store: &dyn Logs, gathered: &mut Gathered, rows: &mut Vec<Row>) {
    let wanted = rows.iter().enumerate().filter(|_| !gathered.complete()).take(VERIFIED);
    let wanted = wanted.filter_map(|(place, row)| {
        Some(Wanted { place, service: row.service.clone(), like: row.like.clone()? })
    });
    let wanted: Vec<Wanted> = wanted.collect();
    let searches = |service: Option<&Untrusted>| {
        let windows = [gathered.asked.around, gathered.asked.before];
        windows.map(|window| gathered.asked.search_of(window, service)).to_vec()
    };
    let counted = tallies(cx, store, wanted, searches).await;
    gathered.failed.extend(counted.failed);
    let more = rows.len().saturating_sub(VERIFIED);
    if more > 0 && !gathered.complete() {
        gathered.failed.push(format!(
            "{more} more patterns looked new by the records read and were not counted in full: told is what is certain all the same"
        ));
    }
    for (place, counts) in counted.tallies {
        if let Some(row) = rows.get_mut(place) {
            row.counted(&counts);
        }
    }
    judge::settle(rows, gathered);
}

/// Whether the filter finds every record of its pattern that was read, and none of another one.
pub(super) fn is_trusted(store: &dyn Logs, gathered: &Gathered, row: &Row, like: &Like) -> bool {
    let own = [(&gathered.around, &row.own), (&gathered.before, &row.earlier)];
    let windows = own.map(|(reply, own)| (reply.value.records.as_slice(), own.as_slice()));
    finds_only_its_own(store, (row.service.as_ref(), like), windows.into_iter())
}

/// When each new version logged first, of all records; a version that the time before has too is none.
pub(super) async fn versions(
    cx: &Context,
    store: &dyn Logs,
    gathered: &Gathered,
    mut found: Vec<NewVersion>,
) -> Vec<NewVersion> {
    found.truncate(VERSIONS);
    if gathered.complete() {
        return found;
    }
    let search = |one: &NewVersion, window| Search {
        window,
        text: None,
        conditions: vec![
            Condition::Is(Role::Service, one.service.inside().to_owned()),
            Condition::Is(Role::Version, one.version.inside().to_owned()),
        ],
    };
    let mut told = Vec::new();
    for one in found {
        let (around, before) = (search(&one, gathered.asked.around), search(&one, gathered.asked.before));
        let page = Page { limit: 1, oldest_first: true, after: None };
        let (first, earlier) = join(store.page(cx, &around, &page), store.total(cx, &before)).await;
        let (Ok(first), Ok(earlier)) = (first, earlier) else { continue };
        let at = first.value.records.first().and_then(|record| record.at);
        if let (Some(first), 0) = (at, earlier.value.number()) {
            told.push(NewVersion { first, ..one });
        }
    }
    told
}

/// The error nearest to the moment, of all records, that has an id; `None` where the store can't say.
async fn nearest_error(cx: &Context, store: &dyn Logs, asked: &Asked) -> Option<Anchor> {
    let split = asked.at.checked_add(SignedDuration::from_millis(1)).ok()?;
    let bad = |window: TimeRange| {
        let mut search = asked.search(window);
        search.conditions.push(Condition::AtLeast(Level::Error));
        search
    };
    let before = bad(TimeRange::new(asked.around.start(), split).ok()?);
    let newest = Page { limit: NEAR, oldest_first: false, after: None };
    let mut records = store.page(cx, &before, &newest).await.ok()?.value.records;
    if let Ok(after) = TimeRange::new(split, asked.around.end()) {
        let oldest = Page { limit: NEAR, oldest_first: true, after: None };
        records.extend(store.page(cx, &bad(after), &oldest).await.ok()?.value.records);
    }
    nearest(&records, asked.at)
}

/// The id of the error nearest to the moment; of a warning where there is no error.
fn nearest(records: &[Record], at: Timestamp) -> Option<Anchor> {
    let bad = |floor: Level| {
        let those = records.iter().filter(move |record| record.level.is_some_and(|level| level >= floor));
        let tied = those.filter_map(|record| Some((record.at?, anchor(record)?)));
        tied.min_by_key(|(when, _)| when.duration_since(at).abs()).map(|(_, anchor)| anchor)
    };
    bad(Level::Error).or_else(|| bad(Level::Warn))
}

/// The records of all services with this id, in order of time.
async fn follow(
    cx: &Context,
    store: &dyn Logs,
    asked: &Asked,
    anchor: &Anchor,
) -> Result<Reply<Sample>, ToolError> {
    let id = anchor.id.inside().to_owned();
    let condition = match &anchor.field {
        None => Condition::Is(Role::Trace, id),
        Some(field) => Condition::Field(field.clone(), id),
    };
    let search = Search { window: asked.around, text: None, conditions: vec![condition] };
    let page = Page { limit: SEQUENCE, oldest_first: true, after: None };
    store.page(cx, &search, &page).await
}
