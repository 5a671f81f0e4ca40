//! A model of a small online shop and its incidents, from which recorded incidents are generated.
#![allow(dead_code)]
mod cluster;
mod history;
mod incident;
mod load;
#[cfg(test)] mod dump;
mod lognormal;
mod random;
mod shop;
mod simulate;
mod station;
pub use incident::Fault;
