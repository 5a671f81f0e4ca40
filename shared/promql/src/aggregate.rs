//! Aggregations: the series of a group become one, or some of them remain.

mod fold;
mod ranked;

use std::collections::HashMap;
use std::sync::Arc;

use crate::eval::{Evaluation, Grid};
use crate::labels::{Labels, NAME};
use crate::plan::{Aggregated, Aggregation, Scalar};
use crate::quantile::quantile;
use crate::track::{Reader, Track, Writer};
use crate::value::EvalError;
use fold::Folding;

/// Evaluates an aggregation.
pub(crate) fn aggregate(
    evaluation: &Evaluation<'_>,
    aggregated: &Aggregated,
    grid: Grid,
) -> Result<Vec<Track>, EvalError> {
    match &aggregated.aggregation {
        Aggregation::Fold(fold) => {
            let start = |value| Folding::starting_at(*fold, value);
            by_group(evaluation, aggregated, grid, start, Folding::add, |folding, _| folding.value())
        }
        Aggregation::Quantile(parameter) => {
            let quantiles = evaluation.scalar(parameter, grid)?;
            let finish = |values: &mut Vec<f64>, step: u32| {
                quantile(quantiles.get(step as usize).copied().unwrap_or(f64::NAN), values)
            };
            by_group(evaluation, aggregated, grid, |value| vec![value], Vec::push, finish)
        }
        Aggregation::Top(count) => ranked_of(evaluation, aggregated, count, true, grid),
        Aggregation::Bottom(count) => ranked_of(evaluation, aggregated, count, false, grid),
        Aggregation::CountValues(label) => count_values(evaluation, aggregated, label, grid),
    }
}

/// The group that each track belongs to, and the labels of each group.
struct Groups {
    of_tracks: Vec<usize>,
    labels: Vec<Labels>,
}

impl Groups {
    fn of(tracks: &[Track], aggregated: &Aggregated) -> Groups {
        let mut numbers: HashMap<Labels, usize> = HashMap::new();
        let mut labels = Vec::new();
        let group = |track: &Track| {
            let group = group_labels(&track.labels, aggregated);
            *numbers.entry(group.clone()).or_insert_with(|| {
                labels.push(group);
                labels.len() - 1
            })
        };
        let of_tracks = tracks.iter().map(group).collect();
        Groups { of_tracks, labels }
    }
}

/// The labels that the series of a group have in common.
fn group_labels(labels: &Labels, aggregated: &Aggregated) -> Labels {
    let listed = |name: &str| aggregated.labels.iter().any(|label| label == name);
    if aggregated.without {
        labels.retain(|name| name != NAME && !listed(name))
    } else {
        labels.retain(listed)
    }
}

/// One value for each group at each step where it has any, gathered in the order of the series.
fn by_group<S>(
    evaluation: &Evaluation<'_>,
    aggregated: &Aggregated,
    grid: Grid,
    start: impl Fn(f64) -> S,
    add: impl Fn(&mut S, f64),
    finish: impl Fn(&mut S, u32) -> f64,
) -> Result<Vec<Track>, EvalError> {
    let tracks = evaluation.vector(&aggregated.of, grid)?;
    let groups = Groups::of(&tracks, aggregated);
    let mut reader = Reader::of(&tracks);
    let mut writer = Writer::default();
    let places: Vec<usize> = groups.labels.iter().map(|labels| writer.place(labels)).collect();
    let mut states: Vec<Option<S>> = places.iter().map(|_| None).collect();
    for step in grid.steps() {
        evaluation.read(tracks.len())?;
        for (track, value) in reader.at(step) {
            let state = groups.of_tracks.get(track).and_then(|group| states.get_mut(*group));
            match state {
                Some(Some(state)) => add(state, value),
                Some(empty) => *empty = Some(start(value)),
                None => {}
            }
        }
        for (state, place) in states.iter_mut().zip(&places) {
            if let Some(mut state) = state.take() {
                writer.write(*place, step, finish(&mut state, step))?;
            }
        }
    }
    Ok(writer.tracks())
}

fn ranked_of(
    evaluation: &Evaluation<'_>,
    aggregated: &Aggregated,
    count: &Scalar,
    top: bool,
    grid: Grid,
) -> Result<Vec<Track>, EvalError> {
    let counts = evaluation.scalar(count, grid)?;
    let tracks = evaluation.vector(&aggregated.of, grid)?;
    let Some(counts) = ranked::counts(&counts, tracks.len(), top)? else { return Ok(Vec::new()) };
    let groups = Groups::of(&tracks, aggregated);
    let mut reader = Reader::of(&tracks);
    let mut writer = Writer::default();
    for (step, count) in grid.steps().zip(counts) {
        evaluation.read(tracks.len())?;
        let mut kept: Vec<ranked::Ranking> =
            groups.labels.iter().map(|_| ranked::Ranking::new(count, top)).collect();
        for (track, value) in reader.at(step) {
            if let Some(ranking) = groups.of_tracks.get(track).and_then(|group| kept.get_mut(*group)) {
                ranking.offer(track, value);
            }
        }
        for (track, value) in kept.into_iter().flat_map(ranked::Ranking::ranked) {
            let Some(labels) = tracks.get(track).map(|track| &track.labels) else { continue };
            let place = writer.place(labels);
            writer.write(place, step, value)?;
        }
    }
    Ok(writer.tracks())
}

/// How many series of a group have each value, which becomes a label.
fn count_values(
    evaluation: &Evaluation<'_>,
    aggregated: &Aggregated,
    label: &Arc<str>,
    grid: Grid,
) -> Result<Vec<Track>, EvalError> {
    let tracks = evaluation.vector(&aggregated.of, grid)?;
    let mut kept = aggregated.labels.clone();
    if !aggregated.without {
        kept.push(label.to_string());
    }
    let listed = |name: &str| kept.iter().any(|label| label == name);
    let mut reader = Reader::of(&tracks);
    let mut writer = Writer::default();
    let mut places: HashMap<(usize, u64), usize> = HashMap::new();
    for step in grid.steps() {
        evaluation.read(tracks.len())?;
        let mut counts: Vec<(usize, f64)> = Vec::new();
        let mut numbers: HashMap<usize, usize> = HashMap::new();
        for (track, value) in reader.at(step) {
            let place = *places.entry((track, value.to_bits())).or_insert_with(|| {
                let labels = tracks.get(track).map(|track| track.labels.with(label, &value_text(value)));
                let labels = labels.unwrap_or_default();
                writer.place(&if aggregated.without {
                    labels.retain(|name| name != NAME && !listed(name))
                } else {
                    labels.retain(listed)
                })
            });
            let number = *numbers.entry(place).or_insert(counts.len());
            match counts.get_mut(number) {
                Some((_, count)) => *count += 1.0,
                None => counts.push((place, 1.0)),
            }
        }
        for (place, count) in counts {
            writer.write(place, step, count)?;
        }
    }
    Ok(writer.tracks())
}

/// A value as Go writes it without an exponent.
fn value_text(value: f64) -> String {
    if value.is_infinite() { if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By Go's `strconv.FormatFloat(value, 'f', -1, 64)`.
    #[test]
    fn values_become_labels_as_go_writes_them() {
        for (value, text) in [
            (1.0, "1"),
            (0.1, "0.1"),
            (-0.0, "-0"),
            (1e21, "1000000000000000000000"),
            (1e-7, "0.0000001"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(value_text(value), text);
        }
    }
}
