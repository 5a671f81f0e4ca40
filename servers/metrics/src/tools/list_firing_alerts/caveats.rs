//! What a reader must know to judge the answer: who was not heard, who disagrees, how exact times are.

use std::collections::BTreeMap;

use contract::{Draft, ToolError, Untrusted, duration_text};

use super::{gather::History, picture::Picture, words};
use crate::{
    analysis::alerts::{OneAlert, Side, service::Fit},
    model::{AlertState, Alerts, DeliveryState},
};

/// Names that are listed.
const EACH: usize = 3;

/// Adds the caveats, the most weighty first.
pub(super) fn add(draft: &mut Draft, picture: &Picture<'_>) {
    missing_sides(draft, picture);
    replicas(draft, picture);
    silences(draft, picture);
    history(draft, picture);
    if let (Ok(rules), Some(metrics)) = (&picture.heard.rules, picture.heard.metrics) {
        warnings(draft, "warning", metrics.system(), &rules.warnings);
    }
    if let (Some(only), Ok(_)) = (picture.heard.only, &picture.heard.delivered) {
        draft.caveat(format!("of Alertmanager only alerts with the labels {only} are shown"));
    }
    matching(draft, picture);
    if !picture.heard.others.is_empty() {
        draft.caveat(format!("not asked: {} (source=… asks it)", picture.heard.others.join(", ")));
    }
    let stateless =
        |alert: &&OneAlert<'_>| alert.active.is_some_and(|active| active.state == AlertState::Unknown);
    let stateless = picture.all.iter().filter(stateless).count();
    if stateless > 0 {
        let alerts = words::counted(stateless, "alert came", "alerts came");
        draft.caveat(format!("{alerts} without a state Prometheus documents, and counted as firing"));
    }
    times(draft, picture);
    by_design(draft, picture);
    external_labels(draft, picture);
}

fn advice(error: &ToolError) -> String {
    if error.advice().is_empty() { error.to_string() } else { format!("{error} ({})", error.advice()) }
}

fn missing_sides(draft: &mut Draft, picture: &Picture<'_>) {
    if let Err(error) = &picture.heard.rules {
        draft.caveat(format!(
            "without Prometheus: {}; unknown: pending alerts, expressions, values, `for`",
            advice(error)
        ));
    }
    if let Err(error) = &picture.heard.delivered {
        let unknown =
            "unknown, not none: what is silenced, inhibited or muted, receivers, alerts of other senders";
        draft.caveat(format!("without Alertmanager: {}; {unknown}", advice(error)));
    }
}

fn replicas(draft: &mut Draft, picture: &Picture<'_>) {
    let Ok(alerts) = &picture.heard.delivered else { return };
    for failed in &alerts.coverage.failed {
        draft.caveat(format!("a replica did not answer: {}", failed.error));
    }
    if let Some(text) = disagreements(picture, alerts) {
        draft.caveat(text);
    }
    if !alerts.mutes_unknown_on.is_empty() {
        let names = alerts.mutes_unknown_on.join(", ");
        draft.caveat(format!(
            "alertmanager {names} does not tell what time intervals mute: such alerts are shown as firing"
        ));
    }
}

fn disagreements(picture: &Picture<'_>, alerts: &Alerts) -> Option<String> {
    let first = alerts.disagreements.first()?;
    let name = picture.by_fingerprint(&first.fingerprint).map_or(first.fingerprint.clone(), words::alert);
    let views = first.views.iter().map(|view| {
        let says = match view.status.as_ref().map(|status| status.state) {
            None => "does not have it",
            Some(DeliveryState::Active) => "active",
            Some(DeliveryState::Suppressed) => "suppressed",
            Some(DeliveryState::Unprocessed) => "not judged yet",
        };
        format!("{}: {says}", view.replica)
    });
    let views: Vec<String> = views.collect();
    let count = words::counted(alerts.disagreements.len(), "alert", "alerts");
    Some(format!(
        "Alertmanager's replicas disagree on {count}, such as {name} ({}); the louder view is shown",
        views.join(", ")
    ))
}

fn silences(draft: &mut Draft, picture: &Picture<'_>) {
    match &picture.heard.silences {
        Some(Err(error)) => draft.caveat(format!(
            "the silences could not be read, so who silenced, why and until when is unknown: {}",
            advice(error)
        )),
        Some(Ok(silences)) => {
            for failed in &silences.coverage.failed {
                draft.caveat(format!("a replica did not tell its silences: {}", failed.error));
            }
        }
        None => {}
    }
}

