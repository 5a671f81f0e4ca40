//! What one signal did: its level, since when it is unusual, whether it is back.

use signal::Yardstick;

use super::baseline::Baseline;
use crate::analysis::baseline::Candidate;

/// A relative change smaller than this is no news.
const RELATIVE: f64 = 0.2;

/// A change of a share smaller than this, in points of percent, is no news: of failed requests, of something full.
const POINTS_OF_ERRORS: f64 = 0.1;
const POINTS_OF_USE: f64 = 10.0;

/// What is back to the baseline lies within this share of the distance from which on a value is unusual.
const SETTLED: f64 = 0.5;

/// What holds for so many of the last values, at least three, holds now.
const LATEST: usize = 10;

/// Values missing at the end for so long, in seconds, are missed.
const MISSED: f64 = 300.0;

/// What kind of number a signal is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Percent of requests, of which there are about so many within the window of one rate.
    Errors { requests: f64 },
    /// Anything whose relative change counts.
    Level,
    /// Percent of what there is.
    Use,
}

/// An unusual stretch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moved {
    /// The first unusual place.
    pub(crate) since: usize,
    /// The first usual place after it, when it has ended.
    pub(crate) back: Option<usize>,
    /// The value farthest from the baseline.
    pub(crate) extreme: f64,
    /// Whether it rose.
    pub(crate) up: bool,
    /// Whether its last values, when it has ended, lie well within what was usual, and not just below what is news.
    pub(crate) settled: bool,
}

/// What a signal did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    /// Its level: the median since it is unusual, or since it is back, else of the window.
    pub(crate) now: Option<f64>,
    /// The median of the baseline.
    pub(crate) baseline: Option<f64>,
    /// What it is compared with; empty without a baseline.
    pub(crate) compared: Vec<Candidate>,
    pub(crate) moved: Option<Moved>,
    /// The first place after the last value, when values stopped.
    pub(crate) ended: Option<usize>,
    /// Values in the window.
    pub(crate) present: usize,
    pub(crate) shape: String,
}

impl Judged {
    /// Whether it is unusual now.
    pub(crate) fn is_unusual(&self) -> bool {
        self.moved.as_ref().is_some_and(|moved| moved.back.is_none())
    }

    /// Whether it rose (`true`) or fell (`false`) and is not back.
    pub(crate) fn direction(&self) -> Option<bool> {
        self.moved.as_ref().filter(|moved| moved.back.is_none()).map(|moved| moved.up)
    }
}

/// Judges `values` (NaN where there is none), of which the window begins at the place `begin`; `step` in seconds.
///
/// Unusual is what lies more than three spreads of the baseline from its median and stays so at two of the next three
/// moments (as `signal::onset_against`), where three spreads are never less than a change that would be news.
pub(crate) fn judge(
    values: &[f64],
    begin: usize,
    step: f64,
    baseline: Option<&Baseline>,
    kind: Kind,
) -> Judged {
    let window = values.get(begin..).unwrap_or_default();
    let mut judged = Judged {
        now: signal::median(window),
        baseline: baseline.and_then(|baseline| signal::median(&baseline.values)),
        compared: baseline.map(|baseline| baseline.windows.clone()).unwrap_or_default(),
        moved: None,
        ended: ended(values, step),
        present: window.iter().filter(|value| value.is_finite()).count(),
        shape: signal::shape(values, signal::SHAPE_BUCKETS),
    };
    let (Some(baseline), Some(center)) = (baseline, judged.baseline) else { return judged };
    let resolution = news(kind, center) / signal::ONSET_SPREADS;
    let Some(yardstick) = Yardstick::of(&baseline.values, resolution) else {
        return judged;
    };
    // What the window before did is known from days, but can't be judged by itself.
    let from = if baseline.is_before() { begin } else { 0 };
    let Some(onset) = signal::onset_against(values.get(from..).unwrap_or_default(), &yardstick) else {
        return judged;
    };
    let moved = stretch(values, begun(values, from, onset, &yardstick, resolution), &yardstick);
    if moved.back.is_some_and(|back| back <= begin) {
        // It was over before the window began.
        return judged;
    }
    let level_from = moved.back.unwrap_or(moved.since).max(begin);
    judged.now = signal::median(values.get(level_from..).unwrap_or_default()).or(judged.now);
    judged.moved = Some(moved);
    judged
}

