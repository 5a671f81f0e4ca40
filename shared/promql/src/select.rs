//! Instant selectors: the current sample of each series at each step.

use crate::eval::{Evaluation, Grid};
use crate::plan::Select;
use crate::store::Recorded;
use crate::track::{Point, Track};
use crate::value::EvalError;
use crate::window::{Columns, Sample, Slider, past};

/// The value of each selected series at each step.
pub(crate) fn select(
    evaluation: &Evaluation<'_>,
    select: &Select,
    grid: Grid,
) -> Result<Vec<Track>, EvalError> {
    tracks(evaluation, select, grid, |current, step| {
        let moment = evaluation.moment(select.when, step);
        current.until(moment).map(|sample| sample.value)
    })
}

/// When the sample of each selected series at each step was recorded, in seconds.
pub(crate) fn recorded(
    evaluation: &Evaluation<'_>,
    select: &Select,
    grid: Grid,
) -> Result<Vec<Track>, EvalError> {
    let mut tracks = tracks(evaluation, select, grid, |current, step| {
        let moment = evaluation.moment(select.when, step);
        // With `@`, Prometheus loads samples as of the offset but then looks for one without it.
        let looked_for =
            if select.when.at.is_some() { moment.saturating_add(select.when.offset) } else { moment };
        let sample = current.until(moment.min(looked_for))?;
        let oldest = moment.max(looked_for).saturating_sub(evaluation.options.lookback_ms);
        (sample.time > oldest).then_some(sample.time as f64 / 1_000.0)
    })?;
    for track in &mut tracks {
        track.labels = track.labels.without_metadata();
    }
    crate::track::gathered(tracks)
}

fn tracks(
    evaluation: &Evaluation<'_>,
    select: &Select,
    grid: Grid,
    value: impl Fn(&mut Current<'_>, i64) -> Option<f64>,
) -> Result<Vec<Track>, EvalError> {
    let mut tracks = Vec::new();
    for series in evaluation.store.select(&select.matchers) {
        evaluation.read(grid.count as usize)?;
        let mut current = Current::of(series, evaluation.options.lookback_ms);
        let points: Vec<Point> = grid
            .steps()
            .filter_map(|step| Some(Point { step, value: value(&mut current, grid.at(step))? }))
            .collect();
        evaluation.produced(points.len())?;
        if !points.is_empty() {
            tracks.push(Track { labels: series.labels.clone(), points });
        }
    }
    Ok(tracks)
}

/// The current sample of a series while time goes on.
struct Current<'s> {
    samples: Slider<'s>,
    ends: &'s [i64],
    ended: usize,
    lookback: i64,
}

impl<'s> Current<'s> {
    fn of(series: &'s Recorded, lookback: i64) -> Current<'s> {
        let columns = Columns { timestamps: &series.timestamps, values: &series.values };
        Current { samples: Slider::over(columns), ends: &series.ends, ended: 0, lookback }
    }

    /// The last sample until a moment, if it is younger than the lookback and the series did not end after it.
    fn until(&mut self, moment: i64) -> Option<Sample> {
        let sample = self.samples.last(moment)?;
        self.ended = past(self.ends, self.ended, moment);
        let end = self.ended.checked_sub(1).and_then(|place| self.ends.get(place));
        let ended = end.is_some_and(|end| *end > sample.time);
        (!ended && sample.time > moment.saturating_sub(self.lookback)).then_some(sample)
    }
}
