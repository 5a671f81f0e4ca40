//! Asking the store, and reading its replies.

use contract::{Draft, Evidence, Next, TimeRange, ToolError};
use jiff::Timestamp;

use super::period::{Pace, Period};
use crate::{
    analysis::{ranking::Grid, signals::catalogue::Catalogue},
    model::{QueryReply, Series},
    tools::{
        asking::few_at_once,
        cost::{Guard, Ran},
        scope::Lookup,
    },
};

/// The most remarks of the store that are repeated.
const MOST_REMARKS: usize = 4;

/// One call.
pub(super) struct Look<'a> {
    pub(super) lookup: Lookup<'a>,
    pub(super) guard: &'a Guard<'a>,
    pub(super) catalogue: &'a Catalogue,
    pub(super) period: Period,
    pub(super) source: Option<&'a str>,
    pub(super) full: bool,
}

/// What a query returned over a window.
pub(super) struct Over {
    pub(super) series: Vec<Series>,
    pub(super) grid: Grid,
}

impl Over {
    /// The values of one of its series, at the moments of the grid.
    pub(super) fn values(&self, series: &Series) -> Vec<Option<f64>> {
        self.grid.place(series.points.iter().copied())
    }

    /// The values of its only series; none when there is no series.
    pub(super) fn only(&self) -> Vec<Option<f64>> {
        self.series.first().map_or_else(|| vec![None; self.grid.count()], |series| self.values(series))
    }

    /// The values of the series with this key (see `union`).
    pub(super) fn keyed(&self, key: &str) -> Vec<Option<f64>> {
        let is_it = |series: &&Series| series.labels.get("signal").is_some_and(|value| value.inside() == key);
        self.series
            .iter()
            .find(is_it)
            .map_or_else(|| vec![None; self.grid.count()], |series| self.values(series))
    }
}

impl Look<'_> {
    /// Expressions over a window each, at once; what the store remarks goes into the draft.
    pub(super) async fn over(
        &self,
        asked: &[(&str, TimeRange)],
        pace: Pace,
        draft: &mut Draft,
    ) -> Vec<Result<Over, ToolError>> {
        if let [(_, window), _, ..] = asked {
            // Their series are counted in one look-up.
            let (grid, of_window) = (pace.grid(*window), asked.iter().filter(|(_, one)| one == window));
            let queries: Vec<String> = of_window.map(|(promql, _)| (*promql).to_owned()).collect();
            self.guard.ahead(&queries, grid.window(*window), grid.step()).await;
        }
        let requests = asked.iter().map(|(promql, window)| async move {
            let grid = pace.grid(*window);
            let ran = self.guard.range(promql, grid.window(*window), grid.step()).await?;
            let grid = if ran.step == grid.step() { grid } else { Grid::lay(*window, ran.step.as_secs()) };
            Ok((ran.reply, grid))
        });
        let mut over = |(reply, grid): (QueryReply, Grid)| {
            self.remarks(&reply, draft);
            Over { series: reply.data.into_series(), grid }
        };
        few_at_once(requests).await.into_iter().map(|reply| reply.map(&mut over)).collect()
    }

    /// Expressions at one moment each, at once.
    pub(super) async fn at(
        &self,
        asked: &[(&str, Timestamp)],
        draft: &mut Draft,
    ) -> Vec<Result<Vec<Series>, ToolError>> {
        let requests = asked.iter().map(|(promql, at)| self.guard.instant(promql, *at));
        let mut series = |ran: Ran| {
            self.remarks(&ran.reply, draft);
            ran.reply.data.into_series()
        };
        few_at_once(requests).await.into_iter().map(|ran| ran.map(&mut series)).collect()
    }

    /// What the store remarks must reach the reader.
    fn remarks(&self, reply: &QueryReply, draft: &mut Draft) {
        let warnings = reply.warnings.iter().map(|text| ("warning", text));
        let infos = reply.infos.iter().map(|text| ("info", text));
        for (kind, text) in warnings.chain(infos).take(MOST_REMARKS) {
            draft.caveat(format!("{kind} from {}: {}", self.lookup.store.system(), text.shown(300)));
        }
    }

    /// A query that was evaluated over a grid; `plain` when nothing in it needs a fence.
    pub(super) fn evidence_over(&self, promql: &str, plain: bool, grid: Grid) -> Evidence {
        let store = self.lookup.store;
        let evidence = Evidence::new(store.system(), self.lookup.guarded(promql.to_owned(), plain));
        let evidence = evidence.every(grid.step()).link(store.link(promql, grid.ends(), grid.last()));
        match grid.ends() {
            Some(ends) => evidence.over(ends),
            None => evidence.at(grid.last()),
        }
    }

    /// A query that was evaluated at one moment.
    pub(super) fn evidence_at(&self, promql: &str, plain: bool, at: Timestamp) -> Evidence {
        let store = self.lookup.store;
        let evidence = Evidence::new(store.system(), self.lookup.guarded(promql.to_owned(), plain));
        evidence.at(at).link(store.link(promql, None, at))
    }

    /// A call of this tool, of the same source and window.
    pub(super) fn again(&self, why: &str) -> Next {
        self.of_source(
            Next::call("get_service_golden_signals", why).with("time_range", self.period.time_range.as_str()),
        )
    }

    /// The same call over a longer window, of at most `longest` seconds; `None` where there is none.
    pub(super) fn longer(&self, longest: f64, why: &str) -> Option<Next> {
        const LENGTHS: [(&str, f64); 5] =
            [("1h", 3_600.0), ("3h", 10_800.0), ("6h", 21_600.0), ("1d", 86_400.0), ("7d", 604_800.0)];
        let window = self.period.window;
        let wanted = 3.0 * window.seconds();
        let (text, seconds) =
            LENGTHS.into_iter().find(|(_, seconds)| *seconds >= wanted && *seconds <= longest)?;
        let time_range = if window.end() < self.lookup.cx.now {
            let back = std::time::Duration::from_secs_f64(seconds);
            TimeRange::new(window.end().checked_sub(back).ok()?, window.end()).ok()?.to_string()
        } else {
            text.to_owned()
        };
        Some(self.again(why).with("time_range", time_range.as_str()))
    }

    /// The call, of the source that was asked.
    pub(super) fn of_source(&self, next: Next) -> Next {
        match self.source {
            Some(source) => next.with("source", source),
            None => next,
        }
    }
}

/// The value of a series at one moment.
pub(super) fn value(series: &Series) -> Option<f64> {
    series.points.first().map(|point| point.value)
}
