//! `query_metrics`: what does this expression say, now or over a window, and which of its series moved?
//!
//! Instant without a window. Over a window: an aligned step, one row a series, those that moved most first. An empty
//! result says why it is empty, a rejected query where it is wrong, a query that reads too much what would be cheaper.

mod cost;
mod empty;
mod instant;
mod question;
mod range;
mod rejected;
mod suggest;
mod words;

use std::sync::Arc;

use contract::{Answer, Card, Context, Cost, Detail, Draft, Effect, TimeSpec, Tool, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;
use upstream::UpstreamError;

use self::question::{Question, When};
use crate::{
    backend::{Metrics, Sources},
    config::QueryLimits,
    model::{Data, QueryError, QueryOptions, QueryReply},
    tools::cost::Guard,
};

/// When a reply is larger than allowed, it is asked for again with so many points for each series.
const COARSE: u64 = 60;

/// A PromQL expression and when to evaluate it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// PromQL, such as `sum by (service) (rate(http_requests_total{code=~"5.."}[5m]))`.
    promql: String,
    /// Window: `1h` (back from now), or START/END in RFC 3339, epoch seconds or `now-2h`. Left out: the value now.
    time_range: Option<TimeSpec>,
    /// Distance of the points in the window, such as `1m`. Left out: about 250 points.
    step: Option<String>,
    /// Rows at most, 1 to 200.
    limit: Option<u32>,
    /// Which Prometheus; left out, the first one configured.
    source: Option<String>,
    /// `full` adds the points of the first 3 series and when each had its extremes.
    detail: Option<Detail>,
}

pub(crate) struct QueryMetrics {
    pub(crate) sources: Arc<Sources>,
    pub(crate) limits: QueryLimits,
}

impl Tool for QueryMetrics {
    type Request = Request;

    const CARD: Card = Card {
        name: "query_metrics",
        title: "Query metrics",
        description: "Runs a PromQL expression against Prometheus (Thanos, Mimir, VictoriaMetrics). Without time_range: \
the value of each series now. With time_range: one row a series, those that moved most first, each with median, min, \
max, last, a score (how many usual spreads it moved), onset (when it began to move) and shape (24 digits, 0 its \
minimum, 9 its maximum). Common labels are said once. An empty result says why (unknown metric or label value with the \
nearest ones, no recent samples, filtered by a comparison): it is never a zero. A query that would read too much is \
refused with a cheaper one. Don't know the metric's name: search_metrics. What is wrong at all: list_firing_alerts. \
Example: promql=\"sum by (service) (rate(http_requests_total[5m]))\", time_range=\"1h\".",
        search_hint: "PromQL Prometheus query metrics time series rate latency errors graph value",
        effect: Effect::Read,
        cost: Cost::Range,
        scope: "metrics:read",
    };

    fn unlisted(&self) -> &'static [&'static str] {
        self.sources.unlisted()
    }

    async fn answer(&self, cx: &Context, request: Request) -> Result<Answer, ToolError> {
        let store = self.sources.metrics(request.source.as_deref())?;
        let mut question = Question::of(cx, &request, self.limits)?;
        let guard = Guard::new(cx, store, self.limits).of_caller();
        let estimated = cost::admit(&guard, &mut question).await?;
        let mut caveats = Vec::new();
        let reply = fetch(cx, store, &mut question, &mut caveats).await?;
        // Of a reply that was asked for again with fewer points the estimate is no longer that.
        guard.book(&reply, estimated.filter(|_| caveats.is_empty()));
        caveats.extend(guard.caveats());

        let mut draft = Draft::new();
        remarks(&mut draft, store, &reply);
        question.aligned().into_iter().chain(caveats).for_each(|caveat| draft.caveat(caveat));
        let others = self.sources.others(store);
        if !others.is_empty() {
            draft.caveat(format!("not asked: {} (argument source)", others.join(", ")));
        }
        let cite = draft.cite(question.evidence(store));
        match (reply.data, &question.when) {
            (Data::Scalar(point), _) => Ok(instant::scalar(draft, cite, &question, point)),
            (Data::Text(text), _) => Ok(instant::text(draft, cite, &text)),
            (data, _) if data.series().is_empty() => {
                Ok(empty::explain(cx, store, &guard, &question, draft, cite).await)
            }
            (Data::Vector(series), When::At(at)) => Ok(instant::vector(draft, cite, &question, *at, series)),
            (data, _) => Ok(range::matrix((cx, store), draft, cite, &question, data.into_series()).await),
        }
    }
}

/// Asks, and once more with fewer points when the reply is larger than allowed.
async fn fetch(
    cx: &Context,
    store: &dyn Metrics,
    question: &mut Question<'_>,
    caveats: &mut Vec<String>,
) -> Result<QueryReply, ToolError> {
    let first = ask(cx, store, question).await;
    let Err(QueryError::Upstream(UpstreamError::TooLarge { limit, .. })) = first else {
        return first.map_err(|error| rejected::explain(store, question, error));
    };
    let Some((was, is)) = question.coarser(COARSE) else { return Err(rejected::too_large(question, limit)) };
    caveats
        .push(format!("{is} points a series instead of {was}: the whole reply is larger than {limit} bytes"));
    match ask(cx, store, question).await {
        Err(QueryError::Upstream(UpstreamError::TooLarge { limit, .. })) => {
            Err(rejected::too_large(question, limit))
        }
        second => second.map_err(|error| rejected::explain(store, question, error)),
    }
}

async fn ask(cx: &Context, store: &dyn Metrics, question: &Question<'_>) -> Result<QueryReply, QueryError> {
    let options = QueryOptions { limit: None, stats: true };
    match question.when {
        When::At(at) => store.instant(cx, question.promql, at, options).await,
        When::Over { past, grid, .. } => {
            store.range(cx, question.promql, grid.window(past), grid.step(), options).await
        }
    }
}

/// What the backend remarks must reach the reader.
fn remarks(draft: &mut Draft, store: &dyn Metrics, reply: &QueryReply) {
    const MOST: usize = 4;
    let warnings = reply.warnings.iter().map(|text| ("warning", text));
    let infos = reply.infos.iter().map(|text| ("info", text));
    let all: Vec<_> = warnings.chain(infos).collect();
    for (kind, text) in all.iter().take(MOST) {
        draft.caveat(format!("{kind} from {}: {}", store.system(), text.shown(300)));
    }
    if let Some(more) = all.len().checked_sub(MOST + 1) {
        draft.caveat(format!("{} more warnings or infos from {}", more + 1, store.system()));
    }
}
