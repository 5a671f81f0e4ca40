//! The demo's lines of JSON, whichever of its two layouts a service writes.

use contract::TimeRange;
use jiff::Timestamp;
use serde_json::Value;

/// Services that write JSON: `web` and `payment` the fields of ECS, `checkout` those of OpenTelemetry.
const SERVICES: [&str; 3] = ["checkout", "payment", "web"];

/// What one line says.
pub(crate) struct Line {
    /// As it stands in its file.
    pub(crate) written: String,
    pub(crate) at: Timestamp,
    /// `info`, `warn`, `error` or `fatal`.
    pub(crate) level: String,
    pub(crate) message: String,
    pub(crate) service: String,
    pub(crate) version: String,
    pub(crate) pod: String,
    pub(crate) host: String,
    pub(crate) trace: Option<String>,
    /// Type, message, stack trace.
    pub(crate) thrown: Option<[String; 3]>,
}

/// Half an hour around the demo's incident.
pub(crate) fn window() -> TimeRange {
    TimeRange::new("2026-01-14T13:50:00Z".parse().unwrap(), "2026-01-14T14:20:00Z".parse().unwrap()).unwrap()
}

/// The lines of the window in order of time.
pub(crate) fn lines() -> Vec<Line> {
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

/// The same lines as a recorded incident, as their services wrote them, or without what they say of Kubernetes.
#[allow(dead_code, reason = "the tests beside the backend ask no recording")]
pub(crate) fn recorded(lines: &[Line], pods: bool) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let (start, end) = (window().start(), window().end());
    let manifest = format!(
        "id = \"live\"\ntitle = \"Lines of the demo\"\nnow = \"{end}\"\nwindow = {{ start = \"{start}\", end = \"{end}\" }}\n"
    );
    std::fs::create_dir_all(directory.path().join("logs")).unwrap();
    std::fs::write(directory.path().join("snapshot.toml"), manifest).unwrap();
    for service in SERVICES {
        let of_service = lines.iter().filter(|line| line.service == service);
        let written = |line: &Line| if pods { line.written.clone() } else { line.without_pod() };
        let text: String = of_service.map(|line| format!("{}\n", written(line))).collect();
        std::fs::write(directory.path().join(format!("logs/{service}.ndjson")), text).unwrap();
    }
    directory
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
            written: text.to_owned(),
            at: one("/@timestamp", "/@timestamp").parse().unwrap(),
            level: one("/log.level", "/severity_text").to_lowercase(),
            message: one("/message", "/body/text"),
            service: one("/service/name", &format!("{attributes}/service.name")),
            version: one("/service/version", &format!("{attributes}/service.version")),
            pod: one("/kubernetes/pod/name", &format!("{attributes}/k8s.pod.name")),
            host: one("/host/name", &format!("{attributes}/host.name")),
            trace: first(&["/trace/id", "/trace_id"]),
            thrown: thrown(),
        }
    }

    fn without_pod(&self) -> String {
        let mut value: Value = serde_json::from_str(&self.written).unwrap();
        value.as_object_mut().unwrap().remove("kubernetes");
        if let Some(attributes) = value.pointer_mut("/resource/attributes").and_then(Value::as_object_mut) {
            attributes.retain(|name, _| !name.starts_with("k8s."));
        }
        value.to_string()
    }

    /// Whether the word stands alone in what was said or thrown.
    #[allow(dead_code, reason = "only the tests beside the backend look for words")]
    pub(crate) fn says(&self, word: &str) -> bool {
        let thrown = self.thrown.iter().flatten().map(String::as_str);
        let mut texts = std::iter::once(self.message.as_str()).chain(thrown);
        texts.any(|text| {
            text.split(|c: char| !c.is_alphanumeric()).any(|found| found.eq_ignore_ascii_case(word))
        })
    }
}
