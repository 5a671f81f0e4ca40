//! A recorded incident as a metrics store, and as what notified people.
//!
//! Files are read on first use: a server starts at once. Nothing is sent anywhere; the audit record still shows what was
//! evaluated and how long it took.

mod counted;
mod delivered;
mod probe;
mod reply;
mod rules;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use ::alertmanager::Alertmanager;
use ::snapshot::{RecordedGroup, Snapshot, SnapshotError};
use contract::{Context, TimeRange, Untrusted};
use jiff::Timestamp;
use promql::{EvalError, Options, Query, Selector, Store, evaluate_at, evaluate_over};
use runtime::blocking;
use upstream::UpstreamError;

pub(crate) use self::probe::RecordingProbe;
use super::{Asking, Metrics};
use crate::model::{
    Data, Exemplars, Listing, Metadata, MetricKind, QueryError, QueryOptions, QueryReply, RejectionKind,
    Rules, TsdbStatus, given_back,
};

/// Values that one query may look at: about a second's work. A live system has a timeout instead.
const MOST_READS: u64 = 500_000_000;

/// The metrics, rules and alerts of a recorded incident.
pub(crate) struct Recording {
    held: Arc<Held>,
    system: String,
    alertmanager: OnceLock<Result<Option<Alertmanager>, SnapshotError>>,
}

/// What evaluation works with, on its own threads.
struct Held {
    snapshot: Arc<Snapshot>,
    loaded: OnceLock<Result<Loaded, SnapshotError>>,
}

/// What the metrics files and rule files hold.
struct Loaded {
    store: Store,
    metadata: Vec<::snapshot::Metadata>,
    groups: Vec<RecordedGroup>,
    rules: OnceLock<Vec<rules::Judged>>,
}

impl Held {
    fn loaded(&self) -> Result<&Loaded, &SnapshotError> {
        self.loaded.get_or_init(|| load(&self.snapshot)).as_ref()
    }
}

impl Recording {
    pub(crate) fn new(snapshot: Arc<Snapshot>) -> Recording {
        let system = format!("snapshot \"{}\"", snapshot.manifest().id);
        let held = Arc::new(Held { snapshot, loaded: OnceLock::new() });
        Recording { held, system, alertmanager: OnceLock::new() }
    }

    /// Series from elsewhere in the place of the recorded ones, for benchmarks.
    pub(crate) fn holding(snapshot: Arc<Snapshot>, store: Store) -> Recording {
        let recording = Recording::new(snapshot);
        let loaded = Loaded { store, metadata: Vec::new(), groups: Vec::new(), rules: OnceLock::new() };
        let _ = recording.held.loaded.set(Ok(loaded));
        recording
    }

    fn unusable(&self, problem: String) -> UpstreamError {
        UpstreamError::Recording { program: crate::ABOUT.name, system: self.system.clone(), problem }
    }

    fn broken(&self, error: &SnapshotError) -> UpstreamError {
        self.unusable(error.to_string())
    }

    fn options() -> Options {
        Options { max_reads: MOST_READS, ..Options::default() }
    }

    /// Answers one question and notes it, as a request to a live system would be.
    async fn noted<T>(
        &self,
        cx: &Context,
        question: &str,
        answer: impl Future<Output = Result<T, QueryError>>,
    ) -> Result<T, QueryError> {
        let mut noted = cx.trail.begin(&self.system, question);
        // A file that can't be read is told before what is wrong with the question.
        let result = match self.run(cx, |_| Ok(())).await {
            Ok(()) => answer.await,
            Err(error) => Err(error),
        };
        noted.call.outcome = if result.is_ok() { "ok" } else { "rejected" };
        result
    }

    /// Runs `work` over what was recorded, which may take a second, away from the threads that serve calls.
    async fn run<T: Send + 'static>(
        &self,
        cx: &Context,
        work: impl FnOnce(&Loaded) -> Result<T, EvalError> + Send + 'static,
    ) -> Result<T, QueryError> {
        let held = Arc::clone(&self.held);
        match blocking(move || held.loaded().map(work).map_err(SnapshotError::to_string)).await {
            Ok(done) => {
                done.map_err(|error| self.rejected(cx, RejectionKind::Execution, &error.to_string(), None))
            }
            Err(problem) => Err(self.unusable(problem).into()),
        }
    }

    fn rejected(
        &self,
        cx: &Context,
        kind: RejectionKind,
        message: &str,
        position: Option<(u32, u32)>,
    ) -> QueryError {
        let status = if kind == RejectionKind::BadData { 400 } else { 422 };
        QueryError::Rejected {
            system: self.system.clone(),
            status,
            kind,
            message: cx.intake.text(message),
            position,
            retry_after: None,
        }
    }

    fn parse(&self, cx: &Context, promql: &str) -> Result<Query, QueryError> {
        let sent = given_back(cx, &self.system, promql)?;
        Query::parse(&sent).map_err(|error| {
            let message = format!("failed to parse: {}", error.message);
            // Tokens are not as long as what they stand for.
            let place = error.position.filter(|_| sent == promql).map(|at| position(promql, at));
            self.rejected(cx, RejectionKind::BadData, &message, place)
        })
    }

    fn selectors(&self, cx: &Context, matchers: &[&str]) -> Result<Vec<Selector>, QueryError> {
        let read = |text: &&str| {
            Selector::parse(&given_back(cx, &self.system, text)?)
                .map_err(|error| self.rejected(cx, RejectionKind::BadData, &error.message, None))
        };
        matchers.iter().map(read).collect()
    }
}

