//! Which windows are compared, at which moments.

use std::time::Duration;

use contract::{Context, Moment, TimeRange, TimeSpec, ToolError, duration_text, time_text};

use super::{Call, Request, subject::Metric};
use crate::{
    analysis::{
        baseline::{Candidate, Origin, begun_earlier, just_before, seasonal},
        promql,
        ranking::{Grid, automatic_step},
    },
    config::QueryLimits,
    tools::cost::{Decision, Moments, Weighed},
};

/// Points of a series in the longer window: at most …
const MOST_POINTS: u64 = 240;
/// … at least …
const FEWEST_POINTS: u64 = 24;
/// … and of all series of a window together.
const ALL_POINTS: u64 = 60_000;

/// A rate needs two samples in its window; with four scrapes one may fail.
const SCRAPES: f64 = 4.0;

/// What is compared with what.
pub(super) struct Windows {
    /// The window in question: the later one.
    pub(super) now: TimeRange,
    /// The window to compare with, when one was named.
    pub(super) given: Option<TimeRange>,
    /// Whether values of a label are compared with each other instead, within one window.
    pub(super) is_within: bool,
    /// The arguments as a suggested call has them.
    arguments: Vec<(&'static str, String)>,
    remarks: Vec<String>,
    /// The longest window of a range query.
    longest: Duration,
}

impl Windows {
    pub(super) fn of(cx: &Context, request: &Request, limits: QueryLimits) -> Result<Windows, ToolError> {
        let past = cx.past("window1", &request.window1, limits.longest())?;
        let first = past.window;
        let mut windows = Windows {
            now: first,
            given: None,
            is_within: false,
            arguments: vec![("window1", argument(&request.window1))],
            remarks: past.caveat("window1").into_iter().collect(),
            longest: limits.longest(),
        };
        let Some(spec) = &request.window2 else { return Ok(windows) };
        let past = cx.past("window2", spec, limits.longest())?;
        let second = past.window;
        windows.remarks.extend(past.caveat("window2"));
        windows.arguments.push(("window2", argument(spec)));
        if first == second {
            if request.by.is_none() {
                return Err(ToolError::invalid("window2", "is the same as window1").remedy(
                    "leave it out, name another window, or add by=LABEL to compare the label's values",
                ));
            }
            windows.is_within = true;
            return Ok(windows);
        }
        let (earlier, later) = if first.start() < second.start() { (first, second) } else { (second, first) };
        if earlier == first {
            windows.remarks.push("window1 is the earlier one, so it is the baseline".to_owned());
        }
        if earlier.end() > later.start() {
            let both = earlier.end().min(later.end()).duration_since(later.start()).as_secs_f64();
            windows.remarks.push(format!(
                "the windows overlap by {}: what happened then is in both",
                duration_text(both)
            ));
        }
        (windows.now, windows.given) = (later, Some(earlier));
        Ok(windows)
    }

    /// The window in question with as long before it, as far as the bound allows: what it moved away from.
    pub(super) fn led_in(&self) -> TimeRange {
        let length = Duration::try_from_secs_f64(self.now.seconds()).unwrap_or_default();
        begun_earlier(self.now, length, self.longest).unwrap_or(self.now)
    }

    /// The windows that may serve as the baseline, those that are asked first.
    pub(super) fn baselines(&self) -> Vec<Candidate> {
        match self.given {
            _ if self.is_within => Vec::new(),
            Some(window) => vec![Candidate { origin: Origin::Given, window }],
            None => seasonal(self.now),
        }
    }

    /// The baseline when no seasonal one serves.
    pub(super) fn fallback(&self, layout: Layout) -> Option<Candidate> {
        if self.given.is_some() || self.is_within {
            return None;
        }
        just_before(self.now, Duration::from_secs(layout.step * 2))
    }

    pub(super) fn arguments(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.arguments.iter().map(|(name, text)| (*name, text.as_str()))
    }

    pub(super) fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }

    fn longest(&self) -> TimeRange {
        match self.given {
            Some(given) if given.seconds() > self.now.seconds() => given,
            _ => self.now,
        }
    }
}

/// The argument as it is handed on: relative where it was, so that it stays fresh.
pub(super) fn argument(spec: &TimeSpec) -> String {
    let moment = |moment: &Moment| match moment {
        Moment::At(at) => time_text(*at),
        Moment::Before(back) if back.is_zero() => "now".to_owned(),
        Moment::Before(back) => format!("now-{}", duration_text(back.as_secs_f64())),
    };
    match spec {
        TimeSpec::Last(length) => duration_text(length.as_secs_f64()),
        TimeSpec::Between(start, end) => format!("{}/{}", moment(start), moment(end)),
    }
}

