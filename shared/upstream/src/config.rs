//! What an operator may set for one backend.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

/// One backend: where it is and how to sign in.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SourceConfig {
    /// Name shown in answers and used by the `source` argument; `main` when left out.
    pub name: String,
    /// Base URL, for example `https://prometheus.example:9090/prefix`. Without credentials in it.
    pub url: String,
    /// Base URL of the pages a person opens, for links in answers: of Prometheus, Kibana (`https://kibana.example/s/SPACE`),
    /// OpenSearch Dashboards (2.10 or later), or `https://dataexplorer.azure.com`; no links when left out.
    pub ui_url: Option<String>,
    /// User name and password.
    pub basic: Option<BasicAuth>,
    /// Bearer token.
    #[schemars(with = "Option<String>")]
    pub bearer_token: Option<SecretString>,
    /// API key of Elasticsearch as it is given out: base64 of `id:key`.
    #[schemars(with = "Option<String>")]
    pub api_key: Option<SecretString>,
    /// File holding the bearer token; read again when the backend answers 401.
    pub bearer_token_file: Option<PathBuf>,
    /// PEM file of certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// PEM file with a client certificate and its private key (mTLS).
    pub client_identity_file: Option<PathBuf>,
    /// Tenant, sent in the tenant header.
    pub tenant: Option<String>,
    /// Name of the tenant header; `X-Scope-OrgID` when left out.
    pub tenant_header: Option<String>,
    /// Matchers such as `namespace="team-a"` that limit what may be seen of this source: every query gets all of them,
    /// a query that can't be given them is refused, and what the source can't limit itself is left out of answers.
    pub required_matchers: Vec<String>,
    /// Further headers to send, name to value. Values are treated as secrets.
    #[schemars(with = "BTreeMap<String, String>")]
    pub headers: BTreeMap<String, SecretString>,
}

/// User name and password of one backend.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// User name.
    pub username: String,
    /// Password.
    #[schemars(with = "Option<String>")]
    #[serde(default)]
    pub password: Option<SecretString>,
    /// File holding the password; read again when the backend answers 401.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
}

/// The bounds of every exchange with a backend.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Longest exchange with a backend, from sending to the last byte, in seconds.
    pub upstream_timeout_seconds: u64,
    /// Longest wait for a connection, in seconds.
    pub connect_timeout_seconds: u64,
    /// Largest reply of a backend, decompressed, in bytes.
    pub max_reply_bytes: usize,
    /// Retries of one failed read.
    pub max_retries: u32,
    /// Requests to one backend at the same time, of one principal at most three quarters of them (at least one); the next
    /// ones wait up to two seconds, then are told it is busy.
    pub max_concurrent_requests: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            upstream_timeout_seconds: 15,
            connect_timeout_seconds: 2,
            max_reply_bytes: 8 * 1024 * 1024,
            max_retries: 2,
            max_concurrent_requests: 10,
        }
    }
}

impl Limits {
    pub(crate) fn exchange(&self) -> Duration {
        Duration::from_secs(self.upstream_timeout_seconds)
    }

    pub(crate) fn connect(&self) -> Duration {
        Duration::from_secs(self.connect_timeout_seconds)
    }
}
