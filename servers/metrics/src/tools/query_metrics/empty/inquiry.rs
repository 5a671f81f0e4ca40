//! The look-ups behind an explanation: counted, and each with its evidence; one that fails says nothing.

use std::time::Duration;

use contract::{Context, Evidence, TimeRange, Untrusted, counted, duration_text, nearest};
use jiff::Timestamp;
use promql_parser::{
    label::{MatchOp as ParsedOp, Matcher},
    parser::token::T_EQL_REGEX,
};

use crate::{
    analysis::{
        promql::{brief, mark},
        search::words::escape,
    },
    backend::Metrics,
    model::{Listing, MatchOp, QueryOptions, Series, selector},
    tools::cost::{Guard, Moments},
};

/// Names of metrics that are looked through, and values of a label.
const MOST_NAMES: usize = 10_000;
const MOST_VALUES: usize = 1_000;
/// Of the nearest names, the values and the labels, so many are said.
const NEAREST: usize = 3;
const VALUES: usize = 6;
const LABELS: usize = 12;
/// Samples of a longer window are not counted.
const LONGEST_COUNTED: f64 = 86_400.0;
/// Where the last sample is looked for: how far back, in pieces of how long, in seconds.
const DAY: (u64, u64) = (86_400, 1_800);
const WEEK: (u64, u64) = (7 * 86_400, 10_800);

/// Asks, as long as look-ups are left.
pub(super) struct Inquiry<'a> {
    cx: &'a Context,
    store: &'a dyn Metrics,
    guard: &'a Guard<'a>,
    /// The last moment of the query.
    end: Timestamp,
    left: usize,
    names: Option<Listing<Untrusted>>,
}

/// What the names of metrics say about one.
pub(super) struct Names {
    pub(super) known: bool,
    pub(super) nearest: Vec<Untrusted>,
    pub(super) evidence: Evidence,
}

/// Why a matcher lets no series through.
pub(super) struct Fault {
    pub(super) statement: String,
    pub(super) evidence: Evidence,
    /// The nearest value, where it may stand in a query.
    pub(super) nearest: Option<String>,
    /// Whether the value would match as a regular expression.
    pub(super) is_regex: bool,
}

/// When the latest sample was.
pub(super) enum Seen {
    About(Timestamp),
    Between(Timestamp, Timestamp),
    Never { since: Timestamp },
}

impl Seen {
    /// A window that holds the latest sample, and what was before it.
    pub(super) fn window(&self) -> Option<TimeRange> {
        let (from, to) = match self {
            Seen::About(at) => (*at, *at),
            Seen::Between(from, to) => (*from, *to),
            Seen::Never { .. } => return None,
        };
        let start = from.checked_sub(Duration::from_secs(1_800)).ok()?;
        TimeRange::new(start, to.checked_add(Duration::from_secs(300)).ok()?).ok()
    }
}

