//! What an expression computes, in one line, and the parts it is made of.

use std::collections::VecDeque;

use contract::duration_text;
use promql_parser::parser::{
    AggregateExpr, AtModifier, BinaryExpr, Call, Expr, LabelModifier, Offset, VectorSelector, token,
    value::ValueType,
};

use super::{
    walk::{children, selector_text},
    write::write,
};

/// Words of a description at most, in characters.
const LONGEST: usize = 320;

/// What an expression computes: `ratio of: sum by (service) of rate per second over 5m of a{code=~"5.."} ÷ …`. `None`
/// when that would only repeat it.
pub(crate) fn describe(expression: &Expr) -> Option<String> {
    let bare = |expression: &Expr| {
        matches!(expression, Expr::VectorSelector(_) | Expr::NumberLiteral(_) | Expr::StringLiteral(_))
    };
    if bare(without_parens(expression)) {
        return None;
    }
    let text = said(expression, 0);
    let is_ratio =
        matches!(without_parens(expression), Expr::Binary(binary) if binary.op.id() == token::T_DIV);
    let text = if is_ratio { format!("ratio of: {text}") } else { text };
    let cut: String = text.chars().take(LONGEST).collect();
    Some(if cut.len() < text.len() { format!("{cut}…") } else { cut })
}

fn without_parens(expression: &Expr) -> &Expr {
    let mut expression = expression;
    while let Expr::Paren(paren) = expression {
        expression = &paren.expr;
    }
    expression
}

/// Deeper parts are written as they are.
const DEEPEST: usize = 12;

fn said(expression: &Expr, depth: usize) -> String {
    if depth > DEEPEST {
        return write(expression).unwrap_or_else(|| "…".to_owned());
    }
    let next = |expression: &Expr| said(expression, depth + 1);
    match expression {
        Expr::Aggregate(aggregate) => aggregated(aggregate, &next),
        Expr::Unary(unary) => format!("minus {}", next(&unary.expr)),
        Expr::Binary(binary) => combined(binary, &next),
        Expr::Paren(paren) => match without_parens(&paren.expr) {
            Expr::Binary(_) => format!("({})", next(&paren.expr)),
            _ => next(&paren.expr),
        },
        Expr::Subquery(subquery) => {
            let step = subquery.step.map_or("each evaluation interval".to_owned(), |step| {
                format!("each {}", duration_text(step.as_secs_f64()))
            });
            let range = duration_text(subquery.range.as_secs_f64());
            let shift = shifted(subquery.at.as_ref(), subquery.offset.as_ref());
            format!("over {range}{shift}, {step}, of ({})", next(&subquery.expr))
        }
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {
            write(expression).unwrap_or_else(|| "…".to_owned())
        }
        Expr::VectorSelector(selector) => selected(selector),
        Expr::MatrixSelector(matrix) => {
            let shift = shifted(matrix.vs.at.as_ref(), matrix.vs.offset.as_ref());
            let range = duration_text(matrix.range.as_secs_f64());
            format!("over {range}{shift} of {}", selector_text(&matrix.vs))
        }
        Expr::Call(call) => called(call, &next),
    }
}

fn selected(selector: &VectorSelector) -> String {
    let shift = shifted(selector.at.as_ref(), selector.offset.as_ref());
    format!("{}{shift}", selector_text(selector))
}

fn shifted(at: Option<&AtModifier>, offset: Option<&Offset>) -> String {
    let mut text = if at.is_some() { " at a fixed time".to_owned() } else { String::new() };
    match offset {
        Some(Offset::Pos(by)) => text.push_str(&format!(" {} earlier", duration_text(by.as_secs_f64()))),
        Some(Offset::Neg(by)) => text.push_str(&format!(" {} later", duration_text(by.as_secs_f64()))),
        None => {}
    }
    text
}

fn aggregated(aggregate: &AggregateExpr, next: &dyn Fn(&Expr) -> String) -> String {
    let grouping = match &aggregate.modifier {
        Some(LabelModifier::Include(labels)) if !labels.is_empty() => {
            format!(" by ({})", labels.labels.join(", "))
        }
        Some(LabelModifier::Exclude(labels)) => format!(" without ({})", labels.labels.join(", ")),
        _ => String::new(),
    };
    let of = next(&aggregate.expr);
    let param = aggregate.param.as_deref().map(next).unwrap_or_default();
    match aggregate.op.id() {
        token::T_TOPK => format!("the {param} highest{grouping} of {of}"),
        token::T_BOTTOMK => format!("the {param} lowest{grouping} of {of}"),
        token::T_QUANTILE => format!("quantile {param}{grouping} of {of}"),
        token::T_COUNT => format!("number of series{grouping} of {of}"),
        token::T_COUNT_VALUES => format!("number of series{grouping} of each value of {of}"),
        _ if param.is_empty() => format!("{}{grouping} of {of}", aggregate.op),
        _ => format!("{} {param}{grouping} of {of}", aggregate.op),
    }
}

