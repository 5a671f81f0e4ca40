//! Selectors, their modifiers, and subqueries.

use std::time::{Duration, SystemTime};

use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::{AtModifier, MatrixSelector, Offset, SubqueryExpr, VectorSelector};

use super::{Lowered, Lowering, Part, kind, wrong};
use crate::labels::NAME;
use crate::matcher::{Matcher, Test};
use crate::plan::{At, Matrix, Node, Select, Vector, When};

impl Lowering<'_> {
    pub(super) fn instant_selector(&mut self, selector: &VectorSelector) -> Lowered<Part> {
        let select = self.select(selector)?;
        let fixed = select.when.at.is_some();
        Ok(Part { node: Node::Vector(Vector::Select(select)), invariant: fixed, once: fixed })
    }

    pub(super) fn range_selector(&mut self, selector: &MatrixSelector) -> Lowered<Part> {
        let select = self.select(&selector.vs)?;
        let invariant = select.when.at.is_some();
        let node = Node::Matrix(Matrix::Select { select, range: milliseconds(selector.range) });
        Ok(Part { node, invariant, once: false })
    }

    pub(super) fn subquery(&mut self, subquery: &SubqueryExpr) -> Lowered<Part> {
        let mut inner = self.part(&subquery.expr)?;
        inner.once = inner.invariant;
        let Node::Vector(of) = inner.settled() else {
            return Err(wrong("a subquery needs an instant vector"));
        };
        let when = when(subquery.at.as_ref(), subquery.offset.as_ref());
        let node = Node::Matrix(Matrix::Subquery {
            of: Box::new(of),
            range: milliseconds(subquery.range),
            step: subquery.step.map(milliseconds),
            when,
        });
        Ok(Part { node, invariant: when.at.is_some(), once: false })
    }

    fn select(&mut self, selector: &VectorSelector) -> Lowered<Select> {
        let mut matchers = self.matchers(&selector.matchers)?;
        if let Some(name) = &selector.name {
            if matchers.iter().any(|matcher| &*matcher.name == NAME) {
                return Err(wrong(format!(
                    "the metric name must not be set twice: {name:?} and within the braces"
                )));
            }
            matchers.push(Matcher { name: NAME.into(), test: Test::Equal(name.as_str().into()) });
        }
        if matchers.iter().all(|matcher| matcher.accepts("")) {
            return Err(wrong(
                "a selector needs a metric name or a matcher that does not match the empty text",
            ));
        }
        Ok(Select { matchers, when: when(selector.at.as_ref(), selector.offset.as_ref()) })
    }

    fn matchers(&mut self, matchers: &Matchers) -> Lowered<Vec<Matcher>> {
        if !matchers.or_matchers.is_empty() {
            return Err(wrong("`or` is not possible between matchers"));
        }
        let mut all = Vec::with_capacity(matchers.matchers.len() + 1);
        for matcher in &matchers.matchers {
            let name = self.name(&matcher.name);
            let value = self.shape.meaning(&matcher.value).to_owned();
            let test = match matcher.op {
                MatchOp::Equal => Test::Equal(value.into()),
                MatchOp::NotEqual => Test::NotEqual(value.into()),
                MatchOp::Re(_) => Test::Like(self.pattern(&value)?),
                MatchOp::NotRe(_) => Test::NotLike(self.pattern(&value)?),
            };
            all.push(Matcher { name, test });
        }
        Ok(all)
    }
}

fn when(at: Option<&AtModifier>, offset: Option<&Offset>) -> When {
    let at = at.map(|at| match at {
        AtModifier::Start => At::Start,
        AtModifier::End => At::End,
        AtModifier::At(time) => At::Time(since_epoch(*time)),
    });
    let offset = match offset {
        None => 0,
        Some(Offset::Pos(back)) => milliseconds(*back),
        Some(Offset::Neg(ahead)) => -milliseconds(*ahead),
    };
    When { at, offset }
}

fn since_epoch(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => milliseconds(after),
        Err(before) => -milliseconds(before.duration()),
    }
}

/// Whole milliseconds; beyond half the range of 64 bits, half of it, so that sums of two cannot overflow.
fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).min(i64::MAX / 4)
}

/// A range vector, or what was there instead.
pub(super) fn matrix(node: Node, function: &str) -> Lowered<Matrix> {
    match node {
        Node::Matrix(matrix) => Ok(matrix),
        other => Err(wrong(format!("{function}() needs a range vector, not {}", kind(&other)))),
    }
}
