//! One list out of many: groups of one reply, replies of several replicas. Pure, and the order of groups and
//! replicas never matters to what an alert or silence says.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use contract::Untrusted;
use jiff::Timestamp;

use crate::{
    Alert, Alerts, Coverage, Disagreement, Pairs, Silence, SilenceState, Silences, State, Status, View,
    decode::AlertsReply,
};

/// Each alert once, by fingerprint.
pub(crate) fn distinct(alerts: impl IntoIterator<Item = Alert>) -> BTreeMap<String, Alert> {
    let mut all = BTreeMap::new();
    for alert in alerts {
        add(&mut all, alert);
    }
    all
}

/// The alerts of all replicas that answered, by the name of the replica.
pub(crate) fn alerts(replies: Vec<(String, AlertsReply)>, coverage: Coverage) -> Alerts {
    let disagreements = disagreements(&replies);
    let mut all = BTreeMap::new();
    let mut mutes_unknown_on = Vec::new();
    for (replica, reply) in replies {
        if !reply.tells_mutes {
            mutes_unknown_on.push(replica);
        }
        for alert in reply.alerts.into_values() {
            add(&mut all, alert);
        }
    }
    Alerts { alerts: all.into_values().collect(), disagreements, mutes_unknown_on, coverage }
}

/// The silences of all replicas that answered, by the name of the replica.
pub(crate) fn silences(replies: Vec<(String, Vec<Silence>)>, coverage: Coverage) -> Silences {
    let mut all: BTreeMap<String, Silence> = BTreeMap::new();
    for (_, silences) in replies {
        for silence in silences {
            let Some(known) = all.remove(&silence.id) else {
                all.insert(silence.id.clone(), silence);
                continue;
            };
            let mut known_to = known.known_to.clone();
            known_to.extend(silence.known_to.iter().cloned());
            known_to.dedup();
            // A silence only ever changes by an update, so the latest is right. Two that were updated at the same
            // time differ by the clocks of their replicas only.
            let by_age = |silence: &Silence| (silence.updated_at, Reverse(silence.state));
            let newest = if by_age(&silence) > by_age(&known) { silence } else { known };
            all.insert(newest.id.clone(), Silence { known_to, ..newest });
        }
    }
    let mut silences: Vec<Silence> = all.into_values().collect();
    silences.sort_by_key(|silence| {
        let expired = silence.state == SilenceState::Expired;
        let (first, last) = if expired { (None, silence.ends_at) } else { (silence.ends_at, None) };
        (silence.state, first, Reverse(last), silence.id.clone())
    });
    Silences { silences, coverage }
}

fn add(all: &mut BTreeMap<String, Alert>, alert: Alert) {
    let merged = match all.remove(&alert.fingerprint) {
        Some(known) => merge(known, alert),
        None => {
            Alert { receivers: together(alert.receivers, Vec::new()), status: sorted(alert.status), ..alert }
        }
    };
    all.insert(merged.fingerprint.clone(), merged);
}

/// Two reports of one alert as one. Texts are those of the later report.
fn merge(one: Alert, other: Alert) -> Alert {
    let (earlier, later) = if age(&one) > age(&other) { (other, one) } else { (one, other) };
    Alert {
        starts_at: earliest(earlier.starts_at, later.starts_at),
        ends_at: earlier.ends_at.max(later.ends_at),
        status: louder(earlier.status, later.status),
        receivers: together(earlier.receivers, later.receivers),
        ..later
    }
}

/// Reports of the same moment are told apart by their texts, so that their order does not matter.
fn age(alert: &Alert) -> (Option<Timestamp>, &Pairs, &Option<Untrusted>) {
    (alert.updated_at, &alert.annotations, &alert.generator_url)
}

fn louder(one: Status, other: Status) -> Status {
    Status {
        state: one.state.max(other.state),
        silenced_by: together(one.silenced_by, other.silenced_by),
        inhibited_by: together(one.inhibited_by, other.inhibited_by),
        muted_by: together(one.muted_by, other.muted_by),
    }
}

fn sorted(status: Status) -> Status {
    let empty =
        Status { state: State::Suppressed, silenced_by: vec![], inhibited_by: vec![], muted_by: vec![] };
    louder(status, empty)
}

fn together<T: Ord>(one: Vec<T>, other: Vec<T>) -> Vec<T> {
    one.into_iter().chain(other).collect::<BTreeSet<T>>().into_iter().collect()
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

fn disagreements(replies: &[(String, AlertsReply)]) -> Vec<Disagreement> {
    let fingerprints: BTreeSet<&String> = replies.iter().flat_map(|(_, reply)| reply.alerts.keys()).collect();
    let mut found = Vec::new();
    for fingerprint in fingerprints {
        let views: Vec<View> = replies
            .iter()
            .map(|(replica, reply)| View {
                replica: replica.clone(),
                status: reply.alerts.get(fingerprint).map(|alert| alert.status.clone()),
            })
            .collect();
        if disagree(&views) {
            found.push(Disagreement { fingerprint: fingerprint.clone(), views });
        }
    }
    found
}

/// Whether one does not know the alert, or two judge it differently. Who has not judged it yet has no opinion, and
/// which silence or alert holds it back is not compared: an Alertmanager names one of several as it comes.
fn disagree(views: &[View]) -> bool {
    let held_back_by = |status: &Status| {
        (status.silenced_by.is_empty(), status.inhibited_by.is_empty(), status.muted_by.is_empty())
    };
    let judged =
        views.iter().flat_map(|view| &view.status).filter(|status| status.state != State::Unprocessed);
    let judgements: BTreeSet<_> = judged.map(|status| (status.state, held_back_by(status))).collect();
    judgements.len() > 1 || views.iter().any(|view| view.status.is_none())
}

#[cfg(test)]
mod tests;
