//! What a window is compared with: the same time of day earlier, else the time just before.

use std::time::Duration;

use contract::{TimeRange, duration_text};

const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// With less than this share of the expected samples nothing is concluded.
pub(crate) const ENOUGH: f64 = 0.5;

/// Where a baseline comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// The same window so much earlier: at the same time of day.
    Earlier(Duration),
    /// The window just before.
    Before,
    /// The caller named it.
    Given,
}

/// A window that may serve as a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) origin: Origin,
    pub(crate) window: TimeRange,
}

/// The same window 1 and 7 days earlier; of one longer than a day 7 and 14 days, so that it does not overlap itself;
/// none of one longer than a week.
pub(crate) fn seasonal(window: TimeRange) -> Vec<Candidate> {
    let back = match window.seconds() {
        length if length <= DAY.as_secs_f64() => [DAY, WEEK],
        length if length <= WEEK.as_secs_f64() => [WEEK, WEEK * 2],
        _ => return Vec::new(),
    };
    let earlier =
        |back: Duration| Some(Candidate { origin: Origin::Earlier(back), window: window.earlier(back)? });
    back.into_iter().filter_map(earlier).collect()
}

/// The window of the same length that ends `gap` before this one begins.
pub(crate) fn just_before(window: TimeRange, gap: Duration) -> Option<Candidate> {
    let length = Duration::try_from_secs_f64(window.seconds()).ok()?;
    let end = window.start().checked_sub(gap).ok()?;
    let window = TimeRange::new(end.checked_sub(length).ok()?, end).ok()?;
    Some(Candidate { origin: Origin::Before, window })
}

/// The window begun so much earlier, or as much as the bound allows; `None` where that is nothing.
pub(crate) fn begun_earlier(window: TimeRange, by: Duration, longest: Duration) -> Option<TimeRange> {
    let left = (longest.as_secs_f64() - window.seconds()).max(0.0);
    let by = Duration::from_secs(by.as_secs().min(left as u64));
    let start = window.start().checked_sub(by).ok()?;
    (by > Duration::ZERO).then(|| TimeRange::new(start, window.end()).ok()).flatten()
}

/// The share of expected samples that are there and are numbers: NaN and infinities say nothing about a level.
pub(crate) fn coverage(values: &[Option<f64>]) -> f64 {
    let there = values.iter().flatten().filter(|value| value.is_finite()).count();
    if values.is_empty() { 0.0 } else { there as f64 / values.len() as f64 }
}

