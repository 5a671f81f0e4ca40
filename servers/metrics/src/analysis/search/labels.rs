//! What the series of a metric have in their labels.

use std::collections::{BTreeMap, BTreeSet};

use contract::Untrusted;

use crate::model::Labels;

/// Labels that name one machine or process: they multiply series and tell little about what is measured.
const MACHINES: &[&str] = &[
    "instance",
    "pod",
    "pod_name",
    "pod_ip",
    "pod_uid",
    "host",
    "host_ip",
    "hostname",
    "host_name",
    "node",
    "nodename",
    "ip",
    "id",
    "uid",
    "container_id",
    "image_id",
    "image",
    "replica",
    "prometheus_replica",
    "service_instance_id",
    "k8s.pod.name",
    "k8s.pod.uid",
    "service.instance.id",
    "host.name",
    "endpoint_id",
];

/// Labels that say which service a series is about, the surest first.
pub(crate) const SERVICES: &[&str] = &[
    "service",
    "service_name",
    "service.name",
    "app",
    "app_kubernetes_io_name",
    "application",
    "job",
    "component",
    "container",
    "deployment",
    "workload",
    "destination_service",
    "namespace",
    "pod",
];

/// Labels that say whether something failed.
const FAILURES: &[&str] = &[
    "code",
    "status",
    "status_code",
    "http_status_code",
    "http_response_status_code",
    "response_code",
    "statuscode",
    "http_status",
    "grpc_code",
    "error_type",
    "status_class",
    "outcome",
    "result",
];

/// Labels that say in what state something is.
const STATES: &[&str] = &["reason", "state", "phase", "level", "severity"];

/// Labels that say which part of the work.
const PARTS_OF_WORK: &[&str] = &[
    "route",
    "http_route",
    "path",
    "uri",
    "handler",
    "method",
    "operation",
    "rpc_method",
    "grpc_method",
    "queue",
    "queue.name",
    "topic",
    "table",
    "device",
    "mountpoint",
    "mode",
    "type",
    "version",
    "zone",
    "cluster",
];

/// The most values of a label that an example's result is split by.
const MOST_PARTS: usize = 50;

/// One label of a metric's series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LabelUse {
    /// The label's name.
    pub(crate) name: Untrusted,
    /// Its values, sorted; `None` where they were not read.
    pub(crate) values: Option<Vec<Untrusted>>,
}

impl LabelUse {
    /// How many values are known.
    pub(crate) fn count(&self) -> usize {
        self.values.as_ref().map_or(0, Vec::len)
    }

    /// The value that all series have.
    pub(crate) fn only_value(&self) -> Option<&Untrusted> {
        match self.values.as_deref() {
            Some([value]) => Some(value),
            _ => None,
        }
    }
}

/// What the series of one name are, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Use {
    /// How many series.
    pub(crate) series: u64,
    values: BTreeMap<Untrusted, BTreeSet<Untrusted>>,
}

/// Sums up rows of `count by (__name__, …)`: for each name the number of series and the values of its labels.
pub(crate) fn sum_up(rows: &[(Labels, f64)]) -> BTreeMap<String, Use> {
    let mut uses: BTreeMap<String, Use> = BTreeMap::new();
    for (labels, count) in rows {
        let Some(name) = labels.name() else { continue };
        let known = uses.entry(name.inside().to_owned()).or_default();
        known.series = known.series.saturating_add(whole(*count));
        for (label, value) in labels.iter().filter(|(label, _)| label.inside() != "__name__") {
            known.values.entry(label.clone()).or_default().insert(value.clone());
        }
    }
    uses
}

/// A count as a server gives it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count is whole and not negative"
)]
pub(crate) fn whole(count: f64) -> u64 {
    if count.is_finite() { count.max(0.0) as u64 } else { 0 }
}

/// The labels of a metric whose series have these names, the most telling first. `unread` are the labels that
/// were not looked at.
pub(crate) fn labels_of(
    names: &[Untrusted],
    uses: &BTreeMap<String, Use>,
    unread: &[Untrusted],
) -> Vec<LabelUse> {
    let mut values: BTreeMap<&Untrusted, BTreeSet<&Untrusted>> = BTreeMap::new();
    for one in names.iter().filter_map(|name| uses.get(name.inside())) {
        for (label, some) in &one.values {
            values.entry(label).or_default().extend(some);
        }
    }
    let read = values.into_iter().map(|(name, values)| LabelUse {
        name: name.clone(),
        values: Some(values.into_iter().cloned().collect()),
    });
    let unread = unread.iter().map(|name| LabelUse { name: name.clone(), values: None });
    let mut labels: Vec<LabelUse> = read.chain(unread).collect();
    labels.sort_by_cached_key(|label| {
        (label.values.is_none(), label.count() <= 1, rank(&label.name), label.name.clone())
    });
    labels
}

/// Whether the label names one machine or process.
pub(crate) fn is_machine(label: &str) -> bool {
    MACHINES.contains(&label)
}

/// Whether the label says that something failed.
pub(crate) fn tells_failure(label: &str) -> bool {
    FAILURES.contains(&label)
}

