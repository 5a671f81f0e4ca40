//! Where the number of records left what is usual: a spike, a drop, silence.
//!
//! A stretch of steps is compared with the same steps 1 and 7 days earlier, brought to today's level by the lead-in, else
//! with all steps outside of it. What is told is the stretch with the
//! largest likelihood ratio of two Poisson rates (the temporal scan statistic of Kulldorff, "A spatial scan statistic",
//! 1997), divided by the overdispersion of the baseline: real logs come in bursts. Then the rest is looked at again.

mod blame;
mod expectation;
mod scan;

pub(crate) use blame::{Culprit, blame};
use expectation::{Baseline, Expectation};
pub(crate) use scan::LEAD_IN_KEPT;

/// A rate must at least double or halve: a smaller change of a large number is certain, and nothing to wake up for.
pub(crate) const RATIO: f64 = 2.0;
/// So many records more or fewer than expected, at least.
pub(crate) const EXCESS: f64 = 10.0;
/// The likelihood ratio (natural logarithm, overdispersion removed) from which a stretch is told. Of simulated quiet
/// streams (Poisson and bursty, 0.05 to 300 a step) about 1 in 200 reaches it.
pub(crate) const SCORE: f64 = 12.0;
/// Stretches told of one stream.
const MOST: usize = 3;
/// With fewer records expected in the window nothing can be said about a drop.
pub(crate) const FEWEST: f64 = 5.0;

/// Steps in which a silence begins.
const LONGEST_EDGE: usize = 2;
/// So many steps tell how a stream logs and bursts.
const TOLD_BY: usize = 10;

/// Whether a lead-in of so many steps tells what is usual in a window of so many.
pub(crate) fn tells_usual(lead_in: usize, window: usize) -> bool {
    lead_in > 0 && lead_in * 4 >= window
}

/// Counts of one stream of records (a service, a level, a pod) in equal steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream<'a> {
    /// The lead-in, then the window.
    pub(crate) counts: &'a [u64],
    /// Where the window begins.
    pub(crate) window: usize,
    /// The same steps at the same time of day earlier, where something was recorded then.
    pub(crate) earlier: &'a [Vec<u64>],
}

/// What happened to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Nothing where something is usual.
    Silence,
    /// Far more than usual.
    Spike,
    /// Far fewer than usual.
    Drop,
}

/// A stretch of steps that is not usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Anomaly {
    /// What happened.
    pub(crate) kind: Kind,
    /// The first step: an index of the counts.
    pub(crate) from: usize,
    /// After the last step.
    pub(crate) to: usize,
    /// Records in the stretch.
    pub(crate) count: u64,
    /// Records expected in it.
    pub(crate) expected: f64,
    /// How certain, as [`SCORE`].
    pub(crate) score: f64,
}

/// What is to be said about a stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judgement {
    /// The most certain first; none when all is as usual.
    pub(crate) anomalies: Vec<Anomaly>,
    /// Records expected in the window; `None` where nothing outside of it tells.
    pub(crate) expected: Option<f64>,
    /// Whether there is too little to notice a drop.
    pub(crate) sparse: bool,
}

/// Judges one stream.
pub(crate) fn judge(stream: &Stream<'_>) -> Judgement {
    let expectation = Expectation::of(stream);
    let expected = expected(stream, &expectation);
    let mut taken = vec![false; stream.counts.len()];
    let mut anomalies = Vec::new();
    while anomalies.len() < MOST {
        let Some(found) = scan::largest(stream, &expectation, &taken) else { break };
        taken.iter_mut().take(found.to).skip(found.from).for_each(|step| *step = true);
        add(&mut anomalies, found);
    }
    anomalies.iter_mut().for_each(|found| end_silent(stream.counts, expectation.dispersion, found));
    // Without a baseline the window itself is what is usual.
    let usual = expected.unwrap_or_else(|| sum(stream.counts.iter().skip(stream.window)));
    anomalies.sort_by(|one, other| other.score.total_cmp(&one.score));
    Judgement { anomalies, expected, sparse: usual < FEWEST }
}

/// The same where nothing at all is recorded from a step on: usual is the time before it, the step in which it ended left out
/// as it is no whole one, and what is missing since then is silence.
pub(crate) fn judge_until(stream: &Stream<'_>, end: usize) -> Judgement {
    let all = stream.counts.len();
    let whole = end.min(all).saturating_sub(1);
    if whole <= stream.window {
        return judge(stream);
    }
    let until = |counts: &[u64]| counts.get(..whole).unwrap_or(counts).to_vec();
    let earlier: Vec<Vec<u64>> = stream.earlier.iter().map(|counts| until(counts)).collect();
    let mut judgement =
        judge(&Stream { counts: &until(stream.counts), window: stream.window, earlier: &earlier });
    let is_silent = stream.counts.iter().skip(whole).all(|count| *count == 0);
    let began = judgement.anomalies.iter_mut().find(|found| found.kind == Kind::Silence && found.to == whole);
    let began = began.filter(|_| is_silent);
    let from = stream.counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
    match (began, stopped(stream, (all - from) as f64)) {
        (Some(began), _) => {
            began.expected *= (all - began.from) as f64 / (whole - began.from) as f64;
            began.to = all;
        }
        (None, Some(expected)) => judgement
            .anomalies
            .insert(0, Anomaly { kind: Kind::Silence, from, to: all, count: 0, expected, score: expected }),
        (None, None) => {}
    }
    judgement
}

