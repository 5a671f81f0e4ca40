//! Which label says that a series is of a service.

use contract::{Answer, Draft, Evidence, Finding, Next, ToolError, Untrusted, nearest};
use futures_util::future::join_all;

use super::{LOOK_BACK_TEXT, Look};
use crate::{
    analysis::search::{labels::SERVICES, words::escape},
    model::{Listing, MatchOp, QueryError, QueryOptions, selector},
};

/// The most labels that are looked at for a service.
const MOST_LABELS: usize = 10;

/// The most labels whose series are counted to choose one.
const MOST_COUNTED: usize = 4;

/// The most values of one label that are read.
pub(super) const MOST_VALUES: usize = 1_000;

/// Requests of one call at the same time: others want the source too.
const AT_ONCE: usize = 4;

/// The series of one service.
pub(super) struct Scope {
    label: String,
    op: MatchOp,
    value: String,
    /// `service="checkout"`.
    pub(super) text: Untrusted,
    plain: bool,
}

impl Scope {
    /// The series with this value of this label.
    pub(super) fn of(look: &Look<'_>, label: &Untrusted, value: &Untrusted) -> Scope {
        Scope::new(look, label, MatchOp::Equal, value.inside().to_owned())
    }

    fn new(look: &Look<'_>, label: &Untrusted, op: MatchOp, value: String) -> Scope {
        let selector = selector(None, &[(label.inside(), op, &value)]);
        let inner = selector.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(&selector);
        let text = look.cx.intake.text(inner);
        Scope { plain: is_plain(look, label, &value), label: label.inside().to_owned(), op, value, text }
    }

    /// The matcher, for a selector.
    pub(super) fn matcher(&self) -> (&str, MatchOp, &str) {
        (&self.label, self.op, &self.value)
    }

    /// A selector of its series that also match `others`.
    pub(super) fn selector(&self, others: &[(&str, MatchOp, &str)]) -> String {
        let mut matchers = others.to_vec();
        matchers.push(self.matcher());
        selector(None, &matchers)
    }

    /// The value that all its series have in this label, where there is one.
    pub(super) fn value_of(&self, label: &str) -> Option<&str> {
        (self.op == MatchOp::Equal && self.label == label).then_some(self.value.as_str())
    }

    /// Whether nothing of it needs a fence.
    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    /// As an answer may show it.
    pub(super) fn shown(&self) -> String {
        if self.plain { self.text.inside().to_owned() } else { self.text.shown(120) }
    }
}

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

/// One label that may hold the service.
struct Candidate {
    fit: Fit,
    label: Untrusted,
    op: MatchOp,
    value: String,
    /// Other values of the label that fit as well.
    others: usize,
}

impl Candidate {
    fn selector(&self) -> String {
        selector(None, &[(self.label.inside(), self.op, &self.value)])
    }
}

/// Whether nothing of a matcher needs a fence; what a regular expression escapes is plain.
fn is_plain(look: &Look<'_>, label: &Untrusted, value: &str) -> bool {
    label.plain().is_some() && look.cx.intake.text(&value.replace('\\', "")).plain().is_some()
}

/// The labels among these that may hold a service, the surest first.
pub(super) fn labels_of_services(labels: &[Untrusted]) -> Vec<&Untrusted> {
    let known = SERVICES.iter().filter_map(|name| labels.iter().find(|label| label.inside() == *name));
    known.take(MOST_LABELS).collect()
}

/// Values of each of these labels.
pub(super) async fn values<'l>(
    look: &Look<'_>,
    labels: &[&'l Untrusted],
    narrowed: impl Fn(&str) -> Vec<String>,
) -> Vec<(&'l Untrusted, Result<Listing<Untrusted>, QueryError>)> {
    let mut all = Vec::new();
    for some in labels.chunks(AT_ONCE) {
        let selectors: Vec<Vec<String>> = some.iter().map(|label| narrowed(label.inside())).collect();
        let selectors: Vec<Vec<&str>> =
            selectors.iter().map(|selectors| selectors.iter().map(String::as_str).collect()).collect();
        let asked = some.iter().zip(&selectors).map(|(label, selectors)| {
            look.source.label_values(look.cx, label.inside(), selectors, Some(look.window), MOST_VALUES)
        });
        all.extend(some.iter().copied().zip(join_all(asked).await));
    }
    all
}

/// The label that holds this service, and how; `None` where no label does.
///
/// # Errors
/// When the labels' values can't be read.
pub(super) async fn resolve(
    look: &Look<'_>,
    service: &str,
    labels: &[Untrusted],
    draft: &mut Draft,
) -> Result<Option<Scope>, ToolError> {
    let pattern = format!("(?i)(?:.*[^a-z0-9])?{}(?:[^a-z0-9].*)?", escape(service));
    let holding = |label: &str| vec![selector(None, &[(label, MatchOp::Regex, &pattern)])];
    let mut candidates = Vec::new();
    for (label, listing) in values(look, &labels_of_services(labels), holding).await {
        let listing = listing?;
        look.warn(&listing.warnings, draft);
        candidates.extend(candidate(label, service, &listing.items));
    }
    let Some(best) = candidates.iter().map(|candidate| candidate.fit).min() else { return Ok(None) };
    candidates.retain(|candidate| candidate.fit == best);
    let chosen = choose(look, candidates, draft).await;
    Ok(chosen.map(|chosen| {
        let scope = Scope::new(look, &chosen.label, chosen.op, chosen.value);
        if best != Fit::Exact {
            let others = if chosen.others > 0 {
                format!(" ({} other values fit as well)", chosen.others)
            } else {
                String::new()
            };
            let service = look.echo(service);
            draft.caveat(format!(
                "no label has exactly the value {service}; taken for it: {}{others}",
                scope.shown()
            ));
        }
        scope
    }))
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
    let label = label.clone();
    if best == Fit::Beginning && fitting.len() > 1 {
        // Replicas of one workload: all of them.
        let value = format!("{}-.*", escape(service));
        return Some(Candidate { fit: best, label, op: MatchOp::Regex, value, others: 0 });
    }
    let value =
        fitting.iter().min_by_key(|value| (value.inside().len(), value.inside()))?.inside().to_owned();
    Some(Candidate { fit: best, label, op: MatchOp::Equal, value, others: fitting.len() - 1 })
}

