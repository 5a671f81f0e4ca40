use contract::{Context, Untrusted};
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::{
    analysis::search::families::group,
    model::{Metadata, MetricKind},
};

fn text(text: &str) -> Untrusted {
    Context::for_test(Timestamp::UNIX_EPOCH).intake.text(text)
}

/// The first metric made of these names, of this type.
fn family(names: &[&str], metric: &str, kind: MetricKind) -> Family {
    let names: Vec<Untrusted> = names.iter().map(|name| text(name)).collect();
    let metadata = [Metadata { metric: text(metric), kind, unit: text(""), help: text("") }];
    group(&names, &metadata, text).remove(0)
}

fn labels(labels: &[(&str, &[&str])]) -> Vec<LabelUse> {
    let values = |values: &[&str]| Some(values.iter().map(|value| text(value)).collect());
    labels.iter().map(|(name, some)| LabelUse { name: text(name), values: values(some) }).collect()
}

fn written(family: &Family, labels: &[LabelUse], matchers: &[(&str, MatchOp, &str)]) -> String {
    let query = example(&Subject { family, labels, matchers, gone: &[] });
    if let Err(problem) = promql_parser::parser::parse(&query) {
        panic!("{query}: {problem}");
    }
    query
}

const CODES: (&str, &[&str]) = ("code", &["200", "500"]);
const PODS: (&str, &[&str]) = ("pod", &["a", "b"]);

#[test]
fn each_type_has_its_query() {
    let by_code = labels(&[CODES, PODS]);
    let cases = [
        (family(&["r_total"], "r", MetricKind::Counter), "sum by (code) (rate(r_total[5m]))"),
        (
            family(&["h_bucket", "h_count", "h_sum"], "h", MetricKind::Histogram),
            "histogram_quantile(0.95, sum by (le) (rate(h_bucket[5m])))",
        ),
        (family(&["h"], "h", MetricKind::Histogram), "histogram_quantile(0.95, sum(rate(h[5m])))"),
        (
            family(&["h", "h_bucket", "h_count", "h_sum"], "h", MetricKind::Histogram),
            "histogram_quantile(0.95, sum(rate(h[5m])))",
        ),
        (
            family(&["h_count", "h_sum"], "h", MetricKind::Histogram),
            "sum(rate(h_sum[5m])) / sum(rate(h_count[5m]))",
        ),
        (
            family(&["b_bucket", "b_gcount"], "b", MetricKind::GaugeHistogram),
            "histogram_quantile(0.95, sum by (le) (b_bucket))",
        ),
        (family(&["queue_depth"], "queue_depth", MetricKind::Gauge), "max by (code) (queue_depth)"),
        (family(&["hit_ratio"], "hit_ratio", MetricKind::Gauge), "avg by (code) (hit_ratio)"),
        (family(&["door"], "door", MetricKind::StateSet), "max by (code) (door)"),
        (family(&["job:r:rate5m"], "job:r:rate5m", MetricKind::Unknown), "max by (code) (job:r:rate5m)"),
        (family(&["build_info"], "build_info", MetricKind::Gauge), "group by (code) (build_info)"),
    ];
    for (family, expected) in cases {
        assert_eq!(written(&family, &by_code, &[]), expected);
    }
}

#[test]
fn where_nothing_tells_series_apart_the_query_does_not_split() {
    let counter = family(&["r_total"], "r", MetricKind::Counter);
    assert_eq!(written(&counter, &[], &[]), "sum(rate(r_total[5m]))");
    assert_eq!(written(&counter, &labels(&[("code", &["200"])]), &[]), "sum(rate(r_total[5m]))");
    let many: Vec<String> = (0..60).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(written(&counter, &labels(&[("user", &many), PODS]), &[]), "sum by (pod) (rate(r_total[5m]))");
    let info = family(&["build_info"], "build_info", MetricKind::Gauge);
    assert_eq!(written(&info, &[], &[]), "group(build_info)");
    let one =
        labels(&[("service", &["a"]), ("version", &["1.5.0"]), ("job", &["load"]), ("instance", &["a:1"])]);
    assert_eq!(written(&info, &one, &[]), "group by (version, service) (build_info)");
    assert_eq!(written(&info, &labels(&[PODS]), &[]), "group by (pod) (build_info)");
}

