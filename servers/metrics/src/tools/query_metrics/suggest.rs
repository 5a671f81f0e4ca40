//! Calls worth making next, from what an answer shows.

use std::time::Duration;

use contract::{Draft, Next, TimeRange, time_text};
use jiff::Timestamp;
use promql_parser::parser::Expr;

use super::question::{Question, When};
use crate::{
    analysis::{
        promql::{metric_of, narrow, selectors},
        ranking::{Track, rest},
    },
    model::Labels,
};

/// Why a rate.
const GREW: &str = "what it did in this time: by itself it only adds up since its start";

/// A longer query is not repeated in a suggestion.
const LONGEST: usize = 400;

/// Labels that name what can break, the most telling first.
const SUBJECTS: [&str; 9] =
    ["service", "service_name", "app", "job", "namespace", "deployment", "pod", "instance", "node"];

/// After an answer about one moment: how it got there.
pub(super) fn after_moment(draft: &mut Draft, question: &Question<'_>, series: usize, is_native: bool) {
    if series == 0 || question.promql.len() > LONGEST {
        return;
    }
    let why = if series == 1 { "how it got there" } else { "which of them moved, and since when" };
    let next = match rate(question, is_native) {
        Some(rate) => question.again(&rate, GREW),
        None => question.again(question.promql, why),
    };
    draft.next(next.with("time_range", "1h"));
}

/// After a window: what fired when the first series began to move, and that series alone. Of a counter: its rate.
pub(super) fn after_window(
    draft: &mut Draft,
    question: &Question<'_>,
    first: Option<(&Track, Option<Timestamp>)>,
    all: &[&Labels],
    shared: &Labels,
) {
    if let Some(rate) = rate(question, first.is_some_and(|(track, _)| track.is_p95)) {
        draft.next(question.again(&rate, GREW));
    }
    let Some((track, Some(onset))) = first else { return };
    if let Some(window) = around(onset, question.end()) {
        let why = format!("what fired when it began to move, {}", time_text(onset));
        let mut next = Next::call("list_firing_alerts", why).with("time_range", window.to_string());
        if let Some(service) = track.labels.get("service").and_then(|service| service.plain()) {
            next = next.with("service", service);
        }
        draft.next(next);
    }
    if let Some(next) = narrower(question, &rest(&track.labels, shared), all) {
        draft.next(next);
    }
}

/// The rate of a counter or native histogram that was asked for as it is.
fn rate(question: &Question<'_>, is_native: bool) -> Option<String> {
    let tree = question.reading.tree.as_ref()?;
    let Expr::VectorSelector(selector) = tree else { return None };
    let name = metric_of(selector)?;
    let is_counter =
        is_native || ["_total", "_count", "_sum", "_bucket"].iter().any(|end| name.ends_with(end));
    let is_plain = selector.offset.is_none() && selector.at.is_none();
    (is_counter && is_plain).then(|| format!("rate({}[5m])", question.promql))
}

/// Five minutes before to ten after, as far as that is past.
fn around(onset: Timestamp, end: Timestamp) -> Option<TimeRange> {
    let start = onset.checked_sub(Duration::from_secs(300)).ok()?;
    let after = onset.checked_add(Duration::from_secs(600)).ok()?;
    TimeRange::new(start, after.min(end.max(onset))).ok()
}

/// The same query for what moved most, with its points when it is a single series: by the label that names what can break, else by any that
/// tells it from the others.
fn narrower(question: &Question<'_>, own: &Labels, all: &[&Labels]) -> Option<Next> {
    let tree = question.reading.tree.as_ref()?;
    let found = selectors(tree);
    let [only] = found.as_slice() else { return None };
    let metric = metric_of(only.selector)?;
    if question.full || !matches!(question.when, When::Over { .. }) {
        return None;
    }
    let subject = SUBJECTS.iter().find_map(|label| Some((*label, own.get(label)?.plain()?)));
    let any = || own.iter().find_map(|(name, value)| Some((name.plain()?, value.plain()?)));
    let (label, value) = subject.or_else(any)?;
    let promql = narrow(&question.reading, metric, label, value)?;
    let is_it = |labels: &&&Labels| labels.get(label).is_some_and(|one| one.inside() == value);
    if all.iter().filter(is_it).count() > 1 {
        return Some(question.again(&promql, &format!("only {label} {value}")));
    }
    Some(question.again(&promql, &format!("only {label} {value}, with points")).with("detail", "full"))
}

/// When rows were left out: one row for each subject.
pub(super) fn grouped(draft: &mut Draft, question: &Question<'_>, labels: &[&Labels], shown: usize) {
    if !matches!(question.when, When::Over { .. }) || labels.len() <= shown {
        return;
    }
    let groups = |label: &str| {
        let mut values: Vec<&str> =
            labels.iter().filter_map(|one| one.get(label)).map(|value| value.inside()).collect();
        values.sort_unstable();
        values.dedup();
        values.len()
    };
    let found =
        SUBJECTS.iter().map(|label| (*label, groups(label))).find(|(_, count)| (2..=shown).contains(count));
    if let Some((label, count)) = found {
        let promql = format!("max by ({label}) ({})", question.promql);
        draft.next(
            question.again(&promql, &format!("the {count} values of {label}, the highest series of each")),
        );
    }
}
