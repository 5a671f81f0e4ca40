//! Rust: panics with and without backtrace, and the reports of `anyhow`.

use crate::extract::Place;
use crate::lines::{Line, REACH, begins_record, location, number};
use crate::model::{Exception, Frame, Language, Relation};
use crate::parts::{Found, Parts, Slot};

pub(crate) fn read(place: &Place<'_, '_>, line: Line<'_>) -> Option<Found> {
    if let Some((offset, rest)) = panicked(line.text) {
        return panic(place, line.start + offset, rest);
    }
    if is_part(line.text) { report(place) } else { None }
}

/// `thread 'main' (20757) panicked at src/main.rs:11:19:`: where it begins, and what follows `panicked at `.
fn panicked(text: &str) -> Option<(usize, &str)> {
    let offset = text.find("thread '")?;
    let (_, rest) = text.get(offset..)?.split_once(" panicked at ")?;
    Some((offset, rest))
}

fn is_backtrace(text: &str) -> bool {
    matches!(text, "stack backtrace:" | "Stack backtrace:")
}

fn is_part(text: &str) -> bool {
    text == "Caused by:" || is_backtrace(text)
}

fn is_note(text: &str) -> bool {
    text.starts_with("note: run with `RUST_BACKTRACE=1`")
        || text.starts_with("note: Some details are omitted")
}

fn panic(place: &Place<'_, '_>, start: usize, rest: &str) -> Option<Found> {
    let mut parts = Parts::default();
    let slot = parts.open(Exception::new(Some("panic"), "", Relation::Reported), false);
    // Before 1.73 message and place stood in one line: `panicked at 'message', src/main.rs:11:19`.
    let old = rest.strip_prefix('\'').and_then(|rest| rest.rsplit_once("', "));
    let (message, source) = old.unwrap_or(("", rest.trim_end_matches(':')));
    parts.add_line(message);
    let mut next = place.at + 1;
    if old.is_none() {
        let ends = |line: Line<'_>| is_part(line.text) || is_note(line.text);
        let other = |line: Line<'_>| begins_record(line.text) || panicked(line.text).is_some();
        let until = place.lines.find(next, REACH, ends, other).unwrap_or(next + 1);
        while let Some(line) = place.lines.get(next).filter(|_| next < until) {
            if !line.is_blank() {
                parts.add_line(line.text);
            }
            next += 1;
        }
    }
    next = after_message(place, next, slot, &mut parts);
    locate(&mut parts, source);
    parts.found(Language::Rust, start, next)
}

/// Without a stack the place of the panic is the one frame that is known.
fn locate(parts: &mut Parts, source: &str) {
    let Some(panic) = parts.chain.first_mut().filter(|panic| panic.frames.is_empty()) else { return };
    if let Some((file, line)) = location(source) {
        panic.push(Frame { file: Some(file.to_owned()), line: Some(line), ..Frame::default() });
    }
}

/// An error in the message brought its causes and its stack along; the stack that follows them is the panic's own.
fn after_message(place: &Place<'_, '_>, from: usize, panic: Slot, parts: &mut Parts) -> usize {
    let mut next = from;
    while let Some(line) = place.lines.get(next) {
        if is_note(line.text) {
            return next + 1;
        }
        let more = |line: Line<'_>| is_part(line.text) || is_note(line.text);
        if line.is_blank() && place.lines.get(next + 1).is_some_and(more) {
            next += 1;
        } else if line.text == "Caused by:" {
            next = causes(place, next + 1, parts);
        } else if is_backtrace(line.text) {
            if line.text == "stack backtrace:" {
                parts.back_to(Some(panic));
            }
            next = frames(place, next + 1, parts);
        } else {
            break;
        }
    }
    next
}

/// `Error: outer`, blank, `Caused by:` …: what `main` prints of an `anyhow::Error`, and its `{:?}` in a log.
fn report(place: &Place<'_, '_>) -> Option<Found> {
    let line = place.lines.get(place.at)?;
    let mut parts = Parts::default();
    let mut start = line.start;
    let blank = |at: &usize| place.lines.get(*at).is_some_and(|line| line.is_blank());
    let before = place.at.checked_sub(1).filter(|at| *at >= place.floor);
    let before = before.filter(blank).and_then(|at| at.checked_sub(1)).filter(|at| *at >= place.floor);
    let mut message = "";
    if let Some(header) = before.and_then(|at| place.lines.get(at)).filter(|line| !line.is_blank()) {
        let offset = header.text.find("Error: ").map_or(0, |at| at + "Error: ".len());
        message = header.text.get(offset..)?;
        start = header.start + header.text.find("Error: ").unwrap_or(0);
    }
    parts.open(Exception::new(None, message, Relation::Reported), false);
    let mut next = place.at;
    if line.text == "Caused by:" {
        next = causes(place, place.at + 1, &mut parts);
        if next == place.at + 1 {
            return None;
        }
        let gap = blank(&next) && place.lines.get(next + 1).is_some_and(|line| is_backtrace(line.text));
        next += usize::from(gap);
    }
    if place.lines.get(next).is_some_and(|line| is_backtrace(line.text)) {
        let from = next + 1;
        next = frames(place, from, &mut parts);
        if next == from {
            return None;
        }
    }
    parts.found(Language::Rust, start, next)
}

/// `    0: could not read`, or one cause without a number, indented. Returns the first line after them.
fn causes(place: &Place<'_, '_>, from: usize, parts: &mut Parts) -> usize {
    let mut at = from;
    while let Some(line) = place.lines.get(at).filter(|line| line.is_indented() && !line.is_blank()) {
        let body = line.body();
        let numbered = number(body).and_then(|(_, rest)| rest.strip_prefix(": "));
        if numbered.is_some() || at == from {
            parts.open(Exception::new(None, numbered.unwrap_or(body), Relation::Cause), false);
        } else {
            parts.add_line(body);
        }
        at += 1;
    }
    at
}

/// Frames of a backtrace; returns the first line after them.
fn frames(place: &Place<'_, '_>, from: usize, parts: &mut Parts) -> usize {
    let mut at = from;
    while let Some(function) = place.lines.get(at).and_then(function) {
        at += 1;
        let mut frame = Frame { function: function.to_owned(), ..Frame::default() };
        let source = place.lines.get(at).and_then(|line| line.body().strip_prefix("at "));
        if let Some((file, line)) = source.and_then(location) {
            (frame.file, frame.line) = (Some(file.to_owned()), Some(line));
            at += 1;
        }
        parts.push(frame);
    }
    at
}

/// `   6: checkout::Pool<T>::acquire`, `  12:     0x55d0c8 - main`.
fn function(line: Line<'_>) -> Option<&str> {
    let (_, rest) = number(line.is_indented().then(|| line.body())?)?;
    let rest = rest.strip_prefix(": ")?.trim_start();
    Some(match rest.strip_prefix("0x").and_then(|rest| rest.split_once(" - ")) {
        Some((_, function)) => function,
        None => rest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions() {
        let line = |text| Line { start: 0, text };
        assert_eq!(function(line("   6: checkout::Pool<T>::acquire")), Some("checkout::Pool<T>::acquire"));
        assert_eq!(function(line("  12:     0x55d0c8 - main")), Some("main"));
        assert_eq!(function(line("6: x")), None);
    }
}
