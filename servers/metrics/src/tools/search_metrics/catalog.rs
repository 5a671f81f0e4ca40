//! Which metrics there are, and what is told about them.

use contract::{Cite, Draft, Evidence, ToolError, Untrusted};
use futures_util::future::{join, join_all};
use upstream::UpstreamError;

use super::{Look, Scope};
use crate::{
    analysis::search::{families::Family, words::Word},
    model::{Listing, MatchOp, Metadata, QueryError, selector},
};

/// The most names, and the most metrics' metadata, that are read in one reply.
pub(super) const MOST_NAMES: usize = 10_000;

/// The most names of labels.
const MOST_LABELS: usize = 1_000;

/// The most metrics whose metadata is asked for one by one.
const MOST_LEARNED: usize = 10;

/// What is known before names are looked at.
pub(super) struct Known {
    pub(super) metadata: Vec<Metadata>,
    /// There is metadata of more metrics than was read.
    pub(super) metadata_cut: bool,
    /// Names of labels.
    pub(super) labels: Vec<Untrusted>,
    /// Why there are none.
    pub(super) no_labels: Option<QueryError>,
}

/// The names that were searched.
pub(super) struct Names {
    /// Sorted, each once.
    pub(super) items: Vec<Untrusted>,
    pub(super) cite: Cite,
    /// There are more.
    pub(super) cut: bool,
}

/// Metadata and names of labels. An answer without them is poorer, so that a failure is a caveat.
///
/// # Errors
/// When nothing is reached at all: more look-ups would only open the breaker, whose words hide the cause.
pub(super) async fn known(look: &Look<'_>, draft: &mut Draft) -> Result<Known, ToolError> {
    let (metadata, labels) = join(
        look.source.metadata(look.cx, None, MOST_NAMES),
        look.source.label_names(look.cx, &[], Some(look.window), MOST_LABELS),
    )
    .await;
    if let (Err(one), Err(other)) = (&metadata, &labels)
        && let Some(error) = unreachable(one, other)
    {
        return Err(error.clone().into());
    }
    let mut known = Known { metadata: Vec::new(), metadata_cut: false, labels: Vec::new(), no_labels: None };
    match metadata {
        Ok(listing) => {
            look.warn(&listing.warnings, draft);
            if listing.items.is_empty() {
                draft.caveat("the source has no metadata: types and units are inferred from names");
            }
            if listing.more {
                draft.caveat(format!(
                    "metadata of only {MOST_NAMES} metrics was read: help texts of others were not searched"
                ));
            }
            known.metadata = listing.items;
            known.metadata_cut = listing.more;
        }
        Err(error) => {
            draft.caveat(format!("no metadata, so types are inferred and help texts not searched: {error}"))
        }
    }
    match labels {
        Ok(listing) => {
            look.warn(&listing.warnings, draft);
            if listing.more {
                draft.caveat(format!("only the first {MOST_LABELS} names of labels were read"));
            }
            known.labels = listing.items;
        }
        Err(error) => {
            draft.caveat(format!("labels were not searched: {error}"));
            known.no_labels = Some(error);
        }
    }
    Ok(known)
}

/// The one of two errors that says why the source is not reached.
fn unreachable<'e>(one: &'e QueryError, other: &'e QueryError) -> Option<&'e QueryError> {
    let cause =
        |error: &&QueryError| matches!(error, QueryError::Upstream(UpstreamError::Unreachable { .. }));
    let left_alone = |error: &&QueryError| matches!(error, QueryError::Upstream(UpstreamError::Open { .. }));
    [one, other].into_iter().find(cause).or_else(|| [one, other].into_iter().find(left_alone))
}

/// The names of all metrics, or of those of a service. Where there are too many for one reply, those that hold a
/// word of the search are asked for as well.
pub(super) async fn names(
    look: &Look<'_>,
    scope: Option<&Scope>,
    draft: &mut Draft,
) -> Result<Names, ToolError> {
    let all: Vec<String> = scope.map(|scope| scope.selector(&[])).into_iter().collect();
    let first = match ask(look, &all).await {
        Ok(listing) => listing,
        Err(error) if is_too_large(&error) && !look.query.words.is_empty() => {
            Listing { items: Vec::new(), more: true, warnings: Vec::new() }
        }
        Err(error) => return Err(error.into()),
    };
    look.warn(&first.warnings, draft);
    let plain = scope.is_none_or(Scope::is_plain);
    let cite = draft.cite(evidence(look, &all, plain));
    let mut names = Names { items: first.items, cite, cut: first.more };
    if first.more {
        narrow(look, scope, &mut names, draft).await?;
    }
    Ok(names)
}

