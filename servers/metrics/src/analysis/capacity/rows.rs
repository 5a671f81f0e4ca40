//! One row for each container and resource: usage, bounds, trend, and which row is nearest to its end.

use std::{cmp::Ordering, collections::BTreeMap};

use contract::Untrusted;
use signal::{Reaches, Trend, quantile, trend};

use super::{Bound, DAY, Resource, Stat};
use crate::{analysis::ranking::Grid, model::Series};

/// A trend over a shorter time than this, in seconds, is the time of day.
const SHORTEST_TREND: f64 = 2.0 * DAY;

/// The values of a population's labels, in their order; `None` for a label the series has not.
pub(crate) type Place = Vec<Option<Untrusted>>;

/// The places and values of an instant reply, where further labels say which number it is. NaN and the infinities are
/// left out and counted.
pub(crate) fn values_by(
    series: &[Series],
    labels: &[&str],
    more: &[&str],
) -> (BTreeMap<(Place, Vec<String>), f64>, usize) {
    let (mut values, mut odd) = (BTreeMap::new(), 0);
    for one in series {
        let Some(value) = one.points.last().map(|point| point.value) else { continue };
        if !value.is_finite() {
            odd += 1;
            continue;
        }
        let place = place(one, labels);
        let which =
            more.iter().map(|label| one.labels.get(label).map_or("", |text| text.inside()).to_owned());
        values.insert((place, which.collect()), value);
    }
    (values, odd)
}

/// Where a series belongs.
pub(crate) fn place(one: &Series, labels: &[&str]) -> Place {
    labels.iter().map(|label| one.labels.get(label).cloned()).collect()
}

/// The values of a range reply at the moments of its grid, by place; NaN marks gaps.
pub(crate) fn track(series: Vec<Series>, labels: &[&str], grid: Grid) -> BTreeMap<Place, Vec<f64>> {
    let tracks = series.into_iter().map(|one| {
        let values = grid.place(one.points.iter().copied());
        (place(&one, labels), values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect())
    });
    tracks.collect()
}

/// Usage of one replica, in the resource's base unit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Usage {
    pub(crate) p50: Option<f64>,
    pub(crate) p95: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) max: Option<f64>,
    /// The quantile 0.95 of the mean replica.
    pub(crate) mean: Option<f64>,
}

impl Usage {
    /// From what the server computed.
    pub(crate) fn of(stat: impl Fn(Stat) -> Option<f64>) -> Usage {
        Usage {
            p50: stat(Stat::P50),
            p95: stat(Stat::P95),
            p99: stat(Stat::P99),
            max: stat(Stat::Max),
            mean: stat(Stat::Mean),
        }
    }

    /// From the moments of a range query; `mean` are those of the mean replica.
    pub(crate) fn of_moments(busiest: &[f64], mean: Option<&[f64]>) -> Usage {
        Usage {
            p50: quantile(busiest, 0.5),
            p95: quantile(busiest, 0.95),
            p99: quantile(busiest, 0.99),
            max: quantile(busiest, 1.0),
            mean: mean.and_then(|mean| quantile(mean, 0.95)),
        }
    }
}

/// What a container's usage ends at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ceiling {
    pub(crate) bound: Bound,
    pub(crate) value: f64,
}

/// One container and resource.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) place: Place,
    pub(crate) resource: Resource,
    pub(crate) usage: Usage,
    pub(crate) bounds: BTreeMap<Bound, f64>,
    /// The busiest replica's usage over time; NaN marks gaps.
    pub(crate) track: Vec<f64>,
    pub(crate) trend: Option<Trend>,
    /// Seconds from the first value to the last.
    pub(crate) history: f64,
    /// Distance of the track's values in seconds.
    pub(crate) step: f64,
}

