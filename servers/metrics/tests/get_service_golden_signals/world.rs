//! Recorded incidents that a test writes down: series as functions of time.

use std::fmt::Write as _;

use contract::Clock;
use metrics_mcp::Convention;
use serde_json::Value;
use testkit::mcp::ToolReply;

use crate::common;

/// The end of every recording.
pub(crate) const NOW: &str = "2026-01-14T14:32:00Z";

const DAY: i64 = 86_400;

pub(crate) fn now() -> i64 {
    contract::FixedClock(NOW.parse().unwrap()).now().as_second()
}

/// Series as text. Every series has a sample every `step` seconds.
pub(crate) struct Book {
    text: String,
    step: i64,
    /// Seconds before now at which stretches begin and end; samples are written within them.
    stretches: Vec<(i64, i64)>,
}

impl Book {
    /// The last 95 minutes.
    pub(crate) fn today() -> Book {
        Book { text: String::new(), step: 15, stretches: vec![(95 * 60, 0)] }
    }

    /// Also the last 65 minutes one and seven days before.
    pub(crate) fn week() -> Book {
        let day = |days: i64| (days * DAY + 65 * 60, days * DAY);
        Book { stretches: vec![day(7), day(1), (95 * 60, 0)], ..Book::today() }
    }

    pub(crate) fn every(step: i64, seconds: i64) -> Book {
        Book { step, stretches: vec![(seconds, 0)], ..Book::today() }
    }

    /// A gauge: its value by seconds before now; no sample for `None`.
    pub(crate) fn gauge(&mut self, series: &str, value: impl Fn(i64) -> Option<f64>) {
        let (step, end) = (self.step, now());
        for (from, to) in self.stretches.clone() {
            let count = (from - to) / step;
            for place in 0..=count {
                let ago = from - place * step;
                if let Some(value) = value(ago) {
                    writeln!(self.text, "{series} {value} {}", end - ago).unwrap();
                }
            }
        }
    }

    /// A counter from what it counts a second, by seconds before now; no sample for `None`, and a new start after it.
    pub(crate) fn counter(&mut self, series: &str, rate: impl Fn(i64) -> Option<f64>) {
        let step = self.step;
        let sum = std::cell::Cell::new(1_000.0);
        self.gauge(series, |ago| {
            let Some(rate) = rate(ago) else {
                sum.set(0.0);
                return None;
            };
            sum.set(sum.get() + rate * step as f64);
            Some(sum.get())
        });
    }

    /// Requests by code with the latency's histogram: `per_second` requests, of which a share fails, and which take
    /// `seconds` (up to 0.1, 0.5 or 5).
    pub(crate) fn http(
        &mut self,
        labels: &str,
        per_second: impl Fn(i64) -> Option<f64>,
        failing: impl Fn(i64) -> f64,
        seconds: impl Fn(i64) -> f64,
    ) {
        let base = "http_server_request_duration_seconds";
        for (code, is_failed) in [("200", false), ("500", true)] {
            let labels = format!("{labels},http_route=\"/orders\",http_response_status_code=\"{code}\"");
            let rate = |ago: i64| {
                let share = if is_failed { failing(ago) } else { 1.0 - failing(ago) };
                Some(per_second(ago)? * share)
            };
            self.counter(&format!("{base}_count{{{labels}}}"), rate);
            self.counter(&format!("{base}_sum{{{labels}}}"), |ago| Some(rate(ago)? * seconds(ago)));
            for bound in [0.1, 0.5, 5.0, f64::INFINITY] {
                let le = if bound.is_infinite() { "+Inf".to_owned() } else { bound.to_string() };
                let within = |ago: i64| Some(if seconds(ago) <= bound { rate(ago)? } else { 0.0 });
                self.counter(&format!("{base}_bucket{{{labels},le=\"{le}\"}}"), within);
            }
        }
    }

    /// One scrape of an exporter, replayed: what counts grows by its value every 15 s.
    pub(crate) fn replay(&mut self, exposition: &str) {
        let counts = ["_total", "_count", "_sum", "_bucket", "_xx", "_commit", "_requests"];
        for line in exposition.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let value: f64 = value.parse().unwrap();
            let name = series.split('{').next().unwrap();
            if counts.iter().any(|end| name.ends_with(end)) {
                self.counter(series, |_| Some(value / 15.0));
            } else {
                self.gauge(series, |_| Some(value));
            }
        }
    }

    fn finished(&self) -> String {
        format!("{}# EOF\n", self.text)
    }

    /// A call over what is written down.
    pub(crate) async fn ask(&self, arguments: Value) -> ToolReply {
        self.ask_with(arguments, &[]).await
    }

    /// With further files.
    pub(crate) async fn ask_with(&self, arguments: Value, files: &[(&str, &str)]) -> ToolReply {
        self.ask_of(arguments, files, Vec::new()).await
    }

    /// With conventions of the operator.
    pub(crate) async fn ask_configured(&self, arguments: Value, conventions: Vec<Convention>) -> ToolReply {
        self.ask_of(arguments, &[], conventions).await
    }

    async fn ask_of(
        &self,
        arguments: Value,
        files: &[(&str, &str)],
        conventions: Vec<Convention>,
    ) -> ToolReply {
        let text = self.finished();
        let mut all = vec![("metrics/a.om", text.as_str())];
        all.extend(files);
        let directory = common::incident(NOW, &all);
        let mut loaded = common::recorded(directory.path());
        loaded.config.conventions = conventions;
        let (client, _) = common::connect(&loaded, NOW).await;
        let reply = client.call("get_service_golden_signals", arguments).await;
        assert!(
            reply.text.chars().count() <= 8_000,
            "{} characters\n{}",
            reply.text.chars().count(),
            reply.text
        );
        let structured = reply.structured.as_ref().map_or(0, |value| value.to_string().chars().count());
        assert!(structured <= 8_000, "{structured} characters");
        reply
    }
}

/// A row of a table: its cells by column.
pub(crate) fn row(reply: &ToolReply, title: &str, first: &str) -> Option<Value> {
    let structured = reply.structured.as_ref()?;
    let table = structured["tables"].as_array()?.iter().find(|table| table["title"] == title)?;
    let rows = table["rows"].as_array()?;
    rows.iter().find(|row| row[0] == first).cloned()
}

/// What a signal is now and was; `None` without a row.
pub(crate) fn signal(reply: &ToolReply, name: &str) -> Option<(Option<f64>, Option<f64>)> {
    let row = row(reply, "signals", name)?;
    Some((row[1].as_f64(), row[2].as_f64()))
}

/// The verdict.
pub(crate) fn verdict(reply: &ToolReply) -> String {
    reply.text.lines().next().unwrap_or_default().to_owned()
}
