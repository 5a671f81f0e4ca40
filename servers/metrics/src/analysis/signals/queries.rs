//! The PromQL of the golden signals of a convention.

use super::{
    catalogue::{Matching, Unit},
    detect::{Form, Found},
};
use crate::{
    analysis::promql,
    model::{MatchOp, label_name, selector},
};

/// A condition, in the words of `selector`.
pub(crate) type Condition = (String, MatchOp, String);

/// What is measured of requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Signal {
    /// Failed requests, in percent of all.
    Errors,
    /// A quantile of how long requests took, in seconds.
    Quantile(f64),
    /// The mean of how long requests took, in seconds.
    Mean,
    /// Requests a second.
    Traffic,
}

impl Signal {
    /// As answers call it.
    pub(crate) fn name(self) -> String {
        match self {
            Signal::Errors => "errors".to_owned(),
            Signal::Quantile(q) => format!("latency p{}", percent(q)),
            Signal::Mean => "latency mean".to_owned(),
            Signal::Traffic => "traffic".to_owned(),
        }
    }

    /// The unit of its values.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Signal::Errors => "% of requests",
            Signal::Quantile(_) | Signal::Mean => "s",
            Signal::Traffic => "requests/s",
        }
    }

    /// Whether it says how long requests took.
    pub(crate) fn is_latency(self) -> bool {
        matches!(self, Signal::Quantile(_) | Signal::Mean)
    }
}

/// `0.95` → `95`, `0.999` → `99.9`.
fn percent(q: f64) -> String {
    contract::significant(q * 100.0)
}

/// Which series of a convention are meant, and over how long rates are taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measure {
    pub(crate) found: Found,
    /// What all series must meet.
    pub(crate) conditions: Vec<Condition>,
    /// Which requests failed; `None` where no label tells it.
    pub(crate) error: Option<Matching>,
    /// The quantiles of a summary, ascending.
    pub(crate) quantiles: Vec<f64>,
    /// In seconds.
    pub(crate) window: u64,
}

impl Measure {
    /// What can be measured, the worst news first.
    pub(crate) fn signals(&self) -> Vec<Signal> {
        let mut signals = Vec::new();
        if self.error.is_some() || self.found.failed.is_some() {
            signals.push(Signal::Errors);
        }
        match &self.found.latency {
            None => {}
            Some((_, Form::Mean)) => signals.push(Signal::Mean),
            Some((_, Form::Summary)) => {
                // The one nearest to p95, rather above.
                let high = |q: &&f64| (0.9..1.0).contains(*q);
                let distance = |q: &f64| if *q >= 0.95 { q - 0.95 } else { 1.0 + 0.95 - q };
                let best =
                    self.quantiles.iter().filter(high).min_by(|a, b| distance(a).total_cmp(&distance(b)));
                signals.extend(best.map(|q| Signal::Quantile(*q)));
                signals.push(Signal::Mean);
            }
            Some(_) => signals.extend([Signal::Quantile(0.95), Signal::Quantile(0.5)]),
        }
        signals.push(Signal::Traffic);
        signals
    }

    /// The expression of a signal, one series for each combination of the labels `by`. `None` where it can't be
    /// measured.
    pub(crate) fn promql(&self, signal: Signal, by: &[&str]) -> Option<String> {
        match signal {
            Signal::Traffic => Some(format!("sum{}({})", grouping(by), self.requests(None))),
            Signal::Errors => {
                let (group, all) = (grouping(by), self.requests(None));
                let failed = self.failures()?;
                // Where nothing failed there may be no series of failures; where nothing was asked there is no share.
                Some(format!("100 * (sum{group}({failed}) or 0 * sum{group}({all})) / sum{group}({all})"))
            }
            Signal::Quantile(q) => self.quantile(q, by),
            Signal::Mean => {
                let (name, _) = self.found.latency.as_ref()?;
                let group = grouping(by);
                let rate = |suffix| self.rate(&format!("{name}{suffix}"), None);
                let mean = format!("sum{group}({}) / sum{group}({})", rate("_sum"), rate("_count"));
                Some(self.in_seconds(mean))
            }
        }
    }

    /// Failed requests a second; `None` where no label tells them.
    pub(crate) fn failures(&self) -> Option<String> {
        match (&self.found.failed, &self.error) {
            (Some(counter), _) => Some(self.rate(counter, None)),
            (None, Some(error)) => Some(self.requests(Some(error))),
            (None, None) => None,
        }
    }

