//! Exactly one record per call, whatever happens to it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod support;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use audit::{
    Audit, Closing, Decision, Effect, Lines, MAX_ARGUMENT_BYTES, Outcome, Record, UNIDENTIFIED, UpstreamCall,
};
use serde_json::json;
use support::{call, clock, facts, key, open, verified};

fn in_memory() -> (Audit, Lines) {
    Audit::in_memory("metrics", &key(), clock()).unwrap()
}

fn only_record(lines: &Lines) -> Record {
    let mut records = lines.records();
    assert_eq!(records.len(), 1);
    records.pop().unwrap()
}

const OUTCOMES: [Outcome; 9] = [
    Outcome::Ok,
    Outcome::Refused,
    Outcome::Limited,
    Outcome::Invalid,
    Outcome::UpstreamError,
    Outcome::Timeout,
    Outcome::Cancelled,
    Outcome::Panic,
    Outcome::Aborted,
];

#[test]
fn every_outcome_and_effect_leaves_one_record() {
    for outcome in OUTCOMES {
        for effect in [Effect::Read, Effect::Write] {
            let (audit, lines) = in_memory();
            audit.begin(facts("c-1", effect)).unwrap().close(Closing::empty(outcome)).unwrap();
            let record = only_record(&lines);
            assert_eq!((record.outcome, record.effect, record.call_id.as_str()), (outcome, effect, "c-1"));
        }
    }
}

#[test]
fn a_dropped_call_is_recorded_as_cancelled_with_all_that_was_known() {
    let (audit, lines) = in_memory();
    let mut entry = audit.begin(facts("c-1", Effect::Read)).unwrap();
    entry.identify("anna", Some("blue".to_owned()));
    entry.decide(Decision::Allow, "scope metrics:read");
    entry.upstream().push(upstream(1.0, 10));
    drop(entry);
    let record = only_record(&lines);
    assert_eq!(record.outcome, Outcome::Cancelled);
    assert_eq!((record.principal.as_str(), record.tenant.as_deref()), ("anna", Some("blue")));
    assert_eq!((record.decision, record.rule.as_str()), (Decision::Allow, "scope metrics:read"));
    assert_eq!(record.upstream, [upstream(1.0, 10)]);
}

#[test]
fn a_call_dropped_before_any_decision_was_not_allowed() {
    let (audit, lines) = in_memory();
    drop(audit.begin(facts("c-1", Effect::Write)).unwrap());
    let record = only_record(&lines);
    assert_eq!((record.decision, record.rule.as_str()), (Decision::Refuse, "undecided"));
    assert_eq!(record.principal, UNIDENTIFIED);
}

#[test]
fn a_call_dropped_by_a_panic_is_recorded_as_one() {
    let (audit, lines) = in_memory();
    let call = AssertUnwindSafe(|| {
        let _entry = audit.begin(facts("c-1", Effect::Read)).unwrap();
        std::panic::resume_unwind(Box::new("a defect"));
    });
    catch_unwind(call).unwrap_err();
    assert_eq!(only_record(&lines).outcome, Outcome::Panic);
}

#[test]
fn a_dropped_future_leaves_its_record() {
    let (audit, lines) = in_memory();
    let entry = audit.begin(facts("c-1", Effect::Read)).unwrap();
    let mut future = Box::pin(async move {
        std::future::pending::<()>().await;
        entry.close(Closing::empty(Outcome::Ok)).unwrap();
    });
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    assert!(lines.records().is_empty());
    drop(future);
    assert_eq!(only_record(&lines).outcome, Outcome::Cancelled);
}

#[test]
fn calls_of_many_threads_form_one_chain_in_the_order_of_the_file() {
    let room = tempfile::tempdir().unwrap();
    let audit = open(room.path());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let audit = audit.clone();
            scope.spawn(move || {
                for number in 0..500 {
                    match number % 50 {
                        0 => drop(audit.begin(facts(format!("{thread}-{number}"), Effect::Read)).unwrap()),
                        1 => drop(audit.begin(facts(format!("{thread}-{number}"), Effect::Write)).unwrap()),
                        _ => call(&audit, format!("{thread}-{number}")),
                    }
                }
            });
        }
    });
    drop(audit);
    let report = verified(room.path());
    assert_eq!((report.records, report.last.unwrap().sequence), (4000, 4002));

    let text = std::fs::read_to_string(room.path().join("metrics.jsonl")).unwrap();
    let records: Vec<Record> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let ids: BTreeSet<&str> = records.iter().map(|record| record.call_id.as_str()).collect();
    assert_eq!(ids.len(), 4000);
    assert!(records.is_sorted_by_key(|record| record.sequence));
}

#[test]
fn long_arguments_and_names_are_cut() {
    let (audit, lines) = in_memory();
    let mut facts = facts("c-1", Effect::Read);
    facts.arguments = json!({"promql": "é".repeat(5000)});
    facts.tool = "t".repeat(1000);
    facts.client = Some("c".repeat(100_000));
    drop(audit.begin(facts).unwrap());
    let record = only_record(&lines);
    // {"promql":"…"} with 5,000 letters of two bytes: 13 + 10,000.
    assert!(record.arguments.ends_with("…[cut, 10013 bytes in all]"), "{}", record.arguments);
    assert!(record.arguments.len() <= MAX_ARGUMENT_BYTES && record.arguments.len() > MAX_ARGUMENT_BYTES - 4);
    assert_eq!((record.tool.len(), record.client.unwrap().len()), (256, 256));
}

#[test]
fn a_line_break_in_a_name_stays_inside_its_line() {
    let (audit, lines) = in_memory();
    let mut facts = facts("c-1", Effect::Read);
    facts.tool = "x\n{\"version\":1}\r\n".to_owned();
    drop(audit.begin(facts).unwrap());
    assert_eq!(only_record(&lines).tool, "x\n{\"version\":1}\r\n");
    // started, and the call.
    assert_eq!(lines.text().lines().count(), 2);
}

#[test]
fn requests_beyond_a_thousand_share_one_line() {
    let (audit, lines) = in_memory();
    let entry = audit.begin(facts("c-1", Effect::Read)).unwrap();
    for _ in 0..1005 {
        entry.upstream().push(upstream(0.5, 10));
    }
    drop(entry);
    let upstream = only_record(&lines).upstream;
    assert_eq!(upstream.len(), 1001);
    let others = upstream.last().unwrap();
    assert_eq!((others.system.as_str(), others.bytes, others.ms), ("others", 50, 2.5));
}

#[test]
fn impossible_durations_become_zero() {
    let (audit, lines) = in_memory();
    let entry = audit.begin(facts("c-1", Effect::Read)).unwrap();
    for milliseconds in [f64::NAN, f64::INFINITY, -1.0] {
        entry.upstream().push(upstream(milliseconds, 0));
    }
    drop(entry);
    assert!(only_record(&lines).upstream.iter().all(|call| call.ms == 0.0));
}

fn upstream(ms: f64, bytes: u64) -> UpstreamCall {
    UpstreamCall {
        system: "prometheus".to_owned(),
        endpoint: "GET /api/v1/query".to_owned(),
        status: Some(200),
        bytes,
        ms,
        outcome: "ok".to_owned(),
    }
}
