//! What the tools share: how many rows ([`limit`]), conditions from arguments ([`level`]), the service an
//! argument means ([`Service`]), evidence and caveats of a reply ([`Told`]), the key of a `group_by` ([`key`]).

mod absent;
mod awaited;
mod near;
mod stops;

use std::{collections::BTreeSet, time::Duration};

use contract::{Answer, Cite, Context, Draft, Evidence, Table, TimeRange, ToolError, Untrusted, counted};
use jiff::Timestamp;

use crate::{
    backend::{Logs, Sources},
    model::{Condition, Group, Key, Level, Page, Reply, Role, Search, Top, Total},
};

pub(crate) use absent::{Absence, Absent};
pub(crate) use awaited::{Awaited, awaits};
pub(crate) use stops::stops;

/// How many rows a `limit` argument means, `usual` without one.
///
/// # Errors
/// When it is not between 1 and `most`.
pub(crate) fn limit(limit: Option<u32>, usual: usize, most: u32) -> Result<usize, ToolError> {
    match limit {
        None => Ok(usual),
        Some(rows) if (1..=most).contains(&rows) => Ok(usize::try_from(rows).unwrap_or(usual)),
        Some(rows) => Err(ToolError::invalid("limit", &format!("{rows} is not between 1 and {most}"))
            .remedy(format!("leave it out for {usual}, or narrow what is asked for"))),
    }
}

/// How to see rows that were left out: a larger `limit`, unless it is the largest; room for more, unless it was given; or
/// less to show.
pub(crate) fn see_more(limit: usize, most: u32, full: bool, narrower: &str) -> String {
    let larger =
        if limit < most as usize { format!("a larger limit, up to {most}, ") } else { String::new() };
    let longer = if full { "" } else { "detail=full, " };
    match (larger + longer).as_str() {
        "" => narrower.to_owned(),
        ways => format!("{ways}or {narrower}"),
    }
}

/// The part of a window from which on anything at all is recorded; `None` when nothing is. Nobody knows what was usual before
/// a store's first record.
pub(crate) async fn recorded(
    cx: &Context,
    store: &dyn Logs,
    window: TimeRange,
) -> Result<Option<TimeRange>, ToolError> {
    let all = Search { window, text: None, conditions: Vec::new() };
    let page = Page { limit: 1, oldest_first: true, after: None };
    let first = store.page(cx, &all, &page).await?.value.records.first().and_then(|record| record.at);
    Ok(first.and_then(|first| TimeRange::new(first.max(window.start()), window.end()).ok()))
}

/// How far back a store is asked whether it holds older records.
pub(crate) const OLDER: Duration = Duration::from_secs(30 * 86_400);

/// When records begin within a window, where for at least `step` of it, and for weeks before, nothing at all is recorded:
/// such time is no silence. `None` where there are older records, or none.
pub(crate) async fn begins(
    cx: &Context,
    store: &dyn Logs,
    window: TimeRange,
    step: Duration,
) -> Result<Option<Timestamp>, ToolError> {
    let Some(known) = recorded(cx, store, window).await? else { return Ok(None) };
    let first = known.start();
    if first.duration_since(window.start()).as_secs_f64() < step.as_secs_f64() {
        return Ok(None);
    }
    let before =
        window.start().checked_sub(OLDER).ok().and_then(|older| TimeRange::new(older, window.start()).ok());
    let older = match before {
        Some(before) => recorded(cx, store, before).await?,
        None => None,
    };
    Ok(older.is_none().then_some(first))
}

/// The condition that a `level` argument means: as bad as this, or worse.
///
/// # Errors
/// When it is no level.
pub(crate) fn level(text: &str) -> Result<Condition, ToolError> {
    Level::parse(text).map(Condition::AtLeast).ok_or_else(|| {
        let known: Vec<&str> = Level::ALL.iter().map(|level| level.name()).collect();
        ToolError::invalid("level", "is no level")
            .remedy(format!("one of {}; records of it and of worse ones are found", known.join(", ")))
    })
}

/// What a reader must know of a search by level: how many of its records tell none, in a store that looks for words then.
/// Nothing where all tell one, or where levels are not searched for.
pub(crate) async fn guessed_levels(cx: &Context, store: &dyn Logs, search: &Search) -> Option<String> {
    let by_level = search.conditions.iter().any(|one| matches!(one, Condition::AtLeast(_)));
    if !by_level || !store.guesses_levels() {
        return None;
    }
    let mut untold = search.clone();
    untold.conditions.push(Condition::Untold);
    let how = "found by a word such as `error` anywhere in their message, so some may be of no such level";
    match store.total(cx, &untold).await {
        Ok(reply) if reply.value.number() == 0 => None,
        Ok(reply) => {
            Some(format!("{} of the records have no level field: they are {how}", reply.value.told()))
        }
        Err(_) => Some(format!("records without a level field are {how}")),
    }
}

