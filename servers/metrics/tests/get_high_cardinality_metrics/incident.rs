//! A recorded incident of one hour, written by a test.

use std::fmt::Write as _;

use serde_json::{Value, json};
use testkit::mcp::{Client, ToolReply};

use crate::{TOOL, common};

/// The hour is 13:32 to 14:32; minute 30 is 14:02.
pub(crate) const NOW: &str = "2026-01-14T14:32:00Z";

/// Series of an hour, and five minutes before it.
#[derive(Default)]
pub(crate) struct Incident {
    /// Type, name, lines.
    families: Vec<(&'static str, String, String)>,
    /// Seconds between samples.
    every: f64,
    /// Minutes before the hour at which series begin.
    early: f64,
}

impl Incident {
    pub(crate) fn new() -> Incident {
        Incident { families: Vec::new(), every: 15.0, early: 5.0 }
    }

    /// Series that are added later have samples this many seconds apart.
    pub(crate) fn every(self, seconds: f64) -> Incident {
        Incident { every: seconds, ..self }
    }

    /// Series that are added later begin so many minutes before the hour.
    pub(crate) fn early(self, minutes: f64) -> Incident {
        Incident { early: minutes, ..self }
    }

    /// A gauge whose value is given by the minute of the hour; NaN where there is no sample.
    pub(crate) fn gauge(self, name: &str, labels: &str, value: impl Fn(f64) -> f64) -> Incident {
        self.series("gauge", name, "", labels, value)
    }

    /// A counter, as its value at a minute; `name` without `_total`.
    pub(crate) fn counter(self, name: &str, labels: &str, value: impl Fn(f64) -> f64) -> Incident {
        self.series("counter", name, "_total", labels, value)
    }

    fn series(
        mut self,
        kind: &'static str,
        name: &str,
        ending: &str,
        labels: &str,
        value: impl Fn(f64) -> f64,
    ) -> Incident {
        let end = NOW.parse::<jiff::Timestamp>().unwrap().as_second();
        let place = self.families.iter().position(|(_, known, _)| known == name).unwrap_or_else(|| {
            self.families.push((kind, name.to_owned(), String::new()));
            self.families.len() - 1
        });
        let text = &mut self.families[place].2;
        let count = ((60.0 + self.early) * 60.0 / self.every) as i64;
        for step in 0..=count {
            let minute = (step as f64 * self.every) / 60.0 - self.early;
            let at = end - 3_600 + (minute * 60.0) as i64;
            let value = value(minute);
            if !value.is_nan() {
                writeln!(text, "{name}{ending}{{{labels}}} {value} {at}").unwrap();
            }
        }
        self
    }

    /// A sample that is NaN itself, not one that is missing.
    pub(crate) fn not_a_number(
        mut self,
        name: &str,
        labels: &str,
        minutes: std::ops::Range<i64>,
    ) -> Incident {
        let end = NOW.parse::<jiff::Timestamp>().unwrap().as_second();
        self.families.push(("gauge", name.to_owned(), String::new()));
        let text = &mut self.families.last_mut().unwrap().2;
        for minute in -5..=60 {
            let value =
                if minutes.contains(&minute) { "NaN".to_owned() } else { format!("{}", 5 + minute % 2) };
            writeln!(text, "{name}{{{labels}}} {value} {}", end - 3_600 + minute * 60).unwrap();
        }
        self
    }

    pub(crate) async fn ask(&self, arguments: Value) -> (ToolReply, Client) {
        let mut text = String::new();
        for (kind, name, lines) in &self.families {
            write!(text, "# TYPE {name} {kind}\n{lines}").unwrap();
        }
        text.push_str("# EOF\n");
        let directory = common::incident(NOW, &[("metrics/a.om", &text)]);
        let (client, _) = common::connect(&common::recorded(directory.path()), NOW).await;
        let reply = client.call(TOOL, arguments).await;
        // What a reader gets is bounded in both forms, whatever there is.
        let structured = reply.structured.as_ref().map_or(0, |value| value.to_string().len());
        assert!(
            reply.text.len() <= 8_000 && structured <= 8_000,
            "{} and {structured} bytes",
            reply.text.len()
        );
        (reply, client)
    }
}

/// The rows of the first table.
pub(crate) fn rows(reply: &ToolReply) -> Vec<Value> {
    let structured = reply.structured.as_ref().unwrap();
    structured["tables"][0]["rows"].as_array().cloned().unwrap_or_default()
}

/// One cell by its column's name.
pub(crate) fn cell(reply: &ToolReply, row: usize, column: &str) -> Value {
    let table = &reply.structured.as_ref().unwrap()["tables"][0];
    let columns = table["columns"].as_array().unwrap_or_else(|| panic!("no table in {}", reply.text));
    let place = columns.iter().position(|name| *name == json!(column)).unwrap();
    rows(reply).get(row).unwrap_or_else(|| panic!("no row {row} in {}", reply.text))[place].clone()
}
