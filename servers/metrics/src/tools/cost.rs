//! The cost guard: what a query would read, estimated before it is sent, and what to do about it.
//!
//! Every tool asks its store through a [`Guard`] of the call, so that no query of ours is dearer than what an operator
//! allows, and so that the answer says what was read. What can't be dear costs no look-up. The rest costs one, which
//! counts the series of all selectors, and near the limit a second one, which measures how dense their samples are.
//! [`crate::CostGuard`] says whether the estimate decides (`enforce`), is only told (`shadow`), or isn't made (`off`).

mod meter;
mod weight;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use contract::{Context, ErrorKind, TimeRange, ToolError, duration_text};
use jiff::Timestamp;
use promql_parser::parser::Expr;

use crate::{
    analysis::promql::{
        self, Course, DEEPEST, Found, LONGEST_PART, Reading, SCRAPE, Supply, about, brief, estimate,
        metrics_of, selectors,
    },
    backend::Metrics,
    config::{CostGuard, QueryLimits},
    model::{QueryError, QueryOptions, QueryReply},
};
use meter::{Known, Meter};
pub(crate) use weight::{Moments, Weighed, Weight};

/// A metric with more series than this is rare: what is cheap even then is not looked up.
const LARGE: f64 = 50_000.0;
/// Without a metric's name it may be all the series there are.
const HUGE: f64 = 5_000_000.0;
/// What a metric counts as whose series could not be counted.
const UNKNOWN: f64 = 1_000.0;
/// The fewest moments a query is narrowed to.
const FEWEST_MOMENTS: usize = 24;

/// The guard of one call to one store.
pub(crate) struct Guard<'a> {
    cx: &'a Context,
    store: &'a dyn Metrics,
    limits: QueryLimits,
    /// Whether the queries are the caller's own text, which needs no fence.
    is_callers: bool,
    known: Mutex<Known>,
    account: Mutex<Account>,
}

/// What the queries of a call were estimated at and read.
#[derive(Debug, Default)]
struct Account {
    queries: u32,
    /// Of those queries whose estimate and reading are both known.
    estimated: f64,
    compared: f64,
    read: u64,
    told: u32,
    remarks: Vec<String>,
}

/// A query that ran.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) reply: QueryReply,
    /// From one moment to the next, which is more than was asked for when the query was narrowed.
    pub(crate) step: Duration,
}

/// What is to be done with a query.
pub(crate) enum Decision {
    /// It runs.
    Run,
    /// It reads too much; the error says how much.
    Refuse(ToolError),
}

