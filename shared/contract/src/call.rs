//! What one call carries with it.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use redact::{Redactor, RedactorConfig};

use crate::{Budget, Detail, Intake, TimeError, TimeRange, TimeSpec, ToolError, time_text};

/// Names one call in its answer, its audit record and the log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallId(pub String);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One request that was sent to a backend: what the audit record proves.
#[derive(Debug, Clone, PartialEq)]
pub struct UpstreamCall {
    /// System and source, such as `prometheus main`.
    pub system: String,
    /// Method and path, such as `POST /api/v1/query_range`. Never parameters: they may hold data.
    pub endpoint: String,
    /// HTTP status, when one came back.
    pub status: Option<u16>,
    /// Bytes of the (decompressed) body that were read.
    pub bytes: u64,
    /// Duration in milliseconds.
    pub ms: f64,
    /// `ok`, or the kind of failure.
    pub outcome: &'static str,
}

/// The requests of one call, in the order in which they ended.
#[derive(Debug, Default)]
pub struct Trail(Mutex<Vec<UpstreamCall>>);

impl Trail {
    /// Notes one request.
    pub fn note(&self, call: UpstreamCall) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    /// Begins a request: it is noted when what is returned is dropped.
    #[must_use]
    pub fn begin(&self, system: &str, endpoint: &str) -> Noting<'_> {
        let call = UpstreamCall {
            system: system.to_owned(),
            endpoint: endpoint.to_owned(),
            status: None,
            bytes: 0,
            ms: 0.0,
            outcome: "cancelled",
        };
        Noting { trail: self, call, began: Instant::now() }
    }

    /// What was noted so far.
    #[must_use]
    pub fn calls(&self) -> Vec<UpstreamCall> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A request on its way. Dropped before it has an outcome, it was cancelled.
#[derive(Debug)]
pub struct Noting<'a> {
    trail: &'a Trail,
    /// What is known of it so far; `ms` is filled in at its end.
    pub call: UpstreamCall,
    began: Instant,
}

impl Drop for Noting<'_> {
    fn drop(&mut self) {
        self.call.ms = self.began.elapsed().as_secs_f64() * 1000.0;
        self.trail.note(self.call.clone());
    }
}

/// What a tool knows about the call it answers.
#[derive(Debug)]
pub struct Context {
    /// Names the call everywhere.
    pub call_id: CallId,
    /// The moment the call began; the only "now" a tool may use.
    pub now: Timestamp,
    /// How much the answer may say.
    pub detail: Detail,
    /// When the call must have ended.
    pub deadline: Instant,
    /// Who calls.
    pub principal: String,
    /// For whom, where the installation has tenants; part of every cache key.
    pub tenant: Option<String>,
    /// The way in for every text of a backend.
    pub intake: Intake,
    /// The requests sent to backends.
    pub trail: Trail,
}

/// A window as far as it lies in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// What has been.
    pub window: TimeRange,
    /// The end that was asked for, when it is after now.
    pub after_now: Option<Timestamp>,
}

impl Past {
    /// What the reader must know of a window that was cut.
    #[must_use]
    pub fn caveat(self, field: &str) -> Option<String> {
        let (asked, end) = (time_text(self.after_now?), time_text(self.window.end()));
        Some(format!("{field} ends at {asked}, which is after now: looked at up to {end}"))
    }
}

impl Context {
    /// The size the answer may have.
    #[must_use]
    pub fn budget(&self) -> Budget {
        Budget::for_detail(self.detail)
    }

    /// Time left until the deadline; zero when it has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The window an argument means, no longer than `most`.
    ///
    /// # Errors
    /// An `invalid_argument` error that names `field`.
    pub fn window(&self, field: &str, spec: &TimeSpec, most: Duration) -> Result<TimeRange, ToolError> {
        spec.resolve(self.now)
            .and_then(|range| range.at_most(most))
            .map_err(|error: TimeError| ToolError::invalid(field, &error.to_string()))
    }

    /// As [`Context::window`], as far as it lies in the past: nothing has been measured in the future.
    ///
    /// # Errors
    /// An `invalid_argument` error that names `field`; also when the window begins after now.
    pub fn past(&self, field: &str, spec: &TimeSpec, most: Duration) -> Result<Past, ToolError> {
        let asked = self.window(field, spec, most)?;
        let window = TimeRange::new(asked.start(), asked.end().min(self.now)).map_err(|_| {
            ToolError::invalid(field, &format!("begins after now, {}", time_text(self.now)))
                .remedy("a window that has begun, such as `1h`")
        })?;
        Ok(Past { window, after_now: (asked.end() > self.now).then_some(asked.end()) })
    }

    /// A context for a test or a command line without a guard: local caller, masking on with a fixed key.
    #[must_use]
    pub fn for_test(now: Timestamp) -> Context {
        Context {
            call_id: CallId("00000000".to_owned()),
            now,
            detail: Detail::Concise,
            deadline: Instant::now() + Duration::from_secs(20),
            principal: "test".to_owned(),
            tenant: None,
            intake: Intake::new(Redactor::new(RedactorConfig { key: [0; 32], enabled: true })),
            trail: Trail::default(),
        }
    }
}
