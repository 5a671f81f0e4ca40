//! The tables: one a resource, one row a container, columns as few as carry facts.

use contract::{Cell, Table};
use signal::{SHAPE_BUCKETS, shape};

use super::{
    find::Found,
    measure::Measured,
    story::{full_in, interval, rounded, several_namespaces, shorter},
};
use crate::analysis::capacity::{Bound, Population, Resource, Row};

/// A column: its name and what stands in it for a row.
type Column<'c> = (&'static str, Box<dyn Fn(&Row) -> Cell + 'c>);

/// A table of each resource, the one with the row nearest to its ceiling first; `most` rows of each.
pub(super) fn tables(found: &Found, measured: &Measured, most: usize) -> Vec<Table> {
    let mut order: Vec<Resource> = Vec::new();
    for row in &measured.rows {
        if !order.contains(&row.resource) {
            order.push(row.resource);
        }
    }
    order.into_iter().filter_map(|resource| table(found, measured, resource, most)).collect()
}

fn table(found: &Found, measured: &Measured, resource: Resource, most: usize) -> Option<Table> {
    let cites = measured.cites.get(&resource)?;
    let all: Vec<&Row> = measured.rows.iter().filter(|row| row.resource == resource).collect();
    let shown: Vec<&Row> = all.iter().take(most).copied().collect();
    let is_told = |cell: &dyn Fn(&Row) -> Cell| shown.iter().any(|row| cell(row) != Cell::Missing);
    let columns: Vec<Column<'_>> =
        columns(found).into_iter().filter(|(_, cell)| is_told(cell.as_ref())).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let title = format!("rows of {} in {}", resource.name(), resource.unit());
    let mut table = Table::new(&title, &names, cites.usage);
    for row in shown {
        table.row(columns.iter().map(|(_, cell)| cell(row)).collect());
    }
    table.seen(all.len() as u64);
    table.see_more("further from their limits; service or namespace narrows it, a higher limit shows more");
    Some(table)
}

fn columns(found: &Found) -> Vec<Column<'_>> {
    let of_all = matches!(found.population, Population::Workloads(_));
    let labels = found.population.labels();
    let label = move |name: &'static str| -> Column<'_> {
        let index = labels.iter().position(|label| *label == name);
        (name, Box::new(move |row| quoted(row, index)))
    };
    let value = |of: fn(&Row) -> Option<f64>| -> Box<dyn Fn(&Row) -> Cell> {
        Box::new(move |row| Cell::number(of(row).map(|value| rounded(row.resource.shown(value), 3))))
    };
    let namespaces = several_namespaces(found);
    let mut columns: Vec<Column<'_>> = Vec::new();
    if namespaces {
        columns.push(label("namespace"));
    }
    if of_all {
        columns.push(label("workload"));
        columns.push((
            "container",
            Box::new(
                |row| if row.place.get(1) == row.place.get(2) { Cell::Missing } else { quoted(row, Some(2)) },
            ),
        ));
    } else {
        columns.push(label(if found.population.has_containers() { "container" } else { "job" }));
    }
    if !of_all {
        columns.push(("p50", value(|row| row.usage.p50)));
    }
    columns.push(("p95", value(|row| row.usage.p95)));
    if !of_all {
        columns.push(("p99", value(|row| row.usage.p99)));
    }
    columns.push(("max", value(|row| row.usage.max)));
    columns.push(("request", value(|row| row.bound(Bound::Request))));
    columns.push(("limit", value(|row| row.bound(Bound::Limit))));
    columns.push(("host has", value(|row| row.bound(Bound::Host))));
    if !of_all {
        columns.push(("p95 % of request", Box::new(|row| share(row.usage.p95, row.bound(Bound::Request)))));
        columns.push(("max % of limit", Box::new(|row| share(row.usage.max, row.bound(Bound::Limit)))));
        columns.push(("max % of host", Box::new(|row| share(row.usage.max, row.bound(Bound::Host)))));
    } else {
        columns.push((
            "% used",
            Box::new(|row| share(row.telling(), row.ceiling().map(|ceiling| ceiling.value))),
        ));
    }
    columns.push(("change in 30 d", value(|row| row.per_day().map(|per_day| per_day * 30.0))));
    if !of_all {
        columns.push((
            "95 % interval",
            Box::new(|row| Cell::text(row.per_day().and_then(|_| interval(row)).unwrap_or_default())),
        ));
    }
    columns.push(("full in", Box::new(|row| Cell::text(full_in(row).unwrap_or_default()))));
    columns.push(("history", Box::new(|row| Cell::text(shorter(row).unwrap_or_default()))));
    columns.push((
        "replicas",
        Box::new(|row| match found.replicas.get(&row.place) {
            Some(replicas) if replicas.min < replicas.max => {
                Cell::Text(format!("{}–{}", replicas.min, replicas.max))
            }
            Some(replicas) => Cell::Number(replicas.last),
            None => Cell::Missing,
        }),
    ));
    if !of_all {
        columns.push(("shape", Box::new(|row| Cell::text(shape(&row.track, SHAPE_BUCKETS)))));
    }
    columns
}

fn quoted(row: &Row, index: Option<usize>) -> Cell {
    let text = index.and_then(|index| row.place.get(index)).cloned().flatten();
    text.map_or(Cell::Missing, |text| Cell::Quoted(text, 80))
}

fn share(value: Option<f64>, of: Option<f64>) -> Cell {
    let share = value.zip(of.filter(|of| *of > 0.0)).map(|(value, of)| rounded(100.0 * value / of, 3));
    Cell::number(share)
}
