//! What a system tells about itself: its cardinality, and which system it is. Kept for a minute.

use contract::{Context, Untrusted};
use serde::Deserialize;
use upstream::{Ask, UpstreamError};

use crate::{
    client::{Prometheus, STATUS_BUILDINFO, STATUS_TSDB},
    error::Error,
    names::Names,
    reply::{self, Opened},
    wire::{Number, Text, or_default},
};

/// The most entries Prometheus gives in each list of the TSDB status; more is an error there.
const MOST_COUNTED: usize = 10_000;

/// What is in the newest part of the database (Prometheus: the head block; VictoriaMetrics: today), largest
/// first. Lists that the system does not give are empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TsdbStatus {
    /// Number of series.
    pub series: Option<u64>,
    /// Number of different pairs of label and value.
    pub label_pairs: Option<u64>,
    /// Series of each metric.
    pub series_by_metric: Vec<Counted>,
    /// Values of each label.
    pub values_by_label: Vec<Counted>,
    /// Series of each pair of label and value, written `label=value`.
    pub series_by_pair: Vec<Counted>,
}

/// Something and how often it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// What.
    pub name: Untrusted,
    /// How often.
    pub count: u64,
}

/// Which system answers, as far as it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildInfo {
    /// The system.
    pub flavour: Flavour,
    /// Its version. VictoriaMetrics names a version of Prometheus here, not its own.
    pub version: Option<Untrusted>,
}

/// A kind of system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// Prometheus itself.
    Prometheus,
    /// Thanos.
    Thanos,
    /// Mimir, or Grafana Enterprise Metrics and Grafana Cloud, which are built on it.
    Mimir,
    /// VictoriaMetrics.
    VictoriaMetrics,
    /// It does not tell.
    Unknown,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TsdbWire<'a> {
    #[serde(default, deserialize_with = "or_default")]
    head_stats: HeadWire,
    /// VictoriaMetrics' name for the number of series.
    #[serde(default)]
    total_series: Option<Number>,
    #[serde(default)]
    total_label_value_pairs: Option<Number>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    series_count_by_metric_name: Vec<CountedWire<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    label_value_count_by_label_name: Vec<CountedWire<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    series_count_by_label_value_pair: Vec<CountedWire<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeadWire {
    #[serde(default)]
    num_series: Option<Number>,
    #[serde(default)]
    num_label_pairs: Option<Number>,
}

#[derive(Debug, Deserialize)]
struct CountedWire<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    name: Text<'a>,
    #[serde(default)]
    value: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BuildWire<'a> {
    #[serde(borrow, default)]
    application: Option<Text<'a>>,
    #[serde(borrow, default)]
    version: Option<Text<'a>>,
    #[serde(borrow, default)]
    go_version: Option<Text<'a>>,
}

impl Prometheus {
    /// The TSDB status with up to `limit` entries in each list (1 to 10,000).
    ///
    /// # Errors
    /// Everything of [`Error`]; Thanos and Mimir do not offer it.
    pub async fn tsdb_status(&self, cx: &Context, limit: usize) -> Result<TsdbStatus, Error> {
        let limit = limit.clamp(1, MOST_COUNTED);
        // VictoriaMetrics calls the limit `topN`; each ignores the other's name.
        let ask = Ask::of(STATUS_TSDB).with("limit", limit.to_string()).with("topN", limit.to_string());
        let reply = self.look_up(cx, &ask).await?;
        let text = reply::text(&reply);
        let opened: Opened<'_, TsdbWire<'_>> = reply::open(cx, self.system(), &reply, &text)?;
        let wire = opened.data;
        let mut names = Names::new(&cx.intake);
        Ok(TsdbStatus {
            series: wire.head_stats.num_series.or(wire.total_series).map(count),
            label_pairs: wire.head_stats.num_label_pairs.or(wire.total_label_value_pairs).map(count),
            series_by_metric: counted(wire.series_count_by_metric_name, &mut names),
            values_by_label: counted(wire.label_value_count_by_label_name, &mut names),
            series_by_pair: counted(wire.series_count_by_label_value_pair, &mut names),
        })
    }

    /// Which system answers. A system without this endpoint is [`Flavour::Unknown`], not an error.
    ///
    /// # Errors
    /// Everything of [`Error`] but 404.
    pub async fn build_info(&self, cx: &Context) -> Result<BuildInfo, Error> {
        let reply = self.look_up(cx, &Ask::of(STATUS_BUILDINFO)).await?;
        let text = reply::text(&reply);
        let opened: Opened<'_, BuildWire<'_>> = match reply::open(cx, self.system(), &reply, &text) {
            Err(
                Error::Upstream(UpstreamError::Status { status: 404, .. })
                | Error::Rejected { status: 404, .. },
            ) => {
                return Ok(BuildInfo { flavour: Flavour::Unknown, version: None });
            }
            other => other?,
        };
        let wire = opened.data;
        let flavour = flavour(&wire);
        let version = wire.version.filter(|version| !version.0.is_empty());
        Ok(BuildInfo { flavour, version: version.map(|version| cx.intake.text(&version.0)) })
    }
}

/// Mimir names itself. VictoriaMetrics answers a fixed version and nothing else, on purpose, for Grafana. Thanos
/// answers as Prometheus does, but its versions begin with 0 and those of Prometheus have not since 2016.
fn flavour(wire: &BuildWire<'_>) -> Flavour {
    let text = |field: &Option<Text<'_>>| field.as_ref().map(|text| text.0.to_string()).unwrap_or_default();
    let (application, version) = (text(&wire.application), text(&wire.version));
    if application.starts_with("Grafana") || application.contains("Mimir") {
        return Flavour::Mimir;
    }
    if !application.is_empty() {
        return Flavour::Unknown;
    }
    match (&wire.version, &wire.go_version) {
        (Some(_), None) => Flavour::VictoriaMetrics,
        (_, Some(_)) if version.starts_with("0.") => Flavour::Thanos,
        (_, Some(_)) => Flavour::Prometheus,
        (None, None) => Flavour::Unknown,
    }
}

fn counted<'a>(list: Vec<CountedWire<'a>>, names: &mut Names<'_, 'a>) -> Vec<Counted> {
    let mut counted: Vec<Counted> = list
        .into_iter()
        .map(|wire| Counted { name: names.text(wire.name), count: count(wire.value) })
        .collect();
    counted.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.name.cmp(&other.name)));
    counted
}

/// A count as Go wrote it; a broken one is none.
fn count(Number(value): Number) -> u64 {
    if value.is_finite() && value > 0.0 { value as u64 } else { 0 }
}
