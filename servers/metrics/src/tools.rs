//! The list of tools.

mod cost;
mod get_high_cardinality_metrics;
mod list_firing_alerts;
mod query_metrics;
mod scope;
mod search_metrics;

use std::sync::Arc;

use runtime::Server;

use crate::{backend::Sources, config::QueryLimits};

pub(crate) use get_high_cardinality_metrics::unusual_signals;

/// Every tool of this server.
pub(crate) fn all(server: Server, sources: &Arc<Sources>, limits: QueryLimits) -> Server {
    server
        .tool(get_high_cardinality_metrics::GetHighCardinalityMetrics {
            sources: Arc::clone(sources),
            limits,
        })
        .tool(list_firing_alerts::ListFiringAlerts { sources: Arc::clone(sources) })
        .tool(query_metrics::QueryMetrics { sources: Arc::clone(sources), limits })
        .tool(search_metrics::SearchMetrics { sources: Arc::clone(sources) })
}
