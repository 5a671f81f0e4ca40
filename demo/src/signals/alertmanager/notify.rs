//! An alert as Prometheus sends it and Alertmanager shows it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::random::fnv1a_step;
use crate::signals::metrics::rules::{Alert, Raised};

/// Milliseconds after which an alert that still fires is sent again: the first evaluation after a minute.
const RESEND: i64 = 90_000;
/// Milliseconds for which it is then good: four resend delays of a minute.
const LEASE: i64 = 240_000;
/// Milliseconds on the way.
const TRANSIT: i64 = 6;
/// Milliseconds between evaluations.
const INTERVAL: i64 = 30_000;
/// The label that this Prometheus adds to whatever leaves it.
const EXTERNAL: (&str, &str) = ("cluster", "shop-prod");

/// An alert that fires.
pub(super) struct Notified {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<&'static str, String>,
    pub(super) fingerprint: String,
    starts: i64,
    sent: i64,
    generator: String,
}

/// The alert as it was last sent, if it still fires at `now` (milliseconds since 1970).
pub(super) fn notified(rules: &[Alert], raised: &Raised, now: i64) -> Option<Notified> {
    let (rule, fired) = (rules.get(raised.rule)?, raised.fired?);
    if now - raised.last > INTERVAL {
        return None;
    }
    let mut labels: BTreeMap<String, String> = raised.labels.iter().cloned().collect();
    let own = [("alertname", rule.name), ("severity", rule.severity), ("team", rule.team), EXTERNAL];
    labels.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let fill = |template: &str| filled(template, &raised.labels, raised.value);
    let annotations = BTreeMap::from([
        ("description", fill(rule.description)),
        ("runbook_url", rule.runbook()),
        ("summary", fill(rule.summary)),
    ]);
    Some(Notified {
        annotations,
        fingerprint: fingerprint(&labels),
        starts: fired,
        sent: raised.last - (raised.last - fired).rem_euclid(RESEND),
        generator: format!("http://prometheus.example.com/graph?g0.expr={}&g0.tab=1", escaped(&rule.text())),
        labels,
    })
}

impl Notified {
    /// A label's value; empty when it has none.
    pub(super) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// Where the route tree of the configuration sends it.
    pub(super) fn receiver(&self) -> &'static str {
        match (self.label("severity"), self.label("team")) {
            ("none", _) => "heartbeat",
            ("critical", _) => "on-call",
            (_, "platform") => "platform",
            _ => "shop",
        }
    }

    /// Its place in a group: by job and instance, those without last, then by labels, fewer first.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        let labels: Vec<(String, String)> =
            self.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let first = ["job", "instance"].map(|name| {
            let value = self.label(name).to_owned();
            (value.is_empty(), value)
        });
        (first, labels.len(), labels)
    }

    pub(super) fn json(&self, status: Value) -> Value {
        json!({
            "annotations": self.annotations,
            "endsAt": moment(self.sent + LEASE),
            "fingerprint": self.fingerprint,
            "receivers": [{ "name": self.receiver() }],
            "startsAt": moment(self.starts),
            "status": status,
            "updatedAt": moment(self.sent + TRANSIT),
            "generatorURL": self.generator,
            "labels": self.labels,
        })
    }
}

/// RFC 3339 with milliseconds.
pub(super) fn moment(milliseconds: i64) -> String {
    let at = Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    format!("{at:.3}")
}

/// Prometheus' fingerprint of a label set: FNV-1a over names and values, each ended by a byte that no text has.
fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    let texts = labels.iter().flat_map(|(name, value)| [name, value]);
    let bytes = texts.flat_map(|text| text.bytes().chain([0xff]));
    format!("{:016x}", bytes.fold(0xcbf2_9ce4_8422_2325, fnv1a_step))
}

/// A query string as Go escapes it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// An annotation's template with labels and value filled in.
fn filled(template: &str, labels: &[(String, String)], value: f64) -> String {
    let mut text = template
        .replace("{{ $value | humanizePercentage }}", &percentage(value))
        .replace("{{ $value | printf \"%.2f\" }}", &format!("{value:.2}"))
        .replace("{{ $value | printf \"%.0f\" }}", &format!("{value:.0}"));
    for (name, value) in labels {
        text = text.replace(&format!("{{{{ $labels.{name} }}}}"), value);
    }
    text
}

/// Go's `%.4g%%` of a hundredfold: four significant digits, no zeros at the end.
fn percentage(share: f64) -> String {
    let percent = share * 100.0;
    let before_point = format!("{:.0}", percent.abs().floor()).len();
    let text = format!("{percent:.*}", 4_usize.saturating_sub(before_point));
    match text.contains('.') {
        true => format!("{}%", text.trim_end_matches('0').trim_end_matches('.')),
        false => format!("{text}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_and_links_are_those_of_a_recorded_alertmanager() {
        // From testbed/recorded/alertmanager-0.28/alerts.json.
        let labels = [
            ("alertname", "HighErrorRate"),
            ("cluster", "testbed"),
            ("service", "checkout"),
            ("severity", "critical"),
            ("team", "shop"),
        ];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));

        assert_eq!(fingerprint(&BTreeMap::from(labels)), "1afe6a4517237083");
        assert_eq!(
            escaped("service:http_error_ratio:rate15s > 0.05"),
            "service%3Ahttp_error_ratio%3Arate15s+%3E+0.05"
        );
    }

    #[test]
    fn templates_are_filled_in_as_go_formats_numbers() {
        // "11.43% of the requests to checkout fail." stands in the same recording; the rest is fmt's documentation.
        let labels = [("service".to_owned(), "checkout".to_owned())];
        let template = "{{ $value | humanizePercentage }} of the requests to {{ $labels.service }} fail.";
        assert_eq!(filled(template, &labels, 0.114_285_7), "11.43% of the requests to checkout fail.");
        assert_eq!([percentage(1.0), percentage(0.5), percentage(0.987_654)], ["100%", "50%", "98.77%"]);
        assert_eq!(moment(1_768_399_320_000), "2026-01-14T14:02:00.000Z");
    }
}
