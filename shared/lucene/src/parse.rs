//! From text to a query: recursive descent, one character ahead.

use std::{iter::Peekable, str::CharIndices};

use thiserror::Error;

mod pieces;

use crate::{Query, Value};
use pieces::{Bare, compared};

/// The longest query, in bytes.
const LONGEST: usize = 8_000;
/// Parentheses within parentheses.
const DEEPEST: usize = 20;
/// Words that connect.
const OPERATORS: [&str; 3] = ["AND", "OR", "NOT"];

/// Where a query leaves the subset.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{problem} at character {position}")]
pub struct ParseError {
    /// The character, counted from 1.
    pub position: usize,
    /// What stands there.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

/// Reads a query.
pub(crate) fn parse(text: &str) -> Result<Query, ParseError> {
    let mut parser = Parser { text, characters: text.char_indices().peekable() };
    if text.len() > LONGEST {
        return Err(parser.error(
            0,
            format!("the query is longer than {LONGEST} bytes"),
            "look for less at once",
        ));
    }
    let query = parser.group(0, None)?;
    match parser.peek() {
        None => Ok(query),
        Some((at, _)) => Err(parser.error(at, "`)` closes nothing".to_owned(), "take it out, or write \\)")),
    }
}

struct Parser<'a> {
    text: &'a str,
    characters: Peekable<CharIndices<'a>>,
}

/// One part of a group.
struct Part {
    at: usize,
    /// Whether `OR` stands before it; `None` for the first.
    by_or: Option<bool>,
    negated: bool,
    required: bool,
    query: Query,
}

