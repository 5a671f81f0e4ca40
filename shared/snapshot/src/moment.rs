//! Moments as programs write them: in a field of a record, or at the beginning of a line of text.
//!
//! RFC 3339 and what looks like it (`2026-01-14 14:02:03,123` of log4j and Python, `2026/01/14 14:02:03` of Go and
//! nginx), seconds, milliseconds, microseconds or nanoseconds since 1970, ctime and Apache
//! (`Wed Jan 14 14:02:03.5 2026`), access logs (`14/Jan/2026:14:02:03 +0000`), Redis (`14 Jan 2026 14:02:03.123`), klog
//! (`E0114 14:02:03.123456`) and syslog (`Jan 14 14:02:03`). What names no offset is taken as UTC. What names no year gets
//! the one that lies nearest to a given moment; without such a moment it is none.

use jiff::{
    Timestamp,
    civil::{DateTime, date},
    tz::Offset,
};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The moment that a whole text is.
#[must_use]
pub fn moment(text: &str, near: Option<Timestamp>) -> Option<Timestamp> {
    let text = text.trim();
    leading_moment(text, near).filter(|(_, length)| *length == text.len()).map(|(at, _)| at)
}

/// The moment that a text begins with, and how many bytes it takes there.
#[must_use]
pub fn leading_moment(text: &str, near: Option<Timestamp>) -> Option<(Timestamp, usize)> {
    let forms: [fn(&mut Scan<'_>) -> Option<Timestamp>; 6] =
        [year_first, klog, weekday_first, month_first, day_first, since_1970];
    forms.into_iter().find_map(|form| {
        let mut scan = Scan { text, at: 0, near };
        let moment = form(&mut scan)?;
        // `12026-01-14…` or `…14:02:031` is a number, not a moment.
        let ends = text.as_bytes().get(scan.at).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        ends.then_some((moment, scan.at))
    })
}

/// Reads from the left.
struct Scan<'a> {
    text: &'a str,
    at: usize,
    near: Option<Timestamp>,
}

impl Scan<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// One of these bytes.
    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let found = self.peek().filter(|byte| bytes.contains(byte))?;
        self.at += 1;
        Some(found)
    }

    /// A number of exactly so many digits.
    fn digits<N: TryFrom<u32>>(&mut self, count: usize) -> Option<N> {
        let digits = self.rest().get(..count)?;
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
        self.at += count;
        N::try_from(number).ok()
    }

    /// One of these words; which.
    fn word(&mut self, words: &[&str]) -> Option<usize> {
        let found = words.iter().position(|word| self.rest().starts_with(word))?;
        self.at += words.get(found)?.len();
        Some(found)
    }

    /// A day of one or two digits, perhaps filled up with a space.
    fn day(&mut self) -> Option<i8> {
        self.one_of(b" ");
        self.digits(2).or_else(|| self.digits(1))
    }

    fn month(&mut self) -> Option<i8> {
        self.word(&MONTHS).and_then(|month| i8::try_from(month + 1).ok())
    }

    /// `14:02:03`, with a fraction after a point or comma.
    fn clock(&mut self) -> Option<(i8, i8, i8, i32)> {
        let hour = self.digits(2)?;
        self.one_of(b":")?;
        let minute = self.digits(2)?;
        self.one_of(b":")?;
        // a leap second is the one before it
        let second: i8 = self.digits::<i8>(2)?.min(59);
        Some((hour, minute, second, self.fraction()))
    }

    /// Nanoseconds. Nothing is taken where no digit follows the point.
    fn fraction(&mut self) -> i32 {
        let rest = self.rest().as_bytes();
        let is_fraction = matches!(rest, [b'.' | b',', digit, ..] if digit.is_ascii_digit());
        if !is_fraction {
            return 0;
        }
        let digits = rest.iter().skip(1).take_while(|byte| byte.is_ascii_digit());
        let (mut nanoseconds, mut count) = (0, 0);
        for digit in digits {
            if count < 9 {
                nanoseconds = nanoseconds * 10 + i32::from(digit - b'0');
            }
            count += 1;
        }
        self.at += 1 + count;
        let missing = 9_u32.saturating_sub(u32::try_from(count).unwrap_or(9));
        nanoseconds * 10_i32.pow(missing)
    }

    /// `Z`, `+01:00`, `+0100`, ` +0100`, ` UTC`, ` GMT`; UTC when there is none.
    fn offset(&mut self) -> Offset {
        if self.word(&["Z", "z", " UTC", " GMT", " Z"]).is_some() {
            return Offset::UTC;
        }
        let begun = self.at;
        self.numeric_offset().unwrap_or_else(|| {
            self.at = begun;
            Offset::UTC
        })
    }

    fn numeric_offset(&mut self) -> Option<Offset> {
        let is_after_blank = self.one_of(b" ").is_some();
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours: i32 = self.digits(2)?;
        self.one_of(b":");
        // After a blank, `+10` alone is a number of the message.
        let minutes: i32 = self.digits(2).or((!is_after_blank).then_some(0))?;
        if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
    }

    /// A day and time without a year, in the year that brings it nearest.
    fn without_year(&self, month: i8, day: i8, clock: (i8, i8, i8, i32)) -> Option<Timestamp> {
        let near = self.near?;
        let year = Offset::UTC.to_datetime(near).year();
        let candidates = [year, year.saturating_sub(1), year.saturating_add(1)];
        let moments = candidates.iter().filter_map(|year| placed(*year, month, day, clock, Offset::UTC));
        moments.min_by_key(|at| (at.as_second() - near.as_second()).abs())
    }
}