    /// Failed requests a second of many services that may use different ones of these labels: 0 where a service's
    /// series have one of them and none failed, nothing where they have none. `None` where no label is there.
    pub(crate) fn failures_of_all(&self, errors: &[&Matching], by: &[&str]) -> Option<String> {
        let group = grouping(by);
        if let Some(counter) = &self.found.failed {
            let (failed, all) = (self.rate(counter, None), self.requests(None));
            return Some(format!("sum{group}({failed}) or 0 * sum{group}({all})"));
        }
        let counted = self.found.counted();
        let each = errors.iter().map(|error| {
            let there = (error.label.clone(), MatchOp::NotEqual, String::new());
            let (failed, there) = (self.requests(Some(error)), self.select(&counted, Some(&there)));
            format!("sum{group}({failed}) or 0 * count{group}({there})")
        });
        let each: Vec<String> = each.collect();
        (!each.is_empty()).then(|| each.join(" or "))
    }

    fn quantile(&self, q: f64, by: &[&str]) -> Option<String> {
        let (name, form) = self.found.latency.as_ref()?;
        let promql = match form {
            Form::Native => {
                format!("histogram_quantile({q}, sum{}({}))", grouping(by), self.rate(name, None))
            }
            Form::Classic | Form::Mixed => {
                let mut with_bounds = vec!["le"];
                with_bounds.extend(by);
                let rate = self.rate(&format!("{name}_bucket"), None);
                format!("histogram_quantile({q}, sum{}({rate}))", grouping(&with_bounds))
            }
            Form::Summary => {
                // Written as the program may: 0.5 or 0.50.
                let pattern = format!("{q}0*").replace('.', "\\.");
                let quantile = ("quantile".to_owned(), MatchOp::Regex, pattern);
                format!("max{}({})", grouping(by), self.select(name, Some(&quantile)))
            }
            Form::Mean => return None,
        };
        Some(self.in_seconds(promql))
    }

    /// The requests a second of each series, perhaps only failed ones.
    fn requests(&self, failed: Option<&Matching>) -> String {
        let failed = failed.map(|one| (one.label.clone(), MatchOp::Regex, one.matching.clone()));
        let rate = self.rate(&self.found.counted(), failed.as_ref());
        match (&self.found.requests, &self.found.latency) {
            (None, Some((_, Form::Native))) => format!("histogram_count({rate})"),
            _ => rate,
        }
    }

    fn rate(&self, metric: &str, more: Option<&Condition>) -> String {
        format!("rate({}[{}])", self.select(metric, more), contract::duration_text(self.window as f64))
    }

    /// The series of a metric that are meant.
    pub(crate) fn select(&self, metric: &str, more: Option<&Condition>) -> String {
        let all = self.conditions.iter().chain(more);
        let all: Vec<_> = all.map(|(label, op, value)| (label.as_str(), *op, value.as_str())).collect();
        selector(Some(metric), &all)
    }

    fn in_seconds(&self, promql: String) -> String {
        match self.found.convention.unit {
            Unit::Seconds => promql,
            Unit::Milliseconds if promql.contains(") / sum") => format!("({promql}) / 1000"),
            Unit::Milliseconds => format!("{promql} / 1000"),
        }
    }
}

/// ` by (le, route) `, nothing without labels.
pub(crate) fn grouping(by: &[&str]) -> String {
    if by.is_empty() {
        return String::new();
    }
    let names: Vec<String> = by.iter().map(|name| label_name(name)).collect();
    format!(" by ({}) ", names.join(", "))
}

