//! What lay before everything that was counted, where that shows nothing: when a service without records last logged, and
//! whether what looks usual had begun by then.

use contract::{Context, TimeRange, Untrusted};
use jiff::Timestamp;

use super::gather::{Gathered, Judged};
use crate::{
    analysis::volume::{Anomaly, ran_before},
    backend::Logs,
    model::{Histogram, Key, Page, Reply, Role, Sample, Search},
    tools::asking::{self, Absence, Service},
};

/// Values that a store is asked to list.
const MOST: usize = 50;

/// What lay before.
pub(super) enum Before {
    /// Nothing needs to be known of it.
    Unasked,
    /// When the service logs, of which the window has no record.
    Absent(Absence),
    /// The last record of anything in the 30 days before a window without any; none where it holds none.
    Last(Search, Reply<Sample>),
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
    /// The streams that differ from now, the most certain first: of which value, and how.
    pub(super) differ: Vec<Different>,
}

impl Before {
    /// When anything was logged last, before a window without any record.
    pub(super) fn last(&self) -> Option<Timestamp> {
        match self {
            Before::Last(_, reply) => reply.value.records.first()?.at,
            _ => None,
        }
    }
}

/// A value with its role, or all records, and how they differ.
pub(super) type Different = (Option<(Role, Untrusted)>, Anomaly);

/// Looks at it where something remains to be told.
pub(super) async fn look(cx: &Context, store: &dyn Logs, gathered: &Gathered, found: bool) -> Before {
    if found || !gathered.late.is_empty() {
        return Before::Unasked;
    }
    match (&gathered.service, gathered.records()) {
        (Some(service), 0) => Before::Absent(Absence::of(cx, store, gathered.when.window(), service).await),
        (None, 0) => last(cx, store, gathered).await,
        _ if gathered.seasons().is_empty() && gathered.knows_usual() => then(cx, store, gathered).await,
        _ => Before::Unasked,
    }
}

/// When anything was logged before.
async fn last(cx: &Context, store: &dyn Logs, gathered: &Gathered) -> Before {
    let start = gathered.when.window().start();
    let older = start.checked_sub(asking::OLDER).ok().and_then(|older| TimeRange::new(older, start).ok());
    let Some(window) = older else { return Before::Unasked };
    let search = Search { window, text: None, conditions: Vec::new() };
    match store.page(cx, &search, &Page { limit: 1, oldest_first: false, after: None }).await {
        Ok(reply) => Before::Last(search, reply),
        Err(error) => {
            Before::Unread(format!("whether anything was logged before could not be read: {error}"))
        }
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
            let complete = gathered.counted.first().is_some_and(|one| !one.cut);
            let mut differ = differ(&gathered.streams, (role, complete), &reply.value);
            let is_all = |(value, _): &Different| value.is_none();
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

/// The streams of this role, and all together, that differ from then. Of a value that was not listed then, or is not now,
/// nothing is known where that list may lack some.
fn differ(streams: &[Judged], (role, complete): (Role, bool), then: &Histogram) -> Vec<Different> {
    let zeros = vec![0; then.total.len()];
    let counts = |value: &Untrusted| match then.by.iter().find(|(known, _)| known == value) {
        Some((_, counts)) => Some(counts),
        None => (then.by.len() < MOST).then_some(&zeros),
    };
    let mut differ: Vec<Different> = Vec::new();
    for one in streams {
        let then = match &one.value {
            None => Some(&then.total),
            Some((of, value)) if *of == role => counts(value),
            Some(_) => None,
        };
        let found = then.and_then(|then| ran_before(&one.counts, then));
        differ.extend(found.map(|found| (one.value.clone(), found)));
    }
    let logs = |value: &Untrusted| {
        streams.iter().any(|one| one.value.as_ref().is_some_and(|(of, known)| *of == role && known == value))
    };
    let silent = then.by.iter().filter(|(value, _)| complete && !logs(value));
    let silent = silent.filter_map(|(value, counts)| {
        Some((Some((role, value.clone())), ran_before(&vec![0; counts.len()], counts)?))
    });
    differ.extend(silent);
    differ.sort_by(|(_, one), (_, other)| other.score.total_cmp(&one.score));
    differ
}
