//! How far two windows lie apart, in units of their own spread.

use crate::departure::MAX_SCORE;
use crate::quantile::{NORMAL_SPREAD_PER_IQR, distance, finite, iqr_of_finite, quantile_of_finite};

/// The difference of two windows. Made by [`effect`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// Median of the first window, in its unit.
    pub before: f64,
    /// Median of the second window, in the same unit.
    pub after: f64,
    /// 0.7413 × the pooled interquartile range, in the same unit: the standard deviation within both windows, were
    /// they normal. Zero when most of both is constant.
    pub spread: f64,
    /// (after − before) ÷ spread, at most [`MAX_SCORE`] either way; `None` when the spread is zero, because then
    /// nothing says how much is much.
    pub size: Option<f64>,
}

/// The robust effect size: the difference of the medians in units of the spread within the windows.
///
/// It is Cohen's d with medians for means and 0.7413 × interquartile range for standard deviations. The ranges are
/// pooled as there: √(((n₁−1)·r₁² + (n₂−1)·r₂²) ÷ (n₁+n₂−2)), so the difference itself does not widen the spread.
///
/// Values that are not finite are ignored. `None` when a window has no finite value.
pub fn effect(before: &[f64], after: &[f64]) -> Option<Effect> {
    let (mut first, mut second) = (finite(before), finite(after));
    let (before, after) = (quantile_of_finite(&mut first, 0.5)?, quantile_of_finite(&mut second, 0.5)?);
    let ranges = (iqr_of_finite(&mut first)?, iqr_of_finite(&mut second)?);
    let spread = NORMAL_SPREAD_PER_IQR * pooled(ranges, (first.len() - 1) as f64, (second.len() - 1) as f64);
    let size = (spread > 0.0).then(|| {
        let steps = (distance(after, before) / spread).min(MAX_SCORE);
        if after < before { -steps } else { steps }
    });
    Some(Effect { before, after, spread, size })
}

/// The root of the mean of the squares, weighted by degrees of freedom. Safe for tiny and huge ranges.
fn pooled((first, second): (f64, f64), free_first: f64, free_second: f64) -> f64 {
    let larger = first.max(second);
    let free = free_first + free_second;
    if larger == 0.0 || free == 0.0 {
        return 0.0;
    }
    let squares = free_first * (first / larger).powi(2) + free_second * (second / larger).powi(2);
    larger * (squares / free).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_window_has_no_effect_size_but_a_difference() {
        let got = effect(&[0.0; 5], &[5.0; 5]).unwrap();
        assert_eq!(got, Effect { before: 0.0, after: 5.0, spread: 0.0, size: None });
        assert_eq!(effect(&[1.0], &[2.0]).unwrap().size, None);
    }

    #[test]
    fn the_spread_of_either_window_counts() {
        // Ranges 2 and 0 of five values each: √(4·4 ÷ 8) = √2.
        let got = effect(&[8.0, 9.0, 10.0, 11.0, 12.0], &[20.0; 5]).unwrap();
        assert!((got.spread - 0.7413 * 2f64.sqrt()).abs() < 1e-12, "{got:?}");
        assert!((got.size.unwrap() - 10.0 / (0.7413 * 2f64.sqrt())).abs() < 1e-12, "{got:?}");
    }

    #[test]
    fn gaps_are_no_values_and_nothing_is_none() {
        let gaps = [f64::NAN, f64::INFINITY];
        assert_eq!(effect(&gaps, &[1.0]), None);
        assert_eq!(effect(&[1.0], &[]), None);
        assert_eq!(
            effect(&[1.0, f64::NAN, 3.0], &[5.0, 7.0]),
            effect(&[1.0, 3.0], &[f64::INFINITY, 5.0, 7.0])
        );
    }

    #[test]
    fn the_largest_floats_apart_have_a_finite_effect() {
        let got = effect(&[f64::MIN, f64::MIN, f64::MAX], &[f64::MAX, f64::MAX, f64::MIN]).unwrap();
        assert!(got.spread.is_finite() && got.size.unwrap().is_finite(), "{got:?}");
    }
}
