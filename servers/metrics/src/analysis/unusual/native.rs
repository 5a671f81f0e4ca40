//! What is judged of native histograms: their rate, mean and 95th percentile over the last steps.

use std::collections::BTreeMap;

use super::{
    reading::Tags,
    signals::{PLAIN, Pace, Scale, Signal, What},
};
use crate::model::{Bucket, Histogram};

/// One native histogram, summed over replicas, on the moments of the window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NativeReading {
    pub(crate) name: String,
    pub(crate) tags: Tags,
    pub(crate) values: Vec<Option<Histogram>>,
}

/// The signals of each. The counts grow from scrape to scrape as those of any counter: what was observed within the
/// last steps is the difference of two of them.
pub(crate) fn signals(readings: &[NativeReading], pace: Pace) -> Vec<Signal> {
    let mut all = Vec::new();
    for one in readings {
        let moments = 0..one.values.len();
        let observed: Vec<Option<Histogram>> = moments
            .map(|end| {
                let begin = end.checked_sub(pace.span.max(1))?;
                grown(one.values.get(begin)?.as_ref()?, one.values.get(end)?.as_ref()?)
            })
            .collect();
        let seconds = pace.span.max(1) as f64 * pace.step;
        let each = |value: &dyn Fn(&Histogram) -> f64| -> Vec<f64> {
            observed.iter().map(|one| one.as_ref().map_or(f64::NAN, value)).collect()
        };
        let signal = |what, scale, values| Signal {
            is_total: true,
            is_native: true,
            ..Signal::new(&one.name, one.tags.clone(), what, scale, values)
        };
        all.push(signal(
            What::PerSecond,
            Scale::Linear { resolution: 1.0 / seconds },
            each(&|grown| grown.count / seconds),
        ));
        all.push(signal(What::Mean, PLAIN, each(&|grown| grown.mean().unwrap_or(f64::NAN))));
        all.push(signal(What::P95, PLAIN, each(&|grown| grown.quantile(0.95))));
    }
    all
}

/// What came between two states; `None` where the counts fell, because a replica began anew or went away. Buckets that
/// were merged in between (a coarser schema) can't be told apart either.
fn grown(earlier: &Histogram, later: &Histogram) -> Option<Histogram> {
    let key = |bucket: &Bucket| (bucket.left.to_bits(), bucket.right.to_bits());
    let before: BTreeMap<(u64, u64), f64> =
        earlier.buckets.iter().map(|bucket| (key(bucket), bucket.count)).collect();
    let known = later.buckets.iter().filter(|bucket| before.contains_key(&key(bucket))).count();
    if known < before.len() || later.count < earlier.count {
        return None;
    }
    let mut buckets = Vec::new();
    for bucket in &later.buckets {
        let count = bucket.count - before.get(&key(bucket)).copied().unwrap_or(0.0);
        if count < 0.0 {
            return None;
        }
        buckets.push(Bucket { count, ..*bucket });
    }
    Some(Histogram { count: later.count - earlier.count, sum: later.sum - earlier.sum, buckets })
}
