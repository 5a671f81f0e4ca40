//! What a series was, in nine numbers.

use crate::quantile::median;

/// A series in nine numbers, in the unit of its values. Made by [`summary`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many values are finite; at least 1.
    pub count: usize,
    /// The earliest finite value.
    pub first: f64,
    /// The latest finite value.
    pub last: f64,
    /// The smallest finite value.
    pub min: f64,
    /// Where the smallest value was first reached: an index of the slice summarised, gaps included.
    pub min_at: usize,
    /// The largest finite value.
    pub max: f64,
    /// Where the largest value was first reached: an index of the slice summarised, gaps included.
    pub max_at: usize,
    /// The arithmetic mean of the finite values.
    pub mean: f64,
    /// The median of the finite values.
    pub median: f64,
}

/// Summarises a series. Values that are not finite are ignored; `None` without a finite value.
///
/// The mean is summed with Neumaier's compensation (1974), so that large values which cancel out do not
/// take the small ones with them.
pub fn summary(values: &[f64]) -> Option<Summary> {
    let finite: Vec<(usize, f64)> =
        values.iter().copied().enumerate().filter(|(_, value)| value.is_finite()).collect();
    let (first_at, first) = *finite.first()?;
    let (_, last) = *finite.last()?;

    let (mut min_at, mut min) = (first_at, first);
    let (mut max_at, mut max) = (first_at, first);
    for &(at, value) in &finite {
        if value < min {
            (min_at, min) = (at, value);
        }
        if value > max {
            (max_at, max) = (at, value);
        }
    }

    let mean = mean(finite.iter().map(|(_, value)| *value), finite.len());
    let median = median(values)?;
    Some(Summary { count: finite.len(), first, last, min, min_at, max, max_at, mean, median })
}

fn mean(values: impl Iterator<Item = f64> + Clone, count: usize) -> f64 {
    // Exact for values so large that their sum overflows; no slice is long enough to overflow it again.
    const SMALLER: f64 = 1.0 / (1u128 << 64) as f64;

    let sum = compensated_sum(values.clone());
    if sum.is_finite() {
        sum / count as f64
    } else {
        compensated_sum(values.map(|value| value * SMALLER)) / count as f64 / SMALLER
    }
}

fn compensated_sum(values: impl Iterator<Item = f64>) -> f64 {
    let mut sum = 0.0_f64;
    let mut lost = 0.0_f64;
    for value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    sum + lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_extremes_is_named_and_gaps_keep_their_places() {
        let got = summary(&[f64::NAN, 2.0, 1.0, f64::INFINITY, 1.0, 4.0, 4.0]).unwrap();

        assert_eq!(
            got,
            Summary {
                count: 5,
                first: 2.0,
                last: 4.0,
                min: 1.0,
                min_at: 2,
                max: 4.0,
                max_at: 5,
                mean: 2.4,
                median: 2.0
            }
        );
    }

    #[test]
    fn nothing_finite_has_no_summary() {
        assert_eq!(summary(&[]), None);
        assert_eq!(summary(&[f64::NAN, f64::NEG_INFINITY]), None);
    }

    #[test]
    fn small_values_survive_large_ones_that_cancel_out() {
        // A plain sum gives 0: 1e16 + 1 is 1e16.
        assert_eq!(summary(&[1e16, 3.0, -1e16]).unwrap().mean, 1.0);
    }

    #[test]
    fn the_mean_of_the_largest_floats_is_finite() {
        assert_eq!(summary(&[f64::MAX, f64::MAX, f64::MAX, f64::MAX]).unwrap().mean, f64::MAX);
        assert_eq!(summary(&[f64::MIN, f64::MIN]).unwrap().mean, f64::MIN);
    }
}
