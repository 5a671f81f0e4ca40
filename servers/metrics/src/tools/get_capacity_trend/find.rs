//! Whose usage it is: containers of the service, all containers, or processes where no container is known.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Draft, Evidence, ToolError};
use jiff::Timestamp;

use super::{
    Look,
    ask::{Query, When, ask},
};
use crate::{
    analysis::{
        capacity::{Place, Population, pods_of, track},
        ranking::Grid,
    },
    config::aliases::Matcher,
    model::Series,
    tools::scope::{self, Resolved, Scope},
};

/// Moments at which replicas of one service, and of all, are counted.
const MOMENTS: u64 = 24;
const MOMENTS_OF_ALL: u64 = 8;

/// Replicas of one row over the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Replicas {
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) last: f64,
}

/// Whose usage it is.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) population: Population,
    /// Whether nothing in its queries needs a fence.
    pub(super) plain: bool,
    pub(super) replicas: BTreeMap<Place, Replicas>,
    /// What counted them.
    pub(super) evidence: Evidence,
    /// Series of one resource at one moment, at most.
    pub(super) series: f64,
    /// The last moment at which any replica was seen.
    pub(super) last_seen: Timestamp,
}

/// What was found.
pub(super) enum Outcome {
    Found(Box<Found>),
    /// Nothing is measured: the verdict that says so.
    Nothing(String),
}

/// Whose usage is asked for.
///
/// # Errors
/// When the store can't be asked.
pub(super) async fn population(look: &Look<'_>, draft: &mut Draft) -> Result<Outcome, ToolError> {
    match look.service {
        Some(service) => of_service(look, service, draft).await,
        None => of_all(look, draft).await,
    }
}

async fn of_all(look: &Look<'_>, draft: &mut Draft) -> Result<Outcome, ToolError> {
    for of in [Population::Workloads, Population::Processes] {
        let candidate = candidate(look, namespace(look), of);
        let counted = count(look, &[candidate], MOMENTS_OF_ALL, draft).await?;
        if let Some(found) = counted.into_iter().flatten().next() {
            return Ok(Outcome::Found(Box::new(found)));
        }
    }
    let within = look
        .namespace
        .map_or(String::new(), |namespace| format!(" in namespace {}", look.lookup().echo(namespace)));
    Ok(Outcome::Nothing(format!(
        "Nothing can be said about capacity: over {} there is no container_memory_working_set_bytes (cAdvisor) and no \
         process_resident_memory_bytes{within} here. That is not zero usage.",
        look.length()
    )))
}

async fn of_service(look: &Look<'_>, service: &str, draft: &mut Draft) -> Result<Outcome, ToolError> {
    if look.sources.aliases().of(service).is_empty() {
        let with = |matcher: Matcher| {
            let mut matchers = namespace(look);
            matchers.push(matcher);
            candidate(look, matchers, Population::Containers)
        };
        let candidates = [with(pods_of(service)), with(Matcher::equal("container", service))];
        let mut counted = count(look, &candidates, MOMENTS, draft).await?.into_iter();
        if let Some(found) = better(look, counted.next().flatten(), counted.next().flatten(), draft) {
            return Ok(Outcome::Found(Box::new(found)));
        }
    }
    let lookup = look.lookup();
    let scope = match scope::resolve(&lookup, service, draft).await? {
        Resolved::Found(scope) => scope,
        Resolved::Unknown(near) => {
            let words = ("nothing was measured", look.length(), "leave `service` out to rank all workloads");
            let words = (words.0, words.1.as_str(), words.2);
            let verdict = near.tell(&lookup, service, words, draft);
            if let Some(nearest) = near.nearest() {
                let next = contract::Next::call("get_capacity_trend", "the nearest service");
                draft.next(next.with("service", nearest));
            }
            return Ok(Outcome::Nothing(verdict));
        }
    };
    let containers = scope::containers(&lookup, service, &scope, draft).await;
    let mut candidates = Vec::new();
    if let Some(containers) = &containers {
        candidates.push(candidate(look, with_namespace(look, containers), Population::Containers));
    }
    candidates.push(candidate(look, with_namespace(look, &scope), Population::Processes));
    let counted = count(look, &candidates, MOMENTS, draft).await?;
    match counted.into_iter().flatten().next() {
        Some(found) => Ok(Outcome::Found(Box::new(found))),
        None => Ok(Outcome::Nothing(format!(
            "{} is known ({}), but over {} neither its containers (cAdvisor: container_memory_working_set_bytes) nor its \
             processes (process_resident_memory_bytes) are measured here. That is not zero usage.",
            lookup.echo(service),
            scope.shown(),
            look.length()
        ))),
    }
}

