//! What each kind of fault does, and what it leaves alone.

use std::collections::BTreeMap;

use world::Fault;

use crate::reading::{Recording, STEP, Series, of};

/// Requests answered each second by the victim, or failures only, before the onset and from five minutes after it on.
fn rates(recording: &Recording, is_counted: impl Fn(&Series) -> bool) -> (f64, f64) {
    let counted = recording.series.iter().filter(|series| is_counted(series));
    let onset = (recording.onset - recording.start) / STEP;
    let increases = recording.increases(counted);
    let mean = |from: i64, until: i64| {
        increases.range(from..until).map(|(_, count)| count).sum::<f64>()
            / ((until - from) * STEP / 1000) as f64
    };
    (mean(1, onset), mean(onset + 20, 600))
}

fn victim(recording: &Recording) -> &str {
    recording.truth["service"].as_str().unwrap()
}

/// Counters of requests in the conventions of the shop.
fn counts_requests(series: &Series) -> bool {
    matches!(
        series.name.as_str(),
        "http_server_request_duration_seconds_count"
            | "http_server_duration_milliseconds_count"
            | "rpc_server_duration_milliseconds_count"
            | "http_requests_total"
            | "http_server_requests_seconds_count"
            | "grpc_server_handled_total"
            | "jobs_processed_total"
    )
}

fn counts_failures(series: &Series) -> bool {
    let is_http = ["http_response_status_code", "http_status_code", "status", "code"]
        .iter()
        .any(|label| series.label(label).starts_with('5'));
    counts_requests(series) && (is_http || !matches!(series.label("grpc_code"), "" | "OK"))
}

