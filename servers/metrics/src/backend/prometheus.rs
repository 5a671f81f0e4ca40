//! Prometheus, Thanos, Mimir or VictoriaMetrics as a metrics store.

use std::{sync::Arc, time::Duration};

use contract::{Context, TimeRange, Untrusted};
use jiff::Timestamp;
use prometheus::{BuildInfo, Flavour, Prometheus};
use runtime::{CheckLine, Checking, Probe};
use upstream::Health;

use super::{Asking, Metrics};
use crate::model::{Exemplars, Listing, Metadata, QueryOptions, QueryReply, Rules, TsdbStatus};

impl Metrics for Prometheus {
    fn name(&self) -> &str {
        self.upstream().name()
    }

    fn system(&self) -> &str {
        self.system()
    }

    fn link(&self, promql: &str, window: Option<TimeRange>, at: Timestamp) -> Option<String> {
        let mut link = upstream::Url::parse(&format!("{}/graph", self.upstream().ui_url()?)).ok()?;
        let end = window.map_or(at, TimeRange::end);
        link.query_pairs_mut()
            .append_pair("g0.expr", promql)
            .append_pair("g0.tab", if window.is_some() { "0" } else { "1" })
            .append_pair("g0.end_input", &contract::time_text(end));
        if let Some(window) = window {
            link.query_pairs_mut().append_pair("g0.range_input", &contract::duration_text(window.seconds()));
        }
        Some(link.to_string())
    }

    fn instant<'a>(
        &'a self,
        cx: &'a Context,
        promql: &'a str,
        at: Timestamp,
        options: QueryOptions,
    ) -> Asking<'a, QueryReply> {
        Box::pin(self.instant(cx, promql, at, options))
    }

    fn range<'a>(
        &'a self,
        cx: &'a Context,
        promql: &'a str,
        window: TimeRange,
        step: Duration,
        options: QueryOptions,
    ) -> Asking<'a, QueryReply> {
        Box::pin(self.range(cx, promql, window, step, options))
    }

    fn metadata<'a>(
        &'a self,
        cx: &'a Context,
        metric: Option<&'a str>,
        limit: usize,
    ) -> Asking<'a, Listing<Metadata>> {
        Box::pin(self.metadata(cx, metric, limit))
    }

    fn label_names<'a>(
        &'a self,
        cx: &'a Context,
        matchers: &'a [&'a str],
        window: Option<TimeRange>,
        limit: usize,
    ) -> Asking<'a, Listing<Untrusted>> {
        Box::pin(self.label_names(cx, matchers, window, limit))
    }

    fn label_values<'a>(
        &'a self,
        cx: &'a Context,
        label: &'a str,
        matchers: &'a [&'a str],
        window: Option<TimeRange>,
        limit: usize,
    ) -> Asking<'a, Listing<Untrusted>> {
        Box::pin(self.label_values(cx, label, matchers, window, limit))
    }

    fn tsdb<'a>(&'a self, cx: &'a Context, limit: usize) -> Asking<'a, TsdbStatus> {
        Box::pin(self.tsdb_status(cx, limit))
    }

    fn rules<'a>(&'a self, cx: &'a Context) -> Asking<'a, Rules> {
        Box::pin(self.rules(cx))
    }

    fn exemplars<'a>(&'a self, cx: &'a Context, promql: &'a str, window: TimeRange) -> Asking<'a, Exemplars> {
        Box::pin(self.exemplars(cx, promql, window))
    }
}

/// A Prometheus as `check` and `/readyz` see it.
pub(crate) struct PrometheusProbe {
    pub(crate) client: Arc<Prometheus>,
    /// The store as the tools see it.
    pub(crate) store: Arc<dyn Metrics>,
}

impl Probe for PrometheusProbe {
    fn name(&self) -> String {
        self.store.system().to_owned()
    }

    fn health(&self) -> Health {
        self.client.upstream().health()
    }

    fn check<'a>(&'a self, cx: &'a Context) -> Checking<'a> {
        Box::pin(async move {
            let subject = |what: &str| format!("{}: {what}", self.store.system());
            let build = self.client.build_info(cx).await;
            let query = self.store.instant(cx, "count(up)", cx.now, QueryOptions::default()).await;
            let build = of_build(subject("build info"), build, query.is_ok());
            let targets =
                query.map(|reply| match reply.data.series().first().and_then(|one| one.points.first()) {
                    Some(point) => format!("{} targets have an `up` series", point.value),
                    None => "works, but there is no `up` series".to_owned(),
                });
            let rules = self.store.rules(cx).await.map(|rules| {
                let count: usize = rules.groups.iter().map(|group| group.rules.len()).sum();
                format!("{count} rules")
            });
            let names = self.store.label_values(cx, "__name__", &[], None, 10_000).await;
            let names =
                names.map(|list| format!("{}{} metrics", list.items.len(), if list.more { "+" } else { "" }));
            vec![
                build,
                line(subject("query (query_metrics)"), targets),
                line(subject("names (search_metrics)"), names),
                line(subject("rules (list_firing_alerts)"), rules),
            ]
        })
    }
}

/// What a system tells about itself. One that tells nothing may be something else than the API, when it answers no
/// query either.
fn of_build<E: Into<contract::ToolError>>(
    subject: String,
    build: Result<BuildInfo, E>,
    answers: bool,
) -> CheckLine {
    match build {
        Ok(BuildInfo { flavour: Flavour::Unknown, version: None }) => CheckLine {
            subject,
            works: answers,
            found: if answers { "no build info, but queries are answered" } else { "no build info" }
                .to_owned(),
            remedy: if answers { "" } else { "is this URL the API's base?" }.to_owned(),
        },
        build => line(
            subject,
            build.map(|build| {
                let version =
                    build.version.map_or("version not told".to_owned(), |version| version.shown(40));
                format!("{:?} {version}", build.flavour)
            }),
        ),
    }
}

/// One line of a check: what was found, or the error with its remedy.
pub(crate) fn line<E: Into<contract::ToolError>>(subject: String, found: Result<String, E>) -> CheckLine {
    match found {
        Ok(found) => CheckLine { subject, works: true, found, remedy: String::new() },
        Err(error) => {
            let error: contract::ToolError = error.into();
            CheckLine { subject, works: false, found: error.to_string(), remedy: error.advice().to_owned() }
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::ToolError;

    use super::*;

    #[test]
    fn without_build_info_and_without_answers_the_url_is_doubted() {
        let of = |answers| {
            let build = BuildInfo { flavour: Flavour::Unknown, version: None };
            of_build::<ToolError>("p: build info".to_owned(), Ok(build), answers)
        };
        assert!(!of(false).works && of(false).remedy == "is this URL the API's base?");
        assert!(of(true).works && of(true).remedy.is_empty());
        assert!(!of(true).found.contains("Unknown"));
    }
}
