//! Test support for every crate of the workspace: an MCP client that speaks the wire ([`mcp`]), a backend
//! that replays recorded replies ([`recorded`]), one that misbehaves ([`proxy`]), the real Prometheus over recorded files
//! ([`prometheus`]), texts that attack their reader ([`injection`]), a fuzzer ([`fuzz`]) and the memory a child process
//! took ([`rss`]).
//!
//! What holds of every server is demanded here once: of a shipped binary ([`program`]) on the wire ([`wire`]), in front of faults ([`faults`]) and
//! with credentials ([`secrets`]), of wrong arguments ([`bad_input`]), of a listing ([`listing`]), of an answer
//! ([`answer`]).
//!
//! It depends on no other crate of the workspace, so that each of them can use it in its tests, and it shares
//! no code with the servers: what it believes about MCP comes from the specification alone. Golden answers
//! are `insta` snapshots; there is nothing of our own for them.
//!
//! Everything here panics when something is not as it should be: a failed test is the error message.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "test support fails loudly"
)]

pub mod answer;
pub mod bad_input;
pub mod faults;
pub mod fuzz;
mod incident;
pub mod injection;
pub mod listing;
pub mod mcp;
pub mod program;
pub mod prometheus;
pub mod proxy;
pub mod recorded;
pub mod rss;
pub mod secrets;
pub mod wire;

pub use incident::incident;
