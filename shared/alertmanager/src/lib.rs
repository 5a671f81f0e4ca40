//! Client of Alertmanager v2: reads alerts, silences and the state of the cluster, and never changes anything.
//!
//! One [`Alertmanager`] is one logical Alertmanager with one or several replicas. Replicas exchange silences
//! (with a delay) but never alerts, so each of them is asked and the answers are united: an alert counts once
//! however many groups and replicas show it, a replica that fails is named and is no error while another one
//! answers, and alerts on which the replicas disagree are listed.
//!
//! Works with Alertmanager (0.25, 0.28 and 0.34 were tried), with Mimir's (its `/alertmanager` prefix is part of
//! the configured URL, the tenant is configured) and with Grafana's (URL ending in
//! `/api/alertmanager/grafana`). There is no acknowledgement in this API; a silence is not one.

mod client;
mod decode;
mod error;
mod model;
mod reply;
mod union;
mod wire;

pub use client::{Alertmanager, ENDPOINTS};
pub use error::Error;
pub use model::{
    Alert, Alerts, Answered, ClusterState, Coverage, Disagreement, Failed, Matcher, Pairs, Peer, Receivers,
    ReplicaStatus, Silence, SilenceState, Silences, State, Status, Statuses, View,
};
