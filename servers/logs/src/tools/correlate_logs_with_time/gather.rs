//! Reading the records around the moment, those of the time before, and those that share an id.

use std::{collections::BTreeSet, time::Duration};

use contract::{Context, TimeRange, ToolError, Untrusted};
use futures_util::future::join;
use jiff::{SignedDuration, Timestamp};

use super::{Request, judge::Row};
use crate::{
    analysis::{
        anchor::{Anchor, anchor},
        difference::Class,
    },
    backend::Logs,
    model::{Condition, Level, Like, Page, Record, Reply, Role, Sample, Search, Total},
};

/// Records read around the moment, and of the time before.
const AROUND: usize = 4_000;
const BEFORE: usize = 4_000;
/// The time before is at least as long, so that what happens every quarter of an hour is not new.
const LEAST_BEFORE: Duration = Duration::from_secs(3_600);
/// Patterns that are looked for in all of the time before.
const VERIFIED: usize = 20;
/// Letters of a pattern with which it can be looked for.
const TELLING: usize = 16;
/// Records of a sequence.
const SEQUENCE: usize = 30;

/// What was asked for.
pub(super) struct Asked {
    pub(super) at: Timestamp,
    pub(super) around: TimeRange,
    pub(super) before: TimeRange,
    pub(super) service: Option<Untrusted>,
}

impl Asked {
    pub(super) fn of(
        cx: &Context,
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
        let service = request.service.as_deref().map(|name| cx.intake.text(name.trim()));
        Ok(Asked { at, around, before, service })
    }

    pub(super) fn search(&self, window: TimeRange) -> Search {
        let service = self.service.iter().map(|name| Condition::Is(Role::Service, name.inside().to_owned()));
        Search { window, text: None, conditions: service.collect() }
    }
}

/// The records that share an id with the one nearest to the moment.
pub(super) struct Sequence {
    pub(super) anchor: Anchor,
    pub(super) reply: Reply<Sample>,
}

/// Everything the answer is made of.
pub(super) struct Gathered<'a> {
    pub(super) asked: &'a Asked,
    pub(super) around: Reply<Sample>,
    pub(super) before: Reply<Sample>,
    pub(super) sequence: Option<Sequence>,
    /// What could not be asked, and why.
    pub(super) failed: Vec<String>,
}

impl Gathered<'_> {
    /// Whether every record of both windows was read.
    pub(super) fn complete(&self) -> bool {
        [&self.around, &self.before].iter().all(|reply| {
            matches!(reply.value.total, Total::Exactly(total) if total <= reply.value.records.len() as u64)
        })
    }
}

/// Asks the store.
///
/// # Errors
/// When one of the two windows can't be read: nothing could be called new then.
pub(super) async fn gather<'a>(
    cx: &Context,
    store: &dyn Logs,
    asked: &'a Asked,
) -> Result<Gathered<'a>, ToolError> {
    let (around, before) = (asked.search(asked.around), asked.search(asked.before));
    let (around, before) = join(store.sample(cx, &around, AROUND), store.sample(cx, &before, BEFORE)).await;
    let (around, before) = (around?, before?);
    let mut failed = Vec::new();
    let mut sequence = None;
    if let Some(anchor) = nearest(&around.value.records, asked.at) {
        match follow(cx, store, asked, &anchor).await {
            Ok(reply) => sequence = Some(Sequence { anchor, reply }),
            Err(error) => failed.push(format!("the records with the same id could not be read: {error}")),
        }
    }
    Ok(Gathered { asked, around, before, sequence, failed })
}

/// Looks for the most telling patterns in every record of the time before: what was not among those that were read is not
/// new for that. Patterns that were there too are left out; those that could not be looked for stay.
pub(super) async fn verify(cx: &Context, store: &dyn Logs, gathered: &Gathered<'_>, rows: &mut Vec<Row>) {
    if gathered.complete() {
        return;
    }
    let heads = rows.iter().enumerate().filter(|(_, row)| row.class == Class::New).take(VERIFIED);
    // A word or two would be found in records of many patterns.
    let telling = |like: &Like| like.fragments.iter().map(String::len).sum::<usize>() >= TELLING;
    let heads = heads.filter_map(|(place, row)| Some((place, row.like.clone().filter(telling)?)));
    let heads: Vec<(usize, Like)> = heads.collect();
    if heads.is_empty() {
        return;
    }
    let likes: Vec<Like> = heads.iter().map(|(_, like)| like.clone()).collect();
    let before = gathered.asked.search(gathered.asked.before);
    let Ok(counted) = store.tallies(cx, &before, &likes).await else { return };
    let known = heads.iter().zip(&counted.value).filter(|(_, tally)| tally.count > 0);
    let known: BTreeSet<usize> = known.map(|((place, _), _)| *place).collect();
    let mut place = 0;
    rows.retain(|row| {
        let kept = !known.contains(&place) || row.lifecycle.is_some();
        place += 1;
        kept
    });
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
