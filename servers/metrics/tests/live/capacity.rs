//! `get_capacity_trend` in front of the real Prometheus: over what it scrapes of two real processes, and over the demo's
//! month, of which every sample is read past the server and added up here.

use serde_json::{Value, json};
use testkit::prometheus::{Prometheus, programs};
use world::{Options, World};

use crate::blocks;
use crate::testbed::{Session, ask, load_started, url, value};

const MIB: f64 = 1_048_576.0;

/// A month that ends at the demo's now: a sample every five minutes, and every 15 s in its last two hours.
const MONTH: &str = "2025-12-15T14:32:00Z/2026-01-14T14:32:00Z";
const END: &str = "2026-01-14T14:31:00Z";

fn number(row: &Value, column: &str) -> f64 {
    row[column].as_f64().unwrap_or_else(|| panic!("{column} in {row}"))
}

fn near(found: f64, expected: f64, within: f64, text: &str) {
    assert!((found / expected - 1.0).abs() <= within, "{found}, not {expected}\n{text}");
}

/// Prometheus and an Alertmanager are processes without containers: their own metrics tell, at the moments that the
/// evidence names, and that there is no month of them is said.
#[tokio::test]
#[ignore = "needs the testbed"]
async fn the_processes_of_the_testbed_use_what_prometheus_says_they_do() {
    let until = load_started().await + 260.0;
    while value("prometheus", "vector(time())").await < until {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    let mut session = Session::start(&[("PROMETHEUS_URL", url("prometheus"))]).await;
    let answer = session.answer("get_capacity_trend", json!({"time_range": "1h"})).await;
    let rows = answer.rows("rows of memory in MiB");
    let cpu = answer.rows("rows of cpu in cores");
    for job in ["prometheus", "alertmanager"] {
        let row = rows.iter().find(|row| row["job"] == job).unwrap_or_else(|| panic!("{}", answer.text));
        let memory = format!("process_resident_memory_bytes{{job=\"{job}\"}}");
        let most = value("prometheus", &format!("max(max_over_time({memory}[1h]))")).await / MIB;
        // Moments a minute apart may miss the very highest of the scrapes between them.
        near(number(row, "max"), most, 0.15, &answer.text);
        let least = value("prometheus", &format!("min(min_over_time({memory}[1h]))")).await / MIB;
        assert!(number(row, "p50") >= 0.99 * least && number(row, "p50") <= 1.01 * most, "{}", answer.text);
        let replicas = value("prometheus", &format!("count({memory})")).await;
        near(number(row, "replicas"), replicas, 0.001, &answer.text);
        let row = cpu.iter().find(|row| row["job"] == job).unwrap_or_else(|| panic!("{}", answer.text));
        let used = format!("max(rate(process_cpu_seconds_total{{job=\"{job}\"}}[4m]))");
        let used = value("prometheus", &used).await;
        assert!(
            number(row, "max") > used / 5.0 && number(row, "max") < used * 5.0,
            "{used}\n{}",
            answer.text
        );
    }
    // A testbed that is older than the window has all of it. It is scraped every five seconds.
    let scraped = value("prometheus", "max(count_over_time(up{job=\"prometheus\"}[1h]))").await * 5.0;
    let is_short = answer.caveats().contains("history is shorter than asked");
    assert!(is_short || scraped > 3_300.0, "{scraped} s\n{}", answer.text);
    assert!(!is_short || scraped < 3_500.0, "{scraped} s\n{}", answer.text);
    assert!(answer.caveats().contains("no container metrics (cAdvisor)"), "{}", answer.text);
    // The exporter without process metrics of memory is no row of zeros.
    let loaded = ask("prometheus", "process_resident_memory_bytes{job=\"load\"}").await;
    assert_eq!(loaded["data"]["result"], json!([]));
    assert!(!rows.iter().any(|row| row["job"] == "load"), "{}", answer.text);
    session.end().await;
}

/// What an instant query gives at the end of the month.
async fn at_the_end(prometheus: &Prometheus, promql: &str) -> Value {
    let parameters = [("query", promql), ("time", END)];
    blocks::ask(&prometheus.url(), "query", &parameters).await
}

/// Samples by moment: the largest of the pods, as `value` reads it.
async fn samples(prometheus: &Prometheus, selector: &str) -> Vec<f64> {
    let raw = at_the_end(prometheus, &format!("{selector}[30d]")).await;
    let mut by_moment = std::collections::BTreeMap::<i64, f64>::new();
    for series in raw["data"]["result"].as_array().unwrap() {
        for point in series["values"].as_array().unwrap() {
            let at = point[0].as_f64().unwrap() as i64;
            let value: f64 = point[1].as_str().unwrap().parse().unwrap();
            let most = by_moment.entry(at).or_insert(f64::NEG_INFINITY);
            *most = most.max(value);
        }
    }
    by_moment.into_values().collect()
}

/// The value below which this share of the values lies, between neighbours in proportion.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_month_of_containers_in_the_real_prometheus_is_what_its_samples_add_up_to() {
    let (recording, blocks) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    World::demo().write(recording.path(), &Options::default()).unwrap();
    let files = ["metrics/shop.om", "metrics/capacity.om"].map(|name| recording.path().join(name));
    let prometheus = Prometheus::over(&programs(), &files, blocks.path(), &[]);
    let mut session = Session::start(&[("PROMETHEUS_URL", prometheus.url())]).await;
    for service in ["catalog", "cart"] {
        let arguments = json!({"service": service, "time_range": MONTH, "detail": "full"});
        let answer = session.answer("get_capacity_trend", arguments).await;
        let rows = answer.rows("rows of memory in MiB");
        let row = rows.iter().find(|row| row["container"] == service);
        let row = row.unwrap_or_else(|| panic!("{}", answer.text));
        let selector = format!("container_memory_working_set_bytes{{container=\"{service}\"}}");
        let memory: Vec<f64> =
            samples(&prometheus, &selector).await.iter().map(|bytes| bytes / MIB).collect();
        assert!(memory.len() > 8_000, "{} moments of five minutes in a month", memory.len());
        for (column, share) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)] {
            near(number(row, column), quantile(&memory, share), 0.02, &answer.text);
        }
        for bound in ["request", "limit"] {
            let promql = format!(
                "max(kube_pod_container_resource_{bound}s{{container=\"{service}\", resource=\"memory\"}})"
            );
            let told = at_the_end(&prometheus, &promql).await;
            let told: f64 = told["data"]["result"][0]["value"][1].as_str().unwrap().parse().unwrap();
            near(number(row, bound), told / MIB, 0.001, &answer.text);
        }
        // What is spoken of as a share of the limit is the highest against it.
        let share = 100.0 * quantile(&memory, 1.0) / number(row, "limit");
        near(number(row, "max % of limit"), share, 0.03, &answer.text);
    }
    session.end().await;
}
