//! Cutting a series into consecutive parts, and values into a range that can't overflow.

use std::ops::Range;

/// The index ranges of `count` consecutive parts of `len` items, whose sizes differ by at most one.
/// Fewer items than parts: one part an item, so no part is ever empty.
pub(crate) fn parts(len: usize, count: usize) -> impl Iterator<Item = Range<usize>> {
    let count = count.min(len);
    (0..count).map(move |part| part * len / count..(part + 1) * len / count)
}

/// The greatest power of two that is at most the largest |value|, or `None` when no finite value differs
/// from zero.
///
/// Dividing by it changes no digit, and afterwards all values lie within ±2, so that their differences and
/// squares stay finite whatever the unit of the series.
pub(crate) fn unit(values: &[f64]) -> Option<f64> {
    const EXPONENT_BITS: u64 = 0x7ff0_0000_0000_0000;

    let largest = values.iter().filter(|value| value.is_finite()).fold(0.0, |most: f64, v| most.max(v.abs()));
    if largest == 0.0 {
        return None;
    }
    Some(f64::from_bits(largest.to_bits() & EXPONENT_BITS).max(f64::MIN_POSITIVE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_everything_once_and_in_order() {
        for (len, count) in [(0, 3), (1, 1), (2, 5), (7, 3), (24, 24), (241, 24), (11_000, 64)] {
            let covered: Vec<usize> = parts(len, count).flatten().collect();
            assert_eq!(covered, (0..len).collect::<Vec<_>>(), "{len} items in {count} parts");
            assert_eq!(parts(len, count).count(), len.min(count));
            assert!(parts(len, count).all(|part| !part.is_empty()));
        }
    }

    #[test]
    fn no_parts_are_asked_for() {
        assert_eq!(parts(5, 0).count(), 0);
    }

    #[test]
    fn the_unit_is_the_power_of_two_below_the_largest_magnitude() {
        assert_eq!(unit(&[0.3, -5.0, f64::NAN]), Some(4.0));
        assert_eq!(unit(&[8.0, f64::INFINITY]), Some(8.0));
        assert_eq!(unit(&[f64::MAX]), Some(2f64.powi(1023)));
        assert_eq!(unit(&[5e-324]), Some(f64::MIN_POSITIVE));
        assert_eq!(unit(&[0.0, -0.0, f64::NAN]), None);
        assert_eq!(unit(&[]), None);
    }
}
