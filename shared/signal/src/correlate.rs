//! Which series tell the same story.

use crate::parts::unit;

/// Fewer moments at which both series have a value say nothing about how they go together.
const FEWEST_PAIRS: usize = 8;

/// Pearson's coefficient of correlation of two series, −1 to 1, over the moments at which both are finite.
///
/// It does not depend on the unit of either series. `None` with fewer than 8 such moments, or when one of the series
/// does not change at them: what does not move goes together with nothing.
pub fn correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    let (unit_of_one, unit_of_other) = (unit(one)?, unit(other)?);
    let both = one.iter().zip(other).filter(|(one, other)| one.is_finite() && other.is_finite());
    let pairs: Vec<(f64, f64)> =
        both.map(|(one, other)| (one / unit_of_one, other / unit_of_other)).collect();
    if pairs.len() < FEWEST_PAIRS {
        return None;
    }
    let count = pairs.len() as f64;
    let (sum, sum_other) = pairs.iter().fold((0.0, 0.0), |(sum, sum_other), (a, b)| (sum + a, sum_other + b));
    let (mean, mean_of_other) = (sum / count, sum_other / count);
    let (mut together, mut alone, mut alone_other) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        let (a, b) = (a - mean, b - mean_of_other);
        together += a * b;
        alone += a * a;
        alone_other += b * b;
    }
    // A series of equal values has a mean that rounding may put beside them.
    let nothing = f64::EPSILON * f64::EPSILON * count;
    if alone <= nothing || alone_other <= nothing {
        return None;
    }
    Some((together / (alone.sqrt() * alone_other.sqrt())).clamp(-1.0, 1.0))
}

/// Puts series into groups that go together, either way: each joins the first group whose first series it correlates
/// with by more than `more_than` in absolute value, or begins one. Groups and their members keep the order given, so
/// the first of a group is the one that came first.
///
/// One pass over the leaders for each series; with a few hundred series of a few hundred samples that is the work of
/// milliseconds.
pub fn together(series: &[&[f64]], more_than: f64) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (place, values) in series.iter().enumerate() {
        let joins = groups.iter_mut().find(|group| {
            let leader = group.first().and_then(|leader| series.get(*leader));
            leader.and_then(|leader| correlation(leader, values)).is_some_and(|r| r.abs() > more_than)
        });
        match joins {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: [f64; 10] = [1.0, 4.0, 2.0, 8.0, 5.0, 7.0, 1.0, 3.0, 9.0, 6.0];

    /// numpy.corrcoef([1,4,2,8,5,7,1,3,9,6], [2,3,2,9,6,5,1,4,7,8])[0, 1] is 0.8822661562660534.
    #[test]
    fn the_coefficient_is_that_of_numpy() {
        let other = [2.0, 3.0, 2.0, 9.0, 6.0, 5.0, 1.0, 4.0, 7.0, 8.0];
        let got = correlation(&ONE, &other).unwrap();
        assert!((got - NUMPY).abs() < 1e-12, "{got}");
        assert_eq!(correlation(&other, &ONE), Some(got));
    }

    const NUMPY: f64 = 0.882_266_156_266_053_4;

    #[test]
    fn gaps_are_left_out_in_pairs() {
        let mut gappy: Vec<f64> = ONE.iter().map(|value| value * 2.0 + 1.0).collect();
        gappy.extend([f64::NAN, 100.0]);
        let mut one = ONE.to_vec();
        one.extend([50.0, f64::INFINITY]);
        assert!((correlation(&one, &gappy).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(correlation(&ONE[..7], &gappy[..7]), None, "seven moments are too few");
    }

    #[test]
    fn what_does_not_move_goes_together_with_nothing() {
        assert_eq!(correlation(&[0.1; 10], &ONE), None);
        assert_eq!(correlation(&[0.0; 10], &ONE), None);
        assert_eq!(correlation(&[f64::NAN; 10], &ONE), None);
    }

    #[test]
    fn groups_are_led_by_what_comes_first_and_opposites_belong_together() {
        let double: Vec<f64> = ONE.iter().map(|value| value * 2.0).collect();
        let opposite: Vec<f64> = ONE.iter().map(|value| 100.0 - value).collect();
        let other = [1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0];
        assert_eq!(
            together(&[&ONE, &other, &double, &[3.0; 10], &opposite], 0.95),
            [vec![0, 2, 4], vec![1], vec![3]]
        );
        assert_eq!(together(&[], 0.95), Vec::<Vec<usize>>::new());
    }

    proptest! {
        #[test]
        fn neither_units_nor_order_matter(
            pairs in prop::collection::vec((-1e3_f64..1e3, -1e3_f64..1e3), 8..40), scale in 1e-9_f64..1e9
        ) {
            let (one, other): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
            let scaled: Vec<f64> = one.iter().map(|value| value * scale).collect();
            let got = correlation(&one, &other);
            prop_assert!(got.is_none_or(|r| (-1.0..=1.0).contains(&r)));
            let again = correlation(&scaled, &other);
            prop_assert!((got.unwrap_or(0.0) - again.unwrap_or(0.0)).abs() < 1e-9);
            prop_assert_eq!(got, correlation(&other, &one));
        }

        #[test]
        fn every_series_is_in_one_group(series in prop::collection::vec(prop::collection::vec(-5_f64..5.0, 12), 0..8)) {
            let slices: Vec<&[f64]> = series.iter().map(Vec::as_slice).collect();
            let mut all: Vec<usize> = together(&slices, 0.95).concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..series.len()).collect::<Vec<_>>());
        }
    }
}
