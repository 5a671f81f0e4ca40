//! Everything between a client and a tool: transports, registry, guard, health, shutdown, command line.
//!
//! The only crate that knows rmcp. A server hands over a [`Server`] (its tools, prompts and sources); everything
//! else is the same for all five.

mod aliases;
mod audits;
mod blocking;
mod call;
mod check;
pub mod cli;
mod confirm;
mod engine;
mod exchange;
mod fixtures;
mod guard;
mod handler;
mod http;
mod ids;
mod load;
mod metrics;
mod outcome;
mod prompts;
mod rates;
mod registry;
mod server;
pub mod settings;
mod state;
mod stdio;
mod telemetry;

pub use aliases::Aliases;
pub use blocking::{blocking, within};
pub use engine::{Engine, StartError};
pub use fixtures::{Answered, Changed, Fixtures, Round, RpcError};
pub use load::{LoadError, Loaded, ServerConfig, WellKnown, load};
pub use server::{About, CheckLine, Checking, Probe, Prompt, Server};
