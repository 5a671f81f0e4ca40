//! How far one signal left its baseline, which way and since when.
//!
//! The score is the notes' max |x − median| ÷ spread, with the spread floored. Beyond that:
//! - a step is at least half of the baseline's own farthest departure, so that what a signal does all the time counts
//!   little;
//! - three successive values must depart to count in full, a lone one counts half;
//! - shares are judged in log-odds;
//! - the onset is where a tenth of the whole departure was reached, followed back to where it began.

use signal::{CHANGE_FROM_NOTHING, Direction, Yardstick};

use super::{moment::Split, signals::Scale};

/// Fewer values of a baseline tell nothing of its spread.
pub(crate) const FEWEST: usize = 4;
/// A change of log-odds that is worth one step: a factor of 1.28 in the odds.
const SHARE_STEP: f64 = 0.25;
const OWN_DEPARTURES: f64 = 0.5;
const LONE: f64 = 0.5;
/// A signal has vanished when so many samples, and at least a quarter of what is judged, are missing at the end.
const MISSING: usize = 3;

/// What a signal did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Verdict {
    /// In spreads of the baseline; a change from nothing is 100.
    pub(crate) score: f64,
    pub(crate) direction: Direction,
    /// The first moment away from the baseline; `None` where it did not stay away.
    pub(crate) onset: Option<usize>,
    /// Median of the baseline.
    pub(crate) before: Option<f64>,
    /// Median since the onset; the farthest value where it did not stay half as far away.
    pub(crate) after: Option<f64>,
    /// Whether the baseline was one and the same value, not zero: a setting or a state, which does not vary by itself.
    pub(crate) was_constant: bool,
    /// Whether its last values are in the baseline's range again.
    pub(crate) is_back: bool,
}

/// Judges a signal. `None` when the baseline is too thin to say anything, or nothing is there to judge.
pub(crate) fn judge(values: &[f64], scale: Scale, split: &Split) -> Option<Verdict> {
    let before = values.get(split.before.clone())?;
    let after = values.get(split.after.clone())?;
    if before.iter().filter(|value| value.is_finite()).count() < FEWEST {
        return appeared(before, after, split);
    }
    if let Some(place) = vanished(before, after) {
        return Some(Verdict {
            score: CHANGE_FROM_NOTHING,
            direction: Direction::Vanished,
            onset: Some(place + split.after.start),
            before: signal::median(before),
            after: None,
            was_constant: false,
            is_back: false,
        });
    }
    moved(values, scale, split)
}

/// What was not there before. A baseline that hardly exists is no baseline, and no absence either.
fn appeared(before: &[f64], after: &[f64], split: &Split) -> Option<Verdict> {
    let none_before = before.len() >= FEWEST && before.iter().all(|value| !value.is_finite());
    let some_after = after.iter().filter(|value| value.is_finite()).count() >= MISSING;
    let first = after.iter().position(|value| value.is_finite())?;
    (none_before && some_after).then_some(Verdict {
        score: CHANGE_FROM_NOTHING,
        direction: Direction::Appeared,
        onset: Some(first + split.after.start),
        before: None,
        after: signal::median(after),
        was_constant: false,
        is_back: false,
    })
}

/// The place from which on nothing is there any more, though there was most of the time before.
fn vanished(before: &[f64], after: &[f64]) -> Option<usize> {
    let covered = before.iter().filter(|value| value.is_finite()).count();
    let end = after.iter().rposition(|value| value.is_finite()).map_or(0, |last| last + 1);
    let missing = after.len() - end;
    (2 * covered >= before.len() && missing >= MISSING && 4 * missing >= after.len()).then_some(end)
}

