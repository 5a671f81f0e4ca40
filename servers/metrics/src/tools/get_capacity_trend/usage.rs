//! Usage of each resource: as exactly as is affordable.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Cite, Draft, Evidence, ToolError};

use super::{
    Look,
    ask::{Query, When, ask},
    find::Found,
    measure::told,
};
use crate::{
    analysis::capacity::{Bound, Place, Plan, Reading, Resource, Row, Stat, Usage, track, values_by},
    model::{QueryError, Series},
};

/// What rows of one resource rest on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cites {
    /// Their quantiles.
    pub(super) usage: Cite,
    /// Their trend.
    pub(super) moments: Cite,
}

/// What is to be sent.
pub(super) struct Sending<'s> {
    pub(super) look: &'s Look<'s>,
    pub(super) found: &'s Found,
    pub(super) plan: Plan,
    pub(super) stats: Vec<Stat>,
    /// Whether an autoscaler looks at the mean replica.
    pub(super) is_scaled: bool,
    pub(super) throttled_over: u64,
}

/// What came back about usage.
pub(super) struct Usages {
    pub(super) parts: Vec<Part>,
    pub(super) cites: BTreeMap<Resource, Cites>,
    pub(super) throttled: Option<(Vec<Series>, Cite)>,
    /// Values that are no numbers.
    pub(super) odd: usize,
}

/// Usage of one resource.
pub(super) struct Part {
    resource: Resource,
    stats: BTreeMap<(Place, Vec<String>), f64>,
    mean: BTreeMap<Place, Vec<f64>>,
    tracks: BTreeMap<Place, Vec<f64>>,
}

impl Part {
    /// A row for each place, with its bounds.
    pub(super) fn rows(self, bounds: &BTreeMap<(Place, Vec<String>), f64>, step: f64) -> Vec<Row> {
        let places: BTreeSet<Place> =
            self.stats.keys().map(|(place, _)| place).chain(self.tracks.keys()).cloned().collect();
        let of = |place: Place| {
            let track = self.tracks.get(&place).cloned().unwrap_or_default();
            let usage = match self.stats.is_empty() {
                true => Usage::of_moments(&track, self.mean.get(&place).map(Vec::as_slice)),
                false => {
                    Usage::of(|stat| self.stats.get(&(place.clone(), vec![stat.name().to_owned()])).copied())
                }
            };
            let bound = |bound: Bound| {
                let which = vec![self.resource.name().to_owned(), bound.name().to_owned()];
                Some((bound, *bounds.get(&(place.clone(), which))?))
            };
            let bounds = Bound::ALL.into_iter().filter_map(bound).collect();
            Row::new(place, self.resource, usage, bounds, (track, step))
        };
        places.into_iter().map(of).collect()
    }
}

/// Usage by the plan; when the store will not read so much, at moments only.
///
/// # Errors
/// When that fails too.
pub(super) async fn usage(mut sending: Sending<'_>, draft: &mut Draft) -> Result<(Usages, Plan), ToolError> {
    match sending.send(draft).await {
        Err(error @ QueryError::Rejected { .. }) if sending.plan.reading != Reading::Moments => {
            draft.caveat(format!("read at moments only, because the whole was refused: {error}"));
            sending.plan.reading = Reading::Moments;
            Ok((sending.send(draft).await?, sending.plan))
        }
        usages => Ok((usages?, sending.plan)),
    }
}

impl Sending<'_> {
    async fn send(&self, draft: &mut Draft) -> Result<Usages, QueryError> {
        let (queries, per_resource) = self.queries();
        let mut answers = ask(self.look, &queries, draft).await.into_iter();
        let mut usages = Usages { parts: Vec::new(), cites: BTreeMap::new(), throttled: None, odd: 0 };
        for resource in self.look.resources.iter().copied() {
            let mut own = Vec::new();
            for _ in 0..per_resource {
                own.extend(answers.next().transpose()?);
            }
            let (part, cites, odd) = self.part(resource, own, draft);
            usages.parts.push(part);
            usages.cites.extend(cites.map(|cites| (resource, cites)));
            usages.odd += odd;
        }
        usages.throttled = told(answers.next(), "throttled periods", draft);
        Ok(usages)
    }

    /// One resource from its replies: first the moments, then the numbers or the moments of the mean replica.
    fn part(
        &self,
        resource: Resource,
        replies: Vec<(Vec<Series>, Evidence)>,
        draft: &mut Draft,
    ) -> (Part, Option<Cites>, usize) {
        let labels = self.found.population.labels();
        let grid = self.look.grid(self.plan.step);
        let mut part =
            Part { resource, stats: BTreeMap::new(), mean: BTreeMap::new(), tracks: BTreeMap::new() };
        let mut replies = replies.into_iter();
        let Some((series, moments)) = replies.next() else { return (part, None, 0) };
        let points = series.iter().flat_map(|one| &one.points);
        let mut odd = points.filter(|point| !point.value.is_finite()).count();
        part.tracks = track(series, labels, grid);
        let mut usage = None;
        if let Some((series, evidence)) = replies.next() {
            let cite = draft.cite(evidence);
            match self.plan.reading {
                Reading::Moments => part.mean = track(series, labels, grid),
                Reading::Every(_) => {
                    let (values, left_out) = values_by(&series, labels, &["stat"]);
                    (odd, part.stats) = (odd + left_out, values);
                    usage = Some(cite);
                }
            }
        }
        let moments = draft.cite(moments);
        (part, Some(Cites { usage: usage.unwrap_or(moments), moments }), odd)
    }

    /// For each resource the moments and the numbers; last, throttling. And how many queries there are for each resource.
    fn queries(&self) -> (Vec<Query>, usize) {
        let (plan, population) = (self.plan, &self.found.population);
        let plain = self.found.plain;
        let query = |promql: String, when: When| Query { promql, when, plain, estimate: None };
        let dearest = |query: Query| Query { estimate: Some(plan.samples), ..query };
        let over = When::Over(self.look.grid(plan.step));
        let at = When::At(self.look.end());
        let mut queries = Vec::new();
        let mut per_resource = 2;
        for resource in self.look.resources.iter().copied() {
            match plan.reading {
                Reading::Every(every) => {
                    queries.push(query(population.highest(resource, plan.rate, plan.step, every), over));
                    let span = (self.look.span(), every);
                    let stats = population.stats(resource, plan.rate, span, &self.stats);
                    // Prometheus does not count what a subquery reads inside, so there is nothing to compare with.
                    queries.push(query(stats, at));
                }
                Reading::Moments => {
                    queries.push(dearest(query(population.busiest(resource, plan.rate), over)));
                    match self.is_scaled {
                        true => queries.push(query(population.mean(resource, plan.rate), over)),
                        false => per_resource = 1,
                    }
                }
            }
        }
        if population.has_containers() && self.look.resources.contains(&Resource::Cpu) {
            queries.push(query(population.throttled(self.throttled_over), at));
        }
        (queries, per_resource)
    }
}
