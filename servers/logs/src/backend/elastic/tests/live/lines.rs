//! The demo's lines of JSON, whichever of its two layouts a service writes.

use contract::TimeRange;
use jiff::Timestamp;
use serde_json::Value;

use crate::model::Level;

/// Services that write JSON: `web` and `payment` the fields of ECS, `checkout` those of OpenTelemetry.
const SERVICES: [&str; 3] = ["checkout", "payment", "web"];

/// What one line says.
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) level: Level,
    pub(super) message: String,
    pub(super) service: String,
    pub(super) version: String,
    pub(super) pod: String,
    pub(super) host: String,
    pub(super) trace: Option<String>,
    /// Type, message, stack trace.
    pub(super) thrown: Option<[String; 3]>,
}

/// Half an hour around the demo's incident.
pub(super) fn window() -> TimeRange {
    TimeRange::new("2026-01-14T13:50:00Z".parse().unwrap(), "2026-01-14T14:20:00Z".parse().unwrap()).unwrap()
}

/// The lines of the window in order of time.
pub(super) fn lines() -> Vec<Line> {
    let directory = tempfile::tempdir().unwrap();
    let options = world::Options { logs: true, ..world::Options::default() };
    world::World::demo().write(directory.path(), &options).unwrap();
    let mut lines = Vec::new();
    for service in SERVICES {
        let text = std::fs::read_to_string(directory.path().join(format!("logs/{service}.ndjson"))).unwrap();
        lines.extend(text.lines().map(Line::read));
    }
    lines.retain(|line| (window().start()..window().end()).contains(&line.at));
    lines.sort_by_key(|line| line.at);
    lines
}

impl Line {
    fn read(text: &str) -> Line {
        let value: Value = serde_json::from_str(text).unwrap();
        let first = |names: &[&str]| {
            let found = names.iter().find_map(|name| value.pointer(name)?.as_str());
            found.map(str::to_owned)
        };
        let one = |ecs: &str, otel: &str| first(&[ecs, otel]).unwrap_or_else(|| panic!("{ecs}: {text}"));
        let attributes = "/resource/attributes";
        let thrown = || {
            Some([
                first(&["/error/type", "/attributes/exception.type"])?,
                first(&["/error/message", "/attributes/exception.message"])?,
                first(&["/error/stack_trace", "/attributes/exception.stacktrace"])?,
            ])
        };
        Line {
            at: one("/@timestamp", "/@timestamp").parse().unwrap(),
            level: Level::parse(&one("/log.level", "/severity_text")).unwrap(),
            message: one("/message", "/body/text"),
            service: one("/service/name", &format!("{attributes}/service.name")),
            version: one("/service/version", &format!("{attributes}/service.version")),
            pod: one("/kubernetes/pod/name", &format!("{attributes}/k8s.pod.name")),
            host: one("/host/name", &format!("{attributes}/host.name")),
            trace: first(&["/trace/id", "/trace_id"]),
            thrown: thrown(),
        }
    }

    /// Whether the word stands alone in what was said or thrown.
    pub(super) fn says(&self, word: &str) -> bool {
        let thrown = self.thrown.iter().flatten().map(String::as_str);
        let mut texts = std::iter::once(self.message.as_str()).chain(thrown);
        texts.any(|text| {
            text.split(|c: char| !c.is_alphanumeric()).any(|found| found.eq_ignore_ascii_case(word))
        })
    }
}
