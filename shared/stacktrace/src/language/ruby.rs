//! Ruby: what the interpreter prints of an uncaught exception, and backtraces as loggers join them.

use crate::extract::{Place, Source};
use crate::lines::{Line, REACH, begins_record, location, number};
use crate::model::{Exception, Frame, Language, Relation};
use crate::names::{find_type, split_header};
use crate::parts::{Found, Parts};

pub(crate) fn read(place: &Place<'_, '_>, line: Line<'_>) -> Option<Found> {
    let call = call(line.body())?;
    let mut parts = Parts::default();
    let mut start = line.start + line.indent();
    let mut at = place.at;
    if call.report.is_none() {
        let header = header(place);
        start = header.as_ref().map_or(start, |(start, _)| *start);
        let exception =
            header.map_or_else(|| Exception::new(None, "", Relation::Reported), |(_, exception)| exception);
        parts.open(exception, false);
    }
    while let Some(line) = place.lines.get(at) {
        if let Some(call) = self::call(line.body()) {
            if let Some(report) = call.report {
                let relation = if parts.chain.is_empty() { Relation::Reported } else { Relation::Cause };
                parts.open(reported(report, relation), false);
            }
            parts.push(call.frame);
            at += 1;
            if call.report.is_some() {
                at = message(place, at, &mut parts);
            }
        } else if let Some(levels) = elided(line.body()) {
            parts.elide(levels);
            at += 1;
        } else {
            break;
        }
    }
    parts.found(Language::Ruby, start, at)
}

struct Call<'t> {
    frame: Frame,
    /// `message (Type)` behind the frame: here an exception begins.
    report: Option<&'t str>,
}

/// ``from /srv/cart.rb:12:in `total'``, ``cart.rb:12:in `total': message (Type)``, since 3.4 `cart.rb:12:in 'Cart#total'`.
fn call(body: &str) -> Option<Call<'_>> {
    let body = body.strip_prefix("from ").unwrap_or(body);
    let quote = body.find(":in `").or_else(|| body.find(":in '"))?;
    let (file, line) = location(body.get(..quote)?)?;
    let rest = body.get(quote + ":in `".len()..)?;
    let (function, report) = match rest.find("': ") {
        Some(end) => (rest.get(..end)?, rest.get(end + "': ".len()..)),
        None => (rest.trim_end().strip_suffix('\'')?, None),
    };
    let (function, file) = (function.to_owned(), Some(file.to_owned()));
    (!function.contains('\''))
        .then(|| Call { frame: Frame { function, file, line: Some(line), ..Frame::default() }, report })
}

fn reported(report: &str, relation: Relation) -> Exception {
    let typed = report.trim_end().strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    match typed.filter(|(_, name)| !name.contains(' ')) {
        Some((message, name)) => Exception::new(Some(name), message, relation),
        None => Exception::new(None, report, relation),
    }
}

/// The further lines of a message. They end where the stack begins; without a stack, nothing marks their end.
fn message(place: &Place<'_, '_>, from: usize, parts: &mut Parts) -> usize {
    let is_stack = |line: Line<'_>| line.body().starts_with("from ") && call(line.body()).is_some();
    let other = |line: Line<'_>| begins_record(line.text) || call(line.body()).is_some();
    let ends = |line: Line<'_>| line.is_blank() || other(line);
    let until = match (place.lines.find(from, REACH, is_stack, other), place.source) {
        (Some(until), _) => until,
        (None, Source::Stream) => return from,
        (None, Source::Record) => {
            let rest = |line: Line<'_>| !ends(line);
            (from..from + REACH).find(|at| !place.lines.get(*at).is_some_and(rest)).unwrap_or(from)
        }
    };
    for at in from..until {
        if let Some(line) = place.lines.get(at) {
            parts.add_line(line.text);
        }
    }
    until
}

/// `Type: message` or Rails' `Type (message):` above a bare backtrace.
fn header(place: &Place<'_, '_>) -> Option<(usize, Exception)> {
    let first = place.at.saturating_sub(3).max(place.floor);
    let line = (first..place.at).rev().find_map(|at| place.lines.get(at).filter(|line| !line.is_blank()))?;
    if let Some(offset) = find_type(line.text) {
        let (type_name, message) = split_header(line.text.get(offset..)?);
        return Some((line.start + offset, Exception::new(type_name, message, Relation::Reported)));
    }
    let (head, message) = line.text.trim_end().trim_end_matches(':').strip_suffix(')')?.split_once(" (")?;
    let name = head.rsplit(' ').next().filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))?;
    Some((line.start + head.len() - name.len(), Exception::new(Some(name), message, Relation::Reported)))
}

/// ` ... 10067 levels...`.
fn elided(body: &str) -> Option<usize> {
    let (levels, rest) = number(body.strip_prefix("... ")?)?;
    rest.starts_with(" levels...").then_some(levels)
}