fn placed(year: i16, month: i8, day: i8, clock: (i8, i8, i8, i32), offset: Offset) -> Option<Timestamp> {
    let (hour, minute, second, nanosecond) = clock;
    let civil = DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()?;
    offset.to_timestamp(civil).ok()
}

/// `2026-01-14T14:02:03.123Z` and its relatives.
fn year_first(scan: &mut Scan<'_>) -> Option<Timestamp> {
    let year = scan.digits(4)?;
    let separator = scan.one_of(b"-/.")?;
    let month = scan.digits(2)?;
    scan.one_of(&[separator])?;
    let day = scan.digits(2)?;
    let is_followed_by_clock =
        matches!(scan.rest().as_bytes(), [b'T' | b't' | b' ', digit, ..] if digit.is_ascii_digit());
    if is_followed_by_clock {
        scan.at += 1;
    } else {
        // a day alone is its beginning
        let begins = date(1, 1, 1).with().year(year).month(month).day(day).build().ok()?;
        return Offset::UTC.to_timestamp(begins.at(0, 0, 0, 0)).ok();
    }
    let clock = scan.clock()?;
    let offset = scan.offset();
    placed(year, month, day, clock, offset)
}

/// `E0114 14:02:03.123456`, with klog's letter.
fn klog(scan: &mut Scan<'_>) -> Option<Timestamp> {
    scan.one_of(b"IWEFD")?;
    let month = scan.digits(2)?;
    let day = scan.digits(2)?;
    scan.one_of(b" ")?;
    let clock = scan.clock()?;
    scan.without_year(month, day, clock)
}

/// `Wed Jan 14 14:02:03 2026`, perhaps with a fraction and a zone.
fn weekday_first(scan: &mut Scan<'_>) -> Option<Timestamp> {
    scan.word(&DAYS)?;
    scan.one_of(b",");
    scan.one_of(b" ")?;
    if scan.peek()?.is_ascii_digit() {
        return day_first(scan);
    }
    let month = scan.month()?;
    scan.one_of(b" ")?;
    let day = scan.day()?;
    scan.one_of(b" ")?;
    let clock = scan.clock()?;
    scan.word(&[" UTC", " GMT"]);
    scan.one_of(b" ")?;
    placed(scan.digits(4)?, month, day, clock, Offset::UTC)
}

/// `Jan 14 14:02:03` of syslog.
fn month_first(scan: &mut Scan<'_>) -> Option<Timestamp> {
    let month = scan.month()?;
    scan.one_of(b" ")?;
    let day = scan.day()?;
    scan.one_of(b" ")?;
    let clock = scan.clock()?;
    scan.without_year(month, day, clock)
}

