//! Why an expression may give nothing although its selectors have series.

use promql_parser::parser::{BinaryExpr, Expr, value::ValueType};

use super::walk::{children, selector_text, selectors};

/// Functions that need two samples in their range.
const NEED_TWO: [&str; 7] = ["rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear"];

/// Something in an expression that may let nothing through.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    /// A comparison of series with a number, without `bool`.
    Comparison {
        /// The series' side, as a query.
        series: String,
        /// The operator, such as `>`.
        operator: String,
        /// The number.
        number: f64,
        /// Whether the number stands on the left.
        number_first: bool,
    },
    /// `and` or `unless`.
    Set(String),
    /// An operation between series of both sides, of which no two have equal labels. The operator.
    Matching(String),
    /// `absent` or `absent_over_time`, which answer only while their series do not exist.
    Absent,
}

/// What may let nothing through, outermost first.
pub(crate) fn filters(expression: &Expr) -> Vec<Filter> {
    let mut found = Vec::new();
    let mut waiting = vec![expression];
    while let Some(expression) = waiting.pop() {
        match expression {
            Expr::Binary(binary) => found.extend(filter(binary)),
            Expr::Call(call) if call.func.name.starts_with("absent") => found.push(Filter::Absent),
            _ => {}
        }
        waiting.extend(children(expression).into_iter().rev());
    }
    found
}

fn filter(binary: &BinaryExpr) -> Option<Filter> {
    let operator = binary.op.to_string();
    if binary.op.is_set_operator() {
        return (operator != "or").then_some(Filter::Set(operator));
    }
    let is_series = |side: &Expr| side.value_type() == ValueType::Vector;
    if is_series(&binary.lhs) && is_series(&binary.rhs) {
        return Some(Filter::Matching(operator));
    }
    if !binary.op.is_comparison_operator() || binary.return_bool() {
        return None;
    }
    let comparison = |series: &Expr, number: &Expr, number_first| {
        let (series, number) = (series.to_string(), number_of(number)?);
        Some(Filter::Comparison { series, operator: operator.clone(), number, number_first })
    };
    comparison(&binary.lhs, &binary.rhs, false).or_else(|| comparison(&binary.rhs, &binary.lhs, true))
}

fn number_of(expression: &Expr) -> Option<f64> {
    match expression {
        Expr::NumberLiteral(number) => Some(number.val),
        Expr::Paren(paren) => number_of(&paren.expr),
        Expr::Unary(unary) => number_of(&unary.expr).map(|value| -value),
        _ => None,
    }
}

/// A range that may hold fewer than the two samples its function needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Short {
    pub(crate) function: String,
    /// The selector, as a query.
    pub(crate) selector: String,
    /// The range, in seconds.
    pub(crate) range: f64,
}

/// Ranges below `longest` seconds of functions that need two samples.
pub(crate) fn short_windows(expression: &Expr, longest: f64) -> Vec<Short> {
    let short = selectors(expression).into_iter().filter_map(|found| {
        let (function, range) = (found.function?, found.range?.as_secs_f64());
        let is_short = NEED_TWO.contains(&function) && range < longest;
        is_short.then(|| Short {
            function: function.to_owned(),
            selector: selector_text(found.selector),
            range,
        })
    });
    short.collect()
}
