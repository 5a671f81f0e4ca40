//! Classic histograms: what their cumulative buckets say about the values that were counted.

/// Counts of buckets that differ by less, relatively, are taken to be equal.
const TOLERANCE: f64 = 1e-12;

/// How many values were at most `bound`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) bound: f64,
    pub(crate) count: f64,
}

/// The quantile that the buckets suggest, if values are spread evenly within each. Buckets must be sorted by their
/// bounds. NaN if nothing was counted or no bucket is unbounded; −∞ below 0, +∞ above 1.
pub(crate) fn quantile(q: f64, buckets: &[Bucket]) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    let Some(mut buckets) = whole(buckets) else { return f64::NAN };
    make_monotonic(&mut buckets);
    match buckets.as_slice() {
        [] | [_] => f64::NAN,
        [.., last] if last.count == 0.0 => f64::NAN,
        [bounded @ .., last] => within(bounded, q * last.count),
    }
}

/// The value of a rank among the bounded buckets; the highest bound if it lies above.
fn within(bounded: &[Bucket], rank: f64) -> f64 {
    // Counts that are not numbers are not in order, so the search must be the one Prometheus makes.
    let place = first_reaching(bounded, rank);
    let Some(bucket) = bounded.get(place) else {
        return bounded.last().map_or(f64::NAN, |last| last.bound);
    };
    let below = place.checked_sub(1).and_then(|place| bounded.get(place)).copied();
    if below.is_none() && bucket.bound <= 0.0 {
        return bucket.bound;
    }
    let below = below.unwrap_or(Bucket { bound: 0.0, count: 0.0 });
    let share = (rank - below.count) / (bucket.count - below.count);
    below.bound + (bucket.bound - below.bound) * share
}

/// By bisection, the first bucket whose count is at least the rank.
fn first_reaching(buckets: &[Bucket], rank: f64) -> usize {
    let (mut from, mut to) = (0, buckets.len());
    while from < to {
        let middle = usize::midpoint(from, to);
        if buckets.get(middle).is_some_and(|bucket| bucket.count >= rank) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    from
}

/// The share of the values above `lower` and until `upper`, if values are spread evenly within each bucket. Buckets
/// must be sorted by their bounds. NaN if nothing was counted or no bucket is unbounded.
pub(crate) fn fraction(lower: f64, upper: f64, buckets: &[Bucket]) -> f64 {
    let Some(buckets) = whole(buckets) else { return f64::NAN };
    let count = buckets.last().map_or(0.0, |last| last.count);
    if count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_of(upper, &buckets, count) - rank_of(lower, &buckets, count)) / count
}

/// How many values are below one.
fn rank_of(value: f64, buckets: &[Bucket], total: f64) -> f64 {
    // A lowest bucket with a positive bound is taken to hold no negative values.
    let negative = buckets.first().is_some_and(|first| first.bound <= 0.0);
    let mut below = Bucket { bound: if negative { f64::NEG_INFINITY } else { 0.0 }, count: 0.0 };
    for bucket in buckets {
        let rank = if below.bound >= value {
            below.count
        } else if bucket.bound <= value {
            below = *bucket;
            continue;
        } else if below.bound == f64::NEG_INFINITY {
            bucket.count
        } else {
            below.count + (bucket.count - below.count) * (value - below.bound) / (bucket.bound - below.bound)
        };
        return if rank > total { total } else { rank };
    }
    total
}

/// Buckets of the same bound added up. `None` unless the last one is unbounded.
fn whole(buckets: &[Bucket]) -> Option<Vec<Bucket>> {
    let mut whole: Vec<Bucket> = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        match whole.last_mut() {
            Some(last) if last.bound == bucket.bound => last.count += bucket.count,
            _ => whole.push(*bucket),
        }
    }
    whole.last().is_some_and(|last| last.bound == f64::INFINITY).then_some(whole)
}

/// Lifts counts that are below those of smaller buckets, and levels differences that only rounding can have made.
fn make_monotonic(buckets: &mut [Bucket]) {
    let Some((first, rest)) = buckets.split_first_mut() else { return };
    let mut highest = first.count;
    for bucket in rest {
        if almost_equal(highest, bucket.count) || bucket.count < highest {
            bucket.count = highest;
        } else {
            highest = bucket.count;
        }
    }
}

fn almost_equal(one: f64, other: f64) -> bool {
    if one == other || (one.is_nan() && other.is_nan()) {
        return true;
    }
    let (sum, difference) = (one.abs() + other.abs(), (one - other).abs());
    if one == 0.0 || other == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    fn buckets(counts: &[(f64, f64)]) -> Vec<Bucket> {
        counts.iter().map(|(bound, count)| Bucket { bound: *bound, count: *count }).collect()
    }

    /// By hand: 10 values until 1, 30 until 2, 40 in all.
    #[test]
    fn a_quantile_is_interpolated_within_its_bucket() {
        let all = buckets(&[(1.0, 10.0), (2.0, 30.0), (INF, 40.0)]);
        assert_eq!(quantile(0.125, &all), 0.5, "from 0 on");
        assert_eq!(quantile(0.5, &all), 1.5);
        assert_eq!(quantile(0.75, &all), 2.0);
        assert_eq!(quantile(0.9, &all), 2.0, "above the highest bound");
        assert_eq!(quantile(0.1, &buckets(&[(-1.0, 10.0), (INF, 40.0)])), -1.0, "below a negative bound");
        assert_eq!(quantile(1.5, &all), INF);
    }

    #[test]
    fn buckets_without_an_unbounded_one_or_without_values_have_no_quantile() {
        assert!(quantile(0.5, &buckets(&[(1.0, 10.0), (2.0, 30.0)])).is_nan());
        assert!(quantile(0.5, &buckets(&[(INF, 30.0)])).is_nan());
        assert!(quantile(0.5, &buckets(&[(1.0, 0.0), (INF, 0.0)])).is_nan());
        assert!(quantile(0.5, &[]).is_nan());
    }

    /// By hand: the second bucket is lifted to 10, so rank 15 is halfway between 2 and 3.
    #[test]
    fn a_falling_count_is_lifted() {
        let falling = buckets(&[(1.0, 10.0), (2.0, 8.0), (3.0, 20.0), (INF, 30.0)]);
        assert_eq!(quantile(0.5, &falling), 2.5);
        let doubled = buckets(&[(1.0, 4.0), (1.0, 6.0), (2.0, 30.0), (INF, 40.0)]);
        assert_eq!(quantile(0.5, &doubled), 1.5, "buckets of the same bound add up");
    }

    #[test]
    fn a_fraction_counts_what_lies_between() {
        let all = buckets(&[(1.0, 10.0), (2.0, 30.0), (INF, 40.0)]);
        assert_eq!(fraction(0.5, 1.5, &all), 15.0 / 40.0);
        assert_eq!(fraction(f64::NEG_INFINITY, 2.0, &all), 30.0 / 40.0);
        assert_eq!(fraction(5.0, INF, &all), 10.0 / 40.0);
        assert_eq!(fraction(2.0, 1.0, &all), 0.0);
        assert!(fraction(f64::NAN, 1.0, &all).is_nan());
    }
}
