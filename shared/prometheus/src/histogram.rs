//! Native histograms, and quantiles of them as PromQL computes them.

/// Which of a bucket's two boundaries belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounds {
    /// Only the right one: `(left, right]`.
    LeftOpen,
    /// Only the left one: `[left, right)`.
    RightOpen,
    /// Neither: `(left, right)`.
    Open,
    /// Both: `[left, right]`.
    Closed,
}

/// One bucket that holds observations; empty ones are not sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Which boundaries belong to it.
    pub bounds: Bounds,
    /// Lower boundary, in the metric's unit.
    pub left: f64,
    /// Upper boundary, in the metric's unit.
    pub right: f64,
    /// Observations in it; a fraction (per second) after `rate`.
    pub count: f64,
}

/// A native histogram.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    /// All observations; per second after `rate`.
    pub count: f64,
    /// Their sum, in the metric's unit; NaN when one of them was.
    pub sum: f64,
    /// The buckets in ascending order.
    pub buckets: Vec<Bucket>,
}

impl Histogram {
    /// The mean of the observations; `None` without any.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }

    /// The value below which the share `q` of the observations lies, as `histogram_quantile` of Prometheus 3
    /// computes it (<https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile>;
    /// Prometheus before 3.0 interpolated linearly in every bucket): exponential interpolation within a bucket,
    /// linear in the zero bucket and where the buckets are custom ones. NaN without observations or for a NaN
    /// `q`, -Inf for `q < 0`, +Inf for `q > 1`.
    ///
    /// The wire does not say whether buckets are custom; boundaries on a grid of Prometheus' standard schemas
    /// (-4 to 8) are taken for exponential ones.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        if q < 0.0 {
            return f64::NEG_INFINITY;
        }
        if q > 1.0 {
            return f64::INFINITY;
        }
        if q.is_nan() || self.count == 0.0 {
            return f64::NAN;
        }
        // From the nearer end. NaN observations are in the count but in no bucket: then only from below.
        let from_below = self.sum.is_nan() || q < 0.5;
        let mut rank = if from_below { q } else { 1.0 - q } * self.count;
        let Some((bucket, seen)) = self.bucket_at(rank, from_below) else { return f64::NAN };
        let seen = seen.min(self.count);
        if seen < rank {
            return if self.sum.is_nan() { f64::NAN } else { bucket.right };
        }
        rank = if from_below { rank - (seen - bucket.count) } else { seen - rank };
        self.within(bucket, rank / bucket.count)
    }

    /// The bucket that holds the observation of this rank, counted from one end, and all observations up to and
    /// including it; the last bucket when there are fewer.
    fn bucket_at(&self, rank: f64, from_below: bool) -> Option<(Bucket, f64)> {
        let mut seen = 0.0;
        let mut last = None;
        let mut take = |bucket: &Bucket| {
            seen += bucket.count;
            last = Some((*bucket, seen));
            seen >= rank
        };
        let mut filled = self.buckets.iter().filter(|bucket| bucket.count != 0.0);
        let _found = if from_below { filled.any(&mut take) } else { filled.rev().any(&mut take) };
        last
    }

    /// The value at `fraction` of the way through a bucket.
    fn within(&self, bucket: Bucket, fraction: f64) -> f64 {
        let Bucket { mut left, mut right, .. } = bucket;
        let custom = !self.is_exponential();
        if custom {
            if left == f64::NEG_INFINITY {
                if right <= 0.0 {
                    return right;
                }
                left = 0.0;
            } else if right == f64::INFINITY {
                return left;
            }
        } else if left < 0.0 && right > 0.0 {
            // The zero bucket: a histogram without negative buckets has no negative observations either.
            let above = self.buckets.iter().any(|other| other.left > 0.0);
            let below = self.buckets.iter().any(|other| other.right < 0.0);
            match (below, above) {
                (false, true) => left = 0.0,
                (true, false) => right = 0.0,
                _ => {}
            }
        }
        if custom || (left <= 0.0 && right >= 0.0) {
            return left + (right - left) * fraction;
        }
        let (near, far) = (left.abs().log2(), right.abs().log2());
        if left > 0.0 {
            return (near + (far - near) * fraction).exp2();
        }
        -(far + (near - far) * (1.0 - fraction)).exp2()
    }

    /// Whether all buckets lie on the grid of one standard schema `n`, whose boundaries are the powers of
    /// `2^(2^-n)`. Only the bucket next to the zero bucket may be narrower, because that one cuts it.
    fn is_exponential(&self) -> bool {
        (-4..=8).any(|schema| {
            let per_doubling = f64::from(schema).exp2();
            self.buckets.iter().all(|bucket| on_grid(bucket, per_doubling, self.innermost(bucket)))
        })
    }

    /// Whether no other bucket on the same side of zero is nearer to it.
    fn innermost(&self, bucket: &Bucket) -> bool {
        let nearer = |other: &Bucket| {
            let same_side = (other.left > 0.0) == (bucket.left > 0.0) && !holds_zero(other);
            same_side && other.left.abs().min(other.right.abs()) < bucket.left.abs().min(bucket.right.abs())
        };
        !self.buckets.iter().any(nearer)
    }
}

fn holds_zero(bucket: &Bucket) -> bool {
    bucket.left <= 0.0 && bucket.right >= 0.0
}

fn on_grid(bucket: &Bucket, per_doubling: f64, may_be_cut: bool) -> bool {
    const TOLERANCE: f64 = 1e-6;
    let zero_bucket = holds_zero(bucket) && bucket.left == -bucket.right;
    if zero_bucket {
        return true;
    }
    let (near, far) =
        if bucket.left > 0.0 { (bucket.left, bucket.right) } else { (-bucket.right, -bucket.left) };
    if near <= 0.0 {
        return false;
    }
    // The two buckets at the end of what a double can hold: the last regular one and that of the infinities.
    if far == f64::INFINITY {
        return near == f64::MAX;
    }
    let place = far.log2() * per_doubling;
    let width = place - near.log2() * per_doubling;
    let placed = (place - place.round()).abs() < TOLERANCE;
    placed && width < 1.0 + TOLERANCE && (may_be_cut || width > 1.0 - TOLERANCE)
}

#[cfg(test)]
mod tests;
