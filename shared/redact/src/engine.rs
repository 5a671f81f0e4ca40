//! How the table of classes is applied to a text.
//!
//! Three stages, each cheaper than the next: a look at the bytes that are present, one pass of all patterns
//! together, then the patterns that matched. Classes are applied one after the other in the order of the table,
//! each to the result of the one before, so that the more precise class names the value (a JWT after `token=` is
//! `<jwt:…>`) and a value that is only partly covered by an earlier class is still masked whole.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex, RegexSet};

use crate::classes::{CLASSES, Candidate, Class, Verdict};
use crate::counts::MaskCounts;
use crate::redactor::Masked;
use crate::token::{Minter, token_around};

/// A replacement changes what stands beside another value, which may make that one a secret. The second round
/// nearly always finds nothing; bounded so that time stays linear.
const MOST_ROUNDS: usize = 6;

/// What a text becomes if the patterns cannot be compiled. A test excludes that; should it happen all the same,
/// nothing is better than everything.
const WITHHELD: &str = "<withheld:0000>";

struct Patterns {
    all: RegexSet,
    each: Vec<(&'static Class, Regex)>,
}

static PATTERNS: LazyLock<Result<Patterns, regex::Error>> = LazyLock::new(compile);

fn compile() -> Result<Patterns, regex::Error> {
    let all = RegexSet::new(CLASSES.iter().map(|class| class.pattern))?;
    let mut each = Vec::with_capacity(CLASSES.len());
    for class in CLASSES {
        each.push((class, Regex::new(class.pattern)?));
    }
    Ok(Patterns { all, each })
}

pub(crate) fn mask<'a>(minter: &Minter, text: &'a str) -> Masked<'a> {
    let mut masked = Masked { text: Cow::Borrowed(text), counts: MaskCounts::default() };
    if !may_hold_a_secret(text) {
        return masked;
    }
    let Ok(patterns) = &*PATTERNS else {
        masked.text = Cow::Borrowed(WITHHELD);
        return masked;
    };
    for _ in 0..MOST_ROUNDS {
        if !mask_once(patterns, minter, &mut masked) {
            break;
        }
    }
    masked
}

/// One round over the table; whether anything changed.
fn mask_once(patterns: &Patterns, minter: &Minter, masked: &mut Masked<'_>) -> bool {
    let matching = patterns.all.matches(&masked.text);
    let mut changed = false;
    for (index, (class, pattern)) in patterns.each.iter().enumerate() {
        if !matching.matched(index) {
            continue;
        }
        if let Some(text) = mask_class(class, pattern, minter, &masked.text, &mut masked.counts) {
            masked.text = Cow::Owned(text);
            changed = true;
        }
    }
    changed
}

/// The text with every secret of one class replaced; `None` when there is none.
fn mask_class(
    class: &Class,
    pattern: &Regex,
    minter: &Minter,
    text: &str,
    counts: &mut MaskCounts,
) -> Option<String> {
    let mut masked = String::new();
    let mut copied_to = 0;
    while let Some(secret) = next_secret(class, pattern, text, copied_to) {
        masked.push_str(text.get(copied_to..secret.start)?);
        masked.push_str(&minter.token(class.name, text.get(secret.clone())?));
        counts.count_one(class.name);
        copied_to = secret.end;
    }
    if copied_to == 0 {
        return None;
    }
    masked.push_str(text.get(copied_to..)?);
    Some(masked)
}

/// Where the next secret of one class is, at or after `from`.
fn next_secret(class: &Class, pattern: &Regex, text: &str, from: usize) -> Option<Range<usize>> {
    let mut from = from;
    while from < text.len() {
        let found = pattern.captures_at(text, from)?;
        let value = value_of(&found)?;
        if let Some(token) = token_around(text, value.start).filter(|token| token.start < value.start) {
            from = token.end; // `secret:7f3a` of our own `<secret:7f3a>`
            continue;
        }
        let verdict = judge(class, text, &found, &value)?;
        let (Verdict::Secret(length) | Verdict::Not(length)) = verdict;
        let end = text.ceil_char_boundary(value.start + length.max(1));
        let secret = value.start..end;
        let is_token = token_around(text, secret.start).as_ref() == Some(&secret);
        if matches!(verdict, Verdict::Secret(_)) && !is_token {
            return Some(secret);
        }
        from = end;
    }
    None
}

fn judge(class: &Class, text: &str, found: &Captures<'_>, value: &Range<usize>) -> Option<Verdict> {
    let Some(judge) = class.judge else { return Some(Verdict::Secret(value.len())) };
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

/// Whether it is worth running the patterns: what every class needs, told from the bytes that are present. Most
/// label values (`GET`, `200`, pod and metric names, ids) end here. A new class must fit one of the conditions
/// or add its own.
fn may_hold_a_secret(text: &str) -> bool {
    let (mut digits_in_a_row, mut most_digits) = (0_usize, 0_usize);
    let (mut has_blank, mut has_upper, mut has_underscore) = (false, false, false);
    for byte in text.bytes() {
        match byte {
            b'@' | b'%' | b':' | b'=' => return true, // pairs, headers, URLs, addresses
            b'0'..=b'9' => {
                digits_in_a_row += 1;
                most_digits = most_digits.max(digits_in_a_row);
                continue;
            }
            b' ' | b'\t' => has_blank = true,
            b'A'..=b'Z' => has_upper = true,
            b'_' => has_underscore = true,
            _ => {}
        }
        if !matches!(byte, b' ' | b'-') {
            digits_in_a_row = 0;
        }
    }
    let length = text.len();
    most_digits >= 13                       // cards
        || (has_blank && length >= 15)      // bearer tokens, private keys
        || (has_upper && length >= 20)      // JWTs, AWS, Google
        || (has_underscore && length >= 32) // GitHub
        || (length >= 15 && text.contains("xox")) // Slack
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_row_of_the_table_is_sound() {
        let patterns = PATTERNS.as_ref().unwrap();
        assert_eq!(patterns.each.len(), CLASSES.len());
        for (class, pattern) in &patterns.each {
            assert!(!pattern.is_match(""), "{} matches nothing at all", class.name);
            let token = format!("<{}:0000>", class.name);
            assert_eq!(token_around(&token, 0), Some(0..token.len()), "{} is no name for tokens", class.name);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Texts are generated from the patterns themselves.
        #[test]
        fn the_look_at_bytes_never_hides_a_match(
            text in prop_oneof![
                prop::sample::select(CLASSES.iter().map(|class| class.pattern).collect::<Vec<_>>())
                    .prop_flat_map(|pattern| prop::string::string_regex(&pattern.replace(r"| \z", "")).unwrap()),
                "[a-zA-Z0-9 _-]{0,50}",
            ],
        ) {
            let patterns = PATTERNS.as_ref().unwrap();
            prop_assert!(may_hold_a_secret(&text) || !patterns.all.is_match(&text), "{text:?}");
        }
    }
}
