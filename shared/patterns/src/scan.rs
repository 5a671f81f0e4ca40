//! One pass over the bytes of a line, which writes its template.
//!
//! Everything is decided at the place where the pass stands, from the line itself: what begins there ([`crate::token`],
//! [`crate::quote`], [`crate::json`]) and what was written last. Bytes above 127 count as letters, so that a piece
//! never ends inside a character.

use crate::Kind;
use crate::template::WILDCARD;

/// Of a longer line, the rest is not read. Such lines are one large value, or dumps.
const LONGEST_LINE: usize = 64 * 1024;
/// A template that is longer ends with [`REST`]. It counts what is constant, so that lines of one template end alike
/// however long their values are.
const LONGEST_TEMPLATE: usize = 1_024;
/// What stands for text of any kind and length.
pub(crate) const REST: char = '…';

/// The state of the pass.
pub(crate) struct Scan<'l> {
    pub(crate) line: &'l str,
    /// The next byte to read.
    pub(crate) at: usize,
    /// Where the piece that is read ends: the line, or a string within it.
    pub(crate) end: usize,
    pub(crate) out: String,
    pub(crate) kinds: Vec<Kind>,
    /// The end of the last wildcard in `out`.
    pub(crate) wild_end: Option<usize>,
    /// Closing quotation marks of texts whose words are kept.
    pub(crate) closing: Vec<usize>,
    pub(crate) full: bool,
}

impl<'l> Scan<'l> {
    /// The template of a line and the kinds of its wildcards.
    pub(crate) fn of(line: &'l str) -> (String, Vec<Kind>) {
        let read = line.floor_char_boundary(LONGEST_LINE);
        let mut scan = Scan {
            line: line.get(..read).unwrap_or_default(),
            at: 0,
            end: read,
            out: String::with_capacity(line.len().min(LONGEST_TEMPLATE)),
            kinds: Vec::with_capacity(8),
            wild_end: None,
            closing: Vec::new(),
            full: false,
        };
        scan.run();
        if read < line.len() && !scan.full {
            scan.out.push(REST);
        }
        let trimmed = scan.out.trim_end_matches(' ').len();
        scan.out.truncate(trimmed);
        (scan.out, scan.kinds)
    }

    /// Reads up to `end`.
    pub(crate) fn run(&mut self) {
        while self.at < self.end && !self.full {
            self.piece();
            self.fill();
        }
    }

    /// Ends the template when it is long enough.
    pub(crate) fn fill(&mut self) {
        if self.out.len() > LONGEST_TEMPLATE && !self.full {
            self.out.push(REST);
            self.full = true;
        }
    }

    fn piece(&mut self) {
        match self.byte(self.at) {
            b' ' | b'\t'..=b'\r' => self.space(),
            b'"' | b'\'' | b'`' => self.quote(),
            b'<' => self.angle(),
            b'(' | b'[' | b'{' => self.bracket(),
            byte if is_delimiter(byte) => self.literal(1),
            _ => self.token(),
        }
    }

    /// The byte at `at`; 0 beyond the piece.
    pub(crate) fn byte(&self, at: usize) -> u8 {
        if at < self.end { self.line.as_bytes().get(at).copied().unwrap_or(0) } else { 0 }
    }

    /// The byte before `at`; a space at the start of the line.
    pub(crate) fn before(&self, at: usize) -> u8 {
        at.checked_sub(1).and_then(|at| self.line.as_bytes().get(at)).copied().unwrap_or(b' ')
    }

