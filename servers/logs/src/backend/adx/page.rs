//! Records: pages in order of time, and samples spread over the window.
//!
//! A table has no number for a record. Records of the same moment follow by a hash of what they say, and a page begins *at*
//! the last record's place and leaves out what was shown there.

use std::{collections::BTreeMap, fmt, time::Duration};

use contract::{Context, TimeRange, ToolError};
use jiff::Timestamp;
use serde_json::Value;

use super::{Adx, Compiler, Kql, frames::Table, schema::Schema};
use crate::analysis::record::read;
use crate::backend::{fingerprint, weighed};
use crate::model::{Page, Record, Reply, Role, Sample, Search, Total};

/// The most records of a page.
const MOST: usize = 1_000;
/// The slices of a window that a sample is taken from.
const SLICES: usize = 40;

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cursor {
    search: u32,
    at: Timestamp,
    hash: i64,
    shown: usize,
}

impl Adx {
    pub(super) async fn read_page(
        &self,
        cx: &Context,
        search: &Search,
        page: &Page,
    ) -> Result<Reply<Sample>, ToolError> {
        let order = if page.oldest_first { "asc" } else { "desc" };
        let bound = fingerprint(&format!("{}{:?}{search:?}{order}", self.database, self.tables));
        let cursor = page.after.as_deref().map(|text| Cursor::parse(text, bound)).transpose()?;
        let asked = page.limit.clamp(1, MOST);
        let mut limit = asked;
        let repeated = cursor.as_ref().map_or(0, |cursor| cursor.shown);
        let (schema, answered) = loop {
            let write = |compiler: &Compiler<'_>, kql: &mut Kql| {
                place(compiler, kql)?;
                take(kql, (order, cursor.as_ref()), limit + repeated + 1);
                Ok(())
            };
            match self.search(cx, search, write).await {
                Err(error) if too_much(&error) && limit > 1 => limit = (limit / 4).max(1),
                answered => break answered?,
            }
        };
        let total = self.count(cx, search).await?;
        let none = Table::default();
        let table = answered.table().unwrap_or(&none);
        let rows = fresh(table, cursor.as_ref());
        let kept = rows.get(..limit).unwrap_or(rows);
        let next = (rows.len() > kept.len()).then(|| next(table, kept, cursor.as_ref(), bound)).flatten();
        let records = records(cx, &schema, table, kept);
        let which = match (page.after.is_some(), page.oldest_first) {
            (true, _) => "next",
            (false, true) => "oldest",
            (false, false) => "newest",
        };
        let method = format!("the {which} {}", records.len());
        let mut partial = total.partial;
        if limit < asked {
            partial.push(format!("these records are large: a page holds {limit} of the {asked} asked for; the next page has more"));
        }
        Ok(answered.reply(
            Sample { records, total: total.value, method, next: next.map(|next| next.to_string()) },
            partial,
        ))
    }

    pub(super) async fn read_sample(
        &self,
        cx: &Context,
        search: &Search,
        size: usize,
    ) -> Result<Reply<Sample>, ToolError> {
        let slice = Duration::from_secs_f64(search.window.seconds() / SLICES as f64);
        let (counts, counted) = self.counts(cx, search, slice, None).await?;
        let number: u64 = counts.total.iter().sum();
        let total = counted.total(number);
        let mut size = size.max(1);
        let all = |size: usize| matches!(total, Total::Exactly(number) if number <= size as u64);
        let (schema, answered) = loop {
            let write = |compiler: &Compiler<'_>, kql: &mut Kql| {
                place(compiler, kql)?;
                if all(size) {
                    return Ok(());
                }
                of_each_slice(kql, search.window, size.div_ceil(SLICES));
                Ok(())
            };
            match self.search(cx, search, write).await {
                Err(error) if too_much(&error) && size > SLICES => size = (size / 4).max(SLICES),
                answered => break answered?,
            }
        };
        let none = Table::default();
        let table = answered.table().unwrap_or(&none);
        let mut records = match all(size) {
            true => records(cx, &schema, table, &table.rows),
            false => {
                let slices = of_slices(table).into_iter().map(|(slice, rows)| {
                    let count = counts.total.get(slice).copied().unwrap_or_default();
                    (count, records(cx, &schema, table, &rows))
                });
                weighed(slices.collect(), number)
            }
        };
        records.sort_by_key(|record| record.at);
        let method = match all(size) {
            true => "every record".to_owned(),
            false => format!("up to {} of each of {SLICES} time slices, by hash", size.div_ceil(SLICES)),
        };
        Ok(answered.reply(Sample { records, total, method, next: None }, counted.partial))
    }
}

