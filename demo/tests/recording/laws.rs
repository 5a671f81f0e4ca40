//! Laws that hold for every recording, whatever went wrong.

use std::collections::BTreeMap;

use world::Fault;

use crate::reading::{Recording, STEP, Series, demo, of};

/// A recording of each kind, and the demo.
fn check_all(check: fn(&str, &Recording)) {
    check("demo", demo());
    for fault in Fault::ALL {
        check(fault.name(), of(fault));
    }
}

/// The laws of one recording.
pub(crate) const LAWS: [fn(&str, &Recording); 5] = [buckets, counters, pools, moments, limits];

#[test]
fn buckets_are_cumulative_and_end_with_the_count_and_the_sum_lies_between_their_bounds() {
    check_all(buckets);
}

fn buckets(name: &str, recording: &Recording) {
    let mut groups: BTreeMap<_, Vec<(f64, &Series)>> = BTreeMap::new();
    for series in recording.series.iter().filter(|series| series.name.ends_with("_bucket")) {
        let le = series.label("le").parse().unwrap();
        groups.entry((series.name.clone(), series.without("le"))).or_default().push((le, series));
    }
    assert!(groups.len() > 40, "{name}");
    for ((bucket, labels), mut lines) in groups {
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        let base = bucket.trim_end_matches("_bucket");
        let other = |suffix: &str| {
            let name = format!("{base}{suffix}");
            recording.series.iter().find(|s| s.name == name && s.labels == labels).unwrap()
        };
        let (count, sum) = (other("_count"), other("_sum"));
        assert_eq!(lines.last().unwrap().0, f64::INFINITY);
        assert_eq!(lines.last().unwrap().1.samples, count.samples, "{name} {base} {labels:?}");
        let per_second = if base.ends_with("_milliseconds") { 1000.0 } else { 1.0 };
        for place in 0..count.samples.len() {
            let value = |series: &Series, place: usize| series.samples[place].1;
            let (mut below, mut lower, mut least) = (0.0, 0.0, 0.0);
            for (le, line) in &lines {
                assert_eq!(line.samples[place].0, count.samples[place].0, "{name} {base} {labels:?}");
                assert!(value(line, place) >= below, "{name} {base} {labels:?} at {place}");
                least += (value(line, place) - below) * lower;
                (below, lower) = (value(line, place), *le);
            }
            let sum = value(sum, place);
            assert!(sum >= least * (1.0 - 1e-9), "{name} {base} {labels:?} at {place}: {sum} < {least}");
            assert!(sum <= value(count, place) * 60.0 * per_second, "{name} {base}: over a minute each");
        }
    }
}

#[test]
fn every_request_that_callers_send_arrives() {
    // Not where replicas die: what they had counted dies with them.
    let kinds = [
        Fault::PoolShrunk,
        Fault::SlowDependency,
        Fault::CpuStarvation,
        Fault::TrafficSurge,
        Fault::ConnectionLeak,
        Fault::NoisyNeighbour,
        Fault::BadConfig,
        Fault::LostTraffic,
    ];
    for recording in kinds.map(of).into_iter().chain([demo()]) {
        let charged = recording.with("grpc_client_handled_total", "grpc_method", "Charge");
        let charges = recording.with("grpc_server_handled_total", "grpc_method", "Charge");
        let both = (recording.increases(charged), recording.increases(charges));
        assert_same_steps(both.0, both.1);

        // The cart is asked by two services, both of which measure it.
        let asked = recording.with("http_client_request_duration_seconds_count", "server_address", "cart");
        let answered = recording.with("http_requests_total", "handler", "/cart");
        assert_same_steps(recording.increases(asked), recording.increases(answered));
    }
}

fn assert_same_steps(sent: BTreeMap<i64, f64>, arrived: BTreeMap<i64, f64>) {
    assert!(sent.len() > 590, "{}", sent.len());
    assert!(sent.values().sum::<f64>() > 10_000.0);
    for (step, sent) in sent {
        assert_eq!(arrived.get(&step), Some(&sent), "in step {step}");
    }
}

#[test]
fn counters_never_fall_except_where_a_container_was_restarted() {
    check_all(counters);
}

fn counters(name: &str, recording: &Recording) {
    let mut falls = 0;
    for series in &recording.series {
        let is_counter = ["_total", "_count", "_sum", "_bucket"].iter().any(|end| series.name.ends_with(end))
            && series.name != "pg_stat_activity_count";
        if !is_counter {
            continue;
        }
        for pair in series.samples.windows(2) {
            if pair[1].1 < pair[0].1 {
                falls += 1;
                assert!(
                    is_restart(recording, series.label("pod"), pair[0].0, pair[1].0),
                    "{name} {series:?}"
                );
            }
        }
    }
    assert_eq!(falls > 0, recording.truth["fault"] == "memory-leak", "{name}: {falls} falls");
}

