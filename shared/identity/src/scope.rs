//! What a caller may do: `metrics:read`, `metrics:*`, `*:read` or `*`.

use std::fmt;

use thiserror::Error;

/// A permission, as granted: `AREA:ACTION` in lower case, either side of which may be `*`, or `*` alone for
/// everything. Tools ask for one without wildcards, for example `metrics:read`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(String);

/// A text that is not a scope. Reads after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "read scope `{}`: write it in lower case as `area:action`, for example `metrics:read`, `metrics:*`, `*:read` or `*`",
    .text.escape_debug()
)]
pub struct ScopeError {
    /// The text as it was given.
    pub text: String,
}

impl Scope {
    /// Reads a scope as an operator writes it in the configuration.
    ///
    /// # Errors
    /// [`ScopeError`] unless the text is `*` or two words of `a-z`, `0-9`, `_`, `-` (or `*`) around one colon.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let well_formed = match text.split_once(':') {
            Some((area, action)) => (is_word(area) || area == "*") && (is_word(action) || action == "*"),
            None => text == "*",
        };
        if well_formed { Ok(Self(text.to_owned())) } else { Err(ScopeError { text: text.to_owned() }) }
    }

    /// Every read scope of whichever server this is: `*:read`.
    #[must_use]
    pub fn every_read() -> Self {
        Self("*:read".to_owned())
    }

    /// The scope as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether holding this scope is enough for what a tool asks for. `asked` is one concrete `area:action`;
    /// anything else, a wildcard included, is granted to nobody, so that a mistake in a tool refuses.
    #[must_use]
    pub fn grants(&self, asked: &str) -> bool {
        let Some((asked_area, asked_action)) = asked.split_once(':') else { return false };
        if !is_word(asked_area) || !is_word(asked_action) {
            return false;
        }
        match self.0.split_once(':') {
            Some((area, action)) => {
                (area == "*" || area == asked_area) && (action == "*" || action == asked_action)
            }
            None => true, // the lone `*`, the only scope without a colon
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
}
