//! Which series of one window moved most, when nobody knows what normal was.

use crate::departure::{CHANGE_FROM_NOTHING, Direction, usable_resolution};
use crate::movement::{Movement, movements};
use crate::onset::ONSET_SPREADS;
use crate::parts::unit;

/// What a sample that departs alone counts, beside a departure that held.
pub const LONE_SAMPLE_WEIGHT: f64 = 0.5;

/// How long a gap at the start or the end has to be to tell more than a late sample.
const SHORTEST_ABSENCE: usize = 3;

/// How much a series moved within its own window. Made by [`relevance`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relevance {
    /// 0 (constant, or no finite value) to [`crate::MAX_SCORE`]. Measured on simulated noise: normal noise
    /// scores above 3 in 1 of 40 windows of 30 samples and 1 of 100 of 60 to 1,441; long-tailed noise
    /// (log-normal, σ = 1) scores 3 to 6 in the middle, and what happens once among zeros 50 or 100.
    pub score: f64,
    /// Where the movement that gave the score begins: an index of the slice judged, gaps included. For
    /// [`Direction::Vanished`] the first missing sample. `None` when the score is below [`ONSET_SPREADS`]:
    /// then nothing stands out.
    pub onset: Option<usize>,
    /// Which way that movement went.
    pub direction: Direction,
}

/// How much a series moved within its own window, for ranking the series of one answer. The score does not
/// depend on the series' unit. Values that are not finite are gaps; without a finite value the score is 0.
///
/// No baseline is known, so the change is looked for first, and the parts of the window it makes are
/// measured against the steadier one. The score is the greatest of four, the first of equals:
/// 1. **Absence**: samples missing at the end, or at the start; at least 3, and more than twice as many as
///    in the longest gap in between. Scores [`CHANGE_FROM_NOTHING`]. Gaps in between score nothing: they are
///    a matter of coverage.
/// 2. **Another level**, to the end of the window or not. The stretch of samples that differs most from the
///    rest is found by circular binary segmentation (Olshen et al. 2004) on block medians, at a resolution
///    of 3 samples or 1/64 of the window. The baseline is the stretch or the rest, whichever is steadier,
///    among those with at least 12 samples and an eighth of all (neither has: both together).
///    The score is the difference of the two medians in units of 0.7413 × the interquartile range of the
///    baseline's residuals (of their root mean square when that range is 0), divided by how many times the
///    like happened: 1, and once more for each run of the baseline's samples that departs from its median
///    half as far for half as long.
/// 3. **A brief departure that held**: the farthest median of three successive residuals (samples less the
///    median of their own part). The unit is 0.7413 × the interquartile range, but not less than the root
///    mean square of the baseline's other residuals, so that what a series does all the time (long tails,
///    regular peaks) counts little. The others are those outside the run of samples around the departure
///    which reach half its height.
/// 4. **A sample that departs alone**: as 3 with the farthest residual, times [`LONE_SAMPLE_WEIGHT`].
///
/// When 3 or 4 scores most, but lies within the stretch of 2, which scores [`ONSET_SPREADS`] and at least half
/// as much itself, then onset and direction are those of the stretch: a noisy fault began with its first
/// sample, not with its highest peak.
///
/// Floors and ceilings are those of [`Yardstick::of`](crate::Yardstick::of).
pub fn relevance(values: &[f64]) -> Relevance {
    relevance_at_resolution(values, 0.0)
}

/// As [`relevance`], with the smallest difference that means anything, in the values' unit (see
/// [`Yardstick::of`](crate::Yardstick::of)): for example one event a window, so that a single event in a
/// series of zeros does not rank with an outage.
pub fn relevance_at_resolution(values: &[f64], resolution: f64) -> Relevance {
    let unit = unit(values).unwrap_or(1.0);
    let (places, levels): (Vec<usize>, Vec<f64>) = values
        .iter()
        .enumerate()
        .filter(|(_, value)| value.is_finite())
        .map(|(place, value)| (place, value / unit))
        .unzip();
    let resolution = (usable_resolution(resolution) / unit).min(f64::MAX);

    let seen = movements(&levels, resolution).into_iter().filter_map(|movement| {
        let start = *places.get(movement.start)?;
        Some(Movement { start, ..movement })
    });
    let nothing = Movement { score: 0.0, start: 0, direction: Direction::Flat };
    let most = absence(values.len(), &places)
        .into_iter()
        .chain(seen)
        .fold(nothing, |most, movement| if movement.score > most.score { movement } else { most });
    Relevance {
        score: most.score,
        onset: (most.score >= ONSET_SPREADS).then_some(most.start),
        direction: most.direction,
    }
}

