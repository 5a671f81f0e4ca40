//! Quantiles of values, and the order of values that may not be numbers.

use std::cmp::Ordering;

/// The quantile of the values, interpolated linearly between the two nearest; −∞ below 0, +∞ above 1. What is not a
/// number sorts first. NaN without a value.
pub(crate) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_by(|one, other| ascending(*one, *other, Ordering::Less));
    let last = values.len() - 1;
    let rank = q * last as f64;
    let below = rank.floor() as usize;
    let weight = rank - rank.floor();
    let at = |place: usize| values.get(place.min(last)).copied().unwrap_or(f64::NAN);
    at(below) * (1.0 - weight) + at(below + 1) * weight
}

/// The order of two values, where NaN comes before or after all numbers.
pub(crate) fn ascending(one: f64, other: f64, nan: Ordering) -> Ordering {
    match (one.is_nan(), other.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => nan,
        (false, true) => nan.reverse(),
        (false, false) => one.partial_cmp(&other).unwrap_or(Ordering::Equal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        assert_eq!(quantile(0.5, &mut [3.0, 1.0, 2.0, 10.0]), 2.5);
        assert_eq!(quantile(1.0, &mut [3.0, 1.0]), 3.0);
        assert_eq!(quantile(0.25, &mut [0.0, 4.0]), 1.0);
        assert_eq!(quantile(-0.1, &mut [1.0]), f64::NEG_INFINITY);
        assert_eq!(quantile(1.1, &mut [1.0]), f64::INFINITY);
        assert!(quantile(f64::NAN, &mut [1.0]).is_nan() && quantile(0.5, &mut []).is_nan());
        assert!(quantile(0.0, &mut [1.0, f64::NAN]).is_nan());
        assert_eq!(quantile(1.0, &mut [2.0, f64::NAN, 1.0]), 2.0);
    }
}
