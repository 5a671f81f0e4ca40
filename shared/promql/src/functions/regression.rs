//! The straight line through the samples of a window.

use super::RangeFunction;
use crate::kahan::Sum;
use crate::window::{Window, seconds};

/// Each by its name.
pub(super) const FUNCTIONS: &[(&str, RangeFunction)] = &[("deriv", |window, _| {
    let (first, ..) = window.ends()?;
    Some(line(window, first.time).slope)
})];

/// `predict_linear`: the line's value a number of seconds after the step.
pub(super) fn predict(window: &Window<'_>, ahead: f64) -> Option<f64> {
    window.ends()?;
    let line = line(window, window.step);
    Some(line.slope * ahead + line.intercept)
}

struct Line {
    /// Each second.
    slope: f64,
    /// The value at the time that counts as zero.
    intercept: f64,
}

/// The line of least squares.
fn line(window: &Window<'_>, zero: i64) -> Line {
    let (mut x_sum, mut y_sum, mut xy_sum, mut xx_sum) =
        (Sum::default(), Sum::default(), Sum::default(), Sum::default());
    for (time, y) in window.timestamps.iter().zip(window.values) {
        let x = seconds(zero, *time);
        x_sum = x_sum.plus(x);
        y_sum = y_sum.plus(*y);
        xy_sum = xy_sum.plus(x * y);
        xx_sum = xx_sum.plus(x * x);
    }
    if let Some(level) = constant(window.values) {
        let flat = Line { slope: 0.0, intercept: level };
        return if level.is_infinite() { Line { slope: f64::NAN, intercept: f64::NAN } } else { flat };
    }
    let count = window.values.len() as f64;
    let (x, y) = (x_sum.total(), y_sum.total());
    let covariance = xy_sum.total() - x * y / count;
    let variance = xx_sum.total() - x * x / count;
    let slope = covariance / variance;
    Line { slope, intercept: y / count - slope * x / count }
}

/// The value that all values are, if they are all the same.
fn constant(values: &[f64]) -> Option<f64> {
    let (first, rest) = values.split_first()?;
    rest.iter().all(|value| value == first).then_some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window<'c>(timestamps: &'c [i64], values: &'c [f64], step: i64) -> Window<'c> {
        Window { timestamps, values, start: 0, end: 100_000, step }
    }

    /// By hand: y = 0, 2, 1, 3 at 0, 10, 20, 30 s has covariance 10, and x has variance 125: 0.08.
    #[test]
    fn the_line_of_least_squares_by_hand() {
        let times = [0, 10_000, 20_000, 30_000];
        let rising = window(&times, &[0.0, 2.0, 1.0, 3.0], 30_000);
        let (_, deriv) = FUNCTIONS[0];
        assert!((deriv(&rising, f64::NAN).unwrap() - 0.08).abs() < 1e-15);
        // The mean is 1.5 at 15 s; 30 s plus 60 s are 75 s later.
        assert!((predict(&rising, 60.0).unwrap() - 7.5).abs() < 1e-13);
        assert_eq!(predict(&window(&times, &[4.0; 4], 30_000), 60.0), Some(4.0));
        assert!(deriv(&window(&times[..2], &[f64::INFINITY; 2], 0), f64::NAN).unwrap().is_nan());
        assert_eq!(deriv(&window(&times[..1], &[1.0], 0), f64::NAN), None);
    }
}
