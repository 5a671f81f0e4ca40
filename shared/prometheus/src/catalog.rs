//! What metrics, labels and series there are. These answers are kept for a minute.

use std::borrow::Cow;

use contract::{Context, TimeRange, Untrusted};
use serde::Deserialize;
use upstream::Ask;

use crate::{
    client::{LABEL_VALUES, LABELS, METADATA, Prometheus, SERIES},
    error::Error,
    given_back::given_back,
    labels::Labels,
    names::Names,
    reply::{self, Opened},
    selector::escape_label_name,
    wire::{Entries, Text, or_default},
};

/// A list of at most as many items as were asked for, sorted.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether there are more than were asked for.
    pub more: bool,
    /// What makes the list doubtful, such as a store that did not answer.
    pub warnings: Vec<Untrusted>,
}

/// What a target says about a metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metadata {
    /// The metric's name; of a counter in OpenMetrics, without `_total`.
    pub metric: Untrusted,
    /// Its type.
    pub kind: MetricKind,
    /// Its unit, often empty.
    pub unit: Untrusted,
    /// What it means.
    pub help: Untrusted,
}

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MetricKind {
    /// Only grows, from zero at each start.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations in buckets, classic or native.
    Histogram,
    /// Buckets of a state, which may shrink.
    GaugeHistogram,
    /// Quantiles computed by the target.
    Summary,
    /// Always 1; its labels are the information.
    Info,
    /// One of several states.
    StateSet,
    /// Not told, or a type we don't know.
    Unknown,
}

impl MetricKind {
    /// The type of that name in OpenMetrics and in the metadata API; `Unknown` for any other.
    #[must_use]
    pub fn named(name: &str) -> MetricKind {
        match name {
            "counter" => MetricKind::Counter,
            "gauge" => MetricKind::Gauge,
            "histogram" => MetricKind::Histogram,
            "gaugehistogram" => MetricKind::GaugeHistogram,
            "summary" => MetricKind::Summary,
            "info" => MetricKind::Info,
            "stateset" => MetricKind::StateSet,
            _ => MetricKind::Unknown,
        }
    }
}

#[derive(Debug, Deserialize)]
struct MetadataWire<'a> {
    #[serde(borrow, default, rename = "type", deserialize_with = "or_default")]
    kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    unit: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    help: Text<'a>,
}

impl Prometheus {
    /// Type, unit and help of `metric`, or of up to `limit` metrics. Targets may disagree: then a metric has
    /// several entries.
    ///
    /// # Errors
    /// Everything of [`Error`].
    pub async fn metadata(
        &self,
        cx: &Context,
        metric: Option<&str>,
        limit: usize,
    ) -> Result<Listing<Metadata>, Error> {
        let mut ask = Ask::of(METADATA).with("limit", one_more(limit));
        if let Some(metric) = metric {
            ask = ask.with("metric", metric);
        }
        let reply = self.look_up(cx, &ask).await?;
        let text = reply::text(&reply);
        let opened: Opened<'_, Entries<'_, Vec<MetadataWire<'_>>>> =
            reply::open(cx, self.system(), &reply, &text)?;
        let mut names = Names::new(&cx.intake);
        let warnings = names.texts(opened.warnings);
        let mut metrics = opened.data.0;
        metrics.sort_by(|(one, _), (other, _)| one.0.cmp(&other.0));
        let more = metrics.len() > limit;
        metrics.truncate(limit);
        let mut items = Vec::new();
        for (metric, entries) in metrics {
            let metric = names.text(metric);
            for entry in entries {
                let kind = MetricKind::named(&entry.kind.0);
                let (unit, help) = (names.text(entry.unit), names.text(entry.help));
                items.push(Metadata { metric: metric.clone(), kind, unit, help });
            }
        }
        Ok(Listing { items, more, warnings })
    }

