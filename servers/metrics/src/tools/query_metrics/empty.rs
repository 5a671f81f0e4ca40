//! Why nothing came back: never a zero, and almost always one of a few causes.
//!
//! For each selector of the expression: does the metric exist, does the label have that value, was there a sample in
//! the window, and if all that is so, what filtered it. A handful of look-ups, each cited.

mod inquiry;

use contract::{Answer, Cite, Context, Draft, Finding, Next, duration_text, significant, time_text};

use self::inquiry::{Inquiry, Sample};
use super::question::{Question, When};
use crate::{
    analysis::promql::{self, Filter, Found, SCRAPE, filters, metric_of, selector_text, selectors, short_windows},
    backend::Metrics,
};

/// Look-ups at most, and selectors that are looked into.
const LOOK_UPS: usize = 6;
const MOST_SELECTORS: usize = 3;

/// Says that nothing matched, and why.
pub(super) async fn explain(
    cx: &Context,
    store: &dyn Metrics,
    question: &Question<'_>,
    draft: Draft,
    cite: Cite,
) -> Answer {
    let mut case = Case {
        inquiry: Inquiry { cx, store, end: question.end(), left: LOOK_UPS, draft },
        question,
        cite,
        mended: question.promql.to_owned(),
        then: None,
    };
    match &question.reading.tree {
        None => case.say("the query could not be analysed here, so its parts were not looked into", cite),
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
    question: &'a Question<'a>,
    /// The query itself.
    cite: Cite,
    /// The query with what could be mended.
    mended: String,
    /// A better call than the mended query.
    then: Option<Next>,
}

impl Case<'_> {
    fn say(&mut self, statement: impl Into<String>, cite: Cite) {
        self.inquiry.draft.finding(Finding::new(statement, cite));
    }

    fn conclude(mut self) -> Answer {
        let when = match self.question.when {
            When::At(at) => format!("at {}", time_text(at)),
            When::Over { grid, .. } => format!("between {} and {}", time_text(grid.first()), time_text(grid.last())),
        };
        if self.mended != self.question.promql {
            let next = self.question.again(&self.mended, "the nearest that exists");
            self.inquiry.draft.next(next);
        }
        if let Some(then) = self.then.take() {
            self.inquiry.draft.next(then);
        }
        let title = self.question.title();
        self.inquiry.draft.conclude(format!("No series matched {title} {when}. This is not a zero."))
    }

    /// Looks into one selector; true when it has samples, so that it is not the cause.
    async fn look_into(&mut self, found: &Found<'_>) -> bool {
        let selector = selector_text(found.selector);
        if let Some(metric) = metric_of(found.selector)
            && self.has_no_such_metric(metric).await
        {
            return false;
        }
        // Over all the time that is kept, by the index alone.
        match self.inquiry.exists(&selector).await {
            Some((false, cite)) => {
                self.labels(found, &selector, cite).await;
                return false;
            }
            Some((true, _)) => {}
            None => return false,
        }
        if found.is_shifted() {
            let statement = format!("{selector} has series, but perhaps none at the time that offset or @ shifts it to");
            self.say(statement, self.cite);
            return false;
        }
        let range = match self.question.when {
            When::At(_) => None,
            When::Over { past, .. } => Some(past.seconds()),
        };
        match self.inquiry.present(&selector, range).await {
            Some((0, cite)) => {
                self.silent(&selector, cite).await;
                false
            }
            Some(_) => true,
            None => false,
        }
    }

    /// Says so when there is no metric of this name.
    async fn has_no_such_metric(&mut self, metric: &str) -> bool {
        let Some(names) = self.inquiry.names(metric).await else { return false };
        if names.known {
            return false;
        }
        if names.nearest.is_empty() {
            self.say(format!("metric {metric} does not exist, nor one with a similar name"), names.cite);
            let next = Next::call("search_metrics", "finds metrics by words").with("text", metric.replace('_', " "));
            self.then.get_or_insert(self.question.of_source(next));
            return true;
        }
        let counts = self.inquiry.counts(&names.nearest).await;
        let nearest: Vec<String> = names
            .nearest
            .iter()
            .map(|name| match counts.iter().find(|(known, _)| known == name) {
                Some((_, count)) => format!("{} ({count} series)", name.shown(200)),
                None => name.shown(200),
            })
            .collect();
        let statement = format!("metric {metric} does not exist; nearest: {}", nearest.join(", "));
        self.say(statement, names.cite);
        let first = names.nearest.first().and_then(|name| name.plain());
        if let Some(mended) = first.and_then(|first| promql::rename_metric(&self.mended, metric, first)) {
            self.mended = mended;
        }
        true
    }

    /// The metric exists, but no series has all these labels: which of them is it?
    async fn labels(&mut self, found: &Found<'_>, selector: &str, cite: Cite) {
        let metric = metric_of(found.selector);
        let matchers = found.selector.matchers.matchers.iter().filter(|matcher| matcher.name != "__name__");
        let mut explained = false;
        for matcher in matchers {
            let Some(fault) = self.inquiry.fault(metric, matcher).await else { continue };
            explained = true;
            self.say(fault.statement, fault.cite);
            let mended = match (&fault.nearest, fault.is_regex) {
                (_, true) => promql::as_regex(&self.mended, &matcher.name, &matcher.value),
                (Some(nearest), _) => {
                    promql::replace_value(&self.mended, &matcher.name, &matcher.value, nearest)
                }
                (None, false) => None,
            };
            self.mended = mended.unwrap_or_else(|| self.mended.clone());
        }
        if !explained {
            self.say(format!("no series has all the labels of {selector} together"), cite);
        }
    }

    /// The series exist, but have no sample in the window: when was the last one?
    async fn silent(&mut self, selector: &str, cite: Cite) {
        let within = match self.question.when {
            When::At(_) => "in the last 5 minutes",
            When::Over { .. } => "in this window",
        };
        match self.inquiry.last_seen(selector).await {
            Some(Sample { at: Some(at), cite }) => {
                let statement = format!(
                    "{selector} exists, but has no sample {within}; last seen about {} (to 5 minutes)",
                    time_text(at)
                );
                self.say(statement, cite);
                if let Some(window) = inquiry::before(at) {
                    let next = self.question.again(self.question.promql, "when there were samples");
                    self.then.get_or_insert(next.with("time_range", window.to_string()));
                }
            }
            Some(Sample { at: None, cite }) => {
                let end = time_text(self.question.end());
                let statement = format!("{selector} exists, but has no sample {within}, nor in the 7 days before {end}");
                self.say(statement, cite);
            }
            None => self.say(format!("{selector} exists, but has no sample {within}"), cite),
        }
    }

    /// Every selector has samples: what let none of them through?
    async fn filtered(&mut self, tree: &promql_parser::parser::Expr) {
        for short in short_windows(tree, 4.0 * SCRAPE) {
            let Some((interval, cite)) = self.inquiry.interval(&short.selector).await else { continue };
            if short.range < 2.0 * interval {
                let (range, every) = (duration_text(short.range), duration_text(interval.round()));
                let statement = format!(
                    "{}() needs two samples, and [{range}] of {} holds fewer: they are about {every} apart",
                    short.function, short.selector
                );
                self.say(statement, cite);
                let enough = duration_text((4.0 * interval).round());
                self.mended = self.mended.replace(&format!("[{range}]"), &format!("[{enough}]"));
                return;
            }
        }
        let statement = match filters(tree).into_iter().next() {
            Some(Filter::Comparison { series, operator, number, number_first }) => {
                return self.compared(&series, &operator, number, number_first).await;
            }
            Some(Filter::Absent) => "absent() answers only while nothing matches, and there are matching series".to_owned(),
            Some(Filter::Set(operator)) => format!(
                "every selector has series; `{operator}` left none: it compares all labels of both sides unless on(…) \
                 or ignoring(…) says which"
            ),
            Some(Filter::Matching(operator)) => format!(
                "every selector has series; no two of both sides of `{operator}` have equal labels: say which to compare \
                 with on(…) or ignoring(…)"
            ),
            None => "every selector has series; what is done with them left none".to_owned(),
        };
        self.say(statement, self.cite);
    }

    /// A comparison that nothing passed: how near did it come?
    async fn compared(&mut self, series: &str, operator: &str, number: f64, number_first: bool) {
        let wants_more = matches!(operator, ">" | ">=") != number_first;
        let (function, name) = if wants_more { ("max", "highest") } else { ("min", "lowest") };
        let number = significant(number);
        let written = if number_first { format!("{number} {operator} …") } else { format!("… {operator} {number}") };
        match self.inquiry.extreme(function, series).await {
            Some((value, cite)) => {
                let end = time_text(self.question.end());
                let statement = format!(
                    "every selector has series, but none passes `{written}`: the {name} value of {series} is {} at {end}",
                    significant(value)
                );
                self.say(statement, cite);
            }
            None => self.say(format!("every selector has series, but none passes `{written}`"), self.cite),
        }
    }
}
