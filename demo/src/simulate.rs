//! The model at work. Each step of 15 s: customers come, requests flow from callers to callees, replicas queue
//! and answer. **A caller sees its callee's answers one step later**, so what goes wrong moves up the calls in
//! time and nowhere else.

mod flow;
mod neighbour;
mod replica;
mod respond;
mod work;

use crate::cluster::Cluster;
use crate::history::{CallStep, History, OperationHistory, ReplicaHistory};
use crate::incident::{Incident, STEP};
use crate::load::{self, Wander};
use crate::random::Random;
use crate::shop::Shop;

use flow::Traffic;
pub(crate) use replica::is_batch_time;
use replica::{Condition, Lived};
pub(crate) use respond::HANDSHAKE;
use respond::{CallOutcome, Response};

/// Steps before the record begins, for queues and averages to settle.
const WARM_UP: i64 = 40;

/// Runs the model from a little before the record to its end.
pub(crate) fn simulate(shop: &Shop, incident: &Incident, cluster: &Cluster) -> History {
    let mut simulation = Simulation {
        shop,
        incident,
        conditions: cluster.all().map(|replica| Condition::new(replica.clone(), incident)).collect(),
        responses: vec![Response::default(); shop.nodes.len()],
        mood: Wander::new(Random::new(incident.seed, "mood"), 0.97, 0.03),
        random: Random::new(incident.seed, "traffic"),
        history: empty(shop, cluster),
    };
    for step in -WARM_UP..incident.steps() as i64 {
        simulation.advance(incident.start() + step * STEP, step >= 0);
    }
    let mut history = simulation.history;
    history.neighbour = neighbour::cores(incident, cluster, &history);
    history
}

fn empty(shop: &Shop, cluster: &Cluster) -> History {
    let replicas = cluster.all().map(|replica| {
        let nodes = shop.nodes.iter().enumerate().filter(|(_, node)| node.service == replica.service);
        let operations = nodes.map(|(node, spec)| OperationHistory {
            node,
            steps: Vec::new(),
            calls: vec![Vec::new(); spec.edges.len()],
        });
        let (service, slot, operations) = (replica.service, replica.slot, operations.collect());
        ReplicaHistory { service, slot, steps: Vec::new(), operations }
    });
    History { replicas: replicas.collect(), neighbour: Vec::new() }
}

struct Simulation<'a> {
    shop: &'a Shop,
    incident: &'a Incident,
    /// In the order of the cluster's replicas.
    conditions: Vec<Condition>,
    /// How each node answered in the last step.
    responses: Vec<Response>,
    mood: Wander,
    random: Random,
    history: History,
}

impl Simulation<'_> {
    fn advance(&mut self, at: i64, recorded: bool) {
        let load = self.incident.business
            * load::season(at)
            * load::growth(at, self.incident.onset)
            * self.mood.next();
        for condition in &mut self.conditions {
            condition.begin(self.incident, at);
        }
        let traffic = self.flow(at, load);
        let outcomes = self.felt(at);

        let mut lived: Vec<Lived> = Vec::with_capacity(self.conditions.len());
        for condition in &mut self.conditions {
            lived.push(condition.live(self.shop, self.incident, at, load, &traffic, &outcomes));
        }
        self.respond(&lived);
        if recorded {
            let seen = self.outcomes();
            self.record(lived, &traffic, &seen);
        }
    }

    fn flow(&mut self, at: i64, load: f64) -> Vec<Traffic> {
        let mut live: Vec<Vec<bool>> = vec![Vec::new(); self.shop.services.len()];
        for condition in &self.conditions {
            if let Some(slots) = live.get_mut(condition.service()) {
                slots.push(condition.is_live());
            }
        }
        let (shop, incident, responses) = (self.shop, self.incident, &self.responses);
        flow::Flow { shop, incident, at, live, responses, random: &mut self.random }.run(load)
    }

    /// How each call ends for who makes it: as its callee answers, unless it does not get there.
    fn felt(&self, at: i64) -> Vec<Vec<CallOutcome>> {
        let mut all = self.outcomes();
        for (node, outcomes) in self.shop.nodes.iter().zip(&mut all) {
            for (edge, outcome) in node.edges.iter().zip(outcomes) {
                let callee = self.shop.nodes.get(edge.to).map_or(0, |callee| callee.service);
                let refused = flow::refused(self.incident, callee, at);
                if refused > 0.0 {
                    *outcome = outcome.refused(refused);
                }
            }
        }
        all
    }

    /// How each call ends, by node and edge, from the last answers of the callees.
    fn outcomes(&self) -> Vec<Vec<CallOutcome>> {
        let of_edge = |edge: &crate::shop::Edge| {
            let response = self.responses.get(edge.to).copied().unwrap_or_default();
            respond::outcome(response, edge.call.timeout)
        };
        self.shop.nodes.iter().map(|node| node.edges.iter().map(of_edge).collect()).collect()
    }

    /// Puts together what the replicas of each operation answered.
    fn respond(&mut self, lived: &[Lived]) {
        for (node, response) in self.responses.iter_mut().enumerate() {
            let of_node = lived.iter().flat_map(|replica| &replica.operations).filter(|(n, _, _)| *n == node);
            *response =
                respond::together(*response, of_node.map(|(_, step, answer)| (step.requests, *answer)));
        }
    }

    fn record(&mut self, lived: Vec<Lived>, traffic: &[Traffic], seen: &[Vec<CallOutcome>]) {
        for (replica, history) in lived.into_iter().zip(&mut self.history.replicas) {
            history.steps.push(replica.step);
            for ((node, step, _), operation) in replica.operations.into_iter().zip(&mut history.operations) {
                operation.steps.push(step);
                let Some(traffic) = traffic.get(node) else { continue };
                let made = traffic.calls.iter().zip(&traffic.refused);
                let outcomes = seen.get(node).map(Vec::as_slice).unwrap_or_default();
                for ((calls, (made, refused)), outcome) in operation.calls.iter_mut().zip(made).zip(outcomes)
                {
                    let made = made.get(history.slot).copied().unwrap_or(0);
                    let refused = refused.get(history.slot).copied().unwrap_or(0);
                    calls.push(CallStep {
                        made,
                        refused,
                        failed: self.random.hits(made - refused, outcome.failed),
                        latency: outcome.latency,
                        failing: outcome.failing,
                    });
                }
            }
        }
    }
}
