//! What two services say about the calls they make.

use crate::history::CallStep;
use crate::lognormal::LogNormal;
use crate::shop::{CallKind, Convention, Operation, Runtime, Service};
use crate::simulate::HANDSHAKE;

use super::durations::{self, Bounds, Crowd};
use super::sheet::{About, Kind, Line, Sheet};
use super::target::Target;

const COARSE: &[f64] = &[0.5, 2.5];
/// Services that measure their calls.
const MEASURED: [&str; 2] = ["web", "checkout"];

pub(super) fn emit(target: &Target<'_>, sheet: &mut Sheet) {
    if !MEASURED.contains(&target.service.name) {
        return;
    }
    let nodes = &target.world.shop.nodes;
    for (to, callee) in nodes.iter().enumerate() {
        let Some(service) = target.world.shop.service(callee.service) else { continue };
        let Some(steps) = calls_to(target, to) else { continue };
        let call = Called { target, to, service, operation: callee.operation, steps };
        match service.speaks {
            Convention::Grpc if target.service.name == "checkout" => call.grpc(sheet),
            Convention::Grpc | Convention::OtelRpcMillis => call.rpc(sheet),
            _ => call.http(sheet),
        }
    }
}

/// All calls of a pod to one operation, whichever of its own operations makes them; messages are not measured.
fn calls_to(target: &Target<'_>, to: usize) -> Option<Vec<CallStep>> {
    let mut merged: Option<Vec<CallStep>> = None;
    for history in target.operations() {
        let edges = target.world.shop.nodes.get(history.node).map(|node| node.edges.as_slice());
        for (edge, calls) in edges.unwrap_or_default().iter().zip(&history.calls) {
            if edge.to != to || edge.call.kind == CallKind::Message {
                continue;
            }
            let calls = target.part(calls);
            let Some(sum) = &mut merged else {
                merged = Some(calls.to_vec());
                continue;
            };
            for (sum, call) in sum.iter_mut().zip(calls) {
                // The callee is the same, so is how long it takes.
                sum.made += call.made;
                sum.failed += call.failed;
                sum.refused += call.refused;
            }
        }
    }
    merged
}

/// One call as one pod makes it.
struct Called<'a> {
    target: &'a Target<'a>,
    /// Index of the node called.
    to: usize,
    service: &'static Service,
    operation: &'static Operation,
    steps: Vec<CallStep>,
}

/// The calls that ended in one way.
type Side = fn(&CallStep) -> Crowd;

fn succeeded(step: &CallStep) -> Crowd {
    (step.made - step.failed - step.refused, step.latency)
}

fn failed(step: &CallStep) -> Crowd {
    (step.failed, step.failing)
}

/// Those that ended with the handshake.
fn refused(step: &CallStep) -> Crowd {
    (step.refused, LogNormal::with_median(HANDSHAKE, 0.3))
}

impl Called<'_> {
    fn histogram(&self, per_second: f64, what: &str, sides: &[Side]) -> Vec<Line> {
        let random = self.target.random(&format!("call {} {what}", self.to));
        // One or two ways to end.
        let none: Side = |_| (0, LogNormal::default());
        let (one, other) = (sides.first().copied().unwrap_or(none), sides.get(1).copied().unwrap_or(none));
        let crowds = self.steps.iter().map(|step| [one(step), other(step)]);
        durations::histogram(self.target, &Bounds::new(COARSE, per_second), random, crowds)
    }

    fn http(&self, sheet: &mut Sheet) {
        let about = About {
            name: "http_client_request_duration_seconds",
            kind: Kind::Histogram,
            help: "Duration of HTTP client requests.",
        };
        let labels = || {
            self.target.labels_and([
                ("service_name", self.target.service.name),
                ("http_request_method", self.operation.method),
                ("server_address", self.service.name),
            ])
        };
        let mut good = labels();
        good.push(("http_response_status_code", "200".to_owned()));
        sheet.add(about, good, self.target.clock(), self.histogram(1.0, "ok", &[succeeded]));
        let mut bad = labels();
        bad.push(("error_type", "timeout_or_5xx".to_owned()));
        sheet.add(about, bad, self.target.clock(), self.histogram(1.0, "failed", &[failed]));
        let mut untrusted = labels();
        untrusted.push(("error_type", self.untrusted().to_owned()));
        sheet.add(about, untrusted, self.target.clock(), self.histogram(1.0, "refused", &[refused]));
    }

    /// What the caller's library calls an expired certificate.
    fn untrusted(&self) -> &'static str {
        match self.target.service.runtime {
            Runtime::Node => "CERT_HAS_EXPIRED",
            _ => "*tls.CertificateVerificationError",
        }
    }

    fn rpc(&self, sheet: &mut Sheet) {
        let about = About {
            name: "rpc_client_duration_milliseconds",
            kind: Kind::Histogram,
            help: "Measures the duration of outbound RPC.",
        };
        let sides: [(&str, &[Side]); 2] = [("0", &[succeeded]), ("14", &[failed, refused])];
        for (status, crowds) in sides {
            let labels = self.target.labels_and([
                ("service_name", self.target.service.name),
                ("rpc_system", "grpc"),
                ("rpc_service", self.operation.method),
                ("rpc_method", self.operation.route),
                ("rpc_grpc_status_code", status),
            ]);
            sheet.add(about, labels, self.target.clock(), self.histogram(1000.0, status, crowds));
        }
    }

    fn grpc(&self, sheet: &mut Sheet) {
        let method = [
            ("grpc_type", "unary"),
            ("grpc_service", self.operation.method),
            ("grpc_method", self.operation.route),
        ];
        let sides: [(&str, &[Side]); 2] = [("OK", &[succeeded]), ("Unavailable", &[failed, refused])];
        for (code, crowds) in sides {
            let mut labels = self.target.labels_and(method);
            labels.push(("grpc_code", code.to_owned()));
            let count = |step: &CallStep| crowds.iter().map(|crowd| f64::from(crowd(step).0)).sum();
            let added: Vec<f64> = self.steps.iter().map(count).collect();
            let about = ("grpc_client_handled", "RPCs completed by the client, by code.");
            sheet.counter(about, labels, self.target.clock(), self.target.counter(0, &added));
        }
        let about = About {
            name: "grpc_client_handling_seconds",
            kind: Kind::Histogram,
            help: "Response latency of RPCs until the client has finished them.",
        };
        let random = self.target.random(&format!("call {} all", self.to));
        let crowds = self.steps.iter().map(|step| [succeeded(step), failed(step), refused(step)]);
        let lines = durations::histogram(self.target, &Bounds::new(COARSE, 1.0), random, crowds);
        sheet.add(about, self.target.labels_and(method), self.target.clock(), lines);
    }
}
