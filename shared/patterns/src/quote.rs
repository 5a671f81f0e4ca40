//! Quoted text and brackets.

use crate::Kind;
use crate::scan::{Scan, is_delimiter, is_space, is_word};
use crate::template::WILDCARD;
use crate::words;

/// A quoted text of more plain words than this, which make up most of it, is a sentence and not a name.
const WORDS_OF_A_SENTENCE: usize = 4;
/// A closing mark is looked for so far.
const LONGEST_QUOTE: usize = 8 * 1024;

impl Scan<'_> {
    /// A quotation mark: what is quoted is a value, unless it says what happened.
    pub(crate) fn quote(&mut self) {
        let (start, mark) = (self.at, self.byte(self.at));
        if let Some(known) = self.closing.iter().position(|close| *close == start) {
            self.closing.swap_remove(known);
            return self.literal(1);
        }
        let escaped = self.before(start) == b'\\';
        let Some(close) = self.closing_mark(start, mark, escaped) else { return self.literal(1) };
        let inner_end = if escaped { close - 1 } else { close };
        if self.tells(start, self.bytes(start + 1, inner_end)) {
            self.closing.push(close);
            return self.literal(1);
        }
        if self.continues_list(mark) {
            self.out.truncate(self.wild_end.unwrap_or(0));
            if let Some(last) = self.kinds.last_mut() {
                *last = Kind::List;
            }
            self.at = inner_end;
        } else {
            self.literal(1);
            self.out.push_str(WILDCARD);
            self.kinds.push(Kind::Text);
            self.wild_end = Some(self.out.len());
            self.at = inner_end;
        }
        self.literal(close + 1 - inner_end);
    }

    /// Where the quoted text ends. An apostrophe in a word does not quote.
    fn closing_mark(&self, start: usize, mark: u8, escaped: bool) -> Option<usize> {
        let opens = mark == b'"' || (!is_word(self.before(start)) && !is_space(self.byte(start + 1)));
        if !opens {
            return None;
        }
        let last = self.end.min(start + LONGEST_QUOTE);
        let mut at = start + 1;
        while at < last {
            let byte = self.byte(at);
            if byte == b'\\' && !escaped {
                at += 2;
                continue;
            }
            let closes = byte == mark
                && (!escaped || self.before(at) == b'\\')
                && (mark == b'"' || !is_word(self.byte(at + 1)));
            if closes && (!escaped || at >= start + 2) {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    /// Whether the words of a quoted text are kept: the message of a structured line, a request, a sentence.
    fn tells(&self, start: usize, text: &[u8]) -> bool {
        if text.is_empty() {
            return false;
        }
        let message = self.out.is_empty() || self.out.ends_with("] ");
        // In JSON that was cut.
        let key = self.byte(start + text.len() + 2) == b':' && text.iter().all(|byte| is_word(*byte));
        message
            || key
            || words::is_telling(self.key_before(start))
            || starts_with_verb(text)
            || is_sentence(text)
    }

    /// Whether only a comma parts this text from the last one, of the same marks.
    fn continues_list(&self, mark: u8) -> bool {
        let since = self.since_wild().as_bytes();
        let parted = since.strip_prefix(&[mark]).is_some_and(|rest| matches!(rest, b"," | b", "));
        parted && self.wild_end.is_some_and(|end| end > WILDCARD.len() && self.written_before(end) == mark)
    }

    fn written_before(&self, wild_end: usize) -> u8 {
        wild_end
            .checked_sub(WILDCARD.len() + 1)
            .and_then(|at| self.out.as_bytes().get(at))
            .copied()
            .unwrap_or(0)
    }

    /// An opening bracket: JSON, a list, nothing in brackets where others have something, or itself.
    pub(crate) fn bracket(&mut self) {
        let (start, open) = (self.at, self.byte(self.at));
        if open == b'{' && self.json() {
            return;
        }
        let close = match open {
            b'(' => b')',
            b'[' => b']',
            _ => b'}',
        };
        let before = self.before(start);
        if self.byte(start + 1) == close {
            let stands_for_value = match open {
                b'(' => self.wild_end.is_some() && self.since_wild() == " " && before == b' ',
                b'[' => matches!(before, b' ' | b'=' | b':'),
                _ => before == b'=',
            };
            return if stands_for_value { self.bracketed(start + 1) } else { self.literal(2) };
        }
        let end = if open == b'{' { None } else { self.list_end(start + 1, close) };
        match end {
            Some(end) if open == b'[' || is_word(before) => self.bracketed(end),
            _ => self.literal(1),
        }
    }

    /// `[<*>]` for everything up to the closing bracket at `close`.
    fn bracketed(&mut self, close: usize) {
        self.literal(1);
        self.out.push_str(WILDCARD);
        self.kinds.push(Kind::List);
        self.wild_end = Some(self.out.len());
        self.at = close;
        self.literal(1);
    }

    /// The end of a list of two or more simple items with commas.
    fn list_end(&self, start: usize, close: u8) -> Option<usize> {
        let (mut at, mut commas) = (start, 0);
        loop {
            let item = self.skip(at, |byte| !is_space(byte) && !is_delimiter(byte));
            if item == at {
                return None;
            }
            at = item;
            if self.byte(at) == close {
                return (commas > 0).then_some(at);
            }
            if self.byte(at) != b',' {
                return None;
            }
            commas += 1;
            at = self.skip(at + 1, |byte| byte == b' ');
        }
    }
}

fn starts_with_verb(text: &[u8]) -> bool {
    let verb = text.iter().position(|byte| *byte == b' ').unwrap_or(0);
    words::is_verb(text.get(..verb).unwrap_or_default())
}

fn is_sentence(text: &[u8]) -> bool {
    let (mut all, mut plain) = (0, 0);
    for word in text.split(|byte| is_space(*byte)).filter(|word| !word.is_empty()) {
        let letters = word.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        all += 1;
        if letters >= 2 && word.len() - letters <= 1 {
            plain += 1;
        }
    }
    plain >= WORDS_OF_A_SENTENCE && plain * 3 >= all * 2
}
