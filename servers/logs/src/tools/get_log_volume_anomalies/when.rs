//! The window, its steps, and the time before it.

use std::time::Duration;

use contract::{Context, Past, TimeRange, TimeSpec, ToolError};
use jiff::Timestamp;

use super::LONGEST;

const USUAL: Duration = Duration::from_secs(3_600);
/// The shortest window.
pub(super) const SHORTEST: Duration = Duration::from_secs(300);
const HOUR: Duration = Duration::from_secs(3_600);
/// About so many steps in a window.
const STEPS: f64 = 60.0;
/// Lengths of a step, in seconds.
const NICE: [u64; 16] =
    [5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 28_800];
/// Steps from this length on are counted back from the end of what has arrived.
const LONG: Duration = Duration::from_secs(1_800);
const DAY: Duration = Duration::from_secs(86_400);

/// What was asked for, up to now.
pub(super) fn asked(cx: &Context, spec: Option<&TimeSpec>) -> Result<Past, ToolError> {
    let past = cx.past("time_range", spec.unwrap_or(&TimeSpec::Last(USUAL)), LONGEST)?;
    if past.window.seconds() < SHORTEST.as_secs_f64() {
        return Err(ToolError::invalid("time_range", "is too short to be compared with anything")
            .remedy("at least 5m of past time; left out, it is 1h"));
    }
    Ok(past)
}

/// Equal steps over a lead-in and the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct When {
    /// Lead-in and window: whole steps whose records have arrived.
    pub(super) whole: TimeRange,
    /// Where the window begins.
    pub(super) start: Timestamp,
    /// Steps of the lead-in.
    pub(super) first: usize,
    /// Length of a step.
    pub(super) step: Duration,
    /// Until when records have arrived: the end of the asked window, or earlier.
    pub(super) settled: Timestamp,
    /// Of the asked window, what is left out because records may still arrive.
    pub(super) left_out: Duration,
    /// Of its beginning, what is left out because steps are whole.
    pub(super) skipped: Duration,
}

impl When {
    /// Steps of the asked window; those that end after `now` − `lag` are left out.
    pub(super) fn of(asked: TimeRange, now: Timestamp, lag: Duration) -> Option<When> {
        let wanted = asked.seconds() / STEPS;
        let step = NICE.iter().copied().find(|step| *step as f64 >= wanted - 0.5).unwrap_or(28_800);
        let settled = now.checked_sub(lag).unwrap_or(now).min(asked.end());
        let seconds = settled.duration_since(asked.start()).as_secs_f64().max(0.0);
        let steps = (seconds / step as f64).floor() as u64;
        let step = Duration::from_secs(step);
        let length = step.checked_mul(u32::try_from(steps).ok()?)?;
        let rest = (seconds - length.as_secs_f64()).max(0.0);
        // Of long steps one that has not wholly arrived would hide hours: then the oldest time is left out instead.
        let minutes = if step >= LONG { (rest / 60.0).floor() as u64 } else { 0 };
        let skipped = Duration::from_secs(minutes * 60);
        let start = asked.start().checked_add(skipped).ok()?;
        let end = start.checked_add(length).ok()?;
        let begin = start.checked_sub(length).ok()?;
        let left_out = Duration::from_secs_f64(asked.end().duration_since(end).as_secs_f64().max(0.0));
        let whole = TimeRange::new(begin, end).ok()?;
        Some(When { whole, start, first: steps as usize, step, settled, left_out, skipped })
    }

    /// Without the steps before the first record of the store: nobody knows what was usual then.
    pub(super) fn recorded_since(self, first: Timestamp) -> When {
        let missing = first.duration_since(self.whole.start()).as_secs_f64() / self.step.as_secs_f64();
        let dropped = (missing.ceil().max(0.0) as usize).min(self.first);
        let begin = self.begins(dropped);
        match TimeRange::new(begin, self.whole.end()) {
            Ok(whole) => When { whole, first: self.first - dropped, ..self },
            Err(_) => self,
        }
    }

    /// The window without its lead-in.
    pub(super) fn window(&self) -> TimeRange {
        TimeRange::new(self.start, self.whole.end()).unwrap_or(self.whole)
    }

    /// How long the lead-in is.
    pub(super) fn lead_in(&self) -> Duration {
        self.step * u32::try_from(self.first).unwrap_or(u32::MAX)
    }

    /// The step that a moment lies in, or the first one.
    pub(super) fn step_of(&self, moment: Timestamp) -> usize {
        let seconds = moment.duration_since(self.whole.start()).as_secs_f64();
        (seconds / self.step.as_secs_f64()).max(0.0) as usize
    }

    /// When a step begins.
    pub(super) fn begins(&self, step: usize) -> Timestamp {
        let after = self.step.checked_mul(u32::try_from(step).unwrap_or(u32::MAX)).unwrap_or_default();
        self.whole.start().checked_add(after).unwrap_or(self.whole.end())
    }

