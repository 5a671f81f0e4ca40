//! `metrics/rules.yml`: rules as Prometheus reads them.

use serde::Deserialize;

use crate::{SnapshotError, exposition::head};

/// Seconds: `global.evaluation_interval` when it is not set.
const EVALUATION_INTERVAL: f64 = 60.0;

/// A group of rules.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedGroup {
    /// Its name.
    pub name: String,
    /// The file it is from.
    pub file: String,
    /// Seconds between evaluations; Prometheus' default of a minute where the file does not say.
    pub interval_seconds: f64,
    /// Its rules in the order of the file.
    pub rules: Vec<RecordedRule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedRule {
    /// Name of the alert, or of the metric it records.
    pub name: String,
    /// Whether it makes alerts.
    pub alerting: bool,
    /// The expression.
    pub expr: String,
    /// Seconds the expression must hold (`for`).
    pub for_seconds: f64,
    /// Seconds an alert goes on firing (`keep_firing_for`).
    pub keep_firing_seconds: f64,
    /// Labels it adds.
    pub labels: Vec<(String, String)>,
    /// Annotations, templates not filled in.
    pub annotations: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    groups: Vec<WrittenGroup>,
}

#[derive(Deserialize)]
struct WrittenGroup {
    name: String,
    interval: Option<String>,
    #[serde(default)]
    rules: Vec<WrittenRule>,
}

#[derive(Deserialize)]
struct WrittenRule {
    alert: Option<String>,
    record: Option<String>,
    expr: serde_yaml_ng::Value,
    #[serde(rename = "for")]
    hold: Option<String>,
    keep_firing_for: Option<String>,
    #[serde(default)]
    labels: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

/// Reads one rule file.
pub(crate) fn parse(file: &str, text: &str) -> Result<Vec<RecordedGroup>, SnapshotError> {
    let written: Written = serde_yaml_ng::from_str(text).map_err(|error| {
        let problem = format!("is not a Prometheus rule file ({error})");
        match error.location() {
            Some(place) => SnapshotError::line(file, place.line() as u64, problem),
            None => SnapshotError::file(file, problem),
        }
    })?;
    written.groups.into_iter().map(|group| read_group(file, text, group)).collect()
}

/// The line on which a group or a rule is named; YAML does not tell once it is read.
fn line_of(text: &str, name: &str) -> Option<u64> {
    let is_named = |line: &str| {
        let line = line.trim_start_matches(['-', ' ']);
        let key = line.split_once(':').filter(|(key, _)| ["name", "alert", "record"].contains(key));
        key.is_some_and(|(_, value)| value.trim().trim_matches(['"', '\'']) == name)
    };
    text.lines().position(is_named).map(|place| place as u64 + 1)
}

fn read_group(file: &str, text: &str, group: WrittenGroup) -> Result<RecordedGroup, SnapshotError> {
    let name = group.name;
    let wrong = |of: &str, problem: String| {
        let problem = format!("group `{}`: {problem}", head(&name));
        match line_of(text, of) {
            Some(line) => SnapshotError::line(file, line, problem),
            None => SnapshotError::file(file, problem),
        }
    };
    let rules = group.rules.into_iter().map(|rule| {
        let of = rule.alert.clone().or(rule.record.clone()).unwrap_or(name.clone());
        read_rule(rule).map_err(|problem| wrong(&of, problem))
    });
    let rules = rules.collect::<Result<Vec<_>, _>>()?;
    let interval_seconds = match group.interval {
        Some(text) => duration(&text).ok_or_else(|| {
            wrong(&name, format!("`interval: {}` is not a duration such as 1m", head(&text)))
        })?,
        None => EVALUATION_INTERVAL,
    };
    Ok(RecordedGroup { name, file: file.to_owned(), interval_seconds, rules })
}

fn read_rule(rule: WrittenRule) -> Result<RecordedRule, String> {
    let (name, alerting) = match (rule.alert, rule.record) {
        (Some(alert), None) => (alert, true),
        (None, Some(record)) => (record, false),
        _ => return Err("a rule has either `alert` or `record`".to_owned()),
    };
    let expr = match rule.expr {
        serde_yaml_ng::Value::String(text) => text,
        serde_yaml_ng::Value::Number(number) => number.to_string(),
        _ => return Err(format!("rule `{}`: `expr` is not a text", head(&name))),
    };
    let seconds = |key: &str, text: Option<String>| match text {
        Some(text) => {
            let problem =
                || format!("rule `{}`: `{key}: {}` is not a duration such as 5m", head(&name), head(&text));
            duration(&text).ok_or_else(problem)
        }
        None => Ok(0.0),
    };
    let for_seconds = seconds("for", rule.hold)?;
    let keep_firing_seconds = seconds("keep_firing_for", rule.keep_firing_for)?;
    let (labels, annotations) = (rule.labels.into_iter().collect(), rule.annotations.into_iter().collect());
    Ok(RecordedRule { name, alerting, expr, for_seconds, keep_firing_seconds, labels, annotations })
}

/// Seconds of a Prometheus duration such as `1h30m` or `500ms`.
fn duration(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 7] = [
        ("ms", 0.001),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3_600.0),
        ("d", 86_400.0),
        ("w", 604_800.0),
        ("y", 31_536_000.0),
    ];
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    if rest == "0" {
        return Some(0.0);
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        total += count.parse::<f64>().ok()? * UNITS.iter().find(|(name, _)| *name == unit)?.1;
        rest = tail;
    }
    // What is longer than a century is a mistake, and too long to count with.
    (total <= 100.0 * 31_536_000.0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_prometheus_writes_them() {
        let text = "groups:\n- name: shop\n  interval: 15s\n  rules:\n  - record: a:b\n    expr: 1\n  - alert: Slow\n    \
                    expr: up == 0\n    for: 1m30s\n    labels: {severity: page}\n    annotations: {summary: slow}\n";
        let groups = parse("metrics/rules.yml", text).unwrap();
        assert_eq!((groups[0].name.as_str(), groups[0].rules.len()), ("shop", 2));
        assert!((groups[0].interval_seconds - 15.0).abs() < f64::EPSILON);
        let slow = &groups[0].rules[1];
        assert!(slow.alerting && !groups[0].rules[0].alerting);
        assert_eq!((slow.for_seconds, slow.labels[0].1.as_str()), (90.0, "page"));
        assert_eq!(groups[0].rules[0].expr, "1");
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let cases = [
            ("groups:\n- rules: []\n", "metrics/rules.yml line 2: is not a Prometheus rule file"),
            (
                "groups:\n- name: g\n  rules:\n  - expr: up\n",
                "metrics/rules.yml line 2: group `g`: a rule has either `alert` or `record`",
            ),
            (
                "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up\n    for: soon\n",
                "metrics/rules.yml line 4: group `g`: rule `A`: `for: soon` is not a duration",
            ),
        ];
        for (text, expected) in cases {
            let error = parse("metrics/rules.yml", text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}\nexpected {expected}");
        }
    }
}
