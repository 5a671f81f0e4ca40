//! The labels of a series.

use std::fmt;
use std::sync::Arc;

/// The label that holds the metric's name.
pub(crate) const NAME: &str = "__name__";

/// The labels that say what a metric is, not whose it is: what changes the value's meaning drops them.
const METADATA: [&str; 3] = [NAME, "__type__", "__unit__"];

/// The labels of a series: sorted by name, each name once, no empty values. Ordered as Prometheus orders series.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Labels(Arc<[(Arc<str>, Arc<str>)]>);

impl Labels {
    /// From pairs that are sorted by name, each name once, without empty values.
    pub(crate) fn from_sorted(pairs: Vec<(Arc<str>, Arc<str>)>) -> Labels {
        Labels(pairs.into())
    }

    /// The value of a label; empty when there is none, which PromQL does not tell apart.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        let place = self.0.binary_search_by(|(known, _)| (**known).cmp(name)).ok();
        place.and_then(|place| self.0.get(place)).map_or("", |(_, value)| value)
    }

    /// Name and value of each label, `__name__` among them, in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// How many labels there are, `__name__` among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no label at all: what `sum(…)` returns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Only the labels whose name is wanted.
    pub(crate) fn retain(&self, wanted: impl Fn(&str) -> bool) -> Labels {
        if self.0.iter().all(|(name, _)| wanted(name)) {
            return self.clone();
        }
        Labels(self.0.iter().filter(|(name, _)| wanted(name)).cloned().collect())
    }

    /// Without the metric's name, type and unit.
    pub(crate) fn without_metadata(&self) -> Labels {
        self.retain(|name| !METADATA.contains(&name))
    }

    /// With this label set, or removed if the value is empty.
    pub(crate) fn with(&self, name: &Arc<str>, value: &str) -> Labels {
        let mut pairs: Vec<_> = self.0.iter().filter(|(known, _)| known != name).cloned().collect();
        if !value.is_empty() {
            let place = pairs.partition_point(|(known, _)| known < name);
            pairs.insert(place, (Arc::clone(name), value.into()));
        }
        Labels(pairs.into())
    }

    /// Each label's name and value as they are stored.
    pub(crate) fn pairs(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.0
    }
}

/// As Prometheus writes a series: `http_requests_total{code="500"}`, `{}` without any label.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.get(NAME);
        f.write_str(name)?;
        let others: Vec<String> = self
            .iter()
            .filter(|(name, _)| *name != NAME)
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        if others.is_empty() && !name.is_empty() {
            return Ok(());
        }
        write!(f, "{{{}}}", others.join(", "))
    }
}

/// Labels for a test, from pairs in any order.
#[cfg(test)]
pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
    let mut pairs: Vec<(Arc<str>, Arc<str>)> =
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    pairs.sort();
    Labels::from_sorted(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_a_label_replaces_adds_or_removes_it() {
        let before = labels(&[("b", "1"), ("d", "2")]);
        assert_eq!(before.with(&"b".into(), "9"), labels(&[("b", "9"), ("d", "2")]));
        assert_eq!(before.with(&"c".into(), "9"), labels(&[("b", "1"), ("c", "9"), ("d", "2")]));
        assert_eq!(before.with(&"b".into(), ""), labels(&[("d", "2")]));
    }

    #[test]
    fn name_type_and_unit_are_dropped_together() {
        let full = labels(&[(NAME, "up"), ("__type__", "gauge"), ("__unit__", "s"), ("job", "a")]);
        assert_eq!(full.without_metadata(), labels(&[("job", "a")]));
    }

    #[test]
    fn series_are_ordered_by_their_first_different_label_and_the_shorter_first() {
        let mut all = [
            labels(&[("a", "2")]),
            labels(&[("a", "1"), ("b", "1")]),
            labels(&[("b", "0")]),
            labels(&[("a", "1")]),
            labels(&[]),
        ];
        all.sort();
        let shown: Vec<String> = all.iter().map(Labels::to_string).collect();
        assert_eq!(shown, ["{}", "{a=\"1\"}", "{a=\"1\", b=\"1\"}", "{a=\"2\"}", "{b=\"0\"}"]);
    }
}
