//! The recorded replies of an Alertmanager.

use ::alertmanager::Alertmanager;
use ::snapshot::{Snapshot, SnapshotError};
use contract::{Context, ToolError};

use super::Recording;
use crate::{
    backend::{AlertManager, Asking},
    model::{Alerts, Silences},
};

impl Recording {
    /// Whether replies of an Alertmanager were recorded.
    pub(crate) fn has_alertmanager(&self) -> bool {
        self.held.snapshot.files().iter().any(|file| file.kind == ::snapshot::Kind::Alertmanager)
    }

    /// A recorded reply that Alertmanager's client can't read.
    fn unreadable(&self, name: &str, error: &::alertmanager::Error) -> ToolError {
        let problem = format!("alertmanager/{name}.json: {error}");
        self.unusable(problem).into()
    }

    fn alertmanager(&self) -> Result<&Alertmanager, ToolError> {
        let read = self.alertmanager.get_or_init(|| recorded(&self.held.snapshot));
        match read {
            Ok(Some(alertmanager)) => Ok(alertmanager),
            Ok(None) => {
                let missing = SnapshotError {
                    file: "alertmanager/groups.json".to_owned(),
                    line: None,
                    problem: "was not recorded".to_owned(),
                };
                Err(self.broken(&missing).into())
            }
            Err(error) => Err(self.broken(error).into()),
        }
    }
}

fn recorded(snapshot: &Snapshot) -> Result<Option<Alertmanager>, SnapshotError> {
    let Some(groups) = snapshot.alertmanager("groups")? else { return Ok(None) };
    let silences = snapshot.alertmanager("silences")?;
    let opened = Alertmanager::recorded(&snapshot.manifest().id, groups, silences);
    opened.map(Some).map_err(|error| SnapshotError {
        file: "alertmanager/groups.json".to_owned(),
        line: None,
        problem: error.to_string(),
    })
}

impl AlertManager for Recording {
    fn alerts<'a>(&'a self, cx: &'a Context) -> Asking<'a, Alerts, ToolError> {
        Box::pin(async move {
            self.alertmanager()?.alerts(cx).await.map_err(|error| self.unreadable("groups", &error))
        })
    }

    fn silences<'a>(&'a self, cx: &'a Context) -> Asking<'a, Silences, ToolError> {
        Box::pin(async move {
            self.alertmanager()?.silences(cx).await.map_err(|error| self.unreadable("silences", &error))
        })
    }
}
