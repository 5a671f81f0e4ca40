//! Answers that can be worked out by hand: what counts as current, which samples a range holds, which series match.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

use promql::{EvalError, Labels, Options, Query, Store, Value, evaluate_at, evaluate_over};

/// The NaN that ends a series.
const END: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// Labels, and samples as seconds and value.
type Given<'g> = (&'g [(&'g str, &'g str)], &'g [(i64, f64)]);

fn store(series: &[Given<'_>]) -> Store {
    Store::new(series.iter().map(|(labels, samples)| {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (times, values) = samples.iter().map(|(time, value)| (time * 1_000, *value)).unzip();
        (labels, times, values)
    }))
    .unwrap()
}

fn evaluated(store: &Store, query: &str, at: f64) -> Result<Value, EvalError> {
    evaluate_at(store, &Query::parse(query).unwrap(), (at * 1_000.0) as i64, &Options::default())
}

/// Labels as text and values, sorted.
fn vector(store: &Store, query: &str, at: f64) -> Vec<(String, f64)> {
    let Value::Vector(samples) = evaluated(store, query, at).unwrap() else { panic!("a vector") };
    let mut rows: Vec<(String, f64)> =
        samples.into_iter().map(|sample| (sample.labels.to_string(), sample.value)).collect();
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    rows
}

fn one(store: &Store, query: &str, at: f64) -> Option<f64> {
    let rows = vector(store, query, at);
    assert!(rows.len() <= 1, "{rows:?}");
    rows.first().map(|row| row.1)
}

#[test]
fn a_sample_is_current_for_less_than_five_minutes() {
    let store = store(&[(&[("__name__", "up")], &[(100, 1.0)])]);
    assert_eq!(one(&store, "up", 99.999), None);
    assert_eq!(one(&store, "up", 100.0), Some(1.0));
    assert_eq!(one(&store, "up", 399.999), Some(1.0));
    assert_eq!(one(&store, "up", 400.0), None, "the lookback does not include its start");
    assert_eq!(one(&store, "up offset 1m", 160.0), Some(1.0));
    assert_eq!(one(&store, "up offset -1m", 39.999), None);
    assert_eq!(one(&store, "up offset -1m", 40.0), Some(1.0));
    assert_eq!(one(&store, "up @ 150", 9_999.0), Some(1.0));
}

#[test]
fn a_series_that_ended_is_gone_until_it_goes_on() {
    let store = store(&[(&[("__name__", "up")], &[(10, 1.0), (20, END), (40, 2.0), (50, END)])]);
    for (at, value) in
        [(19.0, Some(1.0)), (20.0, None), (39.0, None), (40.0, Some(2.0)), (50.0, None), (60.0, None)]
    {
        assert_eq!(one(&store, "up", at), value, "at {at}");
    }
    // Markers are no samples of a range, but the samples around them are.
    assert_eq!(one(&store, "count_over_time(up[1m])", 55.0), Some(2.0));
    assert_eq!(one(&store, "last_over_time(up[1m])", 60.0), Some(2.0));
    assert_eq!(one(&store, "absent(up)", 30.0), Some(1.0));
}

#[test]
fn a_range_does_not_include_its_start() {
    let store = store(&[(&[("__name__", "up")], &[(0, 1.0), (30, 2.0), (60, 3.0)])]);
    assert_eq!(one(&store, "count_over_time(up[1m])", 60.0), Some(2.0));
    assert_eq!(one(&store, "count_over_time(up[60001ms])", 60.0), Some(3.0));
    assert_eq!(one(&store, "sum_over_time(up[30s])", 60.0), Some(3.0));
    assert_eq!(one(&store, "count_over_time(up[1m])", 59.999), Some(2.0));
}

/// A subquery's steps are multiples of its resolution: for 1m at 125 s, 60 s and 120 s lie within the last 2m.
#[test]
fn a_subquery_is_evaluated_at_multiples_of_its_resolution() {
    let store = store(&[(&[("__name__", "up")], &[(0, 1.0), (60, 2.0), (120, 3.0)])]);
    assert_eq!(one(&store, "sum_over_time(up[2m:1m])", 125.0), Some(5.0));
    assert_eq!(
        one(&store, "sum_over_time(up[2m:1m])", 120.0),
        Some(5.0),
        "0 s is the start, which does not count"
    );
    assert_eq!(one(&store, "sum_over_time(up[2m:])", 125.0), Some(5.0), "1m unless said otherwise");
    assert_eq!(one(&store, "sum_over_time(up[2m:50s])", 125.0), Some(2.0 + 1.0), "at 50 s and 100 s");
    let Value::Matrix(rows) = evaluated(&store, "up[2m:1m]", 125.0).unwrap() else { panic!("a matrix") };
    assert_eq!(rows[0].timestamps, [60_000, 120_000]);
}

#[test]
fn a_range_query_looks_at_each_step() {
    let store = store(&[(&[("__name__", "up")], &[(10, 1.0), (20, END), (40, 2.0)])]);
    let query = Query::parse("up * 10").unwrap();
    let value = evaluate_over(&store, &query, 0, 59_000, 10_000, &Options::default()).unwrap();
    let Value::Matrix(rows) = value else { panic!("a matrix") };
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].labels, Labels::default());
    assert_eq!(rows[0].timestamps, [10_000, 40_000, 50_000]);
    assert_eq!(rows[0].values, [10.0, 20.0, 20.0]);
}

