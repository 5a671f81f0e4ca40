//! PHP: uncaught exceptions with `Next`, `(string) $exception`, Monolog's `[stacktrace]`.
//!
//! A frame of PHP says where a function was called and not where in it execution stands: `#0 /cart.php(20): charge()`
//! was called at line 20. [`shift`] makes of it what every other language writes.

use crate::extract::Place;
use crate::lines::{Line, REACH, begins_record, number};
use crate::model::{Exception, Frame, Language, Relation};
use crate::names::{find_type, leading_name};
use crate::parts::{Found, Parts};

pub(crate) fn read(place: &Place<'_, '_>, line: Line<'_>) -> Option<Found> {
    let begins = is_stack(line.text) || frame(line.text).is_some();
    if !begins {
        return None;
    }
    let mut parts = Parts::default();
    let mut thrown = None;
    let mut start = line.start;
    match header(place) {
        Some((at, exception, source)) => {
            (start, thrown) = (at, source);
            parts.open(exception, false);
        }
        None if frame(line.text).is_none() => return None,
        None => drop(parts.open(Exception::new(None, "", Relation::Reported), false)),
    }
    let mut root_first = false;
    let mut at = place.at;
    loop {
        at += usize::from(place.lines.get(at).is_some_and(|line| is_stack(line.text)));
        at = frames(place, at, thrown.take(), &mut parts);
        let Some(next) = next_exception(place, at) else { break };
        let beside = next.previous && root_first;
        root_first |= !next.previous;
        parts.open(next.exception, beside);
        (thrown, at) = (next.source, next.line);
    }
    if root_first {
        parts.reverse();
    }
    if place.lines.get(at).is_some_and(|line| line.body().starts_with("thrown in ")) {
        at += 1;
    }
    parts.found(Language::Php, start, at.max(place.at + 1))
}

fn is_stack(text: &str) -> bool {
    matches!(text.trim_end(), "Stack trace:" | "[stacktrace]") || text.trim_end() == "PHP Stack trace:"
}

type Source = (String, u32);

/// Above the stack: `PHP Fatal error:  Uncaught Type: message in /cart.php:9`, perhaps over several lines.
fn header(place: &Place<'_, '_>) -> Option<(usize, Exception, Option<Source>)> {
    let mut at = place.at;
    let last = place.at.saturating_sub(REACH).max(place.floor);
    while at > last {
        at -= 1;
        let line = place.lines.get(at)?;
        let uncaught = line.text.find("Uncaught ").map(|at| at + "Uncaught ".len());
        let object = line.text.find("[object] (").map(|at| at + "[object] (".len());
        let Some(offset) = uncaught.or(object).or_else(|| find_type(line.text)) else {
            if begins_record(line.text) || is_stack(line.text) { break } else { continue }
        };
        let text = joined(place, at, offset, place.at)?;
        let (exception, source) = exception(&text, Relation::Reported);
        return Some((line.start + offset, exception, source));
    }
    None
}

fn joined(place: &Place<'_, '_>, from: usize, offset: usize, until: usize) -> Option<String> {
    let mut text = place.lines.get(from)?.text.get(offset..)?.to_owned();
    for at in from + 1..until {
        text.push('\n');
        text.push_str(place.lines.get(at)?.text);
    }
    Some(text)
}

/// `Type: message in /cart.php:9`, `Type(code: 0): message at /cart.php:9)`.
fn exception(text: &str, relation: Relation) -> (Exception, Option<Source>) {
    let (name, rest) = leading_name(text);
    let rest = match rest.split_once("): ") {
        Some((code, message)) if code.starts_with("(code: ") => message,
        _ => rest.trim_start_matches(':').trim_start(),
    };
    let placed = rest.trim_end().trim_end_matches(')');
    let placed = placed.rsplit_once(" in ").into_iter().chain(placed.rsplit_once(" at "));
    let placed = placed.filter_map(|(message, source)| Some((message, source_of(source)?))).next();
    match placed {
        Some((message, source)) => (Exception::new(Some(name), message, relation), Some(source)),
        None => (Exception::new(Some(name), rest, relation), None),
    }
}

fn source_of(text: &str) -> Option<Source> {
    let (file, line) = text.rsplit_once(':').or_else(|| text.rsplit_once(" on line "))?;
    Some((file.to_owned(), line.parse().ok()?))
}

struct Next {
    exception: Exception,
    source: Option<Source>,
    /// Its stack begins in this line.
    line: usize,
    /// It caused the one before it; else it was caused by it.
    previous: bool,
}

