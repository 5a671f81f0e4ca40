//! PromQL over recorded series in memory.
//!
//! [`Store`] holds series, [`Query`] is what is asked, [`evaluate_at`] and [`evaluate_over`] answer. Within the subset
//! described in the crate's README, answers equal those of Prometheus 3 that has loaded the same samples; anything
//! else fails and says what it was ([`EvalError::Unsupported`]).
//!
//! What is deliberately absent: no async, no I/O, no clock, no logging, no serde, no native histograms. Everything is
//! a function of the store, the query and the time asked for. Work is bounded by the query's limits and by
//! [`Options`], so that any query from anyone may be evaluated.

mod aggregate;
mod binary;
mod eval;
mod functions;
mod histogram_calls;
mod kahan;
mod labels;
mod lex;
mod literal;
mod lower;
mod matcher;
mod over_range;
mod pattern;
mod plan;
mod postings;
mod quantile;
mod query;
mod select;
mod store;
mod track;
mod value;
mod vector_match;
mod window;

pub use eval::{evaluate_at, evaluate_over};
pub use labels::Labels;
pub use matcher::Selector;
pub use query::{ParseError, Query};
pub use store::{Store, StoreError};
pub use value::{EvalError, Options, Sample, Series, Value};
