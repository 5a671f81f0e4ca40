//! `ALERTS` and Alertmanager's replies against the rules and the samples beside them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use world::Fault;

use crate::reading::{Recording, Series, demo, milliseconds, of};

/// The label sets for which a rule holds at a moment.
type Holds<'a> = dyn Fn(i64) -> BTreeSet<BTreeMap<String, String>> + 'a;

/// Labels of an alert, its state, and when it was evaluated.
type Row = (BTreeMap<String, String>, &'static str, i64);

fn recordings() -> Vec<(&'static str, &'static Recording)> {
    Fault::ALL.into_iter().map(|fault| (fault.name(), of(fault))).chain([("demo", demo())]).collect()
}

/// Moments of evaluation: the watchdog fires at each.
fn evaluations(recording: &Recording) -> Vec<i64> {
    let watchdog = recording.with("ALERTS", "alertname", "Watchdog").next().unwrap();
    let moments: Vec<i64> = watchdog.samples.iter().map(|(at, _)| *at).collect();
    assert!(moments.windows(2).all(|pair| pair[1] - pair[0] == 30_000) && moments.len() == 300);
    moments
}

fn recorded(recording: &Recording, alertname: &str) -> BTreeSet<Row> {
    let mut rows = BTreeSet::new();
    for series in recording.with("ALERTS", "alertname", alertname) {
        let mut labels = series.labels.clone();
        let state = if labels.remove("alertstate").unwrap() == "firing" { "firing" } else { "pending" };
        for own in ["alertname", "severity", "team"] {
            labels.remove(own).unwrap();
        }
        rows.extend(series.samples.iter().map(|(at, _)| (labels.clone(), state, *at)));
    }
    rows
}

/// What Prometheus does with a rule: pending from the first evaluation at which it holds, firing when it has held
/// for `hold` milliseconds, forgotten when it does not hold.
fn expected(
    recording: &Recording,
    hold: i64,
    holds: impl Fn(i64) -> BTreeSet<BTreeMap<String, String>>,
) -> BTreeSet<Row> {
    let mut since: BTreeMap<BTreeMap<String, String>, i64> = BTreeMap::new();
    let mut rows = BTreeSet::new();
    for at in evaluations(recording) {
        let now = holds(at);
        since.retain(|labels, _| now.contains(labels));
        for labels in now {
            let began = *since.entry(labels.clone()).or_insert(at);
            rows.insert((labels, if at - began >= hold { "firing" } else { "pending" }, at));
        }
    }
    rows
}

fn where_latest<'a>(
    series: impl Iterator<Item = &'a Series>,
    at: i64,
    is: impl Fn(f64) -> bool,
) -> BTreeSet<BTreeMap<String, String>> {
    series.filter(|one| one.latest(at).is_some_and(&is)).map(|one| one.labels.clone()).collect()
}

