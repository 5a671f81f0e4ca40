//! A recorded incident as a metrics store, and as what notified people.
//!
//! Files are read on first use: a server starts at once. Nothing is sent anywhere; the audit record still shows what was
//! evaluated and how long it took.

mod counted;
mod reply;
mod rules;

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use ::alertmanager::Alertmanager;
use ::snapshot::{RecordedGroup, Snapshot, SnapshotError};
use contract::{Context, TimeRange, ToolError, Untrusted, UpstreamCall};
use jiff::Timestamp;
use promql::{Options, Query, Selector, Store};
use runtime::{CheckLine, Checking, Probe};
use upstream::{Health, UpstreamError};

use super::{AlertManager, Asking, Metrics};
use crate::model::{
    Alerts, Data, Exemplars, Listing, Metadata, MetricKind, QueryError, QueryOptions, QueryReply,
    RejectionKind, Rules, Silences, TsdbStatus, given_back,
};

/// Values that one query may look at: about a second's work. A live system has a timeout instead.
const MOST_READS: u64 = 500_000_000;

/// The metrics, rules and alerts of a recorded incident.
pub(crate) struct Recording {
    snapshot: Arc<Snapshot>,
    system: String,
    loaded: OnceLock<Result<Loaded, SnapshotError>>,
    alertmanager: OnceLock<Result<Option<Alertmanager>, SnapshotError>>,
}

/// What the metrics files and rule files hold.
struct Loaded {
    store: Store,
    metadata: Vec<::snapshot::Metadata>,
    groups: Vec<RecordedGroup>,
    rules: OnceLock<Vec<rules::Judged>>,
}

impl Recording {
    pub(crate) fn new(snapshot: Arc<Snapshot>) -> Recording {
        let system = format!("snapshot \"{}\"", snapshot.manifest().id);
        Recording { snapshot, system, loaded: OnceLock::new(), alertmanager: OnceLock::new() }
    }

    /// Series from elsewhere in the place of the recorded ones, for benchmarks.
    pub(crate) fn holding(snapshot: Arc<Snapshot>, store: Store) -> Recording {
        let recording = Recording::new(snapshot);
        let loaded = Loaded { store, metadata: Vec::new(), groups: Vec::new(), rules: OnceLock::new() };
        let _ = recording.loaded.set(Ok(loaded));
        recording
    }

    /// Whether replies of an Alertmanager were recorded.
    pub(crate) fn has_alertmanager(&self) -> bool {
        self.snapshot.files().iter().any(|file| file.kind == ::snapshot::Kind::Alertmanager)
    }

    fn loaded(&self) -> Result<&Loaded, QueryError> {
        self.loaded.get_or_init(|| load(&self.snapshot)).as_ref().map_err(|error| self.broken(error).into())
    }

    fn broken(&self, error: &SnapshotError) -> UpstreamError {
        UpstreamError::Recording { system: self.system.clone(), problem: error.to_string() }
    }

    /// A recorded reply that Alertmanager's client can't read.
    fn unreadable(&self, name: &str, error: &::alertmanager::Error) -> ToolError {
        let problem = format!("alertmanager/{name}.json: {error}");
        UpstreamError::Recording { system: self.system.clone(), problem }.into()
    }

    fn alertmanager(&self) -> Result<&Alertmanager, ToolError> {
        let read = self.alertmanager.get_or_init(|| recorded_alertmanager(&self.snapshot));
        match read {
            Ok(Some(alertmanager)) => Ok(alertmanager),
            Ok(None) => {
                let missing = SnapshotError {
                    file: "alertmanager/groups.json".to_owned(),
                    line: None,
                    problem: "was not recorded".to_owned(),
                };
                Err(self.broken(&missing).into())
            }
            Err(error) => Err(self.broken(error).into()),
        }
    }

    fn options() -> Options {
        Options { max_reads: MOST_READS, ..Options::default() }
    }

