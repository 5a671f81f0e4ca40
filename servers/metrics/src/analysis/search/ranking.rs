//! Which metrics match a search best.
//!
//! A word counts most as a word of the metric's name, then as the beginning of one, as another word for one, as a
//! word of the help text (where other words for it mean too much), and least as a label's name or value. Metrics with more of the words come first; of
//! those, the ones whose weakest word counts most. What then is equal is ordered by what an engineer asks first
//! (housekeeping of runtimes last; requests, errors, latency and saturation first where no word is of the name), by
//! the fewest other words in the name, and by name.

use std::{cmp::Reverse, collections::BTreeSet};

use super::{
    families::Family,
    words::{Likeness, Query, Token, Word, same, taken_apart, tokens},
};

/// Words of metrics that tell how well a service serves.
const TELLING: &[&str] = &[
    "request",
    "rpc",
    "error",
    "failed",
    "failure",
    "duration",
    "latency",
    "queue",
    "saturation",
    "utilization",
    "usage",
    "throttled",
    "pending",
    "depth",
    "5xx",
];

/// First words of metrics that runtimes and scrapes add to every service.
const HOUSEKEEPING: &[&str] =
    &["go", "process", "scrape", "promhttp", "python", "nodejs", "dotnet", "ruby", "erlang", "net_conntrack"];

/// Where a word was found, and how close; the later, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// In a label's name or value.
    Label,
    /// In the help text.
    Help(Likeness),
    /// In the name.
    Name(Likeness),
}

/// A metric that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Which of the families.
    pub(crate) family: usize,
    /// Where each word of the search was found.
    pub(crate) places: Vec<Option<Place>>,
    /// The text is its name, or the name of one of its series.
    pub(crate) exact: bool,
}

impl Hit {
    /// How many of the words were found.
    pub(crate) fn words(&self) -> usize {
        self.places.iter().flatten().count()
    }

    /// Where the word that was found worst was found: decides how the match is called.
    pub(crate) fn weakest(&self) -> Option<Place> {
        self.places.iter().flatten().min().copied()
    }
}

/// Where each word of the search is found in each metric by its name or help text.
pub(crate) fn by_text(families: &[Family], query: &Query) -> Vec<Hit> {
    let one = |(place, family): (usize, &Family)| Hit {
        family: place,
        places: in_text(&query.words, family),
        exact: is_named(family, &query.phrase),
    };
    families.iter().enumerate().map(one).collect()
}

fn in_text(words: &[Word], family: &Family) -> Vec<Option<Place>> {
    // What the names of the parts add, such as `bucket`.
    let endings = family.members.iter().filter_map(|member| member.inside().strip_prefix(&family.key));
    let name: Vec<Token<'_>> =
        taken_apart(family.name.inside()).chain(endings.flat_map(taken_apart)).collect();
    let mut places: Vec<Option<Place>> = words
        .iter()
        .map(|word| name.iter().filter_map(|token| word.likeness(*token)).max().map(Place::Name))
        .collect();
    if let Some(help) = &family.help
        && places.contains(&None)
    {
        let help: Vec<Token<'_>> = taken_apart(help.inside()).collect();
        for (place, word) in places.iter_mut().zip(words).filter(|(place, _)| place.is_none()) {
            *place = help.iter().filter_map(|token| word.written(*token)).max().map(Place::Help);
        }
    }
    places
}

fn is_named(family: &Family, phrase: &str) -> bool {
    let is = |name: &str| name.eq_ignore_ascii_case(phrase);
    is(family.name.inside()) || is(&family.key) || family.members.iter().any(|member| is(member.inside()))
}

/// Adds what labels say: for each word of the search, the names of series that it was found for.
pub(crate) fn add_labels(hits: &mut [Hit], families: &[Family], labelled: &[BTreeSet<&str>]) {
    for hit in hits {
        let Some(family) = families.get(hit.family) else { continue };
        for (place, names) in hit.places.iter_mut().zip(labelled) {
            if place.is_none() && family.members.iter().any(|member| names.contains(member.inside())) {
                *place = Some(Place::Label);
            }
        }
    }
}

/// The metrics that have as many words of the search as any, best first; all of them where there are no words.
pub(crate) fn best(hits: Vec<Hit>, families: &[Family], query: &Query) -> Vec<Hit> {
    let most = hits.iter().map(Hit::words).max().unwrap_or(0);
    if most == 0 && !query.words.is_empty() {
        return hits.into_iter().filter(|hit| hit.exact).collect();
    }
    let mut ranked: Vec<Hit> = hits.into_iter().filter(|hit| hit.exact || hit.words() == most).collect();
    ranked.sort_by_cached_key(|hit| {
        let family = families.get(hit.family);
        let name = family.map_or("", |family| family.name.inside()).to_owned();
        let mut places = hit.places.clone();
        places.sort();
        (Reverse(hit.exact), Reverse(places), standing(&name, hit), other_words(&name, query), name)
    });
    ranked
}