    /// As many steps that ended an hour or more before these began, whole hours earlier: what runs every hour is in both.
    pub(super) fn longer_ago(&self) -> Option<TimeRange> {
        let hours = (self.whole.seconds() / HOUR.as_secs_f64()).ceil() as u32 + 1;
        self.whole.earlier(HOUR * hours)
    }

    /// The same steps at the same time of day earlier, so far back that they do not overlap these.
    pub(super) fn earlier(&self) -> Vec<(&'static str, TimeRange)> {
        let back: &[(&'static str, u32)] = match self.whole.seconds() {
            length if length <= DAY.as_secs_f64() => &[("1d", 1), ("7d", 7)],
            length if length <= 7.0 * DAY.as_secs_f64() => &[("7d", 7), ("14d", 14)],
            _ => &[("28d", 28)],
        };
        back.iter().filter_map(|(name, days)| Some((*name, self.whole.earlier(DAY * *days)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(text: &str) -> TimeRange {
        let (start, end) = text.split_once('/').unwrap();
        TimeRange::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    #[test]
    fn steps_whose_records_may_still_arrive_are_left_out() {
        let asked = window("2026-01-14T13:32:10Z/2026-01-14T14:32:10Z");
        let when = When::of(asked, asked.end(), Duration::from_secs(8)).unwrap();
        assert_eq!((when.step, when.first), (Duration::from_secs(60), 59));
        assert_eq!(when.whole.to_string(), "2026-01-14T12:33:10Z/2026-01-14T14:31:10Z");
        assert_eq!(when.left_out, Duration::from_secs(60));
        assert_eq!(when.begins(59), asked.start());
        let complete =
            When::of(asked, "2026-01-14T20:00:00Z".parse().unwrap(), Duration::from_secs(8)).unwrap();
        assert_eq!((complete.first, complete.left_out), (60, Duration::ZERO));
    }

    #[test]
    fn a_long_step_at_the_end_hides_no_hours() {
        // 7 d in steps of 3 h; the last one lacks 8 s: 55 steps, 165 h, up to the last whole minute that has arrived.
        let asked = window("2026-11-20T12:21:00Z/2026-11-27T12:21:00Z");
        let when = When::of(asked, asked.end(), Duration::from_secs(8)).unwrap();
        assert_eq!((when.step, when.first), (Duration::from_secs(10_800), 55));
        assert_eq!(when.window().to_string(), "2026-11-20T15:20:00Z/2026-11-27T12:20:00Z");
        assert_eq!(when.left_out, Duration::from_secs(60));
        assert_eq!(when.skipped, Duration::from_secs(2 * 3_600 + 59 * 60));
    }

    #[test]
    fn a_lead_in_begins_with_the_first_record_of_the_store() {
        let asked = window("2026-01-14T13:00:00Z/2026-01-14T14:00:00Z");
        let when = When::of(asked, asked.end(), Duration::ZERO).unwrap();
        let later = when.recorded_since("2026-01-14T12:30:10Z".parse().unwrap());
        assert_eq!((later.first, later.begins(later.first)), (29, asked.start()));
        assert_eq!(when.recorded_since("2026-01-14T13:30:00Z".parse().unwrap()).first, 0);
        assert_eq!(when.recorded_since("2026-01-01T00:00:00Z".parse().unwrap()), when);
    }

    #[test]
    fn longer_ago_is_whole_hours_earlier_and_ended_an_hour_before() {
        for (text, expected) in [
            ("2026-01-14T14:27:00Z/2026-01-14T14:32:00Z", "2026-01-14T12:22:00Z/2026-01-14T12:32:00Z"),
            ("2026-01-14T14:00:00Z/2026-01-14T15:00:00Z", "2026-01-14T10:00:00Z/2026-01-14T12:00:00Z"),
        ] {
            let asked = window(text);
            let when = When::of(asked, asked.end(), Duration::ZERO).unwrap();
            assert_eq!(when.longer_ago().unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn earlier_steps_are_at_the_same_time_of_day_and_never_overlap() {
        for (text, expected) in [
            ("2026-01-14T13:00:00Z/2026-01-14T14:00:00Z", vec!["1d", "7d"]),
            ("2026-01-13T14:00:00Z/2026-01-14T14:00:00Z", vec!["7d", "14d"]),
            ("2026-01-07T14:00:00Z/2026-01-14T14:00:00Z", vec!["28d"]),
        ] {
            let asked = window(text);
            let when = When::of(asked, asked.end(), Duration::ZERO).unwrap();
            assert_eq!(when.earlier().iter().map(|(name, _)| *name).collect::<Vec<_>>(), expected, "{text}");
            assert!(when.earlier().iter().all(|(_, earlier)| earlier.end() <= when.whole.start()), "{text}");
        }
    }
}
