//! The guard of KQL that a caller writes: it lets through what only reads, and nothing it does not understand.
//!
//! A recogniser of the language, not a list of forbidden words: [`check`] cuts the text into tokens, parses statements,
//! operators and expressions, and refuses whatever it does not know. So an operator, a function or a plugin that is
//! added to the language tomorrow is refused until it is added here. What it accepts is a query without syntax errors
//! for Microsoft's own parser, and never a management command; `kql/oracle.rs` compares the two.
//!
//! The guard is the first of three bounds. Every request also carries options that make it read-only, without
//! callouts, external data and other clusters (`backend/adx.rs`), and the credential needs no more than the role of a
//! viewer of one database.

mod expression;
#[cfg(test)]
pub(crate) mod hostile;
mod lexer;
mod operators;
#[cfg(test)]
mod oracle;
mod parser;
mod reductions;
mod statements;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;

use parser::Parser;

/// Longest text, in bytes. Longer ones are not looked at.
pub(crate) const MAX_BYTES: usize = 16 * 1024;
/// Deepest nesting of brackets.
pub(crate) const MAX_NESTING: usize = 32;

/// What an operator lets queries name besides the tables of the configured database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// Databases of the same cluster for `database("…")`.
    pub(crate) databases: Vec<String>,
    /// Stored functions of the database. What they do is not seen here.
    pub(crate) functions: Vec<String>,
}

/// What kind of text was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A table or a pipeline that can be continued with `|`.
    Query,
    /// A condition for `where`, such as `Level == "Error" and Body has "timeout"`.
    Condition,
    /// Neither: names and strings that compare nothing, such as `Logs`, `timeout` or `"pool exhausted"`.
    Words,
}

/// An accepted text, without the semicolon and comments at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted<'a> {
    /// The text. A comment may be in it, but none is at its end: after a line break it can be continued.
    pub(crate) text: &'a str,
    /// What it is.
    pub(crate) form: Form,
    /// Where its last statement begins: what is before are `let` statements. Bytes.
    pub(crate) query_at: usize,
}

/// Why a text is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What is wrong.
    pub(crate) what: String,
    /// What to write instead.
    pub(crate) instead: String,
    /// From 1.
    pub(crate) line: usize,
    /// In characters, from 1.
    pub(crate) column: usize,
}

impl Refusal {
    fn of(what: impl Into<String>, instead: impl Into<String>) -> Refusal {
        Refusal { what: what.into(), instead: instead.into(), line: 0, column: 0 }
    }

    /// At a byte of the text.
    fn at(self, text: &str, byte: usize) -> Refusal {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Refusal { line: before.matches('\n').count() + 1, column: line.chars().count() + 1, ..self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}; {}", self.line, self.column, self.what, self.instead)
    }
}

/// Accepts a text that is one query or condition, after any number of `let` statements, and that only reads.
///
/// # Errors
/// The first thing that is not let through, with its place and what to write instead.
pub(crate) fn check<'a>(text: &'a str, allowed: &'a Allowed) -> Result<Accepted<'a>, Refusal> {
    if text.len() > MAX_BYTES {
        let what = format!("{} bytes of KQL; at most {MAX_BYTES} are accepted", text.len());
        return Err(Refusal::of(what, "shorten it").at(text, 0));
    }
    let tokens = lexer::tokens(text)?;
    Parser::new(text, tokens, allowed)?.whole()
}
