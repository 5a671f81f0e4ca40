//! What one series was in each window, and how far it moved.

use signal::Yardstick;

use super::{Pair, Values};
use crate::{
    analysis::baseline::{ENOUGH, coverage, per_position},
    model::Labels,
};

/// The scale of a score at which something moved.
pub(crate) const MOVED: f64 = signal::ONSET_SPREADS;

/// A series in one window, in its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Side {
    pub(crate) mean: f64,
    pub(crate) median: f64,
    pub(crate) p95: f64,
    pub(crate) max: f64,
    /// The latest finite value.
    pub(crate) last: f64,
}

/// What can be said about a series in both windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was there in both.
    Measured,
    /// It was not there before; the place of its first sample.
    Appeared(usize),
    /// It was there before; the place after its last sample, 0 when it has none in the window in question.
    Vanished(usize),
    /// Less than half of the expected samples in one of the windows.
    TooLittle,
}

/// One series, compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compared {
    pub(crate) measure: String,
    pub(crate) labels: Labels,
    pub(crate) fate: Fate,
    pub(crate) before: Option<Side>,
    pub(crate) now: Option<Side>,
    /// Median now less median before, in the unit of the values.
    pub(crate) change: Option<f64>,
    /// The change as a share of |median before|; `None` from zero.
    pub(crate) relative: Option<f64>,
    /// [`signal::effect`]; `None` where the baseline has no spread.
    pub(crate) effect: Option<f64>,
    /// Whether most of the baseline is one value, so that it has no spread to measure by.
    pub(crate) steady_before: bool,
    /// [`signal::ks`].
    pub(crate) ks: Option<f64>,
    /// The place where it left its usual range and stayed away.
    pub(crate) onset: Option<usize>,
    /// What it was after the onset: the median, or the decile farther out where it did not stay.
    pub(crate) level: Option<f64>,
    /// Whether `level` is such a decile: it left its usual range and came back.
    pub(crate) came_back: bool,
    /// Distance from the baseline in its spreads, after the onset where there is one; for ranking.
    pub(crate) score: f64,
    /// Share of finite samples before and now.
    pub(crate) covered: (f64, f64),
    /// Samples that are NaN or infinite, in all windows.
    pub(crate) not_finite: usize,
}

impl Compared {
    /// Whether it moved beyond its usual spread, appeared or vanished.
    pub(crate) fn has_moved(&self) -> bool {
        match self.fate {
            Fate::Measured => self.onset.is_some() || self.score >= MOVED,
            Fate::Appeared(_) | Fate::Vanished(_) => true,
            Fate::TooLittle => false,
        }
    }
}

/// Compares a series with its baseline.
///
/// Levels of the baseline (`before`) are those of the median of its windows at each position. Its spread, and its
/// distribution, are those of all samples of all its windows: what differs from day to day is usual, too.
///
/// `resolution` is the smallest difference that means anything, in the unit of the values (one event in the window of
/// a rate); `end` the place after the last at which any series has a sample: one that has none in the last `late`
/// places before has vanished.
pub(crate) fn compare(pair: &Pair, resolution: f64, end: usize, late: usize) -> Option<Compared> {
    let middle = per_position(&pair.before);
    let pool: Vec<f64> = pair.before.iter().flatten().map(|value| value.unwrap_or(f64::NAN)).collect();
    let now: Vec<f64> = pair.now.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    let covered = (coverage(&middle), coverage(pair.now.get(..end).unwrap_or(&pair.now)));
    let fate = fate(&middle, &pair.now, covered, end, late)?;
    let (before, after) = (side(&middle), side(&pair.now));
    let all = || pair.before.iter().flatten().chain(&pair.now).flatten();
    let mut compared = Compared {
        measure: pair.measure.clone(),
        labels: pair.labels.clone(),
        fate,
        before,
        now: after,
        change: None,
        relative: None,
        effect: None,
        steady_before: false,
        ks: None,
        onset: None,
        level: None,
        came_back: false,
        score: 0.0,
        covered,
        not_finite: all().filter(|value| !value.is_finite()).count(),
    };
    let is_enough = covered.0 >= ENOUGH && (covered.1 >= ENOUGH || matches!(fate, Fate::Vanished(_)));
    if is_enough && let (Some(was), Some(is)) = (before, after) {
        measure(&mut compared, was, is, &pool, &now, resolution);
    }
    Some(compared)
}

fn measure(compared: &mut Compared, was: Side, is: Side, pool: &[f64], now: &[f64], resolution: f64) {
    let change = is.median - was.median;
    compared.change = Some(change);
    compared.relative =
        (was.median != 0.0).then(|| change / was.median.abs()).filter(|share| share.is_finite());
    compared.ks = signal::ks(pool, now);
    compared.steady_before = signal::iqr(pool).is_none_or(|range| range == 0.0);
    // A spread made of the window in question alone would be a made-up yardstick.
    compared.effect =
        signal::effect(pool, now).and_then(|effect| effect.size).filter(|_| !compared.steady_before);
    let Some(yardstick) = Yardstick::of(pool, resolution) else { return };
    let distance = |value: f64| yardstick.robust_z(value).map_or(0.0, f64::abs);
    compared.score = distance(is.median);
    compared.onset = signal::onset_against(now, &yardstick);
    let Some(after) = compared.onset.and_then(|onset| now.get(onset..)) else { return };
    let deciles = [0.5, 0.1, 0.9].map(|q| signal::quantile(after, q));
    let mut level: Option<f64> = None;
    for value in deciles.into_iter().flatten() {
        // The median, unless it is back where it was.
        let is_better = level.is_none_or(|best| distance(best) < MOVED && distance(value) > distance(best));
        if is_better {
            compared.came_back = level.is_some();
            level = Some(value);
        }
        compared.score = compared.score.max(distance(value));
    }
    compared.level = level;
}

fn fate(before: &Values, now: &Values, covered: (f64, f64), end: usize, late: usize) -> Option<Fate> {
    let was_there = before.iter().any(Option::is_some);
    let first = now.iter().position(Option::is_some);
    let after_last = now.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    Some(match (was_there, first) {
        (false, None) => return None,
        (false, Some(first)) => Fate::Appeared(first),
        (true, None) if covered.0 < ENOUGH => Fate::TooLittle,
        (true, _) if covered.0 >= ENOUGH && after_last + late < end => Fate::Vanished(after_last),
        _ if covered.0 < ENOUGH || covered.1 < ENOUGH => Fate::TooLittle,
        _ => Fate::Measured,
    })
}

fn side(values: &Values) -> Option<Side> {
    let numbers: Vec<f64> = values.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    let all = signal::summary(&numbers)?;
    let p95 = signal::quantile(&numbers, 0.95)?;
    Some(Side { mean: all.mean, median: all.median, p95, max: all.max, last: all.last })
}
