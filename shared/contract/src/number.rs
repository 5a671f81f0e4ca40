//! Numbers as answers show them: four significant digits, no exponent where a person would write none.

use serde_json::Value;

const DIGITS: usize = 4;

/// `value` with four significant digits: `1.91`, `220`, `0.0012`, `1.235e18`, `NaN`, `+Inf`.
#[must_use]
pub fn significant(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    // `{:e}` rounds correctly; taking the exponent from the rounded text makes 9999.6 become 10000, not 9999.6.
    let scientific = format!("{value:.*e}", DIGITS - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-5..15).contains(&exponent) {
        let decimals = usize::try_from(3 - exponent).unwrap_or(0);
        let rounded: f64 = scientific.parse().unwrap_or(value);
        return trim_zeros(&format!("{rounded:.decimals$}"));
    }
    format!("{}e{exponent}", trim_zeros(mantissa))
}

/// A count with its noun: `1 value`, `2 values`.
#[must_use]
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The same number for JSON: rounded to four significant digits; what JSON cannot say is a string.
#[must_use]
pub fn json_number(value: f64) -> Value {
    let text = significant(value);
    serde_json::from_str::<serde_json::Number>(&text).map_or(Value::String(text), Value::Number)
}

fn trim_zeros(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_a_person_would() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (1.914_9, "1.915"),
            (219.96, "220"),
            (9_999.6, "10000"),
            (1_234_567.0, "1235000"),
            (0.001_234_56, "0.001235"),
            (-0.05, "-0.05"),
            (1.234_56e18, "1.235e18"),
            (1.5e-9, "1.5e-9"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ];
        for (value, text) in cases {
            assert_eq!(significant(value), text, "{value}");
        }
    }

    #[test]
    fn json_has_the_same_digits_and_strings_for_what_json_cannot_say() {
        assert_eq!(json_number(1.914_9).to_string(), "1.915");
        assert_eq!(json_number(1_234_567.0).to_string(), "1235000");
        assert_eq!(json_number(f64::NAN).to_string(), "\"NaN\"");
        assert_eq!(json_number(f64::NEG_INFINITY).to_string(), "\"-Inf\"");
    }
}
