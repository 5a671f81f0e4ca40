//! What to ask next.

use contract::{Draft, Next, TimeRange, time_text};

use jiff::Timestamp;

use super::{LONGEST, before::Before, gather::Gathered, show::Picture, when::SHORTEST};
use crate::{
    analysis::volume::Kind,
    model::Role,
    tools::asking::{Absence, Absent},
};

pub(super) fn next(picture: &Picture<'_>, draft: &mut Draft) {
    let gathered = picture.gathered;
    if let Some(stopped) = gathered.stopped {
        return stop(gathered, stopped.last, draft);
    }
    let Some((judged, found)) = picture.rows.first() else { return without_anomaly(picture, draft) };
    let when = &gathered.when;
    let named = match &judged.value {
        Some((Role::Service, value)) => value.plain(),
        _ => None,
    };
    let onset = when.begins(found.from);
    match found.kind {
        Kind::Spike => {
            let window = TimeRange::new(onset, when.begins(found.to)).unwrap_or(when.window());
            let call = Next::call("get_error_patterns", "what the additional records say");
            draft.next(with_service(gathered, call, named).with("time_range", window.to_string()));
        }
        Kind::Silence | Kind::Drop => {
            let call = Next::call("correlate_logs_with_time", "what was logged just before it went quiet");
            draft.next(
                with_service(gathered, call, named)
                    .with("timestamp", time_text(onset))
                    .with("delta_minutes", 5),
            );
            let call =
                Next::call("get_service_golden_signals", "whether it still serves, or only logs nothing");
            draft.next(with_service(gathered, call, named).on("metrics"));
        }
    }
    if gathered.service.is_none()
        && let Some(service) = named
    {
        let call = Next::call("get_log_volume_anomalies", "which level, pod or version accounts for it");
        let call = call.with("service", service).with("time_range", gathered.past.window.to_string());
        draft.next(call);
    }
}

/// Where nothing is logged any more: what was logged last, who stopped when, and whether it is the services.
fn stop(gathered: &Gathered, last: Timestamp, draft: &mut Draft) {
    let call = Next::call("correlate_logs_with_time", "what was logged just before it went quiet");
    let call = call.with("timestamp", time_text(last)).with("delta_minutes", 5);
    draft.next(with_service(gathered, call, None));
    let call = Next::call("get_log_volume_anomalies", "who stopped when, in short steps");
    let window = covering(last, gathered.past.window.end()).filter(|near| *near != gathered.past.window);
    if let Some(window) = window {
        draft.next(with_service(gathered, call, None).with("time_range", window.to_string()));
    }
    let call = Next::call("get_service_golden_signals", "whether it still serves, or only logs nothing");
    draft.next(with_service(gathered, call, None).on("metrics"));
}

/// Where nothing stands out: what may lie before the window.
fn without_anomaly(picture: &Picture<'_>, draft: &mut Draft) {
    let gathered = picture.gathered;
    let end = gathered.past.window.end();
    match picture.before {
        Before::Absent(absence) => absent(gathered, absence, draft),
        before if let Some(last) = before.last() => stop(gathered, last, draft),
        Before::Then(then) if !then.differ.is_empty() => {
            let call = Next::call("get_log_volume_anomalies", "since when");
            if let Ok(window) = TimeRange::new(then.window.end(), end) {
                draft.next(with_service(gathered, call, None).with("time_range", window.to_string()));
            }
        }
        _ if gathered.records() == 0 => draft.next(sources()),
        _ => {
            let call =
                Next::call("get_error_patterns", "whether what is logged changed, though not how much");
            let window = gathered.past.window.to_string();
            draft.next(with_service(gathered, call, None).with("time_range", window));
        }
    }
}

fn sources() -> Next {
    Next::call("list_log_sources", "since when anything is recorded, and of which services")
}

/// What a service said and did before its last record, or the service that was meant.
fn absent(gathered: &Gathered, absence: &Absence, draft: &mut Draft) {
    let end = gathered.past.window.end();
    match absence.found {
        Absent::Before(last) => {
            let call = Next::call("correlate_logs_with_time", "what was logged about its last record");
            let call = call.with("timestamp", time_text(last)).with("delta_minutes", 5);
            draft.next(with_service(gathered, call, None));
            let call = Next::call("get_log_volume_anomalies", "how it logged before its last record");
            if let Some(window) = covering(last, end) {
                draft.next(with_service(gathered, call, None).with("time_range", window.to_string()));
            }
        }
        _ => absence.suggest(draft),
    }
    match absence.meant() {
        Some(meant) => {
            let call = Next::call("get_log_volume_anomalies", "the service that may have been meant");
            let window = gathered.past.window.to_string();
            draft.next(call.with("service", meant).with("time_range", window));
        }
        None if matches!(absence.found, Absent::Unknown(_) | Absent::Unread) => draft.next(sources()),
        None => {}
    }
}

/// A window that begins before the last record and ends now, if it is not too long.
fn covering(last: Timestamp, end: Timestamp) -> Option<TimeRange> {
    let second = Timestamp::from_second(last.as_second()).ok()?;
    let start = second.checked_sub(SHORTEST).ok()?;
    TimeRange::new(start, end).ok()?.at_most(LONGEST).ok()
}

fn with_service(gathered: &Gathered, call: Next, named: Option<&str>) -> Next {
    let own = gathered.service.as_ref().and_then(|service| service.name.plain());
    match own.or(named) {
        Some(service) => call.with("service", service),
        None => call,
    }
}