/// The smallest change that is news, in the signal's unit.
fn news(kind: Kind, center: f64) -> f64 {
    match kind {
        // Three failed requests within one rate may be chance.
        Kind::Errors { requests } if requests > 0.0 => (100.0 * 3.0 / requests).max(POINTS_OF_ERRORS),
        Kind::Errors { .. } => POINTS_OF_ERRORS,
        Kind::Level => RELATIVE * center.abs(),
        Kind::Use => POINTS_OF_USE,
    }
}

/// Where the departure that was seen at `from + onset` began. One that holds from the first moments on that were judged
/// may be older: it is followed back as long as what was before it is as unusual, then once more against what was before
/// that, since the departure itself had widened the baseline. `resolution` as of the yardstick.
fn begun(values: &[f64], from: usize, onset: usize, yardstick: &Yardstick, resolution: f64) -> usize {
    let seen = from + onset;
    if onset > 1 {
        return seen;
    }
    let first = followed_back(values, seen, yardstick);
    match Yardstick::of(values.get(..first).unwrap_or_default(), resolution) {
        Some(earlier) if first < seen => followed_back(values, first, &earlier),
        _ => first,
    }
}

/// The first place of those just before `seen` that are all as unusual, to the same side.
fn followed_back(values: &[f64], seen: usize, yardstick: &Yardstick) -> usize {
    let is_up = values.get(seen).is_some_and(|value| *value > yardstick.center);
    let is_same = |value: f64| {
        let score = yardstick.robust_z(value).filter(|score| score.abs() > signal::ONSET_SPREADS);
        score.is_some_and(|score| (score > 0.0) == is_up)
    };
    let earlier = values.iter().take(seen).enumerate().rev().filter(|(_, value)| value.is_finite());
    earlier.take_while(|(_, value)| is_same(**value)).last().map_or(seen, |(place, _)| place)
}

/// The unusual stretch that begins at `since`.
fn stretch(values: &[f64], since: usize, yardstick: &Yardstick) -> Moved {
    let is_unusual =
        |value: f64| yardstick.robust_z(value).is_some_and(|score| score.abs() > signal::ONSET_SPREADS);
    let finite = values.iter().copied().enumerate().skip(since).filter(|(_, value)| value.is_finite());
    let places: Vec<(usize, f64)> = finite.collect();
    let latest = (places.len() / LATEST).max(3);
    let last_unusual = places.iter().rposition(|(_, value)| is_unusual(*value)).unwrap_or(0);
    let back = (places.len().saturating_sub(last_unusual + 1) >= latest)
        .then(|| places.get(last_unusual + 1).map(|(place, _)| *place))
        .flatten();
    let distance = |value: f64| (value - yardstick.center).abs();
    let mut extreme = yardstick.center;
    for (_, value) in &places {
        if distance(*value) > distance(extreme) {
            extreme = *value;
        }
    }
    let last: Vec<f64> = places.iter().rev().take(latest).map(|(_, value)| *value).collect();
    let settled = signal::median(&last)
        .and_then(|level| yardstick.robust_z(level))
        .is_none_or(|score| score.abs() <= SETTLED * signal::ONSET_SPREADS);
    Moved { since, back, extreme, up: extreme > yardstick.center, settled: back.is_some() && settled }
}