/// Several expressions as one, each of whose series carries the key of its expression in the label `signal`.
pub(crate) fn union(parts: &[(String, String)]) -> String {
    promql::union("signal", parts)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{catalogue::Catalogue, detect::detect};
    use super::*;

    fn measure(names: &[&str]) -> Measure {
        let catalogue = Catalogue::with(&[], &[]).unwrap();
        let names: BTreeSet<&str> = names.iter().copied().collect();
        let found = detect(catalogue.conventions.iter(), &names).remove(0);
        let error = found.convention.errors.first().cloned();
        let conditions = vec![("service".to_owned(), MatchOp::Equal, "checkout".to_owned())];
        Measure { found, conditions, error, quantiles: vec![0.5, 0.9, 0.99], window: 120 }
    }

    fn promql(measure: &Measure, by: &[&str]) -> Vec<String> {
        let all: Vec<String> =
            measure.signals().into_iter().filter_map(|signal| measure.promql(signal, by)).collect();
        for one in &all {
            assert!(promql_parser::parser::parse(one).is_ok(), "{one}");
        }
        all
    }

    #[test]
    fn a_classic_histogram_tells_all_four() {
        let base = "http_server_request_duration_seconds";
        let measure = measure(&[&format!("{base}_bucket"), &format!("{base}_count")]);
        let all = format!(r#"rate({base}_count{{service="checkout"}}[2m])"#);
        let failed =
            format!(r#"rate({base}_count{{service="checkout", http_response_status_code=~"5.."}}[2m])"#);
        let buckets = format!(r#"rate({base}_bucket{{service="checkout"}}[2m])"#);
        assert_eq!(
            promql(&measure, &[]),
            [
                format!("100 * (sum({failed}) or 0 * sum({all})) / sum({all})"),
                format!("histogram_quantile(0.95, sum by (le) ({buckets}))"),
                format!("histogram_quantile(0.5, sum by (le) ({buckets}))"),
                format!("sum({all})"),
            ]
        );
        assert_eq!(
            promql(&measure, &["http_route"])[1],
            format!("histogram_quantile(0.95, sum by (le, http_route) ({buckets}))")
        );
    }

    #[test]
    fn a_native_histogram_is_counted_and_asked_under_its_bare_name() {
        let measure = measure(&["http.server.request.duration"]);
        let series = r#"rate({"http.server.request.duration", service="checkout"}[2m])"#;
        let all = promql(&measure, &[]);
        assert_eq!(all[1], format!("histogram_quantile(0.95, sum({series}))"));
        assert_eq!(all[3], format!("sum(histogram_count({series}))"));
    }

    #[test]
    fn milliseconds_become_seconds() {
        let measure = measure(&["istio_requests_total", "istio_request_duration_milliseconds_bucket"]);
        assert!(promql(&measure, &[])[1].ends_with(
            "(rate(istio_request_duration_milliseconds_bucket{service=\"checkout\"}[2m]))) / 1000"
        ));
        let measure = self::measure(&[
            "rpc_server_duration_milliseconds_count",
            "rpc_server_duration_milliseconds_sum",
        ]);
        let all = promql(&measure, &[]);
        let rate =
            |end| format!(r#"sum(rate(rpc_server_duration_milliseconds_{end}{{service="checkout"}}[2m]))"#);
        assert_eq!(all[1], format!("({} / {}) / 1000", rate("sum"), rate("count")));
    }

    #[test]
    fn of_a_summary_the_slowest_series_and_the_mean_are_told() {
        let base = "http_server_requests_seconds";
        let measure = measure(&[base, &format!("{base}_count"), &format!("{base}_sum")]);
        // 0.99 is nearer to 0.95 from above than 0.9 from below.
        assert_eq!(
            measure.signals(),
            [Signal::Errors, Signal::Quantile(0.99), Signal::Mean, Signal::Traffic]
        );
        assert_eq!(
            promql(&measure, &[])[1],
            r#"max(http_server_requests_seconds{service="checkout", quantile=~"0\\.990*"})"#
        );
    }

    #[test]
    fn failures_counted_apart_are_used() {
        let measure =
            measure(&["traces_service_graph_request_total", "traces_service_graph_request_failed_total"]);
        assert!(
            promql(&measure, &[])[0]
                .starts_with("100 * (sum(rate(traces_service_graph_request_failed_total{")
        );
    }

    #[test]
    fn of_many_services_none_failed_is_zero_only_where_a_label_tells_failures() {
        let measure = measure(&["http_requests_total", "http_request_duration_seconds_bucket"]);
        let errors: Vec<&Matching> = measure.found.convention.errors.iter().take(2).collect();
        let query = measure.failures_of_all(&errors, &["service"]).unwrap();
        assert!(promql_parser::parser::parse(&query).is_ok(), "{query}");
        let of = |label: &str| {
            let series = |op: &str, value: &str| {
                format!(r#"http_requests_total{{service="checkout", {label}{op}"{value}"}}"#)
            };
            let (failed, there) = (series("=~", "5..|5xx"), series("!=", ""));
            format!("sum by (service) (rate({failed}[2m])) or 0 * count by (service) ({there})")
        };
        assert_eq!(query, format!("{} or {}", of("code"), of("status")));
        assert_eq!(measure.failures_of_all(&[], &["service"]), None);
    }

    #[test]
    fn a_union_tells_its_parts_apart() {
        let parts = [("a".to_owned(), "sum(x)".to_owned()), ("b".to_owned(), "sum(y)".to_owned())];
        let union = union(&parts);
        assert!(promql_parser::parser::parse(&union).is_ok());
        assert_eq!(
            union,
            r#"label_replace(sum(x), "signal", "a", "", "") or label_replace(sum(y), "signal", "b", "", "")"#
        );
    }
}
