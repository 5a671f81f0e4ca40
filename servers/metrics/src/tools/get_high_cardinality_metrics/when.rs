//! The window, its moments, and when the trouble began.

use std::time::Duration;

use contract::{Context, Moment, Past, TimeRange, TimeSpec, ToolError, duration_text, time_text};
use jiff::Timestamp;

use super::{Mode, Request};
use crate::{
    analysis::{
        baseline::begun_earlier,
        promql::SCRAPE,
        ranking::{Grid, automatic_step},
        unusual::{moment::Split, signals::Pace},
    },
    config::QueryLimits,
};

/// Without a window: this long, or from this long before the trouble began.
const USUAL: Duration = Duration::from_secs(3_600);
/// A shorter window gets so long a lead-in before it: its own first part would be a baseline that an incident of half an
/// hour has spoiled.
const LEAD_IN: Duration = USUAL;
/// Moments of a series.
const POINTS: u64 = 240;
/// With a lead-in: 100 minutes of scrapes every 15 s.
const POINTS_WITH_LEAD_IN: u64 = 400;
/// Fewer moments than these have no baseline.
const FEWEST: usize = 12;
/// Rates are taken over at least this long, in seconds: four scrapes of the usual distance.
const SPAN: f64 = 60.0;

/// When it is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct When {
    /// What was asked for, as far as it lies in the past.
    pub(super) past: Past,
    /// What is read: the window that was asked for, and the lead-in before it.
    pub(super) window: TimeRange,
    /// Where the asked window begins, when there is a lead-in.
    pub(super) lead_in: Option<Timestamp>,
    /// The same window, begun earlier, as far as the bound allows.
    pub(super) longer: Option<TimeRange>,
    pub(super) since: Option<Timestamp>,
    /// Seconds.
    pub(super) step: u64,
}

impl When {
    pub(super) fn of(cx: &Context, request: &Request, limits: QueryLimits) -> Result<When, ToolError> {
        let since = request.since.as_deref().map(|text| moment(cx, text)).transpose()?;
        let longest = limits.longest();
        let past = match (&request.time_range, since) {
            (Some(spec), _) => cx.past("time_range", spec, longest)?,
            (None, Some(since)) => Past { window: around(cx, since)?, after_now: None },
            (None, None) => cx.past("time_range", &TimeSpec::Last(USUAL), longest)?,
        };
        let window = past.window;
        let step = automatic_step(window, POINTS, SCRAPE);
        let when = When { past, window, lead_in: None, longer: None, since, step };
        if when.grid().count() < FEWEST {
            let least = duration_text(FEWEST as f64 * SCRAPE);
            return Err(ToolError::invalid("time_range", "is too short to have a baseline")
                .remedy(format!("at least {least}; left out, it is 1h")));
        }
        let when = if request.mode == Some(Mode::Cardinality) { when } else { when.led_in(longest) };
        let longer = begun_earlier(when.window, Duration::from_secs_f64(when.window.seconds()), longest);
        When { longer, ..when }.checked()
    }

    /// A window shorter than usual, with its lead-in; as it is where the bound allows none.
    fn led_in(self, longest: Duration) -> When {
        if self.window.seconds() >= USUAL.as_secs_f64() {
            return self;
        }
        let Some(window) = begun_earlier(self.window, LEAD_IN, longest) else { return self };
        let step = automatic_step(window, POINTS_WITH_LEAD_IN, SCRAPE);
        When { window, lead_in: Some(self.window.start()), step, ..self }
    }

    /// Whether a moment lies in the lead-in.
    pub(super) fn is_before_window(&self, at: Timestamp) -> bool {
        self.lead_in.is_some_and(|start| at < start)
    }

    /// `since` must leave a baseline before it and something after it.
    fn checked(self) -> Result<When, ToolError> {
        let Some(since) = self.since else { return Ok(self) };
        if self.split_at(since).is_some() {
            return Ok(self);
        }
        let (start, end) = (time_text(self.window.start()), time_text(self.window.end()));
        let baseline = duration_text(self.pace().step * 4.0 + SPAN.max(2.0 * self.pace().step));
        Err(ToolError::invalid("since", &format!("{} leaves no baseline", time_text(since))).remedy(format!(
            "a moment within {start} and {end}, at least {baseline} after the start; or an earlier time_range"
        )))
    }

    pub(super) fn grid(&self) -> Grid {
        Grid::lay(self.window, self.step)
    }

    /// What is asked of the store.
    pub(super) fn asked(&self) -> TimeRange {
        self.grid().window(self.window)
    }

    pub(super) fn pace(&self) -> Pace {
        let step = self.step as f64;
        Pace { step, span: (SPAN / step).ceil().max(1.0) as usize }
    }

    /// The window divided where the trouble began, if that is known.
    pub(super) fn given(&self) -> Option<Split> {
        self.split_at(self.since?)
    }

    fn split_at(&self, since: Timestamp) -> Option<Split> {
        let grid = self.grid();
        let at = (0..grid.count()).find(|place| grid.second(*place) >= since.as_second())?;
        Split::given(at, grid.count(), self.pace().step)
    }

    /// The moment at a place of the grid.
    pub(super) fn moment(&self, place: usize) -> Option<Timestamp> {
        Timestamp::from_second(self.grid().second(place)).ok()
    }

    /// From the first moment to the last, as it is shown.
    pub(super) fn ends(&self) -> TimeRange {
        self.grid().ends().unwrap_or(self.window)
    }

    /// With a larger step, but no larger than what leaves a baseline.
    pub(super) fn no_coarser_than(self, step: u64) -> When {
        let most = (self.window.seconds() / (2 * FEWEST) as f64) as u64;
        When { step: step.min(most).max(self.step), ..self }
    }

    /// With this step instead.
    pub(super) fn every(self, step: Duration) -> When {
        When { step: step.as_secs().max(1), ..self }
    }

    /// The range of rates, for queries that a person runs again.
    pub(super) fn range(&self) -> String {
        let pace = self.pace();
        duration_text((pace.span as f64 * pace.step).max(2.0 * SPAN))
    }
}

fn moment(cx: &Context, text: &str) -> Result<Timestamp, ToolError> {
    let wrong = |error: contract::TimeError| ToolError::invalid("since", &error.to_string());
    let since = text.parse::<Moment>().and_then(|moment| moment.resolve(cx.now)).map_err(wrong)?;
    if since >= cx.now {
        return Err(ToolError::invalid("since", &format!("is not before now, {}", time_text(cx.now))));
    }
    Ok(since)
}

/// An hour before the trouble, and up to an hour after it.
fn around(cx: &Context, since: Timestamp) -> Result<TimeRange, ToolError> {
    let wrong = || ToolError::invalid("since", "lies outside the calendar");
    let start = since.checked_sub(USUAL).map_err(|_| wrong())?;
    let end = since.checked_add(USUAL).map_err(|_| wrong())?.min(cx.now);
    TimeRange::new(start, end).map_err(|_| wrong())
}
