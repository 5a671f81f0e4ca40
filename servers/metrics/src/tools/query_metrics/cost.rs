//! Whether a query may run: narrowed where its step was given, refused with cheaper calls where nothing else helps.
//! What it would read is estimated by the guard all tools share, [`crate::tools::cost`].

use contract::{ToolError, duration_text};
use promql_parser::parser::Expr;

use super::question::{Question, When};
use crate::{
    analysis::{
        promql::{self, Course, about},
        ranking::Grid,
    },
    tools::cost::{Decision, Guard, Moments, Weighed, Weight, estimated},
};

/// The fewest points that a cheaper query is suggested with.
const FEWEST_POINTS: usize = 12;

/// Lets the query run, if need be with a coarser step; its estimate, when one was made.
///
/// # Errors
/// `too_expensive`, with the numbers and a cheaper call.
pub(super) async fn admit(guard: &Guard<'_>, question: &mut Question<'_>) -> Result<Option<f64>, ToolError> {
    let weighed = guard.weigh(&question.reading, moments(question)).await;
    if let (Weighed::Known(weight), Some(tree)) = (&weighed, &question.reading.tree)
        && !weight.fits(guard.most())
        && let (When::Over { asked, past, grid }, Some(coarse)) = (question.when, question.default_grid())
        && weight.of(tree, course(coarse)) <= guard.most()
        && guard.narrows(weight, grid.step(), coarse.step())
    {
        question.when = When::Over { asked, past, grid: coarse };
    } else if let Decision::Refuse(error) = guard.decide(&weighed) {
        return Err(too_expensive(question, &weighed, guard.most(), error));
    }
    Ok(estimated(&weighed, &question.reading, moments(question)))
}

fn moments(question: &Question<'_>) -> Moments {
    match question.when {
        When::At(at) => Moments::at(at),
        When::Over { grid, .. } => Moments::between(grid.first(), grid.last(), grid.step(), grid.count()),
    }
}

fn course(grid: Grid) -> Course {
    Course::range(grid.count(), grid.step().as_secs_f64())
}

fn too_expensive(question: &Question<'_>, weighed: &Weighed, most: f64, error: ToolError) -> ToolError {
    let Weighed::Known(weight) = weighed else {
        return error.remedy(
            "shorten the ranges in [ ] or the time_range, write them as plain durations, or write the query in plain \
             PromQL",
        );
    };
    let remedy = "aggregating does not help, because every series is read first: use a coarser step, a shorter \
                  time_range, a shorter range in [ ] or more matchers";
    cheaper(question, weight, most).into_iter().fold(error.remedy(remedy), |error, cheaper| {
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
fn cheaper(question: &Question<'_>, weight: &Weight, most: f64) -> Vec<Cheaper> {
    let Some(tree) = &question.reading.tree else { return Vec::new() };
    let mut found = Vec::new();
    let promql = || question.promql.to_owned();
    if let When::Over { grid, .. } = question.when {
        let coarser = question.coarser_grids().into_iter().filter(|grid| grid.count() >= FEWEST_POINTS);
        let fits =
            coarser.map(|grid| (grid, weight.of(tree, course(grid)))).find(|(_, reads)| *reads <= most);
        if let Some((coarse, samples)) = fits {
            let step = duration_text(coarse.step().as_secs_f64());
            found.push(Cheaper { promql: promql(), change: Some(("step", step)), samples });
        }
        if let Some((window, samples)) = shorter(question, weight, tree, grid, most) {
            found.push(Cheaper { promql: promql(), change: Some(("time_range", window)), samples });
        }
    }
    if found.is_empty() {
        found.extend(shorter_ranges(question, weight, most));
    }
    found
}

/// Lengths of windows and ranges that people use, in seconds.
const LENGTHS: [u64; 12] =
    [1_209_600, 604_800, 259_200, 86_400, 43_200, 21_600, 10_800, 3_600, 1_800, 900, 600, 300];

/// The longest latest part of the window that fits.
fn shorter(
    question: &Question<'_>,
    weight: &Weight,
    tree: &Expr,
    grid: Grid,
    most: f64,
) -> Option<(String, f64)> {
    LENGTHS.iter().find_map(|length| {
        let (window, text) = question.latest(*length)?;
        let samples = weight.of(tree, course(Grid::lay(window, grid.step().as_secs())));
        (samples <= most).then_some((text, samples))
    })
}

/// The query with its long ranges cut to the longest that fits, in as few moments as need be.
fn shorter_ranges(question: &Question<'_>, weight: &Weight, most: f64) -> Option<Cheaper> {
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
            let samples = weight.of(tree, *course);
            if samples <= most {
                let step = grid.map(|grid| ("step", duration_text(grid.step().as_secs_f64())));
                return Some(Cheaper { promql, change: step, samples });
            }
        }
    }
    None
}
