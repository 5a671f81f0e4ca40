//! What is asked, in which order, and why: as an engineer would who knows nothing yet.

use serde_json::{Map, Value};

/// The servers that exist.
pub(crate) const SERVERS: &[&str] = &["metrics-mcp", "logs-mcp"];

/// One call of the investigation.
pub(crate) struct Step {
    pub(crate) server: &'static str,
    pub(crate) tool: &'static str,
    pub(crate) arguments: &'static [(&'static str, &'static str)],
    /// What one wants to know.
    pub(crate) why: &'static str,
}

const fn metrics(
    why: &'static str,
    tool: &'static str,
    arguments: &'static [(&'static str, &'static str)],
) -> Step {
    Step { server: "metrics-mcp", tool, arguments, why }
}

const fn logs(
    why: &'static str,
    tool: &'static str,
    arguments: &'static [(&'static str, &'static str)],
) -> Step {
    Step { server: "logs-mcp", tool, arguments, why }
}

/// The investigation.
pub(crate) const STEPS: &[Step] = &[
    metrics("What is wrong at all?", "list_firing_alerts", &[]),
    metrics("Which services are worse than usual?", "get_service_golden_signals", &[("time_range", "30m")]),
    metrics(
        "payment is worst. Since when, and in which part?",
        "get_service_golden_signals",
        &[("service", "payment"), ("time_range", "30m")],
    ),
    metrics(
        "Which of all its metrics moved, and which moved first?",
        "get_high_cardinality_metrics",
        &[("service", "payment"), ("time_range", "1h")],
    ),
    metrics(
        "The pool became smaller. What did that do to those who wait for it?",
        "compare_time_periods",
        &[("metric", "db_pool_waiting{service=\"payment\"}"), ("window1", "28m"), ("by", "instance")],
    ),
    metrics(
        "And is payment sized well otherwise?",
        "get_capacity_trend",
        &[("service", "payment"), ("time_range", "30d")],
    ),
    metrics(
        "What else does it measure about connections?",
        "search_metrics",
        &[("text", "connections pool"), ("service", "payment")],
    ),
    metrics(
        "How did the pool fill up?",
        "query_metrics",
        &[("promql", "sum by (instance) (db_pool_in_use{service=\"payment\"})"), ("time_range", "1h")],
    ),
    logs(
        "What do the logs of payment say that they did not say before?",
        "get_error_patterns",
        &[("service", "payment"), ("time_range", "30m")],
    ),
    logs(
        "What was new just before it began?",
        "correlate_logs_with_time",
        &[("timestamp", "2026-01-14T14:02:15Z"), ("service", "payment")],
    ),
    logs(
        "Who is affected, and what does the log of one request look like?",
        "search_logs",
        &[("query", "\"pool exhausted\""), ("time_range", "30m"), ("group_by", "service.version")],
    ),
    logs("Did anybody fall silent?", "get_log_volume_anomalies", &[("time_range", "1h")]),
];

/// The arguments of a call.
pub(crate) fn arguments(step: &Step) -> Value {
    let pairs = step.arguments.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// `tool(argument="value")`.
pub(crate) fn written(step: &Step) -> String {
    let arguments: Vec<String> =
        step.arguments.iter().map(|(name, value)| format!("{name}={}", Value::from(*value))).collect();
    format!("{}({})", step.tool, arguments.join(", "))
}

/// How to go on.
pub(crate) fn goodbye(incident: &str) -> String {
    format!(
        "To go on:\n  target/debug/metrics-mcp --snapshot {incident} call query_metrics promql=… time_range=1h\n  \
         claude mcp add metrics -- $PWD/target/debug/metrics-mcp --snapshot $PWD/{incident}\n  \
         claude mcp add logs -- $PWD/target/debug/logs-mcp --snapshot $PWD/{incident}\n  \
         cargo xtask world --fault memory-leak --seed 7 --out DIR     another incident\n\
         Your own: PROMETHEUS_URL=http://… ALERTMANAGER_URL=http://… metrics-mcp check (README.md)\n"
    )
}
