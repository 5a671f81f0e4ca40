//! Histogram functions over series of buckets.

use std::collections::HashMap;

use crate::eval::{Evaluation, Grid};
use crate::functions::histogram::{self, Bucket};
use crate::labels::Labels;
use crate::plan::{Scalar, Vector};
use crate::track::{Reader, Track, Writer};
use crate::value::EvalError;

/// The label that holds a bucket's upper bound.
const BOUND: &str = "le";

/// `histogram_quantile(quantile, of)`
pub(crate) fn quantile(
    evaluation: &Evaluation<'_>,
    quantile: &Scalar,
    of: &Vector,
    grid: Grid,
) -> Result<Vec<Track>, EvalError> {
    let quantiles = evaluation.scalar(quantile, grid)?;
    let tracks = evaluation.vector(of, grid)?;
    each_histogram(evaluation, &tracks, grid, |buckets, step| {
        let quantile = quantiles.get(step as usize).copied().unwrap_or(f64::NAN);
        histogram::quantile(quantile, buckets)
    })
}

/// `histogram_fraction(lower, upper, of)`
pub(crate) fn fraction(
    evaluation: &Evaluation<'_>,
    lower: &Scalar,
    upper: &Scalar,
    of: &Vector,
    grid: Grid,
) -> Result<Vec<Track>, EvalError> {
    let (lowers, uppers) = (evaluation.scalar(lower, grid)?, evaluation.scalar(upper, grid)?);
    let tracks = evaluation.vector(of, grid)?;
    each_histogram(evaluation, &tracks, grid, |buckets, step| {
        let at = |values: &[f64]| values.get(step as usize).copied().unwrap_or(f64::NAN);
        histogram::fraction(at(&lowers), at(&uppers), buckets)
    })
}

/// Puts the buckets of each histogram together at each step; series without a usable bound are left out.
fn each_histogram(
    evaluation: &Evaluation<'_>,
    tracks: &[Track],
    grid: Grid,
    value: impl Fn(&[Bucket], u32) -> f64,
) -> Result<Vec<Track>, EvalError> {
    let (places, histograms) = places(tracks);
    let mut reader = Reader::of(tracks);
    let mut writer = Writer::default();
    let outputs: Vec<usize> =
        histograms.iter().map(|labels| writer.place(&labels.without_metadata())).collect();
    let mut buckets: Vec<Vec<Bucket>> = vec![Vec::new(); histograms.len()];
    for step in grid.steps() {
        evaluation.read(tracks.len())?;
        for (track, count) in reader.at(step) {
            let Some((bound, histogram)) = places.get(track).copied().flatten() else { continue };
            if let Some(buckets) = buckets.get_mut(histogram) {
                buckets.push(Bucket { bound, count });
            }
        }
        for (buckets, output) in buckets.iter_mut().zip(&outputs) {
            if !buckets.is_empty() {
                buckets.sort_by(|one, other| one.bound.total_cmp(&other.bound));
                writer.write(*output, step, value(buckets, step))?;
                buckets.clear();
            }
        }
    }
    Ok(writer.tracks())
}

/// For each track its bound and the number of its histogram; and the labels of each histogram.
fn places(tracks: &[Track]) -> (Vec<Option<(f64, usize)>>, Vec<Labels>) {
    let mut numbers: HashMap<Labels, usize> = HashMap::new();
    let mut histograms = Vec::new();
    let places = tracks.iter().map(|track| {
        let bound = bound(track.labels.get(BOUND))?;
        let labels = track.labels.retain(|name| name != BOUND);
        let number = *numbers.entry(labels.clone()).or_insert_with(|| {
            histograms.push(labels);
            histograms.len() - 1
        });
        Some((bound, number))
    });
    (places.collect(), histograms)
}

/// A bound, if it is a number. Zero has no sign here, so that −0 and 0 are the same bucket.
fn bound(text: &str) -> Option<f64> {
    let bound: f64 = text.parse().ok()?;
    let too_large = bound.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit());
    (!bound.is_nan() && !too_large).then_some(bound + 0.0)
}
