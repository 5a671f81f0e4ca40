//! Series over time: how much each moved, since when, and how it looked.

use std::ops::Range;

use jiff::Timestamp;
use signal::{Direction, Relevance, Summary};

use super::grid::Grid;
use crate::model::{Labels, Point, Series};

/// A series whose samples stop this long before the window's end has ended (or two steps, when those are longer): a
/// server shows the latest sample for five minutes.
const LATE: i64 = 300_000;

/// One series over time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Track {
    pub(crate) labels: Labels,
    /// When, in milliseconds since 1970.
    pub(crate) at: Vec<i64>,
    /// The value at each moment, NaN and infinities among them; `None` where there is no sample.
    pub(crate) values: Vec<Option<f64>>,
    /// Whether the values are the 95th percentiles of native histograms.
    pub(crate) is_p95: bool,
}

impl Track {
    /// The values with gaps as NaN, which is how `signal` wants them.
    fn numbers(&self) -> Vec<f64> {
        self.values.iter().map(|value| value.unwrap_or(f64::NAN)).collect()
    }

    /// The moment of a place.
    pub(crate) fn moment(&self, place: usize) -> Option<Timestamp> {
        Timestamp::from_millisecond(*self.at.get(place)?).ok()
    }
}

/// The series as tracks: on the moments of `grid`, or on their own when there is none.
pub(crate) fn tracks(series: Vec<Series>, grid: Option<Grid>) -> Vec<Track> {
    let track = |series: Series| {
        let is_p95 = series.points.is_empty() && !series.histograms.is_empty();
        let points: Vec<Point> = if is_p95 {
            // One without observations is a sample all the same: its percentile is NaN.
            let all = series.histograms.iter();
            all.map(|(at, histogram)| Point { at: *at, value: histogram.quantile(0.95) }).collect()
        } else {
            series.points
        };
        let (at, values) = match grid {
            Some(grid) => {
                let at = (0..grid.count()).map(|place| grid.second(place).saturating_mul(1000)).collect();
                (at, grid.place(points.into_iter()))
            }
            None => points.into_iter().map(|point| (point.at, Some(point.value))).unzip(),
        };
        Track { labels: series.labels, at, values, is_p95 }
    };
    series.into_iter().map(track).collect()
}

/// What is to be said about one track.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    /// Of the finite values; `None` without one.
    pub(crate) summary: Option<Summary>,
    pub(crate) moved: Relevance,
    /// Of a track that rises or falls steadily, and so has no onset: its level at first and at last.
    pub(crate) trend: Option<(f64, f64)>,
    pub(crate) shape: String,
    /// Moments with a sample.
    pub(crate) present: usize,
    /// Samples that are NaN or infinite.
    pub(crate) not_finite: usize,
    /// The place of the latest sample, and its value.
    pub(crate) last: Option<(usize, f64)>,
    /// Whether it ended before the window did.
    pub(crate) has_ended: bool,
}

/// The places at which any track has a sample, where there are several: what none of them has samples for is said
/// once, and is no movement of one of them. A single track is judged over its whole window.
pub(crate) fn covered(tracks: &[Track]) -> Range<usize> {
    let longest = tracks.iter().map(|track| track.values.len()).max().unwrap_or(0);
    if tracks.len() < 2 {
        return 0..longest;
    }
    let first = tracks.iter().filter_map(|track| track.values.iter().position(Option::is_some)).min();
    let last = tracks.iter().filter_map(|track| track.values.iter().rposition(Option::is_some)).max();
    first.unwrap_or(0)..last.map_or(longest, |last| last + 1)
}

/// Judges a track within some places (see [`covered`]). `step` in milliseconds; `None` when its moments are its own,
/// and then it can't end early.
pub(crate) fn judge(track: &Track, within: &Range<usize>, step: Option<i64>) -> Judged {
    let numbers = track.numbers();
    let present = track.values.iter().flatten().count();
    let last =
        track.values.iter().enumerate().rev().find_map(|(place, value)| value.map(|value| (place, value)));
    let last_at = last.and_then(|(place, _)| track.at.get(place)).copied();
    let end = within.end.checked_sub(1).and_then(|last| track.at.get(last));
    let has_ended = match (step, last_at, end) {
        (Some(step), Some(seen), Some(end)) => end - seen > LATE.max(step.saturating_mul(2)),
        _ => false,
    };
    let inside = numbers.get(within.clone()).unwrap_or(&numbers);
    let mut moved = movement(inside, track.values.get(within.clone()).unwrap_or(&track.values));
    let trend =
        trend(inside).filter(|_| !matches!(moved.direction, Direction::Appeared | Direction::Vanished));
    // A slope has no moment at which it began, even where its halves lie far apart.
    moved.onset = moved.onset.map(|onset| onset + within.start).filter(|_| trend.is_none());
    Judged {
        summary: signal::summary(&numbers),
        moved,
        trend,
        shape: signal::shape(&numbers, signal::SHAPE_BUCKETS),
        present,
        not_finite: track.values.iter().flatten().filter(|value| !value.is_finite()).count(),
        last,
        has_ended,
    }
}