#[test]
fn a_leak_of_connections_fills_the_pool_step_by_step_without_a_deployment() {
    let recording = of(Fault::ConnectionLeak);
    let victim = victim(recording);
    let changed = recording.truth["changes"].as_array().unwrap();
    assert!(changed.iter().all(|change| change["service"] != victim), "{changed:?}");
    let names = recording.truth["culprit_metrics"].as_array().unwrap();
    let in_use = names[0].as_str().unwrap();
    let of_victim = recording.with(in_use, "service", victim);
    for series in of_victim.filter(|series| matches!(series.label("state"), "" | "used")) {
        let mean = |from: i64, until: i64| {
            let at = |minutes: i64| recording.onset + minutes * 60_000;
            let part = series.samples.iter().filter(|(t, _)| (at(from)..at(until)).contains(t));
            let values: Vec<f64> = part.map(|(_, value)| *value).collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        let (before, early, late) = (mean(-30, 0), mean(1, 4), mean(20, 30));
        assert!(before < early && early < late, "{:?}: {before} {early} {late}", series.labels);
        // Full, and every value of the last ten minutes is the size.
        let until_end = series.samples.iter().filter(|(t, _)| *t > recording.end - 600_000);
        assert!(until_end.into_iter().all(|(_, value)| *value == late), "{:?}", series.labels);
    }
}

#[test]
fn a_noisy_neighbour_saturates_its_node_and_starves_the_pods_there_only() {
    let recording = of(Fault::NoisyNeighbour);
    let (victim, effect) = (victim(recording), &recording.truth["effect"]);
    let node = effect["node"].as_str().unwrap();
    let exporter = &recording.truth["culprits"][1];
    assert_eq!(exporter["metric"], "node_cpu_seconds_total");

    // Idle cores of each node over the last twenty minutes.
    let mut idle: BTreeMap<&str, f64> = BTreeMap::new();
    for series in recording.with("node_cpu_seconds_total", "mode", "idle") {
        let late: Vec<_> = series.samples.iter().filter(|(at, _)| *at > recording.onset + 600_000).collect();
        let (first, last) = (late[0], late[late.len() - 1]);
        *idle.entry(series.label("instance")).or_insert(0.0) +=
            (last.1 - first.1) / ((last.0 - first.0) as f64 / 1000.0);
    }
    for (instance, cores) in idle {
        assert_eq!(cores < 0.8, instance == exporter["value"], "{instance}: {cores} idle");
    }
    let mut beside = 0;
    for series in recording.with("container_pressure_cpu_waiting_seconds_total", "container", victim) {
        let increases = series.increases(recording.start);
        let late: f64 = increases.range(500..).map(|(_, seconds)| seconds).sum::<f64>() / (600.0 - 500.0);
        let is_beside = series.label("node") == node;
        beside += usize::from(is_beside);
        assert_eq!(late / (STEP as f64 / 1000.0) > 0.5, is_beside, "{:?}: {late}", series.labels);
    }
    assert!(beside > 0);
}

#[test]
fn after_a_certificate_ran_out_nothing_arrives_and_callers_say_why() {
    let recording = of(Fault::CertificateExpiry);
    let victim = victim(recording);
    let expiry = recording.with("probe_ssl_earliest_cert_expiry", "service", victim).next().unwrap();
    assert!(
        expiry
            .samples
            .iter()
            .all(|(at, value)| *value * 1000.0 == recording.onset as f64 && *at < recording.onset)
    );
    let probe = recording.with("probe_success", "service", victim).next().unwrap();
    assert!(probe.samples.iter().all(|(at, value)| (*value == 1.0) == (*at < recording.onset)));
    // Other certificates are good for a month.
    for other in
        recording.named("probe_ssl_earliest_cert_expiry").filter(|one| one.label("service") != victim)
    {
        assert!(other.samples[0].1 * 1000.0 > recording.end as f64 + 30.0 * 86_400_000.0);
    }
    let (before, after) =
        rates(recording, |series| counts_requests(series) && series.label("service") == victim);
    assert!(before > 1.0 && after < 0.01 * before, "{before} {after}");
    let blamed = recording.series.iter().filter(|series| {
        ["CERT_HAS_EXPIRED", "*tls.CertificateVerificationError"].contains(&series.label("error_type"))
    });
    let is_http = !recording
        .series
        .iter()
        .any(|one| one.name == "grpc_server_handled_total" && one.label("service") == victim);
    let addresses: Vec<&str> = blamed.map(|series| series.label("server_address")).collect();
    assert_eq!(!addresses.is_empty(), is_http);
    assert!(addresses.iter().all(|address| *address == victim), "{addresses:?}");
}

#[test]
fn a_bad_configuration_fails_a_share_of_requests_as_fast_as_others_succeed() {
    let recording = of(Fault::BadConfig);
    let (victim, share) = (victim(recording), recording.truth["effect"]["failing_share"].as_f64().unwrap());
    let own = |series: &Series| series.label("service") == victim;
    let (_, failures) = rates(recording, |series| own(series) && counts_failures(series));
    let (before, after) = rates(recording, |series| own(series) && counts_requests(series));
    assert!((failures / after - share).abs() < 0.03, "{failures} of {after}, planned {share}");
    assert!((0.85..1.15).contains(&(after / before)), "{before} {after}");
    let symptoms = recording.truth["symptoms"].as_array().unwrap();
    assert!(symptoms.iter().all(|one| one["service"] != victim || one["what"] == "errors"), "{symptoms:?}");
}

#[test]
fn lost_traffic_is_missing_at_the_victim_and_nothing_fails() {
    let recording = of(Fault::LostTraffic);
    let own = |series: &Series| series.label("service") == victim(recording);
    let (before, after) = rates(recording, |series| own(series) && counts_requests(series));
    assert!(after < 0.7 * before, "{before} {after}");
    let (_, failures) = rates(recording, |series| own(series) && counts_failures(series));
    assert!(failures < 0.02 * after, "{failures} of {after}");
}

#[test]
fn lost_metrics_are_those_of_the_victim_alone_while_it_goes_on_working() {
    let recording = of(Fault::LostMetrics);
    let victim = victim(recording);
    for series in recording.series.iter().filter(|series| series.label("service") == victim) {
        let is_own = !series.name.contains(':')
            && !series.name.starts_with("ALERTS")
            && !series.name.starts_with("probe_")
            && series.name != "up";
        let late = series.samples.last().unwrap().0;
        assert!(!is_own || late < recording.onset + STEP, "{} {:?}", series.name, series.labels);
    }
    let is_listed = recording.truth["effect"]["targets_still_listed"].as_bool().unwrap();
    for up in recording.with("up", "service", victim) {
        assert_eq!(up.samples.last().unwrap().0 > recording.onset + STEP, is_listed);
        assert!(up.samples.iter().all(|(at, value)| (*value == 1.0) == (*at < recording.onset)));
    }
    let memory = recording.with("container_memory_working_set_bytes", "container", victim);
    assert!(memory.into_iter().all(|series| series.samples.last().unwrap().0 > recording.end - 2 * STEP));
    let mut available = recording.with("kube_deployment_status_replicas_available", "deployment", victim);
    let available = available.next().unwrap();
    assert!(available.samples.iter().all(|(_, replicas)| *replicas == available.samples[0].1));
}
