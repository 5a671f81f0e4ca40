//! The shipped binary over streamable HTTP, in both eras. What all servers share on the wire is proved more fully by
//! metrics-mcp.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

#[path = "common/binary.rs"]
mod binary;
#[path = "common/calls.rs"]
mod calls;

use serde_json::json;
use testkit::{
    mcp::Era,
    proxy::{Fault, Misbehaving},
    wire::Shipped,
};

use binary::PROGRAM;

const SHIPPED: Shipped = Shipped {
    program: PROGRAM,
    tools: &calls::TOOLS,
    url: "OPENSEARCH_URL",
    call: || ("search_logs", json!({"query": "*"})),
    unconfigured: &["no store of logs is configured"],
};

#[tokio::test]
async fn both_eras_are_served_on_one_endpoint_without_sessions() {
    SHIPPED.serves_both_eras_over_http().await;
}

#[tokio::test]
async fn a_client_that_goes_away_stops_the_request_to_the_backend_within_200_ms() {
    SHIPPED.stops_for_a_client_that_is_gone().await;
}

#[tokio::test]
async fn sigterm_finishes_what_runs_and_ends_with_success() {
    SHIPPED.finishes_on_sigterm_over_http().await;
}

#[tokio::test]
async fn probes_tell_what_calls_have_shown_and_ask_no_backend() {
    let backend = Misbehaving::start(Fault::Status502Plain);
    let served = PROGRAM.serve(&[("ELASTICSEARCH_URL", &backend.url())]).await;
    assert_eq!(served.get("/readyz").await.text(), "elasticsearch \"main\": not asked yet\n");
    assert_eq!(backend.connections(), 0, "a probe asks no backend");
    let mut client = served.client();
    client.connect(Era::Stateless).await;
    assert!(client.call("search_logs", json!({"query": "*"})).await.is_error);
    let ready = served.get("/readyz").await;
    assert_eq!((ready.status, ready.text().as_str()), (503, "elasticsearch \"main\": down (HTTP 502)\n"));
    let metrics = served.get("/metrics").await.text();
    assert!(
        metrics.contains("mcp_tool_calls_total{tool=\"search_logs\",outcome=\"upstream\"} 1"),
        "{metrics}"
    );
}
