//! A recorded incident as `check` and readiness see it.

use std::sync::Arc;

use contract::Context;
use runtime::{CheckLine, Checking, Probe, blocking};
use upstream::Health;

use super::Recording;

/// A recorded incident, looked at.
pub(crate) struct RecordingProbe(pub(crate) Arc<Recording>);

impl Probe for RecordingProbe {
    fn name(&self) -> String {
        self.0.system.clone()
    }

    /// What is on the disk is there.
    fn health(&self) -> Health {
        match self.0.held.loaded.get() {
            Some(Err(error)) => Health::Down(error.to_string()),
            _ => Health::Up,
        }
    }

    fn check<'a>(&'a self, _: &'a Context) -> Checking<'a> {
        Box::pin(async move {
            let held = Arc::clone(&self.0.held);
            let system = self.0.system.clone();
            blocking(move || {
                let line = |one: ::snapshot::CheckLine| CheckLine {
                    subject: format!("{system}: {}", one.part),
                    works: one.sound,
                    found: one.found,
                    remedy: String::new(),
                };
                let times = held.times();
                let mut lines: Vec<CheckLine> = held.snapshot.check(&times).into_iter().map(line).collect();
                if let Ok(loaded) = held.loaded() {
                    lines.push(CheckLine {
                        subject: format!("{system}: logs in memory"),
                        works: true,
                        found: format!("{} records, {} bytes", loaded.store.len(), loaded.store.bytes()),
                        remedy: String::new(),
                    });
                }
                lines
            })
            .await
        })
    }
}
