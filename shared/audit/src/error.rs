//! What can go wrong while writing records. Reading them back has its own error, [`crate::VerifyError`].

use std::io;
use std::path::PathBuf;

/// Why records cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The server's name becomes a file name.
    #[error("use `{server}` in an audit file name: only ASCII letters, digits, `-` and `_`, at most 64")]
    ServerName {
        /// The name as configured.
        server: String,
    },
    /// The directory cannot be created or listed.
    #[error("open the audit directory {}", directory.display())]
    Directory {
        /// The directory as configured.
        directory: PathBuf,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },
    /// A file cannot be opened, locked, read or repaired.
    #[error("open the audit file {}", file.display())]
    File {
        /// The file in question.
        file: PathBuf,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },
    /// Other processes hold all the files one server may have.
    #[error("find a free audit file in {}: {slots} processes have one already", directory.display())]
    NoFreeFile {
        /// The directory as configured.
        directory: PathBuf,
        /// How many names were tried.
        slots: u32,
    },
    /// The end of an existing file was not written with this key, or was changed since. Going on would hide it.
    #[error("continue the audit file {}: {what}; give the key it was written with, or move it away", file.display())]
    Tail {
        /// The file in question.
        file: PathBuf,
        /// What its last records show.
        what: &'static str,
    },
    /// The writing thread could not be started.
    #[error("start the audit thread")]
    Thread(#[source] io::Error),
    /// The sink does not take records. Those already accepted are kept in memory, and written when it works again.
    #[error("write audit records: {cause}")]
    Sink {
        /// What the operating system said.
        cause: String,
    },
    /// This record alone is lost: too many wait already, and `on_failure` is `warn`.
    #[error("keep an audit record: too many wait for the sink, {lost} lost so far")]
    Lost {
        /// How many were lost since the sink stopped working.
        lost: u64,
    },
    /// [`crate::Audit::shutdown`] was called.
    #[error("open an audit record: the server is stopping")]
    Stopped,
}

/// Why there is no key. No variant holds any part of one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not 64 hexadecimal digits.
    #[error("read the audit key: expected 64 hexadecimal digits")]
    Malformed,
    /// The same, of a key file. It is never overwritten: records may depend on it.
    #[error("read the audit key file {}: expected 64 hexadecimal digits", file.display())]
    MalformedFile {
        /// The key file.
        file: PathBuf,
    },
    /// There is no key file.
    #[error("no key at {}; give --key-file", file.display())]
    Missing {
        /// Where it was looked for.
        file: PathBuf,
    },
    /// The key file cannot be read or created.
    #[error("open the audit key file {}", file.display())]
    File {
        /// The key file.
        file: PathBuf,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },
    /// The operating system gives no random bytes.
    #[error("draw a random audit key: {0}")]
    Random(getrandom::Error),
}
