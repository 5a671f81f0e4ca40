//! What a generated recording must keep to, read from the files like any user of them would.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod alerts;
mod faults;
mod laws;
mod logs;
mod memory;
mod order;
mod reading;
mod repeatable;
