//! How many series were recorded, and what has most of them: what a database says of itself.

use std::collections::{BTreeMap, BTreeSet};

use contract::Context;
use promql::Store;

use crate::model::{TsdbCount, TsdbStatus};

/// Counts all recorded series, at most `limit` entries in each list, the largest first.
pub(super) fn status(cx: &Context, store: &Store, limit: usize) -> TsdbStatus {
    let all = store.series(&[], &(i64::MIN..=i64::MAX));
    let mut by_metric: BTreeMap<&str, u64> = BTreeMap::new();
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for labels in &all {
        *by_metric.entry(labels.get("__name__")).or_default() += 1;
        for (label, value) in labels.iter() {
            values.entry(label).or_default().insert(value);
        }
    }
    let of_labels = values.iter().map(|(label, values)| (*label, values.len() as u64));
    TsdbStatus {
        series: Some(all.len() as u64),
        label_pairs: Some(values.values().map(|values| values.len() as u64).sum()),
        series_by_metric: largest(cx, by_metric.iter().map(|(metric, count)| (*metric, *count)), limit),
        values_by_label: largest(cx, of_labels, limit),
        series_by_pair: Vec::new(),
    }
}

fn largest<'a>(cx: &Context, counts: impl Iterator<Item = (&'a str, u64)>, limit: usize) -> Vec<TsdbCount> {
    let mut all: Vec<(&str, u64)> = counts.collect();
    all.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
    all.into_iter().take(limit).map(|(name, count)| TsdbCount { name: cx.intake.text(name), count }).collect()
}
