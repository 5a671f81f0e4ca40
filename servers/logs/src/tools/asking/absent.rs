//! A service of which a window has no record: when it has some, or under which name.

use std::time::Duration;

use contract::{Cite, Context, Draft, Finding, Next, TimeRange, ToolError, Untrusted, time_text};
use jiff::Timestamp;

use super::{
    Awaited, OLDER, Service, Told,
    near::{Near, services_like},
};
use crate::{
    backend::Logs,
    model::{Page, Reply, Search},
};

/// The longest window of `get_log_volume_anomalies`, and what it needs to know what is usual.
const LONGEST_VOLUME: f64 = 14.0 * 86_400.0;
const USUAL: Duration = Duration::from_secs(3_600);
/// Services are looked for in at least so much time.
const DAY: Duration = Duration::from_secs(86_400);

/// What is known of a service that has no record in a window.
pub(crate) struct Absence {
    pub(crate) name: Untrusted,
    pub(crate) found: Absent,
    /// How late its records arrive, where later ones than the last may still come.
    pub(crate) awaited: Option<Awaited>,
    window: TimeRange,
    /// What was asked for that, with what came.
    asked: Vec<(Search, Reply<()>)>,
    /// What could not be read, and why.
    failed: Option<String>,
}

/// When a service logs that has no record in a window.
pub(crate) enum Absent {
    /// In the 30 days before; the last of these records.
    Before(Timestamp),
    /// Not before, but after; the first of these records.
    After(Timestamp),
    /// Neither: the services that may have been meant.
    Unknown(Near),
    /// That could not be read.
    Unread,
}

impl Absence {
    /// Asks when the service of which a window has no record has some, else for names like it. The answer is worth telling
    /// without it, so this never fails.
    pub(crate) async fn of(cx: &Context, store: &dyn Logs, window: TimeRange, service: &Service) -> Absence {
        let mut absence = Absence {
            name: service.name.clone(),
            found: Absent::Unread,
            awaited: None,
            window,
            asked: Vec::new(),
            failed: None,
        };
        match absence.look(cx, store, service).await {
            Ok(found) => absence.found = found,
            Err(error) => {
                absence.failed = Some(format!("whether it logs at other times could not be read: {error}"))
            }
        }
        if let Absent::Before(last) = absence.found {
            match Awaited::of(cx, store, last, vec![service.condition()]).await {
                Ok(awaited) => absence.awaited = awaited,
                Err(error) => {
                    absence.failed = Some(format!("how late its records arrive is not known: {error}"))
                }
            }
        }
        absence
    }

    async fn look(&mut self, cx: &Context, store: &dyn Logs, service: &Service) -> Result<Absent, ToolError> {
        let before = self.window.start().checked_sub(OLDER).ok();
        let before = before.and_then(|older| TimeRange::new(older, self.window.start()).ok());
        if let Some(last) = self.heard(cx, store, (service, before, false)).await? {
            return Ok(Absent::Before(last));
        }
        let after = TimeRange::new(self.window.end(), cx.now).ok();
        if let Some(first) = self.heard(cx, store, (service, after, true)).await? {
            return Ok(Absent::After(first));
        }
        let near = self.near(cx, store, (service, self.window)).await?;
        let day = self.window.end().checked_sub(DAY).ok();
        let day = day.and_then(|start| TimeRange::new(start, self.window.end()).ok());
        // In a window without any record there is no name like it.
        match day.filter(|day| near.is_empty() && day.seconds() > self.window.seconds()) {
            Some(day) => Ok(Absent::Unknown(self.near(cx, store, (service, day)).await?)),
            None => Ok(Absent::Unknown(near)),
        }
    }

    /// The services of a window with names like that of this one.
    async fn near(
        &mut self,
        cx: &Context,
        store: &dyn Logs,
        (service, window): (&Service, TimeRange),
    ) -> Result<Near, ToolError> {
        let Reply { value, sent, partial } = services_like(cx, store, window, service.name.inside()).await?;
        let all = Search { window, text: None, conditions: Vec::new() };
        self.asked.push((all, Reply { value: (), sent, partial }));
        Ok(value)
    }

