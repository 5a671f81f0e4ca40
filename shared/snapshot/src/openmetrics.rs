//! `metrics/*.om`: OpenMetrics text with a timestamp on each sample, as
//! `promtool tsdb create-blocks-from openmetrics` reads it.

use std::{collections::HashMap, io::BufRead};

use crate::{
    SnapshotError,
    exposition::{self, head},
    lines::Lines,
    manifest::Window,
};

/// More series than this, or samples, are not held in memory (a sample takes 16 bytes).
const MOST_SERIES: usize = 1_000_000;
const MOST_SAMPLES: usize = 100_000_000;
/// Types of OpenMetrics, and that of its predecessor for what has none.
const TYPES: [&str; 9] =
    ["counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset", "unknown", "untyped"];

/// Series and metadata of all metrics files, in the order in which they were first seen.
#[derive(Debug, Default, PartialEq)]
pub struct Recorded {
    /// The series.
    pub series: Vec<RecordedSeries>,
    /// What the files say about their metrics.
    pub metadata: Vec<Metadata>,
    /// Samples outside the manifest's window: kept, because lookback and coarse history need them.
    pub outside_window: u64,
    /// How many samples there are.
    samples: usize,
    known: HashMap<Box<[(String, String)]>, usize>,
    families: HashMap<String, usize>,
}

/// One series in columns.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedSeries {
    /// Labels sorted by name, `__name__` among them.
    pub labels: Box<[(String, String)]>,
    /// Milliseconds since 1970, strictly increasing.
    pub timestamps: Vec<i64>,
    /// As many values.
    pub values: Vec<f64>,
}

/// What a file says about a metric family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The family, of a counter without `_total`.
    pub family: String,
    /// `counter`, `gauge`, `histogram` …
    pub kind: String,
    /// Such as `seconds`; often empty.
    pub unit: String,
    /// What it means.
    pub help: String,
}

impl Recorded {
    /// Reads one file to its `# EOF`.
    pub(crate) fn read(
        &mut self,
        file: &str,
        reader: impl BufRead,
        window: Window,
    ) -> Result<(), SnapshotError> {
        let mut lines = Lines::new(file, reader);
        // Most lines repeat a series as it was written before: the text is looked up before it is parsed.
        let mut written: HashMap<Box<str>, usize> = HashMap::new();
        let mut ended = false;
        while let Some((number, line)) = lines.next()? {
            let wrong = |problem: String| SnapshotError::line(file, number, problem);
            if ended {
                return Err(wrong("follows `# EOF`".to_owned()));
            }
            if let Some(comment) = line.strip_prefix('#') {
                ended = self.comment(comment).map_err(wrong)?;
            } else if !line.trim().is_empty() {
                self.sample(line, &mut written, window).map_err(wrong)?;
            }
        }
        if ended { Ok(()) } else { Err(SnapshotError::file(file, "ends without `# EOF`: cut off?")) }
    }

    /// Says whether it was the end of the file.
    fn comment(&mut self, comment: &str) -> Result<bool, String> {
        let comment = comment.trim_start();
        let (word, rest) = comment.split_once(' ').unwrap_or((comment, ""));
        match word {
            "EOF" => return Ok(true),
            "TYPE" | "UNIT" | "HELP" => {}
            _ => return Ok(false),
        }
        let (family, text) = family_and_text(rest)?;
        if word == "TYPE" && !TYPES.contains(&text.as_str()) {
            let problem = format!("`{}` is no type of a metric; types are {}", head(&text), TYPES.join(", "));
            return Err(problem);
        }
        let place = match self.families.get(&family) {
            Some(place) => *place,
            None => {
                if self.metadata.len() >= MOST_SERIES {
                    return Err(format!("more than {MOST_SERIES} metrics: too many to hold in memory"));
                }
                self.families.insert(family.clone(), self.metadata.len());
                self.metadata.push(Metadata { family, ..Metadata::default() });
                self.metadata.len() - 1
            }
        };
        if let Some(metadata) = self.metadata.get_mut(place) {
            match word {
                "TYPE" => metadata.kind = text,
                "UNIT" => metadata.unit = text,
                _ => metadata.help = text,
            }
        }
        Ok(false)
    }

    fn sample(
        &mut self,
        line: &str,
        written: &mut HashMap<Box<str>, usize>,
        window: Window,
    ) -> Result<(), String> {
        let sample = exposition::sample(line)?;
        let seconds = sample.timestamp.ok_or("has no timestamp: a recording needs one on each sample")?;
        let at = milliseconds(seconds)
            .ok_or_else(|| format!("timestamp {seconds} is outside the calendar (is it in seconds?)"))?;
        let place = match written.get(sample.series) {
            Some(place) => *place,
            None => {
                let place = self.place_of(exposition::labels(sample.series)?.into_boxed_slice())?;
                written.insert(sample.series.into(), place);
                place
            }
        };
        if self.samples >= MOST_SAMPLES {
            return Err(format!("more than {MOST_SAMPLES} samples: too many to hold in memory"));
        }
        if at < window.start.as_millisecond() || at > window.end.as_millisecond() {
            self.outside_window += 1;
        }
        let Some(series) = self.series.get_mut(place) else { return Ok(()) };
        match series.timestamps.last() {
            Some(last) if *last == at => {
                Err(format!("`{}` has two samples at {seconds}", head(sample.series)))
            }
            Some(last) if *last > at => Err(format!(
                "`{}` goes back in time, to {seconds}; sort each series by time",
                head(sample.series)
            )),
            _ => {
                series.timestamps.push(at);
                series.values.push(sample.value);
                self.samples += 1;
                Ok(())
            }
        }
    }

