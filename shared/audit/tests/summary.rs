//! A log added up. Expected sums are arithmetic by hand over what is written here.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use audit::{Audit, Clock, Closing, Decision, Effect, Outcome, UpstreamCall, summarize};
use jiff::Timestamp;
use support::{config, facts, key, verified};

/// One call with a caller, an outcome and an answer of so many bytes.
fn call(audit: &Audit, id: u32, principal: &str, outcome: Outcome, bytes_out: u64) {
    let mut entry = audit.begin(facts(id, Effect::Read)).unwrap();
    entry.identify(principal, None);
    entry.decide(Decision::Allow, "scope metrics:read");
    entry.close(Closing { bytes_out, masked: 1, ..Closing::empty(outcome) }).unwrap();
}

#[test]
fn calls_are_added_up_by_tool_caller_and_outcome_over_all_files_of_a_directory() {
    let room = tempfile::tempdir().unwrap();
    for (principal, outcomes) in
        [("anna", vec![Outcome::Ok, Outcome::Ok, Outcome::Timeout]), ("bert", vec![Outcome::Invalid])]
    {
        // A restart each: another `started` record in the same file.
        let audit = support::open(room.path());
        for (id, outcome) in outcomes.into_iter().enumerate() {
            call(&audit, id as u32, principal, outcome, 100);
        }
    }
    let summary = summarize(room.path()).unwrap();
    assert_eq!((summary.all.calls, summary.all.bytes_out, summary.all.masked), (4, 400, 4));
    let outcomes: Vec<(&str, u64)> =
        summary.all.outcomes.iter().map(|(outcome, count)| (outcome.name(), *count)).collect();
    assert_eq!(outcomes, [("ok", 2), ("invalid", 1), ("timeout", 1)]);
    assert_eq!(summary.principals["anna"].calls, 3);
    assert_eq!(summary.principals["bert"].outcomes[&Outcome::Invalid], 1);
    assert_eq!(summary.tools.keys().collect::<Vec<_>>(), ["query_metrics"]);
    // started, stopped; started, stopped.
    assert_eq!(summary.other_lines, 4);
    assert!(summary.first.unwrap() < summary.last.unwrap());
}

/// Durations of 1, 2 … 20 ms: the clock is put forward by hand. Nearest rank: the 10th and the 19th of twenty.
#[test]
fn percentiles_are_those_of_the_durations() {
    let (audit, lines) = {
        let time = Arc::new(AtomicI64::new(0));
        let asked = Arc::new(AtomicI64::new(0));
        // Each call asks twice: when it begins and when it ends.
        let clock: Clock = Arc::new(move || {
            let number = asked.fetch_add(1, Ordering::Relaxed);
            let forward = if number % 2 == 1 { number / 2 + 1 } else { 1 };
            Timestamp::from_millisecond(time.fetch_add(forward, Ordering::Relaxed) + forward).unwrap()
        });
        Audit::in_memory("metrics", &key(), clock).unwrap()
    };
    for id in 0..20 {
        call(&audit, id, "anna", Outcome::Ok, 1);
    }
    audit.shutdown().unwrap();
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("log.jsonl");
    std::fs::write(&file, lines.text()).unwrap();
    let durations: Vec<f64> =
        support::lines(&file).iter().filter_map(|line| line["duration_ms"].as_f64()).collect();
    let mut sorted = durations.clone();
    sorted.sort_by(f64::total_cmp);
    let summary = summarize(&file).unwrap();
    assert_eq!(durations.len(), 20);
    assert!((summary.all.p50_ms - sorted[9]).abs() < 1e-3, "{durations:?}");
    assert!((summary.all.p95_ms - sorted[18]).abs() < 1e-3, "{durations:?}");
}

#[test]
fn requests_to_other_systems_are_added_up() {
    let room = tempfile::tempdir().unwrap();
    let audit = support::open(room.path());
    let mut entry = audit.begin(facts("a", Effect::Read)).unwrap();
    entry.identify("anna", None);
    entry.decide(Decision::Allow, "x");
    let request = |bytes| UpstreamCall {
        system: "prometheus main".to_owned(),
        endpoint: "GET /api/v1/rules".to_owned(),
        status: Some(200),
        bytes,
        ms: 1.0,
        outcome: "ok".to_owned(),
    };
    entry.upstream().push(request(10));
    entry.upstream().push(request(32));
    entry.close(Closing::empty(Outcome::Ok)).unwrap();
    drop(audit);
    let summary = summarize(room.path()).unwrap();
    assert_eq!((summary.all.upstream_requests, summary.all.upstream_bytes), (2, 42));
}

/// A clock that jumps back an hour, as when it is set: times are what the clock said, durations never negative, and the
/// chain's order is that of its sequence.
#[test]
fn a_clock_that_jumps_back_breaks_nothing() {
    let room = tempfile::tempdir().unwrap();
    let hours = AtomicI64::new(0);
    let clock: Clock = Arc::new(move || {
        let back = hours.fetch_add(1, Ordering::Relaxed) % 3;
        Timestamp::from_second(1_800_000_000 - back * 3_600).unwrap()
    });
    let audit = Audit::to_directory(config(room.path()), clock).unwrap();
    support::calls(&audit, 50);
    drop(audit);
    let report = verified(room.path());
    assert_eq!(report.records, 50);
    let file = room.path().join("metrics.jsonl");
    for line in support::lines(&file) {
        assert!(line["duration_ms"].as_f64().is_none_or(|duration| duration >= 0.0), "{line}");
    }
}
