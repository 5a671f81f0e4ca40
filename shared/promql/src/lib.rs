//! PromQL over recorded series.
