//! The files of a directory.

use std::{fs, io, path::Path};

use super::{FoundFile, Kind, kind};
use crate::SnapshotError;

/// A directory with more files than this is something else than a snapshot.
const MOST_FILES: usize = 10_000;
/// So is one that is nested deeper.
const DEEPEST: usize = 24;

/// Names of all files below, relative. Links are listed and not followed: they could lead in circles, or out.
pub(super) fn walk(
    directory: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<FoundFile>,
) -> Result<(), SnapshotError> {
    let shown = if prefix.is_empty() { directory.display().to_string() } else { prefix.to_owned() };
    let wrong = |problem: String| SnapshotError::file(&shown, problem);
    let unreadable = |error: io::Error| wrong(format!("can't be read as a directory ({error})"));
    if depth > DEEPEST {
        return Err(wrong(format!("lies more than {DEEPEST} directories deep: not a snapshot")));
    }
    for entry in fs::read_dir(directory.join(prefix)).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let metadata = entry.metadata().map_err(unreadable)?;
        let own = entry.file_name();
        let own_name = own.to_string_lossy();
        let name = if prefix.is_empty() { own_name.into_owned() } else { format!("{prefix}/{own_name}") };
        let of_kind = if own.to_str().is_some() { kind(&name) } else { Kind::Unknown };
        let is_part = !matches!(of_kind, Kind::OtherServer | Kind::Unknown);
        if metadata.is_dir() && !is_part {
            walk(directory, &name, depth + 1, files)?;
        } else {
            let obstacle = obstacle(&metadata);
            files.push(FoundFile { kind: of_kind, bytes: metadata.len(), name, obstacle });
        }
        if files.len() > MOST_FILES {
            return Err(wrong(format!("holds more than {MOST_FILES} files: not a snapshot")));
        }
    }
    Ok(())
}

fn obstacle(metadata: &fs::Metadata) -> Option<&'static str> {
    if metadata.is_file() {
        None
    } else if metadata.is_dir() {
        Some("is a directory where a file is expected")
    } else if metadata.is_symlink() {
        Some("is a symbolic link, and links are not followed: put the file itself here")
    } else {
        Some("is neither a file nor a directory")
    }
}
