//! Texts of queries as this backend writes them: values are parameters, names are quoted.

use std::fmt::Write as _;

use contract::TimeRange;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// A query with its parameters.
#[derive(Debug, Clone, Default)]
pub(super) struct Kql {
    /// Type and literal of `p0`, `p1` and so on.
    parameters: Vec<(&'static str, String)>,
    /// Statements before the query, each with its semicolon.
    pub(super) statements: String,
    /// The query itself.
    pub(super) text: String,
    /// The time that the server limits the query to as well, with its column, where there is one column of time.
    pub(super) scope: Option<(String, TimeRange)>,
}

impl Kql {
    /// A query without parameters, yet.
    pub(super) fn of(text: String) -> Kql {
        Kql { text, ..Kql::default() }
    }

    /// A parameter of text; gives its name.
    pub(super) fn string(&mut self, value: &str) -> String {
        self.parameter("string", quoted(value))
    }

    /// A parameter that is a moment.
    pub(super) fn datetime(&mut self, moment: Timestamp) -> String {
        self.parameter("datetime", format!("datetime({moment:.7})"))
    }

    /// A parameter that is a whole number.
    pub(super) fn long(&mut self, number: i64) -> String {
        self.parameter("long", format!("long({number})"))
    }

    /// A parameter that is a number.
    pub(super) fn real(&mut self, number: f64) -> String {
        self.parameter("real", format!("real({number})"))
    }

    fn parameter(&mut self, of: &'static str, literal: String) -> String {
        let known = self.parameters.iter().position(|parameter| *parameter == (of, literal.clone()));
        let number = known.unwrap_or(self.parameters.len());
        if known.is_none() {
            self.parameters.push((of, literal));
        }
        format!("p{number}")
    }

    /// Adds an operator on a line of its own.
    pub(super) fn pipe(&mut self, operator: &str) {
        self.text.push_str("\n| ");
        self.text.push_str(operator);
    }

    /// The text as sent: parameters are declared, their values come beside it.
    pub(super) fn sent(&self) -> String {
        self.with_parameters(|(of, _)| (*of).to_owned())
    }

    /// The text for evidence: the values are defaults of the declarations, so that a person can run it as it is.
    pub(super) fn shown(&self) -> String {
        self.with_parameters(|(of, literal)| format!("{of} = {literal}"))
    }

    fn with_parameters(&self, write: impl Fn(&(&'static str, String)) -> String) -> String {
        let mut text = String::new();
        let declared: Vec<String> = self
            .parameters
            .iter()
            .enumerate()
            .map(|(number, parameter)| format!("p{number}: {}", write(parameter)))
            .collect();
        if !declared.is_empty() {
            let _ = writeln!(text, "declare query_parameters({});", declared.join(", "));
        }
        text.push_str(&self.statements);
        text.push_str(&self.text);
        text
    }

    /// The values, for `Parameters` of a request: each a literal of its type.
    pub(super) fn values(&self) -> Value {
        let values = self.parameters.iter().enumerate();
        Value::Object(
            values
                .map(|(number, (_, literal))| (format!("p{number}"), literal.clone().into()))
                .collect::<Map<_, _>>(),
        )
    }
}

/// A string literal. Everything that is not plain is escaped, so that no reader can end it elsewhere.
pub(super) fn quoted(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    literal.push('"');
    for character in value.chars() {
        match character {
            '"' | '\'' | '\\' => {
                literal.push('\\');
                literal.push(character);
            }
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            ' '..='~' => literal.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    let _ = write!(literal, "\\u{unit:04x}");
                }
            }
        }
    }
    literal.push('"');
    literal
}

/// A name of a table or column.
pub(super) fn name(name: &str) -> String {
    format!("[{}]", quoted(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::kql::{Allowed, check};

    #[test]
    fn values_are_parameters_in_what_is_sent_and_defaults_in_what_is_shown() {
        let mut kql = Kql::default();
        let (text, number) = (kql.string("it's"), kql.long(5));
        assert_eq!(kql.string("it's"), text);
        kql.text = format!("T | where x == {text} | take {number}");
        assert_eq!(
            kql.sent(),
            "declare query_parameters(p0: string, p1: long);\nT | where x == p0 | take p1"
        );
        assert_eq!(
            kql.shown(),
            "declare query_parameters(p0: string = \"it\\'s\", p1: long = long(5));\nT | where x == p0 | take p1"
        );
        assert_eq!(kql.values().to_string(), r#"{"p0":"\"it\\'s\"","p1":"long(5)"}"#);
    }

    proptest! {
        /// One string for the guard's lexer, whatever is in it, with nothing behind.
        #[test]
        fn a_quoted_value_is_one_string(value in any::<String>()) {
            let allowed = Allowed::default();
            let text = format!("T | where x == {} | take 1", quoted(&value));
            prop_assert!(check(&text, &allowed).is_ok(), "{text}");
            let named = format!("{} | where {} == 1", name(&value), name(&value));
            prop_assert!(check(&named, &allowed).is_ok(), "{named}");
        }
    }
}
