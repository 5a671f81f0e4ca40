//! Counting patterns exactly where samples are not everything: the patterns of each service together, each by a filter that
//! was tried on all records that were read.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Context, ToolError, Untrusted};
use futures_util::{StreamExt, future::join_all, stream};

use crate::{
    backend::Logs,
    model::{Like, Record, Reply, Search, Tally},
};

/// Services that are counted at once, each in every window: a source has few places for one caller.
const AT_ONCE: usize = 2;

/// A pattern to be counted.
pub(crate) struct Wanted {
    /// Its place in the caller's list.
    pub(crate) place: usize,
    pub(crate) service: Option<Untrusted>,
    pub(crate) like: Like,
}

/// Whether a filter finds every record of its pattern among those of its service, and none of another one. `windows` are
/// the records that were read, with the places of the pattern's own.
pub(crate) fn finds_only_its_own<'a>(
    store: &dyn Logs,
    (service, like): (Option<&Untrusted>, &Like),
    mut windows: impl Iterator<Item = (&'a [Record], &'a [usize])>,
) -> bool {
    windows.all(|(records, own)| {
        let own: BTreeSet<usize> = own.iter().copied().collect();
        // Records without a service are counted among those of all.
        let is_searched = |record: &Record| service.is_none() || record.service.as_ref() == service;
        let mut of_service = records.iter().enumerate().filter(|(_, record)| is_searched(record));
        of_service.all(|(index, record)| store.finds(like, record.message.inside()) == own.contains(&index))
    })
}

/// What was counted in full.
#[derive(Default)]
pub(crate) struct Counted {
    /// Patterns by their places, each with its counts in each of the searches.
    pub(crate) tallies: Vec<(usize, Vec<Tally>)>,
    /// Why others were not.
    pub(crate) failed: BTreeSet<String>,
}

/// Counts of each pattern in each of the searches that `searches` makes for its service, in their order. What a backend
/// can't count in full is left out: part of the records says nothing of how many there are.
pub(crate) async fn tallies(
    cx: &Context,
    store: &dyn Logs,
    wanted: Vec<Wanted>,
    searches: impl Fn(Option<&Untrusted>) -> Vec<Search>,
) -> Counted {
    let mut of_services: BTreeMap<Option<Untrusted>, Vec<(usize, Like)>> = BTreeMap::new();
    for one in wanted {
        of_services.entry(one.service).or_default().push((one.place, one.like));
    }
    let counted = of_services.into_iter().map(|(service, of_service)| {
        let searches = searches(service.as_ref());
        async move {
            let (places, likes): (Vec<usize>, Vec<Like>) = of_service.into_iter().unzip();
            let replies = join_all(searches.iter().map(|search| store.tallies(cx, search, &likes))).await;
            whole(&places, replies)
        }
    });
    let mut counted = stream::iter(counted).buffer_unordered(AT_ONCE);
    let mut all = Counted::default();
    while let Some(one) = counted.next().await {
        all.tallies.extend(one.tallies);
        all.failed.extend(one.failed);
    }
    all
}

/// The patterns that each reply counted in full, and why there are others.
fn whole(places: &[usize], replies: Vec<Result<Reply<Vec<Tally>>, ToolError>>) -> Counted {
    let mut counted = Counted::default();
    let mut read = Vec::new();
    for reply in replies {
        match reply {
            Ok(reply) => {
                if reply.value.iter().any(|tally| !tally.whole) {
                    let why = reply.partial.join("; ");
                    counted.failed.insert(format!("some patterns could not be counted in full: {why}"));
                }
                read.push(reply.value);
            }
            Err(error) => {
                counted.failed.insert(format!("some patterns could not be counted: {error}"));
                return counted;
            }
        }
    }
    for (number, place) in places.iter().enumerate() {
        let tallies = read.iter().map(|tallies| tallies.get(number).filter(|tally| tally.whole).cloned());
        if let Some(tallies) = tallies.collect::<Option<Vec<Tally>>>().filter(|tallies| !tallies.is_empty()) {
            counted.tallies.push((*place, tallies));
        }
    }
    counted
}
