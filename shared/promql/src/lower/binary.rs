//! Binary operators and their matching.

use promql_parser::parser::token::{self, TokenType};
use promql_parser::parser::{BinModifier, BinaryExpr, VectorMatchCardinality};

use super::{Lowered, Lowering, Part, kind, unsupported, wrong};
use crate::plan::{Cardinality, Matching, Node, Operator, Scalar, SetOperator, Vector};

impl Lowering<'_> {
    pub(super) fn binary(&mut self, binary: &BinaryExpr) -> Lowered<Part> {
        let left = self.part(&binary.lhs)?;
        let right = self.part(&binary.rhs)?;
        let invariant = left.invariant && right.invariant;
        let (left, right) =
            if invariant { (left.node, right.node) } else { (left.settled(), right.settled()) };
        let bool = binary.return_bool();
        let modifier = binary.modifier.clone().unwrap_or_default();
        let matching = self.matching(&modifier)?;
        let node = match set_operator(binary.op) {
            Some(operator) => set(operator, bool, left, right, matching)?,
            None => between(operator(binary.op)?, bool, left, right, matching)?,
        };
        Ok(Part { node, invariant, once: invariant })
    }

    fn matching(&self, modifier: &BinModifier) -> Lowered<Matching> {
        if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
            return Err(unsupported("the modifier `fill`"));
        }
        let cardinality = match modifier.card {
            VectorMatchCardinality::ManyToOne(_) => Cardinality::ManyToOne,
            VectorMatchCardinality::OneToMany(_) => Cardinality::OneToMany,
            _ => Cardinality::OneToOne,
        };
        let on = modifier.is_matching_on();
        let labels =
            modifier.matching.as_ref().map(|matching| self.label_names(matching)).unwrap_or_default();
        let include = modifier.card.labels().map(|include| &include.labels[..]).unwrap_or_default();
        let include: Vec<_> = include.iter().map(|label| self.name(label)).collect();
        if let Some(both) =
            include.iter().find(|label| on && labels.iter().any(|matched| **matched == ***label))
        {
            return Err(wrong(format!("the label {both:?} must not be in on() and in the group modifier")));
        }
        Ok(Matching { on, labels, cardinality, include })
    }
}

fn set(operator: SetOperator, bool: bool, left: Node, right: Node, matching: Matching) -> Lowered<Node> {
    let (Node::Vector(left), Node::Vector(right)) = (left, right) else {
        return Err(wrong("set operators need two instant vectors"));
    };
    if matching.cardinality != Cardinality::OneToOne {
        return Err(wrong("set operators do not take group_left or group_right"));
    }
    if bool {
        return Err(wrong("`bool` is only possible with comparisons"));
    }
    Ok(Node::Vector(Vector::Set { operator, left: Box::new(left), right: Box::new(right), matching }))
}

fn between(operator: Operator, bool: bool, left: Node, right: Node, matching: Matching) -> Lowered<Node> {
    if bool && !operator.compares() {
        return Err(wrong("`bool` is only possible with comparisons"));
    }
    let both_vectors = matches!((&left, &right), (Node::Vector(_), Node::Vector(_)));
    if !both_vectors && !matching.labels.is_empty() {
        return Err(wrong("on() and ignoring() are only possible between two instant vectors"));
    }
    let vector = match (left, right) {
        (Node::Scalar(_), Node::Scalar(_)) if operator.compares() && !bool => {
            return Err(wrong("a comparison of two scalars needs `bool`"));
        }
        (Node::Scalar(left), Node::Scalar(right)) => {
            let (left, right) = (Box::new(left), Box::new(right));
            return Ok(Node::Scalar(Scalar::Binary { operator, left, right }));
        }
        (Node::Vector(vector), Node::Scalar(scalar)) => {
            Vector::WithScalar { operator, bool, vector: Box::new(vector), scalar, scalar_first: false }
        }
        (Node::Scalar(scalar), Node::Vector(vector)) => {
            Vector::WithScalar { operator, bool, vector: Box::new(vector), scalar, scalar_first: true }
        }
        (Node::Vector(left), Node::Vector(right)) => {
            Vector::Matched { operator, bool, left: Box::new(left), right: Box::new(right), matching }
        }
        (Node::Scalar(_) | Node::Vector(_), other) | (other, _) => {
            return Err(wrong(format!("an operator needs scalars or instant vectors, not {}", kind(&other))));
        }
    };
    Ok(Node::Vector(vector))
}

fn set_operator(operator: TokenType) -> Option<SetOperator> {
    match operator.id() {
        token::T_LAND => Some(SetOperator::And),
        token::T_LOR => Some(SetOperator::Or),
        token::T_LUNLESS => Some(SetOperator::Unless),
        _ => None,
    }
}

fn operator(operator: TokenType) -> Lowered<Operator> {
    Ok(match operator.id() {
        token::T_ADD => Operator::Add,
        token::T_SUB => Operator::Subtract,
        token::T_MUL => Operator::Multiply,
        token::T_DIV => Operator::Divide,
        token::T_MOD => Operator::Remainder,
        token::T_POW => Operator::Power,
        token::T_ATAN2 => Operator::Atan2,
        token::T_EQLC => Operator::Equal,
        token::T_NEQ => Operator::NotEqual,
        token::T_GTR => Operator::Greater,
        token::T_LSS => Operator::Less,
        token::T_GTE => Operator::GreaterOrEqual,
        token::T_LTE => Operator::LessOrEqual,
        _ => return Err(unsupported(format!("the operator {operator}"))),
    })
}
