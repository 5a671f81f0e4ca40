//! Series over time: how much each moved, since when, and how it looked.

use contract::significant;
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
            series.histograms.iter().map(|(at, histogram)| Point { at: *at, value: histogram.quantile(0.95) }).collect()
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

/// Judges a track by itself. `step` in milliseconds; `None` when its moments are its own, and then it can't end early.
pub(crate) fn judge(track: &Track, step: Option<i64>) -> Judged {
    let numbers = track.numbers();
    let present = track.values.iter().flatten().count();
    let last = track.values.iter().enumerate().rev().find_map(|(place, value)| value.map(|value| (place, value)));
    let last_at = last.and_then(|(place, _)| track.at.get(place)).copied();
    let has_ended = match (step, last_at, track.at.last()) {
        (Some(step), Some(seen), Some(end)) => end - seen > LATE.max(step.saturating_mul(2)),
        _ => false,
    };
    Judged {
        summary: signal::summary(&numbers),
        moved: signal::relevance(&numbers),
        shape: signal::shape(&numbers, signal::SHAPE_BUCKETS),
        present,
        not_finite: track.values.iter().flatten().filter(|value| !value.is_finite()).count(),
        last,
        has_ended,
    }
}

/// The places of the tracks, those that moved most first; of equals, the one that moved first, then by labels.
pub(crate) fn rank(tracks: &[Track], judged: &[Judged]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..tracks.len().min(judged.len())).collect();
    let key = |place: &usize| {
        let onset = |moved: &Relevance| {
            let onset = moved.onset?;
            tracks.get(*place)?.at.get(onset).copied()
        };
        let score = judged.get(*place).map_or(0.0, |one| one.moved.score);
        let onset = judged.get(*place).and_then(|one| onset(&one.moved)).unwrap_or(i64::MAX);
        (score, onset)
    };
    places.sort_by(|one, other| {
        let ((score, onset), (other_score, other_onset)) = (key(one), key(other));
        let labels = |place: &usize| tracks.get(*place).map(|track| &track.labels);
        other_score
            .total_cmp(&score)
            .then(onset.cmp(&other_onset))
            .then_with(|| labels(one).cmp(&labels(other)))
    });
    places
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
    /// The story in a few words.
    pub(crate) fn text(&self) -> String {
        let number = |value: &f64| significant(*value);
        let time = |at: &Timestamp| contract::time_text(*at);
        match self {
            Story::Steady => "steady".to_owned(),
            Story::Level { from, to, since } => format!("{} → {} since {}", number(from), number(to), time(since)),
            Story::Peak { from, to, at, since } if at == since => {
                format!("{} → {} at {}", number(from), number(to), time(at))
            }
            Story::Peak { from, to, at, since } => {
                format!("{} → {} at {}, moving since {}", number(from), number(to), time(at), time(since))
            }
            Story::AtFirst { min, min_at, max, max_at } => {
                format!("between {} at {} and {} at {}", number(min), time(min_at), number(max), time(max_at))
            }
            Story::Appeared { to, since } => format!("first sample {}, then {}", time(since), number(to)),
            Story::Vanished { from, since } => format!("{}, then no sample since {}", number(from), time(since)),
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::{Context, TimeRange};
    use proptest::prelude::*;

    use super::*;

    const GAP: Option<f64> = None;

    fn track(name: &str, values: Vec<Option<f64>>) -> Track {
        let cx = Context::for_test(Timestamp::UNIX_EPOCH);
        let labels = Labels::new([(cx.intake.text("name"), cx.intake.text(name))]);
        let at = (0..values.len() as i64).map(|place| place * 60_000).collect();
        Track { labels, at, values, is_p95: false }
    }

    /// A level of 10 with a little noise, and something else at some places.
    fn noisy(change: impl Fn(usize, f64) -> Option<f64>) -> Vec<Option<f64>> {
        (0..120).map(|place| change(place, [9.0, 11.0, 10.0, 11.0, 9.0][place % 5])).collect()
    }

    fn told(values: Vec<Option<f64>>) -> String {
        let track = track("x", values);
        story(&track, &judge(&track, Some(60_000))).text()
    }

    #[test]
    fn each_kind_of_change_is_told_in_its_own_words() {
        // The level is 10 before, 40 (10 + 30) after; place 60 is 60 minutes after 1970.
        assert_eq!(told(noisy(|at, v| Some(if at < 60 { v } else { v + 30.0 }))), "10 → 40 since 1970-01-01T01:00:00Z");
        assert_eq!(told(noisy(|at, v| Some(if at == 60 { 90.0 } else { v }))), "10 → 90 at 1970-01-01T01:00:00Z");
        assert_eq!(told(noisy(|at, v| (at < 60).then_some(v))), "10, then no sample since 1970-01-01T01:00:00Z");
        assert_eq!(told(noisy(|at, v| (at >= 60).then_some(v))), "first sample 1970-01-01T01:00:00Z, then 10");
        assert_eq!(told(noisy(|_, v| Some(v))), "steady");
        assert_eq!(
            told(noisy(|at, v| Some(if at < 20 { v + 40.0 } else { v }))),
            "50 → 10 since 1970-01-01T00:20:00Z"
        );
        assert_eq!(
            told(noisy(|at, v| Some(if at == 0 { 90.0 } else { v }))),
            "between 9 at 1970-01-01T00:04:00Z and 90 at 1970-01-01T00:00:00Z"
        );
    }

    #[test]
    fn samples_that_stop_early_are_an_end_and_a_late_one_is_not() {
        let ended = |missing: usize| {
            let mut values = noisy(|_, v| Some(v));
            values.truncate(120 - missing);
            values.resize(120, GAP);
            judge(&track("x", values), Some(60_000)).has_ended
        };
        // The last moment is minute 119: minute 114 is five minutes before it, minute 113 is more.
        assert_eq!([ended(0), ended(5), ended(6)], [false, false, true]);
        let slow = judge(&track("x", vec![Some(1.0), Some(1.0), GAP, GAP]), Some(600_000)).has_ended;
        assert!(!slow, "two steps of ten minutes");
    }

    #[test]
    fn a_sample_that_is_not_a_number_is_a_sample_but_no_statistic() {
        let judged = judge(&track("x", vec![Some(1.0), GAP, Some(f64::NAN), Some(3.0), Some(f64::INFINITY)]), None);
        assert_eq!((judged.present, judged.not_finite), (4, 2));
        assert_eq!(judged.summary.map(|all| (all.count, all.min, all.max)), Some((2, 1.0, 3.0)));
        assert_eq!(judged.last, Some((4, f64::INFINITY)));
    }

    #[test]
    fn points_are_laid_on_the_grid_and_gaps_stay_gaps() {
        let start: Timestamp = "2026-01-14T14:00:00Z".parse().unwrap();
        let end: Timestamp = "2026-01-14T14:04:00Z".parse().unwrap();
        let grid = Grid::lay(TimeRange::new(start, end).unwrap(), 60);
        let point = |minute: i64, value| Point { at: start.as_millisecond() + minute * 60_000, value };
        let series = Series { points: vec![point(1, 5.0), point(3, 7.0)], ..Series::default() };
        let tracks = tracks(vec![series], Some(grid));
        assert_eq!(tracks[0].values, [GAP, Some(5.0), GAP, Some(7.0)]);
        assert_eq!(tracks[0].moment(3).unwrap().to_string(), "2026-01-14T14:03:00Z");
    }

    #[test]
    fn what_moved_most_comes_first_and_among_equals_what_moved_first() {
        let step = |from: usize, by: f64| noisy(move |at, v| Some(if at < from { v } else { v + by }));
        let tracks = [
            track("late", step(80, 30.0)),
            track("b still", noisy(|_, _| Some(1.0))),
            track("early", step(40, 30.0)),
            track("a still", noisy(|_, _| Some(1.0))),
            track("more", step(60, 300.0)),
        ];
        let judged: Vec<Judged> = tracks.iter().map(|track| judge(track, Some(60_000))).collect();
        let names: Vec<String> =
            rank(&tracks, &judged).into_iter().map(|place| tracks[place].labels.text()).collect();
        assert_eq!(names, ["{name=more}", "{name=early}", "{name=late}", "{name=«a still»}", "{name=«b still»}"]);
    }

    proptest! {
        #[test]
        fn the_ranking_does_not_depend_on_how_the_series_came(
            all in prop::collection::vec(prop::collection::vec(prop::option::of(-4.0..4.0), 8), 1..8), turn in 0_usize..8
        ) {
            let names = |turn: usize| {
                let mut tracks: Vec<Track> =
                    all.iter().enumerate().map(|(place, values)| track(&place.to_string(), values.clone())).collect();
                let length = tracks.len();
                tracks.rotate_left(turn % length);
                let judged: Vec<Judged> = tracks.iter().map(|track| judge(track, Some(60_000))).collect();
                rank(&tracks, &judged).into_iter().map(|place| tracks[place].labels.text()).collect::<Vec<_>>()
            };
            prop_assert_eq!(names(0), names(turn));
        }
    }
}
