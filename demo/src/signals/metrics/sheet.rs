//! Metrics as columns, and their OpenMetrics text.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::data::Series;

/// No sample at this moment. It is the value by which Prometheus itself marks a series as gone; it has no text
/// form and is never written.
pub(crate) const ABSENT: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// Whether there is no sample.
pub(crate) fn is_absent(value: f64) -> bool {
    value.to_bits() == ABSENT.to_bits()
}

/// Types of OpenMetrics that are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
    Info,
    Unknown,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
            Kind::Info => "info",
            Kind::Unknown => "unknown",
        }
    }
}

/// Name and value of each label.
pub(crate) type Labels = Vec<(&'static str, String)>;

/// Moments of samples, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) first: i64,
    pub(crate) every: i64,
}

impl Clock {
    /// The moment of a sample by its place.
    pub(crate) fn at(self, place: usize) -> i64 {
        self.first + self.every * place as i64
    }
}

/// One series of a metric.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    /// What its name has after the family's, such as `_total` or `_bucket`.
    pub(crate) suffix: &'static str,
    /// The label that tells it from other lines: `le`, `quantile`.
    pub(crate) extra: Option<(&'static str, String)>,
    pub(crate) values: Vec<f64>,
}

/// Series that are written together because they share labels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metric {
    pub(crate) labels: Labels,
    pub(crate) clock: Clock,
    pub(crate) lines: Vec<Line>,
}

/// Metrics of one name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Family {
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
    pub(crate) metrics: Vec<Metric>,
}

/// All metrics of one file.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    pub(crate) families: BTreeMap<&'static str, Family>,
}

/// Name, type and meaning of a family; of a counter without `_total`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
}

impl Sheet {
    /// Adds a metric of several lines.
    pub(crate) fn add(&mut self, about: About, labels: Labels, clock: Clock, lines: Vec<Line>) {
        let lines: Vec<Line> =
            lines.into_iter().filter(|line| line.values.iter().any(|value| !is_absent(*value))).collect();
        if lines.is_empty() {
            return;
        }
        let family = self.families.entry(about.name).or_insert_with(|| Family {
            kind: about.kind,
            help: about.help,
            metrics: Vec::new(),
        });
        family.metrics.push(Metric { labels, clock, lines });
    }

    /// Adds a gauge.
    pub(crate) fn gauge(
        &mut self,
        (name, help): (&'static str, &'static str),
        labels: Labels,
        clock: Clock,
        values: Vec<f64>,
    ) {
        let line = Line { suffix: "", extra: None, values };
        self.add(About { name, kind: Kind::Gauge, help }, labels, clock, vec![line]);
    }

    /// Adds a counter; `name` is without `_total`.
    pub(crate) fn counter(
        &mut self,
        (name, help): (&'static str, &'static str),
        labels: Labels,
        clock: Clock,
        values: Vec<f64>,
    ) {
        let line = Line { suffix: "_total", extra: None, values };
        self.add(About { name, kind: Kind::Counter, help }, labels, clock, vec![line]);
    }

    /// How many series there are.
    pub(crate) fn series(&self) -> usize {
        self.metrics().map(|metric| metric.lines.len()).sum()
    }

    /// How many samples there are.
    pub(crate) fn samples(&self) -> usize {
        let lines = self.metrics().flat_map(|metric| &metric.lines);
        lines.map(|line| line.values.iter().filter(|value| !is_absent(**value)).count()).sum()
    }

    /// The series as a reader of the file has them.
    pub(crate) fn into_series(self) -> Vec<Series> {
        let mut all = Vec::new();
        for (name, family) in self.families {
            for Metric { labels, clock, lines } in family.metrics {
                all.extend(lines.into_iter().map(|line| read_back(name, &labels, clock, line)));
            }
        }
        all
    }

    fn metrics(&self) -> impl Iterator<Item = &Metric> {
        self.families.values().flat_map(|family| &family.metrics)
    }

    /// Writes the file: families by name, each metric's samples in order of time.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for (name, family) in &self.families {
            writeln!(out, "# TYPE {name} {}", family.kind.name())?;
            if let Some(unit) = unit(name, family.kind) {
                writeln!(out, "# UNIT {name} {unit}")?;
            }
            writeln!(out, "# HELP {name} {}", family.help)?;
            for metric in &family.metrics {
                write_metric(name, metric, out)?;
            }
        }
        writeln!(out, "# EOF")
    }
}

fn read_back(name: &str, labels: &Labels, clock: Clock, line: Line) -> Series {
    let own = [("__name__", format!("{name}{}", line.suffix))];
    let labels = labels.iter().cloned().chain(line.extra).chain(own);
    let mut labels: Vec<(String, String)> = labels.map(|(name, value)| (name.to_owned(), value)).collect();
    labels.sort_unstable();
    let samples = line.values.into_iter().enumerate().filter(|(_, value)| !is_absent(*value));
    let (timestamps, values) = samples.map(|(place, value)| (clock.at(place), value)).unzip();
    Series { labels, timestamps, values }
}

