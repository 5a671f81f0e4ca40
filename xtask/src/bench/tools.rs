//! `cargo xtask bench --tools`: what each tool's own work costs beside decoding the same replies, and its peak memory,
//! over ten thousand series in the real Prometheus; and peak memory of each tool under each fault of a backend.
//!
//! A tool's own work is processor time of the whole server for one call, less that of decoding the same bytes with
//! serde_json into borrowed texts and numbers. So it is an upper bound of the analysis: the protocol, the HTTP client,
//! masking, both renderings and the audit record are in it.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use testkit::prometheus::{Prometheus, programs};
use testkit::proxy::{Fault, Misbehaving};
use testkit::rss::peak_rss_bytes;
use tokio::process::Command;
use tokio::task::JoinSet;

use super::child::{OverStdio, processor_seconds};
use super::proxy::Proxy;
use super::report::{median, number, table};
use super::subject::{Subject, result, tool_call};
use super::wide;

#[path = "../../../servers/metrics/tests/common/calls.rs"]
mod calls;

const MB: f64 = 1e6;
/// Calls that are measured after the first one. Processor time is counted in steps of 10 ms.
const TIMES: u32 = 25;
const DECODED: u32 = 9;
/// Servers under faults at the same time; most of them wait.
const AT_ONCE: usize = 4;
/// DESIGN §11: for any single call.
const MOST_MIB: f64 = 64.0;

/// Each tool over the wide world. The worst service is asked for where a tool takes one apart.
fn wide_calls() -> Vec<(&'static str, Value)> {
    let faulty = wide::service(wide::FAULTY);
    vec![
        // What any call costs.
        ("query_metrics", json!({"promql": "vector(1)"})),
        ("query_metrics", json!({"promql": "queue_depth", "time_range": "15m", "step": "1m"})),
        ("search_metrics", json!({"text": "queue depth"})),
        (
            "compare_time_periods",
            json!({"metric": "queue_depth", "window1": "15m", "window2": "now-45m/now-30m"}),
        ),
        ("get_high_cardinality_metrics", json!({})),
        ("get_high_cardinality_metrics", json!({"service": faulty})),
        ("get_high_cardinality_metrics", json!({"mode": "cardinality"})),
        ("get_service_golden_signals", json!({})),
        ("get_service_golden_signals", json!({"service": faulty})),
        ("get_capacity_trend", json!({"resource": "memory", "time_range": "1h"})),
        ("list_firing_alerts", json!({})),
    ]
}

/// Prints the table of each tool over ten thousand series; gives the one of the worst peak of each tool under faults.
pub(super) async fn measure(subject: &Subject) -> Result<String, Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let file = directory.path().join("wide.om");
    let mut text = std::io::BufWriter::new(std::fs::File::create(&file)?);
    wide::open_metrics(now, &wide::times(now), &mut text)?;
    text.flush()?;
    std::fs::write(directory.path().join("rules.yml"), wide::RULES)?;
    let prometheus = Prometheus::over(&programs(), &[file], directory.path(), &[]);
    wait_for_alerts(&prometheus.url()).await?;
    let proxy = Proxy::before(&prometheus.url())?;
    let mut rows = Vec::new();
    for (tool, arguments) in wide_calls() {
        rows.push(one(subject, &proxy, tool, arguments).await?);
    }
    let mut all = OverStdio::start(subject.command(Some(&proxy.url())))?;
    for (tool, arguments) in wide_calls() {
        result(&all.ask(&tool_call(tool, arguments)).await?, false)?;
    }
    let over_all = peak_rss_bytes(all.pid()?) as f64 / MB;
    all.end().await?;
    let header = [
        "tool",
        "requests",
        "replies, MB",
        "CPU, ms",
        "decoding, ms",
        "the rest, ms",
        "rest ÷ decoding",
        "Prometheus, ms",
        "CPU ÷ Prometheus",
        "peak RSS of one call, MB",
        "of 27",
        "answer, chars",
    ];
    println!("{}\npeak RSS of one process over all these calls: {over_all:.1} MB\n", table(&header, &rows));
    under_faults(subject).await
}

