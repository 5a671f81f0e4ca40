//! What programs write before what they say: time, level, thread, logger, process. It says nothing of what happened, and
//! what was said is the same without it as in a record whose fields hold these things.
//!
//! By documented formats: RFC 3339 and ISO times with a level, syslog (RFC 3164, RFC 5424, rsyslog's files), klog,
//! Logback's, log4j's and Spring Boot's default patterns, Go's `log`, Python's `logging`, error logs of nginx and Apache,
//! Postgres, Redis, Rust's `tracing`, logfmt. Without a time at the beginning nothing is taken off, but for klog's, Redis's and
//! Python's own forms.

mod columns;
mod header;
mod logfmt;

use std::ops::Range;

use jiff::Timestamp;

pub(crate) use columns::{has_columns, in_columns};
pub(crate) use logfmt::roles as roles_in_pairs;

/// A moment for times that name no year: which one is of no matter, but it has a 29th of February.
const LEAP_YEAR: i64 = 1_704_067_200;
/// Shorter ones are days or numbers, not a time of a record.
const SHORTEST_TIME: usize = 14;

/// What a line has before its message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Prefix<'a> {
    /// Bytes before the message.
    pub(crate) length: usize,
    /// The machine that syslog names.
    pub(crate) host: Option<&'a str>,
    /// The program that syslog names.
    pub(crate) app: Option<&'a str>,
    /// Bytes behind the message in its first line: pairs that say who wrote it.
    pub(crate) tail: usize,
}

impl Prefix<'_> {
    /// Where in the message stands what was said; `None`: all of it is.
    pub(crate) fn said(&self, message: &str) -> Option<Range<usize>> {
        match (self.length, self.tail) {
            (0, 0) => None,
            (begins, 0) => Some(begins..message.len()),
            (begins, tail) => Some(begins..message.lines().next().unwrap_or_default().len() - tail),
        }
    }
}

/// Who wrote a line, as far as fields say so: programs repeat it in the line.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Writer<'a> {
    pub(crate) service: Option<&'a str>,
    pub(crate) place: Option<&'a str>,
}

/// The prefix of a message; of length 0 where none of the known forms is there, or nothing would be left.
pub(crate) fn of<'a>(message: &'a str, writer: Writer<'_>) -> Prefix<'a> {
    let line = message.lines().next().unwrap_or_default();
    let mut found = whole(line, writer);
    // Syslog carries lines that have a prefix of their own.
    if found.app.is_some() {
        let inner = whole(line.get(found.length..).unwrap_or_default(), Writer::default());
        (found.length, found.tail) = (found.length + inner.length, inner.tail);
    }
    let is_left = line.get(found.length..line.len() - found.tail).is_some_and(|rest| !rest.trim().is_empty());
    if is_left { found } else { Prefix::default() }
}

fn whole<'a>(line: &'a str, writer: Writer<'_>) -> Prefix<'a> {
    let forms = [klog, redis, python];
    if let Some(length) = forms.into_iter().find_map(|form| form(line)) {
        return Prefix { length, ..Prefix::default() };
    }
    syslog(line).or_else(|| timed(line, writer)).or_else(|| logfmt::prefix(line)).unwrap_or_default()
}

/// `E0114 14:02:03.123456       1 server.go:12] message`.
fn klog(line: &str) -> Option<usize> {
    let is_klog = line.starts_with(['I', 'W', 'E', 'F']) && line.as_bytes().get(5) == Some(&b' ');
    let time = time(line).filter(|_| is_klog)?;
    let end = line.get(time..)?.find("] ").filter(|end| *end < 120)?;
    Some(time + end + 2)
}

/// `1:M 14 Jan 2026 14:02:03.123 # message`.
fn redis(line: &str) -> Option<usize> {
    let (process, rest) = line.split_once(':')?;
    let is_process = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
    let rest = rest.strip_prefix(['M', 'S', 'C', 'X']).filter(|_| is_process)?.strip_prefix(' ')?;
    let marked = rest.get(time(rest)?..)?.strip_prefix(' ')?;
    let message = marked.strip_prefix(['.', '-', '*', '#'])?.strip_prefix(' ')?;
    Some(line.len() - message.len())
}

/// `ERROR:root:message`, as `logging.basicConfig` has it.
fn python(line: &str) -> Option<usize> {
    const LEVELS: [&str; 5] = ["DEBUG:", "INFO:", "WARNING:", "ERROR:", "CRITICAL:"];
    let rest = LEVELS.iter().find_map(|level| line.strip_prefix(level))?;
    let (logger, message) = rest.split_once(':')?;
    header::is_name(logger).then_some(line.len() - message.len())
}

