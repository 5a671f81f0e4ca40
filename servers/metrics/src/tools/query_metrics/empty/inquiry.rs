//! The look-ups behind an explanation: each counted, each cited; one that fails says nothing.

use std::time::Duration;

use contract::{Cite, Context, Draft, Evidence, TimeRange, Untrusted, nearest};
use jiff::Timestamp;
use promql_parser::{
    label::{MatchOp as ParsedOp, Matcher},
    parser::token::T_EQL_REGEX,
};

use crate::{
    backend::Metrics,
    model::{MatchOp, QueryOptions, selector},
};

/// Names of metrics that are looked through, and values of a label.
const MOST_NAMES: usize = 10_000;
const MOST_VALUES: usize = 1_000;
/// Of the nearest names and the values, so many are said.
const NEAREST: usize = 3;
const VALUES: usize = 6;
/// Samples of a longer window are not counted.
const LONGEST_COUNTED: f64 = 86_400.0;

/// Asks, as long as look-ups are left.
pub(super) struct Inquiry<'a> {
    pub(super) cx: &'a Context,
    pub(super) store: &'a dyn Metrics,
    pub(super) end: Timestamp,
    pub(super) left: usize,
    pub(super) draft: Draft,
}

/// What the names of metrics say about one.
pub(super) struct Names {
    pub(super) known: bool,
    pub(super) nearest: Vec<Untrusted>,
    pub(super) cite: Cite,
}

/// Why a matcher lets no series through.
pub(super) struct Fault {
    pub(super) statement: String,
    pub(super) cite: Cite,
    /// The nearest value, where it may stand in a query.
    pub(super) nearest: Option<String>,
    /// Whether the value would match as a regular expression.
    pub(super) is_regex: bool,
}

/// The latest sample, if there is one.
pub(super) struct Sample {
    pub(super) at: Option<Timestamp>,
    pub(super) cite: Cite,
}

