//! The expressions are written by hand from the documentation of Prometheus' querying functions
//! (<https://prometheus.io/docs/prometheus/latest/querying/functions/>,
//! <https://prometheus.io/docs/practices/histograms/>).

use contract::{Context, Untrusted};
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::{
    analysis::{promql, search::families},
    model::{Metadata, MetricKind},
};

/// What is asked, which series there are, what targets tell; the subject's form and its measures in total.
fn check(query: &str, names: &[&str], told: &[(&str, MetricKind)], kind: &str, expected: &[(&str, &str)]) {
    let subject = subject(query, names, told);
    assert_eq!(subject.kind, kind, "{query}");
    let measures = subject.measures(Grouping::Total, 120);
    let got: Vec<(&str, &str)> = measures.iter().map(|one| (one.name, one.promql.as_str())).collect();
    assert_eq!(got, expected, "{query}");
    for measure in measures {
        assert!(promql_parser::parser::parse(&measure.promql).is_ok(), "{}", measure.promql);
    }
}

fn subject(query: &str, names: &[&str], told: &[(&str, MetricKind)]) -> Subject {
    let cx = Context::for_test(Timestamp::UNIX_EPOCH);
    let text = |text: &str| cx.intake.text(text);
    let names: Vec<Untrusted> = names.iter().map(|name| text(name)).collect();
    let told: Vec<Metadata> = (told.iter())
        .map(|(metric, kind)| Metadata { metric: text(metric), kind: *kind, unit: text(""), help: text("") })
        .collect();
    let reading = promql::read(query).unwrap();
    let parsed = bare(&reading).unwrap();
    let families = families::group(&names, &told, text);
    form_of(parsed, &families).or_else(|| Subject::by_name(parsed)).unwrap()
}

#[test]
fn the_type_decides_what_is_asked() {
    use MetricKind::{Counter, Gauge, Histogram, Summary};

    check("reads", &["reads"], &[("reads", Counter)], "counter", &[("rate", "sum(rate(reads[120s]))")]);
    check("up", &["up"], &[("up", Gauge)], "gauge", &[("value", "sum(up)")]);
    // A gauge stays one, whatever its name says.
    check(
        "queue_total",
        &["queue_total"],
        &[("queue_total", Gauge)],
        "gauge",
        &[("value", "sum(queue_total)")],
    );
    // OpenMetrics: the metric is `reads`, its series are called `reads_total`.
    check(
        "reads",
        &["reads_total"],
        &[("reads", Counter)],
        "counter",
        &[("rate", "sum(rate(reads_total[120s]))")],
    );
    let classic = [
        ("p50", "histogram_quantile(0.5, sum by (le) (rate(wait_seconds_bucket[120s])))"),
        ("p95", "histogram_quantile(0.95, sum by (le) (rate(wait_seconds_bucket[120s])))"),
        ("p99", "histogram_quantile(0.99, sum by (le) (rate(wait_seconds_bucket[120s])))"),
        ("rate", "sum(rate(wait_seconds_count[120s]))"),
    ];
    let parts = ["wait_seconds_bucket", "wait_seconds_count", "wait_seconds_sum"];
    let histogram = [("wait_seconds", Histogram)];
    check("wait_seconds", &parts, &histogram, "histogram (classic)", &classic);
    check("wait_seconds_bucket", &parts, &[], "histogram (classic), inferred", &classic);
    let native = [
        ("p50", "histogram_quantile(0.5, sum(rate(wait_seconds[120s])))"),
        ("p95", "histogram_quantile(0.95, sum(rate(wait_seconds[120s])))"),
        ("p99", "histogram_quantile(0.99, sum(rate(wait_seconds[120s])))"),
        ("rate", "histogram_count(sum(rate(wait_seconds[120s])))"),
    ];
    check("wait_seconds", &["wait_seconds"], &histogram, "histogram (native)", &native);
    let both = ["wait_seconds", "wait_seconds_bucket", "wait_seconds_count", "wait_seconds_sum"];
    check("wait_seconds", &both, &histogram, "histogram (classic, native)", &native);
    check("wait_seconds_bucket", &both, &histogram, "histogram (classic, native)", &classic);
    check(
        "gc_seconds",
        &["gc_seconds", "gc_seconds_count", "gc_seconds_sum"],
        &[("gc_seconds", Summary)],
        "summary",
        &[("quantiles", "max by (quantile) (gc_seconds)"), ("rate", "sum(rate(gc_seconds_count[120s]))")],
    );
    check(
        "gc_seconds",
        &["gc_seconds_count", "gc_seconds_sum"],
        &[],
        "summary (no quantiles), inferred",
        &[
            ("mean", "sum(rate(gc_seconds_sum[120s])) / sum(rate(gc_seconds_count[120s]))"),
            ("rate", "sum(rate(gc_seconds_count[120s]))"),
        ],
    );
}

