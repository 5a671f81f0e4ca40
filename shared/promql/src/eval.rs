//! Evaluation: a plan over a grid of steps gives numbers at each step.

use std::cell::Cell;

use crate::aggregate;
use crate::binary;
use crate::each;
use crate::functions;
use crate::histogram_calls as histograms;
use crate::labels::Labels;
use crate::over_range;
use crate::plan::{At, Node, Scalar, Vector, When};
use crate::query::{Plan, Query};
use crate::select;
use crate::sets;
use crate::store::Store;
use crate::track::{Point, Track, distinct, gathered};
use crate::value::{EvalError, Options, Sample, Series, Value};
use crate::vector_match;

/// Steps at equal distances, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    pub(crate) start: i64,
    pub(crate) step: i64,
    pub(crate) count: u32,
}

impl Grid {
    pub(crate) fn instant(at: i64) -> Grid {
        Grid { start: at, step: 1, count: 1 }
    }

    /// The time of a step.
    pub(crate) fn at(&self, step: u32) -> i64 {
        self.start.saturating_add(self.step.saturating_mul(i64::from(step)))
    }

    pub(crate) fn steps(&self) -> std::ops::Range<u32> {
        0..self.count
    }

    pub(crate) fn last(&self) -> i64 {
        self.at(self.count.saturating_sub(1))
    }
}

/// Evaluates a query at one moment, in milliseconds since 1970.
///
/// # Errors
/// A query outside the subset, beyond a limit, or whose series do not match as it demands.
pub fn evaluate_at(store: &Store, query: &Query, at: i64, options: &Options) -> Result<Value, EvalError> {
    let evaluation = Evaluation::new(store, options, at, at)?;
    let grid = Grid::instant(at);
    match evaluable(query)? {
        Node::Scalar(scalar) => {
            let values = evaluation.scalar(scalar, grid)?;
            Ok(Value::Scalar(values.first().copied().unwrap_or(f64::NAN)))
        }
        Node::Vector(vector) => {
            let tracks = evaluation.vector(vector, grid)?;
            Ok(Value::Vector(tracks.into_iter().filter_map(sample).collect()))
        }
        Node::Matrix(matrix) => {
            let mut series = over_range::raw(&evaluation, matrix, grid)?;
            series.sort_by(|one, other| one.labels.cmp(&other.labels));
            Ok(Value::Matrix(series))
        }
        Node::Text(text) => Ok(Value::Text(text.clone())),
    }
}

/// Evaluates a query at each step from `start` until `end`, all in milliseconds. The result is a matrix.
///
/// # Errors
/// As [`evaluate_at`]; too many steps; a query for a range vector or a text.
pub fn evaluate_over(
    store: &Store,
    query: &Query,
    start: i64,
    end: i64,
    step: i64,
    options: &Options,
) -> Result<Value, EvalError> {
    if end < start || step < 1 {
        return Err(EvalError::Range);
    }
    let steps = end.saturating_sub(start) / step + 1;
    let count = u32::try_from(steps).ok().filter(|count| *count as usize <= options.max_steps);
    let count = count.ok_or(EvalError::TooManySteps { steps, limit: options.max_steps })?;
    let grid = Grid { start, step, count };
    let evaluation = Evaluation::new(store, options, start, end)?;
    let tracks = match evaluable(query)? {
        Node::Scalar(scalar) => vec![Track::constant(Labels::default(), evaluation.scalar(scalar, grid)?)],
        Node::Vector(vector) => evaluation.vector(vector, grid)?,
        Node::Matrix(_) => return Err(EvalError::NotOverTime { found: "a range vector" }),
        Node::Text(_) => return Err(EvalError::NotOverTime { found: "a string" }),
    };
    let mut series: Vec<Series> = tracks.into_iter().map(|track| track.into_series(grid)).collect();
    series.sort_by(|one, other| one.labels.cmp(&other.labels));
    Ok(Value::Matrix(series))
}

fn evaluable(query: &Query) -> Result<&Node, EvalError> {
    match &query.plan {
        Plan::Evaluable(node) => Ok(node),
        Plan::Unsupported(what) => Err(EvalError::Unsupported { what: what.clone() }),
    }
}

fn sample(track: Track) -> Option<Sample> {
    let value = track.points.first()?.value;
    Some(Sample { labels: track.labels, value })
}

/// One evaluation of one query.
#[derive(Debug)]
pub(crate) struct Evaluation<'e> {
    pub(crate) store: &'e Store,
    pub(crate) options: &'e Options,
    /// What `@ start()` and `@ end()` mean, in subqueries too.
    start: i64,
    end: i64,
    produced: Cell<usize>,
    reads: Cell<u64>,
}

