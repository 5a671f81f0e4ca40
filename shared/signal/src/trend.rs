//! Whether a series rises or falls over weeks, how fast, and when it reaches a limit.

mod season;

use crate::departure::Direction;
use crate::quantile::{median, quantile_of_finite};

/// The quantile 0.975 of the normal distribution: intervals hold 95 % of the time.
const Z95: f64 = 1.959_963_984_540_054;

/// More samples than this are thinned to block medians first, because slopes are taken between all pairs.
const MOST_SAMPLES: usize = 600;

/// Fewer samples than this have no trend: an interval of so few says nothing.
const FEWEST_SAMPLES: usize = 8;

/// The residuals of one sample and the next are not taken to be more alike than this.
const MOST_ALIKE: f64 = 0.98;

/// The share of samples that lie below a trend's crest.
const CREST: f64 = 0.95;

/// A slope between all pairs of samples, with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// The median slope, in the values' unit for each sample.
    pub per_sample: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end of its 95 % interval.
    pub high: f64,
    /// The line's value at index 0: median of the values less slope × median of their indices.
    pub start: f64,
}

/// The trend of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Change for each sample, in the values' unit, seasons removed.
    pub per_sample: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end of its 95 % interval.
    pub high: f64,
    /// The line's value at the last sample of the slice.
    pub level: f64,
    /// How far the daily and weekly highs and the noise reach above the line: the quantile 0.95 of value less line.
    pub crest: f64,
    /// Whether a daily season was removed.
    pub has_day: bool,
    /// Whether a weekly season was removed.
    pub has_week: bool,
    /// How many values that are finite it rests on.
    pub samples: usize,
}

/// When a trend's crest reaches a limit, in samples after the last one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reaches {
    /// By the slope.
    pub samples: f64,
    /// By the steeper end of the slope's interval.
    pub earliest: f64,
    /// By the flatter end; `None` when that end never reaches it.
    pub latest: Option<f64>,
}

impl Trend {
    /// Up or down, when the interval of the slope does not contain zero; `None` otherwise: there is no trend.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        if self.low > 0.0 {
            return Some(Direction::Up);
        }
        (self.high < 0.0).then_some(Direction::Down)
    }

    /// When level + crest reaches `limit` from below, should the trend go on. `None` when there is no upward trend,
    /// or the limit is not finite. A limit that is reached already is reached after 0 samples.
    #[must_use]
    pub fn reaches(&self, limit: f64) -> Option<Reaches> {
        if self.direction() != Some(Direction::Up) || !limit.is_finite() {
            return None;
        }
        let distance = (limit - (self.level + self.crest)).max(0.0);
        let after = |slope: f64| Some(distance / slope).filter(|samples| samples.is_finite());
        Some(Reaches {
            samples: after(self.per_sample)?,
            earliest: after(self.high)?,
            latest: after(self.low),
        })
    }
}

/// The median of the slopes between all pairs of samples (Theil 1950) with the 95 % interval of Sen (1968), which
/// takes ties among the values into account. Equal to `scipy.stats.theilslopes(y, x, 0.95, method="separate")`.
///
/// Values that are not finite are ignored, their indices count. `None` with fewer than two of them. The interval takes
/// the values to be independent, which measurements over time are not: [`trend`] widens it. Costs the square of the
/// number of values.
#[must_use]
pub fn slope(values: &[f64]) -> Option<Slope> {
    slope_of(&placed(values), 1.0)
}

/// The trend of a series whose samples are so many a day (0 when they are not a whole number).
///
/// 1. More than 600 samples become medians of equal blocks.
/// 2. A first slope comes from pairs at the same time of day, which no daily season can bend (Hirsch, Slack and Smith
///    1982; same time of the week with two weeks of samples).
/// 3. The median profile of the day is subtracted when there are two days, and that of the days of the week when there
///    are two weeks.
/// 4. [`slope`] of what is left. Its interval is widened by √((1 + r) ÷ (1 − r)), r the correlation of one residual
///    with the next (as Hamed and Rao 1998 do for the Mann-Kendall test, here for neighbours alone, a process AR(1)),
///    and by the parameters the profiles took.
///
/// `None` with fewer than 8 finite values.
#[must_use]
pub fn trend(values: &[f64], per_day: usize) -> Option<Trend> {
    let block = values.len().div_ceil(MOST_SAMPLES).max(1);
    if block == 1 {
        return trend_of_few(values, per_day);
    }
    let medians: Vec<f64> = values.chunks(block).map(|part| median(part).unwrap_or(f64::NAN)).collect();
    let per_day = if per_day.is_multiple_of(block) { per_day / block } else { 0 };
    let coarse = trend_of_few(&medians, per_day)?;
    let scale = block as f64;
    // The last block's middle lies before the last sample.
    let after_middle = (values.len() - 1) as f64 - ((medians.len() - 1) * block) as f64 - (scale - 1.0) / 2.0;
    let per_sample = coarse.per_sample / scale;
    let (low, high) = (coarse.low / scale, coarse.high / scale);
    Some(Trend { per_sample, low, high, level: coarse.level + per_sample * after_middle, ..coarse })
}