/// Adds a stretch, with those that it touches as one where they are one event: the first lines of what then runs.
fn add(anomalies: &mut Vec<Anomaly>, mut found: Anomaly) {
    anomalies.retain(|one| match scan::joined(*one, found) {
        Some(both) => {
            found = both;
            false
        }
        None => true,
    });
    anomalies.push(found);
}

/// A drop that ends without any record is silence since then: the steps in which it began are its edge.
fn end_silent(counts: &[u64], dispersion: f64, found: &mut Anomaly) {
    let silent = counts.iter().rev().take_while(|count| **count == 0).count();
    let steps = found.to - found.from;
    if found.kind != Kind::Drop || found.to != counts.len() || silent == 0 || silent + LONGEST_EDGE < steps {
        return;
    }
    let expected = found.expected * silent as f64 / steps as f64;
    if expected / dispersion >= SCORE {
        *found = Anomaly { kind: Kind::Silence, from: found.to - silent, count: 0, expected, ..*found };
    }
}

/// Records that are usual in so many steps without any at the end of what is known. `None` where that may be usual, too: where
/// it was counted for less than ten steps before, was as long without any, had few at the same time earlier, or comes in bursts.
pub(crate) fn stopped(stream: &Stream<'_>, steps: f64) -> Option<f64> {
    let until = stream.counts.get(..=stream.counts.iter().rposition(|count| *count > 0)?)?;
    let logged = until.get(until.iter().position(|count| *count > 0)?..)?;
    let pauses = until.split(|count| *count > 0).map(<[u64]>::len);
    if logged.len() < TOLD_BY || pauses.max().unwrap_or(0) as f64 >= steps {
        return None;
    }
    let counts: Vec<f64> = logged.iter().map(|count| *count as f64).collect();
    // What is usual, not what an incident adds; most steps of a stream of few records have none.
    let usual = signal::median(&counts).filter(|median| *median >= 1.0);
    let mut a_step = usual.unwrap_or(sum(logged) / logged.len() as f64);
    let expectation = Expectation::of(stream);
    if expectation.is_seasonal() {
        let all = stream.counts.len();
        let from = until.len().min(all - 1);
        let then = expectation.baseline(from, all, 0.0, (0.0, 0.0))?.expected() / (all - from) as f64;
        a_step = a_step.min(then);
    }
    let expected = steps * a_step;
    (expected / expectation::dispersion_of_changes(logged) >= SCORE).then_some(expected)
}

/// How a stream as a whole, lead-in and window, differs from as many steps longer ago: what began before the lead-in is as
/// usual by that.
pub(crate) fn ran_before(now: &[u64], then: &[u64]) -> Option<Anomaly> {
    let baseline = Baseline { count: sum(then), ratio: 1.0 };
    let dispersion = [now, then].map(expectation::dispersion_of_changes).into_iter().fold(1.0, f64::max);
    let (kind, score) = scan::judged(sum(now), baseline, dispersion).filter(|(_, score)| *score >= SCORE)?;
    let expected = baseline.expected();
    Some(Anomaly { kind, from: 0, to: now.len(), count: now.iter().sum(), expected, score })
}

/// Where a silence began that fills the whole window: after the last record of the lead-in, if it logged long enough before.
fn silent_from(stream: &Stream<'_>) -> Option<usize> {
    let (lead_in, window) = stream.counts.split_at_checked(stream.window)?;
    let last = lead_in.iter().rposition(|count| *count > 0)?;
    (last + 1 >= TOLD_BY && window.iter().all(|count| *count == 0)).then_some(last + 1)
}

/// Records expected in the window, by what lies outside of it.
fn expected(stream: &Stream<'_>, expectation: &Expectation) -> Option<f64> {
    let (lead_in, window) = stream.counts.split_at_checked(stream.window).unwrap_or((stream.counts, &[]));
    let rest = (sum(lead_in), lead_in.len() as f64);
    let baseline = expectation.baseline(stream.window, stream.counts.len(), sum(window), rest);
    baseline.map(Baseline::expected)
}

fn sum<'a>(counts: impl IntoIterator<Item = &'a u64>) -> f64 {
    counts.into_iter().map(|count| *count as f64).sum()
}

#[cfg(test)]
mod tests;
