//! Removing the profile of the day and of the week.

use crate::quantile::median;

/// Days of a week.
const WEEK: usize = 7;

/// Samples without their seasons.
pub(super) struct Flat {
    /// Index and value.
    pub(super) samples: Vec<(f64, f64)>,
    pub(super) has_day: bool,
    pub(super) has_week: bool,
    /// How many numbers the profiles took from the samples.
    pub(super) parameters: usize,
}

/// Subtracts the profile of the day from two days on, and that of the week's days from two weeks on.
pub(super) fn remove(samples: &[(f64, f64)], per_day: usize) -> Flat {
    let mut flat = Flat { samples: samples.to_vec(), has_day: false, has_week: false, parameters: 0 };
    let (Some((first, _)), Some((last, _))) = (samples.first(), samples.last()) else { return flat };
    let length = last - first + 1.0;
    let day = per_day as f64;
    if per_day < 2 || length < 2.0 * day {
        return flat;
    }
    let has_week = length >= 2.0 * day * WEEK as f64;
    let period = if has_week { per_day * WEEK } else { per_day };
    let slope = slope_at_same_phase(samples, period);
    subtract(&mut flat.samples, slope, per_day, |at| at % per_day);
    flat.has_day = true;
    flat.parameters = per_day - 1;
    if has_week {
        subtract(&mut flat.samples, slope, WEEK, |at| at / per_day % WEEK);
        flat.has_week = true;
        flat.parameters += WEEK - 1;
    }
    flat
}

/// The median slope between samples whole periods apart: no season of that period can bend it.
fn slope_at_same_phase(samples: &[(f64, f64)], period: usize) -> f64 {
    let mut phases: Vec<Vec<(f64, f64)>> = vec![Vec::new(); period];
    for (at, value) in samples {
        if let Some(phase) = phases.get_mut(*at as usize % period) {
            phase.push((*at, *value));
        }
    }
    let mut slopes = Vec::new();
    for phase in &phases {
        for (place, (at, value)) in phase.iter().enumerate() {
            slopes.extend(phase.iter().skip(place + 1).map(|(later, other)| (other - value) / (later - at)));
        }
    }
    median(&slopes).unwrap_or(0.0)
}

/// Takes the median of each phase, around the median of all phases, from the samples of that phase. The trend so far
/// is left out of the medians, so that a rising series is not mistaken for a season.
fn subtract(samples: &mut [(f64, f64)], slope: f64, phases: usize, phase_of: impl Fn(usize) -> usize) {
    let mut by_phase: Vec<Vec<f64>> = vec![Vec::new(); phases];
    for (at, value) in samples.iter() {
        if let Some(phase) = by_phase.get_mut(phase_of(*at as usize)) {
            phase.push(value - slope * at);
        }
    }
    let profile: Vec<Option<f64>> = by_phase.iter().map(|phase| median(phase)).collect();
    let known: Vec<f64> = profile.iter().copied().flatten().collect();
    let Some(center) = median(&known) else { return };
    for (at, value) in samples.iter_mut() {
        let above = profile.get(phase_of(*at as usize)).copied().flatten().unwrap_or(center) - center;
        *value -= above;
    }
}
