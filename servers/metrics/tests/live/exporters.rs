//! Two real exporters, scraped live: this very server over HTTP, whose calls the test makes and counts itself, and
//! Prometheus' own HTTP API. What is expected comes from that count and from Prometheus, asked past the server.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};
use testkit::mcp::{Client, Era};
use tokio::time::Instant;

use crate::{
    binary::PROGRAM,
    testbed::{Answer, NOBODY, Session, ask, get, url, value},
};

/// Calls a second before and after the change, and how many of the later ones fail.
const CALM: u32 = 4;
const BUSY: u32 = 12;
const FAILING: u32 = 6;
/// How long each pace is kept, in seconds: rates are taken over up to two minutes, and a window of five minutes is held
/// against the five before it, of which more than half must be known.
const CALM_FOR: u32 = 360;
const BUSY_FOR: u32 = 180;

/// A server of its own that the testbed's Prometheus scrapes while this lives. Its port is in the name of its service, so
/// that an earlier run is no part of its baseline.
struct Scraped {
    served: testkit::program::Served,
    client: Client,
    target: PathBuf,
}

impl Drop for Scraped {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.target);
    }
}

impl Scraped {
    async fn start() -> Scraped {
        let targets = std::env::var("TESTBED_TARGETS")
            .unwrap_or_else(|_| panic!("TESTBED_TARGETS is not set: run `cargo xtask test-live`"));
        let prometheus = url("prometheus");
        // The bound of rates is no part of this.
        let served = PROGRAM
            .serve(&[
                ("PROMETHEUS_URL", prometheus.as_str()),
                ("METRICS_MCP__PROMETHEUS__1__NAME", "gone"),
                ("METRICS_MCP__PROMETHEUS__1__URL", NOBODY),
                ("METRICS_MCP__RATES__RANGE__PER_MINUTE", "100000"),
                ("METRICS_MCP__RATES__RANGE__BURST", "100000"),
                ("RUST_LOG", "off"),
            ])
            .await;
        let mut client = served.client();
        client.connect(Era::Stateless).await;
        let target = PathBuf::from(targets).join("metrics-mcp-live.json");
        let scraped = Scraped { served, client, target };
        let address = format!("127.0.0.1:{}", scraped.served.port);
        let told = json!([{"targets": [address], "labels": {"service": scraped.service()}}]);
        std::fs::write(&scraped.target, told.to_string()).unwrap();
        scraped
    }

    fn service(&self) -> String {
        format!("mcp-{}", self.served.port)
    }

    /// Makes calls at this pace; `failing` of those of each second ask a source that is not there. Each has its moment,
    /// so a slow one does not slow the pace.
    async fn calls(&self, per_second: u32, failing: u32, seconds: u32) {
        let began = Instant::now();
        for number in 0..per_second * seconds {
            tokio::time::sleep_until(began + Duration::from_secs(1) * number / per_second).await;
            let fails = number % per_second < failing;
            let arguments = match fails {
                true => json!({"promql": "up", "source": "gone"}),
                false => json!({"promql": "up"}),
            };
            let reply = self.client.call("query_metrics", arguments).await;
            assert_eq!(reply.is_error, fails, "{}", reply.text);
        }
    }
}

fn signal(answer: &Answer, signal: &str) -> Value {
    let rows = answer.rows("signals");
    let row = rows.iter().find(|row| row["signal"] == signal);
    row.cloned().unwrap_or_else(|| panic!("{signal}\n{}", answer.text))
}

fn near(found: f64, expected: f64, within: f64, answer: &Answer) {
    assert!((found / expected - 1.0).abs() <= within, "{found}, not {expected}\n{}", answer.text);
}

fn seconds(moment: &Value) -> f64 {
    let moment = moment.as_str().unwrap_or_else(|| panic!("no moment: {moment}"));
    moment.parse::<jiff::Timestamp>().unwrap().as_duration().as_secs_f64()
}

