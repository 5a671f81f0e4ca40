//! How many customers there are: the shape of a day and of a week, slow growth, and restlessness.

use libm::{exp, sqrt};

use crate::random::Random;

const DAY: i64 = 86_400;

/// Load at a moment (seconds since 1970) relative to an ordinary weekday's afternoon: more around 13:30 and
/// 19:30 UTC, a quarter at night, less on weekends.
pub(crate) fn season(at: i64) -> f64 {
    let hour = at.rem_euclid(DAY) as f64 / 3_600.0;
    let day = (0.22 + 0.6 * bump(hour, 13.5, 3.2) + 0.5 * bump(hour, 19.5, 2.2)) / 0.83;
    // 1970 began with a Thursday.
    let week = match at.div_euclid(DAY).rem_euclid(7) {
        0 => 1.02,
        1 => 0.97,
        2 => 0.84,
        3 => 0.80,
        4 => 1.0,
        5 => 1.01,
        _ => 1.03,
    };
    day * week
}

fn bump(hour: f64, centre: f64, width: f64) -> f64 {
    let apart = (hour - centre).abs();
    let apart = apart.min(24.0 - apart) / width;
    exp(-apart * apart / 2.0)
}

/// Growth of the business, relative to the day of the incident: a tenth in a month.
pub(crate) fn growth(at: i64, onset: i64) -> f64 {
    1.0 + 0.1 * (at - onset) as f64 / (30 * DAY) as f64
}

/// A value that wanders around 1 and returns: the exponential of a first-order autoregressive process.
#[derive(Debug, Clone)]
pub(crate) struct Wander {
    random: Random,
    memory: f64,
    deviation: f64,
    state: f64,
}

impl Wander {
    /// `memory`: what is left of a deviation after one step; `deviation`: of the logarithm, in the long run.
    pub(crate) fn new(mut random: Random, memory: f64, deviation: f64) -> Wander {
        let state = deviation * random.normal();
        Wander { random, memory, deviation, state }
    }

    /// The value of the next step.
    pub(crate) fn next(&mut self) -> f64 {
        let fresh = self.deviation * sqrt(1.0 - self.memory * self.memory);
        self.state = self.memory * self.state + fresh * self.random.normal();
        exp(self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-14T14:00:00Z, a Wednesday.
    const WEDNESDAY: i64 = 1_768_399_200;

    #[test]
    fn the_load_is_one_on_an_ordinary_afternoon_and_has_a_night_and_a_weekend() {
        assert!((season(WEDNESDAY) - 1.0).abs() < 0.05);
        assert!(season(WEDNESDAY + 13 * 3_600) < 0.35, "at three in the night");
        let saturday = WEDNESDAY + 3 * DAY;
        assert!(season(saturday) < 0.9 * season(WEDNESDAY));
        assert_eq!(season(WEDNESDAY), season(WEDNESDAY + 7 * DAY));
    }

    #[test]
    fn a_wandering_value_has_the_deviation_and_the_memory_it_was_given() {
        let mut wander = Wander::new(Random::new(1, "test"), 0.9, 0.05);
        let logs: Vec<f64> = (0..50_000).map(|_| wander.next().ln()).collect();
        let square = logs.iter().map(|x| x * x).sum::<f64>() / logs.len() as f64;
        let lagged = logs.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / logs.len() as f64;

        assert!((square.sqrt() - 0.05).abs() < 0.003, "{}", square.sqrt());
        assert!((lagged / square - 0.9).abs() < 0.02, "{}", lagged / square);
    }
}
