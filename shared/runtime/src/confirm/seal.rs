//! Sealed state: what goes out to a client with a question and comes back with the answer, untouched or not at all.
//!
//! rmcp's codec seals (HMAC-SHA256 over the content and the [`super::Binding`]); expiry and single use are ours. The
//! state is signed, not secret: it holds a random note, a time and a fingerprint.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use contract::Clock;
use rmcp::model::{RequestStateCodec, SealOptions};
use serde::{Deserialize, Serialize};

use super::LIFETIME;

/// What one sealed state is known by: once its name is noted as used, it is worthless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    id: String,
    until: i64,
}

/// What is in a state.
#[derive(Serialize, Deserialize)]
struct Sealed {
    id: String,
    /// Seconds since the epoch.
    until: i64,
    content: String,
}

/// What became of a state that came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unsealed {
    Ours { note: Note, content: String },
    Expired,
    Foreign,
}

/// Seals, opens, and remembers what was used.
pub(crate) struct Seal {
    /// `None` would need a key that is too short.
    codec: Option<RequestStateCodec>,
    clock: Arc<dyn Clock>,
    used: Mutex<BTreeMap<String, i64>>,
    /// Where processes that share a state directory note what was used.
    directory: Option<PathBuf>,
}

impl Seal {
    pub(crate) fn new(key: [u8; 32], directory: Option<PathBuf>, clock: Arc<dyn Clock>) -> Seal {
        let directory = directory.map(|directory| directory.join("used"));
        Seal { codec: RequestStateCodec::try_new(key).ok(), clock, used: Mutex::default(), directory }
    }

    /// Seals `content` for the call that `binding` describes.
    pub(crate) fn seal(&self, content: &str, binding: &str) -> Result<String, String> {
        let until = self.now() + i64::try_from(LIFETIME.as_secs()).unwrap_or(i64::MAX);
        let sealed = Sealed { id: random_id()?, until, content: content.to_owned() };
        let options = SealOptions::new().associated_data(binding.as_bytes());
        let codec = self.codec.as_ref().ok_or("there is no key")?;
        codec.seal_json_with(&sealed, &options).map_err(|error| error.to_string())
    }

    /// Opens what came back, which may be anything.
    pub(crate) fn open(&self, state: &str, binding: &str) -> Unsealed {
        let Some(codec) = &self.codec else { return Unsealed::Foreign };
        match codec.open_json_with::<Sealed>(state, binding.as_bytes()) {
            Ok(sealed) if sealed.until <= self.now() => Unsealed::Expired,
            Ok(Sealed { id, until, content }) => Unsealed::Ours { note: Note { id, until }, content },
            Err(_) => Unsealed::Foreign,
        }
    }

    /// Uses a state up; false when it was used before, by whichever process.
    pub(crate) fn claim(&self, note: &Note) -> io::Result<bool> {
        let now = self.now();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, until| *until > now);
        if used.insert(note.id.clone(), note.until).is_some() {
            return Ok(false);
        }
        drop(used);
        let Some(directory) = &self.directory else { return Ok(true) };
        super::pending::private_directory(directory)?;
        forget_lapsed(directory, now);
        match super::pending::private_file().create_new(true).open(directory.join(file_name(note))) {
            Ok(file) => file.sync_all().map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether a state was used before, by whichever process. Uses nothing up.
    pub(crate) fn is_spent(&self, note: &Note) -> bool {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.contains_key(&note.id)
            || self.directory.as_ref().is_some_and(|directory| directory.join(file_name(note)).exists())
    }

    fn now(&self) -> i64 {
        self.clock.now().as_second()
    }
}

/// `EXPIRY-ID`, so that what has lapsed can be removed without being read.
fn file_name(note: &Note) -> String {
    format!("{}-{}", note.until, note.id)
}

fn forget_lapsed(directory: &Path, now: i64) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let until =
            name.to_str().and_then(|name| name.split_once('-')).and_then(|(until, _)| until.parse().ok());
        if until.is_some_and(|until: i64| until <= now) {
            // Another process may have been faster.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// 128 random bits.
pub(crate) fn random_id() -> Result<String, String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
    Ok(hex::encode(bytes))
}
