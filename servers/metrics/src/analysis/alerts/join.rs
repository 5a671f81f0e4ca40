//! Finding Prometheus' alerts among Alertmanager's, by their labels alone: there is no other identity.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use contract::Untrusted;

use crate::model::Labels;

/// For each of `sent` its place among `received`, each place at most once; both without duplicates.
///
/// The same labels first. Then, since Prometheus adds its external labels on the way, the received alert that has
/// all labels of the sent one and the fewest besides; what has more labels chooses first. The order of the lists
/// does not matter. Labels that were changed or dropped on the way are not guessed.
pub(crate) fn by_labels(sent: &[&Labels], received: &[&Labels]) -> Vec<Option<usize>> {
    let exact: BTreeMap<&Labels, usize> =
        received.iter().enumerate().map(|(place, labels)| (*labels, place)).collect();
    let mut found: Vec<Option<usize>> = sent.iter().map(|labels| exact.get(*labels).copied()).collect();
    let taken: BTreeSet<usize> = found.iter().flatten().copied().collect();
    let mut free: BTreeMap<&str, Vec<(usize, &Labels)>> = BTreeMap::new();
    for (place, labels) in received.iter().enumerate().filter(|(place, _)| !taken.contains(place)) {
        free.entry(alert_name(labels)).or_default().push((place, labels));
    }

    let mut open: BTreeMap<Shape<'_>, Vec<(usize, &Labels)>> = BTreeMap::new();
    for (index, labels) in
        sent.iter().enumerate().filter(|(index, _)| matches!(found.get(*index), Some(None)))
    {
        open.entry(shape(labels)).or_default().push((index, labels));
    }
    for (shape, askers) in open {
        let Some(candidates) = free.get_mut(shape.alert) else { continue };
        // Among those that look the same to this shape, the fewest labels besides come last: they are popped.
        let mut alike: BTreeMap<Vec<&str>, Vec<(usize, &Labels)>> = BTreeMap::new();
        for (place, labels) in candidates.iter() {
            if let Some(values) = projected(labels, &shape.names) {
                alike.entry(values).or_default().push((*place, labels));
            }
        }
        let mut given = BTreeSet::new();
        for (index, labels) in askers {
            let Some(choices) = projected(labels, &shape.names).and_then(|values| alike.get_mut(&values))
            else {
                continue;
            };
            choices.sort_by_key(|(_, labels)| Reverse((labels.len(), *labels)));
            if let (Some((place, _)), Some(slot)) = (choices.pop(), found.get_mut(index)) {
                *slot = Some(place);
                given.insert(place);
            }
        }
        candidates.retain(|(place, _)| !given.contains(place));
    }
    found
}

/// For each of `wider` whether one of `narrower` has no label that it lacks.
pub(crate) fn covers(wider: &[&Labels], narrower: &[&Labels]) -> Vec<bool> {
    let mut known: BTreeMap<&str, BTreeMap<Vec<&str>, BTreeSet<Vec<&str>>>> = BTreeMap::new();
    for labels in narrower {
        let shape = shape(labels);
        let values = projected(labels, &shape.names).unwrap_or_default();
        known.entry(shape.alert).or_default().entry(shape.names).or_default().insert(values);
    }
    let covered = |labels: &&Labels| {
        known.get(alert_name(labels)).is_some_and(|shapes| {
            shapes
                .iter()
                .any(|(names, all)| projected(labels, names).is_some_and(|values| all.contains(&values)))
        })
    };
    wider.iter().map(covered).collect()
}

/// The names of an alert's labels. Alerts of one rule mostly have one shape, so that comparing by shape looks each
/// alert up instead of comparing each with each. More labels first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape<'a> {
    labels: Reverse<usize>,
    alert: &'a str,
    names: Vec<&'a str>,
}

fn shape(labels: &Labels) -> Shape<'_> {
    let names: Vec<&str> = labels.iter().map(|(name, _)| name.inside()).collect();
    Shape { labels: Reverse(names.len()), alert: alert_name(labels), names }
}

fn alert_name(labels: &Labels) -> &str {
    labels.get("alertname").map_or("", Untrusted::inside)
}

