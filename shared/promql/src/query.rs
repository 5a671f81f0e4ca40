//! A parsed query.

use promql_parser::parser::parse;
use thiserror::Error;

use crate::lex::{self, Shape};
use crate::lower::{Lowering, Refusal};
use crate::matcher::Selector;
use crate::plan::{Node, Vector};

/// A query that is understood. Parse once, evaluate as often as needed.
#[derive(Debug)]
pub struct Query {
    pub(crate) plan: Plan,
}

#[derive(Debug)]
pub(crate) enum Plan {
    Evaluable(Node),
    /// What in the query is outside the subset.
    Unsupported(String),
}

/// Why a query is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong: a fragment that reads after "failed to parse: ".
    pub message: String,
    /// Where, in bytes from the query's start, when that is known: the parser underneath does not say.
    pub position: Option<usize>,
}

impl ParseError {
    pub(crate) fn new(message: impl Into<String>, position: usize) -> ParseError {
        ParseError { message: message.into(), position: Some(position) }
    }

    fn somewhere(message: impl Into<String>) -> ParseError {
        ParseError { message: message.into(), position: None }
    }
}

impl Query {
    /// Parses a query of at most 8 KiB and 2,000 tokens, whose brackets are nested at most 64 deep.
    ///
    /// A correct query that uses something outside the subset parses; evaluating it fails and says what it was.
    ///
    /// # Errors
    /// What Prometheus would not accept either, or a query beyond these limits.
    pub fn parse(text: &str) -> Result<Query, ParseError> {
        let shape = lex::shape(text)?;
        let plan = match plan(&shape) {
            Ok(node) => Plan::Evaluable(node),
            Err(Refusal::Unsupported(what)) => Plan::Unsupported(what),
            Err(Refusal::Wrong(message)) => return Err(ParseError::somewhere(message)),
        };
        Ok(Query { plan })
    }

    /// What in this query cannot be evaluated here, if anything: for example `the function info()`.
    #[must_use]
    pub fn unsupported(&self) -> Option<&str> {
        match &self.plan {
            Plan::Unsupported(what) => Some(what),
            Plan::Evaluable(_) => None,
        }
    }
}

impl Selector {
    /// Parses a series selector without modifiers, such as `up` or `{job="api", code!~"5.."}`.
    ///
    /// # Errors
    /// Anything else, or a selector that would select every series.
    pub fn parse(text: &str) -> Result<Selector, ParseError> {
        match Query::parse(text)?.plan {
            Plan::Evaluable(Node::Vector(Vector::Select(select)))
                if select.when.at.is_none() && select.when.offset == 0 =>
            {
                Ok(Selector { matchers: select.matchers })
            }
            _ => Err(ParseError::somewhere("this is not a series selector")),
        }
    }
}

fn plan(shape: &Shape) -> Result<Node, Refusal> {
    if shape.text.is_empty() {
        return Err(Refusal::Wrong("there is no expression".into()));
    }
    if let Some(what) = shape.unsupported {
        return Err(Refusal::Unsupported(what.to_owned()));
    }
    let tree =
        parse(&shape.text).map_err(|message| Refusal::of_parser(&shape.message(&message), &shape.text))?;
    Lowering::new(shape).plan(&tree)
}

#[cfg(test)]
mod tests;
