//! JavaScript and TypeScript on V8: `error.stack`, what Node prints of an uncaught error, `util.inspect`.

use super::header_before;
use crate::extract::Place;
use crate::lines::{Line, location, number};
use crate::model::{Exception, Frame, Language, Relation};
use crate::names::{find_type, split_header};
use crate::parts::{Found, Parts};

pub(crate) fn read(place: &Place<'_, '_>, line: Line<'_>) -> Option<Found> {
    frame(line.body())?;
    let mut reading = Reading::default();
    let (mut at, mut start) = (place.at, line.start + line.indent());
    match header_before(place, continues) {
        Some((number, offset)) => {
            let header = place.lines.get(number)?;
            reading.open(header.text.get(offset..)?, Relation::Reported);
            (at, start) = (number + 1, header.start + offset);
        }
        None => reading.open("", Relation::Reported),
    }
    while let Some(line) = place.lines.get(at) {
        if !reading.takes(line, at < place.at) {
            break;
        }
        at += 1;
        if reading.closed {
            break;
        }
    }
    reading.parts.found(Language::JavaScript, start, at)
}

/// Whether the header in this line belongs to an error further up.
fn continues(place: &Place<'_, '_>, at: usize, text: &str) -> bool {
    let body = text.trim_start();
    let is_entry = || {
        let before = at.checked_sub(1).filter(|before| *before >= place.floor);
        before.and_then(|before| place.lines.get(before)).is_some_and(|line| line.body() == "[errors]: [")
    };
    body == "[errors]: [" || cause(body).is_some() || body.len() < text.len() && is_entry()
}

fn cause(body: &str) -> Option<&str> {
    ["[cause]: ", "caused by: ", "Caused by: "].iter().find_map(|label| body.strip_prefix(label))
}

#[derive(Default)]
struct Reading {
    parts: Parts,
    /// Braces that `util.inspect` opened and not yet closed.
    braces: usize,
    /// How far entries of the innermost `[errors]` are indented, and how many there were.
    entries: Option<(usize, usize)>,
    /// Whether errors belong to a later entry, beside the chain.
    beside: bool,
    in_frames: bool,
    closed: bool,
}

impl Reading {
    fn open(&mut self, header: &str, relation: Relation) {
        let opens = header.ends_with(" {");
        let header = if opens { header.trim_end_matches(" {").trim_end_matches(']') } else { header };
        let (type_name, message) = split_header(header);
        self.braces += usize::from(opens);
        self.parts.open(Exception::new(type_name, message, relation), self.beside);
        self.in_frames = false;
    }

    /// Whether the line belongs to the trace; it is read if so.
    fn takes(&mut self, line: Line<'_>, before_frames: bool) -> bool {
        let body = line.body();
        if let Some(frame) = frame(body) {
            self.parts.push(frame);
            self.braces += usize::from(body.ends_with('{'));
            self.in_frames = true;
        } else if let Some(lines) = elided(body) {
            self.parts.elide(lines);
        } else if let Some(header) = cause(body).filter(|_| self.braces > 0 || !line.is_indented()) {
            self.open(header, Relation::Cause);
        } else if body == "[errors]: [" && self.braces > 0 {
            self.entries = Some((line.indent() + 2, 0));
        } else if let Some((_, before)) = self.entry(line) {
            self.beside |= before > 0;
            self.open(body, Relation::Member);
        } else if self.braces > 0 && (line.is_indented() || body.starts_with(['}', ']'])) {
            self.property(line);
        } else if before_frames {
            self.parts.add_line(line.text);
        } else {
            return false;
        }
        true
    }

    /// Whether this line begins an entry of `[errors]`, and how many there were before it.
    fn entry(&mut self, line: Line<'_>) -> Option<(usize, usize)> {
        let (indent, before) = self.entries?;
        if line.indent() != indent || find_type(line.text).is_none() {
            return None;
        }
        self.entries = Some((indent, before + 1));
        Some((indent, before))
    }

