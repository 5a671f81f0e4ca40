//! Lucene-style queries over records of logs in memory.
//!
//! ```text
//! text ─▶ Query::parse ─▶ Query ─▶ Query::filter ─▶ Filter ─▶ Filter::holds(record of a Store)
//! ```
//! The subset: words, `"phrases"`, `field:value`, `field:(a OR b)`, ranges, wildcards that do not lead, `_exists_:field`,
//! AND, OR, NOT, `+`, `-`, parentheses and escapes; plain words must all be there. Whatever is outside of it is an error
//! with its position and a remedy. Within it a query finds what Elasticsearch and OpenSearch find in fields of text. What is
//! a word is what their standard analyzer takes for one.
//!
//! Pure: no I/O, no clock.

mod filter;
mod parse;
mod query;
mod store;
mod words;

pub use filter::{Filter, Test};
pub use parse::ParseError;
pub use query::{Query, Value};
pub use store::{Builder, Facts, Fields, Full, NameId, Store};
pub use words::{finds_phrase, words};
