//! Where a rejected query is wrong, and what usually helps.

use contract::nearest;

use super::{Reading, lex::Kind};

/// How much of the line is shown before and after the fault, in characters.
const BEFORE: usize = 60;
const AFTER: usize = 30;

/// The line of the query at `line` and `column` (from 1, the column in bytes, as servers count), with a caret below
/// the place.
pub(crate) fn excerpt(query: &str, line: u32, column: u32) -> Option<String> {
    let text = query.split('\n').nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let mut at = usize::try_from(column).ok()?.checked_sub(1)?.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let (before, after) = text.split_at_checked(at)?;
    let skipped = before.chars().count().saturating_sub(BEFORE);
    let head: String = before.chars().skip(skipped).map(printable).collect();
    let tail: String = after.chars().take(AFTER).map(printable).collect();
    let cut = |is_cut: bool| if is_cut { "…" } else { "" };
    let (left, right) = (cut(skipped > 0), cut(after.chars().count() > AFTER));
    let indent = " ".repeat(left.chars().count() + head.chars().count());
    Some(format!("{left}{head}{tail}{right}\n{indent}^"))
}

fn printable(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

/// Functions and keywords of VictoriaMetrics' dialect, and what says the same in PromQL.
const METRICSQL: &[(&str, &str)] = &[
    ("median_over_time", "quantile_over_time(0.5, …)"),
    ("median", "quantile(0.5, …)"),
    ("increase_pure", "increase(…)"),
    ("rate_over_sum", "sum_over_time(…) / range in seconds"),
    ("distinct_over_time", "count(count_values(\"v\", …))"),
    ("lag", "time() - timestamp(…)"),
    ("range_median", "quantile_over_time(0.5, (…)[1h:])"),
    ("topk_max", "topk(k, max_over_time(…))"),
    ("topk_avg", "topk(k, avg_over_time(…))"),
    ("topk_last", "topk(k, …)"),
    ("union", "a or b"),
    ("default", "… or vector(0)"),
    ("if", "… and …"),
    ("ifnot", "… unless …"),
    ("keep_metric_names", "nothing: functions drop the metric's name"),
    ("WITH", "the expression written out"),
    ("with", "the expression written out"),
];

/// What a server's message says (both texts), and what usually helps.
const HINTS: &[(&str, &str, &str)] = &[
    (
        "got instant vector",
        "expected type range vector",
        "add a range in brackets to the selector, as in rate(x[5m])",
    ),
    (
        "got range vector",
        "expected type instant vector",
        "reduce the range first, as rate(x[5m]) or avg_over_time(x[5m]) do, or leave the brackets away",
    ),
    (
        "for range query",
        "range vector",
        "over a time_range each step needs one value: reduce the range with rate(…) or max_over_time(…), or leave the \
         brackets away",
    ),
    (
        "expected type scalar",
        "",
        "a number belongs there: check the order of the arguments, as in histogram_quantile(0.95, …), or wrap a single \
         series in scalar(…)",
    ),
    ("unexpected end of input inside braces", "", "a } is missing"),
    ("unexpected right parenthesis", "", "there is one ) too many, or its ( is missing"),
    (
        "in label matching, expected identifier",
        "unexpected string",
        "names in quotes need Prometheus 3; older ones take {__name__=\"the.name\"}",
    ),
    ("in label matching, expected string", "", "put the label's value in double quotes, as in {job=\"api\"}"),
    ("unexpected \"=\"", "", "compare values with ==; a single = belongs in braces, as in {job=\"api\"}"),
    (
        "error parsing regexp",
        "",
        "=~ takes an RE2 expression for the whole value: .*word.* instead of *word*",
    ),
    (
        "ranges only allowed for vector selectors",
        "",
        "rate comes before sum, as in sum(rate(x[5m])); a range over an expression is a subquery and has a colon, as in \
         max_over_time(sum(x)[1h:1m])",
    ),
    ("duration", "", "durations are whole numbers with ms, s, m, h, d, w or y, such as 90s, 5m, 1h30m"),
    ("in grouping opts", "", "labels to group by stand in parentheses, as in sum by (job) (x)"),
    ("at least one non-empty matcher", "", "name a metric or a label's value; search_metrics finds names"),
    (
        "binary expression must contain only",
        "",
        "an operator takes numbers and instant vectors: reduce ranges first",
    ),
    (
        "many-to-many matching not allowed",
        "",
        "both sides have several series for the same labels: aggregate one side, or match on(…) more labels",
    ),
    (
        "found duplicate series for the match group",
        "",
        "one side has several series for the same labels: add the label that tells them apart to on(…), aggregate that \
         side, or use group_left or group_right",
    ),
    (
        "multiple matches for labels",
        "",
        "one series matches several: use group_left or group_right on the side with many",
    ),
    (
        "same labelset",
        "",
        "series became equal when labels were dropped or replaced: keep a label that tells them apart, or aggregate",
    ),
];

/// What usually helps against what the server's message says; empty when nothing is known.
pub(crate) fn hint(message: &str, reading: &Reading<'_>) -> String {
    if reading.text.contains(['“', '”', '‘', '’']) {
        return "use plain quotes (\" or ') instead of typographic ones".to_owned();
    }
    if let Some(name) = between(message, "unknown function with name \"", "\"") {
        return unknown_function(name);
    }
    if let Some(name) = between(message, "unexpected identifier \"", "\"")
        && let Some(hint) = dialect(name)
    {
        return hint;
    }
    if message.contains("unclosed left") {
        return unclosed(reading);
    }
    let found = HINTS.iter().find(|(one, other, _)| message.contains(one) && message.contains(other));
    found.map_or(String::new(), |(_, _, hint)| (*hint).to_owned())
}

fn dialect(name: &str) -> Option<String> {
    let (_, instead) = METRICSQL.iter().find(|(known, _)| *known == name)?;
    Some(format!("`{name}` is MetricsQL, which only VictoriaMetrics knows; in PromQL: {instead}"))
}

/// Which bracket is not closed.
fn unclosed(reading: &Reading<'_>) -> String {
    let mut open = Vec::new();
    for token in &reading.tokens {
        match token.kind {
            Kind::Open => open.push(token),
            Kind::Close => drop(open.pop()),
            _ => {}
        }
    }
    let Some(first) = open.first() else { return "a bracket is not closed".to_owned() };
    let column = reading.text.get(..first.at).map_or(0, |before| before.chars().count()) + 1;
    format!("the {} at character {column} is not closed", first.text)
}

fn unknown_function(name: &str) -> String {
    if let Some(hint) = dialect(name) {
        return hint;
    }
    let alike = nearest(name, FUNCTIONS.iter().chain(AGGREGATIONS).copied(), 3);
    if alike.is_empty() {
        return "PromQL has no such function".to_owned();
    }
    format!("PromQL has no such function; nearest: {}", alike.join(", "))
}

const AGGREGATIONS: &[&str] = &[
    "sum",
    "avg",
    "min",
    "max",
    "count",
    "count_values",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "quantile",
];

/// The functions of Prometheus that are not experimental, but for the arithmetic ones.
const FUNCTIONS: &[&str] = &[
    "abs",
    "absent",
    "absent_over_time",
    "avg_over_time",
    "ceil",
    "changes",
    "clamp",
    "clamp_max",
    "clamp_min",
    "count_over_time",
    "day_of_month",
    "day_of_week",
    "days_in_month",
    "delta",
    "deriv",
    "exp",
    "floor",
    "histogram_avg",
    "histogram_count",
    "histogram_fraction",
    "histogram_quantile",
    "histogram_sum",
    "hour",
    "idelta",
    "increase",
    "irate",
    "label_join",
    "label_replace",
    "last_over_time",
    "ln",
    "log10",
    "log2",
    "max_over_time",
    "min_over_time",
    "minute",
    "month",
    "predict_linear",
    "present_over_time",
    "quantile_over_time",
    "rate",
    "resets",
    "round",
    "scalar",
    "sgn",
    "sort",
    "sort_desc",
    "sqrt",
    "stddev_over_time",
    "stdvar_over_time",
    "sum_over_time",
    "time",
    "timestamp",
    "vector",
    "year",
];

/// What stands between two marks.
fn between<'m>(message: &'m str, before: &str, after: &str) -> Option<&'m str> {
    let (_, rest) = message.split_once(before)?;
    rest.split_once(after).map(|(inside, _)| inside)
}
