//! Which label multiplies the series of one metric.

use contract::{Cell, Cite, Draft, Finding, Untrusted, counted};

use super::{
    super::{Look, series::Scopes},
    Counted, Found, NAMED,
};
use crate::{
    analysis::{
        cardinality::{LabelCost, multiplier, remedy},
        promql::mark,
        search::labels::whole,
    },
    model::{Series, label_name, selector},
};

/// The longest query, in bytes: longer ones are not analysed by the cost guard.
const LONGEST: usize = 7_000;
/// The most labels of one metric that are looked at.
const MOST_LABELS: usize = 16;

/// How many values each label of a metric has, and how many series are left without it.
pub(super) struct Apart {
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

    pub(super) fn multiplier(&self, series: u64) -> Option<(&Untrusted, LabelCost<'_>)> {
        let found = multiplier(series, &self.costs())?;
        let (label, values, left) = self.labels.iter().find(|(label, _, _)| label.inside() == found.label)?;
        Some((label, LabelCost { label: label.inside(), values: *values, left: *left }))
    }

    pub(super) fn cells(&self, one: &Counted) -> Vec<Cell> {
        let Some((label, cost)) = self.multiplier(one.series) else { return Vec::new() };
        let name = |text: &Untrusted| text.shown(100);
        vec![
            Cell::Quoted(label.clone(), 100),
            Cell::Count(cost.values),
            Cell::Count(cost.left),
            Cell::Text(remedy(&name(&one.metric), &name(label), cost, one.series)),
        ]
    }

    pub(super) fn finding(&self, one: &Counted) -> Finding {
        let mut labels: Vec<&(Untrusted, u64, u64)> = self.labels.iter().collect();
        labels.sort_by(|(one, values, left), (other, other_values, other_left)| {
            left.cmp(other_left).then_with(|| other_values.cmp(values)).then_with(|| one.cmp(other))
        });
        let told = labels.iter().take(NAMED).map(|(label, values, left)| {
            format!("{} ({}, {left} series without it)", label.shown(60), counted(*values, "value", "values"))
        });
        let told = told.collect::<Vec<_>>().join(", ");
        Finding::new(format!("labels of {}: {told}", one.metric.shown(120)), self.cite)
    }
}

/// Two requests: the names of the labels, and for each of them `count(count by (l) (m))` and `count(count without (l) (m))`
/// in one query.
pub(super) async fn taken_apart(
    look: &Look<'_>,
    found: &Found<'_>,
    one: &Counted,
    draft: &mut Draft,
) -> Option<Apart> {
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
        mark(&mark(&counted, "place", &place.to_string()), "side", side)
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
