//! The rules of the shop.

use super::expression::{Expression, Matcher, Select};

/// Requests per second by service, recorded.
pub(crate) const REQUESTS: &str = "service:requests:rate2m";
/// Share of requests that fail by service, recorded.
pub(crate) const ERRORS: &str = "service:errors:ratio_rate2m";
/// Mean seconds of a request by service, recorded; not of services that measure in milliseconds.
pub(crate) const LATENCY: &str = "service:latency_seconds:mean_rate2m";

/// The alert that always fires.
pub(crate) const WATCHDOG: &str = "Watchdog";

const BY_SERVICE: &[&str] = &["service"];
const BY_CONTAINER: &[&str] = &["container", "namespace"];
const BY_POD: &[&str] = &["container", "namespace", "pod"];
const WINDOW: i64 = 120;

/// A recording rule.
pub(crate) struct Recording {
    pub(crate) name: &'static str,
    pub(crate) expression: Expression,
}

/// When a value is worth an alert.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Condition {
    Above(f64),
    Below(f64),
    Equal(f64),
    /// Any value: the expression itself says it.
    Any,
}

impl Condition {
    pub(crate) fn holds(self, value: f64) -> bool {
        match self {
            Condition::Above(bound) => value > bound,
            Condition::Below(bound) => value < bound,
            Condition::Equal(expected) => value == expected,
            Condition::Any => true,
        }
    }

    pub(crate) fn text(self) -> String {
        match self {
            Condition::Above(bound) => format!(" > {bound}"),
            Condition::Below(bound) => format!(" < {bound}"),
            Condition::Equal(expected) => format!(" == {expected}"),
            Condition::Any => String::new(),
        }
    }
}

/// An alerting rule.
pub(crate) struct Alert {
    pub(crate) name: &'static str,
    pub(crate) expression: Expression,
    pub(crate) condition: Condition,
    /// Seconds it must hold.
    pub(crate) hold: i64,
    pub(crate) severity: &'static str,
    pub(crate) team: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
}

impl Alert {
    /// The whole expression.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.expression.text(), self.condition.text())
    }

    /// Where a runbook would be.
    pub(crate) fn runbook(&self) -> String {
        format!("https://runbooks.example.com/{}/{}", self.team, self.name)
    }
}

pub(crate) fn recordings() -> Vec<Recording> {
    let timed = [
        ("http_server_request_duration_seconds_sum", "http_server_request_duration_seconds_count"),
        ("http_server_requests_seconds_sum", "http_server_requests_seconds_count"),
        ("http_request_duration_seconds_sum", "http_request_duration_seconds_count"),
        ("grpc_server_handling_seconds_sum", "grpc_server_handling_seconds_count"),
    ];
    let (sums, counts): (Vec<Select>, Vec<Select>) =
        timed.into_iter().map(|(sum, count)| (Select::all(sum), Select::all(count))).unzip();
    vec![
        Recording { name: REQUESTS, expression: rate(requests()) },
        Recording { name: ERRORS, expression: over(rate(failures()), rate(requests())) },
        Recording { name: LATENCY, expression: over(rate(sums), rate(counts)) },
    ]
}

fn rate(of: Vec<Select>) -> Expression {
    Expression::SumRate { by: BY_SERVICE, of, seconds: WINDOW }
}

fn requests() -> Vec<Select> {
    let names = [
        "http_server_request_duration_seconds_count",
        "http_server_duration_milliseconds_count",
        "http_server_requests_seconds_count",
        "http_requests_total",
        "grpc_server_handled_total",
        "rpc_server_duration_milliseconds_count",
        "jobs_processed_total",
    ];
    names.into_iter().map(Select::all).collect()
}

fn failures() -> Vec<Select> {
    let code = Matcher::Like("http_response_status_code", "5..");
    vec![
        Select::with("http_server_request_duration_seconds_count", code),
        Select::with("http_server_duration_milliseconds_count", Matcher::Like("http_status_code", "5..")),
        Select::with("http_server_requests_seconds_count", Matcher::Is("outcome", "SERVER_ERROR")),
        Select::with("http_requests_total", Matcher::Like("code", "5..")),
        Select::with("http_requests_total", Matcher::Like("status", "5..")),
        Select::with("grpc_server_handled_total", Matcher::IsNot("grpc_code", "OK")),
        Select::with("rpc_server_duration_milliseconds_count", Matcher::IsNot("rpc_grpc_status_code", "0")),
        Select::with("jobs_processed_total", Matcher::IsNot("status", "ok")),
    ]
}