impl<'e> Evaluation<'e> {
    fn new(
        store: &'e Store,
        options: &'e Options,
        start: i64,
        end: i64,
    ) -> Result<Evaluation<'e>, EvalError> {
        if options.evaluation_interval_ms < 1 || options.lookback_ms < 1 {
            return Err(EvalError::Range);
        }
        Ok(Evaluation { store, options, start, end, produced: Cell::new(0), reads: Cell::new(0) })
    }

    /// Counts values that were produced.
    pub(crate) fn produced(&self, values: usize) -> Result<(), EvalError> {
        let produced = self.produced.get().saturating_add(values);
        self.produced.set(produced);
        let limit = self.options.max_samples;
        if produced > limit { Err(EvalError::TooManySamples { limit }) } else { Ok(()) }
    }

    /// Counts values that were looked at.
    pub(crate) fn read(&self, values: usize) -> Result<(), EvalError> {
        let reads = self.reads.get().saturating_add(values as u64);
        self.reads.set(reads);
        let limit = self.options.max_reads;
        if reads > limit { Err(EvalError::TooManyReads { limit }) } else { Ok(()) }
    }

    /// The time as of which something is looked up at a step.
    pub(crate) fn moment(&self, when: When, step: i64) -> i64 {
        let base = match when.at {
            None => step,
            Some(At::Start) => self.start,
            Some(At::End) => self.end,
            Some(At::Time(time)) => time,
        };
        base.saturating_sub(when.offset)
    }

    /// A number for each step.
    pub(crate) fn scalar(&self, scalar: &Scalar, grid: Grid) -> Result<Vec<f64>, EvalError> {
        let values = match scalar {
            Scalar::Number(number) => vec![*number; grid.count as usize],
            Scalar::Time => grid.steps().map(|step| grid.at(step) as f64 / 1_000.0).collect(),
            Scalar::OfVector(vector) => only_values(&self.vector(vector, grid)?, grid),
            Scalar::Negated(of) => self.scalar(of, grid)?.into_iter().map(|value| -value).collect(),
            Scalar::Binary { operator, left, right } => {
                let pairs = self.scalar(left, grid)?.into_iter().zip(self.scalar(right, grid)?);
                pairs.map(|(left, right)| binary::number(*operator, left, right)).collect()
            }
            Scalar::Invariant(of) => {
                let once = self.scalar(of, Grid { count: 1, ..grid })?;
                vec![once.first().copied().unwrap_or(f64::NAN); grid.count as usize]
            }
        };
        self.produced(values.len())?;
        Ok(values)
    }

    /// The values of each series at each step where it has one; series without any are left out.
    pub(crate) fn vector(&self, vector: &Vector, grid: Grid) -> Result<Vec<Track>, EvalError> {
        match vector {
            Vector::Select(select) => select::select(self, select, grid),
            Vector::Recorded(select) => select::recorded(self, select, grid),
            Vector::OverRange { function, of, parameter, keeps_name } => {
                let parameter = parameter.as_ref().map(|scalar| self.scalar(scalar, grid)).transpose()?;
                let tracks = over_range::apply(self, *function, of, parameter.as_deref(), *keeps_name, grid)?;
                distinct(&tracks)?;
                Ok(tracks)
            }
            Vector::Invariant(of) => self.invariant(of, grid),
            derived => {
                let tracks = self.derived(derived, grid)?;
                self.produced(tracks.iter().map(|track| track.points.len()).sum())?;
                Ok(tracks)
            }
        }
    }

    fn invariant(&self, of: &Vector, grid: Grid) -> Result<Vec<Track>, EvalError> {
        let mut tracks = self.vector(of, Grid { count: 1, ..grid })?;
        for track in &mut tracks {
            self.produced(grid.count as usize)?;
            let Some(point) = track.points.first().copied() else { continue };
            track.points = grid.steps().map(|step| Point { step, ..point }).collect();
        }
        Ok(tracks)
    }

    /// What is made of other vectors, and so cannot be much larger than they are.
    fn derived(&self, vector: &Vector, grid: Grid) -> Result<Vec<Track>, EvalError> {
        match vector {
            Vector::Each { change, of } => each::changed(self, change, of, grid),
            Vector::OfScalar(of) => Ok(vec![Track::constant(Labels::default(), self.scalar(of, grid)?)]),
            Vector::Absent { of, labels } => {
                Ok(functions::absent::absent(&self.vector(of, grid)?, labels, grid))
            }
            Vector::AbsentOverTime { of, labels } => {
                let present = over_range::apply(self, |_, _| Some(1.0), of, None, true, grid)?;
                Ok(functions::absent::absent(&present, labels, grid))
            }
            Vector::Sorted { of, descending } => {
                let mut tracks = self.vector(of, grid)?;
                functions::sort::sort(&mut tracks, *descending);
                Ok(tracks)
            }
            Vector::LabelReplace { of, target, template, source, pattern } => gathered(
                functions::labels::replace(self.vector(of, grid)?, target, template, source, pattern),
            ),
            Vector::LabelJoin { of, target, separator, sources } => {
                gathered(functions::labels::join(self.vector(of, grid)?, target, separator, sources))
            }
            Vector::HistogramQuantile { quantile, of } => histograms::quantile(self, quantile, of, grid),
            Vector::HistogramFraction { lower, upper, of } => {
                histograms::fraction(self, lower, upper, of, grid)
            }
            Vector::Aggregated(aggregated) => aggregate::aggregate(self, aggregated, grid),
            Vector::WithScalar { operator, bool, vector, scalar, scalar_first } => {
                let scalar = self.scalar(scalar, grid)?;
                binary::with_scalar(self.vector(vector, grid)?, &scalar, *operator, *bool, *scalar_first)
            }
            Vector::Matched { operator, bool, left, right, matching } => {
                let (left, right) = (self.vector(left, grid)?, self.vector(right, grid)?);
                vector_match::matched(self, left, right, *operator, *bool, matching, grid)
            }
            Vector::Set { operator, left, right, matching } => {
                let (left, right) = (self.vector(left, grid)?, self.vector(right, grid)?);
                sets::combined(self, left, right, *operator, matching, grid)
            }
            Vector::Select(_) | Vector::Recorded(_) | Vector::OverRange { .. } | Vector::Invariant(_) => {
                self.vector(vector, grid)
            }
        }
    }
}

/// The value at each step where exactly one series has one, else NaN.
fn only_values(tracks: &[Track], grid: Grid) -> Vec<f64> {
    let mut found = vec![(0_u32, f64::NAN); grid.count as usize];
    for point in tracks.iter().flat_map(|track| &track.points) {
        if let Some((count, value)) = found.get_mut(point.step as usize) {
            *count += 1;
            *value = if *count == 1 { point.value } else { f64::NAN };
        }
    }
    found.into_iter().map(|(_, value)| value).collect()
}
