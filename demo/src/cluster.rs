//! Pods, nodes and addresses: who runs where, under which name, from when on.

use crate::incident::{Effect, Incident, STEP};
use crate::random::Random;
use crate::shop::{Service, Shop};

/// Worker nodes.
pub(crate) const NODES: usize = 3;
/// Name of the container that is not the shop's.
pub(crate) const NEIGHBOUR: &str = "transcode";
/// Its namespace.
pub(crate) const NEIGHBOURHOOD: &str = "media";
/// The letters of generated names in Kubernetes.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// One pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pod {
    pub(crate) name: String,
    /// Name of its replica set or stateful set.
    pub(crate) owner: String,
    pub(crate) version: String,
    pub(crate) ip: String,
    /// Index of its node.
    pub(crate) node: usize,
    /// When it was created, in seconds since 1970.
    pub(crate) created: i64,
    /// The last pod's fate: when it was replaced, in seconds since 1970.
    pub(crate) replaced: Option<i64>,
}

/// The pods that one replica had, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Replica {
    /// Index of the service.
    pub(crate) service: usize,
    /// Which of its replicas.
    pub(crate) slot: usize,
    pub(crate) pods: Vec<Pod>,
}

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// By service, then by slot.
    pub(crate) replicas: Vec<Vec<Replica>>,
    /// Somebody else's pod.
    pub(crate) neighbour: Pod,
}

impl Cluster {
    pub(crate) fn populate(shop: &Shop, incident: &Incident) -> Cluster {
        let mut random = Random::new(incident.seed, "cluster");
        let mut address = 0;
        let mut replicas = Vec::new();
        for (index, service) in shop.services.iter().enumerate() {
            // Older than what is recorded, the month included.
            let created =
                incident.start() - 86_400 * (31 + random.below(60) as i64) - random.below(80_000) as i64;
            let revision = letters(&mut random, 9);
            let mut of_service: Vec<Replica> = (0..service.replicas)
                .map(|slot| Replica { service: index, slot, pods: Vec::new() })
                .collect();
            for replica in &mut of_service {
                let created = created + STEP * replica.slot as i64;
                let start = PodStart { version: service.version, revision: &revision, created };
                replica.pods.push(pod(service, replica.slot, &start, &mut address, &mut random));
            }
            for deployment in incident.deployments.iter().filter(|change| change.service == index) {
                let revision = letters(&mut random, 9);
                for replica in &mut of_service {
                    let created = deployment.at + STEP * replica.slot as i64;
                    if let Some(last) = replica.pods.last_mut() {
                        last.replaced = Some(created);
                    }
                    let start = PodStart { version: &deployment.version, revision: &revision, created };
                    replica.pods.push(pod(service, replica.slot, &start, &mut address, &mut random));
                }
            }
            replicas.push(of_service);
        }
        Cluster { replicas, neighbour: neighbour(incident, address) }
    }

    /// All replicas, service by service.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().flatten()
    }
}

impl Replica {
    /// Which of its pods runs at a moment.
    pub(crate) fn pod_at(&self, at: i64) -> usize {
        self.pods.iter().rposition(|pod| pod.created <= at).unwrap_or(0)
    }
}

/// Name of a node.
pub(crate) fn node_name(node: usize) -> String {
    format!("worker-{}", node + 1)
}

/// Address of a node.
pub(crate) fn node_ip(node: usize) -> String {
    format!("10.20.0.{}", 11 + node)
}

struct PodStart<'a> {
    version: &'a str,
    revision: &'a str,
    created: i64,
}

fn pod(
    service: &Service,
    slot: usize,
    start: &PodStart<'_>,
    address: &mut usize,
    random: &mut Random,
) -> Pod {
    let (name, owner) = match service.runtime {
        crate::shop::Runtime::Native => (format!("{}-{slot}", service.name), service.name.to_owned()),
        _ => {
            let owner = format!("{}-{}", service.name, start.revision);
            (format!("{owner}-{}", letters(random, 5)), owner)
        }
    };
    let node = *address % NODES;
    let ip = format!("10.20.{}.{}", 1 + node, 10 + *address / NODES);
    *address += 1;
    let (version, created) = (start.version.to_owned(), start.created);
    Pod { name, owner, version, ip, node, created, replaced: None }
}

/// A transcoder of another team, on some node.
fn neighbour(incident: &Incident, address: usize) -> Pod {
    let mut random = Random::new(incident.seed, "neighbour's pod");
    let anywhere = random.below(NODES);
    let node = match incident.effect {
        Effect::Neighbour { node, .. } => node,
        _ => anywhere,
    };
    let created = incident.start() - 86_400 * 4 - random.below(80_000) as i64;
    let owner = format!("{NEIGHBOUR}-{}", letters(&mut random, 9));
    Pod {
        name: format!("{owner}-{}", letters(&mut random, 5)),
        owner,
        version: "1.4.2".to_owned(),
        ip: format!("10.20.{}.{}", 1 + node, 10 + address / NODES + 1),
        node,
        created,
        replaced: None,
    }
}

fn letters(random: &mut Random, count: usize) -> String {
    (0..count).filter_map(|_| random.choose(LETTERS)).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_replaces_the_pods_of_one_service_one_by_one() {
        let shop = Shop::open();
        let incident = Incident::demo(&shop);
        let cluster = Cluster::populate(&shop, &incident);
        for replica in cluster.all() {
            let expected = if replica.service == incident.victim { 2 } else { 1 };
            assert_eq!(replica.pods.len(), expected);
            assert_eq!(replica.pod_at(incident.onset - 1), 0);
            assert_eq!(replica.pod_at(incident.end()), expected - 1);
        }
        let third = &cluster.replicas[incident.victim][2];
        assert_eq!(third.pods[1].created, incident.onset + 30);
        assert_eq!(third.pods[0].replaced, Some(incident.onset + 30));
        assert_eq!((third.pods[0].version.as_str(), third.pods[1].version.as_str()), ("2.3.0", "2.3.1"));
    }

    #[test]
    fn no_two_pods_share_a_name_or_an_address() {
        let shop = Shop::open();
        let cluster = Cluster::populate(&shop, &Incident::demo(&shop));
        let pods: Vec<&Pod> = cluster.all().flat_map(|replica| &replica.pods).collect();
        let names: std::collections::BTreeSet<&str> = pods.iter().map(|pod| pod.name.as_str()).collect();
        let addresses: std::collections::BTreeSet<&str> = pods.iter().map(|pod| pod.ip.as_str()).collect();

        assert_eq!((names.len(), addresses.len()), (pods.len(), pods.len()));
    }
}
