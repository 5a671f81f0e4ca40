//! Choosing an incident: by hand for the demo, by dice for all others.

use crate::cluster::Cluster;
use crate::random::Random;
use crate::shop::Shop;

use super::{Deployment, Effect, Fault, Herring, HerringKind, Incident, STEP, amounts};

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
        incident.effect = amounts::amount(shop, &incident, &mut random);
        match incident.effect {
            Effect::Pool { size } => incident.deployments.push(shrinking(shop, &incident, size)),
            Effect::Fail { .. } => incident.deployments.push(misconfigured(shop, &incident, &mut random)),
            _ => {}
        }
        herrings(shop, &mut incident, &mut random);
        if let Effect::Neighbour { left, .. } = incident.effect {
            let node = beside(shop, &incident, &mut random);
            incident.effect = Effect::Neighbour { node, left };
        }
        incident
    }
}

/// The node of one of the victim's pods.
fn beside(shop: &Shop, incident: &Incident, random: &mut Random) -> usize {
    let cluster = Cluster::populate(shop, incident);
    let replicas = cluster.replicas.get(incident.victim).map(Vec::as_slice).unwrap_or_default();
    let nodes: Vec<usize> = replicas.iter().filter_map(|replica| Some(replica.pods.first()?.node)).collect();
    random.choose(&nodes).unwrap_or_default()
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
        Fault::ConnectionLeak => &["payment", "inventory", "user", "shipping", "catalog"],
        Fault::NoisyNeighbour => &["web", "catalog", "cart", "inventory", "search", "user"],
        Fault::CertificateExpiry => {
            &["payment", "catalog", "cart", "inventory", "search", "user", "shipping"]
        }
        Fault::BadConfig => {
            &["checkout", "payment", "catalog", "cart", "inventory", "search", "user", "shipping"]
        }
        Fault::LostTraffic => &["web", "catalog", "search", "ads", "recommendation", "email"],
        Fault::LostMetrics => &[
            "checkout",
            "payment",
            "catalog",
            "cart",
            "inventory",
            "search",
            "user",
            "shipping",
            "ads",
            "email",
        ],
    };
    names.iter().filter_map(|name| shop.index(name)).collect()
}

fn shrinking(shop: &Shop, incident: &Incident, size: u32) -> Deployment {
    let pool = shop.service(incident.victim).and_then(|service| service.pool);
    let before = pool.map_or(0, |pool| pool.size);
    deployed(shop, incident, ("DB_POOL_SIZE", before.to_string(), size.to_string()))
}

fn misconfigured(shop: &Shop, incident: &Incident, random: &mut Random) -> Deployment {
    let revision = 20 + random.below(60);
    let name = |revision: usize| format!("settings-v{revision}");
    deployed(shop, incident, ("SETTINGS_CONFIGMAP", name(revision), name(revision + 1)))
}

fn deployed(shop: &Shop, incident: &Incident, changed: (&'static str, String, String)) -> Deployment {
    let version = shop.service(incident.victim).map_or("0.0.0", |service| service.version);
    Deployment {
        service: incident.victim,
        at: incident.onset,
        version: next_version(version),
        environment: vec![changed],
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
    let is_about_traffic = matches!(incident.fault, Fault::TrafficSurge | Fault::LostTraffic);
    let wants_bump = !is_about_traffic && random.unit() < 0.6;
    if let Some(service) = random.choose(&bump).filter(|_| wants_bump) {
        let nodes = shop.nodes.iter().zip(amounts::rates(shop, incident));
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
            assert!(f64::from(size) < amounts::connections_in_use(&shop, &incident), "{seed} {size}");
        }
        let demo = amounts::connections_in_use(&shop, &Incident::demo(&shop));
        assert!((10.8..13.5).contains(&demo), "the demo needs {demo} of 10 connections");
    }
}