/// Reads metrics and rules. Series move into the store; nothing is kept twice.
fn load(snapshot: &Snapshot) -> Result<Loaded, SnapshotError> {
    let recorded = snapshot.metrics()?;
    let series = recorded.series.into_iter().map(|one| (one.labels.into_vec(), one.timestamps, one.values));
    let store = Store::new(series).map_err(|error| SnapshotError {
        file: "metrics".to_owned(),
        line: None,
        problem: error.to_string(),
    })?;
    Ok(Loaded { store, metadata: recorded.metadata, groups: snapshot.rules()?, rules: OnceLock::new() })
}

/// Line and column, from 1, of a byte.
fn position(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// At most `limit` of them, taken in, and whether there are more.
fn listing<One, T>(all: Vec<One>, limit: usize, take: impl Fn(One) -> T) -> Listing<T> {
    let more = all.len() > limit;
    Listing { items: all.into_iter().take(limit).map(take).collect(), more, warnings: Vec::new() }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A half-open window in milliseconds, both ends included; everything without one.
fn milliseconds(window: Option<TimeRange>) -> std::ops::RangeInclusive<i64> {
    window.map_or(i64::MIN..=i64::MAX, |window| {
        window.start().as_millisecond()..=window.end().as_millisecond() - 1
    })
}

impl Metrics for Recording {
    fn name(&self) -> &str {
        &self.held.snapshot.manifest().id
    }

    fn system(&self) -> &str {
        &self.system
    }

    fn link(&self, _: &str, _: Option<TimeRange>, _: Timestamp) -> Option<String> {
        None
    }

    fn instant<'a>(
        &'a self,
        cx: &'a Context,
        promql: &'a str,
        at: Timestamp,
        options: QueryOptions,
    ) -> Asking<'a, QueryReply> {
        Box::pin(self.noted(cx, "query", async move {
            let query = self.parse(cx, promql)?;
            // Whole seconds, as the live client asks.
            let at = (at.as_millisecond() + 500).div_euclid(1000) * 1000;
            let evaluate =
                move |loaded: &Loaded| evaluate_at(&loaded.store, &query, at, &Recording::options());
            let value = self.run(cx, evaluate).await?;
            Ok(limited(cx, reply::reply(cx, &value, at), options))
        }))
    }

    fn range<'a>(
        &'a self,
        cx: &'a Context,
        promql: &'a str,
        window: TimeRange,
        step: Duration,
        options: QueryOptions,
    ) -> Asking<'a, QueryReply> {
        Box::pin(self.noted(cx, "query_range", async move {
            let query = self.parse(cx, promql)?;
            let start = window.start().as_millisecond();
            let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1);
            let end = (window.end().as_millisecond() - 1).max(start);
            let evaluate = move |loaded: &Loaded| {
                evaluate_over(&loaded.store, &query, start, end, step, &Recording::options())
            };
            let value = self.run(cx, evaluate).await?;
            Ok(limited(cx, reply::reply(cx, &value, start), options))
        }))
    }

    fn metadata<'a>(
        &'a self,
        cx: &'a Context,
        metric: Option<&'a str>,
        limit: usize,
    ) -> Asking<'a, Listing<Metadata>> {
        Box::pin(self.noted(cx, "metadata", async move {
            let wanted = metric.map(str::to_owned);
            let find = move |loaded: &Loaded| {
                let is_wanted =
                    |one: &&::snapshot::Metadata| wanted.as_ref().is_none_or(|metric| one.family == *metric);
                let mut found: Vec<::snapshot::Metadata> =
                    loaded.metadata.iter().filter(is_wanted).cloned().collect();
                found.sort_by(|one, other| one.family.cmp(&other.family));
                Ok(found)
            };
            let take = |one: ::snapshot::Metadata| Metadata {
                metric: cx.intake.text(&one.family),
                kind: MetricKind::named(&one.kind),
                unit: cx.intake.text(&one.unit),
                help: cx.intake.text(&one.help),
            };
            Ok(listing(self.run(cx, find).await?, limit, take))
        }))
    }

    fn label_names<'a>(
        &'a self,
        cx: &'a Context,
        matchers: &'a [&'a str],
        window: Option<TimeRange>,
        limit: usize,
    ) -> Asking<'a, Listing<Untrusted>> {
        Box::pin(self.noted(cx, "labels", async move {
            let selectors = self.selectors(cx, matchers)?;
            let list = move |loaded: &Loaded| {
                Ok(owned(&loaded.store.label_names(&selectors, &milliseconds(window))))
            };
            Ok(listing(self.run(cx, list).await?, limit, |name| cx.intake.text(&name)))
        }))
    }

    fn label_values<'a>(
        &'a self,
        cx: &'a Context,
        label: &'a str,
        matchers: &'a [&'a str],
        window: Option<TimeRange>,
        limit: usize,
    ) -> Asking<'a, Listing<Untrusted>> {
        Box::pin(self.noted(cx, "label values", async move {
            let (selectors, label) = (self.selectors(cx, matchers)?, label.to_owned());
            let list = move |loaded: &Loaded| {
                Ok(owned(&loaded.store.label_values(&label, &selectors, &milliseconds(window))))
            };
            Ok(listing(self.run(cx, list).await?, limit, |value| cx.intake.text(&value)))
        }))
    }

    fn tsdb<'a>(&'a self, cx: &'a Context, limit: usize) -> Asking<'a, TsdbStatus> {
        Box::pin(self.noted(cx, "tsdb", async move {
            let counts = self.run(cx, move |loaded| Ok(counted::count(&loaded.store, limit))).await?;
            Ok(counts.status(cx))
        }))
    }

    fn rules<'a>(&'a self, cx: &'a Context) -> Asking<'a, Rules> {
        Box::pin(self.noted(cx, "rules", async move {
            let manifest = self.held.snapshot.manifest();
            let (start, now) = (manifest.window.start, manifest.now);
            let judge = move |loaded: &Loaded| {
                loaded.rules.get_or_init(|| rules::judge(&loaded.store, &loaded.groups, start, now));
                Ok(())
            };
            self.run(cx, judge).await?;
            let loaded = self.held.loaded().map_err(|error| self.broken(error))?;
            let judged = loaded.rules.get().map_or(&[] as &[_], Vec::as_slice);
            Ok(rules::told(cx, &loaded.groups, judged, now))
        }))
    }

    /// The format of a recorded incident has no place for exemplars.
    fn exemplars<'a>(&'a self, _: &'a Context, _: &'a str, _: TimeRange) -> Asking<'a, Exemplars> {
        Box::pin(async { Ok(Exemplars::default()) })
    }
}