/// Whether the kubelet counted a restart of the pod within a minute of the two moments.
fn is_restart(recording: &Recording, pod: &str, from: i64, to: i64) -> bool {
    let restarts = recording.with("kube_pod_container_status_restarts_total", "pod", pod);
    restarts
        .flat_map(|series| series.samples.windows(2))
        .any(|pair| pair[1].1 > pair[0].1 && pair[1].0 > from - 60_000 && pair[0].0 < to + 60_000)
}

#[test]
fn no_pool_has_more_connections_in_use_than_it_may_have() {
    check_all(pools);
}

fn pools(name: &str, recording: &Recording) {
    let pairs = [
        ("db_pool_in_use", "db_pool_size"),
        ("hikaricp_connections_active", "hikaricp_connections_max"),
        ("go_sql_in_use_connections", "go_sql_max_open_connections"),
        ("db_client_connections_usage", "db_client_connections_max"),
    ];
    for (used, size) in pairs {
        let mut seen = 0;
        for used in recording.named(used).filter(|series| matches!(series.label("state"), "" | "used")) {
            let size = recording.with(size, "pod", used.label("pod")).next().unwrap();
            for (one, other) in used.samples.iter().zip(&size.samples) {
                assert!(one.0 == other.0 && one.1 <= other.1, "{name} {} {one:?} {other:?}", used.name);
                seen += 1;
            }
        }
        assert!(seen > 500, "{name} {size}");
    }
}

#[test]
fn scrapes_keep_their_interval_and_their_moment_and_stay_inside_the_window() {
    check_all(moments);
}

fn moments(name: &str, recording: &Recording) {
    for series in &recording.series {
        assert!(
            series.samples.iter().all(|(at, _)| (recording.start..=recording.end).contains(at)),
            "{name}"
        );
        for pair in series.samples.windows(2) {
            let apart = pair[1].0 - pair[0].0;
            assert!(apart > 0 && apart % STEP == 0, "{name} {} {apart}", series.name);
        }
    }
    assert!((1_200..=2_200).contains(&recording.series.len()), "{name}: {}", recording.series.len());
}

#[test]
fn nothing_is_cpu_or_memory_beyond_its_limit() {
    check_all(limits);
}

fn limits(name: &str, recording: &Recording) {
    let limit = |resource: &str, pod: &str| {
        let limits = recording.with("kube_pod_container_resource_limits", "pod", pod);
        limits.filter(|series| series.label("resource") == resource).map(|series| series.samples[0].1).next()
    };
    for series in recording.named("container_memory_working_set_bytes") {
        let limit = limit("memory", series.label("pod")).unwrap();
        assert!(series.samples.iter().all(|(_, used)| *used <= limit), "{name} {:?}", series.labels);
    }
    for series in recording.named("container_cpu_usage_seconds_total") {
        let Some(limit) = limit("cpu", series.label("pod")) else { continue };
        for (step, seconds) in series.increases(recording.start) {
            let most = limit * STEP as f64 / 1000.0;
            assert!(seconds <= most + 0.002, "{name} {:?} {step}: {seconds} of {most}", series.labels);
        }
    }
}

#[test]
fn the_month_ends_where_the_record_begins_and_its_counters_go_on() {
    assert!(demo().month.len() >= 60);
    for old in &demo().month {
        let new = demo().series.iter().find(|new| new.name == old.name && new.labels == old.labels);
        let new = new.unwrap_or_else(|| panic!("{} {:?} does not go on", old.name, old.labels));
        let ((last_at, last), (first_at, first)) = (old.samples.last().unwrap(), new.samples[0]);
        assert!(*last_at < first_at && first_at - last_at < 10 * 60_000, "{:?}", old.labels);
        // A month of samples every five minutes.
        assert!((8_630..=8_640).contains(&old.samples.len()), "{}", old.samples.len());
        if old.name.ends_with("_total") {
            assert!(first >= *last, "{:?}", old.labels);
            assert!(old.samples.windows(2).all(|pair| pair[1].1 >= pair[0].1));
        }
    }
}

#[test]
fn the_month_has_weeks_and_a_week_earlier_is_the_better_yesterday() {
    let requests = demo().month.iter().filter(|series| series.name == "service:requests:rate2m");
    let mut seen = 0;
    for series in requests {
        let at: BTreeMap<i64, f64> = series.samples.iter().copied().collect();
        // Median distance, as a share, of each value from the one so many days earlier.
        let apart = |days: i64, is_wanted: fn(i64) -> bool| -> f64 {
            let pairs = at.iter().filter(|(t, _)| is_wanted(**t)).filter_map(|(t, value)| {
                let earlier = at.get(&(t - days * 86_400_000))?;
                Some((value / earlier - 1.0).abs())
            });
            let mut all: Vec<f64> = pairs.collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        // 1970 began with a Thursday: its fourth day was a Sunday, and Mondays came after.
        let is_monday = |t: i64| t.div_euclid(86_400_000).rem_euclid(7) == 4;
        assert!(apart(7, |_| true) < 0.08, "{:?} {}", series.labels, apart(7, |_| true));
        assert!(apart(1, is_monday) > 2.5 * apart(7, is_monday), "{:?}", series.labels);
        seen += 1;
    }
    assert_eq!(seen, 12);
}
