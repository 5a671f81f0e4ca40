//! How well unusual metrics are ranked: what `cargo xtask bench accuracy-metrics` asks of this server.
//!
//! It goes the way of the tool `get_high_cardinality_metrics` up to the ranking: the same queries, evaluated over
//! generated series in memory, the same signals. Only the ranking is exchanged, to compare methods. Not for other use.

use std::sync::Arc;

use contract::Context;
use jiff::Timestamp;

use crate::{
    analysis::unusual::{
        moment::Split,
        ranking::{rank, service, services, stories},
        signals::Signal,
    },
    backend::snapshot::Recording,
    config::{QueryLimits, aliases::Aliases},
    tools::unusual_signals,
};

/// How signals are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// As the tool does.
    Ours,
    /// max |x − median| ÷ interquartile range, nothing else.
    MedianIqr,
    /// max |x − mean| ÷ standard deviation.
    MeanDeviation,
    /// The largest value.
    Maximum,
    /// Chance, with this seed.
    Random(u64),
}

/// What the tool reads of a service, or of all.
#[derive(Debug)]
pub struct Reading {
    signals: Vec<Signal>,
    moments: usize,
    step: f64,
    /// Seconds since 1970 of each moment.
    seconds: Vec<i64>,
}

/// Reads a service's metrics as of `now`, or everybody's, from series in memory. The directory of `snapshot` is not
/// read.
///
/// # Errors
/// What the tool says.
pub async fn read(
    snapshot: Arc<snapshot::Snapshot>,
    store: promql::Store,
    service: Option<&str>,
    now: Timestamp,
) -> Result<Reading, String> {
    let cx = Context::for_test(now);
    let recording = Recording::holding(snapshot, store);
    let aliases = Aliases::default();
    let reading = unusual_signals(&cx, &recording, &aliases, QueryLimits::default(), service);
    let (signals, grid) = reading.await.map_err(|error| error.to_string())?;
    let seconds = (0..grid.count()).map(|place| grid.second(place)).collect();
    Ok(Reading { signals, moments: grid.count(), step: grid.step().as_secs_f64(), seconds })
}

impl Reading {
    /// The moment at which the signals together changed, seconds since 1970.
    #[must_use]
    pub fn inferred(&self) -> Option<i64> {
        let split = self.split(None);
        (split.known == crate::analysis::unusual::moment::Known::Inferred)
            .then(|| self.seconds.get(split.at).copied())
            .flatten()
    }

    /// The metrics, each once, the most unusual first; `since` in seconds since 1970, inferred when left out.
    #[must_use]
    pub fn metrics(&self, method: Method, since: Option<i64>) -> Vec<String> {
        let split = self.split(since);
        let ranked: Vec<usize> = match method {
            Method::Ours => rank(&self.signals, &split).iter().map(|one| one.signal).collect(),
            other => self.by(other, &split),
        };
        let mut names: Vec<String> = Vec::new();
        for signal in ranked.into_iter().filter_map(|place| self.signals.get(place)) {
            if !names.contains(&signal.metric) {
                names.push(signal.metric.clone());
            }
        }
        names
    }

    /// The rows of the tool's answer: the metrics that each tells.
    #[must_use]
    pub fn rows(&self, since: Option<i64>) -> Vec<Vec<String>> {
        let split = self.split(since);
        let ranked = rank(&self.signals, &split);
        let name = |place: usize| self.signals.get(place).map(|signal| signal.metric.clone());
        let stories = stories(&ranked, &self.signals, &split);
        let row = |story: crate::analysis::unusual::ranking::Story| {
            std::iter::once(&story.lead).chain(&story.with).filter_map(|one| name(one.signal)).collect()
        };
        stories.into_iter().map(row).collect()
    }

    /// The services, the worst first, when everybody was read.
    #[must_use]
    pub fn services(&self, since: Option<i64>) -> Vec<String> {
        let ranked = rank(&self.signals, &self.split(since));
        services(&ranked, &self.signals).into_iter().map(str::to_owned).collect()
    }

    fn split(&self, since: Option<i64>) -> Split {
        let at = since.and_then(|since| self.seconds.iter().position(|second| *second >= since));
        if let Some(given) = at.and_then(|at| Split::given(at, self.moments, self.step)) {
            return given;
        }
        let signals: Vec<&Signal> = self.signals.iter().collect();
        let is_of_all = signals.iter().any(|signal| service(signal).is_some());
        let infer = if is_of_all { Split::inferred_among } else { Split::inferred };
        infer(&signals, self.moments, self.step)
    }

    /// By one number a signal, the largest first.
    fn by(&self, method: Method, split: &Split) -> Vec<usize> {
        // From the suspected start on: without our additions nothing before it is judged.
        let judged = split.at..self.moments;
        let mut scored: Vec<(f64, usize)> = Vec::new();
        for (place, signal) in self.signals.iter().enumerate() {
            let finite = |part: Option<&[f64]>| -> Vec<f64> {
                part.unwrap_or_default().iter().copied().filter(|value| value.is_finite()).collect()
            };
            let before = finite(signal.values.get(split.before.clone()));
            let after = finite(signal.values.get(judged.clone()));
            let score = match method {
                Method::Random(seed) => Some(random(seed, place)),
                Method::Maximum => after.iter().copied().reduce(f64::max),
                Method::MeanDeviation => mean_deviation(&before, &after),
                Method::MedianIqr | Method::Ours => median_iqr(&before, &after),
            };
            scored.extend(score.filter(|score| score.is_finite()).map(|score| (score, place)));
        }
        scored.sort_by(|(one, place), (other, other_place)| {
            other.total_cmp(one).then_with(|| place.cmp(other_place))
        });
        scored.into_iter().map(|(_, place)| place).collect()
    }
}

/// The smallest spread, so that a baseline without any does not divide by zero.
const EPSILON: f64 = 1e-9;

fn farthest(values: &[f64], from: f64) -> Option<f64> {
    values.iter().map(|value| (value - from).abs()).reduce(f64::max)
}

fn median_iqr(before: &[f64], after: &[f64]) -> Option<f64> {
    Some(farthest(after, signal::median(before)?)? / signal::iqr(before)?.max(EPSILON))
}

fn mean_deviation(before: &[f64], after: &[f64]) -> Option<f64> {
    let count = before.len() as f64;
    let mean = before.iter().sum::<f64>() / count;
    let deviation = (before.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    Some(farthest(after, mean).filter(|_| !before.is_empty())? / deviation.max(EPSILON))
}

/// SplitMix64 (Steele et al. 2014), as a number from 0 to 1.
fn random(seed: u64, place: usize) -> f64 {
    let mut state = seed.wrapping_add((place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (state ^ (state >> 31)) as f64 / u64::MAX as f64
}