    pub(crate) fn bytes(&self, from: usize, to: usize) -> &'l [u8] {
        self.line.as_bytes().get(from..to.min(self.end)).unwrap_or_default()
    }

    /// The first place from `at` on whose byte does not satisfy `holds`.
    pub(crate) fn skip(&self, mut at: usize, holds: impl Fn(u8) -> bool) -> usize {
        while at < self.end && holds(self.byte(at)) {
            at += 1;
        }
        at
    }

    /// Copies the next `length` bytes.
    pub(crate) fn literal(&mut self, length: usize) {
        let to = (self.at + length).min(self.end);
        self.out.push_str(self.line.get(self.at..to).unwrap_or_default());
        self.at = to;
    }

    fn space(&mut self) {
        self.at = self.skip(self.at, is_space);
        // What pads a number in brackets is none of the template.
        if !self.out.is_empty() && !self.out.ends_with([' ', '(', '[']) {
            self.out.push(' ');
        }
        if self.out == "<*> "
            && let Some(end) = self.syslog_host()
        {
            self.wild(Kind::Time, end);
        }
    }

    /// The end of the host's name that follows the time in a line of syslog: `… HOST PROGRAM[PID]: `. Hosts have names
    /// with digits and without.
    fn syslog_host(&self) -> Option<usize> {
        let solid = |byte| !is_space(byte) && !matches!(byte, b'[' | b':' | b'"' | b'=');
        let end = self.skip(self.at, solid);
        let host = self.bytes(self.at, end);
        let program = end + 1;
        let after = self.skip(program, solid);
        let named = self.byte(program).is_ascii_alphabetic() && self.byte(end) == b' ';
        let with_pid = self.byte(after) == b'[' && {
            let close = self.skip(after + 1, |byte| byte.is_ascii_digit());
            close > after + 1 && self.bytes(close, close + 2) == b"]:"
        };
        let month_first = self.line.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
        let tagged = with_pid || (month_first && self.bytes(after, after + 2) == b": ");
        let name = !host.is_empty() && host.iter().all(|byte| is_word(*byte) || matches!(byte, b'.' | b'-'));
        let is_host = name && !crate::words::is_kept_apart(host);
        (named && tagged && is_host && self.kinds.first() == Some(&Kind::Time)).then_some(end)
    }

    /// Writes a wildcard for everything up to `to`. One that only separators part from the last one extends it: lists
    /// have many lengths, and dates many notations.
    pub(crate) fn wild(&mut self, kind: Kind, to: usize) {
        self.at = to;
        let since = self.wild_end.and_then(|end| self.out.get(end..));
        match (since, self.wild_end, self.kinds.last_mut()) {
            (Some(since), Some(end), Some(last)) if since.bytes().all(is_separator) => {
                self.out.truncate(end);
                *last = last.followed_by(kind);
            }
            _ => {
                self.out.push_str(WILDCARD);
                self.wild_end = Some(self.out.len());
                self.kinds.push(kind);
            }
        }
    }

    /// What was written since the last wildcard; everything when there is none.
    pub(crate) fn since_wild(&self) -> &str {
        self.out.get(self.wild_end.unwrap_or(0)..).unwrap_or_default()
    }

    /// `<`: a wildcard or a masked value that was written before, `<13>` of syslog, `<1 sec`, or itself.
    fn angle(&mut self) {
        let inner = self.at + 1;
        let closed = self
            .skip(inner, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b':' | b'_' | b'-'));
        let name = self.bytes(inner, closed);
        let digits = name.iter().all(u8::is_ascii_digit) && !name.is_empty();
        if self.byte(closed) == b'>' {
            if name == b"*" {
                return self.wild(Kind::Value, closed + 1);
            }
            if digits {
                return self.wild(Kind::Number, closed + 1);
            }
            if is_mask(name) {
                return self.wild(Kind::Masked, closed + 1);
            }
        }
        let starts_number = self.byte(inner).is_ascii_digit();
        if starts_number && matches!(self.before(self.at), b' ' | b'\t' | b',' | b'(' | b'=' | b':') {
            self.at = inner;
            return self.token();
        }
        self.literal(1);
    }
}

/// `email:7f3a`: a class and four hexadecimal digits, as `redact` writes them.
fn is_mask(name: &[u8]) -> bool {
    let Some((class, digits)) = name.len().checked_sub(5).and_then(|at| name.split_at_checked(at)) else {
        return false;
    };
    !class.is_empty()
        && !class.contains(&b':')
        && digits.starts_with(b":")
        && digits.iter().skip(1).all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// What ends a token, besides white space.
pub(crate) fn is_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        b'"' | b'\''
            | b'`'
            | b'('
            | b')'
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'<'
            | b'>'
            | b','
            | b';'
            | b'='
            | b'|'
            | b':'
    )
}

/// What may stand between two values that share a wildcard.
fn is_separator(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b',' | b':' | b';' | b'/' | b'|' | b'-' | b'.' | b'&' | b'#' | b'_' | b'@' | b'~' | b'+'
    )
}

/// A letter, a digit, `_` or a part of a character outside ASCII.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}
