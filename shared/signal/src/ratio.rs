//! Shares of a whole, on a scale on which 100 % → 97 % is as much as it means.

/// The share that is taken for "none" and, from the other side, for "all": a tenth of a percent. Fewer failures than
/// one in a thousand are told apart no further.
pub const SHARE_FLOOR: f64 = 0.001;

/// The log-odds of a share of a whole: ln((p + f) ÷ (1 − p + f)) with f = [`SHARE_FLOOR`], so that 0 and 1 are finite
/// (about ∓6.9) and 0.5 is 0. `None` for what is not finite; a share outside 0 to 1 counts as the nearer end.
///
/// Near its ends a share is about how rare the exception is: 100 % → 97 % is then a step of 3.4, as far as
/// 50 % → 97 %, while in shares it is a step of 0.03 that drowns below any latency that doubled. The complement has
/// the same log-odds with the other sign, so success and failure score alike. The logit of Berkson (1944), with
/// the two ends moved inwards as is usual for empirical logits (Haldane 1956, Anscombe 1956).
pub fn log_odds(share: f64) -> Option<f64> {
    if !share.is_finite() {
        return None;
    }
    let share = share.clamp(0.0, 1.0);
    Some(((share + SHARE_FLOOR) / (1.0 - share + SHARE_FLOOR)).ln())
}

/// Whether all finite values lie within 0 and 1, and there is one.
pub fn are_shares(values: &[f64]) -> bool {
    let mut finite = values.iter().filter(|value| value.is_finite()).peekable();
    finite.peek().is_some() && finite.all(|share| (0.0..=1.0).contains(share))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(share: f64, expected: f64) {
        let got = log_odds(share).unwrap();
        assert!((got - expected).abs() < 1e-9, "{share}: {got}");
    }

    /// python3: from math import log; log((p + .001) / (1.001 - p))
    #[test]
    fn log_odds_are_those_of_the_formula() {
        check(0.0, -6.908_754_779_315_22);
        check(0.5, 0.0);
        check(0.97, 3.444_339_263_806_181);
        check(1.0, 6.908_754_779_315_33);
        check(1.5, 6.908_754_779_315_33);
        check(-0.5, -6.908_754_779_315_22);
    }

    #[test]
    fn what_is_not_finite_has_none() {
        assert_eq!(log_odds(f64::NAN), None);
        assert_eq!(log_odds(f64::INFINITY), None);
    }

    #[test]
    fn a_fall_from_all_is_as_far_as_a_rise_from_half() {
        let step = |from, to| (log_odds(to).unwrap() - log_odds(from).unwrap()).abs();
        assert!((step(1.0, 0.97) - step(0.5, 0.97)).abs() < 0.05);
        assert!(step(0.5, 0.47) < 0.13, "in the middle a share is a plain number");
    }

    #[test]
    fn shares_are_told_from_other_numbers() {
        assert!(are_shares(&[0.0, 1.0, f64::NAN, 0.3]));
        assert!(!are_shares(&[0.5, 1.01]));
        assert!(!are_shares(&[-0.1]));
        assert!(!are_shares(&[f64::NAN]));
        assert!(!are_shares(&[]));
    }

    proptest! {
        #[test]
        fn the_complement_has_the_opposite_log_odds(share in 0.0_f64..=1.0) {
            let (one, other) = (log_odds(share).unwrap(), log_odds(1.0 - share).unwrap());
            prop_assert!((one + other).abs() < 1e-9);
        }

        #[test]
        fn more_is_never_less(one in 0.0_f64..=1.0, other in 0.0_f64..=1.0) {
            let (low, high) = (one.min(other), one.max(other));
            prop_assert!(log_odds(low).unwrap() <= log_odds(high).unwrap());
        }
    }
}
