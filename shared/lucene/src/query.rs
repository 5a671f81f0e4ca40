//! A query, and how it is written.

use std::fmt;

use crate::{Filter, NameId, ParseError, Store, Test, parse};

/// What must hold of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// All of them; none: every record.
    All(Vec<Query>),
    /// At least one.
    Any(Vec<Query>),
    /// It does not hold.
    Not(Box<Query>),
    /// A field, or without a name one of the fields of text, has this value.
    Term(Option<String>, Value),
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// All words of this text are there, in any order and case.
    Words(String),
    /// The words of this text follow each other.
    Phrase(String),
    /// A word, or the whole value, has this form: `*` stands for anything, `?` for one character, `\` before either for
    /// itself.
    Wildcard(String),
    /// It lies between: numbers as numbers, moments as moments, else by its characters. `None` is no bound.
    Range {
        /// Lower bound, and whether it counts.
        from: Option<(String, bool)>,
        /// Upper bound, and whether it counts.
        to: Option<(String, bool)>,
    },
    /// There is a value.
    Exists,
}

impl Query {
    /// Reads a query. An empty text and `*` are every record.
    ///
    /// # Errors
    /// Where the text leaves the subset, with what to write instead.
    pub fn parse(text: &str) -> Result<Query, ParseError> {
        parse::parse(text)
    }

    /// The fields it asks for, each with what it asks of it.
    #[must_use]
    pub fn fields(&self) -> Vec<(&str, &Value)> {
        match self {
            Query::All(parts) | Query::Any(parts) => parts.iter().flat_map(Query::fields).collect(),
            Query::Not(part) => part.fields(),
            Query::Term(name, value) => name.as_deref().map(|name| (name, value)).into_iter().collect(),
        }
    }

    /// The filter that finds its records in `store`. What names no field is looked for in the fields `texts`.
    #[must_use]
    pub fn filter(&self, store: &Store, texts: &[NameId]) -> Filter {
        let all = |parts: &[Query]| parts.iter().map(|part| part.filter(store, texts)).collect();
        match self {
            Query::All(parts) => Filter::All(all(parts)),
            Query::Any(parts) => Filter::Any(all(parts)),
            Query::Not(part) => Filter::Not(Box::new(part.filter(store, texts))),
            Query::Term(name, value) => {
                let names = match name {
                    Some(name) => store.name(name).into_iter().collect(),
                    None => texts.to_vec(),
                };
                Filter::Field { names, test: Test::of(value) }
            }
        }
    }
}

/// As it is read again: each group in its own parentheses.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = |f: &mut fmt::Formatter<'_>, parts: &[Query], word: &str| {
            for (place, part) in parts.iter().enumerate() {
                if place > 0 {
                    write!(f, " {word} ")?;
                }
                match part {
                    Query::All(_) | Query::Any(_) => write!(f, "({part})")?,
                    _ => write!(f, "{part}")?,
                }
            }
            Ok(())
        };
        match self {
            Query::All(parts) if parts.is_empty() => f.write_str("*"),
            Query::All(parts) => group(f, parts, "AND"),
            Query::Any(parts) => group(f, parts, "OR"),
            Query::Not(part) => match part.as_ref() {
                Query::All(_) | Query::Any(_) => write!(f, "NOT ({part})"),
                _ => write!(f, "NOT {part}"),
            },
            Query::Term(Some(name), Value::Exists) => write!(f, "_exists_:{}", escaped(name)),
            Query::Term(name, value) => {
                if let Some(name) = name {
                    write!(f, "{}:", escaped(name))?;
                }
                write!(f, "{value}")
            }
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Words(text) => f.write_str(&escaped(text)),
            Value::Phrase(text) => write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            Value::Wildcard(form) => f.write_str(&escaped_form(form)),
            Value::Range { from, to } => {
                let bound = |bound: &Option<(String, bool)>| {
                    bound.as_ref().map_or_else(
                        || "*".to_owned(),
                        |(text, _)| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
                    )
                };
                let open = if from.as_ref().is_none_or(|(_, counts)| *counts) { '[' } else { '{' };
                let close = if to.as_ref().is_none_or(|(_, counts)| *counts) { ']' } else { '}' };
                write!(f, "{open}{} TO {}{close}", bound(from), bound(to))
            }
            Value::Exists => f.write_str("*"),
        }
    }
}

/// Characters that mean something in a query.
pub(crate) const SPECIAL: &str = "+-!(){}[]^\"~*?:\\/&|<>=";

fn escaped(text: &str) -> String {
    if matches!(text, "AND" | "OR" | "NOT" | "TO") {
        return format!("\\{text}");
    }
    escape(text, SPECIAL)
}

/// A form's own escapes are already there.
fn escaped_form(form: &str) -> String {
    let special: String = SPECIAL.chars().filter(|special| !"*?\\".contains(*special)).collect();
    escape(form, &special)
}

fn escape(text: &str, special: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if special.contains(character) || character.is_whitespace() {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