/// Samples missing at the end, or else at the start, of a window of `len` samples.
fn absence(len: usize, places: &[usize]) -> Option<Movement> {
    let (first, last) = (*places.first()?, *places.last()?);
    let gaps = places.iter().zip(places.iter().skip(1)).map(|(place, next)| next - place - 1);
    let usual = gaps.max().unwrap_or(0);
    let is_absence = |missing: usize| missing >= SHORTEST_ABSENCE && missing > 2 * usual;

    let score = CHANGE_FROM_NOTHING;
    if is_absence(len - 1 - last) {
        return Some(Movement { score, start: last + 1, direction: Direction::Vanished });
    }
    is_absence(first).then_some(Movement { score, start: first, direction: Direction::Appeared })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Appeared, Down, Flat, Up, Vanished};

    const GAP: f64 = f64::NAN;

    /// 240 samples whose median is 10 and whose quartiles are 9 and 11, as those of any long part are: a step is
    /// 0.7413 × 2. The root mean square distance from 10 is √0.8, less than a step.
    fn noise() -> Vec<f64> {
        [9.0, 11.0, 10.0, 11.0, 9.0].repeat(48)
    }

    #[track_caller]
    fn check(values: &[f64], score: f64, onset: Option<usize>, direction: Direction) {
        let got = relevance(values);
        assert!((got.score - score).abs() <= 1e-9 * score, "{got:?}");
        assert_eq!((got.onset, got.direction), (onset, direction), "{got:?}");
    }

    #[test]
    fn a_level_scores_its_distance_in_spreads_however_long_it_holds() {
        for start in [30, 95, 150, 215] {
            let mut values = noise();
            values[start..].iter_mut().for_each(|value| *value += 30.0);
            check(&values, 30.0 / 1.4826, Some(start), Up);
            values[start..].iter_mut().for_each(|value| *value -= 60.0);
            check(&values, 30.0 / 1.4826, Some(start), Down);
        }
    }

    #[test]
    fn the_last_two_samples_score_like_a_level() {
        let mut values = noise();
        values[238..].fill(40.0);
        let got = relevance(&values);
        // The level they left is the median of some samples of noise: 9 to 11.
        assert!((29.0..=31.0).contains(&(got.score * 1.4826)), "{got:?}");
        assert_eq!((got.onset, got.direction), (Some(238), Up));
    }

    #[test]
    fn a_lone_sample_scores_half() {
        for at in [0, 2, 122, 239] {
            let mut values = noise();
            values[at] = 40.0;
            let got = relevance(&values);
            assert!((29.0..=31.0).contains(&(2.0 * got.score * 1.4826)), "{got:?}");
            assert_eq!((got.onset, got.direction), (Some(at), Up));
        }
    }

    #[test]
    fn a_steady_series_is_measured_by_one_percent() {
        let step = |from: f64, to: f64| [vec![from; 120], vec![to; 121]].concat();
        check(&step(10.0, 20.0), 100.0, Some(120), Up);
        // The steadier part is the one with the smaller 1 %, so that forwards and backwards are alike.
        check(&step(20.0, 10.0), 100.0, Some(120), Down);
        check(&step(10.0, 0.0), 100.0, Some(120), Down);
        check(&step(0.0, 10.0), 100.0, Some(120), Up);
        check(&step(10.0, 10.02), 0.2, None, Up);
    }

    #[test]
    fn a_constant_series_scores_nothing() {
        for values in [vec![], vec![GAP; 9], vec![0.0; 9], vec![7.3], vec![0.1; 241]] {
            check(&values, 0.0, None, Flat);
        }
    }

    #[test]
    fn a_sample_out_of_zeros_scores_by_how_often_it_happened() {
        let mut values = vec![0.0; 241];
        values[100] = 5.0;
        check(&values, 50.0, Some(100), Up);
        // The others: one sample of 240 at 5, so a root mean square of 5 ÷ √240.
        values[20] = 5.0;
        check(&values, 0.5 * 240f64.sqrt(), Some(20), Up);
    }

    #[test]
    fn a_resolution_makes_single_events_small() {
        let mut values = vec![0.0; 241];
        values[100] = 5.0;
        assert_eq!(relevance_at_resolution(&values, 5.0).score, 0.5);
        assert_eq!(relevance_at_resolution(&values, f64::MAX).score, 0.5 * 5.0 / f64::MAX);
        assert_eq!(relevance_at_resolution(&values, f64::NAN), relevance(&values));
    }

    #[test]
    fn samples_that_stop_or_start_score_as_a_fall_to_nothing() {
        let mut stops = noise();
        stops[237..].fill(GAP);
        check(&stops, 100.0, Some(237), Vanished);

        let mut starts = noise();
        starts[..100].fill(GAP);
        check(&starts, 100.0, Some(100), Appeared);
    }

    #[test]
    fn a_late_sample_or_a_usual_gap_is_no_disappearance() {
        let mut late = noise();
        late[238..].fill(GAP);
        assert!(relevance(&late).score < 3.0);

        let mut patchy = noise();
        patchy[100..103].fill(GAP);
        patchy[234..].fill(GAP);
        assert!(relevance(&patchy).score < 3.0, "6 missing after 3 missing");
        patchy[233] = GAP;
        assert_eq!(relevance(&patchy).direction, Vanished, "7 missing after 3 missing");
    }

    #[test]
    fn a_noisy_fault_begins_with_its_first_sample_and_not_with_its_peak() {
        let mut values = noise();
        for (at, value) in values.iter_mut().enumerate().skip(100) {
            *value += 30.0 + 8.0 * (at as f64 * 0.9).sin();
        }
        values[170] = 120.0;
        values[171] = 90.0;
        let found = relevance(&values);
        assert!(found.score > 32.0, "the peak is scored: {found:?}");
        assert_eq!((found.onset, found.direction), (Some(100), Up));
    }

    #[test]
    fn regular_peaks_are_no_news() {
        let mut values = noise();
        values.iter_mut().step_by(12).for_each(|value| *value += 50.0);
        assert!(relevance(&values).score < 3.0);
    }
}
