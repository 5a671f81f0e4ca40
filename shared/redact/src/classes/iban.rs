//! International bank account numbers (ISO 13616): a country with its length, correct check digits (ISO 7064, mod
//! 97-10), in one piece or in groups of four.

use super::{Candidate, Class, Kind, Needs, Verdict};

/// Country and length, from SWIFT's registry.
const LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HN", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

pub(super) const ROWS: &[Class] = &[Class {
    name: "iban",
    kind: Kind::Personal,
    needs: Needs::CountryAndCheck,
    pattern: r"(?x) [A-Z]{2}[0-9]{2} (?: [A-Z0-9]{11,30} | (?: \x20[A-Z0-9]{4} ){2,7} (?: \x20[A-Z0-9]{1,4} )? )",
    judge: Some(judge),
}];

/// The match may be longer than the number: capitals of the next word look like a further group.
fn judge(candidate: &Candidate<'_>) -> Verdict {
    let value = candidate.value;
    let length =
        LENGTHS.iter().find(|(country, _)| value.starts_with(country)).map_or(0, |(_, length)| *length);
    let Some(end) = end_of(value, length) else { return Verdict::Not(2) };
    let number = value.get(..end).unwrap_or_default();
    let rest = value.get(end..).unwrap_or_default();
    let continues = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_a_piece = candidate.before.ends_with(continues)
        || rest.starts_with(continues)
        || (rest.is_empty() && candidate.after.starts_with(continues));
    if is_a_piece || !has_check_digits(number) {
        return Verdict::Not(2);
    }
    Verdict::Secret(end)
}

/// Where the `length`-th letter or digit ends.
fn end_of(value: &str, length: usize) -> Option<usize> {
    let last = length.checked_sub(1)?;
    value.char_indices().filter(|(_, c)| *c != ' ').nth(last).map(|(at, c)| at + c.len_utf8())
}

/// The first four characters go to the end, letters count 10 to 35, and the number leaves 1 when divided by 97.
fn has_check_digits(number: &str) -> bool {
    let characters: Vec<char> = number.chars().filter(|c| *c != ' ').collect();
    let (head, tail) = characters.split_at(4.min(characters.len()));
    let mut remainder = 0;
    for character in tail.iter().chain(head) {
        let Some(digit) = character.to_digit(36) else { return false };
        let base = if digit > 9 { 100 } else { 10 };
        remainder = (remainder * base + digit) % 97;
    }
    remainder == 1
}
