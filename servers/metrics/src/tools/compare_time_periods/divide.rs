//! The metric in its parts: each label set, or the values of a few labels where there are too many.

use std::collections::BTreeMap;

use contract::{Cite, Draft, TimeRange, ToolError, Untrusted};
use upstream::UpstreamError;

use super::{
    Call, ask,
    overview::Overview,
    subject::{Metric, evidence},
    windows::Layout,
};
use crate::{
    analysis::{
        comparison::{Key, Pair, Values, against_others, pairs, placed},
        transform::{Form, Grouping},
    },
    model::{QueryError, label_name},
};

/// More series than this are not pulled.
pub(super) const MOST_SERIES: u64 = 500;

/// A label with more values than this is no division for people, unless there is no other.
const MOST_VALUES: u64 = 150;
/// The values of all labels together.
const ALL_VALUES: u64 = 300;
/// Labels that a large metric is divided by.
const LABELS: usize = 3;
/// Labels whose values are counted.
const COUNTED: usize = 20;

/// The amounts behind a mean, which are no row of their own.
pub(super) const SUM: &str = "sum";

/// How the metric was divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum How {
    /// Each series.
    Each,
    /// By these labels together, as asked.
    By(Vec<String>),
    /// By each of these labels on its own, because there are too many series.
    Few(Vec<String>),
    /// Not at all.
    NotAtAll,
}

/// The metric in its parts.
pub(super) struct Divided {
    pub(super) pairs: Vec<Pair>,
    pub(super) how: How,
    pub(super) cite: Option<Cite>,
}

/// Asks for the parts, in the window in question and in the baseline.
///
/// # Errors
/// When a division that was asked for can't be read. Others give way to a coarser one.
pub(super) async fn ask(
    call: &Call<'_>,
    metric: &Metric<'_>,
    layout: Layout,
    overview: &Overview,
    draft: &mut Draft,
) -> Result<Divided, ToolError> {
    if !overview.is_total {
        return Ok(Divided { pairs: overview.pairs.clone(), how: How::Each, cite: Some(overview.cite) });
    }
    if !metric.by.is_empty() {
        let how = How::By(metric.by.clone());
        return divided(call, metric, layout, overview, how, draft)
            .await
            .map_err(|error| ask::explain(call, error));
    }
    if metric.series.is_none_or(|series| series <= MOST_SERIES) {
        match divided(call, metric, layout, overview, How::Each, draft).await {
            Ok(divided) => return Ok(divided),
            Err(error) if !is_too_large(&error) => return Err(ask::explain(call, error)),
            Err(error) => {
                draft.caveat(format!("each series is too much for one reply ({})", ToolError::from(error)))
            }
        }
    }
    let few = few_labels(call, metric, layout, overview, draft).await;
    if !few.is_empty() {
        match divided(call, metric, layout, overview, How::Few(few), draft).await {
            Ok(divided) => return Ok(divided),
            Err(error) if !is_too_large(&error) => return Err(ask::explain(call, error)),
            Err(error) => draft.caveat(format!("not divided by labels: {}", ToolError::from(error))),
        }
    }
    Ok(Divided { pairs: Vec::new(), how: How::NotAtAll, cite: None })
}

fn is_too_large(failure: &ask::Failure) -> bool {
    let error = match failure {
        ask::Failure::Refused(error) => return error.kind() == contract::ErrorKind::TooExpensive,
        ask::Failure::Source(error) => error,
    };
    let is_body = matches!(error, QueryError::Upstream(UpstreamError::TooLarge { .. }));
    is_body || ToolError::from(error.clone()).kind() == contract::ErrorKind::TooExpensive
}

async fn divided(
    call: &Call<'_>,
    metric: &Metric<'_>,
    layout: Layout,
    overview: &Overview,
    how: How,
    draft: &mut Draft,
) -> Result<Divided, ask::Failure> {
    let parts = parts(metric, layout, &how);
    let main = parts.first().map(|(name, _)| name.clone()).unwrap_or_default();
    let promql = ask::together(&parts);
    let baseline = overview.windows();
    let windows: Vec<TimeRange> = [call.windows.now].into_iter().chain(baseline.iter().copied()).collect();
    let mut all: Vec<BTreeMap<Key, Values>> = Vec::new();
    for (window, reply) in windows.iter().zip(ask::over(call, &promql, &windows, layout).await) {
        let reply = reply?;
        ask::remarks(call, draft, &reply);
        all.push(placed(reply.data.into_series(), layout.grid(*window), ask::MARK, &main).0);
    }
    let cite = evidence(call, draft, &promql, layout, &baseline);
    let mut all = all.into_iter();
    let now = all.next().unwrap_or_default();
    let pairs = if call.windows.is_within { against_others(now) } else { pairs(all.collect(), now) };
    Ok(Divided { pairs, how, cite: Some(cite) })
}

