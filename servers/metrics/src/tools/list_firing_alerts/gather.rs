//! Asking both sides at the same time. One side that fails is no error: the answer says what is unknown then.

use contract::{Context, ErrorKind, TimeRange, ToolError};
use futures_util::future::join3;

use crate::{
    analysis::alerts::history::{self, Fired, Plan},
    backend::{Metrics, Sources},
    config::QueryLimits,
    model::{Alerts, QueryOptions, QueryReply, Rules, Silences},
    tools::cost::{Guard, Moments},
};

/// What each side said, or why it said nothing. At least one of `rules` and `delivered` is there.
pub(super) struct Heard<'a> {
    /// The metrics store that was asked, where one is configured.
    pub(super) metrics: Option<&'a dyn Metrics>,
    /// The stores that were not asked.
    pub(super) others: Vec<&'a str>,
    /// The rules with their alerts.
    pub(super) rules: Result<Rules, ToolError>,
    /// Alertmanager's alerts.
    pub(super) delivered: Result<Alerts, ToolError>,
    /// Its silences; asked for only when something is silenced.
    pub(super) silences: Option<Result<Silences, ToolError>>,
    /// The labels that all alerts of Alertmanager have, when only a part may be seen.
    pub(super) only: Option<&'a str>,
    /// What fired before, where that was asked for.
    pub(super) history: Option<History>,
}

/// The series of alerts over a window.
pub(super) struct History {
    /// How the window was looked at.
    pub(super) plan: Plan,
    /// The series.
    pub(super) reply: Result<QueryReply, ToolError>,
    /// Whether anything was recorded then; asked only when `ALERTS` has no series.
    pub(super) alive: Option<Result<bool, ToolError>>,
}

impl Heard<'_> {
    /// What fired within the window; nothing when that was not asked for or is not known.
    pub(super) fn fired(&self) -> Vec<Fired> {
        let Some(History { plan, reply: Ok(reply), .. }) = &self.history else { return Vec::new() };
        history::fired(reply.data.series(), plan)
    }
}

/// Asks Prometheus and Alertmanager.
///
/// # Errors
/// When there is no source of this name, or when neither side answers.
pub(super) async fn hear<'a>(
    cx: &Context,
    (sources, limits): (&'a Sources, QueryLimits),
    source: Option<&str>,
    window: Option<TimeRange>,
) -> Result<Heard<'a>, ToolError> {
    let metrics = match sources.metrics(source) {
        Ok(metrics) => Some(metrics),
        Err(unknown) if source.is_some() => return Err(unknown),
        Err(_) => None,
    };
    let (rules, (delivered, silences), history) = join3(
        rules(cx, sources, metrics),
        delivered(cx, sources),
        history(cx, (sources, limits), metrics, window),
    )
    .await;
    match (&rules, &delivered) {
        (Err(prometheus), Err(alertmanager)) => Err(neither(prometheus, alertmanager)),
        _ => {
            let others = metrics.map(|metrics| sources.others(metrics)).unwrap_or_default();
            let only = sources.alert_manager().and_then(|manager| manager.only());
            Ok(Heard { metrics, others, rules, delivered, silences, only, history })
        }
    }
}

async fn rules(cx: &Context, sources: &Sources, metrics: Option<&dyn Metrics>) -> Result<Rules, ToolError> {
    match metrics {
        Some(metrics) => Ok(metrics.rules(cx).await?),
        None => Err(no_prometheus(sources)),
    }
}

async fn history(
    cx: &Context,
    (sources, limits): (&Sources, QueryLimits),
    metrics: Option<&dyn Metrics>,
    window: Option<TimeRange>,
) -> Option<History> {
    let plan = Plan::new(window?, cx.now)?;
    let Some(metrics) = metrics else {
        return Some(History { plan, reply: Err(no_prometheus(sources)), alive: None });
    };
    // The plan's moments are what its reply is read by: a coarser step would be read wrongly.
    let guard = Guard::new(cx, metrics, limits);
    let ask = async |promql: &str| {
        guard.admit(promql, Moments::over(plan.asked, plan.step)).await?;
        let asked = metrics.range(cx, promql, plan.asked, plan.step, QueryOptions::default()).await;
        asked.map_err(ToolError::from)
    };
    let reply = ask(&plan.promql).await;
    let alive = match &reply {
        Ok(reply) if reply.data.series().is_empty() => {
            let found = ask(history::ALIVE).await;
            Some(found.map(|found| !found.data.series().is_empty()))
        }
        _ => None,
    };
    Some(History { plan, reply, alive })
}

async fn delivered(
    cx: &Context,
    sources: &Sources,
) -> (Result<Alerts, ToolError>, Option<Result<Silences, ToolError>>) {
    let Some(manager) = sources.alert_manager() else { return (Err(no_alertmanager()), None) };
    let alerts = match manager.alerts(cx).await {
        Ok(alerts) => alerts,
        Err(error) => return (Err(error), None),
    };
    let silenced = alerts.alerts.iter().any(|alert| !alert.status.silenced_by.is_empty());
    let silences = if silenced { Some(manager.silences(cx).await) } else { None };
    (Ok(alerts), silences)
}

fn no_prometheus(sources: &Sources) -> ToolError {
    match sources.metrics(None) {
        Err(error) => error,
        Ok(_) => ToolError::new(ErrorKind::Internal, "Prometheus was not asked", ""),
    }
}

fn no_alertmanager() -> ToolError {
    ToolError::new(
        ErrorKind::NotConfigured,
        "no Alertmanager is configured",
        "an operator sets ALERTMANAGER_URL, or [[alertmanager]] with a url in the configuration file",
    )
}

/// One error that names both sides. A side that is not configured is not what failed when the other one is.
fn neither(prometheus: &ToolError, alertmanager: &ToolError) -> ToolError {
    let kind = match (prometheus.kind(), alertmanager.kind()) {
        (ErrorKind::NotConfigured, other) | (other, ErrorKind::NotConfigured) => other,
        (one, other) if one == other => one,
        _ => ErrorKind::Upstream,
    };
    let remedy = match (prometheus.advice(), alertmanager.advice()) {
        (one, other) if one == other || other.is_empty() => one.to_owned(),
        ("", other) => other.to_owned(),
        (one, other) => format!("Prometheus: {one}; Alertmanager: {other}"),
    };
    let error =
        ToolError::new(kind, format!("no alerts could be read: {prometheus}; {alertmanager}"), remedy);
    match prometheus.wait().into_iter().chain(alertmanager.wait()).min() {
        Some(wait) => error.retry_after(wait),
        None => error,
    }
}
