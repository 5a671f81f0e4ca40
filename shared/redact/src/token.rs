//! The tokens that stand for masked values: `<CLASS:HHHH>`, four hexadecimal digits of a keyed hash.

use std::ops::Range;

use hmac::{Hmac, Mac};
use sha2::Sha256;

const LONGEST_CLASS: usize = 32;
const DIGITS: usize = 4;
/// `<`, the class, `:`, the digits, `>`.
const LONGEST_TOKEN: usize = LONGEST_CLASS + DIGITS + 3;
/// HMAC pads a key with zeros to the block of its hash, so that a padded key is the same key (RFC 2104).
const SHA256_BLOCK: usize = 64;

/// Makes tokens with one key.
#[derive(Clone)]
pub(crate) struct Minter {
    keyed: Hmac<Sha256>,
}

impl Minter {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let mut block = [0_u8; SHA256_BLOCK];
        for (padded, byte) in block.iter_mut().zip(key) {
            *padded = *byte;
        }
        Self { keyed: <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block.into()) }
    }

    /// `<CLASS:HHHH>` with the first four hexadecimal digits of HMAC-SHA256(key, class ‖ value).
    pub(crate) fn token(&self, class: &str, value: &str) -> String {
        let digest = self.keyed.clone().chain_update(class).chain_update(value).finalize().into_bytes();
        let digits: String = hex::encode(digest).chars().take(DIGITS).collect();
        format!("<{class}:{digits}>")
    }
}

/// The token that holds the byte at `position`, the token's own brackets included.
pub(crate) fn token_around(text: &str, position: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let earliest = position.saturating_sub(LONGEST_TOKEN);
    let start = (earliest..=position).rev().find(|&at| bytes.get(at) == Some(&b'<'))?;
    let end = start + token_length(bytes.get(start..)?)?;
    (position < end).then_some(start..end)
}

/// The length of the token at the very start of `bytes`.
fn token_length(bytes: &[u8]) -> Option<usize> {
    let inner = bytes.strip_prefix(b"<")?;
    let class = inner.iter().take(LONGEST_CLASS + 1).position(|&byte| byte == b':')?;
    let class_is_one = inner.get(..class)?.iter().all(is_of_class_name);
    let digits = inner.get(class + 1..class + 1 + DIGITS)?;
    let digits_are_hex = digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_closed = inner.get(class + 1 + DIGITS) == Some(&b'>');
    (class > 0 && class_is_one && digits_are_hex && is_closed).then_some(class + DIGITS + 3)
}

/// Whether a class may have this name.
pub(crate) fn is_class_name(name: &str) -> bool {
    (1..=LONGEST_CLASS).contains(&name.len()) && name.as_bytes().iter().all(is_of_class_name)
}

fn is_of_class_name(byte: &u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_from_any_of_its_bytes_and_from_no_other() {
        let text = "to <email:7f3a>, <b";
        for position in 0..text.len() + 2 {
            let expected = (3..15).contains(&position).then_some(3..15);
            assert_eq!(token_around(text, position), expected, "{position}");
        }
    }

    #[test]
    fn what_only_resembles_a_token_is_none() {
        let long = format!("<{}:7f3a>", "a".repeat(33));
        for text in
            ["<email:7f3>", "<email:7f3a1>", "<email:7F3A>", "<:7f3a>", "<Email:7f3a>", "<a b:7f3a>", &long]
        {
            assert_eq!(token_around(text, 0), None, "{text}");
        }
    }
}
