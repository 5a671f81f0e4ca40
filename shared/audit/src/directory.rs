//! Files in the audit directory: finding a free one, rotating it, noticing that somebody took it away.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::chain::{Position, Sealer};
use crate::error::AuditError;
use crate::key::{create_private_directory, private_file, sync_directory};
use crate::tail::{Tail, TailError, read_tail};

const EXTENSION: &str = ".jsonl";
const ARCHIVED_FROM: &str = ".from-";
const MAX_FILES: u32 = 64;
const MAX_SERVER_BYTES: usize = 64;
/// How often a file may be rotated away between being opened and being locked, before the next one is tried.
const OPENING_ATTEMPTS: u32 = 3;
/// More than any record is long, so that a write is not begun when there is no room to say so.
const PROBE_BYTES: usize = 64 * 1024;

/// The file of this process, locked as long as this lives.
#[derive(Debug)]
pub(crate) struct AuditFile {
    directory: PathBuf,
    stem: String,
    file: File,
}

/// A file ready to be continued, and where its chain stands.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: AuditFile,
    /// How it ended, before its torn end was cut off.
    pub(crate) tail: Tail,
    /// When the file is new: the rotated file it goes on from.
    pub(crate) predecessor: Option<(String, Position)>,
    /// The process before was killed in the middle of a rotation, which must be done again.
    pub(crate) is_half_rotated: bool,
}

/// The name a file of this stem gets on rotation, by the sequence number of its first record.
pub(crate) fn archive_name(stem: &str, first_sequence: u64) -> String {
    format!("{stem}{ARCHIVED_FROM}{first_sequence:012}{EXTENSION}")
}

/// Take a name apart: stem and, if the file was rotated, the sequence number of its first record. Names sort by this
/// in the order of their chain if `None` is taken as the last.
pub(crate) fn parse_name(name: &str) -> Option<(&str, Option<u64>)> {
    let name = name.strip_suffix(EXTENSION)?;
    match name.split_once(ARCHIVED_FROM) {
        Some((stem, first)) => Some((stem, Some(first.parse().ok()?))),
        None => Some((name, None)),
    }
}

/// Open the first file of this server that no other process has, and repair its end.
pub(crate) fn open(directory: &Path, server: &str, sealer: &Sealer) -> Result<Opened, AuditError> {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if server.is_empty() || server.len() > MAX_SERVER_BYTES || !server.bytes().all(is_fit) {
        return Err(AuditError::ServerName { server: server.to_owned() });
    }
    create_private_directory(directory)
        .map_err(|cause| AuditError::Directory { directory: directory.to_owned(), cause })?;
    for number in 1..=MAX_FILES {
        let stem = if number == 1 { server.to_owned() } else { format!("{server}.{number}") };
        let path = directory.join(format!("{stem}{EXTENSION}"));
        let locked = open_locked(&path).map_err(|cause| AuditError::File { file: path, cause })?;
        if let Some(file) = locked {
            return AuditFile { directory: directory.to_owned(), stem, file }.continued(sealer);
        }
    }
    Err(AuditError::NoFreeFile { directory: directory.to_owned(), slots: MAX_FILES })
}

