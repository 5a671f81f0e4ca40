//! A recorded incident answers as the real Prometheus does that is loaded with the same files.

use serde_json::{Value, json};
use testkit::mcp::{Client, Era};
use testkit::prometheus::{Prometheus, programs};
use world::{Options, World};

use crate::binary;

/// Questions over the demo's metrics that touch every kind of metric it has. The window ends at the incident's now.
const WINDOW: &str = "2026-01-14T13:32:00Z/2026-01-14T14:32:00Z";
const QUERIES: [&str; 14] = [
    "up",
    "service:errors:ratio_rate2m > 0",
    "sum by (service) (rate(http_server_request_duration_seconds_count[2m]))",
    "histogram_quantile(0.95, sum by (le, service) (rate(http_server_request_duration_seconds_bucket[5m])))",
    "sum without (instance, pod) (rate(grpc_server_handled_total[2m]))",
    "max by (pod) (db_pool_in_use / on (instance) db_pool_size)",
    "sum by (container) (rate(container_cpu_usage_seconds_total{container!=\"\"}[2m]))",
    "sum by (container) (container_memory_working_set_bytes) / sum by (container) (kube_pod_container_resource_limits{resource=\"memory\"})",
    "changes(process_start_time_seconds[1h])",
    "avg_over_time(db_pool_waiting[10m]) > 1",
    "quantile_over_time(0.99, container_memory_working_set_bytes[1h])",
    "topk(3, sum by (service) (rate(http_requests_total[5m])))",
    "ALERTS{alertstate=\"firing\"}",
    "rate(process_cpu_seconds_total[5m]) - rate(process_cpu_seconds_total[5m] offset 1h)",
];

/// The server in front of the recording, or of a Prometheus that has its files.
async fn client(state: &tempfile::TempDir, environment: &[(&str, &str)], arguments: &[&str]) -> Client {
    let mut command = binary::PROGRAM.command(state, environment);
    let rates = ["PER_MINUTE", "BURST"].map(|name| (format!("METRICS_MCP__RATES__RANGE__{name}"), "6000"));
    command.args(arguments).envs(rates);
    let mut client = Client::spawn(command);
    client.connect(Era::Stateless).await;
    client
}

/// What of an answer does not name its source: verdict, tables and findings.
fn said(structured: &Value) -> [Value; 3] {
    ["verdict", "tables", "findings"].map(|part| structured[part].clone())
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn the_demo_answers_as_the_real_prometheus_with_its_files() {
    let (recording, blocks) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    World::demo().write(recording.path(), &Options::default()).unwrap();
    let files = ["metrics/shop.om", "metrics/capacity.om"].map(|name| recording.path().join(name));
    let prometheus = Prometheus::over(&programs(), &files, blocks.path(), &[]);
    let (state, url) = (tempfile::tempdir().unwrap(), prometheus.url());
    let live = client(&state, &[("PROMETHEUS_URL", &url)], &[]).await;
    let recorded = client(&state, &[], &["--snapshot", recording.path().to_str().unwrap()]).await;

    let mut different = Vec::new();
    for promql in QUERIES {
        for arguments in [
            json!({"promql": promql, "time_range": WINDOW, "limit": 200}),
            json!({"promql": promql, "time_range": WINDOW, "step": "37s"}),
        ] {
            let theirs = live.call("query_metrics", arguments.clone()).await;
            let ours = recorded.call("query_metrics", arguments.clone()).await;
            assert!(!ours.is_error && !theirs.is_error, "{arguments}: {}\n{}", ours.text, theirs.text);
            if said(&ours.structured.unwrap()) != said(&theirs.structured.unwrap()) {
                different.push(format!("{arguments}\n{}\n{}", ours.text, theirs.text));
            }
        }
    }
    assert!(different.is_empty(), "{} answers differ:\n{}", different.len(), different.join("\n\n"));
}
