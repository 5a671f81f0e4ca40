//! When a departure began.

use crate::departure::Yardstick;

/// How many spreads of the baseline a value must lie beyond to count as departed.
pub const ONSET_SPREADS: f64 = 3.0;

/// Of how many following samples, how many must have departed too.
const FOLLOWING: usize = 3;
const PERSISTING: usize = 2;

/// When the values after the first `baseline_len` left the range of those: the index of the first sample
/// more than [`ONSET_SPREADS`] steps ([`Yardstick::of`] the baseline, no resolution) from the baseline's
/// median, either way, of whose next three samples at least two are as well.
///
/// Values that are not finite are ignored, also among the next three. A departure in the last two samples
/// is not confirmed yet and gives no onset. `None` when there is none, or the baseline has no finite value.
pub fn onset(values: &[f64], baseline_len: usize) -> Option<usize> {
    let (baseline, rest) = values.split_at_checked(baseline_len)?;
    let after = onset_against(rest, &Yardstick::of(baseline, 0.0)?)?;
    Some(baseline_len + after)
}

/// As [`onset`], for a baseline from elsewhere: an index of `values`, all of which are judged.
pub fn onset_against(values: &[f64], yardstick: &Yardstick) -> Option<usize> {
    let departed: Vec<(usize, bool)> = values
        .iter()
        .enumerate()
        .filter_map(|(at, value)| Some((at, yardstick.robust_z(*value)?.abs() > ONSET_SPREADS)))
        .collect();

    departed.iter().enumerate().find_map(|(sample, &(at, is_departed))| {
        let following = departed.iter().skip(sample + 1).take(FOLLOWING);
        let persisting = following.filter(|(_, is_departed)| *is_departed).count();
        (is_departed && persisting >= PERSISTING).then_some(at)
    })
}
