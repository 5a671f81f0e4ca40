//! What stands between delimiters: a word that stays, or a value.

use crate::Kind;
use crate::scan::{Scan, is_delimiter, is_space, is_word};
use crate::words;

/// What was seen in a token on the way to its end.
#[derive(Default, Clone, Copy)]
struct Seen {
    digit: bool,
    dot: bool,
    at_sign: bool,
    slashes: usize,
    /// A letter that is no hexadecimal digit.
    other_letter: bool,
}

impl Scan<'_> {
    /// A token begins here.
    pub(crate) fn token(&mut self) {
        let start = self.at;
        if let Some(end) = self.path_end(start) {
            return self.path(end);
        }
        if self.before(start) == b'=' && !self.key_tells(start) {
            return self.value_of_pair(start);
        }
        let signed = matches!(self.byte(start), b'-' | b'+' | b'.') && self.byte(start + 1).is_ascii_digit();
        if !is_word(self.byte(start)) && !signed {
            return self.punctuation();
        }
        if let Some(end) = self.colon_separated_hex(start) {
            let clock = self.bytes(start, end).iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
            let kind = match end - start {
                17 => Kind::Mac,
                ..=8 if clock => Kind::Time,
                _ => Kind::Address,
            };
            return self.wild(kind, end);
        }
        let (end, mut seen) = self.token_end(start);
        if self.byte(end) == b':'
            && let Some((kind, end)) = self.with_scheme(start, end)
        {
            return self.wild(kind, end);
        }
        let end = self.without_stops(start, end);
        if seen.at_sign && !seen.digit {
            seen.digit = words::is_host(after(self.bytes(start, end), b'@'));
            if seen.digit {
                return self.wild(Kind::Email, end);
            }
        }
        if seen.digit { self.with_digit(start, end, seen) } else { self.without_digit(start, end, seen) }
    }

    /// A URL or a path with a drive, whose first colon is at `colon`.
    fn with_scheme(&self, start: usize, colon: usize) -> Option<(Kind, usize)> {
        if self.bytes(colon, colon + 3) == b"://" {
            return Some((Kind::Url, self.url_end(colon + 3)));
        }
        let drive = colon == start + 1 && self.byte(start).is_ascii_alphabetic();
        let rooted = matches!(self.byte(colon + 1), b'\\' | b'/');
        (drive && rooted).then(|| (Kind::Path, self.without_full_stop(self.skip(colon + 1, in_path))))
    }

    fn token_end(&self, start: usize) -> (usize, Seen) {
        let mut seen = Seen::default();
        let mut at = start;
        while at < self.end {
            let byte = self.byte(at);
            match byte {
                b'0'..=b'9' => seen.digit = true,
                b'a'..=b'f' | b'A'..=b'F' => {}
                b'.' => seen.dot = true,
                b'@' => seen.at_sign = true,
                b'/' => seen.slashes += 1,
                _ if is_delimiter(byte) || is_space(byte) => break,
                _ => seen.other_letter = true,
            }
            at += 1;
        }
        (at, seen)
    }

    /// The end of the token without punctuation after it, which stays; a percent sign after a digit belongs to it.
    fn without_stops(&self, start: usize, mut end: usize) -> usize {
        while end > start + 1 {
            let last = self.before(end);
            if is_word(last) || (last == b'%' && self.before(end - 1).is_ascii_digit()) {
                break;
            }
            end -= 1;
        }
        end
    }

    /// Punctuation before a token, or alone; the `/` after an HTTP verb is a path.
    fn punctuation(&mut self) {
        let end = self.skip(self.at, |byte| !is_word(byte) && !is_space(byte) && !is_delimiter(byte));
        let alone = end == self.at + 1 && self.byte(self.at) == b'/';
        if alone && !is_word(self.byte(end)) && self.follows_verb() {
            return self.wild(Kind::Path, end);
        }
        self.literal(1);
    }

    fn follows_verb(&self) -> bool {
        let Some(written) = self.out.as_bytes().strip_suffix(b" ") else { return false };
        words::is_verb(written.rsplit(|byte| !byte.is_ascii_alphabetic()).next().unwrap_or_default())
    }

    /// The end of a path that begins here: `/x`, `~/x`, `./x`, `../x`, `\\x`.
    fn path_end(&self, start: usize) -> Option<usize> {
        let begins = match self.byte(start) {
            b'/' => starts_name(self.byte(start + 1)),
            b'~' => self.byte(start + 1) == b'/' && starts_name(self.byte(start + 2)),
            b'.' => self.bytes(start, start + 2) == b"./" || self.bytes(start, start + 3) == b"../",
            b'\\' => self.byte(start + 1) == b'\\' && starts_name(self.byte(start + 2)),
            _ => false,
        };
        if !begins {
            return None;
        }
        let mut end = self.skip(start, in_path);
        if self.bytes(start, end).contains(&b'?') {
            end = self.skip(end, |byte| in_path(byte) || matches!(byte, b'=' | b':' | b',' | b';'));
        }
        Some(self.without_full_stop(end)).filter(|_| self.before(start) != b'<')
    }

    /// `end` without what ends a sentence.
    fn without_full_stop(&self, mut end: usize) -> usize {
        while matches!(self.before(end), b'.' | b'!' | b'?') {
            end -= 1;
        }
        end
    }

    /// A path, or an address behind a slash as Java writes it.
    fn path(&mut self, end: usize) {
        let name = self.bytes(self.at + 1, end);
        let address = name.first().is_some_and(u8::is_ascii_digit).then(|| Kind::of(name));
        let kind = address.filter(|kind| *kind == Kind::Address).unwrap_or(Kind::Path);
        self.wild(kind, end);
    }

    fn url_end(&self, from: usize) -> usize {
        let mut end = self.skip(from, |byte| {
            !is_space(byte) && (!is_delimiter(byte) || matches!(byte, b':' | b',' | b';' | b'='))
        });
        while end > from && matches!(self.before(end), b'.' | b',' | b';' | b':' | b'!' | b'\\') {
            end -= 1;
        }
        end
    }

    /// A hardware or IPv6 address: hexadecimal digits and at least two colons, at least one digit.
    fn colon_separated_hex(&self, start: usize) -> Option<usize> {
        let end = self.skip(start, |byte| byte.is_ascii_hexdigit() || byte == b':');
        let text = self.bytes(start, end);
        let colons = text.iter().filter(|byte| **byte == b':').count();
        let whole = !is_word(self.byte(end)) && text.last() != Some(&b':');
        let groups = text.split(|byte| *byte == b':').all(|group| group.len() <= 4);
        (colons >= 2 && whole && groups && text.iter().any(u8::is_ascii_digit)).then_some(end)
    }

    /// Whether the key before the `=` before `start` is one whose value is kept, or there is no key at all.
    fn key_tells(&self, start: usize) -> bool {
        let key = self.key_before(start);
        key.first().is_none_or(|byte| !byte.is_ascii_alphabetic()) || words::is_telling(key)
    }

    /// The key before the `=` that is before `start`.
    pub(crate) fn key_before(&self, start: usize) -> &[u8] {
        let Some(end) = start.checked_sub(1).filter(|_| self.before(start) == b'=') else { return b"" };
        let written = self.line.as_bytes().get(..end).unwrap_or_default();
        let length =
            written.iter().rev().take_while(|byte| is_word(**byte) || matches!(byte, b'.' | b'-')).count();
        written.get(end - length..).unwrap_or_default()
    }

    /// The value in `key=value`, whatever it is.
    fn value_of_pair(&mut self, start: usize) {
        let end = self.skip(start, |byte| !is_space(byte) && (byte == b':' || !is_delimiter(byte)));
        if let Some(scheme) = self.bytes(start, end).windows(3).position(|three| three == b"://") {
            return self.wild(Kind::Url, self.url_end(start + scheme + 3));
        }
        let end = self.padded(start, self.without_stops(start, end));
        let value = self.bytes(start, end);
        let number = value.iter().any(u8::is_ascii_digit);
        let kind = if number { Kind::of(value) } else { Kind::Word };
        self.wild(kind, self.with_distant_unit(start, end));
    }

    fn with_digit(&mut self, start: usize, end: usize, seen: Seen) {
        let text = self.bytes(start, end);
        let is_key = self.byte(end) == b'=' && is_key(text);
        if is_key || words::is_name(text) {
            return self.literal(end - start);
        }
        if let Some(kept) = constant_head(text) {
            return self.literal(kept);
        }
        let end = self.padded(start, end);
        let text = self.bytes(start, end);
        let kind = if seen.at_sign && seen.dot { Kind::Email } else { Kind::of(text) };
        let far = self.with_distant_unit(start, end);
        let kind = if far > end {
            words::distant_unit(after(self.bytes(start, far), b' ')).unwrap_or(kind)
        } else {
            kind
        };
        self.wild(kind, far);
    }

    /// `end` behind the `=` that pad base64.
    fn padded(&self, start: usize, end: usize) -> usize {
        let padded = self.skip(end, |byte| byte == b'=');
        let is_padding = end - start >= 8 && (1..=2).contains(&(padded - end)) && !is_word(self.byte(padded));
        if is_padding { padded } else { end }
    }

    /// `end` behind a unit that follows a plain number after a space: `512 bytes`.
    fn with_distant_unit(&self, start: usize, end: usize) -> usize {
        let plain = self
            .bytes(start, end)
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
        if !plain || self.byte(end) != b' ' {
            return end;
        }
        let far = self.skip(end + 1, is_word);
        let is_unit = self.byte(far) != b'=' && words::distant_unit(self.bytes(end + 1, far)).is_some();
        if is_unit { far } else { end }
    }

    fn without_digit(&mut self, start: usize, end: usize, seen: Seen) {
        let word = self.bytes(start, end);
        if let Some(kind) = self.kind_of_word(word, end, seen) {
            return self.wild(kind, end);
        }
        if seen.dot && words::is_source_file(word) && self.byte(end) == b':' {
            return self.literal(end + 1 - start);
        }
        self.literal(end - start);
    }

    fn kind_of_word(&self, word: &[u8], end: usize, seen: Seen) -> Option<Kind> {
        if !seen.other_letter && !seen.dot && seen.slashes == 0 && word.len() >= 8 {
            return Some(Kind::Hex);
        }
        if seen.dot && words::is_host(word) {
            return Some(Kind::Host);
        }
        if seen.slashes >= 2 && word.iter().filter(|byte| **byte == b'/').count() >= 2 {
            return Some(Kind::Path);
        }
        let short = (2..=9).contains(&word.len());
        if !short || seen.dot || seen.slashes > 0 {
            return None;
        }
        let first = word.first().copied().unwrap_or(0);
        if first.is_ascii_uppercase() && self.is_time_word(word, end) {
            return Some(Kind::Time);
        }
        let placed = matches!(self.before(end - word.len()), b'=' | b':' | b'(' | b',' | b'[');
        let assigned = self.out.ends_with("= ");
        ((placed || assigned) && !is_word(self.byte(end)) && words::is_value(word)).then_some(Kind::Word)
    }

    /// Names of months and days where a date is, and what follows a time.
    fn is_time_word(&self, word: &[u8], end: usize) -> bool {
        let next = self.skip(end, |byte| is_space(byte) || matches!(byte, b',' | b'-' | b'/'));
        let number_follows = next > end && self.byte(next).is_ascii_digit();
        let since = self.since_wild();
        let value_before = self.wild_end.is_some() && matches!(since, " " | "-" | "/");
        if words::is_month(word) {
            return number_follows || (value_before && self.byte(next) == b'<');
        }
        if words::is_day(word) {
            let follows = self.bytes(next, self.skip(next, |byte| byte.is_ascii_alphabetic()));
            return number_follows || (next > end && words::is_month(follows));
        }
        value_before && since == " " && words::is_after_time(word)
    }
}

