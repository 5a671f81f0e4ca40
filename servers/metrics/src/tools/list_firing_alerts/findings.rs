//! What must be said besides the tables: the worst families, what is broken in alerting itself, who holds back what.

use std::collections::BTreeMap;

use contract::{Cite, Draft, Finding};

use super::{
    picture::{Cites, Picture},
    tables::annotation,
    words,
};
use crate::{
    analysis::alerts::{OneAlert, Side, Standing, families::Family, must_always_fire, rules},
    model::Silence,
};

/// Families whose story is told.
const FAMILIES: usize = 4;
/// The same with `detail=full`.
const FAMILIES_IN_FULL: usize = 12;
/// Things of one kind that are told one by one; the rest is counted.
const EACH: usize = 3;

/// Adds the findings, the most telling first.
pub(super) fn add(draft: &mut Draft, picture: &Picture<'_>, cites: &Cites) {
    let mut all = broken_delivery(picture, cites);
    let told = if picture.full { FAMILIES_IN_FULL } else { FAMILIES };
    all.extend(picture.stories.iter().take(told).filter_map(|family| story(family, cites)));
    all.extend(blind_rules(picture, cites));
    all.extend(late_groups(picture, cites));
    all.extend(silences(picture, cites));
    all.extend(one_side_only(picture, cites));
    all.extend(flapping(picture, cites));
    all.into_iter().for_each(|finding| draft.finding(finding));
}

fn finding(statement: String, cites: &[Option<Cite>]) -> Option<Finding> {
    let mut cites = cites.iter().copied().flatten();
    let first = cites.next()?;
    Some(cites.fold(
        Finding::new(statement, first),
        |finding, cite| {
            if cite == first { finding } else { finding.and(cite) }
        },
    ))
}

/// Signs that alerts don't reach anybody.
fn broken_delivery(picture: &Picture<'_>, cites: &Cites) -> Vec<Finding> {
    let mut found = Vec::new();
    for rule in picture.heard.rules.iter().flat_map(rules::quiet_watchdogs) {
        let said = format!(
            "{} does not fire although it must always fire: alerting may be broken, so that what follows may not be all",
            rule.name.shown(words::NAME)
        );
        found.extend(finding(said, &[cites.rules]));
    }
    let lost =
        |alert: &&&OneAlert<'_>| must_always_fire(alert.name()) && alert.not_in == Some(Side::Alertmanager);
    if let Some(watchdog) = picture.by_design.iter().find(lost) {
        let said = format!(
            "{} fires in Prometheus but is not in this Alertmanager: alerts may not arrive there",
            words::name(&watchdog.labels)
        );
        found.extend(finding(said, &[cites.rules, cites.delivered]));
    }
    found
}

/// What one family is about.
fn story(family: &Family<'_>, cites: &Cites) -> Option<Finding> {
    let alert = family.first;
    let several = family.members.len() > 1;
    let mut parts = Vec::new();
    if alert.standing == Standing::Suppressed {
        parts.push(alert.state());
    }
    if let Some(text) = annotation(alert, &["summary", "message", "description"]) {
        let which = if several { format!(" (first of {})", family.members.len()) } else { String::new() };
        parts.push(format!("{}{which}", text.shown(200)));
    }
    if let Some((rule, alerting)) = alert.rule {
        parts.push(format!(
            "expression {} for {}",
            rule.query.shown(300),
            words::length(alerting.for_seconds)
        ));
        let mut expressions: Vec<_> =
            family.members.iter().filter_map(|member| member.rule).map(|(rule, _)| &rule.query).collect();
        expressions.sort();
        expressions.dedup();
        if expressions.len() > 1 {
            parts.push(format!("{} rules of this name differ in their expression", expressions.len()));
        }
    }
    if family.spread.varying.len() > 1 {
        parts.push(format!("such as {}", exemplars(family)));
    }
    if let Some(runbook) = annotation(alert, &["runbook_url", "runbook"]) {
        parts.push(format!("runbook {}", runbook.shown(200)));
    }
    if parts.is_empty() {
        return None;
    }
    let delivered =
        family.members.iter().any(|member| member.delivered.is_some()).then_some(cites.delivered).flatten();
    finding(format!("{}: {}", words::name(&alert.labels), parts.join("; ")), &[cites.rules, delivered])
}

/// The first few alerts, by the labels in which the family differs.
fn exemplars(family: &Family<'_>) -> String {
    let of = |alert: &&OneAlert<'_>| {
        let labels = family.spread.varying.iter().take(EACH).filter_map(|varying| {
            let value = alert.labels.get(varying.name.inside())?;
            Some(format!("{}={}", varying.name.shown(words::NAME), value.shown(words::NAME)))
        });
        format!("{{{}}}", labels.collect::<Vec<_>>().join(", "))
    };
    family.members.iter().take(EACH).map(of).collect::<Vec<_>>().join(" ")
}

