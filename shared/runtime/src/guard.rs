//! The guard: what every call passes, on every transport, in this order.
//!
//! audit open → principal and scope → rate → concurrency → arguments → deadline and cancellation → panic barrier →
//! tool → budget → audit close. Exactly one audit record leaves it, whatever happens.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use audit::{Audit, AuditError, Closing, Decision, Entry};
use contract::{Answer, CallId, Clock, Context, Detail, Effect, ErrorKind, Intake, ToolError, Trail, render};
use futures_util::FutureExt;
use identity::Principal;
use redact::Redactor;
use serde_json::{Map, Value};

use crate::{
    call::{Call, Reply},
    ids::Ids,
    metrics::Metrics,
    outcome,
    rates::{Places, RateLimits},
    registry::{Entry as ToolEntry, Registry},
};

/// Everything the guard needs to decide.
pub(crate) struct Guard {
    pub(crate) registry: Registry,
    pub(crate) audit: Audit,
    pub(crate) rates: RateLimits,
    pub(crate) places: Places,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Ids,
    pub(crate) redactor: Redactor,
    pub(crate) metrics: Metrics,
    pub(crate) deadline: Duration,
    /// `audit.on_failure = warn`.
    pub(crate) reads_go_on_unrecorded: bool,
}

impl Guard {
    /// Answers one call, whatever happens: in rmcp a call that panics would never be answered.
    pub(crate) async fn serve(&self, call: Call) -> Reply {
        match AssertUnwindSafe(self.guarded(call)).catch_unwind().await {
            Ok(reply) => reply,
            // Not the tool's fault: that has a barrier of its own. The open record closed itself as a panic.
            Err(_) => {
                let call_id = CallId(self.ids.next());
                let error = fault(&call_id);
                Reply { rendered: render::error(&error, &call_id), error: Some(error.kind()) }
            }
        }
    }

    async fn guarded(&self, call: Call) -> Reply {
        let began = Instant::now();
        let _in_flight = self.metrics.begin();
        let cx = self.context(&call, began);
        let facts = outcome::facts(&call, &cx, self.effect(&call.tool), &self.redactor);
        let mut recording = match self.audit.begin(facts) {
            Ok(entry) => Recording { entry: Some(entry), cx },
            Err(error) => return self.unrecorded(&call, &cx, error, began),
        };
        recording.identify(&call.principal);
        let result = match self.admit(&call) {
            Ok(tool) => {
                recording.decide(Decision::Allow, tool.card.scope);
                let turned_away = AtomicBool::new(false);
                let result = self.in_time(tool, &call, &recording.cx, &turned_away).await;
                if turned_away.into_inner() {
                    recording.decide(Decision::Refuse, "concurrency");
                }
                result
            }
            Err((rule, error)) => {
                recording.decide(Decision::Refuse, rule);
                Err(error)
            }
        };
        self.finish(&call, recording, result, began)
    }

    /// Everything that can be decided at once. A refusal comes with the rule that decided.
    fn admit(&self, call: &Call) -> Result<&ToolEntry, (&'static str, ToolError)> {
        let Some(tool) = self.registry.get(&call.tool) else {
            return Err(("unknown tool", self.unknown(&call.tool)));
        };
        if !call.principal.allows(tool.card.scope) {
            let error = ToolError::new(
                ErrorKind::Denied,
                format!(
                    "this caller may not use {}: it lacks the scope `{}`",
                    tool.card.name, tool.card.scope
                ),
                "an operator can grant the scope to this caller's token",
            );
            return Err(("scope", error));
        }
        self.rates.admit(&call.principal.name, tool.card.cost).map_err(|error| ("rate", error))?;
        Ok(tool)
    }

    /// Waits for a place and runs the tool, until it ends, the deadline passes or the caller goes away.
    async fn in_time(
        &self,
        tool: &ToolEntry,
        call: &Call,
        cx: &Context,
        turned_away: &AtomicBool,
    ) -> Result<Answer, ToolError> {
        let work = async {
            let place = self.places.take(&cx.principal).await;
            turned_away.store(place.is_err(), Ordering::Relaxed);
            let _place = place?;
            run(tool, cx, call.arguments.clone()).await
        };
        tokio::select! {
            biased;
            () = call.cancelled.cancelled() => {
                Err(ToolError::new(ErrorKind::Cancelled, "the caller cancelled this call", ""))
            }
            () = tokio::time::sleep(self.deadline) => Err(self.too_slow()),
            result = work => result,
        }
    }

    fn context(&self, call: &Call, began: Instant) -> Context {
        let full = call.arguments.get("detail").and_then(Value::as_str) == Some("full");
        Context {
            call_id: CallId(self.ids.next()),
            now: self.clock.now(),
            detail: if full { Detail::Full } else { Detail::Concise },
            deadline: began + self.deadline,
            principal: call.principal.name.clone(),
            tenant: call.principal.tenant.clone(),
            intake: Intake::new(self.redactor.clone()),
            trail: Trail::default(),
        }
    }

    fn effect(&self, tool: &str) -> Effect {
        self.registry.get(tool).map_or(Effect::Read, |tool| tool.card.effect)
    }

    fn unknown(&self, name: &str) -> ToolError {
        let shown: String = redact::clean(name).chars().take(60).collect();
        let known: Vec<&str> = self.registry.iter().map(|entry| entry.card.name).collect();
        ToolError::new(
            ErrorKind::UnknownTool,
            format!("no tool `{shown}`"),
            format!("tools: {}", known.join(", ")),
        )
        .nearest(self.registry.nearest(&shown))
    }

