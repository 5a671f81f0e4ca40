//! The same lines as four shippers would store them, and a cluster to store them in.

use serde_json::{Value, json};
use upstream::{Ask, Endpoint, Method};

use super::*;

pub(super) const ANALYZE: Endpoint = Endpoint { method: Method::Post, path: "/_analyze" };
const BULK: Endpoint = Endpoint { method: Method::Post, path: "/_bulk" };
const TEMPLATE: Endpoint = Endpoint { method: Method::Post, path: "/_index_template/live" };
/// Records of one request.
const AT_ONCE: usize = 2_000;

/// Who stored the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shipped {
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
    pub(super) const ALL: [Shipped; 4] =
        [Shipped::Ecs, Shipped::OpenTelemetry, Shipped::FluentBit, Shipped::Serilog];

    /// Loads the lines into an index of its own, two shards, and returns its name.
    pub(super) async fn load(self, url: &str, lines: &[Line]) -> String {
        // Of this run: what an earlier one left is not counted.
        let index = format!("live-{}-{}", format!("{self:?}").to_lowercase(), std::process::id());
        let keywords = json!([{ "strings": { "match_mapping_type": "string", "mapping": { "type": "keyword", "ignore_above": 1024 } } }]);
        let text = json!({ "type": "text" });
        let own = matches!(self, Shipped::Ecs | Shipped::OpenTelemetry);
        let mappings = match own {
            true => json!({ "dynamic_templates": keywords, "properties": {
                "message": text, "error": { "properties": { "message": text, "stack_trace": text } },
                "body": { "properties": { "text": text } },
                "attributes": { "properties": { "exception": { "properties": { "message": text, "stacktrace": text } } } },
            }}),
            false => json!({}),
        };
        let settings = json!({ "number_of_shards": 2, "number_of_replicas": 0, "refresh_interval": "-1" });
        let template =
            json!({ "index_patterns": [index], "template": { "settings": settings, "mappings": mappings } });
        post(url, TEMPLATE, template.to_string()).await;
        for (chunk, lines) in lines.chunks(AT_ONCE).enumerate() {
            let mut body = String::new();
            for (place, line) in lines.iter().enumerate() {
                let action =
                    json!({ "index": { "_index": index, "_id": (chunk * AT_ONCE + place).to_string() } });
                body.push_str(&format!("{action}\n{}\n", self.document(line)));
            }
            let reply = post(url, BULK, body).await;
            assert_eq!(reply["errors"], false, "{reply}");
        }
        index
    }

    fn document(self, line: &Line) -> Value {
        let Line { at, level, message, service, version, pod, host, trace, thrown } = line;
        let at = format!("{at:.3}");
        let mut document = match self {
            Shipped::Ecs => json!({
                "@timestamp": at, "log.level": level.name(), "message": message,
                "service": { "name": service, "version": version }, "host": { "name": host },
                "kubernetes": { "pod": { "name": pod } },
            }),
            Shipped::OpenTelemetry => json!({
                "@timestamp": at, "observed_timestamp": at, "severity_text": level.name().to_uppercase(),
                "severity_number": level.numbers().start(), "body": { "text": message },
                "resource": { "attributes": { "service.name": service, "service.version": version, "k8s.pod.name": pod, "host.name": host } },
            }),
            Shipped::FluentBit => json!({
                "@timestamp": at, "stream": "stderr", "level": level.name().to_uppercase(), "log": message,
                "kubernetes": { "labels": { "app": service, "version": version }, "pod_name": pod, "host": host },
            }),
            Shipped::Serilog => json!({
                "@timestamp": at, "level": of_serilog(*level), "messageTemplate": "{Message}", "message": message,
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

fn of_serilog(level: Level) -> &'static str {
    match level {
        Level::Trace => "Verbose",
        Level::Debug => "Debug",
        Level::Info => "Information",
        Level::Warn => "Warning",
        Level::Error => "Error",
        Level::Fatal => "Fatal",
    }
}

/// A request that the server under test could not make.
pub(super) async fn post(url: &str, endpoint: Endpoint, body: String) -> Value {
    let source = SourceConfig { url: url.to_owned(), ..SourceConfig::default() };
    let upstream =
        Upstream::new("testbed", source, Limits { upstream_timeout_seconds: 60, ..Limits::default() })
            .unwrap();
    let ask = Ask::of(endpoint).with("filter_path", "errors,tokens.token,acknowledged,error,items.*.error");
    let ask = if endpoint == BULK { ask.with("refresh", "true").json_lines(body) } else { ask.json(body) };
    let reply = upstream.fetch(&long_cx(), &ask).await.unwrap();
    let value: Value = serde_json::from_slice(&reply.body).unwrap();
    assert!(reply.status < 300, "{endpoint}: {value}");
    value
}