/// How much a label tells; less is more.
fn rank(label: &Untrusted) -> usize {
    let lists = [SERVICES, FAILURES, STATES, PARTS_OF_WORK];
    let label = label.inside();
    if is_machine(label) {
        return usize::MAX;
    }
    let mut before = 0;
    for list in lists {
        if let Some(place) = list.iter().position(|known| *known == label) {
            return before + place;
        }
        before += list.len();
    }
    before
}

/// The labels whose values tell the series apart best, the most telling first. `fixed` ones have one value in the
/// example anyway.
pub(crate) fn telling<'a>(labels: &'a [LabelUse], fixed: &[&str]) -> Vec<&'a LabelUse> {
    let splits = |label: &&LabelUse| {
        let name = label.name.inside();
        (2..=MOST_PARTS).contains(&label.count())
            && !fixed.contains(&name)
            && !["le", "quantile"].contains(&name)
    };
    // `job` tells which service only where nothing better does, and a machine only where nothing else does.
    let last = |label: &&LabelUse| {
        let name = label.name.inside();
        (is_machine(name), ["job", "namespace", "container"].contains(&name))
    };
    let mut telling: Vec<&LabelUse> = labels.iter().filter(splits).collect();
    telling.sort_by_key(last);
    telling
}

/// Labels that every one of these metrics has with the same single value.
pub(crate) fn common(metrics: &[Vec<LabelUse>]) -> Vec<(Untrusted, Untrusted)> {
    let mut known = metrics.iter().filter(|labels| !labels.is_empty());
    let Some(first) = known.next() else { return Vec::new() };
    let mut common: Vec<(Untrusted, Untrusted)> =
        first.iter().filter_map(|label| Some((label.name.clone(), label.only_value()?.clone()))).collect();
    let mut others = 0;
    for labels in known {
        others += 1;
        common.retain(|(name, value)| {
            labels.iter().any(|label| label.name == *name && label.only_value() == Some(value))
        });
    }
    if others == 0 { Vec::new() } else { common }
}

#[cfg(test)]
mod tests {
    use contract::Context;
    use jiff::Timestamp;

    use super::*;

    fn rows(rows: &[(&[(&str, &str)], f64)]) -> Vec<(Labels, f64)> {
        let cx = Context::for_test(Timestamp::UNIX_EPOCH);
        let labels = |pairs: &[(&str, &str)]| {
            Labels::new(pairs.iter().map(|(n, v)| (cx.intake.text(n), cx.intake.text(v))))
        };
        rows.iter().map(|(pairs, count)| (labels(pairs), *count)).collect()
    }

    fn text(text: &str) -> Untrusted {
        Context::for_test(Timestamp::UNIX_EPOCH).intake.text(text)
    }

    fn requests() -> BTreeMap<String, Use> {
        sum_up(&rows(&[
            (&[("__name__", "r"), ("code", "200"), ("service", "cart"), ("instance", "a")], 3.0),
            (&[("__name__", "r"), ("code", "500"), ("service", "cart"), ("instance", "b")], 1.0),
            (
                &[("__name__", "r"), ("code", "500"), ("service", "cart"), ("instance", "b"), ("zone", "n")],
                2.0,
            ),
            (&[("__name__", "up"), ("instance", "b"), ("service", "cart")], 1.0),
            (&[("code", "500")], 9.0),
        ]))
    }

    #[test]
    fn series_and_values_are_summed_up_by_name() {
        let uses = requests();
        assert_eq!(uses["r"].series, 6);
        let shown: Vec<(String, usize)> = labels_of(&[text("r")], &uses, &[text("pod")])
            .iter()
            .map(|label| (label.name.inside().to_owned(), label.count()))
            .collect();
        let expected = [("code", 2), ("instance", 2), ("service", 1), ("zone", 1), ("pod", 0)];
        assert_eq!(shown, expected.map(|(name, count)| (name.to_owned(), count)));
    }

    #[test]
    fn an_example_is_split_by_what_tells_most() {
        let uses = requests();
        let labels = labels_of(&[text("r")], &uses, &[]);
        let names = |fixed: &[&str]| {
            telling(&labels, fixed).iter().map(|label| label.name.inside().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["code", "instance"], "one value splits nothing");
        assert_eq!(names(&["code"]), ["instance"]);
    }

    #[test]
    fn what_all_have_in_common_is_said_once() {
        let uses = requests();
        let [r, up] = ["r", "up"].map(|name| labels_of(&[text(name)], &uses, &[]));
        let pairs = |metrics: &[Vec<LabelUse>]| {
            common(metrics).iter().map(|(n, v)| format!("{}={}", n.inside(), v.inside())).collect::<Vec<_>>()
        };
        assert_eq!(pairs(&[r.clone(), up.clone()]), ["service=cart"]);
        assert!(pairs(std::slice::from_ref(&up)).is_empty(), "one metric has nothing in common with others");
        assert_eq!(pairs(&[up.clone(), Vec::new(), up]), ["service=cart", "instance=b"]);
    }
}
