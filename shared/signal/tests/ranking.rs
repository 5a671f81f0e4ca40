//! Ranking the series of one answer: the faulty one comes first, although it is not the largest.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

use std::f64::consts::TAU;

use signal::{Direction, relevance, shape, summary};

const SERIES: usize = 84;
const POINTS: usize = 241;
const FAULTY: usize = 57;
const SEEDS: u64 = 10;

/// A seeded source of numbers (splitmix64), so that every run sees the same series.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (TAU * self.uniform()).cos()
    }
}

/// A large series without a fault: one of several kinds of noise, at a level of its own.
fn healthy(kind: usize, random: &mut Random) -> Vec<f64> {
    let level = 1e3 * 10f64.powf(4.0 * random.uniform());
    let phase = random.uniform();
    let mut carried = 0.0;
    let sample = |at: usize| {
        let wave = (TAU * (at as f64 / 60.0 + phase)).sin();
        carried = 0.7 * carried + random.normal();
        match kind % 6 {
            0 => 1.0 + 0.2 * random.normal(),
            1 => random.uniform(),
            2 => -(1.0 - random.uniform()).ln(),
            3 => 1.0 + 0.3 * wave + 0.1 * random.normal(),
            4 => 1.0 + 0.1 * carried,
            _ => 1.0 + 0.1 * random.normal() + if at % 20 < 2 { 3.0 } else { 0.0 },
        }
    };
    (0..POINTS).map(sample).map(|share| level * share).collect()
}

/// 84 series, of which number 57 is small (0.012 ± 0.001) and `fault` is added to it.
fn answer(seed: u64, fault: impl Fn(usize) -> f64) -> Vec<Vec<f64>> {
    let mut random = Random(seed);
    let mut series: Vec<Vec<f64>> = (0..SERIES).map(|kind| healthy(kind, &mut random)).collect();
    series[FAULTY] = (0..POINTS).map(|at| 0.012 + 0.001 * random.normal() + fault(at)).collect();
    series
}

/// The index of the series with the greatest score.
fn first_by(series: &[Vec<f64>], score: impl Fn(&[f64]) -> f64) -> usize {
    let scores: Vec<f64> = series.iter().map(|values| score(values)).collect();
    (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap()
}

#[track_caller]
fn check(what: &str, expected: (usize, Direction), fault: impl Fn(usize) -> f64) {
    for seed in 0..SEEDS {
        let series = answer(seed, &fault);
        assert_eq!(first_by(&series, |values| relevance(values).score), FAULTY, "{what}, seed {seed}");
        assert_eq!(first_by(&series, |values| -summary(values).unwrap().max), FAULTY, "the smallest maximum");

        let found = relevance(&series[FAULTY]);
        assert_eq!((found.onset, found.direction), (Some(expected.0), expected.1), "{what}, seed {seed}");
    }
}

#[test]
fn a_fault_in_the_last_tenth_ranks_first() {
    check("last tenth", (217, Direction::Up), |at| if at >= 217 { 0.05 } else { 0.0 });
}

#[test]
fn a_fault_in_the_last_six_tenths_ranks_first() {
    check("last six tenths", (97, Direction::Up), |at| if at >= 97 { 0.05 } else { 0.0 });
}

#[test]
fn a_fault_that_ended_ranks_first() {
    check("bump", (80, Direction::Up), |at| if (80..180).contains(&at) { 0.05 } else { 0.0 });
}

#[test]
fn a_fault_that_began_two_samples_ago_ranks_first() {
    check("last two", (239, Direction::Up), |at| if at >= 239 { 0.05 } else { 0.0 });
}

#[test]
fn a_fall_ranks_first() {
    check("fall", (150, Direction::Down), |at| if at >= 150 { -0.05 } else { 0.0 });
}

#[test]
fn a_spike_of_one_sample_ranks_first_and_shows_in_the_shape() {
    let spike = |at| if at == 100 { 0.08 } else { 0.0 };
    check("spike", (100, Direction::Up), spike);
    for seed in 0..SEEDS {
        let shape = shape(&answer(seed, spike)[FAULTY], 24);
        // The bucket with index 10 of 24 begins with sample 10 × 241 ÷ 24 = 100.
        assert_eq!(shape.find('9'), Some(10), "{shape}");
        assert_eq!(shape.matches('9').count(), 1, "{shape}");
    }
}

#[test]
fn a_series_that_stops_ranks_first() {
    check("stop", (190, Direction::Vanished), |at| if at >= 190 { f64::NAN } else { 0.0 });
}

#[test]
fn what_happens_again_and_again_does_not_stand_out() {
    // Bursts as long as a block, twelve of them, thirty spreads high.
    let mut random = Random(3);
    let bursts: Vec<f64> =
        (0..POINTS).map(|at| 10.0 + random.normal() + if at % 20 < 3 { 30.0 } else { 0.0 }).collect();
    assert_eq!(relevance(&bursts).onset, None);

    let once: Vec<f64> = bursts
        .iter()
        .enumerate()
        .map(|(at, value)| value - if at % 20 < 3 && at > 20 { 30.0 } else { 0.0 })
        .collect();
    assert!(relevance(&once).score > 20.0);
}

#[test]
fn noise_alone_rarely_stands_out() {
    // Normal noise; 400 windows of each length. Short windows know less about their own spread.
    for (len, most) in [(30, 40), (60, 20), (POINTS, 8), (1441, 8)] {
        let mut random = Random(len as u64);
        let mut window = || (0..len).map(|_| 100.0 + 10.0 * random.normal()).collect::<Vec<_>>();
        let standing_out = (0..400).filter(|_| relevance(&window()).onset.is_some()).count();
        assert!(standing_out <= most, "{standing_out} of 400 windows of {len} samples");
    }
}
