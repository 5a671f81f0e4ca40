//! Which form a metric has.

use promql_parser::parser::{Expr, VectorSelector, token};

use crate::{
    analysis::{
        promql::{Reading, matchers_of, metric_of},
        search::families::{Family, Shape},
    },
    model::{MatchOp, selector},
};

use super::Subject;

/// How a metric is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Only grows: its rate.
    Counter,
    /// Goes up and down: its value.
    Gauge,
    /// Series of buckets: quantiles and rate.
    Classic,
    /// One series holds all buckets: quantiles and rate.
    Native,
    /// Buckets of a state: quantiles.
    GaugeHistogram,
    /// Quantiles made by the target, and the rate.
    Summary,
    /// Only `_sum` and `_count`: the mean, and the rate.
    Totals,
}

/// Endings of series' names that belong to a metric of a shorter name.
const ENDINGS: [&str; 4] = ["_bucket", "_count", "_sum", "_total"];

/// Last words of names of gauges, and of recorded series, whose sum over targets means nothing: quotients, units of what
/// has a level, moments and durations, and what was made by a function that picks or averages.
const LEVELS: [&[&str]; 4] = [
    &["ratio", "percent", "percentage", "utilization", "utilisation", "availability", "score", "version"],
    &["celsius", "fahrenheit", "kelvin", "temperature", "volts", "hertz"],
    &[
        "nanoseconds",
        "microseconds",
        "milliseconds",
        "seconds",
        "minutes",
        "hours",
        "days",
        "timestamp",
        "time",
        "age",
        "lag",
        "latency",
        "duration",
        "uptime",
    ],
    &[
        "max",
        "min",
        "avg",
        "average",
        "mean",
        "median",
        "quantile",
        "percentile",
        "stddev",
        "stdvar",
        "mad",
        "p50",
        "p75",
        "p90",
        "p95",
        "p99",
        "p999",
    ],
];

/// The selector that an expression is, when it is nothing else: no function, no range, not moved in time.
pub(crate) fn bare<'r>(reading: &'r Reading<'_>) -> Option<&'r VectorSelector> {
    let mut expression = reading.tree.as_ref()?;
    while let Expr::Paren(paren) = expression {
        expression = &paren.expr;
    }
    let Expr::VectorSelector(selector) = expression else { return None };
    let is_plain = selector.offset.is_none() && selector.at.is_none();
    (is_plain && selector.matchers.or_matchers.is_empty() && metric_of(selector).is_some())
        .then_some(selector)
}

/// The names a metric of this name may have series under, with the metric that its parts belong to first.
fn relatives(metric: &str) -> Vec<String> {
    let base = Subject::base(metric);
    let parts = ENDINGS.iter().map(|ending| format!("{base}{ending}"));
    let mut all: Vec<String> = [base.to_owned()].into_iter().chain(parts).collect();
    if !all.iter().any(|known| known == metric) {
        all.push(metric.to_owned());
    }
    all
}

/// How the metric of a bare selector is asked for, by what targets tell about its family and which series there are.
/// `None` when none of the families is its own: then nothing is known but its name.
pub(crate) fn form_of(parsed: &VectorSelector, families: &[Family]) -> Option<Subject> {
    let asked = metric_of(parsed)?;
    let matchers = || {
        let all = matchers_of(parsed).into_iter();
        all.map(|(name, op, value)| (name.to_owned(), op, value.to_owned())).collect::<Vec<_>>()
    };
    let subject = |metric: &str, form, kind: &str| {
        Some(Subject { metric: metric.to_owned(), matchers: matchers(), form, kind: kind.to_owned() })
    };
    let is_narrowed_to = |label: &str| matchers_of(parsed).iter().any(|(name, _, _)| *name == label);
    let family = families.iter().find(|family| {
        let is_member = family.members.iter().any(|member| member.inside() == asked);
        is_member || family.key == asked || family.name.inside() == asked
    })?;
    let kind = family.kind.as_str();
    let is_part = |ending: &str| asked.strip_suffix(ending) == Some(family.key.as_str());
    match family.shape {
        Shape::ClassicHistogram
        | Shape::BothHistograms
        | Shape::NativeHistogram
        | Shape::Totals
        | Shape::Summary
            if is_part("_count") || is_part("_sum") =>
        {
            subject(asked, Form::Counter, &format!("part of a {kind}"))
        }
        // One bucket is a counter of its own.
        Shape::ClassicHistogram | Shape::BothHistograms if is_part("_bucket") && is_narrowed_to("le") => {
            subject(asked, Form::Counter, &format!("bucket of a {kind}"))
        }
        Shape::ClassicHistogram => subject(&family.key, Form::Classic, kind),
        Shape::BothHistograms if is_part("_bucket") => subject(&family.key, Form::Classic, kind),
        Shape::NativeHistogram | Shape::BothHistograms => subject(&family.key, Form::Native, kind),
        Shape::GaugeHistogram => subject(&family.key, Form::GaugeHistogram, kind),
        Shape::Summary => subject(&family.key, Form::Summary, kind),
        Shape::Totals => subject(&family.key, Form::Totals, kind),
        // Of a counter in OpenMetrics the name without `_total` is the metric's, but no series bears it.
        Shape::Counter => {
            let name = family.part("_total").map_or(asked, |total| total.inside());
            subject(if family.part("").is_some() { asked } else { name }, Form::Counter, kind)
        }
        Shape::Gauge | Shape::Info | Shape::StateSet | Shape::Recorded => subject(asked, Form::Gauge, kind),
    }
}

