//! What is said about requests: a sample of those that succeed, and those that fail, with the callee's failure before
//! the caller's.

use crate::World;
use crate::history::{CallStep, OperationStep, ReplicaHistory};
use crate::incident::{Effect, STEP};
use crate::random::Random;
use crate::shop::{CallKind, Convention, Node, Service};

use super::phrases::{self, Facts};
use super::stacks::{self, Thrown};
use super::voices::{self, Voice};
use super::{Event, Level};

/// Records of one kind of failure from one pod in one step; libraries leave out the rest.
pub(super) const MOST: u32 = 20;
/// Share of successful requests that is logged.
const SAMPLED: f64 = 0.015;
/// Seconds from which on a request is called slow, and a query.
const SLOW: f64 = 1.0;
const SLOW_QUERY: f64 = 0.05;

const SLOW_REQUEST: &str = "slow request: took <ms> ms";
const WITHOUT: &str = "answered without <callee>: <reason>";
const MISSETTING: &str = "request failed: settings <value> lack limits.per_request";

/// When something happened, and as part of which request.
type Moment = (i64, String);

pub(super) fn tell(world: &World) -> Vec<Event> {
    let nodes = world.shop.nodes.len();
    let random = Random::new(world.incident.seed, "log of requests");
    let mut story = Story { world, random, events: Vec::new(), failed: vec![Vec::new(); nodes] };
    for place in 0..world.incident.steps() {
        story.failures(place);
        story.successes(place);
    }
    story.events
}

struct Story<'a> {
    world: &'a World,
    random: Random,
    events: Vec<Event>,
    /// Failures of this step by node, which callers have not told of yet.
    failed: Vec<Vec<Moment>>,
}

/// One operation of one replica in one step.
#[derive(Clone, Copy)]
struct Scene<'a> {
    service: &'static Service,
    voice: Voice,
    replica: &'a ReplicaHistory,
    node: &'a Node,
    place: usize,
    step: OperationStep,
    /// By edge, then by step.
    calls: &'a [Vec<CallStep>],
}

