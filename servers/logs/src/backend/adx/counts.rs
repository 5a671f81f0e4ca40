//! Questions that are answered with numbers: the cluster counts, over all records.

use std::{collections::BTreeMap, time::Duration};

use contract::{Context, ToolError, Untrusted};
use jiff::Timestamp;
use serde_json::Value;

use super::{Adx, Answered, frames::Table, request::MOST_ROWS};
use crate::model::{Freshness, Group, Histogram, Key, Like, Reply, Role, Search, Tally, Top, Total};

/// The roles by which a pattern's records are told apart.
const TOLD_BY: [Role; 4] = [Role::Service, Role::Level, Role::Pod, Role::Version];
/// Records whose delay is looked at.
const LATEST: i64 = 1_000;

impl Adx {
    pub(super) async fn count(&self, cx: &Context, search: &Search) -> Result<Reply<Total>, ToolError> {
        let write = |_: &super::Compiler<'_>, kql: &mut super::Kql| {
            kql.pipe("summarize n = count()");
            Ok(())
        };
        let (_, answered) = self.search(cx, search, write).await?;
        let number = answered.table().and_then(|table| number(table, table.rows.first()?, "n"));
        let Some(number) = number else { return Err(self.protocol(super::QUERY, "no count")) };
        let total = answered.total(number);
        Ok(answered.reply(total, Vec::new()))
    }

    pub(super) async fn count_over_time(
        &self,
        cx: &Context,
        search: &Search,
        step: Duration,
        by: Option<(&Key, usize)>,
    ) -> Result<Reply<Histogram>, ToolError> {
        let (histogram, answered) = self.counts(cx, search, step, by).await?;
        Ok(answered.reply(histogram, Vec::new()))
    }

    pub(super) async fn counts(
        &self,
        cx: &Context,
        search: &Search,
        step: Duration,
        by: Option<(&Key, usize)>,
    ) -> Result<(Histogram, Answered), ToolError> {
        let seconds = step.as_secs_f64().max(0.001);
        let write = |compiler: &super::Compiler<'_>, kql: &mut super::Kql| {
            let (from, step) = (kql.datetime(search.window.start()), kql.real(seconds));
            let slot =
                format!("slot = tolong(floor((({}) - {from}) / 1s / {step}, 1))", compiler.schema.time()?);
            let Some((key, most)) = by else {
                kql.pipe(&format!("summarize n = count() by {slot}"));
                return Ok(());
            };
            let key = compiler.key(key)?;
            let most = kql.long(i64::try_from(most).unwrap_or(i64::MAX));
            kql.pipe(&format!("extend mcp_key = {key}"));
            // Named once, used twice: the same records.
            kql.statements.push_str(&format!("let mcp_found = {};\n", std::mem::take(&mut kql.text)));
            kql.statements.push_str(&format!(
                "let mcp_most = mcp_found | where isnotempty(mcp_key) | summarize n = count() by mcp_key | order by n desc, \
                 mcp_key asc | take {most} | project mcp_key;\n"
            ));
            kql.text = "mcp_found".to_owned();
            kql.pipe(&format!(
                "summarize n = count() by {slot}, key = iff(mcp_key in (mcp_most), mcp_key, \"\")"
            ));
            Ok(())
        };
        let (_, answered) = self.search(cx, search, write).await?;
        let steps = (search.window.seconds() / seconds).ceil().max(1.0) as usize;
        Ok((histogram(cx, answered.table(), step, steps), answered))
    }

    pub(super) async fn count_by(
        &self,
        cx: &Context,
        search: &Search,
        key: &Key,
        most: usize,
    ) -> Result<Reply<Top>, ToolError> {
        let write = |compiler: &super::Compiler<'_>, kql: &mut super::Kql| {
            let most = kql.long(i64::try_from(most).unwrap_or(i64::MAX));
            kql.pipe(&format!("summarize n = count() by key = {}", compiler.key(key)?));
            kql.statements
                .push_str(&format!("let mcp_counts = materialize({});\n", std::mem::take(&mut kql.text)));
            kql.text = format!(
                "union (mcp_counts | where isnotempty(key) | order by n desc, key asc | take {most} | extend what = \"value\"),\n\
                 (mcp_counts | where isnotempty(key) | summarize n = sum(n), different = count() | extend what = \"all\"),\n\
                 (mcp_counts | where isempty(key) | summarize n = sum(n) | extend what = \"missing\")"
            );
            Ok(())
        };
        let (_, answered) = self.search(cx, search, write).await?;
        let top = answered.table().map(|table| top(cx, key, table));
        let Some(top) = top else { return Err(self.protocol(super::QUERY, "no counts")) };
        Ok(answered.reply(top, Vec::new()))
    }

    pub(super) async fn count_likes(
        &self,
        cx: &Context,
        search: &Search,
        likes: &[Like],
    ) -> Result<Reply<Vec<Tally>>, ToolError> {
        if likes.is_empty() {
            return Ok(Reply { value: Vec::new(), sent: String::new(), partial: Vec::new() });
        }
        let write = |compiler: &super::Compiler<'_>, kql: &mut super::Kql| {
            let each: Result<Vec<String>, _> = likes.iter().map(|like| compiler.like(kql, like)).collect();
            let each: Vec<String> = each?.iter().map(|condition| format!("({condition})")).collect();
            // One query for all; a record that several patterns find is counted for each of them.
            let numbered = each.iter().enumerate();
            let numbered: Vec<String> =
                numbered.map(|(number, condition)| format!("iff({condition}, {number}, -1)")).collect();
            kql.pipe(&format!("where {}", each.join(" or ")));
            kql.pipe(&format!("extend mcp_like = pack_array({})", numbered.join(", ")));
            kql.pipe("mv-expand mcp_like to typeof(long)");
            kql.pipe("where mcp_like >= 0");
            let keys = TOLD_BY
                .map(|role| format!("{} = {}", role.name(), compiler.schema.first_of(role)))
                .join(", ");
            let time = compiler.schema.time()?;
            kql.pipe(&format!(
                "summarize n = count(), first_at = min({time}), last_at = max({time}) by mcp_like, {keys}"
            ));
            Ok(())
        };
        let (schema, answered) = self.search(cx, search, write).await?;
        let none = Table::default();
        let table = answered.table().unwrap_or(&none);
        let full = table.rows.len() as u64 >= MOST_ROWS;
        let tally = |(like, _): (u64, &Like)| {
            let mut tally = read_tally(cx, table, like);
            tally.by.retain(|(role, _)| !schema.layout.of(*role).is_empty());
            tally.whole = !full && answered.whole;
            tally
        };
        let tallies = (0..).zip(likes).map(tally).collect();
        let partial = full.then(|| {
            format!("more than {MOST_ROWS} combinations of pattern, service, level, pod and version")
        });
        Ok(answered.reply(tallies, partial.into_iter().collect()))
    }

    pub(super) async fn read_freshness(
        &self,
        cx: &Context,
        search: &Search,
    ) -> Result<Reply<Freshness>, ToolError> {
        let write = |compiler: &super::Compiler<'_>, kql: &mut super::Kql| {
            let time = compiler.schema.time()?;
            let own = compiler
                .schema
                .layout
                .of(Role::Ingested)
                .first()
                .map(|chosen| super::kql::name(&chosen.name));
            let query = search.text.is_some();
            let stored = own
                .unwrap_or_else(|| if query { "datetime(null)".into() } else { "ingestion_time()".into() });
            kql.pipe(&format!("project mcp_at = {time}, mcp_stored = {stored}"));
            kql.pipe("extend mcp_late = (mcp_stored - mcp_at) / 1s");
            kql.statements.push_str(&format!("let mcp_found = {};\n", std::mem::take(&mut kql.text)));
            let (latest, end) = (kql.long(LATEST), kql.datetime(search.window.end()));
            let late = "(half, most) = percentiles(mcp_late, 50, 95)";
            kql.text = format!(
                "union (mcp_found | top {latest} by mcp_at desc | summarize newest = max(mcp_at), {late} | extend what = \"newest\"),\n\
                 (mcp_found | where mcp_stored < {end} | top {latest} by mcp_stored desc | summarize {late} | extend what = \"stored\")"
            );
            Ok(())
        };
        let (_, answered) = self.search(cx, search, write).await?;
        let mut freshness = Freshness::default();
        let mut by_time = None;
        for (table, row) in
            answered.table().iter().flat_map(|table| table.rows.iter().map(move |row| (table, row)))
        {
            let real = |name: &str| table.value(row, name).and_then(Value::as_f64);
            // Whoever writes the time of the event twice tells nothing about storing.
            let lag = real("half").zip(real("most")).filter(|lag| *lag != (0.0, 0.0));
            match table.value(row, "what").and_then(Value::as_str) {
                Some("newest") => {
                    freshness.newest = moment(table, row, "newest");
                    by_time = lag;
                }
                _ => freshness.lag_seconds = lag,
            }
        }
        freshness.lag_seconds = freshness.lag_seconds.or(by_time);
        freshness.newest_lag_seconds = by_time.map(|(_, most)| most);
        Ok(answered.reply(freshness, Vec::new()))
    }
}

