//! What was planted, and in which metrics it shows.

use serde_json::{Value, json};

use crate::World;
use crate::cluster::{NEIGHBOUR, node_name};
use crate::data::Culprit;
use crate::incident::{Effect, Fault};
use crate::shop::{Convention, Service};
use crate::signals::metrics;

pub(super) fn effect(world: &World) -> Value {
    match &world.incident.effect {
        Effect::Pool { size } => json!({ "pool_size": size }),
        Effect::Slow { seconds } => json!({ "slower_seconds": seconds }),
        Effect::Dead => json!({ "replicas": 0 }),
        Effect::Burn { share } => json!({ "cores_lost_share": share }),
        Effect::Leak { per_second } => json!({ "leaked_mib_per_second": per_second }),
        Effect::Surge { times, ramp } => json!({ "outside_requests_times": times, "ramp_seconds": ramp }),
        Effect::LoseConnections { per_second } => json!({ "lost_connections_per_second": per_second }),
        Effect::Neighbour { node, left } => {
            let pod = &world.cluster.neighbour.name;
            json!({ "node": node_name(*node), "neighbour": pod, "cores_left_to_each_pod": left })
        }
        Effect::Expired => json!({ "certificate": certificate(world) }),
        Effect::Fail { share } => json!({ "failing_share": share }),
        Effect::Lose { share, caller } => {
            json!({ "lost_share": share, "caller": caller.map(|caller| super::name(world, caller)) })
        }
        Effect::Hide { listed } => json!({ "targets_still_listed": listed }),
    }
}

fn certificate(world: &World) -> String {
    world.shop.service(world.incident.victim).map(metrics::certificate).unwrap_or_default()
}

/// Metrics in which the fault itself shows, the first to move first, each with the label that finds its series.
pub(crate) fn culprits(world: &World) -> Vec<Culprit> {
    let Some(service) = world.shop.service(world.incident.victim) else { return Vec::new() };
    let of_victim = names(world.incident.fault, service).into_iter().map(|metric| {
        let label = match metric {
            _ if metric.starts_with("kube_deployment_") => "deployment",
            _ if metric.starts_with("container_") || metric.starts_with("kube_pod_") => "container",
            _ => "service",
        };
        Culprit { metric, label, value: service.name.to_owned() }
    });
    elsewhere(world).into_iter().chain(of_victim).collect()
}

/// Those that are not the victim's own.
fn elsewhere(world: &World) -> Vec<Culprit> {
    match world.incident.effect {
        Effect::Neighbour { node, .. } => {
            let of_node = |metric| Culprit { metric, label: "instance", value: metrics::exporter(node) };
            let metric = "container_cpu_usage_seconds_total";
            vec![
                Culprit { metric, label: "container", value: NEIGHBOUR.to_owned() },
                of_node("node_cpu_seconds_total"),
                of_node("node_pressure_cpu_waiting_seconds_total"),
            ]
        }
        Effect::Expired => {
            let metric = "certmanager_certificate_expiration_timestamp_seconds";
            vec![Culprit { metric, label: "name", value: certificate(world) }]
        }
        _ => Vec::new(),
    }
}

/// Names of metrics of the victim, the first to move first.
fn names(fault: Fault, service: &Service) -> Vec<&'static str> {
    let down = match service.speaks {
        Convention::Postgres => vec!["pg_up"],
        Convention::Redis => vec!["redis_up"],
        _ => vec!["up", "kube_deployment_status_replicas_available"],
    };
    let (latency, requests) = own_metrics(service.speaks);
    match fault {
        Fault::PoolShrunk => metrics::telling(service),
        Fault::ConnectionLeak => metrics::telling_of_leak(service),
        Fault::SlowDependency => vec![latency],
        Fault::DeadDependency => down,
        Fault::CpuStarvation => {
            vec!["container_cpu_usage_seconds_total", "container_cpu_cfs_throttled_periods_total", latency]
        }
        Fault::NoisyNeighbour => vec!["container_pressure_cpu_waiting_seconds_total", latency],
        Fault::MemoryLeak => {
            vec!["container_memory_working_set_bytes", "kube_pod_container_status_restarts_total"]
        }
        Fault::TrafficSurge | Fault::LostTraffic | Fault::BadConfig => vec![requests],
        Fault::CertificateExpiry => vec!["probe_ssl_earliest_cert_expiry", "probe_success", requests],
        Fault::LostMetrics => vec!["up", requests],
    }
}

/// Names of latency and of traffic, which has a label for failures, in a convention.
fn own_metrics(speaks: Convention) -> (&'static str, &'static str) {
    match speaks {
        Convention::OtelHttp => {
            ("http_server_request_duration_seconds", "http_server_request_duration_seconds_count")
        }
        Convention::OtelHttpMillis => {
            ("http_server_duration_milliseconds", "http_server_duration_milliseconds_count")
        }
        Convention::OtelRpcMillis => {
            ("rpc_server_duration_milliseconds", "rpc_server_duration_milliseconds_count")
        }
        Convention::Plain { .. } => ("http_request_duration_seconds", "http_requests_total"),
        Convention::Micrometer => ("http_server_requests_seconds", "http_server_requests_seconds_count"),
        Convention::Grpc => ("grpc_server_handling_seconds", "grpc_server_handled_total"),
        Convention::Worker => ("job_duration_seconds", "jobs_processed_total"),
        Convention::Postgres => ("pg_stat_statements_seconds_total", "pg_stat_statements_calls_total"),
        Convention::Redis => ("redis_commands_duration_seconds_total", "redis_commands_processed_total"),
    }
}