fn trend_of_few(values: &[f64], per_day: usize) -> Option<Trend> {
    let samples = placed(values);
    if samples.len() < FEWEST_SAMPLES {
        return None;
    }
    let flat = season::remove(&samples, per_day);
    let rough = slope_of(&flat.samples, 1.0)?;
    let widening = widening(&flat, &rough);
    let found = slope_of(&flat.samples, widening)?;
    let line = |at: f64| found.start + found.per_sample * at;
    let mut above: Vec<f64> = samples.iter().map(|(at, value)| value - line(*at)).collect();
    let crest = quantile_of_finite(&mut above, CREST)?;
    let level = line((values.len() - 1) as f64);
    let trend = Trend {
        per_sample: found.per_sample,
        low: found.low,
        high: found.high,
        level,
        crest,
        has_day: flat.has_day,
        has_week: flat.has_week,
        samples: samples.len(),
    };
    [level, crest, found.per_sample, found.low, found.high].iter().all(|one| one.is_finite()).then_some(trend)
}

/// Index and value of the finite ones. Beyond half the range of floats differences overflow; such values are left out.
fn placed(values: &[f64]) -> Vec<(f64, f64)> {
    let fits = |value: f64| value.is_finite() && value.abs() <= f64::MAX / 4.0;
    values
        .iter()
        .enumerate()
        .filter(|(_, value)| fits(**value))
        .map(|(at, value)| (at as f64, *value))
        .collect()
}

/// Sen's interval with the standard deviation of Kendall's S multiplied by `widening`.
fn slope_of(samples: &[(f64, f64)], widening: f64) -> Option<Slope> {
    let mut slopes = Vec::with_capacity(samples.len() * samples.len().saturating_sub(1) / 2);
    for (place, (at, value)) in samples.iter().enumerate() {
        slopes.extend(samples.iter().skip(place + 1).map(|(later, other)| (other - value) / (later - at)));
    }
    let per_sample = quantile_of_finite(&mut slopes, 0.5)?;
    slopes.sort_unstable_by(f64::total_cmp);
    let reach = Z95 * widening * deviation_of_kendall(samples);
    let pairs = slopes.len() as f64;
    let last = slopes.len().saturating_sub(1);
    let below = ((pairs - reach) / 2.0).round_ties_even() - 1.0;
    let above = ((pairs + reach) / 2.0).round_ties_even();
    let low = slopes.get(below.max(0.0) as usize).copied()?;
    let high = slopes.get((above.max(0.0) as usize).min(last)).copied()?;
    let middle = |pick: fn(&(f64, f64)) -> f64| median(&samples.iter().map(pick).collect::<Vec<_>>());
    let start = middle(|sample| sample.1)? - per_sample * middle(|sample| sample.0)?;
    Some(Slope { per_sample, low, high, start })
}

/// Kendall (1970), equation 2.6 of Sen (1968): the standard deviation of S when nothing trends, ties corrected.
fn deviation_of_kendall(samples: &[(f64, f64)]) -> f64 {
    let term = |count: f64| count * (count - 1.0) * (2.0 * count + 5.0);
    let mut values: Vec<f64> = samples.iter().map(|(_, value)| *value).collect();
    values.sort_unstable_by(f64::total_cmp);
    let ties: f64 = values.chunk_by(|one, other| one == other).map(|tied| term(tied.len() as f64)).sum();
    ((term(samples.len() as f64) - ties) / 18.0).max(0.0).sqrt()
}

/// By how much the deviation grows because neighbours are alike and the profiles took parameters.
fn widening(flat: &season::Flat, line: &Slope) -> f64 {
    let mut residuals: Vec<(f64, f64)> =
        flat.samples.iter().map(|(at, value)| (*at, value - line.start - line.per_sample * at)).collect();
    // In units of the largest one squares neither overflow nor vanish.
    let largest = residuals.iter().fold(0.0, |most: f64, (_, residual)| most.max(residual.abs()));
    if largest > 0.0 && largest.is_finite() {
        residuals.iter_mut().for_each(|(_, residual)| *residual /= largest);
    } else {
        return 1.0;
    }
    let all: f64 = residuals.iter().map(|(_, residual)| residual * residual).sum();
    let pairs =
        residuals.iter().zip(residuals.iter().skip(1)).filter(|((at, _), (next, _))| next - at == 1.0);
    let (mut together, mut count) = (0.0, 0.0);
    for ((_, one), (_, other)) in pairs {
        together += one * other;
        count += 1.0;
    }
    let samples = residuals.len() as f64;
    let alike = if all > 0.0 && count > 0.0 { (together / count) / (all / samples) } else { 0.0 };
    let alike = alike.clamp(0.0, MOST_ALIKE);
    let free = (samples - flat.parameters as f64).max(samples / 4.0);
    ((1.0 + alike) / (1.0 - alike) * samples / free).sqrt()
}