    /// Runs one question and notes it, as a request to a live system would be.
    fn noted<T>(
        &self,
        cx: &Context,
        question: &str,
        run: impl FnOnce(&Loaded) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let begun = Instant::now();
        let result = self.loaded().and_then(run);
        cx.trail.note(UpstreamCall {
            system: self.system.clone(),
            endpoint: question.to_owned(),
            status: None,
            bytes: 0,
            ms: begun.elapsed().as_secs_f64() * 1000.0,
            outcome: if result.is_ok() { "ok" } else { "rejected" },
        });
        result
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
        let promql = &*given_back(cx, &self.system, promql)?;
        Query::parse(promql).map_err(|error| {
            let message = format!("failed to parse: {}", error.message);
            let place = error.position.map(|at| position(promql, at));
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

    fn failed(&self, cx: &Context, error: &promql::EvalError) -> QueryError {
        self.rejected(cx, RejectionKind::Execution, &error.to_string(), None)
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

fn recorded_alertmanager(snapshot: &Snapshot) -> Result<Option<Alertmanager>, SnapshotError> {
    let Some(groups) = snapshot.alertmanager("groups")? else { return Ok(None) };
    let silences = snapshot.alertmanager("silences")?;
    let opened = Alertmanager::recorded(&snapshot.manifest().id, groups, silences);
    opened.map(Some).map_err(|error| SnapshotError {
        file: "alertmanager/groups.json".to_owned(),
        line: None,
        problem: error.to_string(),
    })
}

/// Line and column, from 1, of a byte.
fn position(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// At most `limit` of them, and whether there are more.
fn listing<T>(mut items: Vec<T>, limit: usize) -> Listing<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    Listing { items, more, warnings: Vec::new() }
}

/// A half-open window in milliseconds, both ends included; everything without one.
fn milliseconds(window: Option<TimeRange>) -> std::ops::RangeInclusive<i64> {
    window.map_or(i64::MIN..=i64::MAX, |window| {
        window.start().as_millisecond()..=window.end().as_millisecond() - 1
    })
}

impl Metrics for Recording {
    fn name(&self) -> &str {
        &self.snapshot.manifest().id
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
        Box::pin(async move {
            self.noted(cx, "query", |loaded| {
                let query = self.parse(cx, promql)?;
                // Whole seconds, as the live client asks.
                let at = (at.as_millisecond() + 500).div_euclid(1000) * 1000;
                let value = promql::evaluate_at(&loaded.store, &query, at, &Recording::options())
                    .map_err(|error| self.failed(cx, &error))?;
                Ok(limited(cx, reply::reply(cx, &value, at), options))
            })
        })
    }

    fn range<'a>(
        &'a self,
        cx: &'a Context,
        promql: &'a str,
        window: TimeRange,
        step: Duration,
        options: QueryOptions,
    ) -> Asking<'a, QueryReply> {
        Box::pin(async move {
            self.noted(cx, "query_range", |loaded| {
                let query = self.parse(cx, promql)?;
                let start = window.start().as_millisecond();
                let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1);
                let end = (window.end().as_millisecond() - 1).max(start);
                let value =
                    promql::evaluate_over(&loaded.store, &query, start, end, step, &Recording::options())
                        .map_err(|error| self.failed(cx, &error))?;
                Ok(limited(cx, reply::reply(cx, &value, start), options))
            })
        })
    }

    fn metadata<'a>(
        &'a self,
        cx: &'a Context,
        metric: Option<&'a str>,
        limit: usize,
    ) -> Asking<'a, Listing<Metadata>> {
        Box::pin(async move {
            self.noted(cx, "metadata", |loaded| {
                let wanted = |one: &&::snapshot::Metadata| metric.is_none_or(|metric| one.family == metric);
                let take = |one: &::snapshot::Metadata| Metadata {
                    metric: cx.intake.text(&one.family),
                    kind: MetricKind::named(&one.kind),
                    unit: cx.intake.text(&one.unit),
                    help: cx.intake.text(&one.help),
                };
                let mut found: Vec<&::snapshot::Metadata> = loaded.metadata.iter().filter(wanted).collect();
                found.sort_by(|one, other| one.family.cmp(&other.family));
                let more = found.len() > limit;
                let items = found.into_iter().take(limit).map(take).collect();
                Ok(Listing { items, more, warnings: Vec::new() })
            })
        })
    }

