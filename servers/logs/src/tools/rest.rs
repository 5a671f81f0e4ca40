//! What a sample has nothing of: the records that none of its frequent patterns finds are read once more. What is said five
//! times among tens of thousands of usual lines is seen by that.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use contract::{Context, Untrusted};
use runtime::{blocking, within};

use super::recount::finds_only_its_own;
use crate::{
    analysis::mined::{like, mine_by_service},
    backend::Logs,
    model::{Condition, Like, Reply, Role, Sample, Search, Total},
};

/// Filters that are left out, the fragments in all of them and their bytes: every slice of the window is asked with them.
const FILTERS: usize = 60;
const FRAGMENTS: usize = 180;
const BYTES: usize = 10_000;
/// Services that a filter is limited to by their names; what more of them say is left out in all.
const NAMED: usize = 3;
/// Bytes of messages that are read once more at most: of large records fewer.
const MESSAGES: usize = 2_000_000;
/// The share of the size that what is left may be expected to have: fewer filters hide less. With more filters than are
/// allowed more is left; then at least so many times the share of the first sample must be read of it.
const FILLED: f64 = 0.5;
const BETTER: f64 = 2.0;
/// The time that is left for counting what was read.
const COUNTING: Duration = Duration::from_secs(8);

/// How the records that no frequent pattern finds were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Not apart: every record was read, or too many would be left, or it failed.
    Unread,
    /// A sample of them.
    Partly,
    /// Every one.
    Whole,
}

impl Rest {
    /// What may be missing for it among patterns of a sample.
    pub(crate) fn caveat(self) -> &'static str {
        match self {
            Rest::Unread | Rest::Partly => "a seldom pattern can be missed",
            Rest::Whole => {
                "a seldom pattern can be missed only where the filter of a frequent one finds it too"
            }
        }
    }
}

/// Of a sample the records of its frequent patterns, and as many again of those that none of their filters finds. One more
/// sample is asked for, where the first is not everything; that this fails is told with the reply.
pub(crate) async fn with_rest(
    cx: &Context,
    store: &Arc<dyn Logs>,
    search: &Search,
    first: Reply<Sample>,
    size: usize,
) -> (Reply<Sample>, Rest) {
    if first.value.is_whole() || first.value.records.is_empty() {
        return (first, Rest::Unread);
    }
    let (own, size) = (Arc::clone(store), fitting(&first.value, size));
    let (mut first, usual) = blocking(move || {
        let usual = usual(own.as_ref(), &first.value, size);
        (first, usual)
    })
    .await;
    let Some(usual) = usual else { return (first, Rest::Unread) };
    let mut apart = |why: String| {
        first.partial.push(format!("the records of no frequent pattern could not be read apart: {why}"));
    };
    let late = || "too little time was left".to_owned();
    let Some(patience) = cx.remaining().checked_sub(COUNTING) else {
        apart(late());
        return (first, Rest::Unread);
    };
    let mut search = search.clone();
    search.conditions.push(usual.none());
    match within(patience, store.sample(cx, &search, size)).await {
        Some(Ok(rest)) => match doubt(&first.value, &rest, &usual) {
            None => return joined(first, rest, &usual),
            Some(why) => apart(why),
        },
        Some(Err(error)) => apart(error.to_string()),
        None => apart(late()),
    }
    (first, Rest::Unread)
}

/// So many records like those that were read, or as many as fit.
fn fitting(sample: &Sample, size: usize) -> usize {
    let bytes: usize = sample.records.iter().map(|record| record.message.inside().len()).sum();
    size.min((MESSAGES * sample.records.len()).checked_div(bytes).unwrap_or(size).max(1))
}