/// Whether a token before `=` with a digit is a name all the same: `podStartE2EDuration`.
fn is_key(text: &[u8]) -> bool {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    let simple = text.iter().all(|byte| is_word(*byte) || matches!(byte, b'.' | b'-'));
    simple && digits <= 2 && text.first().is_some_and(u8::is_ascii_alphabetic)
}

/// How much of a token with a digit is constant: `HTTP/` of `HTTP/1.1`, `Listener@` of `Listener@774`.
fn constant_head(text: &[u8]) -> Option<usize> {
    let head = text.iter().position(|byte| matches!(byte, b'/' | b'@'))?;
    let (name, rest) = text.split_at_checked(head)?;
    let (mark, value) = rest.split_first()?;
    let named = name.first().is_some_and(u8::is_ascii_alphabetic) && !name.iter().any(u8::is_ascii_digit);
    let dots = value.iter().filter(|byte| **byte == b'.').count();
    let is_value = match mark {
        b'/' => dots <= 3 && value.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') && dots < 3,
        _ => value.iter().all(u8::is_ascii_hexdigit),
    };
    (named && is_value && !value.is_empty()).then_some(head + 1)
}

/// What follows the first `mark`; everything when there is none.
fn after(text: &[u8], mark: u8) -> &[u8] {
    let at = text.iter().position(|byte| *byte == mark).map_or(0, |at| at + 1);
    text.get(at..).unwrap_or_default()
}

fn starts_name(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'.' | b'-' | b'~' | b'%' | b'$' | b'*' | b'?')
}

fn in_path(byte: u8) -> bool {
    !is_space(byte) && !is_delimiter(byte)
}
