//! `capacity.om`: usage of a month, for questions about capacity. It ends where the record begins.

use crate::World;
use crate::cluster::node_name;
use crate::month::EVERY;
use crate::shop::{Convention, NAMESPACE, Runtime};

use super::kubernetes::STATE;
use super::rules::{ERRORS, LATENCY, REQUESTS};
use super::sheet::{Clock, Sheet, rounded};
use super::target::{Target, kubelet, offset};

pub(super) fn sheet(world: &World) -> Sheet {
    let mut sheet = Sheet::default();
    containers(world, &mut sheet);
    services(world, &mut sheet);
    sheet
}

fn clock(world: &World, instance: &str) -> Clock {
    Clock { first: world.month.first * 1000 + offset(instance), every: EVERY * 1000 }
}

fn containers(world: &World, sheet: &mut Sheet) {
    let targets = Target::all(world);
    let oldest = targets.iter().filter(|target| target.first == 0);
    for (usage, target) in world.month.replicas.iter().zip(oldest) {
        let instance = kubelet(target.pod.node);
        let labels = || {
            vec![
                ("job", "kubelet".to_owned()),
                ("instance", instance.clone()),
                ("namespace", NAMESPACE.to_owned()),
                ("pod", target.pod.name.clone()),
                ("container", target.service.name.to_owned()),
                ("node", node_name(target.pod.node)),
            ]
        };
        let about = ("container_cpu_usage_seconds", "Cumulative cpu time consumed in seconds.");
        let cpu = usage.cpu.iter().map(|seconds| rounded(*seconds, 3)).collect();
        sheet.counter(about, labels(), clock(world, &instance), cpu);
        let about = ("container_memory_working_set_bytes", "Current working set in bytes.");
        let memory = usage.memory.iter().map(|bytes| 4096.0 * libm::floor(bytes / 4096.0)).collect();
        sheet.gauge(about, labels(), clock(world, &instance), memory);
    }
}

/// What rules recorded, and how many replicas there were.
pub(super) fn services(world: &World, sheet: &mut Sheet) {
    let all = world.shop.services.iter().zip(&world.month.services);
    for (service, month) in all.filter(|(service, _)| service.runtime != Runtime::Native) {
        let mut recorded = |name, values: &[f64], decimals| {
            let labels = vec![("service", service.name.to_owned())];
            let values = values.iter().map(|value| rounded(*value, decimals)).collect();
            sheet.gauge((name, "Recorded by a rule."), labels, clock(world, REQUESTS), values);
        };
        recorded(REQUESTS, &month.requests, 3);
        recorded(ERRORS, &month.errors, 6);
        if measures_seconds(service.speaks) {
            recorded(LATENCY, &month.latency, 6);
        }
        let labels = vec![
            ("job", "kube-state-metrics".to_owned()),
            ("instance", STATE.to_owned()),
            ("namespace", NAMESPACE.to_owned()),
            ("deployment", service.name.to_owned()),
        ];
        let replicas = vec![service.replicas as f64; month.requests.len()];
        let about = ("kube_deployment_status_replicas_available", "The number of available replicas.");
        sheet.gauge(about, labels, clock(world, STATE), replicas);
    }
}

/// Whether the rule for latency covers a service.
fn measures_seconds(speaks: Convention) -> bool {
    matches!(
        speaks,
        Convention::OtelHttp | Convention::Plain { .. } | Convention::Micrometer | Convention::Grpc
    )
}
