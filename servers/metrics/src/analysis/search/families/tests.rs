use contract::Context;
use jiff::Timestamp;

use super::*;

fn families(names: &[&str], metadata: &[(&str, MetricKind, &str, &str)]) -> Vec<Family> {
    let cx = Context::for_test(Timestamp::UNIX_EPOCH);
    let names: Vec<Untrusted> = names.iter().map(|name| cx.intake.text(name)).collect();
    let metadata: Vec<Metadata> = metadata
        .iter()
        .map(|(metric, kind, unit, help)| Metadata {
            metric: cx.intake.text(metric),
            kind: *kind,
            unit: cx.intake.text(unit),
            help: cx.intake.text(help),
        })
        .collect();
    group(&names, &metadata, |name| cx.intake.text(name))
}

/// Name, type and number of member names of each.
fn sketch(families: &[Family]) -> Vec<String> {
    let one =
        |family: &Family| format!("{} | {} | {}", family.name.inside(), family.kind, family.members.len());
    families.iter().map(one).collect()
}

#[test]
fn parts_collapse_into_the_metric_that_was_told() {
    let found = families(
        &[
            "http_requests_total",
            "http_requests_created",
            "lat_seconds",
            "lat_seconds_bucket",
            "lat_seconds_count",
            "lat_seconds_sum",
            "gc_seconds",
            "gc_seconds_count",
            "gc_seconds_sum",
            "plain_total",
            "native_seconds",
            "target_info",
            "tail_seconds_count",
            "tail_seconds_sum",
        ],
        &[
            ("http_requests", MetricKind::Counter, "", "Requests served."),
            ("lat_seconds", MetricKind::Histogram, "", ""),
            ("gc_seconds", MetricKind::Summary, "", ""),
            ("plain_total", MetricKind::Counter, "", ""),
            ("native_seconds", MetricKind::Histogram, "", ""),
            ("target", MetricKind::Info, "", ""),
            ("tail_seconds", MetricKind::Summary, "", ""),
        ],
    );
    assert_eq!(
        sketch(&found),
        [
            "gc_seconds | summary | 3",
            "http_requests_total | counter | 2",
            "lat_seconds | histogram (classic, native) | 4",
            "native_seconds | histogram (native) | 1",
            "plain_total | counter | 1",
            "tail_seconds | summary (no quantiles) | 2",
            "target_info | info | 1",
        ]
    );
    assert_eq!(found[1].help.as_ref().map(|help| help.inside()), Some("Requests served."));
    assert_eq!(found[2].part("_bucket").map(|name| name.inside()), Some("lat_seconds_bucket"));
    assert_eq!(found[4].part("_total"), None, "its key has the ending already");
}

#[test]
fn without_metadata_types_are_inferred_and_said_to_be() {
    let found = families(
        &[
            "a_bucket",
            "a_count",
            "a_sum",
            "b",
            "b_count",
            "b_sum",
            "c_count",
            "c_sum",
            "d_total",
            "e_info",
            "f:rate5m",
            "g",
            "h_count",
            "i_total",
            "i_created",
        ],
        &[],
    );
    assert_eq!(
        sketch(&found),
        [
            "a | histogram (classic), inferred | 3",
            "b | summary, inferred | 3",
            "c | summary (no quantiles), inferred | 2",
            "d_total | counter, inferred | 1",
            "e_info | info, inferred | 1",
            "f:rate5m | recording rule, inferred | 1",
            "g | gauge, inferred | 1",
            "h_count | gauge, inferred | 1",
            "i_total | counter, inferred | 2",
        ]
    );
}

#[test]
fn a_metric_that_was_told_keeps_its_own_name() {
    // `process_count` is a gauge of its own although a histogram `process` exists.
    let found = families(
        &["process_bucket", "process_count", "process_sum", "gauge_sum"],
        &[
            ("process", MetricKind::Histogram, "", ""),
            ("process_count", MetricKind::Gauge, "", ""),
            ("gauge", MetricKind::Gauge, "", ""),
        ],
    );
    assert_eq!(
        sketch(&found),
        ["gauge_sum | gauge, inferred | 1", "process | histogram (classic) | 2", "process_count | gauge | 1"]
    );
}

#[test]
fn of_targets_that_disagree_the_first_counts_and_it_is_said() {
    let found = families(
        &["x"],
        &[
            ("x", MetricKind::Unknown, "", ""),
            ("x", MetricKind::Gauge, "", "One."),
            ("x", MetricKind::Counter, "bytes", "Two."),
        ],
    );
    assert_eq!(sketch(&found), ["x | gauge | 1"]);
    assert!(found[0].disputed);
    let texts =
        [&found[0].unit, &found[0].help].map(|text| text.as_ref().map(|text| text.inside().to_owned()));
    assert_eq!(texts, [Some("bytes".to_owned()), Some("One.".to_owned())]);
}

#[test]
fn units_are_read_from_names() {
    let unit = |name: &str| families(&[name], &[])[0].unit_in_name();
    assert_eq!(unit("process_cpu_seconds_total"), Some("seconds"));
    assert_eq!(unit("request_size_bytes_bucket"), Some("bytes"));
    assert_eq!(unit("cache_hit_ratio"), Some("ratio"));
    assert_eq!(unit("system.memory.bytes"), Some("bytes"));
    assert_eq!(unit("queue_depth"), None);
    assert_eq!(unit("build_seconds_info"), None);
}

#[test]
fn what_is_learned_later_replaces_what_was_inferred() {
    let mut found = families(&["lat", "up"], &[]);
    let cx = Context::for_test(Timestamp::UNIX_EPOCH);
    let [metric, unit, help] = ["lat", "seconds", "Latency."].map(|text| cx.intake.text(text));
    found[0].learn(&[Metadata { metric, kind: MetricKind::Histogram, unit, help }]);
    assert_eq!(sketch(&found), ["lat | histogram (native) | 1", "up | gauge, inferred | 1"]);
    assert!(found[0].told);
}
