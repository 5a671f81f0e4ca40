//! Every function with a closed definition against `tables/table.json`, which numpy, scipy and exact fractions
//! wrote (`tables/make.py`).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use serde::Deserialize;
use serde_json::Value;
use signal::{departure_at_resolution, iqr, mad, median, onset, onset_against, quantile, shape, summary};

#[derive(Deserialize)]
struct Tables {
    statistics: Vec<StatisticsCase>,
    departures: Vec<DepartureCase>,
    onsets: Vec<OnsetCase>,
    shapes: Vec<ShapeCase>,
}

#[derive(Deserialize)]
struct StatisticsCase {
    name: String,
    values: Vec<Value>,
    expected: Option<Statistics>,
}

#[derive(Deserialize)]
struct Statistics {
    quantiles: Vec<(f64, f64)>,
    median: f64,
    iqr: f64,
    mad: f64,
    count: usize,
    first: f64,
    last: f64,
    min: f64,
    min_at: usize,
    max: f64,
    max_at: usize,
    mean: f64,
}

#[derive(Deserialize)]
struct DepartureCase {
    name: String,
    values: Vec<Value>,
    baseline: Vec<Value>,
    resolution: f64,
    expected: Option<ExpectedDeparture>,
}

#[derive(Deserialize)]
struct ExpectedDeparture {
    score: f64,
    direction: String,
    at: usize,
}

#[derive(Deserialize)]
struct OnsetCase {
    name: String,
    values: Vec<Value>,
    baseline_len: usize,
    expected: Option<usize>,
}

#[derive(Deserialize)]
struct ShapeCase {
    name: String,
    values: Vec<Value>,
    buckets: usize,
    expected: String,
}

fn tables() -> Tables {
    serde_json::from_str(include_str!("tables/table.json")).unwrap()
}

/// JSON has no word for NaN and infinities, so the table spells them.
fn numbers(values: &[Value]) -> Vec<f64> {
    values
        .iter()
        .map(|value| match value {
            Value::String(word) => word.parse().unwrap(),
            number => number.as_f64().unwrap(),
        })
        .collect()
}

#[track_caller]
fn assert_close(got: Option<f64>, expected: f64, what: &str) {
    let got = got.unwrap();
    assert!((got - expected).abs() <= 1e-9 * expected.abs(), "{what}: {got} instead of {expected}");
}

#[test]
fn order_statistics_and_summaries_agree_with_numpy_and_scipy() {
    let cases = tables().statistics;
    assert!(cases.len() >= 30, "{} cases", cases.len());
    for StatisticsCase { name, values, expected } in cases {
        let values = numbers(&values);
        let Some(expected) = expected else {
            assert_eq!((median(&values), iqr(&values), mad(&values)), (None, None, None), "{name}");
            assert_eq!((quantile(&values, 0.9), summary(&values)), (None, None), "{name}");
            continue;
        };

        for (q, at_q) in expected.quantiles {
            assert_close(quantile(&values, q), at_q, &format!("{name}, quantile {q}"));
        }
        assert_close(median(&values), expected.median, &name);
        assert_close(iqr(&values), expected.iqr, &name);
        assert_close(mad(&values), expected.mad, &name);

        let got = summary(&values).unwrap();
        assert_eq!(
            (got.count, got.first, got.last),
            (expected.count, expected.first, expected.last),
            "{name}"
        );
        assert_eq!((got.min, got.min_at), (expected.min, expected.min_at), "{name}");
        assert_eq!((got.max, got.max_at), (expected.max, expected.max_at), "{name}");
        assert_close(Some(got.mean), expected.mean, &format!("{name}, mean"));
        assert_close(Some(got.median), expected.median, &format!("{name}, median"));
    }
}

#[test]
fn departures_agree_with_the_definition_in_numpy() {
    let cases = tables().departures;
    assert!(cases.len() >= 20, "{} cases", cases.len());
    for DepartureCase { name, values, baseline, resolution, expected } in cases {
        let got = departure_at_resolution(&numbers(&values), &numbers(&baseline), resolution);
        let Some(expected) = expected else {
            assert_eq!(got, None, "{name}");
            continue;
        };
        assert_close(got.map(|got| got.score), expected.score, &name);
        assert_eq!(format!("{:?}", got.unwrap().direction), expected.direction, "{name}");
        assert_eq!(got.unwrap().at, expected.at, "{name}");
    }
}

#[test]
fn onsets_agree_with_the_definition_in_numpy() {
    let cases = tables().onsets;
    assert!(cases.len() >= 15, "{} cases", cases.len());
    for OnsetCase { name, values, baseline_len, expected } in cases {
        let values = numbers(&values);
        assert_eq!(onset(&values, baseline_len), expected, "{name}");

        let Some((baseline, rest)) = values.split_at_checked(baseline_len) else { continue };
        let Some(yardstick) = signal::Yardstick::of(baseline, 0.0) else { continue };
        let expected = expected.map(|at| at - baseline_len);
        assert_eq!(onset_against(rest, &yardstick), expected, "{name}, baseline apart");
    }
}

#[test]
fn shapes_agree_with_exact_fractions() {
    let cases = tables().shapes;
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for ShapeCase { name, values, buckets, expected } in cases {
        assert_eq!(shape(&numbers(&values), buckets), expected, "{name} in {buckets}");
    }
}
