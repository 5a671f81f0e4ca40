//! Asking the store, several questions at a time, each noted as evidence.

use contract::{Draft, Evidence};
use jiff::Timestamp;

use super::Look;
use crate::{
    analysis::ranking::Grid,
    model::{QueryError, QueryOptions, QueryReply, Series},
    tools::asking::few_at_once,
};

/// The most remarks of the store that are told.
const MOST_REMARKS: usize = 3;

/// When a query is evaluated.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    At(Timestamp),
    Over(Grid),
}

/// A query and whether nothing in it needs a fence.
pub(super) struct Query {
    pub(super) promql: String,
    pub(super) when: When,
    pub(super) plain: bool,
    /// Samples it reads, where that was planned.
    pub(super) estimate: Option<f64>,
}

/// What came back, with the evidence it rests on.
pub(super) type Answered = Result<(Vec<Series>, Evidence), QueryError>;

/// The answers in the order of the queries. Remarks of the store become caveats; what an answer rests on is for the
/// caller to cite.
pub(super) async fn ask(look: &Look<'_>, queries: &[Query], draft: &mut Draft) -> Vec<Answered> {
    let replies = few_at_once(queries.iter().map(|query| one(look, query))).await;
    let mut read = |query: &Query, reply: QueryReply| {
        remarks(look, &reply, draft);
        (reply.data.into_series(), evidence(look, query))
    };
    queries.iter().zip(replies).map(|(query, reply)| reply.map(|reply| read(query, reply))).collect()
}

async fn one(look: &Look<'_>, query: &Query) -> Result<QueryReply, QueryError> {
    let options = QueryOptions { limit: None, stats: true };
    let reply = match query.when {
        When::At(at) => look.store.instant(look.cx, &query.promql, at, options).await,
        When::Over(grid) => {
            let window = grid.window(look.window);
            look.store.range(look.cx, &query.promql, window, grid.step(), options).await
        }
    }?;
    look.guard.book(&reply, query.estimate);
    Ok(reply)
}

fn evidence(look: &Look<'_>, query: &Query) -> Evidence {
    let text = look.lookup().guarded(query.promql.clone(), query.plain);
    let evidence = Evidence::new(look.store.system(), text);
    match query.when {
        When::At(at) => evidence.at(at).link(look.store.link(&query.promql, None, at)),
        When::Over(grid) => {
            let window = grid.ends().unwrap_or(look.window);
            let link = look.store.link(&query.promql, Some(window), grid.last());
            evidence.over(window).every(grid.step()).link(link)
        }
    }
}

fn remarks(look: &Look<'_>, reply: &QueryReply, draft: &mut Draft) {
    let warnings = reply.warnings.iter().map(|text| ("warning", text));
    let infos = reply.infos.iter().map(|text| ("info", text));
    let all: Vec<_> = warnings.chain(infos).collect();
    for (kind, text) in all.iter().take(MOST_REMARKS) {
        draft.caveat(format!("{kind} from {}: {}", look.store.system(), text.shown(300)));
    }
    if all.len() > MOST_REMARKS {
        let more = all.len() - MOST_REMARKS;
        draft.caveat(format!("{more} more warnings or infos from {}", look.store.system()));
    }
}