#[test]
fn a_matcher_narrows_every_selector_and_its_label_splits_nothing() {
    let service = [("service", MatchOp::Equal, "a \"b\"")];
    let services = labels(&[("service", &["a \"b\"", "c"]), CODES]);
    let counter = family(&["r_total"], "r", MetricKind::Counter);
    assert_eq!(
        written(&counter, &services, &service),
        r#"sum by (code) (rate(r_total{service="a \"b\""}[5m]))"#
    );
    let totals = family(&["h_count", "h_sum"], "h", MetricKind::Summary);
    assert_eq!(
        written(&totals, &services, &service),
        r#"sum(rate(h_sum{service="a \"b\""}[5m])) / sum(rate(h_count{service="a \"b\""}[5m]))"#
    );
    // Several values may match a regular expression, so that the label still tells them apart.
    let pods = [("pod", MatchOp::Regex, "a-.*")];
    assert_eq!(
        written(&counter, &labels(&[PODS]), &pods),
        r#"sum by (pod) (rate(r_total{pod=~"a-.*"}[5m]))"#
    );
}

#[test]
fn a_summary_is_asked_for_a_quantile_it_has() {
    let summary = family(&["s", "s_count", "s_sum"], "s", MetricKind::Summary);
    let has = |values: &[&str]| written(&summary, &labels(&[("quantile", values)]), &[]);
    assert_eq!(has(&["0.5", "0.9", "0.99"]), r#"s{quantile="0.99"}"#);
    assert_eq!(
        has(&["0", "0.25", "0.5", "0.75", "1"]),
        r#"s{quantile="0.75"}"#,
        "go_gc_duration_seconds has these"
    );
    assert_eq!(has(&["0.999", "1"]), r#"s{quantile="0.999"}"#);
    assert_eq!(has(&["NaN"]), "sum(rate(s_sum[5m])) / sum(rate(s_count[5m]))");
    assert_eq!(written(&summary, &[], &[]), r#"s{quantile="0.99"}"#);
}

#[test]
fn names_that_need_quotes_have_them() {
    let gauge = family(&["queue.oldest.message.age"], "queue.oldest.message.age", MetricKind::Gauge);
    let by_queue = labels(&[("queue.name", &["emails", "images"])]);
    assert_eq!(written(&gauge, &by_queue, &[]), r#"max by ("queue.name") ({"queue.oldest.message.age"})"#);
    let keyword = family(&["sum"], "sum", MetricKind::Counter);
    assert_eq!(written(&keyword, &[], &[]), r#"sum(rate({__name__="sum"}[5m]))"#);
}

#[test]
fn native_buckets_that_are_gone_leave_the_classic_ones() {
    let both = family(&["h", "h_bucket", "h_count", "h_sum"], "h", MetricKind::Histogram);
    let subject = Subject { family: &both, labels: &[], matchers: &[], gone: &["h"] };
    assert_eq!(example(&subject), "histogram_quantile(0.95, sum by (le) (rate(h_bucket[5m])))");
}

proptest! {
    #[test]
    fn every_example_parses_whatever_the_names_are(
        name in "[a-z:_.é\" \\\\{}]{1,12}",
        label in "[a-zé._\"\\\\-]{1,8}",
        value in "\\PC{0,12}",
        kind in proptest::sample::select(vec![
            MetricKind::Counter, MetricKind::Gauge, MetricKind::Histogram, MetricKind::Summary, MetricKind::Unknown,
            MetricKind::Info, MetricKind::GaugeHistogram, MetricKind::StateSet,
        ]),
    ) {
        let family = family(&[&name], &name, kind);
        let known = labels(&[(&label, &[&value, "other"])]);
        written(&family, &known, &[("service", MatchOp::Equal, &value)]);
    }
}
