//! One signal against its baseline.

use proptest::prelude::*;
use signal::Direction;

use super::{
    super::score::{Verdict, judge},
    *,
};

fn verdict(values: &[f64], scale: Scale) -> Verdict {
    judge(values, scale, &split()).unwrap()
}

/// Median 100, quartiles 99.5 and 100.5: 0.7413 × 1 is less than 1 % of 100, and half of its own farthest departure,
/// 0.25, is less still. So a step is 1, and from 100 to 150 it is 50 of them, less the noise of the middle of three.
#[test]
fn a_step_is_scored_in_floored_spreads_and_begins_with_its_first_sample() {
    let got = verdict(&stepping(100.0, 60, 150.0), PLAIN);
    assert!((got.score - 50.0).abs() <= 0.75, "{got:?}");
    assert_eq!((got.direction, got.onset), (Direction::Up, Some(60)));
    assert_eq!((got.before, got.after), (Some(100.0), Some(150.0)));
    let got = verdict(&stepping(100.0, 60, 50.0), PLAIN);
    assert_eq!((got.direction, got.after), (Direction::Down, Some(50.0)));
}

/// The time is a minute (4 moments) off: the gap covers it.
#[test]
fn a_time_that_is_a_minute_off_changes_neither_score_nor_onset() {
    for at in [56, 60, 64] {
        let split = Split::given(at, 100, 15.0).unwrap();
        let got = judge(&stepping(100.0, 60, 150.0), PLAIN, &split).unwrap();
        assert_eq!(got.onset, Some(60), "{at}");
        assert!((got.score - 50.0).abs() <= 0.75, "{at}: {got:?}");
    }
}

#[test]
fn availability_that_falls_to_97_percent_outranks_a_latency_that_grew_by_half() {
    let availability: Vec<f64> = (0..100).map(|place| if place < 60 { 1.0 } else { 0.97 }).collect();
    let fallen = verdict(&availability, Scale::Share);
    // (6.908 − 3.444) ÷ 0.25 = 13.9; in shares it would be 0.03 ÷ 0.01 = 3.
    assert!((fallen.score - 13.86).abs() < 0.01, "{fallen:?}");
    assert!((verdict(&availability, PLAIN).score - 3.0).abs() < 0.01);
    let mut latency = stepping(0.2, 60, 0.3);
    latency.iter_mut().step_by(3).for_each(|value| *value *= 1.3);
    assert!(fallen.score > verdict(&latency, PLAIN).score);
}

#[test]
fn what_vanishes_and_what_appears_is_told_with_its_first_moment() {
    let mut gone = steady(7.0);
    gone[70..].fill(GAP);
    let got = verdict(&gone, PLAIN);
    assert_eq!(
        (got.direction, got.onset, got.before, got.after),
        (Direction::Vanished, Some(70), Some(7.0), None)
    );
    let mut new = steady(7.0);
    new[..65].fill(GAP);
    let got = verdict(&new, PLAIN);
    assert_eq!(
        (got.direction, got.onset, got.before, got.after),
        (Direction::Appeared, Some(65), None, Some(7.0))
    );
}

#[test]
fn only_one_side_with_data_or_none_is_no_number() {
    let mut thin = steady(7.0);
    thin[..54].fill(GAP);
    assert_eq!(judge(&thin, PLAIN, &split()), None, "two samples are no baseline and no absence");
    assert_eq!(judge(&[GAP; 100], PLAIN, &split()), None);
    assert_eq!(judge(&[f64::INFINITY; 100], PLAIN, &split()), None);
    assert_eq!(judge(&[], PLAIN, &split()), None);
}

#[test]
fn a_lone_sample_counts_half_and_has_no_onset() {
    let mut values = steady(100.0);
    values[80] = 200.0;
    let got = verdict(&values, PLAIN);
    assert!((got.score - 50.0).abs() < 0.01, "{got:?}");
    assert_eq!((got.onset, got.after), (None, Some(200.0)));
}

#[test]
fn what_a_signal_does_all_the_time_counts_little() {
    let mut spiky = steady(100.0);
    spiky.iter_mut().step_by(9).for_each(|value| *value = 300.0);
    assert!(verdict(&spiky, PLAIN).score < 3.0);
}

#[test]
fn a_dip_that_ended_is_told_by_its_depth() {
    let mut values = vec![5.0; 100];
    values[62..66].fill(1.0);
    let got = verdict(&values, PLAIN);
    assert_eq!((got.onset, got.before, got.after, got.was_constant), (Some(62), Some(5.0), Some(1.0), true));
}

/// One event in a window is the resolution: against nothing but zeros, 2 events score 2 and not 100.
#[test]
fn the_first_events_of_a_counter_are_no_outage() {
    let mut rare = vec![0.0; 100];
    rare[70..74].fill(2.0 / 60.0);
    let got = verdict(&rare, Scale::Linear { resolution: 1.0 / 60.0 });
    assert!((got.score - 2.0).abs() < 1e-9, "{got:?}");
}

/// Drifts up by a fifth of a spread a moment from 60 on: certain after 15 moments, but it began before.
#[test]
fn a_drift_began_before_it_was_certain() {
    let mut values = steady(100.0);
    for (steps, value) in values.iter_mut().skip(60).enumerate() {
        *value += 0.5 * steps as f64;
    }
    let onset = verdict(&values, PLAIN).onset.unwrap();
    assert!((60..=66).contains(&onset), "{onset}");
}

proptest! {
    #[test]
    fn no_unit_changes_a_verdict(at in 58_usize..95, then in 1_f64..1_000.0, exponent in -40_i32..40) {
        let unit = 2_f64.powi(exponent);
        let plain = verdict(&stepping(100.0, at, then), PLAIN);
        let scaled: Vec<f64> = stepping(100.0, at, then).iter().map(|value| value * unit).collect();
        let scaled = verdict(&scaled, PLAIN);
        prop_assert!((plain.score - scaled.score).abs() < 1e-6 * plain.score.max(1.0));
        prop_assert_eq!((plain.onset, plain.direction), (scaled.onset, scaled.direction));
    }

    #[test]
    fn nothing_panics_and_no_score_is_infinite(values in prop::collection::vec(prop::num::f64::ANY, 0..120), at in 0_usize..120) {
        if let Some(split) = Split::given(at, values.len(), 15.0) {
            for scale in [PLAIN, Scale::Share, Scale::Linear { resolution: 0.1 }] {
                let got = judge(&values, scale, &split);
                prop_assert!(got.is_none_or(|got| got.score.is_finite() && got.score >= 0.0));
            }
        }
    }
}