/// `Next Type: message in /cart.php:18`, `[previous exception] [object] (Type(code: 0): message at /cart.php:9)`.
fn next_exception(place: &Place<'_, '_>, at: usize) -> Option<Next> {
    let blank = place.lines.get(at).is_some_and(|line| line.is_blank());
    let from = at + usize::from(blank);
    let text = place.lines.get(from)?.text;
    let (previous, offset) = match text.strip_prefix("[previous exception] [object] (") {
        Some(rest) => (true, text.len() - rest.len()),
        None => (false, text.strip_prefix("Next ").map(|_| "Next ".len())?),
    };
    let ends = |line: Line<'_>| frame(line.text).is_some() || line.text.starts_with("Next ");
    let line = place.lines.find(from + 1, REACH, |line| is_stack(line.text), ends)?;
    let text = joined(place, from, offset, line)?;
    let (exception, source) = exception(&text, Relation::Cause);
    Some(Next { exception, source, line, previous })
}

/// Reads the frames of one exception; returns the first line after them.
fn frames(place: &Place<'_, '_>, from: usize, thrown: Option<Source>, parts: &mut Parts) -> usize {
    let mut at = from;
    let mut frames = Vec::new();
    while let Some(frame) = place.lines.get(at).and_then(|line| frame(line.text)) {
        if frames.len() <= Exception::FRAMES {
            frames.push(frame)
        } else {
            parts.elide(1)
        }
        at += 1;
    }
    for frame in shift(frames, thrown) {
        parts.push(frame);
    }
    at
}

/// From "called at" to "stands at": each function gets the place that the frame inside it names.
fn shift(mut frames: Vec<Frame>, thrown: Option<Source>) -> Vec<Frame> {
    let Some((file, line)) = thrown else { return frames };
    let mut inner = (Some(file), Some(line));
    // A built-in function throws where it was called: it has no place of its own.
    let built_in = frames.first().is_some_and(|frame| (&frame.file, &frame.line) == (&inner.0, &inner.1));
    if built_in {
        inner = (None, None);
    }
    for frame in &mut frames {
        let called_at = (frame.file.take(), frame.line.take());
        (frame.file, frame.line) = std::mem::replace(&mut inner, called_at);
    }
    frames
}

/// `#1 /srv/cart.php(16): Shop\Pool->acquire('A-17')`, `#3 [internal function]: run()`, `#7 {main}`.
fn frame(text: &str) -> Option<Frame> {
    let (_, rest) = number(text.trim_start().strip_prefix('#')?)?;
    let rest = rest.strip_prefix(' ')?;
    if rest.trim_end() == "{main}" {
        return Some(Frame { function: "{main}".to_owned(), ..Frame::default() });
    }
    if let Some(call) = rest.strip_prefix("[internal function]: ") {
        return Some(Frame { function: function(call), ..Frame::default() });
    }
    let (source, call) = rest.split_once("): ")?;
    let (file, line) = source.rsplit_once('(')?;
    let line = line.parse().ok()?;
    Some(Frame {
        function: function(call),
        file: Some(file.to_owned()),
        line: Some(line),
        ..Frame::default()
    })
}

/// A call without its arguments; the brackets of `{closure}` and `class@anonymous` are part of the name.
fn function(call: &str) -> String {
    call.split_once('(').map_or(call, |(name, _)| name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_say_who_and_where_from() {
        let cases = [
            (
                "#1 /srv/cart.php(16): Shop\\Pool->acquire('A-17')",
                Some(("Shop\\Pool->acquire", Some("/srv/cart.php"), Some(16))),
            ),
            (
                "#3 [internal function]: Shop\\Checkout->Shop\\{closure}('A')",
                Some(("Shop\\Checkout->Shop\\{closure}", None, None)),
            ),
            ("#7 {main}", Some(("{main}", None, None))),
            ("#0  0x00005 in charge (cart=0x0) at checkout.c:10", None),
            ("#12 is done", None),
        ];
        for (text, expected) in cases {
            let found = frame(text);
            let found = found.as_ref().map(|f| (f.function.as_str(), f.file.as_deref(), f.line));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn places_move_into_the_function_they_are_in() {
        let frame = |function: &str, line| Frame {
            function: function.to_owned(),
            file: Some("a.php".to_owned()),
            line,
            ..Frame::default()
        };
        let lines = |frames: Vec<Frame>| frames.iter().map(|frame| frame.line).collect::<Vec<_>>();
        let called = vec![frame("inner", Some(20)), frame("outer", Some(30))];
        assert_eq!(lines(shift(called.clone(), Some(("a.php".to_owned(), 9)))), [Some(9), Some(20)]);
        assert_eq!(lines(shift(called.clone(), Some(("a.php".to_owned(), 20)))), [None, Some(20)]);
        assert_eq!(lines(shift(called, None)), [Some(20), Some(30)]);
    }
}
