//! The guard: what every call passes, on every transport, in this order.
//!
//! audit open → principal and scope → rate → concurrency → arguments → deadline and cancellation → panic barrier →
//! confirmation (of what changes something) → tool → budget → audit close. Exactly one audit record leaves it, whatever
//! happens. A question to a person is a call of its own, with a record of its own: it is on disk before anybody is asked.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use audit::{Audit, AuditError, Closing, Decision, Entry};
use contract::{CallId, Clock, Context, Detail, Effect, ErrorKind, Intake, ToolError, Trail, render};
use futures_util::FutureExt;
use identity::Principal;
use redact::{Redactor, Vault};
use serde_json::Value;

use crate::{
    call::{Call, Form, Reply},
    confirm::{Binding, Confirmations, Verdict},
    ids::Ids,
    metrics::Metrics,
    outcome,
    rates::{Places, RateLimits},
    registry::{Done, Entry as ToolEntry, Registry},
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
    /// What tokens in answers stood for, so that one given back as an argument can be resolved.
    pub(crate) vault: Vault,
    pub(crate) metrics: Metrics,
    pub(crate) confirmations: Confirmations,
    /// Name of the server.
    pub(crate) server: &'static str,
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
                let rendered = render::error(&error, &call_id);
                Reply { rendered, error: Some(error.kind()), form: Form::Rendered }
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
                let ruling = Ruling::default();
                let result = self.in_time(tool, &call, &recording.cx, &ruling).await;
                if let Some((decision, rule)) = ruling.made() {
                    recording.decide(decision, &rule);
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
        // The first answer to a question of ours was paid for when we asked; one given again pays like any call.
        if tool.card.effect == Effect::Read
            || !self.confirmations.answers(&self.binding(call), &call.exchange)
        {
            self.rates.admit(&call.principal.name, tool.card.cost).map_err(|error| ("rate", error))?;
        }
        Ok(tool)
    }

    /// Waits for a place and runs the tool, until it ends, the deadline passes or the caller goes away.
    async fn in_time(
        &self,
        tool: &ToolEntry,
        call: &Call,
        cx: &Context,
        ruling: &Ruling,
    ) -> Result<Done, ToolError> {
        let work = async {
            let place = self.places.take(&cx.principal).await;
            if place.is_err() {
                ruling.set(Decision::Refuse, "concurrency");
            }
            let _place = place?;
            // In rmcp a panicking tool would never answer.
            let acting = AssertUnwindSafe(self.act(tool, call, cx, ruling)).catch_unwind();
            acting.await.unwrap_or_else(|_| Err(fault(&cx.call_id)))
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

    /// Runs a tool that reads; of one that changes something, asks first.
    async fn act(
        &self,
        tool: &ToolEntry,
        call: &Call,
        cx: &Context,
        ruling: &Ruling,
    ) -> Result<Done, ToolError> {
        let binding = self.binding(call);
        if tool.card.effect == Effect::Write {
            let standing = self.confirmations.standing(&binding, &call.exchange);
            let preview = tool.preview(cx, call.arguments.clone()).await?;
            match self.confirmations.decide(&binding, &call.exchange, standing, &preview) {
                Verdict::Go(how) => ruling.set(Decision::Allow, how),
                Verdict::Ask(question) => {
                    ruling.set(Decision::Refuse, "confirmation asked");
                    return Ok(Done::Ask(question));
                }
                Verdict::Stop(rule, error) => {
                    ruling.set(Decision::Refuse, rule);
                    return Err(error);
                }
            }
        }
        tool.run(cx, call, &self.confirmations, &binding).await
    }

    fn binding(&self, call: &Call) -> Binding {
        Binding::new(self.server, "tools/call", &call.tool, &call.principal, &call.arguments)
    }

    fn context(&self, call: &Call, began: Instant) -> Context {
        let full = call.arguments.get("detail").and_then(Value::as_str) == Some("full");
        // What one caller was shown says nothing to another. A tenant's name can't hold the separator.
        let scope =
            format!("{}\n{}", call.principal.tenant.as_deref().unwrap_or_default(), call.principal.name);
        Context {
            call_id: CallId(self.ids.next()),
            now: self.clock.now(),
            detail: if full { Detail::Full } else { Detail::Concise },
            deadline: began + self.deadline,
            principal: call.principal.name.clone(),
            tenant: call.principal.tenant.clone(),
            intake: Intake::new(self.redactor.clone()).remembering(self.vault.clone(), scope),
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
        Reply { rendered, error: Some(refusal.kind()), form: Form::Rendered }
    }

    fn finish(
        &self,
        call: &Call,
        mut recording: Recording,
        result: Result<Done, ToolError>,
        began: Instant,
    ) -> Reply {
        let cx = &recording.cx;
        if let Err(failure) = &result {
            self.log_failure(call, cx, failure);
        }
        let (mut rendered, mut error, mut form) = match result {
            Ok(Done::Answer(answer)) => {
                (render::answer(&answer, &cx.call_id, cx.budget()), None, Form::Rendered)
            }
            Ok(Done::Ask(question)) => {
                (outcome::unrendered(question.form()), Some(ErrorKind::Denied), Form::Question(question))
            }
            Ok(Done::Written(written)) => {
                let error = written.is_err().then_some(ErrorKind::InvalidArgument);
                (outcome::unrendered(outcome::shown(&written)), error, Form::Written(written))
            }
            Err(error) => (render::error(&error, &cx.call_id), Some(error.kind()), Form::Rendered),
        };
        let closing = outcome::closing(error, cx, &rendered);
        if let Err(lost) = recording.close(closing) {
            tracing::error!(call_id = %recording.cx.call_id, error = %lost, "audit record can't be written");
            // What could not be recorded is not told either, unless the operator said that reads go on.
            if !self.reads_go_on_unrecorded || self.effect(&call.tool) == Effect::Write {
                let refusal = unrecorded(lost);
                rendered = render::error(&refusal, &recording.cx.call_id);
                error = Some(refusal.kind());
                form = Form::Rendered;
            }
        }
        let name = self.known_name(&call.tool);
        self.metrics.end(name, outcome::name(error), began.elapsed(), outcome::size(&rendered));
        Reply { rendered, error, form }
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

/// What was decided while a call ran; the last decision counts. Kept apart from the record, which is closed also when
/// the deadline cuts the call off.
#[derive(Default)]
struct Ruling(Mutex<Option<(Decision, String)>>);

impl Ruling {
    fn set(&self, decision: Decision, rule: impl Into<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((decision, rule.into()));
    }

    fn made(self) -> Option<(Decision, String)> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
