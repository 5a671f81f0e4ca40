//! What an operator may set for this server, besides what all servers have.

pub(crate) mod aliases;

use std::time::Duration;

use runtime::{ServerConfig, WellKnown};
use schemars::JsonSchema;
use serde::Deserialize;
use upstream::SourceConfig;

pub use crate::analysis::signals::catalogue::{Convention, Gauge, Matching, Prefer, Saturation, Unit};

/// The settings of `metrics-mcp`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Prometheus-like systems (Prometheus, Thanos, Mimir, VictoriaMetrics). The first one answers unless a call
    /// names another.
    pub prometheus: Vec<SourceConfig>,
    /// The replicas of one Alertmanager.
    pub alertmanager: Vec<SourceConfig>,
    /// Bounds of queries.
    pub queries: QueryLimits,
    /// How your programs tell what requests they answer, where that is none of the conventions known.
    pub conventions: Vec<Convention>,
    /// What of your programs can be full, such as pools.
    pub saturation: Vec<Saturation>,
}

/// Bounds of queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QueryLimits {
    /// What the estimate of a query's samples decides: `enforce` narrows or refuses what would read more than
    /// `max_samples`, `shadow` runs it and says what would have been done, `off` estimates nothing.
    pub cost_guard: CostGuard,
    /// The most samples one query may read, by its estimate (Prometheus' own default).
    pub max_samples: u64,
    /// The longest window of a range query, in hours.
    pub max_range_hours: u64,
}

impl QueryLimits {
    /// The longest window of a range query.
    pub(crate) fn longest(self) -> Duration {
        Duration::from_secs(self.max_range_hours.saturating_mul(3_600))
    }
}

impl Default for QueryLimits {
    fn default() -> QueryLimits {
        QueryLimits { cost_guard: CostGuard::Enforce, max_samples: 50_000_000, max_range_hours: 24 * 92 }
    }
}

/// What the estimate of a query's samples decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "a described variant becomes a union in the schema; the field describes them"
)]
pub enum CostGuard {
    Off,
    Shadow,
    #[default]
    Enforce,
}

impl ServerConfig for Config {
    const WELL_KNOWN: &'static [WellKnown] = &[
        WellKnown { variable: "PROMETHEUS_URL", list: "prometheus", key: "url" },
        WellKnown { variable: "PROMETHEUS_USERNAME", list: "prometheus", key: "basic.username" },
        WellKnown { variable: "PROMETHEUS_PASSWORD", list: "prometheus", key: "basic.password" },
        WellKnown { variable: "PROMETHEUS_TOKEN", list: "prometheus", key: "bearer_token" },
        WellKnown { variable: "PROMETHEUS_TENANT", list: "prometheus", key: "tenant" },
        WellKnown { variable: "ALERTMANAGER_URL", list: "alertmanager", key: "url" },
        WellKnown { variable: "ALERTMANAGER_USERNAME", list: "alertmanager", key: "basic.username" },
        WellKnown { variable: "ALERTMANAGER_PASSWORD", list: "alertmanager", key: "basic.password" },
        WellKnown { variable: "ALERTMANAGER_TOKEN", list: "alertmanager", key: "bearer_token" },
    ];
}
