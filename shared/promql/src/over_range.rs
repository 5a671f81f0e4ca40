//! Range vectors: windows of recorded samples, or of the results of a subquery.

use crate::eval::{Evaluation, Grid};
use crate::functions::RangeFunction;
use crate::labels::Labels;
use crate::plan::{Matrix, Vector, When};
use crate::track::{Point, Track};
use crate::value::{EvalError, Series};
use crate::window::{Columns, Slider, Window};

/// What a function makes of the window of each series at each step. Windows begin after their range's start.
pub(crate) fn apply(
    evaluation: &Evaluation<'_>,
    function: RangeFunction,
    of: &Matrix,
    parameter: Option<&[f64]>,
    keeps_name: bool,
    grid: Grid,
) -> Result<Vec<Track>, EvalError> {
    let rolling = Rolling { evaluation, function, parameter, grid };
    let mut tracks = Vec::new();
    let mut push = |labels: &Labels, points: Vec<Point>| {
        if !points.is_empty() {
            let labels = if keeps_name { labels.clone() } else { labels.without_metadata() };
            tracks.push(Track { labels, points });
        }
    };
    match of {
        Matrix::Select { select, range } => {
            for series in evaluation.store.select(&select.matchers) {
                let columns = Columns { timestamps: &series.timestamps, values: &series.values };
                push(&series.labels, rolling.points(columns, select.when, *range)?);
            }
        }
        Matrix::Subquery { of, range, step, when } => {
            for series in subquery(evaluation, of, *range, *step, *when, grid)? {
                let columns = Columns { timestamps: &series.timestamps, values: &series.values };
                push(&series.labels, rolling.points(columns, *when, *range)?);
            }
        }
    }
    Ok(tracks)
}

/// A range vector as the result of a query: the samples of each series within the one range.
pub(crate) fn raw(evaluation: &Evaluation<'_>, of: &Matrix, grid: Grid) -> Result<Vec<Series>, EvalError> {
    let (select, range) = match of {
        Matrix::Subquery { of, range, step, when } => {
            return subquery(evaluation, of, *range, *step, *when, grid);
        }
        Matrix::Select { select, range } => (select, *range),
    };
    let end = evaluation.moment(select.when, grid.start);
    let mut found = Vec::new();
    for series in evaluation.store.select(&select.matchers) {
        let columns = Columns { timestamps: &series.timestamps, values: &series.values };
        let window = Slider::over(columns).slide(end.saturating_sub(range), end);
        evaluation.produced(window.values.len())?;
        if !window.values.is_empty() {
            let (timestamps, values) = (window.timestamps.to_vec(), window.values.to_vec());
            found.push(Series { labels: series.labels.clone(), timestamps, values });
        }
    }
    Ok(found)
}

struct Rolling<'r, 'e> {
    evaluation: &'r Evaluation<'e>,
    function: RangeFunction,
    parameter: Option<&'r [f64]>,
    grid: Grid,
}

impl Rolling<'_, '_> {
    fn points(&self, columns: Columns<'_>, when: When, range: i64) -> Result<Vec<Point>, EvalError> {
        let mut slider = Slider::over(columns);
        let mut points = Vec::new();
        let mut read = self.grid.count as usize;
        for step in self.grid.steps() {
            let at = self.grid.at(step);
            let end = self.evaluation.moment(when, at);
            let start = end.saturating_sub(range);
            let Columns { timestamps, values } = slider.slide(start, end);
            if values.is_empty() {
                continue;
            }
            read += values.len();
            let window = Window { timestamps, values, start, end, step: at };
            let parameter =
                self.parameter.and_then(|all| all.get(step as usize)).copied().unwrap_or(f64::NAN);
            if let Some(value) = (self.function)(&window, parameter) {
                points.push(Point { step, value });
            }
        }
        self.evaluation.read(read)?;
        self.evaluation.produced(points.len())?;
        Ok(points)
    }
}

/// The results of a subquery at the multiples of its step that the windows of any outer step reach.
fn subquery(
    evaluation: &Evaluation<'_>,
    of: &Vector,
    range: i64,
    step: Option<i64>,
    when: When,
    grid: Grid,
) -> Result<Vec<Series>, EvalError> {
    let step = step.unwrap_or(evaluation.options.evaluation_interval_ms).max(1);
    let after = evaluation.moment(when, grid.start).saturating_sub(range);
    let start = after.div_euclid(step).saturating_add(1).saturating_mul(step);
    let end = evaluation.moment(when, grid.last());
    if end < start {
        return Ok(Vec::new());
    }
    let steps = end.saturating_sub(start) / step + 1;
    let limit = evaluation.options.max_samples;
    let count = u32::try_from(steps).ok().filter(|count| *count as usize <= limit);
    let inner = Grid { start, step, count: count.ok_or(EvalError::TooManySamples { limit })? };
    let tracks = evaluation.vector(of, inner)?;
    Ok(tracks.into_iter().map(|track| track.into_series(inner)).collect())
}
