//! Which series have which label: the index that finds the series of a selector.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::labels::Labels;
use crate::matcher::{Matcher, Test};

/// For each label name and value, the series that have it, in ascending order.
#[derive(Debug, Default)]
pub(crate) struct Postings {
    by_name: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Vec<u32>>>,
    count: u32,
}

impl Postings {
    /// The index of these series, numbered in their order.
    pub(crate) fn of<'l>(all: impl Iterator<Item = &'l Labels>) -> Postings {
        let mut postings = Postings::default();
        for (labels, id) in all.zip(0_u32..) {
            postings.count = id + 1;
            for (name, value) in labels.pairs() {
                let values = postings.by_name.entry(Arc::clone(name)).or_default();
                values.entry(Arc::clone(value)).or_default().push(id);
            }
        }
        postings
    }

    /// The series that satisfy every matcher, in ascending order. All of them, if there is no matcher.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> Vec<u32> {
        // A matcher that accepts the absent label can only take series away.
        let (taking, finding): (Vec<&Matcher>, Vec<&Matcher>) =
            matchers.iter().partition(|matcher| matcher.accepts(""));
        let mut found: Vec<Vec<u32>> = finding.iter().map(|matcher| self.having(matcher, true)).collect();
        found.sort_by_key(Vec::len);
        let mut found = found.into_iter();
        let mut selected = found.next().unwrap_or_else(|| (0..self.count).collect());
        for other in found {
            selected.retain(|id| other.binary_search(id).is_ok());
        }
        for matcher in taking {
            let taken = self.having(matcher, false);
            selected.retain(|id| taken.binary_search(id).is_err());
        }
        selected
    }

    /// The series that have the label with a value the matcher accepts, or with one it does not accept.
    fn having(&self, matcher: &Matcher, accepted: bool) -> Vec<u32> {
        let Some(values) = self.by_name.get(&matcher.name) else { return Vec::new() };
        let exact = match (&matcher.test, accepted) {
            (Test::Equal(value), true) | (Test::NotEqual(value), false) => Some(value),
            _ => None,
        };
        if let Some(value) = exact {
            return values.get(value).cloned().unwrap_or_default();
        }
        let mut ids: Vec<u32> = values
            .iter()
            .filter(|(value, _)| matcher.accepts(value) == accepted)
            .flat_map(|(_, ids)| ids.iter().copied())
            .collect();
        ids.sort_unstable();
        ids
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::labels::labels;
    use crate::pattern::compile;

    fn matcher(name: &str, kind: u8, value: &str) -> Matcher {
        let test = match kind {
            0 => Test::Equal(value.into()),
            1 => Test::NotEqual(value.into()),
            2 => Test::Like(compile(value).unwrap()),
            _ => Test::NotLike(compile(value).unwrap()),
        };
        Matcher { name: name.into(), test }
    }

    proptest! {
        /// The law: the index finds what looking at each series would find.
        #[test]
        fn the_index_selects_what_every_series_on_its_own_would_satisfy(
            all in prop::collection::vec(prop::collection::btree_map("[ab]", "[xy]{1,2}", 0..3), 0..12),
            wanted in prop::collection::vec(("[abc]", 0_u8..4, prop::sample::select(vec!["x", "y", "xy", "x?", ".*", "y.", "", "x|yy"])), 0..4),
        ) {
            let all: Vec<Labels> = all
                .iter()
                .map(|map| labels(&map.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect::<Vec<_>>()))
                .collect();
            let matchers: Vec<Matcher> =
                wanted.iter().map(|(name, kind, value)| matcher(name, *kind, value)).collect();
            let expected: Vec<u32> = (0_u32..)
                .zip(&all)
                .filter(|(_, labels)| matchers.iter().all(|m| m.accepts(labels.get(&m.name))))
                .map(|(id, _)| id)
                .collect();
            prop_assert_eq!(Postings::of(all.iter()).select(&matchers), expected);
        }
    }
}