    fn too_slow(&self) -> ToolError {
        let deadline = contract::duration_text(self.deadline.as_secs_f64());
        ToolError::new(
            ErrorKind::Timeout,
            format!("no answer within the deadline of {deadline}"),
            "ask for less: a shorter time_range, a narrower selector or an aggregation",
        )
    }

    /// The record could not be opened: the call is not made.
    fn unrecorded(&self, call: &Call, cx: &Context, error: AuditError, began: Instant) -> Reply {
        tracing::error!(call_id = %cx.call_id, %error, "audit record can't be opened: call refused");
        let refusal = unrecorded(error);
        let rendered = render::error(&refusal, &cx.call_id);
        self.metrics.end(
            self.known_name(&call.tool),
            "unrecorded",
            began.elapsed(),
            outcome::size(&rendered),
        );
        Reply { rendered, error: Some(refusal.kind()) }
    }

    fn finish(
        &self,
        call: &Call,
        mut recording: Recording,
        result: Result<Answer, ToolError>,
        began: Instant,
    ) -> Reply {
        let cx = &recording.cx;
        let (mut rendered, mut error) = match &result {
            Ok(answer) => (render::answer(answer, &cx.call_id, cx.budget()), None),
            Err(error) => (render::error(error, &cx.call_id), Some(error.kind())),
        };
        if let Err(failure) = &result {
            self.log_failure(call, cx, failure);
        }
        let closing = outcome::closing(error, cx, &rendered);
        if let Err(lost) = recording.close(closing) {
            tracing::error!(call_id = %recording.cx.call_id, error = %lost, "audit record can't be written");
            // What could not be recorded is not told either, unless the operator said that reads go on.
            if !self.reads_go_on_unrecorded || self.effect(&call.tool) == Effect::Write {
                let refusal = unrecorded(lost);
                rendered = render::error(&refusal, &recording.cx.call_id);
                error = Some(refusal.kind());
            }
        }
        let name = self.known_name(&call.tool);
        self.metrics.end(name, outcome::name(error), began.elapsed(), outcome::size(&rendered));
        Reply { rendered, error }
    }

    /// One line for the operator, masked: an argument or a backend's words may hold a secret.
    fn log_failure(&self, call: &Call, cx: &Context, error: &ToolError) {
        let mut chain = String::new();
        let mut cause = std::error::Error::source(error);
        while let Some(source) = cause {
            chain.push_str(&format!(" <- {source}"));
            cause = source.source();
        }
        let (chain, tool) =
            (outcome::label(&chain, &self.redactor), outcome::label(&call.tool, &self.redactor));
        let kind = error.kind().name();
        let error_text = outcome::label(&error.to_string(), &self.redactor);
        if error.kind() == ErrorKind::Internal {
            tracing::error!(call_id = %cx.call_id, %tool, kind, error = error_text, chain, "call failed");
        } else {
            tracing::info!(call_id = %cx.call_id, %tool, kind, error = error_text, chain, "call failed");
        }
    }

    /// Only names of ours become metric labels.
    fn known_name(&self, tool: &str) -> &'static str {
        self.registry.get(tool).map_or("unknown", |entry| entry.card.name)
    }
}

/// A call's context and its open record, which knows the requests to backends however the call ends.
struct Recording {
    entry: Option<Entry>,
    cx: Context,
}

impl Recording {
    fn identify(&mut self, principal: &Principal) {
        if let Some(entry) = &mut self.entry {
            entry.identify(&principal.name, principal.tenant.clone());
        }
    }

    fn decide(&mut self, decision: Decision, rule: &str) {
        if let Some(entry) = &mut self.entry {
            entry.decide(decision, rule);
        }
    }

    fn close(&mut self, closing: Closing) -> Result<(), AuditError> {
        let Some(entry) = self.entry.take() else { return Ok(()) };
        self.hand_over(&entry);
        entry.close(closing)
    }

    fn hand_over(&self, entry: &Entry) {
        let log = entry.upstream();
        self.cx.trail.calls().into_iter().for_each(|call| log.push(outcome::upstream(call)));
    }
}

impl Drop for Recording {
    /// The future was dropped: the entry records the call as cancelled, with what was sent so far.
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.hand_over(&entry);
        }
    }
}

/// The panic's own text may hold data; the hook logged where it happened.
fn fault(call_id: &CallId) -> ToolError {
    ToolError::new(
        ErrorKind::Internal,
        format!("a fault in this server; the operator finds it in the log under call {call_id}"),
        "other tools and other arguments may work",
    )
}

fn unrecorded(error: AuditError) -> ToolError {
    ToolError::new(
        ErrorKind::Denied,
        "this call can't be recorded in the audit log, so it is not answered",
        "an operator must mend the audit log (the server's log says what is wrong), or set audit.on_failure to warn",
    )
    .because(error)
}

/// Runs the tool behind the panic barrier: in rmcp a panicking tool would never answer.
async fn run(entry: &ToolEntry, cx: &Context, arguments: Map<String, Value>) -> Result<Answer, ToolError> {
    match AssertUnwindSafe(entry.run(cx, arguments)).catch_unwind().await {
        Ok(result) => result,
        Err(_) => Err(fault(&cx.call_id)),
    }
}
