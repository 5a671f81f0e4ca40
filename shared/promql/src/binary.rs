//! Operators between numbers, and between a vector and a scalar.

use crate::plan::Operator;
use crate::track::{Track, change, gathered};
use crate::value::EvalError;

impl Operator {
    /// Whether it compares, and so filters, instead of computing.
    pub(crate) fn compares(self) -> bool {
        !matches!(
            self,
            Operator::Add
                | Operator::Subtract
                | Operator::Multiply
                | Operator::Divide
                | Operator::Remainder
                | Operator::Power
                | Operator::Atan2
        )
    }
}

/// Two numbers to one; a comparison gives 1 or 0.
pub(crate) fn number(operator: Operator, left: f64, right: f64) -> f64 {
    match element(operator, left, right) {
        (_, kept) if operator.compares() => f64::from(kept),
        (value, _) => value,
    }
}

/// Two elements of vectors to one, and whether a comparison keeps it: the left one.
pub(crate) fn element(operator: Operator, left: f64, right: f64) -> (f64, bool) {
    match operator {
        Operator::Add => (left + right, true),
        Operator::Subtract => (left - right, true),
        Operator::Multiply => (left * right, true),
        Operator::Divide => (left / right, true),
        Operator::Remainder => (left % right, true),
        Operator::Power => (left.powf(right), true),
        Operator::Atan2 => (left.atan2(right), true),
        Operator::Equal => (left, left == right),
        Operator::NotEqual => (left, left != right),
        Operator::Greater => (left, left > right),
        Operator::Less => (left, left < right),
        Operator::GreaterOrEqual => (left, left >= right),
        Operator::LessOrEqual => (left, left <= right),
    }
}

/// An operator between each element and the scalar of its step. A comparison keeps the element itself.
pub(crate) fn with_scalar(
    mut tracks: Vec<Track>,
    scalar: &[f64],
    operator: Operator,
    bool: bool,
    scalar_first: bool,
) -> Result<Vec<Track>, EvalError> {
    for track in &mut tracks {
        change(track, |value, step| {
            let other = *scalar.get(step as usize)?;
            let (left, right) = if scalar_first { (other, value) } else { (value, other) };
            if bool {
                return Some(number(operator, left, right));
            }
            let (result, kept) = element(operator, left, right);
            kept.then_some(if operator.compares() { value } else { result })
        });
        if bool || !operator.compares() {
            track.labels = track.labels.without_metadata();
        }
    }
    gathered(tracks)
}
