//! Call ids: eight hex digits, random, so that ids of several processes don't meet in one log.

use std::sync::{Mutex, PoisonError};

/// The source of call ids. Seeded in tests, so that answers are the same bytes each time.
pub(crate) struct Ids(Mutex<fastrand::Rng>);

impl Ids {
    pub(crate) fn random() -> Ids {
        Ids(Mutex::new(fastrand::Rng::new()))
    }

    pub(crate) fn seeded(seed: u64) -> Ids {
        Ids(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    pub(crate) fn next(&self) -> String {
        format!("{:08x}", self.0.lock().unwrap_or_else(PoisonError::into_inner).u32(..))
    }
}
