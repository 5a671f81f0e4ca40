//! Why nothing came back: never a zero, and almost always one of a few causes.
//!
//! For each selector of the expression: does the metric exist, does the label have that value, was there a sample in
//! the window, and if all that is so, what filtered it. A handful of look-ups, each cited where it is used.

mod inquiry;

use contract::{
    Answer, Cite, Context, Draft, Evidence, Finding, Next, duration_text, significant, time_text,
};
use promql_parser::parser::Expr;

use self::inquiry::{Inquiry, Seen};
use super::question::{Question, When};
use crate::{
    analysis::promql::{
        self, Filter, Found, SCRAPE, brief, describe, filters, metric_of, pieces, selector_text, selectors,
        short_windows,
    },
    backend::Metrics,
    tools::cost::{Guard, Moments},
};

/// Look-ups at most, and selectors that are looked into.
const LOOK_UPS: usize = 7;
const MOST_SELECTORS: usize = 3;
/// Parts of the expression that are evaluated.
const MOST_PARTS: usize = 6;

/// Says that nothing matched, and why.
pub(super) async fn explain(
    cx: &Context,
    store: &dyn Metrics,
    guard: &Guard<'_>,
    question: &Question<'_>,
    draft: Draft,
    cite: Cite,
) -> Answer {
    let mut case = Case {
        inquiry: Inquiry::new(cx, store, guard, question.end(), LOOK_UPS),
        guard,
        question,
        draft,
        cite,
        mended: question.promql.to_owned(),
        why_mended: "with the nearest that exists".to_owned(),
        otherwise: None,
        there: Vec::new(),
    };
    match &question.reading.tree {
        None => case.say("the query could not be analysed here, so its parts were not looked into", &[]),
        Some(tree) => {
            let mut all_there = true;
            for found in distinct(selectors(tree)) {
                all_there &= case.look_into(&found).await;
            }
            if all_there {
                case.filtered(tree).await;
            }
        }
    }
    case.conclude()
}

/// Each selector once.
fn distinct(all: Vec<Found<'_>>) -> Vec<Found<'_>> {
    let mut seen = Vec::new();
    let mut kept = Vec::new();
    for found in all {
        let text = selector_text(found.selector);
        if !seen.contains(&text) && kept.len() < MOST_SELECTORS {
            seen.push(text);
            kept.push(found);
        }
    }
    kept
}

/// What is known so far about why nothing came back.
struct Case<'a> {
    inquiry: Inquiry<'a>,
    guard: &'a Guard<'a>,
    question: &'a Question<'a>,
    draft: Draft,
    /// The query itself.
    cite: Cite,
    /// The query with what could be mended, and how.
    mended: String,
    why_mended: String,
    /// A call that helps where nothing can be mended.
    otherwise: Option<Next>,
    /// Selectors that have samples, and the series of each.
    there: Vec<(String, u64, Evidence)>,
}

