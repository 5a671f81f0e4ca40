//! Measuring: what is sent in which order, and rows made of the replies.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Cite, Draft, ErrorKind, Evidence, Next, ToolError, duration_text};

use super::{
    Look,
    ask::{Answered, Query, When, ask},
    find::Found,
};
use crate::{
    analysis::{
        capacity::{
            Bound, DAY, Place, Plan, Population, Reading, Resource, Row, Size, Stat, Usage, plan, rank,
            track, values_by,
        },
        promql::{SCRAPE, about},
        ranking::{Grid, automatic_step},
    },
    model::{QueryError, Series},
};

/// Steps of the range query give about so many moments, for one service and for all.
const POINTS: [u64; 4] = [240, 120, 60, 30];
const POINTS_OF_ALL: [u64; 3] = [120, 60, 30];

/// Points of one reply at most, of about 30 bytes each: replies are cut at 8 MiB.
const MOST_POINTS: usize = 150_000;

/// What was measured.
pub(super) struct Measured {
    /// The nearest to its ceiling first.
    pub(super) rows: Vec<Row>,
    pub(super) plan: Plan,
    pub(super) grid: Grid,
    /// What the rows' usage rests on.
    pub(super) usage: Cite,
    pub(super) trend: Cite,
    pub(super) bounds: Option<Cite>,
    /// Share of periods in which CPU was held back, over so many seconds.
    pub(super) throttled: BTreeMap<Place, f64>,
    pub(super) throttled_over: u64,
    pub(super) throttling: Option<Cite>,
    /// What kube-state-metrics says about the workload.
    pub(super) workload: Option<(Vec<Series>, Cite)>,
}

/// Measures usage, bounds, throttling and what scales the workload.
///
/// # Errors
/// When usage can't be measured, or would cost too much.
pub(super) async fn measure(
    look: &Look<'_>,
    found: &Found,
    draft: &mut Draft,
) -> Result<Measured, ToolError> {
    let first = ask(look, &firsts(look, found), draft).await;
    let mut first = first.into_iter();
    let scrape = scrape(first.next());
    let bounds = told(first.next(), "requests and limits", draft);
    let workload = told(first.next(), "replicas and autoscalers", draft);
    let plan = planned(look, found, scrape)?;
    let throttled_over = throttled_over(look, found, scrape);

    let (usage, plan) = usage(look, found, plan, throttled_over, draft).await?;
    let labels = found.population.labels();
    let mut odd = 0;
    let bounds = bounds.map(|(series, cite)| {
        let (values, left_out) = values_by(&series, labels, &["resource", "stat"]);
        odd += left_out;
        (values, cite)
    });
    let throttled = usage.throttled.map(|(series, cite)| {
        // A container without a quota has no periods: 0 ÷ 0 is no share, and no doubt.
        let (values, _) = values_by(&series, labels, &[]);
        (values.into_iter().map(|((place, _), value)| (place, value)).collect(), cite)
    });
    let empty = BTreeMap::new();
    let known = bounds.as_ref().map_or(&empty, |(values, _)| values);
    let mut rows: Vec<Row> = usage.parts.into_iter().flat_map(|part| part.rows(known, usage.step)).collect();
    odd += usage.odd;
    if odd > 0 {
        draft.caveat(format!("{odd} values are NaN or infinite, and left out"));
    }
    rank(&mut rows);
    let (throttled, throttling) = match throttled {
        Some((values, cite)) => (values, Some(cite)),
        None => (BTreeMap::new(), None),
    };
    Ok(Measured {
        rows,
        plan,
        grid: look.grid(plan.step),
        usage: usage.cite,
        trend: usage.trend,
        bounds: bounds.map(|(_, cite)| cite),
        throttled,
        throttled_over,
        throttling,
        workload,
    })
}

