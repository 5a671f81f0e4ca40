//! What the node exporters say, and the kubelets about their machines.

use crate::World;
use crate::cluster::{NODES, node_ip, node_name};
use crate::incident::STEP;
use crate::random::Random;
use crate::shop::MACHINE_CORES;

use super::kubernetes::{SELDOM, scraped, seldom};
use super::sheet::{Clock, Labels, Sheet, rounded};
use super::target::{Target, kubelet, offset};

const MIB: f64 = 1_048_576.0;
/// Cores that the kernel and what is not in a container use.
const SYSTEM: f64 = 0.35;
/// Seconds a node has been up when the record begins.
const UPTIME: f64 = 52.0 * 86_400.0;

pub(super) fn emit(world: &World, sheet: &mut Sheet) {
    for node in 0..NODES {
        let exporter = exporter(node);
        let usage = usage(world, node);
        let page = Page { world, node, usage: &usage, exporter: &exporter };
        page.memory(sheet);
        page.cores(sheet);
        page.machine(sheet);
    }
}

/// Where a node's exporter is.
pub(crate) fn exporter(node: usize) -> String {
    format!("{}:9100", node_ip(node))
}

/// One node.
struct Page<'a> {
    world: &'a World,
    node: usize,
    /// Cores and bytes used by containers, by step.
    usage: &'a [(f64, f64)],
    exporter: &'a str,
}

impl Page<'_> {
    fn labels(&self) -> Labels {
        scraped("node-exporter", self.exporter)
    }

    fn clock(&self) -> Clock {
        seldom(self.world, self.exporter, 0)
    }

    fn memory(&self, sheet: &mut Sheet) {
        let total = 32.0 * 1024.0 * MIB;
        let available = self.usage.iter().map(|(_, used)| libm::floor(total - used - 5_200.0 * MIB));
        let about = ("node_memory_MemAvailable_bytes", "Memory information field MemAvailable_bytes.");
        sheet.gauge(about, self.labels(), self.clock(), thin(available));
        let about = ("node_memory_MemTotal_bytes", "Memory information field MemTotal_bytes.");
        sheet.gauge(about, self.labels(), self.clock(), vec![total; self.samples()]);
    }

    fn samples(&self) -> usize {
        self.usage.len().div_ceil((SELDOM / STEP) as usize)
    }

    fn cores(&self, sheet: &mut Sheet) {
        // The load average of one minute follows what runs and what would like to.
        let mut average = self.usage.first().map_or(0.0, |(cores, _)| *cores);
        let load = self.usage.iter().map(|(cores, _)| {
            average = 0.78 * average + 0.22 * (cores + 0.6 * MACHINE_CORES * waiting(*cores));
            rounded(1.15 * average + 0.4, 2)
        });
        sheet.gauge(("node_load1", "1m load average."), self.labels(), self.clock(), thin(load));

        let about = (
            "node_pressure_cpu_waiting_seconds",
            "Total time in seconds that processes have waited for CPU time.",
        );
        let waited = self.usage.iter().map(|(cores, _)| waiting(*cores) * STEP as f64);
        let typical = self.usage.first().map_or(0.0, |(cores, _)| waiting(*cores));
        sheet.counter(about, self.labels(), self.clock(), thin(summed(typical * UPTIME, waited).into_iter()));

        let mut random = Random::new(self.world.incident.seed, &format!("cores {}", self.node));
        for core in 0..MACHINE_CORES as usize {
            // Work is spread over the cores, not quite evenly.
            let lean = 1.0 + 0.04 * random.normal();
            for (mode, share) in [("user", 0.86), ("system", 0.14), ("iowait", 0.0), ("idle", 1.0)] {
                self.core(core, mode, share, lean, sheet);
            }
        }
    }

    /// One core's seconds in one mode.
    fn core(&self, core: usize, mode: &'static str, share: f64, lean: f64, sheet: &mut Sheet) {
        let busy = |cores: f64| ((cores + SYSTEM) / MACHINE_CORES * lean).min(0.995);
        let part = |cores: f64| match mode {
            "idle" => 0.998 - busy(cores).min(0.998),
            "iowait" => 0.002,
            _ => busy(cores) * share,
        };
        let seconds = self.usage.iter().map(|(cores, _)| part(*cores) * STEP as f64);
        let typical = self.usage.first().map_or(0.0, |(cores, _)| part(*cores));
        let mut labels = self.labels();
        labels.extend([("cpu", core.to_string()), ("mode", mode.to_owned())]);
        let about = ("node_cpu_seconds", "Seconds the CPUs spent in each mode.");
        sheet.counter(about, labels, self.clock(), thin(summed(typical * UPTIME, seconds).into_iter()));
    }

    fn machine(&self, sheet: &mut Sheet) {
        let samples = self.samples();
        let up = ("up", "Whether the last scrape succeeded.");
        sheet.gauge(up, self.labels(), self.clock(), vec![1.0; samples]);
        let kubelet = kubelet(self.node);
        let about = ("machine_cpu_cores", "Number of logical CPU cores.");
        let mut machine = scraped("kubelet", &kubelet);
        machine.push(("node", node_name(self.node)));
        sheet.gauge(about, machine, seldom(self.world, &kubelet, 0), vec![MACHINE_CORES; samples]);
        let first = self.world.incident.start() * 1000 + offset(&kubelet);
        let clock = Clock { first, every: STEP * 1000 };
        sheet.gauge(up, scraped("kubelet", &kubelet), clock, vec![1.0; self.usage.len()]);
    }
}

/// Share of the time in which something waits for a core of a node that is so busy.
fn waiting(cores: f64) -> f64 {
    0.8 * libm::pow((cores / MACHINE_CORES).min(1.0), 4.0)
}

/// A running sum, in hundredths.
fn summed(before: f64, added: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sum = before;
    added
        .map(|amount| {
            sum += amount;
            rounded(sum, 2)
        })
        .collect()
}

/// Cores and bytes that all containers on a node use, by step.
fn usage(world: &World, node: usize) -> Vec<(f64, f64)> {
    let mut sums = vec![(0.0, 0.0); world.incident.steps()];
    for target in Target::all(world).iter().filter(|target| target.pod.node == node) {
        for (sum, step) in sums.iter_mut().skip(target.first).zip(target.steps) {
            sum.0 += step.cpu;
            sum.1 += step.memory;
        }
    }
    if world.cluster.neighbour.node == node {
        for (sum, cores) in sums.iter_mut().zip(&world.history.neighbour) {
            sum.0 += cores;
            sum.1 += super::neighbour::memory(*cores);
        }
    }
    sums
}

/// What changes seldom is scraped so.
fn thin(values: impl Iterator<Item = f64>) -> Vec<f64> {
    values.step_by((SELDOM / STEP) as usize).collect()
}
