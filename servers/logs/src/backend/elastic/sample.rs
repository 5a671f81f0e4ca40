//! Some records of many, spread over the window and the same ones each time: the first ones of equal slices of time.

use contract::{Context, TimeRange, ToolError};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{
    Elastic, Refusal, error,
    mapping::Mapping,
    page::{self, Extent},
    query::{self, whole},
    wire::Answer,
};
use crate::backend::weighed;
use crate::model::{Histogram, Page, Record, Reply, Sample, Search, Total};

/// Slices of a window.
const SLICES: usize = 40;

/// What several searches answer.
#[derive(Deserialize)]
struct Answers<'a> {
    #[serde(borrow)]
    responses: Vec<&'a RawValue>,
}

impl Elastic {
    /// About `size` records.
    pub(super) async fn read_sample(
        &self,
        cx: &Context,
        search: &Search,
        size: usize,
    ) -> Result<Reply<Sample>, ToolError> {
        let step = slice(search.window);
        let Reply { value: Histogram { total: counts, .. }, partial, .. } =
            self.count_over_time(cx, search, step.unsigned_abs(), None).await?;
        let number: u64 = counts.iter().sum();
        let total = if partial.is_empty() { Total::Exactly(number) } else { Total::AtLeast(number) };
        if number <= size as u64 {
            return self.read_all(cx, search, size).await;
        }
        let (mapping, _) = self.mapping(cx).await?;
        let mut wanted = size.min(mapping.fit(Extent::Roles, self.most_bytes));
        loop {
            let shares = shares(&counts, wanted);
            match self.read_slices(cx, search, &mapping, step, (&counts, &shares)).await {
                Err(Refusal::TooLarge(_)) if wanted > 1 => wanted = (wanted / 4).max(1),
                Err(refusal) => return Err(refusal.into()),
                Ok((records, sent, more)) => {
                    let mut partial = [partial, more].concat();
                    partial.sort();
                    partial.dedup();
                    if wanted < size {
                        partial
                            .push(format!("these records are large: {wanted} were read instead of {size}"));
                    }
                    let slices = shares.iter().filter(|share| **share > 0).count();
                    let method = format!(
                        "{} of {number}: the first ones of each of {slices} equal slices of time",
                        records.len()
                    );
                    return Ok(Reply { value: Sample { records, total, method, next: None }, sent, partial });
                }
            }
        }
    }

    async fn read_all(&self, cx: &Context, search: &Search, size: usize) -> Result<Reply<Sample>, ToolError> {
        let mut all: Option<Reply<Sample>> = None;
        let mut page = Page { limit: size.max(1), oldest_first: true, after: None };
        loop {
            let reply = self.read_page(cx, search, &page).await?;
            page.after = reply.value.next.clone();
            let all = match &mut all {
                Some(all) => {
                    all.value.records.extend(reply.value.records);
                    all.partial.extend(reply.partial);
                    all
                }
                None => all.insert(reply),
            };
            // Of large records a few pages are read, not all.
            let enough = all.value.records.len() >= size || cx.remaining() < self.patience / 4;
            if page.after.is_none() || enough {
                all.partial.retain(|why| page.after.is_some() || !why.contains("the next page"));
                let read = all.value.records.len();
                all.value.method = match (page.after.is_none(), all.value.total) {
                    (true, Total::Exactly(_)) => "every record".to_owned(),
                    (true, Total::AtLeast(_)) => "every record that could be seen".to_owned(),
                    (false, _) => format!("the oldest {read}"),
                };
                all.value.next = None;
                let all = all.clone();
                return Ok(Reply { value: all.value.evenly(), ..all });
            }
        }
    }