/// Why what came back is not the rest of these records, as far as they were seen.
fn doubt(first: &Sample, rest: &Reply<Sample>, usual: &Usual) -> Option<String> {
    let (left, all) = (rest.value.total, first.total.number() as f64);
    let is_counted = matches!(left, Total::Exactly(_)) || matches!(first.total, Total::AtLeast(_));
    if !is_counted || (left.number() > 0 && rest.value.records.is_empty()) {
        return Some(rest.partial.join("; "));
    }
    // A store may take other words for those of a pattern than was thought: then its filter leaves nothing out.
    let most = all * (1.0 + usual.left) / 2.0;
    if left.number() as f64 > most {
        return Some(format!("their filters left {} of {}", left.told(), first.total.told()));
    }
    let is_less = rest.value.share() < first.share();
    is_less.then(|| format!("of {} that are left too few could be read", left.told()))
}

/// Records of the frequent patterns from the first sample, all others from the second.
fn joined(first: Reply<Sample>, rest: Reply<Sample>, usual: &Usual) -> (Reply<Sample>, Rest) {
    let (whole, number) = (rest.value.is_whole(), usual.filters.len());
    let left = rest.value.total.told();
    let mut all = first;
    all.also(rest.partial);
    all.sent = format!("{}; and again without {number} frequent patterns, each by its filter", all.sent);
    all.value.method = format!(
        "{}; of {left} that none of {number} frequent patterns finds: {}",
        all.value.method, rest.value.method
    );
    let numbered = std::mem::take(&mut all.value.records).into_iter().enumerate();
    let frequent = numbered.filter(|(index, _)| usual.own.contains(index)).map(|(_, record)| record);
    all.value.records = frequent.chain(rest.value.records).collect();
    all.value.records.sort_by_key(|record| record.at);
    (all, if whole { Rest::Whole } else { Rest::Partly })
}

/// The filters of the frequent patterns of a sample.
struct Usual {
    /// Each with the services whose records it finds.
    filters: Vec<(Like, Vec<Option<Untrusted>>)>,
    /// The records of these patterns: indices.
    own: BTreeSet<usize>,
    /// The share of all records that is of none of them.
    left: f64,
}

impl Usual {
    /// Records of none of these patterns. What is usual for one service can be new for another.
    fn none(&self) -> Condition {
        let filter = |(like, services): &(Like, Vec<Option<Untrusted>>)| {
            let like = Condition::Like(like.clone());
            let Some(names) = named(services) else { return like };
            let is = |name: &&Untrusted| Condition::Is(Role::Service, name.inside().to_owned());
            Condition::All(vec![Condition::Any(names.iter().map(is).collect()), like])
        };
        Condition::Not(Box::new(Condition::Any(self.filters.iter().map(filter).collect())))
    }
}

/// The services a filter is limited to; `None` where there are too many, or records without one.
fn named(services: &[Option<Untrusted>]) -> Option<Vec<&Untrusted>> {
    let names: Option<Vec<&Untrusted>> = services.iter().map(Option::as_ref).collect();
    names.filter(|names| names.len() <= NAMED)
}

/// The records of one filter.
#[derive(Default)]
struct Said {
    weight: f64,
    services: Vec<Option<Untrusted>>,
    own: Vec<usize>,
}

/// The most frequent patterns of a sample whose filters find their own records only, until of what is left a sample of this
/// size has room; `None` where that would read it hardly better than it was.
fn usual(store: &dyn Logs, sample: &Sample, size: usize) -> Option<Usual> {
    let room = size as f64 * FILLED;
    let all: f64 = sample.records.iter().map(|record| record.weight).sum();
    let mut usual = Usual { filters: Vec::new(), own: BTreeSet::new(), left: 1.0 };
    let (mut left, mut fragments, mut bytes) = (all, 0, 0);
    for (like, said) in by_filter(sample).into_iter().take(2 * FILTERS) {
        let (more, longer) = (like.fragments.len(), like.fragments.iter().map(String::len).sum::<usize>());
        let fits = fragments + more <= FRAGMENTS && bytes + longer <= BYTES && usual.filters.len() < FILTERS;
        if left <= room || !fits || !is_trusted(store, sample, &like, &said) {
            continue;
        }
        left -= said.weight;
        fragments += more;
        bytes += longer;
        usual.own.extend(said.own);
        usual.filters.push((like, said.services));
    }
    usual.left = left / all.max(1.0);
    let read = size as f64 / (usual.left * sample.total.number() as f64).max(1.0);
    (!usual.filters.is_empty() && read >= (BETTER * sample.share()).min(1.0)).then_some(usual)
}

