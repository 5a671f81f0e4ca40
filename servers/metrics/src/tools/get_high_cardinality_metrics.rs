//! `get_high_cardinality_metrics`: which metrics of a service have unusual values, or which have the most series?
//!
//! The name means the first in the specification of this tool and the second to everyone who runs a Prometheus; `mode`
//! says which. Without a service all of them are ranked, worst first.

mod cardinality;
mod everyone;
mod gather;
mod series;
mod unusual;
mod when;
mod words;

use std::sync::Arc;

use contract::{
    Answer, Card, Context, Cost, Detail, Draft, Effect, Evidence, Next, TimeSpec, Tool, ToolError,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    analysis::{ranking::Grid, unusual::signals::Signal},
    backend::{Metrics, Sources},
    config::{QueryLimits, aliases::Aliases},
    tools::{
        cost::Guard,
        scope::{self, Lookup, Resolved},
    },
};
use when::When;

/// Rows without `limit`.
const ROWS: usize = 12;
const ROWS_IN_FULL: usize = 40;
const MOST_ROWS: usize = 50;
/// The longest name of a service, in characters.
const LONGEST: usize = 200;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Unusual,
    Cardinality,
}

/// Whose metrics, and when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Such as `checkout`; left out, all.
    service: Option<String>,
    /// `unusual` (default) or `cardinality`.
    mode: Option<Mode>,
    /// `1h` (default) or START/END; its first part is the baseline, or the hour before if it is shorter.
    time_range: Option<TimeSpec>,
    /// When the trouble began: RFC 3339, epoch seconds, `now-20m`; left out, inferred.
    since: Option<String>,
    /// Rows, 1 to 50.
    limit: Option<usize>,
    /// Which Prometheus; left out, the first.
    source: Option<String>,
    /// `full`: more rows, and all labels.
    detail: Option<Detail>,
}

pub(crate) struct GetHighCardinalityMetrics {
    pub(crate) sources: Arc<Sources>,
    pub(crate) limits: QueryLimits,
}

impl Tool for GetHighCardinalityMetrics {
    type Request = Request;

    const CARD: Card = Card {
        name: "get_high_cardinality_metrics",
        title: "Unusual metrics of a service",
        description: "Its name has two meanings; mode chooses. unusual (default): the service's metrics whose values \
left their usual range, the first to move first, with score, direction, onset, before → after and query; says whether \
the start was given or inferred. For finding what broke when you don't know the metric. cardinality: metrics with most \
series, the label that multiplies them, churn, remedy. Without service: all services, worst first. One metric: \
query_metrics; two windows: compare_time_periods. Example: service=\"checkout\", since=\"now-20m\".",
        search_hint: "anomaly outlier root cause unusual metrics cardinality series count churn",
        effect: Effect::Read,
        cost: Cost::Range,
        scope: "metrics:read",
    };

    fn unlisted(&self) -> &'static [&'static str] {
        self.sources.unlisted()
    }

    async fn answer(&self, cx: &Context, request: Request) -> Result<Answer, ToolError> {
        let store = self.sources.metrics(request.source.as_deref())?;
        let when = When::of(cx, &request, self.limits)?;
        let cut = when.past.caveat("time_range");
        let look = Look {
            cx,
            store,
            aliases: self.sources.aliases(),
            guard: Guard::new(cx, store, self.limits),
            when,
            limit: limit(&request)?,
            source: request.source.as_deref(),
        };
        let service = request.service.as_deref().map(str::trim);
        let mut draft = Draft::new();
        cut.into_iter().for_each(|caveat| draft.caveat(caveat));
        let others = self.sources.others(store);
        if !others.is_empty() {
            draft.caveat(format!("not asked: {} (argument source)", others.join(", ")));
        }
        let Some(service) = service else {
            return match request.mode {
                Some(Mode::Cardinality) => cardinality::of_all(&look, draft).await,
                _ => everyone::answer(&look, draft).await,
            };
        };
        if service.chars().count() > LONGEST {
            return Err(ToolError::invalid("service", "is no name of a service: it is too long"));
        }
        let lookup = look.lookup();
        let scope = match scope::resolve(&lookup, service, &mut draft).await? {
            Resolved::Found(scope) => scope,
            Resolved::Unknown(near) => return Ok(words::unknown(&lookup, service, &near, draft)),
        };
        let scopes = series::scopes(&lookup, service, scope, &mut draft).await;
        match request.mode {
            Some(Mode::Cardinality) => cardinality::of_service(&look, service, &scopes, draft).await,
            _ => unusual::answer(&look, service, &scopes, draft).await,
        }
    }
}

/// One call: what is asked, of whom.
struct Look<'a> {
    cx: &'a Context,
    store: &'a dyn Metrics,
    aliases: &'a Aliases,
    guard: Guard<'a>,
    when: When,
    limit: usize,
    source: Option<&'a str>,
}

impl Look<'_> {
    fn lookup(&self) -> Lookup<'_> {
        Lookup { cx: self.cx, store: self.store, aliases: self.aliases, window: self.when.window }
    }

    /// A query as it was sent, behind a fence where names in it need one.
    fn evidence(&self, promql: &str, is_plain: bool) -> Evidence {
        Evidence::new(self.store.system(), self.lookup().guarded(promql.to_owned(), is_plain))
    }

    /// Whether a name of the systems needs no fence.
    fn is_plain(&self, name: &str) -> bool {
        self.cx.intake.text(name).plain().is_some()
    }

    /// A call of the source that was asked.
    fn of_source(&self, next: Next) -> Next {
        match self.source {
            Some(source) => next.with("source", source),
            None => next,
        }
    }
}

fn limit(request: &Request) -> Result<usize, ToolError> {
    match request.limit {
        None if request.detail == Some(Detail::Full) => Ok(ROWS_IN_FULL),
        None => Ok(ROWS),
        Some(limit @ 1..=MOST_ROWS) => Ok(limit),
        Some(limit) => Err(ToolError::invalid("limit", &format!("is {limit}; use 1 to {MOST_ROWS}"))),
    }
}

/// What is judged of a service, or of all, within the last hour, for measuring how well it is ranked.
///
/// # Errors
/// As the tool.
pub(crate) async fn unusual_signals(
    cx: &Context,
    store: &dyn Metrics,
    aliases: &Aliases,
    limits: QueryLimits,
    service: Option<&str>,
) -> Result<(Vec<Signal>, Grid), ToolError> {
    let request = Request {
        service: service.map(str::to_owned),
        mode: None,
        time_range: None,
        since: None,
        limit: None,
        source: None,
        detail: None,
    };
    let when = When::of(cx, &request, limits)?;
    let look =
        Look { cx, store, aliases, guard: Guard::new(cx, store, limits), when, limit: ROWS, source: None };
    let mut draft = Draft::new();
    let gathered = match service {
        Some(service) => {
            let lookup = look.lookup();
            let Resolved::Found(scope) = scope::resolve(&lookup, service, &mut draft).await? else {
                return Err(ToolError::invalid("service", "is unknown"));
            };
            let scopes = series::scopes(&lookup, service, scope, &mut draft).await;
            gather::gather(&look, &scopes, None, &mut draft).await?
        }
        None => {
            everyone::gathered(&look, &mut draft)
                .await?
                .ok_or_else(|| ToolError::invalid("service", "no label tells services apart"))?
                .gathered
        }
    };
    Ok((gathered.signals, gathered.when.grid()))
}
