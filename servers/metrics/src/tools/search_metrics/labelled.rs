//! Metrics whose labels hold a word of the search.

use std::collections::BTreeSet;

use contract::{Cite, Draft, Evidence, Untrusted, nearest};

use super::{
    Look, Scope,
    catalog::{self, MOST_NAMES, Names},
};
use crate::{
    analysis::search::{
        labels::{SERVICES, is_machine, tells_failure},
        ranking::{Hit, Place},
        words::{Word, same, tokens},
    },
    model::{Listing, MatchOp, label_name, selector},
    tools::scope::{labels_of_services, values},
};

/// More values of one label than this are asked for by a regular expression.
const MOST_PAIRS: usize = 3;

/// The most labels of a word's name.
const MOST_NAMED: usize = 5;

/// The most labels that are looked through for a word that was found nowhere else.
const MOST_OTHERS: usize = 60;

/// What was found in labels.
pub(super) struct Labelled {
    /// For each word of the search, the names of series that it was found for.
    names: Vec<BTreeSet<String>>,
    /// For each word, the labels and values that hold it, the closest first.
    pub(super) pairs: Vec<Vec<(Untrusted, Untrusted)>>,
    /// For each word, the one label and value that everything found for it has.
    meant: Vec<Option<(Untrusted, Untrusted)>>,
    /// What that rests on.
    evidence: Vec<Evidence>,
    /// Labels that name services, with each of their values.
    services: Vec<(Untrusted, Untrusted)>,
}

impl Labelled {
    /// What the look-ups rest on, where something was found by labels or nothing was found at all.
    pub(super) fn cite(&self, hits: &[Hit], draft: &mut Draft) -> Vec<Cite> {
        if hits.is_empty() || hits.iter().any(|hit| hit.weakest() == Some(Place::Label)) {
            self.evidence.iter().map(|evidence| draft.cite(evidence.clone())).collect()
        } else {
            Vec::new()
        }
    }

    /// The series that a word means, where all of these metrics were found by it and it means one value of one
    /// label: `service="checkout"` for the word `checkout`.
    pub(super) fn meant(&self, look: &Look<'_>, hits: &[Hit]) -> Option<Scope> {
        let by_label = |place: usize| {
            hits.iter()
                .all(|hit| !hit.exact && hit.places.get(place).copied().flatten() == Some(Place::Label))
        };
        let (_, meant) =
            self.meant.iter().enumerate().find(|(place, meant)| meant.is_some() && by_label(*place))?;
        meant.as_ref().map(|(label, value)| Scope::of(&look.lookup(), label, value))
    }

    /// The services that come near to a word, each with the first label that has it.
    pub(super) fn near(&self, word: &str) -> Vec<&(Untrusted, Untrusted)> {
        let near = nearest(word, self.services.iter().map(|(_, value)| value.inside()), 3);
        near.iter()
            .filter_map(|name| self.services.iter().find(|(_, value)| value.inside() == *name))
            .collect()
    }

    /// The names, for each word of the search.
    pub(super) fn borrowed(&self) -> Vec<BTreeSet<&str>> {
        self.names.iter().map(|names| names.iter().map(String::as_str).collect()).collect()
    }
}

/// Looks for each word among the values of labels that name services, among the names of labels, and, where the
/// word was found nowhere, among the values of other labels. One request for each word.
pub(super) async fn find(
    look: &Look<'_>,
    scope: Option<&Scope>,
    labels: &[Untrusted],
    hits: &[Hit],
    names: &Names,
    draft: &mut Draft,
) -> Labelled {
    let mut found = Labelled {
        names: Vec::new(),
        pairs: Vec::new(),
        meant: Vec::new(),
        evidence: Vec::new(),
        services: Vec::new(),
    };
    if look.query.words.is_empty() || hits.iter().any(|hit| hit.exact) {
        // Everything, or one metric by its name.
        found.names.resize(look.query.words.len(), BTreeSet::new());
        return found;
    }
    let known = services(look, labels, draft).await;
    let each = |(label, listing): &(&Untrusted, Listing<Untrusted>)| {
        let label = (*label).clone();
        listing.items.clone().into_iter().map(move |value| (label.clone(), value))
    };
    found.services = known.iter().flat_map(each).collect();
    for (place, word) in look.query.words.iter().enumerate() {
        if scope.is_some_and(|scope| word.stands_in(scope.text().inside())) {
            // All of the service's metrics have it.
            found.names.push(names.items.iter().map(|name| name.inside().to_owned()).collect());
            found.pairs.push(Vec::new());
            found.meant.push(None);
            continue;
        }
        let (mut matchers, pairs) = in_services(word, &known);
        matchers.extend(named(word, labels));
        let in_text = || hits.iter().any(|hit| hit.places.get(place).is_some_and(Option::is_some));
        if matchers.is_empty() && !in_text() {
            matchers = in_others(word, labels, draft);
        }
        let (names, evidence) = ask(look, scope, word, &matchers, draft).await;
        found.names.push(names);
        found.evidence.extend(evidence);
        found.meant.push(match (matchers.as_slice(), pairs.as_slice()) {
            ([Matcher { op: MatchOp::Equal, .. }], [pair])
                if pair.1.inside().eq_ignore_ascii_case(&word.text) =>
            {
                Some(pair.clone())
            }
            _ => None,
        });
        found.pairs.push(pairs);
    }
    found
}

/// What a label must be like.
struct Matcher {
    label: String,
    op: MatchOp,
    value: String,
    /// Nothing in it needs a fence.
    plain: bool,
}

