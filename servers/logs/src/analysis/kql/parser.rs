//! The parser's state, and the smallest pieces: tokens, names, lists.

use super::{
    Allowed, MAX_NESTING, Refusal,
    lexer::{Kind, Token},
    words,
};

/// What parsing a piece gives: nothing but the place behind it.
pub(super) type Parsed = Result<(), Refusal>;

/// A place in the tokens of a text.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    tokens: Vec<Token>,
    pub(super) at: usize,
    pub(super) allowed: &'a Allowed,
    /// Functions that the text declares.
    pub(super) declared: Vec<&'a str>,
}

impl<'a> Parser<'a> {
    /// # Errors
    /// When brackets are nested too deeply; so no other function here can recurse deeply.
    pub(super) fn new(
        text: &'a str,
        tokens: Vec<Token>,
        allowed: &'a Allowed,
    ) -> Result<Parser<'a>, Refusal> {
        let parser = Parser { text, tokens, at: 0, allowed, declared: Vec::new() };
        let mut depth: usize = 0;
        for token in &parser.tokens {
            match parser.written(*token) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > MAX_NESTING {
                let what = format!("brackets nested more than {MAX_NESTING} deep");
                return Err(Refusal::of(what, "take it apart with let statements").at(text, token.start));
            }
        }
        Ok(parser)
    }

    /// The token so many places on; the last one is `End`.
    pub(super) fn peek(&self, ahead: usize) -> Token {
        let end = Token { kind: Kind::End, start: self.text.len(), end: self.text.len(), glued: false };
        self.tokens.get(self.at + ahead).or(self.tokens.last()).copied().unwrap_or(end)
    }

    fn written(&self, token: Token) -> &'a str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// The text of a token; that of strings and names may look like a word of the language, so ask [`Parser::sees`].
    pub(super) fn text_at(&self, ahead: usize) -> &'a str {
        self.written(self.peek(ahead))
    }

    /// Whether the token so many places on is this keyword or mark.
    pub(super) fn sees(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek(ahead).kind, Kind::Keyword | Kind::Mark) && self.text_at(ahead) == word
    }

    /// Whether the next token is one of these keywords or marks.
    pub(super) fn sees_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.sees(0, word))
    }

    /// Takes the next token if it is this keyword or mark.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let found = self.sees(0, word);
        self.at += usize::from(found);
        found
    }

    /// Takes the next token, which must be this keyword or mark.
    pub(super) fn require(&mut self, word: &str) -> Parsed {
        if self.take(word) { Ok(()) } else { Err(self.expected(&format!("`{word}`"))) }
    }

    /// The refusal of the next token where something else belongs.
    pub(super) fn expected(&self, what: &str) -> Refusal {
        let found = match self.peek(0).kind {
            Kind::End => "the end of the text".to_owned(),
            Kind::Text => "a string".to_owned(),
            Kind::Keyword => format!("the keyword `{}`", self.text_at(0)),
            _ => format!("`{}`", self.text_at(0).escape_debug()),
        };
        let instead = match self.peek(0).kind {
            Kind::Keyword => "mend the syntax; a column with such a name is written as ['name']",
            _ => "mend the syntax",
        };
        self.refused(format!("{found} where {what} belongs"), instead)
    }

    /// A refusal of the next token.
    pub(super) fn refused(&self, what: impl Into<String>, instead: impl Into<String>) -> Refusal {
        Refusal::of(what, instead).at(self.text, self.peek(0).start)
    }

    /// Whether an identifier, or a keyword that may be one, is so many places on.
    pub(super) fn sees_name(&self, ahead: usize) -> bool {
        match self.peek(ahead).kind {
            Kind::Name => true,
            Kind::Keyword => words::also_name(self.text_at(ahead)),
            _ => false,
        }
    }

    /// Whether `['a name']` is so many places on.
    pub(super) fn sees_quoted_name(&self, ahead: usize) -> bool {
        let plain = self.text_at(ahead + 1).starts_with(['\'', '"']);
        self.sees(ahead, "[") && self.peek(ahead + 1).kind == Kind::Text && plain && self.sees(ahead + 2, "]")
    }

    /// Tokens of the name so many places on; 0 when there is none.
    pub(super) fn name_length(&self, ahead: usize) -> usize {
        if self.sees_quoted_name(ahead) { 3 } else { usize::from(self.sees_name(ahead)) }
    }

    /// Takes a name.
    pub(super) fn name(&mut self) -> Parsed {
        match self.name_length(0) {
            0 => Err(self.expected("a name")),
            length => {
                self.at += length;
                Ok(())
            }
        }
    }

    /// Takes an identifier that is not in brackets, and gives it.
    pub(super) fn plain_name(&mut self) -> Result<&'a str, Refusal> {
        if !self.sees_name(0) {
            return Err(self.expected("a name of letters and digits"));
        }
        let name = self.text_at(0);
        self.at += 1;
        Ok(name)
    }

    /// The byte behind the last token that was taken.
    pub(super) fn behind(&self) -> usize {
        self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |token| token.end)
    }

    /// Whether the last token that was taken is this mark.
    pub(super) fn took(&self, mark: &str) -> bool {
        self.at
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .is_some_and(|token| token.kind == Kind::Mark && self.written(*token) == mark)
    }

    /// Takes a token of this kind.
    pub(super) fn token(&mut self, kind: Kind, what: &str) -> Parsed {
        if self.peek(0).kind != kind {
            return Err(self.expected(what));
        }
        self.at += 1;
        Ok(())
    }

    /// Whether the next token ends any list.
    pub(super) fn ends(&self) -> bool {
        self.peek(0).kind == Kind::End || self.sees_any(&[")", "]", "}", "|", ";"])
    }

    /// One element or more, with commas between them.
    pub(super) fn list(&mut self, element: impl Fn(&mut Parser<'a>) -> Parsed) -> Parsed {
        element(self)?;
        while self.take(",") {
            element(self)?;
        }
        Ok(())
    }

    /// As [`Parser::list`], or nothing before the end of a list.
    pub(super) fn list_or_nothing(&mut self, element: impl Fn(&mut Parser<'a>) -> Parsed) -> Parsed {
        if self.ends() { Ok(()) } else { self.list(element) }
    }

    /// A name, possibly with `*` in it, as of columns or tables: `Logs*`, `*_time`.
    pub(super) fn wildcard_name(&mut self) -> Parsed {
        let starts = self.sees(0, "*");
        let continues = self.peek(0).kind == Kind::Name && self.sees(1, "*") && self.peek(1).glued;
        if !starts && !continues {
            return self.name();
        }
        self.at += 1;
        while self.peek(0).glued && (self.sees(0, "*") || self.peek(0).kind == Kind::Name) {
            self.at += 1;
        }
        Ok(())
    }

    /// `(a: string, b: long)`.
    pub(super) fn schema(&mut self) -> Parsed {
        self.require("(")?;
        self.list(|parser| {
            parser.name()?;
            parser.require(":")?;
            parser.type_name()
        })?;
        self.require(")")
    }

    /// A type of a column.
    pub(super) fn type_name(&mut self) -> Parsed {
        if self.sees_any(words::TYPES) {
            self.at += 1;
            return Ok(());
        }
        Err(self.expected("a type such as string, long, real, datetime, timespan, bool or dynamic"))
    }
}
