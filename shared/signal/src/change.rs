//! When something happened to a group of series, though no series of it is known to be the one.

use crate::departure::{Direction, Yardstick};
use crate::onset::ONSET_SPREADS;
use crate::relevance::relevance;

/// A series counts no more than so many spreads at any moment: one that leaves by thousands must not speak for all.
pub const LOUDEST: f64 = 10.0;

/// A moment at which several series changed together. Made by [`shared_change`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharedChange {
    /// The first sample of what came after: an index of the series given.
    pub at: usize,
    /// How far the common unrest moved, in its own spreads; see [`relevance()`](crate::relevance()).
    pub score: f64,
}

/// How far from usual a group of series is at each moment: the mean, over the series with a value there, of their
/// distance from their own median in their own spreads ([`Yardstick::of`]), each at most [`LOUDEST`]. NaN where no
/// series has a value. The median of the whole window is "usual", so what holds for less than half of it stands out.
pub fn unrest(series: &[&[f64]]) -> Vec<f64> {
    let longest = series.iter().map(|values| values.len()).max().unwrap_or(0);
    let (mut sums, mut counts) = (vec![0.0; longest], vec![0_u32; longest]);
    for values in series {
        let Some(yardstick) = Yardstick::of(values, 0.0) else { continue };
        for ((sum, count), value) in sums.iter_mut().zip(&mut counts).zip(*values) {
            if let Some(z) = yardstick.robust_z(*value) {
                *sum += z.abs().min(LOUDEST);
                *count += 1;
            }
        }
    }
    let mean = |(sum, count): (f64, u32)| if count == 0 { f64::NAN } else { sum / f64::from(count) };
    sums.into_iter().zip(counts).map(mean).collect()
}

/// The moment at which the series of a group began to behave differently: the onset of their common [`unrest`].
/// `None` where nothing stands out.
pub fn shared_change(series: &[&[f64]]) -> Option<SharedChange> {
    let unrest = unrest(series);
    let moved = relevance(&unrest);
    let is_of_values = !matches!(moved.direction, Direction::Appeared | Direction::Vanished);
    let at = moved.onset.filter(|_| is_of_values && moved.score >= ONSET_SPREADS)?;
    Some(SharedChange { at, score: moved.score })
}
