//! Phrases that answers about a moment and about a window share.

use contract::{Cell, Cite, Draft, Finding, significant, time_text};
use jiff::Timestamp;
use promql_parser::label::MatchOp;

use super::question::Question;
use crate::{
    analysis::{
        promql::{is_moment, metric_of, names_moment, selectors},
        ranking::rest,
    },
    model::Labels,
};

/// Labels longer than this do not belong in a sentence.
const LONGEST: usize = 140;

/// What is asked, how many series there are and which labels they share, unless the query says them itself. Many
/// shared labels become a finding.
pub(super) fn head(
    draft: &mut Draft,
    cite: Cite,
    question: &Question<'_>,
    count: usize,
    shared: &Labels,
) -> String {
    let title = question.title();
    let told = rest(shared, &told_by_query(question, shared));
    let mut labels = String::new();
    if !told.is_empty() {
        labels = told.text();
        if labels.len() > LONGEST {
            let subject = if count == 1 { "the series has" } else { "all series have" };
            draft.finding(Finding::new(format!("{subject} {labels}"), cite));
            labels.clear();
        }
    }
    match (count, labels.is_empty()) {
        (1, true) => title,
        (1, false) => format!("{title}, one series with {labels},"),
        (_, true) => format!("{count} series of {title}"),
        (_, false) => format!("{count} series of {title}, all with {labels},"),
    }
}

/// Those of the shared labels that stand in the query: the metric's name, and what is compared with `=`.
fn told_by_query(question: &Question<'_>, shared: &Labels) -> Labels {
    let Some(tree) = &question.reading.tree else { return Labels::default() };
    let found = selectors(tree);
    let is_told = |name: &str, value: &str| {
        found.iter().any(|one| {
            let by_name = name == "__name__" && metric_of(one.selector) == Some(value);
            by_name
                || one.selector.matchers.matchers.iter().any(|matcher| {
                    matcher.op == MatchOp::Equal && matcher.name == name && matcher.value == value
                })
        })
    };
    let told = shared.iter().filter(|(name, value)| is_told(name.inside(), value.inside()));
    Labels::new(told.map(|(name, value)| (name.clone(), value.clone())))
}

/// Whether the values of a series are moments: by its name, or by those in the expression when it has lost it, and
/// because all lie between 2001 and 2096.
pub(super) fn are_moments(
    question: &Question<'_>,
    labels: &Labels,
    values: impl Iterator<Item = f64>,
) -> bool {
    let is_named = match labels.name() {
        Some(name) => names_moment(name.inside()),
        None => question.reading.tree.as_ref().is_some_and(is_moment),
    };
    let mut finite = values.filter(|value| value.is_finite()).peekable();
    is_named && finite.peek().is_some() && finite.all(|value| (1e9..=4e9).contains(&value))
}

/// A value that may be a moment.
pub(super) fn value_cell(value: f64, is_moment: bool) -> Cell {
    match seconds_since_1970(value) {
        Some(moment) if is_moment => Cell::Time(moment),
        _ => Cell::Number(value),
    }
}

/// A value that may be a moment, within a sentence.
pub(super) fn value_text(value: f64, is_moment: bool) -> String {
    match seconds_since_1970(value) {
        Some(moment) if is_moment => time_text(moment),
        _ => significant(value),
    }
}

fn seconds_since_1970(value: f64) -> Option<Timestamp> {
    if !value.is_finite() || value.abs() > 4e9 {
        return None;
    }
    Timestamp::from_second(value.round() as i64).ok()
}

/// What tells a row from the others; missing when nothing does.
pub(super) fn label_cell(labels: &Labels, shared: &Labels) -> Cell {
    let own = rest(labels, shared);
    if own.is_empty() { Cell::Missing } else { Cell::Text(own.text()) }
}

/// What tells a series from the others, within a sentence.
pub(super) fn named(labels: &Labels, shared: &Labels) -> String {
    let text = rest(labels, shared).text();
    let cut: String = text.chars().take(LONGEST).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { text }
}
