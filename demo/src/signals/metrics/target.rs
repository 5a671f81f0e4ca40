//! What Prometheus scrapes: a pod as long as it lives, and how its columns come from the history.

use crate::World;
use crate::cluster::{Pod, node_ip};
use crate::history::{OperationHistory, ReplicaHistory, ReplicaStep};
use crate::incident::{Effect, STEP};
use crate::random::{Random, fnv1a};
use crate::shop::{Convention, NAMESPACE, Service};

use super::sheet::{ABSENT, Clock, Labels, is_absent, rounded};

/// Steps whose mean stands for the time before the record, of which counters remember the sum.
const TYPICAL: usize = 40;

/// One pod during the steps in which it ran.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) world: &'a World,
    pub(crate) service: &'static Service,
    pub(crate) history: &'a ReplicaHistory,
    pub(crate) pod: &'a Pod,
    /// First step of the pod in the record.
    pub(crate) first: usize,
    /// Its steps.
    pub(crate) steps: &'a [ReplicaStep],
}

impl<'a> Target<'a> {
    /// Every pod that ran during the record.
    pub(crate) fn all(world: &'a World) -> Vec<Target<'a>> {
        let mut targets = Vec::new();
        for (replica, history) in world.cluster.all().zip(&world.history.replicas) {
            let Some(service) = world.shop.service(replica.service) else { continue };
            for (index, pod) in replica.pods.iter().enumerate() {
                let Some(first) = history.steps.iter().position(|step| step.pod == index) else { continue };
                let count = history.steps.iter().filter(|step| step.pod == index).count();
                let steps = history.steps.get(first..first + count).unwrap_or_default();
                targets.push(Target { world, service, history, pod, first, steps });
            }
        }
        targets
    }

    /// Its steps as its own metrics tell them: where these can't be read, as if it did not answer.
    pub(crate) fn read(&self) -> Vec<ReplicaStep> {
        let incident = &self.world.incident;
        let mut steps = self.steps.to_vec();
        if let Effect::Hide { listed } = incident.effect
            && incident.victim == self.history.service
        {
            let from = ((incident.onset - incident.start()) / STEP) as usize;
            for step in steps.iter_mut().skip(from.saturating_sub(self.first)) {
                (step.live, step.forgotten) = (false, !listed);
            }
        }
        steps
    }

    /// Where its metrics are.
    pub(crate) fn instance(&self) -> String {
        format!("{}:{}", self.pod.ip, self.service.port)
    }

    /// The labels that the scrape adds.
    pub(crate) fn labels(&self) -> Labels {
        let name = self.service.name;
        let job = match self.service.speaks {
            Convention::OtelHttp | Convention::OtelHttpMillis | Convention::OtelRpcMillis => {
                format!("{NAMESPACE}/{name}")
            }
            Convention::Postgres | Convention::Redis => format!("{name}-exporter"),
            _ => name.to_owned(),
        };
        vec![
            ("job", job),
            ("instance", self.instance()),
            ("namespace", NAMESPACE.to_owned()),
            ("pod", self.pod.name.clone()),
            ("service", name.to_owned()),
        ]
    }

    /// The scrape's labels and others.
    pub(crate) fn labels_and<const N: usize>(&self, more: [(&'static str, &str); N]) -> Labels {
        let mut labels = self.labels();
        labels.extend(more.map(|(name, value)| (name, value.to_owned())));
        labels
    }

    /// When it is scraped.
    pub(crate) fn clock(&self) -> Clock {
        self.clock_of(&self.instance())
    }

    /// When the kubelet of its node is scraped, which tells about its containers.
    pub(crate) fn kubelet_clock(&self) -> Clock {
        self.clock_of(&kubelet(self.pod.node))
    }

    fn clock_of(&self, instance: &str) -> Clock {
        let start = self.world.incident.start() + STEP * self.first as i64;
        Clock { first: start * 1000 + offset(instance), every: STEP * 1000 }
    }

    /// A value of each step; absent while nothing answers.
    pub(crate) fn gauge(&self, decimals: u32, value: impl Fn(&ReplicaStep) -> f64) -> Vec<f64> {
        let of = |step: &ReplicaStep| if step.live { rounded(value(step), decimals) } else { ABSENT };
        self.steps.iter().map(of).collect()
    }

    /// The same value while it answers.
    pub(crate) fn constant(&self, value: f64) -> Vec<f64> {
        self.gauge(6, |_| value)
    }

    /// A counter from what each step adds. It starts anew with each container, and in the first one with what
    /// came together before the record.
    pub(crate) fn counter(&self, decimals: u32, added: &[f64]) -> Vec<f64> {
        let start = self.steps.first().map_or(0, |step| step.started);
        let age = self.world.incident.start() + STEP * self.first as i64 - start;
        let before = age.div_euclid(STEP * TYPICAL as i64).max(0) as f64;
        let typical = added.iter().take(TYPICAL).map(|amount| rounded(*amount, decimals)).sum::<f64>();
        counted(self.steps, decimals, added, before * typical)
    }

    /// An operation's history and the steps of this pod in it.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &'a OperationHistory> {
        self.history.operations.iter()
    }

    /// This pod's part of a history.
    pub(crate) fn part<T>(&self, history: &'a [T]) -> &'a [T] {
        history.get(self.first..self.first + self.steps.len()).unwrap_or_default()
    }

    /// Random numbers for one metric of this pod.
    pub(crate) fn random(&self, metric: &str) -> Random {
        Random::new(self.world.incident.seed, &format!("{metric} {}", self.pod.name))
    }
}

/// A running sum that starts with `before`, anew (from nothing) with each container; absent until there was
/// something to count, as libraries do, and while nothing answers.
pub(crate) fn counted(steps: &[ReplicaStep], decimals: u32, added: &[f64], before: f64) -> Vec<f64> {
    let mut container = steps.first().map_or(0, |step| step.container);
    let mut sum = before;
    let mut seen = before > 0.0;
    let mut values = Vec::with_capacity(steps.len());
    for (step, amount) in steps.iter().zip(added) {
        if step.container != container {
            container = step.container;
            (sum, seen) = (0.0, false);
        }
        let amount = if is_absent(*amount) { 0.0 } else { rounded(*amount, decimals) };
        // Adding and rounding keep the decimals few: 0.1 + 0.2 is not 0.3.
        sum = rounded(sum + amount, decimals);
        seen |= amount > 0.0;
        values.push(if step.live && seen { sum } else { ABSENT });
    }
    values
}

/// The address of a node's kubelet.
pub(crate) fn kubelet(node: usize) -> String {
    format!("{}:10250", node_ip(node))
}

/// Milliseconds into each interval at which Prometheus scrapes a target: spread over the interval, the same for
/// ever.
pub(crate) fn offset(instance: &str) -> i64 {
    (fnv1a(instance.as_bytes()) % (STEP as u64 * 1000)) as i64
}
