//! A recorded incident beside the real Prometheus with the same files: how long reading takes, what memory it needs, how
//! long the same question takes to answer through the same server.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use testkit::prometheus::{Prometheus, programs};
use testkit::rss::{current_rss_bytes, peak_rss_bytes};
use world::{Options, World};

use super::child::OverStdio;
use super::report::{Figure, Goal, median, table};
use super::subject::{Subject, over, result};

const MB: f64 = 1e6;
/// Times that each question is asked of each, in turn.
const TIMES: usize = 9;
/// The demo's last hour, at the step the server chooses: 240 moments.
const WINDOW: &str = "2026-01-14T13:32:00Z/2026-01-14T14:32:00Z";
/// Questions from a single metric to all buckets, and a long range.
const QUESTIONS: [(&str, &str); 6] = [
    ("a gauge of 12 services", "service:latency_seconds:mean_rate2m"),
    ("a rate, summed", "sum by (service) (rate(http_server_request_duration_seconds_count[2m]))"),
    (
        "p95 of 700 buckets",
        "histogram_quantile(0.95, sum by (le, service) (rate(http_server_request_duration_seconds_bucket[5m])))",
    ),
    (
        "memory ÷ limit, joined",
        "container_memory_working_set_bytes / on (namespace, pod, container) kube_pod_container_resource_limits{resource=\"memory\"}",
    ),
    ("a subquery", "max_over_time(sum by (service) (rate(http_requests_total[5m]))[30m:1m])"),
    ("every series at once", "count by (__name__) ({__name__=~\".+\"})"),
];

/// Figures of the recording alone, and a table of times beside Prometheus.
pub(super) async fn measure(subject: &Subject) -> Result<(Vec<Figure>, String), Box<dyn Error>> {
    let (recording, blocks) = (tempfile::tempdir()?, tempfile::tempdir()?);
    World::demo().write(recording.path(), &Options { compress: true, ..Options::default() })?;
    let mut figures = loading(subject, recording.path(), "compressed").await?;
    World::demo().write(recording.path(), &Options::default())?;
    for name in ["metrics/shop.om.gz", "metrics/capacity.om.gz"] {
        std::fs::remove_file(recording.path().join(name))?;
    }
    figures.extend(loading(subject, recording.path(), "as text").await?);
    let files = ["metrics/shop.om", "metrics/capacity.om"].map(|name| recording.path().join(name));
    let prometheus = Prometheus::over(&programs(), &files, blocks.path(), &[]);
    let table = beside(subject, recording.path(), &prometheus.url()).await?;
    let theirs = current_rss_bytes(prometheus.pid()) as f64 / MB;
    figures.push(Figure::new(
        "RSS of Prometheus with the same series, after the same questions",
        theirs,
        "MB",
        Goal::None,
    ));
    Ok((figures, table))
}

fn started(subject: &Subject, recording: &Path) -> Result<OverStdio, Box<dyn Error>> {
    let mut command = subject.command(None);
    command.arg("--snapshot").arg(recording);
    OverStdio::start(command)
}

/// From the first question to its answer, in which all files are read, and what memory that takes.
async fn loading(subject: &Subject, recording: &Path, how: &str) -> Result<Vec<Figure>, Box<dyn Error>> {
    let mut waits = Vec::new();
    let (mut peak, mut resident) = (0.0, 0.0);
    for _ in 0..3 {
        let mut server = started(subject, recording)?;
        let began = Instant::now();
        result(&server.ask(&over("up", WINDOW)).await?, false)?;
        waits.push(began.elapsed().as_secs_f64());
        peak = peak_rss_bytes(server.pid()?) as f64 / MB;
        resident = current_rss_bytes(server.pid()?) as f64 / MB;
        server.end().await?;
    }
    Ok(vec![
        Figure::new(format!("first answer over the demo's files, {how}"), median(waits), "s", Goal::None),
        Figure::new("  peak RSS", peak, "MB", Goal::None),
        Figure::new("  RSS afterwards", resident, "MB", Goal::None),
    ])
}

async fn beside(subject: &Subject, recording: &Path, url: &str) -> Result<String, Box<dyn Error>> {
    let mut recorded = started(subject, recording)?;
    let mut live = OverStdio::start(subject.command(Some(url)))?;
    let mut rows = Vec::new();
    for (name, promql) in QUESTIONS {
        let question = over(promql, WINDOW);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for time in 0..=TIMES {
            for (server, times) in [(&mut recorded, &mut ours), (&mut live, &mut theirs)] {
                let began = Instant::now();
                result(&server.ask(&question).await?, false)?;
                // The first time is for warming up.
                if time > 0 {
                    times.push(began.elapsed().as_secs_f64() * 1e3);
                }
            }
        }
        let (ours, theirs) = (median(ours), median(theirs));
        rows.push(vec![
            name.to_owned(),
            format!("{ours:.1} ms"),
            format!("{theirs:.1} ms"),
            format!("{:.2}", ours / theirs),
        ]);
    }
    recorded.end().await?;
    live.end().await?;
    Ok(table(&["query_metrics over 1 h, 240 moments", "recorded", "Prometheus", "ratio"], &rows))
}
