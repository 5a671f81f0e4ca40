//! A text as numbered lines. Every look at a line is counted, which is how a test proves that reading is linear.

use std::cell::Cell;

/// One line without its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'t> {
    /// Where it begins in the text.
    pub start: usize,
    pub text: &'t str,
}

impl<'t> Line<'t> {
    pub(crate) fn end(self) -> usize {
        self.start + self.text.len()
    }

    pub(crate) fn is_blank(self) -> bool {
        self.text.trim().is_empty()
    }

    /// The text without leading white space.
    pub(crate) fn body(self) -> &'t str {
        self.text.trim_start()
    }

    /// Bytes of leading white space; a tab counts as one.
    pub(crate) fn indent(self) -> usize {
        self.text.len() - self.body().len()
    }

    pub(crate) fn is_indented(self) -> bool {
        self.text.starts_with([' ', '\t'])
    }
}

/// The lines of a text.
pub(crate) struct Lines<'t> {
    lines: Vec<Line<'t>>,
    /// Bytes of the lines looked at so far, each with one for its end.
    work: Cell<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let mut lines = Vec::new();
        let mut start = 0;
        for line in text.split('\n') {
            lines.push(Line { start, text: line.trim_end_matches('\r') });
            start += line.len() + 1;
        }
        Self { lines, work: Cell::new(0) }
    }

    /// The line of this number, from 0.
    pub(crate) fn get(&self, number: usize) -> Option<Line<'t>> {
        let line = self.lines.get(number).copied()?;
        self.work.set(self.work.get() + line.text.len() + 1);
        Some(line)
    }

    /// Where the line of this number ends; the end of the text beyond the last.
    pub(crate) fn end_of(&self, number: usize) -> usize {
        self.lines.get(number).or(self.lines.last()).map_or(0, |line| line.end())
    }

    #[cfg(test)]
    pub(crate) fn work(&self) -> usize {
        self.work.get()
    }

    /// The first line from `from` on that `wanted` accepts, among `within` lines and before any that `barrier` accepts.
    pub(crate) fn find(
        &self,
        from: usize,
        within: usize,
        wanted: impl Fn(Line<'t>) -> bool,
        barrier: impl Fn(Line<'t>) -> bool,
    ) -> Option<usize> {
        for number in from..from.saturating_add(within) {
            let line = self.get(number)?;
            if wanted(line) {
                return Some(number);
            }
            if barrier(line) {
                return None;
            }
        }
        None
    }
}

/// How far a header may stand from the frames it belongs to: the longest message, in lines.
pub(crate) const REACH: usize = 40;

const LEVELS: [&str; 10] =
    ["TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "FATAL", "CRITICAL", "SEVERE"];

/// Whether the line looks like the beginning of a log record: a time, a level, a brace. Such a line continues no message.
pub(crate) fn begins_record(text: &str) -> bool {
    let head: Vec<&str> = text.split_whitespace().take(4).collect();
    let Some(first) = head.first() else { return false };
    text.starts_with(['{', '[', '<']) && !text.starts_with("[SQL") && !text.starts_with("[parameters")
        || is_time(first)
        || first.len() == 3 && head.get(2).is_some_and(|word| is_time(word))
        || head.iter().any(|word| is_level(word))
}

fn is_time(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let begins = word.starts_with(|c: char| c.is_ascii_digit()) && !word.starts_with("0x");
    digits >= 6 && begins && word.contains([':', '-', '/', '.'])
}

fn is_level(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphabetic());
    LEVELS.contains(&word)
        || word.len() > 3 && word.ends_with(':') && LEVELS.contains(&word.trim_end_matches(':'))
}

/// The number at the beginning of a text, and what follows it.
pub(crate) fn number(text: &str) -> Option<(usize, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, rest))
}

/// Splits `path:12` and `path:12:7` into path and line.
pub(crate) fn location(text: &str) -> Option<(&str, u32)> {
    let (head, last) = text.rsplit_once(':')?;
    let last: u32 = last.parse().ok()?;
    match head.rsplit_once(':').and_then(|(path, line)| Some((path, line.parse().ok()?))) {
        Some((path, line)) if !path.is_empty() => Some((path, line)),
        _ if head.is_empty() => None,
        _ => Some((head, last)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_a_record() {
        for line in [
            "2026-11-27 02:57:47,214 INFO  [main] shop",
            "Nov 27 02:57:47 web-1 app[12]: ERROR x",
            "[2026-11-27] local.ERROR: x",
            "{\"level\":\"info\"}",
            "INFO: x",
            "10:02:03.123 [main] DEBUG",
        ] {
            assert!(begins_record(line), "{line}");
        }
        for line in ["waiting=211", "second line", "", "17 orders", "1.5 s", "[SQL: select 1]", "error: x"] {
            assert!(!begins_record(line), "{line}");
        }
    }

    #[test]
    fn a_location_is_path_and_line() {
        assert_eq!(location("/srv/a.js:12:7"), Some(("/srv/a.js", 12)));
        assert_eq!(location("C:\\a.rs:12"), Some(("C:\\a.rs", 12)));
        assert_eq!(location("node:fs:573:18"), Some(("node:fs", 573)));
        assert_eq!(location("12:30"), Some(("12", 30)));
        assert_eq!(location("x"), None);
        assert_eq!(location(":1"), None);
    }
}