    fn label_names<'a>(
        &'a self,
        cx: &'a Context,
        matchers: &'a [&'a str],
        window: Option<TimeRange>,
        limit: usize,
    ) -> Asking<'a, Listing<Untrusted>> {
        Box::pin(async move {
            self.noted(cx, "labels", |loaded| {
                let selectors = self.selectors(cx, matchers)?;
                let names = loaded.store.label_names(&selectors, &milliseconds(window));
                Ok(listing(names.into_iter().map(|name| cx.intake.text(name)).collect(), limit))
            })
        })
    }

    fn label_values<'a>(
        &'a self,
        cx: &'a Context,
        label: &'a str,
        matchers: &'a [&'a str],
        window: Option<TimeRange>,
        limit: usize,
    ) -> Asking<'a, Listing<Untrusted>> {
        Box::pin(async move {
            self.noted(cx, "label values", |loaded| {
                let selectors = self.selectors(cx, matchers)?;
                let values = loaded.store.label_values(label, &selectors, &milliseconds(window));
                Ok(listing(values.into_iter().map(|value| cx.intake.text(value)).collect(), limit))
            })
        })
    }

    fn tsdb<'a>(&'a self, cx: &'a Context, limit: usize) -> Asking<'a, TsdbStatus> {
        Box::pin(
            async move { self.noted(cx, "tsdb", |loaded| Ok(counted::status(cx, &loaded.store, limit))) },
        )
    }

    fn rules<'a>(&'a self, cx: &'a Context) -> Asking<'a, Rules> {
        Box::pin(async move {
            self.noted(cx, "rules", |loaded| {
                let now = self.snapshot.manifest().now;
                let start = self.snapshot.manifest().window.start;
                let judged =
                    loaded.rules.get_or_init(|| rules::judge(&loaded.store, &loaded.groups, start, now));
                Ok(rules::told(cx, &loaded.groups, judged, now))
            })
        })
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

impl AlertManager for Recording {
    fn alerts<'a>(&'a self, cx: &'a Context) -> Asking<'a, Alerts, ToolError> {
        Box::pin(async move {
            self.alertmanager()?.alerts(cx).await.map_err(|error| self.unreadable("groups", &error))
        })
    }

    fn silences<'a>(&'a self, cx: &'a Context) -> Asking<'a, Silences, ToolError> {
        Box::pin(async move {
            self.alertmanager()?.silences(cx).await.map_err(|error| self.unreadable("silences", &error))
        })
    }
}

/// A recorded incident as `check` sees it.
pub(crate) struct RecordingProbe(pub(crate) Arc<Recording>);

impl Probe for RecordingProbe {
    fn name(&self) -> String {
        self.0.system.clone()
    }

    /// What is on the disk is there.
    fn health(&self) -> Health {
        match self.0.loaded.get() {
            Some(Err(error)) => Health::Down(error.to_string()),
            _ => Health::Up,
        }
    }

    fn check<'a>(&'a self, _: &'a Context) -> Checking<'a> {
        Box::pin(async move {
            let line = |one: ::snapshot::CheckLine| CheckLine {
                subject: format!("{}: {}", self.0.system, one.part),
                works: one.sound,
                found: one.found,
                remedy: String::new(),
            };
            let mut lines: Vec<CheckLine> = self.0.snapshot.check().into_iter().map(line).collect();
            lines.extend(expressions(&self.0));
            lines
        })
    }
}

/// Whether the expressions of the recorded rules are PromQL. Nothing where the files of rules can't be read: that is
/// told already.
fn expressions(recording: &Recording) -> Vec<CheckLine> {
    let Ok(groups) = recording.snapshot.rules() else { return Vec::new() };
    let all = groups.iter().flat_map(|group| group.rules.iter().map(move |rule| (group, rule)));
    let broken = |(group, rule): (&RecordedGroup, &::snapshot::RecordedRule)| {
        let error = Query::parse(&rule.expr).err()?;
        // Files come from anywhere: what could disturb a terminal is escaped.
        let (file, group, name) =
            (group.file.escape_debug(), group.name.escape_debug(), rule.name.escape_debug());
        Some(CheckLine {
            subject: format!("{}: rule \"{name}\" of group \"{group}\"", recording.system),
            works: false,
            found: format!("its expression can't be parsed: {}", error.to_string().escape_debug()),
            remedy: format!("mend its expr in {file}"),
        })
    };
    let count = all.clone().count();
    let mut lines: Vec<CheckLine> = all.filter_map(broken).collect();
    if lines.is_empty() && count > 0 {
        lines.push(CheckLine {
            subject: format!("{}: expressions of rules", recording.system),
            works: true,
            found: format!("{count} parsed"),
            remedy: String::new(),
        });
    }
    lines
}