/// Of several labels the one with most series; the others are told.
async fn choose(look: &Look<'_>, mut candidates: Vec<Candidate>, draft: &mut Draft) -> Option<Candidate> {
    if candidates.len() < 2 {
        return candidates.pop();
    }
    candidates.truncate(MOST_COUNTED);
    let queries: Vec<String> = candidates.iter().map(|one| format!("count({})", one.selector())).collect();
    let asked =
        queries.iter().map(|query| look.source.instant(look.cx, query, look.at, QueryOptions::default()));
    let mut counted: Vec<(u64, Candidate)> = Vec::new();
    for ((candidate, query), reply) in candidates.into_iter().zip(&queries).zip(join_all(asked).await) {
        let query = look.guarded(query.clone(), is_plain(look, &candidate.label, &candidate.value));
        draft.cite(Evidence::new(look.source.system(), query).at(look.at));
        let count = match reply {
            Ok(reply) => {
                look.warn(&reply.warnings, draft);
                let value = reply
                    .data
                    .series()
                    .first()
                    .and_then(|series| series.points.first())
                    .map(|point| point.value);
                value.map_or(0, crate::analysis::search::labels::whole)
            }
            Err(error) => {
                draft.caveat(format!("the series of a label could not be counted: {error}"));
                0
            }
        };
        counted.push((count, candidate));
    }
    let most = counted.iter().map(|(count, _)| *count).max().unwrap_or(0);
    let place = counted.iter().position(|(count, _)| *count == most)?;
    let (_, chosen) = counted.remove(place);
    let told = |count: u64, one: &Candidate| {
        let text = look.guarded(one.selector(), is_plain(look, &one.label, &one.value));
        format!("{text} ({count} series)")
    };
    let others: Vec<String> = counted.iter().map(|(count, one)| told(*count, one)).collect();
    draft.caveat(format!(
        "several labels hold the service; used {}, not {}",
        told(most, &chosen),
        others.join(", ")
    ));
    Some(chosen)
}

/// The answer when no label holds the service: what comes nearest.
///
/// # Errors
/// When the labels' values can't be read.
pub(super) async fn unknown(
    look: &Look<'_>,
    service: &str,
    labels: &[Untrusted],
    mut draft: Draft,
) -> Result<Answer, ToolError> {
    let candidates = labels_of_services(labels);
    let asked = look.echo(service);
    if candidates.is_empty() {
        draft.caveat(format!("labels that were looked for: {}", SERVICES.join(", ")));
        return Ok(draft.conclude(format!(
            "Nothing was searched: none of the {} labels here says which service a series is of, so {asked} can't be \
             found by it; leave `service` out and put it into `text`.",
            labels.len()
        )));
    }
    let mut known: Vec<(Untrusted, &Untrusted)> = Vec::new();
    let mut looked = Vec::new();
    for (label, listing) in values(look, &candidates, |_| Vec::new()).await {
        let listing = listing?;
        look.warn(&listing.warnings, &mut draft);
        let query =
            look.guarded(format!("GET /api/v1/label/{}/values", label.inside()), label.plain().is_some());
        let cite = draft.cite(Evidence::new(look.source.system(), query).over(look.window));
        let more = if listing.more { "+" } else { "" };
        looked.push((format!("{} ({}{more})", label.shown(60), listing.items.len()), cite));
        known.extend(listing.items.into_iter().map(|value| (value, label)));
    }
    let near = nearest(service, known.iter().map(|(value, _)| value.inside()), 5);
    let near: Vec<&(Untrusted, &Untrusted)> =
        near.iter().filter_map(|name| known.iter().find(|(value, _)| value.inside() == *name)).collect();
    let texts: Vec<String> = looked.iter().map(|(text, _)| text.clone()).collect();
    if let Some((_, cite)) = looked.first() {
        let mut finding = match near.is_empty() {
            true => Finding::new("no value comes near to it", *cite),
            false => {
                let names: Vec<String> = near
                    .iter()
                    .map(|(value, label)| format!("{} ({})", value.shown(60), label.shown(60)))
                    .collect();
                Finding::new(format!("nearest: {}", names.join(", ")), *cite)
            }
        };
        for (_, cite) in looked.iter().skip(1) {
            finding = finding.and(*cite);
        }
        draft.finding(finding);
    }
    if let Some(service) = near.first().and_then(|(value, _)| value.plain()) {
        draft.next(
            Next::call("search_metrics", "the nearest service")
                .with("text", look.query.phrase.as_str())
                .with("service", service),
        );
    }
    Ok(draft.conclude(format!(
        "No label of the last {LOOK_BACK_TEXT} has a service {asked}, so nothing was searched; compared with the values \
         of {}.",
        texts.join(", ")
    )))
}
