//! Traces whose lines became records of their own.
//!
//! A container's runtime makes a record of every line. The records of one stream, in order, are read as one text, and
//! those that a trace covers are put together; everything else stays as it was.

use std::collections::BTreeMap;

use crate::extract::spans;

/// One record as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// What only records of the same output share: pod, container and `stdout` or `stderr`, for example.
    pub stream: &'a str,
    /// The order within the stream: a time, an offset, a sequence number. Equal ones keep the order they came in.
    pub order: i64,
    /// The text, masked.
    pub text: &'a str,
}

/// A record, or several that hold one trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Which of the given records, in the order of their stream.
    pub records: Vec<usize>,
    /// Their texts, separated by line feeds.
    pub text: String,
}

/// Puts the records of each stream that hold the same trace together. Each record is in exactly one of the results, which
/// are ordered by the first record in each, as given.
///
/// A line belongs to a trace only if its form says so: the record after a trace stays alone. Notes below a Python
/// exception and further lines of a message that nothing closes look like any other line and stay alone, too.
pub fn rejoin(records: &[Record<'_>]) -> Vec<Joined> {
    let mut streams: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        streams.entry(record.stream).or_default().push(at);
    }
    let mut all: Vec<Joined> =
        streams.into_values().flat_map(|numbers| join_stream(records, numbers)).collect();
    all.sort_by_key(|joined| joined.records.iter().min().copied());
    all
}

fn join_stream(records: &[Record<'_>], mut numbers: Vec<usize>) -> Vec<Joined> {
    let text_of = |number: usize| records.get(number).map_or("", |record| record.text);
    numbers.sort_by_key(|number| records.get(*number).map(|record| record.order));
    let mut text = String::new();
    for number in &numbers {
        text.push_str(text_of(*number));
        text.push('\n');
    }
    let mut spans = spans(&text).into_iter().peekable();
    let mut joined: Vec<Joined> = Vec::new();
    // The trace that the last record was part of goes on to here.
    let mut until = 0;
    let mut start = 0;
    for number in numbers {
        let end = start + text_of(number).len();
        let goes_on = start < until;
        while let Some(span) = spans.next_if(|span| span.start <= end) {
            until = until.max(span.end);
        }
        match joined.last_mut().filter(|_| goes_on) {
            Some(last) => {
                last.records.push(number);
                last.text.push('\n');
                last.text.push_str(text_of(number));
            }
            None => joined.push(Joined { records: vec![number], text: text_of(number).to_owned() }),
        }
        start = end + 1;
    }
    joined
}
