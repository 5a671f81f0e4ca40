//! What services say about the requests they answer, each in its own convention.

use crate::history::{OperationHistory, OperationStep};
use crate::shop::{Convention, Operation};

use super::durations::{self, Bounds, Crowd};
use super::sheet::{ABSENT, About, Kind, Line, Sheet, is_absent, rounded};
use super::target::Target;

const OTEL: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
const CLIENT_LIBRARY: &[f64] = &[0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// Quantiles that Micrometer computes itself, and their place in a normal distribution.
const QUANTILES: [(&str, f64); 3] = [("0.5", 0.0), ("0.95", 1.644_853_626_951), ("0.99", 2.326_347_874_041)];
/// What is left of an older observation in Micrometer's quantiles after one step (they cover two minutes).
const FADING: f64 = 0.8;

pub(super) fn emit(target: &Target<'_>, sheet: &mut Sheet) {
    for history in target.operations() {
        let Some(node) = target.world.shop.nodes.get(history.node) else { continue };
        let one = Answered { target, operation: node.operation, history };
        match target.service.speaks {
            Convention::OtelHttp => one.otel_http(sheet),
            Convention::OtelHttpMillis => one.otel_http_millis(sheet),
            Convention::OtelRpcMillis => one.otel_rpc_millis(sheet),
            Convention::Plain { code } => one.plain(code, sheet),
            Convention::Micrometer => one.micrometer(sheet),
            Convention::Grpc => one.grpc(sheet),
            Convention::Worker => one.worker(sheet),
            Convention::Postgres | Convention::Redis => {}
        }
    }
    if target.service.speaks == Convention::OtelHttp {
        let about = ("http_server_active_requests", "Number of HTTP server requests in flight.");
        let labels = target.labels_and([("service_name", target.service.name)]);
        sheet.gauge(about, labels, target.clock(), target.gauge(0, |step| step.in_flight));
    }
}

/// How a request ended.
#[derive(Clone, Copy)]
enum End {
    Succeeded,
    /// By itself or by a callee.
    Failed,
    Rejected,
}

const ENDS: [End; 3] = [End::Succeeded, End::Failed, End::Rejected];

impl End {
    fn crowd(self, step: &OperationStep) -> Crowd {
        match self {
            End::Succeeded => (step.succeeded(), step.latency),
            End::Failed => (step.by_own + step.by_callee, step.failing),
            End::Rejected => (step.rejected, step.failing),
        }
    }

    fn http(self) -> &'static str {
        match self {
            End::Succeeded => "200",
            End::Failed => "500",
            End::Rejected => "503",
        }
    }
}

/// How many requests ended in one way.
type Count = fn(&OperationStep) -> u32;

/// One operation of one pod.
struct Answered<'a> {
    target: &'a Target<'a>,
    operation: &'static Operation,
    history: &'a OperationHistory,
}