/// Until every alert of the rule fires. Its own series can't be written: the loaded samples end later.
async fn wait_for_alerts(url: &str) -> Result<(), Box<dyn Error>> {
    let client = testkit::mcp::HttpClient::new(url);
    for _ in 0..120 {
        let reply = client.send(testkit::mcp::HttpRequest::new("GET").path("/api/v1/alerts")).await.json();
        let alerts = reply.pointer("/data/alerts").and_then(Value::as_array).map_or(0, Vec::len);
        if alerts == wide::SERVICES * wide::PODS {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err("see an alert for each pod within two minutes".into())
}

async fn one(
    subject: &Subject,
    proxy: &Proxy,
    tool: &str,
    arguments: Value,
) -> Result<Vec<String>, Box<dyn Error>> {
    let call = tool_call(tool, arguments.clone());
    let mut server = OverStdio::start(subject.command(Some(&proxy.url())))?;
    let answer = result(&server.ask(&call).await?, false)?;
    let peak = peak_rss_bytes(server.pid()?) as f64 / MB;
    proxy.take();
    let before = processor_seconds(server.pid()?)?;
    for _ in 0..TIMES {
        result(&server.ask(&call).await?, false)?;
    }
    let used = (processor_seconds(server.pid()?)? - before) * 1e3 / f64::from(TIMES);
    proxy.take();
    result(&server.ask(&call).await?, false)?;
    let replies = proxy.take();
    let peak_of_all = peak_rss_bytes(server.pid()?) as f64 / MB;
    server.end().await?;

    let waited = waited(subject)?;
    let decoding = decoding(&replies)?;
    let bytes = replies.iter().map(Vec::len).sum::<usize>() as f64 / MB;
    let rest = (used - decoding).max(0.0);
    let shown = arguments.as_object().map_or(0, serde_json::Map::len);
    let name = if shown == 0 { tool.to_owned() } else { format!("{tool} {arguments}") };
    let text = answer.pointer("/content/0/text").and_then(Value::as_str).unwrap_or_default();
    Ok(vec![
        name.replace('"', ""),
        replies.len().to_string(),
        format!("{bytes:.2}"),
        format!("{used:.1}"),
        format!("{decoding:.1}"),
        format!("{rest:.1}"),
        format!("{:.2}", rest / decoding),
        format!("{waited:.0}"),
        format!("{:.2}", used / waited),
        format!("{peak:.1}"),
        format!("{peak_of_all:.1}"),
        number(text.chars().count() as f64),
    ])
}

/// Milliseconds that a call waited for its requests, by the audit records of the last calls: each from sending to the
/// last byte, added up although some are under way at the same time. The median.
fn waited(subject: &Subject) -> Result<f64, Box<dyn Error>> {
    let log = std::fs::read_to_string(subject.state.path().join("audit/metrics-mcp.jsonl"))?;
    let records = log.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let waits = records.filter_map(|record| {
        let upstream = record.get("upstream")?.as_array()?;
        Some(upstream.iter().filter_map(|one| one.get("ms")?.as_f64()).sum())
    });
    Ok(median(waits.take(TIMES as usize)))
}

/// Milliseconds of decoding these bodies one after the other; the median of several times.
fn decoding(replies: &[Vec<u8>]) -> Result<f64, Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..DECODED {
        let began = Instant::now();
        for body in replies {
            std::hint::black_box(decode(body)?);
        }
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(times))
}

/// A reply of Prometheus, with series as what they are and anything else as JSON. How many numbers there were.
fn decode(body: &[u8]) -> Result<usize, serde_json::Error> {
    let Ok(reply) = serde_json::from_slice::<Reply<'_>>(body) else {
        return serde_json::from_slice::<Value>(body).map(|value| usize::from(!value.is_null()));
    };
    let points = reply.data.result.iter().flat_map(|series| series.values.iter().chain(&series.value));
    Ok(points.filter(|(_, value)| value.parse::<f64>().is_ok()).count())
}

#[derive(serde::Deserialize)]
struct Reply<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(serde::Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    result: Vec<Series<'a>>,
}

#[derive(serde::Deserialize)]
struct Series<'a> {
    #[serde(borrow, rename = "metric")]
    _metric: BTreeMap<&'a str, std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    values: Vec<(f64, &'a str)>,
    #[serde(borrow)]
    value: Option<(f64, &'a str)>,
}

/// The highest peak of each tool over all faults, and under which: one process for each call, as in `tests/faults.rs`.
async fn under_faults(subject: &Subject) -> Result<String, Box<dyn Error>> {
    let mut worst: BTreeMap<&str, (f64, String)> = BTreeMap::new();
    let mut count = 0;
    for fault in Fault::ALL {
        for some in calls::good_calls().chunks(AT_ONCE) {
            let mut running = JoinSet::new();
            for (tool, arguments) in some {
                let backend = Misbehaving::start(fault);
                let mut command = subject.command(Some(&backend.url()));
                command.env("ALERTMANAGER_URL", backend.url());
                command.env("METRICS_MCP__LIMITS__CALL_DEADLINE_SECONDS", "3");
                command.env("METRICS_MCP__UPSTREAM__UPSTREAM_TIMEOUT_SECONDS", "2");
                let (tool, call) = (*tool, tool_call(tool, arguments.clone()));
                running.spawn(async move {
                    let peak = peak_of_one(command, &call).await.map_err(|error| error.to_string());
                    drop(backend);
                    (tool, peak)
                });
            }
            while let Some(done) = running.join_next().await {
                let (tool, peak) = done?;
                let (peak, known) = (peak?, worst.entry(tool).or_default());
                count += 1;
                if peak > known.0 {
                    *known = (peak, format!("{fault:?}"));
                }
            }
        }
    }
    let row = |(tool, (peak, fault)): (&&str, &(f64, String))| {
        let met = if *peak <= MOST_MIB { "met" } else { "NOT MET" };
        let goal = format!("≤ {MOST_MIB} MiB");
        vec![(*tool).to_owned(), format!("{peak:.1} MiB"), goal, met.to_owned(), fault.clone()]
    };
    let rows: Vec<Vec<String>> = worst.iter().map(row).collect();
    let header = ["tool under faults", "highest peak RSS", "goal", "", "under"];
    Ok(format!("{count} calls under {} faults, a process each\n{}", Fault::ALL.len(), table(&header, &rows)))
}

/// In MiB, of a server that makes this call, which must fail.
async fn peak_of_one(command: Command, call: &Value) -> Result<f64, Box<dyn Error>> {
    let mut server = OverStdio::start(command)?;
    result(&server.ask(call).await?, true)?;
    let peak = peak_rss_bytes(server.pid()?) as f64 / 1_048_576.0;
    server.end().await?;
    Ok(peak)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_a_reply_is_decoded() {
        let matrix = br#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"2"],[3,"NaN"]]}]}}"#;
        let vector = br#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1.5,"2"]}]}}"#;
        assert_eq!((decode(matrix).unwrap(), decode(vector).unwrap()), (2, 1));
        assert!(decode(br#"{"status":"success","data":["a"]}"#).is_ok() && decode(b"<html>").is_err());
    }

    #[test]
    fn every_tool_is_measured() {
        let measured: std::collections::BTreeSet<&str> =
            wide_calls().into_iter().map(|(tool, _)| tool).collect();
        assert_eq!(measured.into_iter().collect::<Vec<_>>(), calls::TOOLS);
    }
}