impl<'a> Inquiry<'a> {
    pub(super) fn new(
        cx: &'a Context,
        store: &'a dyn Metrics,
        guard: &'a Guard<'a>,
        end: Timestamp,
        look_ups: usize,
    ) -> Inquiry<'a> {
        Inquiry { cx, store, guard, end, left: look_ups, names: None }
    }

    fn take(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        Some(())
    }

    fn evidence(&self, query: impl Into<String>) -> Evidence {
        Evidence::new(self.store.system(), query)
    }

    /// One number: `None` when the look-up failed, `Some(None)` when it gave nothing.
    async fn number(&mut self, query: String, at: Timestamp) -> Option<(Option<f64>, Evidence)> {
        self.take()?;
        let reply = self.store.instant(self.cx, &query, at, QueryOptions::default()).await.ok()?;
        let value = reply.data.series().first().and_then(|one| one.points.first()).map(|point| point.value);
        Some((value, self.evidence(query).at(at)))
    }

    /// Whether there is such a metric, else the nearest.
    pub(super) async fn names(&mut self, metric: &str) -> Option<Names> {
        if self.names.is_none() {
            self.take()?;
            self.names = self.store.label_values(self.cx, "__name__", &[], None, MOST_NAMES).await.ok();
        }
        let names = self.names.as_ref()?;
        let known = names.items.iter().any(|name| name.inside() == metric);
        if !known && names.more {
            // Not among the first ten thousand: whether it exists is for the next look-up to say.
            return None;
        }
        let alike = nearest(metric, names.items.iter().map(|name| name.inside()), NEAREST);
        let nearest = alike.iter().filter_map(|alike| find(&names.items, alike)).cloned().collect();
        Some(Names { known, nearest, evidence: self.evidence("/api/v1/label/__name__/values") })
    }

    /// The series of each of these metrics.
    pub(super) async fn counts(
        &mut self,
        metrics: &[Untrusted],
    ) -> (Vec<(Untrusted, u64)>, Option<Evidence>) {
        let names: Vec<&str> = metrics.iter().filter_map(|name| name.plain()).collect();
        if names.is_empty() || self.take().is_none() {
            return (Vec::new(), None);
        }
        let pattern = names.iter().map(|name| escape(name)).collect::<Vec<_>>().join("|");
        let query =
            format!("count by (__name__) ({})", selector(None, &[("__name__", MatchOp::Regex, &pattern)]));
        let reply = self.store.instant(self.cx, &query, self.end, QueryOptions::default()).await;
        let Ok(reply) = reply else { return (Vec::new(), None) };
        let count = |one: &Series| Some((one.labels.name()?.clone(), one.points.first()?.value as u64));
        let counts = reply.data.series().iter().filter_map(count).collect();
        (counts, Some(self.evidence(query).at(self.end)))
    }

    /// Whether any series has ever matched, as far as data is kept.
    pub(super) async fn exists(&mut self, selector: &str) -> Option<(bool, Evidence)> {
        self.take()?;
        let names = self.store.label_values(self.cx, "__name__", &[selector], None, 1).await.ok()?;
        let evidence = self.evidence(format!("/api/v1/label/__name__/values match[]={selector}"));
        Some((!names.items.is_empty(), evidence))
    }

    /// What is wrong with one matcher, judged by the values its label has.
    pub(super) async fn fault(&mut self, metric: Option<&str>, matcher: &Matcher) -> Option<Fault> {
        self.take()?;
        let of = metric.map(|metric| selector(Some(metric), &[]));
        let matches: Vec<&str> = of.as_deref().into_iter().collect();
        let values =
            self.store.label_values(self.cx, &matcher.name, &matches, None, MOST_VALUES).await.ok()?;
        let fits = |value: &Untrusted| matcher.is_match(value.inside());
        if values.more || matcher.is_match("") || values.items.iter().any(fits) {
            return None;
        }
        let on = of.as_ref().map_or(String::new(), |metric| format!(" on {}", brief(metric)));
        let (named_it, written) = (brief(&matcher.name), brief(&matcher.to_string()));
        let of = of.as_ref().map_or(String::new(), |metric| format!(" match[]={metric}"));
        let evidence = self.evidence(format!("/api/v1/label/{}/values{of}", matcher.name));
        if values.items.is_empty() {
            return Some(self.no_label(&matcher.name, &matches, &on, evidence).await);
        }
        if matcher.op == ParsedOp::Equal && reads_as_regex(matcher, &values.items) {
            let statement = format!(
                "{written} compares the whole text{on}; as a regular expression, with =~, it matches"
            );
            return Some(Fault { statement, evidence, nearest: None, is_regex: true });
        }
        let alike = nearest(&matcher.value, values.items.iter().map(|value| value.inside()), NEAREST);
        let alike: Vec<&Untrusted> = alike.iter().filter_map(|alike| find(&values.items, alike)).collect();
        let (which, named) = match alike.is_empty() {
            false => ("nearest".to_owned(), alike.clone()),
            true => {
                let count = counted(values.items.len() as u64, "value", "values");
                (format!("of its {count}"), values.items.iter().take(VALUES).collect())
            }
        };
        let named: Vec<String> = named.into_iter().map(|value| value.shown(80)).collect();
        let statement =
            format!("no value of label {named_it}{on} fits {written}; {which}: {}", named.join(", "));
        let may_replace = matcher.op == ParsedOp::Equal;
        let nearest =
            alike.first().and_then(|value| value.plain()).filter(|_| may_replace).map(str::to_owned);
        Some(Fault { statement, evidence, nearest, is_regex: false })
    }

    async fn no_label(&mut self, label: &str, matches: &[&str], on: &str, evidence: Evidence) -> Fault {
        let mut fault = Fault {
            statement: format!("there is no label {}{on}", brief(label)),
            evidence,
            nearest: None,
            is_regex: false,
        };
        if self.take().is_none() {
            return fault;
        }
        if let Ok(names) = self.store.label_names(self.cx, matches, None, MOST_VALUES).await {
            let known = names.items.iter().filter(|name| name.inside() != "__name__");
            let shown: Vec<String> = known.take(LABELS).map(|name| name.shown(80)).collect();
            if !shown.is_empty() {
                fault.statement.push_str(&format!("; its labels: {}", shown.join(", ")));
                let query = matches.first().map_or(String::new(), |one| format!(" match[]={one}"));
                fault.evidence = self.evidence(format!("/api/v1/labels{query}"));
            }
        }
        fault
    }

    /// How many series have a sample within the last `range` seconds, or are current when there is none.
    pub(super) async fn present(&mut self, selector: &str, range: Option<f64>) -> Option<(u64, Evidence)> {
        let query = match range {
            Some(range) if range <= LONGEST_COUNTED => {
                format!("count(last_over_time({selector}[{}]))", duration_text(range.ceil().max(1.0)))
            }
            _ => format!("count({selector})"),
        };
        let (value, evidence) = self.number(query, self.end).await?;
        Some((value.map_or(0, |value| value as u64), evidence))
    }

    /// How many series are current now, where the query ended earlier.
    pub(super) async fn now(&mut self, selector: &str) -> Option<(u64, Evidence)> {
        if self.cx.now <= self.end {
            return None;
        }
        let now = Timestamp::from_second(self.cx.now.as_second()).ok()?;
        let (value, evidence) = self.number(format!("count({selector})"), now).await?;
        Some((value.map_or(0, |value| value as u64), evidence))
    }

    /// When the latest sample before the end was: within the last day to the second or so, within the last week to
    /// three hours.
    pub(super) async fn last_seen(&mut self, selector: &str) -> Option<(Seen, Evidence)> {
        let (piece, evidence) = self.last_piece(selector, DAY).await?;
        if let Some(end) = piece {
            let start = end.checked_sub(Duration::from_secs(DAY.1)).ok()?;
            // `timestamp` of a selector is that of its sample; of last_over_time(…) it would be that of the evaluation.
            let exact = self.number(format!("max(max_over_time(timestamp({selector})[30m:15s]))"), end).await;
            if let Some((Some(seconds), exact)) = exact {
                let at = Timestamp::from_second(seconds as i64).ok()?;
                return Some((Seen::About(at), exact));
            }
            return Some((Seen::Between(start, end), evidence));
        }
        let (piece, evidence) = self.last_piece(selector, WEEK).await?;
        let back = |seconds| self.end.checked_sub(Duration::from_secs(seconds)).ok();
        let seen = match piece {
            Some(end) => Seen::Between(end.checked_sub(Duration::from_secs(WEEK.1)).ok()?, end),
            None => Seen::Never { since: back(WEEK.0 + WEEK.1)? },
        };
        Some((seen, evidence))
    }

    /// The end of the latest piece of time with a sample. Pieces cover all of the time, so that nothing is missed
    /// between two moments.
    async fn last_piece(
        &mut self,
        selector: &str,
        (back, piece): (u64, u64),
    ) -> Option<(Option<Timestamp>, Evidence)> {
        self.take()?;
        let query = format!("count(present_over_time({selector}[{}]))", duration_text(piece as f64));
        let start = self.end.checked_sub(Duration::from_secs(back)).ok()?;
        // Windows are half-open: one second more, so that the end is among the moments. Evidence shows what is sent.
        let window = TimeRange::new(start, self.end.checked_add(Duration::from_secs(1)).ok()?).ok()?;
        let sent = TimeRange::new(start, self.end).ok()?;
        let step = Duration::from_secs(piece);
        // A week of a large metric that vanished is dear; without it nothing is said of its last sample.
        self.guard.admit(&query, Moments::over(window, step)).await.ok()?;
        let reply = self.store.range(self.cx, &query, window, step, QueryOptions::default()).await.ok()?;
        let last = reply.data.series().first().and_then(|one| one.points.last());
        let moment = last.and_then(|point| Timestamp::from_millisecond(point.at).ok());
        Some((moment, self.evidence(query).over(sent).every(step)))
    }

    /// How far the samples of these series are apart, in seconds.
    pub(super) async fn interval(&mut self, selector: &str) -> Option<(f64, Evidence)> {
        let (value, evidence) =
            self.number(format!("max(count_over_time({selector}[10m]))"), self.end).await?;
        value.filter(|samples| *samples >= 1.0).map(|samples| (600.0 / samples, evidence))
    }

    /// How many series each of these queries has at the end, by one look-up. Counting what a query yields costs what
    /// the query costs: the caller knows that it is cheap.
    pub(super) async fn sizes(&mut self, queries: &[&str]) -> Option<(Vec<u64>, Evidence)> {
        self.take()?;
        let each = queries.iter().enumerate();
        let each = each.map(|(place, query)| mark(&format!("count({query})"), "part", &place.to_string()));
        let query = each.collect::<Vec<_>>().join(" or ");
        let reply = self.store.instant(self.cx, &query, self.end, QueryOptions::default()).await.ok()?;
        let size = |place: usize| {
            let is_it =
                |one: &&Series| one.labels.get("part").is_some_and(|part| part.inside() == place.to_string());
            let row = reply.data.series().iter().find(is_it).and_then(|one| one.points.first());
            row.map_or(0, |point| point.value as u64)
        };
        Some(((0..queries.len()).map(size).collect(), self.evidence(query).at(self.end)))
    }

    /// The highest or lowest value of an expression.
    pub(super) async fn extreme(&mut self, function: &str, series: &str) -> Option<(f64, Evidence)> {
        let (value, evidence) = self.number(format!("{function}({series})"), self.end).await?;
        value.map(|value| (value, evidence))
    }
}

fn find<'l>(items: &'l [Untrusted], text: &str) -> Option<&'l Untrusted> {
    items.iter().find(|item| item.inside() == text)
}

/// Whether the value, which is compared as a text, would match some value as a regular expression.
fn reads_as_regex(matcher: &Matcher, values: &[Untrusted]) -> bool {
    let looks_like_one =
        matcher.value.contains(['*', '|', '+', '[', '(', '\\']) || matcher.value.contains("..");
    let regex = Matcher::new_matcher(T_EQL_REGEX, matcher.name.clone(), matcher.value.clone());
    looks_like_one && regex.is_ok_and(|regex| values.iter().any(|value| regex.is_match(value.inside())))
}
