//! Durations as histograms and summaries: how many requests fell below each bound.

use libm::{log, sqrt};

use crate::lognormal::LogNormal;
use crate::random::Random;

use super::sheet::Line;
use super::target::Target;

/// Upper bounds of buckets.
pub(crate) struct Bounds {
    seconds: &'static [f64],
    logs: Vec<f64>,
    /// Units of the metric in a second: 1, or 1000 for milliseconds.
    per_second: f64,
}

impl Bounds {
    pub(crate) fn new(seconds: &'static [f64], per_second: f64) -> Bounds {
        Bounds { seconds, logs: seconds.iter().map(|bound| log(*bound)).collect(), per_second }
    }

    /// As OpenMetrics wants numbers in labels: with a decimal point.
    fn written(&self) -> Vec<String> {
        let bounds = self.seconds.iter().map(|bound| format!("{:?}", bound * self.per_second));
        bounds.chain(["+Inf".to_owned()]).collect()
    }
}

/// Some requests and how long they took.
pub(crate) type Crowd = (u32, LogNormal);

/// What one step adds to a histogram: to each bucket (cumulative, the last one is the count) and to the sum.
struct Added {
    buckets: Vec<f64>,
    sum: f64,
}

/// A histogram whose observations in each step are the given crowds.
pub(crate) fn histogram<const N: usize>(
    target: &Target<'_>,
    bounds: &Bounds,
    mut random: Random,
    crowds: impl Iterator<Item = [Crowd; N]>,
) -> Vec<Line> {
    let added: Vec<Added> = crowds.map(|crowds| added(bounds, &crowds, &mut random)).collect();
    let mut lines = Vec::new();
    for (place, le) in bounds.written().into_iter().enumerate() {
        let amounts: Vec<f64> =
            added.iter().map(|step| step.buckets.get(place).copied().unwrap_or(0.0)).collect();
        let values = target.counter(0, &amounts);
        lines.push(Line { suffix: "_bucket", extra: Some(("le", le)), values });
    }
    present_together(&mut lines);
    lines.extend(count_and_sum(target, &added));
    lines
}

/// Count and sum alone: a summary without quantiles.
pub(crate) fn summary<const N: usize>(
    target: &Target<'_>,
    mut random: Random,
    crowds: impl Iterator<Item = [Crowd; N]>,
) -> Vec<Line> {
    let bounds = Bounds::new(&[], 1.0);
    let added: Vec<Added> = crowds.map(|crowds| added(&bounds, &crowds, &mut random)).collect();
    count_and_sum(target, &added)
}

fn count_and_sum(target: &Target<'_>, added: &[Added]) -> Vec<Line> {
    let counts: Vec<f64> = added.iter().map(|step| step.buckets.last().copied().unwrap_or(0.0)).collect();
    let sums: Vec<f64> = added.iter().map(|step| step.sum).collect();
    vec![
        Line { suffix: "_count", extra: None, values: target.counter(0, &counts) },
        Line { suffix: "_sum", extra: None, values: target.counter(6, &sums) },
    ]
}

/// Buckets are there as soon as the last one is, be they empty.
fn present_together(buckets: &mut [Line]) {
    let Some((last, others)) = buckets.split_last_mut() else { return };
    for bucket in others {
        for (value, whole) in bucket.values.iter_mut().zip(&last.values) {
            if super::sheet::is_absent(*value) && !super::sheet::is_absent(*whole) {
                *value = 0.0;
            }
        }
    }
}

fn added(bounds: &Bounds, crowds: &[Crowd], random: &mut Random) -> Added {
    let mut buckets = vec![0.0; bounds.seconds.len() + 1];
    let mut sum = 0.0;
    for (count, latency) in crowds.iter().filter(|(count, _)| *count > 0) {
        let whole = f64::from(*count);
        // The mean of few observations wanders more than that of many.
        let latency =
            LogNormal { mu: latency.mu + latency.sigma * random.normal() / sqrt(whole), ..*latency };
        let luck = random.unit();
        let (mut reached, mut least, mut most) = (0.0, 0.0, 0.0);
        let mut lower = 0.0;
        let shares = bounds.logs.iter().map(|bound| latency.share_up_to_log(*bound));
        for ((bucket, upper), share) in buckets.iter_mut().zip(bounds.seconds).zip(shares) {
            let below = libm::floor(whole * share + luck).clamp(reached, whole);
            *bucket += below;
            least += (below - reached) * lower;
            most += (below - reached) * upper;
            (reached, lower) = (below, *upper);
        }
        if let Some(last) = buckets.last_mut() {
            *last += whole;
        }
        least += (whole - reached) * lower;
        // Above the last bound anything goes.
        let most = if reached < whole { f64::INFINITY } else { most };
        sum += (whole * latency.mean()).clamp(least, most);
    }
    Added { buckets, sum: sum * bounds.per_second }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn buckets_are_cumulative_and_the_sum_lies_between_their_bounds(
            count in 1_u32..5_000, median in 0.001..5.0_f64, sigma in 0.05..1.5_f64, seed: u64,
        ) {
            let bounds = Bounds::new(&[0.01, 0.1, 1.0], 1.0);
            let crowd = (count, LogNormal::with_median(median, sigma));
            let step = added(&bounds, &[crowd], &mut Random::new(seed, "test"));
            let [a, b, c, all] = step.buckets.as_slice() else { panic!() };

            prop_assert!(0.0 <= *a && a <= b && b <= c && c <= all);
            prop_assert_eq!(*all, f64::from(count));
            let least = (b - a) * 0.01 + (c - b) * 0.1 + (all - c);
            prop_assert!(step.sum >= least - 1e-9);
            if c == all {
                prop_assert!(step.sum <= a * 0.01 + (b - a) * 0.1 + (c - b) + 1e-9);
            }
        }
    }

    #[test]
    fn shares_below_a_bound_are_those_of_the_distribution() {
        let bounds = Bounds::new(&[0.2], 1.0);
        let crowd = (1_000_000, LogNormal::with_median(0.2, 0.5));
        let step = added(&bounds, &[crowd], &mut Random::new(1, "test"));

        assert!((step.buckets[0] / 1e6 - 0.5).abs() < 0.003, "half lies below the median");
        assert!((step.sum / 1e6 / (0.2 * (0.125_f64).exp()) - 1.0).abs() < 0.005, "the mean of a log-normal");
    }
}
