//! What a query is written with: words, quoted texts, ranges, and what none of them is.

use super::{ParseError, Parser};
use crate::{Value, words::words};

/// A word as it is written.
pub(super) struct Bare {
    /// Without escapes.
    pub(super) plain: String,
    /// With wildcards, and escapes of what is none.
    pub(super) form: String,
    pub(super) has_wildcard: bool,
    /// Whether an escape is in it: then it is no operator.
    pub(super) has_escape: bool,
}

impl Parser<'_> {
    pub(super) fn peek(&mut self) -> Option<(usize, char)> {
        self.characters.peek().copied()
    }

    pub(super) fn next_is(&mut self, wanted: char) -> bool {
        self.characters.next_if(|(_, character)| *character == wanted).is_some()
    }

    pub(super) fn place(&mut self) -> usize {
        let end = self.text.len();
        self.peek().map_or(end, |(at, _)| at)
    }

    pub(super) fn rest(&mut self) -> &str {
        let at = self.place();
        self.text.get(at..).unwrap_or_default()
    }

    pub(super) fn skip(&mut self, characters: usize) {
        for _ in 0..characters {
            self.characters.next();
        }
    }

    pub(super) fn skip_spaces(&mut self) {
        while self.characters.next_if(|(_, character)| character.is_whitespace()).is_some() {}
    }

    pub(super) fn error(&self, at: usize, problem: String, remedy: &str) -> ParseError {
        let position = self.text.get(..at).unwrap_or(self.text).chars().count() + 1;
        ParseError { position, problem, remedy: remedy.to_owned() }
    }

    pub(super) fn quoted(&mut self) -> Result<String, ParseError> {
        let begun = self.place();
        self.skip(1);
        let mut text = String::new();
        while let Some((_, character)) = self.characters.next() {
            match character {
                '"' => return Ok(text),
                '\\' => text.extend(self.characters.next().map(|(_, escaped)| escaped)),
                other => text.push(other),
            }
        }
        Err(self.error(begun, "`\"` is not closed".to_owned(), "add `\"`, or write \\\" for the character"))
    }

    pub(super) fn range(&mut self) -> Result<Value, ParseError> {
        let begun = self.place();
        let from_counts = self.next_is('[') || !self.next_is('{');
        let from = self.bound()?;
        self.skip_spaces();
        let wrong = "is written [FROM TO TO], with * for no bound; { and } leave the bound itself out";
        if !self.is_operator("TO") {
            return Err(self.error(begun, "the range has no TO".to_owned(), &format!("a range {wrong}")));
        }
        self.skip(2);
        let to = self.bound()?;
        self.skip_spaces();
        let to_counts = self.next_is(']');
        if !to_counts && !self.next_is('}') {
            return Err(self.error(begun, "the range is not closed".to_owned(), &format!("a range {wrong}")));
        }
        Ok(Value::Range { from: from.map(|from| (from, from_counts)), to: to.map(|to| (to, to_counts)) })
    }

    pub(super) fn bound(&mut self) -> Result<Option<String>, ParseError> {
        self.skip_spaces();
        if let Some((_, '"')) = self.peek() {
            return self.quoted().map(Some);
        }
        let at = self.place();
        let mut text = String::new();
        while let Some((_, character)) = self
            .characters
            .next_if(|(_, character)| !character.is_whitespace() && !"[]{}\"".contains(*character))
        {
            match character {
                '\\' => text.extend(self.characters.next().map(|(_, escaped)| escaped)),
                other => text.push(other),
            }
        }
        match text.as_str() {
            "" => {
                Err(self.error(at, "a bound of the range is missing".to_owned(), "write it, or * for none"))
            }
            "*" => Ok(None),
            _ => Ok(Some(text)),
        }
    }

    pub(super) fn bare(&mut self) -> Bare {
        let mut bare =
            Bare { plain: String::new(), form: String::new(), has_wildcard: false, has_escape: false };
        loop {
            let rest = self.rest();
            if rest.starts_with("&&") || rest.starts_with("||") {
                return bare;
            }
            let Some((_, character)) = self
                .characters
                .next_if(|(_, character)| !character.is_whitespace() && !"():\"[]{}^~/".contains(*character))
            else {
                return bare;
            };
            let (literal, is_wildcard) = match character {
                '\\' => (self.characters.next().map_or('\\', |(_, escaped)| escaped), false),
                '*' | '?' => (character, true),
                other => (other, false),
            };
            bare.has_escape |= character == '\\';
            bare.has_wildcard |= is_wildcard;
            bare.plain.push(literal);
            if !is_wildcard && matches!(literal, '*' | '?' | '\\') {
                bare.form.push('\\');
            }
            bare.form.push(literal);
        }
    }

    /// A character that begins nothing.
    pub(super) fn stray(&mut self, at: usize) -> ParseError {
        let character = self.peek().map_or(' ', |(_, character)| character);
        match character {
            '/' => self.error(
                at,
                "`/` begins a regular expression".to_owned(),
                "quote it: \"/path/to\", or write \\/",
            ),
            '~' | '^' => self.suffix_error(at, character),
            other => self.error(
                at,
                format!("`{other}` stands alone"),
                &format!("quote it, or write \\{other} for the character"),
            ),
        }
    }

    /// What search engines let follow a value, and is not known here.
    pub(super) fn refuse_suffix(&mut self) -> Result<(), ParseError> {
        match self.peek() {
            Some((at, character @ ('~' | '^'))) => Err(self.suffix_error(at, character)),
            Some((at, '/')) => Err(self.stray(at)),
            _ => Ok(()),
        }
    }

    pub(super) fn suffix_error(&self, at: usize, character: char) -> ParseError {
        let meaning = if character == '~' { "asks for what is similar or near" } else { "boosts" };
        let remedy = format!("take it out, or write \\{character} for the character");
        self.error(at, format!("`{character}` {meaning}, which is outside of the subset"), &remedy)
    }

    pub(super) fn has_words(&self, at: usize, text: &str) -> Result<(), ParseError> {
        match words(text).next() {
            Some(_) => Ok(()),
            None => Err(self.error(at, "there is no word to look for".to_owned(), "write letters or digits")),
        }
    }
}

/// `>10`, `<=10` after a field.
pub(super) fn compared(bare: &Bare) -> Option<Value> {
    let signs = [(">=", true, true), ("<=", false, true), (">", true, false), ("<", false, false)];
    let (sign, is_from, counts) = signs.into_iter().find(|(sign, ..)| bare.plain.starts_with(sign))?;
    let bound = bare.plain.get(sign.len()..).filter(|bound| !bound.is_empty() && !bare.has_escape)?;
    let bound = Some((bound.to_owned(), counts));
    Some(if is_from {
        Value::Range { from: bound, to: None }
    } else {
        Value::Range { from: None, to: bound }
    })
}