/// Asks for the names that hold a word of the search; first any of the words, then all of them.
async fn narrow(
    look: &Look<'_>,
    scope: Option<&Scope>,
    names: &mut Names,
    draft: &mut Draft,
) -> Result<(), ToolError> {
    let first = names.items.len();
    let words = &look.query.words;
    let any: Vec<String> = words.iter().map(|word| holding(std::slice::from_ref(word), scope)).collect();
    let mut asked: Vec<Vec<String>> = Vec::new();
    if !any.is_empty() {
        asked.push(any);
    }
    if words.len() > 1 {
        asked.push(vec![holding(words, scope)]);
    }
    let mut complete = false;
    for selectors in asked {
        let listing = ask(look, &selectors).await?;
        look.warn(&listing.warnings, draft);
        names.cite = draft.cite(evidence(look, &selectors, scope.is_none_or(Scope::is_plain)));
        names.items.extend(listing.items);
        if !listing.more {
            complete = true;
            break;
        }
    }
    names.items.sort();
    names.items.dedup();
    let which = if complete { "all" } else { "many" };
    draft.caveat(format!(
        "there are more than {MOST_NAMES} names of series: searched the first {first} in their order, and {which} \
         whose name holds a word of the search ({} names in all)",
        names.items.len()
    ));
    Ok(())
}

/// A selector of the series whose name holds all these words.
fn holding(words: &[Word], scope: Option<&Scope>) -> String {
    let patterns: Vec<String> = words.iter().map(Word::pattern).collect();
    let mut matchers: Vec<(&str, MatchOp, &str)> =
        patterns.iter().map(|pattern| ("__name__", MatchOp::Regex, pattern.as_str())).collect();
    matchers.extend(scope.iter().flat_map(|scope| scope.matchers()));
    selector(None, &matchers)
}

async fn ask(look: &Look<'_>, selectors: &[String]) -> Result<Listing<Untrusted>, QueryError> {
    let selectors: Vec<&str> = selectors.iter().map(String::as_str).collect();
    look.source.label_values(look.cx, "__name__", &selectors, Some(look.window), MOST_NAMES).await
}

/// The look-up of names as it was sent; `plain` where nothing of the selectors needs a fence.
pub(super) fn evidence(look: &Look<'_>, selectors: &[String], plain: bool) -> Evidence {
    let mut query = "GET /api/v1/label/__name__/values".to_owned();
    for selector in selectors {
        query.push_str(&format!(" match[]={selector}"));
    }
    Evidence::new(look.source.system(), look.guarded(query, plain)).over(look.window)
}

/// Asks for the metadata of those metrics that will be shown and were not in the part that was read.
pub(super) async fn learn(look: &Look<'_>, families: &mut [Family], shown: &[usize], draft: &mut Draft) {
    let unknown: Vec<usize> = shown
        .iter()
        .copied()
        .filter(|place| families.get(*place).is_some_and(|family| !family.told))
        .take(MOST_LEARNED)
        .collect();
    let keys: Vec<String> =
        unknown.iter().filter_map(|place| families.get(*place)).map(|family| family.key.clone()).collect();
    let replies = join_all(keys.iter().map(|key| look.source.metadata(look.cx, Some(key), 1))).await;
    for (place, reply) in unknown.into_iter().zip(replies) {
        match reply {
            Ok(listing) if listing.items.is_empty() => {}
            Ok(listing) => {
                look.warn(&listing.warnings, draft);
                if let Some(family) = families.get_mut(place) {
                    family.learn(&listing.items);
                }
            }
            Err(error) => draft.caveat(format!("types of some metrics are inferred: {error}")),
        }
    }
}

fn is_too_large(error: &QueryError) -> bool {
    matches!(error, QueryError::Upstream(UpstreamError::TooLarge { .. }))
}
