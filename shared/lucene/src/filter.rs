//! Whether a record is looked for.

use crate::{NameId, Store, Value, words};

/// What must hold of a record of a store.
#[derive(Debug, Clone)]
pub enum Filter {
    /// All of them.
    All(Vec<Filter>),
    /// At least one; none: never.
    Any(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// A value of one of these fields passes.
    Field {
        /// Any of them.
        names: Vec<NameId>,
        /// The test.
        test: Test,
    },
    /// The first of these fields that has a value passes with it.
    First {
        /// The preferred first.
        names: Vec<NameId>,
        /// The test.
        test: Test,
    },
    /// The owner's mark of the record is one of these.
    Marked(Vec<u8>),
}

/// What is asked of a value.
#[derive(Debug, Clone)]
pub enum Test {
    /// All of these words are there.
    Words(Vec<String>),
    /// These words follow each other.
    Phrase(Vec<String>),
    /// A word, or the whole value, has this form.
    Form {
        /// What stands before the first wildcard, in lower case.
        begins: String,
        /// The whole form.
        pieces: Vec<Piece>,
    },
    /// It lies within.
    Range(Bound, Bound),
    /// It is this, in any case.
    Same(String),
    /// These stand in it, in this order, and cut no word in two.
    Holds(Vec<String>),
    /// It is there.
    Exists,
}

/// A bound of a range, and whether it counts; `None` is no bound.
type Bound = Option<(String, bool)>;

/// A piece of a form with wildcards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// This character, in lower case.
    One(char),
    /// Any one character.
    Any,
    /// Anything.
    Rest,
}

impl Filter {
    /// Whether it holds for a record.
    #[must_use]
    pub fn holds(&self, store: &Store, record: usize) -> bool {
        match self {
            Filter::All(filters) => filters.iter().all(|filter| filter.holds(store, record)),
            Filter::Any(filters) => filters.iter().any(|filter| filter.holds(store, record)),
            Filter::Not(filter) => !filter.holds(store, record),
            Filter::Field { names, test } => {
                store.fields(record).any(|(name, value)| names.contains(&name) && test.passes(value))
            }
            Filter::First { names, test } => {
                first(store, record, names).is_some_and(|value| test.passes(value))
            }
            Filter::Marked(marks) => marks.contains(&store.mark(record)),
        }
    }
}

/// The value of the first of these fields that has one.
fn first<'a>(store: &'a Store, record: usize, names: &[NameId]) -> Option<&'a str> {
    let mut best: Option<(usize, &str)> = None;
    for (name, value) in store.fields(record) {
        if value.is_empty() {
            continue;
        }
        let Some(place) = names.iter().position(|wanted| *wanted == name) else { continue };
        if place == 0 {
            return Some(value);
        }
        if best.is_none_or(|(before, _)| place < before) {
            best = Some((place, value));
        }
    }
    best.map(|(_, value)| value)
}

impl Store {
    /// The value of the first of these fields that has one in a record.
    #[must_use]
    pub fn first(&self, record: usize, names: &[NameId]) -> Option<&str> {
        first(self, record, names)
    }
}

impl Test {
    /// The test of a query's value.
    pub(crate) fn of(value: &Value) -> Test {
        let lower = |text: &str| words::words(text).map(str::to_lowercase).collect::<Vec<_>>();
        match value {
            Value::Words(text) => Test::Words(lower(text)),
            Value::Phrase(text) => Test::Phrase(lower(text)),
            Value::Wildcard(form) => {
                let pieces = pieces(form);
                let letter =
                    |piece: &Piece| if let Piece::One(letter) = piece { Some(*letter) } else { None };
                Test::Form { begins: pieces.iter().map_while(letter).collect(), pieces }
            }
            Value::Range { from, to } => Test::Range(from.clone(), to.clone()),
            Value::Exists => Test::Exists,
        }
    }

    /// Whether a value passes.
    #[must_use]
    pub fn passes(&self, value: &str) -> bool {
        match self {
            Test::Words(words) => {
                !words.is_empty()
                    && words.iter().all(|word| words::holds_phrase(value, std::slice::from_ref(word)))
            }
            Test::Phrase(phrase) => !phrase.is_empty() && words::holds_phrase(value, phrase),
            Test::Form { begins, pieces } => {
                words::may_hold(value, begins)
                    && (has_form(value, pieces) || words::words(value).any(|word| has_form(word, pieces)))
            }
            Test::Range(from, to) => {
                from.as_ref().is_none_or(|(bound, counts)| is_above(value, bound, *counts))
                    && to.as_ref().is_none_or(|(bound, counts)| is_above(bound, value, *counts))
            }
            Test::Same(text) => words::same(value, text),
            Test::Holds(parts) => holds_in_order(value, parts),
            Test::Exists => !value.is_empty(),
        }
    }
}

/// Whether these stand in a text in this order, each as whole words.
fn holds_in_order(text: &str, parts: &[String]) -> bool {
    let mut from = 0;
    parts.iter().all(|part| match find_whole(text, part, from) {
        Some(end) => {
            from = end;
            true
        }
        None => false,
    })
}

/// Where a part ends that stands in `text` at or after `from` and cuts no word in two.
fn find_whole(text: &str, part: &str, from: usize) -> Option<usize> {
    let joins = |one: Option<char>, other: Option<char>| {
        let is_of_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
        is_of_word(one) && is_of_word(other)
    };
    let rest = text.get(from..)?;
    rest.match_indices(part).find_map(|(at, _)| {
        let (begins, ends) = (from + at, from + at + part.len());
        let before = text.get(..begins)?.chars().next_back();
        let after = text.get(ends..)?.chars().next();
        let cuts = joins(before, part.chars().next()) || joins(part.chars().next_back(), after);
        (!cuts).then_some(ends)
    })
}

