//! A series as a few ASCII digits.

use std::ops::Range;

use crate::parts::{parts, unit};
use crate::quantile::median;

/// How many characters a shape has unless there is a reason for another number.
pub const SHAPE_BUCKETS: usize = 24;

/// The smallest difference that spans the whole scale, as a share of the largest |value|.
const SMALLEST_SPAN: f64 = 0.05;

const STEPS: f64 = 9.0;

/// The shape of a series in at most `buckets` characters ([`SHAPE_BUCKETS`] is the usual number): the digits
/// `0` to `9`, and `-` where a bucket has no finite value.
///
/// - The samples are cut into `buckets` consecutive buckets of equal size (±1). A series with fewer samples
///   gets one character a sample; no samples or no buckets give the empty string.
/// - A bucket shows its value **farthest from the series' median** (the first of equals), so that one sample
///   can't vanish among many: the farthest value of all is always visible. A bucket holding both extremes
///   shows one of them; exact extremes and their places are in [`crate::Summary`].
/// - `0` is always the series' minimum and `9` its maximum, in linear steps: a digit `d` reads as
///   min + `d` ÷ 9 × (max − min), rounded to the nearest digit. When max − min is less than 5 % of the
///   largest |value|, 9 stands for min + 5 % instead, so that the noise of a steady series does not look
///   wild. So a constant series is all `0`: nothing in it lies above its minimum (which is shown beside it).
pub fn shape(values: &[f64], buckets: usize) -> String {
    let scale = DigitScale::of(values);
    parts(values.len(), buckets).map(|bucket| scale.digit_of(values, bucket)).collect()
}

/// How values become digits. Lengths are in `unit`s, so that they can't overflow.
struct DigitScale {
    unit: f64,
    median: f64,
    min: f64,
    span: f64,
}

impl DigitScale {
    fn of(values: &[f64]) -> Self {
        // A series of nothing but zeros and gaps has no unit; any will do.
        let unit = unit(values).unwrap_or(1.0);
        let finite = || values.iter().filter(|value| value.is_finite()).map(move |value| value / unit);
        let min = finite().fold(f64::MAX, f64::min);
        let max = finite().fold(f64::MIN, f64::max);
        let span = (max - min).max(SMALLEST_SPAN * max.abs().max(min.abs()));
        Self { unit, median: median(values).unwrap_or(0.0) / unit, min, span }
    }

    fn digit_of(&self, values: &[f64], bucket: Range<usize>) -> char {
        let mut farthest = None;
        let mut most = -1.0;
        for value in values.get(bucket).unwrap_or_default().iter().filter(|value| value.is_finite()) {
            let distance = (value / self.unit - self.median).abs();
            if distance > most {
                (farthest, most) = (Some(value / self.unit), distance);
            }
        }
        farthest.map_or('-', |value| self.digit(value))
    }

    fn digit(&self, value: f64) -> char {
        let height = if self.span > 0.0 { (value - self.min) / self.span } else { 0.0 };
        char::from_digit((height * STEPS).round() as u32, 10).unwrap_or('9')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64], buckets: usize, expected: &str) {
        assert_eq!(shape(values, buckets), expected, "{values:?} in {buckets}");
    }

    #[test]
    fn a_short_series_has_one_digit_a_sample() {
        check(&[0.0, 1.0, 2.0, 3.0, 9.0], 24, "01239");
    }

    #[test]
    fn a_bucket_shows_its_value_farthest_from_the_median() {
        // Median 5: the dip to 0 and the spike to 10 each win their bucket of three.
        check(&[5.0, 0.0, 6.0, 5.0, 5.0, 5.0, 4.0, 10.0, 5.0], 3, "059");
    }

    #[test]
    fn a_bucket_without_data_is_a_dash() {
        check(&[f64::NAN, f64::NAN, 0.0, f64::NAN, f64::INFINITY, f64::NAN, 9.0, 9.0], 4, "-0-9");
        check(&[f64::NAN; 3], 24, "---");
    }

    #[test]
    fn a_constant_series_is_all_zeros_whatever_its_level() {
        for level in [0.0, 5.0, -5.0, 1e300, 5e-324, f64::MAX, f64::MIN] {
            check(&[level; 5], 24, "00000");
        }
    }

    #[test]
    fn noise_of_a_steady_series_stays_low_on_the_scale() {
        // 0.4 of the 5 that span the scale: 0.72 of a step.
        check(&[100.0, 100.4, 100.0, 100.2], 24, "0100");
        // Exactly 5 % below the largest value spans it all.
        check(&[95.0, 100.0, 97.5], 24, "095");
    }

    #[test]
    fn negative_values_rise_to_the_right_too() {
        check(&[-9.0, -6.0, -3.0, 0.0], 24, "0369");
    }

    #[test]
    fn the_largest_floats_do_not_overflow() {
        check(&[f64::MIN, 0.0, f64::MAX], 24, "059");
    }

    #[test]
    fn nothing_to_show_is_the_empty_string() {
        check(&[], 24, "");
        check(&[1.0, 2.0], 0, "");
    }
}
