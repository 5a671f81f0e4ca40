//! Which earlier windows a window is compared with.

use std::time::Duration;

use contract::{Context, TimeRange, time_text};
use futures_util::future::join_all;

use super::gather::Asked;
use crate::{backend::Logs, tools::asking};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// A baseline.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    pub(super) name: String,
    pub(super) window: TimeRange,
}

/// The given baseline; else the window just before and the same window a day and a week earlier. Those two are what an
/// incident is seen by that was running in the window just before too.
fn planned(asked: &Asked) -> Vec<Planned> {
    if let Some(window) = asked.baseline {
        return vec![Planned { name: "the given baseline".to_owned(), window }];
    }
    let length = Duration::from_secs_f64(asked.window.seconds());
    let earlier =
        |name: &str, by: Duration| Some(Planned { name: name.to_owned(), window: asked.window.earlier(by)? });
    // A longer window a day earlier would reach into the one just before.
    let day = (2 * length <= DAY).then_some(("the same window 1d earlier", DAY));
    let week = (length < WEEK).then_some(("the same window 7d earlier", WEEK));
    let all = [Some(("the window before", length)), day, week];
    all.into_iter().flatten().filter_map(|(name, by)| earlier(name, by)).collect()
}

/// What stands in for a day that is not recorded: the same length at least an hour before the window began, and before
/// the window just before.
fn nearer(asked: &Asked) -> Option<Planned> {
    let length = Duration::from_secs_f64(asked.window.seconds());
    let gap = HOUR.max(length);
    let window = asked.window.earlier(length + gap)?;
    let name = format!("a window that ended {} before", contract::duration_text(gap.as_secs_f64()));
    Some(Planned { name, window })
}

/// The baselines as far as anything is recorded in them.
pub(super) async fn recorded(
    cx: &Context,
    store: &dyn Logs,
    asked: &Asked,
    failed: &mut Vec<String>,
) -> Vec<Planned> {
    let (mut found, mut empty) = (Vec::new(), Vec::new());
    let mut take = |one: &Planned, known: Result<Option<Planned>, String>| match known {
        Ok(Some(known)) => found.push(known),
        Ok(None) => empty.push(format!("{} ({})", one.name, one.window)),
        Err(text) => failed.push(text),
    };
    let planned = planned(asked);
    let looked = join_all(planned.iter().map(|one| known(cx, store, one))).await;
    let is_of_today = |one: &Planned| {
        let gap = asked.window.start().duration_since(one.window.end());
        gap.is_positive() && gap.as_secs_f64() <= DAY.as_secs_f64()
    };
    let has_today = looked.iter().any(|known| matches!(known, Ok(Some(one)) if is_of_today(one)));
    planned.iter().zip(looked).for_each(|(one, known)| take(one, known));
    if let Some(one) = nearer(asked).filter(|_| asked.baseline.is_none() && !has_today) {
        take(&one, known(cx, store, &one).await);
    }
    if !empty.is_empty() {
        failed.push(format!("no baseline, because nothing at all is recorded: {}", empty.join(", ")));
    }
    found
}

/// A baseline as far as anything is recorded in it; an error says why it could not be asked.
async fn known(cx: &Context, store: &dyn Logs, one: &Planned) -> Result<Option<Planned>, String> {
    let Planned { name, window } = one;
    let recorded = asking::recorded(cx, store, *window).await;
    let recorded = recorded.map_err(|error| format!("{name} could not be read: {error}"))?;
    Ok(recorded.map(|known| match known.seconds() >= 0.98 * window.seconds() {
        true => one.clone(),
        false => {
            let since = time_text(known.start());
            Planned { name: format!("{name}, of which nothing before {since} is recorded"), window: known }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::get_error_patterns::Floor;

    fn asked(window: &str) -> Asked {
        let (start, end) = window.split_once('/').unwrap();
        let window = TimeRange::new(start.parse().unwrap(), end.parse().unwrap()).unwrap();
        Asked { window, baseline: None, service: None, floor: Floor::Warn, cut: Vec::new(), stopped: None }
    }

    #[test]
    fn the_baselines_of_short_and_long_windows_by_hand() {
        let windows = |asked: &Asked| -> Vec<String> {
            planned(asked).iter().map(|one| one.window.to_string()).collect()
        };
        let short = asked("2026-01-14T14:20:00Z/2026-01-14T14:30:00Z");
        assert_eq!(
            windows(&short),
            [
                "2026-01-14T14:10:00Z/2026-01-14T14:20:00Z",
                "2026-01-13T14:20:00Z/2026-01-13T14:30:00Z",
                "2026-01-07T14:20:00Z/2026-01-07T14:30:00Z"
            ]
        );
        assert_eq!(nearer(&short).unwrap().window.to_string(), "2026-01-14T13:10:00Z/2026-01-14T13:20:00Z");
        // Three hours: the one that stands in ends three hours before, where the window just before begins.
        let long = asked("2026-01-14T12:00:00Z/2026-01-14T15:00:00Z");
        assert_eq!(nearer(&long).unwrap().window.to_string(), "2026-01-14T06:00:00Z/2026-01-14T09:00:00Z");
        // Two days: a day earlier lies within the window.
        let days = asked("2026-01-12T00:00:00Z/2026-01-14T00:00:00Z");
        assert_eq!(
            windows(&days),
            ["2026-01-10T00:00:00Z/2026-01-12T00:00:00Z", "2026-01-05T00:00:00Z/2026-01-07T00:00:00Z"]
        );
    }
}
