//! How far one signal left its baseline, which way and since when.

use std::ops::Range;

use signal::{CHANGE_FROM_NOTHING, Direction, Yardstick};

use super::signals::Scale;

/// Which moments are the baseline and which are judged; between them lies the gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) before: Range<usize>,
    /// How much of the baseline surely is one: the time may have been inferred from what moved last.
    pub(crate) calm: Range<usize>,
    pub(crate) after: Range<usize>,
}

/// What a signal did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) score: f64,
    pub(crate) direction: Direction,
    /// The first moment that left the baseline and stayed away.
    pub(crate) onset: Option<usize>,
    /// Median before.
    pub(crate) before: Option<f64>,
    /// Median since the onset, or the farthest value where it did not stay.
    pub(crate) after: Option<f64>,
}

/// Fewer values of a baseline tell nothing of its spread.
pub(crate) const FEWEST: usize = 4;
/// A change of log-odds that is worth one step: an odds of 1.3.
const SHARE_STEP: f64 = 0.25;
/// What the baseline does itself counts little: a step is at least so much of its own farthest departure.
const OWN_DEPARTURES: f64 = 0.5;
/// What departs by hundreds of spreads has not begun with the first three: a share of the whole departure has.
const ONSET_SHARE: f64 = 0.1;
/// A value this far away already, just before it is certain, is part of the departure.
const DRIFT: f64 = 1.0;
/// What a departure of a single moment counts.
const LONE: f64 = 0.5;

/// Judges a signal. `None` when the baseline is too thin to say anything, or nothing is there to judge.
pub(crate) fn judge(values: &[f64], scale: Scale, split: &Split) -> Option<Verdict> {
    let plain_before = values.get(split.before.clone())?;
    let plain_after = values.get(split.after.clone())?;
    let there = |values: &[f64]| values.iter().filter(|value| value.is_finite()).count();
    let (known, judged) = (there(plain_before), there(plain_after));
    let (median_before, median_after) = (signal::median(plain_before), signal::median(plain_after));
    if known < FEWEST {
        // What came new; a baseline that hardly exists is no baseline.
        let came = known == 0 && plain_before.len() >= FEWEST && judged >= 3;
        let onset = plain_after.iter().position(|value| value.is_finite()).map(|place| place + split.after.start);
        return came.then_some(Verdict {
            score: CHANGE_FROM_NOTHING,
            direction: Direction::Appeared,
            onset,
            before: None,
            after: median_after,
        });
    }
    if let Some(gone) = vanished(plain_before, plain_after) {
        return Some(Verdict {
            score: CHANGE_FROM_NOTHING,
            direction: Direction::Vanished,
            onset: Some(gone + split.after.start),
            before: median_before,
            after: None,
        });
    }
    let scaled = |values: &[f64]| -> Vec<f64> {
        match scale {
            Scale::Linear { .. } => values.to_vec(),
            Scale::Share => values.iter().map(|share| signal::log_odds(*share).unwrap_or(f64::NAN)).collect(),
        }
    };
    let (before, after) = (scaled(plain_before), scaled(plain_after));
    let calm = scaled(values.get(split.calm.clone())?);
    let yardstick = yardstick(&before, &calm, scale)?;
    let (score, lone) = farthest(&after, &yardstick)?;
    let onset = onset(&after, &before, &yardstick, score.abs()).map(|place| place + split.after.start);
    let direction = if score > 0.0 {
        Direction::Up
    } else if score < 0.0 {
        Direction::Down
    } else {
        Direction::Flat
    };
    let since = onset.map_or(plain_after, |onset| values.get(onset..split.after.end).unwrap_or(plain_after));
    let after = if lone { extreme(plain_after, score) } else { signal::median(since) };
    Some(Verdict { score: score.abs(), direction, onset, before: median_before, after })
}

/// The place from which on nothing is there any more, though there was most of the time before.
fn vanished(before: &[f64], after: &[f64]) -> Option<usize> {
    let covered = before.iter().filter(|value| value.is_finite()).count();
    let end = after.iter().rposition(|value| value.is_finite()).map_or(0, |last| last + 1);
    let missing = after.len() - end;
    (2 * covered >= before.len() && missing >= 3 && 4 * missing >= after.len()).then_some(end)
}

/// When the values left: from the first that is certainly away, back to the last one on this side of a single step. What
/// drifts away, or is a rate over some steps, began before it was certain.
fn onset(after: &[f64], before: &[f64], yardstick: &Yardstick, score: f64) -> Option<usize> {
    let coarser = (score * ONSET_SHARE / signal::ONSET_SPREADS).max(1.0);
    let yardstick = Yardstick::of(before, yardstick.scale * coarser)?;
    let certain = signal::onset_against(after, &yardstick)?;
    let z = |place: usize| after.get(place).and_then(|value| yardstick.robust_z(*value));
    let away = z(certain)?.signum();
    let drifting = (0..certain).rev().take_while(|place| z(*place).is_some_and(|z| z * away > DRIFT));
    Some(certain - drifting.count())
}

fn yardstick(before: &[f64], calm: &[f64], scale: Scale) -> Option<Yardstick> {
    let resolution = match scale {
        Scale::Linear { resolution } => resolution,
        Scale::Share => SHARE_STEP,
    };
    let plain = Yardstick::of(before, resolution)?;
    let own = calm.iter().filter(|value| value.is_finite()).map(|value| (value - plain.center).abs());
    let own = own.fold(0.0, f64::max);
    Yardstick::of(before, resolution.max(OWN_DEPARTURES * own))
}

/// The signed score of the farthest departure: of the median of three successive values, or of a lone one at half its
/// weight; and whether it was the lone one.
fn farthest(after: &[f64], yardstick: &Yardstick) -> Option<(f64, bool)> {
    let scores: Vec<f64> = after.iter().filter_map(|value| yardstick.robust_z(*value)).collect();
    let most = |scores: &mut dyn Iterator<Item = f64>| {
        scores.fold(0.0, |most: f64, score| if score.abs() > most.abs() { score } else { most })
    };
    if scores.is_empty() {
        return None;
    }
    let alone = LONE * most(&mut scores.iter().copied());
    let held = most(&mut scores.windows(3).filter_map(|three| match three {
        [a, b, c] => Some(a.min(*b).max(a.max(*b).min(*c))),
        _ => None,
    }));
    Some(if alone.abs() > held.abs() { (alone, true) } else { (held, false) })
}

fn extreme(values: &[f64], score: f64) -> Option<f64> {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    if score < 0.0 { finite.reduce(f64::min) } else { finite.reduce(f64::max) }
}
