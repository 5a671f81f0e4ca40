//! What can go wrong, and what a caller can do about it.

use std::{fmt, time::Duration};

use contract::{Context, ErrorKind, ToolError, Untrusted};
use thiserror::Error;
use upstream::UpstreamError;

use crate::limits::{Advice, limit_in};

/// The longest a system's message is shown.
const SHOWN: usize = 600;

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Error {
    /// The exchange failed, or something else than the API answered.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The API answered that it will not or can not.
    #[error("{}", rejection(system, *status, kind, message, *position))]
    Rejected {
        /// The backend, such as `prometheus "main"`.
        system: String,
        /// HTTP status.
        status: u16,
        /// What kind of refusal it is, whatever this system calls it.
        kind: RejectionKind,
        /// The system's own words.
        message: Untrusted,
        /// Line and column (from 1) of the expression where it can't be parsed, when told.
        position: Option<(u32, u32)>,
        /// How long the system asks to wait.
        retry_after: Option<Duration>,
    },
}

/// What kind of refusal an answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RejectionKind {
    /// The expression can't be parsed, or a parameter is wrong.
    BadData,
    /// The expression can't be evaluated.
    Execution,
    /// The evaluation took too long.
    Timeout,
    /// The evaluation was stopped from outside.
    Canceled,
    /// The system can't answer at the moment.
    Unavailable,
    /// There is no such thing here.
    NotFound,
    /// A fault of the system.
    Internal,
    /// Too many requests by this tenant.
    TooManyRequests,
    /// The request or its answer is too large.
    TooLarge,
    /// The system can't answer in the form asked for.
    NotAcceptable,
    /// A kind we don't know, by its name.
    Other(Untrusted),
}

impl RejectionKind {
    /// The kind of an error: by its name, else by the HTTP status (VictoriaMetrics writes the status as the name).
    /// A deadline that passed is a timeout, whatever it is called: Prometheus 3 calls it `execution` when it passes
    /// while samples are fetched.
    pub(crate) fn of(
        named: Option<&str>,
        status: u16,
        message: &str,
        take_in: impl Fn(&str) -> Untrusted,
    ) -> RejectionKind {
        if message.contains("deadline exceeded") || message.contains("-search.maxQueryDuration") {
            return RejectionKind::Timeout;
        }
        let named = named.unwrap_or_default();
        match named {
            "bad_data" => RejectionKind::BadData,
            "execution" => RejectionKind::Execution,
            "timeout" => RejectionKind::Timeout,
            "canceled" => RejectionKind::Canceled,
            "unavailable" => RejectionKind::Unavailable,
            "not_found" => RejectionKind::NotFound,
            "internal" => RejectionKind::Internal,
            "too_many_requests" => RejectionKind::TooManyRequests,
            "too_large_entry" => RejectionKind::TooLarge,
            "not_acceptable" => RejectionKind::NotAcceptable,
            "" => RejectionKind::of_status(status),
            other => match other.parse() {
                Ok(written) => RejectionKind::of_status(written),
                Err(_) => RejectionKind::Other(take_in(other)),
            },
        }
    }

    /// What the API's documentation says each status is for; the rest by what HTTP says.
    fn of_status(status: u16) -> RejectionKind {
        match status {
            404 => RejectionKind::NotFound,
            406 => RejectionKind::NotAcceptable,
            413 => RejectionKind::TooLarge,
            422 => RejectionKind::Execution,
            429 => RejectionKind::TooManyRequests,
            499 => RejectionKind::Canceled,
            502 | 503 => RejectionKind::Unavailable,
            504 => RejectionKind::Timeout,
            400..=499 => RejectionKind::BadData,
            _ => RejectionKind::Internal,
        }
    }
}

impl fmt::Display for RejectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RejectionKind::BadData => "bad_data",
            RejectionKind::Execution => "execution",
            RejectionKind::Timeout => "timeout",
            RejectionKind::Canceled => "canceled",
            RejectionKind::Unavailable => "unavailable",
            RejectionKind::NotFound => "not_found",
            RejectionKind::Internal => "internal",
            RejectionKind::TooManyRequests => "too_many_requests",
            RejectionKind::TooLarge => "too_large",
            RejectionKind::NotAcceptable => "not_acceptable",
            RejectionKind::Other(name) => return f.write_str(&name.shown(40)),
        })
    }
}

