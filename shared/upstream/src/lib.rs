//! The rules of every way out to a backend.
//!
//! Whichever library speaks, a request goes through [`Upstream::send`]: allow-listed endpoint, deadline over the
//! whole exchange (so that a trickle can't hold a call), at most two retries within a retry budget, circuit
//! breaker, bounded concurrency, a cap on decompressed bytes, credentials from configuration only, redirects off,
//! and a note in the call's trail for each attempt, finished or not.

mod ask;
mod attempt;
mod breaker;
mod cached;
mod client;
mod config;
mod credentials;
mod error;
mod places;
mod source;

pub use ask::{Ask, Endpoint, Method, Reply};
pub use client::ConfigError;
pub use config::{BasicAuth, Limits, SourceConfig};
pub use error::UpstreamError;
pub use places::{Place, Places, Who};
pub use source::{Health, Upstream};

/// Bytes of a body, shared rather than copied.
pub use bytes::Bytes;
/// A URL, taken apart and put together as the standard says.
pub use reqwest::Url;
