//! Python: `traceback.print_exc`, chains, exception groups, syntax errors, notes.
//!
//! Python writes the root cause first and the innermost call last. A group draws a margin (`  | `) whose column says how
//! deep it is nested; within the margin stands an ordinary traceback.

use crate::extract::{Place, Source};
use crate::lines::{Line, REACH, begins_record, number};
use crate::model::{Exception, Frame, Language, Relation};
use crate::parts::{Found, Parts};

mod groups;

use groups::Segments;

const HEADER: &str = "Traceback (most recent call last):";
const GROUP_HEADER: &str = "Exception Group Traceback (most recent call last):";

pub(crate) fn read(place: &Place<'_, '_>, line: Line<'_>) -> Option<Found> {
    let (column, body) = margin(line.text);
    let start = match (body.trim_end().ends_with(HEADER), frame(body)) {
        (true, _) => line.start + header_at(line.text)?,
        (false, Some(_)) if body.starts_with([' ', '\t']) => line.start + line.indent(),
        _ => return None,
    };
    let mut reading =
        Reading { segments: Segments::new(column), state: State::Start, relation: None, tail: 0 };
    let mut at = place.at;
    // Blank lines and connectives belong to the trace only if it goes on after them.
    let mut end = at;
    while let Some(line) = place.lines.get(at) {
        match reading.take(place, at, line) {
            Take::Part => end = at + 1,
            Take::Perhaps => {}
            Take::End => break,
        }
        at += 1;
    }
    let mut parts = Parts::default();
    reading.segments.flatten(&mut parts);
    parts.found(Language::Python, start, end.max(place.at + 1))
}

enum Take {
    Part,
    Perhaps,
    End,
}

#[derive(PartialEq)]
enum State {
    /// A header or a frame must come.
    Start,
    /// Frames, their source lines and at last the exception.
    Frames,
    /// The exception was named.
    Named,
}

struct Reading {
    segments: Segments,
    state: State,
    /// What a connective said about the exception above it.
    relation: Option<Relation>,
    /// Lines of the message beyond its first, outside a margin.
    tail: usize,
}

impl Reading {
    fn take(&mut self, place: &Place<'_, '_>, at: usize, line: Line<'_>) -> Take {
        if let Some(column) = member_rule(line.text) {
            self.segments.member(column);
            (self.state, self.relation) = (State::Start, None);
            return Take::Part;
        }
        if closing_rule(line.text) {
            self.state = State::Named;
            return Take::Part;
        }
        let (column, body) = margin(line.text);
        self.segments.at_column(column);
        if let Some(relation) = connective(body) {
            (self.relation, self.state) = (Some(relation), State::Start);
            return Take::Perhaps;
        }
        if body.trim().is_empty() {
            return if self.state == State::Frames { Take::End } else { Take::Perhaps };
        }
        if body.trim_end().ends_with(HEADER) {
            // Without a connective it is another trace.
            if self.state == State::Named || self.state == State::Frames {
                return Take::End;
            }
            self.begin();
            return Take::Part;
        }
        match self.state {
            State::Start | State::Frames => self.take_frame(body),
            State::Named => self.take_tail(place, at, column, body),
        }
    }

    fn begin(&mut self) {
        let relation = self.relation.take();
        self.segments.begin(relation);
        (self.state, self.tail) = (State::Frames, 0);
    }

    fn take_frame(&mut self, body: &str) -> Take {
        if self.state == State::Start {
            self.begin();
        }
        let Some(exception) = self.segments.current() else { return Take::End };
        if let Some(frame) = frame(body) {
            // The innermost comes last: it is the outermost that are left out, many at a time.
            if exception.frames.len() >= 2 * Exception::FRAMES {
                exception.frames.drain(..Exception::FRAMES);
                exception.elided += Exception::FRAMES;
            }
            exception.frames.push(frame);
        } else if let Some(repeats) = repeats(body) {
            exception.elided = exception.elided.saturating_add(repeats);
        } else if !body.starts_with([' ', '\t']) {
            let Some((name, message)) = named(body) else { return Take::End };
            exception.type_name = Some(name.to_owned());
            exception.message = message.to_owned();
            self.state = State::Named;
        }
        Take::Part
    }

    /// A line after the exception: its message goes on, or notes follow. Nothing marks them outside a margin.
    fn take_tail(&mut self, place: &Place<'_, '_>, at: usize, column: usize, body: &str) -> Take {
        let certain = column > 0 || body.starts_with([' ', '\t']) || is_database_tail(body);
        let goes_on = || match place.source {
            Source::Record => self.tail < REACH && !begins_record(body),
            Source::Stream => {
                let barrier = |line: Line<'_>| begins_record(line.text) || line.text.ends_with(HEADER);
                let chained = |line: Line<'_>| connective(line.text).is_some();
                self.tail < REACH && place.lines.find(at, REACH - self.tail, chained, barrier).is_some()
            }
        };
        if !certain && !goes_on() {
            return Take::End;
        }
        self.tail += 1;
        if let Some(exception) = self.segments.current() {
            exception.add_line(body);
        }
        Take::Part
    }
}

