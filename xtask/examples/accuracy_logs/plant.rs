//! Small worlds of logs with one planted incident each. Deterministic by seed.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp, ToSpan};

/// What is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Incident {
    /// A service says something it never said.
    NewError,
    /// An error that is known becomes frequent.
    Surge,
    /// A service, or one of its pods, says nothing more.
    Silence,
    /// Records of a service arrive minutes late.
    SlowIngest,
}

impl Incident {
    pub(crate) const ALL: [Incident; 4] =
        [Incident::NewError, Incident::Surge, Incident::Silence, Incident::SlowIngest];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Incident::NewError => "new error",
            Incident::Surge => "surge",
            Incident::Silence => "silence",
            Incident::SlowIngest => "slow ingest",
        }
    }
}

/// What is true about a case.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    pub(crate) incident: Incident,
    pub(crate) service: String,
    /// Where it is one pod.
    pub(crate) pod: Option<String>,
    /// Literal words of the pattern that is new or surges.
    pub(crate) words: String,
    pub(crate) onset: Timestamp,
    pub(crate) now: Timestamp,
}

/// A case: what is true, and the records as one JSON document a line (ECS).
pub(crate) struct Case {
    pub(crate) truth: Truth,
    pub(crate) ndjson: String,
    pub(crate) records: usize,
}

const SERVICES: [&str; 12] = [
    "web", "checkout", "payment", "cart", "catalog", "search", "shipping", "mail", "ledger", "profile",
    "stock", "gateway",
];
const VERBS: [&str; 10] =
    ["load", "store", "reserve", "publish", "refresh", "charge", "render", "sync", "resolve", "flush"];
const NOUNS: [&str; 10] =
    ["order", "session", "invoice", "picture", "address", "coupon", "basket", "event", "ticket", "price"];
const REASONS: [&str; 8] = [
    "deadline exceeded",
    "connection refused",
    "checksum does not match",
    "lock is held by another writer",
    "quota is used up",
    "no route to host",
    "unexpected end of stream",
    "certificate has expired",
];
const PODS: usize = 3;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// One kind of record of a service.
struct Kind {
    level: &'static str,
    /// `{}` is a number, `<>` an id.
    text: String,
    /// Records a second, all pods together.
    rate: f64,
}

struct Service {
    name: &'static str,
    kinds: Vec<Kind>,
    pods: Vec<String>,
    /// How much its rate swings within the day.
    swing: f64,
    /// Variance of its bursts: 0 is Poisson.
    bursts: f64,
}

impl Service {
    fn new(random: &mut fastrand::Rng, name: &'static str) -> Service {
        let mut kinds = Vec::new();
        for place in 0..random.usize(6..12) {
            let (verb, noun) = (VERBS[random.usize(..VERBS.len())], NOUNS[place % NOUNS.len()]);
            let rate = 0.01 * 60.0_f64.powf(random.f64());
            kinds.push(Kind { level: "info", text: format!("{verb} {noun} <> done in {{}} ms"), rate });
        }
        for place in 0..random.usize(2..5) {
            let (verb, noun) = (VERBS[random.usize(..VERBS.len())], NOUNS[(place + 5) % NOUNS.len()]);
            let reason = REASONS[place];
            let level = if place == 0 { "warn" } else { "error" };
            let rate = 0.002 * 10.0_f64.powf(random.f64());
            kinds.push(Kind {
                level,
                text: format!("could not {verb} {noun} <>: {reason} after {{}} ms"),
                rate,
            });
        }
        let hash = || -> String { (0..5).map(|_| random.alphanumeric().to_ascii_lowercase()).collect() };
        let mut hash = hash;
        let set = hash();
        let pods = (0..PODS).map(|_| format!("{name}-{set}-{}", hash())).collect();
        Service {
            name,
            kinds,
            pods,
            swing: 0.4 * random.f64(),
            bursts: if random.bool() { 0.0 } else { 0.5 },
        }
    }

    /// The rate at a moment in proportion to the mean.
    fn level(&self, second: i64) -> f64 {
        let phase = (second % DAY) as f64 / DAY as f64 * std::f64::consts::TAU;
        1.0 + self.swing * phase.sin()
    }
}

/// Makes a case.
pub(crate) fn case(incident: Incident, seed: u64) -> Case {
    let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(4).wrapping_add(incident as u64));
    let mut names = SERVICES;
    random.shuffle(&mut names);
    let services: Vec<Service> =
        names.iter().take(random.usize(6..11)).map(|name| Service::new(&mut random, name)).collect();
    let start: Timestamp = "2026-03-10T08:00:00Z".parse().unwrap_or_default();
    let now = start.as_second() + random.i64(0..10 * HOUR);
    let onset = now - random.i64(480..2_700);
    let mut plan = Plan::new(&mut random, &services, incident, onset, now);
    let mut lines: Vec<(i64, String)> = Vec::new();
    for (place, service) in services.iter().enumerate() {
        for back in [7 * DAY, DAY, 0] {
            plan.tell(&mut random, place, service, (now - back - 2 * HOUR, now - back), &mut lines);
        }
    }
    lines.sort();
    let mut ndjson = String::new();
    for (_, line) in &lines {
        ndjson.push_str(line);
        ndjson.push('\n');
    }
    let at = |second| Timestamp::from_second(second).unwrap_or_default();
    let truth = Truth {
        incident,
        service: services[plan.service].name.to_owned(),
        pod: plan.pod.map(|pod| services[plan.service].pods[pod].clone()),
        words: plan.words.clone(),
        onset: at(onset),
        now: at(now),
    };
    Case { truth, ndjson, records: lines.len() }
}

