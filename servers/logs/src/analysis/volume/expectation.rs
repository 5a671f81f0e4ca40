//! How many records are usual in a stretch of steps.

use super::{Stream, TOLD_BY, silent_from};

/// What happens at the same time every day may be so many steps earlier or later.
const JITTER: usize = 2;
/// Today's level may differ from the earlier one by this factor without being anything of note.
const LEVEL: f64 = 1.5;
/// The median of the square of a normal deviate: turns a median of squared residuals into a variance.
const MEDIAN_OF_SQUARE: f64 = 0.4549;
/// Bursts are looked for in single steps and in blocks of so many.
const BLOCK: usize = 5;
/// With fewer records in a step most steps have none, and the median of them says nothing of bursts.
const SPARSE: f64 = 1.0;

/// What is usual.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expectation {
    season: Option<Season>,
    /// How many times the variance of the baseline is that of a Poisson process; at least 1.
    pub(super) dispersion: f64,
}

/// What was counted at the same time of day earlier.
#[derive(Debug, Clone, PartialEq)]
struct Season {
    /// Records of all earlier windows before each step.
    sums: Vec<f64>,
    /// How many earlier windows there are.
    windows: f64,
    /// Today's level in proportion to theirs.
    level: f64,
}

/// What a stretch is compared with: records counted elsewhere, and the exposure of both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Baseline {
    /// Records.
    pub(super) count: f64,
    /// The stretch's exposure in proportion to theirs.
    pub(super) ratio: f64,
}

impl Baseline {
    /// Records expected in the stretch.
    pub(super) fn expected(self) -> f64 {
        self.count * self.ratio
    }
}

impl Expectation {
    pub(super) fn of(stream: &Stream<'_>) -> Expectation {
        let recorded: Vec<&Vec<u64>> =
            stream.earlier.iter().filter(|window| window.iter().any(|count| *count > 0)).collect();
        if recorded.is_empty() {
            // Bursts are measured in the lead-in, or from step to step where there is none: its level may change.
            // A silence that began in it is no burst.
            let logged = silent_from(stream).unwrap_or(stream.window);
            let lead_in = stream.counts.get(..logged).unwrap_or_default();
            let dispersion = match lead_in.len() < TOLD_BY {
                true => dispersion_of_changes(stream.counts),
                false => dispersion(lead_in, &vec![mean(lead_in); lead_in.len()]),
            };
            return Expectation { season: None, dispersion };
        }
        Expectation::seasonal(stream, &recorded)
    }

    fn seasonal(stream: &Stream<'_>, recorded: &[&Vec<u64>]) -> Expectation {
        let windows = recorded.len() as f64;
        let at = |place: usize| {
            recorded.iter().filter_map(|window| window.get(place)).map(|count| *count as f64).sum::<f64>()
        };
        let profile: Vec<f64> = (0..stream.counts.len()).map(at).collect();
        // One window has nothing to differ from but its own level.
        let usual: Vec<f64> = match recorded {
            [one] => vec![mean(one); one.len()],
            _ => profile.iter().map(|sum| sum / windows).collect(),
        };
        let spread = recorded.iter().map(|window| dispersion(window, &usual)).fold(1.0, f64::max);
        let logged = silent_from(stream).unwrap_or(stream.window);
        let today: f64 = stream.counts.iter().take(logged).map(|count| *count as f64).sum();
        let then: f64 = profile.iter().take(logged).sum::<f64>() / windows;
        let level = if then > 0.0 { (today / then).clamp(1.0 / LEVEL, LEVEL) } else { 1.0 };
        let mut sums = vec![0.0];
        let mut sum = 0.0;
        for counted in profile {
            sum += counted;
            sums.push(sum);
        }
        Expectation { season: Some(Season { sums, windows, level }), dispersion: spread }
    }

    /// Whether it comes from earlier windows.
    pub(super) fn is_seasonal(&self) -> bool {
        self.season.is_some()
    }

