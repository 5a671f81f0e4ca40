//! A good call of every tool, for the tables that go through all of them. A test fails when a tool is missing here.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of it")]

use serde_json::{Value, json};

/// Every tool, in the order in which they are listed.
pub const TOOLS: [&str; 6] = [
    "correlate_logs_with_time",
    "extract_stack_traces",
    "get_error_patterns",
    "get_log_volume_anomalies",
    "list_log_sources",
    "search_logs",
];

/// Tool and arguments that reach a backend. `search_logs` comes twice: for lines and for values.
pub fn good_calls() -> Vec<(&'static str, Value)> {
    vec![
        ("correlate_logs_with_time", json!({"timestamp": "now-20m"})),
        ("extract_stack_traces", json!({"error_query": "*"})),
        ("get_error_patterns", json!({})),
        ("get_error_patterns", json!({"service": "payment", "time_range": "30m"})),
        ("get_log_volume_anomalies", json!({})),
        ("get_log_volume_anomalies", json!({"service": "payment", "time_range": "30m"})),
        ("list_log_sources", json!({})),
        ("search_logs", json!({"query": "*"})),
        ("search_logs", json!({"query": "*", "group_by": "service"})),
    ]
}
