//! Exemplars: single observations that a target kept beside a counter or a histogram's bucket, usually with the trace
//! they belong to.

use contract::{Context, TimeRange, Untrusted};
use serde::Deserialize;
use upstream::Ask;

use crate::{
    client::{Prometheus, QUERY_EXEMPLARS},
    error::Error,
    given_back::given_back,
    labels::Labels,
    names::Names,
    reply::{self, Opened},
    wire::{Entries, Millis, Number, Text, or_default},
};

/// The exemplars of some series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exemplars {
    /// The series that have some, in the server's order.
    pub series: Vec<ExemplarSeries>,
    /// What makes the list doubtful, such as a store that did not answer.
    pub warnings: Vec<Untrusted>,
}

/// The exemplars of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct ExemplarSeries {
    /// Which series it is.
    pub labels: Labels,
    /// Its exemplars in the order of time.
    pub exemplars: Vec<Exemplar>,
}

/// One observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// What it belongs to: `trace_id`, often `span_id`.
    pub labels: Labels,
    /// What was observed, in the metric's unit.
    pub value: f64,
    /// When, in milliseconds since 1970, UTC.
    pub at: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SeriesWire<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    series_labels: Entries<'a, Text<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    exemplars: Vec<ExemplarWire<'a>>,
}

#[derive(Debug, Deserialize)]
struct ExemplarWire<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    labels: Entries<'a, Text<'a>>,
    #[serde(default)]
    value: Number,
    timestamp: Millis,
}

impl Prometheus {
    /// The exemplars of all series that the selectors in `promql` select, within `window`, widened to whole seconds.
    /// A system that keeps none answers with none; one without this endpoint with an error.
    ///
    /// # Errors
    /// Everything of [`Error`].
    pub async fn exemplars(&self, cx: &Context, promql: &str, window: TimeRange) -> Result<Exemplars, Error> {
        let start = window.start().as_millisecond().div_euclid(1000);
        let end = (window.end().as_millisecond() + 999).div_euclid(1000);
        let promql = given_back(cx, self.system(), promql)?;
        let ask = Ask::of(QUERY_EXEMPLARS)
            .with("query", promql.as_ref())
            .with("start", start.to_string())
            .with("end", end.to_string());
        let reply = self.fetch(cx, &ask).await?;
        let text = reply::text(&reply);
        let opened: Opened<'_, Vec<SeriesWire<'_>>> = reply::open(cx, self.system(), &reply, &text)?;
        let mut names = Names::new(&cx.intake);
        let warnings = names.texts(opened.warnings);
        let series = opened.data.into_iter().map(|wire| ExemplarSeries {
            labels: names.labels(wire.series_labels),
            exemplars: wire.exemplars.into_iter().map(|one| exemplar(one, &mut names)).collect(),
        });
        Ok(Exemplars { series: series.collect(), warnings })
    }
}

fn exemplar<'a>(wire: ExemplarWire<'a>, names: &mut Names<'_, 'a>) -> Exemplar {
    Exemplar { labels: names.labels(wire.labels), value: wire.value.0, at: wire.timestamp.0 }
}
