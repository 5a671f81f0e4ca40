//! `list_firing_alerts`.
use std::sync::Arc;
use contract::{Answer, Card, Context, Cost, Effect, Tool, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;
use crate::backend::Sources;

/// Arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {}

pub(crate) struct ListFiringAlerts {
    pub(crate) sources: Arc<Sources>,

}

impl Tool for ListFiringAlerts {
    type Request = Request;
    const CARD: Card = Card { name: "list_firing_alerts", title: "list_firing_alerts", description: "", search_hint: "", effect: Effect::Read, cost: Cost::Cheap, scope: "metrics:read" };
    fn unlisted(&self) -> &'static [&'static str] { self.sources.unlisted() }
    async fn answer(&self, _cx: &Context, _request: Request) -> Result<Answer, ToolError> {
        Err(ToolError::new(contract::ErrorKind::Internal, "not written yet", ""))
    }
}