/// What the further questions depend on: distance of samples, bounds, and for one service what scales it.
fn firsts(look: &Look<'_>, found: &Found) -> Vec<Query> {
    let population = &found.population;
    let query = |promql: String, when: When| Query { promql, when, plain: found.plain };
    let coarse = look.grid((look.span() / 8).max(60));
    let mut queries = vec![
        query(population.samples_in_quarter(), When::Over(coarse)),
        // Where nothing runs any more, what held when it was last seen.
        query(population.bounds(), When::At(found.last_seen)),
    ];
    if let (Some(service), true) = (look.service, population.has_containers()) {
        let mut all = query(population.workload(service), When::At(found.last_seen));
        all.plain = all.plain && look.cx.intake.text(service).plain().is_some();
        queries.push(all);
    }
    queries
}

/// Distance of samples in seconds: what held for most of the window.
fn scrape(answered: Option<Answered>) -> f64 {
    const QUARTER: f64 = 900.0;
    let Some(Ok((series, _))) = answered else { return SCRAPE };
    let counts: Vec<f64> = series.iter().flat_map(|one| one.points.iter().map(|point| point.value)).collect();
    signal::median(&counts).filter(|count| *count >= 1.0).map_or(SCRAPE, |count| QUARTER / count)
}

/// The series of an answer that may fail: then a caveat says what is not known.
fn told(answered: Option<Answered>, what: &str, draft: &mut Draft) -> Option<(Vec<Series>, Cite)> {
    match answered? {
        Ok((series, evidence)) => Some((series, draft.cite(evidence))),
        Err(error) => {
            draft.caveat(format!("{what} are not known: {error}"));
            None
        }
    }
}

fn stats(population: &Population) -> &'static [Stat] {
    match population {
        Population::Workloads(_) => &[Stat::P95, Stat::P99, Stat::Max],
        Population::Containers(_) | Population::Processes(_) => &Stat::ALL,
    }
}

fn planned(look: &Look<'_>, found: &Found, scrape: f64) -> Result<Plan, ToolError> {
    let points: &[u64] = match look.service {
        Some(_) => &POINTS,
        None => &POINTS_OF_ALL,
    };
    let rows = found.replicas.len().max(1);
    let fits = |points: &&u64| rows.saturating_mul(**points as usize) <= MOST_POINTS;
    let mut fitting: Vec<u64> = points.iter().filter(fits).copied().collect();
    if fitting.is_empty() {
        fitting.extend(points.last());
    }
    let mut steps: Vec<u64> =
        fitting.into_iter().map(|points| automatic_step(look.window, points, 60.0)).collect();
    steps.dedup();
    let size = Size { series: found.series, span: look.span(), scrape, most: look.limits.max_samples as f64 };
    plan(size, &steps, stats(&found.population)).map_err(|reads| too_expensive(look, found, reads))
}

fn too_expensive(look: &Look<'_>, found: &Found, reads: f64) -> ToolError {
    let problem = format!(
        "usage of {} series over {} would read about {} samples at the coarsest step (limit {})",
        found.series,
        look.length(),
        about(reads),
        about(look.limits.max_samples as f64)
    );
    let again = |why: &str| {
        let next = Next::call("get_capacity_trend", why);
        match look.source {
            Some(source) => next.with("source", source),
            None => next,
        }
    };
    let shorter = duration_text((look.window.seconds() / 4.0 / 3_600.0).ceil() * 3_600.0);
    let mut next = again("a shorter time").with("time_range", shorter);
    if let Some(service) = look.service {
        next = next.with("service", service);
    }
    ToolError::new(
        ErrorKind::TooExpensive,
        problem,
        "narrow it: a service, a namespace, or a shorter time_range",
    )
    .try_next(next)
}

/// Throttling over the whole window where that is affordable, else over its last day.
fn throttled_over(look: &Look<'_>, found: &Found, scrape: f64) -> u64 {
    let reads = 2.0 * found.series * look.window.seconds() / scrape.max(1.0);
    match reads <= look.limits.max_samples as f64 {
        true => look.span(),
        false => look.span().min(DAY as u64),
    }
}

/// What came back about usage.
struct Usages {
    parts: Vec<Part>,
    cite: Cite,
    trend: Cite,
    throttled: Option<(Vec<Series>, Cite)>,
    step: f64,
    odd: usize,
}

