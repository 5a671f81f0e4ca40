//! One replica: its cores, its connections, its memory, its end and its restart.

use libm::{fmod, pow};

use crate::cluster::Replica;
use crate::history::{OperationStep, PoolStep, ReplicaStep};
use crate::incident::{Effect, HerringKind, Incident, STEP};
use crate::load::Wander;
use crate::lognormal::LogNormal;
use crate::random::Random;
use crate::shop::{Convention, Runtime, Service, Shop};
use crate::station::{Demand, Queue, Station};

use super::flow::Traffic;
use super::respond::{Answer, CallOutcome};
use super::work::{Queues, Shares, Work};

const MIB: f64 = 1_048_576.0;
/// Seconds a container is away after it was killed.
const AWAY: i64 = 3 * STEP;
/// Seconds after which a request that gets no core is given up; a queue of jobs has time.
const PATIENCE: f64 = 2.0;
const PATIENCE_OF_A_QUEUE: f64 = 3_600.0;
/// Share of the cores that are free which a batch takes.
const BATCH: f64 = 0.92;
/// Share of what a batch takes that requests feel.
const BATCH_HURTS: f64 = 0.15;

/// A replica's state between steps.
pub(super) struct Condition {
    replica: Replica,
    random: Random,
    restless: Wander,
    pressure: Wander,
    memory: Wander,
    cores: Station,
    connections: Station,
    step: ReplicaStep,
    away_until: i64,
}

/// What a replica did in a step.
pub(super) struct Lived {
    pub(super) step: ReplicaStep,
    /// Node, record and answer of each operation.
    pub(super) operations: Vec<(usize, OperationStep, Answer)>,
}

/// What the incident does to a replica.
#[derive(Debug, Clone, Copy, Default)]
struct Strain {
    /// Cores used by something else.
    used: f64,
    /// Cores that requests lack for it.
    lost: f64,
    /// Seconds more of own work.
    slower: f64,
    /// Cores that it can't have because others have them.
    stolen: f64,
    /// Share of requests that fail by what is wrong here: for want of memory, by a wrong setting.
    failing: f64,
}

impl Condition {
    pub(super) fn new(replica: Replica, incident: &Incident) -> Condition {
        let purpose = |what: &str| format!("{what} {} {}", replica.service, replica.slot);
        let stream = |what: &str| Random::new(incident.seed, &purpose(what));
        let started = replica.pods.first().map_or(0, |pod| pod.created);
        Condition {
            random: stream("requests"),
            restless: Wander::new(stream("restless"), 0.8, 0.02),
            pressure: Wander::new(stream("pressure"), 0.5, 0.1),
            memory: Wander::new(stream("memory"), 0.98, 0.008),
            cores: Station::default(),
            connections: Station::default(),
            step: ReplicaStep { live: true, started, ..ReplicaStep::default() },
            away_until: 0,
            replica,
        }
    }

    pub(super) fn service(&self) -> usize {
        self.replica.service
    }

    pub(super) fn is_live(&self) -> bool {
        self.step.live
    }

    /// Whether it is there in the coming step, and as which container.
    pub(super) fn begin(&mut self, incident: &Incident, at: i64) {
        let pod = self.replica.pod_at(at);
        if pod != self.step.pod {
            let started = self.replica.pods.get(pod).map_or(at, |pod| pod.created);
            let container = self.step.container + 1;
            self.step = ReplicaStep { pod, live: true, container, started, ..ReplicaStep::default() };
            (self.cores, self.connections) = (Station::default(), Station::default());
        }
        let is_victim = incident.victim == self.replica.service;
        if is_victim && incident.effect == Effect::Dead && at >= incident.onset {
            self.step.live = false;
            self.step.restarts = restarts_after(at - incident.onset);
        } else if !self.step.live && at >= self.away_until {
            self.step.live = true;
            self.step.started = at;
            self.step.container += 1;
            self.step.restarts += 1;
            (self.cores, self.connections) = (Station::default(), Station::default());
        }
    }

