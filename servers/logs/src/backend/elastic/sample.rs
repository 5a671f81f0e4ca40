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
    query,
    wire::Answer,
};
use upstream::Reply as Answered;

use crate::backend::weighed;
use crate::model::{Histogram, Page, Record, Reply, Sample, Search, Total};

/// Slices of a window.
const SLICES: usize = 40;
/// Into how many replies what may be read at most is divided.
const REPLIES: usize = 4;

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

    /// Reads the first records of each slice, in several requests where they are large: what is read of one reply is kept
    /// beside the next reply, and whole replies of all windows of a call would add up.
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
        let body = |compiler: &query::Compiler<'_>, slice: &Slice| -> Result<Value, ToolError> {
            Ok(json!({
                "size": slice.share,
                "query": compiler.narrowed(search, slice.window)?,
                "sort": [page::by_time(time, "asc"), { "_seq_no": "asc" }],
                "_source": page::source(mapping, Extent::Roles),
            }))
        };
        let slices: Vec<Slice> = slices(search.window, step, counts, shares);
        let first = slices.first().map(|slice| body(&shown, slice)).transpose().map_err(Refusal::Other)?;
        let number = slices.len();
        let mut found = Found::default();
        for slices in grouped(slices, mapping.fit(Extent::Roles, self.most_bytes / REPLIES)) {
            let bodies: Result<Vec<Value>, ToolError> =
                slices.iter().map(|slice| body(&sending, slice)).collect();
            let reply = self.searches(cx, &bodies.map_err(Refusal::Other)?).await?;
            self.take(cx, mapping, (&slices, &reply), &mut found).map_err(Refusal::Other)?;
        }
        let Found { slices: read, mut partial, refused } = found;
        let records = weighed(read, counts.iter().sum());
        if let Some(refused) = refused {
            if records.is_empty() {
                return Err(Refusal::Other(refused));
            }
            partial.push(format!("some slices of the window could not be read: {refused}"));
        }
        let first = self.evidence(&first.unwrap_or_default());
        Ok((records, format!("{first} and so on for each of {number} slices"), partial))
    }

    /// Takes the records out of a reply.
    fn take(
        &self,
        cx: &Context,
        mapping: &Mapping,
        (slices, reply): (&[Slice], &Answered),
        found: &mut Found,
    ) -> Result<(), ToolError> {
        let system = self.upstream.system();
        let answers: Answers<'_> = serde_json::from_slice(&reply.body)
            .map_err(|error| error::unreadable(system, "_msearch", &error))?;
        for (response, slice) in answers.responses.into_iter().zip(slices) {
            let answer = Answer::read(system, response.get().as_bytes())?;
            if let Some(error) = &answer.error {
                found.refused = Some(error::of_search(&cx.intake, system, answer.status, error));
                continue;
            }
            found.partial.extend(answer.partial(&cx.intake));
            let records = page::records(cx, answer.hits().iter(), mapping, &mut found.partial);
            found.slices.push((slice.count, records));
        }
        Ok(())
    }
}

/// What has been read.
#[derive(Default)]
struct Found {
    /// The records of each slice that could be read, with its true number.
    slices: Vec<(u64, Vec<Record>)>,
    partial: Vec<String>,
    /// Why the last one could not that could not.
    refused: Option<ToolError>,
}

/// A part of the window of which records are read.
struct Slice {
    window: TimeRange,
    /// How many records it has, and how many of them are read.
    count: u64,
    share: usize,
}

/// The slices of which any record is read.
fn slices(window: TimeRange, step: SignedDuration, counts: &[u64], shares: &[usize]) -> Vec<Slice> {
    let all = counts.iter().zip(shares).enumerate().filter(|(_, (_, share))| **share > 0);
    all.filter_map(|(place, (&count, &share))| {
        Some(Slice { window: part(window, step, place)?, count, share })
    })
    .collect()
}

/// Neighbours together, as many as have no more than `most` records between them; at least one.
fn grouped(slices: Vec<Slice>, most: usize) -> Vec<Vec<Slice>> {
    let mut groups: Vec<Vec<Slice>> = Vec::new();
    let mut records = 0_usize;
    for slice in slices {
        records = records.saturating_add(slice.share);
        match groups.last_mut().filter(|_| records <= most) {
            Some(group) => group.push(slice),
            None => {
                records = slice.share;
                groups.push(vec![slice]);
            }
        }
    }
    groups
}

/// The length of a slice: whole milliseconds.
fn slice(window: TimeRange) -> SignedDuration {
    let length = window.end().as_millisecond() - window.start().as_millisecond();
    SignedDuration::from_millis((length / SLICES as i64 + i64::from(length % SLICES as i64 != 0)).max(1))
}

/// One slice of the window.
fn part(window: TimeRange, step: SignedDuration, place: usize) -> Option<TimeRange> {
    let at = |place: usize| -> Option<Timestamp> {
        window.start().checked_add(step.checked_mul(i32::try_from(place).ok()?)?).ok()
    };
    TimeRange::new(at(place)?, at(place + 1)?.min(window.end())).ok()
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

    #[test]
    fn slices_are_asked_for_together_as_long_as_their_records_fit() {
        let window = |second| {
            let at = |second| Timestamp::from_second(second).unwrap();
            TimeRange::new(at(second), at(second + 1)).unwrap()
        };
        let slices = |shares: &[usize]| -> Vec<Slice> {
            shares.iter().map(|&share| Slice { window: window(0), count: 9, share }).collect()
        };
        for (of, most, expected) in [
            (vec![2, 2, 2], 5, vec![vec![2, 2], vec![2]]),
            (vec![7, 1, 1], 5, vec![vec![7], vec![1, 1]]),
            (vec![1, 1], usize::MAX, vec![vec![1, 1]]),
            (vec![], 5, vec![]),
        ] {
            let groups = grouped(slices(&of), most);
            let shares: Vec<Vec<usize>> =
                groups.iter().map(|group| group.iter().map(|slice| slice.share).collect()).collect();
            assert_eq!(shares, expected, "{of:?} {most}");
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
