//! Walking the tree of an expression. The parser's own walker skips the parameters of aggregations, so that
//! `topk(scalar(sum(rate(huge[30d]))), up)` hides what it reads; this one visits everything.

use std::time::Duration;

use promql_parser::{
    label::{MatchOp as ParsedOp, Matcher},
    parser::{AtModifier, Expr, LabelModifier, Offset, VectorSelector, token},
};

use crate::model::{MatchOp, selector};

/// A selector in an expression, and what is around it.
#[derive(Debug, Clone)]
pub(crate) struct Found<'e> {
    pub(crate) selector: &'e VectorSelector,
    /// The range in brackets, of a range vector.
    pub(crate) range: Option<Duration>,
    /// The subqueries around it, outermost first.
    pub(crate) subqueries: Vec<Around>,
    /// The function it is a direct argument of.
    pub(crate) function: Option<&'e str>,
    /// When it is evaluated, seen from the whole query: what its own `@` and `offset` and those of the subqueries
    /// around it come to.
    pub(crate) shift: Shift<'e>,
}

/// How a part of a query is moved in time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Shift<'e> {
    /// The innermost `@`, which counts instead of the query's own time.
    pub(crate) at: Option<&'e AtModifier>,
    /// So many milliseconds earlier than that; later when negative.
    pub(crate) earlier: i64,
}

impl<'e> Shift<'e> {
    /// Of something within, with these modifiers.
    fn within(self, at: Option<&'e AtModifier>, offset: Option<&Offset>) -> Shift<'e> {
        let milliseconds = |by: &Duration| i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let own = match offset {
            Some(Offset::Pos(by)) => milliseconds(by),
            Some(Offset::Neg(by)) => milliseconds(by).saturating_neg(),
            None => 0,
        };
        match at {
            Some(_) => Shift { at, earlier: own },
            None => Shift { at: self.at, earlier: self.earlier.saturating_add(own) },
        }
    }
}

/// A subquery around a selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Around {
    pub(crate) range: Duration,
    /// `None` where the query names none.
    pub(crate) resolution: Option<Duration>,
    pub(crate) yields: Yields,
}

/// How many series are left of those a selector has, by what is done with them on the way to its subquery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Yields {
    /// Each stays one.
    Each,
    /// One for each group of an aggregation.
    Groups,
    /// One, or a handful.
    One,
}

impl Found<'_> {
    /// How far back from the moments of its query it reads, besides what `offset` and `@` do.
    pub(crate) fn reach(&self) -> Duration {
        let around = self.subqueries.iter().map(|around| around.range);
        around.chain(self.range).fold(Duration::ZERO, Duration::saturating_add)
    }

    /// Whether `offset` or `@` moves it to another time than the query's.
    pub(crate) fn is_shifted(&self) -> bool {
        let offset = match &self.selector.offset {
            Some(Offset::Pos(by) | Offset::Neg(by)) => !by.is_zero(),
            None => false,
        };
        offset || self.selector.at.is_some()
    }
}

/// Every selector of an expression, in the order in which they are written.
pub(crate) fn selectors(expression: &Expr) -> Vec<Found<'_>> {
    struct Visit<'e> {
        expression: &'e Expr,
        subqueries: Vec<Around>,
        function: Option<&'e str>,
        shift: Shift<'e>,
    }

    let mut found = Vec::new();
    // A list instead of recursion: a sum of a thousand terms is a thousand deep.
    let whole = Visit { expression, subqueries: Vec::new(), function: None, shift: Shift::default() };
    let mut waiting = vec![whole];
    while let Some(Visit { expression, mut subqueries, function, mut shift }) = waiting.pop() {
        let mut of_function = None;
        let selected = match expression {
            Expr::VectorSelector(selector) => Some((selector, None)),
            Expr::MatrixSelector(matrix) => Some((&matrix.vs, Some(matrix.range))),
            _ => None,
        };
        if let Some((selector, range)) = selected {
            let shift = shift.within(selector.at.as_ref(), selector.offset.as_ref());
            found.push(Found { selector, range, subqueries: subqueries.clone(), function, shift });
        }
        match expression {
            Expr::Subquery(subquery) => {
                shift = shift.within(subquery.at.as_ref(), subquery.offset.as_ref());
                subqueries.push(Around {
                    range: subquery.range,
                    resolution: subquery.step,
                    yields: Yields::Each,
                });
            }
            Expr::Call(call) => of_function = Some(call.func.name),
            _ => {}
        }
        if let Some(around) = subqueries.last_mut()
            && around.yields == Yields::Each
        {
            // The outermost within the subquery decides.
            around.yields = yields(expression);
        }
        for child in children(expression).into_iter().rev() {
            let subqueries = subqueries.clone();
            waiting.push(Visit { expression: child, subqueries, function: of_function, shift });
        }
    }
    found
}

