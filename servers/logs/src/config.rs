//! What an operator may set for this server, besides what all servers have.

use std::{collections::BTreeMap, path::PathBuf};

use runtime::{ServerConfig, WellKnown};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use upstream::SourceConfig;

use crate::model::Role;

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
    /// What else there is to say of Azure Data Explorer.
    pub adx: AdxConfig,
}

/// What is particular to Azure Data Explorer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdxConfig {
    /// Other databases of the cluster that a caller's KQL may name: `database("NAME")`. None when left out.
    pub databases: Vec<String>,
    /// Stored functions that a caller's KQL may call. What they do is not seen by the guard. None when left out.
    pub functions: Vec<String>,
    /// Hosts that may be sent a token besides those of Azure Data Explorer, Fabric and Synapse: `adx.example`.
    pub trusted_hosts: Vec<String>,
    /// How to sign in, where there is no `bearer_token`. Neither is needed for an emulator.
    pub sign_in: Option<SignInConfig>,
}

/// How tokens for a cluster are got.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInConfig {
    /// `client_secret`, `workload_identity` or `managed_identity`.
    pub method: SignInMethod,
    /// Tenant of the application; the variable `AZURE_TENANT_ID` is not read.
    #[serde(default)]
    pub tenant_id: String,
    /// Id of the application; of a managed identity only when the machine has several.
    #[serde(default)]
    pub client_id: String,
    /// Secret of the application.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub client_secret: Option<SecretString>,
    /// File that holds the secret of the application.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// File that holds the token of a workload identity, which Kubernetes renews.
    #[serde(default)]
    pub federated_token_file: Option<PathBuf>,
    /// Base URL of the authority, of sovereign clouds; Azure's public one, or the machine's own for a managed identity, when
    /// left out.
    #[serde(default)]
    pub authority: Option<String>,
}

/// A way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    /// An application with a secret.
    ClientSecret,
    /// An application that trusts the cluster's service account.
    WorkloadIdentity,
    /// The identity of the machine.
    ManagedIdentity,
}

impl Config {
    /// What is said of the logs of a source.
    pub(crate) fn logs_of(&self, source: &str) -> LogsConfig {
        let of_source = self.logs.iter().find(|logs| name(&logs.source) == name(source));
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

    fn times_of_logs(&self, incident: &str) -> Vec<String> {
        self.logs_of(incident).fields.remove(Role::Time.name()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(logs: Value) -> Config {
        serde_json::from_value(
            json!({ "elasticsearch": [{}], "opensearch": [{"name": "audit"}], "logs": [logs] }),
        )
        .unwrap()
    }

    #[test]
    fn the_time_of_a_recorded_incident_is_where_its_section_says() {
        let config = config(json!({ "source": "checkout", "fields": { "time": ["born"], "level": ["l"] } }));
        assert_eq!(config.times_of_logs("checkout"), ["born"]);
        assert!(config.times_of_logs("payment").is_empty());
    }
}