    /// What a stretch is compared with when it holds `count` records; `rest` is what the stream holds outside of it, with
    /// its number of steps. `None` where there is nothing to compare with.
    pub(super) fn baseline(&self, from: usize, to: usize, count: f64, rest: (f64, f64)) -> Option<Baseline> {
        match &self.season {
            Some(season) => Some(season.nearest(from, to, count)),
            None => {
                let (counted, steps) = rest;
                (steps > 0.0).then(|| Baseline { count: counted, ratio: (to - from) as f64 / steps })
            }
        }
    }
}

impl Season {
    /// The stretch as it was earlier, moved by up to [`JITTER`] steps to where it is most like `count`.
    fn nearest(&self, from: usize, to: usize, count: f64) -> Baseline {
        let ratio = self.level / self.windows;
        let sum = |place: usize| self.sums.get(place).copied().unwrap_or(0.0);
        let last = self.sums.len().saturating_sub(1);
        let mut nearest = Baseline { count: sum(to) - sum(from), ratio };
        for moved in 1..=JITTER {
            let earlier = from.checked_sub(moved).map(|from| (from, to - moved));
            let later = (to + moved <= last).then_some((from + moved, to + moved));
            for (from, to) in earlier.into_iter().chain(later) {
                let other = Baseline { count: sum(to) - sum(from), ratio };
                if (other.expected() - count).abs() < (nearest.expected() - count).abs() {
                    nearest = other;
                }
            }
        }
        nearest
    }
}

fn mean(counts: &[u64]) -> f64 {
    let sum: f64 = counts.iter().map(|count| *count as f64).sum();
    if counts.is_empty() { 0.0 } else { sum / counts.len() as f64 }
}

/// The larger of the overdispersions of single steps and of blocks; robust, so that an incident in the baseline does not
/// hide one now.
fn dispersion(counts: &[u64], expected: &[f64]) -> f64 {
    let of_blocks = |length: usize| {
        let blocks = counts.chunks_exact(length).zip(expected.chunks_exact(length));
        let squares = blocks.filter_map(|(counts, expected)| {
            let (count, expected) = (counts.iter().sum::<u64>() as f64, expected.iter().sum::<f64>());
            (expected > 0.0).then(|| (count - expected).powi(2) / expected)
        });
        let squares: Vec<f64> = squares.collect();
        signal::median(&squares).unwrap_or(0.0) / MEDIAN_OF_SQUARE
    };
    of_blocks(1).max(of_blocks(BLOCK)).max(of_sparse(counts, expected)).max(1.0)
}

/// The same without knowing the level: of two Poisson counts with the same mean, the square of their difference divided by
/// their sum is 1 in the mean. A change of level is in one pair only.
pub(super) fn dispersion_of_changes(counts: &[u64]) -> f64 {
    let of_blocks = |length: usize| {
        let sums: Vec<f64> =
            counts.chunks_exact(length).map(|block| block.iter().sum::<u64>() as f64).collect();
        let pairs = sums.iter().zip(sums.iter().skip(1)).filter(|(one, next)| *one + *next > 0.0);
        let squares: Vec<f64> = pairs.map(|(one, next)| (one - next).powi(2) / (one + next)).collect();
        signal::median(&squares).unwrap_or(0.0) / MEDIAN_OF_SQUARE
    };
    let level = vec![mean(counts); counts.len()];
    of_blocks(1).max(of_blocks(BLOCK)).max(of_sparse(counts, &level)).max(1.0)
}

/// The variance of a stream of few records in proportion to its mean: a job that writes a dozen lines every half hour is as
/// bursty as that. 0 of streams that are not sparse: there one incident would count for too much.
fn of_sparse(counts: &[u64], expected: &[f64]) -> f64 {
    let sum: f64 = expected.iter().sum();
    if sum <= 0.0 || sum >= SPARSE * expected.len() as f64 {
        return 0.0;
    }
    let squares = counts.iter().zip(expected).map(|(count, expected)| (*count as f64 - expected).powi(2));
    squares.sum::<f64>() / sum
}
