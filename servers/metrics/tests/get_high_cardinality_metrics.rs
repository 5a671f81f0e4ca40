//! `get_high_cardinality_metrics` through the whole server, over recorded incidents made here and over replies in the
//! manner of other systems. Expected values are by construction: what is put into a series is what must come out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;
#[path = "get_high_cardinality_metrics/incident.rs"]
mod incident;
#[path = "get_high_cardinality_metrics/kinds_of_systems.rs"]
mod kinds_of_systems;
#[path = "get_high_cardinality_metrics/series.rs"]
mod series;

use serde_json::json;

use incident::{Incident, cell, rows};

const TOOL: &str = "get_high_cardinality_metrics";

/// A pool of 50 shrinks to 10 at 14:02, and a minute later latency rises from 0.1 s to 0.9 s: by more spreads, but later.
fn pool_shrunk() -> Incident {
    Incident::new()
        .gauge("db_pool_size", "service=\"web\"", |minute| if minute < 30.0 { 50.0 } else { 10.0 })
        .gauge(
            "latency_seconds",
            "service=\"web\"",
            |minute| if minute < 31.0 { 0.1 } else { 0.9 } + wobble(minute),
        )
        .gauge("temperature", "service=\"web\"", |minute| 20.0 + wobble(minute))
        .gauge("temperature", "service=\"cart\"", |minute| 20.0 + wobble(minute))
}

/// Something that is never quite the same: 0 to 0.010, in the middle 0.005.
fn wobble(minute: f64) -> f64 {
    ((minute * 4.0) as i64 * 37 % 11) as f64 * 0.001
}

#[tokio::test]
async fn the_first_to_move_comes_first_with_its_values_its_moment_and_a_query_that_runs() {
    let (reply, client) = pool_shrunk().ask(json!({"service": "web"})).await;
    let first = reply.text.lines().next().unwrap();
    assert_eq!(
        first,
        "2 metrics of web left the usual range (start inferred); first, at 2026-01-14T14:02:00Z: db_pool_size 50 → 10, \
         score 80; then latency_seconds 0.105 s → 0.905 s."
    );
    let rows = rows(&reply);
    assert_eq!(rows.len(), 2, "what did not move is no row: {}", reply.text);
    // 40 ÷ 1 % of 50.
    assert_eq!(cell(&reply, 0, "score"), "80 down");
    assert_eq!(cell(&reply, 1, "onset"), "2026-01-14T14:03:00Z");
    let query = cell(&reply, 0, "query").to_string();
    let query = query.trim_matches('"').replace("\\\"", "\"");
    let run = client.call("query_metrics", json!({"promql": query})).await;
    assert!(!run.is_error && run.text.contains("10"), "{query}: {}", run.text);
    assert!(
        reply.text.contains("start inferred: the signals together changed at 2026-01-14T14:02"),
        "{}",
        reply.text
    );
    insta::assert_snapshot!("pool_shrunk", reply.text);
}

#[tokio::test]
async fn a_given_start_is_said_and_a_minute_of_error_does_not_matter() {
    for since in ["2026-01-14T14:01:00Z", "2026-01-14T14:02:00Z", "2026-01-14T14:03:00Z", "now-30m"] {
        let (reply, _) = pool_shrunk().ask(json!({"service": "web", "since": since})).await;
        assert_eq!(cell(&reply, 0, "metric"), "db_pool_size", "{since}: {}", reply.text);
        assert_eq!(cell(&reply, 0, "onset"), "2026-01-14T14:02:00Z", "{since}");
        assert!(reply.text.contains("start given: 2026-01-14T14:0"), "{since}: {}", reply.text);
        assert!(!reply.text.contains("inferred"), "{since}: {}", reply.text);
    }
}

#[tokio::test]
async fn without_a_service_all_are_ranked_and_the_quiet_ones_left_out() {
    let (reply, _) = pool_shrunk().ask(json!({})).await;
    let first = reply.text.lines().next().unwrap();
    assert!(
        first.starts_with(
            "1 of 2 services have metrics out of their usual range; worst web: db_pool_size 50 → 10"
        ),
        "{first}"
    );
    assert_eq!((rows(&reply).len(), cell(&reply, 0, "unusual")), (1, json!(2)));
    let next = &reply.structured.as_ref().unwrap()["next"][0];
    assert_eq!((&next["tool"], &next["arguments"]["service"]), (&json!(TOOL), &json!("web")));
}

