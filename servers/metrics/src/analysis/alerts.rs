//! Alerts as Prometheus' rules and Alertmanager know them, joined: what fires, what waits, what is held back and
//! by what, what fired before, and which rules don't work.

pub(crate) mod families;
pub(crate) mod history;
mod join;
pub(crate) mod rules;
pub(crate) mod service;

use std::collections::{BTreeMap, BTreeSet};

use contract::Untrusted;
use jiff::Timestamp;

use crate::model::{
    ActiveAlert, Alert, AlertState, Alerting, Alerts, DeliveryState, Labels, Rule, RuleKind, Rules,
};

/// Alerts that fire by design: the proof that alerts arrive, and what keeps minor alerts quiet.
const BY_DESIGN: [&str; 3] = ["Watchdog", "DeadMansSwitch", "InfoInhibitor"];
/// Of those, the ones that must always fire.
const ALWAYS: [&str; 2] = ["Watchdog", "DeadMansSwitch"];
/// Labels that tell how bad an alert is; the first one an alert has counts.
const SEVERITY: [&str; 2] = ["severity", "priority"];

/// Whether an alert of this name says nothing about the health of a system.
pub(crate) fn fires_by_design(alertname: &str) -> bool {
    BY_DESIGN.contains(&alertname)
}

/// Whether an alert of this name must always fire.
pub(crate) fn must_always_fire(alertname: &str) -> bool {
    ALWAYS.contains(&alertname)
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It fires.
    Firing,
    /// It fires, and Alertmanager notifies nobody.
    Suppressed,
    /// Its expression holds, not yet for long enough.
    Pending,
}

/// A side that knows alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// The rules.
    Prometheus,
    /// What notifies people.
    Alertmanager,
}

/// How bad an alert is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Severity {
    /// 1 (page, critical) to 4 (info), 5 for words we don't know, 9 for none.
    pub(crate) rank: u8,
    /// The label it was read from, and its value.
    pub(crate) label: Option<(&'static str, Untrusted)>,
}

impl Severity {
    /// As the labels say.
    pub(crate) fn of(labels: &Labels) -> Severity {
        let label = SEVERITY.iter().find_map(|&name| Some((name, labels.get(name)?.clone())));
        let rank = label.as_ref().map_or(9, |(_, value)| severity_rank(value.inside()));
        Severity { rank, label }
    }

    /// Its word, when it has one.
    pub(crate) fn word(&self) -> Option<&Untrusted> {
        self.label.as_ref().map(|(_, value)| value)
    }
}

fn severity_rank(word: &str) -> u8 {
    match word.to_ascii_lowercase().as_str() {
        "page" | "critical" | "crit" | "fatal" | "emergency" | "p1" | "sev1" => 1,
        "error" | "high" | "major" | "p2" | "sev2" => 2,
        "warning" | "warn" | "medium" | "minor" | "p3" | "sev3" => 3,
        "info" | "information" | "informational" | "notice" | "low" | "p4" | "sev4" => 4,
        "" | "none" => 9,
        _ => 5,
    }
}

/// One alert, as much as is known of it.
#[derive(Debug, Clone)]
pub(crate) struct OneAlert<'a> {
    /// Prometheus' labels, or Alertmanager's where Prometheus does not know it.
    pub(crate) labels: Labels,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// Where it stands.
    pub(crate) standing: Standing,
    /// The side that was heard and does not know it.
    pub(crate) not_in: Option<Side>,
    /// Since when its expression holds; since when it fires, where only Alertmanager knows it.
    pub(crate) since: Option<Timestamp>,
    /// The value of its expression at the last evaluation; NaN when not told.
    pub(crate) value: Option<f64>,
    /// Its annotations, filled in.
    pub(crate) annotations: Labels,
    /// What Prometheus says of it.
    pub(crate) active: Option<&'a ActiveAlert>,
    /// The rule that made it.
    pub(crate) rule: Option<(&'a Rule, &'a Alerting)>,
    /// What Alertmanager says of it.
    pub(crate) delivered: Option<&'a Alert>,
}

impl OneAlert<'_> {
    /// Its name; the empty text where it has none.
    pub(crate) fn name(&self) -> &str {
        self.labels.get("alertname").map_or("", Untrusted::inside)
    }

    /// Where it stands, in words.
    pub(crate) fn state(&self) -> String {
        let mut state = match self.standing {
            Standing::Pending => "pending".to_owned(),
            Standing::Suppressed => {
                let reasons = self.reasons();
                if reasons.is_empty() { "suppressed".to_owned() } else { reasons.join(", ") }
            }
            Standing::Firing => "firing".to_owned(),
        };
        if self.standing == Standing::Firing && !self.reasons().is_empty() {
            state.push_str(&format!(", for some receivers or replicas {}", self.reasons().join(", ")));
        }
        match self.not_in {
            Some(Side::Alertmanager) => state.push_str(", only in Prometheus"),
            Some(Side::Prometheus) => state.push_str(", only in Alertmanager"),
            None => {}
        }
        state
    }

    /// How it is held back: for everybody when suppressed, else for some.
    pub(crate) fn reasons(&self) -> Vec<&'static str> {
        let Some(status) = self.delivered.map(|alert| &alert.status) else { return Vec::new() };
        let all = [
            (!status.silenced_by.is_empty(), "silenced"),
            (!status.inhibited_by.is_empty(), "inhibited"),
            (!status.muted_by.is_empty(), "muted"),
        ];
        all.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect()
    }

    /// Whether it fires only because its rule keeps it firing: the expression no longer holds.
    pub(crate) fn only_kept(&self) -> bool {
        self.active.is_some_and(|active| active.keep_firing_since.is_some())
    }
}