#[test]
fn a_part_of_a_histogram_is_a_counter() {
    let parts = ["wait_seconds_bucket", "wait_seconds_count", "wait_seconds_sum"];
    let rate = |name: &str| format!("sum(rate({name}[120s]))");
    for part in ["wait_seconds_count", "wait_seconds_sum"] {
        check(part, &parts, &[], "part of a histogram (classic), inferred", &[("rate", &rate(part))]);
    }
    let one = "wait_seconds_bucket{le=\"0.5\"}";
    check(one, &parts, &[], "bucket of a histogram (classic), inferred", &[("rate", &rate(one))]);
}

#[test]
fn without_any_word_of_a_target_the_name_decides() {
    check("reads_total", &[], &[], "counter, by its name", &[("rate", "sum(rate(reads_total[120s]))")]);
    check("temperature_celsius", &[], &[], "gauge, by its name", &[("value", "avg(temperature_celsius)")]);
    check(
        "{\"queue.age\", x=\"1\"}",
        &[],
        &[],
        "gauge, by its name",
        &[("value", "avg({\"queue.age\", x=\"1\"})")],
    );
}

#[test]
fn matchers_go_wherever_the_metric_goes_and_divisions_keep_the_buckets() {
    let parts = ["wait_seconds_bucket", "wait_seconds_count", "wait_seconds_sum"];
    let subject = subject("wait_seconds{service=~\"a|b\", code!=\"\"}", &parts, &[]);
    let by = ["route".to_owned(), "k8s.pod".to_owned()];
    let measures = subject.measures(Grouping::By(&by), 60);
    assert_eq!(
        measures[1].promql,
        "histogram_quantile(0.95, sum by (le, route, \"k8s.pod\") \
         (rate(wait_seconds_bucket{service=~\"a|b\", code!=\"\"}[60s])))"
    );
    let each = subject.measures(Grouping::Each, 60);
    assert_eq!(each[3].promql, "rate(wait_seconds_count{service=~\"a|b\", code!=\"\"}[60s])");
    assert_eq!(
        subject.sums(Grouping::By(&by[..1]), 60).unwrap().sum,
        "sum by (route) (rate(wait_seconds_sum{service=~\"a|b\", code!=\"\"}[60s]))"
    );
}

#[test]
fn only_a_selector_alone_is_transformed() {
    let is_bare = |query: &str| bare(&promql::read(query).unwrap()).is_some();
    for query in ["up", "(up)", "up{job=\"a\"}", "{__name__=\"up\"}", "{\"queue.age\"}"] {
        assert!(is_bare(query), "{query}");
    }
    for query in
        ["rate(up[5m])", "sum(up)", "up + 1", "up offset 5m", "up @ 0", "up[5m]", "{job=\"a\"}", "-up", "1"]
    {
        assert!(!is_bare(query), "{query}");
    }
}

#[test]
fn sums_counts_and_rates_add_up_and_means_and_quantiles_do_not() {
    let adds = |query: &str| adds_up(&promql_parser::parser::parse(query).unwrap());
    for query in [
        "sum by (a) (x)",
        "rate(x[5m])",
        "(sum(rate(x[5m])) + sum(y)) * 60",
        "topk(3, sum by (a) (x))",
        "sum(x) or sum(y)",
        "increase(x[1h]) > 3",
        "queue_length",
        "avg_over_time(queue_length[1h])",
        "last_over_time(queue_length[1h])",
        "delta(queue_length[1h])",
        "avg_over_time(sum(queue_length)[1h:1m])",
        "job:requests:rate5m",
        "system",
    ] {
        assert!(adds(query), "{query}");
    }
    for query in [
        "avg(x)",
        "sum(x) / sum(y)",
        "histogram_quantile(0.9, rate(x_bucket[5m]))",
        "max by (a) (x)",
        "x_ratio",
        "100 * (1 - avg(rate(x[5m])))",
        "time() - x",
        "max_over_time(queue_length[1h])",
        "min_over_time(queue_length[1h])",
        "quantile_over_time(0.9, queue_length[1h])",
        "stddev_over_time(queue_length[1h])",
        "sum_over_time(x_ratio[1h])",
        "request_size_max",
        "instance:load:max5m",
        "job:latency:p99",
        "queue_length:avg_over_time1h",
        "jvm_gc_pause_seconds_max",
    ] {
        assert!(!adds(query), "{query}");
    }
}

proptest! {
    #[test]
    fn whatever_a_matcher_holds_stays_a_value(value in "\\PC{0,20}|[\"\\\\\n{}()]{0,8}", label in "[a-z.é ]{1,6}") {
        let subject = Subject {
            metric: "wait.seconds".to_owned(),
            matchers: vec![(label, MatchOp::Equal, value.clone())],
            form: Form::Counter,
            kind: String::new(),
        };
        let measures = subject.measures(Grouping::Total, 60);
        let tree = promql_parser::parser::parse(&measures[0].promql).unwrap();
        let found = promql::selectors(&tree);
        prop_assert_eq!(found.len(), 1);
        let matchers = promql::matchers_of(found[0].selector);
        prop_assert!(matchers.iter().any(|(_, _, held)| *held == value), "{}", measures[0].promql);
    }
}
