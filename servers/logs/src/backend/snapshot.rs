//! A recorded incident as a store of logs.
//!
//! Files are read on first use and held in memory, indexed once: the text of each record with its names and repeated
//! values written as numbers, about 60 % of the files' own size. Searching, counting and reading run over it away from the
//! threads that serve calls. What is searched is what was recorded, as in a live store: a caller who knows a secret can
//! learn that it is there. What is returned is masked as it leaves here; secrets are never shown.

mod compile;
mod count;
mod load;
mod page;
mod probe;
mod ship;

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use ::snapshot::{Snapshot, SnapshotError};
use contract::{Context, ToolError};
use lucene::Query;
use runtime::blocking;
use upstream::UpstreamError;

pub(crate) use self::probe::RecordingProbe;
use self::{compile::Sought, load::Loaded};
use super::{Asking, Logs, near_fields, no_field};
use crate::model::{
    Freshness, Histogram, Key, Layout, Like, LogSource, Page, Reply, Role, Sample, Search, Tally, Top, Total,
};

/// Values of a key in a histogram; steps of one.
const MOST_VALUES: usize = 1_000;
const MOST_STEPS: u64 = 20_000;

/// The logs of a recorded incident.
pub(crate) struct Recording {
    held: Arc<Held>,
    system: String,
}

/// What searches work with, on their own threads.
struct Held {
    snapshot: Arc<Snapshot>,
    /// Fields by role, as an operator set them.
    fields: BTreeMap<String, Vec<String>>,
    loaded: OnceLock<Result<Loaded, SnapshotError>>,
}

impl Held {
    fn loaded(&self) -> Result<&Loaded, &SnapshotError> {
        self.loaded.get_or_init(|| load::load(&self.snapshot, &self.fields)).as_ref()
    }

    /// The fields of the time: as found when the files could be read, else as an operator set them.
    fn times(&self) -> Vec<String> {
        match self.loaded() {
            Ok(loaded) => loaded.layout.of(Role::Time).iter().map(|chosen| chosen.name.clone()).collect(),
            Err(_) => self.fields.get(Role::Time.name()).cloned().unwrap_or_default(),
        }
    }
}

impl Recording {
    pub(crate) fn new(snapshot: Arc<Snapshot>, fields: BTreeMap<String, Vec<String>>) -> Recording {
        let system = format!("snapshot \"{}\"", snapshot.manifest().id);
        Recording { held: Arc::new(Held { snapshot, fields, loaded: OnceLock::new() }), system }
    }

    /// Answers one question over what was recorded, and notes it as a request to a live system would be.
    async fn ask<T: Send + 'static>(
        &self,
        cx: &Context,
        question: &str,
        work: impl FnOnce(&Loaded) -> T + Send + 'static,
    ) -> Result<T, ToolError> {
        let mut noted = cx.trail.begin(&self.system, question);
        let held = Arc::clone(&self.held);
        let done = blocking(move || held.loaded().map(work).map_err(SnapshotError::to_string)).await;
        noted.call.outcome = if done.is_ok() { "ok" } else { "recording" };
        done.map_err(|problem| {
            UpstreamError::Recording { program: crate::ABOUT.name, system: self.system.clone(), problem }
                .into()
        })
    }

    /// Answers a question about a search, and says what of the recording no search can see.
    async fn ask_about<T: Send + 'static>(
        &self,
        cx: &Context,
        question: &str,
        search: &Search,
        work: impl FnOnce(&Loaded, &Sought) -> T + Send + 'static,
    ) -> Result<Reply<T>, ToolError> {
        let sought = Sought::resolve(cx, search)?;
        let sent = compile::told(search);
        let of_field = sought.fields();
        let all = move |loaded: &Loaded| {
            let unknown = of_field.into_iter().filter(|name| loaded.store.name(name).is_none());
            let names = || loaded.store.names().iter().map(AsRef::as_ref);
            let unknown = unknown.map(|name| (near_fields(&loaded.layout, &name, names()), name));
            let unknown: Vec<(Vec<String>, String)> = unknown.collect();
            (work(loaded, &sought), unknown, loaded.store.len() - loaded.store.timed())
        };
        let (value, unknown, untimed) = self.ask(cx, question, all).await?;
        let mut partial: Vec<String> = Vec::new();
        if untimed > 0 {
            partial.push(format!("{untimed} recorded records have no time and are in no window"));
        }
        let unknown = unknown.iter().map(|(near, name)| no_field(&cx.intake, "recorded record", name, near));
        partial.extend(unknown);
        Ok(Reply { value, sent, partial })
    }
}

impl Logs for Recording {
    fn name(&self) -> &str {
        &self.held.snapshot.manifest().id
    }

    fn system(&self) -> &str {
        &self.system
    }

