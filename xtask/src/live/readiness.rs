//! Waiting until the testbed shows what the live tests look for.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::testbed::{cache::Endpoints, http};

const PATIENCE: Duration = Duration::from_secs(240);
const POLL: Duration = Duration::from_millis(500);
/// The load's cache restarts after 90 seconds and the alert about it ends 20 seconds later: from then on there
/// is one that has fired and ended. A few seconds more, for scrapes and evaluations.
const LOAD_HAS_RUN_SECONDS: f64 = 120.0;

/// Alerts that Prometheus must have, how many of each, and in which state; see `testbed/README.md`.
const ALERTS: [(&str, &str, usize); 6] = [
    ("Watchdog", "firing", 1),
    ("InstanceDown", "firing", 1),
    ("HighErrorRate", "firing", 2),
    ("QueueDepthHigh", "firing", 5),
    ("NightlyReportLate", "firing", 1),
    ("ErrorBudgetSlowBurn", "pending", 1),
];

/// Waits, and says how long that took.
pub(super) fn wait(endpoints: &Endpoints) -> Result<Duration, Box<dyn Error>> {
    let started = Instant::now();
    let mut missing = Vec::new();
    let complete = within(PATIENCE, || {
        missing = all_missing(endpoints);
        missing.is_empty()
    });
    if complete {
        return Ok(started.elapsed());
    }
    Err(format!("find in the testbed within {} s: {}", PATIENCE.as_secs(), missing.join("; ")).into())
}

/// Whether `condition` became true in time.
pub(crate) fn within(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if started.elapsed() > patience {
            return false;
        }
        thread::sleep(POLL);
    }
}

fn all_missing(endpoints: &Endpoints) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, running) in endpoints {
        match name.as_str() {
            "prometheus" => missing.extend(missing_in_prometheus(&running.url)),
            "prometheus-old" if value(&running.url, "count(http_requests_total)").is_none() => {
                missing.push("http_requests_total in prometheus-old".to_owned());
            }
            "alertmanager" | "alertmanager-2" => {
                missing.extend(missing_in_alertmanager(&running.url).map(|what| format!("{what} in {name}")));
            }
            _ => {}
        }
    }
    missing
}

fn missing_in_prometheus(url: &str) -> Vec<String> {
    let mut missing = Vec::new();
    let alerts = json(url, "/api/v1/alerts").unwrap_or_default();
    let alerts = alerts.pointer("/data/alerts").and_then(Value::as_array).cloned().unwrap_or_default();
    for (name, state, wanted) in ALERTS {
        let is_such = |alert: &&Value| {
            alert.pointer("/labels/alertname") == Some(&name.into())
                && alert.get("state") == Some(&state.into())
        };
        if alerts.iter().filter(is_such).count() < wanted {
            missing.push(format!("{wanted} {state} {name}"));
        }
    }
    let age = value(url, "scalar(time() - max(process_start_time_seconds{job=\"load\"}))");
    if age.is_none_or(|age| age < LOAD_HAS_RUN_SECONDS) {
        missing.push(format!("{LOAD_HAS_RUN_SECONDS} s of load"));
    }
    missing
}

fn missing_in_alertmanager(url: &str) -> impl Iterator<Item = &'static str> {
    let groups = json(url, "/api/v2/alerts/groups").unwrap_or_default();
    let groups = groups.as_array().cloned().unwrap_or_default();
    let alerts = groups.iter().filter_map(|group| group.get("alerts")?.as_array()).flatten();
    let held: Vec<Value> = alerts.filter_map(|alert| alert.get("status").cloned()).collect();
    let reasons = [
        ("silencedBy", "a silenced alert"),
        ("inhibitedBy", "an inhibited alert"),
        ("mutedBy", "a muted alert"),
    ];
    reasons.into_iter().filter_map(move |(reason, what)| {
        let by =
            |status: &Value| status.get(reason).and_then(Value::as_array).is_some_and(|by| !by.is_empty());
        (!held.iter().any(by)).then_some(what)
    })
}

/// The first value of an instant query, if there is any.
pub(super) fn value(url: &str, promql: &str) -> Option<f64> {
    let reply = json(url, &format!("/api/v1/query?query={}", percent_encoded(promql)))?;
    let result = reply.pointer("/data/result")?;
    // A scalar is one point, a vector a list of series.
    let point = result.pointer("/0/value").unwrap_or(result);
    point.get(1)?.as_str()?.parse().ok().filter(|value: &f64| !value.is_nan())
}

fn json(url: &str, path: &str) -> Option<Value> {
    let reply = http::get(url, path).ok().filter(|reply| reply.status == 200)?;
    serde_json::from_str(&reply.body).ok()
}

/// Everything but letters and digits, which is always allowed.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_encoded_for_a_url() {
        // As `python3 -c 'urllib.parse.quote(…, safe="")'` gives it, apart from `_`.
        assert_eq!(percent_encoded("max(up{job=\"é\"})"), "max%28up%7Bjob%3D%22%C3%A9%22%7D%29");
    }

    #[test]
    fn what_never_comes_true_is_asked_at_least_once_and_given_up() {
        let mut asked = 0;
        let came = within(Duration::ZERO, || {
            asked += 1;
            false
        });

        assert!(!came && asked > 0);
    }
}