fn over(one: Expression, other: Expression) -> Expression {
    Expression::Over(Box::new(one), Box::new(other))
}

pub(crate) fn alerts() -> Vec<Alert> {
    [symptoms(), connections(), absences(), certificates(), cores(), memory(), vec![watchdog()]]
        .into_iter()
        .flatten()
        .collect()
}

/// What customers feel.
fn symptoms() -> Vec<Alert> {
    vec![
        Alert {
            name: "HighErrorRate",
            expression: Expression::Latest(Select::all(ERRORS)),
            condition: Condition::Above(0.05),
            hold: 60,
            severity: "critical",
            team: "shop",
            summary: "{{ $labels.service }} fails too often",
            description: "{{ $value | humanizePercentage }} of the requests to {{ $labels.service }} fail.",
        },
        Alert {
            name: "HighLatency",
            expression: Expression::Latest(Select::all(LATENCY)),
            condition: Condition::Above(0.75),
            hold: 120,
            severity: "warning",
            team: "shop",
            summary: "{{ $labels.service }} is slow",
            description: "A request to {{ $labels.service }} takes {{ $value | printf \"%.2f\" }} s on average.",
        },
        Alert {
            name: "RequestRateUnusual",
            expression: over(
                Expression::Latest(Select::all(REQUESTS)),
                Expression::Ago(Select::all(REQUESTS), 60),
            ),
            condition: Condition::Above(1.4),
            hold: 180,
            severity: "info",
            team: "shop",
            summary: "{{ $labels.service }} gets more requests than an hour ago",
            description: "{{ $labels.service }} gets {{ $value | printf \"%.2f\" }} times as many requests as an hour ago.",
        },
        Alert {
            name: "QueueDepthHigh",
            expression: Expression::Latest(Select::all("queue_depth")),
            condition: Condition::Above(500.0),
            hold: 120,
            severity: "warning",
            team: "shop",
            summary: "Queue {{ $labels.queue }} is long",
            description: "{{ $value | printf \"%.0f\" }} jobs wait in {{ $labels.queue }} on {{ $labels.pod }}.",
        },
    ]
}

/// What pools lack.
fn connections() -> Vec<Alert> {
    let exhausted = |name, used: Select, size: &'static str| Alert {
        name,
        expression: over(
            Expression::Sum { by: BY_SERVICE, of: used },
            Expression::Sum { by: BY_SERVICE, of: Select::all(size) },
        ),
        condition: Condition::Above(0.9),
        hold: 60,
        severity: "warning",
        team: "shop",
        summary: "{{ $labels.service }} is short of database connections",
        description: "{{ $value | humanizePercentage }} of the connections of {{ $labels.service }} are in use.",
    };
    vec![
        exhausted("PoolNearlyExhausted", Select::all("db_pool_in_use"), "db_pool_size"),
        exhausted(
            "ConnectionPoolUsageHigh",
            Select::with("db_client_connections_usage", Matcher::Is("state", "used")),
            "db_client_connections_max",
        ),
    ]
}

/// What does not answer.
fn absences() -> Vec<Alert> {
    let zero = |name, metric, summary, description| Alert {
        name,
        expression: Expression::Latest(Select::all(metric)),
        condition: Condition::Equal(0.0),
        hold: 60,
        severity: "critical",
        team: "platform",
        summary,
        description,
    };
    let can_not_connect = "The exporter on {{ $labels.instance }} can't connect.";
    vec![
        zero(
            "TargetDown",
            "up",
            "{{ $labels.job }} on {{ $labels.instance }} is down",
            "{{ $labels.instance }} of job {{ $labels.job }} has not answered for a minute.",
        ),
        zero("DatabaseDown", "pg_up", "PostgreSQL does not answer", can_not_connect),
        zero("CacheDown", "redis_up", "Redis does not answer", can_not_connect),
    ]
}

/// Whom nobody believes any more, or soon.
fn certificates() -> Vec<Alert> {
    vec![
        Alert {
            name: "CertificateExpiresSoon",
            expression: Expression::Until(Select::all("probe_ssl_earliest_cert_expiry")),
            condition: Condition::Below(604_800.0),
            hold: 0,
            severity: "warning",
            team: "platform",
            summary: "The certificate of {{ $labels.service }} runs out",
            description: "The certificate of {{ $labels.instance }} is good for {{ $value | printf \"%.0f\" }} s more.",
        },
        Alert {
            name: "ProbeFailed",
            expression: Expression::Latest(Select::all("probe_success")),
            condition: Condition::Equal(0.0),
            hold: 60,
            severity: "critical",
            team: "platform",
            summary: "{{ $labels.service }} can't be reached by TLS",
            description: "{{ $labels.instance }} has not answered a probe for a minute.",
        },
    ]
}