/// What the patterns of a sample are found by, the most frequent first. A filter without a word would find anything.
fn by_filter(sample: &Sample) -> Vec<(Like, Said)> {
    let mut filters: BTreeMap<Like, Said> = BTreeMap::new();
    for (service, patterns) in mine_by_service(&sample.records, &[]) {
        for one in patterns {
            let is_word = |fragment: &String| lucene::words(fragment).next().is_some();
            let Some(like) = like(&one.pattern).filter(|like| like.fragments.iter().any(is_word)) else {
                continue;
            };
            let said = filters.entry(like).or_default();
            let records = one.now.iter().filter_map(|index| sample.records.get(*index));
            said.weight += records.map(|record| record.weight).sum::<f64>();
            said.own.extend(one.now);
            if !said.services.contains(&service) {
                said.services.push(service.clone());
            }
        }
    }
    let mut filters: Vec<(Like, Said)> = filters.into_iter().collect();
    filters.sort_by(|one, other| other.1.weight.total_cmp(&one.1.weight).then_with(|| one.0.cmp(&other.0)));
    filters
}

/// Whether the filter finds the records of its patterns and no others, in each of the services it is limited to.
fn is_trusted(store: &dyn Logs, sample: &Sample, like: &Like, said: &Said) -> bool {
    let finds = |service| {
        let own = std::iter::once((sample.records.as_slice(), said.own.as_slice()));
        finds_only_its_own(store, (service, like), own)
    };
    match named(&said.services) {
        Some(names) => names.into_iter().all(|name| finds(Some(name))),
        None => finds(None),
    }
}

#[cfg(test)]
mod tests {
    use contract::Intake;
    use upstream::{Limits, SourceConfig};

    use super::*;
    use crate::{
        backend::elastic::{Elastic, Kind},
        config::LogsConfig,
        model::{Document, Record},
    };

    fn store() -> Elastic {
        let source = SourceConfig { url: "http://127.0.0.1:1".to_owned(), ..SourceConfig::default() };
        Elastic::new(Kind::Elasticsearch, source, &LogsConfig::default(), Limits::default()).unwrap()
    }

    fn record(intake: &Intake, service: Option<&str>, message: &str) -> Record {
        Record {
            at: None,
            ingested: None,
            level: None,
            service: service.map(|name| intake.text(name)),
            version: None,
            place: None,
            host: None,
            trace: None,
            message: intake.text(message),
            said: None,
            weight: 100.0,
            document: Document::default(),
        }
    }

