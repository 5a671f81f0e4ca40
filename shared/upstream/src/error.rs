//! What can go wrong on the way to a backend and back, and what to do about it.

use std::{borrow::Cow, time::Duration};

use contract::{ErrorKind, ToolError};
use thiserror::Error;

/// A failed exchange with a backend. `system` reads like `prometheus "main"`.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum UpstreamError {
    /// The HTTP client could not be built.
    #[error("{system}: can't set up the connection: {problem}")]
    Setup {
        /// The backend.
        system: String,
        /// What is wrong with the configuration or the machine.
        problem: String,
    },
    /// No connection, or it broke.
    #[error("{system}: {problem}")]
    Unreachable {
        /// The backend.
        system: String,
        /// What happened, without addresses of other systems.
        problem: String,
    },
    /// No complete answer in time.
    #[error("{system} did not answer within {}", contract::duration_text(waited.as_secs_f64()))]
    Timeout {
        /// The backend.
        system: String,
        /// How long we waited.
        waited: Duration,
    },
    /// The reply is larger than allowed.
    #[error("{system}: the reply is larger than {limit} bytes; stopped reading")]
    TooLarge {
        /// The backend.
        system: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// An HTTP status that is an error.
    #[error("{system} answered HTTP {status}{detail}")]
    Status {
        /// The backend.
        system: String,
        /// The status.
        status: u16,
        /// What the body said, ready to show (`: «…»`), or empty.
        detail: String,
        /// How long the backend asks to wait.
        retry_after: Option<Duration>,
    },
    /// The backend sent us elsewhere; redirects are not followed.
    #[error("{system} answered with a redirect (HTTP {status}), which is not followed")]
    Redirect {
        /// The backend.
        system: String,
        /// The status.
        status: u16,
    },
    /// The reply is not what the API promises.
    #[error("{system}: {problem}")]
    Protocol {
        /// The backend.
        system: String,
        /// What is wrong with the reply, ready to show.
        problem: String,
    },
    /// A file of a recorded incident can't be read.
    #[error("{system}: {problem}")]
    Recording {
        /// The running program, whose command names what is wrong.
        program: &'static str,
        /// The recording.
        system: String,
        /// The file, and what is wrong with it.
        problem: String,
    },
    /// The breaker is open after repeated failures.
    #[error("{system} failed {failures} times in a row and is left alone for now")]
    Open {
        /// The backend.
        system: String,
        /// Failures in a row.
        failures: u32,
        /// When it is tried again.
        retry_after: Duration,
    },
    /// Too many requests to this backend at the same time.
    #[error("{system}: too many requests at the same time")]
    Busy {
        /// The backend.
        system: String,
    },
}

impl UpstreamError {
    fn remedy(&self) -> Cow<'static, str> {
        let fixed = match self {
            UpstreamError::Setup { .. } => {
                "mend the configuration of this source; `check` shows each setting"
            }
            UpstreamError::Unreachable { .. } => {
                "check its URL, that it runs and that this machine reaches it; `check` tests each source"
            }
            UpstreamError::Timeout { .. } | UpstreamError::TooLarge { .. } => {
                "ask for less: a narrower selector, a shorter time_range, a larger step or an aggregation"
            }
            UpstreamError::Status { status, .. } => match status {
                401 => "the backend does not accept the configured credentials; an operator must mend them",
                403 => "the configured credentials may not read this; an operator must grant it",
                404 => "the API is not at this URL; an operator must check the URL and its path prefix",
                429 => "the backend limits its callers; wait, then ask for less",
                500..=599 => {
                    "the backend or a proxy before it is unwell; try again shortly, or another source"
                }
                _ => "the backend refused the request as it stands",
            },
            UpstreamError::Redirect { .. } => {
                "this often is a login page or http instead of https; an operator must set the final URL"
            }
            UpstreamError::Protocol { .. } => {
                "something else may be listening at this URL (a proxy or login page); an operator must check it"
            }
            UpstreamError::Recording { program, .. } => {
                return Cow::Owned(format!(
                    "`{program} snapshot check DIR` names the first fault of each file; mend or leave out the file"
                ));
            }
            UpstreamError::Open { .. } => "wait, or use another source",
            UpstreamError::Busy { .. } => "wait a moment, then ask again",
        };
        Cow::Borrowed(fixed)
    }

    /// The kind of failure in one word, for audit records and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            UpstreamError::Setup { .. } => "setup",
            UpstreamError::Unreachable { .. } => "unreachable",
            UpstreamError::Timeout { .. } => "timeout",
            UpstreamError::TooLarge { .. } => "too_large",
            UpstreamError::Status { .. } => "status",
            UpstreamError::Redirect { .. } => "redirect",
            UpstreamError::Protocol { .. } => "protocol",
            UpstreamError::Recording { .. } => "recording",
            UpstreamError::Open { .. } => "breaker_open",
            UpstreamError::Busy { .. } => "busy",
        }
    }
}

impl From<UpstreamError> for ToolError {
    fn from(error: UpstreamError) -> ToolError {
        let kind = match &error {
            UpstreamError::Timeout { .. } => ErrorKind::Timeout,
            UpstreamError::Busy { .. } => ErrorKind::Busy,
            UpstreamError::Setup { .. } => ErrorKind::NotConfigured,
            _ => ErrorKind::Upstream,
        };
        let mapped = ToolError::new(kind, error.to_string(), error.remedy());
        let mapped = match &error {
            UpstreamError::Status { retry_after: Some(wait), .. }
            | UpstreamError::Open { retry_after: wait, .. } => mapped.retry_after(*wait),
            UpstreamError::Busy { .. } => mapped.retry_after(Duration::from_secs(2)),
            _ => mapped,
        };
        mapped.because(error)
    }
}
