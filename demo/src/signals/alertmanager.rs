//! `alertmanager/`: what Alertmanager's API v2 would have answered at the recording's `now`.

mod notify;

use std::collections::BTreeMap;
use std::io;

use serde_json::{Value, json};

use crate::World;
use crate::incident::{HerringKind, written};
use crate::random::Random;

use super::Directory;
use super::metrics::rules::{self, Raised};

use notify::Notified;

/// Alertmanager's configuration in its own words; [`inhibitors`] and [`receiver`] follow it.
const CONFIG: &str = include_str!("alertmanager/config.yml");
const DAY: i64 = 86_400;

/// A silence: who, why, from when until when, and for which alerts.
struct Silence {
    id: String,
    comment: String,
    by: String,
    start: i64,
    end: i64,
    matchers: Vec<(&'static str, String)>,
}

pub(super) fn write(world: &World, raised: &[Raised], directory: &mut Directory) -> io::Result<()> {
    let now = world.incident.end();
    let rules = rules::alerts();
    let mut alerts: Vec<Notified> =
        raised.iter().filter_map(|one| notify::notified(&rules, one, now * 1000)).collect();
    alerts.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
    let silences = silences(world);
    let statuses: Vec<Value> = alerts.iter().map(|alert| status(alert, &alerts, &silences, now)).collect();
    let all: Vec<Value> =
        alerts.iter().zip(&statuses).map(|(alert, status)| alert.json(status.clone())).collect();

    json(directory, "alerts", &Value::from(all))?;
    json(directory, "groups", &groups(&alerts, &statuses))?;
    let silences: Vec<Value> = silences.iter().map(|silence| silence.json(now)).collect();
    json(directory, "silences", &Value::from(silences))?;
    json(directory, "status", &answer_about_itself(world))
}

/// As Go writes JSON: on one line, and safe inside HTML.
fn json(directory: &mut Directory, name: &str, value: &Value) -> io::Result<()> {
    let text = value.to_string().replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    directory.file(&format!("alertmanager/{name}.json"), format!("{text}\n").as_bytes())
}

/// The batch that makes noise every day is silenced; an older silence has expired.
fn silences(world: &World) -> Vec<Silence> {
    let mut random = Random::new(world.incident.seed, "silences");
    let now = world.incident.end();
    let batch =
        world.incident.herrings.iter().find(|herring| matches!(herring.kind, HerringKind::Batch { .. }));
    let name =
        batch.and_then(|herring| world.shop.service(herring.service)).map_or("", |service| service.name);
    vec![
        Silence {
            id: uuid(&mut random),
            comment: format!("the daily batch of {name} uses what is free; until it has its own nodes"),
            by: format!("{name}-team@example.com"),
            start: now - 6 * DAY - 5_000,
            end: now + 8 * DAY,
            matchers: vec![("alertname", "ContainerCPUHigh".to_owned()), ("container", name.to_owned())],
        },
        Silence {
            id: uuid(&mut random),
            comment: "planned failover test".to_owned(),
            by: "platform@example.com".to_owned(),
            start: now - 2 * DAY - 7_200,
            end: now - 2 * DAY,
            matchers: vec![("alertname", "DatabaseDown".to_owned())],
        },
    ]
}

fn uuid(random: &mut Random) -> String {
    let hex = |random: &mut Random, count: usize| -> String {
        (0..count).map(|_| char::from_digit(random.below(16) as u32, 16).unwrap_or('0')).collect()
    };
    let (a, b, c, d, e) = (hex(random, 8), hex(random, 4), hex(random, 3), hex(random, 3), hex(random, 12));
    format!("{a}-{b}-4{c}-a{d}-{e}")
}

impl Silence {
    fn is_active(&self, now: i64) -> bool {
        self.start <= now && now < self.end
    }

    fn hides(&self, alert: &Notified) -> bool {
        self.matchers.iter().all(|(name, value)| alert.label(name) == value)
    }

