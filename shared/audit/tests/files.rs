//! Files in a directory: who gets which, what a restart finds, and rotation.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod support;

use std::fs;
use std::path::Path;

use audit::{Audit, AuditConfig, AuditError, Effect, Key, Record, verify};
use support::{call, calls, clock, config, facts, key, lines, names, open, verified};

fn small_files(directory: &Path, max_file_bytes: u64) -> Audit {
    Audit::to_directory(AuditConfig { max_file_bytes, ..config(directory) }, clock()).unwrap()
}

fn events(path: &Path) -> Vec<String> {
    lines(&path.to_owned())
        .iter()
        .map(|line| line.get("event").map_or("call", |event| event.as_str().unwrap()).to_owned())
        .collect()
}

/// Call ids of all files of one stem, in the order of their chain.
fn call_ids(directory: &Path) -> Vec<String> {
    let mut records: Vec<Record> = names(directory)
        .iter()
        .flat_map(|name| {
            fs::read_to_string(directory.join(name)).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .filter_map(|line| serde_json::from_str(&line).ok())
        .collect();
    records.sort_by_key(|record| record.sequence);
    records.into_iter().map(|record| record.call_id).collect()
}

#[test]
fn two_processes_get_two_files_and_a_third_takes_the_first_free_one() {
    let room = tempfile::tempdir().unwrap();
    let first = open(room.path());
    let second = open(room.path());
    call(&first, "one");
    call(&second, "two");
    assert_eq!(names(room.path()), ["metrics.2.jsonl", "metrics.jsonl"]);
    drop(first);
    let third = open(room.path());
    call(&third, "three");
    drop((second, third));

    assert_eq!(names(room.path()), ["metrics.2.jsonl", "metrics.jsonl"]);
    let report = verified(room.path());
    assert_eq!((report.files, report.segments, report.records), (2, 2, 3));
    assert_eq!(
        events(&room.path().join("metrics.jsonl")),
        ["started", "call", "stopped", "started", "call", "stopped"]
    );
}

#[test]
fn sixty_four_processes_have_files_and_the_next_has_none() {
    let room = tempfile::tempdir().unwrap();
    let open_ones: Vec<Audit> = (0..64).map(|_| open(room.path())).collect();
    let refused = Audit::to_directory(config(room.path()), clock());
    assert!(matches!(refused, Err(AuditError::NoFreeFile { slots: 64, .. })));
    drop(open_ones);
    assert_eq!(verified(room.path()).files, 64);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_anything() {
    use std::os::unix::fs::PermissionsExt;
    let room = tempfile::tempdir().unwrap();
    let directory = room.path().join("state/audit");
    let audit = small_files(&directory, 1);
    calls(&audit, 3);
    drop(audit);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    for name in names(&directory) {
        assert_eq!(mode(&directory.join(&name)), 0o600, "{name}");
    }
}

#[test]
fn a_server_name_that_is_no_file_name_is_refused() {
    let room = tempfile::tempdir().unwrap();
    for server in ["", "../metrics", "a/b", "metrics.2", "ü", &"x".repeat(65)] {
        let config = AuditConfig { server: server.to_owned(), ..config(room.path()) };
        assert!(
            matches!(Audit::to_directory(config, clock()), Err(AuditError::ServerName { .. })),
            "{server}"
        );
    }
}

#[test]
fn a_restart_goes_on_with_the_same_chain() {
    let room = tempfile::tempdir().unwrap();
    for run in 0..3 {
        call(&open(room.path()), run);
    }
    let file = room.path().join("metrics.jsonl");
    let sequences: Vec<u64> = lines(&file).iter().map(|line| line["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (1..=9).collect::<Vec<u64>>());
    let report = verified(&file);
    assert_eq!((report.records, report.segments), (3, 1));
}

#[test]
fn a_restart_after_a_cut_anywhere_recovers_and_says_how_much_was_lost() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("metrics.jsonl");
    calls(&open(room.path()), 2);
    let whole = fs::read(&file).unwrap();
    for length in (0..whole.len()).step_by(7) {
        fs::write(&file, &whole[..length]).unwrap();
        let torn = whole[..length].iter().rev().take_while(|byte| **byte != b'\n').count() as u64;
        let whole_lines = whole[..length].iter().filter(|byte| **byte == b'\n').count();
        call(&open(room.path()), "after");

        let report = verified(&file);
        assert_eq!((report.dropped_bytes, report.torn_tail_bytes), (torn, 0), "cut at {length}");
        let mut expected = vec!["started", "call", "call", "stopped"];
        expected.truncate(whole_lines);
        expected.push("started");
        expected.extend((torn > 0).then_some("recovered"));
        expected.extend(["call", "stopped"]);
        assert_eq!(events(&file), expected, "cut at {length}");
    }
}

#[test]
fn a_last_line_that_is_not_json_is_cut_off_together_with_what_follows() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("metrics.jsonl");
    calls(&open(room.path()), 2);
    let good = fs::read(&file).unwrap();
    // As after a power failure: blocks that were promised and never written.
    let zeros = [[0; 100].as_slice(), b"\n", b"{\"version\":1"].concat();
    fs::write(&file, [good, zeros].concat()).unwrap();
    drop(open(room.path()));
    assert_eq!(verified(&file).dropped_bytes, 100 + 1 + 12);
}

#[test]
fn a_long_torn_line_is_found_however_long() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("metrics.jsonl");
    calls(&open(room.path()), 1);
    let good = fs::read(&file).unwrap();
    fs::write(&file, [good, vec![b'x'; 300_000]].concat()).unwrap();
    drop(open(room.path()));
    assert_eq!(verified(&file).dropped_bytes, 300_000);
}

#[test]
fn a_file_whose_end_was_changed_is_not_continued() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("metrics.jsonl");
    calls(&open(room.path()), 2);
    let good = fs::read_to_string(&file).unwrap();
    let other = AuditConfig { key: Key::from_hex(&"11".repeat(32)).unwrap(), ..config(room.path()) };
    assert!(matches!(Audit::to_directory(other, clock()), Err(AuditError::Tail { .. })));

    let mut without_last_but_one: Vec<&str> = good.split_inclusive('\n').collect();
    without_last_but_one.remove(2);
    let nonsense_twice = format!("{good}nonsense\nnonsense\n");
    let changed = good.replace("\"event\":\"stopped\"", "\"event\":\"started\"");
    for wrong in [without_last_but_one.concat(), nonsense_twice, changed] {
        fs::write(&file, &wrong).unwrap();
        let refused = Audit::to_directory(config(room.path()), clock());
        assert!(matches!(refused, Err(AuditError::Tail { .. })), "{wrong}");
        assert_eq!(fs::read_to_string(&file).unwrap(), wrong, "and it is left as it was");
    }
}

#[test]
fn rotation_carries_the_chain_over() {
    let room = tempfile::tempdir().unwrap();
    let max = 4096;
    let audit = small_files(room.path(), max);
    calls(&audit, 40);
    drop(audit);
    let names = names(room.path());
    assert!(names.len() > 4, "{names:?}");
    assert_eq!(names[0], "metrics.from-000000000001.jsonl");
    for name in &names {
        let path = room.path().join(name);
        assert!(fs::metadata(&path).unwrap().len() <= max, "{name}");
        verified(&path);
    }
    let report = verified(room.path());
    assert_eq!((report.files, report.segments, report.records), (names.len() as u64, 1, 40));
    let expected: Vec<String> = (0..40).map(|number| format!("call-{number}")).collect();
    assert_eq!(call_ids(room.path()), expected);

    // The first record of each says what the last of the one before it was.
    let last = lines(&room.path().join(&names[0])).pop().unwrap();
    let first = &lines(&room.path().join(&names[1]))[0];
    assert_eq!(first["event"], "rotated");
    assert_eq!(first["previous_file"], names[0].as_str());
    assert_eq!(first["previous_mac"], last["mac"]);
}

#[test]
fn a_rotated_file_keeps_its_place_locked() {
    let room = tempfile::tempdir().unwrap();
    let audit = small_files(room.path(), 1);
    calls(&audit, 3);
    audit.flush().unwrap();
    drop(open(room.path()));
    assert!(names(room.path()).contains(&"metrics.2.jsonl".to_owned()));
}

#[test]
fn a_restart_after_the_current_file_vanished_goes_on_from_the_last_rotated_one() {
    let room = tempfile::tempdir().unwrap();
    let audit = small_files(room.path(), 1);
    calls(&audit, 12);
    drop(audit);
    // As if killed between making the new file and writing to it.
    fs::write(room.path().join("metrics.jsonl"), "").unwrap();
    call(&open(room.path()), "after");

    assert_eq!(events(&room.path().join("metrics.jsonl")), ["rotated", "started", "call", "stopped"]);
    let report = verified(room.path());
    assert_eq!((report.segments, report.earlier_files), (1, vec![]));
    assert_eq!(call_ids(room.path()).last().unwrap(), "after");
}

#[test]
fn a_rotation_that_was_interrupted_is_finished_by_the_next_start() {
    let room = tempfile::tempdir().unwrap();
    calls(&open(room.path()), 2);
    let archive = room.path().join("metrics.from-000000000001.jsonl");
    // Killed after giving the full file its second name.
    fs::hard_link(room.path().join("metrics.jsonl"), &archive).unwrap();
    fs::write(room.path().join("metrics.jsonl.next"), "left over").unwrap();
    assert_eq!(verified(room.path()).files, 1);
    call(&open(room.path()), "after");

    assert_eq!(names(room.path()), ["metrics.from-000000000001.jsonl", "metrics.jsonl"]);
    assert_eq!(events(&archive), ["started", "call", "call", "stopped"]);
    assert_eq!(events(&room.path().join("metrics.jsonl")), ["rotated", "started", "call", "stopped"]);
    let report = verified(room.path());
    assert_eq!((report.files, report.segments, report.records), (2, 1, 3));
}

#[test]
fn a_file_that_cannot_be_rotated_goes_on_growing() {
    let room = tempfile::tempdir().unwrap();
    let taken = room.path().join("metrics.from-000000000001.jsonl");
    let audit = small_files(room.path(), 1);
    fs::write(&taken, "").unwrap();
    calls(&audit, 2);
    audit.flush().unwrap();
    drop(audit);
    fs::remove_file(&taken).unwrap();
    let report = verified(room.path());
    assert_eq!((report.segments, report.records), (1, 2));
}

#[test]
fn the_record_of_a_write_is_in_the_file_when_close_returns() {
    let room = tempfile::tempdir().unwrap();
    let audit = open(room.path());
    call(&audit, "a read before");
    drop(audit.begin(facts("the write", Effect::Write)).unwrap());
    assert_eq!(call_ids(room.path()), ["a read before", "the write"]);
    assert_eq!(names(room.path()), ["metrics.jsonl"], "and the probe is gone");
}

#[test]
fn reads_reach_the_file_without_being_asked_to() {
    let room = tempfile::tempdir().unwrap();
    let audit = open(room.path());
    call(&audit, "read");
    // Waits for the condition; if it never comes true, the test runner's patience ends it.
    while call_ids(room.path()).is_empty() {
        std::thread::yield_now();
    }
    assert!(verify(room.path(), &key(), None).is_ok());
}
