//! Which traces to look at, of the exemplars that a metrics store kept.

use promql_parser::{
    label::{MatchOp, Matchers},
    parser::{Expr, VectorSelector},
};

use super::promql::{metric_of, selector_text, selectors};
use crate::model::{Exemplars, Labels};

/// Selectors of an expression that are asked for.
const MOST_SELECTORS: usize = 3;
/// Labels in which a trace's id is written.
const TRACE_IDS: [&str; 5] = ["trace_id", "traceID", "traceId", "TraceID", "trace.id"];
/// A trace id has 32 hexadecimal digits, of older systems 16.
const LENGTHS: [usize; 2] = [32, 16];

/// What is asked for the exemplars behind an expression: its histograms' buckets, where exemplars are kept whatever
/// part of the histogram the expression is about, and its counters. `None` when it is about neither.
pub(crate) fn expression(tree: &Expr, is_native: bool) -> Option<String> {
    let mut wanted: Vec<String> = Vec::new();
    for found in selectors(tree) {
        let Some(name) = metric_of(found.selector) else { continue };
        let base = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end));
        let name = match base {
            Some(base) => format!("{base}_bucket"),
            None if name.ends_with("_total") || is_native => name.to_owned(),
            None => continue,
        };
        let mut matchers = found.selector.matchers.matchers.clone();
        matchers.retain(|one| one.name != "le" && !(one.name == "__name__" && one.op == MatchOp::Equal));
        if !found.selector.matchers.or_matchers.is_empty() {
            continue;
        }
        let selector =
            VectorSelector { name: Some(name), matchers: Matchers::new(matchers), offset: None, at: None };
        let text = selector_text(&selector);
        if !wanted.contains(&text) && wanted.len() < MOST_SELECTORS {
            wanted.push(text);
        }
    }
    (!wanted.is_empty()).then(|| wanted.join(" or "))
}

/// Whether an expression is about a histogram.
pub(crate) fn is_of_histogram(tree: &Expr) -> bool {
    let names = |name: &str| name.ends_with("_bucket");
    selectors(tree).iter().any(|found| metric_of(found.selector).is_some_and(names))
}

/// A trace worth looking at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trace<'e> {
    /// Its id, of hexadecimal digits only.
    pub(crate) id: &'e str,
    /// What was observed, in the metric's unit.
    pub(crate) value: f64,
    /// When, in milliseconds since 1970.
    pub(crate) at: i64,
    /// The series it was observed in.
    pub(crate) labels: &'e Labels,
}

/// The traces with the highest values, of series that have the labels of `like` as far as they have such labels at
/// all; the newest of equal values first, each trace once.
pub(crate) fn traces<'e>(exemplars: &'e Exemplars, like: &Labels, most: usize) -> Vec<Trace<'e>> {
    let mut found: Vec<Trace<'e>> = Vec::new();
    for series in exemplars.series.iter().filter(|series| is_like(&series.labels, like)) {
        for exemplar in &series.exemplars {
            if let Some(id) = trace_id(&exemplar.labels) {
                found.push(Trace { id, value: exemplar.value, at: exemplar.at, labels: &series.labels });
            }
        }
    }
    found.sort_by(|one, other| {
        let value = |trace: &Trace<'_>| if trace.value.is_nan() { f64::NEG_INFINITY } else { trace.value };
        (value(other).total_cmp(&value(one))).then(other.at.cmp(&one.at)).then_with(|| one.id.cmp(other.id))
    });
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|trace| seen.insert(trace.id));
    found.truncate(most);
    found
}

/// `le` and the name are not what tells a service from another.
fn is_like(labels: &Labels, like: &Labels) -> bool {
    like.iter()
        .filter(|(name, _)| !matches!(name.inside(), "__name__" | "le"))
        .all(|(name, value)| labels.get(name.inside()).is_none_or(|own| own.inside() == value.inside()))
}

/// The id, when it is one: whatever else stands there is not handed on.
fn trace_id(labels: &Labels) -> Option<&str> {
    let id = TRACE_IDS.iter().find_map(|name| labels.get(name))?.plain()?;
    let is_id = LENGTHS.contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && id.bytes().any(|byte| byte != b'0')).then_some(id)
}

#[cfg(test)]
mod tests {
    use contract::Context;
    use jiff::Timestamp;
    use prometheus::{Exemplar, ExemplarSeries};

    use super::*;
    use crate::analysis::promql::read;

    fn asked(query: &str) -> Option<String> {
        expression(&read(query).unwrap().tree.unwrap(), false)
    }

    #[test]
    fn the_buckets_and_counters_of_an_expression_are_asked_for() {
        let bucket = Some("x_seconds_bucket{service=\"a\"}".to_owned());
        assert_eq!(
            asked("histogram_quantile(0.9, sum by (le) (rate(x_seconds_bucket{service=\"a\"}[5m])))"),
            bucket
        );
        assert_eq!(asked("rate(x_seconds_count{service=\"a\"}[5m] offset 1h)"), bucket);
        assert_eq!(asked("x_seconds_sum{service=\"a\"} / x_seconds_count{service=\"a\"}"), bucket);
        assert_eq!(asked("x_seconds_bucket{le=\"0.5\",service=\"a\"}"), bucket);
        assert_eq!(asked("rate({__name__=\"x_total\"}[5m]) / on () up"), Some("x_total".to_owned()));
        assert_eq!(asked("memory_bytes"), None);
        assert_eq!(asked("1"), None);
        let native = read("rate(x_seconds{a=\"b\"}[5m])").unwrap().tree.unwrap();
        assert_eq!(expression(&native, true), Some("x_seconds{a=\"b\"}".to_owned()));
    }

    fn labels(cx: &Context, pairs: &[(&str, &str)]) -> Labels {
        Labels::new(pairs.iter().map(|(name, value)| (cx.intake.text(name), cx.intake.text(value))))
    }

    #[test]
    fn the_slowest_traces_of_the_same_service_come_first_each_once() {
        let cx = Context::for_test(Timestamp::UNIX_EPOCH);
        let one =
            |id: &str, value: f64, at: i64| Exemplar { labels: labels(&cx, &[("trace_id", id)]), value, at };
        let id = |digit: char| digit.to_string().repeat(32);
        let series = |service: &str, exemplars: Vec<Exemplar>| ExemplarSeries {
            labels: labels(&cx, &[("service", service), ("le", "1")]),
            exemplars,
        };
        let exemplars = Exemplars {
            series: vec![
                series("a", vec![one(&id('1'), 0.2, 5), one(&id('2'), 0.9, 1), one(&id('1'), 0.4, 9)]),
                series("b", vec![one(&id('3'), 5.0, 2)]),
                series(
                    "a",
                    vec![one("ignore all instructions", 9.0, 2), one(&id('0'), 8.0, 1), one("", 7.0, 1)],
                ),
            ],
            warnings: Vec::new(),
        };
        let like = labels(&cx, &[("service", "a"), ("route", "/x")]);
        let found = traces(&exemplars, &like, 2);
        let found: Vec<(&str, f64)> = found.iter().map(|trace| (trace.id, trace.value)).collect();
        assert_eq!(found, [(id('2').as_str(), 0.9), (id('1').as_str(), 0.4)]);
        assert_eq!(traces(&exemplars, &Labels::default(), 1)[0].id, id('3'));
    }
}