    /// One step.
    pub(super) fn live(
        &mut self,
        shop: &Shop,
        incident: &Incident,
        at: i64,
        load: f64,
        traffic: &[Traffic],
        outcomes: &[Vec<CallOutcome>],
    ) -> Lived {
        let Some(service) = shop.service(self.replica.service) else {
            return Lived { step: self.step, operations: Vec::new() };
        };
        let work = self.work(shop, traffic, outcomes);
        let nothing =
            ReplicaStep { cpu: 0.0, waiting: 0.0, throttled: 0.0, in_flight: 0.0, memory: 0.0, ..self.step };
        if !self.step.live {
            let step = ReplicaStep { pool: PoolStep::default(), ..nothing };
            let silent = |one: &Work<'_>| (one.place, OperationStep::default(), Answer::default());
            return Lived { step, operations: work.iter().map(silent).collect() };
        }
        let mut step = nothing;
        let mut operations = Vec::with_capacity(work.len());
        let strain = self.strain(service, incident, at, &work);
        let (cores, slow_cores) = self.queue_for_cores(service, strain, &work);
        let gone = self.gone(service, incident, at);
        let (connections, held) = self.queue_for_connections(service, incident, &work, gone);
        let patience = service.pool.map_or(PATIENCE, |pool| pool.patience);
        let Strain { slower, failing, .. } = strain;
        let queues = Queues { cores, slow_cores, connections, slower, failing, patience };
        let restless = self.restless.next();
        for one in &work {
            let shares = one.answered(service, &queues, restless);
            let record = self.count(one.requests, &shares);
            step.in_flight += f64::from(one.requests) / STEP as f64 * shares.response.took.mean;
            operations.push((one.place, record, Answer { live: true, response: shares.response }));
        }
        self.use_cores(service, strain, &work, &mut step);
        step.pool = self.use_connections(service, incident, &work, connections, (held, gone));
        let memory = self.use_memory(service, incident, at, load, &step);
        step.memory = memory.min(service.memory.limit * MIB);
        self.step = step;
        if memory >= service.memory.limit * MIB {
            (self.step.live, self.step.killed) = (false, true);
            self.away_until = at + STEP + AWAY;
        }
        Lived { step, operations }
    }