/// The questions about the parts: of a histogram the 95th percentile and the rate, with what its mean is made of.
fn parts(metric: &Metric<'_>, layout: Layout, how: &How) -> Vec<(String, String)> {
    let one = |grouping: Grouping<'_>| {
        let measures = metric.measures(grouping, layout);
        let kept = measures.into_iter().filter(|measure| !["p50", "p99"].contains(&measure.name));
        let mut parts: Vec<(String, String)> =
            kept.map(|measure| (measure.name.to_owned(), measure.promql)).collect();
        let form = metric.subject.as_ref().map(|subject| subject.form);
        if matches!(form, Some(Form::Classic | Form::Native)) {
            let sums = metric.subject.as_ref().and_then(|subject| subject.sums(grouping, layout.range));
            parts.extend(sums.map(|sums| (SUM.to_owned(), sums.sum)));
        }
        parts
    };
    match how {
        How::Each => one(Grouping::Each),
        How::By(labels) => one(Grouping::By(labels)),
        How::Few(labels) => labels.chunks(1).flat_map(|label| one(Grouping::By(label))).collect(),
        How::NotAtAll => Vec::new(),
    }
}

/// The labels with the fewest values, but at least two, counted by the source.
async fn few_labels(
    call: &Call<'_>,
    metric: &Metric<'_>,
    layout: Layout,
    overview: &Overview,
    draft: &mut Draft,
) -> Vec<String> {
    let Some(counted) = metric.counted() else { return Vec::new() };
    let names = metric.label_names(call, draft).await;
    // A name that needs a fence is no division of ours: it would stand in the evidence and in suggested calls.
    let names = names
        .iter()
        .filter_map(Untrusted::plain)
        .filter(|name| !["__name__", "le", "quantile"].contains(name));
    let names: Vec<String> = names.take(COUNTED).map(str::to_owned).collect();
    let parts: Vec<(String, String)> = (names.iter().enumerate())
        .map(|(place, name)| {
            (place.to_string(), format!("count(count by ({}) ({counted}))", label_name(name)))
        })
        .collect();
    if parts.is_empty() {
        return Vec::new();
    }
    let query = ask::together(&parts);
    let mut counts: Vec<(u64, String)> = Vec::new();
    // Of a metric that is gone now, as it was before.
    for window in [call.windows.now].into_iter().chain(overview.windows()) {
        let at = jiff::Timestamp::from_second(window.end().as_second()).unwrap_or(window.end());
        let ran = match call.guard.instant(&query, at).await {
            Ok(ran) => ran,
            Err(error) => {
                draft.caveat(format!("the values of its labels were not counted: {error}"));
                break;
            }
        };
        for one in ran.reply.data.into_series() {
            let place = match one.labels.get(ask::MARK) {
                Some(mark) => mark.inside().parse::<usize>().ok(),
                None => Some(0),
            };
            let name = place.and_then(|place| names.get(place));
            if let (Some(name), Some(point)) = (name, one.points.first()) {
                counts.push((point.value as u64, name.clone()));
            }
        }
        if !counts.is_empty() {
            break;
        }
    }
    choose(counts, if metric.measures(Grouping::Total, layout).len() > 1 { 1 } else { LABELS })
}

/// Up to `most` labels with few values; of larger ones the smallest, when there is no other.
fn choose(mut counts: Vec<(u64, String)>, most: usize) -> Vec<String> {
    counts.retain(|(count, _)| (2..=MOST_SERIES).contains(count));
    counts.sort();
    let mut chosen: Vec<String> = Vec::new();
    let mut all = 0;
    for (count, name) in &counts {
        all += count;
        if chosen.len() < most && *count <= MOST_VALUES && all <= ALL_VALUES {
            chosen.push(name.clone());
        }
    }
    if chosen.is_empty() {
        chosen.extend(counts.into_iter().next().map(|(_, name)| name));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(counts: &[(u64, &str)], most: usize, expected: &[&str]) {
        let counts = counts.iter().map(|(count, name)| (*count, (*name).to_owned())).collect();
        assert_eq!(choose(counts, most), expected);
    }

    #[test]
    fn a_large_metric_is_divided_by_the_labels_with_the_fewest_values() {
        check(
            &[(100, "pod"), (5, "code"), (1, "job"), (9_000, "id"), (40, "route")],
            3,
            &["code", "route", "pod"],
        );
        check(&[(100, "pod"), (5, "code"), (40, "route")], 1, &["code"]);
        check(&[(150, "pod"), (140, "node"), (120, "route")], 3, &["route", "node"]);
        check(&[(400, "pod"), (300, "node"), (1, "job")], 3, &["node"]);
        check(&[(1, "job"), (20_000, "id")], 3, &[]);
    }
}
