//! What a query costs, and what that rests on.

use std::time::Duration;

use contract::{TimeRange, duration_text};
use jiff::Timestamp;
use promql_parser::parser::Expr;

use super::meter::Meter;
use crate::analysis::promql::{Course, Estimate, about};

/// When a query is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moments {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) step: Duration,
    pub(super) count: usize,
}

impl Moments {
    /// At one moment.
    pub(crate) fn at(at: Timestamp) -> Moments {
        Moments { first: at, last: at, step: Duration::ZERO, count: 1 }
    }

    /// At `count` moments from `first` to `last`.
    pub(crate) fn between(first: Timestamp, last: Timestamp, step: Duration, count: usize) -> Moments {
        Moments { first, last, step, count }
    }

    /// At the start of a window and every `step` after it, before its end.
    pub(crate) fn over(window: TimeRange, step: Duration) -> Moments {
        let step = step.max(Duration::from_secs(1));
        let count = (window.seconds() / step.as_secs_f64()).ceil().max(1.0) as usize;
        let after = step.saturating_mul(u32::try_from(count - 1).unwrap_or(u32::MAX));
        let last = window.start().checked_add(after).unwrap_or(window.end());
        Moments { first: window.start(), last, step, count }
    }

    pub(crate) fn course(self) -> Course {
        Course::range(self.count, self.step.as_secs_f64())
    }
}

/// What the guard found out about a query.
pub(crate) enum Weighed {
    /// It need not be estimated: the guard is off, or it is cheap whatever is in the store.
    Light,
    /// It was estimated.
    Known(Weight),
    /// It can't be read here; by its text alone the samples of each series, and of all of them.
    Blind { each: f64, all: f64 },
}

/// A query's estimate, and what it rests on.
pub(crate) struct Weight {
    pub(super) meter: Meter,
    pub(crate) reads: Estimate,
}

impl Weight {
    /// What the same query reads at other moments, or a similar one.
    pub(crate) fn of(&self, tree: &Expr, course: Course) -> f64 {
        self.meter.reads(tree, course).samples
    }

    /// Whether the query is within the limit.
    pub(crate) fn fits(&self, most: f64) -> bool {
        self.reads.samples <= most
    }

    /// What the reader must know about an estimate that is a guess; `told` writes a selector for people.
    pub(super) fn unknown(&self, told: &dyn Fn(&str) -> String) -> Option<String> {
        let first = self.reads.parts.iter().find(|part| !part.supply.is_known)?;
        Some(format!(
            "the series of {} could not be counted, so what this reads was not bounded beforehand",
            told(&first.selector)
        ))
    }

    /// What is too much, with its numbers; `told` writes a selector for people.
    pub(super) fn problem(&self, most: f64, told: &dyn Fn(&str) -> String) -> String {
        let mut problem =
            format!("this would read about {} samples (limit {})", about(self.reads.samples), about(most));
        if let Some(part) = self.reads.parts.first() {
            let (series, each) = (about(part.supply.series), about(part.per_series()));
            let every = duration_text(part.supply.scrape.round().max(1.0));
            let selector = told(&part.selector);
            problem.push_str(&match part.supply.is_known {
                true => format!(": {series} series of {selector} × {each} samples each (one every {every})"),
                false => format!(
                    ": the series of {selector} could not be counted; with {series} it is {each} samples each (one \
                     every {every})"
                ),
            });
        }
        problem
    }
}
