//! Pure analyses: no async, no I/O, no clock, no logging.

pub(crate) mod alerts;
pub(crate) mod baseline;
pub(crate) mod capacity;
pub(crate) mod cardinality;
pub(crate) mod comparison;
pub(crate) mod exemplars;
pub(crate) mod promql;
pub(crate) mod ranking;
pub(crate) mod search;
pub(crate) mod signals;
pub(crate) mod transform;
pub(crate) mod unusual;
pub(crate) mod workload;
