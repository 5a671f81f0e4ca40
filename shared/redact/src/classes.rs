//! The classes of secrets: one file each, which lists its rows.
//!
//! The order of the rows is the order in which they are applied: precise forms first, what is a secret only because
//! of what stands beside it later. Patterns are in verbose mode (`(?x)`, so that a blank is written `\x20`) and
//! ASCII where they can be: a Unicode class costs states and a word boundary costs the fast engine. They hold no
//! look-around; what a pattern cannot say, a judge decides.

mod aws;
mod azure;
mod bearer;
mod card;
mod cookie;
mod email;
mod forge;
mod google;
mod iban;
mod ip;
mod jwt;
mod notations;
mod pair;
mod private_key;
mod registry;
mod signature;
mod slack;
mod stripe;
mod url;
mod vendor;

pub(crate) use pair::is_placeholder;

/// One row: what it is called, what it looks like, and who has the last word.
pub(crate) struct Class {
    /// The name in tokens and counts: lower case, digits and `-`, at most 32.
    pub(crate) name: &'static str,
    /// Whether its tokens can be given back.
    pub(crate) kind: Kind,
    /// What every match contains, so that most texts never meet the pattern.
    pub(crate) needs: Needs,
    /// What to look for. The first group that takes part is the value to mask; without groups it is all of it.
    pub(crate) pattern: &'static str,
    /// Decides about each match; without one, every match is a secret.
    pub(crate) judge: Option<Judge>,
}

/// Who has the last word about a match.
pub(crate) type Judge = fn(&Candidate<'_>) -> Verdict;

/// What a class protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Opens a door. Never remembered: a query has no use for it, and must not carry it to another system.
    Credential,
    /// Says who. Its token may come back as an argument.
    Personal,
}

/// What a text must contain before it is worth running a pattern.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Needs {
    /// One of these, in any case; written in lower case.
    OneOf(&'static [&'static str]),
    /// Thirteen digits, with single blanks or dashes between them or without.
    LongNumber,
    /// Two capitals and two digits in a row.
    CountryAndCheck,
    /// An operator who wants addresses masked.
    AddressesWanted,
}

/// A match, cut where a judge needs it: the text is `before` ‖ `lead` ‖ `value` ‖ `after`.
pub(crate) struct Candidate<'t> {
    /// Everything before the match.
    pub(crate) before: &'t str,
    /// The match up to its value: the key and what separates it.
    pub(crate) lead: &'t str,
    /// What would be masked.
    pub(crate) value: &'t str,
    /// Everything after the value.
    pub(crate) after: &'t str,
}

/// What a judge says, with a number of bytes counted from the start of the value.
pub(crate) enum Verdict {
    /// So many bytes are the secret: the value, less than it, or more.
    Secret(usize),
    /// No secret; the search goes on after so many bytes.
    Not(usize),
}

/// Every row, in order. At most 64: a set of rows is a word.
pub(crate) static CLASSES: &[&[Class]] = &[
    private_key::ROWS,
    jwt::ROWS,
    aws::ROWS,
    google::ROWS,
    azure::ROWS,
    forge::ROWS,
    slack::ROWS,
    stripe::ROWS,
    registry::ROWS,
    vendor::ROWS,
    signature::ROWS,
    bearer::ROWS,
    cookie::ROWS,
    url::ROWS,
    notations::ROWS,
    pair::ROWS,
    email::ROWS,
    iban::ROWS,
    card::ROWS,
    ip::ROWS,
];

/// The rows one after the other.
pub(crate) fn rows() -> impl Iterator<Item = &'static Class> {
    CLASSES.iter().copied().flatten()
}

/// The names of the built-in classes, in the order in which they are applied; some names have several rows.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    rows().map(|class| class.name)
}

/// A form of fixed length is one only if it is not a piece of something longer.
fn stands_alone(candidate: &Candidate<'_>) -> Verdict {
    let continues = |c: char| c.is_ascii_alphanumeric();
    if candidate.before.ends_with(continues) || candidate.after.starts_with(continues) {
        return Verdict::Not(candidate.value.len());
    }
    Verdict::Secret(candidate.value.len())
}

/// `xoxo-with-love` is no token, and neither is `sk_test_connection_failed`.
fn has_a_digit(candidate: &Candidate<'_>) -> Verdict {
    if candidate.value.contains(|c: char| c.is_ascii_digit()) {
        stands_alone(candidate)
    } else {
        Verdict::Not(candidate.value.len())
    }
}

/// Words have no digits, and no capital after a small letter.
fn looks_random(value: &str) -> bool {
    let has_digit = value.contains(|c: char| c.is_ascii_digit());
    let mut after_lower = false;
    for c in value.chars() {
        if after_lower && c.is_ascii_uppercase() {
            return true;
        }
        after_lower = c.is_ascii_lowercase();
    }
    has_digit
}
