//! Writing an expression as text, so that what is in a name or value stays there.
//!
//! The parser's own `Display` is for people: it drops `by ()` and writes durations its own way. This one is for
//! sending: canonical, exhaustive, and every string goes through the one function that escapes.

use std::time::{Duration, SystemTime};

use promql_parser::{
    label::{Labels, MatchOp as ParsedOp, Matcher},
    parser::{
        AtModifier, BinModifier, Expr, LabelModifier, Offset, VectorMatchCardinality, VectorSelector,
        value::ValueType,
    },
};

use super::walk::{Found, metric_of};
use crate::model::{MatchOp, label_name, selector};

/// The expression as text that parses to the same tree; `None` when part of it can't be written, which is only what
/// no reader of PromQL produces or only a dialect knows.
pub(crate) fn write(expression: &Expr) -> Option<String> {
    Some(match expression {
        Expr::Aggregate(aggregate) => {
            let grouping = aggregate.modifier.as_ref().map(grouping).unwrap_or_default();
            let param = match &aggregate.param {
                Some(param) => format!("{}, ", write(param)?),
                None => String::new(),
            };
            format!("{}{grouping}({param}{})", aggregate.op, write(&aggregate.expr)?)
        }
        Expr::Unary(unary) => format!("-{}", write(&unary.expr)?),
        Expr::Binary(binary) => {
            let modifier = match &binary.modifier {
                Some(modifier) => matching(modifier)?,
                None => String::new(),
            };
            format!("{} {}{modifier} {}", write(&binary.lhs)?, binary.op, write(&binary.rhs)?)
        }
        Expr::Paren(paren) => format!("({})", write(&paren.expr)?),
        Expr::Subquery(subquery) => {
            let step = subquery.step.map(duration).unwrap_or_default();
            let shift = shift(subquery.at.as_ref(), subquery.offset.as_ref());
            format!("{}[{}:{step}]{shift}", write(&subquery.expr)?, duration(subquery.range))
        }
        Expr::NumberLiteral(number) => self::number(number.val),
        Expr::StringLiteral(text) => string(&text.val),
        Expr::VectorSelector(found) => {
            format!("{}{}", plain(found)?, shift(found.at.as_ref(), found.offset.as_ref()))
        }
        Expr::MatrixSelector(matrix) => {
            let shift = shift(matrix.vs.at.as_ref(), matrix.vs.offset.as_ref());
            format!("{}[{}]{shift}", plain(&matrix.vs)?, duration(matrix.range))
        }
        Expr::Call(call) => {
            let arguments: Option<Vec<String>> = call.args.args.iter().map(|one| write(one)).collect();
            format!("{}({})", call.func.name, arguments?.join(", "))
        }
        Expr::Extension(_) => return None,
    })
}

/// What an expression compares with a number, such as an alert's with its threshold: all of it, also where the comparison
/// does not hold. `None` when the outermost operation is no such comparison, or answers 0 and 1 (`bool`).
pub(crate) fn without_threshold(text: &str) -> Option<String> {
    let Expr::Binary(binary) = super::read(text).ok()?.tree? else { return None };
    if !binary.op.is_comparison_operator() || binary.modifier.as_ref().is_some_and(|one| one.return_bool) {
        return None;
    }
    let compared = match (binary.lhs.value_type(), binary.rhs.value_type()) {
        (ValueType::Vector, ValueType::Scalar) => binary.lhs,
        (ValueType::Scalar, ValueType::Vector) => binary.rhs,
        _ => return None,
    };
    match *compared {
        Expr::Paren(paren) => write(&paren.expr),
        compared => write(&compared),
    }
}

/// What a selector selects at the time at which its query selects it, as a query of its own: with what its `@` and
/// `offset` and those of the subqueries around it come to. With a range, where one is given (`10m`).
pub(crate) fn at_its_time(found: &Found<'_>, range: Option<&str>) -> Option<String> {
    let by = Duration::from_millis(found.shift.earlier.unsigned_abs());
    let offset = match found.shift.earlier {
        0 => None,
        later if later < 0 => Some(Offset::Neg(by)),
        _ => Some(Offset::Pos(by)),
    };
    let range = range.map(|range| format!("[{range}]")).unwrap_or_default();
    Some(format!("{}{range}{}", plain(found.selector)?, shift(found.shift.at, offset.as_ref())))
}

