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
//! A decoder that knows the name of a field says so ([`Redactor::mask_field`]). A token that comes back as an argument
//! is resolved by the [`Vault`], inside the process, on the way to a backend. An operator adds [`Rules`].
//!
//! Adding a class of secrets is adding a file in `classes/` and its name to the table in `classes.rs`, and its rows of
//! examples to the tests and to the corpus.
//!
//! What is deliberately absent: no I/O, no clock, no serde, no look-around or back-references. Every function takes
//! time linear in the length of the text, whoever wrote it.

mod assistant;
mod classes;
mod clean;
mod counts;
mod engine;
mod fields;
mod letters;
mod needles;
mod redactor;
mod rules;
mod token;
mod vault;

pub use assistant::addresses_assistant;
pub use clean::clean;
pub use counts::MaskCounts;
pub use redactor::{Masked, Memory, Redactor, RedactorConfig};
pub use rules::{CustomClass, RuleError, Rules};
pub use vault::{Left, Resolved, Unresolved, Vault};
