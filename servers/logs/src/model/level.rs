//! How bad a record says it is.

/// Severity of a record, in OpenTelemetry's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Level {
    /// Finest.
    Trace,
    /// For developers.
    Debug,
    /// Ordinary, with notices.
    Info,
    /// To be looked at.
    Warn,
    /// Something failed.
    Error,
    /// The program can't go on; also alert, critical, emergency.
    Fatal,
}

impl Level {
    /// All, the finest first.
    pub(crate) const ALL: [Level; 6] =
        [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];

    /// As answers and arguments write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
            Level::Fatal => "fatal",
        }
    }

    /// How programs spell it, in lower case; they also write it in upper case or capitalised.
    pub(crate) fn spellings(self) -> &'static [&'static str] {
        match self {
            Level::Trace => &["trace", "trc", "verbose", "finest", "finer", "vrb"],
            Level::Debug => &["debug", "dbg", "fine", "config"],
            Level::Info => &["info", "inf", "information", "informational", "notice", "log"],
            Level::Warn => &["warn", "wrn", "warning"],
            Level::Error => &["error", "err", "eror", "severe"],
            Level::Fatal => {
                &["fatal", "ftl", "crit", "critical", "alert", "emerg", "emergency", "panic", "dpanic"]
            }
        }
    }

    /// Reads what a program wrote: a word in any case, syslog's and klog's single letters, OpenTelemetry's `ERROR2`, or
    /// a number of OpenTelemetry (1 to 24), bunyan and pino (10 to 60 in tens).
    pub(crate) fn parse(text: &str) -> Option<Level> {
        let text = text.trim();
        if let Ok(number) = text.parse::<u64>() {
            return Level::numbered(number);
        }
        let word = text.trim_end_matches(|letter: char| letter.is_ascii_digit()).to_ascii_lowercase();
        let known = Level::ALL.into_iter().find(|level| level.spellings().contains(&word.as_str()));
        known.or(match word.as_str() {
            "t" => Some(Level::Trace),
            "d" => Some(Level::Debug),
            "i" | "n" => Some(Level::Info),
            "w" => Some(Level::Warn),
            "e" => Some(Level::Error),
            "f" | "c" => Some(Level::Fatal),
            _ => None,
        })
    }

    /// The range of OpenTelemetry's `severity_number`.
    pub(crate) fn numbers(self) -> std::ops::RangeInclusive<u64> {
        match self {
            Level::Trace => 1..=4,
            Level::Debug => 5..=8,
            Level::Info => 9..=12,
            Level::Warn => 13..=16,
            Level::Error => 17..=20,
            Level::Fatal => 21..=24,
        }
    }

    fn numbered(number: u64) -> Option<Level> {
        match number {
            // 10 and 20 are both: pino's and bunyan's trace and debug, OpenTelemetry's info and error. Who writes
            // numbers in a field of words writes pino's far more often.
            10 => Some(Level::Trace),
            20 => Some(Level::Debug),
            30 => Some(Level::Info),
            40 => Some(Level::Warn),
            50 => Some(Level::Error),
            60 => Some(Level::Fatal),
            _ => Level::severity_number(number),
        }
    }

    /// Reads OpenTelemetry's `severity_number`.
    pub(crate) fn severity_number(number: u64) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.numbers().contains(&number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_as_programs_write_them() {
        let table = [
            ("ERROR", Some(Level::Error)),
            ("Err", Some(Level::Error)),
            ("SEVERE", Some(Level::Error)),
            ("ERROR2", Some(Level::Error)),
            ("Information", Some(Level::Info)),
            ("NOTICE", Some(Level::Info)),
            (" warning ", Some(Level::Warn)),
            ("W", Some(Level::Warn)),
            ("CRITICAL", Some(Level::Fatal)),
            ("dpanic", Some(Level::Fatal)),
            ("Verbose", Some(Level::Trace)),
            ("17", Some(Level::Error)),
            ("9", Some(Level::Info)),
            ("50", Some(Level::Error)),
            ("0", None),
            ("99", None),
            ("stdout", None),
            ("", None),
        ];
        for (text, level) in table {
            assert_eq!(Level::parse(text), level, "{text:?}");
        }
        assert_eq!(Level::severity_number(20), Some(Level::Error));
        assert_eq!(Level::severity_number(25), None);
    }
}