impl Row {
    pub(crate) fn new(
        place: Place,
        resource: Resource,
        usage: Usage,
        bounds: BTreeMap<Bound, f64>,
        (track, step): (Vec<f64>, f64),
    ) -> Row {
        let first = track.iter().position(|value| value.is_finite());
        let last = track.iter().rposition(|value| value.is_finite());
        let history = first.zip(last).map_or(0.0, |(first, last)| (last - first) as f64 * step);
        let per_day = DAY / step;
        let per_day = if per_day.fract() == 0.0 { per_day as usize } else { 0 };
        let known = first.zip(last).and_then(|(first, last)| track.get(first..=last));
        let trend =
            known.filter(|_| history + step >= SHORTEST_TREND).and_then(|values| trend(values, per_day));
        Row { place, resource, usage, bounds, track, trend, history, step }
    }

    pub(crate) fn bound(&self, bound: Bound) -> Option<f64> {
        self.bounds.get(&bound).copied()
    }

    /// What usage runs into: the limit; where there is none the request (what is beyond it is only lent), or the host.
    pub(crate) fn ceiling(&self) -> Option<Ceiling> {
        [Bound::Limit, Bound::Request, Bound::Host]
            .into_iter()
            .find_map(|bound| self.bound(bound).map(|value| Ceiling { bound, value }))
            .filter(|ceiling| ceiling.value > 0.0)
    }

    /// The usage that is held against the ceiling: memory's highest (one moment beyond is a kill), of CPU the quantile
    /// 0.95 (a moment beyond is a delay).
    pub(crate) fn telling(&self) -> Option<f64> {
        match self.resource {
            Resource::Memory => self.usage.max,
            Resource::Cpu => self.usage.p95,
        }
    }

    /// The share of the ceiling that is used.
    pub(crate) fn used(&self) -> Option<f64> {
        Some(self.telling()? / self.ceiling()?.value)
    }

    /// Change in a day, when there is a trend.
    pub(crate) fn per_day(&self) -> Option<f64> {
        let trend = self.trend?;
        trend.direction().map(|_| trend.per_sample * DAY / self.step)
    }

    /// When usual highs reach the ceiling, in seconds after the last value.
    pub(crate) fn reaches(&self) -> Option<Reaches> {
        let reaches = self.trend?.reaches(self.ceiling()?.value)?;
        Some(Reaches {
            samples: reaches.samples * self.step,
            earliest: reaches.earliest * self.step,
            latest: reaches.latest.map(|latest| latest * self.step),
        })
    }

    /// The share of the ceiling that would be used in 30 days, should a rise go on: what rows are ranked by.
    fn used_in_a_month(&self) -> Option<f64> {
        let rise = self.per_day().unwrap_or(0.0).max(0.0) * 30.0;
        Some((self.telling()? + rise) / self.ceiling()?.value)
    }
}

/// Puts the rows nearest to their ceiling first; those without one come last, the largest user first.
pub(crate) fn rank(rows: &mut [Row]) {
    rows.sort_by(|one, other| {
        let by = |row: &Row| row.used_in_a_month().unwrap_or(-1.0);
        let size = |row: &Row| row.resource.shown(row.telling().unwrap_or(0.0));
        let order = by(other).total_cmp(&by(one));
        let order = if order == Ordering::Equal { size(other).total_cmp(&size(one)) } else { order };
        order.then_with(|| one.place.cmp(&other.place)).then_with(|| one.resource.cmp(&other.resource))
    });
}

#[cfg(test)]
mod tests {
    use contract::Context;
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn row(name: &str, resource: Resource, telling: f64, limit: Option<f64>, track: Vec<f64>) -> Row {
        let cx = Context::for_test(Timestamp::UNIX_EPOCH);
        let usage = Usage { p95: Some(telling), max: Some(telling), ..Usage::default() };
        let bounds = limit.map(|limit| (Bound::Limit, limit)).into_iter().collect();
        Row::new(vec![Some(cx.intake.text(name))], resource, usage, bounds, (track, 10_800.0))
    }

