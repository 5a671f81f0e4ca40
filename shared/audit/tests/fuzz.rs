//! Audit files with anything in them. `cargo xtask fuzz` runs these for longer.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod support;

use audit::{summarize, verify, verify_reader};
use support::{calls, key};
use testkit::fuzz::fuzz;

#[test]
fn fuzz_audit_files() {
    let room = tempfile::tempdir().unwrap();
    let audit = support::open(room.path());
    calls(&audit, 5);
    drop(audit);
    let log = std::fs::read(room.path().join("metrics.jsonl")).unwrap();
    let (key, file) = (key(), room.path().join("fuzzed.jsonl"));
    let words = [
        "\"mac\":\"",
        "\"sequence\":",
        "\"event\":\"started\"",
        "\"version\":1",
        "rotated",
        "}\n{",
        "18446744073709551615",
    ];
    fuzz("audit files", &[&log], &words, |input| {
        let read = verify_reader(input, &key, None);
        // What was changed in any way but by cutting off its end is never called valid with all its records.
        if let Ok(report) = read {
            assert!(report.records <= 5 || input.len() > log.len(), "{report:?}");
            assert!(input.starts_with(
                &log[..input.len().min(log.len()).saturating_sub(report.torn_tail_bytes as usize)]
            ));
        }
        std::fs::write(&file, input).unwrap();
        let _ = verify(&file, &key, None);
        summarize(&file).unwrap();
    });
}