impl Subject {
    /// What is taken for granted about a metric of which nothing is known but its name.
    pub(crate) fn by_name(parsed: &VectorSelector) -> Option<Subject> {
        let asked = metric_of(parsed)?;
        let matchers =
            matchers_of(parsed).into_iter().map(|(name, op, value)| (name.to_owned(), op, value.to_owned()));
        let (metric, form, kind) = match asked.strip_suffix("_bucket") {
            Some(base) if !base.is_empty() => (base, Form::Classic, "histogram (classic)"),
            _ if asked.ends_with("_total") => (asked, Form::Counter, "counter"),
            _ => (asked, Form::Gauge, "gauge"),
        };
        Some(Subject {
            metric: metric.to_owned(),
            matchers: matchers.collect(),
            form,
            kind: format!("{kind}, by its name"),
        })
    }

    /// The name of the metric that this series' name may be a part of.
    pub(crate) fn base(metric: &str) -> &str {
        let base =
            ENDINGS.iter().find_map(|ending| metric.strip_suffix(ending).filter(|base| !base.is_empty()));
        base.unwrap_or(metric)
    }

    /// Selectors of everything that may belong to it, for asking which of it there is.
    pub(crate) fn selectors(parsed: &VectorSelector) -> Vec<String> {
        let matchers: Vec<(&str, MatchOp, &str)> = matchers_of(parsed)
            .into_iter()
            .filter(|(name, _, _)| !["le", "quantile"].contains(name))
            .collect();
        let names = relatives(metric_of(parsed).unwrap_or_default());
        names.iter().map(|name| selector(Some(name), &matchers)).collect()
    }
}

/// Whether the values of this gauge over several targets add up to something, judging by its name.
pub(super) fn levels_add_up(metric: &str) -> bool {
    let last = metric.rsplit(|c: char| !c.is_ascii_alphanumeric()).find(|word| !word.is_empty());
    let last = last.unwrap_or_default();
    // Recorded over some time: `max5m`.
    let word =
        last.trim_end_matches(['s', 'm', 'h', 'd', 'w', 'y']).trim_end_matches(|c: char| c.is_ascii_digit());
    let spans = [last, if word.len() + 1 < last.len() { word } else { last }];
    !LEVELS.iter().copied().flatten().any(|level| spans.iter().any(|word| word.eq_ignore_ascii_case(level)))
}

/// Whether the results of an expression add up to something: sums, counts and rates of such do, quantiles, means and
/// quotients do not.
pub(crate) fn adds_up(expression: &Expr) -> bool {
    let mut expression = expression;
    loop {
        expression = match expression {
            Expr::Paren(paren) => &paren.expr,
            Expr::Unary(unary) => &unary.expr,
            Expr::Aggregate(aggregate) => match aggregate.op.id() {
                token::T_SUM | token::T_COUNT => return true,
                token::T_TOPK | token::T_BOTTOMK | token::T_LIMITK => &aggregate.expr,
                _ => return false,
            },
            Expr::Call(call) => match call.func.name {
                "rate" | "irate" | "increase" | "count_over_time" | "present_over_time"
                | "histogram_count" | "histogram_sum" | "changes" | "resets" | "xrate" | "xincrease" => {
                    return true;
                }
                // What leaves values as they are, or is linear in them.
                "sort"
                | "sort_desc"
                | "sort_by_label"
                | "sort_by_label_desc"
                | "label_replace"
                | "label_join"
                | "info"
                | "clamp_min"
                | "abs"
                | "sum_over_time"
                | "avg_over_time"
                | "last_over_time"
                | "first_over_time"
                | "delta"
                | "idelta"
                | "deriv"
                | "predict_linear"
                | "double_exponential_smoothing"
                | "xdelta"
                | "integral" => match call.args.args.first() {
                    Some(first) => first,
                    None => return false,
                },
                _ => return false,
            },
            Expr::Binary(binary) => match (binary.op.id(), &*binary.lhs, &*binary.rhs) {
                (token::T_ADD | token::T_SUB, left, right) => return adds_up(left) && adds_up(right),
                (token::T_LOR | token::T_LAND | token::T_LUNLESS, left, _) => left,
                (token::T_MUL, number, series) if is_number(number) => series,
                (token::T_MUL | token::T_DIV, series, number) if is_number(number) => series,
                (_, series, number) if binary.op.is_comparison_operator() && is_number(number) => series,
                _ => return false,
            },
            Expr::VectorSelector(selector) => return metric_of(selector).is_some_and(levels_add_up),
            Expr::MatrixSelector(range) => return metric_of(&range.vs).is_some_and(levels_add_up),
            Expr::Subquery(subquery) => &subquery.expr,
            _ => return false,
        };
    }
}

fn is_number(expression: &Expr) -> bool {
    match expression {
        Expr::NumberLiteral(_) => true,
        Expr::Paren(paren) => is_number(&paren.expr),
        Expr::Unary(unary) => is_number(&unary.expr),
        _ => false,
    }
}
