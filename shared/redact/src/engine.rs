//! How the table of classes is applied to a text.
//!
//! Two stages, the first much cheaper: one pass that finds which rows are possible at all (the words and runs of
//! digits that each class needs), then the patterns of those rows. Rows are applied one after the other in the order of
//! the table, each to the result of the one before, so that the more precise class names the value (a JWT after
//! `token=` is `<jwt:…>`) and a value that is only partly covered by an earlier class is still masked whole. What an
//! operator added comes first.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use regex::{Captures, Regex};

use crate::classes::{Candidate, Class, Judge, Kind, Verdict, rows};
use crate::counts::MaskCounts;
use crate::needles::{self, RowSet};
use crate::redactor::Masked;
use crate::rules::Compiled;
use crate::token::{Minter, token_around};
use crate::vault::Kept;

/// A replacement changes what stands beside another value, which may make that one a secret. The second round
/// nearly always finds nothing; bounded so that time stays linear.
const MOST_ROUNDS: usize = 6;

/// What a text becomes if the patterns cannot be compiled. A test excludes that; should it happen all the same,
/// nothing is better than everything.
const WITHHELD: &str = "<withheld:0000>";

/// The rows with their patterns, each compiled when a text first needs it: a server starts without that work, and
/// most never meet the rarer ones.
static PATTERNS: LazyLock<Vec<LazyRow>> =
    LazyLock::new(|| rows().map(|class| LazyRow { class, pattern: OnceLock::new() }).collect());

/// A row and its pattern: nothing yet, or what came of compiling it.
struct LazyRow {
    class: &'static Class,
    pattern: OnceLock<Option<Regex>>,
}

/// The rules of one installation with its key.
pub(crate) struct Engine {
    pub(crate) minter: Minter,
    pub(crate) rules: Compiled,
}

/// One row at work.
struct Row<'r> {
    name: Cow<'static, str>,
    kind: Kind,
    pattern: &'r Regex,
    judge: Option<Judge>,
}

/// A pattern that cannot be compiled.
struct Unsound;

