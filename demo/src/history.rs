//! What happened, step by step: the one record from which every signal is written.

use crate::incident::STEP;
use crate::lognormal::LogNormal;

/// Everything that happened, replica by replica in the order of [`crate::cluster::Cluster::all`].
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) replicas: Vec<ReplicaHistory>,
    /// Cores that somebody else's container uses, step by step.
    pub(crate) neighbour: Vec<f64>,
}

/// A service in one step: share of failures, mean seconds of success, requests per second, share of replicas that
/// are down.
pub(crate) type Felt = [f64; 4];

impl History {
    /// How a service did in one step.
    pub(crate) fn felt(&self, service: usize, place: usize) -> Felt {
        let replicas = || self.replicas.iter().filter(|replica| replica.service == service);
        let operations = replicas().flat_map(|replica| &replica.operations);
        let share = |a: f64, b: u32| if b == 0 { 0.0 } else { a / f64::from(b) };
        let (mut requests, mut failed, mut seconds) = (0, 0, 0.0);
        for step in operations.filter_map(|operation| operation.steps.get(place)) {
            requests += step.requests;
            failed += step.failed();
            seconds += f64::from(step.succeeded()) * step.latency.mean();
        }
        let live =
            replicas().filter(|replica| replica.steps.get(place).is_some_and(|step| step.live)).count();
        let down = 1.0 - live as f64 / replicas().count().max(1) as f64;
        let per_second = f64::from(requests) / STEP as f64;
        [share(f64::from(failed), requests), share(seconds, requests - failed), per_second, down]
    }
}

/// What one replica went through.
#[derive(Debug)]
pub(crate) struct ReplicaHistory {
    /// Index of the service.
    pub(crate) service: usize,
    pub(crate) slot: usize,
    pub(crate) steps: Vec<ReplicaStep>,
    /// Its operations, in the order of the service's.
    pub(crate) operations: Vec<OperationHistory>,
}

/// What one replica did for one operation.
#[derive(Debug)]
pub(crate) struct OperationHistory {
    /// Index of the node in the shop.
    pub(crate) node: usize,
    pub(crate) steps: Vec<OperationStep>,
    /// Its calls, in the order of the node's edges, each step by step.
    pub(crate) calls: Vec<Vec<CallStep>>,
}

/// A replica during one step.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReplicaStep {
    /// Index of the pod among the replica's.
    pub(crate) pod: usize,
    /// Whether it answers, requests as well as scrapes.
    pub(crate) live: bool,
    /// Which container this is since the beginning: counters start anew with each.
    pub(crate) container: u32,
    /// Restarts of containers in this pod.
    pub(crate) restarts: u32,
    /// Whether one of them was killed for its memory.
    pub(crate) killed: bool,
    /// When the container started, in seconds since 1970.
    pub(crate) started: i64,
    /// Cores used.
    pub(crate) cpu: f64,
    /// Share of the time in which something that could have run waited for a core.
    pub(crate) waiting: f64,
    /// Whether the service discovery no longer knows it.
    pub(crate) forgotten: bool,
    /// Share of the scheduler's periods in which it was throttled.
    pub(crate) throttled: f64,
    /// Bytes.
    pub(crate) memory: f64,
    /// Requests being worked on or waiting, on average.
    pub(crate) in_flight: f64,
    pub(crate) pool: PoolStep,
}

/// A pool of connections during one step.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PoolStep {
    pub(crate) size: u32,
    pub(crate) in_use: u32,
    pub(crate) waiting: u32,
    /// Connections handed out.
    pub(crate) acquired: u32,
    /// Requests that gave up.
    pub(crate) timed_out: u32,
    /// Mean seconds until a connection was there.
    pub(crate) wait: f64,
    /// Mean seconds it was kept.
    pub(crate) held: f64,
}

/// An operation of a replica during one step.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OperationStep {
    pub(crate) requests: u32,
    /// Of these, turned away for want of a connection or a core.
    pub(crate) rejected: u32,
    /// Of these, failed because a callee failed.
    pub(crate) by_callee: u32,
    /// Of these, failed by themselves.
    pub(crate) by_own: u32,
    /// How long the successful took.
    pub(crate) latency: LogNormal,
    /// How long the others took.
    pub(crate) failing: LogNormal,
}

impl OperationStep {
    pub(crate) fn failed(&self) -> u32 {
        self.rejected + self.by_callee + self.by_own
    }

    pub(crate) fn succeeded(&self) -> u32 {
        self.requests - self.failed()
    }
}

/// A call as its caller saw it during one step.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CallStep {
    pub(crate) made: u32,
    /// Of these, ended by the handshake.
    pub(crate) refused: u32,
    /// Of these, failed after it.
    pub(crate) failed: u32,
    pub(crate) latency: LogNormal,
    pub(crate) failing: LogNormal,
}
