//! A world as plain data: its series without the text of the files, and what was planted.

use std::collections::BTreeMap;

use crate::World;
use crate::incident::Fault;
use crate::signals;

/// One time series: what a reader of the written files has in the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name and value of each label, sorted by name, `__name__` among them.
    pub labels: Vec<(String, String)>,
    /// Milliseconds since 1970, strictly increasing.
    pub timestamps: Vec<i64>,
    /// As many values.
    pub values: Vec<f64>,
}

/// How far back series reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The two hours before the onset and the half hour after it.
    Incident,
    /// The coarse month before as well.
    Month,
}

/// What was planted; no server is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// What went wrong.
    pub fault: Fault,
    /// The seed it was made with.
    pub seed: u64,
    /// The service where it went wrong.
    pub victim: &'static str,
    /// When, in milliseconds since 1970.
    pub onset: i64,
    /// Metrics in which the fault itself shows, the first to move first.
    pub culprits: Vec<Culprit>,
}

/// A metric in which a fault shows, and the label that finds its series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Culprit {
    /// The name; of a histogram or summary without `_bucket`, `_count` and `_sum`.
    pub metric: &'static str,
    /// Such as `service`, `container`, `deployment` or `node`.
    pub label: &'static str,
    /// The label's value.
    pub value: String,
}

impl Culprit {
    /// Whether a series, given by its labels, is one of this metric's.
    #[must_use]
    pub fn has(&self, labels: &[(String, String)]) -> bool {
        let value =
            |name: &str| labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str());
        let rest = value("__name__").and_then(|name| name.strip_prefix(self.metric));
        let is_metric = rest.is_some_and(|rest| matches!(rest, "" | "_bucket" | "_count" | "_sum"));
        is_metric && value(self.label) == Some(self.value.as_str())
    }

    /// `metric{label="value"}`; of a histogram or summary with the name of its family.
    #[must_use]
    pub fn selector(&self) -> String {
        format!("{}{{{}=\"{}\"}}", self.metric, self.label, self.value)
    }
}

impl World {
    /// All series as they stand in the files that [`World::write`] writes, sorted by labels. A series that is in
    /// two files is one here.
    #[must_use]
    pub fn series(&self, reach: Reach) -> Vec<Series> {
        let mut all: BTreeMap<Vec<(String, String)>, Series> = BTreeMap::new();
        for one in signals::series(self, reach == Reach::Month) {
            match all.get_mut(&one.labels) {
                // The month comes first.
                Some(earlier) => {
                    earlier.timestamps.extend(one.timestamps);
                    earlier.values.extend(one.values);
                }
                None => drop(all.insert(one.labels.clone(), one)),
            }
        }
        all.into_values().collect()
    }

    /// What was planted.
    #[must_use]
    pub fn truth(&self) -> Truth {
        Truth {
            fault: self.incident.fault,
            seed: self.incident.seed,
            victim: self.shop.service(self.incident.victim).map_or("", |service| service.name),
            onset: self.incident.onset * 1000,
            culprits: signals::culprits(self),
        }
    }
}
