//! From what was read to what is judged: values, rates, means, quantiles, shares of failures.

use std::collections::{BTreeMap, BTreeSet};

use super::reading::{Reading, Tags, classic_quantile, increases, rate, summed};

/// Labels that say whether something failed, and what their values look like when it did.
const FAILURE_LABELS: &[&str] = &[
    "code",
    "status",
    "status_code",
    "http_status_code",
    "http_response_status_code",
    "response_code",
    "statuscode",
    "http_status",
    "grpc_code",
    "rpc_grpc_status_code",
    "outcome",
    "result",
    "error_type",
    "status_class",
];

/// What of a metric is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// A gauge, the mean over replicas.
    Value,
    /// A counter's increase a second, summed over replicas.
    PerSecond,
    /// The mean of a histogram's or summary's observations.
    Mean,
    /// The 95th percentile of a histogram.
    P95,
    /// The share of failures among all that a counter counts.
    FailureShare,
    /// How many series there are.
    Series,
}

/// How distances of a signal are measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    /// In its unit; `resolution` is the smallest difference that means anything.
    Linear { resolution: f64 },
    /// A share of a whole, in log-odds.
    Share,
}

/// What a metric is, which decides what of it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Gauge,
    Counter,
    /// `_bucket`, `_sum` and `_count` of a classic histogram or a summary; the metric's own name is without them.
    Bucket,
    Sum,
    Count,
    /// A native histogram.
    Native,
    /// Nothing that moves: labels as information, times of creation, states of alerts.
    Ignored,
}

/// One thing that is judged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Signal {
    /// The metric; of a histogram without `_bucket`.
    pub(crate) metric: String,
    pub(crate) tags: Tags,
    pub(crate) what: What,
    pub(crate) scale: Scale,
    pub(crate) values: Vec<f64>,
    /// Whether it is all of the metric, not one label set of several.
    pub(crate) is_total: bool,
    /// The service, where several were read.
    pub(crate) service: Option<String>,
    /// The label that tells failures, of a share of them; its value among the tags is all failing ones, with `|`.
    pub(crate) failing: Option<String>,
    /// Whether it is of a native histogram.
    pub(crate) is_native: bool,
}

impl Signal {
    pub(crate) fn new(metric: &str, tags: Tags, what: What, scale: Scale, values: Vec<f64>) -> Signal {
        Signal {
            metric: metric.to_owned(),
            tags,
            what,
            scale,
            values,
            is_total: false,
            service: None,
            failing: None,
            is_native: false,
        }
    }

    fn total(self) -> Signal {
        Signal { is_total: true, ..self }
    }
}

/// Linear, and nothing known about what is small.
pub(super) const PLAIN: Scale = Scale::Linear { resolution: 0.0 };

/// What was read of a service.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// Means over replicas of gauges.
    pub(crate) gauges: Vec<Reading>,
    /// Sums over replicas of counters, and how many series are in each sum.
    pub(crate) sums: Vec<Reading>,
    pub(crate) counts: Vec<Reading>,
    /// Sums by `le` of buckets.
    pub(crate) buckets: Vec<Reading>,
    /// Number of series of each metric.
    pub(crate) series: Vec<Reading>,
}

/// The window in which it was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    /// Seconds.
    pub(crate) step: f64,
    /// Steps over which rates are taken.
    pub(crate) span: usize,
}

/// Everything that can be judged of what was read.
pub(crate) fn signals(read: &Read, kind: impl Fn(&str) -> Kind, pace: Pace) -> Vec<Signal> {
    let mut all = Vec::new();
    all.extend(read.gauges.iter().map(|reading| gauge(reading, pace)));
    all.extend(counters(read, &kind, pace));
    all.extend(quantiles(&read.buckets, pace));
    all.extend(read.series.iter().filter(|one| kind(&one.name) != Kind::Ignored).map(number_of_series));
    all
}

fn gauge(reading: &Reading, pace: Pace) -> Signal {
    let (name, tags) = (&reading.name, reading.tags.clone());
    if only_rises(&reading.values) {
        // A counter that no target told about, or a moment that goes with the clock: how fast it rises is what may
        // change.
        let steady = vec![1.0; reading.values.len()];
        let values = rate(&increases(&reading.values, &steady), pace.span, pace.step);
        return Signal::new(name, tags, What::PerSecond, PLAIN, values);
    }
    let scale = if is_share(reading) { Scale::Share } else { PLAIN };
    Signal::new(name, tags, What::Value, scale, reading.values.clone())
}

/// Whether values rise at most steps and never fall.
fn only_rises(values: &[f64]) -> bool {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let steps = || finite.iter().zip(finite.iter().skip(1));
    let rising = steps().filter(|(one, next)| next > one).count();
    finite.len() >= FEWEST_RISING && 2 * rising > finite.len() && steps().all(|(one, next)| next >= one)
}

