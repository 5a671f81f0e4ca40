//! The metric in total, in every window that may be compared: decides the baseline.

use contract::{Cite, Draft, TimeRange, ToolError};

use super::{
    Call, ask,
    subject::{Metric, evidence},
    windows::Layout,
};
use crate::{
    analysis::{
        baseline::{Candidate, ENOUGH, Origin, choose, coverage},
        comparison::{Key, Pair, Values, pairs, placed},
        transform::{Form, Grouping},
    },
    model::{QueryOptions, QueryReply},
};
use std::collections::BTreeMap;

/// How many series there were at each moment.
pub(super) const SERIES: &str = "series";

/// The metric in total.
pub(super) struct Overview {
    /// Each measure; of an expression that was not understood, and so could not be summed up, each series.
    pub(super) pairs: Vec<Pair>,
    /// Whether these are totals.
    pub(super) is_total: bool,
    /// The baseline.
    pub(super) chosen: Vec<Candidate>,
    /// What else was tried, with the share of samples it has.
    pub(super) rejected: Vec<(Candidate, f64)>,
    pub(super) cite: Cite,
    /// Whether the source has samples of anything then: before, now. `None` where that is plain.
    pub(super) source_has: (Option<bool>, Option<bool>),
    /// Whether values are 95th percentiles of native histograms.
    pub(super) native: bool,
}

/// One window's reply on its moments.
type Placed = BTreeMap<Key, Values>;

impl Overview {
    /// Asks. A metric that turns out to be a native histogram is asked for as one.
    ///
    /// # Errors
    /// When the window in question, or the baseline that was named, can't be read.
    pub(super) async fn ask(
        call: &Call<'_>,
        metric: &mut Metric<'_>,
        layout: Layout,
        draft: &mut Draft,
    ) -> Result<Overview, ToolError> {
        let first = ask_once(call, metric, layout, draft).await?;
        let Some(subject) = metric.subject.as_mut().filter(|one| first.native && one.form == Form::Gauge)
        else {
            return Ok(first);
        };
        subject.form = Form::Native;
        subject.kind = "histogram (native), as its samples show".to_owned();
        ask_once(call, metric, layout, draft).await
    }

    /// Whether no window has anything.
    pub(super) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The windows of the baseline.
    pub(super) fn windows(&self) -> Vec<TimeRange> {
        self.chosen.iter().map(|one| one.window).collect()
    }
}

/// The metric in total, and how many series it has, as one query.
pub(super) fn promql(metric: &Metric<'_>, layout: Layout) -> String {
    let measures = metric.measures(Grouping::Total, layout).into_iter();
    let mut parts: Vec<(String, String)> = measures.map(|one| (one.name.to_owned(), one.promql)).collect();
    if metric.is_vector()
        && let Some(counted) = metric.counted()
    {
        parts.push((SERIES.to_owned(), format!("count({counted})")));
    }
    ask::together(&parts)
}

async fn ask_once(
    call: &Call<'_>,
    metric: &Metric<'_>,
    layout: Layout,
    draft: &mut Draft,
) -> Result<Overview, ToolError> {
    let main =
        metric.measures(Grouping::Total, layout).first().map(|one| one.name.to_owned()).unwrap_or_default();
    let is_total = metric.is_vector();
    let promql = promql(metric, layout);
    let baselines = call.windows.baselines();
    let windows: Vec<TimeRange> =
        [call.windows.now].into_iter().chain(baselines.iter().map(|one| one.window)).collect();
    let mut replies = ask::over(call, &promql, &windows, layout).await.into_iter();
    let now = match replies.next() {
        Some(Ok(reply)) => take(call, draft, reply, layout, call.windows.now, &main),
        Some(Err(error)) => return Err(ask::explain(call, error)),
        None => (Placed::new(), false),
    };
    let mut tried: Vec<(Candidate, f64, Placed)> = Vec::new();
    for (candidate, reply) in baselines.into_iter().zip(replies) {
        tried.push(judged(call, draft, candidate, reply, layout, &main)?);
    }
    if chosen(&tried).is_empty()
        && let Some(candidate) = call.windows.fallback(layout)
        && let Some(reply) = ask::over(call, &promql, &[candidate.window], layout).await.into_iter().next()
    {
        tried.push(judged(call, draft, candidate, reply, layout, &main)?);
    }
    let source_has = alive(call, &now.0, &tried).await;
    Ok(put_together(call, draft, &promql, layout, is_total, now, tried, source_has))
}

