//! Places: so many for all, so many for one principal. For requests to a backend, and for calls of a server.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Tenant and principal.
pub type Who = (Option<String>, String);

/// So many places for all, and so many of them for one principal: who takes all of its own queues behind itself.
pub struct Places {
    all: Arc<Semaphore>,
    /// Only those that hold or await a place.
    each: Mutex<BTreeMap<Who, Arc<Semaphore>>>,
    per_principal: usize,
}

/// A place. It is free again when this is dropped.
pub struct Place {
    _own: OwnedSemaphorePermit,
    _shared: OwnedSemaphorePermit,
}

impl Places {
    /// At least one for each, whatever is asked for.
    #[must_use]
    pub fn new(all: usize, per_principal: usize) -> Places {
        let all = all.clamp(1, Semaphore::MAX_PERMITS);
        let per_principal = per_principal.clamp(1, all);
        Places { all: Arc::new(Semaphore::new(all)), each: Mutex::new(BTreeMap::new()), per_principal }
    }

    /// At most three quarters for one principal: it can't take every place alone.
    pub(crate) fn shared(all: usize) -> Places {
        let all = all.clamp(1, Semaphore::MAX_PERMITS);
        Places::new(all, all - all.div_ceil(4))
    }

    /// Waits for a place, of the principal's own first; `None` when none was free in time.
    pub async fn take(&self, who: Who, wait: Duration) -> Option<Place> {
        let own = self.of(who);
        let all = Arc::clone(&self.all);
        let both = async move {
            Some(Place { _own: own.acquire_owned().await.ok()?, _shared: all.acquire_owned().await.ok()? })
        };
        tokio::time::timeout(wait, both).await.ok().flatten()
    }

    fn of(&self, who: Who) -> Arc<Semaphore> {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        // Who holds or awaits a place holds a reference too.
        each.retain(|_, places| Arc::strong_count(places) > 1);
        Arc::clone(each.entry(who).or_insert_with(|| Arc::new(Semaphore::new(self.per_principal))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(2);

    fn who(tenant: Option<&str>, principal: &str) -> Who {
        (tenant.map(str::to_owned), principal.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn one_principal_never_holds_the_last_quarter_unless_there_is_but_one_place() {
        for (all, most) in [(0, 1), (1, 1), (2, 1), (3, 2), (4, 3), (10, 7), (16, 12)] {
            let places = Places::shared(all);
            let mut held = Vec::new();
            while let Some(place) = places.take(who(None, "eve"), WAIT).await {
                held.push(place);
            }
            assert_eq!(held.len(), most, "of {all}");
            assert_eq!(places.take(who(None, "ana"), WAIT).await.is_some(), all > 1, "of {all}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_name_in_another_tenant_is_another_principal_and_who_left_is_forgotten() {
        let places = Places::shared(2);
        let a = places.take(who(Some("a"), "eve"), WAIT).await.unwrap();
        assert!(places.take(who(Some("a"), "eve"), WAIT).await.is_none());
        let _b = places.take(who(Some("b"), "eve"), WAIT).await.unwrap();
        assert!(places.take(who(None, "ana"), WAIT).await.is_none(), "all places are taken");
        drop(a);
        let _ana = places.take(who(None, "ana"), WAIT).await.unwrap();
        let known: Vec<_> = places.each.lock().unwrap().keys().cloned().collect();
        assert_eq!(known, [(None, "ana".to_owned()), (Some("b".to_owned()), "eve".to_owned())]);
    }
}
