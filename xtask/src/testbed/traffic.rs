//! The invented traffic of four services: a pure function of the seconds since it began.
//!
//! Each peculiarity is there for a test: checkout and payment fail often enough for an alert, one small
//! worker of 84 slows down, a counter starts anew, a queue grows in a straight line towards its limit, one
//! version replaces another, some gauges are not finite, two names need quotes.

use std::collections::BTreeMap;

use super::exposition::{Dialect, Exemplar, Exposition, Kind};

/// Upper bounds of the latency buckets, in seconds; `+Inf` follows.
const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const WORKERS: u64 = 84;
/// A small one: its slow-down is far below what most others always need.
const SLOWING_WORKER: u64 = 7;
const SLOWS_AFTER_SECONDS: u64 = 20;
const DEPLOYED_AFTER_SECONDS: u64 = 60;
const CACHE_RESTARTS_EVERY_SECONDS: u64 = 90;
const QUEUES: [&str; 5] = ["emails", "exports", "images", "invoices", "webhooks"];

struct Service {
    name: &'static str,
    routes: &'static [(&'static str, &'static str)],
    requests_per_second: u64,
    error_share: f64,
    median_seconds: f64,
}

const SERVICES: [Service; 4] = [
    Service {
        name: "cart",
        routes: &[("GET", "/cart"), ("POST", "/cart/items")],
        requests_per_second: 25,
        error_share: 0.0,
        median_seconds: 0.012,
    },
    Service {
        name: "checkout",
        routes: &[("POST", "/checkout"), ("GET", "/checkout/{order}")],
        requests_per_second: 20,
        error_share: 0.15,
        median_seconds: 0.09,
    },
    Service {
        name: "payment",
        routes: &[("POST", "/charge"), ("POST", "/refund")],
        requests_per_second: 12,
        error_share: 0.25,
        median_seconds: 0.2,
    },
    Service {
        name: "web",
        routes: &[("GET", "/"), ("GET", "/search"), ("GET", "/product/{id}")],
        requests_per_second: 60,
        error_share: 0.002,
        median_seconds: 0.03,
    },
];

