//! Alerting and recording rules with their state. Always asked for anew: alerts change by the second.

use contract::{Context, Untrusted};
use jiff::Timestamp;
use serde::Deserialize;
use upstream::Ask;

use crate::{
    client::{Prometheus, RULES},
    error::Error,
    labels::Labels,
    names::Names,
    reply::{self, Opened},
    wire::{Entries, Number, Text, or_default},
};

/// All rules of a system, in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The groups, which are evaluated rule by rule.
    pub groups: Vec<RuleGroup>,
    /// What makes the list doubtful, such as a ruler that did not answer.
    pub warnings: Vec<Untrusted>,
}

/// A group of rules.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleGroup {
    /// Its name, unique within its file.
    pub name: Untrusted,
    /// The file (Mimir: the namespace) it is from.
    pub file: Untrusted,
    /// Seconds between evaluations.
    pub interval_seconds: f64,
    /// Seconds the last evaluation took.
    pub evaluation_seconds: f64,
    /// When it was last evaluated; `None` when never.
    pub last_evaluation: Option<Timestamp>,
    /// Its rules in the order of their evaluation.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Name of the alert, or of the metric it records.
    pub name: Untrusted,
    /// The expression.
    pub query: Untrusted,
    /// The labels it adds.
    pub labels: Labels,
    /// How its last evaluation went.
    pub health: RuleHealth,
    /// Why its last evaluation failed.
    pub last_error: Option<Untrusted>,
    /// Seconds its last evaluation took.
    pub evaluation_seconds: f64,
    /// When it was last evaluated; `None` when never.
    pub last_evaluation: Option<Timestamp>,
    /// What it makes.
    pub kind: RuleKind,
}

/// How the last evaluation of a rule went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleHealth {
    /// It worked.
    Ok,
    /// It failed: the rule is blind.
    Failing,
    /// Not evaluated yet, or not told.
    Unknown,
}

/// What a rule makes.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleKind {
    /// A metric.
    Recording,
    /// Alerts.
    Alerting(Alerting),
}

/// What only alerting rules have.
#[derive(Debug, Clone, PartialEq)]
pub struct Alerting {
    /// The worst state of its alerts.
    pub state: AlertState,
    /// Seconds the expression must hold before an alert fires (`for`).
    pub for_seconds: f64,
    /// Seconds an alert goes on firing after the expression held last (`keep_firing_for`).
    pub keep_firing_seconds: f64,
    /// Annotations as written, templates not filled in.
    pub annotations: Labels,
    /// Its pending and firing alerts.
    pub alerts: Vec<ActiveAlert>,
}

/// The state of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AlertState {
    /// The expression does not hold.
    Inactive,
    /// It holds, but not yet for long enough.
    Pending,
    /// It fires.
    Firing,
    /// Not evaluated yet, or not told.
    Unknown,
}

impl AlertState {
    fn of(name: &str) -> AlertState {
        match name {
            "inactive" => AlertState::Inactive,
            "pending" => AlertState::Pending,
            "firing" => AlertState::Firing,
            _ => AlertState::Unknown,
        }
    }
}

/// A pending or firing alert. The server's external labels, which Alertmanager sees, are not among its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveAlert {
    /// Its labels, `alertname` among them.
    pub labels: Labels,
    /// Its annotations, templates filled in.
    pub annotations: Labels,
    /// Pending or firing.
    pub state: AlertState,
    /// Since when the expression holds.
    pub active_at: Option<Timestamp>,
    /// Since when it fires only because of `keep_firing_for`.
    pub keep_firing_since: Option<Timestamp>,
    /// The value of the expression at the last evaluation; NaN when not told.
    pub value: f64,
}

impl Prometheus {
    /// All rules, with the pending and firing alerts of the alerting ones.
    ///
    /// # Errors
    /// Everything of [`Error`].
    pub async fn rules(&self, cx: &Context) -> Result<Rules, Error> {
        let reply = self.fetch(cx, &Ask::of(RULES)).await?;
        let text = reply::text(&reply);
        let opened: Opened<'_, RulesWire<'_>> = reply::open(cx, self.system(), &reply, &text)?;
        let mut names = Names::new(&cx.intake);
        let groups = opened.data.groups.into_iter().map(|group| group.group(&mut names)).collect();
        Ok(Rules { groups, warnings: names.texts(opened.warnings) })
    }
}