fn moved(values: &[f64], scale: Scale, split: &Split) -> Option<Verdict> {
    let plain_before = values.get(split.before.clone())?;
    let plain_after = values.get(split.after.clone())?;
    let before = on_scale(plain_before, scale);
    let after = on_scale(plain_after, scale);
    let yardstick = yardstick(&before, &on_scale(values.get(split.calm.clone())?, scale), scale)?;
    let (score, is_lone) = farthest(&after, &yardstick)?;
    let direction = match score {
        score if score > 0.0 => Direction::Up,
        score if score < 0.0 => Direction::Down,
        _ => Direction::Flat,
    };
    let onset = onset(&after, &before, &yardstick, score.abs()).map(|place| place + split.after.start);
    let since = onset.and_then(|onset| values.get(onset..split.after.end)).unwrap_or(plain_after);
    let center = signal::median(plain_before);
    let lasting = signal::median(since).filter(|_| !is_lone && onset.is_some());
    let first = plain_before.iter().copied().find(|value| value.is_finite());
    let is_first = |value: &f64| !value.is_finite() || Some(*value) == first;
    Some(Verdict {
        score: score.abs(),
        direction,
        onset,
        before: center,
        after: settled(center, lasting, extreme(plain_after, score)),
        was_constant: first != Some(0.0) && plain_before.iter().all(is_first),
        is_back: is_back(&after, &yardstick),
    })
}

/// Whether the median of the last three values is no departure any more.
fn is_back(after: &[f64], yardstick: &Yardstick) -> bool {
    let last: Vec<f64> = after.iter().rev().copied().filter(|value| value.is_finite()).take(3).collect();
    let z = signal::median(&last).and_then(|value| yardstick.robust_z(value));
    z.is_some_and(|z| z.abs() < signal::ONSET_SPREADS)
}

fn on_scale(values: &[f64], scale: Scale) -> Vec<f64> {
    match scale {
        Scale::Linear { .. } => values.to_vec(),
        Scale::Share => values.iter().map(|share| signal::log_odds(*share).unwrap_or(f64::NAN)).collect(),
    }
}

fn yardstick(before: &[f64], calm: &[f64], scale: Scale) -> Option<Yardstick> {
    let resolution = match scale {
        Scale::Linear { resolution } => resolution,
        Scale::Share => SHARE_STEP,
    };
    let center = Yardstick::of(before, resolution)?.center;
    let departures = calm.iter().filter(|value| value.is_finite()).map(|value| (value - center).abs());
    let own = departures.fold(0.0, f64::max);
    Yardstick::of(before, resolution.max(OWN_DEPARTURES * own))
}

/// The signed score of the farthest departure: of the median of three successive values, or of a lone one at half its
/// weight; and whether it was the lone one.
fn farthest(after: &[f64], yardstick: &Yardstick) -> Option<(f64, bool)> {
    let scores: Vec<f64> = after.iter().filter_map(|value| yardstick.robust_z(*value)).collect();
    scores.first()?;
    let farther = |most: f64, score: f64| if score.abs() > most.abs() { score } else { most };
    let alone = LONE * scores.iter().copied().fold(0.0, farther);
    let held = scores.windows(3).filter_map(|three| match three {
        [a, b, c] => Some(a.min(*b).max(a.max(*b).min(*c))),
        _ => None,
    });
    let held = held.fold(0.0, farther);
    Some(if alone.abs() > held.abs() { (alone, true) } else { (held, false) })
}

/// When the values left: certain by the steps of so large a departure, followed back to where it began.
fn onset(after: &[f64], before: &[f64], yardstick: &Yardstick, score: f64) -> Option<usize> {
    let yardstick = signal::beginning(before, yardstick.scale, score)?;
    let certain = signal::onset_against(after, &yardstick)?;
    Some(signal::begun(after, certain, &yardstick))
}

/// Where it settled; its farthest value where it did not stay at least half as far away.
fn settled(before: Option<f64>, lasting: Option<f64>, farthest: Option<f64>) -> Option<f64> {
    let (Some(before), Some(lasting), Some(farthest)) = (before, lasting, farthest) else {
        return lasting.or(farthest);
    };
    Some(if 2.0 * (lasting - before).abs() >= (farthest - before).abs() { lasting } else { farthest })
}

fn extreme(values: &[f64], score: f64) -> Option<f64> {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    if score < 0.0 { finite.reduce(f64::min) } else { finite.reduce(f64::max) }
}
