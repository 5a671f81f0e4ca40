//! The answer about numbers of series: which metrics have most, which label multiplies them, how fast they change.

mod apart;

use super::{Look, series::Scopes};
use crate::{
    analysis::{
        cardinality::churn,
        search::{labels::whole, words::escape},
    },
    model::{MatchOp, Series, selector},
    tools::{cost::Ran, scope::Scope},
};
use apart::{Apart, taken_apart};
use contract::{
    Answer, Cell, Cite, Draft, Evidence, Finding, Next, Table, ToolError, Untrusted, duration_text, time_text,
};

/// Of so many metrics it is found out which label multiplies them: two requests each.
const TAKEN_APART: usize = 3;
/// A window that ended longer ago, in seconds, is not what the store's statistics are about.
const NEWEST: i64 = 300;
/// Metrics that a store is asked to list.
const LISTED: usize = 100;
/// The most labels with their numbers of values that are named.
const NAMED: usize = 6;

/// One metric and its series.
struct Counted {
    metric: Untrusted,
    /// Now; where the store's statistics told it, with those that ended since its newest block began.
    series: u64,
    /// At the window's end, where `series` is not that.
    now: Option<u64>,
    /// At any moment of the window.
    seen: Option<u64>,
}

pub(super) async fn of_service(
    look: &Look<'_>,
    service: &str,
    scopes: &Scopes,
    mut draft: Draft,
) -> Result<Answer, ToolError> {
    let at = look.when.window.end();
    let counts = look.guard.instant(&format!("count by (__name__) ({})", scopes.union(&[])), at).await?;
    let cite = cited(look, &mut draft, &counts, scopes.is_plain(), &scopes.union(&[]));
    let mut all = counted(counts.reply.data.into_series());
    let total = all.iter().map(|one| one.series).sum();
    draft.caveat(format!("series of {}: {}", look.lookup().echo(service), scopes.shown()));
    add_seen(look, Some(scopes), &mut all, &mut draft).await;
    let name = look.lookup().echo(service);
    answer(look, &format!("{name} has"), Found { all, total, cite, scopes: Some(scopes) }, draft).await
}

pub(super) async fn of_all(look: &Look<'_>, mut draft: Draft) -> Result<Answer, ToolError> {
    let mut found = match by_statistics(look, &mut draft).await {
        Some(found) => found,
        None => by_count(look, &mut draft).await?,
    };
    found.all.sort_by(|one, other| other.series.cmp(&one.series).then_with(|| one.metric.cmp(&other.metric)));
    add_seen(look, None, &mut found.all, &mut draft).await;
    answer(look, "there are", found, draft).await
}

/// What the store's statistics say, which are about now: of an earlier window, and where they hold nothing, they say
/// nothing.
async fn by_statistics<'s>(look: &Look<'_>, draft: &mut Draft) -> Option<Found<'s>> {
    if look.cx.now.duration_since(look.when.window.end()).as_secs() > NEWEST {
        return None;
    }
    let status = match look.store.tsdb(look.cx, LISTED).await {
        Ok(status) => status,
        Err(error) => {
            draft.caveat(format!("no statistics of the store, so series were counted: {error}"));
            return None;
        }
    };
    let one = |counted: crate::model::TsdbCount| Counted {
        metric: counted.name,
        series: counted.count,
        now: None,
        seen: None,
    };
    let all: Vec<Counted> = status.series_by_metric.into_iter().map(one).collect();
    if all.is_empty() {
        return None;
    }
    let query = format!("GET /api/v1/status/tsdb limit={LISTED}");
    let cite = draft.cite(Evidence::new(look.store.system(), query).at(look.cx.now));
    draft.caveat("the store's own statistics: its newest block only, so series that ended may be in it");
    labels_by_values(&status.values_by_label, draft, cite);
    let listed = all.iter().map(|one| one.series).sum();
    Some(Found { all, total: status.series.unwrap_or(listed), cite, scopes: None })
}

