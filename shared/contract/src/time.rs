//! One grammar for every time argument: a duration back from now (`1h`), or `START/END` where each side is
//! RFC 3339, epoch seconds, `now` or `now-2h`. Windows are half-open (`[start, end)`) and in UTC.

use std::{fmt, str::FromStr, time::Duration};

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use thiserror::Error;

const SYNTAX: &str = "use a duration back from now such as `30m`, or `START/END` where each side is RFC 3339 \
                      (`2026-01-14T14:02:00Z`), epoch seconds, `now` or `now-2h`";

/// Why a text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TimeError {
    /// The text is outside the grammar.
    #[error("`{0}` is not a time range; {SYNTAX}")]
    Range(String),
    /// One side is outside the grammar.
    #[error(
        "`{0}` is not a moment; use RFC 3339 with a zone (`2026-01-14T14:02:00Z`), epoch seconds, `now` or `now-2h`"
    )]
    Moment(String),
    /// A duration is outside the grammar.
    #[error(
        "`{0}` is not a duration; use whole numbers with the units ms, s, m, h, d, w, such as `90s`, `1h30m`, `7d`"
    )]
    Duration(String),
    /// The end is not after the start.
    #[error("the window ends ({end}) before or at its start ({start}); swap the sides")]
    Backwards {
        /// Start as understood.
        start: Timestamp,
        /// End as understood.
        end: Timestamp,
    },
    /// The window is longer than this tool allows.
    #[error("the window is {given} long and this tool reads at most {most}; narrow it")]
    TooLong {
        /// Length asked for.
        given: String,
        /// Longest allowed.
        most: String,
    },
    /// The moment lies outside what a calendar can say.
    #[error("`{0}` lies outside the calendar (years -9999 to 9999)")]
    OutOfCalendar(String),
}

/// A half-open window `[start, end)` with `start < end`, in whole milliseconds: what is shown of it is all of it, so that a
/// call that names it again asks for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeRange {
    start: Timestamp,
    end: Timestamp,
}

impl TimeRange {
    /// A window from `start` to `end`; fractions of milliseconds are left out.
    ///
    /// # Errors
    /// [`TimeError::Backwards`] when `end` is not after `start`.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<TimeRange, TimeError> {
        let (start, end) = (whole_milliseconds(start), whole_milliseconds(end));
        if start < end { Ok(TimeRange { start, end }) } else { Err(TimeError::Backwards { start, end }) }
    }

    /// First moment inside the window.
    #[must_use]
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// First moment after the window.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.end
    }

    /// Length in seconds.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.end.duration_since(self.start).as_secs_f64()
    }

    /// The window of the same length so much earlier; `None` outside the calendar.
    #[must_use]
    pub fn earlier(self, by: Duration) -> Option<TimeRange> {
        let (start, end) = (self.start.checked_sub(by).ok()?, self.end.checked_sub(by).ok()?);
        TimeRange::new(start, end).ok()
    }

    /// The window, if it is no longer than `most`.
    ///
    /// # Errors
    /// [`TimeError::TooLong`].
    pub fn at_most(self, most: Duration) -> Result<TimeRange, TimeError> {
        if self.seconds() <= most.as_secs_f64() {
            return Ok(self);
        }
        Err(TimeError::TooLong {
            given: duration_text(self.seconds()),
            most: duration_text(most.as_secs_f64()),
        })
    }
}

impl fmt::Display for TimeRange {
    /// `START/END` in RFC 3339: what a time argument accepts, so that it can be handed on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", time_text(self.start), time_text(self.end))
    }
}

/// The moment without its fraction of a millisecond.
pub(crate) fn whole_milliseconds(moment: Timestamp) -> Timestamp {
    let round = TimestampRound::new().smallest(Unit::Millisecond).mode(RoundMode::Floor);
    moment.round(round).unwrap_or(moment)
}

/// A moment in RFC 3339, UTC, to the second, or to the millisecond where it has one.
#[must_use]
pub fn time_text(moment: Timestamp) -> String {
    if moment.subsec_nanosecond() == 0 { format!("{moment:.0}") } else { format!("{moment:.3}") }
}

