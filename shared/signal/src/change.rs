//! When something happened to a group of series, though no series of it is known to be the one.

use crate::departure::{Direction, Yardstick};
use crate::onset::ONSET_SPREADS;
use crate::relevance::relevance;

/// A series counts no more than so many spreads at any moment: one that leaves by thousands must not speak for all.
pub const LOUDEST: f64 = 20.0;

/// This part of the window, its beginning, is taken for usual.
pub const USUAL_PART: f64 = 0.4;

/// Departures of normal noise rarely reach so many spreads; what a series does in its usual part beyond that makes its
/// steps longer.
const OWN_DEPARTURES: f64 = 6.0;

/// Within one step a value is at home.
const HOME: f64 = 1.0;

/// A moment at which several series changed together. Made by [`shared_change`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharedChange {
    /// The first sample of what came after: an index of the series given.
    pub at: usize,
    /// How far the common unrest moved, in its own spreads; see [`relevance()`](crate::relevance()).
    pub score: f64,
}

/// How far from usual a group of series is at each moment: the mean, over the series with a value there, of how far it
/// is beyond one step from the median of its own first [`USUAL_PART`], at most [`LOUDEST`]. A step is
/// [`Yardstick::of`] that part, longer where the part has departures of its own. NaN where no series has a value that
/// can be judged.
pub fn unrest(series: &[&[f64]]) -> Vec<f64> {
    let longest = series.iter().map(|values| values.len()).max().unwrap_or(0);
    let (mut sums, mut counts) = (vec![0.0; longest], vec![0_u32; longest]);
    for values in series {
        let usual = values.get(..(values.len() as f64 * USUAL_PART) as usize).unwrap_or_default();
        let Some(yardstick) = Yardstick::of(usual, 0.0) else { continue };
        let own =
            usual.iter().filter_map(|value| yardstick.robust_z(*value)).map(f64::abs).fold(0.0, f64::max);
        let longer = (own / OWN_DEPARTURES).max(1.0);
        for ((sum, count), value) in sums.iter_mut().zip(&mut counts).zip(*values) {
            if let Some(z) = yardstick.robust_z(*value) {
                *sum += (z.abs() / longer - HOME).clamp(0.0, LOUDEST);
                *count += 1;
            }
        }
    }
    let mean = |(sum, count): (f64, u32)| if count == 0 { f64::NAN } else { sum / f64::from(count) };
    sums.into_iter().zip(counts).map(mean).collect()
}

/// The moment at which the series of a group began to behave differently: the onset of their common [`unrest`].
/// `None` where nothing stands out.
pub fn shared_change(series: &[&[f64]]) -> Option<SharedChange> {
    let unrest = unrest(series);
    let moved = relevance(&unrest);
    let is_of_values = !matches!(moved.direction, Direction::Appeared | Direction::Vanished);
    let at = moved.onset.filter(|_| is_of_values && moved.score >= ONSET_SPREADS)?;
    Some(SharedChange { at, score: moved.score })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 100 samples whose median is 10 and whose quartiles are 9 and 11, as those of the first 40 are: a step is
    /// 0.7413 × 2 = 1.4826.
    fn noise(unit: f64) -> Vec<f64> {
        [9.0, 11.0, 10.0, 11.0, 9.0].repeat(20).into_iter().map(|value| value * unit).collect()
    }

    fn stepping(unit: f64, at: usize, by: f64) -> Vec<f64> {
        let mut values = noise(unit);
        values.iter_mut().skip(at).for_each(|value| *value += by * unit);
        values
    }

    #[test]
    fn unrest_is_the_mean_of_what_lies_beyond_a_step() {
        // By hand, at a moment when noise is at 10: one series is 14.826 above its median, which is 10 steps, 9 beyond
        // the first; one is 1482.6 above, which is 1000 and counts 20; one is at home.
        let (one, other, calm) = (stepping(1.0, 60, 14.826), stepping(1.0, 60, 1_482.6), noise(1.0));
        let unrest = unrest(&[&one, &other, &calm]);
        assert!((unrest[62] - (9.0 + 20.0) / 3.0).abs() < 1e-9, "{}", unrest[62]);
        assert_eq!(unrest[2], 0.0);
    }

    #[test]
    fn a_change_of_several_series_is_found_to_the_sample() {
        for at in [45, 60, 85] {
            let series =
                [stepping(1.0, at, 8.0), stepping(1e6, at, -20.0), noise(1.0), noise(3.0), noise(1e-9)];
            let slices: Vec<&[f64]> = series.iter().map(Vec::as_slice).collect();
            let found = shared_change(&slices).unwrap();
            assert_eq!(found.at, at);
            assert!(found.score >= ONSET_SPREADS);
        }
    }

    #[test]
    fn what_a_series_does_all_the_time_is_no_change() {
        let mut restless = noise(1.0);
        restless.iter_mut().step_by(10).for_each(|value| *value += 300.0);
        assert_eq!(shared_change(&[&restless, &noise(2.0)]), None);
    }

    #[test]
    fn nothing_that_moves_has_no_change() {
        assert_eq!(shared_change(&[]), None);
        assert_eq!(shared_change(&[&[5.0; 50], &[f64::NAN; 50]]), None);
        assert!(unrest(&[&[f64::NAN; 3]]).iter().all(|value| value.is_nan()));
    }

    proptest! {
        #[test]
        fn neither_units_nor_the_order_of_series_matter(at in 45_usize..90, by in 8_f64..200.0, exponent in -30_i32..30) {
            let unit = 2_f64.powi(exponent);
            let (one, other) = (stepping(1.0, at, by), noise(1.0));
            let scaled = stepping(unit, at, by);
            prop_assert_eq!(shared_change(&[&one, &other]), shared_change(&[&other, &scaled]));
        }
    }
}
