//! What leaves the process, and what a reader may be told: secrets and personal data out, control, ANSI, bidi and
//! zero-width characters out, and a mark on text that talks to an assistant.
//!
//! Three independent functions over text, in the order in which text from a system under investigation meets
//! them:
//! - [`Redactor::mask`], when it is decoded: a secret becomes a stable token such as `<email:7f3a>`, so that the
//!   same value is still recognised as the same, here and in the other servers of the installation;
//! - [`clean`], when it is rendered: one record is one line of visible characters;
//! - [`addresses_assistant`], when it is rendered: whether to mark it as suspicious.
//!
//! Adding a class of secrets is adding a row to the table in `classes.rs`, and its rows of examples to the tests.
//!
//! What is deliberately absent: no I/O, no clock, no serde, no look-around or back-references. Every function takes
//! time linear in the length of the text, whoever wrote it.

mod assistant;
mod classes;
mod clean;
mod counts;
mod engine;
mod redactor;
mod token;

pub use assistant::addresses_assistant;
pub use clean::clean;
pub use counts::MaskCounts;
pub use redactor::{Masked, Redactor, RedactorConfig};
