//! The bytes in the file, against `audit_chain.py`, which was written from the documentation alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod support;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use audit::{
    Audit, Clock, Closing, Decision, Effect, Facts, OnFailure, Outcome, Transport, UpstreamCall, fingerprint,
    verify, verify_reader,
};
use serde_json::json;
use support::{Disk, key};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Tells these times, one after the other.
fn clock_telling(times: &[&str]) -> Clock {
    let mut times: Vec<jiff::Timestamp> = times.iter().rev().map(|time| time.parse().unwrap()).collect();
    let next = Mutex::new(move || times.pop().unwrap());
    Arc::new(move || (next.lock().unwrap())())
}

/// The call `c-1` of the fixture.
fn full_call(audit: &Audit) {
    let labels = json!({"é\n": true, "a": [1, null, -2.5]});
    let mut entry = audit
        .begin(Facts {
            call_id: "c-1".to_owned(),
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
            client: Some("Claude \"Code\" \u{202e}1.0\u{1b}[0m".to_owned()),
            transport: Transport::Http,
            tool: "query_metrics".to_owned(),
            effect: Effect::Write,
            arguments: json!({"promql": "up{token=\"***\"}", "labels": labels}),
            arguments_sha256: fingerprint(&json!({"promql": "up{token=\"hunter2\"}", "labels": labels})),
        })
        .unwrap();
    entry.identify("anna@example.org", Some("blue".to_owned()));
    entry.decide(Decision::Allow, "scope metrics:read");
    let upstream = |endpoint: &str, status, bytes, ms, outcome: &str| UpstreamCall {
        system: "prometheus".to_owned(),
        endpoint: endpoint.to_owned(),
        status,
        bytes,
        ms,
        outcome: outcome.to_owned(),
    };
    entry.upstream().push(upstream("POST /api/v1/query_range", Some(200), 4096, 8.000_999_9, "ok"));
    entry.upstream().push(upstream("GET /api/v1/labels", None, 0, 0.25, "timeout"));
    let closing = Closing {
        outcome: Outcome::UpstreamError,
        rows_seen: 1200,
        rows_shown: 20,
        bytes_out: 7999,
        masked: 3,
        suspicious: 1,
    };
    entry.close(closing).unwrap();
}

/// The call `c-2` of the fixture: the caller goes away before anything is known.
fn empty_call(audit: &Audit) {
    let facts = Facts {
        call_id: "c-2".to_owned(),
        traceparent: None,
        client: None,
        transport: Transport::Stdio,
        tool: "nonsense".to_owned(),
        effect: Effect::Read,
        arguments: json!({}),
        arguments_sha256: fingerprint(&json!({})),
    };
    drop(audit.begin(facts).unwrap());
}

#[test]
fn the_bytes_are_those_that_python_makes() {
    let disk = Disk::with_room(usize::MAX);
    let first = clock_telling(&[
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:01.25Z",
        "2026-03-01T12:00:01.262345Z",
        // Cut to milliseconds, not rounded; and a clock that is set back gives no negative duration.
        "2026-03-01T12:00:02.000999Z",
        "2026-03-01T12:00:01Z",
        "2026-03-01T12:00:03Z",
    ]);
    let audit =
        Audit::to_writer(Box::new(disk.clone()), "metrics", &key(), OnFailure::Refuse, first).unwrap();
    full_call(&audit);
    empty_call(&audit);
    drop(audit);
    let second = clock_telling(&["2026-03-01T12:05:00.9999Z", "2026-03-01T12:05:01Z"]);
    drop(Audit::to_writer(Box::new(disk.clone()), "metrics", &key(), OnFailure::Refuse, second).unwrap());

    let expected = std::fs::read_to_string(fixture("stream.jsonl")).unwrap();
    assert_eq!(String::from_utf8(disk.content()).unwrap(), expected);
}

#[test]
fn a_stream_that_python_made_verifies() {
    let content = std::fs::read(fixture("stream.jsonl")).unwrap();
    let report = verify_reader(content.as_slice(), &key(), None).unwrap();
    assert_eq!((report.records, report.controls, report.segments), (2, 4, 2));
    assert_eq!(report.first.unwrap().time, "2026-03-01T12:00:00.000Z");
    let last = report.last.unwrap();
    assert_eq!((last.sequence, last.time.as_str()), (2, "2026-03-01T12:05:01.000Z"));
    let line = String::from_utf8(content).unwrap();
    assert!(line.trim_end().ends_with(&format!("\"mac\":\"{}\"}}", last.mac)));
}

#[test]
fn rotated_files_that_python_made_verify_together_and_alone() {
    let together = verify(&fixture("rotated"), &key(), None).unwrap();
    assert_eq!((together.files, together.segments, together.records, together.controls), (2, 1, 2, 4));
    // `{"version":1,"sequ`: 18 bytes.
    assert_eq!((together.torn_tail_bytes, together.dropped_bytes), (18, 17));
    assert!(together.earlier_files.is_empty());

    let alone = verify(&fixture("rotated/metrics.jsonl"), &key(), None).unwrap();
    assert_eq!((alone.files, alone.records, alone.controls), (1, 1, 3));
    assert_eq!(alone.earlier_files, ["metrics.from-000000000001.jsonl"]);
}
