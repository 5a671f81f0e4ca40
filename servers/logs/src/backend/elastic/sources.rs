//! Indices, data streams and aliases: names, records, size, health, first and last record.

use std::collections::BTreeMap;

use contract::{Context, ToolError, Untrusted};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use upstream::Ask;

use super::{
    Answered, Elastic, NOT_OF_PROGRAMS, counts::timestamp, endpoints, error::unreadable, keys::number,
    query::Compiler,
};
use crate::model::{LogSource, Reply};

/// Indices whose first and last record are looked up.
const MOST: usize = 1_000;

/// A name with the indices behind it.
pub(super) struct Name {
    pub(super) name: Untrusted,
    kind: &'static str,
    behind: Vec<String>,
}

#[derive(Deserialize)]
struct Resolved {
    #[serde(default)]
    indices: Vec<Index>,
    #[serde(default)]
    aliases: Vec<Alias>,
    #[serde(default)]
    data_streams: Vec<Stream>,
}

#[derive(Deserialize)]
struct Index {
    name: String,
    #[serde(default)]
    attributes: Vec<String>,
    /// The stream whose records are here.
    #[serde(default)]
    data_stream: Option<String>,
}

#[derive(Deserialize)]
struct Alias {
    name: String,
    #[serde(default)]
    indices: Value,
}

#[derive(Deserialize)]
struct Stream {
    name: String,
    #[serde(default)]
    backing_indices: Value,
}

/// What is known of one index.
#[derive(Default, Clone)]
struct Facts {
    records: Option<u64>,
    bytes: Option<u64>,
    health: Option<String>,
    span: Option<(Timestamp, Timestamp)>,
}

/// Asks for the names behind a pattern.
pub(super) fn names_of(pattern: &str) -> Ask<'_> {
    // Exclusions are for searches; here they would have to exist.
    let pattern = pattern.strip_suffix(&format!(",{NOT_OF_PROGRAMS}")).unwrap_or(pattern);
    Ask::of(endpoints::RESOLVE).segment(pattern).with("expand_wildcards", "open,closed")
}

impl Elastic {
    /// All that hold logs, as configured.
    pub(super) async fn list(&self, cx: &Context) -> Result<Reply<Vec<LogSource>>, ToolError> {
        let mut partial = Vec::new();
        let reply = self.ask(cx, names_of(&self.indices)).await?;
        let names = self.names(cx, &reply)?;
        let mut facts: BTreeMap<String, Facts> = BTreeMap::new();
        // Where only a part of the records may be seen, the whole is not told.
        if self.mandatory.is_empty()
            && let Err(error) = self.sizes(cx, &mut facts).await
        {
            partial.push(format!("sizes and health are not told: {error}"));
        }
        match self.spans(cx, &mut facts).await {
            Ok(more) => partial.extend(more),
            Err(error) => partial.push(format!("first and last records are not told: {error}")),
        }
        let sources = names.into_iter().map(|name| source(cx, name, &facts)).collect();
        let sent = format!("GET /_resolve/index/{0}, GET /_cat/indices/{0}", self.shown_indices());
        Ok(Reply { value: sources, sent, partial })
    }

    /// Names of indices, data streams and aliases, data streams and aliases first.
    pub(super) fn names(&self, cx: &Context, reply: &Answered) -> Result<Vec<Name>, ToolError> {
        let resolved: Resolved = serde_json::from_slice(&reply.body)
            .map_err(|error| unreadable(self.upstream.system(), "_resolve/index", &error))?;
        let name = |name: &str, kind, behind| Name { name: cx.intake.text(name), kind, behind };
        let mut names = Vec::new();
        for stream in &resolved.data_streams {
            names.push(name(&stream.name, "data stream", list_of(&stream.backing_indices)));
        }
        for alias in resolved.aliases.iter().filter(|alias| !alias.name.starts_with('.')) {
            names.push(name(&alias.name, "alias", list_of(&alias.indices)));
        }
        let is_own = |index: &&Index| index.data_stream.is_none() && !index.name.starts_with('.');
        for index in resolved.indices.iter().filter(is_own) {
            let is_closed = index.attributes.iter().any(|attribute| attribute == "closed");
            names.push(name(
                &index.name,
                if is_closed { "closed index" } else { "index" },
                vec![index.name.clone()],
            ));
        }
        Ok(names)
    }

