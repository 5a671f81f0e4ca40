//! From a metric to traces: exemplars of what moved, handed over as calls of the traces server.
//!
//! One more request, and only where exemplars can be: of histograms, and of counters that moved. That there are none,
//! or that a store can't tell, is no part of an answer about metrics.

use contract::{Context, Draft, Evidence, Next, TimeRange, significant, time_text};
use jiff::Timestamp;
use promql_parser::parser::Expr;

use crate::{
    analysis::exemplars::{expression, is_of_histogram, traces},
    backend::Metrics,
    model::Labels,
};

/// Traces that are handed over.
const MOST: usize = 2;
/// Exemplars are looked for within so long after something began to move, in seconds.
const AFTER: i64 = 1_800;

/// What moved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moved<'a> {
    /// The expression it was seen in.
    pub(crate) tree: &'a Expr,
    /// The window that was looked at.
    pub(crate) window: TimeRange,
    /// Labels of the series that moved most.
    pub(crate) labels: &'a Labels,
    /// When it began to move.
    pub(crate) onset: Option<Timestamp>,
    pub(crate) is_native: bool,
    /// Whether nothing in the expression needs a fence: names in it may come from the store.
    pub(crate) plain: bool,
}

/// Adds the calls that open the traces behind a movement.
pub(crate) async fn hand_over(cx: &Context, store: &dyn Metrics, draft: &mut Draft, moved: Moved<'_>) {
    let can_tell = moved.onset.is_some() || moved.is_native || is_of_histogram(moved.tree);
    let Some(promql) = expression(moved.tree, moved.is_native).filter(|_| can_tell) else { return };
    let window = from_onset(moved).unwrap_or(moved.window);
    let Ok(exemplars) = store.exemplars(cx, &promql, window).await else { return };
    let found = traces(&exemplars, moved.labels, MOST);
    if found.is_empty() {
        return;
    }
    let query = format!("/api/v1/query_exemplars query={promql}");
    let query = if moved.plain { query } else { cx.intake.text(&query).shown(1_500) };
    draft.cite(Evidence::new(store.system(), query).over(window));
    for trace in found {
        let at = Timestamp::from_millisecond(trace.at).map(time_text).unwrap_or_default();
        let of = trace.labels.name().map(|name| format!(" of {}", name.shown(100))).unwrap_or_default();
        let why = format!("an exemplar{of}: {} at {at}", significant(trace.value));
        draft.next(Next::call("get_trace_details", why).on("traces").with("trace_id", trace.id));
    }
}

fn from_onset(moved: Moved<'_>) -> Option<TimeRange> {
    let onset = moved.onset?;
    let end = onset.checked_add(std::time::Duration::from_secs(AFTER.unsigned_abs())).ok()?;
    TimeRange::new(onset.max(moved.window.start()), end.min(moved.window.end())).ok()
}
