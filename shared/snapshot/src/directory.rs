//! The directory of a snapshot: what is in it, and the way to each file.

mod reading;
mod walk;

use std::{
    io::BufRead,
    path::{Path, PathBuf},
};

use crate::{
    LogRecord, RecordedGroup, SnapshotError, logs,
    manifest::{self, Manifest},
    openmetrics::Recorded,
    rules,
};

/// What services are called in the parts; all servers read it.
const ALIASES: &str = "aliases.toml";

/// What a file of a snapshot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `snapshot.toml`.
    Manifest,
    /// `metrics/*.om`.
    Metrics,
    /// `metrics/*rules*.yml`.
    Rules,
    /// `alertmanager/*.json`.
    Alertmanager,
    /// `logs/*.ndjson` and `logs/*.log`.
    Logs,
    /// A part that other servers read.
    OtherServer,
    /// Nothing a server knows; ignored.
    Unknown,
}

/// One file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundFile {
    /// Relative to the directory, with `/`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Size on disk, in bytes.
    pub bytes: u64,
    /// Why it can't be read, if it is not a plain file.
    pub obstacle: Option<&'static str>,
}

/// An opened snapshot: the manifest is read, the rest on demand.
#[derive(Debug, Clone)]
pub struct Snapshot {
    directory: PathBuf,
    manifest: Manifest,
    files: Vec<FoundFile>,
}

impl Snapshot {
    /// Opens a directory.
    ///
    /// # Errors
    /// When it has no usable `snapshot.toml`, or is no directory.
    pub fn open(directory: &Path) -> Result<Snapshot, SnapshotError> {
        let mut files = Vec::new();
        walk::walk(directory, "", 0, &mut files)?;
        files.sort();
        let Some(written) = files.iter().find(|file| file.kind == Kind::Manifest).cloned() else {
            let problem =
                "is missing: a snapshot is a directory with a snapshot.toml (id, title, now, window)";
            return Err(SnapshotError::file(manifest::FILE, problem));
        };
        let mut snapshot = Snapshot { directory: directory.to_owned(), manifest: placeholder(), files };
        let text = snapshot.document(&written)?;
        snapshot.manifest = manifest::parse(&text)?;
        Ok(snapshot)
    }

    /// What was recorded.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Every file, sorted by name.
    #[must_use]
    pub fn files(&self) -> &[FoundFile] {
        &self.files
    }

    /// All series of all metrics files.
    ///
    /// # Errors
    /// The first fault, with file and line.
    pub fn metrics(&self) -> Result<Recorded, SnapshotError> {
        let mut recorded = Recorded::default();
        for file in self.of(Kind::Metrics) {
            recorded.read(&file.name, self.reader(file)?, self.manifest.window)?;
        }
        Ok(recorded)
    }

    /// All rules of all rule files.
    ///
    /// # Errors
    /// The first fault, with file and place.
    pub fn rules(&self) -> Result<Vec<RecordedGroup>, SnapshotError> {
        let mut groups = Vec::new();
        for file in self.of(Kind::Rules) {
            groups.extend(rules::parse(&file.name, &self.document(file)?)?);
        }
        Ok(groups)
    }

    /// A reply of Alertmanager by its name (`alerts`, `groups`, `silences`, `status`), if it was recorded.
    ///
    /// # Errors
    /// When it can't be read, or is not the JSON that API v2 gives: an object for `status`, else a list.
    pub fn alertmanager(&self, reply: &str) -> Result<Option<String>, SnapshotError> {
        let name = format!("alertmanager/{reply}.json");
        let Some(file) = self.of(Kind::Alertmanager).find(|file| plain_name(&file.name) == name) else {
            return Ok(None);
        };
        let text = self.document(file)?;
        let (opening, expected) = if reply == "status" { ('{', "an object") } else { ('[', "a list") };
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text) {
            let place = error.line().max(1) as u64;
            return Err(SnapshotError::line(&file.name, place, "is not JSON, or is cut off here"));
        }
        if text.trim_start().starts_with(opening) {
            Ok(Some(text))
        } else {
            let problem = format!("is not {expected}, as /api/v2/{} answers", endpoint(reply));
            Err(SnapshotError::line(&file.name, 1, problem))
        }
    }

    /// All records of all files of logs, file by file in the order of their names. `take` may refuse one with a reason,
    /// which ends it.
    ///
    /// # Errors
    /// The first fault, with file and line.
    pub fn logs(
        &self,
        take: &mut dyn FnMut(&LogRecord<'_>) -> Result<(), String>,
    ) -> Result<(), SnapshotError> {
        self.of(Kind::Logs).try_for_each(|file| self.log_file(file, take))
    }

    /// The records of one file of logs.
    pub(crate) fn log_file(
        &self,
        file: &FoundFile,
        take: &mut dyn FnMut(&LogRecord<'_>) -> Result<(), String>,
    ) -> Result<(), SnapshotError> {
        logs::read(&file.name, self.reader(file)?, self.manifest.now, take)
    }

    /// The text of `aliases.toml`: what services are called in the parts, if it was recorded.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn aliases(&self) -> Result<Option<String>, SnapshotError> {
        let found = self.files.iter().find(|file| file.name == ALIASES);
        found.map(|file| self.document(file)).transpose()
    }

    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = &FoundFile> {
        self.files.iter().filter(move |file| file.kind == kind)
    }

    /// A small file as text.
    pub(crate) fn document(&self, file: &FoundFile) -> Result<String, SnapshotError> {
        reading::text(&file.name, self.reader(file)?)
    }

    /// The decompressed bytes of a file.
    pub(crate) fn reader(&self, file: &FoundFile) -> Result<Box<dyn BufRead>, SnapshotError> {
        match file.obstacle {
            Some(obstacle) => Err(SnapshotError::file(&file.name, obstacle)),
            None => reading::open(&self.directory.join(&file.name), &file.name),
        }
    }
}

fn placeholder() -> Manifest {
    let epoch = jiff::Timestamp::UNIX_EPOCH;
    Manifest {
        id: String::new(),
        title: String::new(),
        now: epoch,
        window: manifest::Window { start: epoch, end: epoch },
    }
}

/// Where Alertmanager gives a reply.
fn endpoint(reply: &str) -> &str {
    if reply == "groups" { "alerts/groups" } else { reply }
}

/// The name without the ending of its compression.
pub(crate) fn plain_name(name: &str) -> &str {
    name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name)
}

fn kind(name: &str) -> Kind {
    let plain = plain_name(name);
    if name == manifest::FILE {
        return Kind::Manifest;
    }
    match plain.split_once('/') {
        Some(("metrics", rest)) if rest.ends_with(".om") => Kind::Metrics,
        Some(("metrics", rest)) if rest.ends_with(".yml") || rest.ends_with(".yaml") => Kind::Rules,
        Some(("alertmanager", rest)) if rest.ends_with(".json") => Kind::Alertmanager,
        Some(("logs", rest)) if logs::form(rest).is_some() => Kind::Logs,
        Some(("traces" | "pagerduty" | "runbooks" | "kubernetes" | "git", _)) => Kind::OtherServer,
        None if plain == ALIASES => Kind::OtherServer,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests;
