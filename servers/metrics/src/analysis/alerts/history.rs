//! What fired within a window, from the series `ALERTS`: one sample for each evaluation while an alert fires.

use std::time::Duration;

use contract::TimeRange;
use jiff::Timestamp;

use super::{OneAlert, Severity, join};
use crate::model::{Labels, Series};

/// Everything that fired.
pub(crate) const FIRED: &str = "ALERTS{alertstate=\"firing\"}";
/// Moments of a window that are looked at, at most.
const MOMENTS: i64 = 250;
/// Distances between two moments, in seconds.
const STEPS: [i64; 12] = [15, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 10_800];

/// One alert as its series shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fired {
    /// Its labels.
    pub(crate) labels: Labels,
    /// How bad it was.
    pub(crate) severity: Severity,
    /// The first moment at which it was seen firing.
    pub(crate) first: Timestamp,
    /// The last one.
    pub(crate) last: Timestamp,
    /// Whether it fired at the first moment that was looked at, so that it began earlier.
    pub(crate) began_before: bool,
    /// How often it began, as far as the moments show it.
    pub(crate) episodes: u64,
    /// Seconds it fired within the window: its moments times their distance.
    pub(crate) seconds: f64,
}

/// The window widened to whole steps, and the step: at most 250 moments, at least 15 s apart.
pub(crate) fn aligned(window: TimeRange) -> (TimeRange, Duration) {
    let (start, end) = (window.start().as_second(), window.end().as_second() + 1);
    let widened = |step: i64| (start.div_euclid(step) * step, (end + step - 1).div_euclid(step) * step);
    let fits = |step: &i64| {
        let (start, end) = widened(*step);
        (end - start) / step <= MOMENTS
    };
    let mut step = STEPS.iter().copied().find(fits).unwrap_or(86_400);
    while !fits(&step) {
        step *= 2;
    }
    let (start, end) = widened(step);
    let moment = |second: i64| Timestamp::from_second(second).ok();
    let whole = moment(start).zip(moment(end)).and_then(|(start, end)| TimeRange::new(start, end).ok());
    (whole.unwrap_or(window), Duration::from_secs(step.unsigned_abs()))
}

/// What the series show, in their order; series without a sample that says "firing" show nothing.
pub(crate) fn fired(series: &[Series], window: TimeRange, step: Duration) -> Vec<Fired> {
    series.iter().filter_map(|one| of_series(one, window, step)).collect()
}

fn of_series(series: &Series, window: TimeRange, step: Duration) -> Option<Fired> {
    let step_ms = i64::try_from(step.as_millis()).ok()?;
    // Old servers wrote 0 when an alert ended; NaN is no statement either.
    let moments: Vec<i64> =
        series.points.iter().filter(|point| point.value > 0.0).map(|point| point.at).collect();
    let (first, last) = (*moments.first()?, *moments.last()?);
    let gaps =
        moments.iter().zip(moments.iter().skip(1)).filter(|(one, next)| *next - *one > step_ms).count();
    let own = series.labels.iter().filter(|(name, _)| !matches!(name.inside(), "__name__" | "alertstate"));
    let labels = Labels::new(own.map(|(name, value)| (name.clone(), value.clone())));
    Some(Fired {
        severity: Severity::of(&labels),
        labels,
        first: Timestamp::from_millisecond(first).ok()?,
        last: Timestamp::from_millisecond(last).ok()?,
        began_before: first <= window.start().as_millisecond(),
        episodes: gaps as u64 + 1,
        seconds: moments.len() as f64 * step.as_secs_f64(),
    })
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
    use super::*;
    use crate::{
        analysis::alerts::tests::{labels, one_alert},
        model::Point,
    };

    fn window(text: &str) -> TimeRange {
        let now = "2026-11-21T00:45:34Z".parse().unwrap();
        text.parse::<contract::TimeSpec>().unwrap().resolve(now).unwrap()
    }

    #[test]
    fn a_window_becomes_whole_steps_of_at_most_250_moments() {
        // 600 s in steps of 15 s touch 42 of them; an hour and two seconds fits 242; a day needs 86400/250 → 600 s.
        for (text, step, whole) in [
            ("10m", 15, "2026-11-21T00:35:30Z/2026-11-21T00:45:45Z"),
            ("1h", 15, "2026-11-20T23:45:30Z/2026-11-21T00:45:45Z"),
            ("1d", 600, "2026-11-20T00:40:00Z/2026-11-21T00:50:00Z"),
            ("31d", 10_800, "2026-10-21T00:00:00Z/2026-11-21T03:00:00Z"),
        ] {
            let (aligned, every) = aligned(window(text));
            assert_eq!((every.as_secs(), aligned.to_string().as_str()), (step, whole), "{text}");
            assert!(aligned.seconds() / every.as_secs_f64() <= 250.0);
        }
        let (_, day) = super::aligned(window("2026-11-20T00:00:00Z/2026-11-20T17:20:00Z"));
        assert_eq!(day.as_secs(), 300, "62,400 s in 300 s steps are 208 moments, in 120 s steps 520");
    }

    fn series(text: &str, points: &[(i64, f64)]) -> Series {
        let points = points.iter().map(|&(second, value)| Point { at: second * 1000, value }).collect();
        Series { labels: labels(text), points, histograms: Vec::new() }
    }

    #[test]
    fn gaps_part_episodes_and_what_is_not_one_is_no_firing() {
        let range = TimeRange::new(Timestamp::from_second(60).unwrap(), Timestamp::from_second(240).unwrap())
            .unwrap();
        let all = [
            series(
                "__name__=ALERTS,alertname=A,alertstate=firing",
                &[(60, 1.0), (75, 1.0), (105, 1.0), (225, 1.0)],
            ),
            series("__name__=ALERTS,alertname=B,alertstate=firing", &[(90, 0.0), (105, f64::NAN)]),
            series("__name__=ALERTS,alertname=C,alertstate=firing", &[(90, 1.0), (105, 0.0), (120, 1.0)]),
        ];
        let fired = fired(&all, range, Duration::from_secs(15));
        let shown: Vec<_> = fired
            .iter()
            .map(|one| (one.labels.text(), one.first.as_second(), one.last.as_second()))
            .collect();
        assert_eq!(shown, [("{alertname=A}".to_owned(), 60, 225), ("{alertname=C}".to_owned(), 90, 120)]);
        let counts: Vec<_> = fired.iter().map(|one| (one.began_before, one.episodes, one.seconds)).collect();
        assert_eq!(counts, [(true, 3, 60.0), (false, 2, 30.0)]);
    }

    #[test]
    fn an_alert_still_fires_when_either_side_has_labels_besides() {
        let range = TimeRange::new(Timestamp::UNIX_EPOCH, Timestamp::from_second(60).unwrap()).unwrap();
        let all = [
            series("alertname=A,pod=1,replica=a", &[(0, 1.0)]),
            series("alertname=A,pod=1,replica=b", &[(0, 1.0)]),
            series("alertname=A,pod=2", &[(0, 1.0)]),
            series("alertname=A,pod=3", &[(0, 1.0)]),
        ];
        let fired = fired(&all, range, Duration::from_secs(15));
        let now = [one_alert("alertname=A,pod=1", None), one_alert("alertname=A,cluster=x,pod=2", None)];
        assert_eq!(still_firing(&fired, &now.iter().collect::<Vec<_>>()), [true, true, true, false]);
    }
}
