//! The list of tools.

mod asking;
mod compare_time_periods;
mod cost;
mod exemplars;
mod get_capacity_trend;
mod get_high_cardinality_metrics;
mod get_service_golden_signals;
mod list_firing_alerts;
mod query_metrics;
mod scope;
mod search_metrics;

use std::sync::Arc;

use runtime::Server;

use crate::{analysis::signals::catalogue::Catalogue, backend::Sources, config::QueryLimits};

pub(crate) use get_high_cardinality_metrics::unusual_signals;

/// Every tool of this server.
pub(crate) fn all(
    server: Server,
    sources: &Arc<Sources>,
    limits: QueryLimits,
    catalogue: Catalogue,
) -> Server {
    let catalogue = Arc::new(catalogue);
    server
        .tool(compare_time_periods::CompareTimePeriods { sources: Arc::clone(sources), limits })
        .tool(get_service_golden_signals::GetServiceGoldenSignals {
            sources: Arc::clone(sources),
            catalogue,
            limits,
        })
        .tool(get_capacity_trend::GetCapacityTrend { sources: Arc::clone(sources), limits })
        .tool(get_high_cardinality_metrics::GetHighCardinalityMetrics {
            sources: Arc::clone(sources),
            limits,
        })
        .tool(list_firing_alerts::ListFiringAlerts { sources: Arc::clone(sources), limits })
        .tool(query_metrics::QueryMetrics { sources: Arc::clone(sources), limits })
        .tool(search_metrics::SearchMetrics { sources: Arc::clone(sources), limits })
}
