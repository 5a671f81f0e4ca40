//! Of a service that has no record in the window: when it has some, or under which name.

use std::time::Duration;

use contract::{Cite, Draft, Finding, Next, TimeRange, ToolError, time_text};
use jiff::Timestamp;

use super::super::Asked;
use crate::{
    model::{Page, Reply, Search, Total},
    tools::asking::{self, Service, Told},
};

/// The longest window of `get_log_volume_anomalies`, and what it needs to know what is usual.
const LONGEST_VOLUME: f64 = 14.0 * 86_400.0;
const USUAL: Duration = Duration::from_secs(3_600);

/// Why a service has no record in the window.
pub(super) enum Absent {
    /// It has older ones; the last of them.
    Before(Timestamp),
    /// It has none but later ones; the first of them.
    After(Timestamp),
    /// It has none within weeks.
    Unknown,
}

/// How many records of the window are of the service; `all` without one.
pub(super) async fn total(asked: &Asked<'_>, all: &Reply<Total>) -> Result<Total, ToolError> {
    let Some(service) = &asked.service else { return Ok(all.value) };
    let only = of(service, asked.search.window);
    Ok(asked.store.total(asked.cx, &only).await?.value)
}

/// Says when the service was heard of, or which names are near to it.
pub(super) async fn absent(
    asked: &Asked<'_>,
    draft: &mut Draft,
    told: &mut Told<'_>,
    cite: Cite,
) -> Result<Absent, ToolError> {
    let Some(service) = &asked.service else { return Ok(Absent::Unknown) };
    let name = service.name.shown(60);
    let window = asked.search.window;
    let before = window.start().checked_sub(asking::OLDER).ok();
    let before = before.and_then(|older| TimeRange::new(older, window.start()).ok());
    if let Some((last, cite)) = heard(asked, draft, told, (service, before, false)).await? {
        draft.finding(Finding::new(format!("last record of {name} before: {}", time_text(last)), cite));
        suggest(asked, draft, last);
        return Ok(Absent::Before(last));
    }
    let after = TimeRange::new(window.end(), asked.cx.now).ok();
    if let Some((first, cite)) = heard(asked, draft, told, (service, after, true)).await? {
        draft.finding(Finding::new(format!("first record of {name}: {}", time_text(first)), cite));
        return Ok(Absent::After(first));
    }
    near(asked, draft, cite, service).await?;
    Ok(Absent::Unknown)
}

fn of(service: &Service, window: TimeRange) -> Search {
    Search { window, text: None, conditions: vec![service.condition()] }
}

/// The moment of the first or last record of a service in a window, if there is one.
async fn heard(
    asked: &Asked<'_>,
    draft: &mut Draft,
    told: &mut Told<'_>,
    (service, window, oldest_first): (&Service, Option<TimeRange>, bool),
) -> Result<Option<(Timestamp, Cite)>, ToolError> {
    let Some(window) = window else { return Ok(None) };
    let search = of(service, window);
    let page = Page { limit: 1, oldest_first, after: None };
    match asked.store.page(asked.cx, &search, &page).await {
        Ok(reply) => {
            let at = reply.value.records.first().and_then(|record| record.at);
            Ok(at.map(|at| (at, told.cite(draft, &reply, &search))))
        }
        Err(error) if error.kind() == contract::ErrorKind::Cancelled => Err(error),
        // The answer is worth telling without it.
        Err(error) => {
            draft.caveat(format!("whether it logs at other times could not be read: {error}"));
            Ok(None)
        }
    }
}

/// What was usual and since when it is silent, and what it said last.
fn suggest(asked: &Asked<'_>, draft: &mut Draft, last: Timestamp) {
    let Some(service) = asked.request.service.as_deref() else { return };
    let window = asked.search.window;
    let length = Duration::from_secs_f64(window.seconds()).max(USUAL);
    let Ok(from) = last.checked_sub(length) else { return };
    if let Some(all) = TimeRange::new(from, window.end()).ok().filter(|all| all.seconds() <= LONGEST_VOLUME) {
        let call = Next::call("get_log_volume_anomalies", "whether it fell silent, and what was usual");
        draft.next(call.with("service", service).with("time_range", all.to_string()));
    }
    // A window ends before its end.
    let until = last.checked_add(Duration::from_secs(1)).ok();
    if let Some(then) = until.and_then(|until| TimeRange::new(from, until).ok()) {
        let call = Next::call("search_logs", "what it said last").with("query", "*");
        draft.next(call.with("service", service).with("time_range", then.to_string()));
    }
}

/// Whether the service is known by another name.
async fn near(asked: &Asked<'_>, draft: &mut Draft, cite: Cite, service: &Service) -> Result<(), ToolError> {
    let near =
        asking::services_like(asked.cx, asked.store, asked.search.window, service.name.inside()).await?;
    let name = service.name.shown(60);
    let text = match near.is_empty() {
        true => format!("no record names {name} as its service, nor any other service"),
        false => format!("no record is of a service {name}; {}", near.told()),
    };
    draft.finding(Finding::new(text, cite));
    if let Some(meant) = near.meant() {
        let call = Next::call("search_logs", "the nearest name of a service")
            .with("query", asked.request.query.as_str());
        draft.next(call.with("service", meant).with("time_range", asked.search.window.to_string()));
    }
    Ok(())
}