/// Records that tell no level, in a field or in their own words: a search by level never judges them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unlevelled {
    /// How many tell none; at least one.
    pub(crate) count: u64,
    /// Of how many that match without a level being asked for.
    pub(crate) of: u64,
}

impl Unlevelled {
    /// As answers write it; `whose` is empty or such as ` of payment`.
    pub(crate) fn told(self, whose: &str) -> String {
        let Unlevelled { count, of } = self;
        let have = if count == 1 { "has" } else { "have" };
        format!("{count} of {}{whose} {have} no known level: not judged", counted(of, "record", "records"))
    }

    /// The same of a search, which does not find them whatever the level.
    pub(crate) fn not_searched(self) -> String {
        let Unlevelled { count, of } = self;
        format!(
            "{count} of the {} that match but for the level tell none in a field or word that can be searched: they are not among these",
            counted(of, "record", "records")
        )
    }

    /// Whether none of the records could be found by a level.
    pub(crate) fn is_all(self) -> bool {
        self.count == self.of
    }
}

/// How many records tell no level, of those that match but for their level. `None` where all tell one, where that can't be
/// counted to the end, or where levels are not searched for.
pub(crate) async fn unlevelled(cx: &Context, store: &dyn Logs, search: &Search) -> Option<Unlevelled> {
    let mut all = search.clone();
    all.conditions.retain(|one| !matches!(one, Condition::AtLeast(_)));
    if all.conditions.len() == search.conditions.len() {
        return None;
    }
    let mut levelled = all.clone();
    levelled.conditions.extend(Level::ALL.first().map(|least| Condition::AtLeast(*least)));
    // One after the other: what arrives between the two never looks like a record without a level.
    let of = exactly(store.total(cx, &all).await)?;
    let levelled = exactly(store.total(cx, &levelled).await)?;
    let count = of.saturating_sub(levelled);
    (count > 0).then_some(Unlevelled { count, of })
}

/// A count of everything that was searched, whatever else is to be said of it.
fn exactly(reply: Result<Reply<Total>, ToolError>) -> Option<u64> {
    match reply {
        Ok(Reply { value: Total::Exactly(number), .. }) => Some(number),
        _ => None,
    }
}

/// Values of the records that were read; of a sample nobody knows how many more there are.
pub(crate) fn of_read(values: &[(Untrusted, u64)], complete: bool) -> Top {
    let values: Vec<Group> =
        values.iter().map(|(value, count)| Group { value: value.clone(), count: *count }).collect();
    let distinct = complete.then_some(values.len() as u64);
    Top { values, distinct, ..Top::default() }
}

/// How many values there are beside those that a table lists.
pub(crate) fn count_values(table: &mut Table, top: &Top) {
    let (seen, more) = top.seen();
    table.seen(seen);
    if more {
        table.more();
    }
}

/// One value, or how many and the most frequent.
pub(crate) fn told_of(top: &Top, plural: &str) -> String {
    let listed: u64 = top.values.iter().map(|group| group.count).sum();
    let about = if top.estimated { "≈" } else { "" };
    let number = top
        .distinct
        .map_or_else(|| format!("at least {}", top.values.len()), |number| format!("{about}{number}"));
    match top.values.as_slice() {
        [] => String::new(),
        [only] if top.others == 0 => only.value.shown(60),
        [first, ..] => {
            format!(
                "{number} {plural}, {} {}",
                share(first.count, listed + top.others),
                first.value.shown(60)
            )
        }
    }
}

