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
    /// Records expected in the window.
    pub(crate) expected: f64,
    /// Whether too little is expected to notice a drop.
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
        anomalies.push(found);
    }
    Judgement { anomalies, expected, sparse: expected < FEWEST }
}

/// Records expected in the window, by what lies outside of it.
fn expected(stream: &Stream<'_>, expectation: &Expectation) -> f64 {
    let sum = |counts: &[u64]| counts.iter().map(|count| *count as f64).sum::<f64>();
    let (lead_in, window) = stream.counts.split_at_checked(stream.window).unwrap_or((stream.counts, &[]));
    let rest = (sum(lead_in), lead_in.len() as f64);
    let baseline = expectation.baseline(stream.window, stream.counts.len(), sum(window), rest);
    baseline.map_or(0.0, Baseline::expected)
}

#[cfg(test)]
mod tests;
