//! The same lines as four shippers would store them.

use serde_json::{Value, json};

use super::{cluster::Cluster, lines::Line};

/// Who stored the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shipped {
    /// Elastic's own agents: ECS, whole values as keywords.
    Ecs,
    /// The exporter of the OpenTelemetry collector, whole values as keywords.
    OpenTelemetry,
    /// Fluent Bit with Kubernetes' metadata, a mapping made by the cluster.
    FluentBit,
    /// Serilog's sink, a mapping made by the cluster.
    Serilog,
}

impl Shipped {
    pub(crate) const ALL: [Shipped; 4] =
        [Shipped::Ecs, Shipped::OpenTelemetry, Shipped::FluentBit, Shipped::Serilog];

    /// Loads the lines into an index of its own, two shards, and returns its name. What an earlier test of the same lines
    /// has loaded is used again.
    pub(crate) async fn load(self, cluster: &Cluster, lines: &[Line]) -> String {
        let bytes = lines.iter().flat_map(|line| line.written.bytes());
        // FNV-1a: other lines are another index.
        let print =
            bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let index = format!("live-{}-{print:08x}", format!("{self:?}").to_lowercase());
        if cluster.count(&index).await != Some(lines.len() as u64) {
            let settings =
                json!({ "number_of_shards": 2, "number_of_replicas": 0, "refresh_interval": "-1" });
            cluster.fresh_index(&index, json!({ "settings": settings, "mappings": self.mappings() })).await;
            cluster.store(&index, lines.iter().map(|line| self.document(line))).await;
        }
        index
    }

    /// Whether records say in which pod they were written.
    pub(crate) fn names_pods(self) -> bool {
        self != Shipped::Serilog
    }

    /// A level as this layout writes it.
    pub(crate) fn written(self, level: &str) -> String {
        match self {
            Shipped::Ecs => level.to_owned(),
            Shipped::OpenTelemetry | Shipped::FluentBit => level.to_uppercase(),
            Shipped::Serilog => of_serilog(level).to_owned(),
        }
    }

    /// The field of each role, by the specification's table.
    #[allow(dead_code, reason = "the tests beside the backend name no field")]
    pub(crate) fn fields(self) -> [(&'static str, &'static str); 5] {
        let [message, level, service, trace, host] = match self {
            Shipped::Ecs => ["message", "log.level", "service.name", "trace.id", "host.name"],
            Shipped::OpenTelemetry => {
                let service = "resource.attributes.service.name";
                ["body.text", "severity_text", service, "trace_id", "resource.attributes.host.name"]
            }
            Shipped::FluentBit => ["log", "level", "kubernetes.labels.app", "trace_id", "kubernetes.host"],
            Shipped::Serilog => {
                ["message", "level", "fields.Application", "fields.TraceId", "fields.MachineName"]
            }
        };
        [("message", message), ("level", level), ("service", service), ("trace", trace), ("host", host)]
    }

    fn mappings(self) -> Value {
        let keywords = json!([{ "strings": { "match_mapping_type": "string", "mapping": { "type": "keyword", "ignore_above": 1024 } } }]);
        let text = json!({ "type": "text" });
        match self {
            Shipped::Ecs | Shipped::OpenTelemetry => json!({ "dynamic_templates": keywords, "properties": {
                "message": text, "error": { "properties": { "message": text, "stack_trace": text } },
                "body": { "properties": { "text": text } },
                "attributes": { "properties": { "exception": { "properties": { "message": text, "stacktrace": text } } } },
            }}),
            Shipped::FluentBit | Shipped::Serilog => json!({}),
        }
    }

    fn document(self, line: &Line) -> Value {
        let Line { at, level, message, service, version, pod, host, trace, thrown, .. } = line;
        let at = format!("{at:.3}");
        let mut document = match self {
            Shipped::Ecs => json!({
                "@timestamp": at, "log.level": self.written(level), "message": message,
                "service": { "name": service, "version": version }, "host": { "name": host },
                "kubernetes": { "pod": { "name": pod } },
            }),
            Shipped::OpenTelemetry => json!({
                "@timestamp": at, "observed_timestamp": at, "severity_text": self.written(level),
                "severity_number": number(level), "body": { "text": message },
                "resource": { "attributes": { "service.name": service, "service.version": version, "k8s.pod.name": pod, "host.name": host } },
            }),
            Shipped::FluentBit => json!({
                "@timestamp": at, "stream": "stderr", "level": self.written(level), "log": message,
                "kubernetes": { "labels": { "app": service, "version": version }, "pod_name": pod, "host": host },
            }),
            Shipped::Serilog => json!({
                "@timestamp": at, "level": self.written(level), "messageTemplate": "{Message}", "message": message,
                "fields": { "Application": service, "Version": version, "MachineName": host },
            }),
        };
        if let Some(trace) = trace {
            match self {
                Shipped::Ecs => document["trace"] = json!({ "id": trace }),
                Shipped::OpenTelemetry | Shipped::FluentBit => document["trace_id"] = json!(trace),
                Shipped::Serilog => document["fields"]["TraceId"] = json!(trace),
            }
        }
        if let Some([kind, said, stack]) = thrown {
            match self {
                Shipped::Ecs => {
                    document["error"] = json!({ "type": kind, "message": said, "stack_trace": stack })
                }
                Shipped::OpenTelemetry => {
                    document["attributes"] = json!({ "exception.type": kind, "exception.message": said, "exception.stacktrace": stack });
                }
                // As one multi-line record.
                Shipped::FluentBit => document["log"] = json!(format!("{message}\n{kind}: {said}\n{stack}")),
                Shipped::Serilog => {
                    document["error"] = json!({ "type": kind, "message": said, "stack_trace": stack })
                }
            }
        }
        document
    }
}

/// OpenTelemetry's number of a level.
fn number(level: &str) -> u64 {
    match level {
        "trace" => 1,
        "debug" => 5,
        "info" => 9,
        "warn" => 13,
        "error" => 17,
        _ => 21,
    }
}

fn of_serilog(level: &str) -> &'static str {
    match level {
        "trace" => "Verbose",
        "debug" => "Debug",
        "info" => "Information",
        "warn" => "Warning",
        "error" => "Error",
        _ => "Fatal",
    }
}
