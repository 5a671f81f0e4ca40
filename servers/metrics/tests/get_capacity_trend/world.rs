//! Months made by hand.

#![allow(unreachable_pub, reason = "the other parts of the test use it")]

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::mcp::ToolReply;

use crate::common::{connect, incident, recorded};

/// Midnight, so that days are days.
pub const NOW: &str = "2026-01-14T00:00:00Z";
pub const DAY: i64 = 86_400;
pub const MIB: f64 = 1_048_576.0;

/// Seconds from one sample to the next: as far apart as a query still sees the last one.
const EVERY: i64 = 300;

/// Metrics as OpenMetrics text, by family.
#[derive(Default)]
pub struct Month {
    families: BTreeMap<String, (String, String)>,
    restart: Option<i64>,
}

pub fn now() -> i64 {
    NOW.parse::<jiff::Timestamp>().unwrap().as_second()
}

/// 14 hours of little, 8 of more, 2 of most, in cores, at so many seconds of the day.
pub fn business_hours(at: i64) -> f64 {
    match at.rem_euclid(DAY) / 3_600 {
        0..14 => 0.1,
        14..22 => 0.2,
        _ => 0.4,
    }
}

/// 200 MiB thirty days ago, 4 MiB more each day.
pub fn leak(at: i64) -> f64 {
    let days = (at - (now() - 30 * DAY)) as f64 / DAY as f64;
    (200.0 + 4.0 * days) * MIB
}

impl Month {
    /// Containers start anew each so many seconds.
    pub fn restarts_every(&mut self, seconds: i64) {
        self.restart = Some(seconds);
    }

    /// One sample of a metric.
    pub fn sample(&mut self, kind: &str, name: &str, labels: &[(&str, &str)], value: f64, at: i64) {
        let family = if kind == "counter" { name.strip_suffix("_total").unwrap() } else { name };
        let (_, lines) =
            self.families.entry(family.to_owned()).or_insert_with(|| (kind.to_owned(), String::new()));
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let value = if value.is_nan() { "NaN".to_owned() } else { format!("{value}") };
        lines.push_str(&format!("{name}{{{}}} {value} {at}\n", labels.join(",")));
    }

    /// A gauge over the days from so many ago to so many ago.
    pub fn gauge(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        (from, to): (i64, i64),
        value: impl Fn(i64) -> f64,
    ) {
        let mut at = now() - from * DAY + EVERY;
        while at <= now() - to * DAY {
            self.sample("gauge", name, labels, value(at), at);
            at += EVERY;
        }
    }

    /// A counter that grows by so much a second.
    pub fn counter(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        (from, to): (i64, i64),
        rate: impl Fn(i64) -> f64,
    ) {
        let start = now() - from * DAY;
        let (mut at, mut sum) = (start + EVERY, 1_000.0);
        while at <= now() - to * DAY {
            if self.restart.is_some_and(|every| (at - start) % every == 0) {
                sum = 0.0;
            }
            sum += rate(at - EVERY) * EVERY as f64;
            self.sample("counter", name, labels, sum, at);
            at += EVERY;
        }
    }

    /// CPU and memory of a container over the last days.
    pub fn container(
        &mut self,
        container: &str,
        pod: &str,
        days: i64,
        cpu: impl Fn(i64) -> f64,
        memory: impl Fn(i64) -> f64,
    ) {
        self.during(container, pod, (days, 0), cpu, memory);
    }

    /// CPU and memory of a container from so many days ago to so many days ago.
    pub fn during(
        &mut self,
        container: &str,
        pod: &str,
        when: (i64, i64),
        cpu: impl Fn(i64) -> f64,
        memory: impl Fn(i64) -> f64,
    ) {
        let labels = [("namespace", "shop"), ("pod", pod), ("container", container)];
        self.counter("container_cpu_usage_seconds_total", &labels, when, cpu);
        self.gauge("container_memory_working_set_bytes", &labels, when, memory);
    }

    /// Request and limit of CPU in cores and memory in MiB, told over the last day.
    pub fn bounds(&mut self, container: &str, pod: &str, cpu: (f64, f64), memory: (f64, f64)) {
        self.bounds_at(container, pod, (1, 0), cpu, memory);
    }

    pub fn bounds_at(
        &mut self,
        container: &str,
        pod: &str,
        when: (i64, i64),
        cpu: (f64, f64),
        memory: (f64, f64),
    ) {
        let memory = (memory.0 * MIB, memory.1 * MIB);
        for (resource, unit, (request, limit)) in [("cpu", "core", cpu), ("memory", "byte", memory)] {
            let labels = [
                ("namespace", "shop"),
                ("pod", pod),
                ("container", container),
                ("resource", resource),
                ("unit", unit),
            ];
            self.gauge("kube_pod_container_resource_requests", &labels, when, |_| request);
            self.gauge("kube_pod_container_resource_limits", &labels, when, |_| limit);
        }
    }

    /// A container that was held back in this share of periods.
    pub fn throttled(&mut self, container: &str, pod: &str, share: f64) {
        let labels = [("namespace", "shop"), ("pod", pod), ("container", container)];
        self.counter("container_cpu_cfs_periods_total", &labels, (30, 0), |_| 10.0);
        self.counter("container_cpu_cfs_throttled_periods_total", &labels, (30, 0), |_| 10.0 * share);
    }

    /// An autoscaler with a target in percent of the CPU request; replicas at least, at most, now.
    pub fn autoscaler(
        &mut self,
        namespace: &str,
        name: &str,
        target: &str,
        percent: f64,
        replicas: (f64, f64, f64),
    ) {
        let own = [("namespace", namespace), ("horizontalpodautoscaler", name)];
        let mut one = |metric: &str, more: &[(&str, &str)], value: f64| {
            let labels = [own.as_slice(), more].concat();
            self.gauge(&format!("kube_horizontalpodautoscaler_{metric}"), &labels, (1, 0), |_| value);
        };
        one("info", &[("scaletargetref_kind", "Deployment"), ("scaletargetref_name", target)], 1.0);
        let of_cpu = [("metric_name", "cpu"), ("metric_target_type", "utilization")];
        one("spec_target_metric", &of_cpu, percent);
        one("spec_min_replicas", &[], replicas.0);
        one("spec_max_replicas", &[], replicas.1);
        one("status_current_replicas", &[], replicas.2);
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, (kind, lines)) in &self.families {
            text.push_str(&format!("# TYPE {name} {kind}\n{lines}"));
        }
        text + "# EOF\n"
    }
}

/// The answer over this month, at its end.
pub async fn ask(month: &Month, arguments: Value) -> ToolReply {
    let directory = incident(NOW, &[("metrics/month.om", &month.text())]);
    let (client, _lines) = connect(&recorded(directory.path()), NOW).await;
    let reply = client.call("get_capacity_trend", arguments).await;
    assert!(!reply.is_error, "{}", reply.text);
    reply
}

pub fn contains(reply: &ToolReply, parts: &[&str]) {
    for part in parts {
        assert!(reply.text.contains(part), "missing: {part}\n{}", reply.text);
    }
}