impl Answered<'_> {
    fn steps(&self) -> &[OperationStep] {
        self.target.part(&self.history.steps)
    }

    fn counter(&self, count: impl Fn(&OperationStep) -> u32) -> Vec<f64> {
        let added: Vec<f64> = self.steps().iter().map(|step| f64::from(count(step))).collect();
        self.target.counter(0, &added)
    }

    fn histogram(&self, bounds: &Bounds, end: End) -> Vec<Line> {
        let random = self.target.random(&format!("{} {}", self.operation.route, end.http()));
        let crowds = self.steps().iter().map(|step| [end.crowd(step)]);
        durations::histogram(self.target, bounds, random, crowds)
    }

    /// Of all requests, however they ended.
    fn histogram_of_all(&self, bounds: &Bounds) -> Vec<Line> {
        let crowds = self.steps().iter().map(|step| ENDS.map(|end| end.crowd(step)));
        durations::histogram(self.target, bounds, self.target.random(self.operation.route), crowds)
    }

    fn otel_http(&self, sheet: &mut Sheet) {
        let about = About {
            name: "http_server_request_duration_seconds",
            kind: Kind::Histogram,
            help: "Duration of HTTP server requests.",
        };
        for end in ENDS {
            let labels = self.target.labels_and([
                ("service_name", self.target.service.name),
                ("http_request_method", self.operation.method),
                ("http_route", self.operation.route),
                ("http_response_status_code", end.http()),
            ]);
            sheet.add(about, labels, self.target.clock(), self.histogram(&Bounds::new(OTEL, 1.0), end));
        }
    }

    fn otel_http_millis(&self, sheet: &mut Sheet) {
        let about = About {
            name: "http_server_duration_milliseconds",
            kind: Kind::Histogram,
            help: "The duration of inbound HTTP requests.",
        };
        for end in ENDS {
            let labels = self.target.labels_and([
                ("service_name", self.target.service.name),
                ("http_method", self.operation.method),
                ("http_route", self.operation.route),
                ("http_status_code", end.http()),
            ]);
            sheet.add(about, labels, self.target.clock(), self.histogram(&Bounds::new(OTEL, 1000.0), end));
        }
    }

    fn otel_rpc_millis(&self, sheet: &mut Sheet) {
        let about = About {
            name: "rpc_server_duration_milliseconds",
            kind: Kind::Histogram,
            help: "Measures the duration of inbound RPC.",
        };
        for (end, status) in ENDS.into_iter().zip(["0", "13", "14"]) {
            let labels = self.target.labels_and([
                ("service_name", self.target.service.name),
                ("rpc_system", "grpc"),
                ("rpc_service", self.operation.method),
                ("rpc_method", self.operation.route),
                ("rpc_grpc_status_code", status),
            ]);
            sheet.add(about, labels, self.target.clock(), self.histogram(&Bounds::new(OTEL, 1000.0), end));
        }
    }

    fn plain(&self, code: &'static str, sheet: &mut Sheet) {
        let place = [("method", self.operation.method), ("handler", self.operation.route)];
        for end in ENDS {
            let mut labels = self.target.labels_and(place);
            labels.push((code, end.http().to_owned()));
            let about = ("http_requests", "HTTP requests by handler and code.");
            sheet.counter(about, labels, self.target.clock(), self.counter(|step| end.crowd(step).0));
        }
        let about = About {
            name: "http_request_duration_seconds",
            kind: Kind::Histogram,
            help: "Seconds that requests took.",
        };
        let lines = self.histogram_of_all(&Bounds::new(CLIENT_LIBRARY, 1.0));
        sheet.add(about, self.target.labels_and(place), self.target.clock(), lines);
    }

    fn grpc(&self, sheet: &mut Sheet) {
        let method = [
            ("grpc_type", "unary"),
            ("grpc_service", self.operation.method),
            ("grpc_method", self.operation.route),
        ];
        let causes: [(&str, Count); 4] = [
            ("OK", |step| step.succeeded()),
            ("Internal", |step| step.by_own),
            ("Unavailable", |step| step.by_callee),
            ("ResourceExhausted", |step| step.rejected),
        ];
        for (code, count) in causes {
            let mut labels = self.target.labels_and(method);
            labels.push(("grpc_code", code.to_owned()));
            let about = ("grpc_server_handled", "RPCs completed on the server, by code.");
            sheet.counter(about, labels, self.target.clock(), self.counter(count));
        }
        let about = About {
            name: "grpc_server_handling_seconds",
            kind: Kind::Histogram,
            help: "Response latency of RPCs handled by the server.",
        };
        let lines = self.histogram_of_all(&Bounds::new(CLIENT_LIBRARY, 1.0));
        sheet.add(about, self.target.labels_and(method), self.target.clock(), lines);
    }

    fn worker(&self, sheet: &mut Sheet) {
        let queue = self.operation.method;
        for (status, end) in [("ok", End::Succeeded), ("failed", End::Failed)] {
            let labels = self.target.labels_and([("queue", queue), ("status", status)]);
            let about = ("jobs_processed", "Jobs taken from the queue and finished.");
            sheet.counter(about, labels, self.target.clock(), self.counter(|step| end.crowd(step).0));
        }
        let about =
            About { name: "job_duration_seconds", kind: Kind::Summary, help: "Seconds from queued to done." };
        let crowds = self.steps().iter().map(|step| ENDS.map(|end| end.crowd(step)));
        let lines = durations::summary(self.target, self.target.random("jobs"), crowds);
        sheet.add(about, self.target.labels_and([("queue", queue)]), self.target.clock(), lines);
        let about = ("queue_depth", "Jobs waiting or being worked on.");
        let depth = self.target.gauge(0, |step| step.in_flight);
        sheet.gauge(about, self.target.labels_and([("queue", queue)]), self.target.clock(), depth);
    }

    fn micrometer(&self, sheet: &mut Sheet) {
        let outcomes = ["SUCCESS", "SERVER_ERROR", "SERVER_ERROR"];
        for (end, outcome) in ENDS.into_iter().zip(outcomes) {
            let labels = self.target.labels_and([
                ("uri", self.operation.route),
                ("method", self.operation.method),
                ("status", end.http()),
                ("outcome", outcome),
            ]);
            let random = self.target.random(end.http());
            let crowds = self.steps().iter().map(|step| [end.crowd(step)]);
            let mut lines = durations::summary(self.target, random, crowds);
            let there: Vec<bool> = lines
                .first()
                .map(|count| count.values.iter().map(|value| !is_absent(*value)).collect())
                .unwrap_or_default();
            let quantiles = QUANTILES.iter().map(|(quantile, z)| Line {
                suffix: "",
                extra: Some(("quantile", (*quantile).to_owned())),
                values: self.faded(end, *z, &there),
            });
            lines.splice(0..0, quantiles);
            let about = About {
                name: "http_server_requests_seconds",
                kind: Kind::Summary,
                help: "Duration of HTTP server request handling",
            };
            sheet.add(about, labels.clone(), self.target.clock(), lines);
            if matches!(end, End::Succeeded) {
                // The slowest of some hundred requests lies about three deviations above the median.
                let about =
                    ("http_server_requests_seconds_max", "Duration of HTTP server request handling, maximum");
                sheet.gauge(about, labels, self.target.clock(), self.faded(end, 3.0, &there));
            }
        }
    }

    /// A quantile over the last minutes.
    fn faded(&self, end: End, z: f64, there: &[bool]) -> Vec<f64> {
        let mut weight = 0.0;
        let mut sum = 0.0;
        let steps = self.steps().iter().zip(there);
        let quantile = |(step, there): (&OperationStep, &bool)| {
            let (count, latency) = end.crowd(step);
            weight = FADING * weight + f64::from(count);
            sum = FADING * sum + f64::from(count) * latency.at(z);
            match (*there, weight > 0.5) {
                (false, _) => ABSENT,
                (true, false) => f64::NAN,
                (true, true) => rounded(sum / weight, 6),
            }
        };
        steps.map(quantile).collect()
    }
}
