//! From the arguments to what is asked of the store.

use std::time::Duration;

use contract::{
    Context, Detail, Evidence, Next, TimeRange, TimeSpec, ToolError, duration_text, parse_duration, time_text,
};
use jiff::Timestamp;

use super::Request;
use crate::{
    analysis::{
        promql::{self, Course, DEEPEST, Reading, SCRAPE, brief},
        ranking::{Grid, MOST_POINTS, automatic_step, smallest_step},
    },
    backend::Metrics,
    config::QueryLimits,
};

/// About so many points a series, unless a step is given.
const POINTS: u64 = 250;
/// Rows unless a limit is given: of a window those that moved, of a moment all that fit.
const ROWS_OVER: usize = 20;
const ROWS_AT: usize = 100;
const MOST_ROWS: u32 = 200;

/// When the expression is evaluated.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    /// At one moment, in whole seconds.
    At(Timestamp),
    /// At the moments of the grid: those of the window that was asked for, as far as it lies in the past.
    Over { asked: TimeRange, past: TimeRange, grid: Grid },
}

/// A call's arguments, checked.
pub(super) struct Question<'q> {
    pub(super) promql: &'q str,
    pub(super) reading: Reading<'q>,
    pub(super) when: When,
    pub(super) limit: usize,
    pub(super) full: bool,
    /// Whether the step is ours to change.
    pub(super) is_automatic: bool,
    /// Whether the window was given as so long back from now.
    ends_now: bool,
    /// The arguments to hand on in a suggested call.
    time_range: Option<String>,
    source: Option<&'q str>,
}