/// The values of these labels, when all of them are there.
fn projected<'a>(labels: &'a Labels, names: &[&str]) -> Option<Vec<&'a str>> {
    names.iter().map(|name| labels.get(name).map(Untrusted::inside)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::alerts::tests::labels;

    fn places(sent: &[&str], received: &[&str]) -> Vec<Option<usize>> {
        let sent: Vec<Labels> = sent.iter().map(|text| labels(text)).collect();
        let received: Vec<Labels> = received.iter().map(|text| labels(text)).collect();
        by_labels(&sent.iter().collect::<Vec<_>>(), &received.iter().collect::<Vec<_>>())
    }

    #[test]
    fn the_same_labels_win_over_more_labels() {
        let received = ["alertname=A,cluster=x,pod=1", "alertname=A,pod=1", "alertname=A,cluster=x,pod=2"];
        assert_eq!(places(&["alertname=A,pod=2", "alertname=A,pod=1"], &received), [Some(2), Some(1)]);
    }

    #[test]
    fn each_alert_is_found_once_and_the_nearest_first() {
        let received = ["alertname=A,cluster=x,region=e", "alertname=A,cluster=x"];
        assert_eq!(places(&["alertname=A"], &received), [Some(1)]);
        // The one with more labels chooses first, and leaves the other the rest.
        assert_eq!(
            places(&["alertname=A", "alertname=A,cluster=x"], &["alertname=A,cluster=x,r=1"]),
            [None, Some(0)]
        );
        assert_eq!(places(&["alertname=A", "alertname=A,region=e"], &received), [Some(1), Some(0)]);
    }

    #[test]
    fn another_name_or_another_value_is_another_alert() {
        assert_eq!(places(&["alertname=A,pod=1"], &["alertname=B,pod=1"]), [None]);
        assert_eq!(places(&["alertname=A,pod=1"], &["alertname=A,pod=2"]), [None]);
        assert_eq!(places(&["alertname=A,pod=1,replica=a"], &["alertname=A,pod=1"]), [None]);
    }

    #[test]
    fn an_alert_covers_the_series_that_has_its_labels_and_more() {
        let wider =
            [labels("alertname=A,pod=1,replica=a"), labels("alertname=A,pod=2"), labels("alertname=B,pod=1")];
        let narrower = [labels("alertname=A,pod=1"), labels("alertname=B,pod=1,zone=n")];
        let covered = covers(&wider.iter().collect::<Vec<_>>(), &narrower.iter().collect::<Vec<_>>());
        assert_eq!(covered, [true, false, false]);
    }

    fn any_labels() -> impl Strategy<Value = String> {
        ("[AB]", proptest::option::of("[12]"), proptest::option::of("[xy]"), proptest::option::of("[mn]"))
            .prop_map(|(name, pod, cluster, zone)| {
                let rest = [("pod", pod), ("cluster", cluster), ("zone", zone)];
                let rest: String =
                    rest.into_iter().filter_map(|(key, value)| Some(format!(",{key}={}", value?))).collect();
                format!("alertname={name}{rest}")
            })
    }

    proptest! {
        #[test]
        fn the_join_is_one_to_one_sound_and_ignores_the_order(
            sent in proptest::collection::btree_set(any_labels(), 0..12),
            received in proptest::collection::btree_set(any_labels(), 0..12),
        ) {
            let sent: Vec<Labels> = sent.iter().map(|text| labels(text)).collect();
            let received: Vec<Labels> = received.iter().map(|text| labels(text)).collect();
            let found = by_labels(&sent.iter().collect::<Vec<_>>(), &received.iter().collect::<Vec<_>>());
            let mut taken = BTreeSet::new();
            for (labels, place) in sent.iter().zip(&found) {
                let Some(place) = place else { continue };
                prop_assert!(taken.insert(*place), "a place was given twice");
                let other = &received[*place];
                prop_assert!(labels.iter().all(|(name, value)| other.get(name.inside()) == Some(value)));
            }
            let backwards = by_labels(
                &sent.iter().rev().collect::<Vec<_>>(),
                &received.iter().rev().collect::<Vec<_>>(),
            );
            let turned: Vec<Option<usize>> =
                backwards.into_iter().rev().map(|place| place.map(|place| received.len() - 1 - place)).collect();
            prop_assert_eq!(found, turned);
        }
    }
}
