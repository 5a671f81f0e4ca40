//! Whose usage is asked for, and the PromQL that asks for it.

use contract::duration_text;

use super::Resource;
use crate::{
    analysis::search::words::escape,
    config::aliases::Matcher,
    model::{MatchOp, selector},
};

/// One generated part at the end of a pod's name (`k8s.io/apimachinery/pkg/util/rand` has no vowels, no 0, 1, 3): the
/// hash of a template, a random end, or a number.
const GENERATED: &str = "(-[b-df-hj-np-tv-xz24-9]{5,10}|-[0-9]+)";

/// The sandbox of a pod and its cgroup as a whole are no containers.
const NO_CONTAINER: (&str, MatchOp, &str) = ("container", MatchOp::NotRegex, "|POD");

/// The host of an `instance`.
const HOST: &str = r#""host", "$1", "instance", "(.+?)(:[0-9]+)?""#;

/// What a service's pods are called: its name, with up to two generated parts after it.
pub(crate) fn pods_of(service: &str) -> Matcher {
    Matcher::regex("pod", &format!("{}{GENERATED}{{0,2}}", escape(service)))
}

/// The replicas whose usage is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Population {
    /// Containers of one service, known to cAdvisor by these conditions.
    Containers(Vec<Matcher>),
    /// All containers, told apart by the workload their pod's name begins with.
    Workloads(Vec<Matcher>),
    /// Processes that tell about themselves, where no container is known.
    Processes(Vec<Matcher>),
}

/// One number about usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stat {
    P50,
    P95,
    P99,
    Max,
    /// The quantile 0.95 of the mean over replicas, not of the busiest one.
    Mean,
}

impl Stat {
    pub(crate) const ALL: [Stat; 5] = [Stat::P50, Stat::P95, Stat::P99, Stat::Max, Stat::Mean];

    /// The value of the label `stat`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Stat::P50 => "p50",
            Stat::P95 => "p95",
            Stat::P99 => "p99",
            Stat::Max => "max",
            Stat::Mean => "mean",
        }
    }
}

/// What a container may use at most, or is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bound {
    Request,
    Limit,
    /// What its host has.
    Host,
}

impl Bound {
    pub(crate) const ALL: [Bound; 3] = [Bound::Request, Bound::Limit, Bound::Host];

    /// The value of the label `stat`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Bound::Request => "request",
            Bound::Limit => "limit",
            Bound::Host => "host",
        }
    }
}

