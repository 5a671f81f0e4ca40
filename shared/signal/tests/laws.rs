//! What holds for all series.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

use proptest::collection::vec;
use proptest::prelude::*;
use signal::{
    CHANGE_FROM_NOTHING, Direction, MAX_SCORE, Yardstick, departure, iqr, mad, median, onset, quantile,
    relevance, relevance_at_resolution, shape, summary,
};

/// Ordinary values with gaps.
fn series(len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    let sample =
        prop_oneof![8 => -1e3..1e3_f64, 1 => Just(0.0), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)];
    vec(sample, len)
}

/// Any float there is.
fn wild_series() -> impl Strategy<Value = Vec<f64>> {
    let extreme =
        prop::sample::select(vec![0.0, -0.0, 1.0, f64::MAX, f64::MIN, 5e-324, f64::NAN, f64::INFINITY]);
    vec(prop_oneof![any::<f64>(), extreme], 0..120)
}

/// Uniform noise between −1 and 1 around a level that is not large beside it.
fn noise(len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    (vec(-1.0..1.0_f64, len), -5.0..5.0_f64)
        .prop_map(|(noise, level)| noise.into_iter().map(|sample| level + sample).collect())
}

fn finite(values: &[f64]) -> Vec<f64> {
    values.iter().copied().filter(|value| value.is_finite()).collect()
}

fn close(got: f64, expected: f64, magnitude: f64) -> bool {
    (got - expected).abs() <= 1e-9 * magnitude
}

