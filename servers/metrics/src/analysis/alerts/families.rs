//! Many alerts as few rows: alerts that share name, severity and state are a family, with the labels all of them
//! have and those in which they differ.

use std::collections::{BTreeMap, BTreeSet};

use contract::Untrusted;
use jiff::Timestamp;

use super::OneAlert;
use crate::model::Labels;

/// Values of a varying label that are kept.
const VALUES: usize = 4;

/// Seconds within which alerts began together.
const TOGETHER: f64 = 60.0;

/// Alerts that belong together.
#[derive(Debug, Clone)]
pub(crate) struct Family<'a> {
    /// The one that began first.
    pub(crate) first: &'a OneAlert<'a>,
    /// All of them, in the order in which they began.
    pub(crate) members: Vec<&'a OneAlert<'a>>,
    /// Their labels.
    pub(crate) spread: Spread,
}

impl Family<'_> {
    /// When the newest began, where that is more than a minute after the oldest.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        let newest = self.members.iter().filter_map(|alert| alert.since).max()?;
        let apart = newest.duration_since(self.first.since?).as_secs_f64();
        (apart > TOGETHER).then_some(newest)
    }
}

/// What label sets have in common and in what they differ. Without the labels that have a column of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spread {
    /// Labels that all have, with the same value, in the order of their names.
    pub(crate) shared: Vec<(Untrusted, Untrusted)>,
    /// The other labels, those with the most values first.
    pub(crate) varying: Vec<Varying>,
}

/// A label with several values, or that only some have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Varying {
    /// Its name.
    pub(crate) name: Untrusted,
    /// The first values, in the order of the label sets.
    pub(crate) values: Vec<Untrusted>,
    /// How many values there are.
    pub(crate) distinct: usize,
    /// How many label sets lack it.
    pub(crate) absent: usize,
}

/// The families, worst first: severity, then what began first (unknown last), then name and labels. `apart` makes
/// every alert a family of its own.
pub(crate) fn families<'a>(alerts: &[&'a OneAlert<'a>], apart: bool) -> Vec<Family<'a>> {
    let mut groups: BTreeMap<(&str, &super::Severity, String, Option<&Labels>), Vec<&'a OneAlert<'a>>> =
        BTreeMap::new();
    for &alert in alerts {
        let own = apart.then_some(&alert.labels);
        groups.entry((alert.name(), &alert.severity, alert.state(), own)).or_default().push(alert);
    }
    let mut families: Vec<Family<'a>> = groups.into_values().filter_map(family).collect();
    families.sort_by(|one, other| order(one.first).cmp(&order(other.first)));
    families
}

fn family<'a>(mut members: Vec<&'a OneAlert<'a>>) -> Option<Family<'a>> {
    members.sort_by(|one, other| order(one).cmp(&order(other)));
    let first = *members.first()?;
    let hidden = first.severity.label.as_ref().map_or("", |(name, _)| *name);
    let labels: Vec<&Labels> = members.iter().map(|member| &member.labels).collect();
    let spread = spread(&labels, &["alertname", hidden]);
    Some(Family { first, members, spread })
}

fn order<'a>(alert: &'a OneAlert<'_>) -> (u8, bool, Option<Timestamp>, &'a str, &'a Labels) {
    (alert.severity.rank, alert.since.is_none(), alert.since, alert.name(), &alert.labels)
}

/// What these label sets share and in what they differ, without the labels of `hidden`.
pub(crate) fn spread(sets: &[&Labels], hidden: &[&str]) -> Spread {
    let mut all: BTreeMap<&Untrusted, Vec<&Untrusted>> = BTreeMap::new();
    for (name, value) in sets.iter().flat_map(|labels| labels.iter()) {
        if !hidden.contains(&name.inside()) {
            all.entry(name).or_default().push(value);
        }
    }
    let mut spread = Spread::default();
    for (name, values) in all {
        let distinct: BTreeSet<&Untrusted> = values.iter().copied().collect();
        let absent = sets.len() - values.len();
        match values.first() {
            Some(&value) if distinct.len() == 1 && absent == 0 => {
                spread.shared.push((name.clone(), value.clone()))
            }
            _ => spread.varying.push(Varying {
                name: name.clone(),
                values: first_distinct(&values),
                distinct: distinct.len(),
                absent,
            }),
        }
    }
    // Stable: labels with as many values stay in the order of their names.
    spread.varying.sort_by_key(|varying| std::cmp::Reverse(varying.distinct));
    spread
}

