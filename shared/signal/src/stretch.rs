//! Which stretch of a series stands apart from the rest of it.

use std::ops::Range;

use crate::parts::parts;
use crate::quantile::median;

/// At most so many blocks are compared in pairs (2,016 pairs), however long the series.
const MOST_BLOCKS: usize = 64;

/// A block has at least so many samples, so that one sample can't be its median.
const SMALLEST_BLOCK: usize = 3;

/// A stretch of samples which, taken together, lies on another level than the samples around it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stretch {
    /// Its samples. It never begins with the first sample: what is on another level then is what follows.
    pub(crate) samples: Range<usize>,
    /// Its median (of two middle values the one closer to the other level), and that of the samples around it.
    pub(crate) level: f64,
    pub(crate) level_around: f64,
}

/// Finds the stretch that differs most from the rest of the series, be it a step (the stretch reaches the
/// end) or a bump. `None` when the series is too short or level.
///
/// Circular binary segmentation (Olshen et al. 2004) on the medians of up to 64 blocks: the stretch whose
/// mean block differs most from the mean block of the rest, weighted by both lengths. Blocks keep the work
/// bounded and make the search blind to lone samples. Both ends are then moved to the sample, within one
/// block, that divides the two levels best.
///
/// Expects finite levels within ±2.
pub(crate) fn most_distinct_stretch(levels: &[f64]) -> Option<Stretch> {
    let blocks: Vec<Range<usize>> =
        parts(levels.len(), MOST_BLOCKS.min(levels.len() / SMALLEST_BLOCK)).collect();
    let usual = median(levels)?;
    let of_blocks: Vec<f64> =
        blocks.iter().filter_map(|block| cautious_median(levels.get(block.clone())?, usual)).collect();
    let found = most_distinct_blocks(&of_blocks)?;

    let rough = blocks.get(found.start)?.start..blocks.get(found.end - 1)?.end;
    let level_around = median_around(levels, &rough)?;
    let level = cautious_median(levels.get(rough.clone())?, level_around)?;

    let reach = levels.len().div_ceil(blocks.len());
    let middle = (rough.start + rough.end) / 2;
    let starts = rough.start.saturating_sub(reach).max(1)..middle.min(rough.start + reach);
    let start = best_divide(levels, starts, level_around, level);
    let end = if rough.end == levels.len() {
        rough.end
    } else {
        let ends = (middle + 1).max(rough.end.saturating_sub(reach))..levels.len().min(rough.end + reach);
        best_divide(levels, ends, level, level_around)
    };
    Some(Stretch { samples: start..end, level, level_around })
}

fn median_around(levels: &[f64], stretch: &Range<usize>) -> Option<f64> {
    let before = levels.get(..stretch.start)?;
    let after = levels.get(stretch.end..)?;
    median(&[before, after].concat())
}

/// The median of some samples; of two middle values the one closer to what is usual, so that it takes most
/// of them to be unusual.
fn cautious_median(samples: &[f64], usual: f64) -> Option<f64> {
    let mut samples = samples.to_vec();
    let is_even = samples.len().is_multiple_of(2);
    let lower_middle = samples.len().checked_sub(1)? / 2;
    let (_, low, above) = samples.select_nth_unstable_by(lower_middle, f64::total_cmp);
    let high = above.iter().copied().min_by(f64::total_cmp).filter(|_| is_even).unwrap_or(*low);
    Some(if (high - usual).abs() < (*low - usual).abs() { high } else { *low })
}

