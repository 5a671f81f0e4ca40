//! What the tools ask of a metrics store and of an alert manager, one method a question.

pub(crate) mod alertmanager;
pub(crate) mod prometheus;
pub(crate) mod restricted;
pub(crate) mod snapshot;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use contract::{Context, ErrorKind, TimeRange, ToolError, Untrusted, nearest};
use jiff::Timestamp;

use crate::config::aliases::Aliases;
use crate::model::{
    Alerts, Exemplars, Listing, Metadata, QueryError, QueryOptions, QueryReply, Rules, Silences, TsdbStatus,
};

/// The answer to a question, in time. Dropping it cancels the request.
pub(crate) type Asking<'a, T, E = QueryError> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// A store of metrics that speaks PromQL.
pub(crate) trait Metrics: Send + Sync + 'static {
    /// The name it was configured with: what `source` takes.
    fn name(&self) -> &str;

    /// How evidence and errors call it: `prometheus "main"`.
    fn system(&self) -> &str;

    /// Where a person sees the expression drawn, when that is configured.
    fn link(&self, promql: &str, window: Option<TimeRange>, at: Timestamp) -> Option<String>;

    /// The expression at one moment.
    fn instant<'a>(
        &'a self,
        cx: &'a Context,
        promql: &'a str,
        at: Timestamp,
        options: QueryOptions,
    ) -> Asking<'a, QueryReply>;

    /// The expression at the window's start and every `step` after it, before its end.
    fn range<'a>(
        &'a self,
        cx: &'a Context,
        promql: &'a str,
        window: TimeRange,
        step: Duration,
        options: QueryOptions,
    ) -> Asking<'a, QueryReply>;

    /// Type, unit and help of one metric, or of up to `limit`.
    fn metadata<'a>(
        &'a self,
        cx: &'a Context,
        metric: Option<&'a str>,
        limit: usize,
    ) -> Asking<'a, Listing<Metadata>>;

    /// Names of labels.
    fn label_names<'a>(
        &'a self,
        cx: &'a Context,
        matchers: &'a [&'a str],
        window: Option<TimeRange>,
        limit: usize,
    ) -> Asking<'a, Listing<Untrusted>>;

    /// Values of a label; those of `__name__` are the metrics.
    fn label_values<'a>(
        &'a self,
        cx: &'a Context,
        label: &'a str,
        matchers: &'a [&'a str],
        window: Option<TimeRange>,
        limit: usize,
    ) -> Asking<'a, Listing<Untrusted>>;

    /// How many series there are, and what has most of them: at most `limit` of each. Not every store tells.
    fn tsdb<'a>(&'a self, cx: &'a Context, limit: usize) -> Asking<'a, TsdbStatus>;

    /// The rules with their state and active alerts.
    fn rules<'a>(&'a self, cx: &'a Context) -> Asking<'a, Rules>;

    /// Single observations that were kept of the series in an expression, usually with their traces.
    fn exemplars<'a>(&'a self, cx: &'a Context, promql: &'a str, window: TimeRange) -> Asking<'a, Exemplars>;
}

/// What notifies people about alerts.
pub(crate) trait AlertManager: Send + Sync + 'static {
    /// Alerts of all replicas, with what holds them back.
    fn alerts<'a>(&'a self, cx: &'a Context) -> Asking<'a, Alerts, ToolError>;

    /// Silences of all replicas.
    fn silences<'a>(&'a self, cx: &'a Context) -> Asking<'a, Silences, ToolError>;

    /// The labels that all of it has, when only a part may be seen: `{namespace="team-a"}`.
    fn only(&self) -> Option<&str> {
        None
    }
}

/// The sources of this server, as configured.
pub(crate) struct Sources {
    metrics: Vec<Arc<dyn Metrics>>,
    alerts: Option<Arc<dyn AlertManager>>,
    aliases: Aliases,
}

impl Sources {
    pub(crate) fn new(metrics: Vec<Arc<dyn Metrics>>, alerts: Option<Arc<dyn AlertManager>>) -> Sources {
        Sources { metrics, alerts, aliases: Aliases::default() }
    }

    /// What services are called, where an operator said so.
    pub(crate) fn with_aliases(self, aliases: Aliases) -> Sources {
        Sources { aliases, ..self }
    }

    /// What services are called.
    pub(crate) fn aliases(&self) -> &Aliases {
        &self.aliases
    }

    /// Arguments that make no sense with so few sources.
    pub(crate) fn unlisted(&self) -> &'static [&'static str] {
        if self.metrics.len() < 2 { &["source"] } else { &[] }
    }

    /// The metrics store of this name, or the first one.
    ///
    /// # Errors
    /// When there is none, saying what to configure; when the name is unknown, with the nearest.
    pub(crate) fn metrics(&self, name: Option<&str>) -> Result<&dyn Metrics, ToolError> {
        let Some(name) = name else {
            return self.metrics.first().map(AsRef::as_ref).ok_or_else(|| {
                ToolError::new(
                    ErrorKind::NotConfigured,
                    "no Prometheus is configured",
                    "an operator sets PROMETHEUS_URL, or [[prometheus]] with a url in the configuration file",
                )
            });
        };
        let found = self.metrics.iter().find(|source| source.name() == name);
        found.map(AsRef::as_ref).ok_or_else(|| {
            let known: Vec<&str> = self.metrics.iter().map(|source| source.name()).collect();
            let meant = nearest(name, known.iter().copied(), 1);
            ToolError::invalid("source", "no source of this name")
                .remedy(format!("sources: {}; left out, the first one answers", known.join(", ")))
                .nearest(meant)
        })
    }

    /// The sources that were not asked, for the answer's caveats; empty with a single source.
    pub(crate) fn others(&self, asked: &dyn Metrics) -> Vec<&str> {
        self.metrics.iter().map(|source| source.name()).filter(|name| *name != asked.name()).collect()
    }

    /// The alert manager, where one is configured.
    pub(crate) fn alert_manager(&self) -> Option<&dyn AlertManager> {
        self.alerts.as_deref()
    }
}
