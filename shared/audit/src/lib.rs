//! One tamper-evident record per call, and its verifier.
//!
//! [`Audit::begin`] opens an [`Entry`] before anything can fail, [`Entry::close`] writes its record, and an
//! entry that is dropped instead writes one too: exactly one record per call. [`verify`] checks what was
//! written. Nothing here knows MCP, tools or backends, so that the verifier stays small enough to be read.
//!
//! # The file, exactly
//! Enough to write a verifier in another language; `tests/audit_chain.py` is one.
//!
//! A file is a sequence of lines, each ended by one `\n` (0x0A). A line is one JSON object in UTF-8 without
//! white space between its tokens, and it always
//! - begins with `{"version":1,"sequence":N,"time":"T"`, N decimal, T in RFC 3339, UTC, milliseconds;
//! - ends with `,"mac":"M"}`, M being 64 lowercase hexadecimal digits.
//!
//! If the field after `time` is `event`, the line is a [`Control`] record, otherwise a [`Record`] of a call.
//!
//! **Chain.** The *covered bytes* of a line are the line without its `\n` and without `,"mac":"M"`: everything
//! before that field, followed by `}`. With `‖` for concatenation and 32 raw bytes for a mac:
//!
//! ```text
//! mac(n) = HMAC-SHA256(key, mac(n-1) ‖ covered bytes of line n)
//! ```
//!
//! The key is 32 bytes; key files hold it as 64 hexadecimal digits. Sequence numbers rise by exactly one from
//! line to line, across files too.
//!
//! **Where a chain begins.** The first line of a file is one of:
//! - `"event":"started"`, sequence 1: a new chain, mac(0) is 32 zero bytes;
//! - `"event":"rotated"`: the chain goes on from the file named in `previous_file`, and mac(n-1) is its
//!   `previous_mac`, which must be the mac of the last line of that file.
//!
//! A `started` record further down is a restart and chains from the line before it. (`rotated` further down is
//! legal too: the file could not be renamed just then, and went on.) There is one exception, for standard
//! output, which cannot be read back: where `"sink":"stream"`, a `started` record of sequence 1 may stand
//! anywhere and begins a new chain from zero bytes, provided that the chain before it was a stream's as well.
//!
//! **The end.** Bytes after the last `\n` are a torn record of a killed process. The next start cuts them off,
//! and says how many in `"event":"recovered"`.
//!
//! # What a chain cannot show
//! - That its end was cut off, or that a whole file vanished and a new one was begun. Note [`Report::last`] from
//!   time to time somewhere else and give it to [`verify`] as [`Noted`].
//! - Where standard output was collected: that all of a process's run is missing, or that two runs changed places.
//! - Anything to somebody who has the key: they can write a new chain. Keep it from those who are audited.
//!
//! # Directory
//! One process, one file: `SERVER.jsonl`, exclusively locked (advisory), or `SERVER.2.jsonl` … `SERVER.64.jsonl`
//! when those before are taken by other processes. At its maximum size a file gets the name
//! `SERVER.from-FIRSTSEQUENCE.jsonl` and a new one goes on. Rotation needs hard links, so that the name is never
//! missing while other processes look for a free one; without them the file just grows, and a warning says so.
//! Nothing else may rename, truncate or rotate the files.
//!
//! # Durability
//! Records are sealed by the caller and written by one thread, so that a slow disk or a stalled pipe holds up no
//! read. Everything is on disk within a second; the record of a write is on disk when `close` returns.

mod arguments;
mod call;
mod chain;
mod directory;
mod error;
mod key;
mod output;
mod queue;
mod record;
mod sink;
mod summary;
mod tail;
mod verify;

pub use arguments::{MAX_ARGUMENT_BYTES, canonical, fingerprint};
pub use call::{Closing, Entry, Facts, UNIDENTIFIED, UpstreamLog};
pub use error::{AuditError, KeyError};
pub use key::Key;
pub use record::{Control, Decision, Effect, Event, Outcome, Record, SinkKind, Transport, UpstreamCall};
pub use sink::{Audit, AuditConfig, Clock, Lines, OnFailure};
pub use summary::{Summary, Use, summarize};
pub use verify::{Flaw, Mark, Noted, Report, VerifyError, verify, verify_reader};
