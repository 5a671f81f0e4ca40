//! What is searched for, in words that every backend compiles to its own language, and what comes back.

use std::time::Duration;

use contract::{TimeRange, Untrusted};
use jiff::Timestamp;

use super::{Level, Record, Role};

/// Records within a window for which all conditions hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search {
    /// By the time of the record; half-open.
    pub(crate) window: TimeRange,
    /// What a caller wrote: Lucene-style text, or KQL on Azure Data Explorer. Never able to undo the rest.
    pub(crate) text: Option<String>,
    /// All of them.
    pub(crate) conditions: Vec<Condition>,
}

/// What must hold of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// A field of this role has exactly this value, ignoring case.
    Is(Role, String),
    /// At least as bad. Records of which no field tells a level count by the words of their message; how exactly these are
    /// read, `Logs::guesses_levels` tells.
    AtLeast(Level),
    /// No field tells its level.
    Untold,
    /// The field of this name has exactly this value.
    Field(String, String),
    /// The message has the shape of this pattern.
    Like(Like),
    /// At least one holds; none: never.
    Any(Vec<Condition>),
    /// Each of them holds; none: always.
    All(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
}

/// Literal parts of a message with anything between them: what a pattern's template compiles to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Like {
    /// In order. Each is a run of whole words with what stands between them.
    pub(crate) fragments: Vec<String>,
}

/// By what records are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// Values of the fields of this role; of [`Role::Level`] as the backend spells them.
    Role(Role),
    /// Values of the field of this name.
    Field(String),
}

/// How many records there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    /// Exactly.
    Exactly(u64),
    /// So many were counted, and counting stopped there.
    AtLeast(u64),
}

impl Total {
    /// The number, exact or not.
    pub(crate) fn number(self) -> u64 {
        match self {
            Total::Exactly(number) | Total::AtLeast(number) => number,
        }
    }

    /// As answers write it: `34054`, or `at least 10000` where counting stopped or a part did not answer.
    pub(crate) fn told(self) -> String {
        match self {
            Total::Exactly(number) => number.to_string(),
            Total::AtLeast(number) => format!("at least {number}"),
        }
    }

    /// `1 record`, `at least 10000 records`.
    pub(crate) fn records(self) -> String {
        match self {
            Total::Exactly(1) => "1 record".to_owned(),
            _ => format!("{} records", self.told()),
        }
    }
}

/// What came back, with the exact query that was sent and what is missing in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply<T> {
    /// The answer.
    pub(crate) value: T,
    /// The query as sent, for evidence.
    pub(crate) sent: String,
    /// Why it is not the whole truth: failed shards, a timeout half way. Texts of a backend in it are fenced.
    pub(crate) partial: Vec<String>,
}

impl<T> Reply<T> {
    /// Adds what was missing in another reply, each thing once.
    pub(crate) fn also(&mut self, partial: Vec<String>) {
        for why in partial {
            if !self.partial.contains(&why) {
                self.partial.push(why);
            }
        }
    }
}

/// Counts in equal steps from the window's start. Zero where nothing was.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Histogram {
    /// Length of a step.
    pub(crate) step: Duration,
    /// All records, by step.
    pub(crate) total: Vec<u64>,
    /// By value of the key, most frequent first, as many as were asked for.
    pub(crate) by: Vec<(Untrusted, Vec<u64>)>,
}

/// Values of a key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Top {
    /// Most frequent first.
    pub(crate) values: Vec<Group>,
    /// How many different values there are.
    pub(crate) distinct: Option<u64>,
    /// Whether the backend estimates it: they are too many to be counted.
    pub(crate) estimated: bool,
    /// Records with a value that is not among them.
    pub(crate) others: u64,
    /// Records without a value.
    pub(crate) missing: u64,
}

impl Top {
    /// How many values there are, as far as is known; whether there are more.
    pub(crate) fn seen(&self) -> (u64, bool) {
        let listed = self.values.len() as u64;
        (self.distinct.unwrap_or(listed), self.distinct.is_none() && self.others > 0)
    }
}

/// Records that share a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    /// The value.
    pub(crate) value: Untrusted,
    /// How many.
    pub(crate) count: u64,
}

/// Which records of a search to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// The most.
    pub(crate) limit: usize,
    /// Oldest first instead of newest first.
    pub(crate) oldest_first: bool,
    /// Where the page before ended, as [`Sample::next`] told it.
    pub(crate) after: Option<String>,
}

/// Records read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    /// In order of time.
    pub(crate) records: Vec<Record>,
    /// How many there are to read from.
    pub(crate) total: Total,
    /// How they were chosen, for the answer: `the newest 20`, `every record`, `25 of each of 40 time slices`.
    pub(crate) method: String,
    /// Where the next page begins, if there is one. A backend's own text; opaque.
    pub(crate) next: Option<String>,
}

impl Sample {
    /// Whether every record was read.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.total, Total::Exactly(total) if total <= self.records.len() as u64)
    }

    /// Which part of all records was read; 1 when every one was.
    pub(crate) fn share(&self) -> f64 {
        let (read, all) = (self.records.len() as f64, self.total.number() as f64);
        if self.is_whole() { 1.0 } else { (read / all.max(1.0)).min(0.999) }
    }

    /// The same sample, each record standing for as many as any other.
    pub(crate) fn evenly(mut self) -> Sample {
        let weight = 1.0 / self.share();
        self.records.iter_mut().for_each(|record| record.weight = weight);
        self
    }
}

/// How often a pattern occurs, where and when.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tally {
    /// Whether all records were looked at; else there may be more, and earlier and later ones.
    pub(crate) whole: bool,
    /// How many records.
    pub(crate) count: u64,
    /// The first one.
    pub(crate) first: Option<Timestamp>,
    /// The last one.
    pub(crate) last: Option<Timestamp>,
    /// By service, level, place and version; each key once where a field plays its role.
    pub(crate) by: Vec<(Role, Top)>,
}

/// How late records arrive.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Freshness {
    /// Time of the newest record.
    pub(crate) newest: Option<Timestamp>,
    /// Median and 95th percentile of stored − happened, in seconds, of the records that were stored last before the window's
    /// end; where both are told. Among the newest records late ones are never found.
    pub(crate) lag_seconds: Option<(f64, f64)>,
    /// The 95th percentile of the newest records: what the most punctual of them lack, and so all others.
    pub(crate) newest_lag_seconds: Option<f64>,
}

/// An index, data stream, alias, table or file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogSource {
    /// Its name.
    pub(crate) name: Untrusted,
    /// `index`, `data stream`, `alias`, `table`, `file`.
    pub(crate) kind: &'static str,
    /// Records, where that is told.
    pub(crate) records: Option<u64>,
    /// Size, where that is told.
    pub(crate) bytes: Option<u64>,
    /// First and last record.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    /// Health in the backend's words: `green`, `red`, `closed`.
    pub(crate) health: Option<Untrusted>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_values_that_nobody_counts_there_are_more_than_are_listed() {
        let intake = contract::Context::for_test(Timestamp::UNIX_EPOCH).intake;
        let listed = Group { value: intake.text("a"), count: 7 };
        for (distinct, others, seen) in
            [(None, 3, (1, true)), (None, 0, (1, false)), (Some(40), 3, (40, false))]
        {
            let top = Top { values: vec![listed.clone()], distinct, estimated: false, others, missing: 0 };
            assert_eq!(top.seen(), seen, "{distinct:?} {others}");
        }
    }
}
