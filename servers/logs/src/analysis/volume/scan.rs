//! The stretch that differs most from what is expected.

use super::{
    Anomaly, EXCESS, Kind, RATIO, SCORE, Stream,
    expectation::{Baseline, Expectation},
    silent_from, tells_usual,
};

/// Of a lead-in this part may belong to a stretch: the rest is needed as a baseline.
pub(crate) const LEAD_IN_KEPT: f64 = 0.5;
/// A rate below this share of the expected one is silence: a last line or a heartbeat does not end it.
const SILENT: f64 = 0.02;

/// A drop that touches a silence of so many times its length is the edge of it.
const EDGE: usize = 5;

/// Sums up to each step, so that any stretch costs two look-ups.
struct Sums {
    /// Records of steps that are free.
    counts: Vec<f64>,
    /// Steps that belong to a stretch told before.
    taken: Vec<usize>,
}

impl Sums {
    fn of(counts: &[u64], taken: &[bool]) -> Sums {
        let mut sums = Sums { counts: vec![0.0], taken: vec![0] };
        let (mut count, mut used) = (0.0, 0);
        for (counted, taken) in counts.iter().zip(taken) {
            if *taken {
                used += 1;
            } else {
                count += *counted as f64;
            }
            sums.counts.push(count);
            sums.taken.push(used);
        }
        sums
    }

    /// Records of a stretch, and records and steps of the rest; `None` when a part of it is taken.
    fn stretch(&self, from: usize, to: usize) -> Option<(f64, (f64, f64))> {
        let free = self.taken.get(to)? == self.taken.get(from)?;
        let count = self.counts.get(to)? - self.counts.get(from)?;
        let steps = (self.counts.len() - 1).saturating_sub(self.taken.last()? + (to - from));
        free.then_some((count, (self.counts.last()? - count, steps as f64)))
    }
}

/// The stretch with the largest likelihood ratio among those that differ enough to matter, if one is certain enough.
pub(super) fn largest(stream: &Stream<'_>, expectation: &Expectation, taken: &[bool]) -> Option<Anomaly> {
    let sums = Sums::of(stream.counts, taken);
    let steps = stream.counts.len();
    let first = (stream.window as f64 * LEAD_IN_KEPT) as usize;
    let first = silent_from(stream).map_or(first, |silent| silent.min(first));
    // Without a baseline the larger part of the window is what is usual.
    let known = expectation.is_seasonal() || tells_usual(stream.window, steps - stream.window.min(steps));
    let longest = if known { steps } else { steps / 2 };
    let mut best: Option<Anomaly> = None;
    for from in first..steps {
        for to in from.max(stream.window) + 1..=steps.min(from + longest) {
            let Some((count, rest)) = sums.stretch(from, to) else { continue };
            let Some(baseline) = expectation.baseline(from, to, count, rest) else { continue };
            let Some((kind, score)) = judged(count, baseline, expectation.dispersion) else { continue };
            if best.is_none_or(|best| score > best.score) {
                let (count, expected) = (count as u64, baseline.expected());
                best = Some(Anomaly { kind, from, to, count, expected, score });
            }
        }
    }
    best.filter(|found| found.score >= SCORE)
}

/// Two stretches that touch, as one: of the same kind, or silence with the lines before or after it that do not end it, or
/// with the drop of the step in which it began.
pub(super) fn joined(one: Anomaly, other: Anomaly) -> Option<Anomaly> {
    if one.to != other.from && other.to != one.from {
        return None;
    }
    let (count, expected) = (one.count + other.count, one.expected + other.expected);
    let is_one = match (one.kind, other.kind) {
        (Kind::Silence, Kind::Drop) => EDGE * (other.to - other.from) <= one.to - one.from,
        (Kind::Drop, Kind::Silence) => EDGE * (one.to - one.from) <= other.to - other.from,
        (kind, same) if kind == same => true,
        _ => return None,
    };
    let kind = if one.kind == other.kind { one.kind } else { Kind::Silence };
    let (from, to) = (one.from.min(other.from), one.to.max(other.to));
    let both = Anomaly { kind, from, to, count, expected, score: one.score.max(other.score) };
    (is_one || count as f64 <= expected * SILENT).then_some(both)
}

/// What a stretch is, and how certain; `None` when it does not differ enough to matter.
pub(super) fn judged(count: f64, baseline: Baseline, dispersion: f64) -> Option<(Kind, f64)> {
    let expected = baseline.expected();
    let apart = count >= RATIO * expected || count * RATIO <= expected;
    if !apart || (count - expected).abs() < EXCESS {
        return None;
    }
    let kind = match count > expected {
        true => Kind::Spike,
        false if count <= expected * SILENT => Kind::Silence,
        false => Kind::Drop,
    };
    let ratio = signal::rate_change(count, baseline.ratio, baseline.count, 1.0);
    Some((kind, ratio / dispersion))
}