/// Usage of one resource.
struct Part {
    resource: Resource,
    stats: BTreeMap<(Place, Vec<String>), f64>,
    mean: BTreeMap<Place, Vec<f64>>,
    tracks: BTreeMap<Place, Vec<f64>>,
}

impl Part {
    fn rows(self, bounds: &BTreeMap<(Place, Vec<String>), f64>, step: f64) -> Vec<Row> {
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
async fn usage(
    look: &Look<'_>,
    found: &Found,
    plan: Plan,
    throttled_over: u64,
    draft: &mut Draft,
) -> Result<(Usages, Plan), ToolError> {
    match try_usage(look, found, plan, throttled_over, draft).await {
        Err(error @ QueryError::Rejected { .. }) if plan.reading != Reading::Moments => {
            draft.caveat(format!("read at moments only, because the whole was refused: {error}"));
            let plan = Plan { reading: Reading::Moments, ..plan };
            Ok((try_usage(look, found, plan, throttled_over, draft).await?, plan))
        }
        usages => Ok((usages?, plan)),
    }
}

async fn try_usage(
    look: &Look<'_>,
    found: &Found,
    plan: Plan,
    throttled_over: u64,
    draft: &mut Draft,
) -> Result<Usages, QueryError> {
    let (queries, per_resource) = queries(look, found, plan, throttled_over);
    let mut answers = ask(look, &queries, draft).await.into_iter();
    let labels = found.population.labels();
    let grid = look.grid(plan.step);
    let (mut parts, mut cites, mut odd) = (Vec::new(), Vec::new(), 0);
    for resource in look.resources.iter().copied() {
        let mut part =
            Part { resource, stats: BTreeMap::new(), mean: BTreeMap::new(), tracks: BTreeMap::new() };
        let mut own: Vec<(Vec<Series>, Evidence)> = Vec::new();
        for _ in 0..per_resource {
            own.extend(answers.next().transpose()?);
        }
        let mut own = own.into_iter();
        if let Some((series, evidence)) = own.next() {
            odd += series.iter().flat_map(|one| &one.points).filter(|point| !point.value.is_finite()).count();
            part.tracks = track(series, labels, grid);
            cites.push((draft.cite(evidence), true));
        }
        if let Some((series, evidence)) = own.next() {
            match plan.reading {
                Reading::Moments => part.mean = track(series, labels, grid),
                Reading::Every(_) => {
                    let (values, left_out) = values_by(&series, labels, &["stat"]);
                    odd += left_out;
                    part.stats = values;
                }
            }
            cites.push((draft.cite(evidence), false));
        }
        parts.push(part);
    }
    let throttled = told(answers.next(), "throttled periods", draft);
    let first = |is_trend: bool| cites.iter().find(|(_, trend)| *trend == is_trend).map(|(cite, _)| *cite);
    let trend = first(true).unwrap_or(found.cite);
    let cite = first(false).unwrap_or(trend);
    Ok(Usages { parts, cite, trend, throttled, step: plan.step as f64, odd })
}

/// For each resource the moments and the numbers; last, throttling. And how many queries there are for each resource.
fn queries(look: &Look<'_>, found: &Found, plan: Plan, throttled_over: u64) -> (Vec<Query>, usize) {
    let population = &found.population;
    let query = |promql: String, when: When| Query { promql, when, plain: found.plain };
    let over = When::Over(look.grid(plan.step));
    let mut queries = Vec::new();
    let mut per_resource = 2;
    for resource in look.resources.iter().copied() {
        match plan.reading {
            Reading::Every(every) => {
                queries.push(query(population.highest(resource, plan.rate, plan.step, every), over));
                let stats = population.stats(resource, plan.rate, (look.span(), every), stats(population));
                queries.push(query(stats, When::At(look.end())));
            }
            Reading::Moments => {
                queries.push(query(population.busiest(resource, plan.rate), over));
                match look.service {
                    Some(_) => queries.push(query(population.mean(resource, plan.rate), over)),
                    None => per_resource = 1,
                }
            }
        }
    }
    if population.has_containers() && look.resources.contains(&Resource::Cpu) {
        queries.push(query(population.throttled(throttled_over), When::At(look.end())));
    }
    (queries, per_resource)
}