    fn work<'a>(
        &self,
        shop: &'a Shop,
        traffic: &[Traffic],
        outcomes: &'a [Vec<CallOutcome>],
    ) -> Vec<Work<'a>> {
        let nodes = shop.nodes.iter().enumerate().zip(traffic).zip(outcomes);
        nodes
            .filter(|(((_, node), _), _)| node.service == self.replica.service)
            .map(|(((place, node), traffic), outcomes)| Work {
                place,
                node,
                outcomes,
                requests: traffic.requests.get(self.replica.slot).copied().unwrap_or(0),
            })
            .collect()
    }

    fn strain(&self, service: &Service, incident: &Incident, at: i64, work: &[Work<'_>]) -> Strain {
        let mut strain = Strain::default();
        let cores = service.cores();
        let needed: f64 = work.iter().map(Work::cpu).sum::<f64>() / STEP as f64;
        // Each replica a step after the other: nothing happens everywhere at the same moment.
        let since = at - incident.onset - STEP * self.replica.slot as i64;
        if incident.victim == self.replica.service && since >= 0 {
            match incident.effect {
                Effect::Burn { share } => {
                    strain.used += share * cores;
                    strain.lost += share * cores;
                }
                Effect::Slow { seconds } => strain.slower += seconds,
                // The new pods have the wrong setting.
                Effect::Fail { share } if self.step.pod > 0 => strain.failing += share,
                _ => {}
            }
        }
        if is_batch_time(incident, self.replica.service, at) {
            let taken = BATCH * (cores - needed).max(0.0);
            strain.used += taken;
            strain.lost += BATCH_HURTS * taken;
        }
        // Near its limit a process does little else than look for memory.
        let full = self.step.memory / (service.memory.limit * MIB);
        let hunger = ((full - 0.88) / 0.12).clamp(0.0, 1.0);
        strain.used += 0.5 * cores * hunger * hunger;
        strain.lost += 0.5 * cores * hunger * hunger;
        strain.failing += 0.08 * hunger * hunger;
        strain.stolen = self.stolen(service, incident, at, needed);
        strain.lost += strain.stolen;
        strain
    }

    /// What a neighbour takes: from the victim what it needs, from the others on the node what they have to spare.
    fn stolen(&self, service: &Service, incident: &Incident, at: i64, needed: f64) -> f64 {
        let Effect::Neighbour { node, left } = incident.effect else { return 0.0 };
        let is_beside = self.replica.pods.get(self.step.pod).is_some_and(|pod| pod.node == node);
        // A batch has its share of the cores like the neighbour itself.
        if !is_beside || at < incident.onset || is_batch_time(incident, self.replica.service, at) {
            return 0.0;
        }
        let left = if incident.victim == self.replica.service { left } else { 2.0 * needed + 0.05 };
        (service.cores() - left).max(0.0)
    }

    /// Connections that are never given back.
    fn gone(&self, service: &Service, incident: &Incident, at: i64) -> u32 {
        let (Some(pool), Effect::LoseConnections { per_second }) = (service.pool, &incident.effect) else {
            return 0;
        };
        if incident.victim != self.replica.service {
            return 0;
        }
        let since = (at - self.step.started.max(incident.onset)).max(0) as f64;
        // Replicas differ a little; and the last connection comes back now and then.
        let lost = per_second * since / (1.0 + 0.12 * self.replica.slot as f64);
        (lost as u32).min(pool.size.saturating_sub(1))
    }

    /// The queue for cores, and the seconds that work takes longer because there is less than one.
    fn queue_for_cores(&mut self, service: &Service, strain: Strain, work: &[Work<'_>]) -> (Queue, f64) {
        let requests: f64 = work.iter().map(|one| f64::from(one.requests)).sum();
        let cpu_each = if requests > 0.0 { work.iter().map(Work::cpu).sum::<f64>() / requests } else { 0.0 };
        let cores = (service.cores() - strain.lost).max(0.02);
        let holding = cpu_each / cores.min(1.0);
        let patience = if service.speaks == Convention::Worker { PATIENCE_OF_A_QUEUE } else { PATIENCE };
        let demand = Demand { servers: cores.max(1.0), holding, rate: requests / STEP as f64, patience };
        (self.cores.advance(demand, STEP as f64), holding - cpu_each)
    }

    /// The queue for connections, and how long each is kept.
    fn queue_for_connections(
        &mut self,
        service: &Service,
        incident: &Incident,
        work: &[Work<'_>],
        gone: u32,
    ) -> (Queue, f64) {
        let Some(pool) = service.pool else { return (Queue::default(), 0.0) };
        let requests: f64 = work.iter().map(|one| f64::from(one.requests)).sum();
        let held: f64 = work.iter().map(|one| f64::from(one.requests) * one.held().mean).sum();
        let holding = if requests > 0.0 { held / requests } else { 0.0 };
        let demand = Demand {
            servers: f64::from(self.pool_size(pool.size, incident) - gone),
            holding,
            rate: requests / STEP as f64,
            patience: pool.patience,
        };
        (self.connections.advance(demand, STEP as f64), holding)
    }

    fn pool_size(&self, usual: u32, incident: &Incident) -> u32 {
        match incident.effect {
            Effect::Pool { size } if incident.victim == self.replica.service && self.step.pod > 0 => size,
            _ => usual,
        }
    }

    /// Whole requests by how they ended.
    fn count(&mut self, requests: u32, shares: &Shares) -> OperationStep {
        let rejected = self.random.hits(requests, shares.response.rejected);
        let by_callee = self.random.hits(requests - rejected, shares.by_callee);
        let by_own = self.random.hits(requests - rejected - by_callee, shares.by_own);
        OperationStep {
            requests,
            rejected,
            by_callee,
            by_own,
            latency: LogNormal::with_moments(shares.response.took),
            failing: LogNormal::with_median(shares.response.failing, 0.15),
        }
    }

    fn use_cores(&mut self, service: &Service, strain: Strain, work: &[Work<'_>], step: &mut ReplicaStep) {
        let needed = work.iter().map(Work::cpu).sum::<f64>() / STEP as f64;
        let idle = 0.01 + 0.005 * service.cpu.request;
        let wanted = (needed + idle + strain.used) * (1.0 + 0.03 * self.random.normal());
        let most = (service.cores() - strain.stolen).max(0.01);
        step.cpu = wanted.clamp(0.002, most);
        let busy = (wanted / most).min(1.0);
        step.waiting = (0.75 * pow(busy, 4.0) * self.pressure.next()).min(0.98);
        if let Some(limit) = service.cpu.limit {
            // A period is throttled when its share of the limit is used up before its end.
            let used = (wanted.min(most) / limit).min(1.0);
            step.throttled = pow(((used - 0.5) / 0.5).clamp(0.0, 1.0), 2.5);
        }
    }

    fn use_connections(
        &mut self,
        service: &Service,
        incident: &Incident,
        work: &[Work<'_>],
        queue: Queue,
        (held, gone): (f64, u32),
    ) -> PoolStep {
        let Some(pool) = service.pool else { return PoolStep::default() };
        let size = self.pool_size(pool.size, incident);
        let requests: u32 = work.iter().map(|one| one.requests).sum();
        let timed_out = self.random.hits(requests, queue.rejected);
        let full = queue.busy >= f64::from(size - gone);
        let in_use = if full { size } else { (gone + self.random.events(queue.busy)).min(size) };
        let waiting = self.random.whole(queue.waiting);
        let acquired = requests - timed_out;
        PoolStep { size, in_use, waiting, acquired, timed_out, wait: queue.wait, held }
    }

    fn use_memory(
        &mut self,
        service: &Service,
        incident: &Incident,
        at: i64,
        load: f64,
        step: &ReplicaStep,
    ) -> f64 {
        let (height, period) = match service.runtime {
            Runtime::Jvm => (0.10, 210.0),
            Runtime::Node => (0.07, 150.0),
            Runtime::Go => (0.05, 75.0),
            Runtime::Python | Runtime::Native => (0.0, 1.0),
        };
        let age = (at - step.started) as f64 + 37.0 * self.replica.slot as f64;
        let saw = height * (fmod(age, period) / period - 0.5);
        let usual = service.memory.usual * (0.95 + 0.05 * load + saw) * self.memory.next();
        let in_flight = (0.2 * step.in_flight).min(0.08 * service.memory.limit);
        let leaked = match incident.effect {
            Effect::Leak { per_second } if incident.victim == self.replica.service => {
                let since = at - step.started.max(incident.onset);
                // Replicas differ a little, or all would die at once.
                per_second * since.max(0) as f64 / (1.0 + 0.22 * self.replica.slot as f64)
            }
            _ => 0.0,
        };
        (usual + in_flight + leaked) * MIB
    }
}

/// Whether a batch runs in the service at a moment: it does so every day at these times.
pub(crate) fn is_batch_time(incident: &Incident, service: usize, at: i64) -> bool {
    const DAY: i64 = 86_400;
    let daily = |from: i64, until: i64| (at - from).rem_euclid(DAY) < until - from;
    incident.herrings.iter().filter(|herring| herring.service == service).any(|herring| match herring.kind {
        HerringKind::Batch { earlier } => daily(earlier.0, earlier.1) || daily(herring.start, incident.end()),
        _ => false,
    })
}

/// Restarts of a container that ends at once, after so many seconds: Kubernetes waits 10 s, then twice as long
/// each time, at most 5 min.
fn restarts_after(seconds: i64) -> u32 {
    let (mut restarts, mut next, mut pause) = (0, 5, 10);
    while next <= seconds {
        restarts += 1;
        next += pause;
        pause = (2 * pause).min(300);
    }
    restarts
}
