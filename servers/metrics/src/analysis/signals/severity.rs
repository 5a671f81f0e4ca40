//! How bad a service is, to rank all of them.

/// Standard deviations of a 95 % interval.
const SURE: f64 = 1.96;

/// An excess of fewer points of percent is no news.
const POINTS: f64 = 0.1;

/// Fewer requests than this say nothing about latency.
const FEWEST_REQUESTS: f64 = 20.0;

/// What doubling the latency, halving the traffic counts, in points of percent of failed requests.
const FOR_DOUBLING: f64 = 5.0;

/// The most that latency, lost traffic count.
const MOST_FOR_LATENCY: f64 = 30.0;
const MOST_FOR_TRAFFIC: f64 = 20.0;

/// Changes by less than this factor are no news.
const NEWS: f64 = 1.2;

/// What is known of a service; `None` where it was not measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Health {
    /// Requests a second.
    pub(crate) traffic: Option<f64>,
    pub(crate) traffic_was: Option<f64>,
    /// Percent of requests.
    pub(crate) errors: Option<f64>,
    pub(crate) errors_was: Option<f64>,
    /// Seconds.
    pub(crate) latency: Option<f64>,
    pub(crate) latency_was: Option<f64>,
    /// Traffic now could not be read: that there is none of it is not known.
    pub(crate) traffic_unseen: bool,
}

/// How bad it is, in points of percent of failed requests: those that fail more than usual (the lower end of Wilson's
/// 95 % interval, so that one failure of three requests is not 33 %), plus what slower and missing requests count.
/// 0 for a service that is as usual. `window` in seconds.
pub(crate) fn severity(health: &Health, window: f64) -> f64 {
    // Where traffic could not be read, it counts as what it was: not as lost, and not as too little to tell latency.
    let traffic = if health.traffic_unseen { health.traffic.or(health.traffic_was) } else { health.traffic };
    let requests = traffic.filter(|rate| rate.is_finite()).unwrap_or(0.0) * window;
    let excess = health
        .errors
        .filter(|share| share.is_finite())
        .map_or(0.0, |share| 100.0 * wilson(share / 100.0, requests) - health.errors_was.unwrap_or(0.0));
    let excess = if excess >= POINTS { excess } else { 0.0 };
    let doublings = |now: Option<f64>, was: Option<f64>| match (now, was) {
        (Some(now), Some(was)) if now > 0.0 && was > 0.0 && now / was >= NEWS => (now / was).log2(),
        _ => 0.0,
    };
    let slower = match requests >= FEWEST_REQUESTS {
        true => (FOR_DOUBLING * doublings(health.latency, health.latency_was)).min(MOST_FOR_LATENCY),
        false => 0.0,
    };
    let missing = match (traffic, health.traffic_was) {
        (None | Some(0.0), Some(was)) if was * window >= FEWEST_REQUESTS => MOST_FOR_TRAFFIC,
        (now, was) if was.unwrap_or(0.0) >= 2.0 * now.unwrap_or(0.0) => {
            (FOR_DOUBLING * doublings(was, now)).min(MOST_FOR_TRAFFIC)
        }
        _ => 0.0,
    };
    excess + slower + missing
}

/// The lower end of the interval for a share seen among so many (Wilson, J. Am. Stat. Assoc. 22, 1927).
fn wilson(share: f64, count: f64) -> f64 {
    if count <= 0.0 {
        return 0.0;
    }
    let share = share.clamp(0.0, 1.0);
    let square = SURE * SURE;
    let center = share + square / (2.0 * count);
    let half = SURE * (share * (1.0 - share) / count + square / (4.0 * count * count)).sqrt();
    ((center - half) / (1.0 + square / count)).max(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wilsons_interval_is_that_of_other_programs() {
        // scipy 1.17: binomtest(k, n).proportion_ci(method="wilson").low
        for (k, n, expected) in [(1.0, 3.0, 0.061_492), (10.0, 100.0, 0.055_229), (50.0, 1000.0, 0.038_130)] {
            assert!((wilson(k / n, n) - expected).abs() < 1e-5, "{k} of {n}: {}", wilson(k / n, n));
        }
    }

    #[test]
    fn errors_latency_and_missing_requests_count_and_the_usual_does_not() {
        let usual = Health {
            traffic: Some(100.0),
            traffic_was: Some(100.0),
            errors: Some(0.5),
            errors_was: Some(0.6),
            latency: Some(0.11),
            latency_was: Some(0.1),
            traffic_unseen: false,
        };
        assert_eq!(severity(&usual, 1800.0), 0.0);
        // Twice as slow: 5. Four times: 10.
        assert!((severity(&Health { latency: Some(0.2), ..usual }, 1800.0) - 5.0).abs() < 1e-9);
        assert!((severity(&Health { latency: Some(0.4), ..usual }, 1800.0) - 10.0).abs() < 1e-9);
        // A quarter of the requests: two halvings. None: the most.
        assert!((severity(&Health { traffic: Some(25.0), ..usual }, 1800.0) - 10.0).abs() < 0.1);
        assert_eq!(severity(&Health { traffic: None, errors: None, latency: None, ..usual }, 1800.0), 20.0);
        // Traffic that could not be read is not lost, and latency still counts.
        let unseen = Health { traffic: None, errors: None, traffic_unseen: true, ..usual };
        assert_eq!(severity(&unseen, 1800.0), 0.0);
        assert!((severity(&Health { latency: Some(0.4), ..unseen }, 1800.0) - 10.0).abs() < 1e-9);
        // More requests are no harm by themselves.
        assert_eq!(severity(&Health { traffic: Some(400.0), ..usual }, 1800.0), 0.0);
        // 3 requests in all, one failed.
        let few = Health { traffic: Some(3.0 / 1800.0), errors: Some(33.3), ..Health::default() };
        assert!(severity(&few, 1800.0) < 7.0);
    }

    proptest! {
        #[test]
        fn it_is_finite_and_more_errors_are_never_better(
            rate in 0.0..1e6_f64, share in 0.0..99.0_f64, was in prop::option::of(0.0..100.0_f64), more in 0.0..1.0_f64
        ) {
            let health = Health { traffic: Some(rate), errors: Some(share), errors_was: was, ..Health::default() };
            let worse = Health { errors: Some(share + more), ..health };
            prop_assert!(severity(&health, 1800.0).is_finite());
            prop_assert!(severity(&worse, 1800.0) >= severity(&health, 1800.0) - 1e-9);
        }
    }
}