proptest! {
    #[test]
    fn quantiles_ignore_order_and_gaps((values, shuffled) in series(1..80).prop_flat_map(|values| {
        (Just(values.clone()), Just(values).prop_shuffle())
    }), q in 0.0..=1.0_f64) {
        prop_assert_eq!(quantile(&values, q), quantile(&shuffled, q));
        prop_assert_eq!(quantile(&values, q), quantile(&finite(&values), q));
        prop_assert_eq!(iqr(&values), iqr(&shuffled));
        prop_assert_eq!(mad(&values), mad(&finite(&shuffled)));
    }

    #[test]
    fn quantiles_rise_with_q_and_stay_within_the_extremes(values in wild_series(), p in 0.0..=1.0_f64, q in 0.0..=1.0_f64) {
        let Some(summary) = summary(&values) else { return Ok(()) };
        let low = quantile(&values, p.min(q)).unwrap();
        let high = quantile(&values, p.max(q)).unwrap();
        prop_assert!(summary.min <= low && low <= high && high <= summary.max);
        prop_assert_eq!(quantile(&values, 0.0), Some(summary.min));
        prop_assert_eq!(quantile(&values, 1.0), Some(summary.max));
    }

    #[test]
    fn spreads_scale_and_do_not_shift(values in series(1..80), factor in -50.0..50.0_f64, offset in -1e3..1e3_f64) {
        let moved: Vec<f64> = values.iter().map(|value| value * factor + offset).collect();
        let (Some(center), Some(moved_center)) = (median(&values), median(&moved)) else { return Ok(()) };
        let magnitude = 1e3 * factor.abs() + offset.abs();
        prop_assert!(close(moved_center, center * factor + offset, magnitude));
        prop_assert!(close(iqr(&moved).unwrap(), iqr(&values).unwrap() * factor.abs(), magnitude));
        prop_assert!(close(mad(&moved).unwrap(), mad(&values).unwrap() * factor.abs(), magnitude));
    }

    #[test]
    fn departures_do_not_depend_on_the_unit(values in series(1..40), baseline in series(1..40), power in -60..60_i32) {
        let unit = 2f64.powi(power);
        let in_unit = |values: &[f64]| values.iter().map(|value| value * unit).collect::<Vec<_>>();
        prop_assert_eq!(departure(&in_unit(&values), &in_unit(&baseline)), departure(&values, &baseline));
    }

    #[test]
    fn a_departure_turns_with_its_series(values in series(1..40), baseline in series(1..40)) {
        let turned = |values: &[f64]| values.iter().map(|value| -value).collect::<Vec<_>>();
        let (Some(is), Some(turned)) = (departure(&values, &baseline), departure(&turned(&values), &turned(&baseline))) else {
            return Ok(());
        };
        prop_assert!(close(turned.score, is.score, is.score), "{:?} {:?}", is, turned);
        prop_assert_eq!(turned.direction == Direction::Up, is.direction == Direction::Down);
    }

    #[test]
    fn whatever_leaves_a_baseline_of_zeros_scores_the_same(value in prop::num::f64::NORMAL, zeros in 1..50_usize) {
        let score = departure(&[value], &vec![0.0; zeros]).unwrap().score;
        prop_assert_eq!(score, CHANGE_FROM_NOTHING);
    }

    #[test]
    fn no_number_returned_is_nan_or_infinite(values in wild_series(), baseline in wild_series(), resolution: f64, split in 0..140_usize) {
        for number in [median(&values), iqr(&values), mad(&values), quantile(&values, 0.37)].into_iter().flatten() {
            prop_assert!(number.is_finite());
        }
        if let Some(summary) = summary(&values) {
            prop_assert!(summary.mean.is_finite() && summary.min <= summary.mean && summary.mean <= summary.max, "{:?}", summary);
            prop_assert_eq!(values[summary.min_at], summary.min);
            prop_assert_eq!(values[summary.max_at], summary.max);
        }
        if let Some(departure) = departure(&values, &baseline) {
            prop_assert!((0.0..=MAX_SCORE).contains(&departure.score));
            prop_assert!(values[departure.at].is_finite());
        }
        if let Some(yardstick) = Yardstick::of(&baseline, resolution) {
            prop_assert!(yardstick.scale.is_finite() && yardstick.scale >= 0.0);
            for value in &values {
                prop_assert_eq!(yardstick.robust_z(*value).is_some(), value.is_finite());
                prop_assert!(yardstick.robust_z(*value).unwrap_or(0.0).abs() <= MAX_SCORE);
            }
        }
        for relevance in [relevance(&values), relevance_at_resolution(&values, resolution)] {
            prop_assert!((0.0..=MAX_SCORE).contains(&relevance.score));
            prop_assert!(relevance.onset.is_none_or(|at| at < values.len()));
        }
        prop_assert!(onset(&values, split).is_none_or(|at| at >= split && values[at].is_finite()));
    }

    #[test]
    fn a_shape_has_its_length_and_alphabet(values in wild_series(), buckets in 1..40_usize) {
        let shape = shape(&values, buckets);
        prop_assert_eq!(shape.len(), values.len().min(buckets));
        prop_assert!(shape.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'));
        prop_assert_eq!(shape.bytes().all(|byte| byte == b'-'), finite(&values).is_empty());
        // The value farthest from the median is one of the extremes, and always shown.
        prop_assert!(finite(&values).is_empty() || shape.contains('0') || shape.contains('9'));
    }

    #[test]
    fn a_planted_spike_is_the_only_nine(noise in noise(24..400), at: prop::sample::Index, height in 40.0..1e6_f64) {
        let at = at.index(noise.len());
        let mut spiked = noise.clone();
        spiked[at] += height;

        let shape = shape(&spiked, 24);
        let bucket = (0..24).rfind(|bucket| bucket * noise.len() / 24 <= at).unwrap();
        prop_assert_eq!(shape.match_indices('9').map(|(at, _)| at).collect::<Vec<_>>(), vec![bucket], "{}", shape);
    }

    #[test]
    fn a_planted_dip_is_the_only_zero(noise in noise(24..400), at: prop::sample::Index) {
        let at = at.index(noise.len());
        let mut dipped = noise.clone();
        dipped[at] -= 100.0;
        prop_assert_eq!(shape(&dipped, 24).matches('0').count(), 1);
    }

    #[test]
    fn a_planted_spike_ranks_above_the_noise_it_is_in(noise in noise(20..300), at: prop::sample::Index, up: bool) {
        let at = at.index(noise.len());
        let mut spiked = noise.clone();
        spiked[at] += if up { 60.0 } else { -60.0 };

        let found = relevance(&spiked);
        prop_assert!(found.score > relevance(&noise).score, "{:?}", found);
        prop_assert_eq!(found.onset, Some(at));
        prop_assert_eq!(found.direction, if up { Direction::Up } else { Direction::Down });
    }

    #[test]
    fn a_planted_level_of_any_length_ranks_above_the_noise_it_is_in(noise in noise(40..300), share in 0.05..0.95_f64) {
        let start = (noise.len() as f64 * (1.0 - share)) as usize;
        let mut shifted = noise.clone();
        shifted[start..].iter_mut().for_each(|sample| *sample += 60.0);

        let found = relevance(&shifted);
        prop_assert!(found.score > 20.0 && found.score > relevance(&noise).score, "{:?}", found);
        prop_assert_eq!((found.onset, found.direction), (Some(start), Direction::Up));
    }

    #[test]
    fn relevance_does_not_depend_on_the_unit(values in series(0..120), power in -60..60_i32) {
        let in_unit: Vec<f64> = values.iter().map(|value| value * 2f64.powi(power)).collect();
        prop_assert_eq!(relevance(&in_unit), relevance(&values));
    }

    #[test]
    fn gaps_between_samples_move_the_onset_and_nothing_else(values in noise(12..80), jump in 12..60_usize) {
        let mut values = values;
        values.iter_mut().skip(jump).for_each(|value| *value += 50.0);
        let gapped: Vec<f64> = values.iter().flat_map(|value| [*value, f64::NAN]).collect();

        let (plain, gapped) = (relevance(&values), relevance(&gapped));
        prop_assert_eq!((gapped.score, gapped.direction), (plain.score, plain.direction));
        prop_assert_eq!(gapped.onset, plain.onset.map(|at| 2 * at));
    }
}
