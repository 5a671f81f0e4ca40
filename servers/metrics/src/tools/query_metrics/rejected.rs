//! A query the backend refused: where it is wrong and what usually helps.

use contract::{ErrorKind, ToolError};

use super::question::{Question, When};
use crate::{
    analysis::promql::{add_range, describe, excerpt, hint},
    backend::Metrics,
    model::QueryError,
};

/// The longest a server's message is shown.
const SHOWN: usize = 400;

/// The error as the caller can act on it: with place and hint when the expression is at fault.
pub(super) fn explain(store: &dyn Metrics, question: &Question<'_>, error: QueryError) -> ToolError {
    let mapped = ToolError::from(error.clone());
    let QueryError::Rejected { message, position, .. } = &error else { return mapped };
    // Limits, timeouts and faults of the backend are no fault of the expression.
    if mapped.kind() != ErrorKind::InvalidArgument {
        return mapped;
    }
    let place =
        position.map(|(line, column)| format!(" at line {line}, column {column}")).unwrap_or_default();
    let mut problem = format!("{} refuses it{place}: {}", store.system(), message.shown(SHOWN));
    if let Some(excerpt) = position.and_then(|(line, column)| excerpt(question.promql, line, column)) {
        problem.push('\n');
        problem.push_str(&excerpt);
    }
    // A query without a place that is wrong was understood.
    let computes = question.reading.tree.as_ref().filter(|_| position.is_none()).and_then(describe);
    if let Some(computes) = computes {
        problem.push_str(&format!("\nit computes: {computes}"));
    }
    let hint = hint(message.inside(), &question.reading);
    let remedy = if hint.is_empty() { mapped.advice().to_owned() } else { hint };
    let refused = ToolError::invalid("promql", &problem).remedy(remedy).because(error.clone());
    match with_range(question, message.inside(), *position) {
        Some(promql) => refused.try_next(question.again(&promql, "with a range of five minutes")),
        None => refused,
    }
}

/// The query with the range that a function misses.
fn with_range(question: &Question<'_>, message: &str, position: Option<(u32, u32)>) -> Option<String> {
    let (_, after) = message.split_once("expected type range vector in call to function \"")?;
    let (function, _) = after.split_once('"')?;
    let (line, column) = position?;
    let before: usize = question
        .promql
        .split('\n')
        .take(usize::try_from(line).ok()?.checked_sub(1)?)
        .map(|line| line.len() + 1)
        .sum();
    add_range(&question.reading, function, before + usize::try_from(column).ok()?.checked_sub(1)?)
}

/// The reply is larger than allowed, also with few points: there are too many series.
pub(super) fn too_large(question: &Question<'_>, limit: usize) -> ToolError {
    let what = match question.when {
        When::At(_) => "series".to_owned(),
        When::Over { grid, .. } => format!("series of {} points", grid.count()),
    };
    let problem = format!("the reply is larger than {limit} bytes: too many {what}");
    let remedy = "aggregate (sum by (service) (…)), add matchers, or take the largest: topk(20, …)";
    let topk = format!("topk(20, {})", question.promql);
    let error = ToolError::new(ErrorKind::TooExpensive, problem, remedy);
    match question.when {
        When::At(_) => error.try_next(question.again(&topk, "the 20 largest")),
        When::Over { .. } => {
            let next = contract::Next::call("query_metrics", "the 20 largest now").with("promql", topk);
            error.try_next(question.of_source(next))
        }
    }
}