    fn place_of(&mut self, labels: Box<[(String, String)]>) -> Result<usize, String> {
        if let Some(place) = self.known.get(&labels) {
            return Ok(*place);
        }
        let place = self.series.len();
        if place >= MOST_SERIES {
            return Err(format!("more than {MOST_SERIES} series: too many to hold in memory"));
        }
        self.known.insert(labels.clone(), place);
        self.series.push(RecordedSeries { labels, timestamps: Vec::new(), values: Vec::new() });
        Ok(place)
    }

    /// How many samples there are.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The first and the last moment, in milliseconds since 1970; `None` without a sample.
    #[must_use]
    pub fn reach(&self) -> Option<(i64, i64)> {
        let first = self.series.iter().filter_map(|series| series.timestamps.first()).min()?;
        let last = self.series.iter().filter_map(|series| series.timestamps.last()).max()?;
        Some((*first, *last))
    }
}

fn family_and_text(rest: &str) -> Result<(String, String), String> {
    if rest.starts_with('"') {
        let closing = rest.get(1..).and_then(|inner| inner.find('"')).ok_or("a quoted name is not closed")?;
        let name = rest.get(1..=closing).unwrap_or_default();
        return Ok((name.to_owned(), rest.get(closing + 2..).unwrap_or_default().trim().to_owned()));
    }
    let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
    if name.is_empty() {
        return Err("names no metric".to_owned());
    }
    Ok((name.to_owned(), text.replace("\\n", "\n").replace("\\\"", "\"")))
}

/// Whole milliseconds, for any year that has four digits.
fn milliseconds(seconds: f64) -> Option<i64> {
    let rounded = (seconds * 1000.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
    (rounded.abs() < 2.5e14).then_some(rounded as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window() -> Window {
        Window {
            start: "2026-01-14T14:00:00Z".parse().unwrap(),
            end: "2026-01-14T15:00:00Z".parse().unwrap(),
        }
    }

    fn read(text: &str) -> Result<Recorded, SnapshotError> {
        let mut recorded = Recorded::default();
        recorded.read("metrics/a.om", text.as_bytes(), window())?;
        Ok(recorded)
    }

    #[test]
    fn a_file_becomes_columns() {
        let text = "# TYPE http_requests counter\n# HELP http_requests All requests\\nof a day.\n# UNIT x seconds\n\
                    http_requests_total{b=\"2\",a=\"1\"} 5 1768399200\nhttp_requests_total{a=\"1\",b=\"2\"} 6 1768399215.5\n\
                    up 1 1\n# EOF\n";
        let recorded = read(text).unwrap();
        assert_eq!(recorded.series.len(), 2, "the order of labels does not make another series");
        assert_eq!(recorded.series[0].timestamps, [1_768_399_200_000, 1_768_399_215_500]);
        assert_eq!(recorded.series[0].values, [5.0, 6.0]);
        assert_eq!(recorded.metadata[0].kind, "counter");
        assert_eq!(recorded.metadata[0].help, "All requests\nof a day.");
        assert_eq!((recorded.outside_window, recorded.samples()), (1, 3));
    }

    #[test]
    fn each_fault_is_one_error_with_file_and_line() {
        let cases = [
            ("up 1 1\n", "metrics/a.om: ends without `# EOF`: cut off?"),
            ("up 1 1\nup 1 1\n# EOF\n", "metrics/a.om line 2: `up` has two samples at 1"),
            (
                "up 1 2\nup 1 1\n# EOF\n",
                "metrics/a.om line 2: `up` goes back in time, to 1; sort each series by time",
            ),
            ("up 1\n# EOF\n", "metrics/a.om line 1: has no timestamp: a recording needs one on each sample"),
            ("# EOF\nup 1 1\n", "metrics/a.om line 2: follows `# EOF`"),
            (
                "up 1 1768399200000000\n# EOF\n",
                "metrics/a.om line 1: timestamp 1768399200000000 is outside the calendar (is it in seconds?)",
            ),
            ("<html>\n# EOF\n", "metrics/a.om line 1: has no value"),
            (
                "# TYPE up guage\n# EOF\n",
                "metrics/a.om line 1: `guage` is no type of a metric; types are counter, gauge, histogram, \
                 gaugehistogram, summary, info, stateset, unknown, untyped",
            ),
            (
                "m{a=\"1\",b=\"2\"} 1 1\nm{b=\"2\",a=\"1\"} 1 1\n# EOF\n",
                "metrics/a.om line 2: `m{b=\"2\",a=\"1\"}` has two samples at 1",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).unwrap_err().to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "([a-z#{}\"=,.0-9 \\\\\n]|\\PC){0,200}") {
            let _ = read(&format!("{text}\n# EOF\n"));
        }

        #[test]
        fn any_label_value_comes_back_as_it_was(value in "\\PC{0,30}", extra in "[\\\\\"\n]{0,4}") {
            let value = format!("{value}{extra}");
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let recorded = read(&format!("m{{a=\"{escaped}\"}} 1 1\n# EOF\n")).unwrap();
            // A label without a value is no label.
            let found = recorded.series[0].labels.get(1).map_or("", |(_, value)| value);
            prop_assert_eq!(found, &value);
        }
    }
}
