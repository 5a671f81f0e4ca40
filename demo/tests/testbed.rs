//! Recordings in the real systems: promtool and Prometheus of the testbed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use world::{Fault, Options, World};

/// Where the testbed keeps Prometheus 3; promtool is beside it.
fn programs() -> PathBuf {
    let cache = std::env::var("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|_| Path::new(&std::env::var("HOME").unwrap()).join(".cache"));
    let endpoints = cache.join("observability-mcp/testbed/run/endpoints.json");
    let text = fs::read_to_string(endpoints).expect("start it with `cargo xtask testbed up`");
    let endpoints: Value = serde_json::from_str(&text).unwrap();
    Path::new(endpoints["prometheus"]["program"].as_str().unwrap()).parent().unwrap().to_owned()
}

fn promtool(arguments: &[&str]) {
    let output = Command::new(programs().join("promtool")).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    assert!(!said.contains("duplicate") && !said.contains("warn"), "promtool {arguments:?}: {said}");
}

/// A Prometheus over blocks made of a recording, which ends with this value.
struct Prometheus {
    process: Child,
    port: u16,
    _data: TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Prometheus {
    fn over(recording: &Path) -> Prometheus {
        let data = tempfile::tempdir().unwrap();
        let blocks = data.path().join("blocks");
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let file = |name: &str| text(&recording.join(name));
        promtool(&["check", "rules", &file("metrics/rules.yml")]);
        let make = ["tsdb", "create-blocks-from", "--max-block-duration=744h", "openmetrics", "--quiet"];
        for name in ["metrics/shop.om", "metrics/capacity.om"] {
            promtool(&[make.as_slice(), &[&file(name), &text(&blocks)]].concat());
        }
        fs::write(data.path().join("empty.yml"), "").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(programs().join("prometheus"))
            .arg(format!("--config.file={}", text(&data.path().join("empty.yml"))))
            .arg(format!("--storage.tsdb.path={}", text(&blocks)))
            .args(["--storage.tsdb.retention.time=100y", "--log.level=error"])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let prometheus = Prometheus { process, port, _data: data };
        for _ in 0..600 {
            if prometheus.get("/-/ready").is_some_and(|reply| reply.starts_with("HTTP/1.0 200")) {
                return prometheus;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("Prometheus is not ready after a minute");
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).ok()?;
        Some(reply)
    }

    /// The result of a range query; moments in seconds.
    fn range(&self, expression: &str, start: f64, end: f64, step: u32) -> Vec<Value> {
        let escaped: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/api/v1/query_range?query={escaped}&start={start}&end={end}&step={step}");
        let reply = self.get(&path).unwrap();
        let (_, body) = reply.split_once("\r\n\r\n").unwrap();
        let answer: Value = serde_json::from_str(body).unwrap();
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
        answer["data"]["result"].as_array().unwrap().clone()
    }
}

/// Labels that matter, and a moment.
type Row = (String, i64);

fn rows(series: &[Value], without: &[&str]) -> BTreeSet<Row> {
    let mut rows = BTreeSet::new();
    for one in series {
        let mut labels = one["metric"].as_object().unwrap().clone();
        labels.retain(|name, _| !without.contains(&name.as_str()));
        let labels = labels.into_iter().map(|(name, value)| (name, value.as_str().unwrap().to_owned()));
        let labels = format!("{:?}", labels.collect::<std::collections::BTreeMap<_, _>>());
        for sample in one["values"].as_array().unwrap() {
            rows.insert((labels.clone(), (sample[0].as_f64().unwrap() * 1000.0).round() as i64));
        }
    }
    rows
}

/// Names and expressions of the rules in the file, which has a form of its own: one line each.
fn rules(recording: &Path, kind: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(recording.join("metrics/rules.yml")).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let named = lines.windows(2).filter_map(|pair| {
        let name = pair[0].strip_prefix(&format!("- {kind}: "))?;
        Some((name.to_owned(), pair[1].strip_prefix("expr: '")?.strip_suffix('\'')?.replace("''", "'")))
    });
    named.collect()
}

/// What Prometheus finds by evaluating each rule over the samples is what the recording says it found.
fn check(world: &World) {
    let recording = tempfile::tempdir().unwrap();
    world.write(recording.path(), &Options::default()).unwrap();
    let prometheus = Prometheus::over(recording.path());
    let manifest = fs::read_to_string(recording.path().join("snapshot.toml")).unwrap();
    let moment = |key: &str| -> i64 {
        let (_, rest) = manifest.split_once(&format!("{key} = \"")).unwrap();
        rest.split('"').next().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
    };
    let (start, end) = (moment("start"), moment("end"));

    let text = fs::read_to_string(recording.path().join("metrics/shop.om")).unwrap();
    let offset = |prefix: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(prefix)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    // Groups are evaluated every 30 s at moments of their own; the first may have found nothing to record.
    let first = |prefix: &str| start as f64 + (offset(prefix) - start as f64) % 30.0;
    let (recorded_at, alerted_at) =
        (first("service:requests:rate2m{"), first("ALERTS{alertname=\"Watchdog\""));

    let recordings = rules(recording.path(), "record");
    assert_eq!(recordings.len(), 3);
    for (name, expression) in recordings {
        let wanted = prometheus.range(&expression, recorded_at, end as f64, 30);
        // What is recorded at that moment, not what a lookback still sees.
        let found = format!("last_over_time({name}[30s])");
        let found = prometheus.range(&found, recorded_at, end as f64, 30);
        assert_same_values(&name, &wanted, &found);
    }
    let alerts = rules(recording.path(), "alert");
    assert_eq!(alerts.len(), 18);
    for (name, expression) in alerts {
        let wanted = rows(&prometheus.range(&expression, alerted_at, end as f64, 30), &["__name__"]);
        // A lookback of one evaluation, so that an alert that ended is not seen for five minutes more.
        let series =
            format!("sum without (alertstate) (last_over_time(ALERTS{{alertname=\"{name}\"}}[30s]))");
        let found = prometheus.range(&series, alerted_at, end as f64, 30);
        let found = rows(&found, &["alertname", "severity", "team"]);
        assert_eq!(found, wanted, "{name}");
    }
}

fn assert_same_values(name: &str, wanted: &[Value], found: &[Value]) {
    let key = |one: &Value| one["metric"]["service"].as_str().unwrap().to_owned();
    assert_eq!(wanted.len(), found.len(), "{name}");
    for wanted in wanted {
        let found = found.iter().find(|found| key(found) == key(wanted)).unwrap();
        let number = |sample: &Value| sample[1].as_str().unwrap().parse::<f64>().unwrap();
        let moments = |one: &Value| -> Vec<(i64, f64)> {
            let samples = one["values"].as_array().unwrap().iter();
            samples.map(|sample| ((sample[0].as_f64().unwrap() * 1000.0) as i64, number(sample))).collect()
        };
        let (wanted, found) = (moments(wanted), moments(found));
        assert_eq!(wanted.len(), found.len(), "{name}");
        for (wanted, found) in wanted.into_iter().zip(found) {
            let is_same = (found.1 - wanted.1).abs() <= 1e-9 * wanted.1.abs();
            let is_same = is_same || (found.1.is_nan() && wanted.1.is_nan());
            assert!(is_same && found.0 == wanted.0, "{name}: {found:?} {wanted:?}");
        }
    }
}

#[test]
#[ignore = "needs the testbed"]
fn prometheus_evaluates_the_rules_over_the_demo_to_what_is_recorded() {
    check(&World::demo());
}

#[test]
#[ignore = "needs the testbed"]
fn prometheus_evaluates_the_rules_over_other_incidents_to_what_is_recorded() {
    for (place, fault) in Fault::ALL.into_iter().enumerate() {
        check(&World::incident(fault, 70 + place as u64));
    }
}
