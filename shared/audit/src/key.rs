//! The key of the chain.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::error::KeyError;

const KEY_BYTES: usize = 32;
const KEY_FILE: &str = "audit.key";

/// The secret that seals records: 32 bytes. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; KEY_BYTES]);

impl Key {
    /// Read 64 hexadecimal digits; white space around them is ignored.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] for anything else. The text is not repeated.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; KEY_BYTES];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| KeyError::Malformed)?;
        Ok(Self(bytes))
    }

    /// 32 bytes for another purpose, which say nothing about this key: SHA-256(purpose ‖ 0 ‖ key).
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        use sha2::Digest;
        sha2::Sha256::new().chain_update(purpose).chain_update([0]).chain_update(self.0).finalize().into()
    }

    /// Read `audit.key` in this directory. Nothing is created.
    ///
    /// # Errors
    /// [`KeyError::Missing`] when there is none; when it cannot be read, or holds something else than a key.
    pub fn load(state_dir: &Path) -> Result<Self, KeyError> {
        let path = state_dir.join(KEY_FILE);
        match read_locked(&path) {
            Ok(Some(text)) => Self::from_file(&path, &text),
            Ok(None) => Err(KeyError::Missing { file: path }),
            Err(cause) => Err(KeyError::File { file: path, cause }),
        }
    }

    /// Read `audit.key` in this directory; create both (0700, 0600) with 32 random bytes of the operating system
    /// where there is none. Processes that start at the same moment get the same key: the first to lock the empty
    /// file writes it, the others read it.
    ///
    /// # Errors
    /// When the file cannot be read or created, or holds something else than a key.
    pub fn load_or_create(state_dir: &Path) -> Result<Self, KeyError> {
        let path = state_dir.join(KEY_FILE);
        let failed = |cause: io::Error| KeyError::File { file: path.clone(), cause };

        // First without any wish to write: a state directory may be mounted read-only once it has a key.
        if let Some(text) = read_locked(&path).map_err(failed)? {
            return Self::from_file(&path, &text);
        }
        create_private_directory(state_dir).map_err(failed)?;
        let mut file = private_file().read(true).create(true).open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        if !text.is_empty() {
            return Self::from_file(&path, &text);
        }
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
        file.write_all(format!("{}\n", hex::encode(bytes)).as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        sync_directory(state_dir).map_err(failed)?;
        Ok(Self(bytes))
    }

    fn from_file(path: &Path, text: &str) -> Result<Self, KeyError> {
        warn_if_others_can_read(path);
        Self::from_hex(text).map_err(|_| KeyError::MalformedFile { file: path.to_owned() })
    }

    /// The raw bytes.
    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(hidden)")
    }
}

/// The content of a key file that somebody has finished writing.
fn read_locked(path: &Path) -> io::Result<Option<String>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    file.lock_shared()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok((!text.is_empty()).then_some(text))
}

/// Create a directory, and those above it, that only its owner may enter. One that exists is left as it is.
pub(crate) fn create_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Options for appending to a file that only its owner may read.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Make the names in a directory durable. A file's own `sync` does not.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(unix)]
fn warn_if_others_can_read(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let open_to_others =
        std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
    if open_to_others {
        tracing::warn!(file = %path.display(), "others than its owner may read the audit key; set its mode to 0600");
    }
}

#[cfg(not(unix))]
fn warn_if_others_can_read(_path: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        let key = Key::from_hex(&format!(" {}\n", "0aF1".repeat(16))).unwrap();
        assert_eq!(key.bytes(), [0x0a, 0xf1].repeat(16).as_slice());
        for wrong in ["", "00", &"0".repeat(63), &"0".repeat(66), &"g".repeat(64)] {
            assert!(matches!(Key::from_hex(wrong), Err(KeyError::Malformed)), "{wrong}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_key() {
        let key = Key::from_hex(&"ab".repeat(32)).unwrap();
        assert_eq!(format!("{key:?}"), "Key(hidden)");
    }

    #[test]
    fn a_created_key_is_private_random_and_found_again() {
        let room = tempfile::tempdir().unwrap();
        let state = room.path().join("state");
        let created = Key::load_or_create(&state).unwrap();
        assert_eq!(Key::load_or_create(&state).unwrap(), created);
        assert_ne!(Key::load_or_create(&room.path().join("other")).unwrap(), created);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&state), 0o700);
            assert_eq!(mode(&state.join(KEY_FILE)), 0o600);
        }
    }

    #[test]
    fn racing_starters_get_one_key() {
        let room = tempfile::tempdir().unwrap();
        for round in 0..20 {
            let state = room.path().join(round.to_string());
            let keys: Vec<Key> = std::thread::scope(|scope| {
                let racers: Vec<_> =
                    (0..8).map(|_| scope.spawn(|| Key::load_or_create(&state).unwrap())).collect();
                racers.into_iter().map(|racer| racer.join().unwrap()).collect()
            });
            assert!(keys.iter().all(|key| Some(key) == keys.first()));
        }
    }

    #[test]
    fn a_damaged_key_file_is_an_error_and_stays_as_it_is() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join(KEY_FILE);
        std::fs::write(&path, "c0ffee\n").unwrap();
        assert!(matches!(Key::load_or_create(room.path()), Err(KeyError::MalformedFile { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "c0ffee\n");
    }
}
