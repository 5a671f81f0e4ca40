//! When a departure began.

use crate::departure::Yardstick;

/// How many spreads of the baseline a value must lie beyond to count as departed.
pub const ONSET_SPREADS: f64 = 3.0;

/// Of how many following samples, how many must have departed too.
const FOLLOWING: usize = 3;
const PERSISTING: usize = 2;

/// Just before a departure is certain, a value more than so many steps away, to the same side, is part of it.
const DRIFT: f64 = 1.0;

/// What departs by hundreds of spreads has not begun with the first three of noise: this share of it has.
const ONSET_SHARE: f64 = 0.1;

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

/// Where the departure that is certain at `seen` began: what drifts, or is a rate over some time, began before it was
/// certain. `seen` is followed back over the samples just before it that are more than one step away to the same side;
/// a gap ends them.
pub fn begun(values: &[f64], seen: usize, yardstick: &Yardstick) -> usize {
    let z = |place: usize| values.get(place).and_then(|value| yardstick.robust_z(*value));
    let Some(away) = z(seen).map(f64::signum) else { return seen };
    let drifting = (0..seen).rev().take_while(|place| z(*place).is_some_and(|z| z * away > DRIFT));
    seen - drifting.count()
}

/// The yardstick by which a departure of so many spreads of `baseline` begins: with longer steps where it is so large
/// that a tenth of it is more than [`ONSET_SPREADS`] of noise. `resolution` as in [`Yardstick::of`].
pub fn beginning(baseline: &[f64], resolution: f64, spreads: f64) -> Option<Yardstick> {
    let usual = Yardstick::of(baseline, resolution)?;
    let longer = (spreads * ONSET_SHARE / ONSET_SPREADS).max(1.0);
    Yardstick::of(baseline, usual.scale * longer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Median 10, quartiles 9 and 11: a step is 0.7413 × 2 = 1.4826.
    const NOISE: [f64; 10] = [9.0, 11.0, 10.0, 11.0, 9.0, 9.0, 11.0, 10.0, 11.0, 9.0];

    #[test]
    fn a_ramp_began_with_its_first_value_beyond_a_step() {
        let values = [&NOISE[..], &[12.0, 14.0, 16.0, 18.0, 20.0]].concat();
        let yardstick = beginning(&NOISE, 0.0, 10.0).unwrap();
        assert_eq!(yardstick.scale, 1.4826);
        // 12 is 1.35 steps above 10; the 9 before it is below.
        assert_eq!(begun(&values, 13, &yardstick), 10);
        assert_eq!(begun(&values, 10, &yardstick), 10);
        let fall: Vec<f64> = values.iter().map(|value| -value).collect();
        let below: Vec<f64> = NOISE.iter().map(|value| -value).collect();
        assert_eq!(begun(&fall, 13, &beginning(&below, 0.0, 10.0).unwrap()), 10);
        assert_eq!(begun(&values, 99, &yardstick), 99);
    }

    #[test]
    fn a_large_departure_has_longer_steps_and_a_gap_ends_it() {
        // A tenth of 300 spreads is ten times three: 14.826 a step, so that 20 is within and 26 beyond.
        let values = [&NOISE[..], &[20.0, 26.0, f64::NAN, 250.0, 450.0]].concat();
        let yardstick = beginning(&NOISE, 0.0, 300.0).unwrap();
        assert!((yardstick.scale - 14.826).abs() < 1e-12);
        assert_eq!(begun(&values, 14, &yardstick), 13);
        assert_eq!(begun(&values, 11, &yardstick), 11);
    }
}
