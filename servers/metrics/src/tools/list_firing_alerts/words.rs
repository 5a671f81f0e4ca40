//! How labels, times and lists are written.

use std::collections::BTreeSet;

use contract::{Untrusted, time_text};
use jiff::Timestamp;

use crate::{
    analysis::alerts::{OneAlert, Severity, families::Spread},
    model::Labels,
};

/// Characters of a name or label value that are shown.
pub(super) const NAME: usize = 100;
/// Shared labels of a row.
const SHARED: usize = 10;
/// Varying labels of a row.
const VARYING: usize = 3;

/// The moment to the second before it.
pub(super) fn second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_millisecond().div_euclid(1000)).unwrap_or(moment)
}

/// The moment to the second, in RFC 3339.
pub(super) fn moment(moment: Timestamp) -> String {
    time_text(second(moment))
}

/// `1 alert`, `2 alerts`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    contract::counted(count as u64, one, many)
}

/// A length of time in whole seconds; `0s` too.
pub(super) fn length(seconds: f64) -> String {
    let whole = seconds.round();
    if whole < 1.0 { "0s".to_owned() } else { contract::duration_text(whole) }
}

/// An alert's name.
pub(super) fn name(labels: &Labels) -> String {
    labels.get("alertname").map_or_else(|| "an alert without a name".to_owned(), |name| name.shown(NAME))
}

/// An alert's name and labels, as people write them.
pub(super) fn alert(alert: &OneAlert<'_>) -> String {
    named(&alert.labels, &alert.severity)
}

/// A name and labels, as people write them.
pub(super) fn named(labels: &Labels, severity: &Severity) -> String {
    let hidden = severity.label.as_ref().map_or("", |(name, _)| *name);
    let others = labels.iter().filter(|(label, _)| label.inside() != "alertname" && label.inside() != hidden);
    let text = pairs(others, SHARED);
    if text.is_empty() { name(labels) } else { format!("{}{{{text}}}", name(labels)) }
}

/// Labels that all alerts of a family have.
pub(super) fn shared(spread: &Spread) -> String {
    pairs(spread.shared.iter().map(|(name, value)| (name, value)), SHARED)
}

/// Labels in which the alerts of a family differ, each with its first values.
pub(super) fn varying(spread: &Spread) -> String {
    let mut texts: Vec<String> = Vec::new();
    for label in spread.varying.iter().take(VARYING) {
        let mut values: Vec<String> = label.values.iter().map(|value| value.shown(NAME)).collect();
        if label.distinct > values.len() {
            values.push(format!("+{} more", label.distinct - values.len()));
        }
        if label.absent > 0 {
            values.push(format!("none on {}", label.absent));
        }
        texts.push(format!("{}: {}", label.name.shown(NAME), values.join(", ")));
    }
    if spread.varying.len() > VARYING {
        texts.push(format!("+{} more labels", spread.varying.len() - VARYING));
    }
    texts.join("; ")
}

fn pairs<'a>(all: impl Iterator<Item = (&'a Untrusted, &'a Untrusted)>, most: usize) -> String {
    let mut texts: Vec<String> =
        all.map(|(name, value)| format!("{}={}", name.shown(NAME), value.shown(NAME))).collect();
    let omitted = texts.len().saturating_sub(most);
    texts.truncate(most);
    if omitted > 0 {
        texts.push(format!("+{omitted} labels"));
    }
    texts.join(", ")
}

/// Several texts as one, each once, in the order of their names; the rest counted.
pub(super) fn listed(texts: impl IntoIterator<Item = String>, most: usize) -> String {
    let all: BTreeSet<String> = texts.into_iter().collect();
    let omitted = all.len().saturating_sub(most);
    let mut shown: Vec<String> = all.into_iter().take(most).collect();
    if omitted > 0 {
        shown.push(format!("+{omitted} more"));
    }
    shown.join(", ")
}
