//! What lay before everything that was counted, where that shows nothing: when a service without records last logged, and
//! whether what looks usual had begun by then.

use std::time::Duration;

use contract::{Context, TimeRange, Untrusted};
use jiff::Timestamp;

use super::gather::{Gathered, Judged};
use crate::{
    analysis::volume::{Anomaly, ran_before},
    backend::Logs,
    model::{Histogram, Key, Reply, Role, Search},
    tools::asking::{self, Service},
};

/// Values that a store is asked to list.
const MOST: usize = 50;
/// How far back a service is looked for.
const LOOKED_BACK: Duration = Duration::from_secs(30 * 86_400);

/// What lay before.
pub(super) enum Before {
    /// Nothing needs to be known of it.
    Unasked,
    /// When the service last logged; `None` when it did not for 30 days.
    Last(Option<Timestamp>),
    /// Nothing, or not all of it, is recorded.
    Unrecorded,
    /// The streams that were another way then.
    Then(Then),
    /// It could not be read, and why.
    Unread(String),
}

/// As many steps longer ago.
pub(super) struct Then {
    pub(super) window: TimeRange,
    pub(super) reply: Reply<Histogram>,
    /// The streams that differ from now, the most certain first: their places, and how.
    pub(super) differ: Vec<(usize, Anomaly)>,
}

/// Looks at it where something remains to be told.
pub(super) async fn look(cx: &Context, store: &dyn Logs, gathered: &Gathered, found: bool) -> Before {
    if found || !gathered.late.is_empty() {
        return Before::Unasked;
    }
    match (&gathered.service, gathered.records()) {
        (Some(service), 0) => last(cx, store, gathered, service).await,
        (None, 0) => Before::Unasked,
        _ if gathered.seasons().is_empty() && gathered.knows_usual() => then(cx, store, gathered).await,
        _ => Before::Unasked,
    }
}

/// When the service last logged.
async fn last(cx: &Context, store: &dyn Logs, gathered: &Gathered, service: &Service) -> Before {
    let end = gathered.when.window().start();
    let start = end.checked_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN);
    let Ok(window) = TimeRange::new(start, end) else { return Before::Last(None) };
    match asking::last_record(cx, store, window, service.condition()).await {
        Ok(last) => Before::Last(last),
        Err(error) => Before::Unread(format!("whether it logged before could not be read: {error}")),
    }
}

/// How much was logged in as many steps longer ago.
async fn then(cx: &Context, store: &dyn Logs, gathered: &Gathered) -> Before {
    let Some(window) = gathered.when.longer_ago() else { return Before::Unrecorded };
    let unread = |error| Before::Unread(format!("{window}, longer ago, could not be read: {error}"));
    match asking::recorded(cx, store, window).await {
        Ok(Some(known)) if known.seconds() >= 0.98 * window.seconds() => {}
        Ok(_) => return Before::Unrecorded,
        Err(error) => return unread(error),
    }
    let role = gathered.counted.first().map_or(Role::Service, |one| one.role);
    let conditions = gathered.service.iter().map(Service::condition).collect();
    let search = Search { window, text: None, conditions };
    match store.histogram(cx, &search, gathered.when.step, Some((&Key::Role(role), MOST))).await {
        Ok(reply) => {
            let mut differ = differ(&gathered.streams, role, &reply.value);
            let is_all = |(place, _): &(usize, Anomaly)| *place == 0;
            match gathered.service {
                // The service as a whole, then what it consists of.
                Some(_) => differ.sort_by_key(|one| !is_all(one)),
                // Of all services together only where no service tells the same.
                None if differ.len() > 1 => differ.retain(|one| !is_all(one)),
                None => {}
            }
            Before::Then(Then { window, reply, differ })
        }
        Err(error) => unread(error),
    }
}

/// The streams of this role, and all together, that differ from then. Of a value that was not listed then nothing is known
/// where the list may lack some.
fn differ(streams: &[Judged], role: Role, then: &Histogram) -> Vec<(usize, Anomaly)> {
    let zeros = vec![0; then.total.len()];
    let counts = |value: &Untrusted| match then.by.iter().find(|(known, _)| known == value) {
        Some((_, counts)) => Some(counts),
        None => (then.by.len() < MOST).then_some(&zeros),
    };
    let mut differ: Vec<(usize, Anomaly)> = Vec::new();
    for (place, one) in streams.iter().enumerate() {
        let then = match &one.value {
            None => Some(&then.total),
            Some((of, value)) if *of == role => counts(value),
            Some(_) => None,
        };
        differ.extend(then.and_then(|then| ran_before(&one.counts, then)).map(|found| (place, found)));
    }
    differ.sort_by(|(_, one), (_, other)| other.score.total_cmp(&one.score));
    differ
}
