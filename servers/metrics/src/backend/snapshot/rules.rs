//! What the recorded rules would have said at the snapshot's `now`: their expressions evaluated at each interval of the
//! group, with `for` and `keep_firing_for` as Prometheus applies them.

use std::collections::BTreeMap;

use contract::Context;
use jiff::Timestamp;
use promql::{EvalError, Options, Query, Store, Value};
use snapshot::{RecordedGroup, RecordedRule};

use crate::model::{ActiveAlert, AlertState, Alerting, Labels, Rule, RuleGroup, RuleHealth, RuleKind, Rules};

/// Evaluations looked back at, so that a long recording does not cost minutes.
const MOST_EVALUATIONS: i64 = 2_000;

type Pairs = Vec<(String, String)>;

/// One rule at `now`.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Judged {
    error: Option<String>,
    alerts: Vec<Active>,
}

/// One alert of a rule that is pending or firing.
#[derive(Debug, PartialEq)]
struct Active {
    labels: Pairs,
    firing: bool,
    /// Milliseconds since 1970.
    since: i64,
    kept_since: Option<i64>,
    value: f64,
}

/// Every rule of every group, in their order.
pub(super) fn judge(
    store: &Store,
    groups: &[RecordedGroup],
    start: Timestamp,
    now: Timestamp,
) -> Vec<Judged> {
    let rules = groups.iter().flat_map(|group| group.rules.iter().map(move |rule| (group, rule)));
    rules.map(|(group, rule)| judged(store, group, rule, start, now)).collect()
}

fn judged(
    store: &Store,
    group: &RecordedGroup,
    rule: &RecordedRule,
    start: Timestamp,
    now: Timestamp,
) -> Judged {
    let failed = |error: String| Judged { error: Some(error), alerts: Vec::new() };
    let query = match Query::parse(&rule.expr) {
        Ok(query) => query,
        Err(error) => return failed(error.to_string()),
    };
    if let Some(what) = query.unsupported() {
        return failed(EvalError::Unsupported { what: what.to_owned() }.to_string());
    }
    if !rule.alerting {
        return Judged::default();
    }
    let interval = ((group.interval_seconds * 1000.0) as i64).max(1_000);
    let evaluations = ((now.as_millisecond() - start.as_millisecond()) / interval).min(MOST_EVALUATIONS);
    let first = now.as_millisecond() - evaluations * interval;
    let end = now.as_millisecond();
    match promql::evaluate_over(store, &query, first, end, interval, &Options::default()) {
        Ok(Value::Matrix(series)) => {
            let states = series.iter().filter_map(|one| active(rule, one, first, end, interval));
            Judged { error: None, alerts: states.collect() }
        }
        Ok(_) => Judged::default(),
        Err(error) => failed(error.to_string()),
    }
}

/// The state of one series of the expression at the last evaluation.
fn active(
    rule: &RecordedRule,
    series: &promql::Series,
    first: i64,
    end: i64,
    interval: i64,
) -> Option<Active> {
    let held: BTreeMap<i64, f64> =
        series.timestamps.iter().copied().zip(series.values.iter().copied()).collect();
    let (hold, keep) = ((rule.for_seconds * 1000.0) as i64, (rule.keep_firing_seconds * 1000.0) as i64);
    let mut state: Option<Active> = None;
    let mut at = first;
    while at <= end {
        state = match (held.get(&at), state.take()) {
            (Some(value), Some(mut known)) => {
                known.value = *value;
                known.kept_since = None;
                known.firing |= at - known.since >= hold;
                Some(known)
            }
            (Some(value), None) => Some(Active {
                labels: Vec::new(),
                firing: hold == 0,
                since: at,
                kept_since: None,
                value: *value,
            }),
            (None, Some(mut known)) if known.firing && keep > 0 => {
                let since = *known.kept_since.get_or_insert(at);
                (at - since < keep).then_some(known)
            }
            (None, _) => None,
        };
        at += interval;
    }
    let mut state = state?;
    let mut labels: BTreeMap<String, String> = series
        .labels
        .iter()
        .filter(|(name, _)| *name != "__name__")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let own: Vec<_> =
        rule.labels.iter().map(|(name, text)| (name.clone(), filled(text, &labels, state.value))).collect();
    labels.extend(own);
    labels.insert("alertname".to_owned(), rule.name.clone());
    state.labels = labels.into_iter().collect();
    Some(state)
}

