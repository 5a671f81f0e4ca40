//! What the kubelets and kube-state-metrics say about containers, pods and deployments.

use crate::World;
use crate::cluster::node_name;
use crate::history::ReplicaStep;
use crate::incident::{Effect, STEP};
use crate::shop::{NAMESPACE, Runtime, Service};

use super::sheet::{ABSENT, Clock, Labels, Sheet};
use super::target::{Target, counted, kubelet, offset};

const MIB: f64 = 1_048_576.0;
/// Seconds between two scrapes of what changes seldom.
pub(super) const SELDOM: i64 = 30;
pub(super) const STATE: &str = "10.20.2.4:8080";
/// Periods of the scheduler in one step.
const PERIODS: f64 = 10.0 * STEP as f64;

pub(super) const PRESSURE: (&str, &str) = (
    "container_pressure_cpu_waiting_seconds",
    "Total time duration tasks in the container have waited due to CPU congestion.",
);

/// Everything about one pod.
pub(super) fn emit(target: &Target<'_>, cpu_before: f64, sheet: &mut Sheet) {
    containers(target, cpu_before, sheet);
    let state = State { target, sheet };
    state.pod();
}

fn containers(target: &Target<'_>, cpu_before: f64, sheet: &mut Sheet) {
    let labels = || -> Labels {
        let mut labels = scraped("kubelet", &kubelet(target.pod.node));
        labels.extend(container(target));
        labels.push(("node", node_name(target.pod.node)));
        labels
    };
    let clock = target.kubelet_clock();
    let seconds: Vec<f64> = target.steps.iter().map(|step| step.cpu * STEP as f64).collect();
    let about = ("container_cpu_usage_seconds", "Cumulative cpu time consumed in seconds.");
    sheet.counter(about, labels(), clock, counted(target.steps, 3, &seconds, cpu_before));
    let about = ("container_memory_working_set_bytes", "Current working set in bytes.");
    sheet.gauge(about, labels(), clock, target.gauge(0, |step| 4096.0 * libm::floor(step.memory / 4096.0)));
    let waited: Vec<f64> = target.steps.iter().map(|step| step.waiting * STEP as f64).collect();
    sheet.counter(PRESSURE, labels(), clock, target.counter(6, &waited));
    if target.service.cpu.limit.is_some() {
        let active = |step: &ReplicaStep| (0.3 + 0.7 * step.cpu / target.service.cores()).min(1.0);
        let periods: Vec<f64> = target.steps.iter().map(|step| libm::round(PERIODS * active(step))).collect();
        let throttled = target.steps.iter().zip(&periods);
        let throttled: Vec<f64> =
            throttled.map(|(step, periods)| libm::round(periods * step.throttled)).collect();
        let about = ("container_cpu_cfs_periods", "Number of elapsed enforcement period intervals.");
        sheet.counter(about, labels(), clock, target.counter(0, &periods));
        let about = ("container_cpu_cfs_throttled_periods", "Number of throttled period intervals.");
        sheet.counter(about, labels(), clock, target.counter(0, &throttled));
    }
}

pub(super) fn scraped(job: &str, instance: &str) -> Labels {
    vec![("job", job.to_owned()), ("instance", instance.to_owned())]
}

fn container(target: &Target<'_>) -> Labels {
    vec![
        ("namespace", NAMESPACE.to_owned()),
        ("pod", target.pod.name.clone()),
        ("container", target.service.name.to_owned()),
    ]
}

/// When what changes seldom is scraped, from a step on.
pub(super) fn seldom(world: &World, instance: &str, first: usize) -> Clock {
    let every = SELDOM * 1000;
    let start = world.incident.start() + STEP * first.next_multiple_of((SELDOM / STEP) as usize) as i64;
    Clock { first: start * 1000 + offset(instance), every }
}

/// What kube-state-metrics says about one pod.
struct State<'a, 'b> {
    target: &'a Target<'a>,
    sheet: &'b mut Sheet,
}

impl State<'_, '_> {
    fn labels(&self, own: Labels) -> Labels {
        let mut labels = scraped("kube-state-metrics", STATE);
        labels.extend(own);
        labels
    }

    /// Unlike the pod itself, its description is there when nothing answers.
    fn values(&self, value: impl Fn(&ReplicaStep) -> f64) -> Vec<f64> {
        let every = (SELDOM / STEP) as usize;
        let skipped = self.target.first.next_multiple_of(every) - self.target.first;
        self.target.steps.iter().skip(skipped).step_by(every).map(value).collect()
    }

    fn add(&mut self, about: (&'static str, &'static str), own: Labels, value: impl Fn(&ReplicaStep) -> f64) {
        let clock = seldom(self.target.world, STATE, self.target.first);
        let values = self.values(value);
        self.sheet.gauge(about, self.labels(own), clock, values);
    }