/// All pending and firing alerts of the sides that were heard, each once, in the order of their labels.
pub(crate) fn joined<'a>(rules: Option<&'a Rules>, delivered: Option<&'a Alerts>) -> Vec<OneAlert<'a>> {
    let evaluated = distinct(rules);
    let (pending, firing): (Vec<_>, Vec<_>) =
        evaluated.into_iter().partition(|(_, _, active)| active.state == AlertState::Pending);
    let received: Vec<(Labels, &Alert)> = delivered
        .map(|alerts| {
            alerts.alerts.iter().map(|alert| (Labels::new(alert.labels.iter().cloned()), alert)).collect()
        })
        .unwrap_or_default();

    let sent_labels: Vec<&Labels> = firing.iter().map(|(_, _, active)| &active.labels).collect();
    let received_labels: Vec<&Labels> = received.iter().map(|(labels, _)| labels).collect();
    let places = join::by_labels(&sent_labels, &received_labels);
    let both_heard = rules.is_some() && delivered.is_some();

    let mut all: Vec<OneAlert<'a>> = pending.into_iter().map(|known| of_rules(known, None)).collect();
    for (known, place) in firing.into_iter().zip(&places) {
        let alert = place.and_then(|place| received.get(place)).map(|(_, alert)| *alert);
        let mut one = of_rules(known, alert);
        one.not_in = (both_heard && alert.is_none()).then_some(Side::Alertmanager);
        all.push(one);
    }
    let matched: BTreeSet<usize> = places.into_iter().flatten().collect();
    for (place, (labels, alert)) in received.into_iter().enumerate() {
        if !matched.contains(&place) {
            let mut one = of_alertmanager(labels, alert);
            one.not_in = both_heard.then_some(Side::Prometheus);
            all.push(one);
        }
    }
    all.sort_by(|one, other| {
        (one.standing, &one.labels, one.since).cmp(&(other.standing, &other.labels, other.since))
    });
    all
}

type Evaluated<'a> = (&'a Rule, &'a Alerting, &'a ActiveAlert);

/// The active alerts of all rules. Two rules that make the same label set make one alert, as Alertmanager sees it;
/// what fires, and first, counts.
fn distinct(rules: Option<&Rules>) -> Vec<Evaluated<'_>> {
    let mut all: BTreeMap<&Labels, Evaluated<'_>> = BTreeMap::new();
    for rule in rules.iter().flat_map(|rules| &rules.groups).flat_map(|group| &group.rules) {
        let RuleKind::Alerting(alerting) = &rule.kind else { continue };
        for active in alerting.alerts.iter().filter(|active| active.state != AlertState::Inactive) {
            let standing = |active: &ActiveAlert| (active.state == AlertState::Pending, active.active_at);
            let known = all.entry(&active.labels).or_insert((rule, alerting, active));
            if standing(active) < standing(known.2) {
                *known = (rule, alerting, active);
            }
        }
    }
    all.into_values().collect()
}

fn of_rules<'a>((rule, alerting, active): Evaluated<'a>, delivered: Option<&'a Alert>) -> OneAlert<'a> {
    OneAlert {
        labels: active.labels.clone(),
        severity: Severity::of(&active.labels),
        standing: match active.state {
            AlertState::Pending => Standing::Pending,
            _ => delivered.map_or(Standing::Firing, standing),
        },
        not_in: None,
        since: active.active_at,
        value: Some(active.value),
        annotations: active.annotations.clone(),
        active: Some(active),
        rule: Some((rule, alerting)),
        delivered,
    }
}

fn of_alertmanager(labels: Labels, alert: &Alert) -> OneAlert<'_> {
    OneAlert {
        severity: Severity::of(&labels),
        labels,
        standing: standing(alert),
        not_in: None,
        since: alert.starts_at,
        value: None,
        annotations: Labels::new(alert.annotations.iter().cloned()),
        active: None,
        rule: None,
        delivered: Some(alert),
    }
}

fn standing(alert: &Alert) -> Standing {
    if alert.status.state == DeliveryState::Suppressed { Standing::Suppressed } else { Standing::Firing }
}

#[cfg(test)]
mod tests;
