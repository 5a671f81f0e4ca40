//! How long things take: log-normal distributions, which sum up (nearly) to log-normal ones.

use libm::{erfc, exp, log, sqrt};

/// Distribution of a duration in seconds: its logarithm is normal with mean `mu` and deviation `sigma`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct LogNormal {
    pub(crate) mu: f64,
    pub(crate) sigma: f64,
}

/// What is added up along a request: mean and variance, in seconds and seconds².
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Moments {
    pub(crate) mean: f64,
    pub(crate) variance: f64,
}

impl LogNormal {
    /// By its median.
    pub(crate) fn with_median(median: f64, sigma: f64) -> LogNormal {
        LogNormal { mu: log(median.max(1e-6)), sigma }
    }

    /// The one with these moments: how Fenton (1960) and Wilkinson approximate a sum of log-normals.
    pub(crate) fn with_moments(moments: Moments) -> LogNormal {
        let mean = moments.mean.max(1e-6);
        let square = log(1.0 + (moments.variance / (mean * mean)).max(1e-6));
        LogNormal { mu: log(mean) - square / 2.0, sigma: sqrt(square) }
    }

    pub(crate) fn mean(self) -> f64 {
        exp(self.mu + self.sigma * self.sigma / 2.0)
    }

    pub(crate) fn moments(self) -> Moments {
        let (mean, square) = (self.mean(), self.sigma * self.sigma);
        Moments { mean, variance: mean * mean * (exp(square) - 1.0) }
    }

    /// The duration below which a share `normal_cdf(z)` lies.
    pub(crate) fn at(self, z: f64) -> f64 {
        exp(self.mu + self.sigma * z)
    }

    /// The share of durations up to `seconds`, given as its logarithm because bounds repeat.
    pub(crate) fn share_up_to_log(self, log_seconds: f64) -> f64 {
        normal_cdf((log_seconds - self.mu) / self.sigma)
    }

    /// Moments of the durations below `limit` and the share of the others. By the partial moments
    /// `E[X^k; X < limit] = exp(k·mu + k²·sigma²/2) · Φ((ln limit − mu)/sigma − k·sigma)`.
    pub(crate) fn below(self, limit: f64) -> (Moments, f64) {
        let z = (log(limit) - self.mu) / self.sigma;
        let kept = normal_cdf(z);
        if kept < 1e-9 {
            return (Moments { mean: limit, variance: 0.0 }, 1.0);
        }
        let partial = |k: f64| {
            exp(k * self.mu + k * k * self.sigma * self.sigma / 2.0) * normal_cdf(z - k * self.sigma) / kept
        };
        let mean = partial(1.0);
        (Moments { mean, variance: (partial(2.0) - mean * mean).max(0.0) }, 1.0 - kept)
    }
}

impl Moments {
    /// One after the other, independently.
    pub(crate) fn and(self, other: Moments) -> Moments {
        Moments { mean: self.mean + other.mean, variance: self.variance + other.variance }
    }

    /// `times` of them one after the other; a fraction is the chance of one.
    pub(crate) fn times(self, times: f64) -> Moments {
        let chance = times - libm::floor(times);
        let of_chance = chance * (1.0 - chance) * self.mean * self.mean;
        Moments { mean: times * self.mean, variance: times * self.variance + of_chance }
    }
}

/// Shares of the standard normal distribution below `z`.
fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, relative: f64) -> bool {
        (found / expected - 1.0).abs() < relative
    }

    #[test]
    fn shares_are_those_of_a_table_of_the_normal_distribution() {
        let latency = LogNormal::with_median(0.2, 0.5);

        // z of 95 % and 99 % in any table.
        assert!(near(latency.share_up_to_log((0.2_f64).ln() + 0.5 * 1.644_854), 0.95, 1e-6));
        assert!(near(latency.at(2.326_348), 0.2 * (0.5_f64 * 2.326_348).exp(), 1e-12));
        assert_eq!(latency.share_up_to_log((0.2_f64).ln()), 0.5);
    }

    #[test]
    fn moments_below_a_limit_are_those_of_a_numerical_integral() {
        let latency = LogNormal::with_median(0.4, 0.6);
        let limit = 0.7;
        // Midpoints of the density, written down from its definition.
        let slices = 200_000;
        let (mut share, mut first, mut second) = (0.0, 0.0, 0.0);
        for slice in 0..slices {
            let x = limit * (f64::from(slice) + 0.5) / f64::from(slices);
            let z = ((x / 0.4).ln()) / 0.6;
            let weight = (-z * z / 2.0).exp() / (x * 0.6 * (2.0 * std::f64::consts::PI).sqrt());
            let weight = weight * limit / f64::from(slices);
            share += weight;
            first += x * weight;
            second += x * x * weight;
        }
        let (below, others) = latency.below(limit);

        assert!(near(1.0 - others, share, 1e-6));
        assert!(near(below.mean, first / share, 1e-6));
        assert!(near(below.variance, second / share - (first / share).powi(2), 1e-5));
    }

    #[test]
    fn a_distribution_has_the_moments_it_was_made_from() {
        let moments = Moments { mean: 1.9, variance: 0.4 };
        let back = LogNormal::with_moments(moments).moments();

        assert!(near(back.mean, 1.9, 1e-12) && near(back.variance, 0.4, 1e-9));
        // A call made by every fourth request: mean p·m, variance p·v + p(1 − p)·m².
        let rare = moments.times(0.25);
        assert!(near(rare.mean, 0.475, 1e-12) && near(rare.variance, 0.1 + 0.1875 * 3.61, 1e-12));
    }
}
