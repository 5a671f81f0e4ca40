//! Places for requests to one backend.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contract::Context;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a request waits for a place.
const WAIT: Duration = Duration::from_secs(2);

/// Tenant and principal.
type Who = (Option<String>, String);

/// So many for all, and at most three quarters of them for one principal: it can't take every place alone.
pub(crate) struct Places {
    all: Arc<Semaphore>,
    /// Only those that hold or await a place.
    each: Mutex<BTreeMap<Who, Arc<Semaphore>>>,
    per_principal: usize,
}

/// A request's place. It is free again when this is dropped.
pub(crate) struct Place {
    _own: OwnedSemaphorePermit,
    _shared: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(all: usize) -> Places {
        let all = all.clamp(1, Semaphore::MAX_PERMITS);
        Places {
            all: Arc::new(Semaphore::new(all)),
            each: Mutex::new(BTreeMap::new()),
            per_principal: (all - all.div_ceil(4)).max(1),
        }
    }

    /// Waits a little for a place. The principal's own first: who floods the backend queues behind itself.
    pub(crate) async fn take(&self, cx: &Context) -> Option<Place> {
        let own = self.of(cx);
        let all = Arc::clone(&self.all);
        let both = async move {
            Some(Place { _own: own.acquire_owned().await.ok()?, _shared: all.acquire_owned().await.ok()? })
        };
        tokio::time::timeout(WAIT.min(cx.remaining()), both).await.ok().flatten()
    }

    fn of(&self, cx: &Context) -> Arc<Semaphore> {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        // Who holds or awaits a place holds a reference too.
        each.retain(|_, places| Arc::strong_count(places) > 1);
        let who = (cx.tenant.clone(), cx.principal.clone());
        Arc::clone(each.entry(who).or_insert_with(|| Arc::new(Semaphore::new(self.per_principal))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cx(tenant: Option<&str>, principal: &str) -> Context {
        let mut cx = Context::for_test("2026-01-14T14:32:00Z".parse().unwrap());
        (cx.tenant, cx.principal) = (tenant.map(str::to_owned), principal.to_owned());
        cx
    }

    #[tokio::test(start_paused = true)]
    async fn one_principal_never_holds_the_last_quarter_unless_there_is_but_one_place() {
        for (all, most) in [(0, 1), (1, 1), (2, 1), (3, 2), (4, 3), (10, 7), (16, 12)] {
            let places = Places::new(all);
            let mut held = Vec::new();
            while let Some(place) = places.take(&cx(None, "eve")).await {
                held.push(place);
            }
            assert_eq!(held.len(), most, "of {all}");
            assert_eq!(places.take(&cx(None, "ana")).await.is_some(), all > 1, "of {all}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_name_in_another_tenant_is_another_principal_and_who_left_is_forgotten() {
        let places = Places::new(2);
        let a = places.take(&cx(Some("a"), "eve")).await.unwrap();
        assert!(places.take(&cx(Some("a"), "eve")).await.is_none());
        let _b = places.take(&cx(Some("b"), "eve")).await.unwrap();
        assert!(places.take(&cx(None, "ana")).await.is_none(), "all places are taken");
        drop(a);
        let _ana = places.take(&cx(None, "ana")).await.unwrap();
        let known: Vec<_> = places.each.lock().unwrap().keys().cloned().collect();
        assert_eq!(known, [(None, "ana".to_owned()), (Some("b".to_owned()), "eve".to_owned())]);
    }
}
