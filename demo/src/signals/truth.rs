//! `truth.json`: what was planted and who felt it, for benchmarks. No server reads it.

mod planted;

use std::io;

use serde_json::{Value, json};

use crate::World;
use crate::data::Culprit;
use crate::history::Felt;
use crate::incident::{Herring, HerringKind, STEP, written};

use super::Directory;

pub(crate) use planted::culprits;

/// Steps before the onset that count as usual.
const USUAL: usize = 80;
/// Steps after the onset until a fault counts as developed.
const DEVELOPED: usize = 20;

pub(super) fn write(world: &World, logs: Option<Value>, directory: &mut Directory) -> io::Result<()> {
    let incident = &world.incident;
    let herrings: Vec<Value> = incident.herrings.iter().map(|herring| told(world, herring)).collect();
    let changes = incident.deployments.iter().map(|change| {
        let service = world.shop.service(change.service);
        let environment = change
            .environment
            .iter()
            .map(|(name, before, after)| json!({ "name": name, "before": before, "after": after }));
        json!({
            "service": name(world, change.service),
            "at": written(change.at),
            "image": {
                "before": service.map(|service| service.image(service.version)),
                "after": service.map(|service| service.image(&change.version)),
            },
            "environment": environment.collect::<Vec<_>>(),
        })
    });
    let culprits = culprits(world);
    let mut names: Vec<&str> = culprits.iter().map(|culprit| culprit.metric).collect();
    names.dedup();
    let mut truth = json!({
        "id": incident.id,
        "seed": incident.seed,
        "fault": incident.fault.name(),
        "service": name(world, incident.victim),
        "onset": written(incident.onset),
        "effect": planted::effect(world),
        "culprit_metrics": names,
        "culprits": culprits.iter().map(told_culprit).collect::<Vec<_>>(),
        "symptoms": symptoms(world),
        "red_herrings": herrings,
        "changes": changes.collect::<Vec<_>>(),
    });
    if let (Some(logs), Some(truth)) = (logs, truth.as_object_mut()) {
        truth.insert("logs".to_owned(), logs);
    }
    let text = format!("{truth:#}\n");
    directory.file("truth.json", text.as_bytes())
}

pub(super) fn name(world: &World, service: usize) -> &'static str {
    world.shop.service(service).map_or("", |service| service.name)
}

fn told_culprit(culprit: &Culprit) -> Value {
    json!({ "metric": culprit.metric, "label": culprit.label, "value": culprit.value })
}

fn told(world: &World, herring: &Herring) -> Value {
    let kind = match herring.kind {
        HerringKind::Bump { .. } => "traffic-bump",
        HerringKind::Batch { .. } => "batch",
        HerringKind::Deployment => "harmless-deployment",
    };
    json!({ "kind": kind, "service": name(world, herring.service), "start": written(herring.start) })
}

/// Who felt it, in what, and from when on. Measured in the history, not planned.
fn symptoms(world: &World) -> Vec<Value> {
    const WHAT: [&str; 4] = ["errors", "latency", "traffic", "replicas"];
    let onset = ((world.incident.onset - world.incident.start()) / STEP) as usize;
    let mut found = Vec::new();
    for (index, service) in world.shop.services.iter().enumerate() {
        if world.incident.herrings.iter().any(|herring| herring.service == index) {
            continue;
        }
        let felt = felt(world, index);
        let before = felt.get(onset - USUAL..onset).unwrap_or_default();
        let after = felt.get(onset + DEVELOPED..).unwrap_or_default();
        let moved = |values: &Felt, usual: &Felt| -> [bool; 4] {
            let ([errors, seconds, rate, down], [usual_errors, usual_seconds, usual_rate, _]) =
                (values, usual);
            [
                errors > &(usual_errors + 0.01),
                *seconds > 1.2 * usual_seconds,
                *rate > 1.3 * usual_rate || *rate < 0.75 * usual_rate,
                *down > 0.01,
            ]
        };
        let usual = mean(before);
        for (place, is_moved) in moved(&mean(after), &usual).into_iter().enumerate() {
            let is_of_campaign = WHAT.get(place) == Some(&"traffic") && is_behind_campaign(world, index);
            if !is_moved || is_of_campaign {
                continue;
            }
            let since = felt.get(onset..).unwrap_or_default().windows(2).position(|pair| {
                pair.iter().all(|step| moved(step, &usual).get(place).copied().unwrap_or(false))
            });
            let what = WHAT.get(place).copied().unwrap_or_default();
            let since = since.map(|steps| written(world.incident.onset + STEP * steps as i64));
            found.push((since.clone(), json!({ "service": service.name, "what": what, "since": since })));
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found.into_iter().map(|(_, symptom)| symptom).collect()
}

/// Whether a campaign sends more requests to the service too, through others.
fn is_behind_campaign(world: &World, service: usize) -> bool {
    let mut herrings = world.incident.herrings.iter();
    herrings.any(|herring| {
        matches!(herring.kind, HerringKind::Bump { .. }) && world.shop.reaches(herring.service, service)
    })
}

fn felt(world: &World, service: usize) -> Vec<Felt> {
    (0..world.incident.steps()).map(|place| world.history.felt(service, place)).collect()
}

fn mean(steps: &[Felt]) -> Felt {
    let mut sums = [0.0; 4];
    for step in steps {
        for (sum, value) in sums.iter_mut().zip(step) {
            *sum += value;
        }
    }
    sums.map(|sum| sum / steps.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Fault;

    #[test]
    fn every_fault_is_felt_by_its_victim() {
        let seeds = std::env::var("WORLD_SEEDS").map_or(4, |count| count.parse().unwrap());
        let mut missed = Vec::new();
        for fault in Fault::ALL.into_iter().filter(|fault| *fault != Fault::LostMetrics) {
            for seed in 1000..1000 + seeds {
                let world = World::incident(fault, seed);
                let victim = name(&world, world.incident.victim);
                let symptoms = symptoms(&world);
                if !symptoms.iter().any(|symptom| symptom["service"] == victim) {
                    missed.push(format!(
                        "{fault} {seed} {victim} {:?} {}",
                        world.incident.effect,
                        written(world.incident.onset)
                    ));
                }
            }
        }
        assert!(missed.is_empty(), "{missed:#?}");
    }
}