    /// So many records of each of these messages and services, of a hundred times as many.
    fn sample<'a>(said: impl IntoIterator<Item = (usize, Option<&'a str>, String)>) -> Sample {
        let intake = Context::for_test(jiff::Timestamp::UNIX_EPOCH).intake;
        let of = |(number, service, message): (usize, Option<&str>, String)| {
            vec![record(&intake, service, &message); number]
        };
        let records: Vec<Record> = said.into_iter().flat_map(of).collect();
        let total = Total::Exactly(100 * records.len() as u64);
        Sample { records, total, method: String::new(), next: None }
    }

    /// Four words of letters alone, no two alike and none like those of another number.
    fn words(number: usize) -> String {
        let letter = |place: usize| char::from(b"bcdfghjklmnpqrst"[number / place % 16]);
        ["a", "e", "o", "u"].map(|vowel| format!("{}{vowel}{}{vowel}", letter(16), letter(1))).join(" ")
    }

    #[test]
    fn as_many_filters_are_left_out_as_make_room_and_none_where_they_make_none() {
        let many = |each: usize| (0..200).map(move |number| (each, Some("web"), words(number)));
        let flood = (3_000, Some("web"), "rendered the start page".to_owned());
        // Each stands for a hundred. 200 singles have room beside the flood; with ten of each some go as well; and in a small
        // sample as many as may, if of what is left it has twice the share that was read: 3,000 of 141,000, not 2,800.
        let flooded = |each| sample(std::iter::once(flood.clone()).chain(many(each)));
        for (said, size, filters) in [
            (flooded(1), 40_000, Some(1)),
            (flooded(10), 340_000, Some(31)),
            (flooded(10), 3_000, Some(FILTERS)),
            (flooded(10), 2_800, None),
            (sample(many(10)), 2_000, None),
        ] {
            let usual = usual(&store(), &said, size);
            assert_eq!(usual.as_ref().map(|usual| usual.filters.len()), filters, "{size}");
            let own = usual.map_or(0, |usual| usual.own.len());
            assert_eq!(own, filters.map_or(0, |filters| 3_000 + (filters - 1) * 10), "{size}");
        }
    }

    #[test]
    fn of_large_records_fewer_are_read() {
        let of = |bytes: usize| sample([(10, Some("web"), "x ".repeat(bytes / 2))]);
        // 2,000,000 ÷ 4,000; of 100 bytes each 20,000 would fit.
        for (bytes, fit) in [(4_000, 500), (100, 4_000), (0, 4_000)] {
            assert_eq!(fitting(&of(bytes), 4_000), fit, "{bytes}");
        }
    }

    #[test]
    fn all_filters_together_are_of_a_bounded_size() {
        let said =
            (0..30).map(|number| (100 - number, Some("web"), format!("{} ", words(number)).repeat(30)));
        let usual = usual(&store(), &sample(said), 3_000);
        // Each of 30 · 20 bytes: 16 are 9,600.
        assert_eq!(usual.map(|usual| usual.filters.len()), Some(16));
    }

    #[test]
    fn what_is_usual_for_few_services_may_be_new_for_others() {
        let like = Condition::Like(Like { fragments: vec!["cache warmed".to_owned()] });
        let is = |name: &str| Condition::Is(Role::Service, name.to_owned());
        let of = |names: &[&str]| {
            let any = Condition::Any(names.iter().map(|name| is(name)).collect());
            Condition::All(vec![any, like.clone()])
        };
        for (services, expected) in [
            (vec![Some("a")], of(&["a"])),
            (vec![Some("a"), Some("b"), Some("c")], of(&["a", "b", "c"])),
            (vec![Some("a"), Some("b"), Some("c"), Some("d")], like.clone()),
            (vec![Some("a"), None], like.clone()),
        ] {
            let said = services.iter().map(|service| (10, *service, "cache warmed".to_owned()));
            let none = usual(&store(), &sample(said), 100).unwrap().none();
            assert_eq!(none, Condition::Not(Box::new(Condition::Any(vec![expected]))), "{services:?}");
        }
    }

    #[test]
    fn a_filter_that_finds_another_pattern_or_anything_is_none() {
        let said = |text: &str, number| (number, Some("web"), text.to_owned());
        for (others, expected) in [
            // `cache` is found in both.
            (
                vec![said("cache", 50), said("cache is full of errors", 10)],
                vec!["page shown", "cache is full of errors"],
            ),
            (vec![said("-> ->", 60)], vec!["page shown"]),
        ] {
            let all = sample(others.into_iter().chain([said("page shown", 90)]));
            let filters = usual(&store(), &all, 300).unwrap().filters;
            let texts: Vec<&str> =
                filters.iter().flat_map(|(like, _)| &like.fragments).map(String::as_str).collect();
            assert_eq!(texts, expected);
        }
    }
}
