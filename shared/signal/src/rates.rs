//! Whether two rates of counted events differ.

/// The logarithm of the likelihood ratio of two Poisson rates against a common one, given that their sum was counted: how
/// much better `count` events in an exposure of `exposure` and `baseline` events in `baseline_exposure` are explained by
/// two rates than by one. 0 when the rates are equal; twice the value is compared with χ² of one degree of freedom, so that
/// 1.92 is the 5 % level of a single comparison and 6.6 about 1 in 3,500. Exposures are in any unit, the same for both.
///
/// 0 as well when an exposure is not positive, or a number is negative or not finite: then nothing can be said.
pub fn rate_change(count: f64, exposure: f64, baseline: f64, baseline_exposure: f64) -> f64 {
    let all = count + baseline;
    let share = exposure / (exposure + baseline_exposure);
    let counted = |number: f64| number >= 0.0 && number.is_finite();
    let positive = |number: f64| number > 0.0 && number.is_finite();
    if !(counted(count) && counted(baseline) && positive(exposure) && positive(baseline_exposure)) {
        return 0.0;
    }
    let term = |counted: f64, expected: f64| {
        if counted > 0.0 && expected > 0.0 { counted * (counted / expected).ln() } else { 0.0 }
    };
    (term(count, all * share) + term(baseline, all * (1.0 - share))).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: 30·ln(30/20) + 10·ln(10/20) = 12.164 − 6.931 = 5.232; all of 10 in half of the exposure: 10·ln 2 = 6.931;
    /// 2 in 1 h against 20 in 10 h are the same rate.
    #[test]
    fn the_ratio_is_that_computed_by_hand() {
        for (count, exposure, baseline, baseline_exposure, expected) in [
            (30.0, 1.0, 10.0, 1.0, 5.232),
            (10.0, 1.0, 0.0, 1.0, 6.931),
            (0.0, 1.0, 10.0, 1.0, 6.931),
            (2.0, 1.0, 20.0, 10.0, 0.0),
            (0.0, 1.0, 0.0, 1.0, 0.0),
            (5.0, 0.0, 1.0, 1.0, 0.0),
            (f64::NAN, 1.0, 1.0, 1.0, 0.0),
        ] {
            let found = rate_change(count, exposure, baseline, baseline_exposure);
            assert!((found - expected).abs() < 1e-3, "{count} in {exposure}: {found}");
        }
    }
}
