//! Which series are those of a service: the same rules for every tool.
//!
//! An alias of the operator's file says it; else the values of labels that name services are compared with the name.
//! What was not exact, and what else would have fit, is a caveat. Series about the service's containers are found
//! by other labels than what the service says about itself: [`containers`].

mod candidates;
mod containers;
mod near;

use contract::{Context, Draft, TimeRange, ToolError, Untrusted};

use crate::{
    analysis::search::labels::SERVICES,
    backend::Metrics,
    config::aliases::{Aliases, Matcher},
    model::{Listing, MatchOp, QueryError, selector},
    tools::asking::few_at_once,
};
pub(crate) use containers::containers;
pub(crate) use near::Near;

/// The most labels that are looked at for a service.
const MOST_LABELS: usize = 10;

/// The most names of labels that are read.
const MOST_NAMES: usize = 1_000;

/// The most values of one label that are read.
pub(crate) const MOST_VALUES: usize = 1_000;

/// Of whom it is asked, and when the series must have been there.
#[derive(Clone, Copy)]
pub(crate) struct Lookup<'a> {
    pub(crate) cx: &'a Context,
    pub(crate) store: &'a dyn Metrics,
    pub(crate) aliases: &'a Aliases,
    /// Series are counted at its end.
    pub(crate) window: TimeRange,
}

impl Lookup<'_> {
    /// A text of ours with names of the systems in it: bare where all of them are plain, else fenced.
    pub(crate) fn guarded(&self, text: String, plain: bool) -> String {
        if plain { text } else { self.cx.intake.text(&text).shown(1_500) }
    }

    /// What the caller wrote, as an answer may show it.
    pub(crate) fn echo(&self, text: &str) -> String {
        self.cx.intake.text(text).shown(80)
    }

    /// What the system remarked on a reply.
    pub(crate) fn warn(&self, warnings: &[Untrusted], draft: &mut Draft) {
        for warning in warnings {
            draft.caveat(format!("warning from {}: {}", self.store.system(), warning.shown(300)));
        }
    }

    /// Whether nothing of a matcher needs a fence; what a regular expression escapes is plain.
    fn is_plain(&self, matcher: &Matcher) -> bool {
        let plain = |text: &str| self.cx.intake.text(text).plain().is_some();
        let unescaped: String = matcher.value.chars().filter(|letter| !r"\|()[]".contains(*letter)).collect();
        plain(&matcher.label) && plain(&unescaped)
    }
}

/// Series of one service: those that meet all of some conditions.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    matchers: Vec<Matcher>,
    /// `service="checkout"`.
    text: Untrusted,
    plain: bool,
}

impl Scope {
    /// The series that meet all of these.
    pub(crate) fn new(lookup: &Lookup<'_>, matchers: Vec<Matcher>) -> Scope {
        let plain = matchers.iter().all(|matcher| lookup.is_plain(matcher));
        let parts: Vec<_> = matchers.iter().map(Matcher::parts).collect();
        let selector = selector(None, &parts);
        let inner = selector.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(&selector);
        let text = lookup.cx.intake.text(inner);
        Scope { matchers, text, plain }
    }

    /// The series with this value of this label.
    pub(crate) fn of(lookup: &Lookup<'_>, label: &Untrusted, value: &Untrusted) -> Scope {
        Scope::new(lookup, vec![Matcher::equal(label.inside(), value.inside())])
    }

    /// The conditions, for a selector.
    pub(crate) fn matchers(&self) -> impl Iterator<Item = (&str, MatchOp, &str)> {
        self.matchers.iter().map(Matcher::parts)
    }

    /// A selector of its series that also match `others`.
    pub(crate) fn selector(&self, others: &[(&str, MatchOp, &str)]) -> String {
        self.select(None, others)
    }

    /// As [`Scope::selector`], of one metric.
    pub(crate) fn select(&self, metric: Option<&str>, others: &[(&str, MatchOp, &str)]) -> String {
        let mut matchers = others.to_vec();
        matchers.extend(self.matchers());
        selector(metric, &matchers)
    }

