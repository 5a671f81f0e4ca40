//! The moments at which a range is evaluated: at whole minutes (or whole multiples of a shorter step), so that the
//! same question a few seconds later looks at the same moments, and the newest minutes are never left out.

use std::time::Duration;

use contract::TimeRange;
use jiff::Timestamp;

use crate::model::Point;

/// What Prometheus allows for one series.
pub(crate) const MOST_POINTS: u64 = 11_000;

/// Steps that people can read, in seconds; longer ones are whole days.
const NICE: [u64; 18] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400];

/// The smallest readable step that gives at most `points` moments and is no shorter than `at_least` seconds.
pub(crate) fn automatic_step(window: TimeRange, points: u64, at_least: f64) -> u64 {
    let wanted = (window.seconds() / points.max(1) as f64).max(at_least);
    let nice = NICE.iter().copied().find(|step| *step as f64 >= wanted);
    nice.unwrap_or_else(|| (wanted / 86_400.0).ceil() as u64 * 86_400)
}

/// The smallest step in whole seconds that gives no more than [`MOST_POINTS`] moments.
pub(crate) fn smallest_step(window: TimeRange) -> u64 {
    // One moment more than fit between the sides, because the start is moved back.
    ((window.seconds() / (MOST_POINTS - 1) as f64).ceil() as u64).max(1)
}

/// Moments at equal distances. The last is the last whole minute before the window's end (the last multiple of a step
/// shorter than a minute); the first is the window's start, or less than a step before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Seconds since 1970.
    start: i64,
    /// Seconds.
    step: i64,
    /// How many moments; at least 1.
    count: usize,
}

impl Grid {
    /// The moments of `window` at this step, in whole seconds.
    pub(crate) fn lay(window: TimeRange, step: u64) -> Grid {
        const MINUTE: i64 = 60;
        let step = i64::try_from(step.max(1)).unwrap_or(i64::MAX);
        // Multiples of a step of hours would leave out the newest hours: the ones that matter.
        let fine = step.min(MINUTE);
        let last = (window.end().as_millisecond() - 1).div_euclid(fine * 1000) * fine;
        let steps = (last - window.start().as_second()).max(0).saturating_add(step - 1) / step;
        let start = last.saturating_sub(steps.saturating_mul(step));
        Grid { start, step, count: usize::try_from(steps).unwrap_or(0).saturating_add(1) }
    }

    /// How many moments there are.
    pub(crate) fn count(self) -> usize {
        self.count
    }

    /// From one moment to the next.
    pub(crate) fn step(self) -> Duration {
        Duration::from_secs(self.step.unsigned_abs())
    }

    /// One moment, in seconds since 1970.
    pub(crate) fn second(self, index: usize) -> i64 {
        self.start.saturating_add(i64::try_from(index).unwrap_or(i64::MAX).saturating_mul(self.step))
    }

    /// The first moment.
    pub(crate) fn first(self) -> Timestamp {
        moment(self.second(0))
    }

    /// The last moment.
    pub(crate) fn last(self) -> Timestamp {
        moment(self.second(self.count - 1))
    }

    /// What is asked of the server: half-open, so that the last moment is the end that is sent.
    pub(crate) fn window(self, asked: TimeRange) -> TimeRange {
        TimeRange::new(self.first(), moment(self.second(self.count - 1).saturating_add(1))).unwrap_or(asked)
    }

    /// From the first moment to the last, both included; `None` when there is only one.
    pub(crate) fn ends(self) -> Option<TimeRange> {
        TimeRange::new(self.first(), self.last()).ok()
    }

    /// The values at the moments, NaN where there is none. A point goes to the nearest moment; one outside is left
    /// out.
    pub(crate) fn place(self, points: impl Iterator<Item = Point>) -> Vec<Option<f64>> {
        let mut values = vec![None; self.count];
        for point in points {
            if let Some(place) = self.nearest(point.at).and_then(|index| values.get_mut(index)) {
                *place = Some(point.value);
            }
        }
        values
    }

    /// The moment nearest to a time in milliseconds since 1970; `None` outside.
    pub(crate) fn nearest(self, at: i64) -> Option<usize> {
        let from_start = at.saturating_sub(self.start.saturating_mul(1000));
        let index = from_start
            .saturating_add(self.step.saturating_mul(500))
            .div_euclid(self.step.saturating_mul(1000));
        usize::try_from(index).ok().filter(|index| *index < self.count)
    }
}

