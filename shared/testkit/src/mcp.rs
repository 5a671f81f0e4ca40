//! A small MCP client that writes and reads raw JSON-RPC, with no SDK in between.
//!
//! [`Client`] asks; it reaches its server over any pair of streams ([`Client::over`]), over the standard
//! streams of a child process ([`Client::spawn`]) or over HTTP ([`Client::over_http`]), in either [`Era`] of
//! the protocol, so that one test can go through all of them. [`HttpClient`] sends single HTTP requests with
//! any header or none, for tests of the wire itself.
//!
//! ```no_run
//! use testkit::mcp::{Client, Era};
//! # async fn example() {
//! let mut client = Client::spawn(std::process::Command::new("metrics-mcp"));
//! client.connect(Era::Stateless).await;
//! let reply = client.call("query_metrics", serde_json::json!({"promql": "up", "time_range": "1h"})).await;
//! assert!(!reply.is_error, "{}", reply.text);
//! # }
//! ```

mod child;
mod client;
mod http;
mod inbox;
mod messages;
mod pending;
mod posts;

pub use child::Child;
pub use client::Client;
pub use http::{HttpClient, HttpReply, HttpRequest};
pub use messages::{Era, ToolReply};
pub use pending::Pending;

use std::time::Duration;

/// How long the client waits for any one answer before it gives the test up.
pub const PATIENCE: Duration = Duration::from_secs(120);
