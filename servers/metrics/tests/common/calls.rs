//! A good call of every tool, for the tables that go through all of them. A test fails when a tool is missing here.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of it")]

use serde_json::{Value, json};

/// Tool and arguments that reach a backend. `query_metrics` comes twice: at one moment and over a window.
pub fn good_calls() -> Vec<(&'static str, Value)> {
    vec![
        ("get_service_golden_signals", json!({})),
        ("get_service_golden_signals", json!({"service": "checkout"})),
        ("get_capacity_trend", json!({"service": "checkout"})),
        ("get_capacity_trend", json!({"time_range": "7d"})),
        ("list_firing_alerts", json!({})),
        ("list_firing_alerts", json!({"time_range": "1h"})),
        ("query_metrics", json!({"promql": "up"})),
        ("query_metrics", json!({"promql": "rate(http_requests_total[5m])", "time_range": "1h"})),
        ("search_metrics", json!({"text": "requests"})),
    ]
}