/// `None` if another process has it.
fn open_locked(path: &Path) -> io::Result<Option<File>> {
    for _ in 0..OPENING_ATTEMPTS {
        let file = private_file().read(true).create(true).open(path)?;
        match file.try_lock() {
            // It may have been rotated away, and given up, since it was opened.
            Ok(()) if is_same_file(&fs::metadata(path)?, &file.metadata()?) => return Ok(Some(file)),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

impl AuditFile {
    /// Name without extension.
    pub(crate) fn stem(&self) -> &str {
        &self.stem
    }

    fn path(&self) -> PathBuf {
        self.directory.join(format!("{}{EXTENSION}", self.stem))
    }

    fn continued(mut self, sealer: &Sealer) -> Result<Opened, AuditError> {
        let path = self.path();
        let tail = read_tail(&mut self.file, sealer).map_err(|error| tail_error(&path, error))?;
        let failed = |cause| AuditError::File { file: path.clone(), cause };
        if tail.torn_bytes > 0 {
            self.file.set_len(tail.kept_bytes).and_then(|()| self.file.sync_all()).map_err(failed)?;
        }
        let predecessor = if tail.last.is_none() {
            sync_directory(&self.directory).map_err(failed)?;
            self.newest_archive(sealer)?
        } else {
            None
        };
        let archive = self.directory.join(archive_name(&self.stem, tail.first_sequence));
        let is_half_rotated = tail.last.is_some() && archive.exists();
        Ok(Opened { file: self, tail, predecessor, is_half_rotated })
    }

    fn newest_archive(&self, sealer: &Sealer) -> Result<Option<(String, Position)>, AuditError> {
        let failed = |cause| AuditError::Directory { directory: self.directory.clone(), cause };
        let mut newest: Option<(u64, String)> = None;
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if let Some((stem, Some(first))) = parse_name(&name)
                && stem == self.stem
                && newest.as_ref().is_none_or(|(so_far, _)| first > *so_far)
            {
                newest = Some((first, name));
            }
        }
        let Some((_, name)) = newest else { return Ok(None) };
        let path = self.directory.join(&name);
        let mut file = File::open(&path).map_err(|cause| AuditError::File { file: path.clone(), cause })?;
        let tail = read_tail(&mut file, sealer).map_err(|error| tail_error(&path, error))?;
        Ok(tail.last.map(|position| (name, position)))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Whether what is written here can still be found under its name. Writing to a deleted file would succeed.
    pub(crate) fn check_in_place(&self) -> io::Result<()> {
        match fs::metadata(self.path()) {
            Ok(found) if is_same_file(&found, &self.file.metadata()?) => Ok(()),
            Ok(_) => Err(io::Error::other("another file has taken the place of the audit file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(io::Error::other("the audit file was moved or removed"))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether there is room for another record: writes a file beside this one, and removes it.
    pub(crate) fn probe_space(&self) -> io::Result<()> {
        let path = self.directory.join(format!("{}.probe", self.stem));
        let mut file = create_anew(&path)?;
        let written = file.write_all(&[b'\n'; PROBE_BYTES]).and_then(|()| file.sync_data());
        drop(file);
        let removed = fs::remove_file(&path);
        written.and(removed)
    }

    /// Give this file the name `archive` and go on in a new one. The name of the current file exists at all times, and
    /// always means a locked file: a process that starts now cannot mistake it for a free one. After an error this
    /// file simply goes on.
    pub(crate) fn rotate(&mut self, archive: &str) -> io::Result<()> {
        self.file.sync_all()?;
        let path = self.path();
        let archive = self.directory.join(archive);
        link(&path, &archive, &self.file)?;
        let next_path = self.directory.join(format!("{}{EXTENSION}.next", self.stem));
        let next = create_anew(&next_path).and_then(|next| {
            next.try_lock()?;
            fs::rename(&next_path, &path)?;
            Ok(next)
        });
        match next {
            Ok(next) => self.file = next,
            Err(error) => {
                // Best effort: what stays behind is removed or used by the next attempt.
                let _ = fs::remove_file(&next_path);
                let _ = fs::remove_file(&archive);
                return Err(error);
            }
        }
        sync_directory(&self.directory)
    }
}

/// Like `hard_link`, but a link that is already there will do.
fn link(path: &Path, archive: &Path, file: &File) -> io::Result<()> {
    match fs::hard_link(path, archive) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if is_same_file(&fs::metadata(archive)?, &file.metadata()?) { Ok(()) } else { Err(error) }
        }
        linked => linked,
    }
}

/// Only the process that has the lock of the current file does this, so what is there is left over.
fn create_anew(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let options: &mut OpenOptions = &mut private_file();
    options.read(true).create_new(true).open(path)
}

fn tail_error(path: &Path, error: TailError) -> AuditError {
    match error {
        TailError::Io(cause) => AuditError::File { file: path.to_owned(), cause },
        TailError::Wrong(what) => AuditError::Tail { file: path.to_owned(), what },
    }
}

/// Whether these are two names of one file.
#[cfg(unix)]
pub(crate) fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    one.dev() == other.dev() && one.ino() == other.ino()
}

/// There is no stable way to tell here, and a file that is open cannot be replaced.
#[cfg(not(unix))]
pub(crate) fn is_same_file(_one: &Metadata, _other: &Metadata) -> bool {
    true
}