async fn now() -> f64 {
    value("prometheus", "vector(time())").await
}

/// Four calls a second, all answered; then twelve, half of which fail. The three tools that judge a service must say so.
#[tokio::test]
#[ignore = "needs the testbed"]
async fn our_own_servers_metrics_tell_the_calls_that_were_made_of_it() {
    let scraped = Scraped::start().await;
    let mut session = Session::start(&[("PROMETHEUS_URL", url("prometheus"))]).await;
    scraped.calls(CALM, 0, CALM_FOR).await;
    let changed = now().await;
    all_is_calm(&mut session, &scraped).await;
    scraped.calls(BUSY, FAILING, BUSY_FOR).await;
    let ended = now().await;
    // What was called last is scraped within a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    the_signals_moved(&mut session, &scraped, changed).await;
    the_windows_differ(&mut session, &scraped, (changed, ended)).await;
    what_is_unusual_is_told(&mut session, &scraped, changed).await;
    session.end().await;
}

async fn all_is_calm(session: &mut Session, scraped: &Scraped) {
    let arguments = json!({"service": scraped.service(), "time_range": "5m"});
    let answer = session.answer("get_service_golden_signals", arguments).await;
    assert!(answer.text.contains("mcp_tool_calls_total"), "{}", answer.text);
    near(signal(&answer, "traffic")["now"].as_f64().unwrap(), f64::from(CALM), 0.1, &answer);
    assert_eq!(signal(&answer, "errors")["now"], 0, "{}", answer.text);
    let buckets = format!("mcp_tool_call_duration_seconds_bucket{{service=\"{}\"}}", scraped.service());
    for (name, quantile) in [("latency p50", 0.5), ("latency p95", 0.95)] {
        let over = format!("histogram_quantile({quantile}, sum by (le) (rate({buckets}[3m])))");
        // Both interpolate in the same bucket, which is five times as wide at most.
        let (told, theirs) =
            (signal(&answer, name)["now"].as_f64().unwrap(), value("prometheus", &over).await);
        assert!(told / theirs < 5.0 && theirs / told < 5.0, "{name}: {told}, {theirs}\n{}", answer.text);
    }
}

async fn the_signals_moved(session: &mut Session, scraped: &Scraped, changed: f64) {
    let arguments = json!({"service": scraped.service(), "time_range": "5m"});
    let answer = session.answer("get_service_golden_signals", arguments).await;
    let errors = signal(&answer, "errors");
    // The rates over two minutes cross from 0 to a half: their median since then lies between.
    let share = errors["now"].as_f64().unwrap();
    let expected = 100.0 * f64::from(FAILING) / f64::from(BUSY);
    assert!(share > 0.5 * expected && share < 1.1 * expected, "{share} %\n{}", answer.text);
    let of = |more: &str| {
        format!("sum(rate(mcp_tool_calls_total{{service=\"{}\"{more}}}[1m]))", scraped.service())
    };
    let last = format!("100 * {} / {}", of(", outcome=\"upstream\""), of(""));
    near(value("prometheus", &last).await, expected, 0.1, &answer);
    assert!(answer.verdict().contains("failing"), "{}", answer.text);
    let since = seconds(&errors["since"]);
    assert!((-5.0..65.0).contains(&(since - changed)), "{} s after\n{}", since - changed, answer.text);
}

async fn the_windows_differ(session: &mut Session, scraped: &Scraped, (changed, ended): (f64, f64)) {
    let window = |from: f64, to: f64| format!("{}/{}", from.ceil(), to.floor());
    let arguments = json!({
        "metric": format!("mcp_tool_calls_total{{service=\"{}\"}}", scraped.service()),
        "window1": window(changed + 70.0, ended), "window2": window(changed - 110.0, changed - 5.0),
    });
    let answer = session.answer("compare_time_periods", arguments).await;
    let total = &answer.rows("totals")[0];
    near(total["median now"].as_f64().unwrap(), f64::from(BUSY), 0.1, &answer);
    near(total["median before"].as_f64().unwrap(), f64::from(CALM), 0.1, &answer);
    // Six a second that fail appeared, and those that are answered became six.
    let sets = answer.rows("label sets");
    let failures = sets.iter().find(|row| row["labels"].to_string().contains("upstream"));
    let failures = failures.unwrap_or_else(|| panic!("{}", answer.text));
    near(failures["median now"].as_f64().unwrap(), f64::from(FAILING), 0.1, &answer);
    assert!(answer.text.contains("appeared"), "{}", answer.text);
}