fn yields(expression: &Expr) -> Yields {
    match expression {
        Expr::Aggregate(aggregate) => match &aggregate.modifier {
            None => Yields::One,
            Some(LabelModifier::Include(labels)) if labels.is_empty() => Yields::One,
            Some(_) => Yields::Groups,
        },
        Expr::Call(call) if matches!(call.func.name, "scalar" | "absent" | "absent_over_time") => Yields::One,
        _ => Yields::Each,
    }
}

/// What an expression is directly made of, in the order written. Exhaustive on purpose: a new kind of expression
/// must not compile until someone says what it holds.
pub(super) fn children(expression: &Expr) -> Vec<&Expr> {
    match expression {
        Expr::Aggregate(aggregate) => {
            aggregate.param.iter().chain([&aggregate.expr]).map(AsRef::as_ref).collect()
        }
        Expr::Unary(unary) => vec![&unary.expr],
        Expr::Binary(binary) => vec![&binary.lhs, &binary.rhs],
        Expr::Paren(paren) => vec![&paren.expr],
        Expr::Subquery(subquery) => vec![&subquery.expr],
        Expr::Call(call) => call.args.args.iter().map(AsRef::as_ref).collect(),
        Expr::Extension(extension) => extension.expr.children().iter().collect(),
        Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::VectorSelector(_)
        | Expr::MatrixSelector(_) => Vec::new(),
    }
}

/// Whether the rows of an instant answer come in an order that the expression asks for.
pub(crate) fn orders_itself(expression: &Expr) -> bool {
    match expression {
        Expr::Paren(paren) => orders_itself(&paren.expr),
        Expr::Aggregate(aggregate) => matches!(aggregate.op.id(), token::T_TOPK | token::T_BOTTOMK),
        Expr::Call(call) => call.func.name.starts_with("sort"),
        _ => false,
    }
}

/// Whether the values may be moments in seconds since 1970, judging by the names in the expression.
pub(crate) fn is_moment(expression: &Expr) -> bool {
    let function = |expression: &Expr| match expression {
        Expr::Call(call) => matches!(call.func.name, "timestamp" | "time"),
        _ => false,
    };
    let mut waiting = vec![expression];
    while let Some(expression) = waiting.pop() {
        if function(expression) {
            return true;
        }
        waiting.extend(children(expression));
    }
    selectors(expression).iter().any(|found| metric_of(found.selector).is_some_and(names_moment))
}

/// Whether a metric's values may be moments, judging by its name.
pub(crate) fn names_moment(metric: &str) -> bool {
    ["time", "expiry", "expires", "not_after", "created"].iter().any(|word| metric.contains(word))
}

/// The metric a selector names, however it is written.
pub(crate) fn metric_of(selector: &VectorSelector) -> Option<&str> {
    let named = |matcher: &&Matcher| matcher.name == "__name__" && matcher.op == ParsedOp::Equal;
    let matcher = || selector.matchers.matchers.iter().find(named).map(|matcher| matcher.value.as_str());
    selector.name.as_deref().or_else(matcher).filter(|name| !name.is_empty())
}

/// How many metrics a selector is about by its text: one it names, or so many alternatives (`__name__=~"a|b"`); `None`
/// when it may be any number.
pub(crate) fn metrics_of(selector: &VectorSelector) -> Option<usize> {
    if metric_of(selector).is_some() {
        return Some(1);
    }
    let is_plain = |matcher: &&Matcher| {
        let names = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '|');
        let is_regex = matches!(matcher.op, ParsedOp::Re(_));
        is_regex && matcher.name == "__name__" && matcher.value.chars().all(names)
    };
    let matcher = selector.matchers.matchers.iter().find(is_plain)?;
    matcher.value.split('|').all(|name| !name.is_empty()).then(|| matcher.value.split('|').count())
}

/// The selector alone, as a query: without `offset` and `@`.
pub(crate) fn selector_text(parsed: &VectorSelector) -> String {
    if !parsed.matchers.or_matchers.is_empty() {
        // A dialect's; only the parser knows how to write it.
        return VectorSelector { offset: None, at: None, ..parsed.clone() }.to_string();
    }
    selector(metric_of(parsed), &matchers_of(parsed))
}

/// The matchers of a selector, without that of the metric it names.
pub(crate) fn matchers_of(parsed: &VectorSelector) -> Vec<(&str, MatchOp, &str)> {
    let metric = metric_of(parsed);
    let names_it = |matcher: &Matcher| {
        parsed.name.is_none() && matcher.name == "__name__" && Some(matcher.value.as_str()) == metric
    };
    (parsed.matchers.matchers.iter())
        .filter(|matcher| !(matcher.op == ParsedOp::Equal && names_it(matcher)))
        .map(|matcher| (matcher.name.as_str(), op(&matcher.op), matcher.value.as_str()))
        .collect()
}

fn op(parsed: &ParsedOp) -> MatchOp {
    match parsed {
        ParsedOp::Equal => MatchOp::Equal,
        ParsedOp::NotEqual => MatchOp::NotEqual,
        ParsedOp::Re(_) => MatchOp::Regex,
        ParsedOp::NotRe(_) => MatchOp::NotRegex,
    }
}
