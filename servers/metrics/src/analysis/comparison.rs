//! Two windows of the same series: what each was, how far it moved, since when, and which label value moved the total.

mod blame;
mod judge;
mod rank;

use std::collections::BTreeMap;

pub(crate) use blame::{Blame, blame, blame_mean};
pub(crate) use judge::{Compared, Fate, Side, compare};
pub(crate) use rank::rank;

use super::ranking::Grid;
use crate::model::{Labels, Point, Series};

/// A value at each moment of a window; `None` where there is no sample.
pub(crate) type Values = Vec<Option<f64>>;

/// Which series: what it measures, and its labels.
pub(crate) type Key = (String, Labels);

/// One series in both windows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair {
    /// What it measures, such as `p95`.
    pub(crate) measure: String,
    pub(crate) labels: Labels,
    /// Its values in each baseline window.
    pub(crate) before: Vec<Values>,
    /// Its values in the window in question.
    pub(crate) now: Values,
}

/// Series on the moments of their window. A label `mark`, where there is one, holds what the series measures; all
/// others measure `measure`. Names of metrics go: functions drop them, and they are the same in both windows.
/// Native histograms become their 95th percentiles; whether there were any.
pub(crate) fn placed(
    series: Vec<Series>,
    grid: Grid,
    mark: &str,
    measure: &str,
) -> (BTreeMap<Key, Values>, bool) {
    let mut native = false;
    let mut all = BTreeMap::new();
    for one in series {
        let is_native = one.points.is_empty() && !one.histograms.is_empty();
        native |= is_native;
        let points: Vec<Point> = if is_native {
            let each = one.histograms.iter();
            each.map(|(at, histogram)| Point { at: *at, value: histogram.quantile(0.95) }).collect()
        } else {
            one.points
        };
        let measures = one.labels.get(mark).map_or(measure, |label| label.inside()).to_owned();
        let kept = one.labels.iter().filter(|(name, _)| ![mark, "__name__"].contains(&name.inside()));
        let labels = Labels::new(kept.map(|(name, value)| (name.clone(), value.clone())));
        all.insert((measures, labels), grid.place(points.into_iter()));
    }
    (all, native)
}

/// The same series of all windows side by side, in the order of what they measure and their labels.
pub(crate) fn pairs(before: Vec<BTreeMap<Key, Values>>, now: BTreeMap<Key, Values>) -> Vec<Pair> {
    let mut all: BTreeMap<Key, (Vec<Values>, Values)> =
        now.into_iter().map(|(key, values)| (key, (vec![Vec::new(); before.len()], values))).collect();
    let windows = before.len();
    for (place, window) in before.into_iter().enumerate() {
        for (key, values) in window {
            let entry = all.entry(key).or_insert_with(|| (vec![Vec::new(); windows], Vec::new()));
            if let Some(slot) = entry.0.get_mut(place) {
                *slot = values;
            }
        }
    }
    let pair = |((measure, labels), (before, now))| Pair { measure, labels, before, now };
    all.into_iter().map(pair).collect()
}

/// The pairs of one window compared with each other: each against the median of all others at each moment.
pub(crate) fn against_others(now: BTreeMap<Key, Values>) -> Vec<Pair> {
    let all: Vec<(Key, Values)> = now.into_iter().collect();
    let pair = |(key, values): &(Key, Values)| {
        let others = all.iter().filter(|(other, _)| other.0 == key.0 && other.1 != key.1);
        let others: Vec<Values> = others.map(|(_, values)| values.clone()).collect();
        let before =
            if others.is_empty() { Vec::new() } else { vec![super::baseline::per_position(&others)] };
        Pair { measure: key.0.clone(), labels: key.1.clone(), before, now: values.clone() }
    };
    all.iter().map(pair).collect()
}

#[cfg(test)]
mod tests;
