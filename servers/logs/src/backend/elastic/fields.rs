//! Finding out the fields and their roles: from the mapping and some recent records, kept for some minutes.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
};

use contract::{Context, ToolError};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    Elastic, Refusal, endpoints,
    error::{no_index, unassigned, unreadable},
    mapping::{FieldCaps, Mapping},
    query::Compiler,
    sources::names_of,
    wire::{Answer, Hit},
};
use crate::analysis::fields::detect;
use crate::backend::given::Given;
use crate::model::{Document, FieldInfo, FieldKind, Layout};

/// How long a mapping is kept.
const KEPT: SignedDuration = SignedDuration::from_mins(5);
/// Recent records that are looked at.
const RECENT: usize = 50;
/// Of each of so many indices some more: the newest records may all be of one of them.
const INDICES: usize = 20;
const OF_EACH: usize = 3;
/// Where there are too many fields for one reply: the names that fields of logs have, by their parts.
const KNOWN: &str = "@timestamp,timestamp,Timestamp,time,ts,date,event.*,ingested,observed_timestamp,message,msg,log,log.*,\
                     level,severity*,Severity*,body,body.*,Body*,service,service.*,resource.attributes.*,attributes.*,trace*,\
                     span*,Trace*,Span*,kubernetes.*,host,host.*,container*,error.*,exception*,fields.*,labels.*,stream";

/// What recent records may take together, in bytes.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Recent records.
#[derive(Default)]
pub(super) struct Recent {
    pub(super) documents: Vec<Document>,
    /// Mean length of the newest ones as they are stored.
    pub(super) bytes: usize,
}

impl Elastic {
    /// The fields of the indices, and what is missing in them.
    pub(super) async fn mapping(&self, cx: &Context) -> Result<(Arc<Mapping>, Vec<String>), ToolError> {
        if let Some(mapping) = self.known_mapping(cx) {
            return Ok((mapping, Vec::new()));
        }
        // The questions of a call are asked at the same time: one of them finds it out for all.
        let _turn = self.asking_mapping.lock().await;
        if let Some(mapping) = self.known_mapping(cx) {
            return Ok((mapping, Vec::new()));
        }
        let (fields, mixed, indices, mut partial) = self.field_caps(cx).await?;
        let recent = match self.recent(cx, &fields, indices).await {
            Ok(recent) => recent,
            Err(error) => {
                partial.push(format!(
                    "no recent record could be read, so fields were chosen by name and type alone: {error}"
                ));
                Recent::default()
            }
        };
        let layout = detect(&fields, &recent.documents, &self.fields);
        let mut mapping = Mapping::new(fields, mixed, layout);
        mapping.measure(&recent);
        let mapping = Arc::new(mapping);
        if partial.is_empty() {
            let mut mappings = self.mappings.lock().unwrap_or_else(PoisonError::into_inner);
            mappings.insert(cx.tenant.clone(), (cx.now, Arc::clone(&mapping)));
        }
        Ok((mapping, partial))
    }

    fn known_mapping(&self, cx: &Context) -> Option<Arc<Mapping>> {
        let known = self.mappings.lock().unwrap_or_else(PoisonError::into_inner).get(&cx.tenant).cloned();
        let fresh = known.filter(|(asked, _)| cx.now.duration_since(*asked).abs() < KEPT);
        fresh.map(|(_, mapping)| mapping)
    }

    /// Fields, those of dates whose resolution differs, the number of indices, what is missing.
    async fn field_caps(
        &self,
        cx: &Context,
    ) -> Result<(Vec<FieldInfo>, Vec<String>, usize, Vec<String>), ToolError> {
        let mut partial = Vec::new();
        let asked = |fields: &str| self.over_indices(endpoints::FIELD_CAPS).with("fields", fields);
        let reply = match self.ask(cx, asked("*")).await {
            Err(Refusal::TooLarge(_)) => {
                partial.push(
                    "the mapping is too large to be read: only fields of well-known names are known"
                        .to_owned(),
                );
                self.ask(cx, asked(KNOWN)).await?
            }
            other => other?,
        };
        let caps: FieldCaps<'_> = serde_json::from_slice(&reply.body)
            .map_err(|error| unreadable(self.upstream.system(), "_field_caps", &error))?;
        let (fields, mixed) = caps.fields();
        if fields.is_empty() && caps.indices.is_empty() {
            let (system, indices) = (self.upstream.system(), self.shown_indices());
            if let Ok(reply) = self.ask(cx, names_of(&self.indices)).await
                && self.names(cx, &reply).is_ok_and(|names| !names.is_empty())
            {
                // OpenSearch leaves out indices of which no shard is assigned.
                return Err(unassigned(format!("{system}: {indices} exists, but no shard of it answers")));
            }
            let problem =
                format!("{system}: no open index matches {indices}, or the configured user may see none");
            return Err(no_index(problem));
        }
        Ok((fields, mixed, caps.indices.len(), partial))
    }