impl<'a> Story<'a> {
    fn scenes(&self, node: usize, place: usize) -> Vec<Scene<'a>> {
        let world = self.world;
        let Some(spec) = world.shop.nodes.get(node) else { return Vec::new() };
        let Some(service) = world.shop.service(spec.service) else { return Vec::new() };
        let voice = voices::of(service.name);
        let replicas = world.history.replicas.iter().filter(|replica| replica.service == spec.service);
        replicas
            .filter_map(|replica| {
                let operation = replica.operations.iter().find(|operation| operation.node == node)?;
                let step = *operation.steps.get(place)?;
                let calls = &operation.calls;
                Some(Scene { service, voice, replica, node: spec, place, step, calls })
            })
            .collect()
    }

    /// A moment in a step.
    fn moment(&mut self, place: usize) -> i64 {
        (self.world.incident.start() + STEP * place as i64) * 1000 + self.random.below(15_000) as i64
    }

    fn trace(&mut self) -> String {
        phrases::hex(&mut self.random, 32)
    }

    /// Callees before their callers.
    fn failures(&mut self, place: usize) {
        for node in (0..self.failed.len()).rev() {
            if let Some(failed) = self.failed.get_mut(node) {
                failed.clear();
            }
            for scene in self.scenes(node, place) {
                self.fail(node, &scene);
                self.do_without(&scene);
            }
        }
    }

    fn fail(&mut self, node: usize, scene: &Scene<'a>) {
        let patience = scene.service.pool.map_or(2.0, |pool| pool.patience);
        for _ in 0..scene.step.rejected.min(MOST) {
            let moment = (self.moment(scene.place), self.trace());
            let thrown = stacks::rejected(scene.service.name, (patience * 1000.0) as u64);
            self.say(scene, (Level::Error, scene.voice.rejected), &moment, Facts::default(), thrown);
            self.remember(node, moment);
        }
        let setting = self.missetting(scene);
        let own = if setting.is_some() { MISSETTING } else { scene.voice.own };
        for _ in 0..scene.step.by_own.min(MOST) {
            let moment = (self.moment(scene.place), self.trace());
            let thrown = stacks::own(scene.service.name, setting);
            let facts = Facts { value: setting.unwrap_or(""), reason: "bad state", ..Facts::default() };
            self.say(scene, (Level::Error, own), &moment, facts, thrown);
            self.remember(node, moment);
        }
        let Some((to, call)) = worst(scene, |kind| matches!(kind, CallKind::Required | CallKind::Query))
        else {
            return;
        };
        for _ in 0..scene.step.by_callee.min(MOST) {
            let moment = self.because_of(to, scene.place);
            self.blame(scene, (Level::Error, scene.voice.callee), &moment, (to, &call));
            self.remember(node, moment);
        }
    }

    /// The new value of the setting that is wrong, where it is.
    fn missetting(&self, scene: &Scene<'a>) -> Option<&'a str> {
        let incident = &self.world.incident;
        let is_new = scene.replica.steps.get(scene.place).is_some_and(|step| step.pod > 0);
        if !matches!(incident.effect, Effect::Fail { .. }) || scene.node.service != incident.victim || !is_new
        {
            return None;
        }
        let change = incident.deployments.iter().find(|change| change.service == incident.victim)?;
        change.environment.first().map(|(_, _, after)| after.as_str())
    }

    /// What a page lacks.
    fn do_without(&mut self, scene: &Scene<'a>) {
        let Some((to, call)) = worst(scene, |kind| kind == CallKind::Optional) else { return };
        for _ in 0..(call.failed + call.refused).min(MOST / 4) {
            let moment = self.because_of(to, scene.place);
            self.blame(scene, (Level::Warn, WITHOUT), &moment, (to, &call));
        }
    }

    /// A failure of a callee that nobody has told of, a little later; else one of its own.
    fn because_of(&mut self, to: usize, place: usize) -> Moment {
        let known = self.failed.get_mut(to).filter(|failed| !failed.is_empty());
        match known.map(|failed| failed.remove(0)) {
            Some((at, trace)) => (at + 2 + self.random.below(30) as i64, trace),
            None => (self.moment(place), self.trace()),
        }
    }

    fn remember(&mut self, node: usize, moment: Moment) {
        if let Some(failed) = self.failed.get_mut(node) {
            failed.push(moment);
        }
    }

    fn blame(
        &mut self,
        scene: &Scene<'a>,
        what: (Level, &'static str),
        moment: &Moment,
        (to, call): (usize, &CallStep),
    ) {
        let world = self.world;
        let Some(callee) = world.shop.nodes.get(to) else { return };
        let name = world.shop.service(callee.service).map_or("", |service| service.name);
        let timeout =
            scene.node.edges.iter().find(|edge| edge.to == to).map_or(1.0, |edge| edge.call.timeout);
        let reason = self.reason(callee.service, scene.place, call, timeout);
        let took = call.failing.at(self.random.normal()).min(timeout);
        let facts = Facts { callee: name, reason, took, ..Facts::default() };
        let thrown =
            if what.0 == Level::Error { stacks::callee(scene.service.name, name, reason) } else { None };
        self.say(scene, what, moment, facts, thrown);
    }

    /// Why a call failed, as its caller sees it.
    fn reason(&self, callee: usize, place: usize, call: &CallStep, timeout: f64) -> &'static str {
        let mut replicas = self.world.history.replicas.iter().filter(|replica| replica.service == callee);
        let is_there = replicas.any(|replica| replica.steps.get(place).is_some_and(|step| step.live));
        if call.refused > call.failed {
            "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"
        } else if !is_there {
            "connect: connection refused"
        } else if call.failing.mean() > 0.85 * timeout {
            "deadline exceeded"
        } else {
            "answered with an error (503)"
        }
    }

    fn say(
        &mut self,
        scene: &Scene<'a>,
        (level, pattern): (Level, &'static str),
        (at, trace): &Moment,
        facts: Facts<'_>,
        thrown: Option<Thrown>,
    ) {
        let Some(step) = scene.replica.steps.get(scene.place) else { return };
        let patience = scene.service.pool.map_or(2.0, |pool| pool.patience);
        let facts = Facts { pool: step.pool, patience, ..facts };
        let message = phrases::filled(pattern, &facts, &mut self.random);
        self.events.push(Event {
            at: *at,
            service: scene.node.service,
            slot: scene.replica.slot,
            pod: step.pod,
            level,
            pattern,
            message,
            trace: Some(trace.clone()),
            thrown,
        });
    }

    /// Callers before their callees, which share a request's trace.
    fn successes(&mut self, place: usize) {
        let world = self.world;
        let mut inherited: Vec<Vec<Moment>> = vec![Vec::new(); world.shop.nodes.len()];
        for node in 0..world.shop.nodes.len() {
            let scenes: Vec<Scene<'a>> =
                self.scenes(node, place).into_iter().filter(|scene| scene.step.succeeded() > 0).collect();
            let Some(first) = scenes.first() else { continue };
            match first.service.speaks {
                Convention::Postgres => {
                    scenes.iter().for_each(|scene| self.slow_queries(scene));
                    continue;
                }
                Convention::Redis => continue,
                _ => {}
            }
            let succeeded: u32 = scenes.iter().map(|scene| scene.step.succeeded()).sum();
            let wanted = self.random.whole(f64::from(succeeded) * SAMPLED) as usize;
            let mut moments = inherited.get_mut(node).map(std::mem::take).unwrap_or_default();
            while moments.len() < wanted {
                moments.push((self.moment(place), self.trace()));
            }
            for moment in moments {
                let Some(scene) = scenes.get(self.random.below(scenes.len())) else { continue };
                self.succeed(scene, &moment);
                self.pass_on(scene.node, &moment, &mut inherited);
            }
        }
    }

    fn succeed(&mut self, scene: &Scene<'a>, moment: &Moment) {
        let took = scene.step.latency.at(self.random.normal());
        let facts = Facts { took, ..Facts::default() };
        let operations = scene.service.operations.iter();
        let which = operations.into_iter().position(|one| one.route == scene.node.operation.route);
        let served = which.and_then(|which| scene.voice.served.get(which)).or(scene.voice.served.last());
        self.say(scene, (Level::Info, served.copied().unwrap_or("")), moment, facts, None);
        if took > SLOW && scene.service.speaks != Convention::Worker {
            self.say(scene, (Level::Warn, SLOW_REQUEST), moment, facts, None);
        }
    }

    /// A callee has finished before its caller tells, a message is worked on after it.
    fn pass_on(&mut self, node: &Node, (at, trace): &Moment, inherited: &mut [Vec<Moment>]) {
        let start = self.world.incident.start() * 1000;
        for edge in &node.edges {
            if self.random.whole(edge.call.per_request.min(1.0)) == 0 {
                continue;
            }
            let apart = 1 + self.random.below(40) as i64;
            let at = if edge.call.kind == CallKind::Message { at + 10 * apart } else { at - apart };
            if let Some(moments) = inherited.get_mut(edge.to) {
                moments.push((at.max(start), trace.clone()));
            }
        }
    }

    fn slow_queries(&mut self, scene: &Scene<'a>) {
        for _ in 0..5 {
            let took = scene.step.latency.at(self.random.normal());
            if took > SLOW_QUERY {
                let moment = (self.moment(scene.place), self.trace());
                let served = scene.voice.served.first().copied().unwrap_or("");
                self.say(scene, (Level::Info, served), &moment, Facts { took, ..Facts::default() }, None);
            }
        }
    }
}

/// The callee of some kind that failed most often, and how.
fn worst(scene: &Scene<'_>, is_wanted: impl Fn(CallKind) -> bool) -> Option<(usize, CallStep)> {
    let calls = scene.node.edges.iter().zip(scene.calls).filter(|(edge, _)| is_wanted(edge.call.kind));
    let failed = calls.filter_map(|(edge, calls)| {
        let call = *calls.get(scene.place)?;
        (call.failed + call.refused > 0).then_some((edge.to, call))
    });
    failed.max_by_key(|(to, call)| (call.failed + call.refused, std::cmp::Reverse(*to)))
}
