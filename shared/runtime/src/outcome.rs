//! From what the guard saw to what the audit record and the metrics say.

use audit::{Closing, Facts, Outcome};
use contract::{Context, Effect, ErrorKind, UpstreamCall, render::Rendered};
use redact::Redactor;
use serde_json::Value;

use crate::{call::Call, fixtures::RpcError};

/// What is known when a call comes in; the arguments masked, their fingerprint that of the full ones.
pub(crate) fn facts(call: &Call, cx: &Context, effect: Effect, redactor: &Redactor) -> Facts {
    let arguments = Value::Object(call.arguments.clone());
    Facts {
        call_id: cx.call_id.0.clone(),
        traceparent: call.traceparent.clone(),
        client: call.client.as_deref().map(|name| label(name, redactor)),
        transport: call.transport,
        tool: label(&call.tool, redactor),
        effect: match effect {
            Effect::Read => audit::Effect::Read,
            Effect::Write => audit::Effect::Write,
        },
        arguments_sha256: audit::fingerprint(&arguments),
        arguments: masked(&arguments, redactor),
    }
}

/// Somebody else's name for something, fit for a log.
pub(crate) fn label(text: &str, redactor: &Redactor) -> String {
    redact::clean(&redactor.mask(text).text).into_owned()
}

/// Masked as one text, so that `"password": "…"` is seen as what it is; what is no JSON any more stays a text.
pub(crate) fn masked(arguments: &Value, redactor: &Redactor) -> Value {
    let canonical = audit::canonical(arguments);
    let masked = redactor.mask(&canonical).text;
    serde_json::from_str(&masked).unwrap_or_else(|_| Value::String(masked.into_owned()))
}

/// A result that is no answer of a tool: its size counts, nothing else is in it.
pub(crate) fn unrendered(structured: Value) -> Rendered {
    Rendered { text: String::new(), structured, rows_seen: 0, rows_shown: 0 }
}

/// What a fixture wrote, for its size.
pub(crate) fn shown(written: &Result<Value, RpcError>) -> Value {
    match written {
        Ok(result) => result.clone(),
        Err(error) => Value::from(error.message.as_str()),
    }
}

/// What is known when a call has ended.
pub(crate) fn closing(error: Option<ErrorKind>, cx: &Context, rendered: &Rendered) -> Closing {
    Closing {
        outcome: match error {
            None => Outcome::Ok,
            Some(ErrorKind::InvalidArgument | ErrorKind::UnknownTool) => Outcome::Invalid,
            Some(ErrorKind::Denied | ErrorKind::TooExpensive) => Outcome::Refused,
            Some(ErrorKind::RateLimited | ErrorKind::Busy) => Outcome::Limited,
            Some(ErrorKind::NotConfigured | ErrorKind::Upstream) => Outcome::UpstreamError,
            Some(ErrorKind::Timeout) => Outcome::Timeout,
            Some(ErrorKind::Cancelled) => Outcome::Cancelled,
            Some(ErrorKind::Internal) => Outcome::Panic,
        },
        rows_seen: rendered.rows_seen,
        rows_shown: rendered.rows_shown,
        bytes_out: size(rendered),
        masked: cx.intake.masked(),
        suspicious: cx.intake.suspicious(),
    }
}

/// The outcome as a metric label.
pub(crate) fn name(error: Option<ErrorKind>) -> &'static str {
    error.map_or("ok", ErrorKind::name)
}

/// Bytes of both renderings.
pub(crate) fn size(rendered: &Rendered) -> u64 {
    let structured = serde_json::to_string(&rendered.structured).map_or(0, |json| json.len());
    (rendered.text.len() + structured) as u64
}

pub(crate) fn upstream(call: UpstreamCall) -> audit::UpstreamCall {
    audit::UpstreamCall {
        system: call.system,
        endpoint: call.endpoint,
        status: call.status,
        bytes: call.bytes,
        ms: call.ms,
        outcome: call.outcome.to_owned(),
    }
}
