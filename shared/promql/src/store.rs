//! Recorded series in memory, and what can be asked of them without a query.

use std::collections::{BTreeSet, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use thiserror::Error;

use crate::labels::{Labels, NAME};
use crate::matcher::{Matcher, Selector};
use crate::postings::Postings;

/// The bits of the NaN that says a series ended here (Prometheus' staleness marker).
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// A set of recorded series, ordered by their labels. Times are milliseconds since 1970 throughout.
#[derive(Debug)]
pub struct Store {
    series: Vec<Recorded>,
    postings: Postings,
    samples: usize,
}

/// A series: its samples in columns, its ends apart, so that any window of samples is one slice.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) labels: Labels,
    pub(crate) timestamps: Box<[i64]>,
    pub(crate) values: Box<[f64]>,
    /// When a staleness marker was recorded.
    pub(crate) ends: Box<[i64]>,
}

/// Why series cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// Two series have the same labels.
    #[error("the series {0} is there twice")]
    Duplicate(Labels),
    /// Label names that do not ascend, or one that is there twice.
    #[error("the labels of {0} are not sorted by name, each name once")]
    Labels(Labels),
    /// A sample that is not later than the one before it.
    #[error("the samples of {labels} are out of order at {at} ms")]
    Order {
        /// Whose samples.
        labels: Labels,
        /// The time of the sample that is too early, in milliseconds.
        at: i64,
    },
    /// More times than values, or fewer.
    #[error("{labels} has {timestamps} times but {values} values")]
    Length {
        /// Whose samples.
        labels: Labels,
        /// How many times.
        timestamps: usize,
        /// How many values.
        values: usize,
    },
}

impl Store {
    /// Stores series, each given as labels sorted by name, sample times in milliseconds, strictly ascending, and
    /// values. Labels with an empty value count as absent, as in Prometheus.
    ///
    /// # Errors
    /// The first series that breaks one of these rules, or that is there twice.
    pub fn new(
        all: impl IntoIterator<Item = (Vec<(String, String)>, Vec<i64>, Vec<f64>)>,
    ) -> Result<Store, StoreError> {
        let mut names = Names::default();
        let mut series = Vec::new();
        for (labels, timestamps, values) in all {
            series.push(recorded(names.labels(labels)?, timestamps, values)?);
        }
        series.sort_unstable_by(|one, other| one.labels.cmp(&other.labels));
        let mut neighbours = series.iter().zip(series.iter().skip(1));
        if let Some((twice, _)) = neighbours.find(|(one, next)| one.labels == next.labels) {
            return Err(StoreError::Duplicate(twice.labels.clone()));
        }
        let postings = Postings::of(series.iter().map(|series| &series.labels));
        let samples = series.iter().map(|series| series.values.len()).sum();
        Ok(Store { series, postings, samples })
    }

    /// How many series there are.
    #[must_use]
    pub fn series_count(&self) -> usize {
        self.series.len()
    }

    /// How many samples there are, staleness markers not counted.
    #[must_use]
    pub fn sample_count(&self) -> usize {
        self.samples
    }

    /// The times of the first and the last sample, in milliseconds. `None` without a sample.
    #[must_use]
    pub fn time_span(&self) -> Option<(i64, i64)> {
        let first = self.series.iter().filter_map(|series| series.timestamps.first()).min()?;
        let last = self.series.iter().filter_map(|series| series.timestamps.last()).max()?;
        Some((*first, *last))
    }

    /// The labels of the series that satisfy any of the selectors (all series, if there is none) and have a sample
    /// within the window; sorted.
    #[must_use]
    pub fn series(&self, selectors: &[Selector], window: &RangeInclusive<i64>) -> Vec<&Labels> {
        self.listed(selectors, window).into_iter().map(|series| &series.labels).collect()
    }

    /// The label names of these series, `__name__` among them; sorted.
    #[must_use]
    pub fn label_names(&self, selectors: &[Selector], window: &RangeInclusive<i64>) -> Vec<&str> {
        let names: BTreeSet<&str> = self
            .listed(selectors, window)
            .into_iter()
            .flat_map(|series| series.labels.iter().map(|(name, _)| name))
            .collect();
        names.into_iter().collect()
    }

    /// The values of a label among these series; sorted.
    #[must_use]
    pub fn label_values(
        &self,
        name: &str,
        selectors: &[Selector],
        window: &RangeInclusive<i64>,
    ) -> Vec<&str> {
        let values: BTreeSet<&str> =
            self.listed(selectors, window).into_iter().map(|series| series.labels.get(name)).collect();
        values.into_iter().filter(|value| !value.is_empty()).collect()
    }

    /// The names of the metrics among these series; sorted.
    #[must_use]
    pub fn metric_names(&self, selectors: &[Selector], window: &RangeInclusive<i64>) -> Vec<&str> {
        self.label_values(NAME, selectors, window)
    }

