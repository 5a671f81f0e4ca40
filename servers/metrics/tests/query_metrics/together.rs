//! Several tools over one recorded incident: the queries that they hand over tell the same beginning, and none cuts a
//! window without saying so.

use std::fmt::Write as _;

use contract::Clock;
use serde_json::{Value, json};
use testkit::mcp::Client;

use crate::common;

const END: &str = "2026-01-14T14:32:00Z";

fn end() -> i64 {
    contract::FixedClock(END.parse().unwrap()).now().as_second()
}

/// Two hours of a service with a sample every 15 s, whose requests begin to fail, to queue and to take memory `ago`
/// seconds before the end: failures at once, which a rate over two minutes shows as a ramp; the rest within 3 minutes.
fn failing(ago: i64) -> String {
    let mut text = String::new();
    let mut counts = [1_000.0, 0.0, 1_000.0];
    for place in 0..=480_i64 {
        let (at, left) = (end() - 7_200 + place * 15, 7_200 - place * 15);
        let noise = [0.0, 0.7, -0.4, 0.3, -0.6][place as usize % 5];
        let since = (ago - left).max(0) as f64;
        let failed = if since > 0.0 { 4.0 + noise } else { 0.0 };
        let ramp = (since / 180.0).min(1.0);
        for (count, per_second) in counts.iter_mut().zip([40.0 + noise, failed, 40.0 + noise]) {
            *count += 15.0 * per_second;
        }
        let [good, bad, all] = counts;
        for (code, count) in [("200", good), ("500", bad)] {
            writeln!(text, "http_requests_total{{service=\"checkout\",code=\"{code}\"}} {count} {at}")
                .unwrap();
        }
        writeln!(text, "jobs_total{{service=\"checkout\"}} {all} {at}").unwrap();
        let waiting = 20.0 + noise + 60.0 * ramp;
        writeln!(text, "queue_length{{service=\"checkout\"}} {waiting} {at}").unwrap();
    }
    text + "# EOF\n"
}

/// The moments in a column of the tables.
fn moments(structured: &Value, column: &str) -> Vec<jiff::Timestamp> {
    let tables = structured["tables"].as_array().unwrap();
    let of = |table: &Value| -> Vec<jiff::Timestamp> {
        let names = table["columns"].as_array().unwrap();
        let Some(place) = names.iter().position(|name| name == column) else { return Vec::new() };
        let rows = table["rows"].as_array().unwrap();
        rows.iter().filter_map(|row| row[place].as_str()?.parse().ok()).collect()
    };
    tables.iter().flat_map(of).collect()
}

/// What a tool says of the first beginning, and what the query says that it suggests.
async fn both(client: &Client, tool: &str, arguments: Value, column: &str) -> (i64, i64) {
    let told = client.call(tool, arguments).await;
    let structured = told.structured.clone().unwrap();
    let first = moments(&structured, column).into_iter().min().unwrap_or_else(|| panic!("{}", told.text));
    let next = structured["next"].as_array().unwrap().iter().find(|next| next["tool"] == "query_metrics");
    let next = next.unwrap_or_else(|| panic!("no query in {}", told.text));
    let asked = client.call("query_metrics", next["arguments"].clone()).await;
    let onset = moments(asked.structured.as_ref().unwrap(), "onset").into_iter().min();
    let onset = onset.unwrap_or_else(|| panic!("no onset in {}\nasked by {}", asked.text, told.text));
    (end() - first.as_second(), end() - onset.as_second())
}