    fn json(&self, now: i64) -> Value {
        let matchers = self
            .matchers
            .iter()
            .map(|(name, value)| json!({ "isEqual": true, "isRegex": false, "name": name, "value": value }));
        json!({
            "id": self.id,
            "status": { "state": if self.is_active(now) { "active" } else { "expired" } },
            "updatedAt": notify::moment(self.start * 1000 + 417),
            "comment": self.comment,
            "createdBy": self.by,
            "endsAt": notify::moment(self.end * 1000),
            "matchers": matchers.collect::<Vec<_>>(),
            "startsAt": notify::moment(self.start * 1000 + 417),
        })
    }
}

fn status(alert: &Notified, all: &[Notified], silences: &[Silence], now: i64) -> Value {
    let hiding = silences.iter().filter(|silence| silence.is_active(now) && silence.hides(alert));
    let hiding: Vec<&str> = hiding.map(|silence| silence.id.as_str()).collect();
    let inhibitors = inhibitors(alert, all);
    let state = if hiding.is_empty() && inhibitors.is_empty() { "active" } else { "suppressed" };
    json!({ "inhibitedBy": inhibitors, "mutedBy": [], "silencedBy": hiding, "state": state })
}

/// The configuration's two rules. Labels that both lack count as equal, as in Alertmanager, which names the first
/// source it finds.
fn inhibitors<'a>(alert: &Notified, all: &'a [Notified]) -> Vec<&'a str> {
    let same = |other: &Notified, name: &str| other.label(name) == alert.label(name);
    let target = alert.label("severity");
    let by = all.iter().find(|source| {
        let of_critical = source.label("severity") == "critical"
            && matches!(target, "warning" | "info")
            && same(source, "service");
        let of_warning = (source.label("severity"), source.label("team")) == ("warning", "platform")
            && (target, alert.label("team")) == ("info", "platform")
            && same(source, "namespace")
            && same(source, "container");
        of_critical || of_warning
    });
    by.map(|source| source.fingerprint.as_str()).into_iter().collect()
}

/// Alerts by receiver and by the labels they are grouped by.
fn groups(alerts: &[Notified], statuses: &[Value]) -> Value {
    type Key<'a> = (usize, Vec<(&'a str, &'a str)>, &'static str);
    let mut groups: BTreeMap<Key<'_>, Vec<(&Notified, &Value)>> = BTreeMap::new();
    for (alert, status) in alerts.iter().zip(statuses) {
        let labels: Vec<(&str, &str)> = ["alertname", "service"]
            .into_iter()
            .map(|name| (name, alert.label(name)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        // Alertmanager puts shorter label sets first.
        groups.entry((labels.len(), labels, alert.receiver())).or_default().push((alert, status));
    }
    let groups = groups.into_iter().map(|((_, labels, receiver), mut alerts)| {
        alerts.sort_by_key(|(alert, _)| alert.rank());
        let alerts: Vec<Value> = alerts.iter().map(|(alert, status)| alert.json((*status).clone())).collect();
        let labels: BTreeMap<&str, &str> = labels.into_iter().collect();
        json!({ "alerts": alerts, "labels": labels, "receiver": { "name": receiver } })
    });
    Value::from(groups.collect::<Vec<_>>())
}

fn answer_about_itself(world: &World) -> Value {
    let mut random = Random::new(world.incident.seed, "alertmanager");
    let letters = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut name = || (0..26).filter_map(|_| random.choose(letters)).map(char::from).collect::<String>();
    let (own, other) = (name(), name());
    json!({
        "cluster": {
            "name": own,
            "peers": [
                { "address": "10.20.1.5:9094", "name": own },
                { "address": "10.20.3.8:9094", "name": other },
            ],
            "status": "ready",
        },
        "config": { "original": CONFIG },
        "uptime": written(world.incident.start() - 9 * DAY),
        "versionInfo": {
            "branch": "HEAD",
            "buildDate": "20250115-14:25:20",
            "buildUser": "root@example",
            "goVersion": "go1.23.4",
            "revision": "0000000000000000000000000000000000000000",
            "version": "0.28.0",
        },
    })
}
