//! Slopes against `tables/slopes.json`, which scipy wrote (`tables/slopes.py`); trends against arithmetic by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

use proptest::collection::vec;
use proptest::prelude::*;
use serde::Deserialize;
use signal::{Direction, Trend, slope, trend};

#[derive(Deserialize)]
struct Table {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    values: Vec<Option<f64>>,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    per_sample: f64,
    start: f64,
    low: f64,
    high: f64,
}

fn close(got: f64, expected: f64) -> bool {
    (got - expected).abs() <= 1e-9 * expected.abs().max(1e-3)
}

#[test]
fn slopes_and_their_intervals_are_those_of_scipy() {
    let table: Table = serde_json::from_str(include_str!("tables/slopes.json")).unwrap();
    assert_eq!(table.cases.len(), 14);
    for case in table.cases {
        let values: Vec<f64> = case.values.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        let got = slope(&values).unwrap();
        let expected = case.expected;
        for (name, got, expected) in [
            ("slope", got.per_sample, expected.per_sample),
            ("start", got.start, expected.start),
            ("low", got.low, expected.low),
            ("high", got.high, expected.high),
        ] {
            assert!(close(got, expected), "{}: {name} {got}, scipy {expected}", case.name);
        }
    }
}

/// Numbers that look random and are the same everywhere: a linear congruential generator (Knuth's MMIX), twelve of
/// them added up (Irwin-Hall) for a bell of deviation 1.
struct Dice(u64);

impl Dice {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    /// Each value remembers `memory` of the one before.
    fn wander(&mut self, count: usize, memory: f64) -> Vec<f64> {
        let mut last = 0.0;
        (0..count)
            .map(|_| {
                last = memory * last + self.normal();
                last
            })
            .collect()
    }
}

/// 30 days, 8 samples a day: two peaks by day, less at the weekend.
fn seasons(at: usize) -> f64 {
    let day = [0.0, 0.0, 10.0, 40.0, 20.0, 50.0, 30.0, 5.0][at % 8];
    let weekend = if at / 8 % 7 >= 5 { -15.0 } else { 0.0 };
    day + weekend
}

#[test]
fn a_season_of_day_and_week_does_not_bend_the_slope() {
    let values: Vec<f64> = (0..240).map(|at| 100.0 + 0.5 * at as f64 + seasons(at)).collect();
    let found = trend(&values, 8).unwrap();
    assert!(close(found.per_sample, 0.5) && close(found.low, 0.5) && close(found.high, 0.5), "{found:?}");
    assert!(found.has_day && found.has_week && found.samples == 240);
    // Without the seasons' removal the interval is wide: the seasons are noise then.
    let raw = slope(&values).unwrap();
    assert!(raw.high - raw.low > 0.02, "{raw:?}");
}

#[test]
fn the_limit_is_reached_when_the_daily_highs_reach_it() {
    // A line from 0, one up a sample, and every fourth sample 10 higher: the season's median is 0, so the line is the
    // line, its level at the last sample (39) is 39; 1 in 4 samples lies 10 above it, and so does the quantile 0.95.
    let values: Vec<f64> = (0..40).map(|at| at as f64 + if at % 4 == 3 { 10.0 } else { 0.0 }).collect();
    let found = trend(&values, 4).unwrap();
    assert!(close(found.level, 39.0) && close(found.crest, 10.0), "{found:?}");
    assert_eq!(found.direction(), Some(Direction::Up));
    // 39 + 10 + 51 × 1 = 100.
    let reaches = found.reaches(100.0).unwrap();
    assert!(close(reaches.samples, 51.0) && close(reaches.earliest, 51.0), "{reaches:?}");
    assert!(close(reaches.latest.unwrap(), 51.0));
    assert_eq!(found.reaches(45.0).unwrap().samples, 0.0);
    assert_eq!(found.reaches(f64::INFINITY), None);
}

#[test]
fn a_slope_whose_interval_holds_zero_is_no_trend_and_reaches_nothing() {
    let found = Trend {
        per_sample: 1.0,
        low: -0.5,
        high: 2.0,
        level: 0.0,
        crest: 0.0,
        has_day: false,
        has_week: false,
        samples: 9,
    };
    assert_eq!((found.direction(), found.reaches(10.0)), (None, None));
    // Up for sure, but one end of the interval hardly: 10 ÷ 1, 10 ÷ 2, 10 ÷ 0.1.
    let surely = Trend { low: 0.1, ..found };
    let reaches = surely.reaches(10.0).unwrap();
    assert_eq!((reaches.samples, reaches.earliest, reaches.latest.map(f64::round)), (10.0, 5.0, Some(100.0)));
    let falls = Trend { per_sample: -1.0, low: -2.0, high: -0.1, ..found };
    assert_eq!((falls.direction(), falls.reaches(10.0)), (Some(Direction::Down), None));
}

#[test]
fn wandering_without_a_trend_seldom_looks_like_one() {
    // Sen's interval alone, made for independent values, is left by a wandering series far more often than 1 in 20.
    let mut dice = Dice(6);
    let (mut alone, mut widened) = (0, 0);
    for _ in 0..100 {
        let values: Vec<f64> = dice
            .wander(240, 0.6)
            .iter()
            .enumerate()
            .map(|(at, value)| 100.0 + 5.0 * value + seasons(at))
            .collect();
        let flat: Vec<f64> = values.iter().enumerate().map(|(at, value)| value - seasons(at)).collect();
        let raw = slope(&flat).unwrap();
        alone += usize::from(raw.low > 0.0 || raw.high < 0.0);
        widened += usize::from(trend(&values, 8).unwrap().direction().is_some());
    }
    assert!(alone >= 25, "independent intervals: {alone} of 100");
    assert!(widened <= 12, "{widened} of 100");
}

