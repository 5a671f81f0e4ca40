//! The answer in one sentence.

use std::collections::BTreeMap;

use contract::{ErrorKind, ToolError};
use jiff::Timestamp;

use super::{gather::History, picture::Picture, words};
use crate::analysis::alerts::{
    OneAlert, Side, Standing,
    families::Family,
    history::Plan,
    must_always_fire,
    rules::{self, Overview},
    service,
};

/// The sentence: numbers of what was heard, and what was not.
pub(super) fn text(picture: &Picture<'_>) -> String {
    let firing = Picture::count(&picture.firing);
    let suppressed = Picture::count(&picture.suppressed);
    let mut parts = vec![match picture.stories.first().filter(|_| firing > 0) {
        Some(worst) => format!(
            "{} firing{} in {}, {}",
            counted(firing),
            about(picture),
            families(picture),
            worst_of(worst)
        ),
        None => nothing(picture, suppressed),
    }];
    if suppressed > 0 {
        let more = if firing > 0 { "more " } else { "" };
        parts.push(format!("{suppressed} {more}suppressed ({})", reasons(&picture.suppressed)));
    }
    let pending = Picture::count(&picture.pending);
    if pending > 0 {
        parts.push(format!("{pending} pending"));
    }
    let ended: usize = picture.ended.iter().map(|family| family.members.len()).sum();
    if let Some(History { plan, reply: Ok(_), alive }) = &picture.heard.history {
        let more = if firing + suppressed > 0 { "more " } else { "" };
        let within = within(plan, picture.now);
        match (ended, picture.flapping.len()) {
            (0, 0) if picture.unrecorded() => {
                parts.push(format!("what fired {within} is not known: ALERTS has no samples in this window"))
            }
            (0, 0) if alive.is_some() && firing + suppressed == 0 => {
                parts.push(format!("none fired {within}"));
            }
            (0, 0) => parts.push(format!("none ended {within}")),
            (0, again) => parts.push(format!("{again} of those firing on and off {within}")),
            (ended, 0) => parts.push(format!("{ended} {more}fired {within} and ended")),
            (ended, again) => {
                parts.push(format!("{ended} {more}fired {within} and ended, {again} ended and fire again"));
            }
        }
    }
    parts.extend(state_of_alerting(picture, firing + suppressed + pending == 0));
    format!("{}.", parts.join("; "))
}

/// The window in words; one that ends now needs no end.
fn within(plan: &Plan, now: Timestamp) -> String {
    let (start, end) = (plan.covered.start(), plan.covered.end());
    if now.duration_since(end).as_secs_f64() < plan.between.as_secs_f64() {
        format!("since {}", words::moment(start))
    } else {
        format!("between {} and {}", words::moment(start), words::moment(end))
    }
}

fn counted(alerts: usize) -> String {
    words::counted(alerts, "alert", "alerts")
}

fn families(picture: &Picture<'_>) -> String {
    words::counted(picture.firing_families, "family", "families")
}

fn about(picture: &Picture<'_>) -> String {
    let Some(service) = &picture.service else { return String::new() };
    format!(" for {} (of {} in all)", service.shown(60), picture.in_all(Standing::Firing))
}

fn worst_of(family: &Family<'_>) -> String {
    let word = family
        .first
        .severity
        .word()
        .map_or("worst (no severity)".to_owned(), |word| format!("worst {}", word.shown(40)));
    let since = family.first.since.map_or(String::new(), |since| format!(" since {}", words::moment(since)));
    let newest = family
        .newest()
        .map_or(String::new(), |newest| format!(", the newest since {}", words::moment(newest)));
    format!("{word}: {} ({}){since}{newest}", words::name(&family.first.labels), family.members.len())
}

/// Nothing fires that reaches anybody.
fn nothing(picture: &Picture<'_>, suppressed: usize) -> String {
    let what = if suppressed > 0 { "reaches anybody now" } else { "fires now" };
    let Some(service) = &picture.service else { return format!("No alert {what}") };
    let others = picture.in_all(Standing::Firing);
    let held = picture.in_all(Standing::Suppressed) - suppressed;
    let mut text = format!(
        "No alert about {} {what}, but {}",
        service.shown(60),
        match others {
            1 => "1 other fires".to_owned(),
            _ => format!("{others} others fire"),
        }
    );
    if held > 0 {
        text.push_str(&format!(" and {held} more {} suppressed", if held == 1 { "is" } else { "are" }));
    }
    if picture.matched_by.is_empty() {
        let alike = service::alike(picture.all, service.inside());
        text.push_str(&match alike.as_slice() {
            [] => "; no label value of any alert is like it".to_owned(),
            _ => {
                let values: Vec<String> = alike.iter().map(|value| value.shown(60)).collect();
                format!("; nearest label values of alerts: {}", values.join(", "))
            }
        });
    }
    text
}

/// How the suppressed are held back, the most frequent first.
fn reasons(families: &[Family<'_>]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for family in families {
        let reasons = family.first.reasons();
        let reasons = if reasons.is_empty() { "reason not told".to_owned() } else { reasons.join(" and ") };
        *counts.entry(reasons).or_insert(0) += family.members.len();
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect::<Vec<_>>().join(", ")
}

/// Whether the silence of alerts can be believed.
fn state_of_alerting(picture: &Picture<'_>, quiet: bool) -> Vec<String> {
    let mut parts = Vec::new();
    match &picture.heard.rules {
        Ok(all) => {
            if quiet {
                parts.push(watched(rules::overview(all)));
                parts.extend(watchdog(picture));
            }
            let lost = picture.missing_in(Side::Alertmanager).len();
            if lost > 0 {
                parts.push(format!("{lost} not in Alertmanager"));
            }
            let blind = rules::blind(all).len();
            if blind > 0 {
                parts.push(format!("{} can't be evaluated", words::counted(blind, "rule", "rules")));
            }
        }
        Err(error) => {
            parts.push(format!(
                "{}: pending alerts, expressions and values are unknown",
                absent("Prometheus", error)
            ));
        }
    }
    if let Err(error) = &picture.heard.delivered {
        parts.push(format!(
            "{}: what is silenced, inhibited or muted is unknown",
            absent("Alertmanager", error)
        ));
    }
    parts
}

fn absent(side: &str, error: &ToolError) -> String {
    match error.kind() {
        ErrorKind::NotConfigured => format!("no {side} is configured"),
        _ => format!("{side} could not be read"),
    }
}

fn watched(overview: Overview) -> String {
    if overview.alerting == 0 {
        return "there is no alerting rule at all".to_owned();
    }
    let last = overview
        .last_evaluation
        .map_or("never evaluated".to_owned(), |last| format!("last evaluated {}", words::moment(last)));
    let rules = words::counted(overview.alerting, "alerting rule", "alerting rules");
    format!("{rules} in {}, {last}", words::counted(overview.groups, "group", "groups"))
}

fn watchdog(picture: &Picture<'_>) -> Option<String> {
    let watchdog = |alert: &&&OneAlert<'_>| must_always_fire(alert.name());
    let alert = picture.by_design.iter().find(watchdog)?;
    let name = words::name(&alert.labels);
    Some(match (alert.active.is_some(), alert.delivered.is_some()) {
        (true, true) => format!("{name} fires and has arrived in Alertmanager (the pipeline works)"),
        (true, false) => format!("{name} fires in Prometheus"),
        _ => format!("{name} is in Alertmanager"),
    })
}