impl Error {
    /// Without the place in the query that was sent, where that is not the one the caller knows.
    #[must_use]
    pub fn without_place(self, cx: &Context) -> Error {
        let Error::Rejected { system, status, kind, message, retry_after, .. } = self else { return self };
        let message = match message.inside().split_once(": parse error:") {
            Some((_, problem)) if position(message.inside()).is_some() => {
                cx.intake.text(&format!("parse error:{problem}"))
            }
            _ => message,
        };
        Error::Rejected { system, status, kind, message, position: None, retry_after }
    }
}

/// Line and column in `1:34: parse error: …`.
pub(crate) fn position(message: &str) -> Option<(u32, u32)> {
    let (before, _) = message.split_once(": parse error:")?;
    let (line, column) = before.rsplit(' ').next()?.split_once(':')?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

fn rejection(
    system: &str,
    status: u16,
    kind: &RejectionKind,
    message: &Untrusted,
    position: Option<(u32, u32)>,
) -> String {
    let place =
        position.map(|(line, column)| format!(" at line {line}, column {column}")).unwrap_or_default();
    format!("{system} refused it{place} ({kind}, HTTP {status}): {}", message.shown(SHOWN))
}

/// What helps against most limits.
const LESS: &str = "ask for less: a narrower selector, a shorter time_range, a larger step or an aggregation";

/// What the caller is told: which kind of problem it is for the guard, and what to change.
fn verdict(kind: &RejectionKind, message: &str) -> (ErrorKind, String) {
    if let Some(limit) = limit_in(message) {
        let what = limit.what;
        return match limit.advice {
            Advice::AskForLess => (ErrorKind::TooExpensive, format!("it exceeds {what}; {LESS}")),
            Advice::Shorter => {
                (ErrorKind::TooExpensive, format!("it exceeds {what}; shorten the expression"))
            }
            Advice::Wait => (ErrorKind::Upstream, format!("it exceeds {what}; wait, then ask again")),
            Advice::Operator => (ErrorKind::Denied, format!("{what}; ask something else, or the operator")),
        };
    }
    let (kind, remedy) = match kind {
        RejectionKind::BadData => {
            (ErrorKind::InvalidArgument, "mend the expression or argument that the message names")
        }
        RejectionKind::Execution => (
            ErrorKind::InvalidArgument,
            "the expression parses but can't be evaluated: look at what the message names (label matching with on, \
             ignoring and group_left, duplicate series, argument types)",
        ),
        RejectionKind::Timeout => (ErrorKind::Timeout, LESS),
        RejectionKind::TooLarge => (ErrorKind::TooExpensive, LESS),
        RejectionKind::TooManyRequests => {
            (ErrorKind::Upstream, "the backend limits its callers; wait, then ask for less")
        }
        RejectionKind::Canceled | RejectionKind::Unavailable => {
            (ErrorKind::Upstream, "try again shortly, or use another source")
        }
        RejectionKind::NotFound => (
            ErrorKind::Upstream,
            "this system does not offer this, or its URL lacks a path prefix; see `check`",
        ),
        RejectionKind::Internal | RejectionKind::NotAcceptable | RejectionKind::Other(_) => (
            ErrorKind::Upstream,
            "the backend could not answer; try another question or source, or tell its operator",
        ),
    };
    (kind, remedy.to_owned())
}

impl From<Error> for ToolError {
    fn from(error: Error) -> ToolError {
        let (system_says, message, retry_after) = match &error {
            Error::Upstream(upstream) => return upstream.clone().into(),
            Error::Rejected { kind, message, retry_after, .. } => (kind, message.inside(), *retry_after),
        };
        let (kind, remedy) = verdict(system_says, message);
        let mut mapped = ToolError::new(kind, error.to_string(), remedy);
        if let Some(wait) = retry_after {
            mapped = mapped.retry_after(wait);
        }
        mapped.because(error)
    }
}

#[cfg(test)]
mod tests;
