//! How long ten million records take to verify: fifty times a chain of two hundred thousand, on one core.
//! `cargo run --release -p audit --example verify_speed`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench fails loudly and prints"
)]

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::Instant;

use audit::{
    Audit, Clock, Closing, Decision, Effect, Facts, Key, Outcome, Transport, UpstreamCall, fingerprint,
    verify_reader,
};
use jiff::Timestamp;

const RECORDS: u64 = 200_000;
const TIMES: u64 = 50;

fn main() {
    let key = Key::from_hex(&"5a".repeat(32)).expect("64 digits");
    let millisecond = AtomicI64::new(1_800_000_000_000);
    let clock: Clock = Arc::new(move || {
        Timestamp::from_millisecond(millisecond.fetch_add(1, Ordering::Relaxed)).unwrap_or_default()
    });
    let (audit, lines) = Audit::in_memory("metrics-mcp", &key, clock).expect("a log in memory");
    for id in 0..RECORDS {
        record(&audit, id);
    }
    audit.shutdown().expect("a log in memory never fails");
    let text = lines.text();
    let began = Instant::now();
    for _ in 0..TIMES {
        let report = verify_reader(text.as_bytes(), &key, None).expect("an untouched log verifies");
        assert_eq!(report.records, RECORDS);
    }
    let seconds = began.elapsed().as_secs_f64();
    let records = RECORDS * TIMES;
    let bytes = text.len() as u64 * TIMES;
    println!("{records} records, {:.2} GB, verified in {seconds:.1} s", bytes as f64 / 1e9);
    println!("figure: audit: 10 M records verified (50 × 200,000 in memory) | {seconds:.1} s | ≤ 30 s");
    assert!(seconds <= 30.0, "slower than the goal");
}

fn record(audit: &Audit, id: u64) {
    let arguments =
        serde_json::json!({"promql": "sum by (service) (rate(http_requests_total[5m]))", "time_range": "1h"});
    let facts = Facts {
        call_id: format!("{id:08x}"),
        traceparent: None,
        client: Some("bench 1".to_owned()),
        transport: Transport::Http,
        tool: "query_metrics".to_owned(),
        effect: Effect::Read,
        arguments_sha256: fingerprint(&arguments),
        arguments,
    };
    let mut entry = audit.begin(facts).expect("a log in memory never fails");
    entry.identify("anna", None);
    entry.decide(Decision::Allow, "scope metrics:read");
    entry.upstream().push(UpstreamCall {
        system: "prometheus \"main\"".to_owned(),
        endpoint: "POST /api/v1/query_range".to_owned(),
        status: Some(200),
        bytes: 12_345,
        ms: 7.5,
        outcome: "ok".to_owned(),
    });
    entry
        .close(Closing { rows_seen: 84, rows_shown: 20, bytes_out: 2_671, ..Closing::empty(Outcome::Ok) })
        .expect("a log in memory never fails");
}
