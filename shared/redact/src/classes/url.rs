//! `scheme://user:PASSWORD@host`: only the password is masked, so that the host stays evidence.

use super::pair::is_placeholder;
use super::{Candidate, Verdict};

/// `http://host:8080?to=a@b` has a port, `http://$USER:$PASSWORD@host` a placeholder.
pub(super) fn judge(candidate: &Candidate<'_>) -> Verdict {
    let value = candidate.value;
    let after_number = value.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_port = after_number.len() < value.len() && after_number.starts_with(['?', '#']);
    if is_port || is_placeholder(value) {
        return Verdict::Not(value.len());
    }
    Verdict::Secret(value.len())
}
