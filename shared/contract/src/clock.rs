//! The only place that reads the wall clock.

use jiff::Timestamp;

use crate::time::whole_milliseconds;

/// Where "now" comes from. Injected, so that an answer over a recorded incident or in a test is reproducible.
pub trait Clock: Send + Sync + 'static {
    /// The present moment in whole milliseconds, as moments are shown.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else asks")]
    fn now(&self) -> Timestamp {
        whole_milliseconds(Timestamp::now())
    }
}

/// A clock that stands still: snapshots and tests.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}
