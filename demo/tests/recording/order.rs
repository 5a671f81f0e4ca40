//! What goes wrong spreads from callee to caller, one after the other, and to nobody else.

use std::collections::BTreeMap;

use world::Fault;

use crate::reading::{Recording, STEP, Series, demo, milliseconds, of};

/// The mean latency of some histogram by step, from its own sum and count.
fn latency<'a>(
    recording: &Recording,
    base: &str,
    matches: impl Fn(&Series) -> bool + 'a,
) -> BTreeMap<i64, f64> {
    let increases = |suffix: &str| {
        let name = format!("{base}{suffix}");
        let found: Vec<&Series> = recording.series.iter().filter(|s| s.name == name && matches(s)).collect();
        assert!(!found.is_empty(), "{name}");
        recording.increases(found.into_iter())
    };
    let counts = increases("_count");
    let sums = increases("_sum").into_iter();
    sums.filter(|(step, _)| counts[step] > 0.0).map(|(step, sum)| (step, sum / counts[&step])).collect()
}

/// The first step after which a value stays away from its usual mean by six of its usual deviations.
fn departs(values: &BTreeMap<i64, f64>, onset: i64) -> Option<i64> {
    let before: Vec<f64> = values.range(..onset).map(|(_, value)| *value).collect();
    let mean = before.iter().sum::<f64>() / before.len() as f64;
    let variance = before.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / before.len() as f64;
    let far = |value: f64| (value - mean).abs() > 6.0 * variance.sqrt() + 0.02 * mean;
    assert!(before.iter().filter(|value| far(**value)).count() <= 2, "unrest before the onset");
    let after: Vec<(i64, f64)> = values.range(onset..).map(|(step, value)| (*step, *value)).collect();
    after.windows(3).find(|three| three.iter().all(|(_, value)| far(*value))).map(|three| three[0].0)
}

#[test]
fn the_demo_goes_from_the_pool_to_payment_to_checkout_to_web() {
    let recording = demo();
    let onset = (recording.onset - recording.start) / STEP;
    assert_eq!(recording.onset, milliseconds("2026-01-14T14:02:00Z"));

    let mut waiting: BTreeMap<i64, f64> = BTreeMap::new();
    for (at, value) in recording.named("db_pool_waiting").flat_map(|series| &series.samples) {
        *waiting.entry((at - recording.start).div_euclid(STEP)).or_insert(0.0) += value;
    }
    let is_route = |service: &'static str, route: &'static str| {
        move |series: &Series| {
            series.label("service") == service
                && series.label("http_route") == route
                && series.label("http_response_status_code") == "200"
        }
    };
    let http = "http_server_request_duration_seconds";
    let payment = latency(recording, "grpc_server_handling_seconds", |s| s.label("service") == "payment");
    let seen = latency(recording, "grpc_client_handling_seconds", |s| s.label("grpc_method") == "Charge");
    let checkout = latency(recording, http, is_route("checkout", "/orders"));
    let web = latency(recording, http, is_route("web", "/checkout"));

    let order = [waiting, payment, seen, checkout, web].map(|values| departs(&values, onset).unwrap());
    assert!(order[0] >= onset, "{order:?}");
    assert!(order.is_sorted(), "{order:?}");
    assert!(order[2] < order[3] && order[3] < order[4], "a caller is later than its callee: {order:?}");
    assert!(order[4] <= onset + 8, "within two minutes: {order:?}");
}

#[test]
fn who_does_not_call_the_victim_stays_as_it_was() {
    let recording = demo();
    for series in recording.named("service:latency_seconds:mean_rate2m") {
        let mean = |from: i64, to: i64| {
            let values =
                series.samples.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, value)| value);
            let values: Vec<f64> = values.copied().collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        let (before, after) =
            (mean(recording.start, recording.onset), mean(recording.onset + 300_000, recording.end));
        let calls_payment = matches!(series.label("service"), "payment" | "checkout" | "web");
        assert_eq!(after > 1.2 * before, calls_payment, "{:?} {before} {after}", series.labels);
    }
    for series in recording.named("service:errors:ratio_rate2m") {
        let late = series.samples.iter().filter(|(at, _)| *at > recording.onset + 300_000);
        let worst = late.map(|(_, value)| *value).fold(0.0, f64::max);
        let calls_payment = matches!(series.label("service"), "payment" | "checkout" | "web");
        assert_eq!(worst > 0.02, calls_payment, "{:?} {worst}", series.labels);
    }
}

/// The laws of one recording.
pub(crate) const LAWS: [fn(&str, &Recording); 1] = [planted];

#[test]
fn the_planted_fault_shows_in_the_metrics_that_the_truth_names() {
    for fault in Fault::ALL {
        planted(fault.name(), of(fault));
    }
}

fn planted(name: &str, recording: &Recording) {
    let victim = recording.truth["service"].as_str().unwrap();
    for culprit in recording.truth["culprits"].as_array().unwrap() {
        let text = |key: &str| culprit[key].as_str().unwrap();
        let is_metric = |series: &&Series| {
            series.name == text("metric") || series.name == format!("{}_count", text("metric"))
        };
        let found = recording.series.iter().filter(is_metric);
        let found = found.filter(|series| series.label(text("label")) == text("value")).count();
        assert!(found > 0, "{name}: {culprit}");
    }
    let symptoms = recording.truth["symptoms"].as_array().unwrap();
    // Who only can't be seen hurts nobody.
    let is_felt = recording.truth["fault"] != "lost-metrics";
    assert_eq!(symptoms.iter().any(|symptom| symptom["service"] == victim), is_felt, "{name}: {victim}");
    for symptom in symptoms {
        let since = milliseconds(symptom["since"].as_str().unwrap());
        assert!(since >= recording.onset, "{name} {symptom}");
    }
}

#[test]
fn memory_leaks_until_the_kernel_kills_and_the_dead_stay_dead() {
    let leak = of(Fault::MemoryLeak);
    let victim = leak.truth["service"].as_str().unwrap();
    let killed = leak.with("kube_pod_container_status_last_terminated_reason", "reason", "OOMKilled");
    assert!(killed.filter(|series| series.label("container") == victim).count() > 0);
    let restarts =
        leak.named("kube_pod_container_status_restarts_total").filter(|s| s.samples.last().unwrap().1 > 0.0);
    assert!(restarts.into_iter().all(|series| series.label("container") == victim));

    let dead = of(Fault::DeadDependency);
    let victim = dead.truth["service"].as_str().unwrap();
    for series in dead.with("container_memory_working_set_bytes", "container", victim) {
        assert!(series.samples.last().unwrap().0 < dead.onset + STEP, "{:?}", series.labels);
    }
}