/// Everything counted so far.
pub(crate) struct Traffic {
    seconds: u64,
    /// By service, code, route, method.
    requests: BTreeMap<[&'static str; 4], u64>,
    /// By service and route.
    durations: BTreeMap<[&'static str; 2], Latencies>,
    cache_misses: u64,
}

#[derive(Default)]
struct Latencies {
    /// One count for each bound and the last for what lies above; not cumulative.
    counts: [u64; BOUNDS.len() + 1],
    sum: f64,
    latest: [Option<Exemplar>; BOUNDS.len() + 1],
}

impl Traffic {
    /// Nothing has happened yet, but every series exists at zero, so that rates exist early.
    pub(crate) fn new() -> Traffic {
        let mut requests = BTreeMap::new();
        let mut durations = BTreeMap::new();
        for service in &SERVICES {
            for (method, route) in service.routes {
                for code in ["200", "404", "500", "503"] {
                    requests.insert([service.name, code, *route, *method], 0);
                }
                durations.insert([service.name, *route], Latencies::default());
            }
        }
        Traffic { seconds: 0, requests, durations, cache_misses: 0 }
    }

    /// Lets time pass until `seconds` after the beginning. How often this is called changes nothing.
    pub(crate) fn advance_to(&mut self, seconds: u64) {
        while self.seconds < seconds {
            self.seconds += 1;
            self.one_second();
        }
    }

    fn one_second(&mut self) {
        let mut dice = Dice { state: self.seconds };
        for service in &SERVICES {
            for _ in 0..service.requests_per_second {
                self.one_request(service, &mut dice);
            }
        }
        self.cache_misses += 3 + dice.below(5);
        if self.seconds.is_multiple_of(CACHE_RESTARTS_EVERY_SECONDS) {
            self.cache_misses = 0;
        }
    }

    fn one_request(&mut self, service: &Service, dice: &mut Dice) {
        let choice = usize::try_from(dice.below(service.routes.len() as u64)).unwrap_or_default();
        let Some((method, route)) = service.routes.get(choice) else { return };
        let failed = dice.share() < service.error_share;
        let code = match (failed, dice.share()) {
            (true, kind) => {
                if kind < 0.7 {
                    "500"
                } else {
                    "503"
                }
            }
            (false, kind) => {
                if kind < 0.01 {
                    "404"
                } else {
                    "200"
                }
            }
        };
        *self.requests.entry([service.name, code, *route, *method]).or_default() += 1;

        // Symmetric around the median on a logarithmic scale: from a fifth to five times as long, roughly.
        let spread = dice.share() + dice.share() + dice.share() - 1.5;
        let seconds = service.median_seconds * (spread * 2.5).exp2() * if failed { 4.0 } else { 1.0 };
        let trace_id = format!("{:016x}{:016x}", dice.next(), dice.next());
        self.durations.entry([service.name, *route]).or_default().observe(seconds, trace_id);
    }

    /// All metrics at this moment.
    pub(crate) fn write_to(&self, page: &mut Exposition, dialect: Dialect) {
        self.write_requests(page);
        self.write_durations(page);
        self.write_queues(page);
        self.write_workers(page);
        self.write_peculiar(page);
        if dialect.utf8_names {
            page.family("queue.oldest.message.age", Kind::Gauge, "Age of the oldest message in seconds.");
            for (queue, rank) in QUEUES.iter().zip(1_u32..) {
                page.sample("queue.oldest.message.age", &[("queue.name", *queue)], f64::from(rank) * 1.5);
            }
        }
    }

    fn write_requests(&self, page: &mut Exposition) {
        page.family("http_requests_total", Kind::Counter, "Requests served.");
        for ([service, code, route, method], count) in &self.requests {
            let labels = [("service", *service), ("code", code), ("route", route), ("method", method)];
            page.sample("http_requests_total", &labels, *count as f64);
        }
    }

    fn write_durations(&self, page: &mut Exposition) {
        page.family("http_request_duration_seconds", Kind::Histogram, "Time to serve a request.");
        for ([service, route], latencies) in &self.durations {
            latencies.write_to(page, service, route);
        }
    }

    fn write_queues(&self, page: &mut Exposition) {
        page.family("queue_depth", Kind::Gauge, "Messages waiting.");
        for (queue, rank) in QUEUES.iter().zip(1_u64..) {
            let noise = Dice { state: self.seconds ^ (rank << 40) }.share() * 4.0;
            let growth = if *queue == "emails" { self.seconds as f64 * 0.05 } else { 0.0 };
            page.sample(
                "queue_depth",
                &[("queue", *queue)],
                (10.0 + 4.0 * rank as f64 + growth + noise).round(),
            );
        }
        page.family("queue_limit", Kind::Gauge, "Messages that fit.");
        for queue in QUEUES {
            page.sample("queue_limit", &[("queue", queue)], 1000.0);
        }
    }

    fn write_workers(&self, page: &mut Exposition) {
        page.family("worker_latency_seconds", Kind::Gauge, "Time of the last unit of work.");
        for worker in 0..WORKERS {
            let usual = 0.02 * 1.06_f64.powf(worker as f64);
            let noise = 0.97 + 0.06 * Dice { state: self.seconds ^ (worker << 32) }.share();
            let slow = worker == SLOWING_WORKER && self.seconds > SLOWS_AFTER_SECONDS;
            let seconds = usual * noise * if slow { 6.0 } else { 1.0 };
            let name = format!("w{worker:02}");
            let zone = if worker % 2 == 0 { "north" } else { "south" };
            page.sample("worker_latency_seconds", &[("worker", &name), ("zone", zone)], seconds);
        }
    }

    fn write_peculiar(&self, page: &mut Exposition) {
        page.family(
            "cache_misses_total",
            Kind::Counter,
            "Look-ups that missed; the cache restarts at times.",
        );
        page.sample("cache_misses_total", &[("shard", "a")], self.cache_misses as f64);

        page.family("cache_hit_ratio", Kind::Gauge, "Hits by look-ups; not a number without look-ups.");
        page.sample("cache_hit_ratio", &[("shard", "a")], 0.93);
        page.sample("cache_hit_ratio", &[("shard", "idle")], f64::NAN);

        page.family("request_budget_seconds", Kind::Gauge, "Longest time a request may take.");
        page.sample("request_budget_seconds", &[("service", "checkout")], 5.0);
        page.sample("request_budget_seconds", &[("service", "web")], f64::INFINITY);

        page.family("app_build_info", Kind::Gauge, "The running version.");
        let version = if self.seconds < DEPLOYED_AFTER_SECONDS { "1.4.0" } else { "1.5.0" };
        page.sample("app_build_info", &[("service", "payment"), ("version", version)], 1.0);
    }
}

impl Latencies {
    fn observe(&mut self, seconds: f64, trace_id: String) {
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        self.sum += seconds;
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        if let Some(latest) = self.latest.get_mut(bucket) {
            *latest = Some(Exemplar { trace_id, value: seconds });
        }
    }

    fn write_to(&self, page: &mut Exposition, service: &str, route: &str) {
        let bounds = BOUNDS.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
        let mut seen = 0;
        for ((bound, count), exemplar) in bounds.zip(&self.counts).zip(&self.latest) {
            seen += count;
            let labels = [("service", service), ("route", route), ("le", &bound)];
            let name = "http_request_duration_seconds_bucket";
            page.sample_with_exemplar(name, &labels, seen as f64, exemplar.as_ref());
        }
        let labels = [("service", service), ("route", route)];
        page.sample("http_request_duration_seconds_sum", &labels, self.sum);
        page.sample("http_request_duration_seconds_count", &labels, seen as f64);
    }
}

/// SplitMix64: the same numbers on every machine.
struct Dice {
    state: u64,
}

impl Dice {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, not including, 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 up to, not including, `limit`, which is at least 1.
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

#[cfg(test)]
mod tests;
