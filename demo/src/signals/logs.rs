//! `logs/`: what the services wrote. JSON of ECS and of OpenTelemetry, logfmt, and plain text with stack traces of four
//! languages over several lines; one file a service.
//!
//! Libraries sample what they log: of requests that succeed a small share, of failures at most [`story::MOST`] of one
//! kind from one pod in one step. A failure's trace id is that of the callee's failure that caused it.

mod forms;
mod life;
mod phrases;
mod planted;
mod stacks;
mod story;
mod voices;

use std::collections::BTreeMap;
use std::io;

use serde_json::{Value, json};

use crate::World;
use crate::incident::written;

use super::Directory;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Info,
    Warn,
    Error,
    Fatal,
}

/// One record.
#[derive(Debug, Clone)]
struct Event {
    /// Milliseconds since 1970.
    at: i64,
    service: usize,
    slot: usize,
    /// Index of the pod among the replica's.
    pod: usize,
    level: Level,
    /// What is the same in all records of this kind, with names in place of what is not.
    pattern: &'static str,
    message: String,
    trace: Option<String>,
    /// Type, message and frames of what was thrown.
    thrown: Option<stacks::Thrown>,
}

/// Writes `logs/` and returns what is true about it.
pub(super) fn write(world: &World, directory: &mut Directory) -> io::Result<Value> {
    let mut events = story::tell(world);
    events.extend(life::tell(world));
    let mut secrets = planted::Planted::new(world);
    events.extend(secrets.tell(world));
    // One service after the other, each in order of time; what happens at once is in order of pods.
    events.sort_by(|a, b| {
        (a.service, a.at, a.slot).cmp(&(b.service, b.at, b.slot)).then_with(|| a.message.cmp(&b.message))
    });
    let mut files = serde_json::Map::new();
    for of_service in events.chunk_by(|a, b| a.service == b.service) {
        let Some(first) = of_service.first() else { continue };
        let Some(service) = world.shop.service(first.service) else { continue };
        let voice = voices::of(service.name);
        let name = format!("logs/{}.{}", service.name, voice.form.ending());
        let mut text = String::new();
        for event in of_service {
            forms::push(world, &voice, event, &mut text);
        }
        let written = directory.text(&name, &text)?;
        let lines = text.bytes().filter(|byte| *byte == b'\n').count();
        files.insert(written, json!({ "records": of_service.len(), "lines": lines }));
    }
    Ok(json!({ "files": files, "patterns": patterns(world, &events), "planted": secrets.told() }))
}

/// How often each kind of record is there, and since when.
fn patterns(world: &World, events: &[Event]) -> Vec<Value> {
    #[derive(Default)]
    struct Count {
        before: usize,
        after: usize,
        first: i64,
        last: i64,
    }
    let onset = world.incident.onset * 1000;
    let mut counts: BTreeMap<(usize, Level, &str), Count> = BTreeMap::new();
    for event in events {
        let count = counts.entry((event.service, event.level, event.pattern)).or_default();
        if count.before + count.after == 0 {
            count.first = event.at;
        }
        count.last = event.at;
        *if event.at < onset { &mut count.before } else { &mut count.after } += 1;
    }
    let told = counts.into_iter().map(|((service, level, pattern), count)| {
        json!({
            "service": super::truth::name(world, service),
            "level": level.name(),
            "pattern": pattern,
            "before_onset": count.before,
            "after_onset": count.after,
            "first": written(count.first.div_euclid(1000)),
            "last": written(count.last.div_euclid(1000)),
        })
    });
    told.collect()
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
            Level::Fatal => "fatal",
        }
    }

    /// Of OpenTelemetry.
    fn number(self) -> u8 {
        match self {
            Level::Info => 9,
            Level::Warn => 13,
            Level::Error => 17,
            Level::Fatal => 21,
        }
    }
}
