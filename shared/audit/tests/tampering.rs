//! What the verifier says to every kind of change.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod support;

use audit::{Audit, Effect, Flaw, Key, Noted, Report, VerifyError, verify, verify_reader};
use support::{call, calls, clock, config, facts, key, names, open};

/// Lines 1 to 7: started, five calls, stopped. Sequence numbers are line numbers.
fn log() -> Vec<String> {
    let (audit, lines) = Audit::in_memory("metrics", &key(), clock()).unwrap();
    calls(&audit, 5);
    audit.shutdown().unwrap();
    lines.text().split_inclusive('\n').map(str::to_owned).collect()
}

fn check(lines: &[String]) -> Result<Report, VerifyError> {
    verify_reader(lines.concat().as_bytes(), &key(), None)
}

fn error(lines: &[String]) -> VerifyError {
    check(lines).unwrap_err()
}

/// Put a line where it belongs into a line's value: the byte after `"field":` and a quote, changed.
fn with_changed_field(line: &str, field: &str) -> String {
    let value = line.find(&format!("\"{field}\":")).unwrap() + field.len() + 3;
    let mut bytes = line.as_bytes().to_vec();
    let at = value + usize::from(bytes[value] == b'"');
    bytes[at] ^= 1;
    String::from_utf8(bytes).unwrap()
}

#[test]
fn an_untouched_log_verifies() {
    let report = check(&log()).unwrap();
    assert_eq!((report.records, report.controls, report.torn_tail_bytes), (5, 2, 0));
    assert_eq!(report.last.unwrap().sequence, 7);
}

#[test]
fn a_change_in_any_field_is_found_in_its_line() {
    let fields = [
        "sequence",
        "time",
        "call_id",
        "server",
        "principal",
        "client",
        "transport",
        "tool",
        "effect",
        "arguments",
        "arguments_sha256",
        "upstream",
        "decision",
        "rule",
        "outcome",
        "rows_seen",
        "rows_shown",
        "bytes_out",
        "masked",
        "suspicious",
        "duration_ms",
        "mac",
    ];
    let log = log();
    for field in fields {
        let mut changed = log.clone();
        changed[3] = with_changed_field(&log[3], field);
        let error = error(&changed);
        assert_eq!(error.line, 4, "{field}");
        assert!(matches!(error.what, Flaw::Modified { sequence: 4 }), "{field}: {error}");
    }
    let mut changed = log.clone();
    changed[3] = with_changed_field(&log[3], "version");
    assert!(matches!(error(&changed), VerifyError { line: 4, what: Flaw::NotARecord, .. }));
}

#[test]
fn a_change_of_any_byte_is_found_in_its_line() {
    let log = log();
    let whole = log.concat().into_bytes();
    let mut line = 1;
    for at in 0..whole.len() {
        for bit in [0x01, 0x20] {
            let mut changed = whole.clone();
            changed[at] ^= bit;
            let checked = verify_reader(changed.as_slice(), &key(), None);
            if at + 1 == whole.len() {
                // Without its newline the last line is a torn one.
                assert_eq!(checked.unwrap().torn_tail_bytes, log[6].len() as u64);
            } else {
                assert_eq!(checked.unwrap_err().line, line, "byte {at}");
            }
        }
        line += u64::from(whole[at] == b'\n');
    }
}

#[test]
fn a_missing_record_is_named() {
    let mut log = log();
    log.remove(3);
    assert!(matches!(error(&log), VerifyError { line: 4, what: Flaw::Missing { from: 4, to: 4 }, .. }));
    log.remove(3);
    assert!(matches!(error(&log), VerifyError { line: 4, what: Flaw::Missing { from: 4, to: 5 }, .. }));
}

#[test]
fn a_missing_beginning_is_seen() {
    let log = log();
    assert!(matches!(error(&log[1..]), VerifyError { line: 1, what: Flaw::BeginningMissing, .. }));
}

#[test]
fn records_out_of_order_are_named() {
    let mut log = log();
    log.swap(2, 3);
    let swapped = error(&log);
    let expected = Flaw::OutOfOrder { expected: 3, found_in_line: 4 };
    assert_eq!((swapped.line, swapped.what.to_string()), (3, expected.to_string()));

    let mut log = self::log();
    let moved_down = log.remove(1);
    log.insert(4, moved_down);
    let moved = error(&log);
    let expected = Flaw::OutOfOrder { expected: 2, found_in_line: 5 };
    assert_eq!((moved.line, moved.what.to_string()), (2, expected.to_string()));
}

#[test]
fn a_repeated_record_is_named_wherever_it_is_put() {
    for (place, line) in [(3, 4), (5, 6), (7, 8)] {
        let mut log = log();
        log.insert(place, log[2].clone());
        let error = error(&log);
        assert_eq!(error.line, line);
        assert!(matches!(error.what, Flaw::Repeated { sequence: 3 }), "{error}");
    }
}

#[test]
fn a_copy_from_further_down_is_an_insertion() {
    let mut log = log();
    log.insert(2, log[4].clone());
    assert!(matches!(error(&log), VerifyError { line: 3, what: Flaw::Inserted { sequence: 5 }, .. }));
}

