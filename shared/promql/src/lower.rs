//! From the parser's tree to a plan: types are checked, text is put back, patterns are compiled, and what does not
//! change from step to step is marked.

mod binary;
mod call;
mod selector;

use std::sync::Arc;

use promql_parser::parser::{AggregateExpr, Expr, LabelModifier, UnaryExpr, token};

use crate::lex::Shape;
use crate::plan::{Aggregated, Aggregation, Change, Fold, Node, Scalar, Vector};

/// Expressions nested deeper are refused: each level costs stack when the query is evaluated.
const DEEPEST: usize = 100;
/// More patterns are refused: each may take milliseconds and megabytes.
const MOST_PATTERNS: usize = 64;

/// Why a tree is not planned.
#[derive(Debug)]
pub(crate) enum Refusal {
    Wrong(String),
    Unsupported(String),
}

impl Refusal {
    /// Of what the parser says. It does not know these two modifiers, which are correct but outside the subset.
    pub(crate) fn of_parser(message: &str, text: &str) -> Refusal {
        let modifier = text.split(' ').find(|word| matches!(*word, "smoothed" | "anchored"));
        match modifier {
            Some(modifier) => Refusal::Unsupported(format!("the modifier `{modifier}`")),
            None => Refusal::Wrong(message.to_owned()),
        }
    }
}

pub(crate) type Lowered<T> = Result<T, Refusal>;

/// An expression and how it changes from step to step, decided as Prometheus decides it: a query that Prometheus
/// evaluates once must not be evaluated at each step here.
#[derive(Debug)]
struct Part {
    node: Node,
    /// Its value is the same at every step.
    invariant: bool,
    /// It is worth evaluating only once.
    once: bool,
}

impl Part {
    fn constant(node: Node) -> Part {
        Part { node, invariant: true, once: false }
    }

    /// The node, to be evaluated once if that is worth it.
    fn settled(self) -> Node {
        match self.node {
            Node::Scalar(scalar) if self.once => Node::Scalar(Scalar::Invariant(Box::new(scalar))),
            Node::Vector(vector) if self.once => Node::Vector(Vector::Invariant(Box::new(vector))),
            other => other,
        }
    }
}

/// The work of planning one query.
pub(crate) struct Lowering<'s> {
    shape: &'s Shape,
    patterns: usize,
    depth: usize,
}