fn shop() -> Store {
    store(&[
        (&[("__name__", "errors"), ("code", "500"), ("pod", "a")], &[(0, 6.0)]),
        (&[("__name__", "errors"), ("code", "404"), ("pod", "a")], &[(0, 3.0)]),
        (&[("__name__", "errors"), ("code", "500"), ("pod", "b")], &[(0, 10.0)]),
        (&[("__name__", "requests"), ("pod", "a"), ("zone", "eu")], &[(0, 30.0)]),
        (&[("__name__", "requests"), ("pod", "b"), ("zone", "us")], &[(0, 20.0)]),
        (&[("__name__", "requests"), ("pod", "c"), ("zone", "us")], &[(0, 20.0)]),
    ])
}

#[test]
fn series_match_by_the_labels_that_are_named() {
    let store = shop();
    let rows = |query: &str| vector(&store, query, 1.0);
    let row = |labels: &str, value: f64| (labels.to_owned(), value);
    assert_eq!(
        rows("errors{code=\"500\"} / on(pod) requests"),
        [row("{pod=\"a\"}", 0.2), row("{pod=\"b\"}", 0.5)]
    );
    assert_eq!(
        rows("errors / on(pod) group_left requests"),
        [
            row("{code=\"404\", pod=\"a\"}", 0.1),
            row("{code=\"500\", pod=\"a\"}", 0.2),
            row("{code=\"500\", pod=\"b\"}", 0.5)
        ]
    );
    assert_eq!(
        rows("requests < on(pod) group_right(zone) errors * 5"),
        [row("{code=\"500\", pod=\"b\", zone=\"us\"}", 20.0)],
        "the value of the left side, the labels of the right"
    );
    assert_eq!(
        rows("requests > bool on(pod) sum by(pod)(errors) * 3"),
        [row("{pod=\"a\"}", 1.0), row("{pod=\"b\"}", 0.0)]
    );
    assert_eq!(rows("requests unless on(pod) errors"), [row("requests{pod=\"c\", zone=\"us\"}", 20.0)]);
    assert_eq!(rows("errors + requests"), [], "code and zone are nowhere the same");
    assert_eq!(rows("requests and ignoring(zone, code) errors").len(), 2);
    assert_eq!(rows("sum by(zone)(requests)"), [row("{zone=\"eu\"}", 30.0), row("{zone=\"us\"}", 40.0)]);
}

#[test]
fn series_that_do_not_match_one_to_one_are_errors_with_the_series() {
    let store = shop();
    let failure = |query: &str| evaluated(&store, query, 1.0).unwrap_err().to_string();
    assert_eq!(
        failure("requests / on(pod) errors"),
        "more than one series for {pod=\"a\"} on the right side of the operator, for example \
         errors{code=\"404\", pod=\"a\"} and errors{code=\"500\", pod=\"a\"}; matching labels must be unique on one side"
    );
    assert_eq!(
        failure("errors / on(pod) requests"),
        "more than one series for a match with errors{code=\"500\", pod=\"a\"}; use group_left or group_right"
    );
    assert_eq!(
        failure("label_replace(errors, \"code\", \"\", \"\", \"\")"),
        "two series of the result have the same labels errors{pod=\"a\"}"
    );
    assert_eq!(
        failure("rate(errors[5m]) + info(errors)"),
        "the function info() is not available on recorded data; use a live source"
    );
}

#[test]
fn limits_are_errors_that_say_what_to_change() {
    let store = shop();
    let query = Query::parse("sum(errors)").unwrap();
    let over =
        |end, step, options: &Options| evaluate_over(&store, &query, 0, end, step, options).unwrap_err();
    assert_eq!(
        over(11_000_000, 1_000, &Options::default()),
        EvalError::TooManySteps { steps: 11_001, limit: 11_000 }
    );
    assert_eq!(over(-1, 1_000, &Options::default()), EvalError::Range);
    assert_eq!(over(1_000, 0, &Options::default()), EvalError::Range);
    let few = Options { max_samples: 20, ..Options::default() };
    assert_eq!(over(10_000, 1_000, &few), EvalError::TooManySamples { limit: 20 });
    let few = Options { max_reads: 20, ..Options::default() };
    assert_eq!(over(10_000, 1_000, &few), EvalError::TooManyReads { limit: 20 });
    let wrong = Options { lookback_ms: 0, ..Options::default() };
    assert_eq!(over(1_000, 1_000, &wrong), EvalError::Range);
    let ranges = Query::parse("errors[5m]").unwrap();
    assert!(matches!(
        evaluate_over(&store, &ranges, 0, 1_000, 1_000, &Options::default()),
        Err(EvalError::NotOverTime { .. })
    ));
    let fine = Query::parse("count_over_time(vector(1)[1y:1ms])").unwrap();
    assert!(matches!(
        evaluate_at(&store, &fine, 0, &Options::default()),
        Err(EvalError::TooManySamples { .. })
    ));
}
