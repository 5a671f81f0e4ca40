//! From what was read to signals.

use super::{
    super::{
        native::{self, NativeReading},
        reading::{classic_quantile, increases, rate},
        signals::{Kind, Read, is_failure, signals},
    },
    *,
};
use crate::model::{Bounds, Bucket, Histogram};

/// Kinds by the endings of the names in these tests.
fn kind(name: &str) -> Kind {
    match name {
        name if name.ends_with("_total") => Kind::Counter,
        name if name.ends_with("_sum") => Kind::Sum,
        name if name.ends_with("_count") => Kind::Count,
        name if name.ends_with("_bucket") => Kind::Bucket,
        _ => Kind::Gauge,
    }
}

fn found(all: &[Signal], metric: &str, what: What) -> Vec<f64> {
    let one = all.iter().find(|signal| signal.metric == metric && signal.what == what);
    one.unwrap_or_else(|| panic!("{metric} {what:?} is not among {all:?}")).values.clone()
}

#[test]
fn a_counter_that_fell_or_changed_its_parts_did_not_grow_by_the_difference() {
    // 100 → 110 is 10; 110 → 30 is a restart; 30 → 40 is 10; then a second replica comes with 500.
    let grown = increases(&[100.0, 110.0, 30.0, 40.0, 540.0, 560.0], &[1.0, 1.0, 1.0, 1.0, 2.0, 2.0]);
    assert!(grown[0].is_nan() && grown[2].is_nan() && grown[4].is_nan(), "{grown:?}");
    assert_eq!((grown[1], grown[3], grown[5]), (10.0, 10.0, 20.0));
}

#[test]
fn a_rate_is_the_mean_of_the_known_increases_and_a_gap_when_most_are_unknown() {
    // Steps of 10 s, two at a time: (10 + 20) ÷ 2 ÷ 10 = 1.5; one of two unknown: 30 ÷ 10 = 3.
    let rates = rate(&[10.0, 20.0, GAP, 30.0, GAP, GAP], 2, 10.0);
    assert_eq!(&rates[1..5], [1.5, 2.0, 3.0, 3.0]);
    assert!(rates[5].is_nan());
}

/// rank = 0.95 × 10 = 9.5, in the bucket (0.5, 1] that holds the observations 8 to 10: 0.5 + 0.5 × 1.5 ÷ 2 = 0.875.
#[test]
fn a_quantile_of_buckets_is_interpolated_as_in_promql() {
    let buckets = [(0.1, 5.0), (0.5, 8.0), (1.0, 10.0), (f64::INFINITY, 10.0)];
    assert_eq!(classic_quantile(0.95, &buckets), Some(0.875));
    assert_eq!(classic_quantile(0.5, &buckets), Some(0.1));
    let beyond = [(0.1, 5.0), (f64::INFINITY, 10.0)];
    assert_eq!(classic_quantile(0.95, &beyond), Some(0.1), "the last finite boundary");
    assert_eq!(classic_quantile(0.95, &[(0.1, 0.0), (f64::INFINITY, 0.0)]), None);
    assert_eq!(classic_quantile(0.95, &[(0.1, 5.0)]), None, "without +Inf the total is not known");
}

/// 6 requests a step of 15 s in all, 3 of them failing from the sixth step on; the failing series is there only then.
#[test]
fn failures_are_a_share_of_all_even_before_there_are_any() {
    let steps = 0..12;
    let good = steps.clone().map(|step| f64::from(6 * step - 3 * (step - 5).max(0))).collect();
    let bad: Vec<f64> = steps.map(|step| if step < 5 { GAP } else { f64::from(3 * (step - 5)) }).collect();
    let ones = |values: &[f64]| values.iter().map(|value| value * 0.0 + 1.0).collect::<Vec<f64>>();
    let read = Read {
        counts: vec![
            reading("r_total", &[("code", "200")], vec![1.0; 12]),
            reading("r_total", &[("code", "503")], ones(&bad)),
        ],
        sums: vec![reading("r_total", &[("code", "200")], good), reading("r_total", &[("code", "503")], bad)],
        ..Read::default()
    };
    let all = signals(&read, kind, PACE);
    let failing = found(&all, "r_total", What::FailureShare);
    assert_eq!((failing[4], failing[11]), (0.0, 0.5));
    let total = found(&all, "r_total", What::PerSecond);
    // 6 requests in 15 s.
    assert!((total[4] - 0.4).abs() < 1e-9 && (total[11] - 0.4).abs() < 1e-9, "{total:?}");
    let share = all.iter().find(|signal| signal.what == What::FailureShare).unwrap();
    assert_eq!(
        (share.tags.get("code").map(String::as_str), share.failing.as_deref()),
        (Some("503"), Some("code"))
    );
}

