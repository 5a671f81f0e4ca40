//! How many series were recorded, and what has most of them: what a database says of itself.

use std::collections::{BTreeMap, BTreeSet};

use contract::Context;
use promql::Store;

use crate::model::{TsdbCount, TsdbStatus};

/// Counts of a recording, the largest first, before any text of it is taken in.
pub(super) struct Counts {
    series: u64,
    pairs: u64,
    by_metric: Vec<(String, u64)>,
    by_label: Vec<(String, u64)>,
}

impl Counts {
    /// In the words of the tools.
    pub(super) fn status(self, cx: &Context) -> TsdbStatus {
        let take = |counts: Vec<(String, u64)>| -> Vec<TsdbCount> {
            counts.into_iter().map(|(name, count)| TsdbCount { name: cx.intake.text(&name), count }).collect()
        };
        TsdbStatus {
            series: Some(self.series),
            label_pairs: Some(self.pairs),
            series_by_metric: take(self.by_metric),
            values_by_label: take(self.by_label),
            series_by_pair: Vec::new(),
        }
    }
}

/// Counts all recorded series, at most `limit` entries in each list.
pub(super) fn count(store: &Store, limit: usize) -> Counts {
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
    Counts {
        series: all.len() as u64,
        pairs: values.values().map(|values| values.len() as u64).sum(),
        by_metric: largest(by_metric.iter().map(|(metric, count)| (*metric, *count)), limit),
        by_label: largest(of_labels, limit),
    }
}

fn largest<'a>(counts: impl Iterator<Item = (&'a str, u64)>, limit: usize) -> Vec<(String, u64)> {
    let mut all: Vec<(&str, u64)> = counts.collect();
    all.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
    all.into_iter().take(limit).map(|(name, count)| (name.to_owned(), count)).collect()
}
