//! Whether a query may run: by how many samples it would read, estimated before it is sent.
//!
//! Nothing is looked up for what can't be dear. Otherwise one look-up counts the series of all selectors, and when it
//! comes near the limit a second one measures how far samples are apart.

use std::collections::BTreeMap;

use contract::{Context, ErrorKind, ToolError, duration_text};
use promql_parser::parser::Expr;

use super::{
    question::{Question, When},
    words::brief,
};
use crate::{
    analysis::{
        promql::{
            self, Course, Estimate, Found, SCRAPE, about, estimate, metric_of, selector_text, selectors,
        },
        ranking::Grid,
    },
    backend::Metrics,
    model::{QueryOptions, Series},
};

/// A metric with more series than this is rare: what is cheap even then is not looked up.
const LARGE: f64 = 50_000.0;
/// What a selector counts as whose series are not known.
const UNKNOWN: u64 = 1_000;
/// An instant query over ranges up to this many seconds is not estimated.
const SHORT: f64 = 3_600.0;
/// More selectors than this are not counted.
const MOST_COUNTED: usize = 10;
/// The fewest points that a cheaper query is suggested with.
const FEWEST_POINTS: usize = 12;

/// Lets the query run, if need be with a coarser step, and says what the reader must know about that.
///
/// # Errors
/// `too_expensive`, with the numbers and a cheaper call.
pub(super) async fn admit(
    cx: &Context,
    store: &dyn Metrics,
    question: &mut Question<'_>,
    most: u64,
) -> Result<Vec<String>, ToolError> {
    let Some(tree) = &question.reading.tree else { return blind(question, most) };
    let found = selectors(tree);
    if found.is_empty() || is_small(question, tree, &found, most) {
        return Ok(Vec::new());
    }
    let meter = Meter::of(cx, store, question, tree, &found, most).await;
    let most = most as f64;
    let reads = meter.reads(tree, question.course());
    if reads.samples <= most {
        return Ok(meter.unknown(&reads).into_iter().collect());
    }
    if let (When::Over { asked, past, grid }, Some(coarse)) = (question.when, question.default_grid()) {
        let cheaper = meter.reads(tree, course(coarse));
        if cheaper.samples <= most {
            let caveat = format!(
                "step {} instead of {}: that would read about {} samples (limit {})",
                duration_text(coarse.step().as_secs_f64()),
                duration_text(grid.step().as_secs_f64()),
                about(reads.samples),
                about(most)
            );
            question.when = When::Over { asked, past, grid: coarse };
            return Ok([caveat].into_iter().chain(meter.unknown(&reads)).collect());
        }
    }
    if !meter.has_failed && meter.certain(tree, question.course()) <= most {
        return Ok(meter.unknown(&reads).into_iter().collect());
    }
    Err(too_expensive(question, &meter, &reads, most))
}

fn course(grid: Grid) -> Course {
    Course::range(grid.count(), grid.step().as_secs_f64())
}

fn is_small(question: &Question<'_>, tree: &Expr, found: &[Found<'_>], most: u64) -> bool {
    // Without a metric's name a range may be one of everything there is.
    let is_short = |one: &Found<'_>| {
        let is_named = metric_of(one.selector).is_some();
        one.subqueries.is_empty() && one.range.is_none_or(|range| is_named && range.as_secs_f64() <= SHORT)
    };
    if matches!(question.when, When::At(_)) && found.iter().all(is_short) {
        return true;
    }
    let each = estimate(tree, question.course(), SCRAPE, 1, &|_| None).samples;
    found.iter().all(|one| metric_of(one.selector).is_some()) && each * LARGE <= most as f64
}

/// What is known about the store that an estimate needs.
struct Meter {
    series: BTreeMap<String, u64>,
    /// Whether counting them failed: then nothing bounds what the query reads.
    has_failed: bool,
    /// Distance of samples in seconds.
    scrape: f64,
}