    async fn sizes(&self, cx: &Context, facts: &mut BTreeMap<String, Facts>) -> Result<(), ToolError> {
        let ask = Ask::of(endpoints::CAT).segment(&self.indices).with("format", "json").with("bytes", "b");
        let ask =
            ask.with("h", "index,health,docs.count,pri.store.size").with("expand_wildcards", "open,hidden");
        let reply = self.ask(cx, ask).await?;
        let rows: Vec<BTreeMap<String, Option<String>>> = serde_json::from_slice(&reply.body)
            .map_err(|error| unreadable(self.upstream.system(), "_cat/indices", &error))?;
        for row in rows {
            let text = |name: &str| row.get(name).cloned().flatten();
            let Some(index) = text("index") else { continue };
            let count = |name: &str| text(name)?.parse().ok();
            let known = facts.entry(index).or_default();
            known.records = count("docs.count");
            known.bytes = count("pri.store.size");
            known.health = text("health");
        }
        Ok(())
    }

    async fn spans(
        &self,
        cx: &Context,
        facts: &mut BTreeMap<String, Facts>,
    ) -> Result<Vec<String>, ToolError> {
        let (mapping, mut partial) = self.mapping(cx).await?;
        let time = mapping.time()?.name;
        let body = |compiler: &Compiler<'_>| {
            let ends = json!({ "first": { "min": { "field": time } }, "last": { "max": { "field": time } } });
            let by_index = json!({ "terms": { "field": "_index", "size": MOST }, "aggs": ends });
            Ok(
                json!({ "size": 0, "query": { "bool": { "filter": compiler.limited()? } }, "aggs": { "indices": by_index } }),
            )
        };
        let (body, _) = self.bodies(cx, &mapping, body)?;
        let reply = self.search(cx, &body).await?;
        let answer = self.read(&reply)?;
        partial.extend(answer.partial(&cx.intake));
        let buckets = answer.aggregations.get("indices").and_then(|indices| indices.get("buckets"));
        for bucket in buckets.and_then(Value::as_array).into_iter().flatten() {
            let Some(index) = bucket.get("key").and_then(Value::as_str) else { continue };
            let moment = |name: &str| bucket.get(name)?.get("value")?.as_f64().and_then(timestamp);
            let known = facts.entry(index.to_owned()).or_default();
            known.span = moment("first").zip(moment("last"));
            if partial.is_empty() || known.records.is_none() {
                // As it is seen: through an alias perhaps a part, and without the records inside of records that `_cat` counts.
                known.records = Some(number(bucket, "doc_count"));
            }
        }
        Ok(partial)
    }
}

/// One row, with what is known of the indices behind it.
fn source(cx: &Context, name: Name, facts: &BTreeMap<String, Facts>) -> LogSource {
    let known: Vec<&Facts> = name.behind.iter().filter_map(|index| facts.get(index)).collect();
    let sum = |of: fn(&Facts) -> Option<u64>| {
        known.iter().map(|facts| of(facts)).sum::<Option<u64>>().filter(|_| !known.is_empty())
    };
    let spans = || known.iter().filter_map(|facts| facts.span);
    let first = spans().map(|(first, _)| first).min();
    let last = spans().map(|(_, last)| last).max();
    // The worst of them.
    let health = ["red", "yellow", "green"]
        .into_iter()
        .find(|health| known.iter().any(|facts| facts.health.as_deref() == Some(health)));
    let health = if name.kind == "closed index" { Some("closed") } else { health };
    LogSource {
        name: name.name,
        kind: if name.kind == "closed index" { "index" } else { name.kind },
        records: sum(|facts| facts.records),
        bytes: sum(|facts| facts.bytes),
        span: first.zip(last),
        health: health.map(|health| cx.intake.text(health)),
    }
}

/// One name or several.
fn list_of(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
