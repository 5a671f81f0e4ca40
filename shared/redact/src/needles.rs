//! Which rows of the table a text can match at all, told in one pass over its bytes. Most label values (`GET`, `200`,
//! names of pods and metrics, ids) hold none of the words any class needs, and end here.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::classes::{Class, Kind, Needs, rows};

/// The fewest digits of a card.
const CARD_DIGITS: usize = 13;

/// A set of rows of the table, by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowSet(u64);

impl RowSet {
    pub(crate) fn and(self, other: RowSet) -> RowSet {
        RowSet(self.0 & other.0)
    }

    /// The positions, in order.
    pub(crate) fn rows(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let next = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (next < 64).then_some(next)
        })
    }

    /// The rows for which `is_one` holds.
    pub(crate) fn of(is_one: impl Fn(&Class) -> bool) -> RowSet {
        RowSet(
            rows().enumerate().filter(|(_, class)| is_one(class)).fold(0, |set, (index, _)| set | bit(index)),
        )
    }

    /// Every row; addresses only when they are wanted.
    pub(crate) fn all(addresses: bool) -> RowSet {
        RowSet::of(|class| addresses || !matches!(class.needs, Needs::AddressesWanted))
    }

    /// Those that find credentials: for fields that hold ids, whose digits mean nothing.
    pub(crate) fn credentials() -> RowSet {
        RowSet::of(|class| class.kind == Kind::Credential)
    }
}

struct Needles {
    words: AhoCorasick,
    /// By number of the word.
    rows_of: Vec<u64>,
    long_number: u64,
    country: u64,
    address: u64,
}

static NEEDLES: LazyLock<Option<Needles>> = LazyLock::new(build);

fn build() -> Option<Needles> {
    let mut words: BTreeMap<&str, u64> = BTreeMap::new();
    for (index, class) in rows().enumerate() {
        if let Needs::OneOf(needed) = class.needs {
            for word in needed {
                *words.entry(word).or_default() |= bit(index);
            }
        }
    }
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(words.keys())
        .ok()?;
    Some(Needles {
        words: automaton,
        rows_of: words.into_values().collect(),
        long_number: RowSet::of(|class| matches!(class.needs, Needs::LongNumber)).0,
        country: RowSet::of(|class| matches!(class.needs, Needs::CountryAndCheck)).0,
        address: RowSet::of(|class| matches!(class.needs, Needs::AddressesWanted)).0,
    })
}

/// The rows that `text` can match; nothing when the words could not be compiled, which a test excludes.
pub(crate) fn possible(text: &str) -> Option<RowSet> {
    let needles = NEEDLES.as_ref()?;
    let mut set = needles.address;
    for found in needles.words.find_overlapping_iter(text) {
        set |= needles.rows_of.get(found.pattern().as_usize()).copied().unwrap_or(u64::MAX);
    }
    let (long_number, country) = numbers(text);
    if long_number {
        set |= needles.long_number;
    }
    if country {
        set |= needles.country;
    }
    Some(RowSet(set))
}

fn bit(index: usize) -> u64 {
    1_u64.checked_shl(u32::try_from(index).unwrap_or(u32::MAX)).unwrap_or_default()
}

/// Whether there are thirteen digits in a row (blanks and dashes aside), and two capitals before two digits.
fn numbers(text: &str) -> (bool, bool) {
    let (mut digits, mut long_number, mut country) = (0_usize, false, false);
    let mut last_four = 0_u8; // two bits each: 1 a capital, 2 a digit, 0 anything else
    for byte in text.bytes() {
        let kind = match byte {
            b'0'..=b'9' => 2,
            b'A'..=b'Z' => 1,
            _ => 0,
        };
        last_four = last_four << 2 | kind;
        country |= last_four == 0b01_01_10_10;
        digits = match byte {
            b'0'..=b'9' => digits + 1,
            b' ' | b'-' => digits,
            _ => 0,
        };
        long_number |= digits >= CARD_DIGITS;
    }
    (long_number, country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_compile_and_are_lower_case() {
        assert!(NEEDLES.is_some());
        for class in rows() {
            let Needs::OneOf(words) = class.needs else { continue };
            assert!(
                words.iter().all(|word| *word == word.to_lowercase() && word.len() < 24),
                "{}",
                class.name
            );
        }
    }

    #[test]
    fn names_and_ids_need_no_pattern() {
        for text in [
            "GET",
            "200",
            "payment-7d9f8b6c5-x2x4z",
            "http_requests_total",
            "10.0.0.1:9090",
            "00f067aa0ba902b7",
        ] {
            assert_eq!(possible(text).unwrap().and(RowSet::all(false)), RowSet(0), "{text}");
        }
    }

    #[test]
    fn runs_of_digits_and_countries_are_seen() {
        for (text, expected) in [
            ("4111 1111 1111 1111", (true, false)),
            ("123456789012", (false, false)),
            ("1234567 x 890123", (false, false)),
            ("DE89", (false, true)),
            ("xGB29NWBK", (false, true)),
            ("D89", (false, false)),
        ] {
            assert_eq!(numbers(text), expected, "{text}");
        }
    }
}
