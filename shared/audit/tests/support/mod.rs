//! What the tests of this crate share.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use audit::{
    Audit, AuditConfig, Clock, Closing, Decision, Effect, Facts, Key, OnFailure, Outcome, Report, Transport,
    fingerprint, verify,
};
use jiff::Timestamp;
use serde_json::json;

/// 00 01 02 … 1f, as in `audit_chain.py`.
pub(crate) fn key() -> Key {
    let hex: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
    Key::from_hex(&hex).unwrap()
}

/// One millisecond later whenever it is asked.
pub(crate) fn clock() -> Clock {
    let next = AtomicI64::new(1_800_000_000_000);
    Arc::new(move || Timestamp::from_millisecond(next.fetch_add(1, Ordering::Relaxed)).unwrap())
}

pub(crate) fn config(directory: &Path) -> AuditConfig {
    AuditConfig {
        directory: directory.to_owned(),
        server: "metrics".to_owned(),
        key: key(),
        max_file_bytes: AuditConfig::DEFAULT_MAX_FILE_BYTES,
        on_failure: OnFailure::Refuse,
    }
}

pub(crate) fn open(directory: &Path) -> Audit {
    Audit::to_directory(config(directory), clock()).unwrap()
}

pub(crate) fn facts(call_id: impl ToString, effect: Effect) -> Facts {
    let arguments = json!({"promql": "up", "time_range": "1h"});
    Facts {
        call_id: call_id.to_string(),
        traceparent: None,
        client: Some("tests".to_owned()),
        transport: Transport::Stdio,
        tool: "query_metrics".to_owned(),
        effect,
        arguments_sha256: fingerprint(&arguments),
        arguments,
    }
}

/// A whole call that goes well.
pub(crate) fn call(audit: &Audit, call_id: impl ToString) {
    let mut entry = audit.begin(facts(call_id, Effect::Read)).unwrap();
    entry.identify("anna", None);
    entry.decide(Decision::Allow, "scope metrics:read");
    entry
        .close(Closing { rows_seen: 10, rows_shown: 5, bytes_out: 900, ..Closing::empty(Outcome::Ok) })
        .unwrap();
}

pub(crate) fn calls(audit: &Audit, how_many: u64) {
    for number in 0..how_many {
        call(audit, format!("call-{number}"));
    }
}

pub(crate) fn verified(path: &Path) -> Report {
    verify(path, &key(), None).unwrap()
}

/// Names in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

pub(crate) fn lines(path: &PathBuf) -> Vec<serde_json::Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A sink that a test can break and mend: takes `room` bytes, then says that the disk is full.
#[derive(Clone)]
pub(crate) struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

impl Disk {
    pub(crate) fn with_room(room: usize) -> Self {
        Self(Arc::new(Mutex::new((Vec::new(), room))))
    }

    pub(crate) fn set_room(&self, room: usize) {
        self.0.lock().unwrap().1 = room;
    }

    pub(crate) fn content(&self) -> Vec<u8> {
        self.0.lock().unwrap().0.clone()
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (content, room) = &mut *self.0.lock().unwrap();
        let taken = bytes.len().min(*room);
        if taken == 0 {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        content.extend_from_slice(&bytes[..taken]);
        *room -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
