//! The answer about one moment.

use contract::{Answer, Cell, Cite, Draft, Table, Untrusted, significant, time_text};
use jiff::Timestamp;

use super::{
    question::Question,
    suggest,
    words::{are_moments, head, label_cell, named, value_cell, value_text},
};
use crate::{
    analysis::{
        promql::orders_itself,
        ranking::{Order, common, few_values, order},
    },
    model::{Labels, Point, Series},
};

/// A single number without labels.
pub(super) fn scalar(mut draft: Draft, cite: Cite, question: &Question<'_>, point: Point) -> Answer {
    let mut table = Table::new("values", &["value"], cite);
    table.row(vec![Cell::Number(point.value)]);
    draft.table(table);
    draft.conclude(format!(
        "{} is {} at {}.",
        question.title(),
        significant(point.value),
        time_text(question.end())
    ))
}

/// What an expression of a text evaluates to.
pub(super) fn text(mut draft: Draft, cite: Cite, text: &Untrusted) -> Answer {
    let mut table = Table::new("values", &["text"], cite);
    table.row(vec![Cell::Quoted(text.clone(), 1_000)]);
    draft.table(table);
    draft.conclude(format!("The expression is a text: {}.", text.shown(200)))
}

/// One row a series.
pub(super) fn vector(
    mut draft: Draft,
    cite: Cite,
    question: &Question<'_>,
    at: Timestamp,
    series: Vec<Series>,
) -> Answer {
    let (native, plain): (Vec<Series>, Vec<Series>) =
        series.into_iter().partition(|one| one.points.is_empty() && !one.histograms.is_empty());
    let shared = common(plain.iter().chain(&native).map(|one| &one.labels));
    let count = plain.len() + native.len();
    let mut said = Vec::new();
    if !plain.is_empty() {
        said.push(plain_table(&mut draft, cite, question, &plain, &shared));
    }
    if !native.is_empty() {
        said.push(native_table(&mut draft, cite, question, &native, &shared));
    }
    suggest::after_moment(&mut draft, question, count, plain.is_empty());
    let head = head(&mut draft, cite, question, count, &shared);
    draft.conclude(format!("{head} at {}: {}.", time_text(at), said.join("; ")))
}

fn plain_table(
    draft: &mut Draft,
    cite: Cite,
    question: &Question<'_>,
    series: &[Series],
    shared: &Labels,
) -> String {
    let values: Vec<f64> =
        series.iter().map(|one| one.points.first().map_or(f64::NAN, |point| point.value)).collect();
    let labels: Vec<&Labels> = series.iter().map(|one| &one.labels).collect();
    let ordered = question.reading.tree.as_ref().is_some_and(orders_itself);
    let (places, how) = order(&values, &labels, ordered);
    let moments: Vec<f64> = (values.iter().copied().zip(&labels))
        .filter(|(value, labels)| are_moments(question, labels, [*value].into_iter()))
        .map(|(value, _)| value)
        .collect();
    let only_value = series.len() == 1;
    let mut table = Table::new("series", if only_value { &["value"] } else { &["labels", "value"] }, cite);
    for place in places.iter().take(question.limit) {
        let (Some(value), Some(labels)) = (values.get(*place), labels.get(*place)) else { continue };
        let value = value_cell(*value, moments.contains(value));
        table.row(if only_value { vec![value] } else { vec![label_cell(labels, shared), value] });
    }
    table.seen(series.len() as u64);
    table.see_more("a higher limit, a narrower query or an aggregation such as topk");
    draft.table(table);
    let shown = |value: f64| value_text(value, moments.contains(&value));
    let name = |place: usize| labels.get(place).map_or(String::new(), |labels| named(labels, shared));
    said(&values, &places, how, &shown, &name)
}

/// The values in one phrase.
fn said(
    values: &[f64],
    places: &[usize],
    how: Order,
    shown: &dyn Fn(f64) -> String,
    name: &dyn Fn(usize) -> String,
) -> String {
    if let [only] = values {
        return shown(*only);
    }
    let value = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
    if let [first, others @ ..] = values
        && others.iter().all(|other| shown(*other) == shown(*first))
    {
        let is_exact = others.iter().all(|other| other.total_cmp(first).is_eq());
        let about = if is_exact { "" } else { "about " };
        return format!("all at {about}{}", shown(*first));
    }
    if let (Order::RareFirst, Some(few)) = (how, few_values(values)) {
        let place_of =
            |known: f64| places.iter().copied().find(|place| value(*place).total_cmp(&known).is_eq());
        let each = few.iter().map(|(known, count)| match (count, place_of(*known)) {
            (1, Some(place)) => format!("1 at {} ({})", shown(*known), name(place)),
            _ => format!("{count} at {}", shown(*known)),
        });
        return each.collect::<Vec<_>>().join(", ");
    }
    if how == Order::Given {
        let first = places.first().copied().unwrap_or(0);
        return format!("in the order of the expression, first {} for {}", shown(value(first)), name(first));
    }
    let by_value = |one: &usize, other: &usize| value(*one).total_cmp(&value(*other));
    let numbers = || places.iter().copied().filter(|place| !value(*place).is_nan());
    let (Some(least), Some(most)) = (numbers().min_by(by_value), numbers().max_by(by_value)) else {
        return "all at NaN".to_owned();
    };
    let (low, high) = (shown(value(least)), shown(value(most)));
    match values.len() - numbers().count() {
        0 => format!("highest {high} for {}, lowest {low} for {}", name(most), name(least)),
        nan => format!("highest {high} for {}, lowest {low} for {}, {nan} NaN", name(most), name(least)),
    }
}

fn native_table(
    draft: &mut Draft,
    cite: Cite,
    question: &Question<'_>,
    series: &[Series],
    shared: &Labels,
) -> String {
    let counts: Vec<f64> =
        series.iter().map(|one| one.histograms.first().map_or(0.0, |(_, one)| one.count)).collect();
    let labels: Vec<&Labels> = series.iter().map(|one| &one.labels).collect();
    let ordered = question.reading.tree.as_ref().is_some_and(orders_itself);
    let (places, _) = order(&counts, &labels, ordered);
    let columns = ["labels", "count", "sum", "mean", "p50", "p95", "p99"];
    let only = series.len() == 1;
    let columns = if only { columns.get(1..).unwrap_or_default() } else { &columns };
    let mut table = Table::new("native histograms", columns, cite);
    for place in places.iter().take(question.limit) {
        let Some(one) = series.get(*place) else { continue };
        let Some((_, histogram)) = one.histograms.first() else { continue };
        let quantile = |q: f64| Some(histogram.quantile(q)).filter(|value| !value.is_nan());
        let numbers = [
            Some(histogram.count),
            Some(histogram.sum),
            histogram.mean(),
            quantile(0.5),
            quantile(0.95),
            quantile(0.99),
        ];
        let label = (!only).then(|| label_cell(&one.labels, shared));
        table.row(label.into_iter().chain(numbers.map(Cell::number)).collect());
    }
    table.seen(series.len() as u64);
    table.see_more("a higher limit, a narrower query or an aggregation such as topk");
    draft.table(table);
    match series {
        [Series { histograms, .. }] => histograms.first().map_or(String::new(), |(_, histogram)| {
            let p95 = significant(histogram.quantile(0.95));
            format!("a native histogram of {} observations, p95 {p95}", significant(histogram.count))
        }),
        several => format!("{} native histograms, those with most observations first", several.len()),
    }
}