    async fn read_slices(
        &self,
        cx: &Context,
        search: &Search,
        mapping: &Mapping,
        step: SignedDuration,
        (counts, shares): (&[u64], &[usize]),
    ) -> Result<(Vec<Record>, String, Vec<String>), Refusal> {
        let [shown, sending] = self.compilers(cx, mapping);
        let time = mapping.time().map_err(Refusal::Other)?;
        let body =
            |compiler: &query::Compiler<'_>, window: TimeRange, share: usize| -> Result<Value, ToolError> {
                Ok(json!({
                    "size": share,
                    "query": compiler.narrowed(search, window)?,
                    "sort": [page::by_time(time, "asc"), { "_seq_no": "asc" }],
                    "_source": page::source(mapping, Extent::Roles),
                }))
            };
        let mut bodies = Vec::new();
        let mut asked = Vec::new();
        let mut first = None;
        for (place, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0) {
            let Some(window) = part(search.window, step, place) else { continue };
            bodies.push(body(&sending, window, *share).map_err(Refusal::Other)?);
            asked.push(counts.get(place).copied().unwrap_or_default());
            if first.is_none() {
                first = Some(body(&shown, window, *share).map_err(Refusal::Other)?);
            }
        }
        let reply = self.searches(cx, &bodies).await?;
        let system = self.upstream.system();
        let answers: Answers<'_> = serde_json::from_slice(&reply.body)
            .map_err(|error| Refusal::Other(error::unreadable(system, "_msearch", &error).into()))?;
        let (mut slices, mut partial) = (Vec::new(), Vec::new());
        let mut refused = None;
        for (response, count) in answers.responses.into_iter().zip(asked) {
            let answer = Answer::read(system, response.get().as_bytes());
            let answer = answer.map_err(|error| Refusal::Other(error.into()))?;
            if let Some(error) = &answer.error {
                refused = Some(error::of_search(&cx.intake, system, answer.status, error));
                continue;
            }
            partial.extend(answer.partial(&cx.intake));
            slices.push((count, page::records(cx, answer.hits().iter(), mapping, &mut partial)));
        }
        let records = weighed(slices, counts.iter().sum());
        if let Some(refused) = refused {
            if records.is_empty() {
                return Err(Refusal::Other(refused));
            }
            partial.push(format!("some slices of the window could not be read: {refused}"));
        }
        let sent = format!(
            "{} and so on for each of {} slices",
            self.evidence(&first.unwrap_or_default()),
            bodies.len()
        );
        Ok((records, sent, partial))
    }
}

/// The length of a slice: whole milliseconds.
fn slice(window: TimeRange) -> SignedDuration {
    let length = whole(window.end()).as_millisecond() - whole(window.start()).as_millisecond();
    SignedDuration::from_millis((length / SLICES as i64 + i64::from(length % SLICES as i64 != 0)).max(1))
}

/// One slice of the window.
fn part(window: TimeRange, step: SignedDuration, place: usize) -> Option<TimeRange> {
    let at = |place: usize| -> Option<Timestamp> {
        whole(window.start()).checked_add(step.checked_mul(i32::try_from(place).ok()?)?).ok()
    };
    TimeRange::new(at(place)?, at(place + 1)?.min(whole(window.end()))).ok()
}

/// How many records to read of each slice: as evenly as their counts allow, `wanted` in all.
fn shares(counts: &[u64], wanted: usize) -> Vec<usize> {
    let mut shares = vec![0_usize; counts.len()];
    let mut left = wanted;
    loop {
        let open =
            |(place, share): (usize, &usize)| counts.get(place).is_some_and(|count| (*share as u64) < *count);
        let places: Vec<usize> = shares
            .iter()
            .enumerate()
            .filter(|(place, share)| open((*place, share)))
            .map(|(place, _)| place)
            .collect();
        if left == 0 || places.is_empty() {
            return shares;
        }
        // Fewer than one each: spread over the open ones.
        let each = left / places.len();
        let chosen: Vec<usize> = match each {
            0 => (0..left).filter_map(|n| places.get(n * places.len() / left)).copied().collect(),
            _ => places,
        };
        for place in chosen {
            let (Some(share), Some(count)) = (shares.get_mut(place), counts.get(place)) else { continue };
            let room = usize::try_from(*count).unwrap_or(usize::MAX) - *share;
            let more = each.max(1).min(room);
            *share += more;
            left -= more;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shares_are_even_and_what_one_slice_lacks_goes_to_the_others() {
        for (counts, wanted, expected) in [
            (vec![100, 100, 100, 100], 8, vec![2, 2, 2, 2]),
            (vec![1, 100, 0, 100], 9, vec![1, 4, 0, 4]),
            (vec![100, 100, 100, 100], 2, vec![1, 0, 1, 0]),
            (vec![0, 0], 5, vec![0, 0]),
        ] {
            assert_eq!(shares(&counts, wanted), expected, "{counts:?} {wanted}");
        }
    }

    proptest! {
        #[test]
        fn no_share_exceeds_its_slice_and_all_are_what_is_wanted(counts in prop::collection::vec(0_u64..50, 1..60), wanted in 0_usize..900) {
            let shares = shares(&counts, wanted);
            let all: u64 = counts.iter().sum();
            prop_assert!(shares.iter().zip(&counts).all(|(share, count)| *share as u64 <= *count));
            prop_assert_eq!(shares.iter().sum::<usize>() as u64, all.min(wanted as u64));
        }
    }

    #[test]
    fn slices_cover_the_window_without_overlap() {
        let start = Timestamp::from_millisecond(1_768_399_200_123).unwrap();
        let window =
            TimeRange::new(start, Timestamp::from_millisecond(1_768_399_200_123 + 1_001).unwrap()).unwrap();
        let parts: Vec<TimeRange> =
            (0..SLICES).filter_map(|place| part(window, slice(window), place)).collect();
        assert_eq!(parts.first().map(|part| part.start()), Some(window.start()));
        assert_eq!(parts.last().map(|part| part.end()), Some(window.end()));
        assert!(parts.windows(2).all(|pair| pair[0].end() == pair[1].start()));
    }
}
