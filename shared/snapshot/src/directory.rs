//! The directory of a snapshot: what is in it, and the way to each file.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use crate::{
    RecordedGroup, SnapshotError,
    manifest::{self, Manifest},
    openmetrics::Recorded,
    rules,
};

/// No file is read beyond this many bytes, decompressed.
const LARGEST_FILE: u64 = 4 * 1024 * 1024 * 1024;
/// JSON and YAML files are read whole.
const LARGEST_DOCUMENT: u64 = 64 * 1024 * 1024;
/// A directory with more files than this is something else than a snapshot.
const MOST_FILES: usize = 10_000;

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
        walk(directory, "", &mut files)?;
        files.sort();
        if !files.iter().any(|file| file.kind == Kind::Manifest) {
            let problem =
                "is missing: a snapshot is a directory with a snapshot.toml (id, title, now, window)";
            return Err(SnapshotError::file(manifest::FILE, problem));
        }
        let mut snapshot = Snapshot { directory: directory.to_owned(), manifest: placeholder(), files };
        let text = snapshot.document(manifest::FILE)?;
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
            recorded.read(&file.name, self.reader(&file.name)?, self.manifest.window)?;
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
            groups.extend(rules::parse(&file.name, &self.document(&file.name)?)?);
        }
        Ok(groups)
    }

    /// A reply of Alertmanager by its name (`groups`, `silences`, `status`), if it was recorded.
    ///
    /// # Errors
    /// When it can't be read or is not JSON.
    pub fn alertmanager(&self, reply: &str) -> Result<Option<String>, SnapshotError> {
        let name = format!("alertmanager/{reply}.json");
        let Some(file) = self.of(Kind::Alertmanager).find(|file| plain_name(&file.name) == name) else {
            return Ok(None);
        };
        let text = self.document(&file.name)?;
        match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
            Ok(_) => Ok(Some(text)),
            Err(error) => Err(SnapshotError::line(&file.name, error.line() as u64, "is not JSON")),
        }
    }

    /// The text of `aliases.toml`: what services are called in the parts, if it was recorded.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn aliases(&self) -> Result<Option<String>, SnapshotError> {
        let is_there = self.files.iter().any(|file| file.name == ALIASES);
        if is_there { self.document(ALIASES).map(Some) } else { Ok(None) }
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &FoundFile> {
        self.files.iter().filter(move |file| file.kind == kind)
    }

    fn document(&self, name: &str) -> Result<String, SnapshotError> {
        let mut bytes = Vec::new();
        let read = self.reader(name)?.take(LARGEST_DOCUMENT + 1).read_to_end(&mut bytes);
        read.map_err(|error| SnapshotError::file(name, format!("can't be read ({error})")))?;
        if bytes.len() as u64 > LARGEST_DOCUMENT {
            return Err(SnapshotError::file(name, format!("is larger than {LARGEST_DOCUMENT} bytes")));
        }
        String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            SnapshotError::file(name, format!("byte {} is not UTF-8: binary data?", valid + 1))
        })
    }

    /// The decompressed bytes of a file.
    fn reader(&self, name: &str) -> Result<Box<dyn BufRead>, SnapshotError> {
        let wrong = |problem: String| SnapshotError::file(name, problem);
        let file = File::open(self.directory.join(name))
            .map_err(|error| wrong(format!("can't be opened ({error})")))?;
        let file = BufReader::new(file);
        let reader: Box<dyn Read> = match name.rsplit('.').next() {
            Some("gz") => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
            Some("zst") => Box::new(
                ruzstd::decoding::StreamingDecoder::new(file)
                    .map_err(|error| wrong(format!("is not zstd ({error})")))?,
            ),
            _ => Box::new(file),
        };
        Ok(Box::new(BufReader::new(reader.take(LARGEST_FILE))))
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

/// Names of all files below, relative; links are not followed.
fn walk(directory: &Path, prefix: &str, files: &mut Vec<FoundFile>) -> Result<(), SnapshotError> {
    let shown = if prefix.is_empty() { directory.display().to_string() } else { prefix.to_owned() };
    let entries = fs::read_dir(directory.join(prefix))
        .map_err(|error| SnapshotError::file(&shown, format!("can't be read as a directory ({error})")))?;
    for entry in entries {
        let wrong = |error: std::io::Error| SnapshotError::file(&shown, format!("can't be read ({error})"));
        let entry = entry.map_err(wrong)?;
        let metadata = entry.metadata().map_err(wrong)?;
        let Ok(own) = entry.file_name().into_string() else { continue };
        let name = if prefix.is_empty() { own } else { format!("{prefix}/{own}") };
        if metadata.is_dir() {
            walk(directory, &name, files)?;
        } else if metadata.is_file() {
            files.push(FoundFile { kind: kind(&name), bytes: metadata.len(), name });
        }
        if files.len() > MOST_FILES {
            return Err(SnapshotError::file(
                &shown,
                format!("holds more than {MOST_FILES} files: not a snapshot"),
            ));
        }
    }
    Ok(())
}

/// The name without the ending of its compression.
fn plain_name(name: &str) -> &str {
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
        Some(("logs" | "traces" | "pagerduty" | "runbooks" | "kubernetes" | "git", _)) => Kind::OtherServer,
        None if plain == ALIASES => Kind::OtherServer,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests;