/// The first place after the last value, when values are missing at the end for long.
fn ended(values: &[f64], step: f64) -> Option<usize> {
    let last = values.iter().rposition(|value| value.is_finite())?;
    let missing = values.len() - last - 1;
    (missing >= 3 && missing as f64 * step >= MISSED).then_some(last + 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contract::TimeRange;

    use super::*;
    use crate::analysis::baseline::Origin;

    fn of(origin: Origin, values: Vec<f64>) -> Baseline {
        let at = |text: &str| text.parse().unwrap();
        let window = TimeRange::new(at("2026-01-13T14:00:00Z"), at("2026-01-13T15:00:00Z")).unwrap();
        Baseline { windows: vec![Candidate { origin, window }], values }
    }

    fn days(values: Vec<f64>) -> Baseline {
        of(Origin::Earlier(Duration::from_secs(86_400)), values)
    }

    #[test]
    fn a_step_is_unusual_since_its_first_value_and_its_level_is_that_after_it() {
        // 10 before the window, 5 usual, 5 at twice the level.
        let mut values = vec![100.0; 15];
        values.extend([200.0; 5]);
        let judged = judge(&values, 10, 15.0, Some(&days(vec![100.0; 10])), Kind::Level);
        assert_eq!((judged.now, judged.baseline), (Some(200.0), Some(100.0)));
        assert_eq!(
            judged.moved,
            Some(Moved { since: 15, back: None, extreme: 200.0, up: true, settled: false })
        );
        assert!(judged.is_unusual());
    }

    #[test]
    fn what_is_back_is_told_as_back() {
        let mut values = vec![1.0; 12];
        values.extend([9.0; 4]);
        values.extend([1.0; 8]);
        let judged = judge(&values, 10, 15.0, Some(&days(vec![1.0; 10])), Kind::Level);
        assert_eq!(
            judged.moved,
            Some(Moved { since: 12, back: Some(16), extreme: 9.0, up: true, settled: true })
        );
        assert_eq!((judged.now, judged.is_unusual()), (Some(1.0), false));
        // Seen from a window that begins later, nothing happened.
        assert_eq!(judge(&values, 17, 15.0, Some(&days(vec![1.0; 10])), Kind::Level).moved, None);
    }

    #[test]
    fn a_small_change_is_no_news_however_steady_the_baseline() {
        let values = vec![110.0; 20];
        assert_eq!(judge(&values, 10, 15.0, Some(&days(vec![100.0; 10])), Kind::Level).moved, None);
        let values = vec![125.0; 20];
        assert_eq!(
            judge(&values, 10, 15.0, Some(&days(vec![100.0; 10])), Kind::Level)
                .moved
                .map(|moved| moved.since),
            Some(0)
        );
    }

    #[test]
    fn few_failed_requests_of_few_are_chance_and_the_same_share_of_many_is_not() {
        // 4 % of 50 requests are 2; 4 % of 5,000 are 200.
        let values = [vec![0.0; 10], vec![4.0; 10]].concat();
        let usual = days(vec![0.0; 10]);
        assert_eq!(judge(&values, 5, 15.0, Some(&usual), Kind::Errors { requests: 50.0 }).moved, None);
        let many = judge(&values, 5, 15.0, Some(&usual), Kind::Errors { requests: 5_000.0 });
        assert_eq!(many.moved.map(|moved| moved.since), Some(10));
    }

    #[test]
    fn against_the_window_before_only_the_window_is_judged() {
        let values = [vec![5.0; 10], vec![50.0; 10]].concat();
        let before = of(Origin::Before, vec![5.0; 10]);
        let judged = judge(&values, 10, 15.0, Some(&before), Kind::Level);
        assert_eq!(judged.moved.map(|moved| moved.since), Some(10));
    }

    #[test]
    fn what_was_unusual_before_the_window_began_is_followed_back_to_where_it_began() {
        // 30 before the window, of which the last 6 are at the new level already.
        let values = [vec![5.0; 24], vec![50.0; 36]].concat();
        let before = of(Origin::Before, values[..30].to_vec());
        let judged = judge(&values, 30, 15.0, Some(&before), Kind::Level);
        assert_eq!(judged.moved.map(|moved| moved.since), Some(24));
    }

    #[test]
    fn what_stays_just_below_news_is_not_settled() {
        // News is from 80 down; 82 is no news, but not what was usual either.
        let values = [vec![100.0; 10], vec![75.0; 10], vec![82.0; 10]].concat();
        let judged = judge(&values, 10, 15.0, Some(&of(Origin::Before, vec![100.0; 10])), Kind::Level);
        let moved = judged.moved.unwrap();
        assert_eq!((moved.since, moved.back, moved.settled), (10, Some(20), false));
    }

    #[test]
    fn values_that_stop_are_missed_and_nothing_is_made_of_no_values() {
        let mut values = vec![5.0; 20];
        values.extend([f64::NAN; 20]);
        let judged = judge(&values, 10, 15.0, Some(&days(vec![5.0; 10])), Kind::Level);
        // 20 × 15 s are the 5 minutes from which on it counts.
        assert_eq!((judged.ended, judged.moved.clone(), judged.present), (Some(20), None, 10));
        let nothing = judge(&[f64::NAN; 20], 10, 15.0, None, Kind::Level);
        assert_eq!((nothing.now, nothing.baseline, nothing.ended, nothing.present), (None, None, None, 0));
    }
}