/// A rule that does not run does not protect.
fn blind_rules(picture: &Picture<'_>, cites: &Cites) -> Vec<Finding> {
    let Ok(rules) = &picture.heard.rules else { return Vec::new() };
    let blind = rules::blind(rules);
    let mut said: Vec<String> = blind
        .iter()
        .take(EACH)
        .map(|(group, rule)| {
            let (kind, so) = if rules::makes_alerts(rule) {
                ("rule", "it can't fire")
            } else {
                ("recording rule", "alerts that build on it are blind")
            };
            let why = rule
                .last_error
                .as_ref()
                .map_or_else(|| "no reason told".to_owned(), |error| error.shown(160));
            let (name, group) = (rule.name.shown(words::NAME), group.name.shown(words::NAME));
            format!("{kind} {name} (group {group}) can't be evaluated, so {so}: {why}")
        })
        .collect();
    if blind.len() > EACH {
        said.push(format!(
            "{} can't be evaluated either",
            words::counted(blind.len() - EACH, "more rule", "more rules")
        ));
    }
    said.into_iter().filter_map(|said| finding(said, &[cites.rules])).collect()
}

fn late_groups(picture: &Picture<'_>, cites: &Cites) -> Option<Finding> {
    let rules = picture.heard.rules.as_ref().ok()?;
    let late = rules::late(rules, picture.now);
    let (group, last) = late.first()?;
    let others = if late.len() > 1 { format!(", and {} more", late.len() - 1) } else { String::new() };
    let said = format!(
        "{} not evaluated as often as they should be: {} (every {}) last at {}{others}: what they watch is as of then",
        words::counted(late.len(), "group of rules is", "groups of rules are"),
        group.name.shown(words::NAME),
        words::length(group.interval_seconds),
        words::moment(*last),
    );
    finding(said, &[cites.rules])
}

/// The silences that hold something back, those of the most alerts first.
fn silences(picture: &Picture<'_>, cites: &Cites) -> Vec<Finding> {
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    let members = picture.suppressed.iter().chain(&picture.firing).flat_map(|family| &family.members);
    for id in members.filter_map(|alert| alert.delivered).flat_map(|alert| &alert.status.silenced_by) {
        *held.entry(id).or_insert(0) += 1;
    }
    let mut held: Vec<(&str, usize)> = held.into_iter().collect();
    held.sort_by_key(|(id, alerts)| (std::cmp::Reverse(*alerts), *id));
    let told = held.iter().take(EACH).filter_map(|(id, alerts)| {
        let alerts = words::counted(*alerts, "alert", "alerts");
        match picture.silence(id) {
            Some(silence) => finding(of_silence(silence, &alerts), &[cites.silences, cites.delivered]),
            None => finding(
                format!("silence {id} holds back {alerts}; nothing else is known of it"),
                &[cites.delivered],
            ),
        }
    });
    let mut found: Vec<Finding> = told.collect();
    if held.len() > EACH {
        let more = words::counted(held.len() - EACH, "more silence holds", "more silences hold");
        found.extend(finding(format!("{more} back alerts"), &[cites.delivered]));
    }
    found
}

fn of_silence(silence: &Silence, alerts: &str) -> String {
    let until = silence.ends_at.map_or("an unknown time".to_owned(), words::moment);
    let comment = if silence.comment.inside().is_empty() {
        "without a comment".to_owned()
    } else {
        silence.comment.shown(160)
    };
    let by = silence.created_by.shown(60);
    format!("silence {} by {by} until {until} holds back {alerts}: {comment}", silence.id)
}

/// Alerts that did not arrive, or that came from elsewhere.
fn one_side_only(picture: &Picture<'_>, cites: &Cites) -> Vec<Finding> {
    let (lost, foreign) = (picture.missing_in(Side::Alertmanager), picture.missing_in(Side::Prometheus));
    let names =
        |alerts: &[&OneAlert<'_>]| words::listed(alerts.iter().map(|alert| words::name(&alert.labels)), EACH);
    let both = [cites.rules, cites.delivered];
    let mut found = Vec::new();
    if !lost.is_empty() {
        let nothing = picture.all.iter().all(|alert| alert.active.is_none() || alert.delivered.is_none());
        let why = if nothing {
            "no alert of this Prometheus is there: it may send to another Alertmanager, or nowhere"
        } else if lost.iter().any(|one| foreign.iter().any(|other| one.name() == other.name())) {
            "alerts of the same name are only there: labels may be changed on the way"
        } else {
            "not delivered, dropped on the way, or only just begun"
        };
        let count = words::counted(lost.len(), "firing alert is", "firing alerts are");
        found.extend(finding(format!("{count} not in Alertmanager ({}): {why}", names(&lost)), &both));
    }
    if !foreign.is_empty() {
        let count = words::counted(foreign.len(), "alert is", "alerts are");
        let why = "another sender or another Prometheus, or it ended just now";
        found.extend(finding(format!("{count} only in Alertmanager ({}): {why}", names(&foreign)), &both));
    }
    found
}

fn flapping(picture: &Picture<'_>, cites: &Cites) -> Option<Finding> {
    let shown = picture.flapping.iter().take(EACH).map(|one| {
        let name = words::named(&one.labels, &one.severity);
        let times = words::counted(usize::try_from(one.episodes).unwrap_or(usize::MAX), "time", "times");
        if one.stopped {
            format!("{name} fired {times} in it until {}, and fires again", words::moment(one.last))
        } else {
            format!("{name} began {times}")
        }
    });
    let mut shown: Vec<String> = shown.collect();
    if picture.flapping.len() > EACH {
        shown.push(format!("{} more", picture.flapping.len() - EACH));
    }
    if shown.is_empty() {
        return None;
    }
    finding(format!("firing now, but on and off within the window: {}", shown.join("; ")), &[cites.history])
}