    fn language(&self) -> &'static str {
        "Lucene"
    }

    /// Levels are read when the files are.
    fn guesses_levels(&self) -> bool {
        false
    }

    fn is_live(&self) -> bool {
        false
    }

    fn link(&self, _: &Search) -> Option<String> {
        None
    }

    fn sources<'a>(&'a self, cx: &'a Context) -> Asking<'a, Vec<LogSource>> {
        Box::pin(async move {
            let files = self.ask(cx, "sources", |loaded| loaded.files.clone()).await?;
            let source = |file: load::File| LogSource {
                name: cx.intake.text(&file.name),
                kind: "file",
                records: Some(file.records),
                bytes: Some(file.bytes),
                span: file.span.and_then(|(first, last)| Some((count::moment(first)?, count::moment(last)?))),
                health: None,
            };
            let value = files.into_iter().map(source).collect();
            Ok(Reply { value, sent: "logs/*".to_owned(), partial: Vec::new() })
        })
    }

    fn layout<'a>(&'a self, cx: &'a Context) -> Asking<'a, Arc<Layout>> {
        Box::pin(async move {
            let value = self.ask(cx, "fields", |loaded| Arc::clone(&loaded.layout)).await?;
            Ok(Reply { value, sent: "logs/*".to_owned(), partial: Vec::new() })
        })
    }

    fn total<'a>(&'a self, cx: &'a Context, search: &'a Search) -> Asking<'a, Total> {
        Box::pin(self.ask_about(cx, "count", search, |loaded, sought| {
            Total::Exactly(loaded.found(sought).count() as u64)
        }))
    }

    fn histogram<'a>(
        &'a self,
        cx: &'a Context,
        search: &'a Search,
        step: Duration,
        by: Option<(&'a Key, usize)>,
    ) -> Asking<'a, Histogram> {
        Box::pin(async move {
            let steps = count::Steps::of(search.window, step, MOST_STEPS)?;
            let key = by.map(|(key, most)| (key.clone(), most.min(MOST_VALUES)));
            let counted = self
                .ask_about(cx, "histogram", search, move |loaded, sought| {
                    count::histogram(loaded, sought, steps, key.as_ref())
                })
                .await?;
            let count::Counted { total, by: values, name } = counted.value;
            let taken = |(value, counts): (String, Vec<u64>)| (cx.intake.field(&name, &value), counts);
            let value = Histogram { step, total, by: values.into_iter().map(taken).collect() };
            Ok(Reply { value, sent: counted.sent, partial: counted.partial })
        })
    }

    fn top<'a>(&'a self, cx: &'a Context, search: &'a Search, key: &'a Key, most: usize) -> Asking<'a, Top> {
        Box::pin(async move {
            let key = key.clone();
            let reply = self
                .ask_about(cx, "top values", search, move |loaded, sought| {
                    count::top(loaded, sought, &key, most)
                })
                .await?;
            Ok(Reply { value: reply.value.taken(&cx.intake), sent: reply.sent, partial: reply.partial })
        })
    }

    fn page<'a>(&'a self, cx: &'a Context, search: &'a Search, page: &'a Page) -> Asking<'a, Sample> {
        Box::pin(async move {
            let bound = super::fingerprint(&format!(
                "{}{}{}",
                compile::told(search),
                search.window,
                page.oldest_first
            ));
            let after = page.after.as_deref().map(|text| page::parse(text, bound)).transpose()?;
            let (limit, oldest_first) = (page.limit.max(1), page.oldest_first);
            let reply = self
                .ask_about(cx, "search", search, move |loaded, sought| {
                    let found = page::read(loaded, sought, limit, oldest_first, after);
                    (found, Arc::clone(&loaded.layout))
                })
                .await?;
            let (found, layout) = reply.value;
            let records: Vec<_> = found.raw.into_iter().map(|raw| raw.record(cx, &layout)).collect();
            let order = if oldest_first { "oldest" } else { "newest" };
            let method = match after {
                None => format!("the {order} {}", records.len()),
                Some(_) => format!("the next {}", records.len()),
            };
            let next = found.next.map(|place| page::cursor(place, bound));
            let value = Sample { records, total: Total::Exactly(found.total), method, next };
            Ok(Reply { value, sent: reply.sent, partial: reply.partial })
        })
    }

    fn sample<'a>(&'a self, cx: &'a Context, search: &'a Search, size: usize) -> Asking<'a, Sample> {
        Box::pin(async move {
            let reply = self
                .ask_about(cx, "sample", search, move |loaded, sought| {
                    (page::spread(loaded, sought, size.max(1)), Arc::clone(&loaded.layout))
                })
                .await?;
            let (found, layout) = reply.value;
            let records: Vec<_> = found.raw.into_iter().map(|raw| raw.record(cx, &layout)).collect();
            let method = match found.total as usize {
                total if total == records.len() => "every record".to_owned(),
                total => format!("{} of {total}, evenly spaced in order of time", records.len()),
            };
            let value = Sample { records, total: Total::Exactly(found.total), method, next: None }.evenly();
            Ok(Reply { value, sent: reply.sent, partial: reply.partial })
        })
    }

    fn tallies<'a>(
        &'a self,
        cx: &'a Context,
        search: &'a Search,
        likes: &'a [Like],
    ) -> Asking<'a, Vec<Tally>> {
        Box::pin(async move {
            let likes: Vec<Like> = likes.iter().map(|like| compile::resolved(cx, like)).collect();
            let reply = self
                .ask_about(cx, "patterns", search, move |loaded, sought| {
                    count::tallies(loaded, sought, &likes)
                })
                .await?;
            let value = reply.value.into_iter().map(|tally| tally.taken(&cx.intake)).collect();
            Ok(Reply { value, sent: reply.sent, partial: reply.partial })
        })
    }

    fn finds(&self, like: &Like, message: &str) -> bool {
        lucene::Test::Holds(like.fragments.clone()).passes(message)
    }

    fn freshness<'a>(&'a self, cx: &'a Context, search: &'a Search) -> Asking<'a, Freshness> {
        Box::pin(self.ask_about(cx, "freshness", search, count::freshness))
    }
}

/// Reads a caller's query.
fn query(text: &str) -> Result<Query, ToolError> {
    Query::parse(text).map_err(|error| ToolError::invalid("query", &error.to_string()).remedy(error.remedy))
}

#[cfg(test)]
mod tests;
