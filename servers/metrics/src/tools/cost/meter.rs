//! The look-ups behind an estimate: how many series selectors have over the time that is read, and how dense their
//! samples are.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
    time::Duration,
};

use contract::TimeRange;
use jiff::Timestamp;
use promql_parser::parser::Expr;

use super::{Guard, Moments, OPTIONS, UNKNOWN, at_most};
use crate::{
    analysis::promql::{
        Course, Estimate, Found, LOOKBACK, SCRAPE, Supply, at_its_time, estimate, mark, metric_of,
    },
    model::Series,
};

/// Series are counted at so many distances from the first moment that is read to the last: one that vanished or comes
/// and goes is not missed, as it would be by counting at the end.
const DISTANCES: u32 = 12;
/// More selectors than this are not counted.
const MOST_COUNTED: usize = 64;
/// Samples of so many series in all are counted over ten minutes; for more the targets' `up` over five must do.
const MOST_MEASURED: f64 = 25_000.0;
const DENSITY: f64 = 600.0;
const UP: f64 = 300.0;

/// Series at some moments (milliseconds since 1970), in their order.
type Counts = Vec<(i64, f64)>;

/// What was counted of one selector.
#[derive(Debug, Clone)]
struct Counted {
    counts: Counts,
    /// What the store counts one sample as, by what counting read.
    weight: f64,
}

/// What a call has found out so far.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// By selector (with its `offset` and `@`), last moment and first moment in seconds since 1970.
    counts: BTreeMap<(String, i64, i64), Counted>,
}

/// What is known about the series of a query's selectors.
pub(crate) struct Meter {
    counted: BTreeMap<String, Counted>,
    /// Distance of samples in seconds, by selector.
    scrapes: BTreeMap<String, f64>,
    /// Of selectors that are not in it.
    scrape: f64,
    /// Whether counting failed: then nothing bounds what the query reads.
    has_failed: bool,
    first: i64,
}

impl Meter {
    /// Counts the series of the selectors over the time that is read, as far as the call does not know them yet.
    pub(super) async fn of(guard: &Guard<'_>, found: &[Found<'_>], moments: Moments) -> Meter {
        let reach = found.iter().map(Found::reach).max().unwrap_or_default();
        let first = moments.first.checked_sub(reach).unwrap_or(Timestamp::MIN).as_second();
        let last = moments.last.as_second();
        let wanted: BTreeSet<String> = found.iter().filter_map(|one| at_its_time(one, None)).collect();
        let mut counted = guard.recall(&wanted, last, first);
        let missing: Vec<String> =
            wanted.into_iter().filter(|text| !counted.contains_key(text)).take(MOST_COUNTED).collect();
        let mut has_failed = false;
        if !missing.is_empty() {
            match count(guard, &missing, first, last).await {
                Some(now) => {
                    guard.remember(&now, last, first);
                    counted.extend(now);
                }
                None => has_failed = true,
            }
        }
        let start = moments.first.as_second();
        Meter { counted, scrapes: BTreeMap::new(), scrape: SCRAPE, has_failed, first: start }
    }

    /// Measures how far samples are apart: of each selector where that is cheap, else by the most frequent target.
    pub(super) async fn measure(&mut self, guard: &Guard<'_>, found: &[Found<'_>]) {
        // At a moment at which as much as possible is there.
        let total = |at: i64| -> f64 {
            let all = self.counted.values().flat_map(|one| &one.counts);
            all.filter(|(moment, _)| *moment == at).map(|(_, count)| count).sum()
        };
        let moments: BTreeSet<i64> =
            self.counted.values().flat_map(|one| &one.counts).map(|(at, _)| *at).collect();
        let best = moments.into_iter().max_by(|one, other| total(*one).total_cmp(&total(*other)));
        let Some(at) = best else { return };
        // The empty text is no selector.
        let mut parts = vec![(String::new(), "max(count_over_time(up[5m]))".to_owned())];
        let mut series = BTreeMap::new();
        let mut left = MOST_MEASURED;
        for one in found {
            let (Some(text), Some(dense)) = (at_its_time(one, None), at_its_time(one, Some("10m"))) else {
                continue;
            };
            let here =
                self.counted.get(&text).and_then(|one| one.counts.iter().find(|(moment, _)| *moment == at));
            let Some((_, count)) = here.filter(|(_, count)| *count >= 1.0 && *count <= left) else {
                continue;
            };
            if series.insert(text.clone(), *count).is_none() {
                left -= count;
                parts.push((text, format!("sum(count_over_time({dense}))")));
            }
        }
        let Ok(at) = Timestamp::from_millisecond(at) else { return };
        let Some((found, _)) = ask(guard, &parts, None, at).await else { return };
        for (text, samples) in found {
            let Some((_, samples)) = samples.first().filter(|(_, samples)| *samples >= 1.0) else { continue };
            match series.get(&text) {
                Some(count) => drop(self.scrapes.insert(text, (DENSITY * count / samples).max(0.1))),
                None => self.scrape = UP / samples,
            }
        }
    }

    pub(super) fn reads(&self, tree: &Expr, course: Course) -> Estimate {
        estimate(tree, course, &|found| self.supply(found))
    }

    fn supply(&self, found: &Found<'_>) -> Supply {
        let text = at_its_time(found, None);
        let known = text.as_ref().and_then(|text| self.counted.get(text));
        let Some(Counted { counts, weight }) = known else {
            // What could not be counted is taken for a metric of usual size, when it names one; what was not counted,
            // because there is too much of it or a dialect wrote it, is not trusted.
            let usual = metric_of(found.selector).filter(|_| self.has_failed);
            return Supply::unknown(usual.map_or_else(|| at_most(found), |_| UNKNOWN));
        };
        let reach = i64::try_from(found.reach().as_secs()).unwrap_or(i64::MAX);
        let from = self.first.saturating_sub(reach).saturating_mul(1_000);
        let own: Vec<f64> = counts.iter().filter(|(at, _)| *at >= from).map(|(_, count)| *count).collect();
        let own = if own.is_empty() { counts.iter().map(|(_, count)| *count).collect() } else { own };
        let mean = mean(&own);
        let scrape = text.and_then(|text| self.scrapes.get(&text).copied()).unwrap_or(self.scrape);
        Supply { weight: *weight, ..Supply::known(mean, scrape) }
    }
}

