//! Statistics of the samples of a window.

use super::RangeFunction;
use crate::kahan::{Mean, Sum};
use crate::window::Window;

/// Each by its name.
pub(super) const FUNCTIONS: &[(&str, RangeFunction)] = &[
    ("avg_over_time", |window, _| average(window.values)),
    ("sum_over_time", |window, _| Some(sum(window.values))),
    ("min_over_time", |window, _| extreme(window.values, |value, least| value < least)),
    ("max_over_time", |window, _| extreme(window.values, |value, greatest| value > greatest)),
    ("count_over_time", |window, _| Some(window.values.len() as f64)),
    ("first_over_time", |window, _| window.values.first().copied()),
    ("last_over_time", |window, _| window.values.last().copied()),
    ("present_over_time", |_, _| Some(1.0)),
    ("stddev_over_time", |window, _| Some(variance(window.values).sqrt())),
    ("stdvar_over_time", |window, _| Some(variance(window.values))),
];

/// `quantile_over_time`
pub(super) fn quantile(window: &Window<'_>, q: f64) -> Option<f64> {
    Some(crate::quantile::quantile(q, &mut window.values.to_vec()))
}

fn average(values: &[f64]) -> Option<f64> {
    let (first, rest) = values.split_first()?;
    let mut mean = Mean::starting_at(*first);
    for value in rest {
        mean.add(*value);
    }
    Some(mean.value())
}

fn sum(values: &[f64]) -> f64 {
    let sum = values.iter().fold(Sum::default(), |sum, value| sum.plus(*value));
    if sum.high.is_infinite() { sum.high } else { sum.total() }
}

/// The value that beats all others; NaN only if there is nothing else.
fn extreme(values: &[f64], beats: fn(f64, f64) -> bool) -> Option<f64> {
    values
        .iter()
        .copied()
        .reduce(|best, value| if beats(value, best) || best.is_nan() { value } else { best })
}

/// The mean square distance from the mean (Welford 1962).
fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut squares, mut count) = (Sum::default(), Sum::default(), 0.0);
    for value in values {
        count += 1.0;
        let distance = value - mean.total();
        mean = mean.plus(distance / count);
        squares = squares.plus(distance * (value - mean.total()));
    }
    squares.total() / count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, values: &[f64]) -> f64 {
        let (_, function) = FUNCTIONS.iter().find(|(known, _)| *known == name).unwrap();
        let timestamps: Vec<i64> = (1..).take(values.len()).collect();
        function(&Window { timestamps: &timestamps, values, start: 0, end: 100, step: 100 }, f64::NAN)
            .unwrap()
    }

    /// 2, 4, 4, 4, 5, 5, 7, 9: the textbook example, mean 5, variance 4.
    #[test]
    fn statistics_of_a_textbook_example() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        for (name, expected) in [
            ("avg_over_time", 5.0),
            ("sum_over_time", 40.0),
            ("min_over_time", 2.0),
            ("max_over_time", 9.0),
            ("count_over_time", 8.0),
            ("first_over_time", 2.0),
            ("last_over_time", 9.0),
            ("present_over_time", 1.0),
            ("stddev_over_time", 2.0),
            ("stdvar_over_time", 4.0),
        ] {
            assert_eq!(value(name, &values), expected, "{name}");
        }
    }

    #[test]
    fn extremes_ignore_what_is_not_a_number_and_sums_do_not() {
        let values = [f64::NAN, 3.0, f64::NAN, 1.0];
        assert_eq!(value("min_over_time", &values), 1.0);
        assert_eq!(value("max_over_time", &values), 3.0);
        assert!(value("sum_over_time", &values).is_nan());
        assert!(value("max_over_time", &[f64::NAN]).is_nan());
        assert_eq!(value("sum_over_time", &[f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(value("stdvar_over_time", &[f64::INFINITY]).is_nan());
    }
}
