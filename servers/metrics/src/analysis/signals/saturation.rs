//! What of a service can be full: its containers against their limits, its pools, what queues.

use std::collections::BTreeSet;

use super::{
    catalogue::{Gauge, Saturation},
    queries::{Condition, grouping},
};
use crate::model::{MatchOp, selector};

/// The most pools and queues of one service that are measured.
const MOST_POOLS: usize = 6;

/// What is so full, in percent, is nearly full.
const NEARLY_FULL: f64 = 80.0;

/// Throttled in so many percent of periods, stalled so many percent of the time.
const OFTEN_THROTTLED: f64 = 25.0;
const OFTEN_STALLED: f64 = 20.0;

/// Labels that tell one process from another.
const PROCESSES: [&str; 2] = ["instance", "pod"];

/// A measure of how full something is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fullness {
    /// Tells its series from others in one reply.
    pub(crate) key: String,
    /// As answers call it.
    pub(crate) name: String,
    /// What its values are: `% of limit`.
    pub(crate) unit: String,
    pub(crate) promql: String,
    /// Whether it is percent; otherwise a number of what waits.
    pub(crate) is_share: bool,
    /// From this level on it is worth telling though it is as usual.
    pub(crate) alarm: Option<f64>,
}

impl Fullness {
    fn share(key: impl Into<String>, name: &str, unit: &str, alarm: f64, promql: String) -> Fullness {
        let (name, unit) = (name.to_owned(), unit.to_owned());
        Fullness { key: key.into(), name, unit, promql, is_share: true, alarm: Some(alarm) }
    }
}

/// What the cluster says about containers with these conditions, as far as there are such metrics; rates over
/// `window` (such as `2m`). Of several containers the fullest counts.
pub(crate) fn of_containers(names: &BTreeSet<&str>, conditions: &[Condition], window: &str) -> Vec<Fullness> {
    let has = |name: &str| names.contains(name);
    let select = |metric: &str, more: Option<(&str, &str)>| {
        let mut all: Vec<_> =
            conditions.iter().map(|(label, op, value)| (label.as_str(), *op, value.as_str())).collect();
        all.extend(more.map(|(label, value)| (label, MatchOp::Equal, value)));
        selector(Some(metric), &all)
    };
    const EACH: &str = "by (namespace, pod, container)";
    let used = |metric: &str, is_counter: bool| {
        let series = select(metric, None);
        let value = if is_counter { format!("rate({series}[{window}])") } else { series };
        format!("sum {EACH} ({value})")
    };
    let against = |used: &str, bound: &str, resource: &str| {
        let bound = select(bound, Some(("resource", resource)));
        format!("100 * max({used} / max {EACH} ({bound} > 0))")
    };
    let mut all = Vec::new();
    let (limits, requests) = ("kube_pod_container_resource_limits", "kube_pod_container_resource_requests");
    let cpu = ("container_cpu_usage_seconds_total", true);
    let memory = ("container_memory_working_set_bytes", false);
    for (resource, (metric, is_counter), bound, bounds) in [
        ("cpu", cpu, "limit", limits),
        ("cpu", cpu, "request", requests),
        ("memory", memory, "limit", limits),
    ] {
        if has(metric) && has(bounds) {
            let promql = against(&used(metric, is_counter), bounds, resource);
            let unit = format!("% of {bound}");
            let mut one =
                Fullness::share(format!("{resource}_{bound}"), resource, &unit, NEARLY_FULL, promql);
            // What is beyond a request is borrowed, not full.
            one.alarm = one.alarm.filter(|_| bound == "limit");
            all.push(one);
        }
    }
    let (throttled, periods) =
        ("container_cpu_cfs_throttled_periods_total", "container_cpu_cfs_periods_total");
    if has(throttled) && has(periods) {
        let rate = |metric: &str| format!("sum(rate({}[{window}]))", select(metric, None));
        let promql = format!("100 * {} / {}", rate(throttled), rate(periods));
        all.push(Fullness::share("throttled", "cpu throttled", "% of periods", OFTEN_THROTTLED, promql));
    }
    for (key, name, metric) in [
        ("psi_cpu", "cpu pressure", "container_pressure_cpu_waiting_seconds_total"),
        ("psi_memory", "memory pressure", "container_pressure_memory_waiting_seconds_total"),
    ] {
        if has(metric) {
            let promql = format!("100 * max(rate({}[{window}]))", select(metric, None));
            all.push(Fullness::share(key, name, "% of time", OFTEN_STALLED, promql));
        }
    }
    all
}

/// How near the autoscaler of this service is to its maximum: the one that says so, or else the one of the same name; in
/// the service's `namespace` where that is known (conditions on the label).
pub(crate) fn of_autoscaler(
    names: &BTreeSet<&str>,
    service: &str,
    namespace: &[Condition],
) -> Option<Fullness> {
    let (now, most) = (
        "kube_horizontalpodautoscaler_status_current_replicas",
        "kube_horizontalpodautoscaler_spec_max_replicas",
    );
    let info = "kube_horizontalpodautoscaler_info";
    let by_target = names.contains(info);
    let by_name = names.contains(now) && names.contains(most);
    if !by_target && !by_name {
        return None;
    }
    let select = |metric, own: Option<&str>| {
        let mut all: Vec<_> =
            namespace.iter().map(|(label, op, value)| (label.as_str(), *op, value.as_str())).collect();
        all.extend(own.map(|label| (label, MatchOp::Equal, service)));
        selector(Some(metric), &all)
    };
    let own = (!by_target).then_some("horizontalpodautoscaler");
    let by = "by (namespace, horizontalpodautoscaler)";
    let (now, most) = (select(now, own), select(most, own));
    let each = format!("max {by} ({now}) / max {by} ({most} > 0)");
    let promql = match by_target {
        false => format!("100 * max({each})"),
        true => {
            let of = select(info, Some("scaletargetref_name"));
            format!("100 * max({each} and on (namespace, horizontalpodautoscaler) {of})")
        }
    };
    Some(Fullness::share("autoscaler", "replicas", "% of the autoscaler's maximum", NEARLY_FULL, promql))
}