/// What a query counts at the window's end.
async fn by_count<'s>(look: &Look<'_>, draft: &mut Draft) -> Result<Found<'s>, ToolError> {
    let every = selector(None, &[]);
    let at = look.when.window.end();
    let counts = look.guard.instant(&format!("topk({LISTED}, count by (__name__) ({every}))"), at).await?;
    let cite = cited(look, draft, &counts, true, &every);
    let all = counted(counts.reply.data.into_series());
    let total = look.guard.instant(&format!("count({every})"), at).await?;
    let total = total.reply.data.series().first().and_then(|one| one.points.first());
    Ok(Found { all, total: total.map_or(0, |point| whole(point.value)), cite, scopes: None })
}

/// What was counted.
struct Found<'a> {
    all: Vec<Counted>,
    total: u64,
    cite: Cite,
    scopes: Option<&'a Scopes>,
}

async fn answer(
    look: &Look<'_>,
    subject: &str,
    found: Found<'_>,
    mut draft: Draft,
) -> Result<Answer, ToolError> {
    if found.all.is_empty() {
        look.guard.caveats().into_iter().for_each(|caveat| draft.caveat(caveat));
        let at = time_text(look.when.window.end());
        return Ok(draft.conclude(format!(
            "No series at {at}: {subject} none. That nothing was found is not a zero of usage."
        )));
    }
    let mut parts = Vec::new();
    for one in found.all.iter().take(TAKEN_APART) {
        parts.push(taken_apart(look, &found, one, &mut draft).await);
    }
    look.guard.caveats().into_iter().for_each(|caveat| draft.caveat(caveat));
    let columns = [
        "metric",
        "series",
        "% of all",
        "seen in window",
        "churn %",
        "multiplied by",
        "values",
        "series without it",
        "remedy",
    ];
    let mut table = Table::new("metrics", &columns, found.cite);
    for (place, one) in found.all.iter().take(look.limit).enumerate() {
        let share = if found.total > 0 { 100.0 * one.series as f64 / found.total as f64 } else { 0.0 };
        let churned =
            one.seen.and_then(|seen| churn(one.now.unwrap_or(one.series), seen)).map(|churn| churn * 100.0);
        let mut row = vec![
            Cell::Quoted(one.metric.clone(), 200),
            Cell::Count(one.series),
            Cell::Number(share),
            one.seen.map_or(Cell::Missing, Cell::Count),
            Cell::number(churned),
        ];
        if let Some(Some(apart)) = parts.get(place) {
            row.extend(apart.cells(one));
        }
        table.row(row);
    }
    table.seen(found.all.len() as u64);
    table.see_more("a higher limit");
    draft.table(table);
    for (one, apart) in found.all.iter().zip(&parts) {
        if let Some(apart) = apart {
            draft.finding(apart.finding(one));
        }
    }
    next(look, &mut draft, &found);
    let verdict = verdict(subject, &found, &parts);
    Ok(draft.conclude(verdict))
}

fn verdict(subject: &str, found: &Found<'_>, parts: &[Option<Apart>]) -> String {
    let Some(first) = found.all.first() else { return String::new() };
    let metric = first.metric.shown(120);
    let (series, total) = (first.series, found.total);
    let share = if total > 0 { 100.0 * series as f64 / total as f64 } else { 0.0 };
    let by = parts.first().and_then(Option::as_ref).and_then(|apart| apart.multiplier(first.series));
    let by = by.map_or(String::new(), |cost| {
        let label = cost.0.shown(60);
        format!(
            "; its label {label} has {}, without it {} series would be left",
            contract::counted(cost.1.values, "value", "values"),
            cost.1.left
        )
    });
    format!("{subject} {total} series; {metric} has most, {series} ({} %){by}.", contract::significant(share))
}