/// Whether `value` is greater than `bound`, or equal where that counts: as numbers where both are, else by characters.
/// Moments in RFC 3339 and UTC are in order by their characters.
fn is_above(value: &str, bound: &str, counts: bool) -> bool {
    let order = match (value.parse::<f64>(), bound.parse::<f64>()) {
        (Ok(value), Ok(bound)) => value.partial_cmp(&bound),
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => None,
        _ => Some(value.cmp(bound)),
    };
    order.is_some_and(|order| order.is_gt() || (counts && order.is_eq()))
}

fn pieces(form: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut characters = form.chars();
    while let Some(character) = characters.next() {
        let piece = match character {
            '*' => Piece::Rest,
            '?' => Piece::Any,
            '\\' => Piece::One(characters.next().unwrap_or('\\')),
            other => Piece::One(other),
        };
        match piece {
            Piece::One(character) => pieces.extend(character.to_lowercase().map(Piece::One)),
            other => pieces.push(other),
        }
    }
    pieces
}

/// Whether a text has a form, in any case. Takes time in proportion to both lengths multiplied, at worst.
fn has_form(text: &str, form: &[Piece]) -> bool {
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let (mut at, mut place) = (0, 0);
    // Where the last `*` stands, and up to where it has eaten.
    let mut again: Option<(usize, usize)> = None;
    while at < text.len() {
        match form.get(place) {
            Some(Piece::Rest) => {
                again = Some((place, at));
                place += 1;
                continue;
            }
            Some(Piece::Any) => {
                at += 1;
                place += 1;
                continue;
            }
            Some(Piece::One(character)) if text.get(at) == Some(character) => {
                at += 1;
                place += 1;
                continue;
            }
            _ => {}
        }
        let Some((star, eaten)) = again else { return false };
        again = Some((star, eaten + 1));
        at = eaten + 1;
        place = star + 1;
    }
    form.iter().skip(place).all(|piece| *piece == Piece::Rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, Facts, Query};

    /// Texts that pass and texts that don't.
    #[test]
    fn values_are_compared_as_search_engines_do() {
        let table: &[(&str, &[&str], &[&str])] = &[
            ("m:Pool", &["the pool", "POOL: full"], &["pools", "spool", ""]),
            (
                "m:\"pool exhausted\"",
                &["pool exhausted (size=10)", "Pool, exhausted"],
                &["exhausted pool", "pool is exhausted"],
            ),
            ("m:pool-exhausted", &["exhausted pool"], &["pool"]),
            ("m:exha*", &["pool exhausted"], &["pool"]),
            ("m:c?rt", &["a cart", "CURT"], &["crt", "coort"]),
            ("m:a*c*e", &["abcde"], &["abcd"]),
            ("m:[500 TO 599]", &["500", "503.5", "599"], &["499", "600", "5xx", ""]),
            ("m:{500 TO *}", &["501"], &["500"]),
            ("m:>=10", &["10", "1e3"], &["9", "x"]),
            ("m:<10", &["9"], &["10"]),
            (
                "m:[2026-01-14T14:00 TO 2026-01-14T15:00}",
                &["2026-01-14T14:30:00Z"],
                &["2026-01-14T15:00:00Z"],
            ),
            ("m:(a OR b) AND NOT m:c", &["a", "b x"], &["c a", "d"]),
            ("_exists_:m", &["x"], &[""]),
            ("m:*", &["x"], &[""]),
            ("m:/*", &[], &[]),
        ];
        for (text, pass, fail) in table {
            let Ok(query) = Query::parse(text) else {
                assert!(pass.is_empty(), "{text}");
                continue;
            };
            for (values, expected) in [(pass, true), (fail, false)] {
                for value in *values {
                    let mut builder = Builder::default();
                    builder.push([("n", "other"), ("m", value)].into_iter()).unwrap();
                    let store = builder.finish(|_| Facts::default());
                    let filter = query.filter(&store, &[]);
                    assert_eq!(filter.holds(&store, 0), expected, "{text} {value:?}");
                }
            }
        }
    }

    #[test]
    fn of_several_fields_the_first_with_a_value_counts() {
        let mut builder = Builder::default();
        builder.push([("b", "x"), ("a", ""), ("c", "y")].into_iter()).unwrap();
        let store = builder.finish(|_| Facts { at: None, mark: 3 });
        let names: Vec<NameId> = ["a", "b", "c"].iter().map(|name| store.name(name).unwrap()).collect();
        assert_eq!(store.first(0, &names), Some("x"));
        let same = |text: &str| Filter::First { names: names.clone(), test: Test::Same(text.to_owned()) };
        assert!(same("X").holds(&store, 0) && !same("y").holds(&store, 0));
        assert!(Filter::Marked(vec![3]).holds(&store, 0) && !Filter::Marked(vec![]).holds(&store, 0));
        let holds = |parts: &[&str]| Test::Holds(parts.iter().map(|part| (*part).to_owned()).collect());
        assert!(!holds(&["oo", "l"]).passes("pool l"));
        assert!(holds(&["a b", "c"]).passes("x a b, c") && !holds(&["a b", "b"]).passes("a b"));
    }
}
