//! What the kubelet and kube-state-metrics say about the pod that is not the shop's.

use crate::World;
use crate::cluster::{NEIGHBOUR, NEIGHBOURHOOD, node_name};
use crate::incident::STEP;
use crate::shop::MACHINE_CORES;

use super::kubernetes::{PRESSURE, SELDOM, STATE, scraped, seldom};
use super::sheet::{Clock, Labels, Sheet, rounded};
use super::target::{kubelet, offset};

const MIB: f64 = 1_048_576.0;

/// Bytes it uses when it uses so many cores.
pub(super) fn memory(cores: f64) -> f64 {
    (380.0 + 60.0 * cores) * MIB
}

pub(super) fn emit(world: &World, sheet: &mut Sheet) {
    containers(world, sheet);
    state(world, sheet);
}

fn container(world: &World) -> Labels {
    vec![
        ("namespace", NEIGHBOURHOOD.to_owned()),
        ("pod", world.cluster.neighbour.name.clone()),
        ("container", NEIGHBOUR.to_owned()),
    ]
}

fn containers(world: &World, sheet: &mut Sheet) {
    let node = world.cluster.neighbour.node;
    let instance = kubelet(node);
    let labels = || -> Labels {
        let mut labels = scraped("kubelet", &instance);
        labels.extend(container(world));
        labels.push(("node", node_name(node)));
        labels
    };
    let clock = Clock { first: world.incident.start() * 1000 + offset(&instance), every: STEP * 1000 };
    let cores = &world.history.neighbour;
    let age = (world.incident.start() - world.cluster.neighbour.created) as f64;
    let counted = |of: fn(f64) -> f64| -> Vec<f64> {
        let mut sum = age * cores.first().copied().map_or(0.0, of);
        let add = |cores: &f64| {
            sum += of(*cores) * STEP as f64;
            rounded(sum, 3)
        };
        cores.iter().map(add).collect()
    };
    let about = ("container_cpu_usage_seconds", "Cumulative cpu time consumed in seconds.");
    sheet.counter(about, labels(), clock, counted(|cores| cores));
    // It would like more than the node has.
    sheet.counter(PRESSURE, labels(), clock, counted(|cores| 0.9 * libm::pow(cores / MACHINE_CORES, 4.0)));
    let about = ("container_memory_working_set_bytes", "Current working set in bytes.");
    let used = cores.iter().map(|cores| 4096.0 * libm::floor(memory(*cores) / 4096.0)).collect();
    sheet.gauge(about, labels(), clock, used);
}

fn state(world: &World, sheet: &mut Sheet) {
    let pod = &world.cluster.neighbour;
    let samples = world.incident.steps().div_ceil((SELDOM / STEP) as usize);
    let clock = seldom(world, STATE, 0);
    let mut add = |about: (&'static str, &'static str), own: Labels, value: f64| {
        let mut labels = scraped("kube-state-metrics", STATE);
        labels.extend(own);
        sheet.gauge(about, labels, clock, vec![value; samples]);
    };
    let info = vec![
        ("namespace", NEIGHBOURHOOD.to_owned()),
        ("pod", pod.name.clone()),
        ("node", node_name(pod.node)),
        ("pod_ip", pod.ip.clone()),
        ("created_by_kind", "ReplicaSet".to_owned()),
        ("created_by_name", pod.owner.clone()),
    ];
    add(("kube_pod_info", "Information about pod."), info, 1.0);
    let mut image = container(world);
    image.push(("image", format!("registry.example.com/media/{NEIGHBOUR}:{}", pod.version)));
    add(("kube_pod_container_info", "Information about a container in a pod."), image, 1.0);
    // No limit for its cores: that is what makes it a bad neighbour.
    let requests = ("kube_pod_container_resource_requests", "The requests of a container.");
    let limits = ("kube_pod_container_resource_limits", "The limits of a container.");
    for (about, resource, unit, value) in [
        (requests, "cpu", "core", 0.5),
        (requests, "memory", "byte", 1_024.0 * MIB),
        (limits, "memory", "byte", 2_048.0 * MIB),
    ] {
        let mut labels = container(world);
        labels.extend([("resource", resource.to_owned()), ("unit", unit.to_owned())]);
        add(about, labels, value);
    }
}
