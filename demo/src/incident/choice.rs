//! Choosing an incident: by hand for the demo, by dice for all others.

use crate::load;
use crate::random::Random;
use crate::shop::{CallKind, Shop};

use super::{Deployment, Effect, Fault, Herring, HerringKind, Incident, STEP};

/// 2026-01-14T14:02:00Z, a Wednesday.
const DEMO_ONSET: i64 = 1_768_399_320;
const MINUTE: i64 = 60;

impl Incident {
    /// The demo: `payment` is deployed with a fifth of its connections, while a campaign sends people to
    /// `catalog` and `search` builds its index.
    pub(crate) fn demo(shop: &Shop) -> Incident {
        let of = |name| shop.index(name).unwrap_or_default();
        let earlier = (DEMO_ONSET - 105 * MINUTE, DEMO_ONSET - 88 * MINUTE);
        Incident {
            fault: Fault::PoolShrunk,
            seed: 1,
            victim: of("payment"),
            onset: DEMO_ONSET,
            effect: Effect::Pool { size: 10 },
            herrings: vec![
                Herring {
                    service: of("catalog"),
                    kind: HerringKind::Bump { per_second: 130.0 },
                    start: DEMO_ONSET - 11 * MINUTE,
                },
                Herring {
                    service: of("search"),
                    kind: HerringKind::Batch { earlier },
                    start: DEMO_ONSET - 7 * MINUTE,
                },
            ],
            deployments: vec![Deployment {
                service: of("payment"),
                at: DEMO_ONSET,
                version: "2.3.1".to_owned(),
                environment: vec![("DB_POOL_SIZE", "50".to_owned(), "10".to_owned())],
            }],
            business: 0.97,
            id: "checkout-incident".to_owned(),
            title: "Checkout is slow and fails".to_owned(),
        }
    }

    /// Another seed: another victim, onset and amount, other red herrings, other noise.
    pub(crate) fn by_seed(shop: &Shop, fault: Fault, seed: u64) -> Incident {
        let mut random = Random::new(seed, fault.name());
        let victim = random.choose(&candidates(shop, fault)).unwrap_or_default();
        // Any day of 2026, between eight in the morning and ten at night: at night nothing is short.
        let day = 1_767_225_600 + 86_400 * random.below(365) as i64;
        let onset = day + 8 * 3_600 + STEP * random.below(14 * 240) as i64;
        let business = random.between(0.9, 1.15);
        let mut incident = Incident {
            fault,
            seed,
            victim,
            onset,
            effect: Effect::Dead,
            herrings: Vec::new(),
            deployments: Vec::new(),
            business,
            id: format!("incident-{}", super::written(onset).replace(':', "-").to_lowercase()),
            title: "Customers complain".to_owned(),
        };
        incident.effect = amount(shop, &incident, &mut random);
        if let Effect::Pool { size } = incident.effect {
            incident.deployments.push(shrinking(shop, &incident, size));
        }
        herrings(shop, &mut incident, &mut random);
        incident
    }
}

/// Services where a fault of this kind makes itself felt.
fn candidates(shop: &Shop, fault: Fault) -> Vec<usize> {
    let names: &[&str] = match fault {
        Fault::PoolShrunk => &["payment", "inventory", "user", "shipping", "catalog"],
        Fault::SlowDependency => &["postgres", "redis", "inventory", "user", "shipping", "cart", "search"],
        Fault::DeadDependency => &["redis", "cart", "user", "inventory", "shipping", "search"],
        Fault::CpuStarvation => &["catalog", "cart", "inventory", "search", "user", "checkout"],
        Fault::MemoryLeak => &["cart", "inventory", "user", "recommendation", "shipping", "ads"],
        Fault::TrafficSurge => &["web", "checkout", "catalog"],
    };
    names.iter().filter_map(|name| shop.index(name)).collect()
}

fn amount(shop: &Shop, incident: &Incident, random: &mut Random) -> Effect {
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
    }
}

/// Requests per second at each node around the onset.
fn rates(shop: &Shop, incident: &Incident) -> Vec<f64> {
    let load = incident.business * load::season(incident.onset + 10 * MINUTE);
    shop.expected(|_, from_outside| load * from_outside)
}

