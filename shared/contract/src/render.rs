//! Two renderings of one answer: text for people and older clients, structured content for the rest. Both hold
//! the same facts in the same order, because both are made from the same `Fitted` parts.

mod fit;
mod listed;
mod seal;
mod structured;
mod text;

use std::time::Duration;

use serde_json::Value;

use crate::{Answer, Budget, CallId, Detail, ErrorKind, Next, ToolError};
use fit::Fitted;

/// An answer or error as it leaves the process.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Complete in itself.
    pub text: String,
    /// Complete in itself.
    pub structured: Value,
    /// Rows and findings the answer had before the budget.
    pub rows_seen: u64,
    /// Rows and findings it shows.
    pub rows_shown: u64,
}

/// Renders an answer within `budget`: neither form is longer, and what was left out is counted.
#[must_use]
pub fn answer(answer: &Answer, call_id: &CallId, budget: Budget) -> Rendered {
    let fitted = Fitted::new(answer, budget);
    Rendered {
        text: text::answer(&fitted, call_id),
        structured: structured::answer(&fitted, call_id),
        rows_seen: fitted.rows_seen(),
        rows_shown: fitted.rows_shown(),
    }
}

/// Renders an error, within the budget of a concise answer. The structured form has a `verdict` too: clients check
/// results against one output schema.
#[must_use]
pub fn error(error: &ToolError, call_id: &CallId) -> Rendered {
    let budget = Budget::for_detail(Detail::Concise);
    let parts = error.parts();
    let shown = ShownError {
        kind: parts.kind,
        problem: fit::sentence(&parts.problem, budget.limit() / 8),
        remedy: fit::sentence(&parts.remedy, budget.limit() / 8),
        nearest: parts.nearest.iter().take(5).map(|name| fit::sentence(name, 200)).collect(),
        next: fit::fit_error_calls(&parts.next, budget),
        retry_after: parts.retry_after,
    };
    Rendered {
        text: text::error(&shown, call_id),
        structured: structured::error(&shown, call_id),
        rows_seen: 0,
        rows_shown: 0,
    }
}

/// An error with its parts cut to size.
struct ShownError<'a> {
    kind: ErrorKind,
    problem: String,
    remedy: String,
    nearest: Vec<String>,
    next: Vec<&'a Next>,
    retry_after: Option<Duration>,
}

/// What every result of every tool has. One small schema for all: the parts differ, the frame does not.
#[must_use]
pub fn output_schema() -> serde_json::Map<String, Value> {
    let schema = serde_json::json!({
        "type": "object",
        "properties": {
            "verdict": {"type": "string"},
            "call_id": {"type": "string"}
        },
        "required": ["verdict", "call_id"]
    });
    match schema {
        Value::Object(schema) => schema,
        _ => serde_json::Map::new(),
    }
}

#[cfg(test)]
mod tests;