    /// A further line within braces: a line of a message, a property, a closing brace.
    fn property(&mut self, line: Line<'_>) {
        let body = line.body();
        if body.starts_with('}') {
            self.braces -= 1;
            self.closed = self.braces == 0;
        } else if body.ends_with('{') {
            self.braces += 1;
        } else if !self.in_frames && !body.starts_with([']', '[']) {
            self.parts.add_line(body);
        }
    }
}

/// `... 5 lines matching cause stack trace ...`.
fn elided(body: &str) -> Option<usize> {
    let (lines, rest) = number(body.strip_prefix("... ")?)?;
    rest.starts_with(" lines matching").then_some(lines)
}

/// `at async Cart.total [as sum] (/srv/cart.js:3:9)`, `at /srv/cart.js:3:9`.
fn frame(body: &str) -> Option<Frame> {
    let rest = body.strip_prefix("at ")?;
    let rest = rest.strip_suffix(" {").unwrap_or(rest).trim_end();
    let (function, source) = match rest.strip_suffix(')').and_then(|rest| rest.split_once(" (")) {
        Some((function, source)) => (function, source),
        None => ("", rest.strip_prefix("async ").unwrap_or(rest)),
    };
    let (file, line) = source_of(source, function.is_empty())?;
    Some(Frame { function: function.to_owned(), module: None, file, line, in_application: false })
}

fn source_of(source: &str, alone: bool) -> Option<(Option<String>, Option<u32>)> {
    let unknown = source == "<anonymous>" || source == "native" || source.starts_with("index ");
    if unknown {
        return (!alone || source == "<anonymous>").then_some((None, None));
    }
    // `eval at place (/srv/cart.js:3:9), <anonymous>:1:1`
    if source.starts_with("eval at ") {
        return Some((None, None));
    }
    let (head, _column) = source.rsplit_once(':')?;
    let (path, line) = location(source).filter(|(path, _)| path.len() < head.len())?;
    let is_path = path.contains(['/', '\\'])
        || path.starts_with("node:")
        || path == "<anonymous>"
        || path.contains(".js");
    (is_path || !alone && !path.contains(' ')).then(|| (Some(path.to_owned()), Some(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        let cases = [
            (
                "at charge (/srv/shop/checkout.js:17:11)",
                Some(("charge", Some("/srv/shop/checkout.js"), Some(17))),
            ),
            (
                "at async run (file:///srv/x.mjs:5:3) {",
                Some(("async run", Some("file:///srv/x.mjs"), Some(5))),
            ),
            ("at /srv/shop/checkout.js:44:36", Some(("", Some("/srv/shop/checkout.js"), Some(44)))),
            (
                "at node:internal/main/run_main_module:28:49 {",
                Some(("", Some("node:internal/main/run_main_module"), Some(28))),
            ),
            (
                "at Function.executeUserEntryPoint [as runMain] (node:internal/modules/run_main:164:12)",
                Some((
                    "Function.executeUserEntryPoint [as runMain]",
                    Some("node:internal/modules/run_main"),
                    Some(164),
                )),
            ),
            ("at JSON.parse (<anonymous>)", Some(("JSON.parse", None, None))),
            ("at async Promise.any (index 0)", Some(("async Promise.any", None, None))),
            (
                "at new Cart (webpack:///./src/cart.ts?:12:7)",
                Some(("new Cart", Some("webpack:///./src/cart.ts?"), Some(12))),
            ),
            ("at eval (eval at run (/srv/a.js:1:2), <anonymous>:1:7)", Some(("eval", None, None))),
            ("at 12:30:45", None),
            ("at Acme.Shop.Charge (System.String order) [0x00002] in /srv/Checkout.cs:19", None),
            ("at com.acme.Main.main(Main.java:3)", None),
        ];
        for (text, expected) in cases {
            let found = frame(text);
            let found = found.as_ref().map(|f| (f.function.as_str(), f.file.as_deref(), f.line));
            assert_eq!(found, expected, "{text}");
        }
    }
}
