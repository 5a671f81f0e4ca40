//! `compare_time_periods`: did this metric change between two windows, how much, since when, and which label value moved
//! it?
//!
//! A bare metric is asked for as its type wants it; an expression as it stands. Both windows are read at the same
//! aligned step. The earlier window is the baseline; without a second one it is the same time of day, 1 and 7 days
//! earlier, or else the window just before.

mod ask;
mod divide;
mod findings;
mod next;
mod overview;
mod show;
mod subject;
mod windows;

use std::sync::Arc;

use contract::{
    Answer, Card, Context, Cost, Detail, Draft, Effect, ErrorKind, Next, TimeSpec, Tool, ToolError,
};
use schemars::JsonSchema;
use serde::Deserialize;

use self::{
    overview::Overview,
    subject::Metric,
    windows::{Layout, Windows},
};
use crate::{
    backend::{Metrics, Sources},
    config::QueryLimits,
    tools::cost::Guard,
};

/// Rows without `limit`, and the most.
const ROWS: usize = 12;
const MOST_ROWS: u32 = 100;

/// A metric and the windows to compare it in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Metric, selector or PromQL.
    metric: String,
    /// Window in question: `30m` (back from now) or START/END.
    window1: TimeSpec,
    /// Window to compare with. Left out: the same time 1 and 7 days earlier.
    window2: Option<TimeSpec>,
    /// Labels to divide by, with commas: `route`, `method`, `version`, `instance`, any other.
    by: Option<String>,
    /// Most rows, 1 to 100.
    limit: Option<u32>,
    /// Which Prometheus; the first when left out.
    source: Option<String>,
    /// `full`: more rows.
    detail: Option<Detail>,
}

pub(crate) struct CompareTimePeriods {
    pub(crate) sources: Arc<Sources>,
    pub(crate) limits: QueryLimits,
}

impl Tool for CompareTimePeriods {
    type Request = Request;

    const CARD: Card = Card {
        name: "compare_time_periods",
        title: "Compare time periods",
        description: "Compares one metric between two windows (the earlier is the baseline), in total and per label \
set: mean, median, p95, max, last, change, effect size, onset, coverage; what appeared or vanished; which label value \
moved the total. A bare metric is asked for by its type (counter: rate, histogram: quantiles and rate), PromQL as it \
stands. window1 = window2 with by=version compares versions with each other. One window alone: query_metrics. Example: \
metric=\"http_request_duration_seconds{service=\\\"checkout\\\"}\", window1=\"30m\".",
        search_hint: "compare before after yesterday last week baseline change regression diff",
        effect: Effect::Read,
        cost: Cost::Heavy,
        scope: "metrics:read",
    };

    fn unlisted(&self) -> &'static [&'static str] {
        self.sources.unlisted()
    }

    async fn answer(&self, cx: &Context, request: Request) -> Result<Answer, ToolError> {
        let store = self.sources.metrics(request.source.as_deref())?;
        let limit = limit_of(&request)?;
        let windows = Windows::of(cx, &request, self.limits)?;
        let others = self.sources.others(store);
        let guard = Guard::new(cx, store, self.limits);
        let call = Call { cx, store, request: &request, guard, limit, windows };
        let mut draft = Draft::new();
        if !others.is_empty() {
            draft.caveat(format!("not asked: {} (argument source)", others.join(", ")));
        }
        let answer = compare(&call, draft).await;
        answer.map_err(|error| elsewhere(error, &request, &others))
    }
}

/// One call: what is asked, of whom.
struct Call<'c> {
    cx: &'c Context,
    store: &'c dyn Metrics,
    request: &'c Request,
    guard: Guard<'c>,
    limit: usize,
    windows: Windows,
}

impl Call<'_> {
    /// This call with another metric, for a suggestion.
    fn again(&self, metric: &str, why: &str) -> Next {
        let mut next = Next::call("compare_time_periods", why).with("metric", metric);
        for (name, text) in self.windows.arguments() {
            next = next.with(name, text);
        }
        match &self.request.source {
            Some(source) => next.with("source", source.as_str()),
            None => next,
        }
    }
}

async fn compare(call: &Call<'_>, mut draft: Draft) -> Result<Answer, ToolError> {
    call.windows.remarks().into_iter().for_each(|caveat| draft.caveat(caveat));
    let mut metric = Metric::of(call, &mut draft).await?;
    let layout = Layout::of(call, &metric).await?;
    let overview = Overview::ask(call, &mut metric, layout, &mut draft).await?;
    if overview.is_empty() {
        return Ok(show::nothing(call, &metric, &overview, draft));
    }
    let divided = divide::ask(call, &metric, layout, &overview, &mut draft).await?;
    Ok(show::answer(call, &metric, layout, &overview, divided, draft))
}

fn limit_of(request: &Request) -> Result<usize, ToolError> {
    match request.limit {
        None => Ok(if request.detail == Some(Detail::Full) { MOST_ROWS as usize } else { ROWS }),
        Some(limit @ 1..=MOST_ROWS) => Ok(limit as usize),
        Some(limit) => Err(ToolError::invalid("limit", &format!("is {limit}; use 1 to {MOST_ROWS}"))
            .remedy(format!("left out, {ROWS} rows are shown"))),
    }
}

/// Where a source fails, the others can still be asked.
fn elsewhere(error: ToolError, request: &Request, others: &[&str]) -> ToolError {
    if !matches!(error.kind(), ErrorKind::Upstream | ErrorKind::Timeout) {
        return error;
    }
    others.iter().take(2).fold(error, |error, other| {
        let next = Next::call("compare_time_periods", "the same of another source")
            .with("metric", request.metric.as_str())
            .with("window1", windows::argument(&request.window1))
            .with("source", *other);
        error.try_next(match &request.window2 {
            Some(second) => next.with("window2", windows::argument(second)),
            None => next,
        })
    })
}
