//! Order statistics: quantiles and the spreads made of them.

/// What one interquartile range is worth in standard deviations of a normal distribution.
pub const NORMAL_SPREAD_PER_IQR: f64 = 0.7413;

/// The quantile `q` (0 to 1) of the finite values, interpolated linearly between order statistics:
/// definition 7 of Hyndman and Fan (1996), the default of numpy and R.
///
/// Values that are not finite are ignored. `None` without a finite value, or when `q` is outside 0 to 1.
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    quantile_of_finite(&mut finite(values), q)
}

/// The quantile 0.5 of the finite values: the middle one, or the mean of the two middle ones.
///
/// Values that are not finite are ignored. `None` without a finite value.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The interquartile range of the finite values: quantile 0.75 less quantile 0.25, in the values' unit.
///
/// Values that are not finite are ignored. `None` without a finite value. A range beyond [`f64::MAX`] is
/// given as [`f64::MAX`].
pub fn iqr(values: &[f64]) -> Option<f64> {
    iqr_of_finite(&mut finite(values))
}

/// The median absolute deviation from the median of the finite values, in the values' unit and unscaled
/// (multiply by 1.4826 for the standard deviation of a normal distribution).
///
/// Values that are not finite are ignored. `None` without a finite value. A deviation beyond [`f64::MAX`]
/// counts as [`f64::MAX`].
pub fn mad(values: &[f64]) -> Option<f64> {
    let mut finite = finite(values);
    let center = quantile_of_finite(&mut finite, 0.5)?;
    finite.iter_mut().for_each(|value| *value = distance(*value, center));
    quantile_of_finite(&mut finite, 0.5)
}

/// The finite values, in their order.
pub(crate) fn finite(values: &[f64]) -> Vec<f64> {
    values.iter().copied().filter(|value| value.is_finite()).collect()
}

/// As [`quantile`], for finite values, whose order it changes. It selects instead of sorting, which on 250
/// values takes a quarter of the time.
pub(crate) fn quantile_of_finite(finite: &mut [f64], q: f64) -> Option<f64> {
    if finite.is_empty() || !(0.0..=1.0).contains(&q) {
        return None;
    }
    let position = q * (finite.len() - 1) as f64;
    let below = (position.floor() as usize).min(finite.len() - 1);
    let (_, low, above) = finite.select_nth_unstable_by(below, f64::total_cmp);
    let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(*low);
    Some(interpolate(*low, high, position.fract()))
}

/// As [`iqr`], for finite values, whose order it changes.
pub(crate) fn iqr_of_finite(finite: &mut [f64]) -> Option<f64> {
    Some(distance(quantile_of_finite(finite, 0.75)?, quantile_of_finite(finite, 0.25)?))
}

/// |a − b| of two finite numbers; [`f64::MAX`] when it would be infinite.
pub(crate) fn distance(a: f64, b: f64) -> f64 {
    (a - b).abs().min(f64::MAX)
}

fn interpolate(low: f64, high: f64, share: f64) -> f64 {
    let step = high - low;
    if step.is_finite() {
        // Rounding must not lift the result above its upper neighbour.
        (low + step * share).min(high)
    } else {
        // Halving is exact here, and keeps the step between the largest floats finite.
        (low / 2.0 + (high / 2.0 - low / 2.0) * share) * 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_finite_has_no_statistics() {
        for values in [&[][..], &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]] {
            assert_eq!(quantile(values, 0.5), None);
            assert_eq!(median(values), None);
            assert_eq!(iqr(values), None);
            assert_eq!(mad(values), None);
        }
    }

    #[test]
    fn a_quantile_outside_zero_to_one_is_none() {
        for q in [-0.01, 1.01, f64::NAN, f64::INFINITY] {
            assert_eq!(quantile(&[1.0, 2.0], q), None, "{q}");
        }
    }

    #[test]
    fn values_as_far_apart_as_floats_can_be_stay_finite() {
        let ends = [f64::MIN, f64::MAX];
        assert_eq!(median(&ends), Some(0.0));
        assert_eq!(quantile(&ends, 0.25), Some(f64::MIN / 2.0));
        assert_eq!(iqr(&[f64::MIN, f64::MIN, f64::MAX, f64::MAX]), Some(f64::MAX));
        assert_eq!(mad(&[f64::MIN, f64::MAX, f64::MIN, f64::MAX, f64::MAX]), Some(0.0));
    }
}
