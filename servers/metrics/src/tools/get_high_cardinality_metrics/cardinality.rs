//! The answer about numbers of series: which metrics have most, which label multiplies them, how fast they change.

use super::{Look, series::Scopes};
use crate::{
    analysis::{
        cardinality::{LabelCost, churn, multiplier, remedy},
        search::{labels::whole, words::escape},
    },
    model::{MatchOp, Series, label_name, selector},
    tools::{cost::Ran, scope::Scope},
};
use contract::{
    Answer, Cell, Cite, Draft, Evidence, Finding, Next, Table, ToolError, Untrusted, duration_text, time_text,
};

/// Of so many metrics it is found out which label multiplies them: two requests each.
const TAKEN_APART: usize = 3;
/// Metrics that a store is asked to list.
const LISTED: usize = 100;
/// The longest query, in bytes: longer ones are not analysed by the cost guard.
const LONGEST: usize = 7_000;
/// The most labels of one metric that are looked at.
const MOST_LABELS: usize = 16;
/// The most labels with their numbers of values that are named.
const NAMED: usize = 6;

/// One metric and its series.
struct Counted {
    metric: Untrusted,
    /// Now.
    series: u64,
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
    add_seen(look, scopes, &mut all, &mut draft).await;
    let name = look.lookup().echo(service);
    answer(look, &format!("{name} has"), Found { all, total, cite, scopes: Some(scopes) }, draft).await
}

pub(super) async fn of_all(look: &Look<'_>, mut draft: Draft) -> Result<Answer, ToolError> {
    let status = look.store.tsdb(look.cx, LISTED).await;
    let (mut all, total, cite) = match status {
        Ok(status) => {
            let query = format!("GET /api/v1/status/tsdb limit={LISTED}");
            let cite = draft.cite(Evidence::new(look.store.system(), query).at(look.cx.now));
            draft.caveat(
                "the store's own statistics: its newest block only, so series that ended may be in it",
            );
            labels_by_values(&status.values_by_label, &mut draft, cite);
            let one = |counted: crate::model::TsdbCount| Counted {
                metric: counted.name,
                series: counted.count,
                seen: None,
            };
            let all: Vec<Counted> = status.series_by_metric.into_iter().map(one).collect();
            let listed = all.iter().map(|one| one.series).sum();
            (all, status.series.unwrap_or(listed), cite)
        }
        Err(error) => {
            draft.caveat(format!("no statistics of the store, so series were counted: {error}"));
            let every = selector(None, &[]);
            let at = look.when.window.end();
            let promql = format!("topk({LISTED}, count by (__name__) ({every}))");
            let counts = look.guard.instant(&promql, at).await?;
            let cite = cited(look, &mut draft, &counts, true, &every);
            let all = counted(counts.reply.data.into_series());
            let total = look.guard.instant(&format!("count({every})"), at).await?;
            let total = total
                .reply
                .data
                .series()
                .first()
                .and_then(|one| one.points.first())
                .map_or(0, |point| whole(point.value));
            (all, total, cite)
        }
    };
    all.sort_by(|one, other| other.series.cmp(&one.series).then_with(|| one.metric.cmp(&other.metric)));
    answer(look, "there are", Found { all, total, cite, scopes: None }, draft).await
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
        let churned = one.seen.and_then(|seen| churn(one.series, seen)).map(|churn| churn * 100.0);
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
            "; its label {label} has {} values, without it {} series would be left",
            cost.1.values, cost.1.left
        )
    });
    format!("{subject} {total} series; {metric} has most, {series} ({} %){by}.", contract::significant(share))
}

/// How many values each label of a metric has, and how many series are left without it.
struct Apart {
    labels: Vec<(Untrusted, u64, u64)>,
    cite: Cite,
}

impl Apart {
    fn costs(&self) -> Vec<LabelCost<'_>> {
        self.labels
            .iter()
            .map(|(label, values, left)| LabelCost { label: label.inside(), values: *values, left: *left })
            .collect()
    }

    fn multiplier(&self, series: u64) -> Option<(&Untrusted, LabelCost<'_>)> {
        let found = multiplier(series, &self.costs())?;
        let (label, values, left) = self.labels.iter().find(|(label, _, _)| label.inside() == found.label)?;
        Some((label, LabelCost { label: label.inside(), values: *values, left: *left }))
    }

    fn cells(&self, one: &Counted) -> Vec<Cell> {
        let Some((label, cost)) = self.multiplier(one.series) else { return Vec::new() };
        let name = |text: &Untrusted| text.shown(100);
        vec![
            Cell::Quoted(label.clone(), 100),
            Cell::Count(cost.values),
            Cell::Count(cost.left),
            Cell::Text(remedy(&name(&one.metric), &name(label), cost, one.series)),
        ]
    }

    fn finding(&self, one: &Counted) -> Finding {
        let mut labels: Vec<&(Untrusted, u64, u64)> = self.labels.iter().collect();
        labels.sort_by(|(one, values, left), (other, other_values, other_left)| {
            left.cmp(other_left).then_with(|| other_values.cmp(values)).then_with(|| one.cmp(other))
        });
        let told = labels.iter().take(NAMED).map(|(label, values, left)| {
            format!("{} ({values} values, {left} series without it)", label.shown(60))
        });
        let told = told.collect::<Vec<_>>().join(", ");
        Finding::new(format!("labels of {}: {told}", one.metric.shown(120)), self.cite)
    }
}