/// A batch of `cart` begins first and moves one metric; of `web` five move: it is worse, and the verdict tells its own.
#[tokio::test]
async fn a_service_with_one_metric_that_moved_is_not_the_worst() {
    let mut incident =
        pool_shrunk().gauge("batch_cpu", "service=\"cart\"", |minute| if minute < 29.5 { 1.0 } else { 9.0 });
    for name in ["goroutines", "in_flight", "queue"] {
        incident = incident.gauge(
            name,
            "service=\"web\"",
            |minute| if minute < 30.5 { 10.0 } else { 90.0 } + wobble(minute),
        );
    }
    let (reply, _) = incident.ask(json!({})).await;
    let first = reply.text.lines().next().unwrap();
    assert!(
        first.starts_with(
            "2 of 2 services have metrics out of their usual range; worst web: db_pool_size 50 → 10"
        ),
        "{first}"
    );
    assert_eq!((cell(&reply, 0, "service"), cell(&reply, 1, "service")), (json!("web"), json!("cart")));
    assert_eq!(cell(&reply, 1, "first metric"), "batch_cpu");
}

#[tokio::test]
async fn a_quiet_service_is_said_to_be_quiet() {
    let (reply, _) = pool_shrunk().ask(json!({"service": "cart"})).await;
    let first = reply.text.lines().next().unwrap();
    assert!(first.starts_with("No metric of cart left its usual range:"), "{first}");
    // The first two thirds of the hour.
    assert!(first.contains("its baseline, 2026-01-14T13:32:00Z to 2026-01-14T14:1"), "{first}");
    let next = &reply.structured.as_ref().unwrap()["next"][0];
    assert_eq!((&next["tool"], &next["arguments"]["service"]), (&json!(TOOL), &json!("cart")));
    assert_eq!(next["arguments"]["time_range"], "2026-01-14T12:32:00Z/2026-01-14T14:32:00Z");
    assert!(reply.text.contains("no common start found"), "{}", reply.text);
}

/// The step is 30 minutes before now, where windows of up to half an hour have only what came after it.
#[tokio::test]
async fn a_short_window_does_not_take_the_incident_for_usual() {
    let incident = || {
        Incident::new()
            .early(60.0)
            .gauge("db_pool_size", "service=\"web\"", |minute| if minute < 30.0 { 50.0 } else { 10.0 })
            .gauge("temperature", "service=\"web\"", |minute| 20.0 + wobble(minute))
            .gauge("queue", "service=\"web\"", |minute| 7.0 + wobble(minute + 1.0))
    };
    for (arguments, is_before) in [
        (json!({"time_range": "20m"}), true),
        (json!({"time_range": "30m"}), false),
        (json!({"time_range": "40m"}), false),
        (json!({"since": "now-20m"}), false),
        (json!({"since": "now-15m", "time_range": "20m"}), true),
    ] {
        for service in [Some("web"), None] {
            let mut arguments = arguments.clone();
            if let Some(service) = service {
                arguments["service"] = json!(service);
            }
            let (reply, _) = incident().ask(arguments.clone()).await;
            let first = reply.text.lines().next().unwrap();
            assert!(first.contains("db_pool_size 50 → 10"), "{arguments}: {}", reply.text);
            assert!(first.contains("at 2026-01-14T14:02:00Z"), "{arguments}: {first}");
            assert_eq!(first.contains("before the window"), is_before, "{arguments}: {first}");
            assert_eq!(cell(&reply, 0, "onset"), "2026-01-14T14:02:00Z", "{arguments}");
            let has_lead_in = arguments.get("time_range").is_some();
            assert_eq!(reply.text.contains("a lead-in before the window"), has_lead_in, "{}", reply.text);
        }
    }
}

#[tokio::test]
async fn what_dipped_and_is_back_is_said_to_have_left_for_a_moment() {
    let dip = |minute: f64| if (30.0..33.0).contains(&minute) { 1.0 } else { 5.0 };
    let incident = pool_shrunk().gauge("replicas_updated", "service=\"web\"", dip);
    let (reply, _) = incident.ask(json!({"service": "web"})).await;
    assert!(reply.text.contains("replicas_updated 5 → 1 for a moment"), "{}", reply.text);
    let place = rows(&reply).iter().position(|row| row[0] == "replicas_updated").unwrap();
    assert_eq!(cell(&reply, place, "score"), "80 down, for a moment");
}