    /// The moment of the first or last record of a service in a window, if there is one.
    async fn heard(
        &mut self,
        cx: &Context,
        store: &dyn Logs,
        (service, window, oldest_first): (&Service, Option<TimeRange>, bool),
    ) -> Result<Option<Timestamp>, ToolError> {
        let Some(window) = window else { return Ok(None) };
        let search = Search { window, text: None, conditions: vec![service.condition()] };
        let page = Page { limit: 1, oldest_first, after: None };
        let Reply { value, sent, partial } = store.page(cx, &search, &page).await?;
        self.asked.push((search, Reply { value: (), sent, partial }));
        Ok(value.records.first().and_then(|record| record.at))
    }

    /// The service that was probably meant.
    pub(crate) fn meant(&self) -> Option<&str> {
        match &self.found {
            Absent::Unknown(near) => near.meant(),
            _ => None,
        }
    }

    /// `its last record before is of 2026-01-14T14:02:00Z`; `None` where nothing at all is known.
    pub(crate) fn told(&self) -> Option<String> {
        let awaited = self.awaited.as_ref().map_or(String::new(), |late| format!("; {}", late.told("its")));
        match &self.found {
            Absent::Before(last) => {
                Some(format!("its last record before is of {}{awaited}", time_text(*last)))
            }
            Absent::After(first) => Some(format!("its first record is of {}", time_text(*first))),
            Absent::Unknown(near) if !near.is_empty() => Some(near.told()),
            Absent::Unknown(_) | Absent::Unread => None,
        }
    }

    /// Says it, with what was asked for that, and what could not be.
    pub(crate) fn show(&self, draft: &mut Draft, store: &dyn Logs) {
        let mut told = Told::new(store);
        let cites: Vec<Cite> =
            self.asked.iter().map(|(search, reply)| told.cite(draft, reply, search)).collect();
        told.caveats(draft);
        self.failed.iter().for_each(|text| draft.caveat(text.clone()));
        let name = self.name.shown(60);
        let text = match &self.found {
            Absent::Before(last) => format!("last record of {name} before: {}", time_text(*last)),
            Absent::After(first) => format!("first record of {name}: {}", time_text(*first)),
            Absent::Unknown(near) if near.is_empty() => {
                format!("no record names {name} as its service, nor any other service")
            }
            Absent::Unknown(near) => format!("no record is of a service {name}; {}", near.told()),
            Absent::Unread => return,
        };
        if let Some(cite) = cites.last() {
            draft.finding(Finding::new(text, *cite));
        }
        self.awaited.iter().for_each(|late| late.show(draft, store, "its"));
    }

    /// What a service that logs at other times said then. Of its name as it was given.
    pub(crate) fn suggest(&self, draft: &mut Draft) {
        let Some(service) = self.name.plain() else { return };
        let length = Duration::from_secs_f64(self.window.seconds()).max(USUAL);
        let lines = |why: &str, then: TimeRange| {
            let call = Next::call("search_logs", why).with("query", "*");
            call.with("service", service).with("time_range", then.to_string())
        };
        // A window ends before its end.
        let second = Duration::from_secs(1);
        match self.found {
            Absent::Before(last) => {
                let Ok(from) = last.checked_sub(length) else { return };
                let all = TimeRange::new(from, self.window.end()).ok();
                if let Some(all) = all.filter(|all| all.seconds() <= LONGEST_VOLUME) {
                    let call =
                        Next::call("get_log_volume_anomalies", "whether it fell silent, and what was usual");
                    draft.next(call.with("service", service).with("time_range", all.to_string()));
                }
                let until = last.checked_add(second).ok();
                if let Some(then) = until.and_then(|until| TimeRange::new(from, until).ok()) {
                    draft.next(lines("what it said last", then));
                }
            }
            Absent::After(first) => {
                let until = first.checked_add(length).ok();
                if let Some(then) = until.and_then(|until| TimeRange::new(first, until).ok()) {
                    draft.next(lines("what it said first", then));
                }
            }
            Absent::Unknown(_) | Absent::Unread => {}
        }
    }
}