impl<'a> Guard<'a> {
    pub(crate) fn new(cx: &'a Context, store: &'a dyn Metrics, limits: QueryLimits) -> Guard<'a> {
        Guard { cx, store, limits, is_callers: false, known: Mutex::default(), account: Mutex::default() }
    }

    /// The guard of queries that the caller wrote: nothing in them comes from the store.
    pub(crate) fn of_caller(self) -> Guard<'a> {
        Guard { is_callers: true, ..self }
    }

    /// A part of a query as a sentence can bear it: of queries that may hold names from the store behind a fence.
    fn told(&self, part: &str) -> String {
        if self.is_callers { brief(part) } else { self.cx.intake.text(part).shown(LONGEST_PART) }
    }

    /// The limit, in samples.
    pub(crate) fn most(&self) -> f64 {
        self.limits.max_samples as f64
    }

    /// Counts the series of several queries over the same moments in one look-up, so that asking them afterwards
    /// costs none. For tools that ask many at once.
    pub(crate) async fn ahead(&self, queries: &[String], window: TimeRange, step: Duration) {
        let moments = Moments::over(window, step);
        let readings: Vec<Reading<'_>> =
            queries.iter().filter_map(|query| promql::read(query).ok()).collect();
        let dear = readings.iter().filter_map(|reading| reading.tree.as_ref());
        let dear = dear.filter(|tree| !self.is_light(tree, moments.course()));
        let found: Vec<Found<'_>> = dear.flat_map(selectors).collect();
        if !found.is_empty() && self.limits.cost_guard != CostGuard::Off {
            Meter::of(self, &found, moments).await;
        }
    }

    /// Runs a query over a window, if need be with a coarser step.
    ///
    /// # Errors
    /// `too_expensive` with the numbers when no step fits; what the store says.
    pub(crate) async fn range(
        &self,
        promql: &str,
        window: TimeRange,
        step: Duration,
    ) -> Result<Ran, ToolError> {
        let reading = self.read(promql)?;
        let mut moments = Moments::over(window, step);
        let weighed = self.weigh(&reading, moments).await;
        if let (Weighed::Known(weight), Some(tree)) = (&weighed, &reading.tree)
            && !weight.fits(self.most())
            && let Some(coarse) = self.coarser(weight, tree, window, moments)
            && self.narrows(weight, moments.step, coarse.step)
        {
            moments = coarse;
        } else if let Decision::Refuse(error) = self.decide(&weighed) {
            return Err(error.remedy("a shorter time_range, a larger step or more matchers read less"));
        }
        let asked = self.store.range(self.cx, promql, window, moments.step, OPTIONS).await;
        let reply = self.booked(asked, estimated(&weighed, &reading, moments))?;
        Ok(Ran { reply, step: moments.step })
    }

    /// Runs a query at one moment.
    ///
    /// # Errors
    /// `too_expensive` with the numbers; what the store says.
    pub(crate) async fn instant(&self, promql: &str, at: Timestamp) -> Result<Ran, ToolError> {
        let estimated = self.admit(promql, Moments::at(at)).await.map_err(|error| match error.kind() {
            ErrorKind::TooExpensive => error.remedy("a shorter range in [ ] or more matchers read less"),
            _ => error,
        })?;
        let asked = self.store.instant(self.cx, promql, at, OPTIONS).await;
        let reply = self.booked(asked, estimated)?;
        Ok(Ran { reply, step: Duration::ZERO })
    }

    /// Lets a query run just as it is asked, for tools that compare replies and so can't have one of them narrowed; its
    /// estimate, when one was made.
    ///
    /// # Errors
    /// `too_expensive` with the numbers.
    pub(crate) async fn admit(&self, promql: &str, moments: Moments) -> Result<Option<f64>, ToolError> {
        let reading = self.read(promql)?;
        let weighed = self.weigh(&reading, moments).await;
        match self.decide(&weighed) {
            Decision::Run => Ok(estimated(&weighed, &reading, moments)),
            Decision::Refuse(error) => Err(error),
        }
    }

    fn read<'q>(&self, promql: &'q str) -> Result<Reading<'q>, ToolError> {
        promql::read(promql).map_err(|depth| {
            ToolError::invalid(
                "promql",
                &format!("its brackets are nested {depth} deep; the limit is {DEEPEST}"),
            )
        })
    }

    /// What a query costs, as far as it can be known.
    pub(crate) async fn weigh(&self, reading: &Reading<'_>, moments: Moments) -> Weighed {
        if self.limits.cost_guard == CostGuard::Off {
            return Weighed::Light;
        }
        let Some(tree) = &reading.tree else {
            let each = promql::blind_cost(reading, moments.course(), SCRAPE);
            let (named, nameless) = promql::blind_selectors(reading);
            let series = (named as f64 * UNKNOWN + nameless as f64 * LARGE).max(UNKNOWN);
            return Weighed::Blind { each, all: each * series };
        };
        let found = selectors(tree);
        if found.is_empty() || self.is_light(tree, moments.course()) {
            return Weighed::Light;
        }
        let mut meter = Meter::of(self, &found, moments).await;
        if meter.reads(tree, moments.course()).samples * 4.0 > self.most() {
            meter.measure(self, &found).await;
        }
        let reads = meter.reads(tree, moments.course());
        Weighed::Known(Weight { meter, reads })
    }

    /// Whether a query can be evaluated so often without reading much: for explaining it.
    pub(crate) async fn is_cheap(&self, reading: &Reading<'_>, moments: Moments, times: usize) -> bool {
        match self.weigh(reading, moments).await {
            Weighed::Light => true,
            Weighed::Known(weight) => weight.reads.samples * times as f64 <= self.most(),
            Weighed::Blind { .. } => false,
        }
    }

    /// Whether it reads little even from a large store.
    fn is_light(&self, tree: &Expr, course: Course) -> bool {
        let most = |found: &Found<'_>| Supply::unknown(at_most(found));
        estimate(tree, course, &most).samples <= self.most()
    }

    /// Whether a query may run. What the guard would have done without being told to is remarked.
    pub(crate) fn decide(&self, weighed: &Weighed) -> Decision {
        let problem = match weighed {
            Weighed::Light => return Decision::Run,
            Weighed::Known(weight) => {
                self.doubt(weight);
                if weight.fits(self.most()) {
                    return Decision::Run;
                }
                weight.problem(self.most(), &|part| self.told(part))
            }
            Weighed::Blind { all, .. } if *all <= self.most() => {
                self.remark(NOT_ANALYSED.to_owned());
                return Decision::Run;
            }
            Weighed::Blind { each, .. } if each.is_finite() => format!(
                "this query could not be analysed, and would read up to {} samples of each series",
                about(*each)
            ),
            Weighed::Blind { .. } => {
                "this query could not be analysed, and a range in it is no plain duration".to_owned()
            }
        };
        if self.limits.cost_guard == CostGuard::Shadow {
            self.remark(format!("cost guard (shadow): would have been refused: {problem}"));
            return Decision::Run;
        }
        Decision::Refuse(ToolError::new(ErrorKind::TooExpensive, problem, ""))
    }

    /// Whether the query is to run with the coarser step; says so, and what it would have read.
    pub(crate) fn narrows(&self, weight: &Weight, from: Duration, to: Duration) -> bool {
        let (from, to) = (duration_text(from.as_secs_f64()), duration_text(to.as_secs_f64()));
        let reads = format!("{} samples (limit {})", about(weight.reads.samples), about(self.most()));
        self.doubt(weight);
        if self.limits.cost_guard == CostGuard::Shadow {
            let what = format!("would have run with step {to} instead of {from}");
            self.remark(format!("cost guard (shadow): {what}, because it reads about {reads}"));
            return false;
        }
        self.remark(format!("step {to} instead of {from}: that would read about {reads}"));
        true
    }

    /// The same window in fewer moments, so that it fits.
    fn coarser(&self, weight: &Weight, tree: &Expr, window: TimeRange, moments: Moments) -> Option<Moments> {
        let coarser =
            [2, 4, 8, 16, 32].map(|times| Moments::over(window, moments.step.saturating_mul(times)));
        let mut enough = coarser.into_iter().filter(|coarse| coarse.count >= FEWEST_MOMENTS);
        enough.find(|coarse| weight.of(tree, coarse.course()) <= self.most())
    }

    fn booked(
        &self,
        asked: Result<QueryReply, QueryError>,
        estimated: Option<f64>,
    ) -> Result<QueryReply, ToolError> {
        let reply = asked.map_err(ToolError::from)?;
        self.book(&reply, estimated);
        Ok(reply)
    }

    /// Notes what a query read.
    pub(crate) fn book(&self, reply: &QueryReply, estimated: Option<f64>) {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        account.queries += 1;
        if let Some(read) = reply.samples_read {
            account.told += 1;
            account.read = account.read.saturating_add(read);
            if let Some(estimated) = estimated {
                account.estimated += estimated;
                account.compared += read as f64;
            }
        }
    }

    /// Remarks what an estimate that is a guess rests on.
    fn doubt(&self, weight: &Weight) {
        weight.unknown(&|part| self.told(part)).into_iter().for_each(|remark| self.remark(remark));
    }

    fn remark(&self, remark: String) {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        if !account.remarks.contains(&remark) {
            account.remarks.push(remark);
        }
    }

    /// What the answer must say about cost: what was narrowed or not bounded, and what was read against its estimate.
    pub(crate) fn caveats(&self) -> Vec<String> {
        let account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let mut caveats = account.remarks.clone();
        if account.told > 0 {
            let queries =
                if account.queries > 1 { format!(" in {} queries", account.told) } else { String::new() };
            let mut text = format!("read {} samples{queries}", about(account.read as f64));
            if account.estimated > 0.0 {
                let of = match account.read as f64 > account.compared {
                    true => format!(" for {} of them", about(account.compared)),
                    false => String::new(),
                };
                text.push_str(&format!("; estimated {}{of}", about(account.estimated)));
            }
            caveats.push(text);
        }
        caveats
    }
}

const OPTIONS: QueryOptions = QueryOptions { limit: None, stats: true };

const NOT_ANALYSED: &str =
    "not analysed: this server's reader of PromQL does not know all of the query; the source decides";

/// The estimate of the query as it is sent.
pub(crate) fn estimated(weighed: &Weighed, reading: &Reading<'_>, moments: Moments) -> Option<f64> {
    match (weighed, &reading.tree) {
        (Weighed::Known(weight), Some(tree)) => Some(weight.of(tree, moments.course())),
        _ => None,
    }
}

/// More series than a selector usually has.
fn at_most(found: &Found<'_>) -> f64 {
    // Within the matchers of a dialect's alternatives there may be anything.
    let is_one = found.selector.matchers.or_matchers.is_empty();
    metrics_of(found.selector).filter(|_| is_one).map_or(HUGE, |metrics| (LARGE * metrics as f64).min(HUGE))
}

#[cfg(test)]
mod tests;
