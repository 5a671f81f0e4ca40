//! What stands before a program's own line.

use jiff::Timestamp;

use crate::moment::leading_moment;

/// A line, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Pod and container, of `kubectl logs --prefix`: `[pod/NAME/CONTAINER] …`.
    pub(super) origin: Option<(&'a str, &'a str)>,
    /// The time that the container runtime put first.
    pub(super) written: Option<Timestamp>,
    /// Whether the runtime cut the line and the rest comes next.
    pub(super) is_cut: bool,
    /// What the program wrote.
    pub(super) own: &'a str,
}

/// Takes a line apart.
pub(super) fn apart(line: &str) -> Line<'_> {
    let (origin, rest) = origin(line);
    let Some((at, after)) = runtime_time(rest) else {
        return Line { origin, own: rest, ..Line::default() };
    };
    // The container runtime interface: `TIME stdout F line`, with P where it was cut.
    let stream = after.strip_prefix("stdout ").or_else(|| after.strip_prefix("stderr "));
    let (is_cut, own) = match stream.and_then(|tagged| tagged.split_at_checked(2)) {
        Some(("F ", own)) => (false, own),
        Some(("P ", own)) => (true, own),
        _ => (false, after),
    };
    Line { origin, written: Some(at), is_cut, own }
}

fn origin(line: &str) -> (Option<(&str, &str)>, &str) {
    let parts = || {
        let (inner, rest) = line.strip_prefix("[pod/")?.split_once("] ")?;
        let (pod, container) = inner.split_once('/')?;
        Some((pod, container, rest))
    };
    match parts() {
        Some((pod, container, rest)) => (Some((pod, container)), rest),
        None => (None, line),
    }
}

/// A time in RFC 3339 with the many digits that container runtimes write and programs hardly do.
fn runtime_time(line: &str) -> Option<(Timestamp, &str)> {
    const DIGITS: usize = 7;
    let fraction = line.get(..40.min(line.len()))?.split_once('.')?.1;
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    if digits < DIGITS || line.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let (at, length) = leading_moment(line, None)?;
    Some((at, line.get(length..)?.strip_prefix(' ').unwrap_or_default()))
}

/// The moment that a program's line names: first in it, in brackets, after a level, a thread or a syslog priority, or as
/// `time=…`. Nothing far into the line: that would be what it speaks of.
pub(super) fn own_moment(line: &str, near: Timestamp) -> Option<Timestamp> {
    /// Shorter ones are numbers in the middle of a line.
    const LENGTH: usize = 15;
    const NEAR: usize = 100;
    const PLACES: usize = 5;
    // A number alone is a time only if it is of these years.
    let is_recent = |at: Timestamp| (at.as_second() - near.as_second()).abs() < 2 * 366 * 86_400;
    if let Some((at, length)) = leading_moment(line, Some(near))
        && (length >= LENGTH || is_recent(at))
    {
        return Some(at);
    }
    if let Some(at) = keyed(line, near) {
        return Some(at);
    }
    let places = line
        .bytes()
        .enumerate()
        .take(NEAR)
        .filter(|(_, byte)| b" [<>(\t:".contains(byte))
        .map(|(at, _)| at + 1);
    // Access logs have their time behind host, identity and user.
    places.take(PLACES).find_map(|place| {
        let (at, length) = leading_moment(line.get(place..)?, Some(near))?;
        (length >= LENGTH).then_some(at)
    })
}

/// `time=…`, `ts="…"`.
fn keyed(line: &str, near: Timestamp) -> Option<Timestamp> {
    const KEYS: [&str; 5] = ["time=", "ts=", "timestamp=", "@timestamp=", "t="];
    const NEAR: usize = 200;
    KEYS.iter().find_map(|key| {
        line.match_indices(key).take_while(|(at, _)| *at < NEAR).find_map(|(at, _)| {
            let begins = at == 0 || line.as_bytes().get(at - 1) == Some(&b' ');
            let value = line.get(at + key.len()..)?.trim_start_matches('"');
            leading_moment(value, Some(near)).filter(|_| begins).map(|(at, _)| at)
        })
    })
}
