//! Which alerts are about a service.

use contract::{Untrusted, nearest};

use super::OneAlert;
use crate::model::Labels;

/// Labels whose value may be the service, in the order in which they are believed.
const NAMES: [&str; 18] = [
    "service",
    "service_name",
    "app",
    "application",
    "app_kubernetes_io_name",
    "component",
    "deployment",
    "statefulset",
    "daemonset",
    "workload",
    "job_name",
    "job",
    "container",
    "pod",
    "namespace",
    "instance",
    "host",
    "node",
];

/// How a label fits a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// It is the service.
    Exact,
    /// It begins with the service, as names of pods and addresses do, or ends with it after a slash.
    Part,
}

/// The label that makes these labels be about `service`: an exact value first, else a part of one.
pub(crate) fn matched(labels: &Labels, service: &str) -> Option<(Fit, &'static str)> {
    let fits = NAMES.iter().filter_map(|&name| Some((fit(labels.get(name)?.inside(), service)?, name)));
    // `min_by_key` keeps the first of equals.
    fits.min_by_key(|(fit, _)| *fit)
}

fn fit(value: &str, service: &str) -> Option<Fit> {
    if value == service {
        return Some(Fit::Exact);
    }
    let begins = value.strip_prefix(service).is_some_and(|rest| rest.starts_with(['-', '.', ':']));
    // Kubernetes' own scrape jobs are called `namespace/name`.
    let ends = value.rsplit_once('/').is_some_and(|(_, last)| last == service);
    (begins || ends).then_some(Fit::Part)
}

/// The values of such labels that are most like `service`, at most five.
pub(crate) fn alike<'a>(alerts: &'a [OneAlert<'_>], service: &str) -> Vec<&'a Untrusted> {
    let values: Vec<&Untrusted> =
        alerts.iter().flat_map(|alert| NAMES.iter().filter_map(|name| alert.labels.get(name))).collect();
    let names = nearest(service, values.iter().map(|value| value.inside()), 5);
    names.iter().filter_map(|name| values.iter().find(|value| value.inside() == *name).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::alerts::tests::{labels, one_alert};

    #[test]
    fn an_exact_value_is_believed_before_a_part_of_one() {
        for (text, found) in [
            ("service=checkout,job=payment", Some((Fit::Exact, "job"))),
            ("service=payment,job=payment", Some((Fit::Exact, "service"))),
            ("pod=payment-6d9f-x2x4p,namespace=shop", Some((Fit::Part, "pod"))),
            ("pod=payment-6d9f-x2x4p,namespace=payment", Some((Fit::Exact, "namespace"))),
            ("instance=payment:8080", Some((Fit::Part, "instance"))),
            ("instance=payment.shop.svc:8080", Some((Fit::Part, "instance"))),
            ("job=shop/payment", Some((Fit::Part, "job"))),
            ("job=payments", None),
            ("queue=payment", None),
            ("service=", None),
        ] {
            assert_eq!(matched(&labels(text), "payment"), found, "{text}");
        }
    }

    #[test]
    fn what_is_alike_is_offered_once() {
        let all = [one_alert("service=checkout,job=load", None), one_alert("service=checkout", None)];
        let alike: Vec<&str> = alike(&all, "chekout").iter().map(|value| value.inside()).collect();
        assert_eq!(alike, ["checkout"]);
    }
}