impl<'s> Lowering<'s> {
    pub(crate) fn new(shape: &'s Shape) -> Lowering<'s> {
        Lowering { shape, patterns: 0, depth: 0 }
    }

    /// Plans a whole query.
    ///
    /// # Errors
    /// What Prometheus would not accept, or what is outside the subset.
    pub(crate) fn plan(mut self, tree: &Expr) -> Lowered<Node> {
        Ok(self.part(tree)?.settled())
    }

    fn part(&mut self, expression: &Expr) -> Lowered<Part> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(wrong(format!("the query is nested deeper than {DEEPEST} levels")));
        }
        let part = match expression {
            Expr::NumberLiteral(number) => Ok(Part::constant(Node::Scalar(Scalar::Number(number.val)))),
            Expr::StringLiteral(text) => {
                Ok(Part::constant(Node::Text(self.shape.meaning(&text.val).to_owned())))
            }
            Expr::Paren(inner) => self.part(&inner.expr),
            Expr::Unary(unary) => self.unary(unary),
            Expr::VectorSelector(selector) => self.instant_selector(selector),
            Expr::MatrixSelector(selector) => self.range_selector(selector),
            Expr::Subquery(subquery) => self.subquery(subquery),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Call(call) => self.call(call),
            Expr::Extension(_) => Err(unsupported("this extension of the language")),
        };
        self.depth -= 1;
        part
    }

    fn unary(&mut self, unary: &UnaryExpr) -> Lowered<Part> {
        let inner = self.part(&unary.expr)?;
        let node = match inner.node {
            Node::Scalar(scalar) => Node::Scalar(Scalar::Negated(Box::new(scalar))),
            Node::Vector(vector) => {
                Node::Vector(Vector::Each { change: Change::Negate, of: Box::new(vector) })
            }
            other => return Err(wrong(format!("{} cannot be negated", kind(&other)))),
        };
        Ok(Part { node, ..inner })
    }

    fn aggregate(&mut self, aggregate: &AggregateExpr) -> Lowered<Part> {
        let (without, names) = match &aggregate.modifier {
            None => (false, Vec::new()),
            Some(modifier) => (!modifier.is_include(), self.label_names(modifier)),
        };
        let aggregation = self.aggregation(aggregate)?;
        let of = self.part(&aggregate.expr)?;
        let vector = match of.node {
            Node::Vector(vector) => vector,
            other => {
                return Err(wrong(format!(
                    "{}() needs an instant vector, not {}",
                    aggregate.op,
                    kind(&other)
                )));
            }
        };
        let node = Node::Vector(Vector::Aggregated(Aggregated {
            aggregation,
            of: Box::new(vector),
            without,
            labels: names,
        }));
        // As in Prometheus, the parameter does not count: topk(scalar(a), b @ 0) takes the first step's parameter.
        Ok(Part { node, ..of })
    }

    fn aggregation(&mut self, aggregate: &AggregateExpr) -> Lowered<Aggregation> {
        let fold = match aggregate.op.id() {
            token::T_SUM => Fold::Sum,
            token::T_AVG => Fold::Average,
            token::T_MIN => Fold::Minimum,
            token::T_MAX => Fold::Maximum,
            token::T_COUNT => Fold::Count,
            token::T_GROUP => Fold::Group,
            token::T_STDDEV => Fold::Deviation,
            token::T_STDVAR => Fold::Variance,
            token::T_QUANTILE => return Ok(Aggregation::Quantile(self.aggregation_number(aggregate)?)),
            token::T_TOPK => return Ok(Aggregation::Top(self.aggregation_number(aggregate)?)),
            token::T_BOTTOMK => return Ok(Aggregation::Bottom(self.aggregation_number(aggregate)?)),
            token::T_COUNT_VALUES => return self.count_values(aggregate),
            _ => return Err(unsupported(format!("the aggregation {}()", aggregate.op))),
        };
        Ok(Aggregation::Fold(fold))
    }

    fn aggregation_number(&mut self, aggregate: &AggregateExpr) -> Lowered<Scalar> {
        match self.aggregation_parameter(aggregate)? {
            Node::Scalar(scalar) => Ok(scalar),
            other => Err(wrong(format!("{}() needs a scalar parameter, not {}", aggregate.op, kind(&other)))),
        }
    }

    fn count_values(&mut self, aggregate: &AggregateExpr) -> Lowered<Aggregation> {
        match self.aggregation_parameter(aggregate)? {
            Node::Text(label) if !label.is_empty() => Ok(Aggregation::CountValues(label.into())),
            Node::Text(_) => Err(wrong("count_values() needs the name of a label")),
            other => Err(wrong(format!("count_values() needs the name of a label, not {}", kind(&other)))),
        }
    }

    fn aggregation_parameter(&mut self, aggregate: &AggregateExpr) -> Lowered<Node> {
        match &aggregate.param {
            Some(parameter) => Ok(self.part(parameter)?.node),
            None => Err(wrong(format!("{}() needs a parameter", aggregate.op))),
        }
    }

    fn label_names(&self, modifier: &LabelModifier) -> Vec<String> {
        modifier.labels().labels.iter().map(|name| self.shape.meaning(name).to_owned()).collect()
    }

    fn pattern(&mut self, pattern: &str) -> Lowered<regex::Regex> {
        self.patterns += 1;
        if self.patterns > MOST_PATTERNS {
            return Err(wrong(format!("the query has more than {MOST_PATTERNS} regular expressions")));
        }
        crate::pattern::compile(pattern).map_err(wrong)
    }

    fn name(&self, text: &str) -> Arc<str> {
        self.shape.meaning(text).into()
    }
}

fn wrong(message: impl Into<String>) -> Refusal {
    Refusal::Wrong(message.into())
}

fn unsupported(what: impl Into<String>) -> Refusal {
    Refusal::Unsupported(what.into())
}

/// What an expression is, for messages.
fn kind(node: &Node) -> &'static str {
    match node {
        Node::Scalar(_) => "a scalar",
        Node::Vector(_) => "an instant vector",
        Node::Matrix(_) => "a range vector",
        Node::Text(_) => "a string",
    }
}
