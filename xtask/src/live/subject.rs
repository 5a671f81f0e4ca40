//! The servers that clients which are not ours speak to, with their configuration before the testbed.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::built;
use crate::testbed::cache::{Cache, Endpoints};
use crate::testbed::programs;

/// What the clients are to find in a server: `testbed/clients/SERVER.json`.
#[derive(Deserialize)]
pub(super) struct Expected {
    pub(super) server: String,
    /// Every tool, in the order listed, with a call that must succeed.
    pub(super) calls: Vec<Call>,
    /// A call that must end as an error of the tool.
    pub(super) refused: Call,
}

/// One call of a tool.
#[derive(Deserialize)]
pub(super) struct Call {
    pub(super) tool: String,
    pub(super) arguments: Value,
}

/// The server under test, as every client gets it.
pub(super) struct Subject {
    pub(super) program: PathBuf,
    pub(super) expected_file: PathBuf,
    pub(super) expected: Expected,
    /// Its whole configuration.
    pub(super) environment: BTreeMap<String, String>,
    /// Where the sessions' audit logs go; empty at the start.
    pub(super) state: PathBuf,
}

/// `metrics-mcp` in front of every Prometheus and Alertmanager of the testbed.
pub(super) fn metrics_mcp(cache: &Cache, endpoints: &Endpoints) -> Result<Subject, Box<dyn Error>> {
    let environment = [
        ("PROMETHEUS_URL", url(endpoints, "prometheus")?),
        ("METRICS_MCP__PROMETHEUS__1__NAME", "old".to_owned()),
        ("METRICS_MCP__PROMETHEUS__1__URL", url(endpoints, "prometheus-old")?),
        ("ALERTMANAGER_URL", url(endpoints, "alertmanager")?),
        ("METRICS_MCP__ALERTMANAGER__1__NAME", "second".to_owned()),
        ("METRICS_MCP__ALERTMANAGER__1__URL", url(endpoints, "alertmanager-2")?),
    ];
    subject(cache, "metrics-mcp", environment)
}

/// `logs-mcp` in front of OpenSearch and Elasticsearch with the demo's logs, which the tests in Rust have loaded before.
pub(super) fn logs_mcp(cache: &Cache, endpoints: &Endpoints) -> Result<Subject, Box<dyn Error>> {
    let environment = [
        ("OPENSEARCH_URL", url(endpoints, "opensearch")?),
        ("LOGS_MCP__OPENSEARCH__0__NAME", "opensearch".to_owned()),
        ("ELASTICSEARCH_URL", url(endpoints, "elasticsearch")?),
        ("LOGS_MCP__ELASTICSEARCH__0__NAME", "elasticsearch".to_owned()),
        ("LOGS_MCP__LOGS__0__SOURCE", "opensearch".to_owned()),
        ("LOGS_MCP__LOGS__0__INDICES", "[\"live-ecs-*\"]".to_owned()),
        ("LOGS_MCP__LOGS__1__SOURCE", "elasticsearch".to_owned()),
        ("LOGS_MCP__LOGS__1__INDICES", "[\"live-opentelemetry-*\"]".to_owned()),
    ];
    subject(cache, "logs-mcp", environment)
}

fn url(endpoints: &Endpoints, name: &str) -> Result<String, Box<dyn Error>> {
    let running = endpoints.get(name).ok_or_else(|| format!("find {name} among the endpoints"))?;
    Ok(running.url.clone())
}

fn subject<const N: usize>(
    cache: &Cache,
    server: &str,
    environment: [(&str, String); N],
) -> Result<Subject, Box<dyn Error>> {
    let environment = environment.map(|(name, value)| (name.to_owned(), value)).into();
    let expected_file = programs::testbed_dir().join(format!("clients/{server}.json"));
    let expected = serde_json::from_slice(&fs::read(&expected_file)?)?;
    let state = cache.run_dir("test-live").join(server);
    if state.exists() {
        fs::remove_dir_all(&state)?;
    }
    Ok(Subject { program: built(server)?, expected_file, expected, environment, state })
}
