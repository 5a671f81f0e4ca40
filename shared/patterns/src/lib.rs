//! Templates of log lines: what is constant in a line, what varies, and the filter that finds its lines again.
//!
//! 1. [`Template::of`] reads one line and knows no other: named masks (times, addresses, paths, quantities, quoted text
//!    …), then every other token with a digit, become `<*>`. The hash of the template is its identity, the same in every
//!    call, window, process and replica; two windows are compared by it.
//! 2. [`merge`] reads the set of templates, in any order: three or more that differ in one word are one [`Pattern`],
//!    which lists the identities it covers.
//! 3. [`Pattern::phrases`] are what a search engine can look for first. [`Filter`] is compiled from the text of a template
//!    or pattern: a regular expression that every line of it matches.
//!
//! What is deliberately absent: no I/O, no clock, no configuration, no state between lines except [`Tally`], which
//! counts. Time is linear in the length of the line, and of a line of more than 64 KiB only the beginning is read.

mod filter;
mod json;
mod kind;
mod merge;
mod quote;
mod scan;
mod tally;
mod template;
mod token;
mod words;

pub use filter::{Filter, FilterError};
pub use kind::Kind;
pub use merge::{Pattern, merge};
pub use tally::{Tallied, Tally};
pub use template::{Id, Template, WILDCARD};
