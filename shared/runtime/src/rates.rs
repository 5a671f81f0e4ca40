//! How often, and how many at once.

use std::{collections::BTreeMap, time::Duration};

use contract::{Cost, ErrorKind, ToolError};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

use crate::settings::{CallLimits, Rate, Rates};

/// Rates per principal and class of cost. Of this process alone: two replicas allow twice as much.
pub(crate) struct RateLimits(BTreeMap<Cost, DefaultKeyedRateLimiter<String>>);

impl RateLimits {
    pub(crate) fn new(rates: &Rates) -> RateLimits {
        let limiter =
            |rate: Rate| RateLimiter::keyed(Quota::per_minute(rate.per_minute).allow_burst(rate.burst));
        RateLimits(BTreeMap::from([
            (Cost::Cheap, limiter(rates.cheap)),
            (Cost::Range, limiter(rates.range)),
            (Cost::Heavy, limiter(rates.heavy)),
            (Cost::Write, limiter(rates.write)),
        ]))
    }

    /// Takes one call off `principal`'s allowance for this class.
    pub(crate) fn admit(&self, principal: &str, cost: Cost) -> Result<(), ToolError> {
        let Some(limiter) = self.0.get(&cost) else { return Ok(()) };
        limiter.check_key(&principal.to_owned()).map_err(|not_until| {
            let wait = not_until.wait_time_from(limiter.clock().now());
            ToolError::new(
                ErrorKind::RateLimited,
                format!("too many calls of the class `{}`", cost.name()),
                "wait, or ask one broader question instead of many narrow ones",
            )
            .retry_after(wait)
        })
    }
}

/// Places for calls: so many for each principal, so many for all.
pub(crate) struct Places {
    places: upstream::Places,
    wait: Duration,
}

impl Places {
    pub(crate) fn new(limits: &CallLimits) -> Places {
        Places {
            places: upstream::Places::new(limits.max_calls, limits.max_calls_per_principal),
            wait: Duration::from_millis(limits.queue_milliseconds),
        }
    }

    /// Waits a little for a place.
    pub(crate) async fn take(&self, principal: &str) -> Result<upstream::Place, ToolError> {
        self.places.take((None, principal.to_owned()), self.wait).await.ok_or_else(|| {
            ToolError::new(
                ErrorKind::Busy,
                "too many calls are running at this moment",
                "wait for earlier calls to end, then ask again",
            )
            .retry_after(Duration::from_secs(1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_next_call_is_told_how_long_to_wait() {
        let rates = RateLimits::new(&Rates::default());
        for _ in 0..2 {
            rates.admit("a", Cost::Write).unwrap();
        }
        let refused = rates.admit("a", Cost::Write).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::RateLimited);
        // Five a minute: one every twelve seconds.
        let wait = refused.wait().unwrap();
        assert!(wait > Duration::from_secs(11) && wait <= Duration::from_secs(12), "{wait:?}");
        rates.admit("b", Cost::Write).unwrap();
        rates.admit("a", Cost::Cheap).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_house_makes_the_next_call_wait_then_says_busy() {
        let limits = CallLimits { max_calls: 3, max_calls_per_principal: 2, ..CallLimits::default() };
        let places = Places::new(&limits);
        let first = places.take("a").await.unwrap();
        let _second = places.take("a").await.unwrap();
        assert_eq!(places.take("a").await.map(|_| ()).unwrap_err().kind(), ErrorKind::Busy);
        let _other = places.take("b").await.unwrap();
        assert_eq!(
            places.take("b").await.map(|_| ()).unwrap_err().kind(),
            ErrorKind::Busy,
            "the house is full"
        );
        drop(first);
        assert!(places.take("b").await.is_ok());
    }
}
