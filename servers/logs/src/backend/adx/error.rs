//! What a cluster's refusal means, and what helps.

use contract::{Context, ErrorKind, ToolError};
use upstream::{Reply, UpstreamError};

use super::frames::{Failure, of_error};

/// Characters of a cluster's own words that are shown.
const SHOWN: usize = 400;

/// A reply with an error status.
pub(super) fn of_reply(cx: &Context, system: &str, reply: &Reply) -> ToolError {
    match of_error(&reply.body) {
        Some(failure) => {
            let error = of_failure(cx, system, Some(reply.status), &failure);
            match reply.retry_after {
                Some(wait) => error.retry_after(wait),
                None => error,
            }
        }
        None => of_status(system, reply, cx),
    }
}

/// A failure as a caveat.
pub(super) fn told(cx: &Context, system: &str, failure: &Failure) -> String {
    let message = cx.intake.text(&failure.message).shown(SHOWN);
    format!(
        "{system} could not give all of the result ({}): {message}",
        cx.intake.text(&failure.code).shown(60)
    )
}

/// A failure without any result.
pub(super) fn of_failure(cx: &Context, system: &str, status: Option<u16>, failure: &Failure) -> ToolError {
    let status_text = status.map(|status| format!(", HTTP {status}")).unwrap_or_default();
    let message = cx.intake.text(&failure.message).shown(SHOWN);
    let code = cx.intake.text(&failure.code).shown(60);
    let problem = format!("{system} refused it ({code}{status_text}): {message}");
    let (kind, remedy) = meaning(status, failure);
    ToolError::new(kind, problem, remedy)
}

fn meaning(status: Option<u16>, failure: &Failure) -> (ErrorKind, &'static str) {
    let said = format!("{} {}", failure.code, failure.message).to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if says(&["forbidden", "unauthorized", "not authorized", "principal"])
        || matches!(status, Some(401 | 403))
    {
        return (
            ErrorKind::Denied,
            "an operator grants the configured principal the role of a viewer: \
             .add database DB viewers ('aadapp=ID;TENANT'); `check` shows what is refused",
        );
    }
    if status == Some(429) || says(&["throttl", "toomanyrequests", "capacity"]) {
        return (
            ErrorKind::Upstream,
            "the cluster limits its callers: wait, then ask for a shorter time_range",
        );
    }
    if says(&[
        "limitsexceeded",
        "exceeded the allowed limits",
        "e_query_result_set_too_large",
        "runaway",
        "low_memory",
        "too large",
    ]) {
        return (ErrorKind::TooExpensive, "ask for less: a shorter time_range, a service, fewer values");
    }
    if says(&["timeout", "timed out", "cancelled", "canceled"]) {
        return (ErrorKind::Timeout, "ask for less: a shorter time_range, a service, a narrower query");
    }
    if says(&["semanticerror", "sem0", "failed to resolve"]) {
        return (
            ErrorKind::InvalidArgument,
            "mend what the message names; a query must keep the columns of the table (filter with where): counts, top values \
             and time come from the tool's own arguments",
        );
    }
    if says(&["syntax", "syn0", "badrequest", "bad request"]) {
        return (ErrorKind::InvalidArgument, "mend the KQL where the message says");
    }
    (ErrorKind::Upstream, "the cluster could not answer; try again shortly, or tell its operator")
}

fn of_status(system: &str, reply: &Reply, cx: &Context) -> ToolError {
    let page = reply.content_type.to_ascii_lowercase().contains("html")
        || reply.body.trim_ascii_start().starts_with(b"<");
    let text = String::from_utf8_lossy(reply.body.get(..2_000).unwrap_or(&reply.body)).into_owned();
    let detail = match text.trim() {
        "" => String::new(),
        _ if page => ", with an HTML page".to_owned(),
        said => format!(": {}", cx.intake.text(said).shown(SHOWN)),
    };
    let status = reply.status;
    let error: ToolError =
        UpstreamError::Status { system: system.to_owned(), status, detail, retry_after: reply.retry_after }
            .into();
    match status {
        401 | 403 => error.remedy(
            "an operator mends the sign-in of this source ([[logs]] adx.sign_in, or bearer_token), and grants its principal the \
             role of a viewer of the database",
        ),
        _ => error,
    }
}
