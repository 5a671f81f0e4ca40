//! Somebody else's container on one of the nodes: a transcoder without a limit.

use crate::cluster::Cluster;
use crate::history::History;
use crate::incident::{Effect, Incident, STEP};
use crate::load::Wander;
use crate::random::Random;
use crate::shop::MACHINE_CORES;

/// Cores it uses on an ordinary day.
const USUAL: f64 = 0.7;
/// Cores of the node that even it does not get.
const LEFT: f64 = 0.25;

/// What it uses, step by step: little, unless it is the incident; then whatever the node has.
pub(super) fn cores(incident: &Incident, cluster: &Cluster, history: &History) -> Vec<f64> {
    let mut wander = Wander::new(Random::new(incident.seed, "neighbour"), 0.9, 0.15);
    let cores = |step: usize| {
        let usual = USUAL * wander.next();
        let is_greedy = matches!(incident.effect, Effect::Neighbour { .. })
            && incident.start() + STEP * step as i64 >= incident.onset;
        if !is_greedy {
            return usual;
        }
        let used: f64 = cluster
            .all()
            .zip(&history.replicas)
            .filter_map(|(replica, history)| {
                let step = history.steps.get(step)?;
                let pod = replica.pods.get(step.pod)?;
                (pod.node == cluster.neighbour.node).then_some(step.cpu)
            })
            .sum();
        (MACHINE_CORES - used - LEFT).max(usual)
    };
    (0..incident.steps()).map(cores).collect()
}