    fn pod(mut self) {
        let target = self.target;
        let (pod, service) = (target.pod, target.service);
        let kind = if service.runtime == Runtime::Native { "StatefulSet" } else { "ReplicaSet" };
        let mut info = vec![("namespace", NAMESPACE.to_owned()), ("pod", pod.name.clone())];
        info.extend([
            ("node", node_name(pod.node)),
            ("pod_ip", pod.ip.clone()),
            ("created_by_kind", kind.to_owned()),
            ("created_by_name", pod.owner.clone()),
        ]);
        self.add(("kube_pod_info", "Information about pod."), info, |_| 1.0);
        let mut image = container(target);
        image.push(("image", service.image(&pod.version)));
        self.add(("kube_pod_container_info", "Information about a container in a pod."), image, |_| 1.0);
        self.resources(service);
        self.restarts();
    }

    fn resources(&mut self, service: &Service) {
        let requests = ("kube_pod_container_resource_requests", "The requests of a container.");
        let limits = ("kube_pod_container_resource_limits", "The limits of a container.");
        let mut add = |about, resource: &str, unit: &str, value: f64| {
            let mut labels = container(self.target);
            labels.extend([("resource", resource.to_owned()), ("unit", unit.to_owned())]);
            self.add(about, labels, move |_| value);
        };
        add(requests, "cpu", "core", service.cpu.request);
        add(requests, "memory", "byte", service.memory.request * MIB);
        if let Some(limit) = service.cpu.limit {
            add(limits, "cpu", "core", limit);
        }
        add(limits, "memory", "byte", service.memory.limit * MIB);
    }

    fn restarts(&mut self) {
        let restarts = self.values(|step| f64::from(step.restarts));
        let about = ("kube_pod_container_status_restarts", "The number of container restarts.");
        let labels = self.labels(container(self.target));
        let clock = seldom(self.target.world, STATE, self.target.first);
        self.sheet.counter(about, labels, clock, restarts);

        let reason = |step: &ReplicaStep| match (step.killed, step.restarts) {
            (true, 1..) => 1.0,
            _ => ABSENT,
        };
        let mut killed = container(self.target);
        killed.push(("reason", "OOMKilled".to_owned()));
        let about = ("kube_pod_container_status_last_terminated_reason", "The last reason of termination.");
        self.add(about, killed, reason);

        let is_dead = self.target.world.incident.effect == Effect::Dead;
        let mut failed = container(self.target);
        failed.push(("reason", "Error".to_owned()));
        self.add(about, failed, |step| if is_dead && step.restarts > 0 { 1.0 } else { ABSENT });
        let mut waiting = container(self.target);
        waiting.push(("reason", "CrashLoopBackOff".to_owned()));
        let about = ("kube_pod_container_status_waiting_reason", "The reason why the container is waiting.");
        self.add(
            about,
            waiting,
            |step| {
                if is_dead && !step.live && step.restarts > 0 { 1.0 } else { ABSENT }
            },
        );
    }
}

/// What is not about one pod: deployments, and whether there was an answer.
pub(super) fn emit_cluster(world: &World, sheet: &mut Sheet) {
    for (index, service) in world.shop.services.iter().enumerate() {
        if service.runtime != Runtime::Native {
            deployment(world, index, service, sheet);
        }
    }
    let clock = seldom(world, STATE, 0);
    let ones = vec![1.0; world.incident.steps() / 2];
    let up = ("up", "Whether the last scrape succeeded.");
    sheet.gauge(up, scraped("kube-state-metrics", STATE), clock, ones);
}

fn deployment(world: &World, index: usize, service: &Service, sheet: &mut Sheet) {
    let labels = || {
        let mut labels = scraped("kube-state-metrics", STATE);
        labels.extend([("namespace", NAMESPACE.to_owned()), ("deployment", service.name.to_owned())]);
        labels
    };
    let every = (SELDOM / STEP) as usize;
    let clock = seldom(world, STATE, 0);
    let replicas: Vec<_> = world.history.replicas.iter().filter(|replica| replica.service == index).collect();
    let places = || (0..world.incident.steps()).step_by(every);
    let count = |place: usize, is: fn(&ReplicaStep) -> bool| -> f64 {
        replicas.iter().filter_map(|replica| replica.steps.get(place)).filter(|step| is(step)).count() as f64
    };
    let wanted = places().map(|_| service.replicas as f64).collect();
    let about = ("kube_deployment_spec_replicas", "Number of desired pods for a deployment.");
    sheet.gauge(about, labels(), clock, wanted);
    let available = places().map(|place| count(place, |step| step.live)).collect();
    let about = ("kube_deployment_status_replicas_available", "The number of available replicas.");
    sheet.gauge(about, labels(), clock, available);
    let changed = world.incident.deployments.iter().find(|change| change.service == index);
    let at = |place: usize| world.incident.start() + STEP * place as i64;
    let has_changed = |place: usize| changed.is_some_and(|change| at(place) >= change.at);
    let updated = places().map(|place| match has_changed(place) {
        true => count(place, |step| step.pod > 0),
        false => service.replicas as f64,
    });
    let about = ("kube_deployment_status_replicas_updated", "The number of updated replicas per deployment.");
    sheet.gauge(about, labels(), clock, updated.collect());
    let generation = 7.0 + index as f64;
    let generations = places().map(|place| generation + f64::from(u8::from(has_changed(place)))).collect();
    let about =
        ("kube_deployment_metadata_generation", "Sequence number of a generation of the desired state.");
    sheet.gauge(about, labels(), clock, generations);
}
