//! What a tool says about itself, and what it must be able to do.

use std::future::Future;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{Answer, Context, ErrorKind, ToolError};

/// Whether a tool changes anything in the systems it speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Reads only.
    Read,
    /// Changes something; needs its own switch, scope and a human's confirmation.
    Write,
}

impl Effect {
    /// `read` or `write`, as audit records say it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Effect::Read => "read",
            Effect::Write => "write",
        }
    }
}

/// How much a call asks of a backend; each class has a rate of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cost {
    /// One or two small look-ups.
    Cheap,
    /// A range of one query.
    Range,
    /// Many queries or long ranges.
    Heavy,
    /// Any change.
    Write,
}

impl Cost {
    /// The name used in configuration, metrics and errors.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Cost::Cheap => "cheap",
            Cost::Range => "range",
            Cost::Heavy => "heavy",
            Cost::Write => "write",
        }
    }
}

/// What a client, an operator and the guard need to know about a tool before it runs.
#[derive(Debug, Clone, Copy)]
pub struct Card {
    /// Name as called, `snake_case`.
    pub name: &'static str,
    /// Name as people read it.
    pub title: &'static str,
    /// When to use it, when not (and which sibling then), what comes back, one example argument set.
    pub description: &'static str,
    /// Words someone may search for.
    pub search_hint: &'static str,
    /// Read or write.
    pub effect: Effect,
    /// Which rate it draws on.
    pub cost: Cost,
    /// Scope a principal needs, such as `metrics:read`.
    pub scope: &'static str,
}

/// A tool: one question an on-call engineer asks, and how it is answered.
pub trait Tool: Send + Sync + 'static {
    /// The arguments. Flat, closed (`deny_unknown_fields`), every field described.
    type Request: DeserializeOwned + JsonSchema + Send;

    /// What the tool says about itself.
    const CARD: Card;

    /// Arguments that make no sense as this tool is set up (such as `source` with a single source): accepted, not
    /// listed.
    fn unlisted(&self) -> &'static [&'static str] {
        &[]
    }

    /// What a person is asked to confirm before a tool that changes something runs: how things are, as read just now,
    /// and what will be different. Tools that only read are never asked; a tool that changes something and has no
    /// preview can't be confirmed, so it can't be called.
    fn preview(
        &self,
        _cx: &Context,
        _request: Self::Request,
    ) -> impl Future<Output = Result<String, ToolError>> + Send {
        async { Err(ToolError::new(ErrorKind::Internal, "this tool has no preview to confirm", "")) }
    }

    /// Answers one request. Dropping the future is cancellation, and must stop every request to a backend.
    fn answer(
        &self,
        cx: &Context,
        request: Self::Request,
    ) -> impl Future<Output = Result<Answer, ToolError>> + Send;
}
