//! Numbers, changes and moments in words.

use contract::significant;

/// A value with its unit, as a sentence says it.
pub(super) fn amount(value: f64, unit: &str) -> String {
    match unit {
        "s" if value.abs() < 1.0 => format!("{} ms", three(value * 1000.0)),
        "s" => format!("{} s", three(value)),
        "" => three(value),
        "% of requests" => format!("{} %", short(value)),
        unit if unit.starts_with('%') => format!("{} %", short(value)),
        unit => format!("{} {unit}", three(value)),
    }
}

/// Three significant digits: enough for a sentence.
fn three(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return significant(value);
    }
    let digits = 2 - value.abs().log10().floor() as i32;
    let factor = 10_f64.powi(digits);
    significant((value * factor).round() / factor)
}

/// Percent to a tenth.
pub(super) fn short(value: f64) -> String {
    significant((value * 10.0).round() / 10.0)
}

/// A change as a factor, in percent, or for shares in points.
pub(super) fn change(was: Option<f64>, now: Option<f64>, is_share: bool) -> String {
    let (Some(was), Some(now)) = (was, now) else { return String::new() };
    let sign = |value: f64| if value < 0.0 { "−" } else { "+" };
    let delta = now - was;
    if was > 0.0 && now / was >= 2.0 && now.is_finite() {
        return format!("×{}", significant(((now / was) * 10.0).round() / 10.0));
    }
    if is_share {
        return format!("{}{} pt", sign(delta), short(delta.abs()));
    }
    if was <= 0.0 {
        return if now > 0.0 { "from 0".to_owned() } else { String::new() };
    }
    let percent = (100.0 * delta / was).round();
    if percent == 0.0 {
        "±0 %".to_owned()
    } else {
        format!("{}{} %", sign(percent), significant(percent.abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_people_say_them() {
        for (value, unit, said) in [
            (1.91, "s", "1.91 s"),
            (0.19, "s", "190 ms"),
            (5.23, "% of requests", "5.2 %"),
            (220.0, "requests/s", "220 requests/s"),
            (38.04, "% of limit", "38 %"),
        ] {
            assert_eq!(amount(value, unit), said);
        }
    }

    #[test]
    fn changes_are_factors_percents_or_points() {
        for (was, now, is_share, said) in [
            (0.1, 5.2, true, "×52"),
            (71.0, 100.0, true, "+29 pt"),
            (220.0, 212.0, false, "−4 %"),
            (0.19, 1.91, false, "×10.1"),
            (0.0, 3.0, false, "from 0"),
            (0.0, 3.0, true, "+3 pt"),
            (5.0, 5.0, false, "±0 %"),
        ] {
            assert_eq!(change(Some(was), Some(now), is_share), said);
        }
        assert_eq!(change(None, Some(1.0), false), "");
    }
}
