//! `get_service_golden_signals` through the whole server, over recordings that each test writes down and over replies of
//! stores that differ from Prometheus.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "tests fail loudly"
)]

mod common;
#[path = "get_service_golden_signals/conventions.rs"]
mod conventions;
#[path = "get_service_golden_signals/edges.rs"]
mod edges;
#[path = "get_service_golden_signals/goldens.rs"]
mod goldens;
#[path = "get_service_golden_signals/replies.rs"]
mod replies;
#[path = "get_service_golden_signals/world.rs"]
mod world;
