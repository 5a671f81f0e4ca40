//! How different the distributions of two windows are, whatever their shape.

use crate::quantile::finite;

/// The two-sample Kolmogorov–Smirnov statistic: the largest distance between the shares of values that lie at or
/// below a level, over all levels. 0 when both windows have the same distribution, 1 when they do not overlap.
///
/// Values that are not finite are ignored. `None` when a window has no finite value.
pub fn ks(before: &[f64], after: &[f64]) -> Option<f64> {
    let (mut first, mut second) = (finite(before), finite(after));
    if first.is_empty() || second.is_empty() {
        return None;
    }
    // Not by `total_cmp` alone: it puts −0 below +0, which are one level.
    let by_level = |one: &f64, other: &f64| (one + 0.0).total_cmp(&(other + 0.0));
    first.sort_unstable_by(by_level);
    second.sort_unstable_by(by_level);

    let (mut low, mut high) = (first.as_slice(), second.as_slice());
    let share_seen = |rest: &[f64], all: usize| (all - rest.len()) as f64 / all as f64;
    let mut most: f64 = 0.0;
    while let (Some(one), Some(other)) = (low.first(), high.first()) {
        let level = one.min(*other);
        low = after_level(low, level);
        high = after_level(high, level);
        most = most.max((share_seen(low, first.len()) - share_seen(high, second.len())).abs());
    }
    Some(most)
}

/// What lies above a level, of sorted values.
fn after_level(sorted: &[f64], level: f64) -> &[f64] {
    let at_or_below = sorted.iter().take_while(|value| **value <= level).count();
    sorted.get(at_or_below..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_that_do_not_overlap_are_one_apart_and_equal_ones_zero() {
        assert_eq!(ks(&[1.0, 2.0], &[3.0, 4.0, 5.0]), Some(1.0));
        assert_eq!(ks(&[3.0, 1.0, 2.0], &[2.0, 3.0, 1.0]), Some(0.0));
        assert_eq!(ks(&[0.0, 0.0], &[-0.0]), Some(0.0));
    }

    #[test]
    fn the_last_third_of_a_window_moving_is_a_third_whatever_the_medians_say() {
        let before = [1.0; 9];
        let mut after = before;
        after[6..].fill(7.0);
        assert!((ks(&before, &after).unwrap() - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn gaps_are_no_values_and_nothing_is_none() {
        assert_eq!(ks(&[f64::NAN], &[1.0]), None);
        assert_eq!(ks(&[1.0], &[]), None);
        assert_eq!(ks(&[1.0, f64::NAN, 2.0], &[f64::INFINITY, 2.0, 1.0]), Some(0.0));
    }
}