/// Where the margin of a group stands (0: there is none), and what is written beside it.
fn margin(text: &str) -> (usize, &str) {
    let body = text.trim_start_matches(' ');
    let column = text.len() - body.len();
    match body.strip_prefix(['|', '+']) {
        Some(rest) if column >= 2 && column.is_multiple_of(2) => {
            (column, rest.strip_prefix(' ').unwrap_or(rest))
        }
        _ => (0, text),
    }
}

/// `  +-+---------------- 1 ----------------`, `    +---------------- 2 ----------------`: the column of the member.
fn member_rule(text: &str) -> Option<usize> {
    let body = text.trim_start_matches(' ');
    let column = text.len() - body.len();
    let opens = body.starts_with("+-+-");
    let rest = body.strip_prefix("+-+").or(body.strip_prefix('+'))?;
    let label = rest.strip_prefix("---------------- ")?.strip_suffix(" ----------------")?;
    (label == "..." || label.bytes().all(|b| b.is_ascii_digit()))
        .then_some(column + if opens { 2 } else { 0 })
}

/// `    +------------------------------------`.
fn closing_rule(text: &str) -> bool {
    text.starts_with(' ')
        && text
            .trim_start_matches(' ')
            .strip_prefix('+')
            .is_some_and(|rest| rest.len() >= 30 && rest.bytes().all(|b| b == b'-'))
}

fn connective(body: &str) -> Option<Relation> {
    if body.starts_with("The above exception was the direct cause of the following exception") {
        return Some(Relation::Cause);
    }
    body.starts_with("During handling of the above exception, another exception occurred")
        .then_some(Relation::Context)
}

fn header_at(text: &str) -> Option<usize> {
    text.rfind(GROUP_HEADER).or_else(|| text.rfind(HEADER))
}

/// `  File "/srv/shop/cart.py", line 12, in total`; a syntax error names no function.
fn frame(body: &str) -> Option<Frame> {
    let rest = body.trim_start().strip_prefix("File \"")?;
    let (file, rest) = rest.rsplit_once("\", line ")?;
    let (line, rest) = number(rest)?;
    let function = match rest.strip_prefix(", in ") {
        Some(function) => function.trim_end(),
        None if rest.trim().is_empty() => "",
        None => return None,
    };
    let line = u32::try_from(line).ok()?;
    Some(Frame {
        function: function.to_owned(),
        file: Some(file.to_owned()),
        line: Some(line),
        ..Frame::default()
    })
}

/// `  [Previous line repeated 995 more times]`.
fn repeats(body: &str) -> Option<usize> {
    let rest = body.trim().strip_prefix("[Previous line repeated ")?;
    Some(number(rest)?.0)
}

/// `json.decoder.JSONDecodeError: Expecting value`, `KeyboardInterrupt`.
fn named(body: &str) -> Option<(&str, &str)> {
    let (name, message) = match body.split_once(':') {
        Some((name, message)) => (name, message.strip_prefix(' ').unwrap_or(message)),
        None => (body.trim_end(), ""),
    };
    let starts_well = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let is_name = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '<' | '>'));
    (starts_well && is_name).then_some((name, message))
}

/// What SQLAlchemy writes below its errors.
fn is_database_tail(body: &str) -> bool {
    ["[SQL: ", "[parameters: ", "(Background on this error at: "].iter().any(|head| body.starts_with(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_and_margins() {
        assert_eq!(margin("  | Traceback"), (2, "Traceback"));
        assert_eq!(margin("    |   File"), (4, "  File"));
        assert_eq!(margin("  File"), (0, "  File"));
        assert_eq!(member_rule("  +-+---------------- 1 ----------------"), Some(4));
        assert_eq!(member_rule("    +---------------- 2 ----------------"), Some(4));
        assert!(closing_rule("    +------------------------------------"));
        assert!(!closing_rule("+------------------------------------"));
    }

    #[test]
    fn what_names_an_exception() {
        assert_eq!(named("KeyError: 'A-17'"), Some(("KeyError", "'A-17'")));
        assert_eq!(named("KeyboardInterrupt"), Some(("KeyboardInterrupt", "")));
        assert_eq!(named("two words: x"), None);
        assert_eq!(named("__main__.f.<locals>.E: x"), Some(("__main__.f.<locals>.E", "x")));
    }
}
