//! The same questions to the real systems of the testbed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly, and ask the real clock what the real systems were told"
)]

mod common;

use std::{path::PathBuf, time::Duration};

use common::client;
use contract::{Context, TimeRange};
use jiff::{SignedDuration, Timestamp};
use prometheus::{Error, MatchOp, Prometheus, QueryOptions, RejectionKind, selector};

/// A client of a system of the testbed. Fails when it is not up: whoever asks for these tests wants an answer.
fn real(name: &str) -> Prometheus {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let testbed = variable("OBSERVABILITY_MCP_TESTBED").unwrap_or_else(|| {
        let home = || variable("HOME").expect("HOME is set").join(".cache");
        variable("XDG_CACHE_HOME").unwrap_or_else(home).join("observability-mcp/testbed")
    });
    let file = testbed.join("run/endpoints.json");
    let text = std::fs::read(&file)
        .unwrap_or_else(|error| panic!("the testbed is not up: {}: {error}", file.display()));
    let endpoints: serde_json::Value = serde_json::from_slice(&text).unwrap();
    client(endpoints[name]["url"].as_str().unwrap_or_else(|| panic!("{name} is not up")))
}

async fn everything_is_understood(client: &Prometheus) {
    let now = Timestamp::now();
    let cx = Context::for_test(now);
    let options = QueryOptions { limit: Some(5), stats: true };
    let window = TimeRange::new(now - SignedDuration::from_secs(60), now).unwrap();

    let instant = client.instant(&cx, "up", now, options).await.unwrap();
    assert!(!instant.data.series().is_empty() && instant.samples_read.is_some());
    let range = client.range(&cx, "up", window, Duration::from_secs(5), options).await.unwrap();
    // The window is widened to whole seconds, so one more moment may fit.
    assert!(range.data.series().iter().all(|series| (1..=13).contains(&series.points.len())));

    // The limit counts metrics; one that several kinds of targets describe has several entries.
    let described = client.metadata(&cx, None, 3).await.unwrap().items;
    let metrics: std::collections::BTreeSet<_> =
        described.iter().map(|entry| entry.metric.inside()).collect();
    assert_eq!(metrics.len(), 3);
    assert_eq!(client.metadata(&cx, Some("queue_depth"), 3).await.unwrap().items.len(), 1);
    let series = client.series(&cx, &["queue_depth"], Some(window), 2).await.unwrap();
    assert_eq!((series.items.len(), series.more), (2, true));
    let names = client.label_names(&cx, &["up"], Some(window), 100).await.unwrap();
    assert_eq!(names.items[0].inside(), "__name__");
    assert!(!client.label_values(&cx, "job", &[], None, 100).await.unwrap().items.is_empty());
    assert!(!client.rules(&cx).await.unwrap().groups.is_empty());
    assert!(client.tsdb_status(&cx, 20_000).await.unwrap().series.unwrap() > 100);
    assert_eq!(client.build_info(&cx).await.unwrap().flavour, prometheus::Flavour::Prometheus);

    let broken = client.instant(&cx, "sum(up", now, options).await.unwrap_err();
    assert!(
        matches!(broken, Error::Rejected { kind: RejectionKind::BadData, position: Some((1, 7)), .. }),
        "{broken}"
    );
}

/// Whatever is in a value, the server takes the selector.
async fn odd_values_are_taken(client: &Prometheus, metric: &str, label: &str) {
    let now = Timestamp::now();
    let cx = Context::for_test(now);
    for value in ["plain", "\"}) or vector(1) #", "\\", "\n\r\t", "\u{0}\u{7f}", "é😱", "`'", ""] {
        let text =
            selector(Some(metric), &[(label, MatchOp::Equal, value), ("job", MatchOp::NotEqual, value)]);
        let reply = client.instant(&cx, &text, now, QueryOptions::default()).await;
        let reply = reply.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(value.is_empty() || reply.data.series().is_empty(), "{text}");
    }
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn prometheus_3_is_understood() {
    let client = real("prometheus");
    everything_is_understood(&client).await;
    odd_values_are_taken(&client, "queue.oldest.message.age", "queue.name").await;
    odd_values_are_taken(&client, "sum", "by").await;
    let cx = Context::for_test(Timestamp::now());
    assert!(!client.label_values(&cx, "queue.name", &[], None, 100).await.unwrap().items.is_empty());
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn prometheus_2_42_is_understood() {
    let client = real("prometheus-old");
    everything_is_understood(&client).await;
    odd_values_are_taken(&client, "up", "service").await;
    odd_values_are_taken(&client, "sum", "by").await;
}