fn limits(resource: &'static str) -> Select {
    Select::with("kube_pod_container_resource_limits", Matcher::Is("resource", resource))
}

/// What containers lack to compute.
fn cores() -> Vec<Alert> {
    let cpu = Expression::SumRate {
        by: BY_CONTAINER,
        of: vec![Select::all("container_cpu_usage_seconds_total")],
        seconds: WINDOW,
    };
    let throttled =
        |metric| Expression::SumRate { by: BY_CONTAINER, of: vec![Select::all(metric)], seconds: 300 };
    vec![
        Alert {
            name: "ContainerCPUHigh",
            expression: over(cpu, Expression::Sum { by: BY_CONTAINER, of: limits("cpu") }),
            condition: Condition::Above(0.85),
            hold: 300,
            severity: "warning",
            team: "platform",
            summary: "{{ $labels.container }} uses nearly all its CPU",
            description: "{{ $labels.container }} uses {{ $value | humanizePercentage }} of its CPU limit.",
        },
        Alert {
            name: "CPUThrottlingHigh",
            expression: over(
                throttled("container_cpu_cfs_throttled_periods_total"),
                throttled("container_cpu_cfs_periods_total"),
            ),
            condition: Condition::Above(0.25),
            hold: 300,
            severity: "info",
            team: "platform",
            summary: "{{ $labels.container }} is throttled",
            description: "{{ $value | humanizePercentage }} throttling of CPU in container {{ $labels.container }}.",
        },
        Alert {
            name: "NodeCPUSaturated",
            expression: Expression::SumRate {
                by: &["instance"],
                of: vec![Select::with("node_cpu_seconds_total", Matcher::Is("mode", "idle"))],
                seconds: WINDOW,
            },
            condition: Condition::Below(0.8),
            hold: 120,
            severity: "warning",
            team: "platform",
            summary: "{{ $labels.instance }} has no free cores",
            description: "Of the cores of {{ $labels.instance }} {{ $value | printf \"%.2f\" }} are idle.",
        },
    ]
}

/// What containers lack to remember, and what comes of it.
fn memory() -> Vec<Alert> {
    vec![
        Alert {
            name: "ContainerMemoryNearLimit",
            expression: over(
                Expression::Max { by: BY_POD, of: Select::all("container_memory_working_set_bytes") },
                Expression::Max { by: BY_POD, of: limits("memory") },
            ),
            condition: Condition::Above(0.9),
            hold: 60,
            severity: "warning",
            team: "platform",
            summary: "{{ $labels.pod }} is about to run out of memory",
            description: "{{ $labels.pod }} uses {{ $value | humanizePercentage }} of its memory limit.",
        },
        Alert {
            name: "ContainerOOMKilled",
            expression: Expression::Latest(Select::with(
                "kube_pod_container_status_last_terminated_reason",
                Matcher::Is("reason", "OOMKilled"),
            )),
            condition: Condition::Equal(1.0),
            hold: 0,
            severity: "warning",
            team: "platform",
            summary: "{{ $labels.container }} in {{ $labels.pod }} was killed for its memory",
            description: "The last end of {{ $labels.container }} in {{ $labels.pod }} was an out-of-memory kill.",
        },
        Alert {
            name: "DeploymentReplicasMismatch",
            expression: Expression::Less(
                Box::new(Expression::Latest(Select::all("kube_deployment_spec_replicas"))),
                Box::new(Expression::Latest(Select::all("kube_deployment_status_replicas_available"))),
            ),
            condition: Condition::Above(0.0),
            hold: 120,
            severity: "warning",
            team: "platform",
            summary: "{{ $labels.deployment }} lacks replicas",
            description: "{{ $value | printf \"%.0f\" }} replicas of {{ $labels.deployment }} are missing.",
        },
    ]
}

/// The proof that alerts arrive.
fn watchdog() -> Alert {
    Alert {
        name: WATCHDOG,
        expression: Expression::One,
        condition: Condition::Any,
        hold: 0,
        severity: "none",
        team: "platform",
        summary: "Alerting works",
        description: "This alert always fires.",
    }
}
