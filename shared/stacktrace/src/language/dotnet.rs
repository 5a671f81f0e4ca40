//! .NET, .NET Framework and Mono: `Exception.ToString()`.

use super::header_before;
use crate::extract::Place;
use crate::lines::{Line, REACH};
use crate::model::{Exception, Frame, Language, Relation};
use crate::names::split_header;
use crate::parts::{Found, Parts, Slot};

const END_OF_INNER: &str = "--- End of inner exception";

pub(crate) fn read(place: &Place<'_, '_>, line: Line<'_>) -> Option<Found> {
    frame(line.body())?;
    let lines = place.lines;
    let mut reading = Reading::default();
    let (mut at, mut start) = (place.at, line.start + line.indent());
    match header_before(place, |_, _, text| text.trim_start().starts_with("---> ")) {
        Some((number, offset)) => {
            let header = lines.get(number)?;
            reading.open_all(header.text.get(offset..)?, Relation::Reported);
            (at, start) = (number + 1, header.start + offset);
        }
        None => reading.open("", Relation::Reported),
    }
    let mut message_until = place.at;
    while let Some(line) = lines.get(at) {
        let body = line.body();
        if let Some(frame) = frame(body) {
            reading.parts.push(frame);
            reading.leave_if(body.ends_with("<---"));
        } else if let Some(inner) = body.strip_prefix("---> ") {
            reading.inner(inner);
            message_until = lines.find(at + 1, REACH, is_part, |_| false).unwrap_or(at);
        } else if body.starts_with(END_OF_INNER) {
            reading.end_inner();
            reading.leave_if(body.ends_with("<---"));
        } else if at < message_until {
            reading.parts.add_line(line.text.trim_end_matches("<---"));
            reading.leave_if(body.ends_with("<---"));
        } else if !(body.starts_with("--- End of stack trace") || line.is_blank() && more_members(place, at))
        {
            break;
        }
        at += 1;
    }
    reading.parts.found(Language::DotNet, start, at)
}

fn is_part(line: Line<'_>) -> bool {
    let body = line.body();
    frame(body).is_some() || body.starts_with("--- End of") || body.starts_with("---> ")
}

/// Mono leaves a line empty between the members of an `AggregateException`.
fn more_members(place: &Place<'_, '_>, at: usize) -> bool {
    place.lines.get(at + 1).is_some_and(|line| line.body().starts_with("---> (Inner Exception #"))
}

#[derive(Default)]
struct Reading {
    parts: Parts,
    /// The exceptions whose frames are still to come, the innermost last.
    open: Vec<Slot>,
    beside: bool,
}

impl Reading {
    fn open(&mut self, header: &str, relation: Relation) {
        let (type_name, message) = split_header(header);
        let slot = self.parts.open(Exception::new(type_name, message, relation), self.beside);
        self.open.push(slot);
        // Nesting deeper than what is kept could not be told apart anyway.
        if self.open.len() > crate::Trace::EXCEPTIONS {
            self.open.remove(0);
        }
    }

    /// .NET Framework and Mono write the inner exceptions into the line of the outer one.
    fn open_all(&mut self, header: &str, relation: Relation) {
        let mut relation = relation;
        for header in header.split(" ---> ") {
            self.open(header, relation);
            relation = Relation::Cause;
        }
    }

    fn inner(&mut self, text: &str) {
        let Some(member) = text.strip_prefix("(Inner Exception #") else {
            return self.open_all(text, Relation::Cause);
        };
        // The first member is the inner exception itself, which the chain has already.
        let (place, header) = member.split_once(") ").unwrap_or((member, ""));
        self.beside = true;
        self.open.clear();
        if place == "0" && self.parts.chain.len() > 1 {
            self.parts.back_to(None);
        } else {
            self.open_all(header, Relation::Member);
        }
    }

    fn end_inner(&mut self) {
        if self.open.len() > 1 {
            self.open.pop();
            self.parts.back_to(self.open.last().copied());
        }
    }

    fn leave_if(&mut self, leaves: bool) {
        if leaves {
            self.open.clear();
            self.parts.back_to(None);
        }
    }
}

/// `at Acme.Cart.<Total>d__5.MoveNext() in C:\src\Cart.cs:line 12`,
/// `at Acme.Cart.Total (System.String id) [0x00002] in /src/Cart.cs:12` (Mono).
fn frame(body: &str) -> Option<Frame> {
    let rest = body.strip_prefix("at ")?;
    let rest = rest.strip_suffix("<---").unwrap_or(rest).trim_end();
    let (function, rest) = rest.split_once('(')?;
    let function = function.trim_end();
    let (arguments, after) = split_arguments(rest)?;
    let is_name = function.contains('.') || function.starts_with("lambda_method");
    if !is_name || function.contains(' ') && !function.contains('<') {
        return None;
    }
    let after = after.trim_start();
    let (mono, after) = match after.strip_prefix("[0x").and_then(|rest| rest.split_once("] in ")) {
        Some((_, place)) => (true, place),
        None => (false, after.strip_prefix("in ").unwrap_or(after)),
    };
    if after.is_empty() {
        let declares = arguments.is_empty() || arguments.contains(' ');
        return declares.then(|| Frame { function: function.to_owned(), ..Frame::default() });
    }
    let (file, line) = after.rsplit_once(if mono { ":" } else { ":line " })?;
    let line = line.trim().parse().ok()?;
    // `<12b418a7818c4ca0893feeaaf67f1e7f>:0` is an assembly without debugging data.
    let known = !file.starts_with('<');
    let file = known.then(|| file.to_owned());
    Some(Frame { function: function.to_owned(), file, line: known.then_some(line), ..Frame::default() })
}

/// The arguments up to the bracket that closes them, and what follows.
fn split_arguments(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((text.get(..at)?, text.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        let cases = [
            (
                "at Acme.Cart.<Total>d__5.MoveNext() in C:\\src\\Cart.cs:line 12",
                Some(("Acme.Cart.<Total>d__5.MoveNext", Some("C:\\src\\Cart.cs"), Some(12))),
            ),
            (
                "at Acme.Shop.Checkout.Charge (System.String order) [0x00002] in /srv/shop/Checkout.cs:19 ",
                Some(("Acme.Shop.Checkout.Charge", Some("/srv/shop/Checkout.cs"), Some(19))),
            ),
            (
                "at System.Linq.Enumerable.ToList[TSource] (System.Object x) [0x00021] in <d22af090>:0 ",
                Some(("System.Linq.Enumerable.ToList[TSource]", None, None)),
            ),
            ("at Acme.Shop.Checkout.Place(String order)<---", Some(("Acme.Shop.Checkout.Place", None, None))),
            ("at Acme.Shop.Checkout.Main(String[] args)", Some(("Acme.Shop.Checkout.Main", None, None))),
            ("at lambda_method(Closure , Object )", Some(("lambda_method", None, None))),
            ("at noon (sharp)", None),
            ("at example.com", None),
        ];
        for (text, expected) in cases {
            let found = frame(text);
            let found = found.as_ref().map(|f| (f.function.as_str(), f.file.as_deref(), f.line));
            assert_eq!(found, expected, "{text}");
        }
    }
}