/// A count; negative or absent ones are none.
fn number(table: &Table, row: &[Value], name: &str) -> Option<u64> {
    table.value(row, name)?.as_u64()
}

fn moment(table: &Table, row: &[Value], name: &str) -> Option<Timestamp> {
    table.value(row, name)?.as_str()?.parse().ok()
}

fn histogram(cx: &Context, table: Option<&Table>, step: Duration, steps: usize) -> Histogram {
    let mut total = vec![0; steps];
    let mut by: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for row in table.map_or(&[][..], |table| &table.rows) {
        let Some(table) = table else { break };
        let slot = number(table, row, "slot").and_then(|slot| usize::try_from(slot).ok());
        let (Some(slot), Some(count)) = (slot, number(table, row, "n")) else { continue };
        if let Some(sum) = total.get_mut(slot) {
            *sum += count;
        }
        let key = table.value(row, "key").and_then(Value::as_str).filter(|key| !key.is_empty());
        let of_key = key.map(|key| by.entry(key).or_insert_with(|| vec![0; steps]));
        if let Some(sum) = of_key.and_then(|counts| counts.get_mut(slot)) {
            *sum += count;
        }
    }
    let mut by: Vec<(&str, Vec<u64>)> = by.into_iter().collect();
    by.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<u64>()));
    Histogram { step, total, by: by.into_iter().map(|(key, counts)| (cx.intake.text(key), counts)).collect() }
}

