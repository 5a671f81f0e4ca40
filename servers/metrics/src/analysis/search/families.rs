//! From names of series to the metrics people know: a histogram is one metric, however many names its parts have.

use std::collections::{HashMap, HashSet};

use contract::Untrusted;

use super::words::tokens;
use crate::model::{Metadata, MetricKind};

/// What a metric's series look like, which decides how it is queried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Series of buckets with `le`.
    ClassicHistogram,
    /// One series holds all buckets.
    NativeHistogram,
    /// Stored in both forms.
    BothHistograms,
    /// Buckets of a state, which may shrink.
    GaugeHistogram,
    /// Series of quantiles.
    Summary,
    /// Only `_sum` and `_count`, of a histogram or a summary.
    Totals,
    /// Always 1; its labels are the information.
    Info,
    /// One of several states.
    StateSet,
    /// The result of a recording rule.
    Recorded,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Family {
    /// The name people use: of a counter with `_total`, of a histogram without `_bucket`.
    pub(crate) name: Untrusted,
    /// The name that the names of its series begin with, and that its metadata has.
    pub(crate) key: String,
    /// The names of its series, sorted.
    pub(crate) members: Vec<Untrusted>,
    /// How it is queried.
    pub(crate) shape: Shape,
    /// Its type in words, such as `histogram (classic)`; `inferred` where no target told it.
    pub(crate) kind: String,
    /// Whether a target told its type.
    pub(crate) told: bool,
    /// Its unit as told by a target.
    pub(crate) unit: Option<Untrusted>,
    /// What it means.
    pub(crate) help: Option<Untrusted>,
    /// Targets tell different types.
    pub(crate) disputed: bool,
}

/// Endings of the names of a metric's parts, with the types that have such parts.
const PARTS: &[(&str, &[MetricKind])] = &[
    ("_bucket", &[MetricKind::Histogram, MetricKind::GaugeHistogram]),
    ("_count", &[MetricKind::Histogram, MetricKind::GaugeHistogram, MetricKind::Summary]),
    ("_sum", &[MetricKind::Histogram, MetricKind::GaugeHistogram, MetricKind::Summary]),
    ("_gcount", &[MetricKind::GaugeHistogram]),
    ("_gsum", &[MetricKind::GaugeHistogram]),
    ("_total", &[MetricKind::Counter]),
    ("_created", &[MetricKind::Counter, MetricKind::Histogram, MetricKind::Summary]),
    ("_info", &[MetricKind::Info]),
];

/// Last words of names that are units.
const UNITS: &[&str] = &[
    "seconds",
    "milliseconds",
    "microseconds",
    "nanoseconds",
    "ms",
    "minutes",
    "bytes",
    "kilobytes",
    "megabytes",
    "bits",
    "ratio",
    "percent",
    "celsius",
    "meters",
    "volts",
    "amperes",
    "joules",
    "watts",
    "grams",
    "hertz",
    "days",
    "hours",
    "percentage",
];

/// Last words of names that say how a value is kept, not in what unit.
const ENDINGS: &[&str] = &["total", "bucket", "count", "sum", "created", "max", "min", "avg"];

/// What all targets together say about one metric.
#[derive(Debug, Clone, Default)]
struct Told {
    kind: Option<MetricKind>,
    unit: Option<Untrusted>,
    help: Option<Untrusted>,
    disputed: bool,
}

impl Told {
    /// Adds what one more target says; what was said first counts.
    fn add(&mut self, said: &Metadata) {
        if said.kind != MetricKind::Unknown {
            self.disputed |= self.kind.is_some_and(|kind| kind != said.kind);
            self.kind.get_or_insert(said.kind);
        }
        let some = |text: &Untrusted| Some(text.clone()).filter(|text| !text.inside().trim().is_empty());
        self.unit = self.unit.take().or_else(|| some(&said.unit));
        self.help = self.help.take().or_else(|| some(&said.help));
    }
}

/// The metrics that these names of series belong to, in the order of their names. `take_in` is the way in for
/// the name of a metric that no series bears itself.
pub(crate) fn group(
    names: &[Untrusted],
    metadata: &[Metadata],
    take_in: impl Fn(&str) -> Untrusted,
) -> Vec<Family> {
    // Looked up only, never gone through: their order can't reach an answer.
    let mut told: HashMap<&str, Told> = HashMap::new();
    for said in metadata {
        told.entry(said.metric.inside()).or_default().add(said);
    }
    let known: HashSet<&str> = names.iter().map(Untrusted::inside).collect();
    let mut keyed: Vec<(&str, &Untrusted)> =
        names.iter().map(|name| (key_of(name.inside(), &told, &known), name)).collect();
    keyed.sort_unstable();
    keyed.dedup();
    let families = keyed.chunk_by(|one, other| one.0 == other.0).filter_map(|members| {
        let (key, _) = members.first()?;
        let members: Vec<Untrusted> = members.iter().map(|(_, name)| (*name).clone()).collect();
        let name = shown_name(key, &members).unwrap_or_else(|| take_in(key));
        Some(build(key, name, members, told.get(key).cloned().unwrap_or_default()))
    });
    let mut families: Vec<Family> = families.collect();
    families.sort_by(|one, other| one.name.cmp(&other.name));
    families
}

