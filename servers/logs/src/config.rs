//! What an operator may set for this server, besides what all servers have.

use std::{collections::BTreeMap, path::PathBuf};

use runtime::{ServerConfig, WellKnown};
use schemars::JsonSchema;
use serde::Deserialize;
use upstream::SourceConfig;

/// The settings of `logs-mcp`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Elasticsearch clusters (7.17, 8.x). The first source of all answers unless a call names another.
    pub elasticsearch: Vec<SourceConfig>,
    /// OpenSearch clusters (2.x).
    pub opensearch: Vec<SourceConfig>,
    /// Azure Data Explorer clusters.
    pub adx: Vec<SourceConfig>,
    /// What of a source are logs, and which of their fields are which, where that is not found out right.
    pub logs: Vec<LogsConfig>,
    /// A TOML file that says what services are called elsewhere: `[checkout]` with `logs = "checkout-svc"`.
    pub aliases_file: Option<PathBuf>,
}

/// The logs of one source.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogsConfig {
    /// Name of the source; `main` when left out.
    pub source: String,
    /// Index patterns of Elasticsearch and OpenSearch, tables of Azure Data Explorer: only these are read. All that are
    /// not system indices when left out.
    pub indices: Vec<String>,
    /// Database of Azure Data Explorer.
    pub database: String,
    /// Fields by role (`time`, `ingested`, `message`, `level`, `service`, `version`, `namespace`, `pod`, `container`,
    /// `host`, `trace`, `span`, `error_type`, `error_message`, `error_stack`), the preferred first, instead of those
    /// found out: `service = ["labels.app"]`.
    pub fields: BTreeMap<String, Vec<String>>,
}

impl Config {
    /// What is said of the logs of a source.
    pub(crate) fn logs_of(&self, source: &SourceConfig) -> LogsConfig {
        let of_source = self.logs.iter().find(|logs| name(&logs.source) == name(&source.name));
        of_source.cloned().unwrap_or_default()
    }
}

/// A source's name; `main` when left out.
pub(crate) fn name(given: &str) -> &str {
    if given.is_empty() { "main" } else { given }
}

impl ServerConfig for Config {
    const WELL_KNOWN: &'static [WellKnown] = &[
        WellKnown { variable: "ELASTICSEARCH_URL", list: "elasticsearch", key: "url" },
        WellKnown { variable: "ELASTICSEARCH_USERNAME", list: "elasticsearch", key: "basic.username" },
        WellKnown { variable: "ELASTICSEARCH_PASSWORD", list: "elasticsearch", key: "basic.password" },
        WellKnown { variable: "ELASTICSEARCH_API_KEY", list: "elasticsearch", key: "api_key" },
        WellKnown { variable: "OPENSEARCH_URL", list: "opensearch", key: "url" },
        WellKnown { variable: "OPENSEARCH_USERNAME", list: "opensearch", key: "basic.username" },
        WellKnown { variable: "OPENSEARCH_PASSWORD", list: "opensearch", key: "basic.password" },
        WellKnown { variable: "ADX_URL", list: "adx", key: "url" },
        WellKnown { variable: "ADX_TOKEN", list: "adx", key: "bearer_token" },
    ];
}
