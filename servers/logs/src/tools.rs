//! The list of tools. What they share is in [`asking`], [`recount`] and [`rest`].

pub(crate) mod asking;
mod correlate_logs_with_time;
mod extract_stack_traces;
mod get_error_patterns;
mod get_log_volume_anomalies;
mod list_log_sources;
mod recount;
mod rest;
pub(crate) mod search_logs;

use std::sync::Arc;

use runtime::Server;

use crate::backend::Sources;

/// Every tool of this server.
pub(crate) fn all(server: Server, sources: &Arc<Sources>) -> Server {
    server
        .tool(correlate_logs_with_time::CorrelateLogsWithTime { sources: Arc::clone(sources) })
        .tool(extract_stack_traces::ExtractStackTraces { sources: Arc::clone(sources) })
        .tool(get_error_patterns::GetErrorPatterns { sources: Arc::clone(sources) })
        .tool(get_log_volume_anomalies::GetLogVolumeAnomalies { sources: Arc::clone(sources) })
        .tool(list_log_sources::ListLogSources { sources: Arc::clone(sources) })
        .tool(search_logs::SearchLogs { sources: Arc::clone(sources) })
}

#[cfg(test)]
mod tests;