/// The mean over time of what was counted at equal distances: between two moments it is taken for halfway between both.
fn mean(counts: &[f64]) -> f64 {
    match counts {
        [] => 0.0,
        [only] => *only,
        several => {
            let between = several.windows(2).map(|pair| pair.iter().sum::<f64>() / 2.0);
            between.sum::<f64>() / (several.len() - 1) as f64
        }
    }
}

/// The series of each selector from `first` to `last` (seconds since 1970), by one look-up; `None` when it failed.
async fn count(
    guard: &Guard<'_>,
    selectors: &[String],
    first: i64,
    last: i64,
) -> Option<BTreeMap<String, Counted>> {
    let parts: Vec<(String, String)> =
        selectors.iter().map(|text| (text.clone(), format!("count({text})"))).collect();
    let span = last.saturating_sub(first);
    let at = Timestamp::from_second(last).ok()?;
    let step = span.saturating_add(i64::from(DISTANCES) - 1) / i64::from(DISTANCES);
    let step = (span as f64 > LOOKBACK).then_some(step.unsigned_abs());
    let (found, read) = ask(guard, &parts, step, at).await?;
    let all: f64 = found.values().flatten().map(|(_, count)| count).sum();
    // Of several selectors together: which of them has the histograms is not told.
    let weight = read.filter(|_| all >= 1.0).map_or(1.0, |read| (read as f64 / all).max(1.0));
    Some(found.into_iter().map(|(text, counts)| (text, Counted { counts, weight })).collect())
}

/// One number for each expression, at `last` or at [`DISTANCES`] moments `step` seconds apart up to it, and at that.
/// Where there is none it is a zero: nothing is counted. And the samples that were read, when the store tells.
async fn ask(
    guard: &Guard<'_>,
    parts: &[(String, String)],
    step: Option<u64>,
    last: Timestamp,
) -> Option<(BTreeMap<String, Counts>, Option<u64>)> {
    let query = match parts {
        [(_, only)] => only.clone(),
        several => {
            let each = several.iter().enumerate();
            let each = each.map(|(place, (_, expression))| mark(expression, "selector", &place.to_string()));
            each.collect::<Vec<_>>().join(" or ")
        }
    };
    let (reply, moments) = match step {
        None => (guard.store.instant(guard.cx, &query, last, OPTIONS).await, vec![last]),
        Some(step) => {
            let back = |times: u32| {
                last.checked_sub(Duration::from_secs(step.saturating_mul(u64::from(times)))).ok()
            };
            let window =
                TimeRange::new(back(DISTANCES)?, last.checked_add(Duration::from_secs(1)).ok()?).ok()?;
            let moments = (0..=DISTANCES).rev().filter_map(back).collect();
            (guard.store.range(guard.cx, &query, window, Duration::from_secs(step), OPTIONS).await, moments)
        }
    };
    let reply = reply.ok()?;
    let read = reply.samples_read;
    let counted = reply.data.into_series();
    let of = |place: usize| -> Counts {
        let is_it = |one: &&Series| match one.labels.get("selector") {
            Some(label) => label.inside() == place.to_string(),
            None => parts.len() == 1,
        };
        let row = counted.iter().find(is_it);
        // Some servers move the moments to multiples of the step.
        let near = step.map_or(i64::MAX, |step| i64::try_from(step.saturating_mul(500)).unwrap_or(i64::MAX));
        let at = |moment: i64| row?.points.iter().find(|point| (point.at - moment).abs() <= near);
        let milliseconds = moments.iter().map(|moment| moment.as_millisecond());
        milliseconds.map(|moment| (moment, at(moment).map_or(0.0, |point| point.value))).collect()
    };
    Some((parts.iter().enumerate().map(|(place, (text, _))| (text.clone(), of(place))).collect(), read))
}

impl Guard<'_> {
    fn recall(&self, wanted: &BTreeSet<String>, last: i64, first: i64) -> BTreeMap<String, Counted> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |text: &String| {
            // What was counted from an earlier moment on does as well.
            let from = (text.clone(), last, i64::MIN);
            let mut fitting = known.counts.range(from..=(text.clone(), last, first));
            fitting.next_back().map(|(_, counts)| (text.clone(), counts.clone()))
        };
        wanted.iter().filter_map(of).collect()
    }

    fn remember(&self, counted: &BTreeMap<String, Counted>, last: i64, first: i64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (text, counts) in counted {
            known.counts.insert((text.clone(), last, first), counts.clone());
        }
    }
}