/// A moment from whole seconds; one outside the calendar is its beginning.
pub(crate) fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(start: &str, end: &str) -> TimeRange {
        TimeRange::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    fn last(seconds: i64) -> TimeRange {
        let end = Timestamp::from_second(1_768_399_200).unwrap();
        TimeRange::new(Timestamp::from_second(1_768_399_200 - seconds).unwrap(), end).unwrap()
    }

    #[test]
    fn steps_are_readable_and_give_about_250_points() {
        // Window in seconds, at least, step: window ÷ 250 rounded up along the list.
        let cases = [
            (60, 15.0, 15),
            (3_600, 15.0, 15),
            (3_751, 15.0, 30),
            (3_600, 1.0, 15),
            (1_250, 1.0, 5),
            (6 * 3_600, 15.0, 120),
            (86_400, 15.0, 600),
            (7 * 86_400, 15.0, 3_600),
            (30 * 86_400, 15.0, 10_800),
            (92 * 86_400, 15.0, 43_200),
            (251 * 86_400, 15.0, 2 * 86_400),
        ];
        for (seconds, at_least, step) in cases {
            assert_eq!(automatic_step(last(seconds), 250, at_least), step, "{seconds}");
        }
    }

    #[test]
    fn the_start_goes_back_to_a_multiple_and_the_end_stays() {
        let asked = window("2026-01-14T14:02:07Z", "2026-01-14T14:32:03.500Z");
        let grid = Grid::lay(asked, 15);
        assert_eq!(grid.first().to_string(), "2026-01-14T14:02:00Z");
        assert_eq!(grid.last().to_string(), "2026-01-14T14:32:00Z");
        assert_eq!(grid.count(), 121);
        assert_eq!(grid.window(asked), window("2026-01-14T14:02:00Z", "2026-01-14T14:32:01Z"));
        assert_eq!(grid.ends(), Some(window("2026-01-14T14:02:00Z", "2026-01-14T14:32:00Z")));
        assert_eq!(Grid::lay(window("2026-01-14T14:02:00Z", "2026-01-14T14:02:01Z"), 60).ends(), None);
    }

    #[test]
    fn a_window_on_the_grid_is_half_open() {
        let grid = Grid::lay(window("2026-01-14T14:00:00Z", "2026-01-14T15:00:00Z"), 60);
        assert_eq!((grid.count(), grid.last().to_string().as_str()), (60, "2026-01-14T14:59:00Z"));
    }

    #[test]
    fn points_fall_on_their_moments_and_gaps_stay() {
        let grid = Grid::lay(window("1970-01-01T00:00:10Z", "1970-01-01T00:00:50Z"), 10);
        let points = [(20_000, 2.0), (40_400, 4.0), (99_000, 9.0)].map(|(at, value)| Point { at, value });
        assert_eq!(grid.place(points.into_iter()), [None, Some(2.0), None, Some(4.0)]);
    }

    proptest! {
        #[test]
        fn a_grid_keeps_its_promises(start in 0_i64..2_000_000_000_000, length in 1_i64..3_000_000_000, step in 1_u64..100_000) {
            let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap();
            let asked = TimeRange::new(at(start), at(start + length)).unwrap();
            let grid = Grid::lay(asked, step);
            let (whole, fine) = (step as i64, step.min(60) as i64);
            let last = grid.second(grid.count() - 1);
            prop_assert_eq!(last % fine, 0);
            prop_assert!(grid.first() <= asked.start());
            prop_assert!(asked.start().as_second() - grid.second(0) < whole.max(fine));
            prop_assert!(grid.last() < asked.end());
            prop_assert!((last + fine) * 1000 >= asked.end().as_millisecond(), "the newest minute is seen");
        }

        #[test]
        fn the_same_moments_are_asked_for_again_within_a_minute(minute in 0_i64..30_000_000, later in 1_i64..60, step in 60_u64..400) {
            let at = |second| Timestamp::from_second(second).unwrap();
            let grid = |end| Grid::lay(TimeRange::new(at(end - 1000), at(end)).unwrap(), step);
            let (one, other) = (grid(minute * 60 + 1_001), grid(minute * 60 + 1_001 + later % 19));
            prop_assert_eq!(one.second(one.count() - 1), other.second(other.count() - 1));
        }

        #[test]
        fn no_step_from_the_smallest_on_gives_too_many_points(start in 0_i64..2_000_000_000, length in 1_i64..400_000_000) {
            let at = |second| Timestamp::from_second(second).unwrap();
            let asked = TimeRange::new(at(start), at(start + length)).unwrap();
            let smallest = smallest_step(asked);
            prop_assert!(Grid::lay(asked, smallest).count() as u64 <= MOST_POINTS);
            prop_assert!(smallest == 1 || length as u64 / (smallest - 1) + 1 >= MOST_POINTS - 1);
        }
    }
}
