//! Alertmanager as what notifies people.

use std::sync::Arc;

use alertmanager::Alertmanager;
use contract::{Context, ToolError};
use runtime::{Checking, Probe};
use upstream::Health;

use super::{AlertManager, Asking, prometheus::line};
use crate::model::{Alerts, Silences};

impl AlertManager for Alertmanager {
    fn alerts<'a>(&'a self, cx: &'a Context) -> Asking<'a, Alerts, ToolError> {
        Box::pin(async move { self.alerts(cx).await.map_err(ToolError::from) })
    }

    fn silences<'a>(&'a self, cx: &'a Context) -> Asking<'a, Silences, ToolError> {
        Box::pin(async move { self.silences(cx).await.map_err(ToolError::from) })
    }
}

/// An Alertmanager as `check` and `/readyz` see it.
pub(crate) struct AlertmanagerProbe(pub(crate) Arc<Alertmanager>);

impl Probe for AlertmanagerProbe {
    fn name(&self) -> String {
        let names: Vec<&str> = self.0.upstreams().iter().map(|replica| replica.system()).collect();
        names.join(", ")
    }

    /// Up while one replica is.
    fn health(&self) -> Health {
        let all: Vec<Health> = self.0.upstreams().iter().map(|replica| replica.health()).collect();
        let up = all.iter().find(|health| **health == Health::Up).cloned();
        up.or_else(|| all.into_iter().next_back()).unwrap_or(Health::Unknown)
    }

    fn check<'a>(&'a self, cx: &'a Context) -> Checking<'a> {
        Box::pin(async move {
            let name = self.name();
            let status = self.0.status(cx).await.map(|statuses| {
                let each = statuses.replicas.iter().map(|replica| {
                    let version =
                        replica.version.as_ref().map_or("version not told".to_owned(), |text| text.shown(40));
                    format!("{} {version}, cluster {:?}", replica.replica, replica.cluster)
                });
                let failed = statuses.coverage.failed.iter().map(|failed| format!("FAILED {}", failed.error));
                each.chain(failed).collect::<Vec<_>>().join("; ")
            });
            let alerts = self.0.alerts(cx).await.map(|alerts| format!("{} alerts", alerts.alerts.len()));
            vec![
                line(format!("{name}: status"), status),
                line(format!("{name}: alerts (list_firing_alerts)"), alerts),
            ]
        })
    }
}