impl Inquiry<'_> {
    fn take(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        Some(())
    }

    fn cite(&mut self, query: String) -> Cite {
        let evidence = Evidence::new(self.store.system(), query);
        self.draft.cite(evidence)
    }

    /// One number at the end of the window: `None` when the look-up failed, `Some(None)` when it gave nothing.
    async fn number(&mut self, query: String) -> Option<(Option<f64>, Cite)> {
        self.take()?;
        let reply = self.store.instant(self.cx, &query, self.end, QueryOptions::default()).await.ok()?;
        let value = reply.data.series().first().and_then(|one| one.points.first()).map(|point| point.value);
        let cite = self.draft.cite(Evidence::new(self.store.system(), query).at(self.end));
        Some((value, cite))
    }

    /// Whether there is such a metric, else the nearest.
    pub(super) async fn names(&mut self, metric: &str) -> Option<Names> {
        self.take()?;
        let names = self.store.label_values(self.cx, "__name__", &[], None, MOST_NAMES).await.ok()?;
        let known = names.items.iter().any(|name| name.inside() == metric);
        if !known && names.more {
            // Not among the first ten thousand: whether it exists is for the next look-up to say.
            return None;
        }
        let alike = nearest(metric, names.items.iter().map(|name| name.inside()), NEAREST);
        let found = |name: &&str| names.items.iter().find(|item| item.inside() == *name).cloned();
        let nearest = alike.iter().filter_map(found).collect();
        let cite = self.cite("/api/v1/label/__name__/values".to_owned());
        Some(Names { known, nearest, cite })
    }

    /// The series of each of these metrics now.
    pub(super) async fn counts(&mut self, metrics: &[Untrusted]) -> Vec<(Untrusted, u64)> {
        let names: Vec<&str> = metrics.iter().filter_map(|name| name.plain()).collect();
        if names.is_empty() || self.take().is_none() {
            return Vec::new();
        }
        let pattern = names.iter().map(|name| name.replace('.', "\\.")).collect::<Vec<_>>().join("|");
        let query = format!("count by (__name__) ({})", selector(None, &[("__name__", MatchOp::Regex, &pattern)]));
        let reply = self.store.instant(self.cx, &query, self.end, QueryOptions::default()).await;
        let Ok(reply) = reply else { return Vec::new() };
        let _ = self.draft.cite(Evidence::new(self.store.system(), query).at(self.end));
        let count = |one: &crate::model::Series| Some((one.labels.name()?.clone(), one.points.first()?.value as u64));
        reply.data.series().iter().filter_map(count).collect()
    }

    /// Whether any series has ever matched, as far as data is kept.
    pub(super) async fn exists(&mut self, selector: &str) -> Option<(bool, Cite)> {
        self.take()?;
        let names = self.store.label_values(self.cx, "__name__", &[selector], None, 1).await.ok()?;
        let cite = self.cite(format!("/api/v1/label/__name__/values match[]={selector}"));
        Some((!names.items.is_empty(), cite))
    }

    /// What is wrong with one matcher, judged by the values its label has.
    pub(super) async fn fault(&mut self, metric: Option<&str>, matcher: &Matcher) -> Option<Fault> {
        self.take()?;
        let of = metric.map(|metric| selector(Some(metric), &[]));
        let matches: Vec<&str> = of.as_deref().into_iter().collect();
        let values = self.store.label_values(self.cx, &matcher.name, &matches, None, MOST_VALUES).await.ok()?;
        if values.more || matcher.is_match("") || values.items.iter().any(|value| matcher.is_match(value.inside())) {
            return None;
        }
        let on = of.as_ref().map_or(String::new(), |metric| format!(" on {metric}"));
        let cite = self.cite(match &of {
            Some(metric) => format!("/api/v1/label/{}/values match[]={metric}", matcher.name),
            None => format!("/api/v1/label/{}/values", matcher.name),
        });
        if values.items.is_empty() {
            return Some(self.no_label(&matcher.name, &matches, &on, cite).await);
        }
        let is_regex = matcher.op == ParsedOp::Equal && reads_as_regex(matcher, &values.items);
        let alike = nearest(&matcher.value, values.items.iter().map(|value| value.inside()), NEAREST);
        let first = alike.first().and_then(|first| values.items.iter().find(|value| value.inside() == *first));
        let shown: Vec<String> = match alike.is_empty() {
            false => alike.iter().filter_map(|one| values.items.iter().find(|value| value.inside() == *one)).map(|value| value.shown(80)).collect(),
            true => values.items.iter().take(VALUES).map(|value| value.shown(80)).collect(),
        };
        let which = if alike.is_empty() { format!("its {} values include", values.items.len()) } else { "nearest".to_owned() };
        let statement = if is_regex {
            format!("{matcher} compares the whole text{on}; as a regular expression, with =~, it has matches")
        } else {
            format!("no value of label {}{on} fits {matcher}; {which}: {}", matcher.name, shown.join(", "))
        };
        let nearest = first.and_then(|value| value.plain()).map(str::to_owned);
        Some(Fault { statement, cite, nearest: nearest.filter(|_| matcher.op == ParsedOp::Equal), is_regex })
    }

    async fn no_label(&mut self, label: &str, matches: &[&str], on: &str, cite: Cite) -> Fault {
        let mut statement = format!("there is no label {label}{on}");
        let mut cite = cite;
        if self.take().is_some()
            && let Ok(names) = self.store.label_names(self.cx, matches, None, MOST_VALUES).await
        {
            let known: Vec<&Untrusted> = names.items.iter().filter(|name| name.inside() != "__name__").collect();
            let shown: Vec<String> = known.iter().take(12).map(|name| name.shown(80)).collect();
            if !shown.is_empty() {
                statement.push_str(&format!("; its labels: {}", shown.join(", ")));
                let query = matches.first().map_or(String::new(), |one| format!(" match[]={one}"));
                cite = self.cite(format!("/api/v1/labels{query}"));
            }
        }
        Fault { statement, cite, nearest: None, is_regex: false }
    }

    /// How many series have a sample within the last `range` seconds, or are current when there is none.
    pub(super) async fn present(&mut self, selector: &str, range: Option<f64>) -> Option<(u64, Cite)> {
        let query = match range {
            Some(range) if range <= LONGEST_COUNTED => {
                let range = contract::duration_text(range.ceil().max(1.0));
                format!("count(last_over_time({selector}[{range}]))")
            }
            _ => format!("count({selector})"),
        };
        let (value, cite) = self.number(query).await?;
        Some((value.map_or(0, |value| value as u64), cite))
    }

    /// When the latest sample of the last 7 days was. `timestamp` of a subquery's selector is that of the sample;
    /// of `last_over_time` it would be that of the evaluation.
    pub(super) async fn last_seen(&mut self, selector: &str) -> Option<Sample> {
        let (value, cite) = self.number(format!("max(max_over_time(timestamp({selector})[7d:5m]))")).await?;
        let at = value.and_then(|seconds| Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok());
        Some(Sample { at, cite })
    }

    /// How far the samples of these series are apart, in seconds.
    pub(super) async fn interval(&mut self, selector: &str) -> Option<(f64, Cite)> {
        let (value, cite) = self.number(format!("max(count_over_time({selector}[10m]))")).await?;
        value.filter(|samples| *samples >= 1.0).map(|samples| (600.0 / samples, cite))
    }

    /// The highest or lowest value of an expression.
    pub(super) async fn extreme(&mut self, function: &str, series: &str) -> Option<(f64, Cite)> {
        let (value, cite) = self.number(format!("{function}({series})")).await?;
        value.map(|value| (value, cite))
    }
}

/// Whether the value, which is compared as a text, would match some value as a regular expression.
fn reads_as_regex(matcher: &Matcher, values: &[Untrusted]) -> bool {
    let looks_like_one = matcher.value.contains(['*', '|', '+', '[', '(', '\\']) || matcher.value.contains("..");
    let regex = Matcher::new_matcher(T_EQL_REGEX, matcher.name.clone(), matcher.value.clone());
    looks_like_one && regex.is_ok_and(|regex| values.iter().any(|value| regex.is_match(value.inside())))
}

/// The half hour before a moment, and a little after it.
pub(super) fn before(at: Timestamp) -> Option<TimeRange> {
    let start = at.checked_sub(Duration::from_secs(1_800)).ok()?;
    let end = at.checked_add(Duration::from_secs(300)).ok()?;
    TimeRange::new(start, end).ok()
}
