//! How usage over weeks is read without reading every sample more often than the cost guard allows.

use super::Stat;

/// A rate looks at this many samples at least.
const SAMPLES_OF_A_RATE: f64 = 4.0;

/// A rate looks at this many seconds at least.
const SHORTEST_RATE: u64 = 300;

/// How far back a server reads for the latest sample, in seconds.
const LOOKBACK: f64 = 300.0;

/// The window of a rate, in seconds, where samples are so far apart.
pub(crate) fn rate_window(scrape: f64) -> u64 {
    let wanted = (scrape * SAMPLES_OF_A_RATE / 60.0).ceil() as u64 * 60;
    wanted.max(SHORTEST_RATE)
}

/// How large the question is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Size {
    /// Series of one resource at one moment, at most.
    pub(crate) series: f64,
    /// Length of the window in seconds.
    pub(crate) span: u64,
    /// Distance of samples in seconds.
    pub(crate) scrape: f64,
    /// Samples that one query may read.
    pub(crate) most: f64,
}

/// How the numbers are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// By the server from all samples, seen every so many seconds.
    Every(u64),
    /// From the moments of a range query: what lies between two rate windows is not read.
    Moments,
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plan {
    /// Window of a rate in seconds.
    pub(crate) rate: u64,
    /// Step of the range query in seconds.
    pub(crate) step: u64,
    pub(crate) reading: Reading,
    /// About so many samples are read by the dearest query.
    pub(crate) samples: f64,
}

/// The most exact way that reads no more than allowed. `steps` are steps for the range query, the finest first; so
/// many `stats` are asked for at once.
///
/// # Errors
/// How many samples the cheapest way reads, when that is too many.
pub(crate) fn plan(size: Size, steps: &[u64], stats: &[Stat]) -> Result<Plan, f64> {
    let rate = rate_window(size.scrape);
    let finest = steps.first().copied().unwrap_or(rate).max(1);
    // A subquery reads its own moments, and each of them the samples of its rate.
    let exact = size.series * (size.span as f64 / rate as f64) * (per_moment(rate, size.scrape) + 1.0);
    let exact = exact * stats.len().max(1) as f64;
    if exact <= size.most && finest >= rate {
        return Ok(Plan { rate, step: finest, reading: Reading::Every(rate), samples: exact });
    }
    let moments = |step: u64| {
        let window = per_moment(rate.min(step.max(rate)), size.scrape);
        size.series * (size.span as f64 / step as f64 + 1.0) * window
    };
    let fits = steps.iter().copied().find(|step| moments(*step) <= size.most);
    match fits {
        Some(step) => Ok(Plan { rate, step, reading: Reading::Moments, samples: moments(step) }),
        None => Err(steps.last().map_or(exact, |step| moments(*step))),
    }
}

fn per_moment(rate: u64, scrape: f64) -> f64 {
    (rate as f64).max(LOOKBACK) / scrape.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [u64; 3] = [10_800, 21_600, 86_400];

    fn size(series: f64) -> Size {
        Size { series, span: 2_592_000, scrape: 15.0, most: 50e6 }
    }

    #[test]
    fn few_series_are_read_whole_and_many_at_moments() {
        // 30 d ÷ 5 m = 8,640 moments × (20 samples + 1) × 5 numbers = 907,200 a series: 55 fit into 50 million.
        let few = plan(size(55.0), &STEPS, &Stat::ALL).unwrap();
        assert_eq!((few.rate, few.step, few.reading), (300, 10_800, Reading::Every(300)));
        assert_eq!(few.samples, 55.0 * 907_200.0);
        // 56 do not: 241 moments × 20 samples.
        let more = plan(size(56.0), &STEPS, &Stat::ALL).unwrap();
        assert_eq!((more.step, more.reading, more.samples), (10_800, Reading::Moments, 56.0 * 241.0 * 20.0));
        let many = plan(size(10_000.0), &STEPS, &Stat::ALL).unwrap();
        assert_eq!((many.step, many.samples), (10_800, 48_200_000.0));
        assert_eq!(plan(size(11_000.0), &STEPS, &Stat::ALL).unwrap().step, 21_600);
        // 31 moments × 20 samples × 100,000.
        assert_eq!(plan(size(100_000.0), &STEPS, &Stat::ALL), Err(62_000_000.0));
    }

    #[test]
    fn a_rate_needs_several_samples_and_the_moments_are_no_closer_than_it() {
        assert_eq!(rate_window(15.0), 300);
        assert_eq!(rate_window(60.0), 300);
        assert_eq!(rate_window(300.0), 1_200);
        assert_eq!(rate_window(90.0), 360);
        // Two hours at 1 m: the rate's 5 m are longer than a step, so the moments themselves are the numbers.
        let short = Size { span: 7_200, ..size(10.0) };
        assert_eq!(plan(short, &[60], &Stat::ALL).unwrap().reading, Reading::Moments);
    }
}
