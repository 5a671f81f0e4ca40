//! What the tools share: how many rows ([`limit`]), conditions from arguments ([`level`]), the service an
//! argument means ([`Service`]), evidence and caveats of a reply ([`Told`]), the key of a `group_by` ([`key`]).

use std::{collections::BTreeSet, time::Duration};

use contract::{Answer, Cite, Context, Draft, Evidence, TimeRange, ToolError, Untrusted, counted, nearest};
use jiff::Timestamp;

use crate::{
    backend::{Logs, Sources},
    model::{Condition, Key, Level, Page, Reply, Role, Search},
};

/// Services among which a name is looked for.
const SERVICES: usize = 500;
/// Names that may have been meant.
const NEAREST: usize = 5;

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

/// Services that a name of which nothing was found may mean.
#[derive(Debug, Clone, Default)]
pub(crate) struct Near {
    /// Those with a name like it, else those that log most.
    names: Vec<Untrusted>,
    alike: bool,
    /// How many services there are.
    all: u64,
}

impl Near {
    /// Whether there is no service at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The service that was probably meant: a name like no other is no slip of the finger.
    pub(crate) fn meant(&self) -> Option<&str> {
        self.names.first().filter(|_| self.alike).and_then(Untrusted::plain)
    }

    /// `nearest of 12 services: payment`, or `there are 12 services, such as web, cart`.
    pub(crate) fn told(&self) -> String {
        let names: Vec<String> = self.names.iter().map(|name| name.shown(60)).collect();
        let (names, all) = (names.join(", "), counted(self.all, "service", "services"));
        match self.all > self.names.len() as u64 {
            _ if self.alike => format!("nearest of {all}: {names}"),
            true => format!("there are {all}, such as {names}"),
            false => format!("services that log: {names}"),
        }
    }
}

/// Services near to one of which nothing was found; none when there is no service at all.
pub(crate) async fn services_like(
    cx: &Context,
    store: &dyn Logs,
    window: TimeRange,
    name: &str,
) -> Result<Near, ToolError> {
    let search = Search { window, text: None, conditions: Vec::new() };
    let top = store.top(cx, &search, &Key::Role(Role::Service), SERVICES).await?.value;
    let all = top.seen();
    let names: Vec<Untrusted> = top.values.into_iter().map(|group| group.value).collect();
    let near = nearest(name, names.iter().map(Untrusted::inside), NEAREST);
    let found: Vec<Untrusted> =
        near.iter().filter_map(|near| names.iter().find(|name| name.inside() == *near).cloned()).collect();
    Ok(match found.is_empty() {
        true => Near { names: names.into_iter().take(NEAREST).collect(), alike: false, all },
        false => Near { names: found, alike: true, all },
    })
}

/// The names of [`services_like`].
pub(crate) async fn services_near(
    cx: &Context,
    store: &dyn Logs,
    window: TimeRange,
    name: &str,
) -> Result<Vec<Untrusted>, ToolError> {
    Ok(services_like(cx, store, window, name).await?.names)
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

    #[test]
    fn services_that_are_listed_in_part_are_told_with_their_number() {
        let intake = Context::for_test(Timestamp::UNIX_EPOCH).intake;
        let near = |names: &[&str], alike, all| Near {
            names: names.iter().map(|name| intake.text(name)).collect(),
            alike,
            all,
        };
        for (near, told, meant) in [
            (near(&["payment"], true, 12), "nearest of 12 services: payment", Some("payment")),
            (near(&["web", "cart"], false, 12), "there are 12 services, such as web, cart", None),
            (near(&["web", "cart"], false, 2), "services that log: web, cart", None),
        ] {
            assert_eq!((near.told().as_str(), near.meant()), (told, meant));
        }
    }
}
