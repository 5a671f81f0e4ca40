//! How far values depart from a baseline, in units of the baseline's own spread.

use crate::quantile::{NORMAL_SPREAD_PER_IQR, distance, finite, iqr_of_finite, quantile_of_finite};

/// The smallest scale of a baseline, as a share of its |median|: a series as steady as a line still has to
/// move by 1 % to score 1.
pub const MEDIAN_FLOOR: f64 = 0.01;

/// The score of a change from nothing, or to nothing: what a steady series scores when it falls to zero or
/// doubles (|median| ÷ 1 % of |median|).
pub const CHANGE_FROM_NOTHING: f64 = 100.0;

/// No score is greater. It is reached only where a baseline is almost nothing beside the value.
pub const MAX_SCORE: f64 = 1e6;

/// Which way a series went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// It did not move at all.
    Flat,
    /// It rose.
    Up,
    /// It fell.
    Down,
    /// It had no samples at first.
    Appeared,
    /// Its samples stopped.
    Vanished,
}

impl Direction {
    pub(crate) fn between(from: f64, to: f64) -> Self {
        if to > from {
            Self::Up
        } else if to < from {
            Self::Down
        } else {
            Self::Flat
        }
    }
}

/// Where a baseline lies, and how long one step away from it is. Made by [`Yardstick::of`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Yardstick {
    /// The median of the baseline, in its unit.
    pub center: f64,
    /// The length of one step, in the baseline's unit; see [`Yardstick::of`]. Zero only for a baseline of
    /// nothing but zeros without a resolution.
    pub scale: f64,
    ceiling: f64,
}

impl Yardstick {
    /// Measures a baseline. Values that are not finite are ignored; `None` without a finite value.
    ///
    /// The scale is the largest of
    /// - 0.7413 × the interquartile range (the standard deviation, if the baseline were normal),
    /// - 1 % of |median| ([`MEDIAN_FLOOR`]),
    /// - `resolution`: the smallest difference that means anything, in the values' unit (for example one
    ///   event a window). 0 when none is known, and scores then do not depend on the unit; a negative or
    ///   non-finite resolution counts as 0.
    ///
    /// All three are zero when the median and both quartiles are. Then the scale is the root mean square of
    /// the baseline (0 when nothing in it differs from zero), and scores end at [`CHANGE_FROM_NOTHING`], which is also the
    /// score of whatever is not zero against a baseline of nothing but zeros: `0 0 0 0` → 5 scores 100,
    /// a steady 5 scores 0, in any unit.
    pub fn of(baseline: &[f64], resolution: f64) -> Option<Self> {
        let mut finite = finite(baseline);
        let center = quantile_of_finite(&mut finite, 0.5)?;
        let floored = floored_scale(iqr_of_finite(&mut finite)?, center, resolution);
        let stand_in = if floored > 0.0 { 0.0 } else { root_mean_square(&finite, center) };
        Some(Self::new(center, floored, stand_in))
    }

    /// A yardstick whose scale is `floored` (from [`floored_scale`]), but not less than `at_least`.
    pub(crate) fn new(center: f64, floored: f64, at_least: f64) -> Self {
        let ceiling = if floored > 0.0 { MAX_SCORE } else { CHANGE_FROM_NOTHING };
        Self { center, scale: floored.max(at_least), ceiling }
    }

    /// How many steps `value` lies above (positive) or below (negative) the center. Never infinite, at most
    /// [`MAX_SCORE`] either way. `None` when the value is not finite.
    pub fn robust_z(&self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        Some(self.score_of_distance(distance(value, self.center)).copysign(value - self.center))
    }

    /// How many steps a distance in the baseline's unit is. Expects a finite distance that is not negative.
    pub(crate) fn score_of_distance(&self, distance: f64) -> f64 {
        // A distance of zero comes first, because it may be zero steps of length zero.
        if distance == 0.0 { 0.0 } else { (distance / self.scale).min(self.ceiling) }
    }
}

/// The interquartile range as a standard deviation, not less than 1 % of |center| and the resolution.
pub(crate) fn floored_scale(iqr: f64, center: f64, resolution: f64) -> f64 {
    let scale = (NORMAL_SPREAD_PER_IQR * iqr).max(MEDIAN_FLOOR * center.abs());
    scale.max(usable_resolution(resolution))
}

/// 0 for a resolution that means nothing: negative, NaN or infinite.
pub(crate) fn usable_resolution(resolution: f64) -> f64 {
    if resolution.is_finite() { resolution.max(0.0) } else { 0.0 }
}

