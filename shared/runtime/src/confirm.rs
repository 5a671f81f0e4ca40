//! Confirmation by a person, before anything is changed.
//!
//! A tool that changes something runs only after a person has said yes to this very call: this tool, these arguments,
//! this caller, and the state of things as it was shown. There are two ways:
//!
//! - The client puts the question to its user: as an `input_required` result (2026-07-28), or as a request of ours
//!   (`elicitation/create`, handshake era, where there is a way back). What goes out with the question is sealed and
//!   comes back with the answer ([`seal`]).
//! - A client that can't ask gets a code, and a person approves it in a terminal ([`pending`], [`approve`]). The call is
//!   then made again.
//!
//! Nothing a model can write into a call confirms it: no argument, no answer without the seal of a question, no seal
//! without an answer. A yes holds for [`LIFETIME`] and for one call.

pub(crate) mod approve;
mod pending;
mod seal;

use std::{path::PathBuf, sync::Arc, time::Duration};

use audit::canonical;
use contract::{Clock, ErrorKind, ToolError};
use identity::Principal;
use serde_json::{Map, Value, json};

use crate::exchange::{Exchange, Said};
pub(crate) use pending::{Approval, Pending, Waiting};
pub(crate) use seal::{Seal, Unsealed};

/// How long a question may be answered, and an approval used.
pub(crate) const LIFETIME: Duration = Duration::from_secs(300);
/// The question's name in `inputRequests`, and of its one field.
pub(crate) const QUESTION: &str = "confirm";
/// Longest text a person is asked to agree to. What can't be shown whole can't be agreed to.
const LONGEST: usize = 4_000;

/// What exactly is confirmed: one call, by one caller.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    pub(crate) server: String,
    pub(crate) method: &'static str,
    /// Tool (or prompt) by name.
    pub(crate) name: String,
    pub(crate) principal: String,
    pub(crate) tenant: Option<String>,
    /// Canonical JSON.
    pub(crate) arguments: String,
}

impl Binding {
    pub(crate) fn new(
        server: &str,
        method: &'static str,
        name: &str,
        principal: &Principal,
        arguments: &Map<String, Value>,
    ) -> Binding {
        Binding {
            server: server.to_owned(),
            method,
            name: name.to_owned(),
            principal: principal.name.clone(),
            tenant: principal.tenant.clone(),
            arguments: canonical(&Value::Object(arguments.clone())),
        }
    }

    /// Everything, in one text in which no part can pass for another.
    pub(crate) fn text(&self) -> String {
        json!([self.server, self.method, self.name, self.principal, self.tenant, self.arguments]).to_string()
    }

    /// SHA-256 of it.
    pub(crate) fn fingerprint(&self) -> String {
        audit::fingerprint(&Value::String(self.text()))
    }
}

/// A question for a person.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) message: String,
    /// Goes out with the question, comes back with the answer.
    pub(crate) state: String,
}

impl Question {
    /// Parameters of `elicitation/create`: one box to tick, and nothing else can be asked for.
    pub(crate) fn form(&self) -> Value {
        json!({
            "mode": "form",
            "message": self.message,
            "requestedSchema": {
                "type": "object",
                "properties": {QUESTION: {"type": "boolean", "title": "Confirm", "description": "Go ahead with this change."}},
                "required": [QUESTION]
            }
        })
    }
}

/// What a person has said about a call so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody was asked, or nobody answered.
    Unasked,
    /// Yes, to the text with this fingerprint. The answer is used up.
    Confirmed { shown: String },
    /// No. The answer is used up.
    Declined,
    /// The answer was given before.
    Replayed,
    /// The question is too old.
    Expired,
    /// The state was not sealed by us, or for another call or another caller.
    Foreign,
    /// It can't be noted that the answer is used up, so it can't be used.
    Unnoted,
}

/// What is to be done with a call that would change something.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// A person said yes; how, for the record.
    Go(String),
    /// The client is to ask.
    Ask(Question),
    /// Not now; why, for the record and for the caller.
    Stop(&'static str, ToolError),
}

/// Questions asked, approvals awaited, answers used.
pub(crate) struct Confirmations {
    pub(crate) seal: Seal,
    pub(crate) pending: Pending,
    server: String,
}

impl Confirmations {
    /// `directory` is where approvals are kept and used answers noted; without one there are no approvals, and used
    /// answers are known to this process only.
    pub(crate) fn new(
        server: &str,
        key: [u8; 32],
        directory: Option<PathBuf>,
        clock: Arc<dyn Clock>,
    ) -> Confirmations {
        let directory = directory.map(|state| state.join("confirmations").join(server));
        let seal = Seal::new(key, directory.clone(), Arc::clone(&clock));
        let pending = Pending::new(key, directory, clock);
        Confirmations { seal, pending, server: server.to_owned() }
    }

    /// Whether the call is the first answer to a question of ours: then its rate was paid when it was asked. Uses nothing
    /// up.
    pub(crate) fn answers(&self, binding: &Binding, exchange: &Exchange) -> bool {
        let sealed = exchange.state.as_deref().filter(|_| exchange.elicits);
        sealed.is_some_and(|state| {
            let opened = self.seal.open(state, &binding.text());
            exchange.said(QUESTION).is_some()
                && matches!(opened, Unsealed::Ours { note, .. } if !self.seal.is_spent(&note))
        })
    }