/// Which windows serve, by the share of samples that each has: all seasonal ones with enough, else the window just
/// before, if it has enough. Their places; empty when nothing serves.
pub(crate) fn choose(candidates: &[(Candidate, f64)]) -> Vec<usize> {
    let with_enough = |wanted: fn(Origin) -> bool| {
        let all = candidates.iter().enumerate();
        let those = all.filter(|(_, (one, coverage))| wanted(one.origin) && *coverage >= ENOUGH);
        those.map(|(place, _)| place).collect::<Vec<usize>>()
    };
    for wanted in [
        (|origin| matches!(origin, Origin::Given)) as fn(Origin) -> bool,
        |origin| matches!(origin, Origin::Earlier(_)),
        |origin| matches!(origin, Origin::Before),
    ] {
        let found = with_enough(wanted);
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// The median of all windows at each position; of two the mean. A gap in one of them is filled by the others.
pub(crate) fn per_position(windows: &[Vec<Option<f64>>]) -> Vec<Option<f64>> {
    let longest = windows.iter().map(Vec::len).max().unwrap_or(0);
    let at =
        |place: usize| windows.iter().filter_map(|window| window.get(place).copied().flatten()).collect();
    (0..longest)
        .map(|place| {
            let there: Vec<f64> = at(place);
            // NaN in all of them is a sample, though not a number.
            signal::median(&there).or_else(|| there.first().map(|_| f64::NAN))
        })
        .collect()
}

/// The baseline in words: `the same window 1d and 7d earlier (median at each position)`.
pub(crate) fn told(chosen: &[Candidate]) -> String {
    let back = chosen.iter().filter_map(|one| match one.origin {
        Origin::Earlier(back) => Some(duration_days(back)),
        _ => None,
    });
    let back: Vec<String> = back.collect();
    match (back.as_slice(), chosen.first()) {
        ([], Some(Candidate { origin: Origin::Before, window })) => {
            format!("the window just before, {window}")
        }
        ([], Some(Candidate { window, .. })) => window.to_string(),
        ([one], _) => format!("the same window {one} earlier"),
        (several, Some(_)) => {
            format!("the same window {} earlier (median at each position)", several.join(" and "))
        }
        (_, None) => "nothing".to_owned(),
    }
}

fn duration_days(back: Duration) -> String {
    duration_text(back.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(text: &str) -> TimeRange {
        let (start, end) = text.split_once('/').unwrap();
        TimeRange::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    fn candidate(origin: Origin) -> Candidate {
        Candidate { origin, window: window("2026-01-13T14:00:00Z/2026-01-13T15:00:00Z") }
    }

    #[test]
    fn a_window_is_compared_with_the_same_time_of_day() {
        let windows =
            |text: &str| seasonal(window(text)).iter().map(|one| one.window.to_string()).collect::<Vec<_>>();
        assert_eq!(
            windows("2026-01-14T14:00:00Z/2026-01-14T15:00:00Z"),
            ["2026-01-13T14:00:00Z/2026-01-13T15:00:00Z", "2026-01-07T14:00:00Z/2026-01-07T15:00:00Z"]
        );
        assert_eq!(
            windows("2026-01-14T14:00:00Z/2026-01-17T14:00:00Z"),
            ["2026-01-07T14:00:00Z/2026-01-10T14:00:00Z", "2025-12-31T14:00:00Z/2026-01-03T14:00:00Z"]
        );
        assert_eq!(windows("2026-01-01T00:00:00Z/2026-01-09T00:00:00Z"), Vec::<String>::new());
    }

    #[test]
    fn the_window_just_before_leaves_the_gap() {
        let before =
            just_before(window("2026-01-14T14:00:00Z/2026-01-14T14:30:00Z"), Duration::from_secs(60))
                .unwrap();
        assert_eq!(before.window.to_string(), "2026-01-14T13:29:00Z/2026-01-14T13:59:00Z");
    }

    #[test]
    fn seasonal_windows_with_enough_samples_serve_before_the_window_just_before() {
        let (day, week) = (candidate(Origin::Earlier(DAY)), candidate(Origin::Earlier(WEEK)));
        let before = candidate(Origin::Before);
        type Case<'c> = (&'c [(Candidate, f64)], &'c [usize]);
        let cases: [Case<'_>; 6] = [
            (&[(day, 1.0), (week, 0.98), (before, 1.0)], &[0, 1]),
            (&[(day, 0.2), (week, 0.98), (before, 1.0)], &[1]),
            (&[(day, 0.2), (week, 0.0), (before, 0.5)], &[2]),
            (&[(day, 0.2), (week, 0.0), (before, 0.49)], &[]),
            (&[(candidate(Origin::Given), 0.6)], &[0]),
            (&[], &[]),
        ];
        for (candidates, expected) in cases {
            assert_eq!(choose(candidates), expected, "{candidates:?}");
        }
    }

    #[test]
    fn a_sample_that_is_no_number_does_not_cover() {
        assert_eq!(coverage(&[Some(1.0), None, Some(f64::NAN), Some(2.0)]), 0.5);
        assert_eq!(coverage(&[]), 0.0);
    }

    #[test]
    fn a_gap_in_one_window_is_filled_by_the_others() {
        let nan = Some(f64::NAN);
        let windows = [
            vec![Some(1.0), None, None, nan],
            vec![Some(3.0), Some(5.0), None, nan],
            vec![None, nan, None, None],
        ];
        let median = per_position(&windows);
        assert_eq!(median[..3], [Some(2.0), Some(5.0), None]);
        assert!(median[3].is_some_and(f64::is_nan));
    }

    #[test]
    fn a_baseline_says_what_it_is() {
        let (day, week) = (candidate(Origin::Earlier(DAY)), candidate(Origin::Earlier(WEEK)));
        assert_eq!(told(&[day, week]), "the same window 1d and 7d earlier (median at each position)");
        assert_eq!(told(&[week]), "the same window 7d earlier");
        assert_eq!(
            told(&[candidate(Origin::Before)]),
            "the window just before, 2026-01-13T14:00:00Z/2026-01-13T15:00:00Z"
        );
        assert_eq!(told(&[candidate(Origin::Given)]), "2026-01-13T14:00:00Z/2026-01-13T15:00:00Z");
    }

    proptest! {
        #[test]
        fn a_baseline_is_as_long_as_its_window_and_never_overlaps_it(start in 0..2_000_000_000_i64, length in 1..700_000_i64) {
            let at = |second| jiff::Timestamp::from_second(second).unwrap();
            let asked = TimeRange::new(at(start), at(start + length)).unwrap();
            for one in seasonal(asked).into_iter().chain(just_before(asked, Duration::from_secs(30))) {
                prop_assert_eq!(one.window.seconds(), asked.seconds());
                prop_assert!(one.window.end() <= asked.start());
            }
        }
    }
}