impl Matcher {
    fn new(label: &Untrusted, op: MatchOp, value: &str) -> Matcher {
        let plain = label.plain().is_some();
        Matcher { label: label.inside().to_owned(), op, value: value.to_owned(), plain }
    }
}

/// The labels that name services, with their values.
async fn services<'l>(
    look: &Look<'_>,
    labels: &'l [Untrusted],
    draft: &mut Draft,
) -> Vec<(&'l Untrusted, Listing<Untrusted>)> {
    let mut known = Vec::new();
    for (label, listing) in values(&look.lookup(), &labels_of_services(labels), |_| Vec::new()).await {
        match listing {
            Ok(listing) => {
                look.warn(&listing.warnings, draft);
                known.push((label, listing));
            }
            Err(error) => draft.caveat(format!("values of {} were not searched: {error}", label.shown(60))),
        }
    }
    known
}

/// The word among values of labels that name services.
fn in_services(
    word: &Word,
    known: &[(&Untrusted, Listing<Untrusted>)],
) -> (Vec<Matcher>, Vec<(Untrusted, Untrusted)>) {
    let (mut matchers, mut pairs) = (Vec::new(), Vec::new());
    for (label, listing) in known {
        let values: Vec<&Untrusted> =
            listing.items.iter().filter(|value| word.stands_in(value.inside())).collect();
        if listing.more || values.len() > MOST_PAIRS {
            matchers.push(Matcher::new(label, MatchOp::Regex, &word.value_pattern()));
        } else {
            matchers.extend(values.iter().map(|value| Matcher {
                plain: label.plain().is_some() && value.plain().is_some(),
                ..Matcher::new(label, MatchOp::Equal, value.inside())
            }));
        }
        pairs.extend(values.into_iter().map(|value| ((*label).clone(), value.clone())));
    }
    pairs.sort_by_key(|(_, value)| !value.inside().eq_ignore_ascii_case(&word.text));
    (matchers, pairs)
}

/// The word among names of labels; for what went wrong, the labels that tell it.
fn named(word: &Word, labels: &[Untrusted]) -> Vec<Matcher> {
    let has = |label: &&Untrusted| {
        word.means_failure() && tells_failure(label.inside())
            || tokens(label.inside()).any(|token| same(&word.text, token))
    };
    let named = labels.iter().filter(|label| label.inside() != "__name__").filter(has);
    named.take(MOST_NAMED).map(|label| Matcher::new(label, MatchOp::NotEqual, "")).collect()
}

/// The word among values of the labels that name neither services nor machines.
fn in_others(word: &Word, labels: &[Untrusted], draft: &mut Draft) -> Vec<Matcher> {
    let other = |label: &&Untrusted| {
        let name = label.inside();
        !is_machine(name) && !SERVICES.contains(&name) && !["__name__", "le", "quantile"].contains(&name)
    };
    let others: Vec<&Untrusted> = labels.iter().filter(other).collect();
    if others.len() > MOST_OTHERS {
        draft.caveat(format!(
            "of {} labels, values of the first {MOST_OTHERS} were searched for {}",
            others.len(),
            word.text
        ));
    }
    let pattern = word.value_pattern();
    others.iter().take(MOST_OTHERS).map(|label| Matcher::new(label, MatchOp::Regex, &pattern)).collect()
}

/// The names of series that match one of these.
async fn ask(
    look: &Look<'_>,
    scope: Option<&Scope>,
    word: &Word,
    matchers: &[Matcher],
    draft: &mut Draft,
) -> (BTreeSet<String>, Option<Evidence>) {
    if matchers.is_empty() {
        return (BTreeSet::new(), None);
    }
    let written = |one: &Matcher| {
        let mut all = vec![(one.label.as_str(), one.op, one.value.as_str())];
        all.extend(scope.iter().flat_map(|scope| scope.matchers()));
        selector(None, &all)
    };
    let selectors: Vec<String> = matchers.iter().map(written).collect();
    let borrowed: Vec<&str> = selectors.iter().map(String::as_str).collect();
    match look.source.label_values(look.cx, "__name__", &borrowed, Some(look.window), MOST_NAMES).await {
        Ok(listing) => {
            look.warn(&listing.warnings, draft);
            if listing.more {
                let word = &word.text;
                draft.caveat(format!(
                    "more than {MOST_NAMES} names have {word} in a label; the rest was not read"
                ));
            }
            let plain = matchers.iter().all(|one| one.plain) && scope.is_none_or(Scope::is_plain);
            let query = in_short(matchers, &selectors);
            let evidence = Some(catalog::evidence(look, &query, plain));
            (listing.items.iter().map(|name| name.inside().to_owned()).collect(), evidence)
        }
        Err(error) => {
            draft.caveat(format!("labels were not searched for {}: {error}", word.text));
            (BTreeSet::new(), None)
        }
    }
}

/// The selectors as evidence says them: of many that differ in the label alone, one and the labels.
fn in_short(matchers: &[Matcher], selectors: &[String]) -> Vec<String> {
    let Some(first) = selectors.first() else { return Vec::new() };
    let alike = matchers.windows(2).all(|pair| match pair {
        [one, other] => one.op == MatchOp::Regex && other.op == MatchOp::Regex && one.value == other.value,
        _ => true,
    });
    if !alike || selectors.len() <= MOST_PAIRS {
        return selectors.to_vec();
    }
    let labels: Vec<String> = matchers.iter().map(|one| label_name(&one.label)).collect();
    vec![format!("{first}, and the same for the labels {}", labels.get(1..).unwrap_or_default().join(", "))]
}