    /// What a person has said; an answer is used up by this, whatever becomes of the call.
    pub(crate) fn standing(&self, binding: &Binding, exchange: &Exchange) -> Standing {
        // Who can't ask a person has no answer of one.
        let Some(state) = exchange.state.as_deref().filter(|_| exchange.elicits) else {
            return Standing::Unasked;
        };
        let (note, shown) = match self.seal.open(state, &binding.text()) {
            Unsealed::Ours { note, content } => (note, content),
            Unsealed::Expired => return Standing::Expired,
            Unsealed::Foreign => return Standing::Foreign,
        };
        let Some(said) = exchange.said(QUESTION) else { return Standing::Unasked };
        match self.seal.claim(&note) {
            Ok(true) if said == Said::Yes => Standing::Confirmed { shown },
            Ok(true) => Standing::Declined,
            Ok(false) => Standing::Replayed,
            Err(error) => {
                tracing::error!(%error, "a used confirmation can't be noted");
                Standing::Unnoted
            }
        }
    }

    /// Decides, now that it is known what would be done.
    pub(crate) fn decide(
        &self,
        binding: &Binding,
        exchange: &Exchange,
        standing: Standing,
        preview: &str,
    ) -> Verdict {
        let message = self.message(binding, preview);
        if message.chars().count() > LONGEST {
            return too_long();
        }
        let fingerprint = audit::fingerprint(&Value::String(message.clone()));
        match standing {
            Standing::Confirmed { shown } if shown == fingerprint => {
                Verdict::Go("confirmed in the client".to_owned())
            }
            Standing::Declined => declined(),
            Standing::Replayed => stale("confirmation replayed", "this confirmation was used already"),
            Standing::Expired => stale("confirmation expired", "this confirmation is too old"),
            Standing::Foreign => stale("confirmation foreign", "this confirmation belongs to another call"),
            Standing::Unnoted => unnoted(),
            // What was shown is no longer what would be done: the person is asked again.
            Standing::Unasked | Standing::Confirmed { .. } if exchange.elicits => {
                match self.seal.seal(&fingerprint, &binding.text()) {
                    Ok(state) => Verdict::Ask(Question { message, state }),
                    Err(error) => {
                        tracing::error!(error, "a question can't be sealed");
                        unnoted()
                    }
                }
            }
            Standing::Unasked | Standing::Confirmed { .. } => {
                self.out_of_band(binding, message, &fingerprint)
            }
        }
    }

    fn out_of_band(&self, binding: &Binding, message: String, fingerprint: &str) -> Verdict {
        match self.pending.look(binding, message, fingerprint) {
            Ok(Approval::Given { by }) => Verdict::Go(format!("approved in a terminal by {by}")),
            Ok(Approval::Awaited(waiting)) => {
                Verdict::Stop("confirmation pending", self.pending_error(&waiting))
            }
            Ok(Approval::TooMany) => Verdict::Stop(
                "confirmation pending",
                ToolError::new(
                    ErrorKind::Busy,
                    "too many changes wait for a person's approval",
                    "have them approved, or wait until they lapse",
                )
                .retry_after(LIFETIME),
            ),
            Ok(Approval::Nowhere) => Verdict::Stop(
                "confirmation impossible",
                ToolError::new(
                    ErrorKind::Denied,
                    "this changes something, and there is no way to ask a person: the client can't (no elicitation), \
                     and the server has no state directory for approvals",
                    "use a client that can ask its user, or have the operator set OBSERVABILITY_MCP_STATE",
                ),
            ),
            Err(error) => {
                tracing::error!(%error, "approvals can't be read or written");
                unnoted()
            }
        }
    }

    fn pending_error(&self, waiting: &Waiting) -> ToolError {
        let minutes = LIFETIME.as_secs() / 60;
        ToolError::new(
            ErrorKind::Denied,
            format!("nothing was changed: this call waits for a person's approval, code {}", waiting.code),
            format!(
                "ask the person you work for to run `{} approve {}` in a terminal of theirs within {minutes} minutes, then make \
                 the same call again; you can't approve it yourself",
                self.server, waiting.code
            ),
        )
    }

    /// What a person agrees to. Cleaned, because arguments and previews hold other people's text; whole, because half a
    /// change can't be agreed to.
    fn message(&self, binding: &Binding, preview: &str) -> String {
        let clean = |text: &str| redact::clean(text).into_owned();
        format!(
            "{} wants to run {} for {}.\n{}\nArguments: {}",
            self.server,
            clean(&binding.name),
            clean(&binding.principal),
            clean(preview),
            clean(&binding.arguments)
        )
    }
}

fn too_long() -> Verdict {
    Verdict::Stop(
        "confirmation impossible",
        ToolError::new(
            ErrorKind::InvalidArgument,
            format!(
                "a person must agree to this, and it is too long to be shown to one ({LONGEST} characters at most)"
            ),
            "make the texts among the arguments shorter",
        ),
    )
}

fn declined() -> Verdict {
    Verdict::Stop(
        "confirmation declined",
        ToolError::new(
            ErrorKind::Denied,
            "nothing was changed: the person who was asked said no",
            "don't try again unless they ask for it",
        ),
    )
}

fn stale(rule: &'static str, problem: &str) -> Verdict {
    Verdict::Stop(
        rule,
        ToolError::new(
            ErrorKind::Denied,
            format!("nothing was changed: {problem}"),
            "make the call again without it: the person is asked again",
        ),
    )
}

fn unnoted() -> Verdict {
    Verdict::Stop(
        "confirmation impossible",
        ToolError::new(
            ErrorKind::Denied,
            "nothing was changed: confirmations can't be kept on this server's disk",
            "an operator finds the reason in the server's log",
        ),
    )
}

#[cfg(test)]
mod tests;
