//! Which time is looked at, and in which steps.

use std::time::Duration;

use contract::{Context, TimeRange, TimeSpec, ToolError, duration_text};
use jiff::Timestamp;

use crate::{
    analysis::{
        baseline::{begun_earlier, just_before},
        ranking::{Grid, automatic_step},
    },
    config::QueryLimits,
};

/// The window without `time_range`.
const USUAL: Duration = Duration::from_secs(30 * 60);

/// The longest and the shortest window.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);
const SHORTEST: Duration = Duration::from_secs(300);

/// About so many moments in the window and the one before it.
const MOMENTS: u64 = 240;

/// The fewest seconds of a rate: shorter ones are all noise.
const SHORTEST_RATE: u64 = 120;

/// Names of series are looked for at least so far back, and as far as this when there are none.
const RECENT: Duration = Duration::from_secs(3_600);
const LONG_AGO: Duration = Duration::from_secs(86_400);

/// The window that is asked about.
#[derive(Debug, Clone)]
pub(super) struct Period {
    pub(super) window: TimeRange,
    /// As a call takes it.
    pub(super) time_range: String,
    /// With as long before it, as a call takes it: what a signal moved away from.
    pub(super) led_in: String,
    /// What is to be said of it when its end was after now.
    pub(super) cut: Option<String>,
}

impl Period {
    pub(super) fn of(
        cx: &Context,
        spec: Option<&TimeSpec>,
        limits: QueryLimits,
    ) -> Result<Period, ToolError> {
        let spec = spec.cloned().unwrap_or(TimeSpec::Last(USUAL));
        let past = cx.past("time_range", &spec, LONGEST)?;
        // Evaluation is at whole seconds.
        let whole = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
        let window =
            TimeRange::new(whole(past.window.start()), whole(past.window.end())).unwrap_or(past.window);
        if window.seconds() < SHORTEST.as_secs_f64() {
            let shortest = duration_text(SHORTEST.as_secs_f64());
            let problem = format!("is shorter than {shortest}");
            return Err(ToolError::invalid("time_range", &problem)
                .remedy("rates over less say nothing; query_metrics shows single samples"));
        }
        let length = Duration::from_secs(window.seconds() as u64);
        let led_in = begun_earlier(window, length, limits.longest()).unwrap_or(window);
        let text = |window: TimeRange| match spec {
            TimeSpec::Last(_) => duration_text(window.seconds()),
            TimeSpec::Between(..) => window.to_string(),
        };
        let (time_range, led_in) = (text(window), text(led_in));
        Ok(Period { window, time_range, led_in, cut: past.caveat("time_range") })
    }

    /// In which names of series are looked for.
    pub(super) fn recent(&self) -> TimeRange {
        self.back(RECENT.max(Duration::try_from_secs_f64(self.window.seconds()).unwrap_or(RECENT)))
    }

    /// In which they are looked for when there were none.
    pub(super) fn long_ago(&self) -> TimeRange {
        self.back(LONG_AGO)
    }

    fn back(&self, length: Duration) -> TimeRange {
        let start = self.window.start().checked_sub(length).unwrap_or(Timestamp::MIN);
        TimeRange::new(start, self.window.end()).unwrap_or(self.window)
    }

    /// The window just before.
    pub(super) fn before(&self) -> TimeRange {
        just_before(self.window, Duration::ZERO).map_or(self.window, |before| before.window)
    }

    /// The window and the one before it: what happened is seen with what was there.
    pub(super) fn extended(&self) -> TimeRange {
        TimeRange::new(self.before().start(), self.window.end()).unwrap_or(self.window)
    }
}

/// The moments of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// In seconds.
    pub(super) step: u64,
    /// The window of rates, in seconds.
    pub(super) rate: u64,
}

impl Pace {
    /// For samples that come every `interval` seconds.
    pub(super) fn of(period: &Period, interval: f64) -> Pace {
        let step = automatic_step(period.extended(), MOMENTS, interval);
        let four = (4.0 * interval).ceil() as u64;
        Pace { step, rate: SHORTEST_RATE.max(four).max(step) }
    }

    /// The moments of a window.
    pub(super) fn grid(self, window: TimeRange) -> Grid {
        Grid::lay(window, self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_the_window_and_rates_the_scrape_interval() {
        let at = |text: &str| text.parse().unwrap();
        let period = |start: &str| Period {
            window: TimeRange::new(at(start), at("2026-01-14T14:30:00Z")).unwrap(),
            time_range: String::new(),
            led_in: String::new(),
            cut: None,
        };
        let pace = |start, interval| {
            let pace = Pace::of(&period(start), interval);
            (pace.step, pace.rate)
        };
        // Twice 30 min in 240 moments; four scrapes within a rate.
        assert_eq!(pace("2026-01-14T14:00:00Z", 15.0), (15, 120));
        assert_eq!(pace("2026-01-14T14:00:00Z", 60.0), (60, 240));
        // Twice a day in 240 moments: 720 s, rounded to 15 min; no moment is left out of a rate.
        assert_eq!(pace("2026-01-13T14:30:00Z", 15.0), (900, 900));
    }
}
