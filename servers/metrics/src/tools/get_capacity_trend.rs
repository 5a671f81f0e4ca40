//! `get_capacity_trend`: what do a service's containers use of what they may use, when is it full, what could be given
//! back?
//!
//! All usage is reduced by the server: quantiles over subqueries and about 240 moments, never samples. What would read
//! more than the cost guard allows is read at moments only, and that is said.

mod ask;
mod chart;
mod find;
mod measure;
mod show;
mod story;
mod usage;

use std::{sync::Arc, time::Duration};

use contract::{
    Answer, Card, Context, Cost, Detail, Draft, Effect, Past, TimeRange, TimeSpec, Tool, ToolError,
    duration_text,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    analysis::{
        capacity::{DAY, Resource},
        ranking::Grid,
    },
    backend::{Metrics, Sources},
    config::QueryLimits,
    tools::{cost::Guard, scope::Lookup},
};

/// Without `time_range`: a month, so that a rise is told from a week.
const DEFAULT: Duration = Duration::from_secs(30 * 86_400);

/// A shorter window holds too few moments to say anything.
const SHORTEST: f64 = 1_800.0;

/// Rows of each table, concise and full, and the most.
const ROWS: usize = 10;
const ROWS_FULL: usize = 40;
const MOST_ROWS: usize = 100;

/// The longest name that is a service and not an essay, in characters.
const LONGEST: usize = 200;

/// Whose usage, since when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Such as `checkout`; left out: all.
    service: Option<String>,
    /// `30d` (the default) or START/END.
    time_range: Option<TimeSpec>,
    /// Left out: both.
    resource: Option<Only>,
    /// Only this one.
    namespace: Option<String>,
    /// Rows of each table, 1 to 100.
    limit: Option<usize>,
    /// Which Prometheus; left out: the first.
    source: Option<String>,
    /// `full`: more evidence and rows.
    detail: Option<Detail>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Only {
    Cpu,
    Memory,
}

pub(crate) struct GetCapacityTrend {
    pub(crate) sources: Arc<Sources>,
    pub(crate) limits: QueryLimits,
}

impl Tool for GetCapacityTrend {
    type Request = Request;

    const CARD: Card = Card {
        name: "get_capacity_trend",
        title: "Capacity trend",
        description: "CPU and memory of a service over weeks against requests and limits: p50/p95/p99/max of its busiest \
pod, throttling, replicas, trend with the time until the limit, which request could safely be lower and what that does \
to an HPA. For sizing, cost, leaks, \"when is it full\". Not for the last hour: get_service_golden_signals, \
query_metrics. Without service: all workloads, nearest to a limit first. Without Kubernetes: the processes' own \
metrics. Example: service=\"checkout\", time_range=\"30d\".",
        search_hint: "capacity CPU memory rightsizing headroom leak forecast HPA cost",
        effect: Effect::Read,
        cost: Cost::Heavy,
        scope: "metrics:read",
    };

    fn unlisted(&self) -> &'static [&'static str] {
        self.sources.unlisted()
    }

    async fn answer(&self, cx: &Context, request: Request) -> Result<Answer, ToolError> {
        let look = Look::of(cx, &request, self)?;
        let mut draft = Draft::new();
        look.cut.iter().for_each(|caveat| draft.caveat(caveat.as_str()));
        let others = self.sources.others(look.store);
        if !others.is_empty() {
            draft.caveat(format!("not asked: {} (argument source)", others.join(", ")));
        }
        let found = match find::population(&look, &mut draft).await? {
            find::Outcome::Found(found) => found,
            find::Outcome::Nothing(verdict) => return Ok(draft.conclude(verdict)),
        };
        let measured = measure::measure(&look, &found, &mut draft).await?;
        Ok(show::answer(&look, &found, &measured, draft))
    }
}

/// One call: what is asked, of whom.
struct Look<'a> {
    cx: &'a Context,
    store: &'a dyn Metrics,
    sources: &'a Sources,
    limits: QueryLimits,
    /// What the queries read; what they may read is planned here, because how many series there are is known.
    guard: Guard<'a>,
    service: Option<&'a str>,
    namespace: Option<&'a str>,
    resources: Vec<Resource>,
    /// What was asked for, as far as it is past, in whole minutes.
    window: TimeRange,
    /// What is to be said of it when its end was after now.
    cut: Option<String>,
    source: Option<&'a str>,
    /// Rows of each table at most.
    limit: usize,
}

