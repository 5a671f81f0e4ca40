//! What is said without a request: starts and ends, memory, batches, databases at their own work.

use crate::World;
use crate::history::{ReplicaHistory, ReplicaStep};
use crate::incident::{Effect, STEP};
use crate::random::Random;
use crate::shop::{Runtime, Service};
use crate::simulate::is_batch_time;

use super::phrases::{self, Facts};
use super::{Event, Level};

const STARTING: &str = "starting version <version>";
const SETTING: &str = "configuration: <setting>=<value>";
const READY: &str = "ready to serve";
const STOPPING: &str = "received SIGTERM, finishing requests in flight";
const STOPPED: &str = "bye";
const BROKEN: &str = "cannot open data directory: no such file or directory";
const FULL: &str = "memory is nearly used up, collecting garbage took <ms> ms";
const BATCH: &str = "rebuilding index: <count> of 40 partitions done";
const HEALTHY: &str = "health check passed in <ms> ms";
const CHECKPOINT: &str = "checkpoint complete: wrote <count> buffers";
const SAVED: &str = "Background saving terminated with success";

pub(super) fn tell(world: &World) -> Vec<Event> {
    let mut events = Vec::new();
    for history in &world.history.replicas {
        let Some(service) = world.shop.service(history.service) else { continue };
        let purpose = format!("log of life {} {}", history.service, history.slot);
        let random = Random::new(world.incident.seed, &purpose);
        let mut diary = Diary { world, service, history, random, events: &mut events };
        let before = std::iter::once(None).chain(history.steps.iter().map(Some));
        for (place, (before, step)) in before.zip(&history.steps).enumerate() {
            diary.changes(place, before, step);
            diary.goes_on(place, step);
        }
    }
    events
}

/// One replica.
struct Diary<'a> {
    world: &'a World,
    service: &'static Service,
    history: &'a ReplicaHistory,
    random: Random,
    events: &'a mut Vec<Event>,
}

impl Diary<'_> {
    /// The beginning of a step.
    fn at(&self, place: usize) -> i64 {
        (self.world.incident.start() + STEP * place as i64) * 1000
    }

    fn say(&mut self, at: i64, pod: usize, level: Level, pattern: &'static str, facts: Facts<'_>) {
        let message = phrases::filled(pattern, &facts, &mut self.random);
        let (service, slot) = (self.history.service, self.history.slot);
        self.events.push(Event {
            at,
            service,
            slot,
            pod,
            level,
            pattern,
            message,
            trace: None,
            thrown: None,
        });
    }

    /// Starts and ends.
    fn changes(&mut self, place: usize, before: Option<&ReplicaStep>, step: &ReplicaStep) {
        let Some(before) = before else { return };
        let at = self.at(place);
        if before.pod != step.pod {
            self.say(at - 900, before.pod, Level::Info, STOPPING, Facts::default());
            self.say(at - 80, before.pod, Level::Info, STOPPED, Facts::default());
        }
        let is_broken = self.world.incident.effect == Effect::Dead && step.restarts > before.restarts;
        if before.container != step.container || is_broken {
            self.start(at + 400, step);
        }
        if is_broken {
            self.say(at + 900, step.pod, Level::Fatal, BROKEN, Facts::default());
        }
    }

    fn start(&mut self, at: i64, step: &ReplicaStep) {
        let replicas = self.world.cluster.replicas.get(self.history.service);
        let pods = replicas.and_then(|replicas| replicas.get(self.history.slot)).map(|replica| &replica.pods);
        let version = pods.and_then(|pods| pods.get(step.pod)).map_or("", |pod| pod.version.as_str());
        self.say(at, step.pod, Level::Info, STARTING, Facts { version, ..Facts::default() });
        let world = self.world;
        let deployments = &world.incident.deployments;
        let of_service = deployments.iter().filter(|change| change.service == self.history.service);
        for (setting, _, value) in of_service.flat_map(|change| &change.environment) {
            let facts = Facts { setting, value, ..Facts::default() };
            self.say(at + 40, step.pod, Level::Info, SETTING, facts);
        }
        if step.live {
            self.say(at + 1_700, step.pod, Level::Info, READY, Facts::default());
        }
    }

    /// What is said now and then.
    fn goes_on(&mut self, place: usize, step: &ReplicaStep) {
        if !step.live {
            return;
        }
        let at = self.at(place) + self.random.below(15_000) as i64;
        let full = step.memory / (self.service.memory.limit * 1_048_576.0);
        if full > 0.88 {
            let facts = Facts { took: 0.2 + 4.0 * (full - 0.88), ..Facts::default() };
            self.say(at, step.pod, Level::Warn, FULL, facts);
        }
        if place.is_multiple_of(4)
            && is_batch_time(&self.world.incident, self.history.service, at.div_euclid(1000))
        {
            self.say(at, step.pod, Level::Info, BATCH, Facts::default());
        }
        match (self.service.runtime, self.service.name) {
            (Runtime::Native, "postgres") if place % 20 == 7 => {
                self.say(at, step.pod, Level::Info, CHECKPOINT, Facts::default());
            }
            (Runtime::Native, "redis") if place % 4 == 3 => {
                self.say(at, step.pod, Level::Info, SAVED, Facts::default());
            }
            (Runtime::Native, _) => {}
            _ => self.say(at, step.pod, Level::Info, HEALTHY, Facts { took: 0.002, ..Facts::default() }),
        }
    }
}
