//! Functions of one number.

use super::MathFunction;

/// Each by its name.
pub(super) const FUNCTIONS: &[(&str, MathFunction)] = &[
    ("abs", f64::abs),
    ("ceil", f64::ceil),
    ("floor", f64::floor),
    ("exp", f64::exp),
    ("ln", f64::ln),
    ("log2", log2),
    ("log10", log10),
    ("sqrt", f64::sqrt),
    ("sgn", sign),
    ("deg", |radians| radians * 180.0 / std::f64::consts::PI),
    ("rad", |degrees| degrees * std::f64::consts::PI / 180.0),
    ("sin", f64::sin),
    ("cos", f64::cos),
    ("tan", f64::tan),
    ("asin", f64::asin),
    ("acos", f64::acos),
    ("atan", f64::atan),
    ("sinh", f64::sinh),
    ("cosh", f64::cosh),
    ("tanh", f64::tanh),
    ("asinh", f64::asinh),
    ("acosh", acosh),
    ("atanh", f64::atanh),
];

/// −1, 1, or the number itself if it is zero or not a number.
fn sign(number: f64) -> f64 {
    if number < 0.0 {
        -1.0
    } else if number > 0.0 {
        1.0
    } else {
        number
    }
}

/// As Go computes it: from fraction and exponent, which near 1 costs digits that a better way would keep.
fn log2(number: f64) -> f64 {
    if number.is_nan() || number <= 0.0 || number.is_infinite() {
        return number.log2();
    }
    let (fraction, exponent) = fraction_and_exponent(number);
    if fraction == 0.5 {
        return f64::from(exponent - 1);
    }
    fraction.ln() * std::f64::consts::LOG2_E + f64::from(exponent)
}

fn log10(number: f64) -> f64 {
    log2(number) * std::f64::consts::LOG10_2
}

/// number = fraction · 2^exponent with a fraction of at least 0.5 and below 1. For finite positive numbers.
fn fraction_and_exponent(number: f64) -> (f64, i32) {
    if number < f64::MIN_POSITIVE {
        let (fraction, exponent) =
            fraction_and_exponent(number * f64::from(1_u32 << 30) * f64::from(1_u32 << 24));
        return (fraction, exponent - 54);
    }
    let bits = number.to_bits();
    let exponent = i32::try_from(bits >> 52).unwrap_or_default() - 1022;
    (f64::from_bits((bits & ((1 << 52) - 1)) | (1022 << 52)), exponent)
}

/// Near 1 the textbook formula loses half of the digits.
fn acosh(number: f64) -> f64 {
    let above = number - 1.0;
    if (0.0..1.0).contains(&above) {
        (above + (2.0 * above + above * above).sqrt()).ln_1p()
    } else {
        number.acosh()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fraction_and_exponent_make_up_the_number() {
        assert_eq!(fraction_and_exponent(8.0), (0.5, 4));
        assert_eq!(fraction_and_exponent(0.75), (0.75, 0));
        assert_eq!(fraction_and_exponent(f64::MIN_POSITIVE), (0.5, -1021));
        assert_eq!(fraction_and_exponent(f64::from_bits(1)), (0.5, -1073));
    }

    #[test]
    fn logarithms_and_signs_of_special_numbers() {
        assert_eq!(log2(8.0), 3.0);
        assert_eq!(log2(0.0), f64::NEG_INFINITY);
        assert!(log2(-1.0).is_nan());
        assert_eq!(log10(f64::INFINITY), f64::INFINITY);
        assert!((log10(1000.0) - 3.0).abs() < 1e-15);
        assert_eq!(sign(-0.0).to_bits(), (-0.0_f64).to_bits());
        assert!(sign(f64::NAN).is_nan());
    }

    /// acosh(1 + x) = √(2x) · (1 − x/12 + …).
    #[test]
    fn the_inverse_hyperbolic_cosine_keeps_its_digits_near_one() {
        let above = 2.0_f64.powi(-40);
        let expected = (2.0 * above).sqrt() * (1.0 - above / 12.0);
        assert!((acosh(1.0 + above) / expected - 1.0).abs() < 1e-15);
        assert_eq!(acosh(1.0), 0.0);
        assert!(acosh(0.5).is_nan());
    }
}