#[derive(Debug, Default, Deserialize)]
struct RulesWire<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    groups: Vec<GroupWire<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupWire<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    file: Text<'a>,
    #[serde(default)]
    interval: Seconds,
    #[serde(default)]
    evaluation_time: Seconds,
    #[serde(borrow, default)]
    last_evaluation: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    rules: Vec<RuleWire<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleWire<'a> {
    #[serde(borrow, default, rename = "type", deserialize_with = "or_default")]
    kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    query: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    labels: Entries<'a, Text<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    health: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    last_error: Text<'a>,
    #[serde(default)]
    evaluation_time: Seconds,
    #[serde(borrow, default)]
    last_evaluation: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    state: Text<'a>,
    #[serde(default)]
    duration: Seconds,
    #[serde(default)]
    keep_firing_for: Seconds,
    #[serde(borrow, default, deserialize_with = "or_default")]
    annotations: Entries<'a, Text<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    alerts: Vec<AlertWire<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AlertWire<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    labels: Entries<'a, Text<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    annotations: Entries<'a, Text<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    state: Text<'a>,
    #[serde(borrow, default)]
    active_at: Option<Text<'a>>,
    #[serde(borrow, default)]
    keep_firing_since: Option<Text<'a>>,
    #[serde(default)]
    value: Number,
}

/// A length of time, 0 when not told.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(from = "Number")]
struct Seconds(f64);

impl From<Number> for Seconds {
    fn from(Number(seconds): Number) -> Seconds {
        Seconds(if seconds.is_nan() { 0.0 } else { seconds })
    }
}

impl<'a> GroupWire<'a> {
    fn group(self, names: &mut Names<'_, 'a>) -> RuleGroup {
        RuleGroup {
            name: names.text(self.name),
            file: names.text(self.file),
            interval_seconds: self.interval.0,
            evaluation_seconds: self.evaluation_time.0,
            last_evaluation: moment(self.last_evaluation.as_ref()),
            rules: self.rules.into_iter().map(|rule| rule.rule(names)).collect(),
        }
    }
}

impl<'a> RuleWire<'a> {
    fn rule(self, names: &mut Names<'_, 'a>) -> Rule {
        // Some rulers leave the type out; only alerting rules have a state.
        let alerting = self.kind.0 == "alerting" || (self.kind.0.is_empty() && !self.state.0.is_empty());
        let kind = if alerting {
            RuleKind::Alerting(Alerting {
                state: AlertState::of(&self.state.0),
                for_seconds: self.duration.0,
                keep_firing_seconds: self.keep_firing_for.0,
                annotations: names.labels(self.annotations),
                alerts: self.alerts.into_iter().map(|alert| alert.alert(names)).collect(),
            })
        } else {
            RuleKind::Recording
        };
        Rule {
            name: names.text(self.name),
            query: names.text(self.query),
            labels: names.labels(self.labels),
            health: match self.health.0.as_ref() {
                "ok" => RuleHealth::Ok,
                "err" => RuleHealth::Failing,
                _ => RuleHealth::Unknown,
            },
            last_error: (!self.last_error.0.is_empty()).then(|| names.text(self.last_error)),
            evaluation_seconds: self.evaluation_time.0,
            last_evaluation: moment(self.last_evaluation.as_ref()),
            kind,
        }
    }
}

impl<'a> AlertWire<'a> {
    fn alert(self, names: &mut Names<'_, 'a>) -> ActiveAlert {
        ActiveAlert {
            labels: names.labels(self.labels),
            annotations: names.labels(self.annotations),
            state: AlertState::of(&self.state.0),
            active_at: moment(self.active_at.as_ref()),
            keep_firing_since: moment(self.keep_firing_since.as_ref()),
            value: self.value.0,
        }
    }
}

/// A moment in RFC 3339. Go writes the year 1 for "never".
fn moment(text: Option<&Text<'_>>) -> Option<Timestamp> {
    let moment: Timestamp = text?.0.parse().ok()?;
    (moment > Timestamp::UNIX_EPOCH).then_some(moment)
}