    /// The value that all its series have in this label, where there is one.
    pub(crate) fn value_of(&self, label: &str) -> Option<&str> {
        let equal = |one: &&Matcher| one.op == MatchOp::Equal && one.label == label;
        self.matchers.iter().find(equal).map(|one| one.value.as_str())
    }

    /// The conditions as text of the systems, for comparing.
    pub(crate) fn text(&self) -> &Untrusted {
        &self.text
    }

    /// Whether nothing of it needs a fence.
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// As an answer may show it.
    pub(crate) fn shown(&self) -> String {
        if self.plain { self.text.inside().to_owned() } else { self.text.shown(120) }
    }
}

/// What a service turned out to be.
pub(crate) enum Resolved {
    /// These series; what is doubtful about it is a caveat already.
    Found(Scope),
    /// No label has it. What comes near.
    Unknown(Near),
}

/// The series of this service.
///
/// # Errors
/// When labels or their values can't be read.
pub(crate) async fn resolve(
    lookup: &Lookup<'_>,
    service: &str,
    draft: &mut Draft,
) -> Result<Resolved, ToolError> {
    if !lookup.aliases.of(service).is_empty() {
        return resolve_among(lookup, service, &[], draft).await;
    }
    let listing = lookup.store.label_names(lookup.cx, &[], Some(lookup.window), MOST_NAMES).await?;
    lookup.warn(&listing.warnings, draft);
    resolve_among(lookup, service, &listing.items, draft).await
}

/// As [`resolve`], where the names of labels are known.
///
/// # Errors
/// When the labels' values can't be read.
pub(crate) async fn resolve_among(
    lookup: &Lookup<'_>,
    service: &str,
    labels: &[Untrusted],
    draft: &mut Draft,
) -> Result<Resolved, ToolError> {
    match candidates::find(lookup, service, labels, draft).await? {
        Some(scope) => Ok(Resolved::Found(scope)),
        None => Ok(Resolved::Unknown(near::look(lookup, service, labels, draft).await?)),
    }
}

/// The label that separates services among the series that match one of `selectors`, the surest first; `None` where
/// none of their labels does.
///
/// # Errors
/// When the names of labels can't be read.
pub(crate) async fn service_label(
    lookup: &Lookup<'_>,
    selectors: &[&str],
    draft: &mut Draft,
) -> Result<Option<Untrusted>, ToolError> {
    let listing = lookup.store.label_names(lookup.cx, selectors, Some(lookup.window), MOST_NAMES).await?;
    lookup.warn(&listing.warnings, draft);
    Ok(labels_of_services(&listing.items).first().map(|label| (*label).clone()))
}

/// The labels among these that may hold a service, the surest first.
pub(crate) fn labels_of_services(labels: &[Untrusted]) -> Vec<&Untrusted> {
    let known = SERVICES.iter().filter_map(|name| labels.iter().find(|label| label.inside() == *name));
    known.take(MOST_LABELS).collect()
}

/// Values of each of these labels.
pub(crate) async fn values<'l>(
    lookup: &Lookup<'_>,
    labels: &[&'l Untrusted],
    narrowed: impl Fn(&str) -> Vec<String>,
) -> Vec<(&'l Untrusted, Result<Listing<Untrusted>, QueryError>)> {
    let selectors: Vec<Vec<String>> = labels.iter().map(|label| narrowed(label.inside())).collect();
    let selectors: Vec<Vec<&str>> =
        selectors.iter().map(|selectors| selectors.iter().map(String::as_str).collect()).collect();
    let asked = labels.iter().zip(&selectors).map(|(label, selectors)| {
        let window = Some(lookup.window);
        lookup.store.label_values(lookup.cx, label.inside(), selectors, window, MOST_VALUES)
    });
    labels.iter().copied().zip(few_at_once(asked).await).collect()
}
