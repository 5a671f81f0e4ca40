//! From replies to what callers get. Every text goes through the intake here.

use std::collections::BTreeMap;

use contract::Untrusted;
use jiff::Timestamp;
use upstream::UpstreamError;

use crate::{
    Alert, ClusterState, Matcher, Pairs, Peer, ReplicaStatus, Silence, SilenceState, State, Status,
    reply::Received,
    union,
    wire::{
        WireAlert, WireAlertStatus, WireCluster, WireGroup, WireMatcher, WirePairs, WireReceiver,
        WireSilence, WireStatus,
    },
};

/// The alerts of one replica, each once, by fingerprint.
#[derive(Debug)]
pub(crate) struct AlertsReply {
    pub(crate) alerts: BTreeMap<String, Alert>,
    /// Whether the reply tells which alerts are muted.
    pub(crate) tells_mutes: bool,
}

pub(crate) fn groups(from: &Received<'_>) -> Result<AlertsReply, UpstreamError> {
    let groups: Option<Vec<WireGroup>> = from.json()?;
    let mut alerts = Vec::new();
    let mut tells_mutes = true;
    for group in groups.unwrap_or_default() {
        let receiver = group.receiver.and_then(|receiver| from.some_text(receiver.name));
        for wire in group.alerts.unwrap_or_default() {
            tells_mutes &= wire.status.as_ref().is_some_and(|status| status.muted_by.is_some());
            let mut alert = alert(from, wire)?;
            alert.receivers.extend(receiver.clone());
            alerts.push(alert);
        }
    }
    Ok(AlertsReply { alerts: union::distinct(alerts), tells_mutes })
}

pub(crate) fn alerts(from: &Received<'_>) -> Result<AlertsReply, UpstreamError> {
    let wire: Option<Vec<WireAlert>> = from.json()?;
    let wire = wire.unwrap_or_default();
    // Newer versions have `mutedBy` here too, but always empty.
    let tells_mutes = wire.is_empty();
    let alerts = wire.into_iter().map(|wire| alert(from, wire)).collect::<Result<Vec<_>, _>>()?;
    Ok(AlertsReply { alerts: union::distinct(alerts), tells_mutes })
}

pub(crate) fn silences(from: &Received<'_>) -> Result<Vec<Silence>, UpstreamError> {
    let wire: Option<Vec<WireSilence>> = from.json()?;
    wire.unwrap_or_default().into_iter().map(|wire| silence(from, wire)).collect()
}

pub(crate) fn receivers(from: &Received<'_>) -> Result<Vec<Untrusted>, UpstreamError> {
    let wire: Option<Vec<WireReceiver>> = from.json()?;
    Ok(names(from, wire))
}

pub(crate) fn status(from: &Received<'_>) -> Result<ReplicaStatus, UpstreamError> {
    let wire: WireStatus = from.json()?;
    if wire.cluster.is_none() && wire.version_info.is_none() {
        return Err(from.protocol("neither a cluster nor a version"));
    }
    let cluster = wire.cluster.unwrap_or(WireCluster { name: None, status: None, peers: None });
    let version = wire.version_info.and_then(|info| info.version);
    let peers = cluster.peers.unwrap_or_default().into_iter();
    let mut peers: Vec<Peer> =
        peers.map(|peer| Peer { name: from.text(peer.name), address: from.text(peer.address) }).collect();
    peers.sort();
    Ok(ReplicaStatus {
        replica: from.replica.name().to_owned(),
        // Grafana's own Alertmanager has no version and says so.
        version: from.some_text(version.filter(|version| version != "N/A")),
        started_at: moment(wire.uptime),
        cluster: match cluster.status.as_deref() {
            Some("ready") => ClusterState::Ready,
            Some("settling") => ClusterState::Settling,
            Some("disabled") => ClusterState::Disabled,
            _ => ClusterState::Unknown,
        },
        cluster_name: from.some_text(cluster.name),
        peers,
    })
}

fn alert(from: &Received<'_>, wire: WireAlert) -> Result<Alert, UpstreamError> {
    Ok(Alert {
        fingerprint: from.identifier("fingerprint", wire.fingerprint.as_deref())?,
        labels: pairs(from, wire.labels),
        annotations: pairs(from, wire.annotations),
        starts_at: moment(wire.starts_at),
        updated_at: moment(wire.updated_at),
        ends_at: moment(wire.ends_at),
        status: alert_status(from, wire.status.unwrap_or_default())?,
        receivers: names(from, wire.receivers),
        generator_url: from.some_text(wire.generator_url),
    })
}

fn alert_status(from: &Received<'_>, wire: WireAlertStatus) -> Result<Status, UpstreamError> {
    let identifiers = |field, ids: Option<Vec<String>>| {
        ids.unwrap_or_default()
            .iter()
            .map(|id| from.identifier(field, Some(id)))
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(Status {
        state: match wire.state.as_deref() {
            Some("active") => State::Active,
            Some("suppressed") => State::Suppressed,
            _ => State::Unprocessed,
        },
        silenced_by: identifiers("silence id", wire.silenced_by)?,
        inhibited_by: identifiers("fingerprint", wire.inhibited_by)?,
        muted_by: wire.muted_by.unwrap_or_default().iter().map(|name| from.cx.intake.text(name)).collect(),
    })
}

fn silence(from: &Received<'_>, wire: WireSilence) -> Result<Silence, UpstreamError> {
    let matchers = wire.matchers.unwrap_or_default().into_iter();
    Ok(Silence {
        id: from.identifier("silence id", wire.id.as_deref())?,
        state: match wire.status.and_then(|status| status.state).as_deref() {
            Some("active") => SilenceState::Active,
            Some("pending") => SilenceState::Pending,
            Some("expired") => SilenceState::Expired,
            _ => SilenceState::Unknown,
        },
        comment: from.text(wire.comment),
        created_by: from.text(wire.created_by),
        matchers: matchers.map(|wire| matcher(from, wire)).collect(),
        starts_at: moment(wire.starts_at),
        ends_at: moment(wire.ends_at),
        updated_at: moment(wire.updated_at),
        known_to: vec![from.replica.name().to_owned()],
    })
}

fn matcher(from: &Received<'_>, wire: WireMatcher) -> Matcher {
    Matcher {
        name: from.text(wire.name),
        value: from.text(wire.value),
        is_regex: wire.is_regex.unwrap_or(false),
        // Before 0.22 there were no negative matchers, and no such field.
        is_equal: wire.is_equal.unwrap_or(true),
    }
}

fn names(from: &Received<'_>, wire: Option<Vec<WireReceiver>>) -> Vec<Untrusted> {
    wire.unwrap_or_default().into_iter().filter_map(|receiver| from.some_text(receiver.name)).collect()
}

fn pairs(from: &Received<'_>, wire: Option<WirePairs>) -> Pairs {
    let pairs = wire.unwrap_or_default().into_iter();
    let mut pairs: Pairs = pairs.map(|(name, value)| (from.text(Some(name)), from.text(value))).collect();
    pairs.sort();
    pairs
}

/// A moment; none where the text is none, or is Go's "no time" (year 1).
fn moment(raw: Option<String>) -> Option<Timestamp> {
    let moment: Timestamp = raw?.parse().ok()?;
    (moment > Timestamp::UNIX_EPOCH).then_some(moment)
}
