//! `Bearer` outside a header: in a log line it is as often a word of the message as the scheme of a token.

use super::{Candidate, Verdict};

/// `Bearer authentication failed` and `Bearer realm="x"` hold no token.
pub(super) fn judge(candidate: &Candidate<'_>) -> Verdict {
    let value = candidate.value;
    let is_parameter = value.ends_with('=') && candidate.after.starts_with('"');
    if is_parameter || !looks_random(value) {
        return Verdict::Not(value.len());
    }
    Verdict::Secret(value.len())
}

/// Words have no digits, and no capital after a small letter.
pub(super) fn looks_random(value: &str) -> bool {
    let has_digit = value.contains(|c: char| c.is_ascii_digit());
    let mut after_lower = false;
    for c in value.chars() {
        if after_lower && c.is_ascii_uppercase() {
            return true;
        }
        after_lower = c.is_ascii_lowercase();
    }
    has_digit
}