/// A share in percent; only nothing is 0 % and only all is 100 %.
pub(crate) fn share(part: u64, all: u64) -> String {
    let percent = (part as f64 * 100.0 / all.max(1) as f64).round();
    match percent {
        100.0.. if part < all => "> 99 %".to_owned(),
        0.0 if part > 0 => "< 1 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

/// The most frequent value, and how many others there are: `payment-1 +4`.
pub(crate) fn first_of(values: &[(Untrusted, u64)]) -> String {
    match values {
        [] => String::new(),
        [(only, _)] => only.shown(60),
        [(first, _), rest @ ..] => format!("{} +{}", first.shown(60), rest.len()),
    }
}

/// By what a `group_by` counts: a role of fields (`service`, `level`, `pod` …), else the field of this name.
pub(crate) fn key(name: &str) -> Key {
    let role = Role::ALL.into_iter().find(|role| role.name() == name);
    role.map_or_else(|| Key::Field(name.to_owned()), Key::Role)
}

/// The service that a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    /// As the caller calls it.
    pub(crate) name: Untrusted,
    /// As the alias file calls it in logs; empty where it does not say.
    called: Vec<Untrusted>,
}

impl Service {
    /// What a `service` argument means.
    pub(crate) fn of(cx: &Context, sources: &Sources, given: Option<&str>) -> Option<Service> {
        let name = given?.trim();
        let called = sources.called(name).iter().map(|called| cx.intake.text(called)).collect();
        Some(Service { name: cx.intake.text(name), called })
    }

    /// ` of payment`.
    pub(crate) fn whose(of: Option<&Service>) -> String {
        of.map_or(String::new(), |service| format!(" of {}", service.name.shown(60)))
    }

    /// A record is of this service.
    pub(crate) fn condition(&self) -> Condition {
        let is = |name: &Untrusted| Condition::Is(Role::Service, name.inside().to_owned());
        match self.called.as_slice() {
            [] => is(&self.name),
            [only] => is(only),
            several => Condition::Any(several.iter().map(is).collect()),
        }
    }

    /// Whether it has several names in logs.
    pub(crate) fn is_several(&self) -> bool {
        self.called.len() > 1
    }

    /// Says under which names records were looked for, where these are other ones.
    pub(crate) fn caveat(&self, draft: &mut Draft) {
        if self.called.is_empty() {
            return;
        }
        let called: Vec<String> = self.called.iter().map(|name| name.shown(60)).collect();
        let name = self.name.shown(60);
        draft.caveat(format!("records of {name} are those of {}, by the alias file", called.join(", ")));
    }
}

/// The answer of one source among several: the calls that it suggests name the source that this one `named`, and what was not
/// searched is told.
pub(crate) fn of_source(answer: Answer, sources: &Sources, store: &dyn Logs, named: Option<&str>) -> Answer {
    let others = sources.others(store).into_iter();
    let answer =
        others.fold(answer, |answer, other| answer.with_caveat(format!("source {other} was not searched")));
    match named {
        Some(_) => answer.with_argument("source", store.name()),
        None => answer,
    }
}

/// Evidence and caveats of the replies of one store.
pub(crate) struct Told<'a> {
    store: &'a dyn Logs,
    caveats: BTreeSet<String>,
}

impl<'a> Told<'a> {
    pub(crate) fn new(store: &'a dyn Logs) -> Told<'a> {
        Told { store, caveats: BTreeSet::new() }
    }

    /// Cites a reply about a search, and keeps what was partial in it.
    pub(crate) fn cite<T>(&mut self, draft: &mut Draft, reply: &Reply<T>, search: &Search) -> Cite {
        self.caveats.extend(reply.partial.iter().cloned());
        let evidence = Evidence::new(self.store.system(), reply.sent.as_str()).over(search.window);
        draft.cite(evidence.link(self.store.link(search)))
    }

    /// Cites a reply about a search that counted in steps.
    pub(crate) fn cite_steps<T>(
        &mut self,
        draft: &mut Draft,
        reply: &Reply<T>,
        search: &Search,
        step: Duration,
    ) -> Cite {
        self.caveats.extend(reply.partial.iter().cloned());
        let evidence =
            Evidence::new(self.store.system(), reply.sent.as_str()).over(search.window).every(step);
        draft.cite(evidence.link(self.store.link(search)))
    }

    /// Cites a reply that is about no window.
    pub(crate) fn cite_all<T>(&mut self, draft: &mut Draft, reply: &Reply<T>) -> Cite {
        self.caveats.extend(reply.partial.iter().cloned());
        draft.cite(Evidence::new(self.store.system(), reply.sent.as_str()))
    }

    /// Writes what was partial, each thing once.
    pub(crate) fn caveats(self, draft: &mut Draft) {
        self.caveats.into_iter().for_each(|caveat| draft.caveat(caveat));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_that_is_not_all_is_not_told_as_all() {
        for (part, all, expected) in [
            (1, 1, "100 %"),
            (999, 1_000, "> 99 %"),
            (1, 1_000, "< 1 %"),
            (0, 1_000, "0 %"),
            (1, 8, "13 %"),
            (1, 10, "10 %"),
        ] {
            assert_eq!(share(part, all), expected, "{part} of {all}");
        }
    }

    #[test]
    fn what_was_left_out_is_not_seen_with_what_was_given() {
        for (limit, full, expected) in [
            (20, false, "a larger limit, up to 100, detail=full, or a narrower query"),
            (20, true, "a larger limit, up to 100, or a narrower query"),
            (100, false, "detail=full, or a narrower query"),
            (100, true, "a narrower query"),
        ] {
            assert_eq!(see_more(limit, 100, full, "a narrower query"), expected);
        }
    }
}