/// RFC 5424 (`<34>1 TIME host app process id data message`), RFC 3164 (`<34>Jan 14 14:02:03 host app[process]: message`,
/// often without the number) and rsyslog's files, which have the latter with a time in RFC 3339.
fn syslog(line: &str) -> Option<Prefix<'_>> {
    let (is_numbered, rest) = match priority(line) {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    if let Some(rest) = rest.strip_prefix("1 ").filter(|_| is_numbered) {
        return rfc5424(line, rest);
    }
    let is_classic = rest.starts_with(|letter: char| letter.is_ascii_uppercase());
    let after = rest.get(time(rest)?..)?.strip_prefix(' ')?;
    let (host, tagged) = after.split_once(' ')?;
    let (tag, message) = tagged.split_once(": ")?;
    let (app, process) = tag.split_once('[').map_or((tag, None), |(app, process)| (app, Some(process)));
    let is_process = process.is_some_and(|process| {
        process.strip_suffix(']').is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let is_tagged = is_process || (process.is_none() && (is_classic || is_numbered));
    let known = is_tagged && header::is_name(host) && header::is_name(app);
    known.then_some(Prefix { length: line.len() - message.len(), host: Some(host), app: Some(app), tail: 0 })
}

/// What follows `<34>`.
fn priority(line: &str) -> Option<&str> {
    let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
    (!number.is_empty() && number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit()))
        .then_some(rest)
}

fn rfc5424<'a>(line: &str, rest: &'a str) -> Option<Prefix<'a>> {
    let mut parts = rest.splitn(6, ' ');
    let _time = parts.next()?;
    let named = |part: &'a str| (part != "-").then_some(part);
    let (host, app) = (named(parts.next()?), named(parts.next()?));
    let (_process, _kind, data) = (parts.next()?, parts.next()?, parts.next()?);
    let message = match data.strip_prefix("- ") {
        Some(message) => message,
        // Elements stand side by side, and a bracket within a value is escaped.
        None => data.starts_with('[').then(|| data.split_once("] "))??.1,
    };
    let message = message.strip_prefix('\u{feff}').unwrap_or(message);
    Some(Prefix { length: line.len() - message.len(), host, app, tail: 0 })
}

/// A time, alone or in brackets, and what loggers put behind it.
fn timed<'a>(line: &'a str, writer: Writer<'_>) -> Option<Prefix<'a>> {
    // JBoss and others write the level first.
    let level = header::level(line).unwrap_or(0);
    let begun = level + header::spaces(line.get(level..)?);
    let rest = line.get(begun..)?;
    let opens = usize::from(rest.starts_with(['[', '(']));
    let mut at = begun + opens;
    at += time(line.get(at..)?).or_else(|| clock(line.get(at..)?))?;
    if opens > 0 {
        line.get(at..)?.strip_prefix([']', ')'])?;
        at += 1;
    }
    // `14:02:03Zulu` is no time, and `14:02:03-17` none of a record.
    line.get(at..)?.strip_prefix([' ', '\t', '|', ':', ',', ';', ']'])?;
    // The container runtime interface puts its own time before the program's line.
    for stream in [" stdout F ", " stderr F "] {
        if let Some(own) = line.get(at..)?.strip_prefix(stream) {
            let inner = whole(own, writer);
            return Some(Prefix { length: line.len() - own.len() + inner.length, ..inner });
        }
    }
    let length = at + header::length(line.get(at..)?, writer);
    Some(Prefix { length, ..Prefix::default() })
}

/// Bytes of the time that a text begins with, with its day.
fn time(text: &str) -> Option<usize> {
    let near = Timestamp::from_second(LEAP_YEAR).ok()?;
    let is_number = text.bytes().take(10).all(|byte| byte.is_ascii_digit());
    let (_, length) = snapshot::leading_moment(text, Some(near)).filter(|_| !is_number)?;
    (length >= SHORTEST_TIME).then_some(length)
}

/// Bytes of a time of day with milliseconds: Logback and log4j write no day by default.
fn clock(text: &str) -> Option<usize> {
    const FORM: &[u8] = b"00:00:00.000";
    let fits = |(byte, form): (u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b'.' => matches!(byte, b'.' | b','),
        other => byte == *other,
    };
    let begins = text.len() >= FORM.len() && text.bytes().zip(FORM).all(fits);
    begins.then_some(FORM.len())
}

#[cfg(test)]
mod tests;