    /// 30 days at 3 h, so much more each day.
    fn rising(from: f64, per_day: f64) -> Vec<f64> {
        (0..240).map(|at| from + per_day * f64::from(at) / 8.0).collect()
    }

    fn names(rows: &[Row]) -> Vec<&str> {
        rows.iter().map(|row| row.place[0].as_ref().unwrap().inside()).collect()
    }

    #[test]
    fn a_row_that_will_soon_be_full_comes_before_one_that_is_fuller_now() {
        let mut rows = vec![
            row("unlimited", Resource::Memory, 900.0, None, rising(100.0, 9.0)),
            // 80 % now, and so it stays.
            row("steady", Resource::Memory, 80.0, Some(100.0), vec![80.0; 240]),
            // 60 % now, and 30 days × 2 = 60 more.
            row("leaks", Resource::Memory, 60.0, Some(100.0), rising(0.0, 2.0)),
            row("small", Resource::Cpu, 1.0, Some(100.0), vec![1.0; 240]),
        ];
        rank(&mut rows);
        assert_eq!(names(&rows), ["leaks", "steady", "small", "unlimited"]);
    }

    #[test]
    fn the_limit_is_reached_after_what_is_left_divided_by_the_slope() {
        // 2 a day from 0: at the last of 240 values, 29.875 days on, 59.75; 100 − 59.75 = 40.25, 20.125 days.
        let leaks = row("leaks", Resource::Memory, 59.75, Some(100.0), rising(0.0, 2.0));
        let days = leaks.reaches().unwrap().samples / DAY;
        assert!((days - 20.125).abs() < 1e-6, "{days}");
        assert!((leaks.per_day().unwrap() - 2.0).abs() < 1e-9);
        assert_eq!(leaks.history, 239.0 * 10_800.0);
        let steady = row("steady", Resource::Memory, 80.0, Some(100.0), vec![80.0; 240]);
        assert_eq!((steady.per_day(), steady.reaches()), (None, None));
    }

    #[test]
    fn less_than_two_days_have_no_trend_and_gaps_at_both_ends_do_not_count() {
        let mut values = vec![f64::NAN; 240];
        values[200..215].copy_from_slice(&rising(1.0, 8.0)[..15]);
        assert!(row("new", Resource::Cpu, 1.0, None, values.clone()).trend.is_none());
        values[200..216].copy_from_slice(&rising(1.0, 8.0)[..16]);
        let known = row("new", Resource::Cpu, 1.0, None, values);
        assert_eq!(known.history, 15.0 * 10_800.0);
        // 1 + 15/8 × 8 = 16 at the last value, not at the end of the window.
        assert!((known.trend.unwrap().level - 16.0).abs() < 1e-9);
    }

    #[test]
    fn without_a_limit_the_request_is_what_usage_is_held_against() {
        let mut one = row("a", Resource::Cpu, 1.0, None, Vec::new());
        assert_eq!(one.ceiling(), None);
        one.bounds.insert(Bound::Request, 2.0);
        assert_eq!(one.ceiling(), Some(Ceiling { bound: Bound::Request, value: 2.0 }));
        one.bounds.insert(Bound::Limit, 4.0);
        assert_eq!((one.ceiling().unwrap().bound, one.used()), (Bound::Limit, Some(0.25)));
    }

    proptest! {
        #[test]
        fn the_order_in_which_rows_come_does_not_matter(shuffled in Just(vec![
            ("a", 5.0, Some(10.0)), ("b", 5.0, Some(10.0)), ("c", 9.0, Some(10.0)), ("d", 1.0, None), ("e", 2.0, None),
        ]).prop_shuffle()) {
            let mut rows: Vec<Row> = shuffled
                .iter()
                .map(|(name, used, limit)| row(name, Resource::Memory, *used, *limit, Vec::new()))
                .collect();
            rank(&mut rows);
            prop_assert_eq!(names(&rows), ["c", "a", "b", "e", "d"]);
        }
    }
}