/// What an engineer asks first comes first; where the caller asked for words of the name, those decide.
fn standing(name: &str, hit: &Hit) -> usize {
    let first = tokens(name).next().unwrap_or_default();
    let runtime = |prefix: &&str| first == *prefix || prefix.contains('_') && name.starts_with(*prefix);
    if HOUSEKEEPING.iter().any(runtime) {
        return 3;
    }
    if hit.places.iter().any(|place| matches!(place, Some(Place::Name(_)))) {
        return 0;
    }
    let telling = tokens(name).filter(|token| TELLING.iter().any(|word| same(word, token))).count();
    2 - telling.min(2)
}

/// How many words of the name were not asked for.
fn other_words(name: &str, query: &Query) -> usize {
    taken_apart(name).filter(|token| !query.words.iter().any(|word| word.likeness(*token).is_some())).count()
}

#[cfg(test)]
mod tests {
    use contract::{Context, Untrusted};
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        analysis::search::families::group,
        model::{Metadata, MetricKind},
    };

    fn catalog(metrics: &[(&str, &str)]) -> Vec<Family> {
        let cx = Context::for_test(Timestamp::UNIX_EPOCH);
        let names: Vec<Untrusted> = metrics.iter().map(|(name, _)| cx.intake.text(name)).collect();
        let about = |(name, help): &(&str, &str)| Metadata {
            metric: cx.intake.text(name),
            kind: MetricKind::Gauge,
            unit: cx.intake.text(""),
            help: cx.intake.text(help),
        };
        let metadata: Vec<Metadata> =
            metrics.iter().filter(|(_, help)| !help.is_empty()).map(about).collect();
        group(&names, &metadata, |name| cx.intake.text(name))
    }

    fn found(text: &str, metrics: &[(&str, &str)], labelled: &[&[&str]]) -> Vec<String> {
        let families = catalog(metrics);
        let query = Query::new(text);
        let mut hits = by_text(&families, &query);
        let labelled: Vec<BTreeSet<&str>> =
            labelled.iter().map(|names| names.iter().copied().collect()).collect();
        add_labels(&mut hits, &families, &labelled);
        let hits = best(hits, &families, &query);
        hits.iter().map(|hit| families[hit.family].name.inside().to_owned()).collect()
    }

    #[test]
    fn name_before_beginning_before_other_word_before_help_before_label() {
        let metrics = [
            ("a_backlog", ""),
            ("b_depth", "Messages in the queue."),
            ("c_queue", ""),
            ("d_queueing", ""),
            ("e_labelled", ""),
            ("f_other", "Nothing of it."),
            ("g_helped", "Age of a queue."),
            ("queue", ""),
        ];
        assert_eq!(
            found("queue", &metrics, &[&["e_labelled"]]),
            // `depth` is another word for a queue, but a farther one than `backlog`.
            ["queue", "c_queue", "d_queueing", "a_backlog", "b_depth", "g_helped", "e_labelled"]
        );
    }

    #[test]
    fn metrics_with_all_words_come_alone() {
        let metrics = [("http_requests_total", ""), ("http_errors_total", ""), ("rpc_errors_total", "")];
        assert_eq!(found("http errors", &metrics, &[]), ["http_errors_total"]);
        // No metric has all three: those with two.
        assert_eq!(found("http errors zzz", &metrics, &[]), ["http_errors_total"]);
        assert!(found("zzz", &metrics, &[]).is_empty());
    }

    #[test]
    fn a_word_may_be_in_a_label_and_another_in_the_name() {
        let metrics =
            [("worker_duration_seconds", ""), ("http_duration_seconds", ""), ("http_requests_total", "")];
        let checkout: &[&str] = &["http_duration_seconds", "http_requests_total"];
        assert_eq!(found("checkout latency", &metrics, &[checkout, &[]]), ["http_duration_seconds"]);
    }

    #[test]
    fn without_words_everything_is_listed_what_tells_most_first() {
        let metrics =
            [("go_threads", ""), ("app_workers", ""), ("app_requests_total", ""), ("net_conntrack_x", "")];
        assert_eq!(
            found("*", &metrics, &[]),
            ["app_requests_total", "app_workers", "go_threads", "net_conntrack_x"]
        );
    }

    #[test]
    fn the_exact_name_of_a_part_finds_its_metric_first() {
        let metrics = [
            ("lat_bucket", ""),
            ("lat_count", ""),
            ("lat_sum", ""),
            ("lat_bucket_count_limit", ""),
            ("other", ""),
        ];
        assert_eq!(found("lat_bucket", &metrics, &[]), ["lat", "lat_bucket_count_limit"]);
    }

    proptest! {
        #[test]
        fn the_order_in_which_names_come_does_not_matter(
            mut names in proptest::collection::btree_set("[a-c]{1,2}(_(total|queue|count|sum|bucket)){0,2}", 1..12)
                .prop_map(|names| names.into_iter().collect::<Vec<_>>()).prop_shuffle(),
            text in "(queue|total|a|b|ab){1}( (count|c|bb))?",
        ) {
            let ranked = |names: &[String]| {
                let pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
                found(&text, &pairs, &[])
            };
            let one = ranked(&names);
            names.sort();
            prop_assert_eq!(one, ranked(&names));
        }
    }
}