/// 4 observations a step; a sum that grows by 2 a step is a mean of 0.5 s, by 8 a step 2 s.
#[test]
fn a_histogram_is_its_mean_and_its_rate() {
    let sum: Vec<f64> = (0..12)
        .map(|step| if step < 6 { 2.0 * f64::from(step) } else { 12.0 + 8.0 * f64::from(step - 6) })
        .collect();
    let count: Vec<f64> = (0..12).map(|step| 4.0 * f64::from(step)).collect();
    let read = Read {
        counts: ["d_sum", "d_count"].map(|name| reading(name, &[], vec![1.0; 12])).to_vec(),
        sums: vec![reading("d_sum", &[], sum), reading("d_count", &[], count)],
        ..Read::default()
    };
    let all = signals(&read, kind, PACE);
    let mean = found(&all, "d", What::Mean);
    assert_eq!((mean[5], mean[11]), (0.5, 2.0));
    assert_eq!(found(&all, "d_count", What::PerSecond)[11], 4.0 / 15.0);
    assert!(!all.iter().any(|signal| signal.metric == "d_sum"), "a sum alone says nothing");
}

#[test]
fn a_native_histogram_gives_what_its_classic_form_gives() {
    // Each step: 3 observations in (1, 2] and 1 in (2, 4], which add up to 8.
    let bucket = |left: f64, right: f64, count: f64| Bucket { bounds: Bounds::LeftOpen, left, right, count };
    let at = |step: f64| Histogram {
        count: 4.0 * step,
        sum: 8.0 * step,
        buckets: vec![bucket(1.0, 2.0, 3.0 * step), bucket(2.0, 4.0, step)],
    };
    let mut values: Vec<Option<Histogram>> = (1..13).map(|step| Some(at(f64::from(step)))).collect();
    // A restart: the counts begin anew.
    values.extend((1..8).map(|step| Some(at(f64::from(step)))));
    let one = NativeReading { name: "d".to_owned(), tags: Tags::new(), values };
    let all = native::signals(&[one], PACE);
    let (rate, mean, p95) =
        (found(&all, "d", What::PerSecond), found(&all, "d", What::Mean), found(&all, "d", What::P95));
    assert_eq!((rate[11], mean[11]), (16.0 / 60.0, 2.0));
    assert!((2.0..=4.0).contains(&p95[11]), "{}", p95[11]);
    assert!(rate[3].is_nan() && rate[13].is_nan(), "before there are four steps, and across the restart");
    assert_eq!(mean[18], 2.0);
}

#[test]
fn a_gauge_that_only_rises_is_judged_by_how_fast_it_rises() {
    let rising: Vec<f64> = (0..40).map(|step| 1e9 + 15.0 * f64::from(step)).collect();
    let read = Read { gauges: vec![reading("last_success", &[], rising)], ..Read::default() };
    let all = signals(&read, kind, PACE);
    assert_eq!(found(&all, "last_success", What::PerSecond)[39], 1.0);
}

#[test]
fn values_say_failure_as_the_conventions_do() {
    for (label, value) in [
        ("code", "503"),
        ("http_response_status_code", "500"),
        ("outcome", "SERVER_ERROR"),
        ("grpc_code", "Unavailable"),
        ("rpc_grpc_status_code", "14"),
        ("error_type", "timeout"),
        ("result", "error"),
    ] {
        assert!(is_failure(label, value), "{label}={value}");
    }
    for (label, value) in [
        ("code", "200"),
        ("code", "404"),
        ("grpc_code", "NotFound"),
        ("code", "5"),
        ("status", "14"),
        ("error_type", ""),
    ] {
        assert!(!is_failure(label, value), "{label}={value}");
    }
}
