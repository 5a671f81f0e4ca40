//! What must not leave a server: personal data and secrets, made up, in places where they turn up in real logs. Each value
//! is told in `truth.json` with the class that masks it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::World;
use crate::incident::STEP;
use crate::random::Random;

use super::{Event, Level};

/// Class of `redact`, service, and what is said around the value.
const PLACES: [(&str, &str, &str); 18] = [
    ("email", "email", "queued message to <secret>"),
    ("email", "user", "password reset requested by <secret>"),
    ("email", "email", "mailbox <secret> is full, giving up"),
    ("card", "payment", "bank declined card <secret>"),
    ("iban", "payment", "refund to <secret> queued"),
    ("jwt", "user", "rejected session <secret>: expired"),
    ("bearer", "catalog", "price service answered 401 to Authorization: Bearer <secret>"),
    ("aws-key-id", "search", "can't upload index as <secret>: AccessDenied"),
    ("aws-secret-key", "recommendation", "environment: aws_secret_access_key=<secret>"),
    ("url-password", "inventory", "connecting to postgres://shop:<secret>@postgres:5432/shop"),
    ("secret", "shipping", "carrier refused login: user=shop password=<secret>"),
    ("github-token", "web", "can't read feature flags as <secret>: 401"),
    ("slack-token", "email", "notice to operators as <secret> failed: channel_not_found"),
    ("stripe-key", "payment", "second provider asked as <secret>"),
    ("google-key", "catalog", "maps refused <secret>"),
    ("cookie", "web", "unexpected header cookie: session=<secret>"),
    ("private-key", "ads", "signing with <secret>"),
    ("ip", "web", "new device signed in from <secret>"),
];
/// One of them every so many steps.
const EVERY: usize = 2;
const PEOPLE: usize = 90;
const FIRST: [&str; 10] =
    ["anna", "ben", "chloe", "david", "elif", "farid", "greta", "hugo", "ines", "jonas"];
const LAST: [&str; 9] = ["meier", "okafor", "rossi", "santos", "tanaka", "ulrich", "varga", "weber", "zhang"];

pub(super) struct Planted {
    random: Random,
    /// By class, value and service: how many records.
    told: BTreeMap<(&'static str, String, &'static str), usize>,
}

impl Planted {
    pub(super) fn new(world: &World) -> Planted {
        Planted { random: Random::new(world.incident.seed, "planted"), told: BTreeMap::new() }
    }

    pub(super) fn tell(&mut self, world: &World) -> Vec<Event> {
        let mut events = Vec::new();
        for (turn, place) in (0..world.incident.steps()).step_by(EVERY).enumerate() {
            let Some((class, name, pattern)) = PLACES.get(turn % PLACES.len()).copied() else { continue };
            let Some(service) = world.shop.index(name) else { continue };
            let value = self.value(class);
            let at = (world.incident.start() + STEP * place as i64) * 1000 + self.random.below(15_000) as i64;
            let mut replicas = world.history.replicas.iter().filter(|replica| replica.service == service);
            let live = replicas.find_map(|replica| {
                let step = replica.steps.get(place).filter(|step| step.live)?;
                Some((replica.slot, step.pod))
            });
            let Some((slot, pod)) = live else { continue };
            let message = pattern.replace("<secret>", &value);
            *self.told.entry((class, value, name)).or_default() += 1;
            let (level, trace, thrown) = (Level::Warn, None, None);
            events.push(Event { at, service, slot, pod, level, pattern, message, trace, thrown });
        }
        events
    }

    /// What was planted where.
    pub(super) fn told(&self) -> Vec<Value> {
        let all = self.told.iter().map(|((class, value, service), records)| {
            json!({
                "class": class,
                "value": value,
                "service": service,
                "records": records,
                "masked_by_default": *class != "ip",
            })
        });
        all.collect()
    }

    fn value(&mut self, class: &str) -> String {
        const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        const ANY: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        match class {
            "email" => self.email(),
            "card" => self.card(),
            "iban" => self.iban(),
            "jwt" => {
                let (claims, signature) = (self.of(ANY, 36), self.of(ANY, 43));
                format!("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI{claims}.{signature}")
            }
            "aws-key-id" => format!("AKIA{}", self.of(UPPER, 16)),
            "aws-secret-key" => self.of(ANY, 40),
            "github-token" => format!("ghp_{}", self.of(ANY, 36)),
            "slack-token" => format!("xoxb-{}-{}", self.of(b"0123456789", 12), self.of(ANY, 24)),
            "stripe-key" => format!("sk_live_{}", self.of(ANY, 24)),
            "google-key" => format!("AIza{}", self.of(ANY, 35)),
            "private-key" => {
                let body = self.of(ANY, 64);
                format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----")
            }
            "ip" => format!("198.51.100.{}", 1 + self.random.below(250)),
            "secret" | "url-password" => format!("{}{}", self.of(ANY, 9), 10 + self.random.below(90)),
            _ => self.of(ANY, 32),
        }
    }

    fn of(&mut self, letters: &[u8], count: usize) -> String {
        (0..count).filter_map(|_| self.random.choose(letters)).map(char::from).collect()
    }

    fn email(&mut self) -> String {
        let person = self.random.below(PEOPLE);
        let first = FIRST.get(person % FIRST.len()).copied().unwrap_or_default();
        let last = LAST.get(person / FIRST.len()).copied().unwrap_or_default();
        let domain =
            ["example.com", "example.net", "example.org"].get(person % 3).copied().unwrap_or_default();
        format!("{first}.{last}@{domain}")
    }

    /// With the check digit of Luhn.
    fn card(&mut self) -> String {
        let digits = format!("411111{}", self.of(b"0123456789", 9));
        let sum: u32 = digits
            .bytes()
            .rev()
            .enumerate()
            .map(|(place, digit)| {
                let digit = u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 };
                digit / 10 + digit % 10
            })
            .sum();
        format!("{digits}{}", (10 - sum % 10) % 10)
    }

    /// With the check digits of ISO 13616.
    fn iban(&mut self) -> String {
        let account = self.of(b"0123456789", 18);
        // The country's letters as numbers (D is 13, E is 14), and two zeros where the check digits will stand.
        let turned = format!("{account}131400");
        let rest = turned.bytes().fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
        format!("DE{:02}{account}", 98 - rest)
    }
}
