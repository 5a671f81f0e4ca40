//! Calls worth making next, from what an answer shows.

use std::time::Duration;

use contract::{Draft, Next, TimeRange, time_text};
use jiff::Timestamp;

use super::question::{Question, When};
use crate::{
    analysis::promql::{metric_of, narrow, selectors},
    model::Labels,
};

/// Labels that name what can break, the most telling first.
const SUBJECTS: [&str; 9] =
    ["service", "service_name", "app", "job", "namespace", "deployment", "pod", "instance", "node"];

/// After an answer about one moment: how it got there.
pub(super) fn after_moment(draft: &mut Draft, question: &Question<'_>, series: usize) {
    if series == 0 || question.promql.len() > 400 {
        return;
    }
    let why = if series == 1 { "how it got there" } else { "which of them moved, and since when" };
    draft.next(question.again(question.promql, why).with("time_range", "1h"));
}

/// After a window in which something moved: what fired then, and only that which moved.
pub(super) fn after_onset(draft: &mut Draft, question: &Question<'_>, onset: Timestamp, first: &Labels) {
    if let Some(window) = around(onset, question.end()) {
        let why = format!("what fired when it began to move, {}", time_text(onset));
        let mut next = Next::call("list_firing_alerts", why).with("time_range", window.to_string());
        if let Some(service) = first.get("service").and_then(|service| service.plain()) {
            next = next.with("service", service);
        }
        draft.next(next);
    }
    if let Some(next) = narrower(question, first) {
        draft.next(next);
    }
}

/// Five minutes before to ten after, as far as that is past.
fn around(onset: Timestamp, end: Timestamp) -> Option<TimeRange> {
    let start = onset.checked_sub(Duration::from_secs(300)).ok()?;
    let after = onset.checked_add(Duration::from_secs(600)).ok()?;
    TimeRange::new(start, after.min(end.max(onset))).ok()
}

/// The same query for the subject that moved most, with its points.
fn narrower(question: &Question<'_>, first: &Labels) -> Option<Next> {
    let tree = question.reading.tree.as_ref()?;
    let found = selectors(tree);
    let [only] = found.as_slice() else { return None };
    let metric = metric_of(only.selector)?;
    let (label, value) = SUBJECTS.iter().find_map(|label| Some((*label, first.get(label)?.plain()?)))?;
    let asks_already = only.selector.matchers.matchers.iter().any(|matcher| matcher.name == label);
    if asks_already || question.full {
        return None;
    }
    let promql = narrow(&question.reading, metric, label, value)?;
    Some(question.again(&promql, &format!("only {label} {value}, with points")).with("detail", "full"))
}

/// When rows were left out: one row for each subject.
pub(super) fn grouped(draft: &mut Draft, question: &Question<'_>, labels: &[&Labels], shown: usize) {
    if !matches!(question.when, When::Over { .. }) || labels.len() <= shown {
        return;
    }
    let groups = |label: &str| {
        let mut values: Vec<&str> = labels.iter().filter_map(|one| one.get(label)).map(|value| value.inside()).collect();
        values.sort_unstable();
        values.dedup();
        values.len()
    };
    let found = SUBJECTS.iter().map(|label| (*label, groups(label))).find(|(_, count)| (2..=shown).contains(count));
    if let Some((label, count)) = found {
        let promql = format!("max by ({label}) ({})", question.promql);
        draft.next(question.again(&promql, &format!("the {count} values of {label}, the highest series of each")));
    }
}
