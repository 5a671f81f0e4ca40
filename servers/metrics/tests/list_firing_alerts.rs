//! `list_firing_alerts` through the whole server, over recorded and generated replies.
//!
//! `tests/recorded/alerts` was taken from the testbed at 2026-11-21T00:45:34Z (one Prometheus, two Alertmanagers;
//! testbed/README.md says which alert is in which state and why). The golden answers were checked by hand against
//! those files with `jq`: who fires since when (`.activeAt` cut to the second), the smallest and largest `.value`
//! of a family, `status` of each alert in `groups.json`, the silence, and for `CacheRestarted` the seven points of
//! its series in `alerts_range.json` (seconds 45, 60, 75 … as listed at `what_ended_is_read_from_the_series`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;
#[path = "list_firing_alerts/sides.rs"]
mod sides;
#[path = "list_firing_alerts/stories.rs"]
mod stories;
#[path = "list_firing_alerts/world.rs"]
mod world;

use serde_json::json;

use world::{World, ask, pretty};

#[tokio::test]
async fn the_recorded_alerts_are_told_worst_first() {
    let reply = World::recorded().await.ask(json!({})).await;
    insta::assert_snapshot!("recorded_text", reply.text);
    insta::assert_snapshot!("recorded_json", pretty(&reply));
}

#[tokio::test]
async fn what_ended_is_read_from_the_series() {
    let world = World::recorded().await;
    let reply = world.ask(json!({"time_range": "10m15s"})).await;
    insta::assert_snapshot!("time_range_text", reply.text);
    // 41 moments up to 00:45:30, the last before now: 1795221330 is `date -u -d 2026-11-21T00:35:30Z +%s`.
    let asked =
        world.prometheus.requests().into_iter().find(|seen| seen.path == "/api/v1/query_range").unwrap();
    assert_eq!(asked.form("query"), Some("ALERTS{alertstate=\"firing\"}"));
    assert_eq!((asked.form("start"), asked.form("step")), (Some("1795221330"), Some("15")));
    assert_eq!(asked.form("end"), Some("1795221930"));
}

#[tokio::test]
async fn the_future_is_not_looked_at() {
    let world = World::recorded().await;
    // Of the 24 hours asked for, 45 minutes 34 seconds have been: 183 moments of 15 s, a step each.
    let reply = world.ask(json!({"time_range": "2026-11-21T00:00:00Z/2026-11-22T00:00:00Z"})).await;
    let asked =
        world.prometheus.requests().into_iter().find(|seen| seen.path == "/api/v1/query_range").unwrap();
    assert_eq!((asked.form("end"), asked.form("step")), (Some("1795221930"), Some("15")));
    assert!(
        reply.text.contains("time_range ends at 2026-11-22T00:00:00Z, which is after now"),
        "{}",
        reply.text
    );
    assert!(
        !reply.text.contains("/2026-11-22") && reply.text.contains("/2026-11-21T00:45:31Z"),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn a_service_is_found_by_its_labels() {
    let world = World::recorded().await;
    insta::assert_snapshot!("service_text", world.ask(json!({"service": "payment"})).await.text);
    let reply = world.ask(json!({"service": "chekout"})).await;
    insta::assert_snapshot!("service_unknown_text", reply.text);
}

#[tokio::test]
async fn full_detail_is_one_row_an_alert_with_annotations() {
    let reply = World::recorded().await.ask(json!({"detail": "full"})).await;
    insta::assert_snapshot!("full_text", reply.text);
}

#[tokio::test]
async fn without_alertmanager_what_is_held_back_is_unknown_not_none() {
    let world = World::recorded().await;
    let reply = ask(&common::prometheus_at(&world.prometheus.url()), json!({})).await;
    insta::assert_snapshot!("without_alertmanager_text", reply.text);
}

#[tokio::test]
async fn without_prometheus_alertmanager_still_tells_what_fires() {
    let world = World::recorded().await;
    let mut loaded = world.loaded();
    loaded.config.prometheus.clear();
    insta::assert_snapshot!("without_prometheus_text", ask(&loaded, json!({"time_range": "1h"})).await.text);
}

#[tokio::test]
async fn a_source_nobody_configured_is_an_error_although_alertmanager_answers() {
    let reply = World::recorded().await.ask(json!({"source": "mian"})).await;
    assert!(reply.is_error && reply.text.contains("nearest: main"), "{}", reply.text);
}

#[tokio::test]
async fn wrong_arguments_are_refused_before_anything_is_asked() {
    let world = World::recorded().await;
    for (arguments, said) in [
        (json!({"limit": 0}), "`limit`: 0 is not between 1 and 200"),
        (json!({"limit": 201}), "`limit`: 201 is not between 1 and 200"),
        (json!({"time_range": "40d"}), "`time_range`: the window is 40d long"),
        (
            json!({"time_range": "2026-11-21T00:45:35Z/2026-11-21T01:45:35Z"}),
            "`time_range`: begins after now",
        ),
        (json!({"service": ""}), "`service`: is empty"),
        (json!({"servcie": "a"}), "unknown argument `servcie`"),
    ] {
        let reply = world.ask(arguments).await;
        assert!(reply.is_error && reply.text.contains(said), "{}", reply.text);
    }
    assert!(world.prometheus.requests().is_empty());
}

#[tokio::test]
async fn rows_beyond_the_limit_are_counted() {
    let reply = World::recorded().await.ask(json!({"limit": 1})).await;
    let coverage = &reply.structured.as_ref().unwrap()["coverage"];
    // HighErrorRate, InstanceDown, QueueDepthHigh fire.
    assert_eq!(
        coverage["firing families"],
        json!({"seen": 3, "shown": 1, "omitted": 2,
        "to_see_omitted": "a larger limit, detail=\"full\" or service=… shows them"})
    );
}
