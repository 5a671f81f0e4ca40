//! A cluster as `check` and `/readyz` see it.

use std::sync::Arc;

use contract::{Context, TimeRange, ToolError, counted};
use jiff::SignedDuration;
use runtime::{CheckLine, Checking, Probe};
use serde_json::Value;
use upstream::{Ask, Health};

use super::{Elastic, Kind, endpoints};
use crate::model::{Role, Search};

/// A cluster as an operator sees it.
pub(crate) struct ElasticProbe(pub(crate) Arc<Elastic>);

impl Probe for ElasticProbe {
    fn name(&self) -> String {
        self.0.upstream.system().to_owned()
    }

    fn health(&self) -> Health {
        self.0.upstream.health()
    }

    fn check<'a>(&'a self, cx: &'a Context) -> Checking<'a> {
        Box::pin(async move {
            let store = &self.0;
            let subject = |what: &str| format!("{}: {what}", store.upstream.system());
            let version = store.version(cx).await;
            let fields = store.mapping(cx).await.map(|(mapping, partial)| {
                let roles =
                    Role::ALL.into_iter().filter_map(|role| Some((role, mapping.layout.of(role).first()?)));
                let told: Vec<String> = roles
                    .map(|(role, chosen)| {
                        format!("{}={}", role.name(), cx.intake.text(&chosen.name).shown(60))
                    })
                    .collect();
                [vec![told.join(" ")], partial].concat().join("; ")
            });
            let last_day = TimeRange::new(cx.now - SignedDuration::from_hours(24), cx.now);
            let records = match last_day {
                Ok(window) => {
                    let search = Search { window, text: None, conditions: Vec::new() };
                    store.count(cx, &search).await.map(|reply| {
                        let partial = if reply.partial.is_empty() {
                            String::new()
                        } else {
                            format!("; {}", reply.partial.join("; "))
                        };
                        format!("{} in the last 24 h{partial}", reply.value.records())
                    })
                }
                Err(error) => Err(ToolError::invalid("now", &error.to_string())),
            };
            let sources = store.list(cx).await.map(|reply| {
                let partial = if reply.partial.is_empty() {
                    String::new()
                } else {
                    format!("; {}", reply.partial.join("; "))
                };
                let sources = reply.value.len() as u64;
                let sources =
                    counted(sources, "index, data stream or alias", "indices, data streams and aliases");
                format!("{sources}{partial}")
            });
            vec![
                line(subject("version"), version),
                line(subject("fields (all tools)"), fields),
                line(subject("search (all tools)"), records),
                line(subject("indices (list_log_sources)"), sources),
            ]
        })
    }
}

impl Elastic {
    /// Flavour and version. A cluster that does not tell them may still answer everything else.
    async fn version(&self, cx: &Context) -> Result<String, ToolError> {
        let ask = Ask::of(endpoints::ROOT).header("x-opaque-id", cx.call_id.0.clone());
        let reply = self.upstream.fetch(cx, &ask).await.map_err(ToolError::from)?;
        if matches!(reply.status, 403 | 405) {
            return Ok(format!("not told (HTTP {} on GET /), which is no harm", reply.status));
        }
        if reply.status >= 400 {
            return Err(super::error::of_reply(&cx.intake, self.upstream.system(), &reply));
        }
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let text =
            |name: &str| body.get("version")?.get(name)?.as_str().map(|text| cx.intake.text(text).shown(40));
        let found = if text("distribution").as_deref() == Some("opensearch") {
            Kind::OpenSearch
        } else {
            Kind::Elasticsearch
        };
        let Some(number) = text("number") else {
            let problem = format!("{}: GET / tells no version", self.upstream.system());
            return Err(ToolError::new(
                contract::ErrorKind::Upstream,
                problem,
                "is this URL a cluster's base?",
            ));
        };
        let hint = if found == self.kind {
            ""
        } else {
            "; configured as the other kind, which matters for links only"
        };
        Ok(format!("{} {number}{hint}", found.name()))
    }
}

fn line(subject: String, found: Result<String, ToolError>) -> CheckLine {
    match found {
        Ok(found) => CheckLine { subject, works: true, found, remedy: String::new() },
        Err(error) => {
            CheckLine { subject, works: false, found: error.to_string(), remedy: error.advice().to_owned() }
        }
    }
}