    /// The series that satisfy every matcher, in their order.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> impl Iterator<Item = &Recorded> {
        self.postings.select(matchers).into_iter().filter_map(|id| self.series.get(id as usize))
    }

    fn listed(&self, selectors: &[Selector], window: &RangeInclusive<i64>) -> Vec<&Recorded> {
        let ids: BTreeSet<u32> = if selectors.is_empty() {
            self.postings.select(&[]).into_iter().collect()
        } else {
            selectors.iter().flat_map(|selector| self.postings.select(&selector.matchers)).collect()
        };
        let within = |series: &&Recorded| {
            let first = series.timestamps.partition_point(|time| time < window.start());
            series.timestamps.get(first).is_some_and(|time| time <= window.end())
        };
        ids.into_iter().filter_map(|id| self.series.get(id as usize)).filter(within).collect()
    }
}

/// Takes staleness markers out of a series' samples.
fn recorded(labels: Labels, mut timestamps: Vec<i64>, mut values: Vec<f64>) -> Result<Recorded, StoreError> {
    if timestamps.len() != values.len() {
        return Err(StoreError::Length { labels, timestamps: timestamps.len(), values: values.len() });
    }
    let mut neighbours = timestamps.iter().zip(timestamps.iter().skip(1));
    if let Some((_, at)) = neighbours.find(|(one, next)| one >= next) {
        return Err(StoreError::Order { labels, at: *at });
    }
    let mut ends = Vec::new();
    if values.iter().any(|value| is_stale(*value)) {
        let (kept, ended): (Vec<_>, Vec<_>) =
            timestamps.into_iter().zip(values).partition(|(_, value)| !is_stale(*value));
        ends = ended.into_iter().map(|(time, _)| time).collect();
        (timestamps, values) = kept.into_iter().unzip();
    }
    Ok(Recorded { labels, timestamps: timestamps.into(), values: values.into(), ends: ends.into() })
}

fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE
}

/// Each label name and value once, however many series have it.
#[derive(Default)]
struct Names(HashSet<Arc<str>>);

impl Names {
    fn labels(&mut self, pairs: Vec<(String, String)>) -> Result<Labels, StoreError> {
        let sorted = pairs.iter().zip(pairs.iter().skip(1)).all(|((one, _), (next, _))| one < next);
        let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        let labels =
            Labels::from_sorted(pairs.map(|(name, value)| (self.once(name), self.once(value))).collect());
        if sorted { Ok(labels) } else { Err(StoreError::Labels(labels)) }
    }

    fn once(&mut self, text: String) -> Arc<str> {
        if let Some(known) = self.0.get(text.as_str()) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.0.insert(Arc::clone(&text));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(
        labels: &[(&str, &str)],
        samples: &[(i64, f64)],
    ) -> (Vec<(String, String)>, Vec<i64>, Vec<f64>) {
        let labels = labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        (labels, samples.iter().map(|s| s.0).collect(), samples.iter().map(|s| s.1).collect())
    }

    fn store() -> Store {
        Store::new([
            series(&[("__name__", "up"), ("job", "b")], &[(1, 1.0), (2, 1.0)]),
            series(
                &[("__name__", "up"), ("job", "a"), ("zone", "")],
                &[(5, 1.0), (6, f64::from_bits(STALE))],
            ),
            series(&[("__name__", "load"), ("host", "x")], &[(9, 0.5)]),
        ])
        .unwrap()
    }

    #[test]
    fn listings_are_sorted_and_keep_to_the_window_and_the_selectors() {
        let store = store();
        let all = 0..=100;
        assert_eq!(store.series_count(), 3);
        assert_eq!(store.sample_count(), 4);
        assert_eq!(store.time_span(), Some((1, 9)));
        assert_eq!(store.metric_names(&[], &all), ["load", "up"]);
        assert_eq!(store.label_names(&[], &all), ["__name__", "host", "job"]);
        assert_eq!(store.label_values("job", &[], &all), ["a", "b"]);
        assert_eq!(store.label_values("job", &[], &(3..=100)), ["a"]);
        assert_eq!(store.series(&[], &(6..=8)), Vec::<&Labels>::new(), "a staleness marker is no sample");
        let selectors = [Selector::parse("load").unwrap(), Selector::parse("{job=\"b\"}").unwrap()];
        let shown: Vec<String> = store.series(&selectors, &all).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["load{host=\"x\"}", "up{job=\"b\"}"]);
    }

    #[test]
    fn what_breaks_the_rules_is_refused_by_name() {
        let refused = |all| Store::new(all).unwrap_err().to_string();
        let up = &[("__name__", "up")];
        assert_eq!(refused(vec![series(up, &[]), series(up, &[])]), "the series up is there twice");
        assert_eq!(
            refused(vec![series(up, &[(2, 0.0), (2, 0.0)])]),
            "the samples of up are out of order at 2 ms"
        );
        assert_eq!(refused(vec![(vec![], vec![1], vec![])]), "{} has 1 times but 0 values");
        assert!(matches!(
            Store::new([series(&[("b", "1"), ("a", "1")], &[])]).unwrap_err(),
            StoreError::Labels(_)
        ));
    }
}