impl Family {
    /// The metric with what was learned about it later.
    pub(crate) fn learn(&mut self, metadata: &[Metadata]) {
        let mut told = Told::default();
        for said in metadata {
            told.add(said);
        }
        let members = std::mem::take(&mut self.members);
        *self = build(&self.key, self.name.clone(), members, told);
    }

    /// The series' name with this ending, where there is such a series.
    pub(crate) fn part(&self, ending: &str) -> Option<&Untrusted> {
        self.members.iter().find(|member| member.inside().strip_suffix(ending) == Some(self.key.as_str()))
    }

    /// Its unit: as told, else what its name ends in.
    pub(crate) fn unit_in_name(&self) -> Option<&'static str> {
        if matches!(self.shape, Shape::Info | Shape::StateSet) {
            return None;
        }
        let words: Vec<&str> = tokens(self.name.inside()).collect();
        let last = words
            .iter()
            .rev()
            .find(|word| !ENDINGS.iter().any(|ending| word.eq_ignore_ascii_case(ending)))?;
        UNITS.iter().find(|unit| unit.eq_ignore_ascii_case(last)).copied()
    }
}

/// The name of the metric that a series' name belongs to.
fn key_of<'a>(name: &'a str, told: &HashMap<&str, Told>, known: &HashSet<&str>) -> &'a str {
    let kind_of = |name: &str| told.get(name).and_then(|told| told.kind);
    if kind_of(name).is_some() {
        return name;
    }
    let exists = |base: &str, ending: &str| known.contains(format!("{base}{ending}").as_str());
    for (ending, kinds) in PARTS {
        let Some(base) = name.strip_suffix(ending).filter(|base| !base.is_empty()) else { continue };
        if let Some(kind) = kind_of(base) {
            return if kinds.contains(&kind) { base } else { name };
        }
        let belongs = match *ending {
            "_bucket" => true,
            "_count" => exists(base, "_bucket") || exists(base, "_sum"),
            "_sum" => exists(base, "_bucket") || exists(base, "_count"),
            "_created" if exists(base, "_total") => kind_of(&format!("{base}_total")).is_none(),
            "_created" => exists(base, "_count"),
            "_total" => exists(base, "_created"),
            _ => false,
        };
        if belongs {
            return base;
        }
    }
    name
}

/// The name of one of the series that people call the metric by.
fn shown_name(key: &str, members: &[Untrusted]) -> Option<Untrusted> {
    let with = |ending: &str| members.iter().find(|member| member.inside().strip_suffix(ending) == Some(key));
    with("").or_else(|| with("_total")).or_else(|| with("_info")).cloned()
}

fn build(key: &str, name: Untrusted, members: Vec<Untrusted>, told: Told) -> Family {
    let (shape, kind) = shape_of(key, &members, told.kind);
    Family {
        name,
        key: key.to_owned(),
        members,
        shape,
        kind: if told.kind.is_some() { kind.to_owned() } else { format!("{kind}, inferred") },
        told: told.kind.is_some(),
        unit: told.unit,
        help: told.help,
        disputed: told.disputed,
    }
}

/// How a metric is queried, and its type in words: by what a target told, else by the names of its series.
fn shape_of(key: &str, members: &[Untrusted], told: Option<MetricKind>) -> (Shape, &'static str) {
    let has = |ending: &str| members.iter().any(|member| member.inside().strip_suffix(ending) == Some(key));
    let info = key.ends_with("_info") || has("_info");
    match told {
        Some(MetricKind::Counter) => (Shape::Counter, "counter"),
        Some(MetricKind::Gauge) if info => (Shape::Info, "gauge (info)"),
        Some(MetricKind::Gauge) => (Shape::Gauge, "gauge"),
        Some(MetricKind::GaugeHistogram) => (Shape::GaugeHistogram, "gauge histogram"),
        Some(MetricKind::Info) => (Shape::Info, "info"),
        Some(MetricKind::StateSet) => (Shape::StateSet, "state set"),
        Some(MetricKind::Summary) if has("") => (Shape::Summary, "summary"),
        Some(MetricKind::Summary) => (Shape::Totals, "summary (no quantiles)"),
        Some(MetricKind::Histogram) => match (has("_bucket"), has("")) {
            (true, true) => (Shape::BothHistograms, "histogram (classic, native)"),
            (true, false) => (Shape::ClassicHistogram, "histogram (classic)"),
            (false, true) => (Shape::NativeHistogram, "histogram (native)"),
            (false, false) => (Shape::Totals, "histogram (no buckets)"),
        },
        None | Some(MetricKind::Unknown) => {
            if has("_bucket") {
                let both = if has("") { Shape::BothHistograms } else { Shape::ClassicHistogram };
                (both, if has("") { "histogram (classic, native)" } else { "histogram (classic)" })
            } else if has("_count") && has("_sum") {
                if has("") { (Shape::Summary, "summary") } else { (Shape::Totals, "summary (no quantiles)") }
            } else if key.contains(':') {
                (Shape::Recorded, "recording rule")
            } else if key.ends_with("_total") || has("_total") {
                (Shape::Counter, "counter")
            } else if info {
                (Shape::Info, "info")
            } else {
                (Shape::Gauge, "gauge")
            }
        }
    }
}

#[cfg(test)]
mod tests;
