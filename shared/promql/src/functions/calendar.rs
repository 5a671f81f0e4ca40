//! Parts of a date, in UTC.

use super::DatePart;

const SECONDS_A_DAY: i128 = 86_400;

/// Each by its name.
pub(super) const PARTS: &[(&str, DatePart)] = &[
    ("minute", |moment| moment.second_of_day / 60 % 60),
    ("hour", |moment| moment.second_of_day / 3_600),
    ("day_of_week", |moment| moment.day_of_week),
    ("day_of_month", |moment| moment.day),
    ("day_of_year", |moment| moment.day_of_year),
    ("days_in_month", |moment| days_in_month(moment.year, moment.month)),
    ("month", |moment| moment.month),
    ("year", |moment| moment.year),
];

/// A date and time of day, in UTC.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    year: i64,
    /// From 1.
    month: i64,
    /// From 1.
    day: i64,
    /// From 1.
    day_of_year: i64,
    /// From 0, which is Sunday.
    day_of_week: i64,
    second_of_day: i64,
}

impl Moment {
    /// The date of a number of seconds since 1970; fractions are cut off. What 64 bits of seconds do not hold, and
    /// what is not a number, is the date Go makes of it.
    pub(crate) fn of(seconds: f64) -> Moment {
        let beyond = seconds.is_nan() || seconds.abs() >= 9_223_372_036_854_775_808.0;
        Moment::of_whole(if beyond { i64::MIN } else { seconds as i64 })
    }

    fn of_whole(seconds: i64) -> Moment {
        // Go counts unsigned seconds from March of the year −292277022400; what is earlier wraps to the far future.
        const DAYS_BEFORE: i128 = 106_751_991_073_400;
        let since_zero = (i128::from(seconds) + DAYS_BEFORE * SECONDS_A_DAY).rem_euclid(1 << 64);
        let day = since_zero.div_euclid(SECONDS_A_DAY) - DAYS_BEFORE;
        let second_of_day = small(since_zero.rem_euclid(SECONDS_A_DAY));
        let (year, month, day_of_month) = civil(day);
        let day_of_year = (1..month).map(|month| days_in_month(year, month)).sum::<i64>() + day_of_month;
        // 1970-01-01 was a Thursday.
        let day_of_week = small((day + 4).rem_euclid(7));
        Moment { year, month, day: day_of_month, day_of_year, day_of_week, second_of_day }
    }
}

/// Year, month and day of a number of days since 1970-01-01, by the calendar's cycle of 400 years; years are
/// counted from March, so that the leap day comes last (Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: i128) -> (i64, i64, i64) {
    let days = days + 719_468;
    let cycle = days.div_euclid(146_097);
    let day_of_cycle = days.rem_euclid(146_097);
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = cycle * 400 + year_of_cycle + i128::from(month <= 2);
    (small(year), small(month), small(day))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn small(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, seconds: f64) -> i64 {
        let (_, part) = PARTS.iter().find(|(known, _)| *known == name).unwrap();
        part(&Moment::of(seconds))
    }

    /// Dates by `date --utc --date=@SECONDS`; the last two by Go's `time.Unix(SECONDS, 0).UTC()`.
    #[test]
    fn the_parts_of_known_dates() {
        for (seconds, year, month, day, weekday, day_of_year, hour, minute, days) in [
            (0.0, 1970, 1, 1, 4, 1, 0, 0, 31),
            (951_782_399.9, 2000, 2, 28, 1, 59, 23, 59, 29),
            (951_782_400.0, 2000, 2, 29, 2, 60, 0, 0, 29),
            (4_107_542_400.0, 2100, 3, 1, 1, 60, 0, 0, 31),
            (1_761_955_384.0, 2025, 11, 1, 6, 305, 0, 3, 30),
            (-1.0, 1969, 12, 31, 3, 365, 23, 59, 31),
            (-2_208_988_800.0, 1900, 1, 1, 1, 1, 0, 0, 31),
            (f64::NAN, 292_277_026_596, 12, 4, 0, 339, 15, 30, 31),
            (f64::INFINITY, 292_277_026_596, 12, 4, 0, 339, 15, 30, 31),
        ] {
            let parts = [
                "year",
                "month",
                "day_of_month",
                "day_of_week",
                "day_of_year",
                "hour",
                "minute",
                "days_in_month",
            ]
            .map(|name| part(name, seconds));
            assert_eq!(parts, [year, month, day, weekday, day_of_year, hour, minute, days], "{seconds}");
        }
    }
}
