//! What fired within a window, from the series `ALERTS`: one sample for each evaluation while an alert fires.
//!
//! The window is looked at in moments close together, so that a short alert is not overlooked, but of a long window
//! the server counts the moments of each step, so that a series never has more than 250 points.

use std::time::Duration;

use contract::TimeRange;
use jiff::Timestamp;

use super::{OneAlert, Severity, join};
use crate::model::{Labels, Point, Series};

/// Everything that fires.
pub(crate) const FIRING: &str = "ALERTS{alertstate=\"firing\"}";
/// Whether anything was recorded: `ALERTS` has no series also when nothing fires, `up` has one for each target.
pub(crate) const ALIVE: &str = "count(up) or count(ALERTS)";
/// Points of a series, at most.
const POINTS: i64 = 250;
/// Seconds between moments: of windows up to two days, up to a week, and of longer ones. Some 20,000 moments at
/// most: looking at one takes time for every series, also while it does not fire.
const BETWEEN: [(i64, i64); 3] = [(2 * 86_400, 15), (7 * 86_400, 30), (i64::MAX, 120)];

/// How a window is looked at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// The question.
    pub(crate) promql: String,
    /// The window the question is sent with: its points are the ends of the steps.
    pub(crate) asked: TimeRange,
    /// The time all steps together cover: the window widened at its start to whole steps.
    pub(crate) covered: TimeRange,
    /// Distance of the points.
    pub(crate) step: Duration,
    /// Distance of the moments.
    pub(crate) between: Duration,
}

impl Plan {
    /// The plan for a window that ends now or earlier; `None` when its times are outside the calendar. No moment is
    /// after now, nor is the end of what is asked, which is the second after the last moment.
    pub(crate) fn new(window: TimeRange, now: Timestamp) -> Option<Plan> {
        let length = (window.end().as_millisecond() - window.start().as_millisecond() + 999).div_euclid(1000);
        let between = BETWEEN.iter().find(|(most, _)| length <= *most).map_or(120, |(_, between)| *between);
        let moments = (length + between - 1) / between;
        let each = (moments + POINTS - 1) / POINTS;
        let step = each * between;
        let latest = window.end().as_second().min(now.as_second() - 1);
        let last = latest.div_euclid(between) * between;
        let points = (length + step - 1) / step;
        let moment = |second: i64| Timestamp::from_second(second).ok();
        let start = last - points * step;
        // One second less than the step: servers differ in whether a range includes its start.
        let promql = match each {
            1 => FIRING.to_owned(),
            _ => format!("count_over_time({FIRING}[{}s:{between}s])", step - 1),
        };
        Some(Plan {
            promql,
            asked: TimeRange::new(moment(start + step)?, moment(last + 1)?).ok()?,
            covered: TimeRange::new(moment(start)?, moment(last)?).ok()?,
            step: Duration::from_secs(step.unsigned_abs()),
            between: Duration::from_secs(between.unsigned_abs()),
        })
    }

    /// How many moments a step has.
    fn each(&self) -> f64 {
        self.step.as_secs_f64() / self.between.as_secs_f64()
    }
}

/// One alert as its series shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fired {
    /// Its labels.
    pub(crate) labels: Labels,
    /// How bad it was.
    pub(crate) severity: Severity,
    /// The end of the first step in which it fired.
    pub(crate) first: Timestamp,
    /// The end of the last one.
    pub(crate) last: Timestamp,
    /// Whether it fired throughout the first step of the window, so that it probably began earlier.
    pub(crate) began_before: bool,
    /// How often it began, at least.
    pub(crate) episodes: u64,
    /// Whether it did not fire in the last two steps of the window: one may be missing because rules run late.
    pub(crate) stopped: bool,
    /// Seconds it fired within the window: the moments at which it did times their distance.
    pub(crate) seconds: f64,
}

/// What the series show, in their order; series without a sample that says "firing" show nothing.
pub(crate) fn fired(series: &[Series], plan: &Plan) -> Vec<Fired> {
    series.iter().filter_map(|one| of_series(one, plan)).collect()
}