fn first_distinct(values: &[&Untrusted]) -> Vec<Untrusted> {
    let mut kept: Vec<Untrusted> = Vec::new();
    for value in values {
        if kept.len() == VALUES {
            break;
        }
        if !kept.contains(value) {
            kept.push((*value).clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::alerts::tests::{labels, one_alert};

    #[test]
    fn the_newest_is_told_only_when_it_began_more_than_a_minute_later() {
        for (begun, newest) in [
            (vec![Some(100)], None),
            (vec![Some(100), Some(160)], None),
            (vec![Some(161), Some(100), Some(130)], Some(161)),
            (vec![Some(100), None], None),
            (vec![None, None], None),
        ] {
            let alerts: Vec<OneAlert<'_>> =
                begun.iter().map(|since| one_alert("alertname=A,pod=a", *since)).collect();
            let families = families(&alerts.iter().collect::<Vec<_>>(), false);
            let found = families[0].newest().map(Timestamp::as_second);
            assert_eq!((families.len(), found), (1, newest), "{begun:?}");
        }
    }

    #[test]
    fn labels_are_shared_only_when_all_have_them_with_the_same_value() {
        let sets: Vec<Labels> =
            ["alertname=A,job=j,pod=a,zone=n", "alertname=A,job=j,pod=b", "alertname=A,job=j,pod=a"]
                .iter()
                .map(|text| labels(text))
                .collect();
        let spread = spread(&sets.iter().collect::<Vec<_>>(), &["alertname"]);
        let shared: Vec<String> = spread
            .shared
            .iter()
            .map(|(name, value)| format!("{}={}", name.inside(), value.inside()))
            .collect();
        assert_eq!(shared, ["job=j"]);
        let varying: Vec<(&str, usize, usize)> =
            spread.varying.iter().map(|one| (one.name.inside(), one.distinct, one.absent)).collect();
        assert_eq!(varying, [("pod", 2, 0), ("zone", 1, 2)]);
    }

    #[test]
    fn the_worst_then_the_earliest_comes_first_and_unknown_times_come_last() {
        let all = [
            one_alert("alertname=Late,severity=critical", Some(300)),
            one_alert("alertname=Info,severity=info", Some(1)),
            one_alert("alertname=Early,severity=page", Some(200)),
            one_alert("alertname=Unknown,severity=P1", None),
            one_alert("alertname=Plain", Some(1)),
            one_alert("alertname=Odd,severity=ticket", Some(1)),
            one_alert("alertname=Warn,priority=P3", Some(100)),
        ];
        let families = families(&all.iter().collect::<Vec<_>>(), false);
        let names: Vec<&str> = families.iter().map(|family| family.first.name()).collect();
        assert_eq!(names, ["Early", "Late", "Unknown", "Warn", "Info", "Odd", "Plain"]);
    }

    #[test]
    fn one_name_in_two_severities_is_two_families_and_apart_is_one_each() {
        let all = [
            one_alert("alertname=Burn,severity=page,slo=a", Some(20)),
            one_alert("alertname=Burn,severity=ticket,slo=a", Some(10)),
            one_alert("alertname=Burn,severity=page,slo=b", Some(10)),
        ];
        let all: Vec<&OneAlert<'_>> = all.iter().collect();
        let sizes: Vec<usize> = families(&all, false).iter().map(|family| family.members.len()).collect();
        assert_eq!(sizes, [2, 1]);
        assert_eq!(families(&all, false)[0].first.labels, labels("alertname=Burn,severity=page,slo=b"));
        assert_eq!(families(&all, true).len(), 3);
    }
}
