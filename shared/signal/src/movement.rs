//! The movements of one window without gaps: another level, a brief departure, a lone sample.
//! The method is described at [`crate::relevance()`].

use std::ops::Range;

use crate::departure::{Direction, Yardstick, farthest, floored_scale, root_mean_square};
use crate::onset::ONSET_SPREADS;
use crate::quantile::{distance, iqr, median};
use crate::relevance::LONE_SAMPLE_WEIGHT;
use crate::stretch::{Stretch, most_distinct_stretch};

/// A part of the window may serve as the baseline when it has at least this many samples …
const SMALLEST_BASELINE: usize = 12;
/// … and at least one in so many of all samples: the spread of a few can be small by chance.
const BASELINE_SHARE: usize = 8;

/// Something a series did: how much, from which sample on, and which way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Movement {
    pub(crate) score: f64,
    pub(crate) start: usize,
    pub(crate) direction: Direction,
}

/// What a series of finite levels within ±2 did, at most one movement of each kind.
pub(crate) fn movements(levels: &[f64], resolution: f64) -> Vec<Movement> {
    let stretch = most_distinct_stretch(levels);
    let (level, level_around, in_stretch) = match &stretch {
        Some(stretch) => (stretch.level, stretch.level_around, stretch.samples.clone()),
        None => (0.0, median(levels).unwrap_or(0.0), 0..0),
    };
    let residuals: Vec<f64> = levels
        .iter()
        .enumerate()
        .map(|(at, sample)| sample - if in_stretch.contains(&at) { level } else { level_around })
        .collect();
    let (inside, rest) = residuals.iter().copied().enumerate().partition(|(at, _)| in_stretch.contains(at));
    let Some(rest) = Part::on(level_around, rest, resolution) else {
        return Vec::new();
    };
    let baseline = match Part::on(level, inside, resolution) {
        Some(inside) => steadier(&rest, &inside, resolution),
        None => rest,
    };

    let another_level = stretch.as_ref().map(|stretch| another_level(stretch, &baseline, levels.len()));
    let departures = [brief_departure(&residuals, &baseline), lone_sample(&residuals, &baseline)];
    let departures = departures.into_iter().flatten().map(|departure| match another_level {
        // A peak within a stretch that itself stands out, half as far at least, began with the stretch.
        Some(level)
            if in_stretch.contains(&departure.start)
                && level.score >= ONSET_SPREADS.max(departure.score / 2.0) =>
        {
            Movement { score: departure.score, ..level }
        }
        _ => departure,
    });
    another_level.into_iter().chain(departures).collect()
}

/// The step between a stretch and the samples around it, divided by how many times the like of it happened.
fn another_level(stretch: &Stretch, baseline: &Part, window: usize) -> Movement {
    let height = distance(stretch.level, stretch.level_around);
    let held = stretch.samples.len().min(window - stretch.samples.len());
    let times = 1 + baseline.runs_like(height, held);
    Movement {
        score: baseline.yardstick().score_of_distance(height) / times as f64,
        start: stretch.samples.start,
        direction: Direction::between(stretch.level_around, stretch.level),
    }
}

/// The farthest median of three successive residuals: at least two of them depart so far.
fn brief_departure(residuals: &[f64], baseline: &Part) -> Option<Movement> {
    let middles: Vec<f64> = residuals
        .windows(3)
        .filter_map(|three| match three {
            [a, b, c] => Some(a.min(*b).max(a.max(*b).min(*c))),
            _ => None,
        })
        .collect();
    let (at, height) = farthest(&middles, 0.0)?;
    Some(departure_of_height(height, at..at + 3, residuals, baseline))
}

fn lone_sample(residuals: &[f64], baseline: &Part) -> Option<Movement> {
    let (at, height) = farthest(residuals, 0.0)?;
    let movement = departure_of_height(height, at..at + 1, residuals, baseline);
    Some(Movement { score: LONE_SAMPLE_WEIGHT * movement.score, ..movement })
}

/// A departure seen in the residuals `seen`, against the baseline without the run of samples around it that
/// reach half its height.
fn departure_of_height(height: f64, seen: Range<usize>, residuals: &[f64], baseline: &Part) -> Movement {
    let reaches_half = |residual: &&f64| **residual * height.signum() >= height.abs() / 2.0;
    let before = residuals.iter().take(seen.start).rev().take_while(reaches_half).count();
    let after = residuals.iter().skip(seen.end).take_while(reaches_half).count();
    let run = seen.start - before..seen.end + after;

    let below = residuals.iter().skip(run.start).take_while(|residual| !reaches_half(residual)).count();
    Movement {
        score: baseline.yardstick_without(&run).score_of_distance(height.abs()),
        start: run.start + below,
        direction: Direction::between(0.0, height),
    }
}

/// Samples on one level.
#[derive(Clone)]
struct Part {
    level: f64,
    /// Index and signed distance from the level of each sample, in the order of time.
    residuals: Vec<(usize, f64)>,
    iqr: f64,
    floored: f64,
}

impl Part {
    /// `None` without residuals.
    fn on(level: f64, residuals: Vec<(usize, f64)>, resolution: f64) -> Option<Self> {
        let distances: Vec<f64> = residuals.iter().map(|(_, residual)| *residual).collect();
        let iqr = iqr(&distances)?;
        Some(Self { level, residuals, iqr, floored: floored_scale(iqr, level, resolution) })
    }

    /// For a level that held.
    fn yardstick(&self) -> Yardstick {
        let at_least = if self.iqr > 0.0 { 0.0 } else { self.root_mean_square_without(&(0..0)) };
        Yardstick::new(self.level, self.floored, at_least)
    }

    /// For a departure during `run`: what the other samples do all the time counts little.
    fn yardstick_without(&self, run: &Range<usize>) -> Yardstick {
        Yardstick::new(self.level, self.floored, self.root_mean_square_without(run))
    }

    fn root_mean_square_without(&self, run: &Range<usize>) -> f64 {
        let others = self.residuals.iter().filter(|(at, _)| !run.contains(at));
        root_mean_square(&others.map(|(_, residual)| *residual).collect::<Vec<_>>(), 0.0)
    }

    /// How many runs of samples depart half as far for half as long, either way.
    fn runs_like(&self, height: f64, held: usize) -> usize {
        let half_as_long = held.div_ceil(2);
        let (mut runs, mut length, mut next) = (0, 0, 0);
        for &(at, residual) in &self.residuals {
            if at != next || residual.abs() < height / 2.0 {
                length = 0;
            }
            if residual.abs() >= height / 2.0 {
                length += 1;
                runs += usize::from(length == half_as_long);
            }
            next = at + 1;
        }
        runs
    }
}

/// The part to measure by: the steadier one of those long enough, or else the residuals of both.
fn steadier(rest: &Part, inside: &Part, resolution: f64) -> Part {
    let samples = rest.residuals.len() + inside.residuals.len();
    let long_enough = SMALLEST_BASELINE.max(samples.div_ceil(BASELINE_SHARE));
    let candidates = [rest, inside].into_iter().filter(|part| part.residuals.len() >= long_enough);
    if let Some(part) = candidates.min_by(|a, b| a.yardstick().scale.total_cmp(&b.yardstick().scale)) {
        return part.clone();
    }
    let level = if inside.level.abs() < rest.level.abs() { inside.level } else { rest.level };
    let mut residuals = [rest.residuals.as_slice(), &inside.residuals].concat();
    residuals.sort_unstable_by_key(|(at, _)| *at);
    Part::on(level, residuals, resolution).unwrap_or_else(|| rest.clone())
}
