//! How a signal is called, what it did, and the query that shows it.

use contract::{Answer, Context, Draft, Next, significant};
use signal::Direction;

use super::{Look, series::Scopes};
use crate::{
    analysis::{
        search::words::escape,
        unusual::{
            score::Verdict,
            signals::{Signal, What},
        },
    },
    model::{MatchOp, selector},
    tools::scope::{Lookup, Near, Scope},
};

/// A service that no label has.
pub(super) fn unknown(lookup: &Lookup<'_>, service: &str, near: &Near, mut draft: Draft) -> Answer {
    let period = contract::duration_text(lookup.window.seconds().round());
    let words = ("nothing was judged", period.as_str(), "leave `service` out to rank all services");
    let verdict = near.tell(lookup, service, words, &mut draft);
    if let Some(nearest) = near.nearest() {
        let next = Next::call("get_high_cardinality_metrics", "the nearest service");
        draft.next(next.with("service", nearest));
    }
    draft.conclude(verdict)
}

/// What of the metric is meant.
pub(super) fn what(signal: &Signal) -> &'static str {
    match signal.what {
        What::Value => "value",
        What::PerSecond => "per second",
        What::Mean => "mean",
        What::P95 => "p95",
        What::FailureShare => "failing share",
        What::Series => "series",
    }
}

/// The labels that tell it from others: those by which the service was found are said once.
pub(super) fn labels(cx: &Context, scopes: &Scopes, signal: &Signal) -> String {
    let told = |label: &str, value: &str| {
        scopes
            .0
            .iter()
            .flat_map(Scope::matchers)
            .any(|(known, op, told)| op == MatchOp::Equal && known == label && told == value)
    };
    let shown = |text: &str| cx.intake.text(text).shown(200);
    let own = signal
        .tags
        .iter()
        .filter(|(label, value)| !told(label, value) && signal.service.as_ref() != Some(value));
    own.map(|(label, value)| format!("{}={}", shown(label), shown(value))).collect::<Vec<_>>().join(", ")
}

/// `metric{labels} mean`.
pub(super) fn named(cx: &Context, scopes: &Scopes, signal: &Signal) -> String {
    let mut text = cx.intake.text(&signal.metric).shown(200);
    let labels = labels(cx, scopes, signal);
    if !labels.is_empty() {
        text.push_str(&format!("{{{labels}}}"));
    }
    if signal.what != What::Value {
        text.push_str(&format!(" ({})", what(signal)));
    }
    text
}

/// `20 → 5`.
pub(super) fn moved(signal: &Signal, verdict: &Verdict) -> String {
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| value_text(signal, value));
    match verdict.direction {
        Direction::Appeared => format!("appeared, {}", number(verdict.after)),
        Direction::Vanished => format!("vanished, was {}", number(verdict.before)),
        _ => {
            // One that came back would read as if it still were where it was.
            let passing = if is_passing(verdict) { " for a moment" } else { "" };
            format!("{} → {}{passing}", number(verdict.before), number(verdict.after))
        }
    }
}

/// Whether it left its range and is back.
pub(super) fn is_passing(verdict: &Verdict) -> bool {
    verdict.onset.is_none() || verdict.is_back
}

/// A value with its unit.
pub(super) fn value_text(signal: &Signal, value: f64) -> String {
    let unit = unit(signal);
    let value = if unit == "%" { value * 100.0 } else { value };
    match unit {
        "" => significant(value),
        "%" => format!("{} %", significant(value)),
        unit => format!("{} {unit}", significant(value)),
    }
}

/// The unit of its values, where the name tells it.
pub(super) fn unit(signal: &Signal) -> &'static str {
    let words: Vec<&str> = signal.metric.split(['_', ':', '.']).collect();
    let has = |wanted: &[&str]| words.iter().rev().take(3).any(|word| wanted.contains(word));
    match signal.what {
        What::FailureShare => "%",
        What::Series => "series",
        What::PerSecond if signal.metric.ends_with("_count") => "/s",
        What::PerSecond if has(&["seconds"]) => "s/s",
        What::PerSecond if has(&["bytes"]) => "bytes/s",
        What::PerSecond => "/s",
        _ if has(&["milliseconds", "ms"]) => "ms",
        _ if has(&["seconds"]) => "s",
        _ if has(&["bytes"]) => "bytes",
        _ => "",
    }
}

/// A query that shows the signal, and whether nothing in it needs a fence.
pub(super) fn query(look: &Look<'_>, scopes: &Scopes, signal: &Signal) -> (String, bool) {
    let range = look.when.range();
    let matchers = matchers(scopes, signal);
    let select = |ending: &str, without: Option<&str>| {
        let matchers: Vec<(&str, MatchOp, &str)> = matchers
            .iter()
            .filter(|(label, _, _)| Some(label.as_str()) != without)
            .map(|(label, op, value)| (label.as_str(), *op, value.as_str()))
            .collect();
        selector(Some(&format!("{}{ending}", signal.metric)), &matchers)
    };
    let rate =
        |ending: &str, without: Option<&str>| format!("sum(rate({}[{range}]))", select(ending, without));
    let failing = failing(signal);
    let text = match signal.what {
        What::Value => format!("avg({})", select("", None)),
        What::PerSecond => rate("", None),
        What::FailureShare => format!("{} / {}", rate("", None), rate("", failing)),
        What::Series => format!("count({})", select("", None)),
        What::Mean if signal.is_native => {
            let rate = rate("", None);
            format!("histogram_sum({rate}) / histogram_count({rate})")
        }
        What::P95 if signal.is_native => format!("histogram_quantile(0.95, {})", rate("", None)),
        What::Mean => format!("{} / {}", rate("_sum", None), rate("_count", None)),
        What::P95 => {
            format!("histogram_quantile(0.95, sum by (le) (rate({}[{range}])))", select("_bucket", None))
        }
    };
    let plain = |text: &str| look.cx.intake.text(text).plain().is_some();
    let unescaped = |text: &str| text.replace(['\\', '|', '(', ')', '[', ']'], "");
    let is_plain = plain(&signal.metric)
        && matchers
            .iter()
            .all(|(label, _, value)| plain(label) && (value.is_empty() || plain(&unescaped(value))));
    (text, is_plain)
}

/// The label of a share of failures that tells which failed.
fn failing(signal: &Signal) -> Option<&str> {
    (signal.what == What::FailureShare).then_some(signal.failing.as_deref()).flatten()
}

/// Conditions that find the series of a signal: its own labels, and how its service is found.
fn matchers(scopes: &Scopes, signal: &Signal) -> Vec<(String, MatchOp, String)> {
    let own = signal.tags.iter().map(|(label, value)| {
        if failing(signal) == Some(label.as_str()) {
            let values: Vec<String> = value.split('|').map(escape).collect();
            (label.clone(), MatchOp::Regex, values.join("|"))
        } else {
            (label.clone(), MatchOp::Equal, value.clone())
        }
    });
    let mut all: Vec<(String, MatchOp, String)> = own.collect();
    let met = |scope: &&Scope| {
        scope.matchers().all(|(label, op, value)| match signal.tags.get(label) {
            Some(known) => op != MatchOp::Equal || known == value,
            None => op != MatchOp::Equal,
        })
    };
    if let Some(scope) = scopes.0.iter().find(met) {
        for (label, op, value) in scope.matchers() {
            if !all.iter().any(|(known, _, _)| known == label) {
                all.push((label.to_owned(), op, value.to_owned()));
            }
        }
    }
    all
}