impl Population {
    /// The labels that tell rows apart.
    pub(crate) fn labels(&self) -> &'static [&'static str] {
        match self {
            Population::Containers(_) => &["namespace", "container"],
            Population::Workloads(_) => &["namespace", "workload", "container"],
            Population::Processes(_) => &["job"],
        }
    }

    fn matchers(&self) -> &[Matcher] {
        match self {
            Population::Containers(some) | Population::Workloads(some) | Population::Processes(some) => some,
        }
    }

    /// Whether these are containers.
    pub(crate) fn has_containers(&self) -> bool {
        !matches!(self, Population::Processes(_))
    }

    fn select(&self, metric: &str, others: &[(&str, MatchOp, &str)]) -> String {
        let mut all: Vec<_> = self.matchers().iter().map(Matcher::parts).collect();
        if self.has_containers() && !all.iter().any(|(label, _, _)| *label == "container") {
            all.push(NO_CONTAINER);
        }
        all.extend_from_slice(others);
        selector(Some(metric), &all)
    }

    fn memory(&self) -> String {
        let metric = match self.has_containers() {
            true => "container_memory_working_set_bytes",
            false => "process_resident_memory_bytes",
        };
        self.select(metric, &[])
    }

    fn by(&self, how: &str, more: &[&str], of: &str) -> String {
        let labels = [self.labels(), more].concat().join(", ");
        format!("{how} by ({labels}) ({of})")
    }

    /// With the workload, where rows need it.
    fn placed(&self, of: String) -> String {
        match self {
            Population::Workloads(_) => {
                format!(r#"label_replace({of}, "workload", "$1", "pod", "(.+?){GENERATED}{{0,2}}")"#)
            }
            Population::Containers(_) | Population::Processes(_) => of,
        }
    }

    /// How many replicas each row has.
    pub(crate) fn counted(&self) -> String {
        let each = match self.has_containers() {
            true => format!("group by (namespace, pod, container) ({})", self.memory()),
            false => self.memory(),
        };
        self.by("count", &[], &self.placed(each))
    }

    /// The most samples of one series in a quarter of an hour.
    pub(crate) fn samples_in_quarter(&self) -> String {
        format!("max(count_over_time({}[15m]))", self.memory())
    }

    fn usage(&self, resource: Resource, window: u64) -> String {
        let of = match resource {
            Resource::Memory => self.memory(),
            Resource::Cpu => {
                let metric = match self.has_containers() {
                    true => "container_cpu_usage_seconds_total",
                    false => "process_cpu_seconds_total",
                };
                format!("rate({}[{}])", self.select(metric, &[]), duration_text(window as f64))
            }
        };
        self.placed(of)
    }

    /// Usage of the busiest replica of each row. `window` is that of a rate, in seconds.
    pub(crate) fn busiest(&self, resource: Resource, window: u64) -> String {
        self.by("max", &[], &self.usage(resource, window))
    }

    /// Usage of the mean replica of each row.
    pub(crate) fn mean(&self, resource: Resource, window: u64) -> String {
        self.by("avg", &[], &self.usage(resource, window))
    }

    /// The highest usage of the busiest replica in each step, seen every `every` seconds.
    pub(crate) fn highest(&self, resource: Resource, window: u64, step: u64, every: u64) -> String {
        let busiest = self.busiest(resource, window);
        if step <= every {
            return busiest;
        }
        format!("max_over_time({busiest}[{}:{}])", duration_text(step as f64), duration_text(every as f64))
    }

    /// These numbers over the last `span` seconds, seen every `every` seconds, told apart by the label `stat`.
    pub(crate) fn stats(
        &self,
        resource: Resource,
        window: u64,
        (span, every): (u64, u64),
        stats: &[Stat],
    ) -> String {
        let over = format!("[{}:{}]", duration_text(span as f64), duration_text(every as f64));
        let busiest = self.busiest(resource, window);
        let terms = stats.iter().map(|stat| {
            let of = match stat {
                Stat::P50 => format!("quantile_over_time(0.5, {busiest}{over})"),
                Stat::P95 => format!("quantile_over_time(0.95, {busiest}{over})"),
                Stat::P99 => format!("quantile_over_time(0.99, {busiest}{over})"),
                Stat::Max => format!("max_over_time({busiest}{over})"),
                Stat::Mean => format!("quantile_over_time(0.95, {}{over})", self.mean(resource, window)),
            };
            named(&of, stat.name())
        });
        terms.collect::<Vec<_>>().join(" or ")
    }

    /// Requests and limits, told apart by the labels `stat` and `resource`; of processes what their hosts have.
    pub(crate) fn bounds(&self) -> String {
        if !self.has_containers() {
            return self.hosts();
        }
        let resources = ("resource", MatchOp::Regex, "cpu|memory");
        let of = |metric| self.by("max", &["resource"], &self.placed(self.select(metric, &[resources])));
        format!(
            "{} or {}",
            named(&of("kube_pod_container_resource_requests"), Bound::Request.name()),
            named(&of("kube_pod_container_resource_limits"), Bound::Limit.name())
        )
    }

    /// Memory and cores of the hosts, by the host part of `instance`, the smallest of each row.
    fn hosts(&self) -> String {
        let on_host = format!("label_replace({} * 0, {HOST})", self.memory());
        let memory = format!("max by (host) (label_replace(node_memory_MemTotal_bytes, {HOST}))");
        let idle = selector(Some("node_cpu_seconds_total"), &[("mode", MatchOp::Equal, "idle")]);
        let cores = format!("count by (host) (label_replace({idle}, {HOST}))");
        let of = |what: &str, resource: Resource| {
            let joined = self.by("min", &[], &format!("{on_host} + on (host) group_left () {what}"));
            format!(r#"label_replace({}, "resource", "{}", "", "")"#, named(&joined, "host"), resource.name())
        };
        format!("{} or {}", of(&memory, Resource::Memory), of(&cores, Resource::Cpu))
    }

    /// The share of scheduling periods in which containers were held back over so many seconds.
    pub(crate) fn throttled(&self, span: u64) -> String {
        let over = duration_text(span as f64);
        let sum = |metric| {
            let increase = format!("increase({}[{over}])", self.select(metric, &[]));
            self.by("sum", &[], &self.placed(increase))
        };
        let periods = sum("container_cpu_cfs_periods_total");
        // A container that was never held back may have no counter of it.
        format!("({} or {periods} * 0) / {periods}", sum("container_cpu_cfs_throttled_periods_total"))
    }

    /// What kube-state-metrics says about replicas and autoscalers of the workload of this name, and about the autoscalers
    /// that have another name than what they scale.
    pub(crate) fn workload(&self, service: &str) -> String {
        let namespace = self.matchers().iter().find(|matcher| matcher.label == "namespace");
        let about = |pattern: &str, more: Option<(&str, MatchOp, &str)>| {
            let mut all = vec![("__name__", MatchOp::Regex, pattern)];
            all.extend(namespace.map(Matcher::parts));
            all.extend(more);
            selector(None, &all)
        };
        let named = |label| Some((label, MatchOp::Equal, service));
        let scalers = "kube_horizontalpodautoscaler_(info|spec_target_metric|spec_(min|max)_replicas|\
                       status_current_replicas)";
        format!(
            "{} or {} or {}",
            about("kube_deployment_(spec_replicas|status_replicas_available)", named("deployment")),
            about("kube_statefulset_(replicas|status_replicas_ready)", named("statefulset")),
            about(scalers, None)
        )
    }
}

fn named(of: &str, stat: &str) -> String {
    format!(r#"label_replace({of}, "stat", "{stat}", "", "")"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout() -> Population {
        Population::Containers(vec![Matcher::equal("container", "checkout")])
    }

    #[test]
    fn the_queries_are_promql_whatever_the_service_is_called() {
        let odd = r#"a"b\c{}[5m]) or vector(1)"#;
        let matchers = vec![Matcher::equal("namespace", odd), pods_of(odd)];
        for population in [
            Population::Containers(matchers.clone()),
            Population::Workloads(matchers.clone()),
            Population::Processes(vec![Matcher::equal("service.name", odd)]),
        ] {
            for resource in [Resource::Cpu, Resource::Memory] {
                for query in [
                    population.counted(),
                    population.samples_in_quarter(),
                    population.highest(resource, 300, 10_800, 300),
                    population.stats(resource, 300, (2_592_000, 300), &Stat::ALL),
                    population.bounds(),
                    population.throttled(86_400),
                    population.workload(odd),
                ] {
                    let parsed = promql_parser::parser::parse(&query);
                    assert!(parsed.is_ok(), "{query}\n{parsed:?}");
                }
            }
        }
    }

    #[test]
    fn usage_is_read_where_it_is_stored() {
        assert_eq!(
            checkout().highest(Resource::Cpu, 300, 10_800, 300),
            "max_over_time(max by (namespace, container) \
             (rate(container_cpu_usage_seconds_total{container=\"checkout\"}[5m]))[3h:5m])"
        );
        assert_eq!(
            checkout().stats(Resource::Memory, 300, (604_800, 300), &[Stat::P95]),
            "label_replace(quantile_over_time(0.95, max by (namespace, container) \
             (container_memory_working_set_bytes{container=\"checkout\"})[7d:5m]), \"stat\", \"p95\", \"\", \"\")"
        );
        assert_eq!(
            Population::Workloads(Vec::new()).counted(),
            "count by (namespace, workload, container) (label_replace(group by (namespace, pod, container) \
             (container_memory_working_set_bytes{container!~\"|POD\"}), \"workload\", \"$1\", \"pod\", \
             \"(.+?)(-[b-df-hj-np-tv-xz24-9]{5,10}|-[0-9]+){0,2}\"))"
        );
    }
}
