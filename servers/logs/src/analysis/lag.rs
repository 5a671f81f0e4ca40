//! Since when records arrive late.

use jiff::Timestamp;

use crate::model::Freshness;

/// Seconds below which nobody would say late.
const LATE: f64 = 60.0;
/// It must be so many times what was usual.
const TIMES: f64 = 5.0;
/// The share of later records that must be late, and how many at least.
const MOST_OF_THEM: f64 = 0.8;
const FEWEST: usize = 5;

/// Records arrive late.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Late {
    /// The first late record happened then.
    pub(crate) since: Timestamp,
    /// Median seconds between happening and arriving, since then.
    pub(crate) now: f64,
    /// The same before; `None` where all are late.
    pub(crate) before: Option<f64>,
}

/// Since when records arrive late: from the first one on after which most are, to the last. `moments` is when each happened
/// and when it arrived.
pub(crate) fn late(moments: &[(Timestamp, Timestamp)]) -> Option<Late> {
    let mut sorted = moments.to_vec();
    sorted.sort();
    let lags: Vec<f64> =
        sorted.iter().map(|(at, arrived)| arrived.duration_since(*at).as_secs_f64()).collect();
    let mut by_size = lags.clone();
    by_size.sort_by(f64::total_cmp);
    let usual = by_size.get(..by_size.len().div_ceil(4)).and_then(signal::median).unwrap_or(0.0);
    let threshold = LATE.max(TIMES * usual);
    let is_late = |lag: &&f64| **lag >= threshold;
    let begins = |place: &usize| {
        let rest = lags.get(*place..).unwrap_or_default();
        let late = rest.iter().filter(is_late).count();
        let begins = rest.first().is_some_and(|lag| *lag >= threshold);
        begins && late >= FEWEST && late as f64 >= MOST_OF_THEM * rest.len() as f64
    };
    let place = (0..lags.len()).find(begins)?;
    let (before, after) = lags.split_at_checked(place)?;
    let (since, _) = sorted.get(place)?;
    Some(Late { since: *since, now: signal::median(after)?, before: signal::median(before) })
}

/// How late records arrive, by the lags in seconds of the newest ones and of those that were stored last. Where none of a
/// window had arrived by its end, all have by now: then the newest tell it.
pub(crate) fn freshness(newest: Option<Timestamp>, of_newest: &[f64], of_last: &[f64]) -> Freshness {
    // Whoever writes the time of the event twice tells nothing about storing.
    let is_told = |lags: &&[f64]| lags.iter().any(|lag| *lag != 0.0);
    let spread = |lags: &[f64]| {
        let lags = Some(lags).filter(is_told)?;
        signal::quantile(lags, 0.5).zip(signal::quantile(lags, 0.95))
    };
    let by_time = spread(of_newest);
    Freshness {
        newest,
        lag_seconds: spread(of_last).or(by_time),
        newest_lag_seconds: by_time.map(|(_, most)| most),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_stored_last_tell_how_late_records_arrive() {
        // Of 21 values the median is the 11th, the 95th percentile the 20th.
        let last: Vec<f64> = (0..21).map(f64::from).collect();
        for (of_newest, of_last, expected) in [
            (vec![2.0; 5], last.clone(), (Some((10.0, 19.0)), Some(2.0))),
            (vec![2.0; 5], vec![], (Some((2.0, 2.0)), Some(2.0))),
            (vec![], last, (Some((10.0, 19.0)), None)),
            (vec![], vec![], (None, None)),
        ] {
            let told = freshness(None, &of_newest, &of_last);
            assert_eq!((told.lag_seconds, told.newest_lag_seconds), expected);
        }
    }

    fn moments(lags: &[i64]) -> Vec<(Timestamp, Timestamp)> {
        let at = |second| Timestamp::from_second(second).unwrap();
        lags.iter()
            .enumerate()
            .map(|(place, lag)| (at(place as i64 * 10), at(place as i64 * 10 + lag)))
            .collect()
    }

    #[test]
    fn lateness_has_a_beginning() {
        let lags = [[2; 20].as_slice(), &[300; 10]].concat();
        let found = late(&moments(&lags)).unwrap();
        assert_eq!((found.since.as_second(), found.now, found.before), (200, 300.0, Some(2.0)));
        // One straggler among punctual records is none, nor a delay that is over, nor a slow shipper's usual minute.
        for lags in [
            [[2; 20].as_slice(), &[300], &[2; 9]].concat(),
            [[2; 5].as_slice(), &[300; 10], &[2; 30]].concat(),
            vec![40; 30],
            vec![90; 30],
            vec![],
        ] {
            assert_eq!(late(&moments(&lags)), None, "{lags:?}");
        }
    }

    #[test]
    fn order_does_not_matter() {
        let mut shuffled = moments(&[[2; 20].as_slice(), &[300; 10]].concat());
        let found = late(&shuffled);
        fastrand::Rng::with_seed(3).shuffle(&mut shuffled);
        assert_eq!(late(&shuffled), found);
    }
}