/// `14 Jan 2026 14:02:03.123` and `14/Jan/2026:14:02:03 +0000`.
fn day_first(scan: &mut Scan<'_>) -> Option<Timestamp> {
    let day = scan.digits(2)?;
    let separator = scan.one_of(b" /-")?;
    let month = scan.month()?;
    scan.one_of(&[separator])?;
    let year = scan.digits(4)?;
    scan.one_of(b" :")?;
    let clock = scan.clock()?;
    let offset = scan.offset();
    placed(year, month, day, clock, offset)
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their digits, perhaps with a fraction.
fn since_1970(scan: &mut Scan<'_>) -> Option<Timestamp> {
    let count = scan.rest().bytes().take_while(u8::is_ascii_digit).count();
    let number: i128 = scan.rest().get(..count)?.parse().ok()?;
    let nanoseconds = match count {
        10 => 1_000_000_000,
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => return None,
    };
    scan.at += count;
    let fraction = i128::from(scan.fraction()) * nanoseconds / 1_000_000_000;
    Timestamp::from_nanosecond(number * nanoseconds + fraction).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near() -> Option<Timestamp> {
        "2026-01-14T15:00:00Z".parse().ok()
    }

    #[test]
    fn moments_are_read_as_programs_write_them() {
        // The epoch figures are of `date -u -d 2026-01-14T14:02:03Z +%s`.
        let table = [
            ("2026-01-14T14:02:03.123Z", "2026-01-14T14:02:03.123Z"),
            ("2026-01-14T15:02:03.123456789+01:00", "2026-01-14T14:02:03.123456789Z"),
            ("2026-01-14T15:02:03+0100", "2026-01-14T14:02:03Z"),
            ("2026-01-14 14:02:03,123", "2026-01-14T14:02:03.123Z"),
            ("2026-01-14 14:02:03.123 UTC", "2026-01-14T14:02:03.123Z"),
            ("2026-01-14 09:02:03 -0500", "2026-01-14T14:02:03Z"),
            ("2026/01/14 14:02:03", "2026-01-14T14:02:03Z"),
            ("2026-01-14", "2026-01-14T00:00:00Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            ("1768399323", "2026-01-14T14:02:03Z"),
            ("1768399323.5", "2026-01-14T14:02:03.5Z"),
            ("1768399323123", "2026-01-14T14:02:03.123Z"),
            ("1768399323123.5", "2026-01-14T14:02:03.1235Z"),
            ("1768399323123456", "2026-01-14T14:02:03.123456Z"),
            ("1768399323123456789", "2026-01-14T14:02:03.123456789Z"),
            ("Wed Jan 14 14:02:03 2026", "2026-01-14T14:02:03Z"),
            ("Mon Jan  5 14:02:03 UTC 2026", "2026-01-05T14:02:03Z"),
            ("Wed Jan 14 14:02:03.250000 2026", "2026-01-14T14:02:03.25Z"),
            ("Wed, 14 Jan 2026 14:02:03 GMT", "2026-01-14T14:02:03Z"),
            ("14/Jan/2026:15:02:03 +0100", "2026-01-14T14:02:03Z"),
            ("14 Jan 2026 14:02:03.123", "2026-01-14T14:02:03.123Z"),
            ("E0114 14:02:03.123456", "2026-01-14T14:02:03.123456Z"),
            ("Jan 14 14:02:03", "2026-01-14T14:02:03Z"),
            ("Dec 31 23:59:58", "2025-12-31T23:59:58Z"),
        ];
        for (text, expected) in table {
            let expected: Timestamp = expected.parse().unwrap();
            assert_eq!(moment(text, near()), Some(expected), "{text}");
            let line = format!("{text} and more");
            assert_eq!(leading_moment(&line, near()), Some((expected, text.len())), "{line}");
        }
    }

    #[test]
    fn a_number_after_the_moment_is_no_offset() {
        for (line, expected, length) in [
            ("2026-01-14 14:02:03 +10 retries", "2026-01-14T14:02:03Z", 19),
            ("2026-01-14 14:02:03 -05", "2026-01-14T14:02:03Z", 19),
            ("2026-01-14 14:02:03 +10: retries", "2026-01-14T14:02:03Z", 19),
            ("2026-01-14 14:02:03 +10000 rows", "2026-01-14T14:02:03Z", 19),
            ("14/Jan/2026:14:02:03 +10 retries", "2026-01-14T14:02:03Z", 20),
            ("2026-01-14 14:02:03 +10:00 ok", "2026-01-14T04:02:03Z", 26),
            ("2026-01-14 14:02:03 +1000 ok", "2026-01-14T04:02:03Z", 25),
            ("2026-01-14 14:02:03+10 ok", "2026-01-14T04:02:03Z", 22),
        ] {
            let expected: Timestamp = expected.parse().unwrap();
            assert_eq!(leading_moment(line, near()), Some((expected, length)), "{line}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "12",
            "99",
            "2026-13-01",
            "2026-02-30 10:00:00",
            "14:02:03",
            "12026-01-14",
            "Jan 41 14:02:03",
            "E1341 14:02:03",
            "20260114",
            "17683993231",
            "Wednesday",
            "2026-01-14T25:00:00Z",
            "E0114",
            "1.5",
        ] {
            assert_eq!(moment(text, near()), None, "{text}");
        }
        assert_eq!(moment("Jan 14 14:02:03", None), None);
    }

    proptest! {
        #[test]
        fn what_is_written_in_rfc_3339_is_read_back(seconds in 0_i64..4_000_000_000, nanoseconds in 0_i32..1_000_000_000) {
            let at = Timestamp::new(seconds, nanoseconds).unwrap();
            prop_assert_eq!(moment(&at.to_string(), near()), Some(at));
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "([0-9TZ:. ,+/-]|Jan|Wed|E|\\PC){0,40}") {
            if let Some((_, length)) = leading_moment(&text, near()) {
                prop_assert!(text.is_char_boundary(length));
            }
        }
    }
}