/// A lone sample away has no onset, so nothing can be put in order.
#[tokio::test]
async fn an_order_without_a_moment_is_left_out() {
    let lone = |minute: f64| if minute == 45.0 { 99.0 } else { 5.0 };
    let incident = Incident::new().gauge("queue", "service=\"web\"", lone);
    let (reply, _) = incident.ask(json!({})).await;
    assert!(reply.text.contains("queue 5 → 99 for a moment"), "{}", reply.text);
    assert!(!reply.text.contains("in the order in which"), "{}", reply.text);
}

#[tokio::test]
async fn an_unknown_service_gets_the_nearest_and_is_no_zero() {
    let (reply, _) = pool_shrunk().ask(json!({"service": "wep"})).await;
    assert!(
        !reply.is_error && reply.text.contains("nothing was judged") && reply.text.contains("nearest: web"),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn wrong_arguments_are_refused_with_what_would_work() {
    for (arguments, part) in [
        (json!({"service": "web", "mode": "series"}), "mode"),
        (json!({"service": "web", "since": "yesterday"}), "since"),
        (json!({"service": "web", "since": "now"}), "is not before now"),
        (json!({"service": "web", "since": "now-59m", "time_range": "1h"}), "leaves no baseline"),
        (json!({"service": "web", "time_range": "1m"}), "too short to have a baseline"),
        (json!({"service": "web", "limit": 0}), "use 1 to 50"),
        (json!({"service": "x".repeat(201)}), "too long"),
        (json!({"servce": "web"}), "did you mean `service`?"),
    ] {
        let (reply, _) = pool_shrunk().ask(arguments).await;
        assert!(reply.is_error && reply.text.contains(part), "{part}: {}", reply.text);
    }
}

/// 200 users × 3 codes = 600 series. Without the user 3 are left, without the code 200.
#[tokio::test]
async fn the_label_that_multiplies_series_is_named_with_what_is_left_without_it() {
    let mut incident = Incident::new().gauge("temperature", "service=\"web\"", |_| 20.0).every(20.0);
    for user in 0..200 {
        for code in ["200", "404", "500"] {
            let labels = format!("service=\"web\",user_id=\"u{user}\",code=\"{code}\"");
            incident = incident.gauge("requests_by_user", &labels, |minute| minute);
        }
    }
    for arguments in [json!({"mode": "cardinality", "service": "web"}), json!({"mode": "cardinality"})] {
        let (reply, _) = incident.ask(arguments).await;
        assert_eq!(cell(&reply, 0, "metric"), "requests_by_user", "{}", reply.text);
        assert_eq!(cell(&reply, 0, "series"), json!(600));
        assert_eq!(cell(&reply, 0, "multiplied by"), "user_id");
        assert_eq!((cell(&reply, 0, "values"), cell(&reply, 0, "series without it")), (json!(200), json!(3)));
        assert!(cell(&reply, 0, "remedy").as_str().unwrap().contains("action: drop"), "{}", reply.text);
        assert!(
            reply.text.lines().next().unwrap().contains("601 series; requests_by_user has most, 600"),
            "{}",
            reply.text
        );
        assert!(reply.text.contains("code (3 values, 200 series without it)"), "{}", reply.text);
    }
}

/// 20 series end half an hour before now; 10 are there throughout: of 30 seen 10 are left.
#[tokio::test]
async fn churn_is_the_share_of_series_that_are_gone() {
    let mut incident = Incident::new().every(60.0);
    for pod in 0..30 {
        let labels = format!("service=\"web\",pod=\"p{pod}\"");
        incident = incident.gauge(
            "busy",
            &labels,
            move |minute| if pod < 20 && minute > 30.0 { f64::NAN } else { 1.0 },
        );
    }
    let (reply, _) = incident.ask(json!({"mode": "cardinality", "service": "web"})).await;
    assert_eq!(cell(&reply, 0, "series"), json!(10), "{}", reply.text);
    let (everyone, _) = incident.ask(json!({"mode": "cardinality"})).await;
    for reply in [reply, everyone] {
        assert_eq!(cell(&reply, 0, "seen in window"), json!(30), "{}", reply.text);
        // 1 − 10 ÷ 30 in percent, to four digits.
        assert_eq!(cell(&reply, 0, "churn %"), json!(66.67), "{}", reply.text);
    }
}
