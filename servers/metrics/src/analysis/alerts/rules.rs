//! What the rules themselves tell: how many there are, when they last ran, which of them don't work.

use jiff::Timestamp;

use super::must_always_fire;
use crate::model::{AlertState, Rule, RuleGroup, RuleHealth, RuleKind, Rules};

/// Seconds by which a group may be late besides three of its intervals, for clocks that differ and busy servers.
const GRACE: f64 = 60.0;

/// The rules at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overview {
    /// Alerting rules.
    pub(crate) alerting: usize,
    /// Groups that hold at least one of them.
    pub(crate) groups: usize,
    /// When the latest of these groups was evaluated.
    pub(crate) last_evaluation: Option<Timestamp>,
}

/// Counts the alerting rules.
pub(crate) fn overview(rules: &Rules) -> Overview {
    let alerting = |group: &RuleGroup| group.rules.iter().filter(|rule| makes_alerts(rule)).count();
    let groups: Vec<&RuleGroup> = rules.groups.iter().filter(|group| alerting(group) > 0).collect();
    Overview {
        alerting: groups.iter().map(|group| alerting(group)).sum(),
        groups: groups.len(),
        last_evaluation: groups.iter().filter_map(|group| group.last_evaluation).max(),
    }
}

/// Whether it makes alerts rather than a metric.
pub(crate) fn makes_alerts(rule: &Rule) -> bool {
    matches!(rule.kind, RuleKind::Alerting(_))
}

/// The rules whose last evaluation failed, those that make alerts first, with their groups.
pub(crate) fn blind(rules: &Rules) -> Vec<(&RuleGroup, &Rule)> {
    let all = rules.groups.iter().flat_map(|group| group.rules.iter().map(move |rule| (group, rule)));
    let mut blind: Vec<_> = all.filter(|(_, rule)| rule.health == RuleHealth::Failing).collect();
    blind.sort_by(|(one_group, one), (group, rule)| {
        (!makes_alerts(one), &one.name, &one_group.name).cmp(&(!makes_alerts(rule), &rule.name, &group.name))
    });
    blind
}

/// The groups that should have run since they last did, by the clock of this process.
pub(crate) fn late(rules: &Rules, now: Timestamp) -> Vec<(&RuleGroup, Timestamp)> {
    let all = rules.groups.iter().filter_map(|group| Some((group, group.last_evaluation?)));
    let mut late: Vec<_> = all
        .filter(|(group, last)| {
            now.duration_since(*last).as_secs_f64() > 3.0 * group.interval_seconds + GRACE
        })
        .collect();
    late.sort_by(|(one, since), (group, last)| {
        (since, &one.name, &one.file).cmp(&(last, &group.name, &group.file))
    });
    late
}

/// The rules that must always fire but have no firing alert.
pub(crate) fn quiet_watchdogs(rules: &Rules) -> Vec<&Rule> {
    let all = rules.groups.iter().flat_map(|group| &group.rules);
    all.filter(|rule| must_always_fire(rule.name.inside()))
        .filter(|rule| match &rule.kind {
            RuleKind::Alerting(alerting) => {
                !alerting.alerts.iter().any(|alert| alert.state == AlertState::Firing)
            }
            RuleKind::Recording => false,
        })
        .collect()
}
