//! A metrics store of which only a part may be seen: every question carries the mandatory matchers.
//!
//! This is the only way such a store is handed to tools, so none can forget it; a new question to stores does not
//! compile until this file says how it is restricted. How the store is called says so in all evidence.

mod alerts;

pub(crate) use alerts::RestrictedAlerts;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use contract::{Context, TimeRange, Untrusted};
use jiff::Timestamp;

use super::{Asking, Metrics};
use crate::{
    analysis::promql::{Restriction, Unrestricted},
    model::{
        Exemplars, Listing, Metadata, QueryError, QueryOptions, QueryReply, RejectionKind, Rule, RuleKind,
        Rules, TsdbStatus,
    },
};

/// Names of metrics that metadata is held against.
const MOST_NAMES: usize = 10_000;
/// What the names of a metric's series add to its own.
const SUFFIXES: [&str; 7] = ["", "_total", "_bucket", "_count", "_sum", "_created", "_info"];

/// A store behind mandatory matchers.
pub(crate) struct Restricted {
    inner: Arc<dyn Metrics>,
    restriction: Restriction,
    system: String,
}

impl Restricted {
    pub(crate) fn new(inner: Arc<dyn Metrics>, restriction: Restriction) -> Restricted {
        let system = format!("{}, only {}", inner.system(), restriction.selector());
        Restricted { inner, restriction, system }
    }

    fn query(&self, cx: &Context, promql: &str) -> Result<String, QueryError> {
        self.restriction.apply(promql).map_err(|Unrestricted(why)| QueryError::Rejected {
            system: self.system.clone(),
            status: 400,
            kind: RejectionKind::BadData,
            message: cx.intake.text(&format!(
                "every query to this source is restricted to {}, and this one can't be: {why}",
                self.restriction.selector()
            )),
            position: None,
            retry_after: None,
        })
    }

    /// The selectors of a listing; all there is without any.
    fn matchers(&self, cx: &Context, matchers: &[&str]) -> Result<Vec<String>, QueryError> {
        if matchers.is_empty() {
            return Ok(vec![self.restriction.selector().to_owned()]);
        }
        matchers.iter().map(|one| self.query(cx, one)).collect()
    }

    async fn list(
        &self,
        cx: &Context,
        label: Option<&str>,
        matchers: &[&str],
        window: Option<TimeRange>,
        limit: usize,
    ) -> Result<Listing<Untrusted>, QueryError> {
        let matchers = self.matchers(cx, matchers)?;
        let matchers: Vec<&str> = matchers.iter().map(String::as_str).collect();
        match label {
            Some(label) => self.inner.label_values(cx, label, &matchers, window, limit).await,
            None => self.inner.label_names(cx, &matchers, window, limit).await,
        }
    }

    /// Metadata knows no matchers: what is not among the names that may be seen is left out. Type and help of a name
    /// that may be seen may come from a target that may not.
    async fn metadata_of_visible(
        &self,
        cx: &Context,
        metric: Option<&str>,
        limit: usize,
    ) -> Result<Listing<Metadata>, QueryError> {
        let names = self.list(cx, Some("__name__"), &[], None, MOST_NAMES).await?;
        let visible: BTreeSet<&str> = names.items.iter().map(Untrusted::inside).collect();
        let is_visible =
            |name: &str| SUFFIXES.iter().any(|suffix| visible.contains(format!("{name}{suffix}").as_str()));
        let mut told = self.inner.metadata(cx, metric, limit.max(MOST_NAMES)).await?;
        told.items.retain(|one| is_visible(one.metric.inside()));
        told.more |= names.more || told.items.len() > limit;
        told.items.truncate(limit);
        told.warnings.push(cx.intake.text(&format!(
            "types and help texts are those of all targets, for the metrics within {}",
            self.restriction.selector()
        )));
        Ok(told)
    }

    /// What a rule says of series outside: an error of its evaluation names those that it stumbled over, an expression
    /// those that it reads.
    fn cover(&self, cx: &Context, rule: &mut Rule) {
        let selector = self.restriction.selector();
        if rule.last_error.is_some() {
            let text = format!("not shown: it may name series outside of {selector}");
            rule.last_error = Some(cx.intake.text(&text));
        }
        if !self.restriction.is_silent(rule.query.inside()) {
            rule.query = cx.intake.text(&format!("not shown: it names series outside of {selector}"));
        }
    }

