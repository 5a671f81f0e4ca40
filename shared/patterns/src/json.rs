//! JSON in a line: keys stay, values are masked, except of keys that say what happened, whose text is read like a line.

use crate::Kind;
use crate::scan::{REST, Scan, is_space};
use crate::words;

/// Objects nested deeper are values.
const DEEPEST: usize = 8;

impl Scan<'_> {
    /// Reads an object that begins here. When it is none, nothing has happened.
    pub(crate) fn json(&mut self) -> bool {
        if self.byte(self.skip(self.at + 1, is_space)) != b'"' {
            return false;
        }
        let (at, end, out, kinds, wild_end) =
            (self.at, self.end, self.out.len(), self.kinds.len(), self.wild_end);
        let closing = self.closing.clone();
        if self.object(0).is_some() {
            return true;
        }
        self.out.truncate(out);
        self.kinds.truncate(kinds);
        (self.at, self.end, self.wild_end, self.closing, self.full) = (at, end, wild_end, closing, false);
        false
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        self.literal(1);
        let mut first = true;
        loop {
            self.blank();
            match self.byte(self.at) {
                b'}' => {
                    self.literal(1);
                    return Some(());
                }
                b',' if !first => {
                    self.literal(1);
                    self.blank();
                }
                b'"' if first => {}
                _ => return None,
            }
            first = false;
            self.pair(depth)?;
            self.fill();
            if self.full {
                return Some(());
            }
        }
    }

    fn pair(&mut self, depth: usize) -> Option<()> {
        let close = self.string_end(self.at)?;
        let key = self.bytes(self.at + 1, close);
        if key.iter().filter(|byte| byte.is_ascii_digit()).count() >= 3 {
            self.out.push('"');
            self.wild(Kind::Value, close);
            self.literal(1);
        } else {
            self.literal(close + 1 - self.at);
        }
        self.blank();
        if self.byte(self.at) != b':' {
            return None;
        }
        self.literal(1);
        self.blank();
        self.value(words::is_telling(key), depth)
    }

    fn value(&mut self, tells: bool, depth: usize) -> Option<()> {
        match self.byte(self.at) {
            b'"' => {
                let close = self.string_end(self.at)?;
                if tells { self.text(close) } else { self.wild(Kind::Text, close + 1) }
            }
            b'{' if depth < DEEPEST => self.object(depth + 1)?,
            b'{' | b'[' => {
                let end = self.balanced(self.at)?;
                self.wild(Kind::List, end);
            }
            _ => {
                let end = self
                    .skip(self.at, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'));
                if end == self.at {
                    return None;
                }
                self.wild(Kind::Number, end);
            }
        }
        Some(())
    }

    /// The string that begins here and closes at `close`, read like a line, up to its first escaped line break.
    fn text(&mut self, close: usize) {
        self.literal(1);
        let whole = self.end;
        let broken = self.bytes(self.at, close).windows(2).position(|pair| pair == b"\\n");
        self.end = broken.map_or(close, |at| self.at + at);
        self.run();
        self.end = whole;
        if self.full {
            return;
        }
        if broken.is_some() {
            self.out.push(REST);
        }
        self.at = close;
        self.literal(1);
    }

    /// Skips white space between the parts of an object.
    fn blank(&mut self) {
        self.at = self.skip(self.at, is_space);
    }

    /// The closing mark of the string that begins at `start`.
    fn string_end(&self, start: usize) -> Option<usize> {
        if self.byte(start) != b'"' {
            return None;
        }
        let mut at = start + 1;
        while at < self.end {
            match self.byte(at) {
                b'"' => return Some(at),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        None
    }

    /// Where the brackets that open at `start` are closed.
    fn balanced(&self, start: usize) -> Option<usize> {
        let (mut at, mut depth) = (start, 0_usize);
        while at < self.end {
            match self.byte(at) {
                b'"' => at = self.string_end(at)?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            at += 1;
            if depth == 0 {
                return Some(at);
            }
        }
        None
    }
}
