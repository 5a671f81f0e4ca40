//! What an operator may set for this server, besides what all servers have.

use std::{collections::BTreeMap, path::PathBuf};

use runtime::{ServerConfig, WellKnown};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use upstream::{ConfigError, SourceConfig};

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
    /// Name of the source, or id of a recorded incident; `main` when left out. Where several systems have sources without a
    /// name, these are called `elasticsearch`, `opensearch` and `adx`.
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
    /// With a name for each source that has none, where more than one system has such: that of the system.
    pub(crate) fn named(mut self) -> Config {
        let mut lists = [
            ("elasticsearch", &mut self.elasticsearch),
            ("opensearch", &mut self.opensearch),
            ("adx", &mut self.adx),
        ];
        let with_unnamed = lists.iter().filter(|(_, list)| list.iter().any(|source| source.name.is_empty()));
        if with_unnamed.count() > 1 {
            for (system, list) in &mut lists {
                let unnamed = list.iter_mut().filter(|source| source.name.is_empty());
                unnamed.for_each(|source| source.name = (*system).to_owned());
            }
        }
        self
    }

    /// What is said of the logs of a source.
    pub(crate) fn logs_of(&self, source: &str) -> LogsConfig {
        let of_source = self.logs.iter().find(|logs| name(&logs.source) == name(source));
        of_source.cloned().unwrap_or_default()
    }

    /// What is said of a source that is none, or of a role that is none, would be lost without a word. `incident` is the id
    /// of a recorded incident that takes the place of all sources.
    ///
    /// # Errors
    /// Names the source, and what there is instead.
    pub(crate) fn check_logs(&self, incident: Option<&str>) -> Result<(), ConfigError> {
        let sources = self.elasticsearch.iter().chain(&self.opensearch).chain(&self.adx);
        let sources: Vec<&str> = sources.map(|source| name(&source.name)).chain(incident).collect();
        let twice = |(place, name): &(usize, &&str)| sources.iter().take(*place).any(|other| other == *name);
        if let Some((_, name)) = sources.iter().enumerate().find(twice) {
            let problem = "another source has this name, too: calls could not tell them apart".to_owned();
            return Err(ConfigError { source_name: (*name).to_owned(), setting: "name", problem });
        }
        for (place, logs) in self.logs.iter().enumerate() {
            let wrong = |setting, problem| ConfigError {
                source_name: name(&logs.source).to_owned(),
                setting,
                problem,
            };
            if !sources.contains(&name(&logs.source)) {
                let known = match sources.as_slice() {
                    [] => "there is no source".to_owned(),
                    known => format!("there are: {}", known.join(", ")),
                };
                return Err(wrong("logs.source", format!("no source has this name; {known}")));
            }
            if self.logs.iter().take(place).any(|other| name(&other.source) == name(&logs.source)) {
                let problem = "another [[logs]] is of this source, too: write one of both".to_owned();
                return Err(wrong("logs.source", problem));
            }
            let roles = Role::ALL.map(Role::name);
            if let Some(role) = logs.fields.keys().find(|role| !roles.contains(&role.as_str())) {
                let shown: String = role.escape_default().take(60).collect();
                let problem = format!("`{shown}` is no role of a field; known: {}", roles.join(", "));
                return Err(wrong("logs.fields", problem));
            }
        }
        Ok(())
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
    fn sources_of_several_systems_are_told_apart() {
        for (config, names, wrong) in [
            (json!({ "elasticsearch": [{}], "opensearch": [{}] }), ["elasticsearch", "opensearch"], None),
            (json!({ "elasticsearch": [{}], "opensearch": [{ "name": "audit" }] }), ["", "audit"], None),
            (
                json!({ "elasticsearch": [{ "name": "main" }], "opensearch": [{}] }),
                ["main", ""],
                Some(
                    "`name` of source \"main\": another source has this name, too: calls could not tell them apart",
                ),
            ),
        ] {
            let config = serde_json::from_value::<Config>(config).unwrap().named();
            let found = config.elasticsearch.iter().chain(&config.opensearch);
            assert_eq!(found.map(|source| source.name.as_str()).collect::<Vec<_>>(), names);
            assert_eq!(config.check_logs(None).err().map(|error| error.to_string()).as_deref(), wrong);
        }
    }

    #[test]
    fn what_is_said_of_no_source_or_no_role_is_an_error() {
        let no_role = "`logs.fields` of source \"main\": `tiem` is no role of a field; known: time, ingested, message, level, \
                       service, version, namespace, pod, container, host, trace, span, error_type, error_message, \
                       error_stack";
        let no_source =
            |sources| format!("`logs.source` of source \"chekout\": no source has this name; {sources}");
        for (logs, incident, expected) in [
            (json!({ "source": "audit", "fields": { "time": ["t"] } }), None, None),
            (json!({ "fields": { "error_stack": ["t"] } }), Some("checkout"), None),
            (json!({ "source": "checkout" }), Some("checkout"), None),
            (json!({ "source": "chekout" }), None, Some(no_source("there are: main, audit"))),
            (
                json!({ "source": "chekout" }),
                Some("checkout"),
                Some(no_source("there are: main, audit, checkout")),
            ),
            (json!({ "fields": { "tiem": ["t"] } }), None, Some(no_role.to_owned())),
        ] {
            let error = config(logs.clone()).check_logs(incident).err().map(|error| error.to_string());
            assert_eq!(error, expected, "{logs} {incident:?}");
        }
        let twice =
            json!({ "elasticsearch": [{}], "logs": [{ "source": "main" }, { "indices": ["app-*"] }] });
        let error =
            serde_json::from_value::<Config>(twice).unwrap().check_logs(None).unwrap_err().to_string();
        let expected =
            "`logs.source` of source \"main\": another [[logs]] is of this source, too: write one of both";
        assert_eq!(error, expected);
        let alone = Config { logs: vec![LogsConfig::default()], ..Config::default() };
        let error = alone.check_logs(None).unwrap_err().to_string();
        assert_eq!(error, "`logs.source` of source \"main\": no source has this name; there is no source");
    }

    #[test]
    fn the_time_of_a_recorded_incident_is_where_its_section_says() {
        let config = config(json!({ "source": "checkout", "fields": { "time": ["born"], "level": ["l"] } }));
        assert_eq!(config.times_of_logs("checkout"), ["born"]);
        assert!(config.times_of_logs("payment").is_empty());
    }
}
