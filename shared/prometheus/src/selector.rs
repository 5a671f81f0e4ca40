//! Building PromQL selectors: whatever is in a name or value, it stays a name or value.

use std::fmt;

/// How a matcher compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchOp {
    /// The label has this value; the empty value also means "no such label".
    Equal,
    /// The label has another value.
    NotEqual,
    /// The whole value matches this regular expression.
    Regex,
    /// The whole value does not match this regular expression.
    NotRegex,
}

impl fmt::Display for MatchOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        })
    }
}

/// A selector such as `http_requests_total{service="checkout", code=~"5.."}`, or
/// `{"http.server.request.duration", "k8s.pod"="x"}` for names that need quotes (Prometheus 3). Without a metric
/// and matchers it selects everything.
#[must_use]
pub fn selector(metric: Option<&str>, matchers: &[(&str, MatchOp, &str)]) -> String {
    let metric = metric.filter(|name| !name.is_empty());
    let mut before = "";
    let mut inside = Vec::with_capacity(matchers.len() + 1);
    match metric {
        Some(name) if !is_legacy_metric(name) => inside.push(quoted(name)),
        // A metric may be called `sum` or `nan`, but the grammar then wants it as a matcher.
        Some(name) if is_keyword(name) => inside.push(format!("__name__={}", quoted(name))),
        Some(name) => before = name,
        // An empty selector is refused; a series without a name does not exist.
        None if matchers.is_empty() => inside.push("__name__!=\"\"".to_owned()),
        None => {}
    }
    for (name, op, value) in matchers {
        inside.push(format!("{}{op}{}", label_name(name), quoted(value)));
    }
    if inside.is_empty() { before.to_owned() } else { format!("{before}{{{}}}", inside.join(", ")) }
}

/// A label's name as it stands in a matcher or in `by (…)`: in quotes where it needs them (Prometheus 3).
#[must_use]
pub fn label_name(name: &str) -> String {
    if is_legacy_label(name) { name.to_owned() } else { quoted(name) }
}

/// A label's name as a segment of a path: Prometheus 3 decodes `U__` names
/// (<https://prometheus.io/docs/prometheus/latest/querying/api/#querying-label-values>); older ones know only
/// names that need no such thing.
pub(crate) fn escape_label_name(name: &str) -> String {
    if is_legacy_label(name) && !name.starts_with("U__") {
        return name.to_owned();
    }
    let mut escaped = "U__".to_owned();
    for (place, character) in name.chars().enumerate() {
        match character {
            '_' => escaped.push_str("__"),
            '0'..='9' if place == 0 => escaped.push_str(&format!("_{:x}_", u32::from(character))),
            'a'..='z' | 'A'..='Z' | '0'..='9' | ':' => escaped.push(character),
            other => escaped.push_str(&format!("_{:x}_", u32::from(other))),
        }
    }
    escaped
}

/// A PromQL string in double quotes; what is not printable is written as an escape.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

fn is_legacy_label(name: &str) -> bool {
    is_legacy_metric(name) && !name.contains(':')
}

fn is_legacy_metric(name: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    let mut bytes = name.bytes();
    bytes.next().is_some_and(first) && bytes.all(|byte| first(byte) || byte.is_ascii_digit())
}

/// Words with a meaning of their own where a metric's name may stand, in any case of letters.
const KEYWORDS: &[&str] = &[
    "and",
    "or",
    "unless",
    "atan2",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "by",
    "without",
    "bool",
    "offset",
    "start",
    "end",
    "step",
    "range",
    "anchored",
    "smoothed",
    "fill",
    "fill_left",
    "fill_right",
    "inf",
    "nan",
    "sum",
    "avg",
    "min",
    "max",
    "count",
    "count_values",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "quantile",
    "limitk",
    "limit_ratio",
    "max_of",
    "min_of",
];

fn is_keyword(name: &str) -> bool {
    KEYWORDS.iter().any(|word| word.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;