/// A length of time for people: `90s` is `1m30s`; fractions below a second in ms.
#[must_use]
pub fn duration_text(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return crate::significant(seconds);
    }
    if seconds < 1.0 {
        return format!("{}ms", crate::significant(seconds * 1000.0));
    }
    if seconds.fract() != 0.0 && seconds < 60.0 {
        return format!("{}s", crate::significant(seconds));
    }
    let whole = Duration::from_secs_f64(seconds.min(1e15).round()).as_secs();
    let parts = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let mut rest = whole;
    let mut text = String::new();
    for (size, unit) in parts {
        if rest >= size {
            text.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    text
}

/// One side of a window, before "now" is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// A fixed moment.
    At(Timestamp),
    /// So long before now.
    Before(Duration),
}

impl Moment {
    /// The moment itself, once now is known.
    ///
    /// # Errors
    /// [`TimeError::OutOfCalendar`] when it lies before the calendar begins.
    pub fn resolve(&self, now: Timestamp) -> Result<Timestamp, TimeError> {
        match self {
            Moment::At(at) => Ok(*at),
            Moment::Before(back) => now
                .checked_sub(*back)
                .map_err(|_| TimeError::OutOfCalendar(format!("now-{}s", back.as_secs()))),
        }
    }
}

impl FromStr for Moment {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Moment, TimeError> {
        let text = text.trim();
        if text == "now" {
            return Ok(Moment::Before(Duration::ZERO));
        }
        if let Some(back) = text.strip_prefix("now-") {
            return parse_duration(back).map(Moment::Before);
        }
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return epoch(text).map(Moment::At);
        }
        text.parse().map(Moment::At).map_err(|_| TimeError::Moment(text.to_owned()))
    }
}

fn epoch(text: &str) -> Result<Timestamp, TimeError> {
    let seconds: f64 = text.parse().map_err(|_| TimeError::Moment(text.to_owned()))?;
    // Milliseconds are the resolution of every backend here; a double holds them exactly for the whole calendar.
    let milliseconds = (seconds * 1000.0).round();
    if milliseconds.abs() > 2.6e14 {
        return Err(TimeError::OutOfCalendar(text.to_owned()));
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded on the line above")]
    let milliseconds = milliseconds as i64;
    Timestamp::from_millisecond(milliseconds).map_err(|_| TimeError::OutOfCalendar(text.to_owned()))
}

/// A window as an argument says it, before "now" is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeSpec {
    /// The last so-and-so long.
    Last(Duration),
    /// From one moment to another.
    Between(Moment, Moment),
}

impl TimeSpec {
    /// The window itself, once now is known.
    ///
    /// # Errors
    /// When the sides are the wrong way round or outside the calendar.
    pub fn resolve(&self, now: Timestamp) -> Result<TimeRange, TimeError> {
        let (start, end) = match self {
            TimeSpec::Last(length) => (Moment::Before(*length).resolve(now)?, now),
            TimeSpec::Between(start, end) => (start.resolve(now)?, end.resolve(now)?),
        };
        TimeRange::new(start, end)
    }
}

impl FromStr for TimeSpec {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<TimeSpec, TimeError> {
        let text = text.trim();
        if let Some((start, end)) = text.split_once('/') {
            return Ok(TimeSpec::Between(start.parse()?, end.parse()?));
        }
        match parse_duration(text) {
            Ok(length) if length > Duration::ZERO => Ok(TimeSpec::Last(length)),
            _ => Err(TimeError::Range(text.to_owned())),
        }
    }
}

impl<'de> Deserialize<'de> for TimeSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TimeSpec, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for TimeSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TimeSpec".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// A duration such as `90s`, `1h30m`, `7d`; units ms, s, m, h, d (24 h), w (7 d), each at most once, largest first.
///
/// # Errors
/// [`TimeError::Duration`] for anything else, or beyond 100 years.
pub fn parse_duration(text: &str) -> Result<Duration, TimeError> {
    const UNITS: [(&str, u64); 6] =
        [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    const HUNDRED_YEARS: u64 = 100 * 366 * 86_400_000;
    let wrong = || TimeError::Duration(text.to_owned());
    let mut rest = text.trim();
    let mut allowed = UNITS.as_slice();
    let mut total: u64 = 0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let place = allowed.iter().position(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let size = allowed.get(place).map_or(0, |(_, size)| *size);
        let count: u64 = number.parse().map_err(|_| wrong())?;
        total = count.checked_mul(size).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        allowed = allowed.get(place + 1..).unwrap_or_default();
        rest = tail;
    }
    if total > HUNDRED_YEARS { Err(wrong()) } else { Ok(Duration::from_millis(total)) }
}

#[cfg(test)]
mod tests;