async fn what_is_unusual_is_told(session: &mut Session, scraped: &Scraped, changed: f64) {
    let since = changed.ceil().to_string();
    let arguments = json!({"service": scraped.service(), "since": since, "limit": 50});
    let answer = session.answer("get_high_cardinality_metrics", arguments).await;
    let rows = answer.rows("metrics");
    // One row for all calls: what moves together is one movement, and the failing ones are part of it. The server counts
    // its calls twice, as outcomes and as durations, and their answers' bytes; which of these leads the row is a matter of
    // when they were scraped.
    let named = |cell: &Value| cell.to_string().contains("mcp_tool_calls_total");
    let calls = rows.iter().find(|row| named(&row["metric"]) || named(&row["goes with"]));
    let calls = calls.unwrap_or_else(|| panic!("{}", answer.text));
    if calls["metric"] == "mcp_tool_answer_bytes_total" {
        assert!(calls["goes with"].to_string().contains("4 /s → 12 /s"), "{}", answer.text);
    } else {
        near(calls["before"].as_f64().unwrap(), f64::from(CALM), 0.1, &answer);
        near(calls["after"].as_f64().unwrap(), f64::from(BUSY), 0.1, &answer);
    }
    let onset = seconds(&calls["onset"]);
    assert!((-15.0..75.0).contains(&(onset - changed)), "{} s after\n{}", onset - changed, answer.text);
}

/// Prometheus about itself: the counter and the histogram of its requests, which the test makes more of.
#[tokio::test]
#[ignore = "needs the testbed"]
async fn prometheus_own_api_has_the_traffic_that_it_counts_itself() {
    let began = now().await;
    // Ten a second beside what others ask.
    while now().await < began + 90.0 {
        get("prometheus", "/api/v1/status/buildinfo").await;
        tokio::time::sleep(Duration::from_millis(90)).await;
    }
    let mut session = Session::start(&[("PROMETHEUS_URL", url("prometheus"))]).await;
    let arguments = json!({"service": "prometheus", "time_range": "5m", "by": "handler"});
    let answer = session.answer("get_service_golden_signals", arguments).await;
    let counted = "sum by (handler) (increase(prometheus_http_requests_total{job=\"prometheus\"}[80s]))";
    let reply = ask("prometheus", counted).await;
    let busiest = reply["data"]["result"].as_array().unwrap().iter().max_by(|one, other| {
        let count = |row: &Value| row["value"][1].as_str().unwrap().parse::<f64>().unwrap();
        count(one).total_cmp(&count(other))
    });
    let busiest = busiest.unwrap()["metric"]["handler"].as_str().unwrap().to_owned();
    assert!(answer.text.contains(&busiest), "{busiest} is the busiest\n{}", answer.text);

    let (from, to) = (began.ceil() + 30.0, now().await.floor() - 5.0);
    let metric = "prometheus_http_requests_total{job=\"prometheus\", handler=\"/api/v1/status/buildinfo\"}";
    let arguments = json!({
        "metric": metric, "window1": format!("{from}/{to}"), "window2": format!("{}/{}", from - 120.0, from - 60.0),
    });
    let answer = session.answer("compare_time_periods", arguments).await;
    let counted = value("prometheus", &format!("sum(rate({metric}[40s] @ {to}))")).await;
    near(answer.rows("totals")[0]["median now"].as_f64().unwrap(), counted, 0.25, &answer);
    session.end().await;
}
