//! The replies as they are sent. Everything may be missing or `null`, and unknown fields are passed over: older
//! versions lack some, Mimir and Grafana leave others out, newer versions add their own.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One group of `/api/v2/alerts/groups`.
#[derive(Debug, Deserialize)]
pub(crate) struct WireGroup {
    pub(crate) receiver: Option<WireReceiver>,
    pub(crate) alerts: Option<Vec<WireAlert>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireAlert {
    pub(crate) fingerprint: Option<String>,
    pub(crate) labels: Option<WirePairs>,
    pub(crate) annotations: Option<WirePairs>,
    pub(crate) starts_at: Option<String>,
    pub(crate) updated_at: Option<String>,
    pub(crate) ends_at: Option<String>,
    pub(crate) status: Option<WireAlertStatus>,
    pub(crate) receivers: Option<Vec<WireReceiver>>,
    #[serde(rename = "generatorURL")]
    pub(crate) generator_url: Option<String>,
}

pub(crate) type WirePairs = BTreeMap<String, Option<String>>;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireAlertStatus {
    pub(crate) state: Option<String>,
    pub(crate) silenced_by: Option<Vec<String>>,
    pub(crate) inhibited_by: Option<Vec<String>>,
    pub(crate) muted_by: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct WireReceiver {
    pub(crate) name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireSilence {
    pub(crate) id: Option<String>,
    pub(crate) status: Option<WireSilenceStatus>,
    pub(crate) comment: Option<String>,
    pub(crate) created_by: Option<String>,
    pub(crate) matchers: Option<Vec<WireMatcher>>,
    pub(crate) starts_at: Option<String>,
    pub(crate) ends_at: Option<String>,
    pub(crate) updated_at: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct WireSilenceStatus {
    pub(crate) state: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireMatcher {
    pub(crate) name: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) is_regex: Option<bool>,
    pub(crate) is_equal: Option<bool>,
}

/// `/api/v2/status`. Its `config` is left out on purpose: it is the whole configuration, and must not be kept.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireStatus {
    pub(crate) cluster: Option<WireCluster>,
    pub(crate) version_info: Option<WireVersion>,
    pub(crate) uptime: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct WireCluster {
    pub(crate) name: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) peers: Option<Vec<WirePeer>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct WirePeer {
    pub(crate) name: Option<String>,
    pub(crate) address: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct WireVersion {
    pub(crate) version: Option<String>,
}
