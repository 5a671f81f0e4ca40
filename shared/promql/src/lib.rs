//! PromQL over recorded series in memory.
//!
//! [`Store`] holds series, [`Query`] is what is asked, [`evaluate_at`] and [`evaluate_over`] answer. Within the subset
//! below, answers equal those of Prometheus 3 with its default settings, loaded with the same samples; anything else
//! fails and says what it was ([`EvalError::Unsupported`]). `tests/equal.rs` compares both.
//!
//! What is deliberately absent: no async, no I/O, no clock, no logging, no serde, no native histograms. Everything is
//! a function of the store, the query and the time asked for. Work is bounded by the query's limits and by
//! [`Options`], so that any query from anyone may be evaluated.
//!
//! # The subset
//! - Selectors with `=`, `!=`, `=~`, `!~`, quoted names, ranges, `offset` (negative too), `@` with a time, `start()`
//!   or `end()`; subqueries. Staleness and lookback; ranges without their start.
//! - Arithmetic `+ - * / % ^ atan2`, comparisons with and without `bool`, `and`, `or`, `unless`; `on`, `ignoring`,
//!   `group_left`, `group_right` with labels.
//! - `sum`, `avg`, `min`, `max`, `count`, `group`, `stddev`, `stdvar`, `quantile`, `topk`, `bottomk`, `count_values`;
//!   `by` and `without`.
//! - `rate`, `irate`, `increase`, `delta`, `idelta`, `resets`, `changes`, `deriv`, `predict_linear`.
//! - `avg`, `min`, `max`, `sum`, `count`, `first`, `last`, `present`, `absent`, `stddev`, `stdvar` and `quantile`
//!   `_over_time`.
//! - `histogram_quantile` and `histogram_fraction` of classic histograms.
//! - `label_replace`, `label_join`, `absent`, `sort`, `sort_desc`, `scalar`, `vector`, `time`, `timestamp`, `pi`.
//! - `abs`, `ceil`, `floor`, `round`, `clamp`, `clamp_min`, `clamp_max`, `sgn`, `exp`, `ln`, `log2`, `log10`, `sqrt`,
//!   `deg`, `rad`, the trigonometric and hyperbolic functions and their inverses.
//! - `minute`, `hour`, `day_of_week`, `day_of_month`, `day_of_year`, `days_in_month`, `month`, `year`.
//!
//! Outside are native histograms and their functions, everything experimental in Prometheus 3.15 (`info`,
//! `mad_over_time`, `double_exponential_smoothing`, `sort_by_label`, `limitk`, `limit_ratio`, `fill`, `smoothed`,
//! `anchored`, arithmetic with durations, …), and names that are removed only at the end of a query
//! (`promql-delayed-name-removal`).
//!
//! # Where answers may differ
//! - Functions such as `exp` and `sin` come from another mathematical library: the last digit may differ, and so may
//!   what is made of it by taking differences of almost equal values, or by `count_values`.
//! - Of equal values, `topk` and `bottomk` keep those that come first. So does Prometheus, but in a range query over
//!   anything but a selector it visits series in a random order.
//! - Logarithms of numbers below 2.2e-308, which Prometheus gets wrong on x86.
//! - Listings consider samples; Prometheus considers blocks of them, and may list a series that ends shortly before
//!   the window.

mod aggregate;
mod binary;
mod each;
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
mod sets;
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
