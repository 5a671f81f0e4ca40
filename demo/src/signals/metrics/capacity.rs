//! `capacity.om`: usage of a month, for questions about capacity. It ends where the record begins.

use crate::World;
use crate::cluster::node_name;
use crate::month::EVERY;
use crate::shop::{NAMESPACE, Runtime};

use super::rules::REQUESTS;
use super::sheet::{Clock, Sheet, rounded};
use super::target::{Target, kubelet, offset};

pub(super) fn sheet(world: &World) -> Sheet {
    let mut sheet = Sheet::default();
    let clock =
        |instance: &str| Clock { first: world.month.first * 1000 + offset(instance), every: EVERY * 1000 };
    let targets = Target::all(world);
    let mut oldest = targets.iter().filter(|target| target.first == 0);
    for usage in &world.month.replicas {
        let Some(target) = oldest.next() else { break };
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
        sheet.counter(about, labels(), clock(&instance), cpu);
        let about = ("container_memory_working_set_bytes", "Current working set in bytes.");
        let memory = usage.memory.iter().map(|bytes| 4096.0 * libm::floor(bytes / 4096.0)).collect();
        sheet.gauge(about, labels(), clock(&instance), memory);
    }
    for (service, requests) in world.shop.services.iter().zip(&world.month.requests) {
        if service.runtime == Runtime::Native {
            continue;
        }
        let labels = vec![("service", service.name.to_owned())];
        let values = requests.iter().map(|rate| rounded(*rate, 3)).collect();
        sheet.gauge((REQUESTS, "Recorded by a rule."), labels, clock(REQUESTS), values);
        let labels = vec![
            ("job", "kube-state-metrics".to_owned()),
            ("instance", super::kubernetes::STATE.to_owned()),
            ("namespace", NAMESPACE.to_owned()),
            ("deployment", service.name.to_owned()),
        ];
        let replicas = vec![service.replicas as f64; requests.len()];
        let about = ("kube_deployment_status_replicas_available", "The number of available replicas.");
        sheet.gauge(about, labels, clock(super::kubernetes::STATE), replicas);
    }
    sheet
}
