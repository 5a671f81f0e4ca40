//! How much goes wrong: enough to be felt, measured against what the victim has to do at that time.

use crate::load;
use crate::random::Random;
use crate::shop::{CallKind, Service, Shop};

use super::{Effect, Fault, Incident};

const MINUTE: i64 = 60;

/// A fault's effect on its victim.
pub(super) fn amount(shop: &Shop, incident: &Incident, random: &mut Random) -> Effect {
    let Some(service) = shop.service(incident.victim) else { return Effect::Dead };
    match incident.fault {
        Fault::PoolShrunk => {
            // Somewhat fewer connections than are in use.
            let in_use = connections_in_use(shop, incident);
            let size = (in_use / random.between(1.12, 1.3)) as u32;
            Effect::Pool { size: size.max(1) }
        }
        Fault::SlowDependency => {
            // A database or cache is asked several times for one request, a service once.
            let seconds =
                if service.port > 9_100 { random.between(0.03, 0.06) } else { random.between(0.35, 0.8) };
            Effect::Slow { seconds }
        }
        Fault::DeadDependency => Effect::Dead,
        Fault::CpuStarvation => {
            // What is left is a little less than what requests need.
            let needed = cores_needed(shop, incident) / service.cores();
            Effect::Burn { share: 1.0 - needed * random.between(0.85, 0.97) }
        }
        Fault::MemoryLeak => {
            let room = service.memory.limit - service.memory.usual;
            Effect::Leak { per_second: room / random.between(7.0 * 60.0, 13.0 * 60.0) }
        }
        Fault::TrafficSurge => {
            // So many times as many requests altogether, though callers send no more than usual.
            let (all, outside) = requests(shop, incident);
            let times = 1.0 + (random.between(2.5, 3.5) - 1.0) * all / outside;
            Effect::Surge { times, ramp: random.between(60.0, 240.0) }
        }
        Fault::ConnectionLeak => lost_connections(shop, incident, service, random),
        Fault::NoisyNeighbour => {
            // Which node is known when all pods have their places.
            Effect::Neighbour { node: 0, left: cores_needed(shop, incident) * random.between(0.65, 0.9) }
        }
        Fault::CertificateExpiry => Effect::Expired,
        Fault::BadConfig => Effect::Fail { share: random.between(0.12, 0.5) },
        Fault::LostTraffic => {
            let (all, outside) = requests(shop, incident);
            let caller = if outside > 0.5 * all { None } else { busiest_caller(shop, incident) };
            Effect::Lose { share: random.between(0.6, 0.97), caller }
        }
        Fault::LostMetrics => Effect::Hide { listed: random.unit() < 0.5 },
    }
}

/// So many that the pool is empty after some minutes.
fn lost_connections(shop: &Shop, incident: &Incident, service: &Service, random: &mut Random) -> Effect {
    let size = service.pool.map_or(0.0, |pool| f64::from(pool.size));
    let free = (size - connections_in_use(shop, incident)).max(1.0);
    Effect::LoseConnections { per_second: free / random.between(4.0 * 60.0, 9.0 * 60.0) }
}

/// Who sends a service the most requests.
fn busiest_caller(shop: &Shop, incident: &Incident) -> Option<usize> {
    let mut sent = vec![0.0; shop.services.len()];
    for (node, rate) in shop.nodes.iter().zip(rates(shop, incident)) {
        for edge in &node.edges {
            let is_victim = shop.nodes.get(edge.to).is_some_and(|callee| callee.service == incident.victim);
            if let Some(sum) = sent.get_mut(node.service).filter(|_| is_victim) {
                *sum += rate * edge.call.per_request;
            }
        }
    }
    sent.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(caller, _)| caller)
}

/// Requests per second at each node around the onset.
pub(super) fn rates(shop: &Shop, incident: &Incident) -> Vec<f64> {
    let load = incident.business * load::season(incident.onset + 10 * MINUTE);
    shop.expected(|_, from_outside| load * from_outside)
}

/// Connections in use in each replica of the victim around the onset.
pub(super) fn connections_in_use(shop: &Shop, incident: &Incident) -> f64 {
    let rates = rates(shop, incident);
    let held: f64 = shop
        .nodes
        .iter()
        .zip(&rates)
        .filter(|(node, _)| node.service == incident.victim)
        .map(|(node, rate)| {
            let queries = node.edges.iter().filter(|edge| edge.call.kind == CallKind::Query);
            let queries: f64 = queries
                .filter_map(|edge| Some(edge.call.per_request * shop.nodes.get(edge.to)?.operation.own))
                .sum();
            // The mean of a log-normal duration is a little more than its median.
            let spread = libm::exp(node.operation.sigma * node.operation.sigma / 2.0);
            rate * (node.operation.held + queries) * spread
        })
        .sum();
    held / shop.service(incident.victim).map_or(1.0, |service| service.replicas as f64)
}

/// Cores that the requests of each replica of the victim need around the onset.
fn cores_needed(shop: &Shop, incident: &Incident) -> f64 {
    let rates = rates(shop, incident);
    let of_victim = shop.nodes.iter().zip(&rates).filter(|(node, _)| node.service == incident.victim);
    let cores: f64 = of_victim.map(|(node, rate)| rate * node.operation.cpu).sum();
    cores / shop.service(incident.victim).map_or(1.0, |service| service.replicas as f64)
}

/// Requests per second to the victim around the onset: all, and those from outside.
fn requests(shop: &Shop, incident: &Incident) -> (f64, f64) {
    let load = incident.business * load::season(incident.onset + 10 * MINUTE);
    let nodes = shop.nodes.iter().zip(rates(shop, incident));
    nodes
        .filter(|(node, _)| node.service == incident.victim)
        .fold((0.0, 0.0), |(all, outside), (node, rate)| {
            (all + rate, outside + load * node.operation.from_outside)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Cluster;

    #[test]
    fn the_noisy_neighbour_sits_beside_a_pod_of_the_victim() {
        let shop = Shop::open();
        for seed in 0..40 {
            let incident = Incident::by_seed(&shop, Fault::NoisyNeighbour, seed);
            let Effect::Neighbour { node, left } = incident.effect else { panic!("{seed}") };
            let cluster = Cluster::populate(&shop, &incident);
            let pods = cluster.replicas[incident.victim].iter().flat_map(|replica| &replica.pods);
            assert!(pods.into_iter().any(|pod| pod.node == node), "{seed}");
            assert!(left < cores_needed(&shop, &incident), "{seed}");
        }
    }

    #[test]
    fn lost_traffic_is_that_of_whoever_sends_most() {
        let shop = Shop::open();
        let index = |name: &str| shop.index(name).unwrap();
        for seed in 0..40 {
            let incident = Incident::by_seed(&shop, Fault::LostTraffic, seed);
            let Effect::Lose { caller, .. } = incident.effect else { panic!("{seed}") };
            // By the table of services: who is asked by customers, by the web, by the checkout.
            let expected = match shop.services[incident.victim].name {
                "web" => None,
                "email" => Some(index("checkout")),
                _ => Some(index("web")),
            };
            assert_eq!(caller, expected, "{seed}");
        }
    }
}
