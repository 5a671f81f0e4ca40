//! By which labels series are kept apart, so that a reply stays small: a label that multiplies them most goes first.

use std::collections::{BTreeMap, BTreeSet};

use super::reading::Tags;
use crate::analysis::search::labels::{is_machine, tells_failure};

/// Labels whose values change with every deployment: a new value is no new behaviour.
const VERSIONS: [&str; 8] = [
    "version",
    "service_version",
    "revision",
    "replicaset",
    "pod_template_hash",
    "controller_revision_hash",
    "created_by_name",
    "git_commit",
];

/// Labels that say who was scraped or who judged, not what is measured.
const SCRAPES: [&str; 4] = ["job", "prometheus", "monitor", "team"];

/// Whether a label may keep series apart at all: replicas are summed, versions replace each other, and a metric is
/// the same whoever scrapes it.
pub(crate) fn keeps_apart(label: &str) -> bool {
    !["__name__", "le"].contains(&label)
        && !is_machine(label)
        && !VERSIONS.contains(&label)
        && !SCRAPES.contains(&label)
}

/// The labels of `all` that keep series apart in at most `most` sets, and those that were given up, in that order.
/// Labels of `kept` stay whatever they cost; those that say what failed go last.
pub(crate) fn choose(
    sets: &[Tags],
    all: &[String],
    kept: &[String],
    most: usize,
) -> (Vec<String>, Vec<String>) {
    let values = |label: &str| sets.iter().filter_map(|set| set.get(label)).collect::<BTreeSet<_>>().len();
    let mut chosen: Vec<String> = all.to_vec();
    let mut dropped = Vec::new();
    while distinct(sets, &chosen) > most {
        let droppable = chosen.iter().filter(|label| !kept.contains(label));
        let costs = droppable.map(|label| (!tells_failure(label), values(label), label.clone()));
        let Some((_, _, dearest)) = costs.max() else { break };
        chosen.retain(|label| *label != dearest);
        dropped.push(dearest);
    }
    (chosen, dropped)
}

/// How many sets these labels, and the name, tell apart.
pub(crate) fn distinct(sets: &[Tags], labels: &[String]) -> usize {
    let mut seen: BTreeSet<BTreeMap<&str, &str>> = BTreeSet::new();
    for set in sets {
        let name = set.get("__name__").map(|name| ("__name__", name.as_str()));
        let own = labels.iter().filter_map(|label| Some((label.as_str(), set.get(label)?.as_str())));
        seen.insert(name.into_iter().chain(own).collect());
    }
    seen.len()
}