/// How all windows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// From one moment to the next, in seconds.
    pub(super) step: u64,
    /// The window of rates, in seconds.
    pub(super) range: u64,
}

impl Layout {
    /// A step that gives few enough points for so many series, and a window of rates that holds four scrapes.
    ///
    /// # Errors
    /// When the metric in total reads too much of one window even with the fewest points.
    pub(super) async fn of(call: &Call<'_>, metric: &Metric<'_>) -> Result<Layout, ToolError> {
        let longest = call.windows.longest();
        let series = metric.series.unwrap_or(1).clamp(1, super::divide::MOST_SERIES);
        let wanted = (ALL_POINTS / series).clamp(FEWEST_POINTS, MOST_POINTS);
        let layouts =
            [wanted, 120, 60, FEWEST_POINTS].into_iter().filter(|points| *points <= wanted).map(|points| {
                // No finer than the samples, but a short window has some moments all the same.
                let at_least =
                    metric.scrape.unwrap_or(promql::SCRAPE).min(longest.seconds() / FEWEST_POINTS as f64);
                let step = automatic_step(longest, points, at_least);
                Layout { step, range: rate_window(step, metric.scrape) }
            });
        let mut layouts = layouts.peekable();
        let Some(first) = layouts.peek().copied() else { return Ok(Layout { step: 60, range: 300 }) };
        let promql = super::overview::promql(metric, first);
        let (Ok(reading), moments) = (promql::read(&promql), first.moments(longest)) else {
            return Ok(first);
        };
        let weighed = call.guard.weigh(&reading, moments).await;
        if let Weighed::Known(weight) = &weighed
            && !weight.fits(call.guard.most())
        {
            for layout in layouts {
                let promql = super::overview::promql(metric, layout);
                let tree = promql::read(&promql).ok().and_then(|reading| reading.tree);
                let fits = tree.is_some_and(|tree| {
                    weight.of(&tree, layout.moments(longest).course()) <= call.guard.most()
                });
                if fits && call.guard.narrows(weight, seconds(first.step), seconds(layout.step)) {
                    return Ok(layout);
                }
            }
        }
        match call.guard.decide(&weighed) {
            Decision::Run => Ok(first),
            Decision::Refuse(error) => Err(super::ask::too_much(call, error)),
        }
    }

    pub(super) fn moments(self, window: TimeRange) -> Moments {
        let grid = self.grid(window);
        Moments::between(grid.first(), grid.last(), grid.step(), grid.count())
    }

    pub(super) fn grid(self, window: TimeRange) -> Grid {
        Grid::lay(window, self.step)
    }

    /// A series whose samples stop this many moments before the end has ended: a server shows the latest sample for
    /// five minutes.
    pub(super) fn late(self) -> usize {
        const LATE: u64 = 300;
        usize::try_from(LATE.div_ceil(self.step.max(1))).unwrap_or(usize::MAX).max(2)
    }
}

/// The window of a rate at this step: four scrapes, but every sample once at least.
fn rate_window(step: u64, scrape: Option<f64>) -> u64 {
    const UNKNOWN: f64 = 300.0;
    let four = scrape.map_or(UNKNOWN, |scrape| SCRAPES * scrape);
    // A round number of seconds, because people read it.
    let round = if four > 60.0 { 60.0 } else { 5.0 };
    (((four / round).ceil() * round) as u64).max(step)
}

fn seconds(step: u64) -> Duration {
    Duration::from_secs(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_spans_four_scrapes_and_no_sample_is_left_out() {
        // Four scrapes rounded up to 5 s or whole minutes; the step when that is longer; 5 min when nothing is known.
        let cases = [
            (15, Some(15.0), 60),
            (15, Some(5.0), 20),
            (15, Some(30.0), 120),
            (600, Some(15.0), 600),
            (15, None, 300),
            (1, Some(1.0), 5),
        ];
        for (step, scrape, expected) in cases {
            assert_eq!(rate_window(step, scrape), expected, "{step} {scrape:?}");
        }
    }

    #[test]
    fn a_window_is_handed_on_as_it_was_given() {
        for text in ["30m", "now-2h/now-1h", "2026-01-14T14:00:00Z/now"] {
            assert_eq!(argument(&text.parse().unwrap()), text);
        }
    }
}