impl Meter {
    async fn of(
        cx: &Context,
        store: &dyn Metrics,
        question: &Question<'_>,
        tree: &Expr,
        found: &[Found<'_>],
        most: u64,
    ) -> Meter {
        let counted = count(cx, store, question, found).await;
        let has_failed = counted.is_none();
        let mut meter = Meter { series: counted.unwrap_or_default(), has_failed, scrape: SCRAPE };
        if meter.reads(tree, question.course()).samples * 4.0 > most as f64 {
            meter.scrape = measure_scrape(cx, store, question).await.unwrap_or(SCRAPE);
        }
        meter
    }

    fn reads(&self, tree: &Expr, course: Course) -> Estimate {
        estimate(tree, course, self.scrape, UNKNOWN, &|selector| self.series.get(selector).copied())
    }

    /// The part of the estimate that does not rest on unknown series.
    fn certain(&self, tree: &Expr, course: Course) -> f64 {
        estimate(tree, course, self.scrape, 0, &|selector| self.series.get(selector).copied()).samples
    }

    fn unknown(&self, reads: &Estimate) -> Option<String> {
        let names: Vec<&str> = reads
            .parts
            .iter()
            .filter(|part| part.series.is_none())
            .map(|part| part.selector.as_str())
            .collect();
        let first = names.first()?;
        Some(format!(
            "the series of {first} could not be counted, so what this reads was not bounded beforehand"
        ))
    }
}

/// The series of each selector at the end of the query, by one look-up; `None` when it failed.
async fn count(
    cx: &Context,
    store: &dyn Metrics,
    question: &Question<'_>,
    found: &[Found<'_>],
) -> Option<BTreeMap<String, u64>> {
    let mut selectors: Vec<String> = found.iter().map(|one| selector_text(one.selector)).collect();
    selectors.sort();
    selectors.dedup();
    selectors.truncate(MOST_COUNTED);
    let query = match selectors.as_slice() {
        [only] => format!("count({only})"),
        several => {
            let each = several.iter().enumerate().map(|(place, selector)| {
                format!("label_replace(count({selector}), \"selector\", \"{place}\", \"\", \"\")")
            });
            each.collect::<Vec<_>>().join(" or ")
        }
    };
    let reply = store.instant(cx, &query, question.end(), QueryOptions::default()).await.ok()?;
    let counted = reply.data.into_series();
    let of = |place: usize| {
        let is_it = |one: &&Series| match one.labels.get("selector") {
            Some(label) => label.inside() == place.to_string(),
            None => selectors.len() == 1,
        };
        let row = counted.iter().find(is_it).and_then(|one| one.points.first());
        // No row: no series at that moment, which is not the same as unknown.
        row.map_or(0, |point| point.value as u64)
    };
    Some(selectors.iter().enumerate().map(|(place, selector)| (selector.clone(), of(place))).collect())
}

/// How far the samples of the most frequent target are apart, in seconds.
async fn measure_scrape(cx: &Context, store: &dyn Metrics, question: &Question<'_>) -> Option<f64> {
    let query = "max(count_over_time(up[5m]))";
    let reply = store.instant(cx, query, question.end(), QueryOptions::default()).await.ok()?;
    let samples = reply.data.series().first()?.points.first()?.value;
    (samples >= 1.0).then(|| 300.0 / samples)
}

/// A query without a tree may run only where its ranges are harmless for a metric of usual size.
fn blind(question: &Question<'_>, most: u64) -> Result<Vec<String>, ToolError> {
    let each = promql::blind_cost(&question.reading, question.course(), SCRAPE);
    if each * UNKNOWN as f64 <= most as f64 {
        return Ok(vec![
            "not analysed: this server's reader of PromQL does not know all of the query; the source decides"
                .to_owned(),
        ]);
    }
    let problem = format!(
        "this query could not be analysed, and would read up to {} samples of each series",
        about(each)
    );
    Err(ToolError::new(
        ErrorKind::TooExpensive,
        problem,
        "shorten the ranges in [ ] or the time_range, or write the query in plain PromQL",
    ))
}

fn too_expensive(question: &Question<'_>, meter: &Meter, reads: &Estimate, most: f64) -> ToolError {
    let mut problem =
        format!("this would read about {} samples (limit {})", about(reads.samples), about(most));
    if let Some(part) = reads.parts.first() {
        let (series, each) = (about(part.series.unwrap_or(UNKNOWN) as f64), about(part.per_series));
        let every = duration_text(meter.scrape.round());
        let selector = brief(&part.selector);
        problem.push_str(&match part.series {
            Some(_) => format!(": {series} series of {selector} × {each} samples each (one every {every})"),
            None => format!(
                ": the series of {selector} could not be counted; with {series} it is {each} samples each (one every \
                 {every})"
            ),
        });
    }
    let remedy = "aggregating does not help, because every series is read first: use a coarser step, a shorter \
                  time_range, a shorter range in [ ] or more matchers";
    let error = ToolError::new(ErrorKind::TooExpensive, problem, remedy);
    cheaper(question, meter, most).into_iter().fold(error, |error, cheaper| {
        let next =
            question.again(&cheaper.promql, &format!("reads about {} samples", about(cheaper.samples)));
        error.try_next(match cheaper.change {
            Some((argument, value)) => next.with(argument, value),
            None => next,
        })
    })
}

/// A call that stays below the limit.
struct Cheaper {
    promql: String,
    /// An argument that differs.
    change: Option<(&'static str, String)>,
    samples: f64,
}

/// Calls that stay below the limit: with a coarser step, over a shorter window, else with shorter ranges.
fn cheaper(question: &Question<'_>, meter: &Meter, most: f64) -> Vec<Cheaper> {
    let Some(tree) = &question.reading.tree else { return Vec::new() };
    let mut found = Vec::new();
    let promql = || question.promql.to_owned();
    if let When::Over { grid, .. } = question.when {
        let coarser = question.coarser_grids().into_iter().filter(|grid| grid.count() >= FEWEST_POINTS);
        let fits = coarser
            .map(|grid| (grid, meter.reads(tree, course(grid)).samples))
            .find(|(_, reads)| *reads <= most);
        if let Some((coarse, samples)) = fits {
            let step = duration_text(coarse.step().as_secs_f64());
            found.push(Cheaper { promql: promql(), change: Some(("step", step)), samples });
        }
        if let Some((window, samples)) = shorter(question, meter, tree, grid, most) {
            found.push(Cheaper { promql: promql(), change: Some(("time_range", window)), samples });
        }
    }
    if found.is_empty() {
        found.extend(shorter_ranges(question, meter, most));
    }
    found
}

/// Lengths of windows and ranges that people use, in seconds.
const LENGTHS: [u64; 12] =
    [1_209_600, 604_800, 259_200, 86_400, 43_200, 21_600, 10_800, 3_600, 1_800, 900, 600, 300];

/// The longest latest part of the window that fits.
fn shorter(
    question: &Question<'_>,
    meter: &Meter,
    tree: &Expr,
    grid: Grid,
    most: f64,
) -> Option<(String, f64)> {
    LENGTHS.iter().find_map(|length| {
        let (window, text) = question.latest(*length)?;
        let samples = meter.reads(tree, course(Grid::lay(window, grid.step().as_secs()))).samples;
        (samples <= most).then_some((text, samples))
    })
}

/// The query with its long ranges cut to the longest that fits, in as few moments as need be.
fn shorter_ranges(question: &Question<'_>, meter: &Meter, most: f64) -> Option<Cheaper> {
    let grids = question.coarser_grids();
    let courses: Vec<(Course, Option<Grid>)> = [(question.course(), None)]
        .into_iter()
        .chain(grids.into_iter().map(|grid| (course(grid), Some(grid))))
        .collect();
    for length in LENGTHS {
        let Some(promql) = promql::shorten(&question.reading, length as f64) else { continue };
        let reading = promql::read(&promql).ok()?;
        let tree = reading.tree.as_ref()?;
        for (course, grid) in &courses {
            let samples = meter.reads(tree, *course).samples;
            if samples <= most {
                let step = grid.map(|grid| ("step", duration_text(grid.step().as_secs_f64())));
                return Some(Cheaper { promql, change: step, samples });
            }
        }
    }
    None
}