fn combined(binary: &BinaryExpr, next: &dyn Fn(&Expr) -> String) -> String {
    let (left, right) = (next(&binary.lhs), next(&binary.rhs));
    let by = match binary.modifier.as_ref().and_then(|modifier| modifier.matching.as_ref()) {
        Some(LabelModifier::Include(labels)) => format!(" with the same ({})", labels.labels.join(", ")),
        Some(LabelModifier::Exclude(labels)) if !labels.is_empty() => {
            format!(" with the same labels, leaving out ({}),", labels.labels.join(", "))
        }
        _ => String::new(),
    };
    match binary.op.id() {
        token::T_LAND => format!("{left}, only where there is one{by} of {right}"),
        token::T_LUNLESS => format!("{left}, only where there is none{by} of {right}"),
        token::T_LOR => format!("{left}, or else {right}"),
        token::T_DIV => format!("{left} ÷{by} {right}"),
        token::T_MUL => format!("{left} ×{by} {right}"),
        token::T_SUB => format!("{left} −{by} {right}"),
        _ if binary.return_bool() => format!("whether {left} {}{by} {right}", binary.op),
        _ if binary.op.is_comparison_operator() => {
            let is_number = |side: &Expr| side.value_type() == ValueType::Scalar;
            match is_number(&binary.lhs) && !is_number(&binary.rhs) {
                true => format!("{right}, only where {left} {} it", binary.op),
                false => format!("{left}, only where {}{by} {right}", binary.op),
            }
        }
        _ => format!("{left} {}{by} {right}", binary.op),
    }
}

/// Functions over a range, and what they say of it.
const OVER: [(&str, &str); 16] = [
    ("rate", "rate per second"),
    ("irate", "rate per second between the last two samples"),
    ("increase", "increase"),
    ("delta", "difference"),
    ("deriv", "slope per second"),
    ("changes", "number of changes"),
    ("resets", "number of resets"),
    ("avg_over_time", "average"),
    ("min_over_time", "lowest"),
    ("max_over_time", "highest"),
    ("sum_over_time", "sum of samples"),
    ("count_over_time", "number of samples"),
    ("last_over_time", "last sample"),
    ("present_over_time", "presence"),
    ("stddev_over_time", "standard deviation"),
    ("absent_over_time", "absence"),
];

fn called(call: &Call, next: &dyn Fn(&Expr) -> String) -> String {
    let arguments: Vec<String> = call.args.args.iter().map(|argument| next(argument)).collect();
    let name = call.func.name;
    if let (Some((_, word)), [only]) =
        (OVER.iter().find(|(function, _)| *function == name), arguments.as_slice())
    {
        return format!("{word} {only}");
    }
    match (name, arguments.as_slice()) {
        ("histogram_quantile", [q, of]) => format!("quantile {q} of the histogram {of}"),
        ("quantile_over_time", [q, of]) => format!("quantile {q} {of}"),
        ("predict_linear", [of, seconds]) => format!("the value in {seconds} s by the slope {of}"),
        ("absent", [of]) => format!("1 while there is no {of}"),
        ("label_replace" | "label_join", [of, label, ..]) => format!("{of} with label {label} rewritten"),
        ("scalar", [of]) => format!("the only value of {of}"),
        ("vector", [of]) => of.clone(),
        ("timestamp", [of]) => format!("time of the samples of {of}"),
        ("time", []) => "the time".to_owned(),
        (_, []) => format!("{name}()"),
        (_, [only]) => format!("{name} of {only}"),
        (_, several) => format!("{name}({})", several.join(", ")),
    }
}

/// A part of an expression that yields series of its own: as a query, and the places of the parts it is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) query: String,
    pub(crate) inner: Vec<usize>,
}

/// The parts of an expression that yield series, but for itself and its bare selectors, the outermost first, at most
/// so many. What is within a subquery is evaluated at other moments and left out.
pub(crate) fn pieces(expression: &Expr, most: usize) -> Vec<Piece> {
    let mut found: Vec<Piece> = Vec::new();
    let whole = |expression| children(without_parens(expression)).into_iter();
    let mut waiting: VecDeque<(&Expr, Option<usize>)> =
        whole(expression).map(|child| (child, None)).collect();
    while let Some((expression, outer)) = waiting.pop_front() {
        let expression = without_parens(expression);
        let is_whole = !matches!(expression, Expr::VectorSelector(_));
        let mut place = outer;
        if is_whole
            && expression.value_type() == ValueType::Vector
            && found.len() < most
            && let Some(query) = write(expression)
        {
            let own = found.len();
            if let Some(outer) = outer.and_then(|outer| found.get_mut(outer)) {
                outer.inner.push(own);
            }
            found.push(Piece { query, inner: Vec::new() });
            place = Some(own);
        }
        if !matches!(expression, Expr::Subquery(_)) {
            waiting.extend(whole(expression).map(|child| (child, place)));
        }
    }
    found
}