impl<'a> Look<'a> {
    fn of(cx: &'a Context, request: &'a Request, tool: &'a GetCapacityTrend) -> Result<Look<'a>, ToolError> {
        for (field, text) in [("service", &request.service), ("namespace", &request.namespace)] {
            let length = text.as_deref().unwrap_or_default().chars().count();
            if length > LONGEST {
                return Err(ToolError::invalid(field, &format!("is {length} characters long"))
                    .remedy(format!("a name of at most {LONGEST} characters")));
            }
        }
        let resources = match request.resource {
            None => vec![Resource::Cpu, Resource::Memory],
            Some(Only::Cpu) => vec![Resource::Cpu],
            Some(Only::Memory) => vec![Resource::Memory],
        };
        let store = tool.sources.metrics(request.source.as_deref())?;
        let past = window(cx, request, tool.limits)?;
        Ok(Look {
            cx,
            store,
            guard: Guard::new(cx, store, tool.limits),
            sources: &tool.sources,
            limits: tool.limits,
            service: request.service.as_deref().map(str::trim),
            namespace: request.namespace.as_deref().map(str::trim),
            resources,
            window: past.window,
            cut: past.caveat("time_range"),
            source: request.source.as_deref(),
            limit: limit(request)?,
        })
    }

    fn lookup(&self) -> Lookup<'_> {
        Lookup { cx: self.cx, store: self.store, aliases: self.sources.aliases(), window: self.window }
    }

    /// The window's length in whole seconds.
    fn span(&self) -> u64 {
        self.window.seconds().round() as u64
    }

    /// The moments of the window at this step, in seconds.
    fn grid(&self, step: u64) -> Grid {
        Grid::lay(self.window, step)
    }

    /// The last whole minute.
    fn end(&self) -> jiff::Timestamp {
        self.window.end()
    }

    /// The window's length in words.
    fn length(&self) -> String {
        duration_text(self.window.seconds())
    }
}

/// Rows of each table at most.
fn limit(request: &Request) -> Result<usize, ToolError> {
    match (request.limit, request.detail) {
        (None, Some(Detail::Full)) => Ok(ROWS_FULL),
        (None, _) => Ok(ROWS),
        (Some(limit @ 1..=MOST_ROWS), _) => Ok(limit),
        (Some(limit), _) => {
            let problem = format!("{limit} is not between 1 and {MOST_ROWS}");
            Err(ToolError::invalid("limit", &problem).remedy(format!("{ROWS} when left out")))
        }
    }
}

/// The window in whole minutes, as far as it is past.
fn window(cx: &Context, request: &Request, limits: QueryLimits) -> Result<Past, ToolError> {
    let most = limits.longest();
    let default = TimeSpec::Last(DEFAULT.min(most));
    let past = cx.past("time_range", request.time_range.as_ref().unwrap_or(&default), most)?;
    let minute = |at: jiff::Timestamp| {
        jiff::Timestamp::from_second(at.as_second().div_euclid(60).saturating_mul(60)).unwrap_or(at)
    };
    match TimeRange::new(minute(past.window.start()), minute(past.window.end())) {
        Ok(window) if window.seconds() >= SHORTEST => Ok(Past { window, ..past }),
        _ => Err(ToolError::invalid("time_range", "is too short to say anything about capacity")
            .remedy(format!("at least {}, better weeks: `30d`", duration_text(SHORTEST)))),
    }
}

/// Days, as a sentence says them; what is less than a tenth of one in hours and minutes.
fn days(seconds: f64) -> String {
    let days = seconds / DAY;
    if days < 0.1 {
        duration_text((seconds / 60.0).round() * 60.0)
    } else if days >= 10.0 {
        format!("{days:.0} d")
    } else {
        format!("{} d", contract::significant((days * 10.0).round() / 10.0))
    }
}