fn of_series(series: &Series, plan: &Plan) -> Option<Fired> {
    // Old servers wrote 0 when an alert ended; NaN is no statement either.
    let points: Vec<Point> = series.points.iter().copied().filter(|point| point.value > 0.0).collect();
    let (first, last) = (points.first()?, points.last()?);
    let own = series.labels.iter().filter(|(name, _)| !matches!(name.inside(), "__name__" | "alertstate"));
    let labels = Labels::new(own.map(|(name, value)| (name.clone(), value.clone())));
    let moments: f64 = points.iter().map(|point| point.value.min(plan.each())).sum();
    let whole = |point: &Point| point.value >= plan.each();
    Some(Fired {
        severity: Severity::of(&labels),
        labels,
        first: Timestamp::from_millisecond(first.at).ok()?,
        last: Timestamp::from_millisecond(last.at).ok()?,
        began_before: first.at <= plan.asked.start().as_millisecond() && whole(first),
        episodes: episodes(&points, plan),
        stopped: last.at.saturating_add(step_ms(plan)) < plan.covered.end().as_millisecond(),
        seconds: moments * plan.between.as_secs_f64(),
    })
}

fn step_ms(plan: &Plan) -> i64 {
    i64::try_from(plan.step.as_millis()).unwrap_or(i64::MAX)
}

/// The fewest episodes that these points can come from.
///
/// Steps in which it did not fire part episodes. So does a break within a step that lies between two others, and one
/// break can touch two such steps that follow each other, but not three.
fn episodes(points: &[Point], plan: &Plan) -> u64 {
    let step_ms = step_ms(plan);
    let apart = |one: Option<&Point>, next: Option<&Point>| match (one, next) {
        (Some(one), Some(next)) => next.at - one.at > step_ms,
        _ => true,
    };
    let (mut episodes, mut broken_in_a_row) = (0, 0);
    for (place, point) in points.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| points.get(place));
        let begins = apart(before, Some(point));
        let ends = apart(Some(point), points.get(place + 1));
        episodes += u64::from(begins);
        let broken = !begins && !ends && point.value < plan.each();
        broken_in_a_row = if broken { broken_in_a_row + 1 } else { 0 };
        // The first, third, fifth … of a row needs a break of its own.
        episodes += u64::from(broken_in_a_row % 2 == 1);
    }
    episodes
}

