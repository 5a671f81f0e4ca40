//! Functions that make one value into another, whatever the other series are.

use crate::eval::{Evaluation, Grid};
use crate::functions::Moment;
use crate::plan::{Change, Scalar, Vector};
use crate::track::{Track, mapped};
use crate::value::EvalError;

/// Each value changed; the metric's name goes.
pub(crate) fn changed(
    evaluation: &Evaluation<'_>,
    change: &Change,
    of: &Vector,
    grid: Grid,
) -> Result<Vec<Track>, EvalError> {
    let parameter = |scalar: &Scalar| evaluation.scalar(scalar, grid);
    match change {
        Change::Negate => mapped(evaluation.vector(of, grid)?, |value, _| Some(-value)),
        Change::Math(function) => mapped(evaluation.vector(of, grid)?, |value, _| Some(function(value))),
        Change::Date(part) => {
            mapped(evaluation.vector(of, grid)?, |value, _| Some(part(&Moment::of(value)) as f64))
        }
        Change::Timestamp => {
            mapped(evaluation.vector(of, grid)?, |_, step| Some(grid.at(step) as f64 / 1_000.0))
        }
        Change::Round(to) => {
            let to = parameter(to)?;
            mapped(evaluation.vector(of, grid)?, |value, step| Some(rounded(value, *to.get(step as usize)?)))
        }
        Change::Clamp { low, high } => {
            let (low, high) = (parameter(low)?, parameter(high)?);
            mapped(evaluation.vector(of, grid)?, |value, step| {
                clamped(value, *low.get(step as usize)?, *high.get(step as usize)?)
            })
        }
    }
}

/// The nearest multiple, the higher one of two.
fn rounded(value: f64, multiple_of: f64) -> f64 {
    // Dividing by the inverse loses fewer digits: 0.1 is not exact, 10 is.
    let inverse = 1.0 / multiple_of;
    (value * inverse + 0.5).floor() / inverse
}

/// The value within the bounds, or nothing if there is nothing within them.
fn clamped(value: f64, low: f64, high: f64) -> Option<f64> {
    if high < low { None } else { Some(greater(low, lesser(high, value))) }
}

/// The greater of two numbers; NaN if either is, except that nothing exceeds +∞.
fn greater(one: f64, other: f64) -> f64 {
    if one == f64::INFINITY || other == f64::INFINITY {
        f64::INFINITY
    } else if one.is_nan() || other.is_nan() {
        f64::NAN
    } else {
        one.max(other)
    }
}

fn lesser(one: f64, other: f64) -> f64 {
    -greater(-one, -other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_to_the_nearest_multiple_and_halves_up() {
        assert_eq!(rounded(2.5, 1.0), 3.0);
        assert_eq!(rounded(-2.5, 1.0), -2.0);
        assert_eq!(rounded(0.26, 0.1), 0.3);
        assert_eq!(rounded(14.0, 10.0), 10.0);
    }

    #[test]
    fn values_are_kept_within_their_bounds() {
        assert_eq!(clamped(5.0, 1.0, 3.0), Some(3.0));
        assert_eq!(clamped(-5.0, 1.0, 3.0), Some(1.0));
        assert_eq!(clamped(2.0, 3.0, 1.0), None);
        assert_eq!(clamped(f64::NAN, 1.0, f64::INFINITY).map(f64::is_nan), Some(true));
        assert_eq!(clamped(5.0, f64::NAN, 3.0).map(f64::is_nan), Some(true));
    }
}
