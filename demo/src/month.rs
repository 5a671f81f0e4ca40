//! The month before: coarse, without queues, because nothing was short.

use crate::cluster::Cluster;
use crate::incident::{Incident, STEP};
use crate::load::{self, Wander};
use crate::random::Random;
use crate::shop::Shop;
use crate::simulate::is_batch_time;

/// Seconds between two samples: as far apart as a query still sees the last one.
pub(crate) const EVERY: i64 = 300;
const DAYS: i64 = 30;

/// What is known of the month.
#[derive(Debug)]
pub(crate) struct Month {
    /// The first moment, in seconds since 1970.
    pub(crate) first: i64,
    /// In the order of the cluster's replicas.
    pub(crate) replicas: Vec<Usage>,
    /// Requests per second by service.
    pub(crate) requests: Vec<Vec<f64>>,
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
    pub(crate) fn simulate(shop: &Shop, incident: &Incident, cluster: &Cluster) -> Month {
        let first = EVERY * ((incident.start() - DAYS * 86_400).div_euclid(EVERY) + 1);
        // The last one comes before the first scrape of the record, which takes up to a step.
        let samples = (incident.start() - STEP - first).div_euclid(EVERY);
        let mut mood = Wander::new(Random::new(incident.seed, "month"), 0.9, 0.04);
        let mut requests = vec![Vec::new(); shop.services.len()];
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
            for (service, requests) in requests.iter_mut().enumerate() {
                let of_service = shop.nodes.iter().zip(&rates).filter(|(node, _)| node.service == service);
                requests.push(of_service.map(|(_, rate)| rate).sum::<f64>());
            }
            for (usage, random, service) in &mut replicas {
                let busy = busy(shop, incident, &rates, *service, at);
                usage.live(shop, *service, busy, load, random);
            }
        }
        let replicas = replicas.into_iter().map(|(usage, _, _)| usage).collect();
        Month { first, replicas, requests }
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
