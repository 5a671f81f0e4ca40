//! Stack traces of nine languages: found in text, read from structured fields, put together again from records of one line
//! each, and given an identity that survives deployments.
//!
//! - [`extract`]: every trace in a text, with the place where it stands;
//! - [`from_fields`]: the trace in a record whose decoder already separated type, message and stack;
//! - [`rejoin`]: which records of a stream belong to one trace.
//!
//! A [`Trace`] is plain data: exceptions from the outermost to the root cause, frames with the innermost call first, what of
//! it is the application's own code ([`Application`]), and a fingerprint.
//!
//! One file a language in `language/`; each knows the one format and nothing of the others. Adding a language is
//! adding a file there, its row in `language.rs`, its libraries in `application.rs` and its noise in `normal.rs`.
//!
//! What is deliberately absent: no I/O, no clock, no serde, no regular expressions, no recursion. Every function takes time
//! linear in the length of the text, whoever wrote it. Texts are kept as given: masking is done before, rendering after.

mod application;
mod extract;
mod fields;
mod fingerprint;
mod language;
mod lines;
mod model;
mod names;
mod normal;
mod parts;
mod rejoin;

pub use application::Application;
pub use extract::extract;
pub use fields::from_fields;
pub use model::{Exception, Frame, Language, Relation, Trace};
pub use rejoin::{Joined, Record, rejoin};