/// So many values that only rise are no chance.
const FEWEST_RISING: usize = 20;

/// Words of names whose values between 0 and 1 are shares.
const SHARE_WORDS: &[&str] = &[
    "ratio",
    "share",
    "availability",
    "utilization",
    "utilisation",
    "success",
    "up",
    "healthy",
    "ready",
    "hit",
];

/// Whether a gauge is a share of a whole: by its name, and as far as its values allow.
fn is_share(reading: &Reading) -> bool {
    let mut words = reading.name.split(['_', ':', '.']);
    words.any(|word| SHARE_WORDS.contains(&word)) && signal::are_shares(&reading.values)
}

fn number_of_series(reading: &Reading) -> Signal {
    let usual = signal::median(&reading.values).unwrap_or(0.0);
    // Replicas come and go by one; a tenth of many is nothing either.
    let scale = Scale::Linear { resolution: (usual / 10.0).max(1.0) };
    Signal::new(&reading.name, reading.tags.clone(), What::Series, scale, reading.values.clone())
}

/// A counter's parts: labels, sums and increases.
struct Part<'r> {
    tags: &'r Tags,
    sums: &'r [f64],
    increases: Vec<f64>,
}

fn counters(read: &Read, kind: &impl Fn(&str) -> Kind, pace: Pace) -> Vec<Signal> {
    let counts: BTreeMap<(&str, &Tags), &[f64]> =
        read.counts.iter().map(|one| ((one.name.as_str(), &one.tags), one.values.as_slice())).collect();
    let mut parts: BTreeMap<&str, Vec<Part<'_>>> = BTreeMap::new();
    for one in &read.sums {
        let counts = counts.get(&(one.name.as_str(), &one.tags)).copied().unwrap_or_default();
        let part = Part { tags: &one.tags, sums: &one.values, increases: increases(&one.values, counts) };
        parts.entry(one.name.as_str()).or_default().push(part);
    }
    let mut all = Vec::new();
    for (name, of_name) in &parts {
        match kind(name) {
            Kind::Counter | Kind::Count => {
                all.extend(rates(name, of_name, pace));
                all.extend(failures(name, of_name, pace));
            }
            Kind::Sum => {
                let base = name.strip_suffix("_sum").unwrap_or(name);
                let counted = format!("{base}_count");
                let counted = parts.get(counted.as_str()).map(Vec::as_slice).unwrap_or_default();
                all.extend(means(base, of_name, counted, pace));
            }
            Kind::Gauge | Kind::Bucket | Kind::Native | Kind::Ignored => {}
        }
    }
    // A gauge among them, such as `pg_stat_activity_count`.
    for one in read.sums.iter().filter(|one| kind(&one.name) == Kind::Gauge) {
        let counts = counts.get(&(one.name.as_str(), &one.tags)).copied().unwrap_or_default();
        let values = one.values.iter().zip(counts).map(|(sum, count)| sum / count).collect();
        all.push(gauge(&Reading { name: one.name.clone(), tags: one.tags.clone(), values }, pace));
    }
    all
}