/// How many series each of the largest metrics had at any moment of the window; without scopes, of the whole store, also
/// how many at its end, because the store's statistics count those that ended too.
async fn add_seen(look: &Look<'_>, scopes: Option<&Scopes>, all: &mut [Counted], draft: &mut Draft) {
    if all.is_empty() {
        return;
    }
    let names: Vec<String> = all.iter().take(look.limit).map(|one| escape(one.metric.inside())).collect();
    let range = duration_text(look.when.window.seconds().round());
    let pattern = names.join("|");
    let named = [("__name__", MatchOp::Regex, pattern.as_str())];
    let over = match scopes {
        Some(scopes) => scopes.union_over("last_over_time", &range, &named),
        None => format!("last_over_time({}[{range}])", selector(None, &named)),
    };
    let now = match scopes {
        Some(_) => Ok(None),
        None => counts(look, &selector(None, &named), draft).await.map(Some),
    };
    match (counts(look, &over, draft).await, now) {
        (Ok(seen), Ok(now)) => {
            let how = format!(
                "count by (__name__) of the first {} metrics and of their last_over_time(…[{range}])",
                names.len()
            );
            draft.cite(look.evidence(&how, true).at(look.when.window.end()));
            for one in all.iter_mut().take(names.len()) {
                let of = |counts: &[Counted]| {
                    counts.iter().find(|other| other.metric == one.metric).map(|other| other.series)
                };
                one.seen = of(&seen);
                one.now = now.as_deref().map(|now| of(now).unwrap_or(0));
            }
        }
        (Err(error), _) | (_, Err(error)) => draft.caveat(format!("churn is not known: {error}")),
    }
}

/// Series by metric, the largest first.
async fn counts(look: &Look<'_>, of: &str, draft: &mut Draft) -> Result<Vec<Counted>, ToolError> {
    let promql = format!("count by (__name__) ({of})");
    let ran = look.guard.instant(&promql, look.when.window.end()).await?;
    look.lookup().warn(&ran.reply.warnings, draft);
    Ok(counted(ran.reply.data.into_series()))
}

/// The largest first.
fn counted(series: Vec<Series>) -> Vec<Counted> {
    let one = |series: Series| {
        let count = series.points.first().map_or(0, |point| whole(point.value));
        Some(Counted { metric: series.labels.name()?.clone(), series: count, now: None, seen: None })
    };
    let mut all: Vec<Counted> = series.into_iter().filter_map(one).collect();
    all.sort_by(|one, other| other.series.cmp(&one.series).then_with(|| one.metric.cmp(&other.metric)));
    all
}

fn cited(look: &Look<'_>, draft: &mut Draft, ran: &Ran, plain: bool, all: &str) -> Cite {
    look.lookup().warn(&ran.reply.warnings, draft);
    draft.cite(look.evidence(&format!("count by (__name__) ({all})"), plain).at(look.when.window.end()))
}

fn labels_by_values(labels: &[crate::model::TsdbCount], draft: &mut Draft, cite: Cite) {
    let told = labels.iter().take(NAMED).map(|one| format!("{} ({})", one.name.shown(60), one.count));
    let told = told.collect::<Vec<_>>().join(", ");
    if !told.is_empty() {
        draft.finding(Finding::new(format!("labels with most values: {told}"), cite));
    }
}

fn next(look: &Look<'_>, draft: &mut Draft, found: &Found<'_>) {
    let Some(first) = found.all.first().and_then(|one| one.metric.plain()) else { return };
    let why = "what it is and which queries work on it";
    draft.next(look.of_source(Next::call("search_metrics", why).with("text", first)));
    let plain = found.scopes.is_none_or(Scopes::is_plain);
    let scope: Option<&Scope> = found.scopes.and_then(|scopes| scopes.0.first());
    if plain {
        let selector =
            scope.map_or_else(|| selector(Some(first), &[]), |scope| scope.select(Some(first), &[]));
        let next = Next::call("query_metrics", "whether its series grow")
            .with("promql", format!("count({selector})"));
        draft.next(look.of_source(next.with("time_range", look.when.window.to_string())));
    }
}
