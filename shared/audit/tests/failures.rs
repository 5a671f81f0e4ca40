//! A sink that does not work: what is refused, what goes on, and that nothing is lost in silence.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod support;

use std::fs;
use std::io::{self, Write};
use std::sync::mpsc;

use audit::{Audit, AuditConfig, AuditError, Closing, Effect, OnFailure, Outcome, verify_reader};
use support::{Disk, call, calls, clock, config, facts, key, open, verified};

fn audit_on(disk: &Disk, on_failure: OnFailure) -> Audit {
    Audit::to_writer(Box::new(disk.clone()), "metrics", &key(), on_failure, clock()).unwrap()
}

fn is_refused(audit: &Audit, effect: Effect) -> bool {
    matches!(audit.begin(facts("begun while broken", effect)), Err(AuditError::Sink { .. }))
}

fn records_on(disk: &Disk) -> u64 {
    verify_reader(disk.content().as_slice(), &key(), None).unwrap().records
}

#[test]
fn with_refuse_nothing_begins_and_calls_under_way_keep_their_records() {
    let disk = Disk::with_room(usize::MAX);
    let audit = audit_on(&disk, OnFailure::Refuse);
    let under_way = audit.begin(facts("under way", Effect::Read)).unwrap();
    let dropped = audit.begin(facts("dropped", Effect::Read)).unwrap();
    audit.flush().unwrap();
    disk.set_room(0);
    drop(dropped);
    assert!(matches!(audit.flush(), Err(AuditError::Sink { .. })));
    assert!(is_refused(&audit, Effect::Read));
    assert!(is_refused(&audit, Effect::Write));
    under_way.close(Closing::empty(Outcome::Ok)).unwrap();
    assert_eq!(records_on(&disk), 0);

    disk.set_room(usize::MAX);
    audit.flush().unwrap();
    call(&audit, "after");
    audit.shutdown().unwrap();
    assert_eq!(records_on(&disk), 3);
}

#[test]
fn with_warn_reads_go_on_and_writes_do_not() {
    let disk = Disk::with_room(0);
    let audit = audit_on(&disk, OnFailure::Warn);
    audit.flush().unwrap_err();
    calls(&audit, 10);
    assert!(is_refused(&audit, Effect::Write));
    disk.set_room(usize::MAX);
    drop(audit.begin(facts("a write, now", Effect::Write)).unwrap());
    assert_eq!(records_on(&disk), 11);
}

#[test]
fn a_write_is_refused_before_anything_has_failed_if_it_would_now() {
    let disk = Disk::with_room(usize::MAX);
    let audit = audit_on(&disk, OnFailure::Warn);
    audit.flush().unwrap();
    call(&audit, "a read that is still in memory");
    disk.set_room(0);
    assert!(is_refused(&audit, Effect::Write));
}

#[test]
fn a_write_whose_record_cannot_be_written_says_so_and_keeps_it() {
    let disk = Disk::with_room(usize::MAX);
    let audit = audit_on(&disk, OnFailure::Warn);
    let write = audit.begin(facts("write", Effect::Write)).unwrap();
    disk.set_room(0);
    assert!(matches!(write.close(Closing::empty(Outcome::Ok)), Err(AuditError::Sink { .. })));
    disk.set_room(usize::MAX);
    audit.flush().unwrap();
    assert_eq!(records_on(&disk), 1);
}

#[test]
fn a_disk_that_fills_in_the_middle_of_a_line_leaves_a_whole_chain_once_there_is_room() {
    for room in (0..2000).step_by(97) {
        let disk = Disk::with_room(room);
        let audit = audit_on(&disk, OnFailure::Warn);
        calls(&audit, 4);
        audit.flush().unwrap_err();
        assert_eq!(disk.content().len(), room);
        // Should the process die now, what is there verifies but for its torn end.
        verify_reader(disk.content().as_slice(), &key(), None).unwrap();
        disk.set_room(usize::MAX);
        audit.flush().unwrap();
        assert_eq!(records_on(&disk), 4, "room {room}");
    }
}

