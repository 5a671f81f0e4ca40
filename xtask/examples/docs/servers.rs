//! The servers whose reference is written.

use std::{collections::BTreeMap, path::Path};

use runtime::{About, ServerConfig, WellKnown};
use serde_json::Value;

use crate::configuration;

/// Whether a file and variables are a configuration, or what is wrong with it.
type Loads = fn(Option<&Path>, &BTreeMap<String, String>) -> Result<(), String>;

/// What the generator must know of one server.
pub(crate) struct Documented {
    /// Name, scope, instructions.
    pub(crate) about: About,
    /// Its own variables.
    pub(crate) well_known: &'static [WellKnown],
    /// Schema of its own settings.
    pub(crate) schema: Value,
    /// A list of its sources: two of them, because `source` is not listed with one.
    pub(crate) sources: &'static str,
    /// The server's own way to its configuration.
    pub(crate) loads: Loads,
}

/// All that exist.
pub(crate) fn all() -> [Documented; 2] {
    [
        Documented {
            about: metrics_mcp::PROGRAM.about,
            well_known: metrics_mcp::Config::WELL_KNOWN,
            schema: configuration::schema::<metrics_mcp::Config>(),
            sources: "prometheus",
            loads: |file, environment| loaded::<metrics_mcp::Config>("metrics-mcp", file, environment),
        },
        Documented {
            about: logs_mcp::PROGRAM.about,
            well_known: logs_mcp::Config::WELL_KNOWN,
            schema: configuration::schema::<logs_mcp::Config>(),
            sources: "opensearch",
            loads: |file, environment| loaded::<logs_mcp::Config>("logs-mcp", file, environment),
        },
    ]
}

fn loaded<Config: ServerConfig>(
    server: &str,
    file: Option<&Path>,
    environment: &BTreeMap<String, String>,
) -> Result<(), String> {
    runtime::load::<Config>(server, file, environment).map(|_| ()).map_err(|error| error.problem)
}

impl Documented {
    /// `METRICS_MCP`.
    pub(crate) fn prefix(&self) -> String {
        self.about.name.replace('-', "_").to_uppercase()
    }

    /// `metrics`.
    pub(crate) fn short(&self) -> &str {
        self.about.name.trim_end_matches("-mcp")
    }
}
