//! `query_metrics`.
use std::sync::Arc;
use contract::{Answer, Card, Context, Cost, Effect, Tool, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;
use crate::backend::Sources;

/// Arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {}

pub(crate) struct QueryMetrics {
    pub(crate) sources: Arc<Sources>,
    pub(crate) limits: crate::config::QueryLimits,
}

impl Tool for QueryMetrics {
    type Request = Request;
    const CARD: Card = Card { name: "query_metrics", title: "query_metrics", description: "", search_hint: "", effect: Effect::Read, cost: Cost::Cheap, scope: "metrics:read" };
    fn unlisted(&self) -> &'static [&'static str] { self.sources.unlisted() }
    async fn answer(&self, _cx: &Context, _request: Request) -> Result<Answer, ToolError> {
        Err(ToolError::new(contract::ErrorKind::Internal, "not written yet", ""))
    }
}
