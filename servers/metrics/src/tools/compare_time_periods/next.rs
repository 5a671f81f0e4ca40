//! Calls worth making next.

use std::time::Duration;

use contract::{Draft, Next, TimeRange, duration_text};

use super::{
    Call,
    divide::How,
    show::{Shown, began_before},
    subject::Metric,
};
use crate::{
    analysis::{
        comparison::{Compared, Fate},
        transform::{Grouping, Subject},
    },
    model::{Labels, MatchOp},
};

/// After a comparison: look at what moved most, divide it further, ask what changed.
pub(super) fn add(shown: &Shown<'_>, draft: &mut Draft) {
    let first = shown.rows.iter().find(|one| one.has_moved());
    if let Some(one) = first
        && let Some(narrowed) = narrowed(shown, &one.labels)
    {
        if matches!(shown.divided.how, How::Few(_)) {
            let text = narrowed.selector();
            draft.next(shown.call.again(&text, "the series behind the label value that moved most"));
        }
        if let Some(next) = look(shown, one, &narrowed) {
            draft.next(next);
        }
    } else if shown.metric.subject.is_none() {
        draft.next(query(shown.call, &shown.call.request.metric, "the window in question, series by series"));
    }
    let moved = shown.main().filter(|one| one.has_moved()).or(first);
    // What was so from the first moment on began before: then the two hours before the window.
    let before = moved.filter(|one| began_before(one)).and_then(|_| shown.moment(0));
    let (onset, back) = match before {
        Some(start) => (Some(start), 7_200),
        None => (moved.and_then(|one| shown.onset(one)), 1_800),
    };
    if let Some(onset) = onset
        && let Ok(start) = onset.checked_sub(Duration::from_secs(back))
        && let Ok(end) = onset.checked_add(Duration::from_secs(300))
        && let Ok(window) = TimeRange::new(start, end)
    {
        let next = Next::call("get_recent_deployments", "what changed just before it moved").on("infra");
        draft.next(next.with("time_range", window.to_string()));
    }
}

/// Nothing matched: find the right name.
pub(super) fn after_nothing(call: &Call<'_>, metric: &Metric<'_>, draft: &mut Draft) {
    let text = metric.subject.as_ref().map_or(call.request.metric.as_str(), |subject| &subject.metric);
    let words: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    draft.next(query(call, &call.request.metric, "why it is empty, with the nearest names"));
    if !words.is_empty() && words.len() <= 100 {
        let next = Next::call("search_metrics", "metrics of a similar name").with("text", words);
        draft.next(of_source(call, next));
    }
}

/// The metric, narrowed to these labels; `None` when one of them may not stand in a call.
fn narrowed(shown: &Shown<'_>, labels: &Labels) -> Option<Subject> {
    let mut subject = shown.metric.subject.clone()?;
    for (name, value) in labels.iter().filter(|(name, _)| name.inside() != "quantile") {
        let (name, value) = (name.plain()?, value.plain()?);
        subject.matchers.retain(|(known, op, _)| known != name || *op != MatchOp::Equal);
        subject.matchers.push((name.to_owned(), MatchOp::Equal, value.to_owned()));
    }
    Some(subject)
}

/// What moved most, over the window in question and what was before it, at the same moments. What has no sample in it is
/// looked at where it was: in the baseline.
fn look(shown: &Shown<'_>, one: &Compared, narrowed: &Subject) -> Option<Next> {
    let measures = narrowed.measures(Grouping::Total, shown.layout.range);
    let measure = measures.iter().find(|measure| measure.name == one.measure)?;
    let why = match one.fate {
        Fate::Vanished(_) => "the series that vanished",
        Fate::Appeared(_) => "the series that appeared",
        Fate::Measured | Fate::TooLittle => "what moved most, over time",
    };
    let (windows, step) = (&shown.call.windows, shown.layout.step);
    let window = match (one.fate, shown.overview.chosen.first()) {
        (Fate::Vanished(0), Some(baseline)) => baseline.window,
        _ => windows.led_in(),
    };
    let next = Next::call("query_metrics", why).with("promql", measure.promql.trim());
    let next = next.with("time_range", window.to_string());
    Some(of_source(shown.call, next.with("step", duration_text(step as f64))))
}

fn query(call: &Call<'_>, promql: &str, why: &str) -> Next {
    let window = call.windows.arguments().next().map(|(_, text)| text.to_owned()).unwrap_or_default();
    let window = if call.windows.given.is_some() { call.windows.now.to_string() } else { window };
    of_source(call, Next::call("query_metrics", why).with("promql", promql.trim()).with("time_range", window))
}

fn of_source(call: &Call<'_>, next: Next) -> Next {
    match &call.request.source {
        Some(source) => next.with("source", source.as_str()),
        None => next,
    }
}