/// How much the values moved, or their samples came or went. A sample that is NaN or infinite is there: it is neither
/// a beginning nor an end.
fn movement(numbers: &[f64], samples: &[Option<f64>]) -> Relevance {
    let presence: Vec<f64> = samples.iter().map(|sample| sample.map_or(f64::NAN, |_| 1.0)).collect();
    let absence = signal::relevance(&presence);
    let first = numbers.iter().position(|value| value.is_finite()).unwrap_or(0);
    let end = numbers.iter().rposition(|value| value.is_finite()).map_or(first, |last| last + 1);
    let mut moved = signal::relevance(numbers.get(first..end).unwrap_or_default());
    moved.onset = moved.onset.map(|onset| begun(numbers, first, onset + first));
    if absence.score > 0.0 && absence.score >= moved.score { absence } else { moved }
}

/// Where the movement at `seen` began: what ramps up, as each rate does, is divided from the rest in its middle. It is
/// followed back against what was before it, by the method of the tools that know a baseline.
fn begun(numbers: &[f64], first: usize, seen: usize) -> usize {
    let (Some(before), Some(after)) = (numbers.get(first..seen), numbers.get(seen..)) else { return seen };
    if before.len() < FEWEST {
        return seen;
    }
    let usual = signal::Yardstick::of(before, 0.0);
    let spreads = |value: f64| usual.and_then(|usual| usual.robust_z(value)).map_or(0.0, f64::abs);
    let large =
        signal::median(after).map_or(0.0, spreads).max(after.first().map_or(0.0, |value| spreads(*value)));
    let yardstick = signal::beginning(before, 0.0, large);
    yardstick.map_or(seen, |yardstick| signal::begun(numbers, seen, &yardstick))
}

/// A trend is seen in the medians of so many parts of a track, or in its samples when they are fewer …
const PARTS: usize = 8;
/// … but not in less than these: by chance 1 of 360 unordered series of 6 is ordered.
const FEWEST: usize = 6;
/// … which differ by at least this share of the larger one from first to last …
const SMALLEST_TREND: f64 = 0.05;
/// … and of that difference no step between two of them is more than this share: else it is a step, not a slope.
const LARGEST_STEP: f64 = 0.5;
/// Where noise turns single steps back, so many must go a good part of an even slope, none back by all of it, and the
/// difference be so many spreads of the samples around the medians.
const FORWARD: usize = PARTS - 3;
const LARGE_TREND: f64 = 4.0;

/// The first and last level of values that rise or fall from each eighth to the next (by chance 1 of 20,160 unordered
/// series does), or far and nearly so.
fn trend(values: &[f64]) -> Option<(f64, f64)> {
    let present: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    if present.len() < FEWEST {
        return None;
    }
    let count = PARTS.min(present.len());
    let parts: Option<Vec<&[f64]>> = (0..count)
        .map(|part| present.get(part * present.len() / count..(part + 1) * present.len() / count))
        .collect();
    let parts = parts?;
    let medians: Option<Vec<f64>> = parts.iter().map(|part| signal::median(part)).collect();
    let medians = medians?;
    let (first, last) = (*medians.first()?, *medians.last()?);
    let steps = || medians.iter().zip(medians.iter().skip(1));
    let is_steady = steps().all(|(one, next)| one < next) || steps().all(|(one, next)| one > next);
    let all = (last - first).abs();
    let is_nearly_steady = || {
        let even = (last - first) / (count - 1) as f64;
        let forward = steps().filter(|(one, next)| (*next - *one) / even >= 0.25).count();
        let residuals: Vec<f64> = (parts.iter().zip(&medians))
            .flat_map(|(part, median)| part.iter().map(move |value| value - median))
            .collect();
        let spread = signal::iqr(&residuals).unwrap_or(0.0) * signal::NORMAL_SPREAD_PER_IQR;
        present.len() >= 2 * PARTS
            && forward >= FORWARD
            && steps().all(|(one, next)| (next - one) / even > -1.0)
            && all >= LARGE_TREND * spread
    };
    let is_large = all >= SMALLEST_TREND * first.abs().max(last.abs());
    let is_even = steps().all(|(one, next)| (next - one).abs() <= LARGEST_STEP * all);
    (is_large && is_even && (is_steady || is_nearly_steady())).then_some((first, last))
}

/// Of tracks that appeared or vanished at the same moment, so many are ranked by it. The others come after all that
/// moved: a rollout would hide everything else.
const ALIKE: usize = 3;