    /// The label sets of up to `limit` series that match at least one of `matchers`, which are selectors such as
    /// [`crate::selector`] builds; the server wants at least one. Only the series of `window`, where one is given,
    /// widened to whole minutes so that equal questions within a minute are one; servers look at whole blocks of
    /// data, so that series somewhat outside may be among them.
    ///
    /// # Errors
    /// Everything of [`Error`].
    pub async fn series(
        &self,
        cx: &Context,
        matchers: &[&str],
        window: Option<TimeRange>,
        limit: usize,
    ) -> Result<Listing<Labels>, Error> {
        let reply =
            self.look_up(cx, &narrowed(Ask::of(SERIES), &self.sent(cx, matchers)?, window, limit)).await?;
        let text = reply::text(&reply);
        let opened: Opened<'_, Vec<Entries<'_, Text<'_>>>> = reply::open(cx, self.system(), &reply, &text)?;
        let mut names = Names::new(&cx.intake);
        let warnings = names.texts(opened.warnings);
        let items = opened.data.into_iter().map(|labels| names.labels(labels)).collect();
        Ok(listing(items, limit, warnings))
    }

    /// Up to `limit` names of labels, of the series that match (all without matchers); `window` as for
    /// [`Prometheus::series`].
    ///
    /// # Errors
    /// Everything of [`Error`].
    pub async fn label_names(
        &self,
        cx: &Context,
        matchers: &[&str],
        window: Option<TimeRange>,
        limit: usize,
    ) -> Result<Listing<Untrusted>, Error> {
        self.texts(cx, &narrowed(Ask::of(LABELS), &self.sent(cx, matchers)?, window, limit), limit).await
    }

    /// Up to `limit` values of a label, of the series that match (all without matchers); `window` as for
    /// [`Prometheus::series`]. The values of `__name__` are the names of the metrics.
    ///
    /// # Errors
    /// Everything of [`Error`].
    pub async fn label_values(
        &self,
        cx: &Context,
        label: &str,
        matchers: &[&str],
        window: Option<TimeRange>,
        limit: usize,
    ) -> Result<Listing<Untrusted>, Error> {
        let segment = escape_label_name(label);
        let sent = self.sent(cx, matchers)?;
        self.texts(cx, &narrowed(Ask::of(LABEL_VALUES).segment(&segment), &sent, window, limit), limit).await
    }

    /// The selectors as they are sent.
    fn sent<'m>(&self, cx: &Context, matchers: &[&'m str]) -> Result<Vec<Cow<'m, str>>, Error> {
        matchers.iter().map(|matcher| given_back(cx, self.system(), matcher)).collect()
    }

    async fn texts(&self, cx: &Context, ask: &Ask<'_>, limit: usize) -> Result<Listing<Untrusted>, Error> {
        let reply = self.look_up(cx, ask).await?;
        let text = reply::text(&reply);
        let opened: Opened<'_, Vec<Text<'_>>> = reply::open(cx, self.system(), &reply, &text)?;
        let mut names = Names::new(&cx.intake);
        let warnings = names.texts(opened.warnings);
        Ok(listing(names.texts(opened.data), limit, warnings))
    }
}

/// One more than wanted: the surest way to learn that there are more, also where the server ignores the limit.
fn one_more(limit: usize) -> String {
    limit.saturating_add(1).to_string()
}

fn narrowed<'a>(ask: Ask<'a>, matchers: &[Cow<'_, str>], window: Option<TimeRange>, limit: usize) -> Ask<'a> {
    let mut ask = ask.with("limit", one_more(limit));
    for matcher in matchers {
        ask = ask.with("match[]", matcher.as_ref());
    }
    if let Some(window) = window {
        let start = window.start().as_second().div_euclid(60) * 60;
        let end = (window.end().as_second() + 60).div_euclid(60) * 60;
        ask = ask.with("start", start.to_string()).with("end", end.to_string());
    }
    ask
}

fn listing<T: Ord>(mut items: Vec<T>, limit: usize, warnings: Vec<Untrusted>) -> Listing<T> {
    items.sort();
    let more = items.len() > limit;
    items.truncate(limit);
    Listing { items, more, warnings }
}