/// A selector without `@` and `offset`; `None` for the alternatives of a dialect (`{a="b" or c="d"}`).
fn plain(parsed: &VectorSelector) -> Option<String> {
    if !parsed.matchers.or_matchers.is_empty() {
        return None;
    }
    Some(super::walk::selector_text(parsed))
}

/// ` by (a, b)` or ` without (a)`.
fn grouping(modifier: &LabelModifier) -> String {
    match modifier {
        LabelModifier::Include(labels) => format!(" by ({}) ", names(labels)),
        LabelModifier::Exclude(labels) => format!(" without ({}) ", names(labels)),
    }
}

fn names(labels: &Labels) -> String {
    labels.labels.iter().map(|label| label_name(label)).collect::<Vec<_>>().join(", ")
}

fn matching(modifier: &BinModifier) -> Option<String> {
    let mut text = String::new();
    if modifier.return_bool {
        text.push_str(" bool");
    }
    match &modifier.matching {
        Some(LabelModifier::Include(labels)) => text.push_str(&format!(" on ({})", names(labels))),
        Some(LabelModifier::Exclude(labels)) => text.push_str(&format!(" ignoring ({})", names(labels))),
        None => {}
    }
    match &modifier.card {
        VectorMatchCardinality::ManyToOne(labels) => {
            text.push_str(&format!(" group_left ({})", names(labels)))
        }
        VectorMatchCardinality::OneToMany(labels) => {
            text.push_str(&format!(" group_right ({})", names(labels)))
        }
        VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany => {}
    }
    // New syntax, which servers spell differently.
    let fills = modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some();
    (!fills).then_some(text)
}

fn shift(at: Option<&AtModifier>, offset: Option<&Offset>) -> String {
    let mut text = match at {
        Some(AtModifier::Start) => " @ start()".to_owned(),
        Some(AtModifier::End) => " @ end()".to_owned(),
        Some(AtModifier::At(moment)) => format!(" @ {}", seconds_since_1970(*moment)),
        None => String::new(),
    };
    match offset {
        Some(Offset::Pos(by)) => text.push_str(&format!(" offset {}", duration(*by))),
        Some(Offset::Neg(by)) => text.push_str(&format!(" offset -{}", duration(*by))),
        None => {}
    }
    text
}

/// With milliseconds, which is as exact as servers are.
fn seconds_since_1970(moment: SystemTime) -> String {
    let (sign, distance) = match moment.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => ("", after),
        Err(before) => ("-", before.duration()),
    };
    let milliseconds = distance.as_nanos().saturating_add(500_000) / 1_000_000;
    format!("{sign}{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}

/// A duration without loss, in the largest unit that divides it.
fn duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    match units.iter().find(|(size, _)| milliseconds >= *size && milliseconds.is_multiple_of(*size)) {
        Some((size, unit)) => format!("{}{unit}", milliseconds / size),
        None if milliseconds == 0 => "0s".to_owned(),
        None => format!("{milliseconds}ms"),
    }
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Inf" } else { "-Inf" }.to_owned()
    } else {
        format!("{value}")
    }
}

/// A string in double quotes: as the value of a matcher is written.
fn string(text: &str) -> String {
    let whole = selector(None, &[("a", MatchOp::Equal, text)]);
    whole.strip_prefix("{a=").and_then(|rest| rest.strip_suffix('}')).unwrap_or("\"\"").to_owned()
}

/// Whether a selector holds a matcher exactly.
pub(crate) fn holds(found: &VectorSelector, wanted: &Matcher) -> bool {
    found.matchers.matchers.contains(wanted)
        || (wanted.name == "__name__"
            && wanted.op == ParsedOp::Equal
            && metric_of(found) == Some(wanted.value.as_str()))
}

/// An expression whose series carry a mark: this value in this label. Neither may need escapes.
pub(crate) fn mark(promql: &str, label: &str, value: &str) -> String {
    format!("label_replace({promql}, \"{label}\", \"{value}\", \"\", \"\")")
}

/// Several expressions as one, each of whose series carries the key of its expression in `label`.
pub(crate) fn union(label: &str, parts: &[(String, String)]) -> String {
    parts.iter().map(|(key, promql)| mark(promql, label, key)).collect::<Vec<_>>().join(" or ")
}

/// A part of a query, cut to what a sentence can bear.
pub(crate) fn brief(text: &str) -> String {
    match text.char_indices().nth(LONGEST_PART) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

/// What a sentence can bear of a query, in characters.
pub(crate) const LONGEST_PART: usize = 100;
