//! A circuit breaker: after five failures in a row a backend is left alone for ten seconds, then one request
//! tries it. It spares a struggling backend, and a caller the wait.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

const FAILURES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// No request before this moment, once there were too many failures.
    closed_until: Option<Instant>,
}

impl Breaker {
    /// May a request go out? If not: the failures so far and how long to wait.
    pub(crate) fn admit(&self, now: Instant) -> Result<(), (u32, Duration)> {
        let mut state = self.lock();
        match state.closed_until {
            Some(until) if now < until => Err((state.failures, until - now)),
            // This request is the trial; others wait until it has ended or the pause has passed again.
            Some(_) => {
                state.closed_until = Some(now + PAUSE);
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub(crate) fn succeeded(&self) {
        *self.lock() = State::default();
    }

    pub(crate) fn failed(&self, now: Instant) {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES {
            state.closed_until = Some(now + PAUSE);
        }
    }

    /// A trial that was cancelled proves nothing: the next request may try.
    pub(crate) fn abandoned(&self, now: Instant) {
        let mut state = self.lock();
        if state.closed_until.is_some() {
            state.closed_until = Some(now);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_open_it_and_one_trial_closes_it() {
        let breaker = Breaker::default();
        let start = Instant::now();
        for _ in 0..4 {
            breaker.failed(start);
        }
        breaker.succeeded();
        for _ in 0..4 {
            breaker.failed(start);
        }
        assert!(breaker.admit(start).is_ok());
        breaker.failed(start);
        assert_eq!(breaker.admit(start), Err((5, PAUSE)));
        let later = start + PAUSE;
        assert!(breaker.admit(later).is_ok(), "one trial");
        assert!(breaker.admit(later).is_err(), "only one");
        breaker.abandoned(later);
        assert!(breaker.admit(later).is_ok(), "a cancelled trial frees its place");
        breaker.succeeded();
        assert!(breaker.admit(later).is_ok() && breaker.admit(later).is_ok());
    }
}