#[test]
fn a_forged_record_is_seen_in_the_middle_and_at_the_end() {
    let forged = |line: &str, sequence: u64| {
        line.replacen("\"sequence\":3", &format!("\"sequence\":{sequence}"), 1).replace("anna", "eve0")
    };
    let mut log = log();
    let at_the_end = forged(&log[2], 8);
    log.push(at_the_end);
    assert!(matches!(error(&log), VerifyError { line: 8, what: Flaw::Modified { sequence: 8 }, .. }));

    let mut log = self::log();
    let in_the_middle = forged(&log[2], 4);
    log.insert(3, in_the_middle);
    assert!(matches!(error(&log), VerifyError { line: 4, what: Flaw::Inserted { sequence: 4 }, .. }));
}

#[test]
fn another_key_is_told_from_a_change() {
    let log = log();
    let other = Key::from_hex(&"7f".repeat(32)).unwrap();
    let error = verify_reader(log.concat().as_bytes(), &other, None).unwrap_err();
    assert!(matches!(error, VerifyError { line: 1, what: Flaw::WrongKey, .. }));

    let mut changed = log.clone();
    changed[0] = with_changed_field(&log[0], "server");
    assert!(matches!(
        self::error(&changed),
        VerifyError { line: 1, what: Flaw::Modified { sequence: 1 }, .. }
    ));
}

#[test]
fn a_log_cut_off_anywhere_verifies_up_to_there() {
    let log = log();
    let whole = log.concat().into_bytes();
    for length in 0..whole.len() {
        let cut = &whole[..length];
        let whole_lines = cut.iter().filter(|byte| **byte == b'\n').count() as u64;
        let torn = cut.iter().rev().take_while(|byte| **byte != b'\n').count() as u64;
        let report = verify_reader(cut, &key(), None).unwrap();
        assert_eq!((report.records + report.controls, report.torn_tail_bytes), (whole_lines, torn));
    }
}

#[test]
fn a_noted_record_must_still_be_there() {
    let log = log();
    let text = log.concat();
    let last = check(&log).unwrap().last.unwrap();
    let noted = Noted { sequence: last.sequence, mac: last.mac.to_uppercase() };
    verify_reader(text.as_bytes(), &key(), Some(&noted)).unwrap();

    // Cut off cleanly: nothing but the note shows it.
    let shorter = log[..6].concat();
    verify_reader(shorter.as_bytes(), &key(), None).unwrap();
    let error = verify_reader(shorter.as_bytes(), &key(), Some(&noted)).unwrap_err();
    assert!(matches!(error.what, Flaw::NotedMissing { sequence: 7 }));
    let nonsense = Noted { sequence: 7, mac: "zz".to_owned() };
    assert!(verify_reader(text.as_bytes(), &key(), Some(&nonsense)).is_err());
}

#[test]
fn a_stream_may_begin_again_but_not_repeat_itself() {
    let first = log();
    let (audit, lines) = Audit::in_memory("metrics", &key(), clock()).unwrap();
    drop(audit.begin(facts("another process, same millisecond", Effect::Read)).unwrap());
    let same_start = lines.text();
    let once = check(&first).unwrap();
    assert_eq!(once.segments, 1);

    let repeated = [first.clone(), first.clone()].concat();
    assert!(matches!(error(&repeated), VerifyError { line: 8, what: Flaw::Repeated { sequence: 1 }, .. }));
    assert_eq!(first[0], same_start.split_inclusive('\n').next().unwrap());
}

#[test]
fn a_file_may_not_begin_again() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("metrics.jsonl");
    calls(&open(room.path()), 1);
    let one_run = std::fs::read_to_string(&file).unwrap();
    let lines_in_one_run = one_run.lines().count() as u64;
    std::fs::write(&file, [one_run.as_str(), &log().concat()].concat()).unwrap();
    let error = verify(&file, &key(), None).unwrap_err();
    assert_eq!((error.line, error.file), (lines_in_one_run + 1, Some(file)));
}

#[test]
fn a_missing_file_in_the_middle_is_seen() {
    let room = tempfile::tempdir().unwrap();
    let audit = Audit::to_directory(audit::AuditConfig { max_file_bytes: 1, ..config(room.path()) }, clock());
    let audit = audit.unwrap();
    for number in 0..4 {
        call(&audit, number);
    }
    drop(audit);
    let names = names(room.path());
    assert!(names.len() > 3, "{names:?}");
    verify(room.path(), &key(), None).unwrap();

    // names: the rotated ones in order, then the current one.
    std::fs::remove_file(room.path().join(&names[1])).unwrap();
    let error = verify(room.path(), &key(), None).unwrap_err();
    assert!(matches!(error.what, Flaw::Unlinked), "{error}");
    assert_eq!((error.line, error.file), (1, Some(room.path().join(&names[2]))));

    // Without the oldest ones the rest verifies, and says what it goes on from.
    std::fs::remove_file(room.path().join(&names[0])).unwrap();
    let rest = verify(room.path(), &key(), None).unwrap();
    assert_eq!(rest.earlier_files, [names[1].clone()]);
}

#[test]
fn a_huge_line_is_refused_without_being_kept() {
    let zeros = std::io::Read::take(std::io::repeat(0), 40 * 1024 * 1024);
    let error = verify_reader(std::io::BufReader::new(zeros), &key(), None).unwrap_err();
    assert!(matches!(error, VerifyError { line: 1, what: Flaw::NotARecord, .. }));
}