/// For each of `fired` whether one of `now` is the same alert. The series may have more labels than the alert (a
/// store of several servers adds some), or fewer (only Alertmanager was heard, which knows external labels).
pub(crate) fn still_firing(fired: &[Fired], now: &[&OneAlert<'_>]) -> Vec<bool> {
    let seen: Vec<&Labels> = fired.iter().map(|one| &one.labels).collect();
    let current: Vec<&Labels> = now.iter().map(|alert| &alert.labels).collect();
    let wider = join::covers(&seen, &current);
    let narrower = join::by_labels(&seen, &current);
    wider.into_iter().zip(narrower).map(|(wider, narrower)| wider || narrower.is_some()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::alerts::tests::{labels, one_alert};

    fn plan(text: &str) -> Plan {
        let now = "2026-11-21T00:45:34Z".parse().unwrap();
        Plan::new(text.parse::<contract::TimeSpec>().unwrap().resolve(now).unwrap(), now).unwrap()
    }

    #[test]
    fn short_windows_are_asked_moment_by_moment() {
        let plan = plan("10m");
        assert_eq!((plan.promql.as_str(), plan.step.as_secs(), plan.between.as_secs()), (FIRING, 15, 15));
        // 600 s are 40 steps of 15 s; the last moment is 00:45:30.
        assert_eq!(plan.covered.to_string(), "2026-11-21T00:35:30Z/2026-11-21T00:45:30Z");
        assert_eq!(plan.asked.to_string(), "2026-11-21T00:35:45Z/2026-11-21T00:45:31Z");
    }

    #[test]
    fn nothing_of_a_plan_is_after_now() {
        for second in 0..120 {
            let now = Timestamp::from_second(1_795_221_900 + second).unwrap();
            for text in ["1s", "10m", "6h", "7d", "31d"] {
                let window = text.parse::<contract::TimeSpec>().unwrap().resolve(now).unwrap();
                let plan = Plan::new(window, now).unwrap();
                assert!(plan.asked.end() <= now && plan.covered.end() < plan.asked.end(), "{text} {now}");
            }
        }
    }

    #[test]
    fn long_windows_are_counted_by_the_server() {
        // 21,600 s are 1,440 moments of 15 s: six to a point make 240 points of 90 s.
        let six_hours = plan("6h");
        assert_eq!(six_hours.promql, "count_over_time(ALERTS{alertstate=\"firing\"}[89s:15s])");
        assert_eq!(six_hours.covered.to_string(), "2026-11-20T18:45:30Z/2026-11-21T00:45:30Z");
        // A week is 20,160 moments of 30 s, 81 to a point; 31 days are 22,320 of 120 s, 90 to a point.
        assert_eq!(plan("7d").promql, "count_over_time(ALERTS{alertstate=\"firing\"}[2429s:30s])");
        assert_eq!(plan("31d").promql, "count_over_time(ALERTS{alertstate=\"firing\"}[10799s:120s])");
    }

    fn series(text: &str, points: &[(i64, f64)]) -> Series {
        let points = points.iter().map(|&(second, value)| Point { at: second * 1000, value }).collect();
        Series { labels: labels(text), points, histograms: Vec::new() }
    }

    /// A plan with points from `start`, `step` and `between` seconds apart.
    fn steps(start: i64, step: u64, between: u64) -> Plan {
        let range = |from: i64| {
            let moment = |second| Timestamp::from_second(second).unwrap();
            TimeRange::new(moment(from), moment(from + 100_000)).unwrap()
        };
        let (step, between) = (Duration::from_secs(step), Duration::from_secs(between));
        Plan { promql: String::new(), asked: range(start), covered: range(start), step, between }
    }

    #[test]
    fn gaps_part_episodes_and_what_is_not_one_is_no_firing() {
        let all = [
            series(
                "__name__=ALERTS,alertname=A,alertstate=firing",
                &[(60, 1.0), (75, 1.0), (105, 1.0), (225, 1.0)],
            ),
            series("__name__=ALERTS,alertname=B,alertstate=firing", &[(90, 0.0), (105, f64::NAN)]),
            series("__name__=ALERTS,alertname=C,alertstate=firing", &[(90, 1.0), (105, 0.0), (120, 1.0)]),
        ];
        let fired = fired(&all, &steps(60, 15, 15));
        let shown: Vec<_> = fired
            .iter()
            .map(|one| (one.labels.text(), one.first.as_second(), one.last.as_second()))
            .collect();
        assert_eq!(shown, [("{alertname=A}".to_owned(), 60, 225), ("{alertname=C}".to_owned(), 90, 120)]);
        let counts: Vec<_> = fired.iter().map(|one| (one.began_before, one.episodes, one.seconds)).collect();
        assert_eq!(counts, [(true, 3, 60.0), (false, 2, 30.0)]);
    }

    #[test]
    fn a_break_within_a_step_parts_episodes_too() {
        // Steps of eight moments. The 3, 2, 3 in the middle need two breaks; a short first and last step need none.
        let points = [(0, 3.0), (120, 8.0), (240, 3.0), (360, 2.0), (480, 3.0), (600, 8.0), (720, 1.0)];
        let fired = fired(&[series("alertname=A", &points)], &steps(0, 120, 15));
        assert_eq!((fired[0].episodes, fired[0].seconds, fired[0].began_before), (3, 28.0 * 15.0, false));
    }

    proptest! {
        /// Firing moment by moment, counted by steps as a server does: never more episodes than there were, the
        /// same seconds, and at moments of their own exactly the episodes.
        #[test]
        fn counting_by_steps_never_invents_an_episode(
            moments in proptest::collection::vec(any::<bool>(), 1..80),
            each in 1..9_usize,
        ) {
            let truth = moments.iter().zip(std::iter::once(&false).chain(&moments)).filter(|(now, was)| **now && !**was);
            let truth = truth.count() as u64;
            let counted: Vec<(i64, f64)> = moments
                .chunks(each)
                .enumerate()
                .map(|(step, chunk)| (step as i64 * each as i64 * 15, chunk.iter().filter(|on| **on).count() as f64))
                .filter(|(_, count)| *count > 0.0)
                .collect();
            let fired = fired(&[series("alertname=A", &counted)], &steps(0, each as u64 * 15, 15));
            let lit = moments.iter().filter(|on| **on).count();
            prop_assert_eq!(fired.is_empty(), lit == 0);
            for one in fired {
                prop_assert_eq!(one.seconds, lit as f64 * 15.0);
                prop_assert!(one.episodes >= 1 && one.episodes <= truth, "{} of {truth}", one.episodes);
                prop_assert!(each > 1 || one.episodes == truth);
            }
        }
    }

    #[test]
    fn an_alert_still_fires_when_either_side_has_labels_besides() {
        let all = [
            series("alertname=A,pod=1,replica=a", &[(0, 1.0)]),
            series("alertname=A,pod=1,replica=b", &[(0, 1.0)]),
            series("alertname=A,pod=2", &[(0, 1.0)]),
            series("alertname=A,pod=3", &[(0, 1.0)]),
        ];
        let fired = fired(&all, &steps(0, 15, 15));
        let now = [one_alert("alertname=A,pod=1", None), one_alert("alertname=A,cluster=x,pod=2", None)];
        assert_eq!(still_firing(&fired, &now.iter().collect::<Vec<_>>()), [true, true, true, false]);
    }
}
