//! An Alertmanager of which only a part may be seen. Its API could filter, too; here it is the same test as for rules.

use std::{collections::BTreeSet, sync::Arc};

use contract::{Context, ToolError, Untrusted};

use crate::{
    analysis::promql::Restriction,
    backend::{AlertManager, Asking},
    model::{Alerts, Silence, Silences},
};

/// An alert manager behind mandatory matchers.
pub(crate) struct RestrictedAlerts {
    inner: Arc<dyn AlertManager>,
    restriction: Restriction,
}

impl RestrictedAlerts {
    pub(crate) fn new(inner: Arc<dyn AlertManager>, restriction: Restriction) -> RestrictedAlerts {
        RestrictedAlerts { inner, restriction }
    }

    async fn alerts_within(&self, cx: &Context) -> Result<Alerts, ToolError> {
        let mut alerts = self.inner.alerts(cx).await?;
        alerts
            .alerts
            .retain(|alert| self.restriction.admits_by(&|name| alert.label(name).map(Untrusted::inside)));
        let seen: BTreeSet<&str> = alerts.alerts.iter().map(|alert| alert.fingerprint.as_str()).collect();
        alerts.disagreements.retain(|one| seen.contains(one.fingerprint.as_str()));
        Ok(alerts)
    }

    async fn silences_within(&self, cx: &Context) -> Result<Silences, ToolError> {
        let mut silences = self.inner.silences(cx).await?;
        silences.silences.retain(|silence| self.concerns(silence));
        Ok(silences)
    }

    /// Whether a silence may hold back something that may be seen: one that asks for another value of a restricted
    /// label does not, and what it says stays unseen.
    fn concerns(&self, silence: &Silence) -> bool {
        silence.matchers.iter().all(|matcher| {
            self.restriction.may_concern(matcher.name.inside(), matcher.operator(), matcher.value.inside())
        })
    }
}

impl AlertManager for RestrictedAlerts {
    fn alerts<'a>(&'a self, cx: &'a Context) -> Asking<'a, Alerts, ToolError> {
        Box::pin(self.alerts_within(cx))
    }

    fn silences<'a>(&'a self, cx: &'a Context) -> Asking<'a, Silences, ToolError> {
        Box::pin(self.silences_within(cx))
    }

    fn only(&self) -> Option<&str> {
        Some(self.restriction.selector())
    }
}
