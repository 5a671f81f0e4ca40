//! `conformance-mcp`: what the MCP conformance suite wants to find in a server, behind the real runtime: its transports,
//! guard, audit log and confirmations. Test only; no part of it is in a shipped binary.
//!
//! - `fixtures`: the suite's tools, prompts and resources, in the protocol's own words.
//! - `flag`: a tool that changes something, for the tests of confirmations (no shipped server has one yet).

mod fixtures;
mod flag;

use std::sync::Arc;

use contract::Clock;
use runtime::{About, Loaded, Server, ServerConfig, WellKnown, cli};
use schemars::JsonSchema;
use serde::Deserialize;

pub use flag::Flags;

/// What the command line runs.
pub const PROGRAM: cli::Program<Config> = cli::Program { about: ABOUT, server: from_settings };

/// Its name and texts.
pub const ABOUT: About = About {
    name: "conformance-mcp",
    title: "Fixtures of the MCP conformance suite",
    version: env!("CARGO_PKG_VERSION"),
    instructions: "Fixtures for tests. Nothing here says anything about any system.",
    read_scope: "conformance:read",
    port: 8498,
    example_call: "test_simple_text",
};

/// What can be set.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Leave the suite's fixtures out: what remains is served exactly as shipped servers are.
    pub plain: bool,
}

impl ServerConfig for Config {
    const WELL_KNOWN: &'static [WellKnown] = &[];
    const WRITES: bool = true;
}

fn from_settings(loaded: &Loaded<Config>, _: Arc<dyn Clock>) -> Result<Server, cli::Failure> {
    let server = plain(Arc::default());
    Ok(if loaded.config.plain { server } else { server.fixtures(Arc::new(fixtures::Suite::default())) })
}

/// A server with a tool that sets these flags, and with nothing that shipped servers don't have.
#[must_use]
pub fn plain(flags: Arc<Flags>) -> Server {
    Server::new(ABOUT).tool(flag::SetFlag(flags))
}
