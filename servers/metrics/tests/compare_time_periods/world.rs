//! Recorded incidents written by a test, the server over them, and what is expected of an answer.

use serde_json::{Value, json};
use testkit::{
    answer::named_rows,
    mcp::{Client, ToolReply},
};

use crate::common::{connect, incident, recorded};

pub(crate) const NOW: &str = "2026-01-14T14:30:00Z";

/// [`NOW`] in seconds since 1970.
pub(crate) const END: i64 = 1_768_401_000;
pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 86_400;

/// One metric's samples in OpenMetrics text.
pub(crate) struct Metric {
    text: String,
}

impl Metric {
    /// A metric of this type, named as its metadata are.
    pub(crate) fn of(kind: &str, name: &str) -> Metric {
        Metric { text: format!("# HELP {name} A test.\n# TYPE {name} {kind}\n") }
    }

    /// A series: its name and labels, and its value at each moment (seconds before [`NOW`] negative, 0 is now), every
    /// `step` seconds of some stretches.
    pub(crate) fn series(
        mut self,
        name: &str,
        stretches: &[(i64, i64)],
        step: i64,
        value: impl Fn(i64) -> Option<f64>,
    ) -> Metric {
        for (from, to) in stretches {
            for at in (*from..=*to).step_by(usize::try_from(step).unwrap()) {
                if let Some(value) = value(at) {
                    let value = if value.is_nan() { "NaN".to_owned() } else { value.to_string() };
                    self.text.push_str(&format!("{name} {value} {}\n", END + at));
                }
            }
        }
        self
    }
}

/// The hour before [`NOW`] and the same hour 1 and 7 days earlier, with 10 minutes before each for rates.
pub(crate) fn seasonal() -> Vec<(i64, i64)> {
    [7 * DAY, DAY, 0].map(|back| (-HOUR - 10 * MINUTE - back, -back)).to_vec()
}

/// Noise of −1 to 1 that is the same each time: a few bits of a linear congruential generator.
pub(crate) fn noise(at: i64, seed: i64) -> f64 {
    let mixed = (at / 15)
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(seed.wrapping_mul(1_442_695_040_888_963_407));
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(2_862_933_555_777_941_757);
    ((mixed >> 33) & 0xffff) as f64 / 32_767.5 - 1.0
}

/// A counter's value when its rate is `rate` per second, summed up in steps of 15 s from ten days before.
pub(crate) fn counted(rate: impl Fn(i64) -> f64) -> impl Fn(i64) -> Option<f64> {
    let mut sums = std::collections::BTreeMap::new();
    let mut sum = 0.0;
    for at in (-8 * DAY..=0).step_by(15) {
        sum += 15.0 * rate(at);
        sums.insert(at, sum);
    }
    move |at| sums.range(..=at).next_back().map(|(_, sum)| *sum)
}

pub(crate) struct World {
    client: Client,
    _directory: tempfile::TempDir,
}

impl World {
    pub(crate) async fn of(metrics: &[Metric]) -> World {
        let mut files: Vec<(String, String)> = Vec::new();
        for (place, metric) in metrics.iter().enumerate() {
            files.push((format!("metrics/{place}.om"), format!("{}# EOF\n", metric.text)));
        }
        let files: Vec<(&str, &str)> =
            files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let directory = incident(NOW, &files);
        let (client, _) = connect(&recorded(directory.path()), NOW).await;
        World { client, _directory: directory }
    }

    /// A call that must be answered, within the size of an answer in both forms.
    pub(crate) async fn compare(&self, arguments: Value) -> Answer {
        let reply = self.call(arguments).await;
        assert!(!reply.is_error, "{}", reply.text);
        Answer::of(reply)
    }

    pub(crate) async fn call(&self, arguments: Value) -> ToolReply {
        let reply = self.client.call("compare_time_periods", arguments).await;
        if std::env::var_os("SHOW").is_some() {
            eprintln!("{}\n", reply.text);
        }
        reply
    }
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) structured: Value,
}

impl Answer {
    pub(crate) fn of(reply: ToolReply) -> Answer {
        let structured = reply.structured.unwrap();
        for form in [&reply.text, &structured.to_string()] {
            let length = form.chars().count();
            assert!(length <= 8_000, "{length} characters: {form}");
        }
        Answer { text: reply.text, structured }
    }

    pub(crate) fn verdict(&self) -> &str {
        self.structured["verdict"].as_str().unwrap()
    }

    /// The rows of a table, by column name.
    pub(crate) fn rows(&self, title: &str) -> Vec<Value> {
        named_rows(&self.structured, title)
    }

    /// The one row whose labels contain this.
    pub(crate) fn row(&self, title: &str, labels: &str) -> Value {
        let rows = self.rows(title);
        let found: Vec<&Value> = rows.iter().filter(|row| row.to_string().contains(labels)).collect();
        assert_eq!(found.len(), 1, "{labels} in {}", self.text);
        found[0].clone()
    }

    pub(crate) fn findings(&self) -> String {
        self.structured["findings"].to_string()
    }

    pub(crate) fn caveats(&self) -> String {
        self.structured["coverage"]["caveats"].to_string()
    }

    pub(crate) fn next(&self) -> String {
        self.structured["next"].to_string()
    }

    #[track_caller]
    pub(crate) fn says(&self, part: &str) {
        assert!(self.text.contains(part), "{part:?} is not in\n{}", self.text);
        let structured = self.structured.to_string();
        let quoted = serde_json::to_string(part).unwrap();
        assert!(
            structured.contains(quoted.trim_matches('"')),
            "{part:?} is only in the text, not in\n{structured}"
        );
    }
}

/// Arguments for the hour before now.
pub(crate) fn last_hour(metric: &str) -> Value {
    json!({"metric": metric, "window1": "1h"})
}