#[test]
fn alerts_are_what_their_rules_say_of_the_samples() {
    let mut fired = BTreeSet::new();
    for (name, recording) in recordings() {
        let down = |at| where_latest(recording.named("up"), at, |value| value == 0.0);
        let killed = |at| {
            let reasons =
                recording.with("kube_pod_container_status_last_terminated_reason", "reason", "OOMKilled");
            where_latest(reasons, at, |value| value == 1.0)
        };
        let failing =
            |at| where_latest(recording.named("service:errors:ratio_rate2m"), at, |value| value > 0.05);
        let slow =
            |at| where_latest(recording.named("service:latency_seconds:mean_rate2m"), at, |v| v > 0.75);
        let exhausted = |at| {
            let sum = |metric| -> f64 { recording.named(metric).filter_map(|one| one.latest(at)).sum() };
            let is_short = sum("db_pool_in_use") / sum("db_pool_size") > 0.9;
            let labels = BTreeMap::from([("service".to_owned(), "payment".to_owned())]);
            if is_short { BTreeSet::from([labels]) } else { BTreeSet::new() }
        };
        let rules: [(&str, i64, &Holds<'_>); 5] = [
            ("TargetDown", 60_000, &down),
            ("ContainerOOMKilled", 0, &killed),
            ("HighErrorRate", 60_000, &failing),
            ("HighLatency", 120_000, &slow),
            ("PoolNearlyExhausted", 60_000, &exhausted),
        ];
        for (alert, hold, holds) in rules {
            let rows = recorded(recording, alert);
            assert_eq!(rows, expected(recording, hold, holds), "{name} {alert}");
            if rows.iter().any(|(_, state, _)| *state == "firing") {
                fired.insert(alert);
            }
        }
    }
    assert_eq!(fired.len(), 5, "only {fired:?} were put to the test");
}

#[test]
fn alertmanager_shows_exactly_the_alerts_that_fire_at_the_end() {
    for (name, recording) in recordings() {
        firing(name, recording);
    }
}

/// The laws of one recording.
pub(crate) const LAWS: [fn(&str, &Recording); 2] = [firing, hidden];

fn firing(name: &str, recording: &Recording) {
    let last = *evaluations(recording).last().unwrap();
    let mut firing = BTreeSet::new();
    for series in recording.with("ALERTS", "alertstate", "firing") {
        if series.samples.last().unwrap().0 == last {
            firing.insert(series.without("alertstate"));
        }
    }
    let mut shown = BTreeSet::new();
    for alert in recording.alerts.as_array().unwrap() {
        let labels = alert["labels"].as_object().unwrap().iter();
        let mut labels: BTreeMap<String, String> =
            labels.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        assert_eq!(labels.remove("cluster").unwrap(), "shop-prod", "what leaves Prometheus has its label");
        check_times(recording, alert, &labels);
        shown.insert(labels);
    }
    assert_eq!(shown, firing, "{name}");
}

/// Fired when `ALERTS` says so, sent since, and good for longer than now.
fn check_times(recording: &Recording, alert: &Value, labels: &BTreeMap<String, String>) {
    let at = |key: &str| milliseconds(alert[key].as_str().unwrap());
    let series = recording.with("ALERTS", "alertstate", "firing");
    // The last time it began to fire: it may have ended and come again.
    let fired = series.filter(|series| &series.without("alertstate") == labels).map(|series| {
        let gap = series.samples.windows(2).rposition(|pair| pair[1].0 - pair[0].0 > 30_000);
        series.samples[gap.map_or(0, |place| place + 1)].0
    });
    if labels["alertname"] != "Watchdog" {
        assert_eq!(fired.collect::<Vec<_>>(), [at("startsAt")], "{labels:?}");
    }
    assert!(at("startsAt") < at("updatedAt") && at("updatedAt") <= recording.end, "{labels:?}");
    assert!(at("updatedAt") > recording.end - 121_000 && at("endsAt") > recording.end, "{labels:?}");
}

#[test]
fn a_red_herring_is_silenced_and_something_is_inhibited_by_an_alert_that_is_there() {
    for (name, recording) in recordings() {
        hidden(name, recording);
    }
}

fn hidden(name: &str, recording: &Recording) {
    let alerts = recording.alerts.as_array().unwrap();
    let texts = |alert: &Value, key: &str| -> Vec<String> {
        alert["status"][key].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    let silenced: Vec<&Value> =
        alerts.iter().filter(|alert| !texts(alert, "silencedBy").is_empty()).collect();
    let herrings = recording.truth["red_herrings"].as_array().unwrap();
    assert_eq!(silenced.len(), 1, "{name}");
    assert!(herrings.iter().any(|one| one["service"] == silenced[0]["labels"]["container"]), "{name}");

    let inhibited: Vec<&Value> = alerts.iter().filter(|one| !texts(one, "inhibitedBy").is_empty()).collect();
    assert!(!inhibited.is_empty(), "{name}");
    for alert in &inhibited {
        let by = &texts(alert, "inhibitedBy")[0];
        let source = alerts.iter().find(|other| other["fingerprint"] == by.as_str()).unwrap();
        assert_ne!(source["labels"]["severity"], alert["labels"]["severity"], "{name}");
    }
    for alert in alerts {
        let is_hidden = !texts(alert, "silencedBy").is_empty() || !texts(alert, "inhibitedBy").is_empty();
        let state = if is_hidden { "suppressed" } else { "active" };
        assert_eq!(alert["status"]["state"], state, "{name}");
    }
    let grouped: usize =
        recording.groups.as_array().unwrap().iter().map(|g| g["alerts"].as_array().unwrap().len()).sum();
    assert_eq!(grouped, alerts.len(), "{name}: every alert has one receiver here");
}

#[test]
fn replies_have_the_shape_of_recorded_ones() {
    let real = |name: &str| -> Value {
        let path =
            format!("{}/../testbed/recorded/alertmanager-0.28/{name}.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let ours = demo();
    let replies = [
        ("alerts", &ours.alerts),
        ("groups", &ours.groups),
        ("silences", &ours.silences),
        ("status", &ours.status),
    ];
    for (name, reply) in replies {
        let (mut expected, mut found) = (BTreeSet::new(), BTreeSet::new());
        shape(&real(name), name.to_owned(), &mut expected);
        shape(reply, name.to_owned(), &mut found);
        // Which labels and annotations there are is a matter of the rules.
        let is_form = |path: &String| !path.contains("labels.") && !path.contains("annotations.");
        let strip = |set: BTreeSet<String>| set.into_iter().filter(is_form).collect::<BTreeSet<_>>();
        let (expected, found) = (strip(expected), strip(found));
        // The testbed has a mute interval, the shop has none.
        let without_mutes = expected.into_iter().filter(|path| !path.ends_with("mutedBy[]: text"));
        assert_eq!(found, without_mutes.collect(), "{name}");
    }
}

/// Every path of a JSON value with its type.
fn shape(value: &Value, path: String, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(key, value)| shape(value, format!("{path}.{key}"), paths))
        }
        Value::Array(all) => all.iter().for_each(|value| shape(value, format!("{path}[]"), paths)),
        Value::String(_) => drop(paths.insert(format!("{path}: text"))),
        other => drop(paths.insert(format!("{path}: {other}"))),
    }
}
