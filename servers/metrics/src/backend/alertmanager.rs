//! Alertmanager as what notifies people.

use std::sync::Arc;

use alertmanager::{Alertmanager, Failed};
use contract::{Context, ToolError};
use runtime::{CheckLine, Checking, Probe};
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
            let subject = |replica: &str| format!("alertmanager \"{replica}\": status");
            let mut lines = match self.0.status(cx).await {
                Ok(statuses) => {
                    let told = statuses.replicas.iter().map(|replica| {
                        let version = replica
                            .version
                            .as_ref()
                            .map_or("version not told".to_owned(), |text| text.shown(40));
                        let found = format!("{version}, cluster {:?}", replica.cluster);
                        line::<ToolError>(subject(&replica.replica), Ok(found))
                    });
                    told.chain(down(&statuses.coverage.failed, subject)).collect()
                }
                Err(error) => vec![line::<ToolError>(format!("{name}: status"), Err(error.into()))],
            };
            let alerts = self.0.alerts(cx).await.map(|alerts| format!("{} alerts", alerts.alerts.len()));
            lines.push(line(format!("{name}: alerts (list_firing_alerts)"), alerts));
            lines
        })
    }
}

/// A line for each replica that did not answer.
fn down(failed: &[Failed], subject: impl Fn(&str) -> String) -> Vec<CheckLine> {
    failed.iter().map(|one| line(subject(&one.replica), Err(one.error.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use upstream::UpstreamError;

    use super::*;

    #[test]
    fn each_replica_that_is_down_is_a_line_that_does_not_work() {
        let failed = ["a", "b"].map(|replica| Failed {
            replica: replica.to_owned(),
            error: UpstreamError::Unreachable {
                system: format!("alertmanager \"{replica}\""),
                problem: "connection refused".to_owned(),
            },
        });
        let lines = down(&failed, |replica| format!("{replica}: status"));
        assert_eq!(
            lines.iter().map(|line| line.subject.as_str()).collect::<Vec<_>>(),
            ["a: status", "b: status"]
        );
        assert!(lines.iter().all(|line| !line.works && line.found.contains("connection refused")));
    }
}