    /// Some recent records: the newest ones, and a few of each index. The newest alone comes first: a cluster puts a whole
    /// reply together in its memory, so of records of megabytes fewer are asked for.
    async fn recent(&self, cx: &Context, fields: &[FieldInfo], indices: usize) -> Result<Recent, ToolError> {
        let Some(time) = likely_time(fields) else { return Ok(Recent::default()) };
        let mapping = Mapping::new(fields.to_vec(), Vec::new(), Layout::default());
        let compiler =
            Compiler { mapping: &mapping, mandatory: &self.mandatory, given: Given::Sent(&cx.intake) };
        let limited = json!({ "bool": { "filter": compiler.limited()? } });
        let newest = |size: usize| {
            let sort = json!([{ time: { "order": "desc", "unmapped_type": "date" } }]);
            json!({ "size": size, "query": limited, "sort": sort, "_source": true })
        };
        let first = self.search(cx, &newest(1)).await?;
        let first_bytes = self.read(&first)?.hits().iter().map(Hit::bytes).max().unwrap_or(0);
        if first_bytes == 0 {
            return Ok(Recent::default());
        }
        drop(first);
        let mut size = (MOST_BYTES / first_bytes).clamp(1, RECENT);
        let reply = loop {
            match self.search(cx, &newest(size)).await {
                Err(Refusal::TooLarge(_)) if size > 1 => size = (size / 4).max(1),
                other => break other?,
            }
        };
        let answer = self.read(&reply)?;
        let mut recent = Recent { documents: documents(cx, answer.hits().iter()), bytes: 0 };
        let bytes: usize = answer.hits().iter().map(Hit::bytes).sum();
        recent.bytes = bytes / answer.hits().len().max(1);
        drop(reply);
        if indices > 1 && recent.bytes * INDICES * OF_EACH <= MOST_BYTES {
            let mut some = self.of_each_index(cx, &limited).await.unwrap_or_default();
            // The newest ones are among those of their index, too.
            let place = |document: &Document| (document.index.clone(), document.id.clone());
            let newest: BTreeSet<_> = recent.documents.iter().map(place).collect();
            some.retain(|document| !newest.contains(&place(document)));
            recent.documents.extend(some);
        }
        Ok(recent)
    }

    async fn of_each_index(&self, cx: &Context, limited: &Value) -> Result<Vec<Document>, ToolError> {
        // What is met first will do: a shard stops after some records.
        let body = json!({
            "size": 0, "query": limited, "terminate_after": 500,
            "aggs": { "indices": { "terms": { "field": "_index", "size": INDICES },
                "aggs": { "some": { "top_hits": { "size": OF_EACH, "_source": true } } } } },
        });
        let reply = self.search(cx, &body).await?;
        let answer = self.read(&reply)?;
        let buckets = answer.aggregations.get("indices").and_then(|indices| indices.get("buckets"));
        let hits =
            buckets.and_then(Value::as_array).into_iter().flatten().filter_map(|bucket| bucket.get("some"));
        let mut found = Vec::new();
        for hits in hits {
            let body = json!({ "_shards": { "total": 1 }, "hits": hits.get("hits") }).to_string();
            let answer = Answer::read(self.upstream.system(), body.as_bytes())?;
            found.extend(documents(cx, answer.hits().iter()));
        }
        Ok(found)
    }
}

fn documents<'a>(cx: &Context, hits: impl Iterator<Item = &'a Hit<'a>>) -> Vec<Document> {
    let mut cut = 0;
    hits.map(|hit| hit.document(cx, &mut cut)).collect()
}

/// The field by which the newest records are found before it is known which field is the time.
fn likely_time(fields: &[FieldInfo]) -> Option<&str> {
    const NAMES: [&str; 5] = ["@timestamp", "timestamp", "Timestamp", "time", "ts"];
    let dates =
        || fields.iter().filter(|field| field.kind == FieldKind::Date).map(|field| field.name.as_str());
    NAMES.into_iter().find(|name| dates().any(|date| date == *name)).or_else(|| dates().next())
}
