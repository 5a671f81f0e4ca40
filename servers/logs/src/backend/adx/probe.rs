//! A database as `check` and `/readyz` see it.

use std::sync::Arc;

use contract::{Context, TimeRange, ToolError};
use jiff::SignedDuration;
use runtime::{CheckLine, Checking, Probe};
use upstream::Health;

use super::Adx;
use crate::model::{Role, Search};

/// A database as an operator sees it.
pub(crate) struct AdxProbe(pub(crate) Arc<Adx>);

impl Probe for AdxProbe {
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
            let tables = store.schema(cx).await.map(|(schema, partial)| {
                let chosen = |role: Role| Some((role, schema.layout.of(role).first()?));
                let roles = Role::ALL.into_iter().filter_map(chosen);
                let told: Vec<String> = roles
                    .map(|(role, chosen)| {
                        format!("{}={}", role.name(), cx.intake.text(&chosen.name).shown(60))
                    })
                    .collect();
                [vec![format!("{} tables; {}", schema.tables.len(), told.join(" "))], partial]
                    .concat()
                    .join("; ")
            });
            let records = match TimeRange::new(cx.now - SignedDuration::from_hours(24), cx.now) {
                Ok(window) => store
                    .count(cx, &Search { window, text: None, conditions: Vec::new() })
                    .await
                    .map(|reply| format!("{} in the last 24 h", reply.value.records())),
                Err(error) => Err(ToolError::invalid("now", &error.to_string())),
            };
            vec![
                line(subject("tables and fields (all tools)"), tables),
                line(subject("query (all tools)"), records),
            ]
        })
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