/// By the names of pods, which shows containers beside the main one; by the container's name, when that shows as much or
/// more replicas of it.
fn better(look: &Look<'_>, pods: Option<Found>, name: Option<Found>, draft: &mut Draft) -> Option<Found> {
    let (Some(pods), Some(name)) = (&pods, &name) else { return pods.or(name) };
    let service = look.service.unwrap_or_default();
    let is_own = |place: &Place| place.last().cloned().flatten().is_some_and(|name| name.inside() == service);
    let own = |found: &Found| -> f64 {
        let own = found.replicas.iter().filter(|(place, _)| is_own(place));
        own.map(|(_, replicas)| replicas.max).sum()
    };
    let (by_pods, by_name) = (own(pods), own(name));
    if by_pods == by_name && pods.replicas.keys().all(is_own) {
        return Some(name.clone());
    }
    if by_name > by_pods {
        draft.caveat(format!(
            "found by the container's name, which {by_name} replicas have; only {by_pods} of them are in pods called so: \
             containers beside it are not shown"
        ));
        return Some(name.clone());
    }
    Some(pods.clone())
}

fn namespace(look: &Look<'_>) -> Vec<Matcher> {
    look.namespace.map(|namespace| Matcher::equal("namespace", namespace)).into_iter().collect()
}

fn with_namespace(look: &Look<'_>, scope: &Scope) -> Vec<Matcher> {
    let own = scope.matchers().map(|(label, op, value)| Matcher {
        label: label.to_owned(),
        op,
        value: value.to_owned(),
    });
    namespace(look).into_iter().chain(own).collect()
}

/// A population, and whether nothing in its queries needs a fence.
fn candidate(
    look: &Look<'_>,
    matchers: Vec<Matcher>,
    of: fn(Vec<Matcher>) -> Population,
) -> (Population, bool) {
    let plain = |matcher: &Matcher| {
        let kept: String = matcher.value.chars().filter(|letter| !r"\|()[]".contains(*letter)).collect();
        look.cx.intake.text(&kept).plain().is_some()
    };
    let plain = matchers.iter().all(plain);
    (of(matchers), plain)
}

/// Counts the replicas of each candidate; `None` for one that has none.
async fn count(
    look: &Look<'_>,
    candidates: &[(Population, bool)],
    moments: u64,
    draft: &mut Draft,
) -> Result<Vec<Option<Found>>, ToolError> {
    let grid = look.grid((look.span() / moments).max(60));
    let queries: Vec<Query> = candidates
        .iter()
        .map(|(population, plain)| Query {
            promql: population.counted(),
            when: When::Over(grid),
            plain: *plain,
            estimate: None,
        })
        .collect();
    let mut all = Vec::new();
    for ((population, plain), answered) in candidates.iter().zip(ask(look, &queries, draft).await) {
        let (series, evidence) = answered?;
        // What counted nothing is no evidence of the answer.
        all.push(match series.is_empty() {
            true => None,
            false => summed(population.clone(), *plain, series, (grid, look.end(), evidence)),
        });
    }
    Ok(all)
}

fn summed(
    population: Population,
    plain: bool,
    series: Vec<Series>,
    (grid, end, evidence): (Grid, Timestamp, Evidence),
) -> Option<Found> {
    let tracks = track(series, population.labels(), grid);
    let mut replicas = BTreeMap::new();
    let mut at_once = vec![0.0; grid.count()];
    let mut seen = BTreeSet::new();
    for (place, values) in tracks {
        for (moment, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            seen.insert(moment);
            if let Some(sum) = at_once.get_mut(moment) {
                *sum += value;
            }
        }
        let mut known = values.iter().copied().filter(|value| value.is_finite());
        let (min, max) =
            known.clone().fold((f64::MAX, 0.0_f64), |(min, max), value| (min.min(value), max.max(value)));
        let Some(last) = known.next_back() else { continue };
        replicas.insert(place, Replicas { min, max, last });
    }
    let last = *seen.last()?;
    // Still there at the last moment: the window's end says more than a moment before it.
    let last_seen = match last + 1 == grid.count() {
        true => end,
        false => Timestamp::from_second(grid.second(last)).ok()?,
    };
    let series = at_once.into_iter().fold(1.0, f64::max);
    Some(Found { population, plain, replicas, evidence, series, last_seen })
}
