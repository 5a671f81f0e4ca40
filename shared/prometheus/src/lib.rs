//! Client of Prometheus-like systems: Prometheus 2.42 to 3.x, Thanos, Mimir, Cortex and VictoriaMetrics.
//!
//! Only this crate knows their wire format. Decoding is lenient in what these systems differ in (missing and
//! unknown fields, numbers as text or as JSON, `null` data, native histograms, error bodies of every kind) and
//! strict in what would otherwise be a false answer: a web page, a cut reply or a reply without data is an error,
//! never an empty result. Every text is masked where it is decoded, once for each distinct text of a reply.

mod catalog;
mod client;
mod decode;
mod error;
mod exemplars;
mod given_back;
mod histogram;
mod labels;
mod limits;
mod names;
mod reply;
mod rules;
mod selector;
mod series;
mod status;
mod transport;
mod wire;

pub use catalog::{Listing, Metadata, MetricKind};
pub use client::{ENDPOINTS, Prometheus};
pub use error::{Error, RejectionKind};
pub use exemplars::{Exemplar, ExemplarSeries, Exemplars};
pub use given_back::given_back;
pub use histogram::{Bounds, Bucket, Histogram};
pub use labels::Labels;
pub use rules::{ActiveAlert, AlertState, Alerting, Rule, RuleGroup, RuleHealth, RuleKind, Rules};
pub use selector::{MatchOp, label_name, selector};
pub use series::{Data, Point, QueryOptions, QueryReply, Series};
pub use status::{BuildInfo, Counted, Flavour, TsdbStatus};
