//! What each server will find in a snapshot.

mod logs;

use jiff::Timestamp;

use crate::{FoundFile, Kind, Snapshot, SnapshotError, manifest::Window, openmetrics::Recorded, rules};

/// Files whose faults are told.
const MOST_FAULTS: usize = 10;

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
    /// What is in it, or the first fault of each file.
    pub found: String,
}

impl Snapshot {
    /// Reads everything that a server would read. `times` are the fields of a document of logs in which its time is looked
    /// for; when there are none, those of the usual names.
    #[must_use]
    pub fn check(&self, times: &[String]) -> Vec<CheckLine> {
        let window = self.manifest().window;
        let metrics = self.metrics().and_then(|recorded| told(&recorded, window));
        let metrics = metrics.map_err(|fault| {
            self.each(Kind::Metrics, fault, |file| {
                Recorded::default().read(&file.name, self.reader(file)?, window)
            })
        });
        let rules = self.rules().map(|groups| {
            let rules: usize = groups.iter().map(|group| group.rules.len()).sum();
            match groups.len() {
                0 => "none".to_owned(),
                groups => format!("{rules} rules in {groups} groups"),
            }
        });
        let rules = rules.map_err(|fault| {
            self.each(Kind::Rules, fault, |file| rules::parse(&file.name, &self.document(file)?).map(drop))
        });
        let mut lines = vec![
            line("metrics (metrics-mcp)", metrics),
            line("rules (metrics-mcp)", rules),
            line("alertmanager (metrics-mcp, alerts-mcp)", self.check_alertmanager()),
            line("logs (logs-mcp)", self.check_logs(times)),
            line("aliases (all servers)", self.check_aliases().map_err(one)),
        ];
        let of_others = PARTS.iter().skip(3);
        lines.extend(of_others.map(|(directory, part)| line(part, self.counted(directory).map_err(one))));
        lines.push(line("ignored", self.ignored().map_err(one)));
        lines
    }

    /// The first fault of each file of a kind; the one of all of them together where each can be read.
    fn each(
        &self,
        kind: Kind,
        of_all: SnapshotError,
        read: impl Fn(&FoundFile) -> Result<(), SnapshotError>,
    ) -> Vec<SnapshotError> {
        let faults: Vec<SnapshotError> = self.of(kind).filter_map(|file| read(file).err()).collect();
        if faults.is_empty() { one(of_all) } else { faults }
    }

    fn check_alertmanager(&self) -> Result<String, Vec<SnapshotError>> {
        let (mut found, mut faults) = (Vec::new(), Vec::new());
        for name in ["groups", "silences", "status"] {
            match self.alertmanager(name) {
                Ok(reply) => found.push(format!("{name}: {}", if reply.is_some() { "yes" } else { "no" })),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(found.join(", ")) } else { Err(faults) }
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

fn one(fault: SnapshotError) -> Vec<SnapshotError> {
    vec![fault]
}

fn line(part: &'static str, found: Result<String, Vec<SnapshotError>>) -> CheckLine {
    let (sound, found) = match found {
        Ok(found) => (true, found),
        Err(faults) => {
            let mut shown: Vec<String> = faults.iter().take(MOST_FAULTS).map(ToString::to_string).collect();
            match faults.len().saturating_sub(MOST_FAULTS) {
                0 => {}
                more => shown.push(format!("and {more} more")),
            }
            (false, shown.join("; "))
        }
    };
    CheckLine { part, sound, found }
}
