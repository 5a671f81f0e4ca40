//! Selectors: which series are meant.

use std::sync::Arc;

use regex::Regex;

/// A condition on one label; a label that is absent has the empty value.
#[derive(Debug, Clone)]
pub(crate) struct Matcher {
    pub(crate) name: Arc<str>,
    pub(crate) test: Test,
}

/// What a label's value must be.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Equal(Arc<str>),
    NotEqual(Arc<str>),
    Like(Regex),
    NotLike(Regex),
}

impl Matcher {
    /// Whether the value satisfies the condition.
    pub(crate) fn accepts(&self, value: &str) -> bool {
        match &self.test {
            Test::Equal(wanted) => **wanted == *value,
            Test::NotEqual(unwanted) => **unwanted != *value,
            Test::Like(pattern) => pattern.is_match(value),
            Test::NotLike(pattern) => !pattern.is_match(value),
        }
    }
}

/// A series selector such as `http_requests_total{code=~"5.."}`: what the `match[]` of a listing is.
#[derive(Debug, Clone)]
pub struct Selector {
    pub(crate) matchers: Vec<Matcher>,
}
