//! A good call of every tool, for the tables that go through all of them. A test fails when a tool is missing here.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of it")]

use serde_json::{Value, json};

/// Every tool, in the order in which they are listed.
pub const TOOLS: [&str; 7] = [
    "compare_time_periods",
    "get_capacity_trend",
    "get_high_cardinality_metrics",
    "get_service_golden_signals",
    "list_firing_alerts",
    "query_metrics",
    "search_metrics",
];

/// Tool and arguments that reach a backend. `query_metrics` comes twice: at one moment and over a window.
pub fn good_calls() -> Vec<(&'static str, Value)> {
    vec![
        ("compare_time_periods", json!({"metric": "http_requests_total", "window1": "30m"})),
        ("get_high_cardinality_metrics", json!({})),
        ("get_high_cardinality_metrics", json!({"service": "checkout"})),
        ("get_high_cardinality_metrics", json!({"mode": "cardinality"})),
        ("get_service_golden_signals", json!({})),
        ("get_service_golden_signals", json!({"service": "checkout"})),
        ("get_capacity_trend", json!({"service": "checkout"})),
        ("get_capacity_trend", json!({"time_range": "7d"})),
        (
            "compare_time_periods",
            json!({"metric": "sum(rate(http_requests_total[5m]))", "window1": "30m", "window2": "now-2h/now-1h"}),
        ),
        ("get_high_cardinality_metrics", json!({})),
        ("get_high_cardinality_metrics", json!({"service": "web"})),
        ("get_high_cardinality_metrics", json!({"mode": "cardinality"})),
        ("list_firing_alerts", json!({})),
        ("list_firing_alerts", json!({"time_range": "1h"})),
        ("query_metrics", json!({"promql": "up"})),
        ("query_metrics", json!({"promql": "rate(http_requests_total[5m])", "time_range": "1h"})),
        ("search_metrics", json!({"text": "requests"})),
    ]
}
