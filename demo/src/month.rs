//! The month before: coarse, without queues, because nothing was short.

use crate::cluster::Cluster;
use crate::history::History;
use crate::incident::{Incident, STEP};
use crate::load::{self, Wander};
use crate::random::Random;
use crate::shop::Shop;
use crate::simulate::is_batch_time;

/// Seconds between two samples: as far apart as a query still sees the last one.
pub(crate) const EVERY: i64 = 300;
const DAYS: i64 = 30;
/// Seconds over which rules take rates.
const WINDOW: f64 = 120.0;
/// Share by which twice the requests slow a service down while nothing is short.
const SLOWER: f64 = 0.06;

/// What is known of the month.
#[derive(Debug)]
pub(crate) struct Month {
    /// The first moment, in seconds since 1970.
    pub(crate) first: i64,
    /// In the order of the cluster's replicas.
    pub(crate) replicas: Vec<Usage>,
    /// By service.
    pub(crate) services: Vec<Service>,
}

/// How one service did.
#[derive(Debug, Default)]
pub(crate) struct Service {
    /// Requests per second.
    pub(crate) requests: Vec<f64>,
    /// Share of them that failed.
    pub(crate) errors: Vec<f64>,
    /// Mean seconds of the others.
    pub(crate) latency: Vec<f64>,
}

/// Usage of one replica.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// Core seconds since its start.
    pub(crate) cpu: Vec<f64>,
    /// Bytes.
    pub(crate) memory: Vec<f64>,
}

impl Month {
    pub(crate) fn simulate(shop: &Shop, incident: &Incident, cluster: &Cluster, history: &History) -> Month {
        let first = EVERY * ((incident.start() - DAYS * 86_400).div_euclid(EVERY) + 1);
        // The last one comes before the first scrape of the record, which takes up to a step.
        let samples = (incident.start() - STEP - first).div_euclid(EVERY);
        let mut mood = Wander::new(Random::new(incident.seed, "month"), 0.9, 0.04);
        let mut services: Vec<(Service, Usual, Random)> = (0..shop.services.len())
            .map(|service| {
                let random = Random::new(incident.seed, &format!("month of {service}"));
                (Service::default(), Usual::of(history, service), random)
            })
            .collect();
        let mut replicas: Vec<(Usage, Random, usize)> = cluster
            .all()
            .map(|replica| {
                let purpose = format!("month {} {}", replica.service, replica.slot);
                (Usage::default(), Random::new(incident.seed, &purpose), replica.service)
            })
            .collect();
        for sample in 0..samples {
            let at = first + EVERY * sample;
            let load = incident.business * load::season(at) * load::growth(at, incident.onset) * mood.next();
            let rates = shop.expected(|_, from_outside| from_outside * load);
            for (index, (service, usual, random)) in services.iter_mut().enumerate() {
                let of_service = shop.nodes.iter().zip(&rates).filter(|(node, _)| node.service == index);
                service.live(of_service.map(|(_, rate)| rate).sum::<f64>(), *usual, random);
            }
            for (usage, random, service) in &mut replicas {
                let busy = busy(shop, incident, &rates, *service, at);
                usage.live(shop, *service, busy, load, random);
            }
        }
        let replicas = replicas.into_iter().map(|(usage, _, _)| usage).collect();
        let services = services.into_iter().map(|(service, _, _)| service).collect();
        Month { first, replicas, services }
    }
}

/// Cores that one replica uses.
fn busy(shop: &Shop, incident: &Incident, rates: &[f64], service: usize, at: i64) -> f64 {
    let Some(spec) = shop.service(service) else { return 0.0 };
    let of_service = shop.nodes.iter().zip(rates).filter(|(node, _)| node.service == service);
    let needed: f64 = of_service.map(|(node, rate)| rate * node.operation.cpu).sum();
    let needed = needed / spec.replicas as f64 + 0.01 + 0.005 * spec.cpu.request;
    let batch = is_batch_time(incident, service, at);
    if batch { needed + 0.9 * (spec.cores() - needed).max(0.0) } else { needed }
}

/// How a service does when nothing happens: in the first hour of the record.
#[derive(Debug, Clone, Copy)]
struct Usual {
    requests: f64,
    errors: f64,
    latency: f64,
}

impl Usual {
    fn of(history: &History, service: usize) -> Usual {
        let steps = 3_600 / STEP as usize;
        let mut sums = [0.0; 3];
        for place in 0..steps {
            let [errors, latency, requests, _] = history.felt(service, place);
            for (sum, value) in sums.iter_mut().zip([errors, latency, requests]) {
                *sum += value / steps as f64;
            }
        }
        let [errors, latency, requests] = sums;
        Usual { requests, errors, latency }
    }
}

impl Service {
    /// A little slower when there is more to do; as many failures as chance makes of their share in two minutes.
    fn live(&mut self, rate: f64, usual: Usual, random: &mut Random) {
        let requests = random.events(rate * WINDOW);
        let failed = random.hits(requests, usual.errors);
        let busier = if usual.requests > 0.0 { rate / usual.requests - 1.0 } else { 0.0 };
        self.requests.push(f64::from(requests) / WINDOW);
        self.errors.push(if requests > 0 { f64::from(failed) / f64::from(requests) } else { 0.0 });
        self.latency.push(usual.latency * (1.0 + SLOWER * busier) * (1.0 + 0.015 * random.normal()));
    }
}

impl Usage {
    fn live(&mut self, shop: &Shop, service: usize, busy: f64, load: f64, random: &mut Random) {
        let Some(spec) = shop.service(service) else { return };
        let busy = (busy * (1.0 + 0.03 * random.normal())).clamp(0.002, spec.cores());
        // The first container started a day or more before the month.
        let before = self.cpu.last().copied().unwrap_or(busy * 2.0 * 86_400.0);
        self.cpu.push(before + busy * EVERY as f64);
        let memory = spec.memory.usual * (0.95 + 0.05 * load) * (1.0 + 0.02 * random.normal());
        self.memory.push(memory.min(0.9 * spec.memory.limit) * 1_048_576.0);
    }
}
