//! The chain itself: how a line is sealed, and how a sealed line is taken apart. Writer and verifier share it.

use hmac::{Hmac, Mac as _};
use serde::Serialize;
use sha2::Sha256;
use sha2::digest::KeyInit;

use crate::key::Key;
use crate::record::{Control, Event, SinkKind};

/// A seal, in raw bytes.
pub(crate) type Mac = [u8; 32];

/// A place in a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// Of the record there.
    pub(crate) sequence: u64,
    /// Of the record there.
    pub(crate) mac: Mac,
}

/// What a new chain begins from.
pub(crate) const ZERO_MAC: Mac = [0; 32];

const HEAD: &[u8] = b"{\"version\":1,\"sequence\":";
const TIME: &[u8] = b",\"time\":\"";
const EVENT: &[u8] = b",\"event\":\"";
const MAC_FIELD: &[u8] = b",\"mac\":\"";
const END: &[u8] = b"\"}";
const MAC_DIGITS: usize = 64;

/// Bytes a line has besides its body and the digits of its sequence number, the newline included.
pub(crate) const FRAME_BYTES: usize = HEAD.len() + 1 + MAC_FIELD.len() + MAC_DIGITS + END.len() + 1;

/// HMAC-SHA256 with the key already in place.
#[derive(Clone)]
pub(crate) struct Sealer(Hmac<Sha256>);

impl Sealer {
    pub(crate) fn new(key: &Key) -> Self {
        // HMAC pads a shorter key with zeros to the 64 bytes of a SHA-256 block. Doing so here makes this infallible.
        let mut block = [0; 64];
        for (to, from) in block.iter_mut().zip(key.bytes()) {
            *to = *from;
        }
        Self(KeyInit::new(&block.into()))
    }

    /// The mac of a line whose covered bytes are these two parts, one after the other.
    fn mac(&self, previous: &Mac, beginning: &[u8], rest: &[u8]) -> Mac {
        let mut hmac = self.0.clone();
        hmac.update(previous);
        hmac.update(beginning);
        hmac.update(rest);
        hmac.finalize().into_bytes().into()
    }

    /// Append a whole line to `lines` and return its mac. `body` is what [`body_of`] returned.
    pub(crate) fn seal(&self, lines: &mut Vec<u8>, previous: &Mac, sequence: u64, body: &[u8]) -> Mac {
        let start = lines.len();
        lines.extend_from_slice(HEAD);
        lines.extend_from_slice(sequence.to_string().as_bytes());
        lines.push(b',');
        lines.extend_from_slice(body);
        let mac = self.mac(previous, lines.get(start..).unwrap_or_default(), b"}");
        lines.extend_from_slice(MAC_FIELD);
        lines.extend_from_slice(hex::encode(mac).as_bytes());
        lines.extend_from_slice(END);
        lines.push(b'\n');
        mac
    }
}

/// Serialise a record whose sequence is 0 and whose mac is empty, and keep what lies between those two fields: all
/// that can be written before the record's place in the chain is known.
pub(crate) fn body_of(record: &impl Serialize) -> Option<Vec<u8>> {
    let mut json = serde_json::to_vec(record).ok()?;
    let kept = json.strip_suffix(END)?.strip_suffix(MAC_FIELD)?.len();
    json.truncate(kept);
    let head = HEAD.len() + b"0,".len();
    json.get(..head)?.strip_prefix(HEAD)?.strip_prefix(b"0,")?;
    json.drain(..head);
    Some(json)
}

/// A line taken apart. Nothing in it is believed before [`Line::follows`] said yes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// Its position.
    pub(crate) sequence: u64,
    /// RFC 3339.
    pub(crate) time: &'a str,
    /// Whether it is a [`crate::Control`] record.
    pub(crate) is_control: bool,
    /// What it says its mac is.
    pub(crate) mac: Mac,
    covered_but_brace: &'a [u8],
}

