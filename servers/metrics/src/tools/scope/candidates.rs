//! Conditions that may be those of a service, and the choice among them.

use contract::{Draft, Evidence, ToolError, Untrusted};
use futures_util::future::join_all;

use super::{Lookup, Scope, containers::is_of_containers, labels_of_services, values};
use crate::{
    analysis::search::{labels::whole, words::escape},
    config::aliases::Matcher,
    model::{MatchOp, QueryOptions, selector},
};

/// The most candidates whose series are counted to choose one.
const MOST_COUNTED: usize = 4;

/// How well a label's values fit the service; the earlier, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Exact,
    OtherCase,
    /// Values such as `checkout-7f9c`.
    Beginning,
    /// Values such as `shop/checkout`.
    Part,
}

/// Conditions that may be those of the service.
struct Candidate {
    fit: Fit,
    matchers: Vec<Matcher>,
    /// Other values of the label that fit as well.
    others: usize,
}

impl Candidate {
    fn selector(&self) -> String {
        selector(None, &self.matchers.iter().map(Matcher::parts).collect::<Vec<_>>())
    }

    fn is_plain(&self, lookup: &Lookup<'_>) -> bool {
        self.matchers.iter().all(|matcher| lookup.is_plain(matcher))
    }
}

/// The conditions by which this service is found: its alias', else the label that holds it; `None` where no label does.
///
/// # Errors
/// When the labels' values can't be read.
pub(super) async fn find(
    lookup: &Lookup<'_>,
    service: &str,
    labels: &[Untrusted],
    draft: &mut Draft,
) -> Result<Option<Scope>, ToolError> {
    if let Some(aliased) = aliased(lookup, service, draft).await {
        return Ok(Some(aliased));
    }
    let pattern = format!("(?i)(?:.*[^a-z0-9])?{}(?:[^a-z0-9].*)?", escape(service));
    let holding = |label: &str| vec![selector(None, &[(label, MatchOp::Regex, &pattern)])];
    let mut candidates = Vec::new();
    for (label, listing) in values(lookup, &labels_of_services(labels), holding).await {
        let listing = listing?;
        lookup.warn(&listing.warnings, draft);
        candidates.extend(candidate(label, service, &listing.items));
    }
    let Some(best) = candidates.iter().map(|candidate| candidate.fit).min() else { return Ok(None) };
    candidates.retain(|candidate| candidate.fit == best);
    let chosen = choose(lookup, candidates, "several labels hold the service", draft).await;
    Ok(chosen.map(|chosen| {
        let scope = Scope::new(lookup, chosen.matchers);
        if best != Fit::Exact {
            let others = if chosen.others > 0 {
                format!(" ({} other values fit as well)", chosen.others)
            } else {
                String::new()
            };
            let service = lookup.echo(service);
            draft.caveat(format!(
                "no label has exactly the value {service}; taken for it: {}{others}",
                scope.shown()
            ));
        }
        scope
    }))
}

/// What the alias file says, where it knows the service: of several ways to find what the service says about itself,
/// the one with most series.
async fn aliased(lookup: &Lookup<'_>, service: &str, draft: &mut Draft) -> Option<Scope> {
    let ways = lookup.aliases.of(service);
    let own = ways.iter().filter(|matchers| !is_of_containers(matchers));
    let candidate =
        |matchers: &Vec<Matcher>| Candidate { fit: Fit::Exact, matchers: matchers.clone(), others: 0 };
    let mut candidates: Vec<Candidate> = own.map(candidate).collect();
    if candidates.is_empty() {
        candidates = ways.iter().take(1).map(candidate).collect();
    }
    let chosen = choose(lookup, candidates, "the alias has several matchers", draft).await?;
    Some(Scope::new(lookup, chosen.matchers))
}

/// The best that one label offers.
fn candidate(label: &Untrusted, service: &str, values: &[Untrusted]) -> Option<Candidate> {
    let fit = |value: &str| match value {
        value if value == service => Fit::Exact,
        value if value.eq_ignore_ascii_case(service) => Fit::OtherCase,
        value if value.strip_prefix(service).is_some_and(|rest| rest.starts_with('-')) => Fit::Beginning,
        _ => Fit::Part,
    };
    let best = values.iter().map(|value| fit(value.inside())).min()?;
    let fitting: Vec<&Untrusted> = values.iter().filter(|value| fit(value.inside()) == best).collect();
    if best == Fit::Beginning && fitting.len() > 1 {
        // Replicas of one workload: all of them.
        let replicas = Matcher::regex(label.inside(), &format!("{}-.*", escape(service)));
        return Some(Candidate { fit: best, matchers: vec![replicas], others: 0 });
    }
    let value = fitting.iter().min_by_key(|value| (value.inside().len(), value.inside()))?;
    let matchers = vec![Matcher::equal(label.inside(), value.inside())];
    Some(Candidate { fit: best, matchers, others: fitting.len() - 1 })
}

/// Of several candidates the one with most series, its own before its containers'; the others are told. `why` begins the sentence.
async fn choose(
    lookup: &Lookup<'_>,
    mut candidates: Vec<Candidate>,
    why: &str,
    draft: &mut Draft,
) -> Option<Candidate> {
    if candidates.len() < 2 {
        return candidates.pop();
    }
    candidates.truncate(MOST_COUNTED);
    let at = lookup.window.end();
    let queries: Vec<String> = candidates.iter().map(|one| format!("count({})", one.selector())).collect();
    let asked =
        queries.iter().map(|query| lookup.store.instant(lookup.cx, query, at, QueryOptions::default()));
    let mut counted: Vec<(u64, Candidate)> = Vec::new();
    for ((candidate, query), reply) in candidates.into_iter().zip(&queries).zip(join_all(asked).await) {
        let query = lookup.guarded(query.clone(), candidate.is_plain(lookup));
        draft.cite(Evidence::new(lookup.store.system(), query).at(at));
        let count = match reply {
            Ok(reply) => {
                lookup.warn(&reply.warnings, draft);
                let first = reply.data.series().first().and_then(|series| series.points.first());
                first.map_or(0, |point| whole(point.value))
            }
            Err(error) => {
                draft.caveat(format!("the series of a label could not be counted: {error}"));
                0
            }
        };
        counted.push((count, candidate));
    }
    // What a service says about itself is more telling than what the cluster says about its containers.
    let worth = |(count, one): &(u64, Candidate)| (*count > 0 && !is_of_containers(&one.matchers), *count);
    let most = counted.iter().map(worth).max()?;
    let place = counted.iter().position(|one| worth(one) == most)?;
    let (count, chosen) = counted.remove(place);
    let told = |count: u64, one: &Candidate| {
        let text = lookup.guarded(one.selector(), one.is_plain(lookup));
        format!("{text} ({count} series)")
    };
    let others: Vec<String> = counted.iter().map(|(count, one)| told(*count, one)).collect();
    draft.caveat(format!("{why}; used {}, not {}", told(count, &chosen), others.join(", ")));
    Some(chosen)
}
