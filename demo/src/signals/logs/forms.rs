//! From a record to its lines.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::World;
use crate::cluster::node_name;
use crate::shop::NAMESPACE;

use super::voices::{Form, Voice};
use super::{Event, Level};

/// Writes one record with its line's end.
pub(super) fn push(world: &World, voice: &Voice, event: &Event, out: &mut String) {
    let replicas = world.cluster.replicas.get(event.service).map(Vec::as_slice).unwrap_or_default();
    let pod = replicas.get(event.slot).and_then(|replica| replica.pods.get(event.pod));
    let Some((pod, service)) = pod.zip(world.shop.service(event.service)) else { return };
    let record = Record {
        event,
        logger: voice.logger,
        moment: Timestamp::from_millisecond(event.at).unwrap_or_default(),
        service: service.name,
        version: &pod.version,
        pod: &pod.name,
        node: node_name(pod.node),
    };
    match voice.form {
        Form::Ecs => record.ecs(out),
        Form::Otel => record.otel(out),
        Form::Logfmt => record.logfmt(out),
        Form::Java => record.java(out),
        Form::Python => record.python(out),
        Form::Postgres => record.postgres(out),
        Form::Redis => record.redis(out),
    }
    out.push('\n');
}

struct Record<'a> {
    event: &'a Event,
    logger: &'a str,
    moment: Timestamp,
    service: &'a str,
    version: &'a str,
    pod: &'a str,
    node: String,
}

/// A string of JSON.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

impl Record<'_> {
    /// `2026-01-14T14:02:03.123Z`.
    fn rfc3339(&self) -> String {
        format!("{:.3}", self.moment)
    }

    /// The moment in a format of `strftime`.
    fn written(&self, format: &str) -> String {
        self.moment.strftime(format).to_string()
    }

    fn ecs(&self, out: &mut String) {
        let Record { event, logger, service, version, pod, node, .. } = self;
        let _ = write!(
            out,
            "{{\"@timestamp\":\"{}\",\"log.level\":\"{}\",\"message\":{},\"ecs.version\":\"8.11.0\",\
             \"service\":{{\"name\":\"{service}\",\"version\":\"{version}\",\"environment\":\"production\"}},\
             \"log\":{{\"logger\":\"{logger}\"}},\"host\":{{\"name\":\"{node}\"}},\
             \"kubernetes\":{{\"namespace\":\"{NAMESPACE}\",\"pod\":{{\"name\":\"{pod}\"}},\"container\":{{\"name\":\"{service}\"}}}}",
            self.rfc3339(),
            event.level.name(),
            quoted(&event.message),
        );
        if let Some(trace) = &event.trace {
            let _ = write!(out, ",\"trace\":{{\"id\":\"{trace}\"}}");
        }
        if let Some(thrown) = &event.thrown {
            let (kind, message, text) = (quoted(thrown.kind), quoted(&thrown.message), quoted(&thrown.text));
            let _ =
                write!(out, ",\"error\":{{\"type\":{kind},\"message\":{message},\"stack_trace\":{text}}}");
        }
        out.push('}');
    }

    fn otel(&self, out: &mut String) {
        let Record { event, logger, service, version, pod, node, .. } = self;
        let moment = self.rfc3339();
        let _ = write!(
            out,
            "{{\"@timestamp\":\"{moment}\",\"observed_timestamp\":\"{moment}\",\"severity_text\":\"{}\",\"severity_number\":{},\
             \"body\":{{\"text\":{}}},\"resource\":{{\"attributes\":{{\"service.name\":\"{service}\",\"service.version\":\"{version}\",\
             \"deployment.environment.name\":\"production\",\"k8s.namespace.name\":\"{NAMESPACE}\",\"k8s.pod.name\":\"{pod}\",\
             \"host.name\":\"{node}\"}}}},\"scope\":{{\"name\":\"{logger}\"}}",
            event.level.name().to_uppercase(),
            event.level.number(),
            quoted(&event.message),
        );
        if let Some(trace) = &event.trace {
            let _ = write!(out, ",\"trace_id\":\"{trace}\"");
        }
        if let Some(thrown) = &event.thrown {
            let (kind, message, text) = (quoted(thrown.kind), quoted(&thrown.message), quoted(&thrown.text));
            let _ = write!(
                out,
                ",\"attributes\":{{\"exception.type\":{kind},\"exception.message\":{message},\"exception.stacktrace\":{text}}}"
            );
        }
        out.push('}');
    }

    fn logfmt(&self, out: &mut String) {
        let level = self.event.level.name().to_uppercase();
        let _ = write!(
            out,
            "time={} level={level} msg={} service={} version={} pod={}",
            self.rfc3339(),
            quoted(&self.event.message),
            self.service,
            self.version,
            self.pod
        );
        if let Some(trace) = &self.event.trace {
            let _ = write!(out, " trace_id={trace}");
        }
        self.thrown(out);
    }

    /// Below the line.
    fn thrown(&self, out: &mut String) {
        if let Some(thrown) = &self.event.thrown {
            let _ = write!(out, "\n{}", thrown.text);
        }
    }

    fn java(&self, out: &mut String) {
        let thread = self.event.at.rem_euclid(24) + 1;
        let _ = write!(
            out,
            "{} {:<5} [http-nio-8080-exec-{thread}] {} [{}] [{}] - {}",
            self.written("%Y-%m-%d %H:%M:%S,%3f"),
            self.event.level.name().to_uppercase(),
            self.logger,
            self.pod,
            self.event.trace.as_deref().unwrap_or(""),
            self.event.message
        );
        self.thrown(out);
    }

    fn python(&self, out: &mut String) {
        let level = match self.event.level {
            Level::Warn => "WARNING",
            Level::Fatal => "CRITICAL",
            Level::Info => "INFO",
            Level::Error => "ERROR",
        };
        let _ = write!(
            out,
            "{} {level} {} {} [trace_id={}] {}",
            self.written("%Y-%m-%d %H:%M:%S,%3f"),
            self.logger,
            self.pod,
            self.event.trace.as_deref().unwrap_or("0"),
            self.event.message
        );
        self.thrown(out);
    }

    fn postgres(&self, out: &mut String) {
        let level = match self.event.level {
            Level::Info => "LOG",
            Level::Warn => "WARNING",
            Level::Error => "ERROR",
            Level::Fatal => "FATAL",
        };
        let process = 200 + self.event.at.rem_euclid(90);
        let moment = self.written("%Y-%m-%d %H:%M:%S.%3f");
        let _ = write!(out, "{moment} UTC [{process}] shop@shop {level}:  {}", self.event.message);
    }

    fn redis(&self, out: &mut String) {
        let mark = if self.event.level >= Level::Warn { '#' } else { '*' };
        let moment = self.written("%d %b %Y %H:%M:%S.%3f");
        let _ = write!(out, "1:M {moment} {mark} {}", self.event.message);
    }
}