#[tokio::test]
async fn a_query_that_another_tool_suggests_tells_no_later_beginning() {
    for ago in [1_200, 1_740] {
        let files = [("metrics/a.om", &*failing(ago))];
        let directory = common::incident(END, &files);
        let (client, _) = common::connect(&common::recorded(directory.path()), END).await;
        let cases = [
            ("get_service_golden_signals", json!({"service": "checkout", "time_range": "30m"}), "since"),
            ("get_high_cardinality_metrics", json!({"service": "checkout", "time_range": "30m"}), "onset"),
            ("compare_time_periods", json!({"metric": "queue_length", "window1": "30m"}), "onset"),
        ];
        for (tool, arguments, column) in cases {
            let (told, asked) = both(&client, tool, arguments, column).await;
            // Both step by 15 s; what the tool saw, the query sees at the same moment or the one before it.
            assert!((told..=told + 15).contains(&asked), "{tool}, {ago} s ago: told {told}, asked {asked}");
        }
    }
}

#[tokio::test]
async fn a_window_that_ends_after_now_is_cut_with_a_caveat_by_every_tool() {
    let files = [("metrics/a.om", &*failing(1_200))];
    let directory = common::incident(END, &files);
    let (client, _) = common::connect(&common::recorded(directory.path()), END).await;
    let future = "2026-01-14T13:32:00Z/2026-01-14T15:00:00Z";
    let past = "2026-01-14T12:40:00Z/2026-01-14T13:30:00Z";
    let cases = [
        ("query_metrics", "time_range", json!({"promql": "queue_length"})),
        ("get_service_golden_signals", "time_range", json!({"service": "checkout"})),
        ("get_service_golden_signals", "time_range", json!({})),
        ("get_high_cardinality_metrics", "time_range", json!({"service": "checkout"})),
        ("get_high_cardinality_metrics", "time_range", json!({"mode": "cardinality"})),
        ("compare_time_periods", "window1", json!({"metric": "queue_length", "window2": past})),
        ("compare_time_periods", "window2", json!({"metric": "queue_length", "window1": past})),
        ("list_firing_alerts", "time_range", json!({})),
        ("get_capacity_trend", "time_range", json!({})),
    ];
    for (tool, field, mut arguments) in cases {
        arguments[field] = future.into();
        let reply = client.call(tool, arguments).await;
        assert!(reply.text.contains("2026-01-14T15:00:00Z, which is after now"), "{tool}: {}", reply.text);
        let structured = reply.structured.unwrap();
        let caveats = structured["coverage"]["caveats"].to_string();
        assert!(caveats.contains("2026-01-14T15:00:00Z, which is after now"), "{tool}: {caveats}");
    }
}

/// An hour of each series is 240 samples, half an hour of it in steps of 15 s 120.
#[tokio::test]
async fn the_own_queries_of_every_tool_keep_to_the_limit_of_samples() {
    let alert = "ALERTS{alertname=\"Slow\",alertstate=\"firing\"} 1";
    let alerts: String = (0..=240).map(|place| format!("{alert} {}\n", end() - place * 15)).rev().collect();
    let alerts = alerts + "# EOF\n";
    let files = [("metrics/a.om", &*failing(1_200)), ("metrics/b.om", &*alerts)];
    let directory = common::incident(END, &files);
    let mut loaded = common::recorded(directory.path());
    loaded.config.queries.max_samples = 40;
    let (client, _) = common::connect(&loaded, END).await;
    let refused = "(limit 40)";
    for (tool, arguments) in [
        ("list_firing_alerts", json!({"time_range": "1h"})),
        ("get_service_golden_signals", json!({"service": "checkout"})),
        ("get_high_cardinality_metrics", json!({"service": "checkout"})),
        ("compare_time_periods", json!({"metric": "queue_length", "window1": "30m"})),
        ("query_metrics", json!({"promql": "queue_length", "time_range": "1h"})),
    ] {
        let reply = client.call(tool, arguments).await;
        assert!(reply.text.contains(refused), "{tool}: {}", reply.text);
    }
    loaded.config.queries.max_samples = 3;
    let (client, _) = common::connect(&loaded, END).await;
    let reply = client.call("search_metrics", json!({"text": "*"})).await;
    assert!(
        reply.text.contains("series were not counted") && reply.text.contains("(limit 3)"),
        "{}",
        reply.text
    );
}