/// The blocks i..j, i > 0, whose mean level differs most from the mean of the other blocks: the greatest
/// difference² × (number inside × number outside). The first of equals; `None` when all are equal.
fn most_distinct_blocks(levels: &[f64]) -> Option<Range<usize>> {
    // Counted from the first level, so that a constant series sums to zero exactly.
    let origin = *levels.first()?;
    let count = levels.len() as f64;
    let mut total = 0.0;
    let mut sums_before = vec![0.0];
    sums_before.extend(levels.iter().map(|level| {
        total += level - origin;
        total
    }));
    // difference = sum inside × (1 ÷ inside + 1 ÷ outside) − total ÷ outside, so difference² × inside ×
    // outside = (sum inside − total × share inside)² × count² ÷ (inside × outside).
    let by_length: Vec<(f64, f64)> = (1..levels.len())
        .map(|inside| (total * inside as f64 / count, 1.0 / (inside as f64 * (count - inside as f64))))
        .collect();

    let mut best = None;
    let mut most = 0.0;
    for (start, before_start) in sums_before.iter().enumerate().skip(1) {
        let ends = sums_before.iter().skip(start + 1).zip(&by_length);
        for (more, (before_end, (expected, weight))) in ends.enumerate() {
            let excess = before_end - before_start - expected;
            let contrast = excess * excess * weight;
            if contrast > most {
                (best, most) = (Some(start..start + more + 1), contrast);
            }
        }
    }
    best
}

/// The first index of `range` (both ends are allowed) at which to divide the samples, so that those before
/// it are closest to `left` and those from it on closest to `right` (least sum of absolute distances).
fn best_divide(levels: &[f64], range: Range<usize>, left: f64, right: f64) -> usize {
    let mut best = range.start;
    let mut excess = 0.0;
    let mut least = 0.0;
    for (at, level) in levels.iter().enumerate().take(range.end).skip(range.start) {
        excess += (level - left).abs() - (level - right).abs();
        if excess < least {
            (best, least) = (at + 1, excess);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(levels: &[(f64, usize)]) -> Vec<f64> {
        levels.iter().flat_map(|&(level, len)| std::iter::repeat_n(level, len)).collect()
    }

    fn check(levels: &[(f64, usize)], expected: Range<usize>) {
        let found = most_distinct_stretch(&steps(levels));
        assert_eq!(found.map(|stretch| stretch.samples), Some(expected), "{levels:?}");
    }

    #[test]
    fn a_step_is_found_to_the_sample_wherever_it_is() {
        for len in [6_usize, 10, 30, 100, 241, 1441, 11_000] {
            // Most of the first or last block is enough.
            let shortest = len.div_ceil(MOST_BLOCKS.min(len / SMALLEST_BLOCK)) / 2 + 1;
            for start in (shortest..=len - shortest).step_by(1 + len / 50) {
                check(&[(1.0, start), (1.5, len - start)], start..len);
            }
        }
    }

    #[test]
    fn a_bump_is_found_to_the_sample_wherever_it_is() {
        for bump in [20, 60, 120] {
            for start in (8..240 - bump).step_by(7) {
                check(&[(1.0, start), (0.25, bump), (1.0, 241 - bump - start)], start..start + bump);
            }
        }
    }

    #[test]
    fn a_series_that_begins_apart_changes_where_it_joins_the_rest() {
        check(&[(2.0, 20), (1.0, 221)], 20..241);
    }

    #[test]
    fn the_levels_are_medians_that_lone_samples_do_not_move() {
        let mut levels = steps(&[(0.5, 100), (1.0, 141)]);
        levels[30] = 2.0;
        levels[180] = -2.0;

        let stretch = most_distinct_stretch(&levels).unwrap();
        assert_eq!(stretch, Stretch { samples: 100..241, level: 1.0, level_around: 0.5 });
    }

    #[test]
    fn a_level_or_very_short_series_has_no_stretch() {
        for levels in [vec![], vec![1.0], vec![1.0, 2.0, 1.0, 2.0, 2.0], vec![0.1; 241]] {
            assert_eq!(most_distinct_stretch(&levels), None);
        }
    }

    #[test]
    fn one_lone_sample_is_no_stretch() {
        let mut levels = vec![1.0; 241];
        levels[77] = 2.0;
        assert_eq!(most_distinct_stretch(&levels), None);
    }
}
