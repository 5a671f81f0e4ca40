//! Every trace in a text.

use std::ops::Range;

use crate::application::Application;
use crate::fingerprint::fingerprint;
use crate::language::READERS;
use crate::lines::Lines;
use crate::model::{Exception, Trace};
use crate::parts::Found;

/// What a text is, which decides how far a message may go on when nothing but its end marks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// One record: what follows a trace without looking like a record of its own belongs to its message.
    Record,
    /// Many records: what is not certainly part of a trace is not.
    Stream,
}

/// The traces in a text, in its order: one record, or records that [`rejoin`](crate::rejoin) put together.
///
/// Lines before, between and after the traces are passed over. A text that was cut at its beginning gives a trace whose
/// exception has no type.
pub fn extract(text: &str, application: &Application) -> Vec<Trace> {
    let lines = Lines::new(text);
    read(&lines, Source::Record).into_iter().map(|found| judged(found, &lines, application)).collect()
}

/// Where the traces of a stream of records stand, in bytes.
pub(crate) fn spans(text: &str) -> Vec<Range<usize>> {
    let lines = Lines::new(text);
    read(&lines, Source::Stream).iter().map(|found| found.span(&lines)).collect()
}

/// What every reader can be asked at a line.
pub(crate) struct Place<'a, 't> {
    pub lines: &'a Lines<'t>,
    /// The line in question.
    pub at: usize,
    /// The first line that no earlier trace has taken.
    pub floor: usize,
    pub source: Source,
}

pub(crate) fn read(lines: &Lines<'_>, source: Source) -> Vec<Found> {
    let mut all = Vec::new();
    let (mut at, mut floor) = (0, 0);
    while let Some(line) = lines.get(at) {
        let place = Place { lines, at, floor, source };
        let found = READERS.iter().find_map(|reader| reader(&place, line));
        at = found.as_ref().map_or(at + 1, |found| found.next_line.max(at + 1));
        if let Some(found) = found {
            floor = at;
            all.push(found);
        }
    }
    all
}

impl Found {
    fn span(&self, lines: &Lines<'_>) -> Range<usize> {
        let end = lines.end_of(self.next_line.saturating_sub(1));
        self.start..end.max(self.start)
    }
}

/// Says of each frame whose it is, and identifies the whole.
fn judged(found: Found, lines: &Lines<'_>, application: &Application) -> Trace {
    let span = found.span(lines);
    let mut chain = found.chain;
    let root_cause = chain.pop().unwrap_or_else(|| Exception::new(None, "", crate::Relation::Reported));
    let mut trace = Trace {
        language: Some(found.language),
        wrappers: chain,
        root_cause,
        others: found.others,
        exceptions_elided: found.exceptions_elided,
        circular: found.circular,
        top_frame: None,
        fingerprint: String::new(),
        span,
    };
    judge(&mut trace, application);
    trace
}

/// Fills in what follows from the rest: whose frames are, the top one, the fingerprint.
pub(crate) fn judge(trace: &mut Trace, application: &Application) {
    let language = trace.language;
    let exceptions = trace.wrappers.iter_mut().chain([&mut trace.root_cause]).chain(&mut trace.others);
    for frame in exceptions.flat_map(|exception| &mut exception.frames) {
        frame.in_application = application.owns(language, frame);
    }
    let top = trace.chain().rev().flat_map(|exception| &exception.frames).find(|frame| frame.in_application);
    trace.top_frame = top.cloned();
    trace.fingerprint = fingerprint(trace);
}

#[cfg(test)]
mod tests;
