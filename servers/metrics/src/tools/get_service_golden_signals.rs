//! `get_service_golden_signals`: how is a service, by traffic, errors, latency and saturation, beside what is usual?
//! Without a service: which of all are worst.
//!
//! Which metrics tell it is found out: a catalogue of conventions is compared with the names of the service's series.

mod all;
mod ask;
mod one;
mod parts;
mod period;
mod probe;
mod show;
mod verdict;
mod words;

use std::sync::Arc;

use contract::{Answer, Card, Context, Cost, Detail, Draft, Effect, TimeSpec, Tool, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    analysis::signals::catalogue::Catalogue,
    backend::Sources,
    config::QueryLimits,
    tools::{cost::Guard, scope::Lookup},
};
use ask::Look;
use period::Period;

/// The longest name of a service or label that is one and not an essay, in characters.
const LONGEST: usize = 200;

/// Whose signals, when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// The service, such as `checkout`. Left out: all services, worst first.
    service: Option<String>,
    /// Window: `30m` (back from now; the default), or START/END.
    time_range: Option<TimeSpec>,
    /// Divides the signals of one service: `route`, `method`, `version`, `instance`, or a label.
    by: Option<String>,
    /// Which Prometheus; left out, the first one.
    source: Option<String>,
    /// `full` shows more rows and queries.
    detail: Option<Detail>,
}

pub(crate) struct GetServiceGoldenSignals {
    pub(crate) sources: Arc<Sources>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) limits: QueryLimits,
}

impl Tool for GetServiceGoldenSignals {
    type Request = Request;

    const CARD: Card = Card {
        name: "get_service_golden_signals",
        title: "Golden signals of a service",
        description: "Traffic, errors, latency and saturation of a service, each beside its baseline (same time a day \
and a week ago), with onset and shape. Start here when you know the service, or leave service out: all services, worst \
first. Finds out by itself which metrics tell it (OpenTelemetry, Micrometer, gRPC, Istio, Envoy, span metrics, \
exporters …), says which, and gives the PromQL. No traffic is told as such, never as 0 % errors. by=route finds which \
part fails, by=version compares versions. Another metric: query_metrics. What fires: list_firing_alerts. \
Example: {\"service\": \"checkout\", \"time_range\": \"30m\"}",
        search_hint: "service health RED golden signals error rate latency p95 traffic saturation slow failing",
        effect: Effect::Read,
        cost: Cost::Heavy,
        scope: "metrics:read",
    };

    fn unlisted(&self) -> &'static [&'static str] {
        self.sources.unlisted()
    }

    async fn answer(&self, cx: &Context, request: Request) -> Result<Answer, ToolError> {
        short("service", request.service.as_deref())?;
        short("by", request.by.as_deref())?;
        let store = self.sources.metrics(request.source.as_deref())?;
        let period = Period::of(cx, request.time_range.as_ref(), self.limits)?;
        let lookup = Lookup { cx, store, aliases: self.sources.aliases(), window: period.long_ago() };
        let guard = Guard::new(cx, store, self.limits);
        let look = Look {
            lookup,
            guard: &guard,
            catalogue: &self.catalogue,
            period,
            source: request.source.as_deref(),
            full: request.detail == Some(Detail::Full),
        };
        let mut draft = Draft::new();
        look.period.cut.iter().for_each(|caveat| draft.caveat(caveat.as_str()));
        for other in self.sources.others(store) {
            draft.caveat(format!("source {other} was not asked"));
        }
        match (request.service.as_deref().map(str::trim), request.by.as_deref().map(str::trim)) {
            (Some(service), by) => one::answer(&look, service, by, draft).await,
            (None, None) => all::answer(&look, draft).await,
            (None, Some(_)) => Err(ToolError::invalid("by", "divides the signals of one service")
                .remedy("name the service, or leave `by` out to rank all services")),
        }
    }
}

fn short(field: &str, text: Option<&str>) -> Result<(), ToolError> {
    let length = text.unwrap_or_default().chars().count();
    if length <= LONGEST {
        return Ok(());
    }
    Err(ToolError::invalid(field, &format!("is {length} characters long"))
        .remedy(format!("a name of at most {LONGEST} characters")))
}