fn total(parts: &[Part<'_>]) -> Vec<f64> {
    summed(parts.iter().map(|part| (part.increases.as_slice(), part.sums)))
}

/// The labels that all parts have with the same value.
fn shared(parts: &[Part<'_>]) -> Tags {
    let mut shared = parts.first().map(|part| part.tags.clone()).unwrap_or_default();
    shared.retain(|name, value| parts.iter().all(|part| part.tags.get(name) == Some(value)));
    shared
}

/// One event in the span, where a counter counts events; nothing where it counts seconds or bytes.
fn resolution(increases: &[f64], pace: Pace) -> f64 {
    let counts_events = increases.iter().filter(|value| value.is_finite()).all(|value| value.fract() == 0.0);
    if counts_events { 1.0 / (pace.span as f64 * pace.step) } else { 0.0 }
}

fn rates(name: &str, parts: &[Part<'_>], pace: Pace) -> Vec<Signal> {
    let signal = |tags: Tags, increases: &[f64]| {
        let scale = Scale::Linear { resolution: resolution(increases, pace) };
        Signal::new(name, tags, What::PerSecond, scale, rate(increases, pace.span, pace.step))
    };
    let all = signal(shared(parts), &total(parts)).total();
    let each = parts.iter().map(|part| signal(part.tags.clone(), &part.increases));
    std::iter::once(all).chain(each.filter(|_| parts.len() > 1)).collect()
}

fn means(base: &str, sums: &[Part<'_>], counts: &[Part<'_>], pace: Pace) -> Vec<Signal> {
    let mean = |tags: Tags, sum: &[f64], count: &[f64]| {
        let (sum, count) = (rate(sum, pace.span, pace.step), rate(count, pace.span, pace.step));
        let mean = |(sum, count): (&f64, &f64)| if *count > 0.0 { sum / count } else { f64::NAN };
        Signal::new(base, tags, What::Mean, PLAIN, sum.iter().zip(&count).map(mean).collect())
    };
    let all = mean(shared(sums), &total(sums), &total(counts)).total();
    let each = sums.iter().filter_map(|sum| {
        let count = counts.iter().find(|count| count.tags == sum.tags)?;
        Some(mean(sum.tags.clone(), &sum.increases, &count.increases))
    });
    std::iter::once(all).chain(each.filter(|_| sums.len() > 1)).collect()
}

/// Whether a label's value says that something failed on the server's side.
pub(crate) fn is_failure(label: &str, value: &str) -> bool {
    match value {
        "SERVER_ERROR" | "error" | "failure" | "failed" | "fail" | "5xx" => true,
        // The codes of gRPC that its own middleware counts as the server's faults.
        "Unknown" | "DeadlineExceeded" | "Unimplemented" | "Internal" | "Unavailable" | "DataLoss" => true,
        "2" | "4" | "12" | "13" | "14" | "15" => label.contains("grpc"),
        _ if label == "error_type" => !value.is_empty(),
        _ => value.len() == 3 && value.starts_with('5') && value.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// The share of failures among all that a counter counts, where one of its labels tells.
fn failures(name: &str, parts: &[Part<'_>], pace: Pace) -> Option<Signal> {
    let labels: BTreeSet<&str> = parts.iter().flat_map(|part| part.tags.keys()).map(String::as_str).collect();
    let label = *FAILURE_LABELS.iter().find(|label| {
        let values: BTreeSet<&str> =
            parts.iter().filter_map(|part| part.tags.get(**label)).map(String::as_str).collect();
        labels.contains(**label) && values.iter().any(|value| is_failure(label, value))
    })?;
    let failed = |part: &&Part<'_>| part.tags.get(label).is_some_and(|value| is_failure(label, value));
    let failing = summed(parts.iter().filter(failed).map(|part| (part.increases.as_slice(), part.sums)));
    let all = total(parts);
    let none_yet =
        |(failing, all): (&f64, &f64)| if failing.is_nan() && all.is_finite() { 0.0 } else { *failing };
    let failing: Vec<f64> = failing.iter().zip(&all).map(none_yet).collect();
    let (failing, all) = (rate(&failing, pace.span, pace.step), rate(&all, pace.span, pace.step));
    let share = |(failing, all): (&f64, &f64)| if *all > 0.0 { failing / all } else { f64::NAN };
    let values: BTreeSet<&str> =
        parts.iter().filter(failed).filter_map(|part| part.tags.get(label)).map(String::as_str).collect();
    let mut tags = shared(parts);
    tags.insert(label.to_owned(), values.into_iter().collect::<Vec<_>>().join("|"));
    let values = failing.iter().zip(&all).map(share).collect();
    let failing = Some(label.to_owned());
    Some(Signal { failing, ..Signal::new(name, tags, What::FailureShare, Scale::Share, values).total() })
}

/// A bucket: its upper boundary, and the rate of observations below it at each moment.
type Bucket = (f64, Vec<f64>);

/// The 95th percentile of each classic histogram, all labels but `le` summed.
fn quantiles(buckets: &[Reading], pace: Pace) -> Vec<Signal> {
    let mut histograms: BTreeMap<(&str, Tags), Vec<Bucket>> = BTreeMap::new();
    for one in buckets {
        let Some(bound) = one.tags.get("le").and_then(|le| le.parse::<f64>().ok()) else { continue };
        let mut tags = one.tags.clone();
        tags.remove("le");
        // How many series are in the sum was not read: a sum that falls is all that shows a change.
        let growth = increases(&one.values, &vec![1.0; one.values.len()]);
        let rates = rate(&growth, pace.span, pace.step);
        histograms.entry((one.name.as_str(), tags)).or_default().push((bound, rates));
    }
    let signal = |((name, tags), mut bounds): ((&str, Tags), Vec<Bucket>)| {
        bounds.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let moments = bounds.iter().map(|(_, rates)| rates.len()).max().unwrap_or(0);
        let values = (0..moments).map(|moment| quantile_at(&bounds, moment)).collect();
        let metric = name.strip_suffix("_bucket").unwrap_or(name);
        Signal::new(metric, tags, What::P95, PLAIN, values).total()
    };
    histograms.into_iter().map(signal).collect()
}

fn quantile_at(bounds: &[Bucket], moment: usize) -> f64 {
    let at = |(bound, rates): &Bucket| Some((*bound, *rates.get(moment)?));
    let counts: Vec<(f64, f64)> = bounds.iter().filter_map(at).filter(|(_, rate)| rate.is_finite()).collect();
    classic_quantile(0.95, &counts).unwrap_or(f64::NAN)
}
