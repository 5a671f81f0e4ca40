//! What the tools share: the window of a question ([`window`]), conditions from arguments ([`level`]), the service an
//! argument means ([`service`]), evidence and caveats of a reply ([`Told`]), the key of a `group_by` ([`key`]).

use std::{collections::BTreeSet, time::Duration};

use contract::{
    Cite, Context, Draft, Evidence, TimeRange, TimeSpec, ToolError, Untrusted, nearest, time_text,
};

use crate::{
    backend::Logs,
    model::{Condition, Key, Level, Page, Reply, Role, Search},
};

/// Services among which a name is looked for.
const SERVICES: usize = 500;
/// Names that may have been meant.
const NEAREST: usize = 5;

/// The window that an argument means, `usual` without one, no longer than `most` and no later than now.
///
/// # Errors
/// When it can't be read, is too long, or has not begun.
pub(crate) fn window(
    cx: &Context,
    spec: Option<&TimeSpec>,
    usual: Duration,
    most: Duration,
) -> Result<TimeRange, ToolError> {
    let window = cx.window("time_range", spec.unwrap_or(&TimeSpec::Last(usual)), most)?;
    TimeRange::new(window.start(), window.end().min(cx.now)).map_err(|_| {
        ToolError::invalid("time_range", &format!("begins after now, {}", time_text(cx.now)))
            .remedy("ask for a window that has begun")
    })
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

/// By what a `group_by` counts: a role of fields (`service`, `level`, `pod` …), else the field of this name.
pub(crate) fn key(name: &str) -> Key {
    let role = Role::ALL.into_iter().find(|role| role.name() == name);
    role.map_or_else(|| Key::Field(name.to_owned()), Key::Role)
}

/// The condition that a record is of this service.
pub(crate) fn of_service(name: &str) -> Condition {
    Condition::Is(Role::Service, name.trim().to_owned())
}

/// Names near to a service of which nothing was found; empty when there is no service at all.
pub(crate) async fn services_near(
    cx: &Context,
    store: &dyn Logs,
    window: TimeRange,
    name: &str,
) -> Result<Vec<Untrusted>, ToolError> {
    let all = Search { window, text: None, conditions: Vec::new() };
    let top = store.top(cx, &all, &Key::Role(Role::Service), SERVICES).await?.value;
    let names: Vec<Untrusted> = top.values.into_iter().map(|group| group.value).collect();
    let near = nearest(name, names.iter().map(Untrusted::inside), NEAREST);
    let mut found: Vec<Untrusted> =
        near.iter().filter_map(|near| names.iter().find(|name| name.inside() == *near).cloned()).collect();
    if found.is_empty() {
        found = names.into_iter().take(NEAREST).collect();
    }
    Ok(found)
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
