//! What was read, and how a counter that was read becomes a rate.

use std::collections::BTreeMap;

/// Labels of a series that was read, its name apart.
pub(crate) type Tags = BTreeMap<String, String>;

/// One series of a reply, on the moments of the window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    /// Its `__name__`.
    pub(crate) name: String,
    pub(crate) tags: Tags,
    /// One value a moment, NaN where there is none.
    pub(crate) values: Vec<f64>,
}

/// What a counter, summed over replicas, grew by from each moment to the next; NaN where that can't be told: the number
/// of series in the sum changed, or the sum fell because one of them began anew. The first moment has no increase.
///
/// Rates must be taken of each replica before they are summed, but only a query for each metric could do so: rates
/// lose their name. A sum whose parts stayed the same and did not fall grew by what its parts grew, except where a
/// replica began anew and the others grew by more than it had counted; that step is then too small by that much.
pub(crate) fn increases(sums: &[f64], counts: &[f64]) -> Vec<f64> {
    let mut increases = vec![f64::NAN; sums.len()];
    let pairs = sums.iter().zip(sums.iter().skip(1)).zip(counts.iter().zip(counts.iter().skip(1)));
    for (increase, ((sum, next), (count, next_count))) in increases.iter_mut().skip(1).zip(pairs) {
        if count == next_count && next >= sum {
            *increase = next - sum;
        }
    }
    increases
}

/// The mean increase a second over the last `span` steps of `step` seconds, at each moment; NaN where less than half
/// of them are known.
pub(crate) fn rate(increases: &[f64], span: usize, step: f64) -> Vec<f64> {
    let span = span.max(1);
    let over = |end: usize| {
        let known = increases.get((end + 1).saturating_sub(span)..=end).unwrap_or_default().iter();
        let (sum, count) = known
            .filter(|increase| increase.is_finite())
            .fold((0.0, 0_usize), |(sum, count), increase| (sum + increase, count + 1));
        if 2 * count >= span { sum / (count as f64 * step) } else { f64::NAN }
    };
    (0..increases.len()).map(over).collect()
}

/// Increases of several parts, summed: a part without a series yet has not grown. NaN where a part that is there can't
/// tell, or none is there.
pub(crate) fn summed<'a>(parts: impl Iterator<Item = (&'a [f64], &'a [f64])>) -> Vec<f64> {
    let mut total: Vec<f64> = Vec::new();
    let mut seen: Vec<bool> = Vec::new();
    for (increases, sums) in parts {
        total.resize(total.len().max(increases.len()), 0.0);
        seen.resize(total.len(), false);
        for (((total, seen), increase), sum) in total.iter_mut().zip(&mut seen).zip(increases).zip(sums) {
            if sum.is_finite() {
                *total += increase;
                *seen = true;
            }
        }
    }
    total.iter().zip(seen).map(|(total, seen)| if seen { *total } else { f64::NAN }).collect()
}

/// The quantile of a classic histogram's increases as PromQL computes it: linear within the bucket, the last finite
/// boundary for what lies beyond. `buckets` are upper boundaries and cumulative counts, ascending, ending in +Inf;
/// `None` without observations.
pub(crate) fn classic_quantile(q: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let (last, total) = *buckets.last()?;
    if last != f64::INFINITY || total.is_nan() || total <= 0.0 {
        return None;
    }
    let rank = q * total;
    let place = buckets.iter().position(|(_, count)| *count >= rank)?;
    let (upper, count) = *buckets.get(place)?;
    let below = place.checked_sub(1).and_then(|below| buckets.get(below)).copied();
    if upper == f64::INFINITY {
        return below.map(|(bound, _)| bound);
    }
    let (lower, counted) = below.unwrap_or((if upper > 0.0 { 0.0 } else { upper }, 0.0));
    Some(lower + (upper - lower) * (rank - counted) / (count - counted).max(f64::MIN_POSITIVE))
}