impl Parser<'_> {
    /// Parts up to the end or a closing parenthesis.
    fn group(&mut self, depth: usize, field: Option<&str>) -> Result<Query, ParseError> {
        let mut parts: Vec<Part> = Vec::new();
        loop {
            self.skip_spaces();
            if matches!(self.peek(), None | Some((_, ')'))) {
                return self.joined(parts, depth);
            }
            let by_or = self.connective(parts.is_empty())?;
            self.skip_spaces();
            let at = self.place();
            let (negated, required) = self.signs();
            self.skip_spaces();
            if matches!(self.peek(), None | Some((_, ')'))) {
                let problem = "nothing follows the operator".to_owned();
                return Err(self.error(
                    at,
                    problem,
                    "write what it connects, or quote it if the word itself is meant",
                ));
            }
            let query = self.clause(depth, field)?;
            let by_or = if parts.is_empty() { None } else { Some(by_or) };
            parts.push(Part { at, by_or, negated, required, query });
        }
    }

    /// Whether `OR` comes; `AND` and nothing are the same.
    fn connective(&mut self, is_first: bool) -> Result<bool, ParseError> {
        let at = self.place();
        let (found, length) = if self.is_operator("AND") {
            ("AND", 3)
        } else if self.is_operator("OR") {
            ("OR", 2)
        } else if self.rest().starts_with("&&") {
            ("AND", 2)
        } else if self.rest().starts_with("||") {
            ("OR", 2)
        } else {
            return Ok(false);
        };
        if is_first {
            let problem = format!("nothing stands before {found}");
            return Err(self.error(
                at,
                problem,
                "write what it connects, or quote it if the word itself is meant",
            ));
        }
        self.skip(length);
        Ok(found == "OR")
    }

    fn is_operator(&mut self, word: &str) -> bool {
        let after = self.rest().strip_prefix(word).map(|rest| rest.chars().next());
        after.is_some_and(|next| next.is_none_or(|next| next.is_whitespace() || "()\"".contains(next)))
    }

    /// Whether `NOT`, `-` or `!` comes, and whether `+` does.
    fn signs(&mut self) -> (bool, bool) {
        let (mut negated, mut required) = (false, false);
        loop {
            if self.is_operator("NOT") {
                self.skip(3);
                negated = !negated;
            } else if self.next_is('-') || self.next_is('!') {
                negated = !negated;
            } else if self.next_is('+') {
                required = true;
            } else {
                return (negated, required);
            }
            self.skip_spaces();
        }
    }

    fn joined(&self, parts: Vec<Part>, depth: usize) -> Result<Query, ParseError> {
        let has_or = parts.iter().any(|part| part.by_or == Some(true));
        if has_or && let Some(part) = parts.iter().find(|part| part.by_or == Some(false)) {
            let problem =
                "AND and OR stand side by side, and it is not said which belong together".to_owned();
            return Err(self.error(
                part.at,
                problem,
                "put parentheses: a AND (b OR c); words side by side are joined by AND",
            ));
        }
        if has_or && let Some(part) = parts.iter().find(|part| part.negated || part.required) {
            let problem = "a sign or NOT stands beside OR".to_owned();
            return Err(self.error(
                part.at,
                problem,
                "negate the whole: NOT (a OR b), or put AND NOT after a parenthesis",
            ));
        }
        let only_negations = !parts.is_empty() && parts.iter().all(|part| part.negated);
        if depth > 0 && only_negations {
            let at = parts.first().map_or(0, |part| part.at);
            let problem = "a parenthesis holds only negations".to_owned();
            return Err(self.error(at, problem, "negate outside of it: NOT (a OR b)"));
        }
        let negation = |part: Part| if part.negated { Query::Not(Box::new(part.query)) } else { part.query };
        let mut queries: Vec<Query> = parts.into_iter().map(negation).collect();
        match (queries.len(), has_or) {
            (1, _) => Ok(queries.remove(0)),
            (_, true) => Ok(Query::Any(queries)),
            (_, false) => Ok(Query::All(queries)),
        }
    }

    /// One part: a parenthesis, a value, or a field with either.
    fn clause(&mut self, depth: usize, field: Option<&str>) -> Result<Query, ParseError> {
        let Some((at, character)) = self.peek() else { return Ok(Query::All(Vec::new())) };
        let query = match character {
            '(' => self.parenthesis(depth, field)?,
            '"' => {
                let text = self.quoted()?;
                self.has_words(at, &text)?;
                Query::Term(field.map(str::to_owned), Value::Phrase(text))
            }
            '[' | '{' => {
                if field.is_none() {
                    let problem = "a range has no field".to_owned();
                    return Err(self.error(
                        at,
                        problem,
                        "write FIELD:[FROM TO TO], or \\[ for the character",
                    ));
                }
                Query::Term(field.map(str::to_owned), self.range()?)
            }
            _ => self.word(depth, field)?,
        };
        self.refuse_suffix()?;
        Ok(query)
    }

    fn parenthesis(&mut self, depth: usize, field: Option<&str>) -> Result<Query, ParseError> {
        let at = self.place();
        if depth >= DEEPEST {
            return Err(self.error(at, format!("more than {DEEPEST} parentheses are open"), "nest less"));
        }
        self.skip(1);
        let query = self.group(depth + 1, field)?;
        if !self.next_is(')') {
            return Err(self.error(
                at,
                "`(` is not closed".to_owned(),
                "add `)`, or write \\( for the character",
            ));
        }
        if query == Query::All(Vec::new())
            && self.text.get(at + 1..).is_some_and(|rest| rest.trim_start().starts_with(')'))
        {
            return Err(self.error(at, "the parentheses are empty".to_owned(), "take them out"));
        }
        Ok(query)
    }

    /// A word: a value, or the name of a field before a colon.
    fn word(&mut self, depth: usize, field: Option<&str>) -> Result<Query, ParseError> {
        let at = self.place();
        let bare = self.bare();
        if bare.plain.is_empty() {
            return Err(self.stray(at));
        }
        if self.next_is(':') {
            return self.field(depth, at, &bare);
        }
        if bare.form == "*" {
            return Ok(match field {
                None => Query::All(Vec::new()),
                Some(name) => Query::Term(Some(name.to_owned()), Value::Exists),
            });
        }
        if !bare.has_escape && OPERATORS.contains(&bare.plain.as_str()) {
            let problem = format!("{} stands where a word is expected", bare.plain);
            return Err(self.error(at, problem, "quote it if the word itself is meant"));
        }
        let named = || field.map(str::to_owned);
        if let (Some(_), Some(value)) = (field, compared(&bare)) {
            return Ok(Query::Term(named(), value));
        }
        if bare.has_wildcard {
            if bare.form.starts_with(['*', '?']) {
                let problem = "a wildcard leads the word".to_owned();
                return Err(self.error(
                    at,
                    problem,
                    "begin with at least one character, or look for whole words",
                ));
            }
            return Ok(Query::Term(named(), Value::Wildcard(bare.form)));
        }
        self.has_words(at, &bare.plain)?;
        Ok(Query::Term(named(), Value::Words(bare.plain)))
    }

    fn field(&mut self, depth: usize, at: usize, name: &Bare) -> Result<Query, ParseError> {
        if name.form == "*" {
            self.skip_spaces();
            return match self.bare().form.as_str() {
                "*" => Ok(Query::All(Vec::new())),
                _ => Err(self.error(at, "`*` stands for a field".to_owned(), "name the field")),
            };
        }
        if name.has_wildcard {
            return Err(self.error(
                at,
                "a wildcard stands in the name of a field".to_owned(),
                "name the field",
            ));
        }
        self.skip_spaces();
        if matches!(self.peek(), None | Some((_, ')'))) {
            let problem = format!("the field {} has no value", name.plain);
            return Err(self.error(at, problem, "write FIELD:VALUE, or \\: for the character"));
        }
        if name.plain == "_exists_" {
            let of = self.bare();
            if of.plain.is_empty() || of.has_wildcard {
                return Err(self.error(at, "_exists_ names no field".to_owned(), "write _exists_:FIELD"));
            }
            return Ok(Query::Term(Some(of.plain), Value::Exists));
        }
        self.clause(depth, Some(&name.plain))
    }
}

#[cfg(test)]
mod tests;
