//! Measuring: what is sent in which order, and rows made of the replies.

use std::collections::BTreeMap;

use contract::{Cite, Draft, ErrorKind, Next, ToolError, duration_text};

use super::{
    Look,
    ask::{Answered, Query, When, ask},
    find::Found,
    usage::{Cites, Sending, usage},
};
use crate::{
    analysis::{
        capacity::{
            DAY, Place, Plan, Population, Resource, Row, Size, Stat, autoscalers, plan, rank, values_by,
        },
        promql::{SCRAPE, about},
        ranking::{Grid, automatic_step},
    },
    config::CostGuard,
    model::Series,
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
    /// What replicas rest on.
    pub(super) counted: Cite,
    /// What rows of each resource rest on.
    pub(super) cites: BTreeMap<Resource, Cites>,
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
    let counted = draft.cite(found.evidence.clone());
    let mut first = ask(look, &firsts(look, found), draft).await.into_iter();
    let scrape = scrape(first.next());
    let bounds = told(first.next(), "requests and limits", draft);
    let workload = first.next();
    let told_by_state = workload.as_ref().and_then(|answered| answered.as_ref().ok());
    let is_scaled = look.service.zip(told_by_state).is_some_and(|(service, (series, _))| {
        autoscalers(series, service).iter().any(|one| !one.targets.is_empty())
    });
    let stats = stats(&found.population, is_scaled);
    let plan = planned(look, found, scrape, &stats, draft)?;
    let throttled_over = throttled_over(look, found, scrape);
    let sending = Sending { look, found, plan, stats, is_scaled, throttled_over };
    let (usage, plan) = usage(sending, draft).await?;

    let workload = told(workload, "replicas and autoscalers", draft);
    let labels = found.population.labels();
    let mut odd = usage.odd;
    let bounds = bounds.map(|(series, cite)| {
        let (values, left_out) = values_by(&series, labels, &["resource", "stat"]);
        odd += left_out;
        (values, cite)
    });
    let empty = BTreeMap::new();
    let known = bounds.as_ref().map_or(&empty, |(values, _)| values);
    let step = plan.step as f64;
    let mut rows: Vec<Row> = usage.parts.into_iter().flat_map(|part| part.rows(known, step)).collect();
    if odd > 0 {
        draft.caveat(format!(
            "{} NaN or infinite, and left out",
            contract::counted(odd as u64, "value is", "values are")
        ));
    }
    rank(&mut rows);
    let throttling = usage.throttled.as_ref().map(|(_, cite)| *cite);
    // A container without a quota has no periods: 0 ÷ 0 is no share, and no doubt.
    let throttled = usage.throttled.map_or(BTreeMap::new(), |(series, _)| values_by(&series, labels, &[]).0);
    Ok(Measured {
        rows,
        plan,
        grid: look.grid(plan.step),
        counted,
        cites: usage.cites,
        bounds: bounds.map(|(_, cite)| cite),
        throttled: throttled.into_iter().map(|((place, _), value)| (place, value)).collect(),
        throttled_over,
        throttling,
        workload,
    })
}

/// What the further questions depend on: distance of samples, bounds, and for one service what scales it.
fn firsts(look: &Look<'_>, found: &Found) -> Vec<Query> {
    let population = &found.population;
    let query = |promql: String, when: When| Query { promql, when, plain: found.plain, estimate: None };
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
pub(super) fn told(answered: Option<Answered>, what: &str, draft: &mut Draft) -> Option<(Vec<Series>, Cite)> {
    match answered? {
        Ok((series, evidence)) => Some((series, draft.cite(evidence))),
        Err(error) => {
            draft.caveat(format!("{what} are not known: {error}"));
            None
        }
    }
}

/// The numbers that are needed; the mean replica only where an autoscaler looks at it.
fn stats(population: &Population, is_scaled: bool) -> Vec<Stat> {
    let is_needed = |stat: &Stat| match stat {
        Stat::P50 => !matches!(population, Population::Workloads(_)),
        Stat::Mean => is_scaled,
        Stat::P95 | Stat::P99 | Stat::Max => true,
    };
    Stat::ALL.into_iter().filter(is_needed).collect()
}

fn planned(
    look: &Look<'_>,
    found: &Found,
    scrape: f64,
    stats: &[Stat],
    draft: &mut Draft,
) -> Result<Plan, ToolError> {
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
    let most = look.limits.max_samples as f64;
    let size = Size { series: found.series, span: look.span(), scrape, most };
    let allowed = plan(size, &steps, stats);
    let free = || plan(Size { most: f64::INFINITY, ..size }, &steps, stats);
    match (look.limits.cost_guard, allowed) {
        (CostGuard::Enforce, allowed) => allowed.map_err(|reads| too_expensive(look, found, reads)),
        (CostGuard::Off, _) => free().map_err(|reads| too_expensive(look, found, reads)),
        (CostGuard::Shadow, allowed) => {
            let free = free().map_err(|reads| too_expensive(look, found, reads))?;
            if allowed != Ok(free) {
                let what = if allowed.is_ok() { "read less" } else { "been refused" };
                draft.caveat(format!(
                    "cost guard (shadow): would have {what}: this reads about {} samples (limit {})",
                    about(free.samples),
                    about(most)
                ));
            }
            Ok(free)
        }
    }
}

fn too_expensive(look: &Look<'_>, found: &Found, reads: f64) -> ToolError {
    let problem = format!(
        "usage of {} series over {} would read about {} samples at the coarsest step (limit {})",
        found.series,
        look.length(),
        about(reads),
        about(look.limits.max_samples as f64)
    );
    let shorter = duration_text((look.window.seconds() / 4.0 / 3_600.0).ceil() * 3_600.0);
    let next = Next::call("get_capacity_trend", "a shorter time").with("time_range", shorter);
    let arguments = [("service", look.service), ("namespace", look.namespace), ("source", look.source)];
    let next = arguments.into_iter().fold(next, |next, (name, value)| match value {
        Some(value) => next.with(name, value),
        None => next,
    });
    ToolError::new(
        ErrorKind::TooExpensive,
        problem,
        "narrow it: a service, a namespace, or a shorter time_range",
    )
    .try_next(next)
}

/// Throttling over the whole window where that is affordable, else over its last day.
fn throttled_over(look: &Look<'_>, found: &Found, scrape: f64) -> u64 {
    // Throttled periods once, all periods twice.
    let reads = 3.0 * found.series * look.window.seconds() / scrape.max(1.0);
    let is_bound = look.limits.cost_guard == CostGuard::Enforce;
    match !is_bound || reads <= look.limits.max_samples as f64 {
        true => look.span(),
        false => look.span().min(DAY as u64),
    }
}