fn top(cx: &Context, key: &Key, table: &Table) -> Top {
    let mut top = Top { values: Vec::new(), distinct: None, estimated: false, others: 0, missing: 0 };
    let mut all = 0;
    for row in &table.rows {
        let count = number(table, row, "n").unwrap_or_default();
        match table.value(row, "what").and_then(Value::as_str) {
            Some("all") => {
                all = count;
                top.distinct = number(table, row, "different");
            }
            Some("missing") => top.missing = count,
            _ => {
                let value = table.value(row, "key").and_then(Value::as_str).unwrap_or_default();
                let value = match key {
                    Key::Role(role) => cx.intake.field(role.name(), value),
                    Key::Field(field) => cx.intake.field(field, value),
                };
                top.values.push(Group { value, count });
            }
        }
    }
    sort(&mut top.values);
    top.others = all - top.values.iter().map(|group| group.count).sum::<u64>().min(all);
    top
}

/// The counts of the pattern with this number.
fn read_tally(cx: &Context, table: &Table, like: u64) -> Tally {
    let mut tally = Tally { whole: true, count: 0, first: None, last: None, by: Vec::new() };
    let mut by: Vec<(Role, BTreeMap<&str, u64>)> = TOLD_BY.map(|role| (role, BTreeMap::new())).to_vec();
    for row in table.rows.iter().filter(|row| number(table, row, "mcp_like") == Some(like)) {
        let count = number(table, row, "n").unwrap_or_default();
        tally.count += count;
        let (first, last) = (moment(table, row, "first_at"), moment(table, row, "last_at"));
        tally.first = [tally.first, first].into_iter().flatten().min();
        tally.last = [tally.last, last].into_iter().flatten().max();
        for (role, counts) in &mut by {
            let value =
                table.value(row, role.name()).and_then(Value::as_str).filter(|value| !value.is_empty());
            if let Some(value) = value {
                *counts.entry(value).or_default() += count;
            }
        }
    }
    let all = tally.count;
    let groups = |role: Role, counts: BTreeMap<&str, u64>| {
        let group = |(value, count)| Group { value: cx.intake.field(role.name(), value), count };
        let mut groups: Vec<Group> = counts.into_iter().map(group).collect();
        sort(&mut groups);
        let told: u64 = groups.iter().map(|group| group.count).sum();
        let distinct = Some(groups.len() as u64);
        let missing = all.saturating_sub(told);
        (role, Top { values: groups, distinct, missing, ..Top::default() })
    };
    tally.by = by.into_iter().map(|(role, counts)| groups(role, counts)).collect();
    tally
}

fn sort(groups: &mut [Group]) {
    let key = |group: &Group| -> (std::cmp::Reverse<u64>, Untrusted) {
        (std::cmp::Reverse(group.count), group.value.clone())
    };
    groups.sort_by_key(key);
}