/// The root of the mean squared distance from `center`; 0 without values. Safe for tiny and huge values.
pub(crate) fn root_mean_square(values: &[f64], center: f64) -> f64 {
    let largest = values.iter().fold(0.0, |most: f64, value| most.max(distance(*value, center)));
    if largest == 0.0 {
        return 0.0;
    }
    let squares = values.iter().map(|value| (distance(*value, center) / largest).powi(2));
    largest * (squares.sum::<f64>() / values.len() as f64).sqrt()
}

/// The value farthest from a baseline, and how far it is. Made by [`departure`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Departure {
    /// Distance from the baseline's median, in steps of [`Yardstick::of`]; 0 to [`MAX_SCORE`].
    pub score: f64,
    /// [`Direction::Up`] or [`Direction::Down`]; [`Direction::Flat`] when no value differs from the median.
    pub direction: Direction,
    /// Where the farthest value is (the first of equals): an index of `values`, gaps included.
    pub at: usize,
}

/// How far the farthest of `values` departs from the median of `baseline`, in steps of [`Yardstick::of`]
/// without a resolution, so the score does not depend on the unit.
///
/// Values that are not finite are ignored. `None` when either side has no finite value: that a series
/// vanished is not a distance.
pub fn departure(values: &[f64], baseline: &[f64]) -> Option<Departure> {
    departure_at_resolution(values, baseline, 0.0)
}

/// As [`departure`], with the smallest difference that means anything, in the values' unit
/// (see [`Yardstick::of`]).
pub fn departure_at_resolution(values: &[f64], baseline: &[f64], resolution: f64) -> Option<Departure> {
    let yardstick = Yardstick::of(baseline, resolution)?;
    let (at, value) = farthest(values, yardstick.center)?;
    Some(Departure {
        score: yardstick.score_of_distance(distance(value, yardstick.center)),
        direction: Direction::between(yardstick.center, value),
        at,
    })
}

/// The finite value farthest from `center`, the first of equals, and its index.
pub(crate) fn farthest(values: &[f64], center: f64) -> Option<(usize, f64)> {
    let mut farthest: Option<(usize, f64)> = None;
    for (at, &value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        if farthest.is_none_or(|(_, best)| distance(value, center) > distance(best, center)) {
            farthest = Some((at, value));
        }
    }
    farthest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_then_five_outranks_a_steady_five_in_any_unit() {
        let change = |unit: f64| departure(&[5.0 * unit], &[0.0; 4]).unwrap().score;
        let steady = |unit: f64| departure(&[5.0 * unit], &[5.0 * unit; 4]).unwrap().score;
        for unit in [1e-300, 1e-9, 1.0, 1e300] {
            assert_eq!((change(unit), steady(unit)), (100.0, 0.0), "in {unit}");
        }
    }

    #[test]
    fn a_robust_z_has_its_sign_and_a_gap_has_none() {
        // Median 10, quartiles 9 and 11: a step is 0.7413 × 2.
        let yardstick = Yardstick::of(&[8.0, 9.0, 10.0, 11.0, 12.0, f64::NAN], 0.0).unwrap();
        assert_eq!((yardstick.center, yardstick.scale), (10.0, 1.4826));
        assert_eq!(yardstick.robust_z(17.0), Some(7.0 / 1.4826));
        assert_eq!(yardstick.robust_z(3.0), Some(-7.0 / 1.4826));
        assert_eq!(yardstick.robust_z(10.0), Some(0.0));
        assert_eq!(yardstick.robust_z(f64::INFINITY), None);
    }

    #[test]
    fn a_resolution_that_means_nothing_counts_as_none() {
        for resolution in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let got = departure_at_resolution(&[5.0], &[1.0, 2.0, 3.0], resolution);
            assert_eq!(got, departure(&[5.0], &[1.0, 2.0, 3.0]), "{resolution}");
        }
    }

    #[test]
    fn the_largest_floats_apart_have_a_finite_score() {
        let apart = departure(&[f64::MAX], &[f64::MIN, f64::MIN]).unwrap();
        // The distance ends at MAX, which is 100 times 1 % of |MIN|.
        assert_eq!((apart.score.round(), apart.direction), (100.0, Direction::Up));
        assert_eq!(departure(&[f64::MAX], &[5e-324]).unwrap().score, CHANGE_FROM_NOTHING);
        assert_eq!(departure(&[f64::MAX], &[1e-300]).unwrap().score, MAX_SCORE);
    }
}