/// A template with the actions that nearly all rules use filled in: `$labels.NAME`, `$value`, and `$value` through
/// `humanizePercentage` or `printf "%.2f"`. Other actions are left as they are written.
fn filled(template: &str, labels: &BTreeMap<String, String>, value: f64) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((written, tail)) = after.split_once("}}") else { break };
        text.push_str(before);
        match action(written.trim(), labels, value) {
            Some(filled_in) => text.push_str(&filled_in),
            None => text.push_str(&format!("{{{{{written}}}}}")),
        }
        rest = tail;
    }
    text.push_str(rest);
    text
}

fn action(written: &str, labels: &BTreeMap<String, String>, value: f64) -> Option<String> {
    if let Some(name) = written.strip_prefix("$labels.") {
        return (!name.contains(' ')).then(|| labels.get(name).cloned().unwrap_or_default());
    }
    let rest = written.strip_prefix("$value")?.trim();
    match rest.strip_prefix('|').map(str::trim) {
        None => rest.is_empty().then(|| value.to_string()),
        Some("humanizePercentage") => Some(format!("{}%", contract::significant(value * 100.0))),
        Some(function) => {
            let format = function.strip_prefix("printf")?.trim().trim_matches('"');
            let digits: usize = format.strip_prefix("%.")?.strip_suffix('f')?.parse().ok()?;
            (digits <= 9).then(|| format!("{value:.digits$}"))
        }
    }
}

/// In the words of the tools.
pub(super) fn told(cx: &Context, groups: &[RecordedGroup], judged: &[Judged], now: Timestamp) -> Rules {
    let mut judged = judged.iter();
    let groups = groups.iter().map(|group| RuleGroup {
        name: cx.intake.text(&group.name),
        file: cx.intake.text(&group.file),
        interval_seconds: group.interval_seconds,
        evaluation_seconds: 0.0,
        last_evaluation: Some(now),
        rules: group.rules.iter().filter_map(|rule| Some(one(cx, rule, judged.next()?, now))).collect(),
    });
    Rules { groups: groups.collect(), warnings: Vec::new() }
}

fn one(cx: &Context, rule: &RecordedRule, judged: &Judged, now: Timestamp) -> Rule {
    let kind = if rule.alerting {
        RuleKind::Alerting(Alerting {
            state: judged
                .alerts
                .iter()
                .map(|alert| if alert.firing { AlertState::Firing } else { AlertState::Pending })
                .max()
                .unwrap_or(AlertState::Inactive),
            for_seconds: rule.for_seconds,
            keep_firing_seconds: rule.keep_firing_seconds,
            annotations: labels(cx, &rule.annotations),
            alerts: judged.alerts.iter().map(|alert| active_alert(cx, rule, alert)).collect(),
        })
    } else {
        RuleKind::Recording
    };
    Rule {
        name: cx.intake.text(&rule.name),
        query: cx.intake.text(&rule.expr),
        labels: labels(cx, &rule.labels),
        health: if judged.error.is_some() { RuleHealth::Failing } else { RuleHealth::Ok },
        last_error: judged.error.as_deref().map(|error| cx.intake.text(error)),
        evaluation_seconds: 0.0,
        last_evaluation: Some(now),
        kind,
    }
}

fn active_alert(cx: &Context, rule: &RecordedRule, alert: &Active) -> ActiveAlert {
    let known: BTreeMap<String, String> = alert.labels.iter().cloned().collect();
    let annotations: Pairs = rule
        .annotations
        .iter()
        .map(|(name, text)| (name.clone(), filled(text, &known, alert.value)))
        .collect();
    ActiveAlert {
        labels: labels(cx, &alert.labels),
        annotations: labels(cx, &annotations),
        state: if alert.firing { AlertState::Firing } else { AlertState::Pending },
        active_at: Timestamp::from_millisecond(alert.since).ok(),
        keep_firing_since: alert.kept_since.and_then(|at| Timestamp::from_millisecond(at).ok()),
        value: alert.value,
    }
}