/// The unit that a name ends in; OpenMetrics wants it said, but not of types without one.
fn unit(name: &str, kind: Kind) -> Option<&'static str> {
    if matches!(kind, Kind::Info | Kind::Unknown) {
        return None;
    }
    ["milliseconds", "seconds", "bytes", "ratio", "cores"]
        .into_iter()
        .find(|unit| name.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')))
}

fn write_metric(name: &str, metric: &Metric, out: &mut impl Write) -> io::Result<()> {
    let series: Vec<(String, &Line)> =
        metric.lines.iter().map(|line| (written(name, &metric.labels, line), line)).collect();
    let samples = metric.lines.iter().map(|line| line.values.len()).max().unwrap_or(0);
    let mut ending = String::new();
    let mut number = String::new();
    for place in 0..samples {
        let at = metric.clock.at(place);
        ending.clear();
        let _ = std::fmt::Write::write_fmt(
            &mut ending,
            format_args!(" {}.{:03}\n", at.div_euclid(1000), at.rem_euclid(1000)),
        );
        for (series, line) in &series {
            let value = line.values.get(place).copied().unwrap_or(ABSENT);
            if is_absent(value) {
                continue;
            }
            number.clear();
            push_number(value, &mut number);
            out.write_all(series.as_bytes())?;
            out.write_all(number.as_bytes())?;
            out.write_all(ending.as_bytes())?;
        }
    }
    Ok(())
}

fn written(name: &str, labels: &Labels, line: &Line) -> String {
    let extra = line.extra.iter().map(|(name, value)| (*name, value));
    let labels: Vec<String> = labels
        .iter()
        .map(|(name, value)| (*name, value))
        .chain(extra)
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
        .collect();
    if labels.is_empty() {
        return format!("{name}{} ", line.suffix);
    }
    format!("{name}{}{{{}}} ", line.suffix, labels.join(","))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The shortest text that reads back as the number.
fn push_number(value: f64, text: &mut String) {
    if value.is_nan() {
        text.push_str("NaN");
    } else if value.is_infinite() {
        text.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else if value.fract() == 0.0 && value.abs() < 9e15 {
        let _ = std::fmt::Write::write_fmt(text, format_args!("{}", value as i64));
    } else {
        let _ = std::fmt::Write::write_fmt(text, format_args!("{value}"));
    }
}

/// `value` with so many decimals: text that is longer than the measurement is exact only looks odd.
pub(crate) fn rounded(value: f64, decimals: u32) -> f64 {
    if is_absent(value) {
        return value;
    }
    let scale = f64::from(10_u32.pow(decimals));
    libm::round(value * scale) / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_that_of_the_openmetrics_specification() {
        let mut sheet = Sheet::default();
        let clock = Clock { first: 1_000, every: 15_500 };
        let bucket = |le: &str, values: Vec<f64>| Line {
            suffix: "_bucket",
            extra: Some(("le", le.to_owned())),
            values,
        };
        let plain = |suffix, values| Line { suffix, extra: None, values };
        sheet.add(
            About { name: "foo_seconds", kind: Kind::Histogram, help: "Foo." },
            vec![("a", "b\"\\\n".to_owned())],
            clock,
            vec![
                bucket("0.5", vec![ABSENT, 1.0]),
                bucket("+Inf", vec![0.0, 2.0]),
                plain("_count", vec![0.0, 2.0]),
                plain("_sum", vec![0.0, 1.25]),
            ],
        );
        sheet.counter(("bar", "Bar."), Vec::new(), clock, vec![f64::NAN, f64::INFINITY]);
        sheet.gauge(("never", "Never seen."), Vec::new(), clock, vec![ABSENT, ABSENT]);
        let mut text = Vec::new();
        sheet.write(&mut text).unwrap();

        assert_eq!(
            String::from_utf8(text).unwrap(),
            r#"# TYPE bar counter
# HELP bar Bar.
bar_total NaN 1.000
bar_total +Inf 16.500
# TYPE foo_seconds histogram
# UNIT foo_seconds seconds
# HELP foo_seconds Foo.
foo_seconds_bucket{a="b\"\\\n",le="+Inf"} 0 1.000
foo_seconds_count{a="b\"\\\n"} 0 1.000
foo_seconds_sum{a="b\"\\\n"} 0 1.000
foo_seconds_bucket{a="b\"\\\n",le="0.5"} 1 16.500
foo_seconds_bucket{a="b\"\\\n",le="+Inf"} 2 16.500
foo_seconds_count{a="b\"\\\n"} 2 16.500
foo_seconds_sum{a="b\"\\\n"} 1.25 16.500
# EOF
"#
        );
        assert_eq!((sheet.series(), sheet.samples()), (5, 9));
    }
}
