//! Stage 1: the template of one line.

use std::fmt;

use crate::Kind;
use crate::filter::{Filter, FilterError, Varies};
use crate::scan::Scan;

/// What stands for a value in the text of a template.
pub const WILDCARD: &str = "<*>";

/// The identity of a template or pattern: 64 bits of FNV-1a over its text. The same text has the same identity
/// everywhere and always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u64);

impl Id {
    /// The identity of this text (Fowler, Noll, Vo; draft-eastlake-fnv).
    pub(crate) fn of(text: &str) -> Id {
        Id(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    /// The identity as a number.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

/// What is constant in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    kinds: Vec<Kind>,
    id: Id,
}

impl Template {
    /// The template of one record: a function of its first line that is not blank, so that a stack trace below a message
    /// does not split it. White space counts as one space. What follows in a very long line is `…`.
    pub fn of(record: &str) -> Template {
        let (text, kinds) = Scan::of(first_line(record));
        Template { id: Id::of(&text), text, kinds }
    }

    /// The line with [`WILDCARD`] in place of values.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The identity.
    pub fn id(&self) -> Id {
        self.id
    }

    /// The kind of each wildcard, in order.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The text with the kinds of values, for readers: `failed after <duration>`.
    pub fn labelled(&self) -> String {
        labelled(&self.text, &self.kinds)
    }

    /// Takes over what another line of the same template has in its places: kinds that differ become general.
    pub(crate) fn join_kinds(&mut self, other: &Template) {
        for (kind, other) in self.kinds.iter_mut().zip(&other.kinds) {
            *kind = kind.join(*other);
        }
    }

    /// What finds the lines of this template again.
    ///
    /// # Errors
    /// When the regular expression would be too large.
    pub fn filter(&self) -> Result<Filter, FilterError> {
        Filter::compile(self.text.split(' ').map(|token| (token, Varies::No)))
    }
}

/// The first line with anything in it.
fn first_line(record: &str) -> &str {
    let record = record.trim_start_matches(is_space);
    record.split('\n').next().unwrap_or_default().trim_end_matches(is_space)
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t'..='\r')
}

/// `text` with each wildcard replaced by the label of its kind.
pub(crate) fn labelled(text: &str, kinds: &[Kind]) -> String {
    let mut parts = text.split(WILDCARD);
    let mut out = parts.next().unwrap_or_default().to_owned();
    let labels = kinds.iter().map(|kind| kind.label()).chain(std::iter::repeat(WILDCARD));
    for (part, label) in parts.zip(labels) {
        out.push_str(label);
        out.push_str(part);
    }
    out
}