/// The places of the tracks: those that moved most first, of equals the one that moved first, then by labels; those
/// that only rise or fall steadily come before the rest.
pub(crate) fn rank(tracks: &[Track], judged: &[Judged]) -> Vec<usize> {
    let mut all: Vec<(usize, &Track, &Judged)> = tracks
        .iter()
        .zip(judged)
        .enumerate()
        .map(|(place, (track, judged))| (place, track, judged))
        .collect();
    let onset =
        |track: &Track, judged: &Judged| judged.moved.onset.and_then(|onset| track.at.get(onset).copied());
    all.sort_by(|(_, one, judged), (_, other, other_judged)| {
        let begin = |track, judged| onset(track, judged).unwrap_or(i64::MAX);
        (other_judged.moved.score.total_cmp(&judged.moved.score))
            .then_with(|| begin(one, judged).cmp(&begin(other, other_judged)))
            .then_with(|| one.labels.cmp(&other.labels))
    });
    let mut absences: Vec<(Direction, Option<i64>, usize)> = Vec::new();
    let mut class = |track: &Track, judged: &Judged| -> u8 {
        let direction = judged.moved.direction;
        if judged.moved.onset.is_none() {
            return if judged.trend.is_some() { 2 } else { 3 };
        }
        if !matches!(direction, Direction::Appeared | Direction::Vanished) {
            return 0;
        }
        let at = onset(track, judged);
        match absences.iter_mut().find(|(known, moment, _)| (*known, *moment) == (direction, at)) {
            Some((_, _, count)) => {
                *count += 1;
                u8::from(*count > ALIKE)
            }
            None => {
                absences.push((direction, at, 1));
                0
            }
        }
    };
    let mut classed: Vec<(u8, usize)> =
        all.into_iter().map(|(place, track, judged)| (class(track, judged), place)).collect();
    classed.sort_by_key(|(class, _)| *class);
    classed.into_iter().map(|(_, place)| place).collect()
}

/// What a track did, in values and moments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Story {
    /// Nothing beyond its usual spread.
    Steady,
    /// From one level to another, where it stayed.
    Level { from: f64, to: f64, since: Timestamp },
    /// From a level to a peak or dip, and not for most of the time after.
    Peak { from: f64, to: f64, at: Timestamp, since: Timestamp },
    /// It was away from the rest when the window began.
    AtFirst { min: f64, min_at: Timestamp, max: f64, max_at: Timestamp },
    /// It had no samples at first.
    Appeared { to: f64, since: Timestamp },
    /// Its samples stopped.
    Vanished { from: f64, since: Timestamp },
}

/// Tells what a track did.
pub(crate) fn story(track: &Track, judged: &Judged) -> Story {
    try_story(track, judged).unwrap_or(Story::Steady)
}

fn try_story(track: &Track, judged: &Judged) -> Option<Story> {
    let onset = judged.moved.onset?;
    let since = track.moment(onset)?;
    let numbers = track.numbers();
    let (before, after) = numbers.split_at_checked(onset)?;
    let (was, is) = (signal::median(before), signal::median(after));
    match judged.moved.direction {
        Direction::Vanished => return Some(Story::Vanished { from: was?, since }),
        Direction::Appeared => return Some(Story::Appeared { to: is?, since }),
        _ => {}
    }
    let Some(from) = was else {
        let all = judged.summary?;
        let (min_at, max_at) = (track.moment(all.min_at)?, track.moment(all.max_at)?);
        return Some(Story::AtFirst { min: all.min, min_at, max: all.max, max_at });
    };
    let distance = |value: f64| (value - from).abs();
    let mut farthest = (onset, from);
    for (place, &value) in numbers.iter().enumerate().skip(onset).filter(|(_, value)| value.is_finite()) {
        if distance(value) > distance(farthest.1) {
            farthest = (place, value);
        }
    }
    let to = is?;
    if distance(to) >= distance(farthest.1) / 2.0 {
        return Some(Story::Level { from, to, since });
    }
    Some(Story::Peak { from, to: farthest.1, at: track.moment(farthest.0)?, since })
}

impl Story {
    /// The story in a few words; `shown` writes a value. What the track was before is a median, as what it was after.
    pub(crate) fn text(&self, shown: &dyn Fn(f64) -> String) -> String {
        let number = |value: &f64| shown(*value);
        let time = |at: &Timestamp| contract::time_text(*at);
        match self {
            Story::Steady => "steady".to_owned(),
            Story::Level { from, to, since } => {
                format!("median {} before → median {} since {}", number(from), number(to), time(since))
            }
            Story::Peak { from, to, at, since } if at == since => {
                format!("median {} before → {} at {}", number(from), number(to), time(at))
            }
            Story::Peak { from, to, at, since } => {
                let (from, to, at, since) = (number(from), number(to), time(at), time(since));
                format!("median {from} before → {to} at {at}, moving since {since}")
            }
            Story::AtFirst { min, min_at, max, max_at } => {
                format!("between {} at {} and {} at {}", number(min), time(min_at), number(max), time(max_at))
            }
            Story::Appeared { to, since } => {
                format!("first sample {}, then median {}", time(since), number(to))
            }
            Story::Vanished { from, since } => {
                format!("median {}, then no sample since {}", number(from), time(since))
            }
        }
    }
}

#[cfg(test)]
mod tests;