impl<'a> Line<'a> {
    /// Take a line, without its newline, apart; `None` unless it has the form of a record.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let (before_digits, digits) = line.strip_suffix(END)?.split_last_chunk::<MAC_DIGITS>()?;
        let covered_but_brace = before_digits.strip_suffix(MAC_FIELD)?;
        let (sequence, after_sequence) = leading_number(covered_but_brace.strip_prefix(HEAD)?)?;
        let after_time = after_sequence.strip_prefix(TIME)?;
        let time_length = after_time.iter().position(|byte| *byte == b'"')?;
        let (time, rest) = after_time.split_at_checked(time_length)?;
        Some(Self {
            sequence,
            time: str::from_utf8(time).ok()?,
            is_control: rest.get(1..)?.starts_with(EVENT),
            mac: mac_from_hex(digits)?,
            covered_but_brace,
        })
    }

    /// Whether this line, as it stands, was written after the one with that mac by somebody who has the key.
    pub(crate) fn follows(&self, previous: &Mac, sealer: &Sealer) -> bool {
        sealer.mac(previous, self.covered_but_brace, b"}") == self.mac
    }

    /// Whether it follows that record, and has the next sequence number.
    pub(crate) fn is_next_after(&self, at: Position, sealer: &Sealer) -> bool {
        at.sequence.checked_add(1) == Some(self.sequence) && self.follows(&at.mac, sealer)
    }

    /// Where it says it is.
    pub(crate) fn position(&self) -> Position {
        Position { sequence: self.sequence, mac: self.mac }
    }
}

/// Only lowercase, so that every byte of a line counts.
pub(crate) fn mac_from_hex(digits: &[u8]) -> Option<Mac> {
    let mut mac = ZERO_MAC;
    hex::decode_to_slice(digits, &mut mac).ok()?;
    (!digits.iter().any(u8::is_ascii_uppercase)).then_some(mac)
}

/// Where the chain of a file begins, by its first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChainStart {
    /// The mac that its first line chains from.
    pub(crate) base: Mac,
    /// The file it goes on from; `None` for a new chain.
    pub(crate) previous_file: Option<String>,
    /// Where the chain is written to.
    pub(crate) sink: SinkKind,
}

/// Read the first line of a chain, without its newline; `None` if a chain cannot begin with it. What it says is only
/// true if it then [`Line::follows`] that base.
pub(crate) fn chain_start(line: &[u8]) -> Option<ChainStart> {
    let control: Control = serde_json::from_slice(line).ok()?;
    match control.event {
        Event::Started if control.sequence == 1 => {
            Some(ChainStart { base: ZERO_MAC, previous_file: None, sink: control.sink })
        }
        Event::Rotated => Some(ChainStart {
            base: mac_from_hex(control.previous_mac?.as_bytes())?,
            previous_file: Some(control.previous_file?),
            sink: control.sink,
        }),
        Event::Started | Event::Recovered | Event::Stopped => None,
    }
}

fn leading_number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at_checked(digits)?;
    Some((str::from_utf8(number).ok()?.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(&Key::from_hex(&"0b".repeat(32)).unwrap())
    }

    // printf '{"version":1,"sequence":7,"time":"t","x":1}' | (head -c 32 /dev/zero; cat) |
    //   openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf '0b%.0s' {1..32})
    #[test]
    fn a_seal_is_what_openssl_computes_over_the_covered_bytes() {
        let mut lines = b"before\n".to_vec();
        let mac = sealer().seal(&mut lines, &ZERO_MAC, 7, b"\"time\":\"t\",\"x\":1");
        let expected = "afe943b98b922e1ceac0706f8c062c2b6d298ed13c2338060de7975271415c9c";
        assert_eq!(hex::encode(mac), expected);
        assert_eq!(
            String::from_utf8(lines).unwrap(),
            format!(
                "before\n{{\"version\":1,\"sequence\":7,\"time\":\"t\",\"x\":1,\"mac\":\"{expected}\"}}\n"
            )
        );
    }

    #[test]
    fn the_frame_is_counted_right() {
        let mut lines = Vec::new();
        sealer().seal(&mut lines, &ZERO_MAC, 1, b"");
        assert_eq!(lines.len(), FRAME_BYTES + "1".len());
    }

    #[test]
    fn only_the_exact_form_is_a_line() {
        let mac = "0a".repeat(32);
        let good =
            format!("{{\"version\":1,\"sequence\":12,\"time\":\"T\",\"event\":\"x\",\"mac\":\"{mac}\"}}");
        let line = Line::parse(good.as_bytes()).unwrap();
        assert_eq!((line.sequence, line.time, line.is_control, line.mac), (12, "T", true, [10; 32]));
        for wrong in [
            String::new(),
            format!(" {good}"),
            format!("{good} "),
            good.replace("\"version\":1", "\"version\":2"),
            good.replace("12", ""),
            good.replace("12", "99999999999999999999"),
            good.replace("\"time\"", "\"tome\""),
            good.replace(&mac, &mac.to_uppercase()),
            good.replace(&mac, &"0a".repeat(31)),
        ] {
            assert!(Line::parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
