//! Asking the same of several windows.

use contract::{Draft, ErrorKind, Next, TimeRange, ToolError};
use futures_util::future::join_all;

use super::{Call, windows::Layout};
use crate::{
    analysis::promql::{hint, union},
    model::{QueryError, QueryOptions, QueryReply, RejectionKind},
    tools::asking::AT_ONCE,
};

/// The label by which the parts of one query are told apart.
pub(super) const MARK: &str = "compare_measure";

/// Several expressions as one query: each marked with what it measures. A single one stays as it is.
pub(super) fn together(parts: &[(String, String)]) -> String {
    if let [(_, only)] = parts {
        return only.clone();
    }
    union(MARK, parts)
}

/// Why there is no reply.
pub(super) enum Failure {
    /// The query was not sent: it would read too much.
    Refused(ToolError),
    /// The source failed.
    Source(QueryError),
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Failure {
        Failure::Source(error)
    }
}

impl From<Failure> for ToolError {
    fn from(failure: Failure) -> ToolError {
        match failure {
            Failure::Refused(error) => error,
            Failure::Source(error) => ToolError::from(error),
        }
    }
}

/// The refusal of the cost guard, with what helps.
pub(super) fn too_much(call: &Call<'_>, error: ToolError) -> ToolError {
    if error.kind() != ErrorKind::TooExpensive {
        return error;
    }
    let shorter = Next::call("compare_time_periods", "the last half hour")
        .with("metric", call.request.metric.as_str())
        .with("window1", "30m");
    error.remedy("name shorter windows, or narrow the metric with matchers").try_next(shorter)
}

/// A reply with more samples than this is large: no second one is held at the same time.
const LARGE: usize = 20_000;

/// The replies for these windows, in their order: the first alone, because when it fails the others are not asked,
/// and when it is large they are asked one after the other. Fewer replies than windows: the last of them is the error.
pub(super) async fn over(
    call: &Call<'_>,
    promql: &str,
    windows: &[TimeRange],
    layout: Layout,
) -> Vec<Result<QueryReply, Failure>> {
    let mut replies = Vec::with_capacity(windows.len());
    let Some((first, others)) = windows.split_first() else { return replies };
    replies.push(one(call, promql, *first, layout).await);
    let Some(Ok(reply)) = replies.first() else { return replies };
    let samples: usize =
        reply.data.series().iter().map(|one| one.points.len() + 10 * one.histograms.len()).sum();
    for some in others.chunks(if samples > LARGE { 1 } else { AT_ONCE }) {
        replies.extend(join_all(some.iter().map(|window| one(call, promql, *window, layout))).await);
    }
    replies
}

async fn one(
    call: &Call<'_>,
    promql: &str,
    window: TimeRange,
    layout: Layout,
) -> Result<QueryReply, Failure> {
    let grid = layout.grid(window);
    // Never narrowed: all windows are read at the same step.
    let admitted = call.guard.admit(promql, layout.moments(window)).await;
    admitted.map_err(|error| Failure::Refused(too_much(call, error)))?;
    let options = QueryOptions { limit: None, stats: true };
    let reply = call.store.range(call.cx, promql, grid.window(window), grid.step(), options).await?;
    call.guard.book(&reply, None);
    Ok(reply)
}

/// What the backend remarks must reach the reader.
pub(super) fn remarks(call: &Call<'_>, draft: &mut Draft, reply: &QueryReply) {
    const MOST: usize = 3;
    let warnings = reply.warnings.iter().map(|text| ("warning", text));
    let infos = reply.infos.iter().map(|text| ("info", text));
    for (kind, text) in warnings.chain(infos).take(MOST) {
        draft.caveat(format!("{kind} from {}: {}", call.store.system(), text.shown(240)));
    }
}

/// The error as the caller can act on it: an expression of theirs that is refused is their argument.
pub(super) fn explain(call: &Call<'_>, failure: Failure) -> ToolError {
    let error = match failure {
        Failure::Refused(error) => return error,
        Failure::Source(error) => error,
    };
    let mapped = ToolError::from(error.clone());
    let QueryError::Rejected { message, kind: RejectionKind::BadData | RejectionKind::Execution, .. } =
        &error
    else {
        return mapped;
    };
    if mapped.kind() != contract::ErrorKind::InvalidArgument {
        return mapped;
    }
    let problem = format!("{} refuses it: {}", call.store.system(), message.shown(400));
    let hint = match crate::analysis::promql::read(call.request.metric.trim()) {
        Ok(reading) => hint(message.inside(), &reading),
        Err(_) => String::new(),
    };
    let remedy = if hint.is_empty() { mapped.advice().to_owned() } else { hint };
    ToolError::invalid("metric", &problem).remedy(remedy).because(error.clone())
}