#[expect(clippy::too_many_arguments, reason = "each is one part of what is put together, once")]
fn put_together(
    call: &Call<'_>,
    draft: &mut Draft,
    promql: &str,
    layout: Layout,
    is_total: bool,
    (now, native): (Placed, bool),
    tried: Vec<(Candidate, f64, Placed)>,
    source_has: (Option<bool>, Option<bool>),
) -> Overview {
    let places = match chosen(&tried) {
        places if !places.is_empty() => places,
        // Too little to conclude anything from, but enough to say how little.
        _ => fullest(&tried).into_iter().collect(),
    };
    let mut overview = Overview {
        pairs: Vec::new(),
        is_total,
        chosen: Vec::new(),
        rejected: Vec::new(),
        cite: evidence(
            call,
            draft,
            promql,
            layout,
            &tried.iter().map(|(one, ..)| one.window).collect::<Vec<_>>(),
        ),
        source_has,
        native,
    };
    let mut before = Vec::new();
    for (place, (candidate, share, placed)) in tried.into_iter().enumerate() {
        if places.contains(&place) {
            overview.chosen.push(candidate);
            before.push(placed);
        } else {
            overview.rejected.push((candidate, share));
        }
    }
    overview.pairs = pairs(before, now);
    overview
}

fn take(
    call: &Call<'_>,
    draft: &mut Draft,
    reply: QueryReply,
    layout: Layout,
    window: TimeRange,
    main: &str,
) -> (Placed, bool) {
    ask::remarks(call, draft, &reply);
    placed(reply.data.into_series(), layout.grid(window), ask::MARK, main)
}

/// A baseline with the share of moments at which the main measure has a value. One that can't be read has none,
/// unless it was named.
fn judged(
    call: &Call<'_>,
    draft: &mut Draft,
    candidate: Candidate,
    reply: Result<QueryReply, ask::Failure>,
    layout: Layout,
    main: &str,
) -> Result<(Candidate, f64, Placed), ToolError> {
    let placed = match reply {
        Ok(reply) => take(call, draft, reply, layout, candidate.window, main).0,
        Err(error) if candidate.origin == Origin::Given => return Err(ask::explain(call, error)),
        Err(error) => {
            draft.caveat(format!("{} could not be read: {}", candidate.window, ToolError::from(error)));
            Placed::new()
        }
    };
    let shares =
        placed.iter().filter(|((measure, _), _)| measure == main).map(|(_, values)| coverage(values));
    Ok((candidate, shares.fold(0.0, f64::max), placed))
}

fn chosen(tried: &[(Candidate, f64, Placed)]) -> Vec<usize> {
    choose(&tried.iter().map(|(one, share, _)| (*one, *share)).collect::<Vec<_>>())
}

fn fullest(tried: &[(Candidate, f64, Placed)]) -> Option<usize> {
    let some = tried.iter().enumerate().filter(|(_, (_, share, placed))| *share > 0.0 || !placed.is_empty());
    some.max_by(|(_, one), (_, other)| one.1.total_cmp(&other.1)).map(|(place, _)| place)
}

/// Where one side has nothing: whether the source has anything at all then. An outage of the source, or its retention,
/// is no movement of the metric.
async fn alive(
    call: &Call<'_>,
    now: &Placed,
    tried: &[(Candidate, f64, Placed)],
) -> (Option<bool>, Option<bool>) {
    let is_missing_before = !tried.is_empty() && tried.iter().all(|(_, share, _)| *share < ENOUGH);
    let mut found = (None, None);
    if is_missing_before && let Some((candidate, ..)) = tried.last() {
        found.0 = has_targets(call, candidate.window).await;
    }
    if now.is_empty() {
        found.1 = has_targets(call, call.windows.now).await;
    }
    found
}

async fn has_targets(call: &Call<'_>, window: TimeRange) -> Option<bool> {
    let at = jiff::Timestamp::from_second(window.end().as_second()).unwrap_or(window.end());
    let reply = call.store.instant(call.cx, "count(up)", at, QueryOptions::default()).await.ok()?;
    Some(!reply.data.series().is_empty())
}