impl<'q> Question<'q> {
    pub(super) fn of(
        cx: &Context,
        request: &'q Request,
        limits: QueryLimits,
    ) -> Result<Question<'q>, ToolError> {
        let promql = request.promql.trim();
        let reading = promql::read(promql).map_err(|depth| {
            ToolError::invalid(
                "promql",
                &format!("its brackets are nested {depth} deep; the limit is {DEEPEST}"),
            )
            .remedy("split the expression into several queries")
        })?;
        let when = when(cx, request, limits)?;
        let limit = match request.limit {
            Some(0) => return Err(ToolError::invalid("limit", "is 0; use 1 to 200")),
            Some(limit) if limit > MOST_ROWS => {
                return Err(ToolError::invalid("limit", &format!("is {limit}; the most is {MOST_ROWS}")));
            }
            Some(limit) => limit as usize,
            None => {
                if matches!(when, When::At(_)) {
                    ROWS_AT
                } else {
                    ROWS_OVER
                }
            }
        };
        let question = Question {
            promql,
            reading,
            when,
            limit,
            full: request.detail == Some(Detail::Full),
            is_automatic: request.step.is_none(),
            ends_now: matches!(request.time_range, Some(TimeSpec::Last(_))),
            time_range: request.time_range.as_ref().map(|spec| spec_text(spec, when)),
            source: request.source.as_deref(),
        };
        question.without_variables()?;
        Ok(question)
    }

    /// Refuses what only a dashboard can fill in, with the query as it would be filled in.
    fn without_variables(&self) -> Result<(), ToolError> {
        let variables = promql::variables(&self.reading);
        if variables.is_empty() {
            return Ok(());
        }
        let (step, range) = match self.when {
            When::At(_) => (SCRAPE, 3_600.0),
            When::Over { asked, grid, .. } => (grid.step().as_secs_f64(), asked.seconds()),
        };
        let (filled, unknown) = promql::substitute(&self.reading, step, range);
        let names: Vec<String> = variables.iter().map(|name| format!("`{name}`")).collect();
        let problem = format!("holds {}, which only a dashboard such as Grafana fills in", names.join(", "));
        let error = ToolError::invalid("promql", &problem);
        if unknown.is_empty() {
            return Err(error
                .remedy("write the duration")
                .try_next(self.again(&filled, "the same, filled in")));
        }
        Err(error.remedy(format!("put the values of {} into the query", unknown.join(", "))))
    }

    /// The same call with another expression.
    pub(super) fn again(&self, promql: &str, why: &str) -> Next {
        let mut next = Next::call("query_metrics", why).with("promql", promql);
        if let Some(time_range) = &self.time_range {
            next = next.with("time_range", time_range.as_str());
        }
        if let (When::Over { grid, .. }, false) = (self.when, self.is_automatic) {
            next = next.with("step", duration_text(grid.step().as_secs_f64()));
        }
        self.of_source(next)
    }

    /// The call of the source that was asked.
    pub(super) fn of_source(&self, next: Next) -> Next {
        match self.source {
            Some(source) => next.with("source", source),
            None => next,
        }
    }

    /// The latest part of the window, so many seconds long, as a `time_range`.
    pub(super) fn latest(&self, seconds: u64) -> Option<(TimeRange, String)> {
        let When::Over { past, .. } = self.when else { return None };
        let length = Duration::from_secs(seconds);
        let window = TimeRange::new(past.end().checked_sub(length).ok()?, past.end()).ok()?;
        let text = if self.ends_now { duration_text(length.as_secs_f64()) } else { window.to_string() };
        (window.start() > past.start()).then_some((window, text))
    }

    /// The moments, for estimating.
    pub(super) fn course(&self) -> Course {
        match self.when {
            When::At(_) => Course::instant(),
            When::Over { grid, .. } => Course::range(grid.count(), grid.step().as_secs_f64()),
        }
    }

    /// The last moment that is evaluated.
    pub(super) fn end(&self) -> Timestamp {
        match self.when {
            When::At(at) => at,
            When::Over { grid, .. } => grid.last(),
        }
    }

    /// Goes over to about `points` points, when that is fewer and the step is ours to change; the numbers of points
    /// before and after.
    pub(super) fn coarser(&mut self, points: u64) -> Option<(usize, usize)> {
        let When::Over { asked, past, grid } = self.when else { return None };
        let coarse = Grid::lay(past, automatic_step(past, points, SCRAPE));
        if !self.is_automatic || coarse.count() >= grid.count() {
            return None;
        }
        self.when = When::Over { asked, past, grid: coarse };
        Some((grid.count(), coarse.count()))
    }

    /// The moments of the automatic step, where a given step makes more.
    pub(super) fn default_grid(&self) -> Option<Grid> {
        let When::Over { past, grid, .. } = self.when else { return None };
        let default = Grid::lay(past, automatic_step(past, POINTS, SCRAPE));
        (default.count() < grid.count()).then_some(default)
    }

    /// The same window in ever fewer moments.
    pub(super) fn coarser_grids(&self) -> Vec<Grid> {
        let When::Over { past, grid, .. } = self.when else { return Vec::new() };
        let mut grids: Vec<Grid> = Vec::new();
        for points in [POINTS, 120, 60, 30, 24] {
            let coarser = Grid::lay(past, automatic_step(past, points, SCRAPE));
            if coarser.count() < grids.last().map_or(grid.count(), |last| last.count()) {
                grids.push(coarser);
            }
        }
        grids
    }

    /// What was sent: a range from its first moment to its last, which are the start and end of the request.
    pub(super) fn evidence(&self, store: &dyn Metrics) -> Evidence {
        let evidence = Evidence::new(store.system(), self.promql);
        match self.when {
            When::At(at) => evidence.at(at).link(store.link(self.promql, None, at)),
            When::Over { past, grid, .. } => {
                let window = grid.ends().unwrap_or_else(|| grid.window(past));
                let link = store.link(self.promql, Some(window), grid.last());
                evidence.over(window).every(grid.step()).link(link)
            }
        }
    }

    /// The moments that were evaluated, and where they differ from the window that was asked for.
    pub(super) fn aligned(&self) -> Option<String> {
        let When::Over { asked, past, grid } = self.when else { return None };
        let step = grid.step();
        let next = grid.last().checked_add(step).unwrap_or(grid.last());
        let mut text = format!(
            "evaluated every {} from {} to {}, both included",
            duration_text(step.as_secs_f64()),
            time_text(grid.first()),
            time_text(grid.last())
        );
        if grid.first() == asked.start() && next == asked.end() {
            return Some(text);
        }
        text.push_str(&format!("; asked from {}", time_text(asked.start())));
        if past.end() < asked.end() {
            text.push_str(&format!(" to {}, which is after now", time_text(asked.end())));
        }
        Some(text)
    }

    /// The expression on one line, cut to what a sentence can bear.
    pub(super) fn title(&self) -> String {
        brief(&self.promql.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

fn when(cx: &Context, request: &Request, limits: QueryLimits) -> Result<When, ToolError> {
    let Some(spec) = &request.time_range else {
        if request.step.is_some() {
            let error = ToolError::invalid("step", "makes sense only with a time_range");
            return Err(error.remedy("add time_range, such as `1h`, or leave step out"));
        }
        // The client sends whole seconds; the evidence says what is sent.
        let second = (cx.now.as_millisecond() + 500).div_euclid(1000);
        return Ok(When::At(Timestamp::from_second(second).unwrap_or(cx.now)));
    };
    let seen = cx.past("time_range", spec, limits.longest())?;
    let past = seen.window;
    let asked = TimeRange::new(past.start(), seen.after_now.unwrap_or(past.end())).unwrap_or(past);
    let step = match &request.step {
        None => automatic_step(past, POINTS, SCRAPE),
        Some(text) => given_step(text, past)?,
    };
    Ok(When::Over { asked, past, grid: Grid::lay(past, step) })
}

fn given_step(text: &str, window: TimeRange) -> Result<u64, ToolError> {
    let step = parse_duration(text).map_err(|error| ToolError::invalid("step", &error.to_string()))?;
    if step.subsec_nanos() != 0 || step.is_zero() {
        return Err(ToolError::invalid(
            "step",
            &format!("`{text}` is not a whole number of seconds, at least 1s"),
        ));
    }
    let smallest = smallest_step(window);
    if step.as_secs() < smallest {
        let problem = format!("`{text}` gives more than {MOST_POINTS} points for each series");
        let smallest = duration_text(smallest as f64);
        return Err(ToolError::invalid("step", &problem)
            .remedy(format!("the smallest step for this window is {smallest}; left out, it is chosen for about {POINTS} points")));
    }
    Ok(step.as_secs())
}

/// The window as a suggested call says it: relative where it was, so that it stays fresh.
fn spec_text(spec: &TimeSpec, when: When) -> String {
    match (spec, when) {
        (TimeSpec::Last(length), _) => duration_text(length.as_secs_f64()),
        (_, When::Over { asked, .. }) => asked.to_string(),
        (_, When::At(at)) => time_text(at),
    }
}
