//! What a caller is told when no replica answered.

use std::time::Duration;

use contract::{ErrorKind, ToolError};
use thiserror::Error;
use upstream::UpstreamError;

use crate::Failed;

/// No replica answered.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{}", told(failed))]
pub struct Error {
    failed: Vec<Failed>,
}

impl Error {
    pub(crate) fn new(failed: Vec<Failed>) -> Error {
        Error { failed }
    }

    /// What became of each replica, in the order of the configuration; at least one.
    #[must_use]
    pub fn failed(&self) -> &[Failed] {
        &self.failed
    }
}

fn told(failed: &[Failed]) -> String {
    failed.iter().map(|failed| failed.error.to_string()).collect::<Vec<_>>().join("; ")
}

impl From<Error> for ToolError {
    fn from(error: Error) -> ToolError {
        let each: Vec<ToolError> = error.failed.iter().map(|failed| failed.error.clone().into()).collect();
        let first = each.first().map_or(ErrorKind::Upstream, ToolError::kind);
        let kind = if each.iter().all(|one| one.kind() == first) { first } else { ErrorKind::Upstream };
        // One replica that is back is enough.
        let wait: Option<Duration> = each.iter().filter_map(ToolError::wait).min();

        let mut remedies: Vec<&str> = Vec::new();
        for failed in &error.failed {
            let remedy = remedy(&failed.error);
            if !remedies.contains(&remedy) {
                remedies.push(remedy);
            }
        }
        let mapped = ToolError::new(kind, error.to_string(), remedies.join("; "));
        let mapped = if let Some(wait) = wait { mapped.retry_after(wait) } else { mapped };
        mapped.because(error)
    }
}

/// What to change. Not the remedies of `upstream`: an Alertmanager has no window or selector to narrow.
fn remedy(error: &UpstreamError) -> &'static str {
    match error {
        UpstreamError::Setup { .. } => {
            "an operator must mend the configuration of this replica; `check` shows it"
        }
        UpstreamError::Unreachable { .. } => {
            "an operator must check that it runs and that its URL can be reached from here; `check` tests each replica"
        }
        UpstreamError::Timeout { .. } => {
            "try again shortly; if it stays slow an operator can raise `upstream_timeout_seconds`"
        }
        UpstreamError::TooLarge { .. } => "an operator can raise `max_reply_bytes`",
        UpstreamError::Status { status, detail, .. } => of_status(*status, detail),
        UpstreamError::Redirect { .. } => {
            "this often is a login page or http instead of https; an operator must set the final URL"
        }
        UpstreamError::Protocol { .. } => {
            "something else may be listening at this URL (a proxy or login page); an operator must check it"
        }
        UpstreamError::Recording { .. } => "mend or leave out the recorded file",
        UpstreamError::Open { .. } | UpstreamError::Busy { .. } => "wait a moment, then ask again",
    }
}

fn of_status(status: u16, detail: &str) -> &'static str {
    match status {
        401 => {
            "the configured credentials (for Mimir: the tenant) are not accepted; an operator must mend them"
        }
        403 => "the configured credentials may not read alerts; an operator must grant it",
        404 => {
            "the API is not at this URL, or (Mimir) this tenant has no Alertmanager; an operator must check `url`, \
             which ends in /alertmanager for Mimir and in /api/alertmanager/grafana for Grafana"
        }
        429 => "it limits its callers; wait, then ask again",
        // Since 0.32 a silence may have several sets of matchers, which v2 can't express: one such silence, made
        // by other means, and the whole list fails.
        500 if detail.contains("multiple matcher sets") => {
            "this API can't list the silences while there is such a one; the alerts still tell which silences hold \
             them back"
        }
        500..=599 => "it or a proxy before it is unwell; try again shortly",
        _ => "it refused the request; `check` tells whether it is an Alertmanager with API v2",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(errors: Vec<UpstreamError>) -> ToolError {
        let failed = errors.into_iter().map(|error| Failed { replica: "a".to_owned(), error });
        Error::new(failed.collect()).into()
    }

    fn system() -> String {
        "alertmanager \"a\"".to_owned()
    }

    #[test]
    fn one_kind_of_failure_keeps_its_kind_and_several_are_upstream() {
        let slow = || UpstreamError::Timeout { system: system(), waited: Duration::from_secs(15) };
        let setup = || UpstreamError::Setup { system: system(), problem: "no such file".to_owned() };
        assert_eq!(mapped(vec![slow(), slow()]).kind(), ErrorKind::Timeout);
        assert_eq!(mapped(vec![setup()]).kind(), ErrorKind::NotConfigured);
        assert_eq!(mapped(vec![slow(), setup()]).kind(), ErrorKind::Upstream);
    }

    #[test]
    fn the_first_replica_that_may_be_back_decides_the_wait() {
        let open = |seconds| UpstreamError::Open {
            system: system(),
            failures: 5,
            retry_after: Duration::from_secs(seconds),
        };
        let slow = UpstreamError::Timeout { system: system(), waited: Duration::from_secs(15) };
        let error = mapped(vec![open(9), slow, open(4)]);
        assert_eq!(error.wait(), Some(Duration::from_secs(4)));
        assert_eq!(
            error.advice().matches("wait a moment").count(),
            1,
            "each remedy once: {}",
            error.advice()
        );
    }

    #[test]
    fn every_failure_has_a_remedy() {
        let status = |status| UpstreamError::Status {
            system: system(),
            status,
            detail: String::new(),
            retry_after: None,
        };
        let mut errors: Vec<UpstreamError> = [400, 401, 403, 404, 418, 429, 500, 503].map(status).to_vec();
        errors.push(UpstreamError::TooLarge { system: system(), limit: 8 });
        errors.push(UpstreamError::Redirect { system: system(), status: 302 });
        errors.push(UpstreamError::Busy { system: system() });
        for error in errors {
            let text = error.to_string();
            let mapped = mapped(vec![error]);
            assert_eq!(mapped.to_string(), text, "the problem names the system and the status");
            assert!(!mapped.advice().is_empty(), "{text}");
        }
    }
}