impl Engine {
    /// Masks `text`, looking at the built-in rows of `wanted` and at everything the operator added; the personal values
    /// that were replaced are added to `kept`.
    pub(crate) fn mask<'a>(&self, text: &'a str, wanted: RowSet, kept: &mut Vec<Kept>) -> Masked<'a> {
        let mut masked = Masked { text: Cow::Borrowed(text), counts: MaskCounts::default() };
        for _ in 0..MOST_ROUNDS {
            match self.mask_once(wanted, &mut masked, kept) {
                Ok(true) => {}
                Ok(false) => break,
                Err(Unsound) => {
                    masked.text = Cow::Borrowed(WITHHELD);
                    break;
                }
            }
        }
        masked
    }

    /// One round over the table; whether anything changed.
    fn mask_once(
        &self,
        wanted: RowSet,
        masked: &mut Masked<'_>,
        kept: &mut Vec<Kept>,
    ) -> Result<bool, Unsound> {
        let mut changed = false;
        for custom in self.rules.possible(&masked.text) {
            let name = Cow::Owned(custom.name.clone());
            let row = Row { name, kind: Kind::Personal, pattern: &custom.pattern, judge: None };
            changed |= self.mask_row(&row, masked, kept);
        }
        let possible = needles::possible(&masked.text).ok_or(Unsound)?.and(wanted);
        for index in possible.rows() {
            let Some(LazyRow { class, pattern }) = PATTERNS.get(index) else { continue };
            let pattern = pattern.get_or_init(|| Regex::new(class.pattern).ok()).as_ref().ok_or(Unsound)?;
            let row = Row { name: Cow::Borrowed(class.name), kind: class.kind, pattern, judge: class.judge };
            changed |= self.mask_row(&row, masked, kept);
        }
        Ok(changed)
    }

    /// Replaces every secret of one row; whether there was one.
    fn mask_row(&self, row: &Row<'_>, masked: &mut Masked<'_>, kept: &mut Vec<Kept>) -> bool {
        let text = masked.text.as_ref();
        let mut replaced = String::new();
        let mut copied_to = 0;
        while let Some(secret) = self.next_secret(row, text, copied_to) {
            let value = text.get(secret.clone()).unwrap_or_default();
            let token = self.minter.token(&row.name, value);
            replaced.push_str(text.get(copied_to..secret.start).unwrap_or_default());
            replaced.push_str(&token);
            masked.counts.count_one(row.name.clone());
            if row.kind == Kind::Personal {
                kept.push(Kept { token, value: value.to_owned() });
            }
            copied_to = secret.end;
        }
        if copied_to == 0 {
            return false;
        }
        replaced.push_str(text.get(copied_to..).unwrap_or_default());
        masked.text = Cow::Owned(replaced);
        true
    }

    /// Where the next secret of one row is, at or after `from`.
    fn next_secret(&self, row: &Row<'_>, text: &str, from: usize) -> Option<Range<usize>> {
        let mut from = from;
        while from < text.len() {
            let found = row.pattern.captures_at(text, from)?;
            let value = value_of(&found)?;
            if let Some(token) = token_around(text, value.start).filter(|token| token.start < value.start) {
                from = token.end; // `secret:7f3a` of our own `<secret:7f3a>`
                continue;
            }
            let verdict = judge(row.judge, text, &found, &value)?;
            let (Verdict::Secret(length) | Verdict::Not(length)) = verdict;
            let end = text.ceil_char_boundary(value.start + length.max(1));
            let secret = value.start..end;
            let is_token = token_around(text, secret.start).as_ref() == Some(&secret);
            if matches!(verdict, Verdict::Secret(_))
                && !is_token
                && !self.rules.allows(text.get(secret.clone())?)
            {
                return Some(secret);
            }
            from = end;
        }
        None
    }
}

fn judge(judge: Option<Judge>, text: &str, found: &Captures<'_>, value: &Range<usize>) -> Option<Verdict> {
    let Some(judge) = judge else { return Some(Verdict::Secret(value.len())) };
    let whole = found.get(0)?.range();
    Some(judge(&Candidate {
        before: text.get(..whole.start)?,
        lead: text.get(whole.start..value.start)?,
        value: text.get(value.clone())?,
        after: text.get(value.end..)?,
    }))
}

/// The first group that took part, or the whole match of a pattern without groups.
fn value_of(found: &Captures<'_>) -> Option<Range<usize>> {
    let group = found.iter().skip(1).flatten().next();
    group.or_else(|| found.get(0)).map(|value| value.range())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::classes::CLASSES;

    #[test]
    fn every_row_of_the_table_is_sound() {
        assert!(rows().count() <= 64 && CLASSES.iter().all(|rows| !rows.is_empty()));
        for class in rows() {
            let pattern = Regex::new(class.pattern).unwrap_or_else(|error| panic!("{}: {error}", class.name));
            assert!(!pattern.is_match(""), "{} matches nothing at all", class.name);
            let token = format!("<{}:0000>", class.name);
            assert_eq!(token_around(&token, 0), Some(0..token.len()), "{} is no name for tokens", class.name);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Texts are generated from the patterns themselves.
        #[test]
        fn the_look_at_needles_never_hides_a_match(
            (index, text) in (0..rows().count()).prop_flat_map(|index| {
                let pattern = rows().nth(index).unwrap().pattern.replace(r"| \z", "").replace(r"(?-u:\b)", "");
                (Just(index), prop::string::string_regex(&pattern).unwrap())
            }),
        ) {
            let class = rows().nth(index).unwrap();
            let possible = needles::possible(&text).unwrap();
            prop_assert!(
                possible.rows().any(|row| row == index) || !Regex::new(class.pattern).unwrap().is_match(&text),
                "{}: {text:?}", class.name
            );
        }
    }
}
