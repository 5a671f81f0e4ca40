//! Go: panics and fatal errors with their goroutines, `debug.Stack()`, `net/http`, stacks of `%+v` and zap.

use crate::extract::Place;
use crate::lines::{Line, REACH, begins_record, location, number};
use crate::model::{Exception, Frame, Language, Relation};
use crate::parts::{Found, Parts};

pub(crate) fn read(place: &Place<'_, '_>, line: Line<'_>) -> Option<Found> {
    let text = line.text;
    if let Some(offset) = report(text) {
        let goroutine = |line: Line<'_>| goroutine(line.text).is_some();
        let other = |line: Line<'_>| {
            report(line.text).is_some() || begins_record(line.text) && !line.text.starts_with("[signal ")
        };
        let first = place.lines.find(place.at + 1, REACH, goroutine, other)?;
        let mut parts = Parts::default();
        message(place, line.text.get(offset..)?, first, &mut parts);
        return stacks(place, first, line.start + offset, parts);
    }
    if goroutine(text).is_some() {
        let mut parts = Parts::default();
        let start = recovered(place, &mut parts).unwrap_or(line.start);
        return stacks(place, place.at, start, parts);
    }
    source(text)?;
    bare(place)
}

/// Where `panic: …` or `fatal error: …` begins in a line.
fn report(text: &str) -> Option<usize> {
    if text.starts_with("panic: ") || text.starts_with("fatal error: ") {
        return Some(0);
    }
    text.find("http: panic serving ").or_else(|| text.find("] panic recovered:"))
}

/// Reads the lines from the report up to the first goroutine. Of nested panics the last one was reported.
fn message(place: &Place<'_, '_>, head: &str, until: usize, parts: &mut Parts) {
    let (type_name, text) = if let Some(text) = head.strip_prefix("fatal error: ") {
        ("fatal error", text)
    } else if let Some(served) = head.strip_prefix("http: panic serving ") {
        ("panic", served.split_once(": ").map_or(served, |(_, text)| text))
    } else {
        ("panic", head.strip_prefix("panic: ").unwrap_or_default())
    };
    parts.open(panic(type_name, text), false);
    for at in place.at + 1..until {
        let Some(line) = place.lines.get(at) else { break };
        if let Some(text) = line.text.strip_prefix("\tpanic: ") {
            parts.open(panic("panic", text), false);
        } else if line.text.starts_with("[signal ")
            || line.text.starts_with("runtime stack:")
            || line.is_blank()
        {
            break;
        } else if let Some(text) = line.text.strip_prefix('\t') {
            parts.add_line(text);
        }
    }
    parts.reverse();
    for exception in parts.chain.iter_mut().skip(1) {
        exception.relation = Relation::Context;
    }
}

fn panic(type_name: &str, text: &str) -> Exception {
    let text = [" [recovered, repanicked]", " [recovered]"]
        .iter()
        .find_map(|end| text.strip_suffix(end))
        .unwrap_or(text);
    let typed = text.strip_prefix('(').and_then(|rest| rest.split_once(") "));
    match (text.strip_prefix("runtime error: "), typed) {
        (Some(message), _) => Exception::new(Some("runtime error"), message, Relation::Reported),
        (None, Some((name, value))) if !name.contains(' ') => {
            Exception::new(Some(name), value, Relation::Reported)
        }
        _ => Exception::new(Some(type_name), text, Relation::Reported),
    }
}

/// What a program wrote about a panic that it recovered from, in the line before the stack.
fn recovered(place: &Place<'_, '_>, parts: &mut Parts) -> Option<usize> {
    let before = place.at.checked_sub(1).filter(|before| *before >= place.floor)?;
    let line = place.lines.get(before)?;
    let (_, text) = line.text.split_once("recovered: ").or_else(|| line.text.split_once("panic: "))?;
    parts.open(panic("panic", text), false);
    Some(line.end() - text.len())
}

/// Reads goroutines from this line on. The first is the one that failed.
fn stacks(place: &Place<'_, '_>, from: usize, start: usize, mut parts: Parts) -> Option<Found> {
    if parts.chain.is_empty() {
        parts.open(Exception::new(None, "", Relation::Reported), false);
    }
    let mut at = from;
    let mut blocks = 0;
    while let Some(line) = place.lines.get(at) {
        if let Some(name) = goroutine(line.text) {
            if blocks > 0 {
                parts.open(Exception::new(None, name, Relation::Stack), true);
            } else {
                parts.back_to(Some(crate::parts::Slot::Chain(0)));
            }
            blocks += 1;
            at += 1;
        } else if let Some(frame) = call(line).zip(place.lines.get(at + 1)).and_then(frame) {
            parts.push(frame);
            at += 2;
        } else if let Some(frames) = elided(line.text) {
            parts.elide(frames);
            at += 1;
        } else if line.is_blank()
            && place.lines.get(at + 1).is_some_and(|line| goroutine(line.text).is_some())
        {
            at += 1;
        } else {
            break;
        }
    }
    give_frames(&mut parts);
    parts.found(Language::Go, start, at.max(from + 1))
}