/// The pools and queues that a service with these conditions tells itself.
pub(crate) fn of_pools(
    rows: &[Saturation],
    names: &BTreeSet<&str>,
    conditions: &[Condition],
) -> Vec<Fullness> {
    let has = |gauge: &Gauge| names.contains(gauge.metric.as_str());
    let select = |gauge: &Gauge| {
        let mut all: Vec<_> =
            conditions.iter().map(|(label, op, value)| (label.as_str(), *op, value.as_str())).collect();
        if let (Some(label), Some(value)) = (&gauge.label, &gauge.value) {
            all.push((label, MatchOp::Equal, value));
        }
        selector(Some(&gauge.metric), &all)
    };
    let mut all = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        if let (Some(used), Some(size)) = (&row.used, &row.size)
            && has(used)
            && has(size)
        {
            let mut by = PROCESSES.to_vec();
            by.extend(row.by.iter().map(String::as_str));
            let group = grouping(&by);
            let promql =
                format!("100 * max(sum{group}({}) / sum{group}({} > 0))", select(used), select(size));
            let unit = format!("% {} ÷ {}", used.metric, size.metric);
            all.push(Fullness::share(format!("pool{place}"), &row.name, &unit, NEARLY_FULL, promql));
        }
        if names.contains(row.waiting.as_str()) {
            let gauge = Gauge { metric: row.waiting.clone(), ..Gauge::default() };
            all.push(Fullness {
                key: format!("wait{place}"),
                name: format!("{} waiting", row.name),
                unit: row.waiting.clone(),
                promql: format!("sum({})", select(&gauge)),
                is_share: false,
                alarm: None,
            });
        }
    }
    all.truncate(MOST_POOLS);
    all
}

#[cfg(test)]
mod tests {
    use super::super::{catalogue::Catalogue, queries::union};
    use super::*;

    fn conditions() -> Vec<Condition> {
        vec![("container".to_owned(), MatchOp::Equal, "checkout".to_owned())]
    }

    fn names(all: &[&'static str]) -> BTreeSet<&'static str> {
        all.iter().copied().collect()
    }

    #[test]
    fn containers_are_measured_against_limits_and_requests() {
        let names = names(&["container_cpu_usage_seconds_total", "kube_pod_container_resource_limits"]);
        let all = of_containers(&names, &conditions(), "2m");
        assert_eq!(
            all.iter().map(|one| one.promql.as_str()).collect::<Vec<_>>(),
            [
                r#"100 * max(sum by (namespace, pod, container) (rate(container_cpu_usage_seconds_total{container="checkout"}[2m])) / max by (namespace, pod, container) (kube_pod_container_resource_limits{container="checkout", resource="cpu"} > 0))"#
            ]
        );
        assert!(
            of_containers(&self::names(&["container_cpu_usage_seconds_total"]), &conditions(), "2m")
                .is_empty()
        );
    }

    #[test]
    fn an_autoscaler_is_that_of_the_service_in_its_namespace() {
        let (now, most) = (
            "kube_horizontalpodautoscaler_status_current_replicas",
            "kube_horizontalpodautoscaler_spec_max_replicas",
        );
        let namespace = [("namespace".to_owned(), MatchOp::Equal, "shop".to_owned())];
        let promql = |names: &[&'static str], namespace: &[Condition]| {
            let one = of_autoscaler(&self::names(names), "checkout", namespace).unwrap();
            assert!(promql_parser::parser::parse(&one.promql).is_ok(), "{}", one.promql);
            one.promql
        };
        let by = "max by (namespace, horizontalpodautoscaler)";
        let own = r#"namespace="shop", horizontalpodautoscaler="checkout""#;
        assert_eq!(
            promql(&[now, most], &namespace),
            format!("100 * max({by} ({now}{{{own}}}) / {by} ({most}{{{own}}} > 0))")
        );
        let info = "kube_horizontalpodautoscaler_info";
        let shop = r#"namespace="shop""#;
        assert_eq!(
            promql(&[info], &namespace),
            format!(
                "100 * max({by} ({now}{{{shop}}}) / {by} ({most}{{{shop}}} > 0) and on (namespace, horizontalpodautoscaler) {info}{{{shop}, scaletargetref_name=\"checkout\"}})"
            )
        );
        assert_eq!(of_autoscaler(&self::names(&[now]), "checkout", &[]), None);
    }

    #[test]
    fn pools_are_used_by_size_for_each_process_and_pool() {
        let catalogue = Catalogue::with(&[], &[]).unwrap();
        let names = names(&[
            "db_client_connections_usage",
            "db_client_connections_max",
            "db_client_connections_pending_requests",
        ]);
        let all = of_pools(&catalogue.saturation, &names, &conditions());
        assert_eq!(
            all.iter().map(|one| (one.promql.as_str(), one.is_share)).collect::<Vec<_>>(),
            [
                (
                    r#"100 * max(sum by (instance, pod, pool_name) (db_client_connections_usage{container="checkout", state="used"}) / sum by (instance, pod, pool_name) (db_client_connections_max{container="checkout"} > 0))"#,
                    true
                ),
                (r#"sum(db_client_connections_pending_requests{container="checkout"})"#, false),
            ]
        );
        let parts: Vec<_> = all.iter().map(|one| (one.key.clone(), one.promql.clone())).collect();
        assert!(promql_parser::parser::parse(&union(&parts)).is_ok());
    }
}