/// Two requests: the names of the labels, and for each of them `count(count by (l) (m))` and `count(count without (l) (m))`
/// in one query.
async fn taken_apart(look: &Look<'_>, found: &Found<'_>, one: &Counted, draft: &mut Draft) -> Option<Apart> {
    let metric = one.metric.inside();
    let selectors = match found.scopes {
        Some(scopes) => scopes.0.iter().map(|scope| scope.select(Some(metric), &[])).collect(),
        None => vec![selector(Some(metric), &[])],
    };
    let matchers: Vec<&str> = selectors.iter().map(String::as_str).collect();
    let window = Some(look.when.window);
    let listing = match look.store.label_names(look.cx, &matchers, window, MOST_LABELS + 1).await {
        Ok(listing) => listing,
        Err(error) => {
            draft.caveat(format!("labels of {} are not known: {error}", one.metric.shown(120)));
            return None;
        }
    };
    look.lookup().warn(&listing.warnings, draft);
    let labels: Vec<Untrusted> =
        listing.items.into_iter().filter(|label| label.inside() != "__name__").take(MOST_LABELS).collect();
    let all = selectors.join(" or ");
    let terms: Vec<String> =
        labels.iter().enumerate().map(|(place, label)| per_label(&all, place, label.inside())).collect();
    let mut rows = Vec::new();
    let queries = joined(&terms);
    for promql in &queries {
        match look.guard.instant(promql, look.when.window.end()).await {
            Ok(ran) => {
                look.lookup().warn(&ran.reply.warnings, draft);
                rows.extend(ran.reply.data.into_series());
            }
            Err(error) => {
                draft.caveat(format!("labels of {} could not be counted: {error}", one.metric.shown(120)));
            }
        }
    }
    if rows.is_empty() {
        return None;
    }
    let plain = one.metric.plain().is_some() && found.scopes.is_none_or(Scopes::is_plain);
    let each = format!(
        "for each label l: count(count by (l) ({all})), count(count without (l) ({all})); {} terms joined by or in {} queries",
        2 * labels.len(),
        queries.len()
    );
    let cite = draft.cite(look.evidence(&each, plain).at(look.when.window.end()));
    let value = |place: usize, side: &str| {
        let place = place.to_string();
        let is_it = |series: &&Series| {
            let has = |label: &str, wanted: &str| {
                series.labels.get(label).is_some_and(|value| value.inside() == wanted)
            };
            has("place", &place) && has("side", side)
        };
        rows.iter().find(is_it).and_then(|series| series.points.first()).map(|point| whole(point.value))
    };
    let cost = |(place, label): (usize, &Untrusted)| {
        Some((label.clone(), value(place, "by")?, value(place, "without")?))
    };
    Some(Apart { labels: labels.iter().enumerate().filter_map(cost).collect(), cite })
}

/// Counts the values of a label and the series left without it. The label is told by its number, so that no name stands
/// in a text of the query.
fn per_label(all: &str, place: usize, label: &str) -> String {
    let term = |side: &str| {
        let counted = format!("count(count {side} ({}) ({all}))", label_name(label));
        let placed = format!("label_replace({counted}, \"place\", \"{place}\", \"\", \"\")");
        format!("label_replace({placed}, \"side\", \"{side}\", \"\", \"\")")
    };
    format!("{} or {}", term("by"), term("without"))
}

/// As few queries as may be, none longer than [`LONGEST`] unless a single term is.
fn joined(terms: &[String]) -> Vec<String> {
    let mut queries: Vec<String> = Vec::new();
    for term in terms {
        match queries.last_mut().filter(|query| query.len() + term.len() < LONGEST) {
            Some(query) => query.push_str(&format!(" or {term}")),
            None => queries.push(term.clone()),
        }
    }
    queries
}

/// How many series each of the largest metrics had at any moment of the window.
async fn add_seen(look: &Look<'_>, scopes: &Scopes, all: &mut [Counted], draft: &mut Draft) {
    let names: Vec<String> = all.iter().take(look.limit).map(|one| escape(one.metric.inside())).collect();
    let range = duration_text(look.when.window.seconds().round());
    let pattern = names.join("|");
    let union = scopes.union_over("last_over_time", &range, &[("__name__", MatchOp::Regex, &pattern)]);
    match look.guard.instant(&format!("count by (__name__) ({union})"), look.when.window.end()).await {
        Ok(ran) => {
            look.lookup().warn(&ran.reply.warnings, draft);
            let seen = counted(ran.reply.data.into_series());
            for one in all {
                one.seen = seen.iter().find(|other| other.metric == one.metric).map(|other| other.series);
            }
        }
        Err(error) => draft.caveat(format!("churn is not known: {error}")),
    }
}

/// The largest first.
fn counted(series: Vec<Series>) -> Vec<Counted> {
    let one = |series: Series| {
        let count = series.points.first().map_or(0, |point| whole(point.value));
        Some(Counted { metric: series.labels.name()?.clone(), series: count, seen: None })
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
