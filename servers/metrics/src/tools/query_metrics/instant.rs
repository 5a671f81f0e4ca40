//! The answer about one moment.

use contract::{Answer, Cell, Cite, Draft, Table, Untrusted, significant, time_text};
use jiff::Timestamp;

use super::{question::Question, suggest};
use crate::{
    analysis::{
        promql::{is_moment, orders_itself},
        ranking::{Order, common, few_values, order, rest},
    },
    model::{Labels, Point, Series},
};

/// A single number without labels.
pub(super) fn scalar(mut draft: Draft, cite: Cite, question: &Question<'_>, point: Point) -> Answer {
    let mut table = Table::new("values", &["value"], cite);
    table.row(vec![Cell::Number(point.value)]);
    draft.table(table);
    draft.conclude(format!("{} is {} at {}.", question.title(), significant(point.value), time_text(question.end())))
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
    suggest::after_moment(&mut draft, question, count);
    let head = head(question, count, &shared);
    draft.conclude(format!("{head} at {}: {}.", time_text(at), said.join("; ")))
}

/// What is asked, how many series there are and which labels they share.
pub(super) fn head(question: &Question<'_>, count: usize, shared: &Labels) -> String {
    let title = question.title();
    match (count, shared.is_empty()) {
        (1, true) => title,
        (1, false) => format!("{title}, 1 series {}", shared.text()),
        (_, true) => format!("{count} series of {title}"),
        (_, false) => format!("{count} series of {title}, all with {}", shared.text()),
    }
}

/// What tells a row from the others; missing when nothing does.
pub(super) fn label_cell(labels: &Labels, shared: &Labels) -> Cell {
    let own = rest(labels, shared);
    if own.is_empty() { Cell::Missing } else { Cell::Text(own.text()) }
}

fn plain_table(draft: &mut Draft, cite: Cite, question: &Question<'_>, series: &[Series], shared: &Labels) -> String {
    let values: Vec<f64> = series.iter().map(|one| one.points.first().map_or(f64::NAN, |point| point.value)).collect();
    let labels: Vec<&Labels> = series.iter().map(|one| &one.labels).collect();
    let ordered = question.reading.tree.as_ref().is_some_and(orders_itself);
    let (places, how) = order(&values, &labels, ordered);
    let as_moment = are_moments(question, &values);
    let cell = |value: f64| match seconds_since_1970(value) {
        Some(moment) if as_moment => Cell::Time(moment),
        _ => Cell::Number(value),
    };
    let only_value = series.len() == 1;
    let mut table = Table::new("series", if only_value { &["value"] } else { &["labels", "value"] }, cite);
    for place in places.iter().take(question.limit) {
        let (Some(value), Some(labels)) = (values.get(*place), labels.get(*place)) else { continue };
        let value = cell(*value);
        table.row(if only_value { vec![value] } else { vec![label_cell(labels, shared), value] });
    }
    table.seen(series.len() as u64);
    table.see_more("a higher limit, a narrower query or an aggregation such as topk");
    draft.table(table);
    let shown = |value: f64| match seconds_since_1970(value) {
        Some(moment) if as_moment => time_text(moment),
        _ => significant(value),
    };
    let named = |place: usize| labels.get(place).map_or(String::new(), |labels| rest(labels, shared).text());
    said(&values, &places, how, &shown, &named)
}

/// The values in one phrase.
fn said(
    values: &[f64],
    places: &[usize],
    how: Order,
    shown: &dyn Fn(f64) -> String,
    named: &dyn Fn(usize) -> String,
) -> String {
    if let [only] = values {
        return shown(*only);
    }
    if let (Order::RareFirst, Some(few)) = (how, few_values(values)) {
        let each: Vec<String> = few.iter().map(|(value, count)| format!("{count} at {}", shown(*value))).collect();
        return each.join(", ");
    }
    let value = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
    if how == Order::Given {
        let first = places.first().copied().unwrap_or(0);
        return format!("in the order of the expression, first {} for {}", shown(value(first)), named(first));
    }
    let by_value = |one: &usize, other: &usize| value(*one).total_cmp(&value(*other));
    let numbers = || places.iter().copied().filter(|place| !value(*place).is_nan());
    match (numbers().min_by(by_value), numbers().max_by(by_value)) {
        (Some(least), Some(most)) if value(least) == value(most) => format!("each {}", shown(value(most))),
        (Some(least), Some(most)) => format!(
            "highest {} for {}, lowest {} for {}",
            shown(value(most)),
            named(most),
            shown(value(least)),
            named(least)
        ),
        _ => "none of them a number (NaN)".to_owned(),
    }
}

/// Whether the values are moments: by the names in the expression, and because all lie between 2001 and 2096.
fn are_moments(question: &Question<'_>, values: &[f64]) -> bool {
    let in_range = values.iter().filter(|value| value.is_finite()).all(|value| (1e9..=4e9).contains(value));
    in_range && question.reading.tree.as_ref().is_some_and(is_moment)
}

fn seconds_since_1970(value: f64) -> Option<Timestamp> {
    if !value.is_finite() || value.abs() > 4e9 {
        return None;
    }
    Timestamp::from_second(value.round() as i64).ok()
}

fn native_table(draft: &mut Draft, cite: Cite, question: &Question<'_>, series: &[Series], shared: &Labels) -> String {
    let counts: Vec<f64> = series.iter().map(|one| one.histograms.first().map_or(0.0, |(_, one)| one.count)).collect();
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
