//! Changes that wait for a person's approval in a terminal, one file each.
//!
//! A file holds one sealed text, so that only who has the key can write an approval: changing a file, or renaming one to
//! another code, makes it worthless. It is named by its code, which is random; removing it is using it up, and only one
//! process can.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use contract::Clock;
use rmcp::model::{RequestStateCodec, SealOptions};
use serde::{Deserialize, Serialize};

use super::{Binding, LIFETIME, seal::random_id};

/// More than a person would look through in five minutes.
const MOST: usize = 16;
/// No vowels, so that no code is a word; nothing that is misread.
const LETTERS: &[u8] = b"23456789BCDFGHJKMNPQRSTVWXZ";

/// One change that waits, or has been approved and not yet made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// Names it for people, such as `K7QM-2XWD`.
    pub(crate) code: String,
    /// The tool.
    pub(crate) tool: String,
    /// Who called.
    pub(crate) principal: String,
    /// Canonical JSON.
    pub(crate) arguments: String,
    /// What the person agrees to.
    pub(crate) message: String,
    /// SHA-256 of the call.
    binding: String,
    /// SHA-256 of the message.
    shown: String,
    /// Seconds since the epoch.
    until: i64,
    /// Who approved it, once somebody has.
    approved_by: Option<String>,
}

impl Waiting {
    /// When it lapses, for people.
    pub(crate) fn until(&self) -> String {
        jiff::Timestamp::from_second(self.until).map_or_else(|_| "now".to_owned(), |time| time.to_string())
    }
}

/// What there is about a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Approval {
    /// Somebody approved it; that is used up now.
    Given { by: String },
    /// It waits.
    Awaited(Waiting),
    /// Too many wait already.
    TooMany,
    /// There is no directory for approvals.
    Nowhere,
}

/// The directory.
pub(crate) struct Pending {
    codec: Option<RequestStateCodec>,
    directory: Option<PathBuf>,
    clock: Arc<dyn Clock>,
}

impl Pending {
    pub(crate) fn new(key: [u8; 32], directory: Option<PathBuf>, clock: Arc<dyn Clock>) -> Pending {
        let directory = directory.map(|directory| directory.join("pending"));
        Pending { codec: RequestStateCodec::try_new(key).ok(), directory, clock }
    }

    /// Whether this call was approved (which uses the approval up), waits already, or waits from now on.
    pub(crate) fn look(&self, binding: &Binding, message: String, shown: &str) -> io::Result<Approval> {
        let Some(directory) = &self.directory else { return Ok(Approval::Nowhere) };
        private_directory(directory)?;
        let all = self.all(directory)?;
        let fingerprint = binding.fingerprint();
        for found in all.iter().filter(|found| found.binding == fingerprint && found.shown == shown) {
            match &found.approved_by {
                Some(by) if remove(directory, &found.code)? => return Ok(Approval::Given { by: by.clone() }),
                // Another process used it in this moment.
                Some(_) => {}
                None => return Ok(Approval::Awaited(found.clone())),
            }
        }
        if all.len() >= MOST {
            return Ok(Approval::TooMany);
        }
        let waiting = Waiting {
            code: random_code()?,
            tool: binding.name.clone(),
            principal: binding.principal.clone(),
            arguments: binding.arguments.clone(),
            message,
            binding: fingerprint,
            shown: shown.to_owned(),
            until: self.now() + i64::try_from(LIFETIME.as_secs()).unwrap_or(i64::MAX),
            approved_by: None,
        };
        self.write(directory, &waiting)?;
        Ok(Approval::Awaited(waiting))
    }

    /// The change of this code, if it waits still.
    pub(crate) fn find(&self, code: &str) -> io::Result<Option<Waiting>> {
        let Some(directory) = &self.directory else { return Ok(None) };
        let Some(code) = spelt(code) else { return Ok(None) };
        Ok(self.read(directory, &code).filter(|found| found.approved_by.is_none()))
    }

    /// Notes that `by` approved it. False when it is no longer there to be approved.
    pub(crate) fn approve(&self, waiting: &Waiting, by: &str) -> io::Result<bool> {
        let Some(directory) = &self.directory else { return Ok(false) };
        if self.find(&waiting.code)?.as_ref() != Some(waiting) {
            return Ok(false);
        }
        let approved = Waiting { approved_by: Some(by.to_owned()), ..waiting.clone() };
        self.write(directory, &approved)?;
        Ok(true)
    }

    /// Everything that is ours and has not lapsed; what has is removed.
    fn all(&self, directory: &Path) -> io::Result<Vec<Waiting>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(code) = name.to_str().and_then(spelt) else { continue };
            match self.read(directory, &code) {
                Some(waiting) => all.push(waiting),
                // Lapsed, or nothing of ours: worthless either way. It may be gone already.
                None => drop(fs::remove_file(entry.path())),
            }
        }
        all.sort_by(|one, other| one.code.cmp(&other.code));
        Ok(all)
    }

    fn read(&self, directory: &Path, code: &str) -> Option<Waiting> {
        let sealed = fs::read_to_string(directory.join(code)).ok()?;
        let waiting: Waiting = self.codec.as_ref()?.open_json_with(&sealed, domain(code).as_bytes()).ok()?;
        (waiting.until > self.now()).then_some(waiting)
    }

    /// Whoever reads meanwhile sees the old content or the new, never a part.
    fn write(&self, directory: &Path, waiting: &Waiting) -> io::Result<()> {
        let codec = self.codec.as_ref().ok_or_else(|| io::Error::other("there is no key"))?;
        let domain = domain(&waiting.code);
        let options = SealOptions::new().associated_data(domain.as_bytes());
        let sealed = codec.seal_json_with(waiting, &options).map_err(io::Error::other)?;
        let new = directory.join(format!(".{}.new", waiting.code));
        let mut file = private_file().truncate(true).create(true).open(&new)?;
        file.write_all(sealed.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, directory.join(&waiting.code))
    }

    fn now(&self) -> i64 {
        self.clock.now().as_second()
    }
}

/// Apart from every state that goes to a client, and from every other code.
fn domain(code: &str) -> String {
    format!("approval {code}")
}

/// True for the one process that removes it.
fn remove(directory: &Path, code: &str) -> io::Result<bool> {
    match fs::remove_file(directory.join(code)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A code as its file is named, if it is one at all (and not a path).
fn spelt(code: &str) -> Option<String> {
    let code: String = code.trim().to_ascii_uppercase();
    let letters = code.bytes().filter(|byte| LETTERS.contains(byte)).count();
    (code.len() == 9 && letters == 8 && code.as_bytes().get(4) == Some(&b'-')).then_some(code)
}

fn random_code() -> io::Result<String> {
    let id = random_id().map_err(io::Error::other)?;
    let mut number = u64::from_str_radix(id.get(..16).unwrap_or_default(), 16).map_err(io::Error::other)?;
    let mut code = String::new();
    for place in 0..8 {
        if place == 4 {
            code.push('-');
        }
        let letter = usize::try_from(number % LETTERS.len() as u64).unwrap_or_default();
        code.push(LETTERS.get(letter).copied().map_or('2', char::from));
        number /= LETTERS.len() as u64;
    }
    Ok(code)
}

/// A directory, and those above it, that only its owner may enter.
pub(super) fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Options for a file that only its owner may read.
pub(super) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