#[test]
fn what_does_not_fit_into_memory_is_lost_and_counted() {
    let disk = Disk::with_room(0);
    let audit = audit_on(&disk, OnFailure::Warn);
    let (mut kept, mut lost) = (0, 0);
    while lost < 5 {
        let mut facts = facts("big", Effect::Read);
        facts.arguments = "x".repeat(4000).into();
        match audit.begin(facts).unwrap().close(Closing::empty(Outcome::Ok)) {
            Ok(()) => kept += 1,
            Err(AuditError::Lost { lost: so_far }) => {
                lost += 1;
                assert_eq!(so_far, lost);
            }
            Err(other) => panic!("{other}"),
        }
    }
    disk.set_room(usize::MAX);
    audit.flush().unwrap();
    call(&audit, "after");
    audit.flush().unwrap();
    let report = verify_reader(disk.content().as_slice(), &key(), None).unwrap();
    assert_eq!((report.records, report.lost_records), (kept + 1, 5));
}

/// Takes nothing until the test lets go of the other end, like a pipe that nobody reads.
struct Stalled(mpsc::Receiver<()>);

impl Write for Stalled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stalled_sink_holds_up_no_read() {
    let (let_go, stalled) = mpsc::channel();
    let writer = Box::new(Stalled(stalled));
    let audit = Audit::to_writer(writer, "metrics", &key(), OnFailure::Refuse, clock()).unwrap();
    calls(&audit, 1000);
    // Only now; if a call had waited for the sink, it would be waiting still.
    drop(let_go);
    audit.shutdown().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_that_is_always_full_refuses_writes() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let audit = Audit::to_writer(Box::new(full), "metrics", &key(), OnFailure::Warn, clock()).unwrap();
    let error = audit.begin(facts("write", Effect::Write)).unwrap_err();
    assert!(error.to_string().contains("No space left on device"), "{error}");
    calls(&audit, 2);
}

#[cfg(unix)]
#[test]
fn a_file_taken_away_is_noticed_and_coming_back_is_too() {
    for on_failure in [OnFailure::Refuse, OnFailure::Warn] {
        let room = tempfile::tempdir().unwrap();
        let directory = room.path().join("audit");
        let audit = Audit::to_directory(AuditConfig { on_failure, ..config(&directory) }, clock()).unwrap();
        call(&audit, "before");
        audit.flush().unwrap();
        fs::rename(&directory, room.path().join("elsewhere")).unwrap();
        assert!(is_refused(&audit, Effect::Write));
        assert_eq!(is_refused(&audit, Effect::Read), on_failure == OnFailure::Refuse);
        fs::rename(room.path().join("elsewhere"), &directory).unwrap();
        audit.flush().unwrap();
        call(&audit, "after");
        drop(audit);
        // With `Warn` the read begun meanwhile was dropped, and has its record.
        let expected = if on_failure == OnFailure::Warn { 3 } else { 2 };
        assert_eq!(verified(&directory).records, expected);
    }
}

#[cfg(unix)]
#[test]
fn a_file_put_in_the_place_of_the_log_is_noticed() {
    let room = tempfile::tempdir().unwrap();
    let audit = open(room.path());
    audit.flush().unwrap();
    fs::remove_file(room.path().join("metrics.jsonl")).unwrap();
    fs::write(room.path().join("metrics.jsonl"), "").unwrap();
    assert!(is_refused(&audit, Effect::Write));
    assert!(is_refused(&audit, Effect::Read));
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_at_the_start() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("a file");
    fs::write(&file, "").unwrap();
    let refused = Audit::to_directory(config(&file.join("audit")), clock());
    assert!(matches!(refused, Err(AuditError::Directory { .. })));
}

#[test]
fn after_shutdown_nothing_begins_and_what_is_open_is_still_recorded() {
    let disk = Disk::with_room(usize::MAX);
    let audit = audit_on(&disk, OnFailure::Warn);
    let open = audit.begin(facts("open", Effect::Read)).unwrap();
    audit.shutdown().unwrap();
    for effect in [Effect::Read, Effect::Write] {
        assert!(matches!(audit.begin(facts("late", effect)), Err(AuditError::Stopped)));
    }
    drop(audit);
    drop(open);
    assert_eq!(records_on(&disk), 1);
}