/// Connections in use in each replica of the victim around the onset.
fn connections_in_use(shop: &Shop, incident: &Incident) -> f64 {
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

fn shrinking(shop: &Shop, incident: &Incident, size: u32) -> Deployment {
    let service = shop.service(incident.victim);
    let before = service.and_then(|service| service.pool).map_or(0, |pool| pool.size);
    Deployment {
        service: incident.victim,
        at: incident.onset,
        version: next_version(service.map_or("0.0.0", |service| service.version)),
        environment: vec![("DB_POOL_SIZE", before.to_string(), size.to_string())],
    }
}

fn next_version(version: &str) -> String {
    match version.rsplit_once('.') {
        Some((head, patch)) => format!("{head}.{}", patch.parse::<u32>().unwrap_or(0) + 1),
        None => version.to_owned(),
    }
}

/// A batch, and either more traffic or a deployment, in services that neither call the victim nor are called
/// by it.
fn herrings(shop: &Shop, incident: &mut Incident, random: &mut Random) {
    let onset = incident.onset;
    let batch = among(shop, incident, &["search", "cart", "recommendation", "ads", "email"]);
    let Some(batch) = random.choose(&batch) else { return };
    let start = onset - MINUTE * random.between(6.0, 20.0) as i64;
    let earlier = onset - MINUTE * random.between(85.0, 110.0) as i64;
    let earlier = (earlier, earlier + 16 * MINUTE);
    incident.herrings.push(Herring { service: batch, kind: HerringKind::Batch { earlier }, start });

    let other_than_batch = |names: &[&str]| -> Vec<usize> {
        among(shop, incident, names).into_iter().filter(|place| *place != batch).collect()
    };
    let bump = other_than_batch(&["catalog", "search", "ads", "recommendation", "shipping"]);
    let deployment = other_than_batch(&["catalog", "search", "recommendation", "ads", "email"]);
    let start = onset - MINUTE * random.between(5.0, 15.0) as i64;
    let wants_bump = incident.fault != Fault::TrafficSurge && random.unit() < 0.6;
    if let Some(service) = random.choose(&bump).filter(|_| wants_bump) {
        let nodes = shop.nodes.iter().zip(rates(shop, incident));
        let usual: f64 = nodes.filter(|(node, _)| node.service == service).map(|(_, rate)| rate).sum();
        let per_second = usual * random.between(0.6, 0.9);
        incident.herrings.push(Herring { service, kind: HerringKind::Bump { per_second }, start });
    } else if let Some(service) = random.choose(&deployment) {
        let version = next_version(shop.service(service).map_or("0.0.0", |service| service.version));
        let environment = Vec::new();
        incident.deployments.push(Deployment { service, at: start, version, environment });
        incident.herrings.push(Herring { service, kind: HerringKind::Deployment, start });
    }
}

/// Those of the named services that have nothing to do with the victim. What goes wrong at the front door reaches
/// everyone; then those that do not call it must do.
fn among(shop: &Shop, incident: &Incident, names: &[&str]) -> Vec<usize> {
    let places = names.iter().filter_map(|name| shop.index(name));
    let (reached, unrelated): (Vec<usize>, Vec<usize>) = places
        .filter(|place| !shop.reaches(*place, incident.victim))
        .partition(|place| shop.reaches(incident.victim, *place));
    if unrelated.is_empty() { reached } else { unrelated }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_seed_is_another_incident_and_the_same_seed_the_same() {
        let shop = Shop::open();
        for fault in Fault::ALL {
            let incidents: Vec<Incident> =
                (0..12).map(|seed| Incident::by_seed(&shop, fault, seed)).collect();
            assert_eq!(incidents[3], Incident::by_seed(&shop, fault, 3));
            for pair in incidents.windows(2) {
                assert_ne!((pair[0].onset, &pair[0].effect), (pair[1].onset, &pair[1].effect));
            }
            let victims: std::collections::BTreeSet<usize> =
                incidents.iter().map(|incident| incident.victim).collect();
            assert!(victims.len() > 1, "{fault}: always the same victim");
        }
    }

    #[test]
    fn red_herrings_are_two_services_that_have_nothing_to_do_with_the_fault() {
        let shop = Shop::open();
        for fault in Fault::ALL {
            for seed in 0..40 {
                let incident = Incident::by_seed(&shop, fault, seed);
                let [one, other] = incident.herrings.as_slice() else { panic!("{fault} {seed}") };
                assert_ne!(one.service, other.service, "{fault} {seed}");
                for herring in &incident.herrings {
                    assert_ne!(herring.service, incident.victim, "{fault} {seed}");
                    assert!(!shop.reaches(herring.service, incident.victim), "{fault} {seed}");
                    assert!(herring.start < incident.onset, "{fault} {seed}");
                }
            }
        }
    }

    #[test]
    fn a_pool_shrinks_below_what_is_in_use() {
        let shop = Shop::open();
        for seed in 0..40 {
            let incident = Incident::by_seed(&shop, Fault::PoolShrunk, seed);
            let Effect::Pool { size } = incident.effect else { panic!("{seed}") };
            assert!(f64::from(size) < connections_in_use(&shop, &incident), "{seed} {size}");
        }
        let demo = connections_in_use(&shop, &Incident::demo(&shop));
        assert!((10.8..13.5).contains(&demo), "the demo needs {demo} of 10 connections");
    }
}
