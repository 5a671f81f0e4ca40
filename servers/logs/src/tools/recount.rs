//! Counting patterns exactly where samples are not everything: the patterns of each service together, each by a filter that
//! was tried on all records that were read.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Context, Untrusted};
use futures_util::future::join_all;

use crate::{
    backend::Logs,
    model::{Like, Record, Search, Tally},
};

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

/// Counts of each pattern in each of the searches that `searches` makes for its service, in their order. What a backend
/// can't count is left out.
pub(crate) async fn tallies(
    cx: &Context,
    store: &dyn Logs,
    wanted: Vec<Wanted>,
    searches: impl Fn(Option<&Untrusted>) -> Vec<Search>,
) -> Vec<(usize, Vec<Tally>)> {
    let mut of_services: BTreeMap<Option<Untrusted>, Vec<(usize, Like)>> = BTreeMap::new();
    for one in wanted {
        of_services.entry(one.service).or_default().push((one.place, one.like));
    }
    let counted = of_services.into_iter().map(|(service, of_service)| {
        let searches = searches(service.as_ref());
        async move {
            let (places, likes): (Vec<usize>, Vec<Like>) = of_service.into_iter().unzip();
            let replies = join_all(searches.iter().map(|search| store.tallies(cx, search, &likes))).await;
            let replies: Result<Vec<_>, _> = replies.into_iter().collect();
            let replies = replies.unwrap_or_default();
            let of_place = |number: usize| -> Option<Vec<Tally>> {
                replies.iter().map(|reply| reply.value.get(number).cloned()).collect()
            };
            let told = places.into_iter().enumerate();
            told.filter_map(|(number, place)| {
                let tallies = of_place(number).filter(|tallies| !tallies.is_empty())?;
                Some((place, tallies))
            })
            .collect::<Vec<_>>()
        }
    });
    join_all(counted).await.into_iter().flatten().collect()
}
