//! What each server will find in a snapshot.

use crate::{Kind, Snapshot, SnapshotError};

/// One part of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckLine {
    /// The part, and who reads it.
    pub part: &'static str,
    /// Whether it can be read.
    pub sound: bool,
    /// What is in it, or the first fault.
    pub found: String,
}

impl Snapshot {
    /// Reads everything that a server would read.
    #[must_use]
    pub fn check(&self) -> Vec<CheckLine> {
        let metrics = self.metrics().map(|recorded| {
            let (series, samples, outside) =
                (recorded.series.len(), recorded.samples(), recorded.outside_window);
            match series {
                0 => "none".to_owned(),
                _ => format!("{series} series, {samples} samples, {outside} of them outside the window"),
            }
        });
        let rules = self.rules().map(|groups| {
            let rules: usize = groups.iter().map(|group| group.rules.len()).sum();
            format!("{rules} rules in {} groups", groups.len())
        });
        let alertmanager = ["groups", "silences", "status"]
            .iter()
            .map(|name| {
                Ok(format!("{name}: {}", if self.alertmanager(name)?.is_some() { "yes" } else { "no" }))
            })
            .collect::<Result<Vec<_>, SnapshotError>>()
            .map(|found| found.join(", "));
        vec![
            line("metrics (metrics-mcp)", metrics),
            line("rules (metrics-mcp)", rules),
            line("alertmanager (metrics-mcp, alerts-mcp)", alertmanager),
            line("for other servers", Ok(self.names(Kind::OtherServer))),
            line("ignored", Ok(self.names(Kind::Unknown))),
        ]
    }

    fn names(&self, kind: Kind) -> String {
        let names: Vec<&str> =
            self.files().iter().filter(|file| file.kind == kind).map(|file| file.name.as_str()).collect();
        match names.as_slice() {
            [] => "none".to_owned(),
            [first, second, third, rest @ ..] if !rest.is_empty() => {
                format!("{first}, {second}, {third} and {} more", rest.len())
            }
            all => all.join(", "),
        }
    }
}

fn line(part: &'static str, found: Result<String, SnapshotError>) -> CheckLine {
    match found {
        Ok(found) => CheckLine { part, sound: true, found },
        Err(error) => CheckLine { part, sound: false, found: error.to_string() },
    }
}
