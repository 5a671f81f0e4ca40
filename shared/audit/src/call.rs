//! One call, from its beginning to its one record.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::arguments::{MAX_ARGUMENT_BYTES, canonical, cut};
use crate::chain::body_of;
use crate::error::AuditError;
use crate::record::{
    Decision, Effect, Outcome, Record, Transport, UpstreamCall, VERSION, whole_microseconds,
};
use crate::sink::Audit;

/// The principal of a call whose caller is not, or not yet, known.
pub const UNIDENTIFIED: &str = "unidentified";

/// The rule of a call that ended before any rule decided.
const UNDECIDED: &str = "undecided";

/// Names and paths come from callers and other systems; none is longer than this in a record.
const MAX_LABEL_BYTES: usize = 256;

/// A call that makes more requests than this gets one line for all the others.
const MAX_UPSTREAM_CALLS: usize = 1000;

/// What is known when a call comes in. Names longer than 256 bytes are cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The id that the answer will carry.
    pub call_id: String,
    /// W3C trace context of the caller.
    pub traceparent: Option<String>,
    /// What the client calls itself.
    pub client: Option<String>,
    /// How the call came in.
    pub transport: Transport,
    /// The tool as the caller named it.
    pub tool: String,
    /// Whether the call could change anything.
    pub effect: Effect,
    /// The arguments, masked by the caller of this.
    pub arguments: Value,
    /// [`crate::fingerprint`] of the arguments before they were masked.
    pub arguments_sha256: String,
}

/// What is known when a call has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    /// How it ended.
    pub outcome: Outcome,
    /// Rows (points, documents, spans, objects) the tool looked at.
    pub rows_seen: u64,
    /// Rows in the answer.
    pub rows_shown: u64,
    /// Size of the answer.
    pub bytes_out: u64,
    /// How many values were masked in the answer.
    pub masked: u64,
    /// How many texts in the answer address an assistant.
    pub suspicious: u64,
}

impl Closing {
    /// The end of a call that showed nothing.
    pub fn empty(outcome: Outcome) -> Self {
        Self { outcome, rows_seen: 0, rows_shown: 0, bytes_out: 0, masked: 0, suspicious: 0 }
    }
}

/// A call under way. It leaves exactly one record: by [`Entry::close`], or when it is dropped, which is what happens
/// to a future nobody waits for any more. Until [`Entry::decide`] the record says that nothing was allowed.
#[derive(Debug)]
#[must_use = "dropping an entry records the call as cancelled"]
pub struct Entry {
    audit: Audit,
    /// `None` once it is written.
    record: Option<Box<Record>>,
    upstream: UpstreamLog,
}

impl Entry {
    pub(crate) fn open(audit: Audit, facts: Facts) -> Self {
        let terms = audit.queue().terms();
        let record = Record {
            version: VERSION,
            sequence: 0,
            time: (terms.clock)(),
            call_id: label(facts.call_id),
            traceparent: facts.traceparent.map(label),
            server: terms.server.clone(),
            principal: UNIDENTIFIED.to_owned(),
            client: facts.client.map(label),
            tenant: None,
            transport: facts.transport,
            tool: label(facts.tool),
            effect: facts.effect,
            arguments: cut(canonical(&facts.arguments), MAX_ARGUMENT_BYTES),
            arguments_sha256: label(facts.arguments_sha256),
            upstream: Vec::new(),
            decision: Decision::Refuse,
            rule: UNDECIDED.to_owned(),
            outcome: Outcome::Cancelled,
            rows_seen: 0,
            rows_shown: 0,
            bytes_out: 0,
            masked: 0,
            suspicious: 0,
            duration_ms: 0.0,
            mac: String::new(),
        };
        Self { audit, record: Some(Box::new(record)), upstream: UpstreamLog::default() }
    }

    /// Who is calling, once that is verified.
    pub fn identify(&mut self, principal: impl Into<String>, tenant: Option<String>) {
        if let Some(record) = &mut self.record {
            record.principal = label(principal.into());
            record.tenant = tenant.map(label);
        }
    }

    /// What was decided about the call, and by which rule. The last decision counts.
    pub fn decide(&mut self, decision: Decision, rule: impl Into<String>) {
        if let Some(record) = &mut self.record {
            record.decision = decision;
            record.rule = label(rule.into());
        }
    }

    /// Where to note requests to other systems, so that a cancelled call shows them too.
    pub fn upstream(&self) -> UpstreamLog {
        self.upstream.clone()
    }

    /// Write the record. For a write this waits until it is on disk: some milliseconds, at worst 5 s.
    ///
    /// # Errors
    /// When the record is lost ([`AuditError::Lost`]), or not yet on disk and this call was a write
    /// ([`AuditError::Sink`]; it is kept, and written once that is possible).
    pub fn close(mut self, closing: Closing) -> Result<(), AuditError> {
        self.write(closing)
    }

    fn write(&mut self, closing: Closing) -> Result<(), AuditError> {
        let Some(mut record) = self.record.take() else { return Ok(()) };
        let queue = self.audit.queue();
        let nanoseconds = (queue.terms().clock)().as_nanosecond() - record.time.as_nanosecond();
        record.duration_ms = whole_microseconds(nanoseconds as f64 / 1e6);
        record.upstream = self.upstream.take();
        record.outcome = closing.outcome;
        record.rows_seen = closing.rows_seen;
        record.rows_shown = closing.rows_shown;
        record.bytes_out = closing.bytes_out;
        record.masked = closing.masked;
        record.suspicious = closing.suspicious;
        let Some(body) = body_of(&*record) else {
            // Strings and finite numbers always serialise; but a line without its content would be worse than none.
            return Err(AuditError::Sink { cause: "the record cannot be serialised".to_owned() });
        };
        queue.record(&body, record.effect)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Some(call_id) = self.record.as_ref().map(|record| record.call_id.clone()) else { return };
        let outcome = if std::thread::panicking() { Outcome::Panic } else { Outcome::Cancelled };
        if let Err(error) = self.write(Closing::empty(outcome)) {
            tracing::error!(%error, call_id, "failed to record a call that was dropped");
        }
    }
}

/// The requests of one call to other systems. Clones note in the same place.
#[derive(Debug, Clone, Default)]
pub struct UpstreamLog(Arc<Mutex<Vec<UpstreamCall>>>);

impl UpstreamLog {
    /// Note a request that has ended. One noted after the record was written is not in it.
    pub fn push(&self, call: UpstreamCall) {
        let call = UpstreamCall {
            system: label(call.system),
            endpoint: label(call.endpoint),
            ms: whole_microseconds(call.ms),
            outcome: label(call.outcome),
            ..call
        };
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() < MAX_UPSTREAM_CALLS {
            calls.push(call);
        } else if let Some(others) = calls.get_mut(MAX_UPSTREAM_CALLS) {
            others.bytes = others.bytes.saturating_add(call.bytes);
            others.ms = whole_microseconds(others.ms + call.ms);
        } else {
            let endpoint = format!("all after the first {MAX_UPSTREAM_CALLS}");
            let (system, outcome) = ("others".to_owned(), "various".to_owned());
            calls.push(UpstreamCall { system, endpoint, status: None, outcome, ..call });
        }
    }

    fn take(&self) -> Vec<UpstreamCall> {
        mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn label(text: String) -> String {
    cut(text, MAX_LABEL_BYTES)
}