    /// Rules know no matchers either: alerts are left out by their labels, and rules that have neither an alert nor
    /// labels of their own within.
    async fn rules_within(&self, cx: &Context) -> Result<Rules, QueryError> {
        let mut rules = self.inner.rules(cx).await?;
        let mut left_out = 0_usize;
        for group in &mut rules.groups {
            let before = group.rules.len();
            group.rules.retain_mut(|rule| {
                let is_own = self.restriction.admits(&rule.labels);
                let RuleKind::Alerting(alerting) = &mut rule.kind else { return is_own };
                alerting.alerts.retain(|alert| self.restriction.admits(&alert.labels));
                is_own || !alerting.alerts.is_empty()
            });
            for rule in &mut group.rules {
                self.cover(cx, rule);
            }
            left_out += before - group.rules.len();
        }
        rules.groups.retain(|group| !group.rules.is_empty());
        rules.warnings.push(cx.intake.text(&format!(
            "only alerts with the labels {}, and rules that have such an alert or label: {left_out} other rules are left \
             out",
            self.restriction.selector()
        )));
        Ok(rules)
    }
}

impl Metrics for Restricted {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn system(&self) -> &str {
        &self.system
    }

    fn link(&self, promql: &str, window: Option<TimeRange>, at: Timestamp) -> Option<String> {
        self.inner.link(&self.restriction.apply(promql).ok()?, window, at)
    }

    fn instant<'a>(
        &'a self,
        cx: &'a Context,
        promql: &'a str,
        at: Timestamp,
        options: QueryOptions,
    ) -> Asking<'a, QueryReply> {
        Box::pin(async move {
            let promql = self.query(cx, promql)?;
            self.inner.instant(cx, &promql, at, options).await.map_err(|error| error.without_place(cx))
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
            let promql = self.query(cx, promql)?;
            let asked = self.inner.range(cx, &promql, window, step, options).await;
            asked.map_err(|error| error.without_place(cx))
        })
    }

    fn metadata<'a>(
        &'a self,
        cx: &'a Context,
        metric: Option<&'a str>,
        limit: usize,
    ) -> Asking<'a, Listing<Metadata>> {
        Box::pin(self.metadata_of_visible(cx, metric, limit))
    }

    fn label_names<'a>(
        &'a self,
        cx: &'a Context,
        matchers: &'a [&'a str],
        window: Option<TimeRange>,
        limit: usize,
    ) -> Asking<'a, Listing<Untrusted>> {
        Box::pin(self.list(cx, None, matchers, window, limit))
    }

    fn label_values<'a>(
        &'a self,
        cx: &'a Context,
        label: &'a str,
        matchers: &'a [&'a str],
        window: Option<TimeRange>,
        limit: usize,
    ) -> Asking<'a, Listing<Untrusted>> {
        Box::pin(self.list(cx, Some(label), matchers, window, limit))
    }

    /// Never asked: statistics of the whole store can't be limited, and tell of series outside.
    fn tsdb<'a>(&'a self, cx: &'a Context, _: usize) -> Asking<'a, TsdbStatus> {
        Box::pin(async move {
            Err(QueryError::Rejected {
                system: self.system.clone(),
                status: 403,
                kind: RejectionKind::NotAcceptable,
                message: cx.intake.text(&format!(
                    "statistics of the whole store are not shown where only {} may be seen",
                    self.restriction.selector()
                )),
                position: None,
                retry_after: None,
            })
        })
    }

    fn rules<'a>(&'a self, cx: &'a Context) -> Asking<'a, Rules> {
        Box::pin(self.rules_within(cx))
    }

    fn exemplars<'a>(&'a self, cx: &'a Context, promql: &'a str, window: TimeRange) -> Asking<'a, Exemplars> {
        Box::pin(async move {
            let promql = self.query(cx, promql)?;
            self.inner.exemplars(cx, &promql, window).await.map_err(|error| error.without_place(cx))
        })
    }
}