/// As many records as `most` from the cursor on, in this order of time.
fn take(kql: &mut Kql, (order, cursor): (&str, Option<&Cursor>), most: usize) {
    if let Some(cursor) = cursor {
        let (at, hash) = (kql.datetime(cursor.at), kql.long(cursor.hash));
        let beyond = if order == "asc" { ">" } else { "<" };
        kql.pipe(&format!("where mcp_at {beyond} {at} or (mcp_at == {at} and mcp_hash >= {hash})"));
    }
    kql.pipe(&format!("order by mcp_at {order}, mcp_hash asc"));
    let most = kql.long(i64::try_from(most).unwrap_or(i64::MAX));
    kql.pipe(&format!("take {most}"));
}

/// So many records of each slice of the window, by a hash with the time in it, so that many records with the same text are
/// not all taken or all left out.
fn of_each_slice(kql: &mut Kql, window: TimeRange, each: usize) {
    let (from, length) = (kql.datetime(window.start()), kql.real(window.seconds()));
    let slices = kql.real(SLICES as f64);
    kql.pipe(&format!("extend mcp_slice = tolong(floor((mcp_at - {from}) / 1s / {length} * {slices}, 1))"));
    kql.pipe("extend mcp_order = hash(strcat(mcp_at, mcp_hash))");
    kql.pipe(&format!("partition hint.strategy=native by mcp_slice (top {each} by mcp_order asc)"));
}

/// Adds what records are ordered by.
fn place(compiler: &Compiler<'_>, kql: &mut Kql) -> Result<(), ToolError> {
    let says = [Role::Message, Role::Service, Role::Pod, Role::Trace, Role::Span]
        .map(|role| compiler.schema.first_of(role));
    let time = compiler.schema.time()?;
    kql.pipe(&format!("extend mcp_at = {time}, mcp_hash = hash(strcat({}))", says.join(", ")));
    Ok(())
}

fn too_much(error: &ToolError) -> bool {
    let text = error.to_string();
    error.kind() == contract::ErrorKind::TooExpensive || text.contains("the reply is larger than")
}

fn row_place(table: &Table, row: &[Value]) -> Option<(Timestamp, i64)> {
    let at = table.value(row, "mcp_at")?.as_str()?.parse().ok()?;
    Some((at, table.value(row, "mcp_hash")?.as_i64()?))
}

/// The rows that were not shown yet.
fn fresh<'t>(table: &'t Table, cursor: Option<&Cursor>) -> &'t [Vec<Value>] {
    let again = cursor.map_or(0, |cursor| {
        let same = |row: &&Vec<Value>| row_place(table, row) == Some((cursor.at, cursor.hash));
        table.rows.iter().take_while(same).count().min(cursor.shown)
    });
    table.rows.get(again..).unwrap_or_default()
}

fn next(table: &Table, kept: &[Vec<Value>], before: Option<&Cursor>, search: u32) -> Option<Cursor> {
    let (at, hash) = row_place(table, kept.last()?)?;
    let here = kept.iter().rev().take_while(|row| row_place(table, row) == Some((at, hash))).count();
    let earlier = before.filter(|before| here == kept.len() && (before.at, before.hash) == (at, hash));
    Some(Cursor { search, at, hash, shown: here + earlier.map_or(0, |before| before.shown) })
}

/// The rows of a sample by their slice of the window.
fn of_slices(table: &Table) -> BTreeMap<usize, Vec<Vec<Value>>> {
    let mut slices: BTreeMap<usize, Vec<Vec<Value>>> = BTreeMap::new();
    for row in &table.rows {
        let slice = table.value(row, "mcp_slice").and_then(Value::as_u64);
        let slice = slice.and_then(|slice| usize::try_from(slice).ok()).unwrap_or_default();
        slices.entry(slice).or_default().push(row.clone());
    }
    slices
}

fn records(cx: &Context, schema: &Schema, table: &Table, rows: &[Vec<Value>]) -> Vec<Record> {
    let documents = rows.iter().map(|row| schema.document(&cx.intake, table, row));
    documents.map(|document| read(document, &schema.layout, &cx.intake)).collect()
}

impl Cursor {
    fn parse(text: &str, search: u32) -> Result<Cursor, ToolError> {
        let wrong = |why: &str| {
            ToolError::invalid("cursor", why)
                .remedy("use the cursor of the page before with exactly the same other arguments")
        };
        let mut parts = text.split('.');
        let mut part = || parts.next().filter(|part| part.len() <= 40);
        let parsed = (|| {
            Some(Cursor {
                search: u32::from_str_radix(part()?, 16).ok()?,
                at: Timestamp::from_nanosecond(part()?.parse().ok()?).ok()?,
                hash: part()?.parse().ok()?,
                shown: part()?.parse().ok()?,
            })
        })();
        match parsed {
            Some(cursor) if cursor.search == search && cursor.shown <= 10 * MOST => Ok(cursor),
            Some(_) => Err(wrong("belongs to another search")),
            None => Err(wrong("is not a cursor of this tool")),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}.{}.{}.{}", self.search, self.at.as_nanosecond(), self.hash, self.shown)
    }
}
