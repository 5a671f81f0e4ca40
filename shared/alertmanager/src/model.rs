//! What callers get: plain data, every text of the Alertmanager masked, everything in a defined order.

use contract::Untrusted;
use jiff::Timestamp;
use upstream::{Endpoint, UpstreamError};

/// Labels or annotations: names and values, sorted by name.
pub type Pairs = Vec<(Untrusted, Untrusted)>;

/// Whether an alert reaches anybody. Ordered from quiet to loud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Silenced, inhibited or muted: nobody is notified.
    Suppressed,
    /// Received but not judged yet, or the reply does not say.
    Unprocessed,
    /// Nothing holds it back.
    Active,
}

/// The state of an alert and what holds it back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status {
    /// The loudest state that any of its groups has on any replica: an alert is suppressed only when it is so
    /// everywhere. With what follows not empty, `Active` means: held back for some receivers or on some replicas.
    pub state: State,
    /// Ids of the silences that hold it back, sorted.
    pub silenced_by: Vec<String>,
    /// Fingerprints of alerts that inhibit it, sorted. Not always all of them; an Alertmanager stops at the first.
    pub inhibited_by: Vec<String>,
    /// Names of the time intervals that mute it, sorted. See [`Alerts::mutes_unknown_on`].
    pub muted_by: Vec<Untrusted>,
}

/// One firing alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alert {
    /// Hash of the labels: the identity of the alert on every replica.
    pub fingerprint: String,
    /// Its labels; `alertname` is one of them and is no identity.
    pub labels: Pairs,
    /// Its annotations, as of the latest update.
    pub annotations: Pairs,
    /// When it began.
    pub starts_at: Option<Timestamp>,
    /// When a replica last heard of it.
    pub updated_at: Option<Timestamp>,
    /// A lease, not a forecast: when it counts as resolved unless it is renewed, which its sender does as long as
    /// it fires.
    pub ends_at: Option<Timestamp>,
    /// Whether it reaches anybody.
    pub status: Status,
    /// Names of the receivers it is routed to, sorted; also of those that are not notified now.
    pub receivers: Vec<Untrusted>,
    /// Where the rule can be seen, as its sender says.
    pub generator_url: Option<Untrusted>,
}

impl Alert {
    /// The value of a label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&Untrusted> {
        find(&self.labels, name)
    }

    /// The value of an annotation.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&Untrusted> {
        find(&self.annotations, name)
    }
}

fn find<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a Untrusted> {
    pairs.iter().find(|(found, _)| found.inside() == name).map(|(_, value)| value)
}

/// The firing alerts of all replicas.
#[derive(Debug, Clone, PartialEq)]
pub struct Alerts {
    /// Each alert once, sorted by fingerprint.
    pub alerts: Vec<Alert>,
    /// Alerts on which the replicas that answered do not agree, sorted by fingerprint.
    pub disagreements: Vec<Disagreement>,
    /// Replicas that can't say whether an alert is muted by a time interval (Alertmanager before 0.28): there an
    /// alert may be called active although nobody is notified.
    pub mutes_unknown_on: Vec<String>,
    /// Who was asked, and who answered.
    pub coverage: Coverage,
}

/// An alert that is not on every replica, or held back on one and not on another. Brief disagreement is usual
/// just after an alert began or ended: each replica hears of it on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The alert.
    pub fingerprint: String,
    /// What each replica that answered says, in the order of the configuration.
    pub views: Vec<View>,
}

/// What one replica says of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Name of the replica.
    pub replica: String,
    /// `None`: it does not know the alert.
    pub status: Option<Status>,
}

/// Which replicas were asked and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// Those that answered, in the order of the configuration; at least one.
    pub answered: Vec<Answered>,
    /// Those that failed, and why; then the answer is partial.
    pub failed: Vec<Failed>,
}

impl Coverage {
    /// How many replicas were asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.answered.len() + self.failed.len()
    }
}

/// A replica that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Name of the replica.
    pub replica: String,
    /// How evidence calls it: `alertmanager "a"`.
    pub system: String,
    /// What it was asked.
    pub endpoint: Endpoint,
}

/// A replica that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// Name of the replica.
    pub replica: String,
    /// Why; ready to show, and names the replica.
    pub error: UpstreamError,
}

/// The silences of all replicas.
#[derive(Debug, Clone, PartialEq)]
pub struct Silences {
    /// Each silence once: active, pending, unknown, expired; those that end first come first, of the expired
    /// those that ended last. Expired ones are forgotten by an Alertmanager after its retention (five days).
    pub silences: Vec<Silence>,
    /// Who was asked, and who answered.
    pub coverage: Coverage,
}

/// Where a silence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SilenceState {
    /// It holds back alerts now.
    Active,
    /// It has not begun.
    Pending,
    /// The reply does not say.
    Unknown,
    /// It has ended or was ended.
    Expired,
}

/// One silence, as of its latest update.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: SilenceState,
    /// Why it was made.
    pub comment: Untrusted,
    /// Who made it, as they said themselves: nobody checks it.
    pub created_by: Untrusted,
    /// An alert is silenced when all of these match. When empty, the reply did not say what it matches: it does
    /// not match everything.
    pub matchers: Vec<Matcher>,
    /// When it begins.
    pub starts_at: Option<Timestamp>,
    /// When it ends.
    pub ends_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// Names of the replicas that know it, in the order of the configuration. Fewer than answered: it is on its
    /// way to the others, or the cluster is split.
    pub known_to: Vec<String>,
}

/// One condition of a silence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Matcher {
    /// Name of the label.
    pub name: Untrusted,
    /// Value or regular expression, which must match as a whole.
    pub value: Untrusted,
    /// Whether the value is a regular expression.
    pub is_regex: bool,
    /// Whether it must match; otherwise it must not.
    pub is_equal: bool,
}

impl Matcher {
    /// `=`, `!=`, `=~` or `!~`.
    #[must_use]
    pub fn operator(&self) -> &'static str {
        match (self.is_equal, self.is_regex) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        }
    }
}

/// The receivers of all replicas.
#[derive(Debug, Clone, PartialEq)]
pub struct Receivers {
    /// Their names, sorted.
    pub names: Vec<Untrusted>,
    /// Who was asked, and who answered.
    pub coverage: Coverage,
}

/// The state of each replica.
#[derive(Debug, Clone, PartialEq)]
pub struct Statuses {
    /// Of those that answered, in the order of the configuration.
    pub replicas: Vec<ReplicaStatus>,
    /// Who was asked, and who answered.
    pub coverage: Coverage,
}

/// The state of one replica. Its configuration, which the same reply holds, is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// Name of the replica.
    pub replica: String,
    /// Its version, such as `0.28.1`; Grafana's own Alertmanager tells none.
    pub version: Option<Untrusted>,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// The state of its cluster.
    pub cluster: ClusterState,
    /// Its name within the cluster.
    pub cluster_name: Option<Untrusted>,
    /// The members of the cluster it sees, itself among them, sorted by name.
    pub peers: Vec<Peer>,
}

/// The state of a cluster, as one member sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClusterState {
    /// Joined, and in step.
    Ready,
    /// Joining: notifications wait until it has settled.
    Settling,
    /// This one stands alone; with several replicas everybody is notified as often as there are replicas.
    Disabled,
    /// The reply does not say.
    Unknown,
}

/// One member of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// Its name within the cluster.
    pub name: Untrusted,
    /// Where the others reach it.
    pub address: Untrusted,
}