/// At most as many series as asked for, with the warning a live system gives.
fn limited(cx: &Context, mut reply: QueryReply, options: QueryOptions) -> QueryReply {
    let Some(limit) = options.limit.map(|limit| limit as usize) else { return reply };
    if let Data::Vector(series) | Data::Matrix(series) = &mut reply.data
        && series.len() > limit
    {
        series.truncate(limit);
        reply.warnings.push(cx.intake.text("results truncated due to limit"));
    }
    reply
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    #[tokio::test]
    async fn a_deadline_strikes_while_a_recording_is_read_and_the_question_is_noted_as_cancelled() {
        let directory = tempfile::tempdir().unwrap();
        let manifest = "id = \"t\"\ntitle = \"t\"\nnow = \"2026-01-14T14:00:00Z\"\n\
                        window = { start = \"2026-01-14T13:00:00Z\", end = \"2026-01-14T14:00:00Z\" }\n";
        std::fs::write(directory.path().join("snapshot.toml"), manifest).unwrap();
        let recording = Recording::new(Arc::new(Snapshot::open(directory.path()).unwrap()));

        // Another thread reads it, for as long as this test likes.
        let ((begins, began), (let_go, waits)) = (mpsc::channel(), mpsc::channel::<()>());
        let held = Arc::clone(&recording.held);
        let reader = thread::spawn(move || {
            held.loaded.get_or_init(|| {
                begins.send(()).unwrap();
                waits.recv().unwrap();
                load(&held.snapshot)
            });
        });
        began.recv().unwrap();

        let at: Timestamp = "2026-01-14T14:00:00Z".parse().unwrap();
        let cx = Context::for_test(at);
        let asked = recording.instant(&cx, "vector(1)", at, QueryOptions::default());
        assert!(tokio::time::timeout(Duration::from_millis(10), asked).await.is_err());
        assert_eq!(cx.trail.calls()[0].outcome, "cancelled");

        let_go.send(()).unwrap();
        reader.join().unwrap();
        recording.instant(&cx, "vector(1)", at, QueryOptions::default()).await.unwrap();
        assert_eq!(cx.trail.calls()[1].outcome, "ok");
    }
}