impl Case<'_> {
    /// Adds a cause; without evidence of its own it rests on the query.
    fn say(&mut self, statement: impl Into<String>, evidence: &[Evidence]) {
        let mut cites =
            evidence.iter().map(|one| self.draft.cite(one.clone())).collect::<Vec<_>>().into_iter();
        let finding = Finding::new(statement, cites.next().unwrap_or(self.cite));
        self.draft.finding(cites.fold(finding, Finding::and));
    }

    fn conclude(mut self) -> Answer {
        if let Some(computes) = self.question.reading.tree.as_ref().and_then(describe) {
            self.say(format!("it computes: {computes}"), &[]);
        }
        let when = match self.question.when {
            When::At(at) => format!("at {}", time_text(at)),
            When::Over { grid, .. } => {
                format!("between {} and {}", time_text(grid.first()), time_text(grid.last()))
            }
        };
        if self.mended != self.question.promql {
            self.draft.next(self.question.again(&self.mended, &self.why_mended));
        }
        if let Some(otherwise) = self.otherwise.take() {
            self.draft.next(otherwise);
        }
        let title = self.question.title();
        self.draft.conclude(format!("No series matched {title} {when}. This is not a zero."))
    }

    /// Looks into one selector; true when it has samples, so that it is not the cause.
    async fn look_into(&mut self, found: &Found<'_>) -> bool {
        let selector = selector_text(found.selector);
        if let Some(metric) = metric_of(found.selector)
            && let Some(nearest) = self.has_no_such_metric(metric).await
        {
            // The labels may be misspelt too: judged by the metric that was probably meant.
            if let Some(nearest) = nearest {
                self.labels(found, Some(&nearest)).await;
            }
            return false;
        }
        // Over all the time that is kept, by the index alone.
        match self.inquiry.exists(&selector).await {
            Some((false, evidence)) => {
                if !self.labels(found, metric_of(found.selector)).await {
                    self.say(
                        format!("no series has all the labels of {} together", brief(&selector)),
                        &[evidence],
                    );
                }
                return false;
            }
            Some((true, _)) => {}
            None => return false,
        }
        if found.is_shifted() {
            let statement = format!(
                "{} has series, but perhaps none at the time that offset or @ shifts it to",
                brief(&selector)
            );
            self.say(statement, &[]);
            return false;
        }
        let range = match self.question.when {
            When::At(_) => None,
            When::Over { past, .. } => Some(past.seconds()),
        };
        match self.inquiry.present(&selector, range).await {
            Some((0, evidence)) => {
                self.silent(found, &selector, evidence).await;
                false
            }
            Some((series, evidence)) => {
                self.there.push((selector, series, evidence));
                true
            }
            None => false,
        }
    }

    /// Says so when there is no metric of this name; the inner value is the one that the query is mended with.
    async fn has_no_such_metric(&mut self, metric: &str) -> Option<Option<String>> {
        let names = self.inquiry.names(metric).await?;
        if names.known {
            return None;
        }
        if names.nearest.is_empty() {
            self.say(
                format!("metric {} does not exist, nor one with a similar name", brief(metric)),
                &[names.evidence],
            );
            let next = Next::call("search_metrics", "finds metrics by words")
                .with("text", brief(&metric.replace('_', " ")));
            self.otherwise.get_or_insert(self.question.of_source(next));
            return Some(None);
        }
        let (counts, counted) = self.inquiry.counts(&names.nearest).await;
        let nearest: Vec<String> = names
            .nearest
            .iter()
            .map(|name| match counts.iter().find(|(known, _)| known == name) {
                Some((_, count)) => format!("{} ({count} series)", name.shown(200)),
                None => name.shown(200),
            })
            .collect();
        let statement = format!("metric {} does not exist; nearest: {}", brief(metric), nearest.join(", "));
        let evidence: Vec<Evidence> = [names.evidence].into_iter().chain(counted).collect();
        self.say(statement, &evidence);
        let first = names.nearest.first().and_then(|name| name.plain());
        let mended = first.and_then(|first| promql::rename_metric(&self.mended, metric, first));
        let first = first.filter(|_| mended.is_some()).map(str::to_owned);
        self.mended = mended.unwrap_or_else(|| self.mended.clone());
        Some(first)
    }

    /// Which labels have no value that fits, judged by those of `metric`; false when none is at fault.
    async fn labels(&mut self, found: &Found<'_>, metric: Option<&str>) -> bool {
        let matchers = found.selector.matchers.matchers.iter().filter(|matcher| matcher.name != "__name__");
        let mut explained = false;
        for matcher in matchers {
            let Some(fault) = self.inquiry.fault(metric, matcher).await else { continue };
            explained = true;
            self.say(fault.statement, &[fault.evidence]);
            let mended = match (&fault.nearest, fault.is_regex) {
                (_, true) => promql::as_regex(&self.mended, &matcher.name, &matcher.value),
                (Some(nearest), _) => {
                    promql::replace_value(&self.mended, &matcher.name, &matcher.value, nearest)
                }
                (None, false) => None,
            };
            self.mended = mended.unwrap_or_else(|| self.mended.clone());
        }
        explained
    }

    /// The series exist, but have no sample in the window: when was the last one?
    async fn silent(&mut self, found: &Found<'_>, selector: &str, evidence: Evidence) {
        let within = match self.question.when {
            When::At(_) => "no current sample",
            When::Over { .. } => "no sample in this window",
        };
        // Without a metric's name the look-up reads too much.
        let seen =
            if metric_of(found.selector).is_some() { self.inquiry.last_seen(selector).await } else { None };
        let named = brief(selector);
        let Some((seen, found_by)) = seen else {
            return self.say(format!("{named} exists, but has {within}"), &[evidence]);
        };
        let last = match &seen {
            Seen::About(at) => format!("last seen about {}", time_text(*at)),
            Seen::Between(from, to) => {
                format!("last seen between {} and {}", time_text(*from), time_text(*to))
            }
            Seen::Never { since } => format!("none before it either, back to {}", time_text(*since)),
        };
        self.say(format!("{named} exists, but has {within}; {last}"), &[evidence, found_by]);
        match seen.window() {
            Some(window) => {
                let next = self.question.again(self.question.promql, "when there were samples");
                self.otherwise.get_or_insert(next.with("time_range", window.to_string()));
            }
            None => self.later(selector).await,
        }
    }

    /// No sample before the end of the window: is there one now?
    async fn later(&mut self, selector: &str) {
        if let Some((series, evidence)) = self.inquiry.now(selector).await
            && series > 0
        {
            self.say(
                format!("{} has {series} series now: its samples begin after the window", brief(selector)),
                &[evidence],
            );
        }
    }

    /// Every selector has samples: what let none of them through?
    async fn filtered(&mut self, tree: &Expr) {
        for short in short_windows(tree, 4.0 * SCRAPE) {
            let Some((interval, evidence)) = self.inquiry.interval(&short.selector).await else { continue };
            if short.range < 2.0 * interval {
                let (range, every) = (duration_text(short.range), duration_text(interval.round()));
                let statement = format!(
                    "{}() needs two samples, and [{range}] of {} does not always hold two: they are about {every} apart",
                    short.function,
                    brief(&short.selector)
                );
                self.say(statement, &[evidence]);
                let enough = duration_text((4.0 * interval).round());
                self.mended = self.mended.replace(&format!("[{range}]"), &format!("[{enough}]"));
                self.why_mended = format!("with a range of {enough}");
                return;
            }
        }
        let part = if is_compared(tree) { None } else { self.empty_part(tree).await };
        self.left_none(part.as_ref().unwrap_or(tree)).await;
    }

    /// The innermost part that has no series although what it is made of has; says so.
    async fn empty_part(&mut self, tree: &Expr) -> Option<Expr> {
        let parts = pieces(tree, MOST_PARTS);
        let at_the_end = Moments::at(self.question.end());
        if parts.is_empty() || !self.guard.is_cheap(&self.question.reading, at_the_end, parts.len()).await {
            return None;
        }
        let queries: Vec<&str> = parts.iter().map(|part| part.query.as_str()).collect();
        let (sizes, evidence) = self.inquiry.sizes(&queries).await?;
        let has_series = |place: usize| sizes.get(place).is_some_and(|size| *size > 0);
        let named = |place: usize| {
            let part = parts.get(place)?;
            Some(format!("{} has {} series", brief(&part.query), sizes.get(place)?))
        };
        let empty = (0..parts.len()).rev().find(|place| {
            let inner = parts.get(*place).map(|part| part.inner.as_slice()).unwrap_or_default();
            !has_series(*place) && inner.iter().all(|inner| has_series(*inner))
        });
        let others: Vec<String> =
            (0..parts.len()).filter(|place| has_series(*place)).filter_map(named).take(3).collect();
        let Some(empty) = empty.and_then(|place| parts.get(place)) else {
            self.say(
                format!("each part has series, together they have none: {}", others.join(", ")),
                &[evidence],
            );
            return None;
        };
        let others = if others.is_empty() { String::new() } else { format!("; {}", others.join(", ")) };
        self.say(format!("the empty part is {}{others}", brief(&empty.query)), &[evidence]);
        promql::read(&empty.query).ok().and_then(|reading| reading.tree)
    }

    /// What let nothing through.
    async fn left_none(&mut self, tree: &Expr) {
        let there: Vec<String> = self
            .there
            .iter()
            .map(|(name, series, _)| format!("{} has {series} series", brief(name)))
            .collect();
        let counts: Vec<Evidence> = self.there.iter().map(|(_, _, evidence)| evidence.clone()).collect();
        let there = if there.is_empty() { "it selects nothing".to_owned() } else { there.join(", ") };
        let why = match filters(tree).into_iter().next() {
            Some(Filter::Comparison { series, operator, number, number_first }) => {
                return self.compared(&there, counts, &series, &operator, number, number_first).await;
            }
            Some(Filter::Absent) => "absent() answers only while there are none".to_owned(),
            Some(Filter::Set(operator)) => format!(
                "`{operator}` left none: it compares all labels of both sides unless on(…) or ignoring(…) says which"
            ),
            Some(Filter::Matching(operator)) => format!(
                "no two of both sides of `{operator}` have equal labels: say which to compare with on(…) or ignoring(…)"
            ),
            None => "what is done with them left none".to_owned(),
        };
        self.say(format!("{there}; {why}"), &counts);
    }

    /// A comparison that nothing passed: how near did it come?
    async fn compared(
        &mut self,
        there: &str,
        mut evidence: Vec<Evidence>,
        series: &str,
        operator: &str,
        number: f64,
        number_first: bool,
    ) {
        let wants_more = matches!(operator, ">" | ">=") != number_first;
        let (function, name) = if wants_more { ("max", "highest") } else { ("min", "lowest") };
        let number = significant(number);
        let written = if number_first {
            format!("{number} {operator} …")
        } else {
            format!("… {operator} {number}")
        };
        let mut statement = format!("{there}; nothing passes `{written}`");
        if let Some((value, found_by)) = self.inquiry.extreme(function, series).await {
            let end = time_text(self.question.end());
            statement.push_str(&format!(
                ": the {name} value of {} is {} at {end}",
                brief(series),
                significant(value)
            ));
            evidence.push(found_by);
        }
        self.say(statement, &evidence);
    }
}

/// Whether an expression is a comparison with a number, of which it can be said how near it came.
fn is_compared(tree: &Expr) -> bool {
    match tree {
        Expr::Paren(paren) => is_compared(&paren.expr),
        Expr::Binary(binary) => {
            binary.op.is_comparison_operator()
                && matches!(filters(tree).first(), Some(Filter::Comparison { .. }))
        }
        _ => false,
    }
}
