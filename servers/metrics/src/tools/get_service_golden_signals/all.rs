//! All services, worst first.

mod measure;
mod show;

use std::collections::BTreeSet;

use contract::{Answer, Cite, Draft, Evidence, ToolError, Untrusted, duration_text};

use super::{
    ask::Look,
    probe::{self, Learnt, Whose},
    show::HIGH_ERRORS,
};
use crate::{
    analysis::{
        search::words::escape,
        signals::{
            catalogue::Matching,
            detect::{Found, detect},
            severity::{Health, severity},
        },
    },
    model::{MatchOp, selector},
    tools::scope::labels_of_services,
};
use measure::measure;

/// The longest window: every series of every service is read.
const LONGEST: f64 = 6.0 * 3_600.0;

/// The most conventions that are asked for at once.
const MOST_CONVENTIONS: usize = 10;

const MOST_NAMES: usize = 10_000;

/// Labels that say nothing about whose requests they are, where another label does.
const COARSE: [&str; 3] = ["namespace", "pod", "container"];

/// What services are compared with, when nothing is known.
const NOTHING: &str = "nothing: there are no earlier samples";

/// The same, when queries of earlier moments failed.
const UNREAD: &str = "nothing: what was earlier could not be read";

/// A convention, and the label by which it tells services apart.
struct Told {
    learnt: Learnt,
    label: Untrusted,
}

impl Told {
    /// The labels that tell failures, those of them that any series has.
    fn errors(&self) -> Vec<&Matching> {
        let there = |label: &str| self.learnt.labels.iter().any(|one| one.inside() == label);
        let errors = self.learnt.measure.found.convention.errors.iter();
        errors.filter(|error| there(&error.label)).collect()
    }
}

/// One service: by which convention, and how it is.
struct Service {
    name: Untrusted,
    convention: usize,
    health: Health,
    severity: f64,
}

impl Service {
    /// Percent of requests that fail, where that is high whatever it was before; else 0.
    fn failing(&self) -> f64 {
        self.health.errors.filter(|errors| *errors >= HIGH_ERRORS).unwrap_or(0.0)
    }
}

/// The answer about all services.
///
/// # Errors
/// When the window is too long, or the store can't be read.
pub(super) async fn answer(look: &Look<'_>, mut draft: Draft) -> Result<Answer, ToolError> {
    let seconds = look.period.window.seconds();
    if seconds > LONGEST {
        let problem = format!("is longer than {}, the most for all services at once", duration_text(LONGEST));
        return Err(ToolError::invalid("time_range", &problem).remedy("name a service, or shorten it"));
    }
    let (found, cite) = conventions(look, &mut draft).await?;
    let mut told = Vec::new();
    for one in found {
        told.extend(learn(look, one, seconds, &mut draft).await?);
    }
    if told.is_empty() {
        return Ok(show::nothing(look, cite, draft));
    }
    let (all, basis) = measure(look, &told, &mut draft).await?;
    if all.is_empty() {
        return Ok(show::nothing(look, cite, draft));
    }
    let mut services: Vec<Service> = all
        .into_iter()
        .map(|(name, (convention, health))| Service {
            name,
            convention,
            health,
            severity: severity(&health, seconds),
        })
        .collect();
    let busy = |one: &Service| one.health.traffic.unwrap_or(0.0);
    services.sort_by(|one, other| {
        (other.severity.total_cmp(&one.severity))
            .then_with(|| other.failing().total_cmp(&one.failing()))
            .then_with(|| busy(other).total_cmp(&busy(one)))
            .then_with(|| one.name.cmp(&other.name))
    });
    unmeasured(look, &told, &services, &mut draft).await;
    Ok(show::answer(look, &told, &services, &basis, draft))
}

/// The conventions that any series follow.
async fn conventions(look: &Look<'_>, draft: &mut Draft) -> Result<(Vec<Found>, Cite), ToolError> {
    let mut names = BTreeSet::new();
    for row in &look.catalogue.conventions {
        names.extend(row.requests.iter().chain(&row.failed).map(|name| escape(name)));
        names.extend(row.latency.iter().map(|name| format!("{}(_bucket|_count|_sum)?", escape(name))));
    }
    let names: Vec<String> = names.into_iter().collect();
    let known = selector(None, &[("__name__", MatchOp::Regex, &names.join("|"))]);
    let lookup = &look.lookup;
    let window = look.period.recent();
    let listing =
        lookup.store.label_values(lookup.cx, "__name__", &[&known], Some(window), MOST_NAMES).await?;
    lookup.warn(&listing.warnings, draft);
    let evidence =
        Evidence::new(lookup.store.system(), "GET /api/v1/label/__name__/values, of all known conventions");
    let cite = draft.cite(evidence.over(window));
    let names: BTreeSet<&str> = listing.items.iter().map(Untrusted::inside).collect();
    let mut found = detect(look.catalogue.conventions.iter(), &names);
    let more = found.len().saturating_sub(MOST_CONVENTIONS);
    if more > 0 {
        draft.caveat(format!("{more} more conventions were found and not asked"));
        found.truncate(MOST_CONVENTIONS);
    }
    Ok((found, cite))
}

/// What a convention's queries need; `None` where no label tells services apart.
async fn learn(
    look: &Look<'_>,
    found: Found,
    seconds: f64,
    draft: &mut Draft,
) -> Result<Option<Told>, ToolError> {
    let mut learnt = probe::learn(look, found, &Whose::All, draft).await?;
    learnt.measure.window = seconds as u64;
    let own = &learnt.measure.found.convention.service;
    let label = match own.is_empty() {
        true => {
            let all = labels_of_services(&learnt.labels);
            let fine = all.iter().find(|label| !COARSE.contains(&label.inside()));
            fine.or(all.first()).map(|label| (*label).clone())
        }
        false => own.iter().find_map(|label| learnt.labels.iter().find(|one| one.inside() == label)).cloned(),
    };
    if label.is_none() {
        let name = &learnt.measure.found.convention.name;
        draft.caveat(format!("{name}: no label tells services apart, so it was left out"));
    }
    Ok(label.map(|label| Told { learnt, label }))
}

/// Services that have a label like the others, but no metrics of requests.
async fn unmeasured(look: &Look<'_>, told: &[Told], services: &[Service], draft: &mut Draft) {
    const NAMED: usize = 8;
    let Some(first) = told.iter().find(|one| one.learnt.measure.found.convention.service.is_empty()) else {
        return;
    };
    let lookup = &look.lookup;
    let window = Some(look.period.recent());
    let label = first.label.inside();
    let Ok(listing) = lookup.store.label_values(lookup.cx, label, &[], window, MOST_NAMES).await else {
        return;
    };
    let known: BTreeSet<&str> = services.iter().map(|one| one.name.inside()).collect();
    let others: Vec<&Untrusted> = listing.items.iter().filter(|one| !known.contains(one.inside())).collect();
    if others.is_empty() {
        return;
    }
    let named: Vec<String> = others.iter().take(NAMED).map(|one| one.shown(60)).collect();
    let more = others.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    draft.caveat(format!(
        "no request metrics are known of {} of {}, so how they are is unknown: {}{more}",
        contract::counted(others.len() as u64, "value", "values"),
        first.label.shown(60),
        named.join(", ")
    ));
}