struct Plan {
    incident: Incident,
    service: usize,
    pod: Option<usize>,
    /// The kind that surges: an index; the new one is none of them.
    kind: Option<usize>,
    words: String,
    rate: f64,
    onset: i64,
    now: i64,
    delay: i64,
}

impl Plan {
    fn new(
        random: &mut fastrand::Rng,
        services: &[Service],
        incident: Incident,
        onset: i64,
        now: i64,
    ) -> Plan {
        // Silence of who hardly speaks can't be noticed: at least 30 records must be missing.
        let rate = |service: &Service| service.kinds.iter().map(|kind| kind.rate).sum::<f64>();
        let one_pod = incident == Incident::Silence && random.bool();
        let missing = |service: &Service| {
            let share = if one_pod { 1.0 / PODS as f64 } else { 1.0 };
            rate(service) * share * (now - onset) as f64
        };
        let loud = (0..services.len()).filter(|place| missing(&services[*place]) >= 30.0);
        let loud: Vec<usize> = loud.collect();
        let service = loud.get(random.usize(..loud.len().max(1))).copied().unwrap_or(0);
        let errors = services[service].kinds.iter().position(|kind| kind.level == "error").unwrap_or(0);
        let (kind, words, rate) = match incident {
            Incident::Surge => {
                let kind = &services[service].kinds[errors];
                let grown = kind.rate * random.usize(6..20) as f64;
                (Some(errors), kind.text.clone(), grown.max(60.0 / (now - onset) as f64))
            }
            _ => {
                let noun = NOUNS[random.usize(..NOUNS.len())];
                let text = format!(
                    "cannot acquire {noun} connection from pool after {{}} ms: pool exhausted (size={{}})"
                );
                (None, text, 0.03 * 30.0_f64.powf(random.f64()))
            }
        };
        let pod = match incident {
            Incident::Silence if one_pod => Some(random.usize(..PODS)),
            _ => None,
        };
        Plan { incident, service, pod, kind, words, rate, onset, now, delay: random.i64(180..420) }
    }

    /// The records of one service between two moments.
    fn tell(
        &mut self,
        random: &mut fastrand::Rng,
        place: usize,
        service: &Service,
        (from, to): (i64, i64),
        lines: &mut Vec<(i64, String)>,
    ) {
        for second in from..to {
            let burst = if service.bursts > 0.0 && second % 7 == 0 { 1.0 + 4.0 * random.f64() } else { 1.0 };
            let struck = place == self.service && to == self.now && second >= self.onset;
            for (number, kind) in service.kinds.iter().enumerate() {
                let surges = struck && self.incident == Incident::Surge && self.kind == Some(number);
                let rate = if surges { self.rate } else { kind.rate * service.level(second) * burst };
                self.draw(random, service, (&kind.text, kind.level), (second, rate, struck), lines);
            }
            if struck && self.incident == Incident::NewError {
                let text = self.words.clone();
                self.draw(random, service, (&text, "error"), (second, self.rate, struck), lines);
            }
        }
    }

    /// The records of one kind in one second.
    fn draw(
        &self,
        random: &mut fastrand::Rng,
        service: &Service,
        (text, level): (&str, &str),
        (second, rate, struck): (i64, f64, bool),
        lines: &mut Vec<(i64, String)>,
    ) {
        let mut left = random.f64();
        let none = (-rate).exp();
        while left > none {
            left *= random.f64();
            let pod = random.usize(..service.pods.len());
            if struck && self.incident == Incident::Silence && self.pod.is_none_or(|silent| silent == pod) {
                continue;
            }
            let lag =
                if struck && self.incident == Incident::SlowIngest { self.delay } else { random.i64(1..4) };
            // What has not arrived by now can't be read.
            if second + lag > self.now && struck {
                continue;
            }
            lines.push((second, self.line(random, service, (text, level), (second, pod, lag))));
        }
    }

    fn line(
        &self,
        random: &mut fastrand::Rng,
        service: &Service,
        (text, level): (&str, &str),
        (second, pod, lag): (i64, usize, i64),
    ) -> String {
        let mut said = String::new();
        let mut rest = text;
        while let Some(place) = rest.find(['{', '<']) {
            let (head, tail) = rest.split_at(place);
            said.push_str(head);
            if tail.starts_with('{') {
                let _ = write!(said, "{}", random.u32(2..5_000));
            } else {
                let _ = write!(said, "{:08x}", random.u32(..));
            }
            rest = &tail[2..];
        }
        said.push_str(rest);
        let at = Timestamp::from_second(second).unwrap_or_default() + random.i64(0..1_000).milliseconds();
        let stored = at + SignedDuration::from_secs(lag);
        format!(
            "{{\"@timestamp\":\"{at:.3}\",\"event\":{{\"ingested\":\"{stored:.3}\"}},\"log.level\":\"{level}\",\
             \"message\":\"{said}\",\"service\":{{\"name\":\"{}\",\"version\":\"1.{}.0\"}},\
             \"kubernetes\":{{\"pod\":{{\"name\":\"{}\"}}}},\"host\":{{\"name\":\"node-{}\"}}}}",
            service.name,
            service.swing.to_bits() % 9,
            service.pods[pod],
            pod + 1
        )
    }
}
