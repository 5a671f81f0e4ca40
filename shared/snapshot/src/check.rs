//! What each server will find in a snapshot.

use jiff::Timestamp;

use crate::{
    FoundFile, Kind, LogRecord, Snapshot, SnapshotError, manifest::Window, moment, openmetrics::Recorded,
};

/// Directories of parts that are read by a server, and by which.
const PARTS: [(&str, &str); 8] = [
    ("metrics/", "metrics (metrics-mcp)"),
    ("alertmanager/", "alertmanager (metrics-mcp, alerts-mcp)"),
    ("logs/", "logs (logs-mcp)"),
    ("traces/", "traces (traces-mcp)"),
    ("pagerduty/", "pagerduty (alerts-mcp)"),
    ("runbooks/", "runbooks (alerts-mcp)"),
    ("kubernetes/", "kubernetes (infra-mcp)"),
    ("git/", "git (infra-mcp)"),
];

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
        let metrics = self.metrics().and_then(|recorded| told(&recorded, self.manifest().window));
        let rules = self.rules().map(|groups| {
            let rules: usize = groups.iter().map(|group| group.rules.len()).sum();
            match groups.len() {
                0 => "none".to_owned(),
                groups => format!("{rules} rules in {groups} groups"),
            }
        });
        let alertmanager = ["groups", "silences", "status"]
            .iter()
            .map(|name| {
                Ok(format!("{name}: {}", if self.alertmanager(name)?.is_some() { "yes" } else { "no" }))
            })
            .collect::<Result<Vec<_>, SnapshotError>>()
            .map(|found| found.join(", "));
        let mut lines = vec![
            line("metrics (metrics-mcp)", metrics),
            line("rules (metrics-mcp)", rules),
            line("alertmanager (metrics-mcp, alerts-mcp)", alertmanager),
            line("logs (logs-mcp)", self.check_logs()),
            line("aliases (all servers)", self.check_aliases()),
        ];
        let of_others = PARTS.iter().skip(3);
        lines.extend(of_others.map(|(directory, part)| line(part, self.counted(directory))));
        lines.push(line("ignored", self.ignored()));
        lines
    }

    /// Whether it is TOML; what it means is the servers' business.
    fn check_aliases(&self) -> Result<String, SnapshotError> {
        let Some(text) = self.aliases()? else { return Ok("none".to_owned()) };
        let table: toml::Table = toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() as u64 + 1;
            SnapshotError::line("aliases.toml", line, error.message().to_owned())
        })?;
        Ok(format!("{} services", table.len()))
    }

    fn check_logs(&self) -> Result<String, SnapshotError> {
        let mut counts = Counts::default();
        let window = self.manifest().window;
        self.logs(&mut |record| counts.add(record, window))?;
        let files = self.files().iter().filter(|file| file.kind == Kind::Logs).count();
        counts.told(files, window)
    }

    /// Files of a part that is not read here.
    fn counted(&self, directory: &str) -> Result<String, SnapshotError> {
        let own: Vec<&FoundFile> =
            self.files().iter().filter(|file| file.name.starts_with(directory)).collect();
        if let Some((name, obstacle)) = own.iter().find_map(|file| Some((&file.name, file.obstacle?))) {
            return Err(SnapshotError::file(name, obstacle));
        }
        let bytes: u64 = own.iter().map(|file| file.bytes).sum();
        Ok(match own.len() {
            0 => "none".to_owned(),
            1 => format!("1 file, {bytes} bytes"),
            files => format!("{files} files, {bytes} bytes"),
        })
    }

    fn ignored(&self) -> Result<String, SnapshotError> {
        let names: Vec<&FoundFile> = self.files().iter().filter(|file| file.kind == Kind::Unknown).collect();
        // A link in place of a part would look as if the part had not been recorded.
        let is_part = |name: &str| PARTS.iter().any(|(part, _)| part.trim_end_matches('/') == name);
        let instead = names.iter().find(|file| is_part(&file.name));
        if let Some((name, obstacle)) = instead.and_then(|file| Some((&file.name, file.obstacle?))) {
            return Err(SnapshotError::file(name, obstacle));
        }
        let names: Vec<&str> = names.iter().map(|file| file.name.as_str()).collect();
        Ok(match names.as_slice() {
            [] => "none".to_owned(),
            [first, second, third, rest @ ..] if !rest.is_empty() => {
                format!("{first}, {second}, {third} and {} more", rest.len())
            }
            all => all.join(", "),
        })
    }
}

/// Records of logs.
#[derive(Default)]
struct Counts {
    records: u64,
    untimed: u64,
    outside: u64,
    reach: Option<(Timestamp, Timestamp)>,
}

impl Counts {
    fn add(&mut self, record: &LogRecord<'_>, window: Window) -> Result<(), String> {
        self.records += 1;
        let at = if record.is_document { time_of_document(record.text)? } else { record.at };
        let Some(at) = at else {
            self.untimed += 1;
            return Ok(());
        };
        self.outside += u64::from(at < window.start || at > window.end);
        let (first, last) = self.reach.unwrap_or((at, at));
        self.reach = Some((first.min(at), last.max(at)));
        Ok(())
    }

    fn told(&self, files: usize, window: Window) -> Result<String, SnapshotError> {
        if files == 0 {
            return Ok("none".to_owned());
        }
        let Counts { records, untimed, outside, reach } = self;
        let reach = reach.map_or(String::new(), |(first, last)| format!(" from {first} to {last}"));
        if *records > 0 && outside + untimed >= *records {
            let problem = format!(
                "all {records} records are outside the window {} to {}, or have no time{reach}",
                window.start, window.end
            );
            return Err(SnapshotError::file("logs", problem));
        }
        Ok(format!(
            "{records} records of {files} files{reach}, {outside} of them outside the window, {untimed} without a time"
        ))
    }
}

/// The time of a JSON document, under the names that most have.
fn time_of_document(text: &str) -> Result<Option<Timestamp>, String> {
    const NAMES: [&str; 7] = ["@timestamp", "Timestamp", "TimeGenerated", "timestamp", "time", "ts", "@t"];
    let document: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| format!("is not a JSON object ({error})"))?;
    let value = NAMES.iter().find_map(|name| document.get(*name));
    Ok(value.and_then(|value| match value {
        serde_json::Value::String(text) => moment(text, None),
        other => moment(&other.to_string(), None),
    }))
}

/// How much there is, and whether it is from the time that the manifest says.
fn told(recorded: &Recorded, window: Window) -> Result<String, SnapshotError> {
    let Some((first, last)) = recorded.reach() else { return Ok("none".to_owned()) };
    let (samples, outside) = (recorded.samples(), recorded.outside_window);
    let moment =
        |at: i64| Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| at.to_string());
    let reach = format!("from {} to {}", moment(first), moment(last));
    if outside >= samples as u64 {
        let problem = format!(
            "all {samples} samples are outside the window {} to {}: they are {reach}",
            window.start, window.end
        );
        return Err(SnapshotError::file("metrics", problem));
    }
    Ok(format!(
        "{} series, {samples} samples {reach}, {outside} of them outside the window",
        recorded.series.len()
    ))
}

fn line(part: &'static str, found: Result<String, SnapshotError>) -> CheckLine {
    match found {
        Ok(found) => CheckLine { part, sound: true, found },
        Err(error) => CheckLine { part, sound: false, found: error.to_string() },
    }
}