fn history(draft: &mut Draft, picture: &Picture<'_>) {
    let Some(History { plan, reply, alive }) = &picture.heard.history else { return };
    match alive {
        Some(Ok(false)) => draft.caveat(
            "neither ALERTS nor up has a sample in time_range: nothing was recorded then, or is kept",
        ),
        Some(Err(error)) => {
            draft.caveat(format!("whether anything was recorded in time_range is unknown: {error}"))
        }
        Some(Ok(true)) if picture.unrecorded() => {
            draft.caveat(
                "alerts that fired in time_range by the rules are not in ALERTS: it is not recorded here",
            );
        }
        _ => {}
    }
    match reply {
        Ok(_) if picture.unrecorded() => {}
        Ok(reply) => {
            let (step, between) =
                (duration_text(plan.step.as_secs_f64()), duration_text(plan.between.as_secs_f64()));
            let exact = if step == between { "" } else { "; episodes are the fewest there can have been" };
            draft.caveat(format!(
                "ended alerts: looked at every {between}, so that what fired for less may be missed; first and last \
                 seen are exact to {step}{exact}"
            ));
            if let Some(metrics) = picture.heard.metrics {
                warnings(draft, "warning", metrics.system(), &reply.warnings);
                warnings(draft, "info", metrics.system(), &reply.infos);
            }
        }
        Err(error) => draft.caveat(format!("what fired and ended in time_range is unknown: {error}")),
    }
}

fn warnings(draft: &mut Draft, kind: &str, system: &str, texts: &[Untrusted]) {
    texts.iter().for_each(|text| draft.caveat(format!("{kind} from {system}: {}", text.shown(300))));
}

fn matching(draft: &mut Draft, picture: &Picture<'_>) {
    let Some(service) = &picture.service else { return };
    let by = picture.matched_by.iter().map(|((fit, label), alerts)| {
        let how = match fit {
            Fit::Exact => "=",
            Fit::Part => " in part =",
        };
        format!("{label}{how}{} ({})", service.shown(60), words::counted(*alerts, "alert", "alerts"))
    });
    let by: Vec<String> = by.collect();
    if !by.is_empty() {
        draft.caveat(format!("matched by {}", by.join(", ")));
    }
}

/// What `since` means.
fn times(draft: &mut Draft, picture: &Picture<'_>) {
    if Picture::count(&picture.firing) + Picture::count(&picture.suppressed) == 0 {
        return;
    }
    let holds = "`since` is when the expression began to hold; it fires `for` later";
    let fires = "`since` is when it began to fire, by its sender";
    match (&picture.heard.rules, picture.missing_in(Side::Prometheus).len()) {
        (Err(_), _) => draft.caveat(fires),
        (Ok(_), 0) => draft.caveat(holds),
        (Ok(_), _) => draft.caveat(format!("{holds}; only in Alertmanager: when it began to fire")),
    }
}

fn by_design(draft: &mut Draft, picture: &Picture<'_>) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for alert in &picture.by_design {
        *counts.entry(words::name(&alert.labels)).or_insert(0) += 1;
    }
    if !counts.is_empty() {
        let each =
            counts.iter().map(|(name, count)| format!("{name} ({count})")).collect::<Vec<_>>().join(", ");
        draft.caveat(format!("firing by design, not counted: {each}"));
    }
}

/// Labels that Alertmanager's alerts have besides Prometheus'.
fn external_labels(draft: &mut Draft, picture: &Picture<'_>) {
    let mut added: BTreeMap<&Untrusted, Vec<&Untrusted>> = BTreeMap::new();
    for alert in picture.all.iter().filter(|alert| alert.active.is_some()) {
        let Some(delivered) = alert.delivered else { continue };
        for (name, value) in &delivered.labels {
            if alert.labels.get(name.inside()).is_none() {
                added.entry(name).or_default().push(value);
            }
        }
    }
    if added.is_empty() {
        return;
    }
    let each = added.into_iter().map(|(name, values)| {
        let values = words::listed(values.into_iter().map(|value| value.shown(words::NAME)), EACH);
        format!("{}={values}", name.shown(words::NAME))
    });
    draft.caveat(format!("Alertmanager's alerts also have {}", each.collect::<Vec<_>>().join(", ")));
}
