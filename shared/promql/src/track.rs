//! The values of one series at the steps of a grid.

use std::collections::{HashMap, HashSet};

use crate::eval::Grid;
use crate::labels::Labels;
use crate::value::{EvalError, Series};

/// A series at the steps where it has a value.
#[derive(Debug, Clone)]
pub(crate) struct Track {
    pub(crate) labels: Labels,
    /// In the order of their steps.
    pub(crate) points: Vec<Point>,
}

/// A value at a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) step: u32,
    pub(crate) value: f64,
}

impl Track {
    /// With a value at every step.
    pub(crate) fn constant(labels: Labels, values: Vec<f64>) -> Track {
        Track { labels, points: (0..).zip(values).map(|(step, value)| Point { step, value }).collect() }
    }

    pub(crate) fn into_series(self, grid: Grid) -> Series {
        let timestamps = self.points.iter().map(|point| grid.at(point.step)).collect();
        Series {
            labels: self.labels,
            timestamps,
            values: self.points.iter().map(|point| point.value).collect(),
        }
    }
}

/// Each value made into another, or dropped; the metric's name goes, because it is another quantity now.
pub(crate) fn mapped(
    mut tracks: Vec<Track>,
    function: impl Fn(f64, u32) -> Option<f64>,
) -> Result<Vec<Track>, EvalError> {
    for track in &mut tracks {
        change(track, &function);
        track.labels = track.labels.without_metadata();
    }
    gathered(tracks)
}

/// Each value of a track made into another, or dropped.
pub(crate) fn change(track: &mut Track, function: impl Fn(f64, u32) -> Option<f64>) {
    track.points.retain_mut(|point| match function(point.value, point.step) {
        Some(value) => {
            point.value = value;
            true
        }
        None => false,
    });
}

/// Tracks of the same labels made into one; tracks without points are left out.
///
/// # Errors
/// Two of them have a value at the same step.
pub(crate) fn gathered(mut tracks: Vec<Track>) -> Result<Vec<Track>, EvalError> {
    tracks.retain(|track| !track.points.is_empty());
    if distinct(&tracks).is_ok() {
        return Ok(tracks);
    }
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut merged: Vec<Track> = Vec::new();
    for track in tracks {
        let place = *places.entry(track.labels.clone()).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(first) => first.points.extend(track.points),
            None => merged.push(track),
        }
    }
    for track in &mut merged {
        track.points.sort_by_key(|point| point.step);
        let mut neighbours = track.points.iter().zip(track.points.iter().skip(1));
        if neighbours.any(|(one, next)| one.step == next.step) {
            return Err(EvalError::SameLabels { labels: track.labels.clone() });
        }
    }
    Ok(merged)
}

/// Checks that no two tracks have the same labels, even at different steps.
///
/// # Errors
/// The labels of two.
pub(crate) fn distinct(tracks: &[Track]) -> Result<(), EvalError> {
    let mut seen = HashSet::with_capacity(tracks.len());
    match tracks.iter().find(|track| !seen.insert(&track.labels)) {
        Some(twice) => Err(EvalError::SameLabels { labels: twice.labels.clone() }),
        None => Ok(()),
    }
}

/// Tracks read step by step.
#[derive(Debug)]
pub(crate) struct Reader<'t> {
    rest: Vec<&'t [Point]>,
}

impl<'t> Reader<'t> {
    pub(crate) fn of(tracks: &'t [Track]) -> Reader<'t> {
        Reader { rest: tracks.iter().map(|track| &track.points[..]).collect() }
    }

    /// The number of each track that has a value at this step, and the value. Steps must ascend from call to call.
    pub(crate) fn at(&mut self, step: u32) -> impl Iterator<Item = (usize, f64)> {
        self.rest.iter_mut().enumerate().filter_map(move |(number, rest)| {
            let (first, after) = rest.split_first()?;
            if first.step != step {
                return None;
            }
            *rest = after;
            Some((number, first.value))
        })
    }
}

/// Tracks written step by step, found by their labels.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    places: HashMap<Labels, usize>,
    tracks: Vec<Track>,
}

impl Writer {
    /// The place of the track with these labels.
    pub(crate) fn place(&mut self, labels: &Labels) -> usize {
        if let Some(place) = self.places.get(labels) {
            return *place;
        }
        self.places.insert(labels.clone(), self.tracks.len());
        self.tracks.push(Track { labels: labels.clone(), points: Vec::new() });
        self.tracks.len() - 1
    }

    pub(crate) fn labels(&self, place: usize) -> Labels {
        self.tracks.get(place).map(|track| track.labels.clone()).unwrap_or_default()
    }

    /// Writes a value; steps must ascend.
    ///
    /// # Errors
    /// The track already has a value at this step.
    pub(crate) fn write(&mut self, place: usize, step: u32, value: f64) -> Result<(), EvalError> {
        let Some(track) = self.tracks.get_mut(place) else { return Ok(()) };
        if track.points.last().is_some_and(|last| last.step == step) {
            return Err(EvalError::SameLabels { labels: track.labels.clone() });
        }
        track.points.push(Point { step, value });
        Ok(())
    }

    /// The tracks that have a value, in the order in which they were first looked for.
    pub(crate) fn tracks(mut self) -> Vec<Track> {
        self.tracks.retain(|track| !track.points.is_empty());
        self.tracks
    }
}