fn labels(cx: &Context, pairs: &[(String, String)]) -> Labels {
    Labels::new(pairs.iter().map(|(name, value)| (cx.intake.text(name), cx.intake.text(value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn rule(hold: f64, keep: f64) -> RecordedRule {
        RecordedRule {
            name: "Slow".to_owned(),
            alerting: true,
            expr: "load > 1".to_owned(),
            for_seconds: hold,
            keep_firing_seconds: keep,
            labels: vec![("team".to_owned(), "{{ $labels.service }}-team".to_owned())],
            annotations: Vec::new(),
        }
    }

    /// A series with a value each minute, and the rule evaluated each minute until the last of them.
    fn at_the_end(values: &[f64], rule: RecordedRule) -> Vec<Active> {
        let labels = [("__name__", "load"), ("service", "web")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let times: Vec<i64> = (0..values.len() as i64).map(|minute| minute * MINUTE).collect();
        let end = Timestamp::from_millisecond(*times.last().unwrap()).unwrap();
        let store = Store::new([(labels, times, values.to_vec())]).unwrap();
        let group = RecordedGroup {
            name: "g".to_owned(),
            file: "f".to_owned(),
            interval_seconds: 60.0,
            rules: vec![rule],
        };
        judge(&store, &[group], Timestamp::UNIX_EPOCH, end).remove(0).alerts
    }

    /// `for: 2m` fires at the third evaluation in a row, as Prometheus' documentation of alerting rules says.
    #[test]
    fn an_alert_is_pending_until_it_has_held_for_long_enough() {
        let states = |values: &[f64]| {
            let found = at_the_end(values, rule(120.0, 0.0));
            found.first().map(|alert| (alert.firing, alert.since / MINUTE, alert.value))
        };
        assert_eq!(states(&[0.0, 0.0, 0.0]), None);
        assert_eq!(states(&[0.0, 2.0, 3.0]), Some((false, 1, 3.0)));
        assert_eq!(states(&[0.0, 2.0, 3.0, 4.0]), Some((true, 1, 4.0)));
        assert_eq!(states(&[2.0, 3.0, 0.0, 4.0]), Some((false, 3, 4.0)), "a gap begins anew");
    }

    #[test]
    fn keep_firing_for_bridges_a_gap_and_then_ends() {
        let states = |values: &[f64]| {
            let found = at_the_end(values, rule(0.0, 120.0));
            found.first().map(|alert| (alert.firing, alert.kept_since.map(|at| at / MINUTE)))
        };
        assert_eq!(states(&[2.0, 0.0]), Some((true, Some(1))));
        assert_eq!(states(&[2.0, 0.0, 0.0]), Some((true, Some(1))));
        assert_eq!(states(&[2.0, 0.0, 0.0, 0.0]), None);
        assert_eq!(states(&[2.0, 0.0, 2.0]), Some((true, None)));
    }

    #[test]
    fn labels_are_those_of_the_series_and_of_the_rule_and_templates_are_filled() {
        let alerts = at_the_end(&[2.0], rule(0.0, 0.0));
        let expected = [("alertname", "Slow"), ("service", "web"), ("team", "web-team")];
        let expected: Pairs = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        assert_eq!(alerts[0].labels, expected);
        let labels = BTreeMap::from([("a".to_owned(), "x".to_owned())]);
        for (template, text) in [
            ("{{ $labels.a }} is {{$value}}", "x is 2.5"),
            ("{{ $labels.none }}!", "!"),
            ("{{ $value | humanizePercentage }} fail", "250% fail"),
            ("{{ $value | printf \"%.2f\" }} s", "2.50 s"),
            ("{{ $value | humanize }}", "{{ $value | humanize }}"),
            ("{{ $value | printf \"%q\" }}", "{{ $value | printf \"%q\" }}"),
            ("open {{ end", "open {{ end"),
        ] {
            assert_eq!(filled(template, &labels, 2.5), text);
        }
    }

    #[test]
    fn a_rule_outside_the_subset_is_failing_and_says_why() {
        let mut odd = rule(0.0, 0.0);
        odd.expr = "info(load)".to_owned();
        let store = Store::new([]).unwrap();
        let group = RecordedGroup {
            name: "g".to_owned(),
            file: "f".to_owned(),
            interval_seconds: 60.0,
            rules: vec![odd],
        };
        let judged = judge(&store, &[group], Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        assert!(judged[0].error.as_deref().unwrap().contains("info()"), "{judged:?}");
    }
}
