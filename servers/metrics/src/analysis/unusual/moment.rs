//! Which part of the window was usual: before the moment that is known, or that the signals themselves give away.

use std::ops::Range;

use super::signals::{Signal, What};

/// Between the baseline and the suspected start lies at least so long a gap, in seconds, or two steps.
const GAP: f64 = 60.0;
/// When the start was inferred, something slow may have begun so much earlier, in seconds.
const CREEP: f64 = 600.0;
/// Where nothing says when, this part of the window is the baseline.
const UNTOLD: (usize, usize) = (2, 3);
/// A baseline that may not be steady is cut after so many eighths of it, the longest first.
const CUTS: [usize; 4] = [6, 4, 2, 1];

/// How the start is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// The caller said it.
    Given,
    /// The signals together changed at this moment.
    Inferred,
    /// They did not: the last third of the window is held against the rest.
    Untold,
    /// The baseline that was given or inferred was not steady itself: its first part is held against the rest.
    Unsteady,
}

/// The parts of the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split {
    /// The suspected start.
    pub(crate) at: usize,
    pub(crate) known: Known,
    /// The baseline.
    pub(crate) before: Range<usize>,
    /// As much of it as is a baseline whatever crept up.
    pub(crate) calm: Range<usize>,
    /// What is judged. It begins before the suspected start, which may be wrong by the gap.
    pub(crate) after: Range<usize>,
}

impl Split {
    /// The window of so many moments divided at a start that is given; `None` where no baseline is left.
    pub(crate) fn given(at: usize, moments: usize, step: f64) -> Option<Split> {
        let end = at.checked_sub(gap(step))?;
        let enough = end >= super::score::FEWEST && at < moments;
        enough.then_some(Split { at, known: Known::Given, before: 0..end, calm: 0..end, after: end..moments })
    }

    /// The window divided where the signals of one service changed together.
    pub(crate) fn inferred(signals: &[&Signal], moments: usize, step: f64) -> Split {
        Split::by_change(signals, CREEP, moments, step)
    }

    /// The window divided where the signals of all services changed together. Less may have begun earlier: among all
    /// services something always has.
    pub(crate) fn inferred_among(signals: &[&Signal], moments: usize, step: f64) -> Split {
        Split::by_change(signals, GAP, moments, step)
    }

    fn by_change(signals: &[&Signal], creep: f64, moments: usize, step: f64) -> Split {
        let judged = signals.iter().filter(|signal| signal.what != What::Series);
        let values: Vec<&[f64]> = judged.map(|signal| signal.values.as_slice()).collect();
        let found = signal::shared_change(&values).map(|change| change.at);
        let inferred = found.and_then(|at| Split::around(at, creep, moments, step));
        inferred.unwrap_or_else(|| Split::untold(moments))
    }

    fn around(at: usize, creep: f64, moments: usize, step: f64) -> Option<Split> {
        let given = Split::given(at, moments, step)?;
        let creep = ((creep / step).round() as usize).min(at / 2);
        let calm = at - creep.max(gap(step));
        let calm = if calm >= super::score::FEWEST { calm } else { given.before.end };
        Some(Split { known: Known::Inferred, calm: 0..calm, after: calm..moments, ..given })
    }

    /// The first of its baseline held against everything since, for the case that the baseline was not steady itself.
    pub(crate) fn within_baseline(&self) -> impl Iterator<Item = Split> {
        let (baseline, moments) = (self.before.end, self.after.end);
        let cuts = CUTS.into_iter().map(move |eighths| baseline * eighths / 8);
        cuts.filter(|at| *at >= super::score::FEWEST).map(move |at| Split {
            at,
            known: Known::Unsteady,
            before: 0..at,
            calm: 0..at,
            after: at..moments,
        })
    }

    fn untold(moments: usize) -> Split {
        let at = moments * UNTOLD.0 / UNTOLD.1;
        Split { at, known: Known::Untold, before: 0..at, calm: 0..at, after: at..moments }
    }
}

/// Two steps, or a minute.
fn gap(step: f64) -> usize {
    ((GAP / step).ceil() as usize).max(2)
}