/// The frame `panic` separates what failed from the deferred call that ran because of it, and panicked itself or recovered.
/// Each panic gets its own frames; those of a recovery stand beside the chain.
fn give_frames(parts: &mut Parts) {
    let Some(first) = parts.chain.first_mut() else { return };
    let elided = std::mem::take(&mut first.elided);
    let frames = std::mem::take(&mut first.frames);
    let mut stacks: Vec<Vec<Frame>> = vec![Vec::new()];
    for frame in frames {
        let is_panic = frame.function == "panic";
        if let Some(stack) = stacks.last_mut() {
            stack.push(frame);
        }
        if is_panic {
            stacks.push(Vec::new());
        }
    }
    let mut stacks = stacks.into_iter().rev();
    for (at, exception) in parts.chain.iter_mut().rev().enumerate() {
        exception.frames = stacks.next().unwrap_or_default();
        exception.elided = if at == 0 { elided } else { 0 };
    }
    let recovery: Vec<Frame> = stacks.rev().flatten().collect();
    if !recovery.is_empty() {
        let slot = parts.open(Exception::new(None, "deferred call", Relation::Stack), true);
        parts.back_to(Some(slot));
        recovery.into_iter().for_each(|frame| parts.push(frame));
    }
}

/// A stack without goroutine: `%+v` of an error with a stack, or zap's `stacktrace`.
fn bare(place: &Place<'_, '_>) -> Option<Found> {
    let first = place.at.checked_sub(1).filter(|first| *first >= place.floor)?;
    let caller = place.lines.get(first)?;
    call(caller)?;
    let mut parts = Parts::default();
    let before =
        first.checked_sub(1).filter(|before| *before >= place.floor).and_then(|at| place.lines.get(at));
    let before = before.filter(|line| !line.is_blank() && !line.is_indented() && !begins_record(line.text));
    let message = before.map_or("", |line| line.text);
    parts.open(Exception::new(None, message, Relation::Reported), false);
    let mut at = first;
    while let Some(line) = place.lines.get(at) {
        let Some(frame) = call(line).zip(place.lines.get(at + 1)).and_then(frame) else { break };
        parts.push(frame);
        at += 2;
    }
    parts.found(Language::Go, before.map_or(caller.start, |line| line.start), at)
}

/// `goroutine 21 [running]:`, with further columns when the runtime dumps all it knows.
fn goroutine(text: &str) -> Option<&str> {
    let (_, rest) = number(text.strip_prefix("goroutine ")?)?;
    let name = text.strip_suffix("]:")?;
    rest.contains(" [").then_some(name).map(|_| text.trim_end_matches(':'))
}

/// `...23 frames elided...`.
fn elided(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("...")?;
    let (frames, rest) = number(rest).unwrap_or((0, rest));
    (rest.ends_with("frames elided...")).then_some(frames)
}

/// `main.(*Cart).Charge(...)`, `created by net/http.(*Server).Serve in goroutine 22`: the function.
fn call(line: Line<'_>) -> Option<&str> {
    if line.is_indented() || line.is_blank() {
        return None;
    }
    if let Some(created) = line.text.strip_prefix("created by ") {
        return Some(created.split_once(" in goroutine ").map_or(created, |(function, _)| function));
    }
    let function = without_arguments(line.text);
    (function.contains('.') && !function.contains(' ') || function == "panic").then_some(function)
}

fn without_arguments(text: &str) -> &str {
    if !text.ends_with(')') {
        return text;
    }
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(..at).unwrap_or(text);
        }
    }
    text
}

/// A call and the line below it.
fn frame((function, line): (&str, Line<'_>)) -> Option<Frame> {
    let (file, number) = source(line.text)?;
    let (function, file) = (function.to_owned(), Some(file.to_owned()));
    Some(Frame { function, file, line: Some(number), ..Frame::default() })
}

/// `\t/srv/shop/main.go:20 +0x15`.
fn source(text: &str) -> Option<(&str, u32)> {
    let body = text.strip_prefix(['\t', ' '])?.trim_start();
    let place = body.find(" +0x").and_then(|end| body.get(..end)).unwrap_or(body).trim_end();
    let (file, line) = location(place)?;
    [".go", ".s", ".c", ".cgo"].iter().any(|end| file.ends_with(end)).then_some((file, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls() {
        let cases = [
            ("main.(*Cart).Charge(...)", Some("main.(*Cart).Charge")),
            ("main.main.func4({0x62dfe5?, 0x2da}, 0x0?)", Some("main.main.func4")),
            ("panic({0x6f8d60?, 0x9ffa40?})", Some("panic")),
            ("created by net/http.(*Server).Serve in goroutine 22", Some("net/http.(*Server).Serve")),
            ("created by main.main", Some("main.main")),
            ("main.(*Cart).Charge", Some("main.(*Cart).Charge")),
            ("two words", None),
            ("\tmain.x()", None),
        ];
        for (text, expected) in cases {
            assert_eq!(call(Line { start: 0, text }), expected, "{text}");
        }
    }

    #[test]
    fn goroutines_and_sources() {
        assert!(goroutine("goroutine 21 [running]:").is_some());
        assert!(goroutine("goroutine 1 gp=0x1a6 m=0 mp=0xa0f4e0 [chan receive, 5 minutes]:").is_some());
        assert!(goroutine("goroutine leak").is_none());
        assert_eq!(source("\t/srv/main.go:35 +0x2b fp=0x1 sp=0x2 pc=0x3"), Some(("/srv/main.go", 35)));
        assert_eq!(source("\t/srv/main.go:35"), Some(("/srv/main.go", 35)));
        assert_eq!(source("/srv/main.go:35"), None);
        assert_eq!(elided("...23 frames elided..."), Some(23));
        assert_eq!(elided("...additional frames elided..."), Some(0));
    }
}