#[test]
fn a_slow_rise_under_noise_and_seasons_is_found_and_its_interval_holds_it() {
    let mut dice = Dice(7);
    let (mut found, mut held) = (0, 0);
    for _ in 0..100 {
        let noise = dice.wander(240, 0.3);
        let values: Vec<f64> =
            (0..240).map(|at| 100.0 + 0.05 * at as f64 + 3.0 * noise[at] + seasons(at)).collect();
        let trend = trend(&values, 8).unwrap();
        found += usize::from(trend.direction() == Some(Direction::Up));
        held += usize::from(trend.low <= 0.05 && 0.05 <= trend.high);
    }
    assert!(found >= 95 && held >= 88, "found {found}, held {held} of 100");
}

#[test]
fn too_little_has_no_trend_and_two_days_are_needed_for_a_season() {
    assert_eq!(trend(&[1.0; 7], 0), None);
    assert_eq!(trend(&[f64::NAN; 100], 8), None);
    assert_eq!(slope(&[1.0]), None);
    let line: Vec<f64> = (0..15).map(f64::from).collect();
    let short = trend(&line, 8).unwrap();
    assert!(!short.has_day && !short.has_week && close(short.per_sample, 1.0));
    let line: Vec<f64> = (0..16).map(f64::from).collect();
    assert!(trend(&line, 8).unwrap().has_day);
}

#[test]
fn more_samples_than_can_be_paired_are_thinned_without_moving_the_line() {
    let values: Vec<f64> = (0..8_640).map(|at| 7.0 + 0.25 * at as f64).collect();
    let found = trend(&values, 288).unwrap();
    assert!(close(found.per_sample, 0.25) && close(found.level, 7.0 + 0.25 * 8_639.0), "{found:?}");
}

/// Ordinary values with gaps.
fn series() -> impl Strategy<Value = Vec<f64>> {
    vec(prop_oneof![9 => -1e3..1e3_f64, 1 => Just(f64::NAN)], 10..80)
}

fn near(got: f64, expected: f64, magnitude: f64) -> bool {
    (got - expected).abs() <= 1e-7 * magnitude
}

proptest! {
    #[test]
    fn scaling_scales_the_slope_and_shifting_leaves_it(values in series(), by in 0.01..100.0_f64, up in -1e3..1e3_f64) {
        let changed: Vec<f64> = values.iter().map(|value| value * by + up).collect();
        let (Some(one), Some(other)) = (slope(&values), slope(&changed)) else { return Ok(()) };
        let magnitude = 2e3 * by + 1e3;
        prop_assert!(near(other.per_sample, one.per_sample * by, magnitude));
        prop_assert!(near(other.start, one.start * by + up, magnitude * 100.0));
        prop_assert!(near(other.low, one.low * by, magnitude) && near(other.high, one.high * by, magnitude));
        let (Some(one), Some(other)) = (trend(&values, 4), trend(&changed, 4)) else { return Ok(()) };
        prop_assert!(near(other.per_sample, one.per_sample * by, magnitude));
        prop_assert!(near(other.crest, one.crest * by, magnitude * 100.0));
        prop_assert!(near(other.level, one.level * by + up, magnitude * 100.0));
    }

    #[test]
    fn reversing_time_turns_the_slope_round(values in series()) {
        let reversed: Vec<f64> = values.iter().rev().copied().collect();
        let (Some(one), Some(other)) = (slope(&values), slope(&reversed)) else { return Ok(()) };
        prop_assert!(near(other.per_sample, -one.per_sample, 1e3));
        prop_assert!(other.low <= other.per_sample && other.per_sample <= other.high);
        // The ends are order statistics, whose places may round the other way.
        let width = (one.high - one.low).max(1e-9);
        prop_assert!(near(other.low, -one.high, 1e3) || (other.low + one.high).abs() <= width);
    }

    #[test]
    fn whatever_is_measured_the_numbers_are_finite_and_in_order(values in vec(any::<f64>(), 0..60), per_day in 0_usize..10) {
        if let Some(found) = trend(&values, per_day) {
            for number in [found.per_sample, found.low, found.high, found.level, found.crest] {
                prop_assert!(number.is_finite());
            }
            prop_assert!(found.low <= found.per_sample && found.per_sample <= found.high);
            if let Some(reaches) = found.reaches(1e9) {
                prop_assert!(0.0 <= reaches.earliest && reaches.earliest <= reaches.samples);
                prop_assert!(reaches.latest.is_none_or(|latest| reaches.samples <= latest));
            }
        }
    }

    #[test]
    fn a_steeper_line_reaches_the_limit_earlier(noise in vec(-1.0..1.0_f64, 60), slope in 1.0..5.0_f64) {
        let line = |slope: f64| noise.iter().enumerate().map(|(at, noise)| slope * at as f64 + noise).collect::<Vec<_>>();
        let after = |slope: f64| {
            let found = trend(&line(slope), 4).unwrap();
            (1e4 - found.level - found.crest, found.reaches(1e4).unwrap().samples)
        };
        let ((_, gentle), (_, steep)) = (after(slope), after(slope + 1.0));
        prop_assert!(steep < gentle);
    }
}
