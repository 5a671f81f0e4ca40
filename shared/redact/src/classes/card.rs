//! Payment cards: a known issuer, the length it uses, a correct check digit, and nothing beside it that would make
//! it a part of a longer number or name.

use super::{Candidate, Class, Kind, Needs, Verdict};

pub(super) const ROWS: &[Class] = &[Class {
    // In one piece, or in the groups that are printed on cards, with blanks or dashes.
    name: "card",
    kind: Kind::Personal,
    needs: Needs::LongNumber,
    pattern: r"(?x) [0-9]{13,19}
        | [0-9]{4} (?: \x20[0-9]{4} ){3} (?: \x20[0-9]{3} )? | [0-9]{4} (?: -[0-9]{4} ){3} (?: -[0-9]{3} )?
        | [0-9]{4} \x20 [0-9]{6} \x20 [0-9]{4,5} | [0-9]{4} - [0-9]{6} - [0-9]{4,5}",
    judge: Some(judge),
}];

/// First digits (from, to: compared over as many digits as `from` has) and the lengths in use with them.
struct Issuer {
    from: u32,
    to: u32,
    lengths: &'static [usize],
}

const MAESTRO: &[usize] = &[13, 14, 15, 16, 17, 18, 19];

const ISSUERS: &[Issuer] = &[
    Issuer { from: 4, to: 4, lengths: &[13, 16, 19] },   // Visa
    Issuer { from: 51, to: 55, lengths: &[16] },         // Mastercard
    Issuer { from: 2221, to: 2720, lengths: &[16] },     // Mastercard
    Issuer { from: 34, to: 34, lengths: &[15] },         // American Express
    Issuer { from: 37, to: 37, lengths: &[15] },         // American Express
    Issuer { from: 300, to: 305, lengths: &[14, 16] },   // Diners Club
    Issuer { from: 3095, to: 3095, lengths: &[14, 16] }, // Diners Club
    Issuer { from: 36, to: 36, lengths: &[14, 16] },     // Diners Club
    Issuer { from: 38, to: 39, lengths: &[14, 16] },     // Diners Club
    Issuer { from: 3528, to: 3589, lengths: &[16, 17, 18, 19] }, // JCB
    Issuer { from: 6011, to: 6011, lengths: &[16, 19] }, // Discover
    Issuer { from: 644, to: 659, lengths: &[16, 19] },   // Discover
    Issuer { from: 62, to: 62, lengths: &[16, 17, 18, 19] }, // UnionPay
    Issuer { from: 81, to: 81, lengths: &[16] },         // UnionPay, RuPay
    Issuer { from: 2200, to: 2204, lengths: &[16, 17, 18, 19] }, // Mir
    Issuer { from: 5018, to: 5018, lengths: MAESTRO },   // Maestro
    Issuer { from: 5020, to: 5020, lengths: MAESTRO },   // Maestro
    Issuer { from: 5038, to: 5038, lengths: MAESTRO },   // Maestro
    Issuer { from: 5893, to: 5893, lengths: MAESTRO },   // Maestro
    Issuer { from: 6304, to: 6304, lengths: MAESTRO },   // Maestro
    Issuer { from: 6759, to: 6759, lengths: MAESTRO },   // Maestro
    Issuer { from: 6761, to: 6763, lengths: MAESTRO },   // Maestro
];

/// How far back the name of a number is looked for.
const KEY_LENGTH: usize = 32;

/// Names of numbers that are no cards, before them in the text: of traces, of quantities, of moments and positions.
const OTHER_NUMBERS: &[&str] = &[
    "trace",
    "span",
    "bytes",
    "nanos",
    "micros",
    "duration",
    "timestamp",
    "offset",
    "version",
    "generation",
    "lsn",
    "sequence",
    "_ns",
    "_us",
    "le=",
    "seed",
    "hash",
    "fingerprint",
    "epoch",
    "snowflake",
    "cursor",
    "zxid",
];

/// Words beside a number that make a card of a form that is rare on cards and common among counters.
const CARD_WORDS: &[&str] = &["card", "pan", "visa", "diners", "pay", "charg", "maestro", "cc"];

fn judge(candidate: &Candidate<'_>) -> Verdict {
    let value = candidate.value;
    let first_group = value.find([' ', '-']).unwrap_or(value.len());
    let near = near(candidate.before);
    let name = name_of(&near);
    let is_other = name == "le" || OTHER_NUMBERS.iter().any(|word| name.contains(word));
    let is_called_a_card = CARD_WORDS.iter().any(|word| near.contains(word));
    if is_part_of_something(candidate) || is_other || (looks_like_a_counter(value) && !is_called_a_card) {
        return Verdict::Not(first_group);
    }
    if is_card(value) {
        return Verdict::Secret(value.len());
    }
    // four groups of four with a fifth of three: a card and its security code
    let without_last = value.rfind([' ', '-']).unwrap_or(value.len());
    if value.len() - without_last == 4 && value.get(..without_last).is_some_and(is_card) {
        return Verdict::Secret(without_last);
    }
    Verdict::Not(first_group)
}

/// A longer number, a fraction, an exponent, a name with dashes, a UUID.
fn is_part_of_something(candidate: &Candidate<'_>) -> bool {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let before = candidate.before.strip_suffix(['-', '.']).unwrap_or(candidate.before);
    let after = candidate.after.strip_prefix(['-', '.']).unwrap_or(candidate.after);
    let starts_a_sentence =
        candidate.after.starts_with('.') && !after.starts_with(|c: char| c.is_ascii_digit());
    before.ends_with(goes_on) || (after.starts_with(goes_on) && !starts_a_sentence)
}

/// Thirteen or fourteen digits count bytes of terabytes, nineteen are a random number of 64 bits; few cards of Visa
/// and Diners Club look like that.
fn looks_like_a_counter(value: &str) -> bool {
    match value.len() {
        13 | 14 => value.bytes().all(|byte| byte.is_ascii_digit()),
        17..=19 => value.starts_with('4') && value.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    }
}

/// What stands before the number, in lower case.
fn near(before: &str) -> String {
    let from = before.ceil_char_boundary(before.len().saturating_sub(KEY_LENGTH));
    before.get(from..).unwrap_or_default().to_ascii_lowercase()
}

/// The last word, which names the number: `"trace_id": "`, `bytes=`, `duration `.
fn name_of(near: &str) -> &str {
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '.';
    let named = near.trim_end_matches(|c: char| !is_of_name(c));
    let start = named.rfind(|c: char| !is_of_name(c)).map_or(0, |at| at + 1);
    named.get(start..).unwrap_or(named)
}

fn is_card(value: &str) -> bool {
    let digits: Vec<u32> = value.chars().filter_map(|c| c.to_digit(10)).collect();
    ISSUERS.iter().any(|issuer| is_issued_by(issuer, &digits)) && has_check_digit(&digits)
}

fn is_issued_by(issuer: &Issuer, digits: &[u32]) -> bool {
    let compared = issuer.from.ilog10() as usize + 1;
    let first = digits.iter().take(compared).fold(0, |number, digit| number * 10 + digit);
    (issuer.from..=issuer.to).contains(&first) && issuer.lengths.contains(&digits.len())
}

/// Luhn: from the right, every second digit counts double (as the sum of its digits); the sum ends in 0.
fn has_check_digit(digits: &[u32]) -> bool {
    let mut sum = 0;
    for (position, digit) in digits.iter().rev().enumerate() {
        sum += match (position % 2, digit) {
            (0, digit) => *digit,
            (_, digit) if *digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        };
    }
    sum % 10 == 0
}
